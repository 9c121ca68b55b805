import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { PlanSubscription } from './entities/PlanSubscription'
import type { TenancyUserErrorCode } from './generated'
import { onDay } from './rules/subscription'
import { todayOf } from './today'

type Tx = MutationTransaction<TenancyUserErrorCode>

/** Status and period of a subscription on a day. A change that begins with a period is made when that is billed. */
export function renewalOn(stored: PlanSubscription, day: string): ReturnType<typeof onDay> {
  return onDay(stored, day)
}

/** Brings a locked subscription up to the present day, if it is not, and the tenant on its plan. */
export async function renewSubscription(
  context: SubgraphContext,
  tx: Tx,
  row: PlanSubscription,
): Promise<PlanSubscription> {
  const renewal = renewalOn(row, todayOf(context))
  const renewed = await tx.update(PlanSubscription, row.id, null, renewal)
  if (renewed.status !== row.status || renewed.plan !== row.plan)
    await putOnPlan(context, tx, renewed.status === 'CANCELLED' ? null : renewed)
  return renewed
}

// In SQL: the billing job, which nobody asks for, does it as well, and the tenant's row is for its viewers.
const setPlan = `
  UPDATE tenancy.tenants SET plan = $2, trial_ends_at = COALESCE($3::timestamptz, trial_ends_at), version = version + 1,
         updated_at = now()
   WHERE id = $1 AND (plan <> $2 OR trial_ends_at IS DISTINCT FROM COALESCE($3::timestamptz, trial_ends_at))
   RETURNING version`

/** The tenant is on the plan that it pays for; without a subscription on that of a trial, which costs nothing. */
export async function putOnPlan(
  context: SubgraphContext,
  tx: Tx,
  row: Pick<PlanSubscription, 'plan' | 'trialEndsOn'> | null,
): Promise<void> {
  const tenantId = context.binding.tenantId!
  const plan = row?.plan ?? 'TRIAL'
  const trialEndsAt = row?.trialEndsOn ? `${row.trialEndsOn}T00:00:00.000Z` : null
  const [changed] = await tx.rows(prepared(setPlan, [tenantId, plan, trialEndsAt]))
  if (!changed) return
  const after = { plan, ...(trialEndsAt ? { trialEndsAt } : {}) }
  tx.audit({ action: 'UPDATE', resourceType: 'Tenant', resourceId: tenantId, changes: { after } })
  const payload = { version: changed[0], fields: Object.keys(after) }
  tx.emit('updated', { type: 'Tenant', id: tenantId }, payload)
}
