import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { load, loadBy } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import { noteAgreed } from '../bill-subscription'
import { billedFrom, type NextChange } from '../billing'
import { changePlan, findAt, findRunning, lapseCredits, offered, periodEndOf } from '../change-plan'
import { pastDueSince } from '../dunning'
import { Invoice } from '../entities/Invoice'
import { PlanSubscription } from '../entities/PlanSubscription'
import { Tenant } from '../entities/Tenant'
import type { Resolvers, TenancyUserErrorCode } from '../generated'
import { changePreview, nextInvoice } from '../invoice-preview'
import { advanceAmount, type Item } from '../rules/billing'
import { dayAfter, periodOn } from '../rules/period'
import { putOnPlan, renewSubscription } from '../subscription-term'
import { todayOf } from '../today'
import { requireCurrentCurrency, unitMoney } from '../unit-price'

type Tx = MutationTransaction<TenancyUserErrorCode>

const defaultOrder = { property: 'startDate', direction: 'DESC' } as const
const findFormer = `
  SELECT id, status, end_date::text, COALESCE(end_date <= start_date AND cancelled_at < start_date::timestamp AT TIME ZONE 'UTC', false)
    FROM tenancy.subscriptions WHERE tenant_id = $1 ORDER BY start_date DESC, id DESC`

