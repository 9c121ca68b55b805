/** A day or a part of it, as `enum DayHalf` of the schema. */
export type DayHalf = 'FULL' | 'MORNING' | 'AFTERNOON'

const dayMs = 86_400_000

/** Days since 1970 of an ISO 8601 day. */
export function dayNumber(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / dayMs
}

/** The ISO 8601 day of a number of days since 1970. */
export function dayOfNumber(number: number): string {
  return new Date(number * dayMs).toISOString().slice(0, 10)
}

/** The day of the week, 0 for Monday to 6 for Sunday (ISO 8601 counts from Monday). */
export function weekdayOf(number: number): number {
  // 1 January 1970 was a Thursday.
  return (((number + 3) % 7) + 7) % 7
}

/** Tells whether a part of a day holds its morning. */
export const hasMorning = (half: DayHalf): boolean => half !== 'AFTERNOON'

/** Tells whether a part of a day holds its afternoon. */
export const hasAfternoon = (half: DayHalf): boolean => half !== 'MORNING'
