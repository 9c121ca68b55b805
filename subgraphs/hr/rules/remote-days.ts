import { dayIn } from './zone-time'

/** Names how long remote work is before it is flagged: the longest day that a law of working time allows for. */
export const overlongMs = 12 * 3_600_000

/**
 * The last day, by the calendar of the place, of work that ended at an instant: midnight is of the day that ends. A part of a day counts
 * as a day (commentary on article 15 of the OECD model convention, paragraph 5).
 * @param workDate ISO 8601 day on which it began
 */
export function lastDayOf(workDate: string, zone: string, endedAt: Date): string {
  const day = dayIn(zone, new Date(endedAt.getTime() - 1))
  // What ended in the moment in which it began was on that day.
  return day < workDate ? workDate : day
}
