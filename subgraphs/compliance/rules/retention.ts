export type Unit = 'DAY' | 'MONTH' | 'YEAR'

/** Days of which a time has at the fewest: so that a month or a year is never taken for more than it is. */
const fewestDays: Readonly<Record<Unit, number>> = { DAY: 1, MONTH: 28, YEAR: 365 }

/** Tells whether a time is at least so many years, in whatever it is counted: days must be as many as in leap years. */
export function reachesYears(keepFor: number, unit: Unit, years: number): boolean {
  if (unit === 'YEAR') return keepFor >= years
  if (unit === 'MONTH') return keepFor >= years * 12
  return keepFor >= Math.ceil(years * 365.25)
}

/** Days of notice before a shorter time is in force. */
export const noticeDays = 30

/** Tells whether a time is shorter than another, or may be: then it needs notice. */
export function isShorter(
  one: { keepFor: number; unit: Unit },
  other: { keepFor: number; unit: Unit },
): boolean {
  if (one.unit === other.unit) return one.keepFor < other.keepFor
  return one.keepFor * fewestDays[one.unit] < Math.ceil(other.keepFor * mostDays[other.unit])
}

const mostDays: Readonly<Record<Unit, number>> = { DAY: 1, MONTH: 31, YEAR: 366 }
