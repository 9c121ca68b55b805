const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    formats.set(zone, format)
  }
  return format
}

/** The time that the clocks of a zone show at an instant, as milliseconds since 1970 as if they stood in UTC. */
function wallMs(zone: string, instant: Date): number {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name)!
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
}

/** The ISO 8601 day that the calendars of a zone show at an instant. */
export function dayIn(zone: string, instant: Date): string {
  return new Date(wallMs(zone, instant)).toISOString().slice(0, 10)
}

/**
 * The instant at which the clocks of a zone show a time on a day: of one that they show twice the first, of one that they leave
 * out the instant that they jump to it from (RFC 5545, 3.3.5).
 * @param time `22:00`
 */
export function instantIn(zone: string, day: string, time: string): Date {
  const wanted = Date.parse(`${day}T${time}:00Z`)
  const offsetAt = (ms: number) => wallMs(zone, new Date(ms)) - Math.floor(ms / 1000) * 1000
  // The offsets of the days before and after: whichever is right, its wall shows what is wanted.
  const [before, after] = [offsetAt(wanted - 86_400_000), offsetAt(wanted + 86_400_000)]
  const candidates = [wanted - before, wanted - after].sort((one, other) => one - other)
  const found = candidates.find((ms) => wallMs(zone, new Date(ms)) === wanted)
  return new Date(found ?? wanted - before)
}
