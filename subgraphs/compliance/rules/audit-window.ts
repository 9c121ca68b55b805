const day = 24 * 60 * 60 * 1_000
const daysShown = 90
/** ISO 8601 tells none before with four digits. */
const firstInstant = '0001-01-01T00:00:00.000Z'

/** Which instants are asked for: `DateTimeFilter` of the shared schema, in ISO 8601. */
export interface TimeFilter {
  eq?: string | null
  in?: readonly string[] | null
  lt?: string | null
  lte?: string | null
  gt?: string | null
  gte?: string | null
}

/**
 * The times that a list of audit entries is about, with both bounds, so that only their months are read. Without an end
 * it is the coming midnight (UTC): the same for all lists of a request, which therefore share their statements. Without
 * a start it is the 90 days before the end. Null, and a filter that says nothing, stay: they are refused where all
 * conditions are read.
 */
export function auditWindow<F extends TimeFilter>(
  asked: F | null | undefined,
  now: Date,
): F | TimeFilter | null {
  if (asked === null) return null
  const given = Object.values(asked ?? {}).filter((operand) => operand !== undefined)
  if (asked && (given.length === 0 || given.includes(null))) return asked
  const { lt, lte, gt, gte, ...others } = asked ?? ({} as F)
  // Exact times are their own bounds.
  if (others.eq !== undefined || others.in !== undefined) return asked!
  const midnight = new Date((Math.floor(now.getTime() / day) + 1) * day).toISOString()
  const end = lt ?? lte ?? midnight
  const start = new Date(Math.max(Date.parse(end) - daysShown * day, Date.parse(firstInstant))).toISOString()
  return {
    ...asked,
    ...(lt === undefined && lte === undefined && { lt: end }),
    ...(gt === undefined && gte === undefined && { gte: start }),
  }
}
