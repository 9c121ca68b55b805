import { LRUCache } from 'lru-cache'
import { badUserInput } from '../errors'
import { clockOf } from '../schema/time-zone'

/** The length of the spans that a time is grouped by. */
export type TimeBucket = 'DAY' | 'WEEK' | 'MONTH' | 'QUARTER' | 'YEAR'

/** Says how many edges there are at most, which make one span fewer. */
export const mostEdges = 1_000
/** Says how many spans lie ahead of the present one, where nothing says where they end. */
const spansAhead = 200

/** The edge between two spans. */
export interface Edge {
  /** The first instant of the later one, ISO 8601 in UTC. */
  instant: string
  /** The day in the time zone that begins then: `2026-03-01`. */
  day: string
}

/** The range in which a filter admits the time that is grouped by: instants or days, whatever the column holds. */
export interface TimeBounds {
  /** The earliest value that it admits. */
  from?: string
  /** The latest value that it admits. */
  to?: string
}

const dayMs = 86_400_000
const months: Readonly<Record<TimeBucket, number>> = { DAY: 0, WEEK: 0, MONTH: 1, QUARTER: 3, YEAR: 12 }

/** The time that a clock of the zone shows at an instant, as milliseconds in which UTC's clock would show it. */
function shownAt(clock: Intl.DateTimeFormat, instant: number): number {
  const [month, day, year, era, hour, minute, second] = clock.format(instant).split(/[/,: ]+/)
  const shown = new Date(0)
  shown.setUTCFullYear(era === 'BC' ? 1 - Number(year) : Number(year), Number(month) - 1, Number(day))
  return shown.setUTCHours(Number(hour), Number(minute), Number(second))
}

/**
 * The first instant of a day in a time zone. Nights of 23 and 25 hours count as they are; where clocks jump over midnight
 * the day begins with the jump.
 * @param midnight the day's beginning in UTC, in milliseconds
 */
function startOfDay(zone: string, midnight: number): number {
  const clock = clockOf(zone)
  const offsetAt = (instant: number) => shownAt(clock, instant) - instant
  const [before, after] = [offsetAt(midnight - dayMs), offsetAt(midnight + dayMs)]
  if (before === after) return midnight - before
  // Clocks change nearby. Up to `low` it is another day, from `high` on it is this one.
  let [low, high] = [midnight - dayMs, midnight + dayMs]
  for (let step = high - low; step > 1; step = high - low) {
    const middle = low + Math.floor(step / 2)
    if (shownAt(clock, middle) < midnight) low = middle
    else high = middle
  }
  return high
}

/** The first day of the span that a day is in, in milliseconds of UTC. */
function firstDayOf(day: number, per: TimeBucket): number {
  if (per === 'DAY') return day
  const date = new Date(day)
  if (per === 'WEEK') return day - ((date.getUTCDay() + 6) % 7) * dayMs
  const month = date.getUTCMonth() - (date.getUTCMonth() % months[per])
  return new Date(day).setUTCMonth(month, 1)
}

/** The first day of the span that comes so many spans later. */
function later(firstDay: number, per: TimeBucket, spans: number): number {
  if (per === 'DAY' || per === 'WEEK') return firstDay + spans * dayMs * (per === 'DAY' ? 1 : 7)
  return new Date(firstDay).setUTCMonth(new Date(firstDay).getUTCMonth() + spans * months[per])
}

const [earliest, latest] = [new Date(0).setUTCFullYear(1, 0, 2), Date.UTC(9998, 11, 31)]

const edgesKnown = new LRUCache<string, readonly Edge[]>({ max: 200 })

/**
 * The edges of spans from that of the first bound to that of the last. Where a bound is missing they go as far as there
 * may be edges, or else around the present.
 * @throws ApiError BAD_USER_INPUT when there would be more than {@link mostEdges}
 */
export function bucketEdges(
  per: TimeBucket,
  zone: string,
  { from, to }: TimeBounds,
  now: Date,
): readonly Edge[] {
  const spanOf = (value: string) => {
    const day = value.length === 10 ? Date.parse(value) : shownAt(clockOf(zone), Date.parse(value))
    const within = Math.min(Math.max(day, earliest), latest)
    return firstDayOf(within - (((within % dayMs) + dayMs) % dayMs), per)
  }
  let first: number
  let count: number
  if (from !== undefined && to !== undefined) {
    first = spanOf(from)
    const end = Math.max(spanOf(to), first)
    for (count = 2; later(first, per, count - 1) <= end; count++)
      if (count > mostEdges - 1)
        throw badUserInput(
          `per: from ${from} to ${to} there are more than ${mostEdges - 1} spans of a ${per}: ask for longer ones, or for less time`,
        )
  } else {
    count = mostEdges
    if (from !== undefined) first = spanOf(from)
    else if (to !== undefined) first = later(spanOf(to), per, 2 - mostEdges)
    else first = later(spanOf(now.toISOString()), per, spansAhead + 2 - mostEdges)
  }
  const key = `${per} ${zone} ${first} ${count}`
  let edges = edgesKnown.get(key)
  if (!edges) edgesKnown.set(key, (edges = edgesFrom(first, count, per, zone)))
  return edges
}

function edgesFrom(first: number, count: number, per: TimeBucket, zone: string): Edge[] {
  const edges: Edge[] = []
  for (let span = 0; span < count; span++) {
    const day = later(first, per, span)
    if (day < earliest || day > latest) continue
    const instant = new Date(startOfDay(zone, day)).toISOString()
    // A day that a zone left out, when it went to the other side of the date line, has no span.
    if (edges.at(-1)?.instant === instant) edges.pop()
    edges.push({ instant, day: new Date(day).toISOString().slice(0, 10) })
  }
  return edges
}
