import type { SubgraphContext } from '../../kernel/context'
import { badUserInput } from '../../kernel/errors'
import { isUuid } from '../../kernel/id'
import { money } from '../../kernel/money'
import { prepared } from '../../kernel/statement'
import {
  anchorOf,
  atTheEnd,
  billedFrom,
  billOf,
  changedOn,
  changeToBill,
  interimInvoice,
  isDocument,
  upcomingInvoice,
  type Bill,
  type UntaxedLine,
} from './billing'
import type { PlanSubscription } from './entities/PlanSubscription'
import { offerOf, seatsFault } from './price-list'
import { periodOn } from './rules/period'
import { todayOf } from './today'
import { unitMoney } from './unit-price'
import type { Read } from './usage'

/** Most periods without an invoice that a preview goes through. */
const mostKept = 24
const unseen = '9999-01-01T00:00:00.000Z'

const findSubscription = `
  SELECT jsonb_build_object('tenantId', tenant_id, 'id', id, 'plan', plan, 'status', status, 'startDate', start_date,
           'endDate', end_date, 'billingInterval', billing_interval, 'currency', currency, 'items', items,
           'seats', seats, 'trialEndsOn', trial_ends_on, 'anchorDate', anchor_date, 'billedUntil', billed_until,
           'nextChange', next_change, 'isSettled', is_settled, 'useSeenAt', use_seen_at, 'cancelledAt', cancelled_at)
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
  const read = readOf(context)
  const from = billedFrom(row)
  // One that rests is not billed.
  if (row.status === 'SUSPENDED')
    return previewOf(row, await billOf(read, row, []), { start: from, end: from })
  const interim = row.isSettled ? null : await interimInvoice(read, row)
  if (interim && interim.on < from) return previewOf(row, interim, { start: interim.on, end: interim.on })
  return previewPeriods(read, row)
}

/** Returns the first invoice of the periods that come: what none can say is kept for the next one, as billing does. */
async function previewPeriods(read: Read, found: PlanSubscription) {
  let row = found
  let kept: UntaxedLine[] = []
  for (let count = 0; count < mostKept; count++) {
    const upcoming = await upcomingInvoice(read, row, kept)
    const { period, next, isOver, isTaxed } = upcoming
    const bill = isOver ? { ...atTheEnd(upcoming.lines).owed, isTaxed } : upcoming
    if (isDocument(bill.totals)) return previewOf(found, bill, period)
    if (isOver) break
    kept = upcoming.lines
      .filter(({ pendingId, amount }) => pendingId === null && amount !== '0')
      .map(({ taxRate, taxTreatment, taxReason, isTaxKept, ...line }) => ({
        ...line,
        tax: isTaxKept ? { taxRate, taxTreatment, taxReason } : null,
      }))
    // Nobody knows yet what is used then.
    row = { ...next, billedUntil: period.end, useSeenAt: unseen }
  }
  const from = billedFrom(row)
  return previewOf(found, await billOf(read, row, []), { start: from, end: from })
}

/** Returns what a change of plan or seats would cost if it were made now; null when the subscription or the offer is not there. */
export async function changePreview(
  context: SubgraphContext,
  id: string,
  { plan, seats }: { plan: PlanSubscription['plan']; seats?: number | null },
) {
  const found = await findRow(context, id)
  if (!found) return null
  const today = todayOf(context)
  // What is due is billed before a change.
  const isDue = found.startDate <= today && billedFrom(found) <= today
  const next = isDue ? changedOn(found, today) : found
  const row = isDue
    ? { ...next, billedUntil: periodOn(anchorOf(next), next.billingInterval, today).end }
    : found
  const { billingInterval, currency } = row
  const choice = { plan, billingInterval, currency, seats: seats ?? row.seats }
  const fault = seatsFault(choice.seats)
  if (fault) throw badUserInput(`seats ${fault}`)
  const offer = await offerOf(readOf(context), choice, today)
  if (typeof offer === 'string') return null
  const rests = row.status === 'CANCELLED' || row.status === 'SUSPENDED'
  const read = readOf(context)
  const now = context.clock.now()
  const lines = rests ? [] : await changeToBill(read, row, { ...offer, plan }, now)
  const bill = await billOf(read, row, lines)
  return previewOf(row, bill, { start: today, end: billedFrom(row) })
}

function previewOf(
  { id, currency }: PlanSubscription,
  { lines, totals, isTaxed }: Bill,
  period: { start: string; end: string },
) {
  return {
    subscriptionId: id,
    periodStart: period.start,
    periodEnd: period.end,
    isTaxDecided: isTaxed,
    lines: lines.map(({ amount, unitPrice, ...line }) => ({
      ...line,
      unitPrice: unitMoney(unitPrice, currency),
      amount: money(amount, currency),
    })),
    subtotal: money(totals.subtotal, currency),
    tax: money(totals.tax, currency),
    total: money(totals.total, currency),
  }
}
