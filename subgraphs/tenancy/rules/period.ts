/** Says how long a period is. */
export type Interval = 'MONTHLY' | 'ANNUAL'

/** A half-open range of days, ISO 8601. */
export interface Period {
  /** The first day. */
  start: string
  /** The first day after it, on which the next period begins. */
  end: string
}

const monthsOf: Readonly<Record<Interval, number>> = { MONTHLY: 1, ANNUAL: 12 }

function parts(day: string): { year: number; month: number; date: number } {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
  return { year, month, date }
}

/**
 * The first day of a period, counted from the day on which the first one begins. Counting always begins there, so a
 * month that is too short moves its own start only: 31 January, 28 February, 31 March.
 * @param anchor the first day of the first period, ISO 8601, year 1900 or later
 * @param number 0 for the first period
 */
export function periodStart(anchor: string, interval: Interval, number: number): string {
  const { year, month, date } = parts(anchor)
  const ofMonth = month - 1 + number * monthsOf[interval]
  const lastDay = new Date(Date.UTC(year, ofMonth + 1, 0)).getUTCDate()
  return new Date(Date.UTC(year, ofMonth, Math.min(date, lastDay))).toISOString().slice(0, 10)
}

/** The day so many days after another, ISO 8601. */
export function dayAfter(day: string, count: number): string {
  const { year, month, date } = parts(day)
  return new Date(Date.UTC(year, month - 1, date + count)).toISOString().slice(0, 10)
}

/** The period that contains a day; the first one for days before the anchor. */
export function periodOn(anchor: string, interval: Interval, day: string): Period {
  const [from, to] = [parts(anchor), parts(day)]
  const months = (to.year - from.year) * 12 + to.month - from.month
  // ISO days are in order as texts. In the month of a start, the day may lie before it.
  const last = Math.floor(months / monthsOf[interval])
  const number = Math.max(0, periodStart(anchor, interval, last) > day ? last - 1 : last)
  return {
    start: periodStart(anchor, interval, number),
    end: periodStart(anchor, interval, number + 1),
  }
}

/**
 * The first day that is not free after a change of plan: the free days of the new plan are counted from the start, so that nobody
 * takes those of another plan along, and none are added. What is billed already stays as it is.
 * @param trialDays the free days of the new plan
 */
export function freeUntil(
  row: { startDate: string; trialEndsOn: string | null; billedUntil: string | null },
  trialDays: number,
  today: string,
): string | null {
  const { startDate, trialEndsOn, billedUntil } = row
  if (trialEndsOn === null || billedUntil !== null) return trialEndsOn
  const [last, least] = [dayAfter(startDate, trialDays), startDate > today ? startDate : today]
  const free = last > least ? last : least
  return free < trialEndsOn ? free : trialEndsOn
}
