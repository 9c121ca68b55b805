import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { billDue, noteAgreed } from './bill-subscription'
import { anchorOf, linesOfChange, type NextChange } from './billing'
import { PendingLine } from './entities/PendingLine'
import { PlanSubscription } from './entities/PlanSubscription'
import type { ChangeSubscriptionPlanInput, TenancyUserErrorCode } from './generated'
import { offerOf, seatsFault, type Choice, type Offer } from './price-list'
import { advanceAmount, type Item } from './rules/billing'
import { periodOn } from './rules/period'
import { putOnPlan, renewalOn } from './subscription-term'
import { todayOf } from './today'

type Tx = MutationTransaction<TenancyUserErrorCode>

/**
 * Moves a subscription to another plan, interval or number of seats. At once, what is due is billed first, so that a change costs
 * the same whether the billing job came by or not; with the period's end, today's prices are kept for it.
 */
export async function changePlan(
  context: SubgraphContext,
  tx: Tx,
  input: ChangeSubscriptionPlanInput,
): Promise<PlanSubscription> {
  const { id, plan, seats } = input
  const isNow = input.at !== 'PERIOD_END'
  const row = await findAt(context, tx, input, isNow)
  if (row.status === 'SUSPENDED')
    tx.fail('INVALID_STATUS', 'This subscription rests, by decision of the platform', 'id')
  const billingInterval = input.billingInterval ?? row.billingInterval
  if (isNow && billingInterval !== row.billingInterval)
    tx.fail('INVALID', 'The interval changes with a period: choose at PERIOD_END', 'billingInterval')
  if (plan === 'TRIAL' && row.plan !== 'TRIAL')
    tx.fail('INVALID', 'A trial is for those who never had a subscription', 'plan')
  const today = todayOf(context)
  const choice = { plan, billingInterval, seats: seats ?? row.seats, currency: row.currency }
  const { features, limits, items } = await offered(tx, choice, today)
  const agreed = { plan, billingInterval, seats: choice.seats, features, limits, items }
  const { status, currentPeriodStart, currentPeriodEnd } = row
  const renewal = { status, currentPeriodStart, currentPeriodEnd }
  const leavesTrial = row.plan === 'TRIAL' && plan !== 'TRIAL'
  if (!isNow) {
    const on = row.plan === 'TRIAL' ? row.trialEndsOn! : currentPeriodEnd
    // The end of a trial is no end for whoever goes on.
    const endDate = leavesTrial ? null : row.endDate
    if (endDate !== null && endDate <= on)
      tx.fail('INVALID_STATUS', `This subscription ends on ${endDate}: there is no period after it`, 'at')
    const nextChange: NextChange = { on, ...agreed }
    return tx.update(PlanSubscription, id, null, { ...renewal, endDate, nextChange })
  }
  const trial = leavesTrial
    ? leavingTrial(row, today)
    : row.plan === 'TRIAL'
      ? { endDate: row.trialEndsOn }
      : {}
  const changed = await tx.update(PlanSubscription, id, null, {
    ...{ ...renewal, ...agreed, price: String(advanceAmount(items)), nextChange: null },
    ...trial,
  })
  if (changed.version === row.version) return changed
  const now = context.clock.now().toISOString()
  const begins = `${row.startDate}T00:00:00.000Z`
  await noteAgreed(context, tx, id, now > begins ? now : begins, items)
  await billChange(context, tx, row, changed)
  if (changed.status === 'ACTIVE') await putOnPlan(context, tx, changed)
  return changed
}

/**
 * A subscription that runs, as it is today, locked; fails when it is over, or at another version than the client read.
 * @param isBilled whether to bill first what is due: what began is owed, whether the billing job came by or not
 */
export async function findAt(
  context: SubgraphContext,
  tx: Tx,
  { id, expectedVersion }: { id: string; expectedVersion: number },
  isBilled: boolean,
): Promise<PlanSubscription> {
  const { row } = await findRunning(context, tx, id)
  if (row.version !== expectedVersion)
    tx.fail('STALE_VERSION', `This record is at version ${row.version}: read it again`, 'expectedVersion')
  if (!isBilled || row.startDate > todayOf(context) || row.status === 'SUSPENDED') return row
  const { row: billed } = await billDue(context, tx, row)
  return { ...billed, ...renewalOn(billed, todayOf(context)) }
}

/** Returns what becomes of a trial that is left for a plan: it is paid from today on, its periods begin today, and nothing ends it. */
function leavingTrial(row: PlanSubscription, today: string): Partial<PlanSubscription> {
  const open = { endDate: null, cancelledAt: null }
  if (row.startDate > today) return { ...open, trialEndsOn: null }
  const { start, end } = periodOn(today, row.billingInterval, today)
  const anchorDate = row.startDate === today ? null : today
  return { ...open, trialEndsOn: today, anchorDate, currentPeriodStart: start, currentPeriodEnd: end }
}

/** Returns what the price list offers for a choice; fails where it offers nothing. */
export async function offered(tx: Tx, choice: Choice, day: string): Promise<Offer> {
  // What is kept for the next period meets the table's check only then.
  const fault = seatsFault(choice.seats)
  if (fault) return tx.fail('INVALID', fault, 'seats')
  const offer = await offerOf((statement) => tx.rows(statement), choice, day)
  if (offer === 'NO_PLAN')
    return tx.fail('INVALID', `${choice.plan} is not offered: choose one of plans`, 'plan')
  if (offer === 'NO_PRICE')
    return tx.fail('INVALID', `${choice.plan} has no price in ${choice.currency} for this interval`, 'plan')
  return offer
}

/** Keeps what the change costs in a period that is billed already for the next invoice; the first period is billed by itself. */
async function billChange(
  context: SubgraphContext,
  tx: Tx,
  old: PlanSubscription,
  changed: PlanSubscription,
): Promise<void> {
  if (old.billedUntil === null) return
  const lines = linesOfChange(
    old,
    { plan: changed.plan, items: changed.items as Item[] },
    context.clock.now(),
  )
  if (lines.length === 0) return
  // Whoever pays by the year does not wait for so long: what a change costs is billed with the month.
  const dueOn = periodOn(anchorOf(old), 'MONTHLY', todayOf(context)).end
  await tx.insertAll(
    PendingLine,
    lines.map(({ description, unitPrice, serviceStart, serviceEnd, taxOn }) => ({
      ...{ subscriptionId: old.id, description, amount: unitPrice, serviceStart, serviceEnd, dueOn, taxOn },
    })),
  )
}

/** A subscription as it is today, locked, and what of it that changes; fails when it is over. */
export async function findRunning(context: SubgraphContext, tx: Tx, id: string) {
  const found = await tx.find(PlanSubscription, id)
  const renewal = renewalOn(found, todayOf(context))
  const row: PlanSubscription = { ...found, ...renewal }
  if (row.status === 'CANCELLED')
    tx.fail('INVALID_STATUS', `This subscription ended on ${row.endDate}: start another one`, 'id')
  return { row, renewal }
}
