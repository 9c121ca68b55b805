const day = 24 * 60 * 60 * 1_000
const daysShown = 90
/** ISO 8601 tells none before with four digits. */
const firstInstant = '0001-01-01T00:00:00.000Z'

/** A range of instants: `DateTimeFilter` of the shared schema, in ISO 8601. */
export interface TimeRange {
  gte?: string | null
  lt?: string | null
}

/**
 * The times that a list of audit entries is about, with both bounds, so that only their months are read. Without an end
 * it is the coming midnight (UTC): the same for all lists of a request, which therefore share their statements. Without
 * a start it is the 90 days before the end.
 */
export function auditWindow(asked: TimeRange | null | undefined, now: Date): { gte: string; lt: string } {
  const lt = asked?.lt ?? new Date((Math.floor(now.getTime() / day) + 1) * day).toISOString()
  const gte =
    asked?.gte ?? new Date(Math.max(Date.parse(lt) - daysShown * day, Date.parse(firstInstant))).toISOString()
  return { gte, lt }
}
