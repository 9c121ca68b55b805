import { currencyDecimals } from '../../kernel/money'
import { prepared } from '../../kernel/statement'
import type { PlanSubscription } from './entities/PlanSubscription'
import { usageLines, type BilledLine, type Item } from './rules/billing'
import { amountOf } from './rules/invoice'
import type { Meter } from './rules/meters'
import { dayAfter, type Period } from './rules/period'
import { spanOf } from './rules/proration'
import type { LineTax } from './rules/tax'
import { readingsUntil, type Read } from './usage'

/** Amounts that the use of a period cost, by meter, before tax: what was billed is known, so that the rest can be. */
export interface BilledUse {
  period: Period
  amounts: Partial<Record<Meter, string>>
}

/** Describes what is billed of use, and what is known of it afterwards. */
export interface UseToBill {
  /** Each with the day whose tax it has, or the tax with which what it gives back was billed. */
  lines: (BilledLine & { taxOn: string; tax?: LineTax | null })[]
  billed: BilledUse[]
}

const findAgreed = `
  SELECT since, items FROM tenancy.agreed_items WHERE tenant_id = $1 AND subscription_id = $2 AND since < $3
   ORDER BY since, id`
// A reading is written a while after its time of recording was taken: a day is more than a transaction takes.
const findBilled = `
  SELECT p.starts_on::text, p.ends_on::text, p.amounts FROM tenancy.billed_periods p
   WHERE p.tenant_id = $1 AND p.subscription_id = $2 AND (p.starts_on = $4 OR EXISTS (
     SELECT FROM tenancy.usage_records u
      WHERE u.tenant_id = $1 AND u.subscription_id = $2 AND u.recorded_at >= $3::timestamptz - interval '1 day'
        AND u.occurred_at >= p.starts_on::timestamp AT TIME ZONE 'UTC'
        AND u.occurred_at < p.ends_on::timestamp AT TIME ZONE 'UTC'))
   ORDER BY p.starts_on`
// What is given back of use goes back at the rate at which it was billed.
const findTaxes = `
  SELECT DISTINCT ON (l.service_start) l.service_start::text, trim_scale(l.tax_rate)::text, l.tax_treatment, l.tax_reason
    FROM tenancy.invoices i JOIN tenancy.invoice_lines l ON l.tenant_id = i.tenant_id AND l.invoice_id = i.id
   WHERE i.tenant_id = $1 AND l.tenant_id = $1 AND i.subscription_id = $2
     AND i.status IN ('ISSUED', 'PARTLY_PAID', 'PAID') AND l.service_start = ANY ($3) AND l.description LIKE 'Use: %' AND l.amount > 0
   ORDER BY l.service_start, i.issued_at DESC, l.position DESC`

/**
 * Returns what is to be billed of use: all of the period that is over, null for none, and of those that were billed what readings and
 * corrections changed since.
 */
export async function useToBill(read: Read, row: PlanSubscription, over: Period | null): Promise<UseToBill> {
  const key = [row.tenantId, row.id]
  const known = (await read(prepared(findBilled, [...key, row.useSeenAt, over?.start ?? null]))) as [
    ...[string, string, BilledUse['amounts']],
  ][]
  const billed = new Map(known.map(([start, , amounts]) => [start, amounts]))
  const periods = known.map(([start, end]) => ({ start, end }))
  if (over && !billed.has(over.start)) periods.unshift(over)
  if (periods.length === 0) return { lines: [], billed: [] }
  const found: UseToBill = { lines: [], billed: [] }
  for (const [place, use] of (await useIn(read, row, periods)).entries()) {
    const period = periods[place]!
    const [before, amounts] = [billed.get(period.start), amountsOf(use)]
    const taxOn = taxDay(row, period)
    const lines = before
      ? differences(before, amounts, period).map((line) => ({ ...line, taxOn }))
      : [...use.values()].flat().map((line) => ({ ...line, taxOn }))
    if (before && lines.length === 0) continue
    found.lines.push(...lines)
    found.billed.push({ period, amounts })
  }
  return { ...found, lines: await asBilled(read, row, found.lines) }
}

