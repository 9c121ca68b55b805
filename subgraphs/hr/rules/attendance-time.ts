/** A break in the work, as instants in ISO 8601; the one that goes on has no end. */
export interface Break {
  startedAt: string
  endedAt: string | null
}

const minuteMs = 60_000
const hourMs = 3_600_000

/** Names the time within which the same punch twice is one. */
export const samePunchMs = minuteMs
/**
 * Names how long work may be open: the longest day that a law of working time allows for (12 hours), with breaks and a
 * hand-over. What is open for longer has no recorded end, and nobody guesses one.
 */
export const longestOpenMs = 16 * hourMs
/** Names how long one record may be. */
export const longestRecordMs = 24 * hourMs

/** Instants in ISO 8601 and whole minutes of breaks. */
export interface WorkTimes {
  clockInAt: string
  clockOutAt: string
  breakMinutes: number
}

/** Whole minutes between two instants. They count what went by, whatever the clocks on the wall did in between. */
export function minutesBetween(from: string, to: string): number {
  return Math.floor((Date.parse(to) - Date.parse(from)) / minuteMs)
}

/** Whole minutes of work: what went by less breaks. */
export function workedMinutes({ clockInAt, clockOutAt, breakMinutes }: WorkTimes): number {
  return Math.max(0, minutesBetween(clockInAt, clockOutAt) - breakMinutes)
}

/** Whole minutes of the breaks that ended: seconds are summed before they are cut off. */
export function minutesOfBreaks(breaks: readonly Break[]): number {
  const ms = breaks.reduce(
    (sum, { startedAt, endedAt }) =>
      sum + (endedAt === null ? 0 : Date.parse(endedAt) - Date.parse(startedAt)),
    0,
  )
  return Math.floor(ms / minuteMs)
}

/** The breaks with the one that goes on ended at an instant. */
export function endedBreaks(breaks: readonly Break[], at: string): Break[] {
  return breaks.map((one) => ({ ...one, endedAt: one.endedAt ?? at }))
}

/** The input field that makes no sense and why, or null. */
export function timesFault(
  { clockInAt, clockOutAt, breakMinutes }: WorkTimes,
  now: Date,
): { field: keyof WorkTimes; message: string } | null {
  const [from, to] = [Date.parse(clockInAt), Date.parse(clockOutAt)]
  if (to <= from) return { field: 'clockOutAt', message: 'clockOutAt must be after clockInAt' }
  if (to - from > longestRecordMs)
    return { field: 'clockOutAt', message: 'clockOutAt must be 24 hours after clockInAt at most' }
  if (to > now.getTime()) return { field: 'clockOutAt', message: 'clockOutAt must not be in the future' }
  if (breakMinutes < 0) return { field: 'breakMinutes', message: 'breakMinutes must not be negative' }
  if (breakMinutes > minutesBetween(clockInAt, clockOutAt))
    return { field: 'breakMinutes', message: 'breakMinutes must not be more than the work lasted' }
  return null
}

/** Tells whether two instants are the same punch, sent twice. */
export function isSamePunch(at: string, now: Date): boolean {
  return now.getTime() - Date.parse(at) <= samePunchMs
}
