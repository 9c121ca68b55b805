import { currencyDecimals } from '../../kernel/money'
import { prepared } from '../../kernel/statement'
import type { PlanSubscription } from './entities/PlanSubscription'
import { usageLines, type BilledLine, type Item } from './rules/billing'
import { amountOf } from './rules/invoice'
import type { Meter } from './rules/meters'
import type { Period } from './rules/period'
import { spanOf } from './rules/proration'
import { readingsUntil, type Read } from './usage'

/** Amounts that the use of a period cost, by meter, before tax: what was billed is known, so that the rest can be. */
export interface BilledUse {
  period: Period
  amounts: Partial<Record<Meter, string>>
}

/** Describes what is billed of use, and what is known of it afterwards. */
export interface UseToBill {
  /** Each with the first day of its period, whose tax it has. */
  lines: (BilledLine & { taxOn: string })[]
  billed: BilledUse[]
}

const findAgreed = `
  SELECT since, items FROM tenancy.agreed_items WHERE tenant_id = $1 AND subscription_id = $2 AND since < $3
   ORDER BY since, id`
// A reading is written a while after its time of recording was taken: a day is more than a transaction takes.
const findLate = `
  SELECT p.starts_on::text, p.ends_on::text, p.amounts FROM tenancy.billed_periods p
   WHERE p.tenant_id = $1 AND p.subscription_id = $2 AND EXISTS (
     SELECT FROM tenancy.usage_records u
      WHERE u.tenant_id = $1 AND u.subscription_id = $2 AND u.recorded_at >= $3::timestamptz - interval '1 day'
        AND u.occurred_at >= p.starts_on::timestamp AT TIME ZONE 'UTC'
        AND u.occurred_at < p.ends_on::timestamp AT TIME ZONE 'UTC')
   ORDER BY p.starts_on`

/**
 * Returns what is to be billed of use: all of the period that is over, null for none, and of those that were billed what readings and
 * corrections changed since.
 */
export async function useToBill(read: Read, row: PlanSubscription, over: Period | null): Promise<UseToBill> {
  const found: UseToBill = { lines: [], billed: [] }
  if (over) {
    const use = await useIn(read, row, over)
    found.lines.push(...[...use.values()].flat().map((line) => ({ ...line, taxOn: over.start })))
    found.billed.push({ period: over, amounts: amountsOf(use) })
  }
  const late = (await read(prepared(findLate, [row.tenantId, row.id, row.useSeenAt]))) as [
    ...[string, string, BilledUse['amounts']],
  ][]
  for (const [start, end, before] of late) {
    const period = { start, end }
    const amounts = amountsOf(await useIn(read, row, period))
    const lines = differences(before, amounts, period)
    if (lines.length === 0) continue
    found.lines.push(...lines)
    found.billed.push({ period, amounts })
  }
  return found
}

/** Returns what was used in a period, priced as it was agreed when it was used. */
async function useIn(read: Read, row: PlanSubscription, period: Period): Promise<Map<Meter, BilledLine[]>> {
  const { start, end } = spanOf(period)
  const until = new Date(end).toISOString()
  const all = (await read(prepared(findAgreed, [row.tenantId, row.id, until]))) as [string, Item[]][]
  // What was agreed first holds before as well, and what was agreed before the period until something else was.
  const first = all.findLastIndex(([since]) => Date.parse(since) <= start)
  const agreed = all.slice(Math.max(0, first))
  if (agreed.length === 0) agreed.push([until, row.items as Item[]])
  const instants = agreed.map((_, place) => {
    const next = agreed[place + 1]
    return next ? new Date(next[0]).toISOString() : until
  })
  const readings = await readingsUntil(read, row.tenantId, row.id, { period, instants })
  const spells = agreed.map(([, items], place) => ({ items, readings: readings[place]! }))
  return usageLines(spells, period, currencyDecimals.get(row.currency)!)
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
): UseToBill['lines'] {
  const meters = [...new Set([...Object.keys(before), ...Object.keys(after)])] as Meter[]
  return meters.flatMap((meter) => {
    const more = BigInt(after[meter] ?? '0') - BigInt(before[meter] ?? '0')
    if (more === 0n) return []
    const description = `Use: ${meter}, ${more > 0n ? 'read later' : 'corrected'}`
    const service = { serviceStart: start, serviceEnd: end }
    return [{ description, quantity: '1', unitPrice: String(more), ...service, taxOn: start }]
  })
}
