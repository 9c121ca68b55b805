import type { SubgraphContext } from '../../kernel/context'
import { badUserInput } from '../../kernel/errors'
import { isUuid } from '../../kernel/id'
import { money } from '../../kernel/money'
import { prepared } from '../../kernel/statement'
import { billedFrom, upcomingInvoice } from './billing'
import type { PlanSubscription } from './entities/PlanSubscription'
import { offerOf } from './price-list'
import { linesOfChange, type BilledLine, type BilledTerm, type Item } from './rules/billing'
import { amountOf, totalsOf } from './rules/invoice'
import { todayOf } from './today'
import { unitMoney } from './unit-price'

const findSubscription = `
  SELECT jsonb_build_object('tenantId', tenant_id, 'id', id, 'plan', plan, 'status', status, 'startDate', start_date,
           'endDate', end_date, 'billingInterval', billing_interval, 'currency', currency, 'items', items,
           'seats', seats, 'trialEndsOn', trial_ends_on, 'anchorDate', anchor_date, 'billedUntil', billed_until,
           'taxRate', tax_rate::text, 'nextChange', next_change, 'isSettled', is_settled)
    FROM tenancy.subscriptions WHERE tenant_id = $1 AND id = $2`

const readOf =
  ({ db, binding }: SubgraphContext) =>
  (statement: Parameters<SubgraphContext['db']['rows']>[1]) =>
    db.rows(binding, statement)

async function findRow(context: SubgraphContext, id: string): Promise<PlanSubscription | null> {
  if (!isUuid(id)) throw badUserInput(`"${id}" is not an id`)
  const [row] = await readOf(context)(prepared(findSubscription, [context.binding.tenantId, id]))
  return row ? (row[0] as PlanSubscription) : null
}

/** The next invoice of a subscription, by what bills it; null when there is none with this id, without lines when nothing is billed any more. */
export async function nextInvoice(context: SubgraphContext, id: string) {
  const row = await findRow(context, id)
  if (!row) return null
  if (row.isSettled) return previewOf(row, [], { start: billedFrom(row), end: billedFrom(row) })
  const { lines, period } = await upcomingInvoice(readOf(context), row)
  return previewOf(row, lines, period)
}

/** Returns what a change of plan or seats would cost if it were made now; null when the subscription or the offer is not there. */
export async function changePreview(
  context: SubgraphContext,
  id: string,
  { plan, seats }: { plan: PlanSubscription['plan']; seats?: number | null },
) {
  const row = await findRow(context, id)
  if (!row) return null
  const { billingInterval, currency } = row
  const choice = { plan, billingInterval, currency, seats: seats ?? row.seats }
  const offer = await offerOf(readOf(context), choice, todayOf(context))
  if (typeof offer === 'string') return null
  const changed = { plan, items: offer.items }
  const isOver = row.status === 'CANCELLED'
  const lines = isOver ? [] : linesOfChange(termOf(row), changed, context.clock.now())
  return previewOf(row, lines, { start: todayOf(context), end: billedFrom(row) })
}

/** Returns what of a subscription a change of it is reckoned from. */
export const termOf = (row: PlanSubscription): BilledTerm => ({
  plan: row.plan,
  items: row.items as Item[],
  billingInterval: row.billingInterval,
  anchor: row.anchorDate ?? row.startDate,
  billedFrom: billedFrom(row),
  trialEndsOn: row.trialEndsOn,
})

function previewOf(
  { id, currency, taxRate }: PlanSubscription,
  lines: readonly BilledLine[],
  period: { start: string; end: string },
) {
  const priced = lines.map((line) => ({ ...line, amount: amountOf(line), taxRate }))
  const totals = totalsOf(priced)
  return {
    subscriptionId: id,
    periodStart: period.start,
    periodEnd: period.end,
    lines: priced.map(({ amount, unitPrice, ...line }) => ({
      ...line,
      unitPrice: unitMoney(unitPrice, currency),
      amount: money(amount, currency),
    })),
    subtotal: money(totals.subtotal, currency),
    tax: money(totals.tax, currency),
    total: money(totals.total, currency),
  }
}