export const subscription: Resolvers = {
  Query: {
    subscription: (_, { id }, context, info) => load(context, PlanSubscription, id, info),
    subscriptions: (_, args, context, info) => page(context, PlanSubscription, args, info, { defaultOrder }),
    previewInvoice: (_, { subscriptionId }, context) => nextInvoice(context, subscriptionId),
    previewPlanChange: (_, { subscriptionId, ...choice }, context) =>
      changePreview(context, subscriptionId, choice),
    subscriptionSummary: (_, args, context, info) => summary(context, PlanSubscription, args, info),
  },
  Mutation: {
    startSubscription: (_, { input: { currency, ...values } }, context) =>
      mutate(context, async (tx) => {
        const today = todayOf(context)
        const startDate = values.startDate ?? today
        requireCurrentCurrency(currency, today, ['currency'])
        if (startDate < today) tx.fail('INVALID', 'startDate must not be in the past', 'startDate')
        const isFirst = await endWhatIsOver(context, tx, startDate)
        const { plan, billingInterval, seats = 1 } = values
        const offer = await offered(tx, { plan, billingInterval, currency, seats }, startDate)
        if (plan === 'TRIAL' && !isFirst) refuseTrial(tx)
        const trialEndsOn = isFirst && offer.trialDays > 0 ? dayAfter(startDate, offer.trialDays) : null
        // A trial costs nothing and ends by itself; of another plan the first days are free.
        const endDate = values.endDate ?? (plan === 'TRIAL' ? trialEndsOn : null)
        if (endDate !== null && endDate <= startDate)
          tx.fail('INVALID', 'endDate must be after the start', 'endDate')
        if (plan === 'TRIAL' && endDate! > trialEndsOn!)
          tx.fail('INVALID', `endDate must be at most ${trialEndsOn}: a trial ends then`, 'endDate')
        const isNow = startDate === today
        const { start, end } = periodOn(startDate, billingInterval, startDate)
        const started = await tx.insert(PlanSubscription, {
          ...{ plan, billingInterval, currency, seats, startDate, endDate, trialEndsOn },
          ...{ features: offer.features, limits: offer.limits, items: offer.items },
          price: String(advanceAmount(offer.items)),
          status: isNow ? 'ACTIVE' : 'SCHEDULED',
          currentPeriodStart: start,
          currentPeriodEnd: end,
        })
        await noteAgreed(context, tx, started.id, `${startDate}T00:00:00.000Z`, offer.items)
        if (isNow) await putOnPlan(context, tx, started)
        return { subscription: started }
      }),
    changeSubscriptionPlan: (_, { input }, context) =>
      mutate(context, async (tx) => ({ subscription: await changePlan(context, tx, input) })),
    cancelSubscription: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const isNow = input.at === 'NOW'
        const row = await findAt(context, tx, input)
        const { startDate, endDate, currentPeriodEnd, status } = row
        const today = todayOf(context)
        const hasBegun = startDate <= today
        const isTrial = row.plan === 'TRIAL'
        // One that has not begun ends on the day on which it would have.
        const rests = status === 'SUSPENDED'
        if (rests && !isNow)
          tx.fail('INVALID_STATUS', 'This subscription rests, so no period of it ends: cancel it NOW', 'at')
        // One that rests is not billed: it ends with what was.
        const last = rests && billedFrom(row) < today ? billedFrom(row) : today
        const end = !hasBegun ? startDate : isNow ? last : periodEndOf(row)
        const endsByItself = isTrial && row.cancelledAt === null
        if (endDate !== null && endDate <= end && !endsByItself)
          tx.fail('INVALID_STATUS', `This subscription ends on ${endDate} already`, 'at')
        const isOver = isNow || !hasBegun
        const { currentPeriodStart } = row
        const cancelled = await tx.update(PlanSubscription, input.id, null, {
          ...{ currentPeriodStart, currentPeriodEnd, status: isOver ? 'CANCELLED' : status },
          ...{ endDate: end, nextChange: null, cancelledAt: context.clock.now().toISOString() },
        })
        if (isOver && hasBegun) await lapseCredits(context, tx, cancelled)
        if (isOver && hasBegun) await putOnPlan(context, tx, null)
        return { subscription: cancelled }
      }),
    uncancelSubscription: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const { row, renewal } = await findRunning(context, tx, id)
        const { cancelledAt, plan } = row
        if (cancelledAt === null) tx.fail('INVALID_STATUS', 'Nobody has cancelled this subscription', 'id')
        if (plan === 'TRIAL') tx.fail('INVALID_STATUS', 'A trial ends by itself: change its plan', 'id')
        const changes = { ...renewal, endDate: null, cancelledAt: null }
        const kept = await tx.update(PlanSubscription, id, expectedVersion, changes)
        return { subscription: kept }
      }),
    renewSubscription: (_, { input: { id } }, context) =>
      mutate(context, async (tx) => ({
        subscription: await renewSubscription(context, tx, await tx.find(PlanSubscription, id)),
      })),
  },
  PlanSubscription: {
    price: needs(PlanSubscription, ['price', 'currency'], (row) => money(row.price, row.currency)),
    items: needs(PlanSubscription, ['items', 'currency'], ({ items, currency }) =>
      (items as Item[]).map(({ unitAmount, version, ...item }) => ({
        ...item,
        priceVersion: version,
        unitPrice: unitMoney(unitAmount, currency),
      })),
    ),
    nextPlan: needs(PlanSubscription, ['nextChange'], ({ nextChange }) =>
      nextChange ? (nextChange as NextChange).plan : null,
    ),
    nextPlanOn: needs(PlanSubscription, ['nextChange'], ({ nextChange }) =>
      nextChange ? (nextChange as NextChange).on : null,
    ),
    pastDueSince: needs(PlanSubscription, ['id'], ({ id }, _args, context) => pastDueSince(context, id)),
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

function refuseTrial(tx: Tx): never {
  return tx.fail('INVALID', 'A trial is for those who never had a subscription', 'plan')
}

/**
 * Makes room for another subscription; fails when the present one still runs, or a former one covers the start.
 * @returns whether the tenant never had one
 */
async function endWhatIsOver(context: SubgraphContext, tx: Tx, startDate: string): Promise<boolean> {
  const { tenantId } = context.binding
  // Whoever starts one too waits here, and then finds this one.
  await tx.find(Tenant, tenantId!)
  const former = (await tx.rows(prepared(findFormer, [tenantId]))) as [
    ...[string, string, string | null],
    boolean,
  ][]
  const current = former.find(([, status]) => status !== 'CANCELLED')
  if (current) {
    const { status, endDate } = await renewSubscription(
      context,
      tx,
      await tx.find(PlanSubscription, current[0]),
    )
    if (status !== 'CANCELLED')
      tx.fail('ALREADY_SUBSCRIBED', 'A subscription runs: change its plan, or cancel it first')
    if (endDate! > startDate) tx.fail('INVALID', `startDate must not be before ${endDate}`, 'startDate')
  }
  // One that was cancelled before it began was none.
  const begun = former.filter(([, , , isNone]) => !isNone)
  const last = begun
    .map(([, , end]) => end ?? '')
    .sort()
    .at(-1)
  if (last !== undefined && last > startDate)
    tx.fail('INVALID', `startDate must not be before ${last}, when the last subscription ended`, 'startDate')
  return begun.length === 0
}
