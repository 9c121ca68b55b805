import type { SubgraphContext } from '../../kernel/context'
import { uuidv7 } from '../../kernel/id'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { billDue, noteAgreed } from './bill-subscription'
import { anchorOf, changeToBill, type NextChange } from './billing'
import { PendingLine } from './entities/PendingLine'
import { PlanSubscription } from './entities/PlanSubscription'
import type { ChangeSubscriptionPlanInput, TenancyUserErrorCode } from './generated'
import { offerOf, seatsFault, type Choice, type Offer } from './price-list'
import { advanceAmount, type Item } from './rules/billing'
import { amountOf } from './rules/invoice'
import { freeUntil, periodOn } from './rules/period'
import { taxOfItsDay } from './rules/tax'
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
  const row = await findAt(context, tx, input)
  if (row.status === 'SUSPENDED')
    tx.fail('INVALID_STATUS', 'This subscription rests, by decision of the platform', 'id')
  const billingInterval = input.billingInterval ?? row.billingInterval
  if (isNow && billingInterval !== row.billingInterval)
    tx.fail('INVALID', 'The interval changes with a period: choose at PERIOD_END', 'billingInterval')
  if (plan === 'TRIAL' && row.plan !== 'TRIAL')
    tx.fail('INVALID', 'A trial is for those who never had a subscription', 'plan')
  if (plan === 'TRIAL' && !isNow)
    tx.fail('INVALID', 'A trial ends by itself: choose a plan for its end, or cancel it', 'plan')
  const today = todayOf(context)
  const choice = { plan, billingInterval, seats: seats ?? row.seats, currency: row.currency }
  const { features, limits, items, trialDays } = await offered(tx, choice, today)
  const agreed = { plan, billingInterval, seats: choice.seats, features, limits, items }
  const { status, currentPeriodStart, currentPeriodEnd } = row
  const renewal = { status, currentPeriodStart, currentPeriodEnd }
  const leavesTrial = row.plan === 'TRIAL' && plan !== 'TRIAL'
  if (!isNow) {
    const on = periodEndOf(row)
    // The end of a trial is no end for whoever goes on, and neither is that it was cancelled.
    const { endDate, cancelledAt } = leavesTrial ? { endDate: null, cancelledAt: null } : row
    if (endDate !== null && endDate <= on)
      tx.fail('INVALID_STATUS', `This subscription ends on ${endDate}: there is no period after it`, 'at')
    const nextChange: NextChange = { on, ...agreed }
    return tx.update(PlanSubscription, id, null, { ...renewal, endDate, cancelledAt, nextChange })
  }
  const trial = leavesTrial
    ? leavingTrial(row, today)
    : row.plan === 'TRIAL'
      ? { endDate: row.endDate ?? periodEndOf(row) }
      : { trialEndsOn: freeUntil(row, trialDays, today) }
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
 * What is due is billed first: what began is owed, whether the billing job came by or not, and a change that was chosen for a period
 * that began is made.
 */
export async function findAt(
  context: SubgraphContext,
  tx: Tx,
  { id, expectedVersion }: { id: string; expectedVersion: number },
): Promise<PlanSubscription> {
  const { row } = await findRunning(context, tx, id)
  if (row.version !== expectedVersion)
    tx.fail('STALE_VERSION', `This record is at version ${row.version}: read it again`, 'expectedVersion')
  if (row.startDate > todayOf(context) || row.status === 'SUSPENDED') return row
  const { row: billed } = await billDue(context, tx, row)
  return { ...billed, ...renewalOn(billed, todayOf(context)) }
}

/** The day on which a subscription goes over into what was chosen for the end of its period: a trial with the end of the trial. */
export const periodEndOf = ({ plan, trialEndsOn, currentPeriodEnd }: PlanSubscription): string =>
  plan === 'TRIAL' ? (trialEndsOn ?? currentPeriodEnd) : currentPeriodEnd

/** Returns what becomes of a trial that is left for a plan: it is paid from today on, its periods begin today, and nothing ends it. */
function leavingTrial(row: PlanSubscription, today: string): Partial<PlanSubscription> {
  // A trial costs nothing, so nothing of it is billed, whatever was looked at.
  const open = { endDate: null, cancelledAt: null, billedUntil: null }
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
  if (changed.billedUntil === null) return
  const lines = await changeToBill(
    (statement) => tx.rows(statement),
    old,
    { plan: changed.plan, items: changed.items as Item[] },
    context.clock.now(),
  )
  if (lines.length === 0) return
  // Whoever pays by the year does not wait for so long: what a change costs is billed with the month.
  const dueOn = periodOn(anchorOf(old), 'MONTHLY', todayOf(context)).end
  const changeId = uuidv7(context.clock.now().getTime())
  await tx.insertAll(
    PendingLine,
    lines.map(({ pendingId: _, tax, ...line }, place) => ({
      ...{
        ...line,
        ...(tax ?? taxOfItsDay),
        subscriptionId: old.id,
        amount: amountOf(line),
        dueOn,
        changeId,
        place,
      },
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

// A change gives back when what it cost is less than nothing; only of a period that still runs.
const lapse = `
  UPDATE tenancy.pending_lines p SET lapsed_on = $3
   WHERE p.tenant_id = $1 AND p.subscription_id = $2 AND p.service_end > $3
     AND p.invoice_id IS NULL AND p.credit_note_id IS NULL AND p.lapsed_on IS NULL
     AND p.change_id IN (SELECT c.change_id FROM tenancy.pending_lines c WHERE c.tenant_id = $1 AND c.subscription_id = $2
                          GROUP BY c.change_id HAVING sum(c.amount) < 0)`

/**
 * Ends what is left of the period for whoever cancels at once, also what changes to something smaller gave back of it and no
 * invoice has taken off yet: otherwise whoever changes first would not lose it.
 */
export async function lapseCredits(context: SubgraphContext, tx: Tx, row: PlanSubscription): Promise<void> {
  await tx.run(prepared(lapse, [row.tenantId, row.id, todayOf(context)]))
}
