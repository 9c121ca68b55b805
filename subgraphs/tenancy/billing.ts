import { prepared } from '../../kernel/statement'
import type { PlanSubscription } from './entities/PlanSubscription'
import {
  advanceAmount,
  feeLines,
  linesOfChange as changeOf,
  type BilledLine,
  type Item,
} from './rules/billing'
import { amountOf, totalsOf, type Totals } from './rules/invoice'
import type { Limits } from './rules/meters'
import { dayAfter, periodOn, type Interval, type Period } from './rules/period'
import { taxOn, type LineTax, type TaxProfile } from './rules/tax'
import type { Read } from './usage'
import { useToBill, type BilledUse } from './use-lines'

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

/** A line with what it costs and how it is taxed. */
export interface TaxedLine extends BilledLine, LineTax {
  amount: string
  /** The first day of the period that it belongs to, whose tax it has. */
  taxOn: string
  /** Set for what waited for this invoice. */
  pendingId: string | null
}

/** Lines that are billed together, before they are an invoice. */
export interface Bill {
  lines: TaxedLine[]
  totals: Totals
  /** Tells whether the platform decided which tax the tenant pays: before, there is no invoice. */
  isTaxed: boolean
}

/** An invoice before it is one: what is billed for a subscription next. */
export interface Upcoming extends Bill {
  /** The period whose fees it has; for what is over the day of its end twice. */
  period: Period
  /** Use that is billed with it. */
  billed: BilledUse[]
  /** The subscription as it is from that period on. */
  next: PlanSubscription
  isOver: boolean
}

const findPending = `
  SELECT id, description, quantity::text, COALESCE(unit_price, amount)::text, service_start::text, service_end::text,
         COALESCE(tax_on, service_start)::text, due_on::text
    FROM tenancy.pending_lines
   WHERE tenant_id = $1 AND subscription_id = $2 AND invoice_id IS NULL AND credit_note_id IS NULL
   ORDER BY created_at, place, amount, id`
const findTaxes = `
  SELECT valid_from::text, treatment, trim_scale(rate)::text, tax_id, reason FROM tenancy.tax_profiles
   WHERE tenant_id = $1 ORDER BY valid_from`

/** The day from which periods are counted: that of the start, or of the last change of the interval. */
export const anchorOf = ({
  anchorDate,
  startDate,
}: Pick<PlanSubscription, 'anchorDate' | 'startDate'>): string => anchorDate ?? startDate

const laterOf = (a: string, b: string | null): string => (b !== null && b > a ? b : a)

/** The first day that is not billed yet: before the first invoice the first one that is not free. */
export const billedFrom = ({
  billedUntil,
  startDate,
  trialEndsOn,
}: Pick<PlanSubscription, 'billedUntil' | 'startDate' | 'trialEndsOn'>): string =>
  billedUntil ?? laterOf(startDate, trialEndsOn)

/** A subscription with its next change, where that begins on a day or before it, and before the subscription ends. */
export function changedOn(row: PlanSubscription, day: string): PlanSubscription {
  const change = row.nextChange as NextChange | null
  if (!change || change.on > day || (row.endDate !== null && row.endDate <= change.on)) return row
  const { on, ...values } = change
  const isCountedOn = values.billingInterval === row.billingInterval && row.plan !== 'TRIAL'
  const anchorDate = isCountedOn ? row.anchorDate : on
  return { ...row, ...values, anchorDate, price: String(advanceAmount(values.items)), nextChange: null }
}

/**
 * Returns what is billed for a subscription next: fees of the period that begins, use of the one that is over, what was read or
 * corrected later of those before, and what changes cost since. Previews and the billing job both show this and nothing else.
 */
export async function upcomingInvoice(read: Read, row: PlanSubscription): Promise<Upcoming> {
  const from = billedFrom(row)
  const isOver = row.isSettled || (row.endDate !== null && row.endDate <= from)
  const next = isOver ? row : changedOn(row, from)
  const whole = periodOn(anchorOf(next), next.billingInterval, from)
  const fees = isOver ? [] : feeLines(next.plan, itemsOf(next), whole, { from, until: next.endDate })
  const end = next.endDate !== null && next.endDate < whole.end ? next.endDate : whole.end
  const { lines: used, billed } = await useToBill(read, row, lastBilled(row))
  const first = laterOf(whole.start, next.trialEndsOn)
  const fresh = [...fees.map((line) => ({ ...line, taxOn: first })), ...used]
  const pending = await pendingLines(read, row)
  const bill = await billOf(read, row, [...fresh.map((line) => ({ ...line, pendingId: null })), ...pending])
  return { ...bill, period: isOver ? { start: from, end: from } : { start: from, end }, billed, next, isOver }
}

