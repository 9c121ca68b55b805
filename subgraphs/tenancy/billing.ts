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
import { dayAfter, freeUntil, periodOn, type Interval, type Period } from './rules/period'
import { profileOn, taxKey, taxOn, type LineTax, type TaxProfile } from './rules/tax'
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
  /** The day whose tax it has: the first of a period for its fees, that of a change, the last of a period for its use. */
  taxOn: string
  /** Tells whether it has the tax with which what it gives back was billed, whatever is decided since. */
  isTaxKept: boolean
  /** The tenant's tax id by the decision that it is taxed by; null where none was told. */
  taxId: string | null
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
         COALESCE(tax_on, service_start)::text, due_on::text, trim_scale(tax_rate)::text, tax_treatment, tax_reason
    FROM tenancy.pending_lines
   WHERE tenant_id = $1 AND subscription_id = $2 AND invoice_id IS NULL AND credit_note_id IS NULL AND lapsed_on IS NULL
   ORDER BY created_at, place, amount, id`
// Of a day the latest decision, which mends those before it.
const findTaxes = `
  SELECT DISTINCT ON (valid_from) valid_from::text, treatment, trim_scale(rate)::text, tax_id, reason FROM tenancy.tax_profiles
   WHERE tenant_id = $1 ORDER BY valid_from, revision DESC`
// What is given back of a period that is billed is what was charged last for the rest of it: it waits, or stands on an invoice.
const findCharged = `
  SELECT c.tax_on::text, trim_scale(c.tax_rate)::text, c.tax_treatment, c.tax_reason FROM (
    SELECT 0 AS rank, created_at AS at, place, COALESCE(tax_on, service_start) AS tax_on, tax_rate, tax_treatment, tax_reason
      FROM tenancy.pending_lines
     WHERE tenant_id = $1 AND subscription_id = $2 AND service_end = $3 AND amount > 0
       AND invoice_id IS NULL AND credit_note_id IS NULL AND lapsed_on IS NULL
    UNION ALL
    SELECT 1, i.issued_at, l.position, COALESCE(l.tax_on, l.service_start), l.tax_rate, l.tax_treatment, l.tax_reason
      FROM tenancy.invoices i JOIN tenancy.invoice_lines l ON l.tenant_id = i.tenant_id AND l.invoice_id = i.id
     WHERE i.tenant_id = $1 AND l.tenant_id = $1 AND i.subscription_id = $2
       AND i.status IN ('ISSUED', 'PARTLY_PAID', 'PAID') AND l.service_end = $3 AND l.amount > 0) c
   ORDER BY c.rank, c.at DESC, c.place DESC LIMIT 1`

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
 * @param kept what previews keep from periods before it, as the job does
 */
export async function upcomingInvoice(
  read: Read,
  row: PlanSubscription,
  kept: readonly UntaxedLine[] = [],
): Promise<Upcoming> {
  const from = billedFrom(row)
  const isOver = row.isSettled || (row.endDate !== null && row.endDate <= from)
  const next = isOver ? row : changedOn(row, from)
  const whole = periodOn(anchorOf(next), next.billingInterval, from)
  const fees = isOver ? [] : feeLines(next.plan, itemsOf(next), whole, { from, until: next.endDate })
  const end = next.endDate !== null && next.endDate < whole.end ? next.endDate : whole.end
  const { lines: used, billed } = await useToBill(read, row, lastBilled(row))
  const first = laterOf(whole.start, next.trialEndsOn)
  const pending = await pendingLines(read, row)
  const fresh = [...fees.map((line) => ({ ...line, taxOn: first })), ...used]
  const lines = [...fresh.map((line) => ({ ...line, pendingId: null })), ...pending, ...kept]
  const bill = await billOf(read, row, lines)
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

/** Returns what is billed at the end, and the lines that are given back: by tax, what is owed or what is left over. */
export function atTheEnd(lines: readonly TaxedLine[]): {
  owed: Pick<Bill, 'lines' | 'totals'>
  back: TaxedLine[]
} {
  const nets = new Map<string, bigint>()
  for (const line of lines) nets.set(taxKey(line), (nets.get(taxKey(line)) ?? 0n) + BigInt(line.amount))
  const isBack = (line: TaxedLine) => nets.get(taxKey(line))! < 0n
  const owed = lines.filter((line) => !isBack(line))
  return { owed: { lines: owed, totals: totalsOf(owed) }, back: lines.filter(isBack) }
}

const itemsOf = (row: PlanSubscription): Item[] => row.items as Item[]

/** The last period whose fees were billed, without the days that were free; its use is billed when it is over. */
function lastBilled(row: PlanSubscription): Period | null {
  if (row.billedUntil === null || row.isSettled) return null
  const { start, end } = periodOn(anchorOf(row), row.billingInterval, dayAfter(row.billedUntil, -1))
  const first = laterOf(start, row.trialEndsOn)
  return first < end ? { start: first, end } : null
}

/** A line before its tax is looked up; `tax` where it is kept. */
export type UntaxedLine = BilledLine & Pick<TaxedLine, 'taxOn' | 'pendingId'> & { tax?: LineTax | null }

/** Returns what a change at an instant costs, what it gives back at the tax with which that was billed. Changes and their previews both show this. */
export async function changeToBill(
  read: Read,
  row: PlanSubscription,
  changed: { plan: string; items: readonly Item[]; trialDays?: number },
  now: Date,
): Promise<UntaxedLine[]> {
  const lines = linesOfChange(row, changed, now)
  const back = lines.find(({ unitPrice }) => unitPrice.startsWith('-'))
  if (!back) return lines
  const [charged] = await read(prepared(findCharged, [row.tenantId, row.id, back.serviceEnd]))
  if (!charged) return lines
  const [day, taxRate, taxTreatment, taxReason] = charged
  const tax = taxRate === null ? null : ({ taxRate, taxTreatment, taxReason } as LineTax)
  return lines.map((line) => (line.unitPrice.startsWith('-') ? { ...line, taxOn: String(day), tax } : line))
}

/**
 * Returns what a change at an instant costs: the rest of the period that is billed; for who leaves a trial the first period.
 */
function linesOfChange(
  row: PlanSubscription,
  changed: { plan: string; items: readonly Item[]; trialDays?: number },
  now: Date,
): UntaxedLine[] {
  const { plan, billingInterval, billedUntil, trialEndsOn, endDate } = row
  const today = now.toISOString().slice(0, 10)
  if (plan === 'TRIAL' && changed.plan !== 'TRIAL') {
    const first = periodOn(today, billingInterval, today)
    const fees = feeLines(changed.plan, changed.items, first, { from: today, until: null })
    return fees.map((line) => ({ ...line, taxOn: today, pendingId: null }))
  }
  if (billedUntil === null) {
    // Days that are free with the old plan alone are billed from today on.
    const free = freeUntil(row, changed.trialDays ?? 0, today)
    if (row.startDate > today || free === null || free > today) return []
    const first = periodOn(anchorOf(row), billingInterval, today)
    const fees = feeLines(changed.plan, changed.items, first, { from: today, until: endDate })
    return fees.map((line) => ({ ...line, taxOn: today, pendingId: null }))
  }
  const term = {
    plan,
    items: itemsOf(row),
    billingInterval,
    anchor: anchorOf(row),
    billedUntil,
    trialEndsOn,
    endDate,
  }
  return changeOf(term, changed, now).map((line) => ({ ...line, taxOn: line.serviceStart, pendingId: null }))
}

async function pendingLines(
  read: Read,
  row: PlanSubscription,
): Promise<(UntaxedLine & { dueOn: string | null })[]> {
  const rows = (await read(prepared(findPending, [row.tenantId, row.id]))) as (string | null)[][]
  return rows.map((values) => {
    const [pendingId, description, quantity, unitPrice, serviceStart, serviceEnd, ...others] = values
    const [day, dueOn, taxRate, taxTreatment, taxReason] = others
    const tax = taxRate === null ? null : { taxRate, taxTreatment, taxReason }
    const line = { description, quantity, unitPrice, serviceStart, serviceEnd, pendingId }
    return { ...line, taxOn: day, dueOn, tax } as UntaxedLine & { dueOn: string | null }
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
    ({ description, quantity, unitPrice, serviceStart, serviceEnd, taxOn: day, pendingId, tax = null }) => ({
      ...{ description, quantity, unitPrice, serviceStart, serviceEnd, pendingId },
      ...{ amount: amountOf({ quantity, unitPrice }), taxOn: day, isTaxKept: tax !== null },
      ...(tax ?? taxOn(taxes, day)),
      taxId: profileOn(taxes, day)?.taxId ?? null,
    }),
  )
  return { lines, totals: totalsOf(lines), isTaxed: taxes.length > 0 }
}
