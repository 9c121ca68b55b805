import type { SubgraphContext } from '../../../kernel/context'
import type { Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { billDue } from '../bill-subscription'
import { PlanSubscription } from '../entities/PlanSubscription'
import type { TenancyUserErrorCode } from '../generated'
import { renewSubscription } from '../subscription-term'
import { todayOf } from '../today'

type Tx = MutationTransaction<TenancyUserErrorCode>

// What is over is settled, what waits is billed on its day, and what was read after the end is billed or given back then. A
// reading is written a while after its time of recording was taken, and what was looked at moves with each run: hence the day.
const findDue = `
  SELECT s.id FROM tenancy.subscriptions s
   WHERE s.tenant_id = $1 AND s.status <> 'SUSPENDED' AND (
     NOT s.is_settled AND (
       COALESCE(s.billed_until, GREATEST(s.start_date, s.trial_ends_on)) <= $2 OR s.end_date <= $2
       OR s.start_date <= $2 AND s.status <> 'CANCELLED' AND (s.status = 'SCHEDULED' OR s.current_period_end <= $2))
     OR EXISTS (SELECT FROM tenancy.pending_lines p WHERE p.tenant_id = $1 AND p.subscription_id = s.id
                 AND (p.due_on <= $2 OR s.is_settled) AND p.invoice_id IS NULL AND p.credit_note_id IS NULL AND p.lapsed_on IS NULL)
     OR s.is_settled AND EXISTS (SELECT FROM tenancy.usage_records u
                                  WHERE u.tenant_id = $1 AND u.subscription_id = s.id AND u.recorded_at >= s.use_seen_at - interval '1 day'))
   ORDER BY s.start_date, s.id`
const noteFault = `
  UPDATE tenancy.tenants SET billing_fault = $2, billing_fault_at = CASE WHEN $2::text IS NULL THEN NULL ELSE $3::timestamptz END
   WHERE id = $1 AND billing_fault IS DISTINCT FROM $2::text`

/** PostgreSQL's codes for "run the transaction again": serialization failure and deadlock. */
const retryable = new Set(['40001', '40P01'])

/**
 * Bills what is due of the tenant's subscriptions: an invoice for each period, once, however many workers there are and
 * whenever they die. The subscription is locked, and no two invoices of it begin on one day. One that cannot be billed keeps none of
 * the others from it: why stands with the tenant, for operators, until it could be.
 */
export const billing: Job = {
  name: 'billing',
  schedule: { cron: '5 * * * *', timeZone: 'UTC' },
  async run(context, transaction, _, { signal }) {
    const tx = transaction as Tx
    const { tenantId } = context.binding
    const faults: string[] = []
    for (const [id] of await tx.rows(prepared(findDue, [tenantId, todayOf(context)]))) {
      signal.throwIfAborted()
      faults.push(...(await billApart(context, tx, String(id))))
    }
    const fault = faults.length > 0 ? [...new Set(faults)].join(' · ').slice(0, 500) : null
    await tx.run(prepared(noteFault, [tenantId, fault, context.clock.now().toISOString()]))
  },
}

/** Bills a subscription, or nothing of it, and returns why something that is due was not billed. */
async function billApart(context: SubgraphContext, tx: Tx, id: string): Promise<string[]> {
  try {
    return await tx.savepoint(async () => {
      const { row, faults } = await billDue(context, tx, await tx.find(PlanSubscription, id))
      await renewSubscription(context, tx, row)
      return faults
    })
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string }
    if (code !== undefined && retryable.has(code)) throw error
    context.log.error({ err: error, subscriptionId: id }, 'a subscription could not be billed')
    return [`Subscription ${id}: ${message ?? String(error)}`]
  }
}
