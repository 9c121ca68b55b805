export const weekdays = [
  ...(['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY'] as const),
  ...(['FRIDAY', 'SATURDAY', 'SUNDAY'] as const),
]

/** Hours of a day of the week, as the clock on the wall shows them: `09:00` to `17:30`; `24:00` is the end of the day. */
export interface BusinessHours {
  weekday: (typeof weekdays)[number]
  opensAt: string
  closesAt: string
}

/** When minutes count. */
export interface BusinessTime {
  timeZone: string
  hours: readonly BusinessHours[]
  closedOn: readonly string[]
}

const day = 86_400_000
/** Days that are looked at for working time: the longest promise takes 32 years of one hour a week. */
const mostDays = 366 * 60

const wallClocks = new Map<string, Intl.DateTimeFormat>()

/** Tells what the clocks of a zone show at an instant, as if it were UTC. */
function wallTime(timeZone: string, instant: number): number {
  let clock = wallClocks.get(timeZone)
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    })
    wallClocks.set(timeZone, clock)
  }
  const parts = Object.fromEntries(
    clock.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
  )
  return Date.UTC(
    parts['year']!,
    parts['month']! - 1,
    parts['day'],
    parts['hour'],
    parts['minute'],
    parts['second'],
  )
}

/**
 * The instant at which clocks show a time. One that they show twice is the first; one that they leave out is as long after
 * the change as it would have been (RFC 5545, 3.3.5).
 */
export function instantOfWallTime(timeZone: string, wall: number): number {
  const offsetAt = (instant: number) => wallTime(timeZone, instant) - Math.floor(instant / 1000) * 1000
  const [before, after] = [offsetAt(wall - day), offsetAt(wall + day)]
  const [first, second] = [wall - before, wall - after]
  if (wallTime(timeZone, first) === wall) return first
  return wallTime(timeZone, second) === wall ? second : first
}

const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))

/** The working spans of the day that begins at a wall time, in order: pairs of instants. */
function spansOf({ timeZone, hours, closedOn }: BusinessTime, midnight: number): [number, number][] {
  const date = new Date(midnight)
  if (closedOn.includes(date.toISOString().slice(0, 10))) return []
  const weekday = weekdays[(date.getUTCDay() + 6) % 7]
  const instant = (clock: string) => instantOfWallTime(timeZone, midnight + minutesOf(clock) * 60_000)
  return hours
    .filter((one) => one.weekday === weekday)
    .map(({ opensAt, closesAt }): [number, number] => [instant(opensAt), instant(closesAt)])
    .sort(([a], [b]) => a - b)
}

const midnightOf = (timeZone: string, instant: number): number =>
  Math.floor(wallTime(timeZone, instant) / day) * day

/**
 * Whole seconds of working time between two instants; 0 when `to` is not later.
 * @param calendar null: every second counts
 */
export function businessSeconds(calendar: BusinessTime | null, from: Date, to: Date): number {
  const [start, stop] = [from.getTime(), to.getTime()]
  if (stop <= start) return 0
  if (!calendar) return Math.floor((stop - start) / 1000)
  let sum = 0
  const last = midnightOf(calendar.timeZone, stop)
  for (let midnight = midnightOf(calendar.timeZone, start); midnight <= last; midnight += day)
    for (const [opens, closes] of spansOf(calendar, midnight))
      sum += Math.max(0, Math.min(closes, stop) - Math.max(opens, start))
  return Math.floor(sum / 1000)
}

/**
 * The instant at which so many seconds of working time have passed. Throws RangeError for a calendar in which nobody ever
 * works.
 * @param calendar null: every second counts
 */
export function addBusinessSeconds(calendar: BusinessTime | null, from: Date, seconds: number): Date {
  const start = from.getTime()
  if (!calendar) return new Date(start + seconds * 1000)
  let left = seconds * 1000
  const first = midnightOf(calendar.timeZone, start)
  for (let days = 0; days < mostDays; days++)
    for (const [opens, closes] of spansOf(calendar, first + days * day)) {
      const begins = Math.max(opens, start)
      if (closes <= begins) continue
      if (left <= closes - begins) return new Date(begins + left)
      left -= closes - begins
    }
  throw new RangeError('nobody works in this calendar')
}

const clockTime = /^(?:[01]\d|2[0-3]):[0-5]\d$/

/** Tells what is wrong with the hours of a week, and with which field; null when nothing is. */
export function hoursFault(hours: readonly BusinessHours[]): string | null {
  if (hours.length === 0 || hours.length > 50) return 'hours must have 1 to 50 entries'
  for (const { opensAt, closesAt } of hours) {
    if (!clockTime.test(opensAt) || !(clockTime.test(closesAt) || closesAt === '24:00'))
      return 'hours must have times such as 09:00; 24:00 is the end of a day'
    if (minutesOf(opensAt) >= minutesOf(closesAt)) return 'hours must end later than they begin'
  }
  const minutes = hours.reduce((sum, one) => sum + minutesOf(one.closesAt) - minutesOf(one.opensAt), 0)
  if (minutes < 60) return 'hours must add up to one hour a week at least'
  const isOverlapping = hours.some((one, place) =>
    hours.some(
      (other, at) =>
        at > place &&
        one.weekday === other.weekday &&
        minutesOf(one.opensAt) < minutesOf(other.closesAt) &&
        minutesOf(other.opensAt) < minutesOf(one.closesAt),
    ),
  )
  return isOverlapping ? 'hours of one day must not overlap' : null
}
