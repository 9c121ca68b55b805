import { dayAfter, periodOn, type Interval } from './period'

/** Describes what of a subscription depends on the day. */
export interface Term {
  status: 'SCHEDULED' | 'ACTIVE' | 'SUSPENDED' | 'CANCELLED'
  startDate: string
  /** The first day after the term; null when no end is agreed. */
  endDate: string | null
  /** The day from which periods are counted; the start where there is none. */
  anchorDate?: string | null
  billingInterval: Interval
}

/** When a term ends: with the instant of a cancellation at once, otherwise with the day before; null when no end is agreed. */
export function termEnd({
  endDate,
  cancelledAt,
}: {
  endDate: string | null
  cancelledAt: string | null
}): Date | null {
  if (endDate === null) return null
  const asked = cancelledAt === null ? null : new Date(cancelledAt)
  return asked?.toISOString().slice(0, 10) === endDate ? asked : new Date(`${endDate}T00:00:00.000Z`)
}

/** The subscription's status and period on a day: it begins and ends with its term, and keeps the period in which it ended. */
export function onDay(
  { status, startDate, endDate, anchorDate, billingInterval }: Term,
  today: string,
): { status: Term['status']; currentPeriodStart: string; currentPeriodEnd: string } {
  const isOver = endDate !== null && endDate <= today
  const begun = status === 'SCHEDULED' && startDate <= today ? 'ACTIVE' : status
  const { start, end } = periodOn(
    anchorDate ?? startDate,
    billingInterval,
    isOver ? dayAfter(endDate, -1) : today,
  )
  return { status: isOver ? 'CANCELLED' : begun, currentPeriodStart: start, currentPeriodEnd: end }
}
