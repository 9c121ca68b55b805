import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { load, loadBy } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import type { NextChange } from '../billing'
import { Invoice } from '../entities/Invoice'
import { PendingLine } from '../entities/PendingLine'
import { PlanSubscription } from '../entities/PlanSubscription'
import { Tenant } from '../entities/Tenant'
import type { Resolvers, TenancyUserErrorCode } from '../generated'
import { changePreview, nextInvoice, termOf } from '../invoice-preview'
import { offerOf, type Choice, type Offer } from '../price-list'
import { advanceAmount, linesOfChange, type Item } from '../rules/billing'
import { dayAfter, periodOn } from '../rules/period'
import { putOnPlan, renewalOn, renewSubscription } from '../subscription-term'
import { todayOf } from '../today'
import { requireCurrentCurrency, unitMoney } from '../unit-price'

type Tx = MutationTransaction<TenancyUserErrorCode>

const defaultOrder = { property: 'startDate', direction: 'DESC' } as const
const findFormer = `
  SELECT id, status, end_date::text FROM tenancy.subscriptions WHERE tenant_id = $1 ORDER BY start_date DESC, id DESC`

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
        if (plan === 'TRIAL' && !isFirst)
          tx.fail('INVALID', 'A trial is for those who never had a subscription', 'plan')
        const trialEndsOn = isFirst && offer.trialDays > 0 ? dayAfter(startDate, offer.trialDays) : null
        // A trial costs nothing and ends by itself; of another plan the first days are free.
        const endDate = values.endDate ?? (plan === 'TRIAL' ? trialEndsOn : null)
        if (endDate !== null && endDate <= startDate)
          tx.fail('INVALID', 'endDate must be after the start', 'endDate')
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
        if (isNow) await putOnPlan(context, tx, started)
        return { subscription: started }
      }),
    changeSubscriptionPlan: (_, { input }, context) => {
      const { id, expectedVersion, plan, seats, at = 'NOW' } = input
      return mutate(context, async (tx) => {
        const { row, renewal } = await findRunning(context, tx, id)
        const billingInterval = input.billingInterval ?? row.billingInterval
        if (at === 'NOW' && billingInterval !== row.billingInterval)
          tx.fail('INVALID', 'The interval changes with a period: choose at PERIOD_END', 'billingInterval')
        const choice = { plan, billingInterval, seats: seats ?? row.seats, currency: row.currency }
        const day = at === 'NOW' ? todayOf(context) : row.currentPeriodEnd
        if (plan === 'TRIAL' && row.plan !== 'TRIAL')
          tx.fail('INVALID', 'A trial is for those who never had a subscription', 'plan')
        const offer = await offered(tx, choice, day)
        const { features, limits, items } = offer
        const agreed = { plan, billingInterval, seats: choice.seats, features, limits, items }
        if (at === 'PERIOD_END') {
          const nextChange: NextChange = { on: day, ...agreed }
          return {
            subscription: await tx.update(PlanSubscription, id, expectedVersion, { ...renewal, nextChange }),
          }
        }
        const changed = await tx.update(PlanSubscription, id, expectedVersion, {
          ...renewal,
          ...agreed,
          price: String(advanceAmount(items)),
          nextChange: null,
        })
        if (changed.version !== row.version) await billChange(context, tx, row, changed)
        if (changed.status === 'ACTIVE') await putOnPlan(context, tx, changed)
        return { subscription: changed }
      })
    },
    cancelSubscription: (_, { input: { id, expectedVersion, at } }, context) =>
      mutate(context, async (tx) => {
        const { row, renewal } = await findRunning(context, tx, id)
        const { startDate, endDate, currentPeriodEnd, status } = row
        const today = todayOf(context)
        const hasBegun = startDate <= today
        // One that has not begun ends on the day on which it would have.
        const end = !hasBegun ? startDate : at === 'NOW' ? today : currentPeriodEnd
        if (endDate !== null && endDate <= end)
          tx.fail('INVALID_STATUS', `This subscription ends on ${endDate} already`, 'at')
        const isOver = at === 'NOW' || !hasBegun
        const cancelled = await tx.update(PlanSubscription, id, expectedVersion, {
          ...renewal,
          status: isOver ? 'CANCELLED' : status,
          endDate: end,
          nextChange: null,
          cancelledAt: context.clock.now().toISOString(),
        })
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

/** Returns what the price list offers for a choice; fails where it offers nothing. */
async function offered(tx: Tx, choice: Choice, day: string): Promise<Offer> {
  // What is kept for the next period meets the table's check only then.
  if (choice.seats < 1 || choice.seats > 100_000) return tx.fail('INVALID', 'must be 1 to 100000', 'seats')
  const offer = await offerOf((statement) => tx.rows(statement), choice, day)
  if (offer === 'NO_PLAN')
    return tx.fail('INVALID', `${choice.plan} is not offered: choose one of plans`, 'plan')
  if (offer === 'NO_PRICE')
    return tx.fail('INVALID', `${choice.plan} has no price in ${choice.currency} for this interval`, 'plan')
  return offer
}

/** Returns what the change costs in a period that is billed already: it is kept for the next invoice. */
async function billChange(
  context: SubgraphContext,
  tx: Tx,
  old: PlanSubscription,
  changed: PlanSubscription,
): Promise<void> {
  const now = context.clock.now()
  const lines = linesOfChange(termOf(old), { plan: changed.plan, items: changed.items as Item[] }, now)
  if (lines.length === 0) return
  await tx.insertAll(
    PendingLine,
    lines.map(({ description, unitPrice, serviceStart, serviceEnd }) => ({
      ...{ subscriptionId: old.id, description, amount: unitPrice, serviceStart, serviceEnd },
    })),
  )
}

/** A subscription as it is today, locked, and what of it that changes; fails when it is over. */
async function findRunning(context: SubgraphContext, tx: Tx, id: string) {
  const found = await tx.find(PlanSubscription, id)
  const renewal = renewalOn(found, todayOf(context))
  const row: PlanSubscription = { ...found, ...renewal }
  if (row.status === 'CANCELLED')
    tx.fail('INVALID_STATUS', `This subscription ended on ${row.endDate}: start another one`, 'id')
  return { row, renewal }
}

/**
 * Makes room for another subscription; fails when the present one still runs, or a former one covers the start.
 * @returns whether the tenant never had one
 */
async function endWhatIsOver(context: SubgraphContext, tx: Tx, startDate: string): Promise<boolean> {
  const { tenantId } = context.binding
  // Whoever starts one too waits here, and then finds this one.
  await tx.find(Tenant, tenantId!)
  const former = (await tx.rows(prepared(findFormer, [tenantId]))) as [string, string, string | null][]
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
  const last = former
    .map(([, , end]) => end ?? '')
    .sort()
    .at(-1)
  if (last !== undefined && last > startDate)
    tx.fail('INVALID', `startDate must not be before ${last}, when the last subscription ended`, 'startDate')
  return former.length === 0
}
