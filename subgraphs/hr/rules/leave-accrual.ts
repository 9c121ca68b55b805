import { decimalOf, hundredthsOf } from './hundredths'

export type LeaveAccrual = 'NONE' | 'ANNUAL' | 'MONTHLY'

/** An employment, as far as leave depends on it. */
export interface Employment {
  /** ISO 8601 day; null when it is not recorded: then it is as old as the year. */
  hireDate: string | null
  /** Null while it goes on. */
  terminationDate: string | null
}

/** Days that are given on a day. */
export interface Accrual {
  effectiveOn: string
  /** A decimal number. */
  days: string
}

const isLastOfMonth = (day: string): boolean =>
  new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(8, 10) === '01'

/** The first and last month of a year, 1 to 12, that the employment has whole; null when there is none. */
function fullMonths({ hireDate, terminationDate }: Employment, year: number): [number, number] | null {
  const [start, end] = [`${year}-01-01`, `${year}-12-31`]
  if ((hireDate ?? start) > end || (terminationDate ?? end) < start) return null
  const first =
    hireDate === null || hireDate <= start
      ? 1
      : Number(hireDate.slice(5, 7)) + (hireDate.endsWith('-01') ? 0 : 1)
  const last =
    terminationDate === null || terminationDate >= end
      ? 12
      : Number(terminationDate.slice(5, 7)) - (isLastOfMonth(terminationDate) ? 0 : 1)
  return first <= last ? [first, last] : null
}

/** A part of the days of a year, cut to hundredths so that twelve parts are the whole. */
const share = (annual: number, months: number): number => Math.round((annual * months) / 12)

/**
 * Days that an employment gives of a year: a twelfth for each full month, the whole for twelve (BUrlG §§ 4, 5); what is half a day or
 * more beyond whole days counts as a day (§ 5 (2)), less stays as it is.
 */
export function entitledDays(annualDays: string, employment: Employment, year: number): string {
  const months = fullMonths(employment, year)
  if (!months) return '0'
  const annual = hundredthsOf(annualDays)
  const count = months[1] - months[0] + 1
  if (count === 12) return decimalOf(annual)
  const part = share(annual, count)
  return decimalOf(part % 100 >= 50 ? part - (part % 100) + 100 : part)
}

/**
 * Days that a kind of leave gives in a year up to a day.
 * @param today ISO 8601 day; of a year to come ANNUAL gives from October of the year before on
 */
export function accruals(
  accrual: LeaveAccrual,
  annualDays: string,
  employment: Employment,
  year: number,
  today: string,
): Accrual[] {
  const months = fullMonths(employment, year)
  if (accrual === 'NONE' || !months) return []
  const start = `${year}-01-01`
  if (accrual === 'ANNUAL') {
    if (today < `${year - 1}-10-01`) return []
    const { hireDate } = employment
    const days = entitledDays(annualDays, employment, year)
    const effectiveOn = hireDate !== null && hireDate > start ? hireDate : start
    return days === '0' ? [] : [{ effectiveOn, days }]
  }
  const annual = hundredthsOf(annualDays)
  const given: Accrual[] = []
  for (let month = months[0]; month <= months[1]; month++) {
    const effectiveOn = `${year}-${String(month).padStart(2, '0')}-01`
    const days = share(annual, month) - share(annual, month - 1)
    if (effectiveOn <= today && days > 0) given.push({ effectiveOn, days: decimalOf(days) })
  }
  return given
}

/** Splits a balance at the end of a year, in hundredths, into what goes over and what lapses. */
export function carryOver(balance: number, most: number): { kept: number; lapsed: number } {
  const kept = Math.max(0, Math.min(balance, most))
  return { kept, lapsed: Math.max(0, balance - kept) }
}
