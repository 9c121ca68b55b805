import type { SubgraphContext } from '../../../kernel/context'
import type { Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { billedFrom, upcomingInvoice } from '../billing'
import { Invoice } from '../entities/Invoice'
import { InvoiceLine } from '../entities/InvoiceLine'
import { PendingLine } from '../entities/PendingLine'
import { PlanSubscription } from '../entities/PlanSubscription'
import type { TenancyUserErrorCode } from '../generated'
import { issueDraft } from '../issue-invoice'
import { putOnPlan, renewSubscription } from '../subscription-term'
import { todayOf } from '../today'

type Tx = MutationTransaction<TenancyUserErrorCode>

/** Most periods that are billed at once: of what nobody billed for years the rest follows with the next run. */
const mostPeriods = 24

const findDue = `
  SELECT id FROM tenancy.subscriptions
   WHERE tenant_id = $1 AND NOT is_settled AND status <> 'SUSPENDED' AND COALESCE(billed_until, start_date) <= $2 ORDER BY start_date, id`
const markBilled = `
  UPDATE tenancy.pending_lines SET invoice_id = $3 WHERE tenant_id = $1 AND id = ANY ($2) AND invoice_id IS NULL`

/**
 * Bills what is due of the tenant's subscriptions: an invoice for each period, once, however many workers there are and
 * whenever they die. The subscription is locked, and no two invoices of it begin on one day.
 */
export const billing: Job = {
  name: 'billing',
  schedule: { cron: '5 * * * *', timeZone: 'UTC' },
  async run(context, transaction, _, { signal }) {
    const tx = transaction as Tx
    const due = await tx.rows(prepared(findDue, [context.binding.tenantId, todayOf(context)]))
    for (const [id] of due) {
      signal.throwIfAborted()
      await billSubscription(context, tx, String(id))
    }
  },
}

async function billSubscription(context: SubgraphContext, tx: Tx, id: string): Promise<void> {
  let row = await tx.find(PlanSubscription, id)
  for (let count = 0; count < mostPeriods && !row.isSettled; count++) {
    if (billedFrom(row) > todayOf(context)) break
    row = await billPeriod(context, tx, row)
  }
  await renewSubscription(context, tx, row)
}

/** Bills one period and returns the subscription as it is then; without anything to bill there is no invoice. */
async function billPeriod(
  context: SubgraphContext,
  tx: Tx,
  row: PlanSubscription,
): Promise<PlanSubscription> {
  const from = billedFrom(row)
  const { lines, totals, period, pending, carried, next } = await upcomingInvoice(
    (statement) => tx.rows(statement),
    row,
  )
  if (lines.length > 0) {
    const drafted = await tx.insert(Invoice, {
      ...{ currency: row.currency, subscriptionId: row.id, billedFrom: from },
      ...totals,
    })
    await tx.insertAll(
      InvoiceLine,
      lines.map((line, place) => ({
        ...line,
        ...{ invoiceId: drafted.id, currency: row.currency, position: place + 1 },
      })),
    )
    await issueDraft(context, tx, drafted, null)
    await tx.run(prepared(markBilled, [row.tenantId, pending, drafted.id]))
    if (carried < 0n) {
      const { serviceStart, serviceEnd } = lines.at(-1)!
      const description = 'Credit from the invoice before'
      const kept = { subscriptionId: row.id, description, amount: String(carried), serviceStart, serviceEnd }
      await tx.insert(PendingLine, kept)
    }
  }
  const isOver = row.endDate !== null && row.endDate <= from
  const { plan, billingInterval, seats, features, limits, items, price, anchorDate, nextChange } = next
  if (plan !== row.plan) await putOnPlan(context, tx, next)
  return tx.update(PlanSubscription, row.id, null, {
    ...{ plan, billingInterval, seats, features, limits, items, price, anchorDate, nextChange },
    ...(isOver ? { isSettled: true } : { billedUntil: period.end }),
  })
}
