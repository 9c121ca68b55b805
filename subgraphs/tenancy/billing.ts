import { currencyDecimals } from '../../kernel/money'
import { prepared } from '../../kernel/statement'
import type { PlanSubscription } from './entities/PlanSubscription'
import { advanceAmount, feeLines, usageLines, type BilledLine, type Item } from './rules/billing'
import { amountOf, totalsOf, type Totals } from './rules/invoice'
import { usedOf, type Limits, type Meter } from './rules/meters'
import { dayAfter, periodOn, type Interval, type Period } from './rules/period'
import { readingsOf, type Read } from './usage'

/** A change that begins with a period, with the prices that it was promised. */
export interface NextChange {
  /** The first day of the period. */
  on: string
  plan: PlanSubscription['plan']
  billingInterval: Interval
  seats: number
  features: unknown
  limits: Limits
  items: Item[]
}

export interface PendingAmount extends BilledLine {
  id: string
}

/** An invoice before it is one: what is billed for a subscription next. */
export interface Upcoming {
  /** The period whose fees it has; for what is over the day of its end twice. */
  period: Period
  lines: (BilledLine & { amount: string; taxRate: string })[]
  totals: Totals
  /** The changes that are billed with it. */
  pending: string[]
  /** Holds what is given back beyond what is billed, and stays for the next one: at most nothing. */
  carried: bigint
  /** The subscription as it is from that period on. */
  next: PlanSubscription
}

// More than an invoice has lines for follow with the next one.
const findPending = `
  SELECT id, description, amount::text, service_start::text, service_end::text FROM tenancy.pending_lines
   WHERE tenant_id = $1 AND subscription_id = $2 AND invoice_id IS NULL ORDER BY created_at, amount, id LIMIT 80`

/** The day from which periods are counted: that of the start, or of the last change of the interval. */
export const anchorOf = ({
  anchorDate,
  startDate,
}: Pick<PlanSubscription, 'anchorDate' | 'startDate'>): string => anchorDate ?? startDate

/** A subscription with its next change, where that begins on a day or before it. */
export function changedOn(row: PlanSubscription, day: string): PlanSubscription {
  const change = row.nextChange as NextChange | null
  if (!change || change.on > day) return row
  const { on, ...values } = change
  const anchorDate = values.billingInterval === row.billingInterval ? row.anchorDate : on
  return { ...row, ...values, anchorDate, price: String(advanceAmount(values.items)), nextChange: null }
}

/** The first day that is not billed yet. */
export const billedFrom = ({ billedUntil, startDate }: PlanSubscription): string => billedUntil ?? startDate

/**
 * Returns what is billed for a subscription next: fees of the period that begins, use of the one that is over, and what changes cost
 * since. Previews and the billing job both show this and nothing else.
 */
export async function upcomingInvoice(read: Read, row: PlanSubscription): Promise<Upcoming> {
  const from = billedFrom(row)
  const next = changedOn(row, from)
  const isOver = row.endDate !== null && row.endDate <= from
  const period = isOver ? { start: from, end: from } : periodOn(anchorOf(next), next.billingInterval, from)
  const free = next.trialEndsOn !== null && next.trialEndsOn > from ? next.trialEndsOn : from
  const fees = isOver ? [] : feeLines(next.plan, itemsOf(next), period, { from: free, until: next.endDate })
  const used = row.billedUntil === null ? [] : await usedLines(read, row, from)
  const rows = (await read(prepared(findPending, [row.tenantId, row.id]))) as string[][]
  const pending = rows.map(([id, description, unitPrice, serviceStart, serviceEnd]) => ({
    ...{ id: id!, description: description!, quantity: '1', unitPrice: unitPrice! },
    ...{ serviceStart: serviceStart!, serviceEnd: serviceEnd! },
  }))
  const { lines, carried } = withinNothing([...fees, ...used], pending)
  const priced = lines.map((line) => ({ ...line, amount: amountOf(line), taxRate: row.taxRate }))
  return {
    period,
    lines: priced,
    totals: totalsOf(priced),
    pending: pending.map(({ id }) => id),
    carried,
    next,
  }
}

const itemsOf = (row: PlanSubscription): Item[] => row.items as Item[]

/** Returns what was used until a day, in the period that ends there. */
async function usedLines(read: Read, row: PlanSubscription, until: string): Promise<BilledLine[]> {
  const period = periodOn(anchorOf(row), row.billingInterval, dayAfter(until, -1))
  const readings = await readingsOf(read, row.tenantId, row.id, { start: period.start, end: until })
  const used = new Map([...readings].map(([meter, all]): [Meter, string] => [meter, usedOf(meter, all)]))
  return usageLines(
    itemsOf(row),
    used,
    { start: period.start, end: until },
    currencyDecimals.get(row.currency)!,
  )
}

/** Lines that do not add up to less than nothing: what is given back beyond that is carried to the next invoice. */
function withinNothing(
  lines: readonly BilledLine[],
  pending: readonly PendingAmount[],
): { lines: BilledLine[]; carried: bigint } {
  const all = [...lines, ...pending.map(({ id: _, ...line }) => line)]
  const sum = all.reduce((total, line) => total + BigInt(amountOf(line)), 0n)
  if (sum >= 0n) return { lines: all, carried: 0n }
  const last = all.at(-1)!
  const { serviceStart, serviceEnd } = last
  const kept = { description: 'Credit kept for the next invoice', quantity: '1', unitPrice: String(-sum) }
  return { lines: [...all, { ...kept, serviceStart, serviceEnd }], carried: sum }
}