/** Use is taxed as its period ends (Directive 2006/112/EC, article 64(1)), or the term within it: on the last day. */
function taxDay({ endDate }: PlanSubscription, { start, end }: Period): string {
  const last = dayAfter(endDate !== null && endDate < end ? endDate : end, -1)
  return last > start ? last : start
}

/** Lines of which those that give back have the tax with which it was billed. */
async function asBilled(
  read: Read,
  row: PlanSubscription,
  lines: UseToBill['lines'],
): Promise<UseToBill['lines']> {
  const isBack = ({ unitPrice }: BilledLine) => unitPrice.startsWith('-')
  const starts = [...new Set(lines.filter(isBack).map(({ serviceStart }) => serviceStart))]
  if (starts.length === 0) return lines
  const rows = (await read(prepared(findTaxes, [row.tenantId, row.id, starts]))) as unknown[][]
  const taxes = new Map(
    rows.map(([start, taxRate, taxTreatment, taxReason]) => [
      String(start),
      { taxRate, taxTreatment, taxReason } as LineTax,
    ]),
  )
  return lines.map((line) => (isBack(line) ? { ...line, tax: taxes.get(line.serviceStart) ?? null } : line))
}

/** Returns what was used in each of some periods, priced as it was agreed when it was used. */
async function useIn(
  read: Read,
  row: PlanSubscription,
  periods: readonly Period[],
): Promise<Map<Meter, BilledLine[]>[]> {
  const spans = periods.map(spanOf)
  const latest = new Date(Math.max(...spans.map(({ end }) => end))).toISOString()
  const all = (await read(prepared(findAgreed, [row.tenantId, row.id, latest]))) as [string, Item[]][]
  const spells = spans.flatMap(({ start, end }, period) => {
    const within = all.filter(([since]) => Date.parse(since) < end)
    // What was agreed first holds before as well, and what was agreed before the period until something else was.
    const first = within.findLastIndex(([since]) => Date.parse(since) <= start)
    const agreed = within.slice(Math.max(0, first))
    if (agreed.length === 0) agreed.push([latest, row.items as Item[]])
    return agreed.map(([since, items], place) => {
      const next = agreed[place + 1]
      const until = next ? Date.parse(next[0]) : end
      const from = place === 0 ? start : Date.parse(since)
      return { period, items, until: new Date(until).toISOString(), weight: BigInt(until - from) }
    })
  })
  const marks = spells.map(({ period, until }) => ({ period: periods[period]!, until }))
  const readings = await readingsUntil(read, row.tenantId, row.id, marks)
  const agreed = spells.map((spell, place) => ({ ...spell, readings: readings[place]! }))
  return periods.map((period, place) =>
    usageLines(
      agreed.filter((spell) => spell.period === place),
      period,
      currencyDecimals.get(row.currency)!,
    ),
  )
}

const amountsOf = (use: ReadonlyMap<Meter, readonly BilledLine[]>): BilledUse['amounts'] =>
  Object.fromEntries(
    [...use].map(([meter, lines]) => [
      meter,
      String(lines.reduce((sum, line) => sum + BigInt(amountOf(line)), 0n)),
    ]),
  )

function differences(
  before: BilledUse['amounts'],
  after: BilledUse['amounts'],
  { start, end }: Period,
): BilledLine[] {
  const meters = [...new Set([...Object.keys(before), ...Object.keys(after)])] as Meter[]
  return meters.flatMap((meter) => {
    const more = BigInt(after[meter] ?? '0') - BigInt(before[meter] ?? '0')
    if (more === 0n) return []
    const description = `Use: ${meter}, ${more > 0n ? 'read later' : 'corrected'}`
    return [{ description, quantity: '1', unitPrice: String(more), serviceStart: start, serviceEnd: end }]
  })
}