/**
 * Returns what waits for a subscription and is billed before its next period, with the day on which it is; null where nothing is to
 * be, or more is to be given back.
 */
export async function interimInvoice(
  read: Read,
  row: PlanSubscription,
): Promise<(Bill & { on: string }) | null> {
  const pending = await pendingLines(read, row)
  const [on] = pending.flatMap(({ dueOn }) => dueOn ?? []).sort()
  if (on === undefined) return null
  const bill = await billOf(read, row, pending)
  return isDocument(bill.totals) ? { ...bill, on } : null
}

/** Tells whether an invoice can say this: something is to be paid, and neither net nor tax is less than nothing. */
export const isDocument = ({ subtotal, tax, total }: Totals): boolean =>
  BigInt(total) > 0n && BigInt(subtotal) >= 0n && BigInt(tax) >= 0n

const itemsOf = (row: PlanSubscription): Item[] => row.items as Item[]

/** The last period whose fees were billed, without the days that were free; its use is billed when it is over. */
function lastBilled(row: PlanSubscription): Period | null {
  if (row.billedUntil === null || row.isSettled) return null
  const { start, end } = periodOn(anchorOf(row), row.billingInterval, dayAfter(row.billedUntil, -1))
  const first = laterOf(start, row.trialEndsOn)
  return first < end ? { start: first, end } : null
}

/** A line before its tax is looked up. */
export type UntaxedLine = BilledLine & Pick<TaxedLine, 'taxOn' | 'pendingId'>

/**
 * Returns what a change at an instant costs: the rest of the period that is billed; for who leaves a trial the first period.
 * Changes and their previews both show this.
 */
export function linesOfChange(
  row: PlanSubscription,
  changed: { plan: string; items: readonly Item[] },
  now: Date,
): UntaxedLine[] {
  const { plan, billingInterval, billedUntil, trialEndsOn, endDate } = row
  const today = now.toISOString().slice(0, 10)
  if (plan === 'TRIAL' && changed.plan !== 'TRIAL') {
    const first = periodOn(today, billingInterval, today)
    const fees = feeLines(changed.plan, changed.items, first, { from: today, until: null })
    return fees.map((line) => ({ ...line, taxOn: today, pendingId: null }))
  }
  if (billedUntil === null) return []
  const term = {
    plan,
    items: itemsOf(row),
    billingInterval,
    anchor: anchorOf(row),
    billedUntil,
    trialEndsOn,
    endDate,
  }
  const { start } = periodOn(anchorOf(row), billingInterval, dayAfter(billedUntil, -1))
  const first = laterOf(start, trialEndsOn)
  return changeOf(term, changed, now).map((line) => ({ ...line, taxOn: first, pendingId: null }))
}

async function pendingLines(
  read: Read,
  row: PlanSubscription,
): Promise<(UntaxedLine & { dueOn: string | null })[]> {
  const rows = (await read(prepared(findPending, [row.tenantId, row.id]))) as (string | null)[][]
  return rows.map((values) => {
    const [pendingId, description, quantity, unitPrice, serviceStart, serviceEnd, day, dueOn] = values
    const line = { description, quantity, unitPrice, serviceStart, serviceEnd, pendingId, taxOn: day, dueOn }
    return line as UntaxedLine & { dueOn: string | null }
  })
}

/** Returns lines with what they cost and their taxes. */
export async function billOf(read: Read, row: PlanSubscription, all: readonly UntaxedLine[]): Promise<Bill> {
  const rows = (await read(prepared(findTaxes, [row.tenantId]))) as string[][]
  const taxes = rows.map(
    ([validFrom, treatment, rate, taxId, reason]) =>
      ({ validFrom, treatment, rate, taxId, reason }) as TaxProfile,
  )
  const lines = all.map(
    ({ description, quantity, unitPrice, serviceStart, serviceEnd, taxOn: day, pendingId }) => ({
      ...{ description, quantity, unitPrice, serviceStart, serviceEnd, pendingId },
      ...{ amount: amountOf({ quantity, unitPrice }), taxOn: day },
      ...taxOn(taxes, day),
    }),
  )
  return { lines, totals: totalsOf(lines), isTaxed: taxes.length > 0 }
}
