import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { load, loadBy } from '../../../kernel/load'
import { money, moneyColumns } from '../../../kernel/money'
import { mutate, type MutationTransaction, type Values } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import { Invoice } from '../entities/Invoice'
import { PlanSubscription } from '../entities/PlanSubscription'
import { Tenant } from '../entities/Tenant'
import type { Resolvers, TenancyUserErrorCode } from '../generated'
import { periodOn } from '../rules/period'
import { onDay } from '../rules/subscription'
import { todayOf } from '../today'
import { requireCurrentCurrency } from '../unit-price'

const defaultOrder = { property: 'startDate', direction: 'DESC' } as const
const findCurrent = `SELECT id FROM tenancy.subscriptions WHERE tenant_id = $1 AND current_of = $1`

export const subscription: Resolvers = {
  Query: {
    subscription: (_, { id }, context, info) => load(context, PlanSubscription, id, info),
    subscriptions: (_, args, context, info) => page(context, PlanSubscription, args, info, { defaultOrder }),
    subscriptionSummary: (_, args, context, info) => summary(context, PlanSubscription, args, info),
  },
  Mutation: {
    startSubscription: (_, { input: { price, ...values } }, context) =>
      mutate(context, async (tx) => {
        const today = todayOf(context)
        const startDate = values.startDate ?? today
        requireCurrentCurrency(price.currency, today, ['price'])
        const { endDate = null } = values
        if (endDate !== null && (endDate <= today || endDate <= startDate))
          tx.fail('INVALID', 'endDate must be after the start, and in the future', 'endDate')
        await endWhatIsOver(context, tx)
        const { start, end } = periodOn(startDate, values.billingInterval, today)
        const started = await tx.insert(PlanSubscription, {
          ...values,
          ...moneyColumns(price, 'price', 'currency'),
          startDate,
          currentPeriodStart: start,
          currentPeriodEnd: end,
        })
        const trial = values.plan === 'TRIAL' ? { trialEndsAt: `${endDate ?? end}T00:00:00.000Z` } : {}
        await putOnPlan(context, tx, { plan: values.plan, ...trial })
        return { subscription: started }
      }),
    changeSubscriptionPlan: (_, { input }, context) => {
      const { id, expectedVersion, price, ...changes } = input
      return mutate(context, async (tx) => {
        const renewal = await findRunning(context, tx, id)
        requireCurrentCurrency(price.currency, todayOf(context), ['price'])
        const amount = moneyColumns(price, 'price', 'currency')
        const changed = await tx.update(PlanSubscription, id, expectedVersion, {
          ...renewal,
          ...changes,
          ...amount,
        })
        await putOnPlan(context, tx, { plan: changes.plan })
        return { subscription: changed }
      })
    },
    cancelSubscription: (_, { input: { id, expectedVersion, at } }, context) =>
      mutate(context, async (tx) => {
        const { startDate, endDate, ...renewal } = await findRunning(context, tx, id)
        const today = todayOf(context)
        // One that has not begun ends on the day on which it would have.
        const last = startDate > today ? startDate : today
        const end = at === 'NOW' ? last : renewal.currentPeriodEnd
        if (endDate !== null && endDate <= end)
          tx.fail('INVALID_STATUS', `This subscription ends on ${endDate} already`, 'at')
        const cancelled = await tx.update(PlanSubscription, id, expectedVersion, {
          ...renewal,
          ...(at === 'NOW' ? { status: 'CANCELLED' as const } : {}),
          endDate: end,
          cancelledAt: context.clock.now().toISOString(),
        })
        return { subscription: cancelled }
      }),
    renewSubscription: (_, { input: { id } }, context) =>
      mutate(context, async (tx) => ({
        subscription: await renew(context, tx, await tx.find(PlanSubscription, id)),
      })),
  },
  PlanSubscription: {
    price: needs(PlanSubscription, ['price', 'currency'], (row) => money(row.price, row.currency)),
    invoices: needs(PlanSubscription, ['id'], ({ id }, args, context, info) =>
      nested(context, Invoice, 'subscriptionId', id, args, info),
    ),
  },
  Tenant: {
    subscription: needs(Tenant, ['id'], ({ id }, _args, context, info) =>
      loadBy(context, PlanSubscription, 'currentOf', id, info),
    ),
  },
  User: {
    subscription: (_, _args, context, info) =>
      loadBy(context, PlanSubscription, 'currentOf', context.binding.tenantId, info),
  },
}

/** Brings a locked subscription up to the present day, if it is not. */
async function renew(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  row: PlanSubscription,
): Promise<PlanSubscription> {
  const renewal = onDay(row, todayOf(context))
  const isDue = renewal.status !== row.status || renewal.currentPeriodStart !== row.currentPeriodStart
  return isDue ? tx.update(PlanSubscription, row.id, null, renewal) : row
}

/** The term, status and period of a subscription as they are today, locked; fails when it is over. */
async function findRunning(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  id: string,
) {
  const row = await tx.find(PlanSubscription, id)
  const renewal = onDay(row, todayOf(context))
  if (renewal.status === 'CANCELLED')
    tx.fail('INVALID_STATUS', `This subscription ended on ${row.endDate}: start another one`, 'id')
  const { startDate, endDate } = row
  return { ...renewal, startDate, endDate }
}

/** Makes room for another subscription; fails when the present one still runs. */
async function endWhatIsOver(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
): Promise<void> {
  const { tenantId } = context.binding
  // Whoever starts one too waits here, and then finds this one.
  await tx.find(Tenant, tenantId!)
  const [current] = await tx.rows(prepared(findCurrent, [tenantId]))
  if (!current) return
  const { status } = await renew(context, tx, await tx.find(PlanSubscription, String(current[0])))
  if (status !== 'CANCELLED')
    tx.fail('ALREADY_SUBSCRIBED', 'A subscription runs: change its plan, or cancel it first')
}

/** The tenant is on the plan that it pays for. */
async function putOnPlan(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  changes: Values<Pick<Tenant, 'plan' | 'trialEndsAt'>>,
): Promise<void> {
  await tx.update(Tenant, context.binding.tenantId!, null, changes)
}
