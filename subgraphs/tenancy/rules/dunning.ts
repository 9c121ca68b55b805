import { spanOf } from './proration'

/** One of the steps that are taken, one after the other, about an invoice that is not paid in time. */
export interface DunningLevel {
  /** Days after the last day on which to pay. */
  days: number
  /** The fee of the step, in the smallest unit of the policy's currency. */
  fee: string
}

/** Says which steps are taken; the last of them says that the subscription is past due. */
export interface DunningPolicy {
  /** That of all fees; null where there are none. */
  currency: string | null
  levels: readonly DunningLevel[]
}

/** Holds where nothing else was decided: no fee, which must be agreed or allowed by law (Directive 2011/7/EU, article 6). */
export const standardPolicy: DunningPolicy = {
  currency: null,
  levels: [
    { days: 3, fee: '0' },
    { days: 14, fee: '0' },
    { days: 28, fee: '0' },
  ],
}

const dayMs = 86_400_000

/** Whole days from one day to another, ISO 8601; none where it is not later. */
export function daysBetween(from: string, to: string): number {
  if (to <= from) return 0
  const { start, end } = spanOf({ start: from, end: to })
  return Math.round((end - start) / dayMs)
}

/** Describes how late an invoice is, and what was done about it. */
export interface Overdue {
  /** Days after the last day on which to pay, without those on which the steps were paused. */
  overdueDays: number
  /** The level of the last step; 0 before the first. */
  taken: number
  /** Days that it was overdue at the last step. */
  overdueAtLast: number
}

/**
 * The level whose step is to be taken; null for none. Between two steps there are as many days as the policy has between them, so
 * that nobody is hurried where steps were late.
 */
export function dueLevel(
  { levels }: DunningPolicy,
  { overdueDays, taken, overdueAtLast }: Overdue,
): number | null {
  const next = levels[taken]
  if (!next) return null
  const former = levels[taken - 1]
  const least = former ? Math.max(next.days, overdueAtLast + next.days - former.days) : next.days
  return overdueDays >= least ? taken + 1 : null
}

/**
 * The fee of a step, in the currency's smallest unit: nothing is converted, no fee is more than what is owed, and none is charged on a fee.
 * @param invoice what the step is about, with the invoice whose late payment it is the fee for
 */
export function feeOf(
  { levels, currency }: DunningPolicy,
  level: number,
  invoice: { currency: string; balance: string; feeOfId: string | null },
): string {
  const isCharged = invoice.feeOfId === null && invoice.currency === currency
  const fee = levels[level - 1]?.fee
  if (!isCharged || !fee) return '0'
  return BigInt(fee) < BigInt(invoice.balance) ? fee : invoice.balance
}

const mostLevels = 9
const mostDays = 365

/** Returns what is wrong with levels, and with which; null when they can be followed. */
export function levelsFault(
  levels: readonly DunningLevel[],
): { place: number | null; field: string; message: string } | null {
  if (levels.length < 1 || levels.length > mostLevels)
    return { place: null, field: 'levels', message: `must be 1 to ${mostLevels}` }
  for (const [place, { days, fee }] of levels.entries()) {
    const least = (levels[place - 1]?.days ?? 0) + 1
    if (days < least || days > mostDays)
      return {
        place,
        field: 'days',
        message: `must be ${least} to ${mostDays}, more than those of the level before`,
      }
    if (BigInt(fee) < 0n) return { place, field: 'fee', message: 'must not be negative' }
  }
  return null
}

/** Reason why a fee for late payment is not taxed, as it stands on its invoice. */
export const feeTaxReason =
  'Compensation for late payment, outside the scope of value added tax (Directive 2006/112/EC, article 2)'
