import { periodOn, type Interval } from './period'

/** Describes what of a subscription depends on the day. */
export interface Term {
  status: 'ACTIVE' | 'SUSPENDED' | 'CANCELLED'
  startDate: string
  /** The first day after the term; null when no end is agreed. */
  endDate: string | null
  billingInterval: Interval
}

/** The subscription's status and period on a day: it ends with its term, and keeps the period in which it ended. */
export function onDay(
  { status, startDate, endDate, billingInterval }: Term,
  today: string,
): { status: Term['status']; currentPeriodStart: string; currentPeriodEnd: string } {
  const isOver = endDate !== null && endDate <= today
  const { start, end } = periodOn(startDate, billingInterval, isOver ? dayBefore(endDate) : today)
  return { status: isOver ? 'CANCELLED' : status, currentPeriodStart: start, currentPeriodEnd: end }
}

function dayBefore(day: string): string {
  const date = new Date(`${day}T00:00:00.000Z`)
  date.setUTCDate(date.getUTCDate() - 1)
  return date.toISOString().slice(0, 10)
}
