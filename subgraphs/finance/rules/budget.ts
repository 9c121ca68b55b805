/** The period of a budget: a month of a year, or the whole year when the month is null. */
export interface Period {
  year: number
  /** 1 to 12 */
  month: number | null
}

/**
 * When a period begins and ends, as instants: from the first moment of its first day to the first moment after its last
 * day, which is no longer part of it. Days are those of UTC, for every tenant alike.
 */
export function boundsOf({ year, month }: Period): { startsAt: string; endsAt: string } {
  const first = (month ?? 1) - 1
  const instant = (ofMonth: number) => new Date(Date.UTC(year, ofMonth, 1)).toISOString()
  return { startsAt: instant(first), endsAt: instant(month === null ? 12 : first + 1) }
}

/** Tells whether there is such a period: the database says what is wrong with others. */
export function isPeriod({ year, month }: Period): boolean {
  return year >= 1900 && year <= 2999 && (month === null || (month >= 1 && month <= 12))
}

/** The last day of a period, YYYY-MM-DD. */
export function lastDayOf({ year, month }: Period): string {
  return new Date(Date.UTC(year, month ?? 12, 0)).toISOString().slice(0, 10)
}

/**
 * Returns what is left of a budget: positive while less is spent than allocated, negative by what is overspent.
 * @param allocated in the currency's smallest unit, decimal digits; so are `spent` and the result
 */
export function remainingOf(allocated: string, spent: string): string {
  return String(BigInt(allocated) - BigInt(spent))
}
