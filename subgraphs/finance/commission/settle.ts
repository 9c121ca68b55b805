import type { SubgraphContext } from '../../../kernel/context'
import { isUuid, uuidv7 } from '../../../kernel/id'
import { money } from '../../../kernel/money'
import type { MutationTransaction } from '../../../kernel/mutate'
import { requireOwnHand } from '../../../kernel/second-person'
import { prepared } from '../../../kernel/statement'
import { bookTransaction } from '../book-transaction'
import { SalesPerformance, type SalesPerformanceStatus } from '../entities/SalesPerformance'
import { Transaction } from '../entities/Transaction'
import type { ComputeSalesPerformanceInput, FinanceUserErrorCode } from '../generated'
import { requireOpenPeriod } from '../open-period'
import { dayOf } from '../rules/entry'
import { lockSeller, lockTerms, performanceOf, reckon } from './compute'

type Tx = MutationTransaction<FinanceUserErrorCode>

interface Change {
  id: string
  expectedVersion: number
}

/** A performance, locked as its seller is, in one of some statuses; not found where the viewer does not see it. */
async function lock(
  context: SubgraphContext,
  tx: Tx,
  { id, expectedVersion }: Change,
  statuses: readonly SalesPerformanceStatus[],
): Promise<SalesPerformance> {
  const { viewer } = context
  await lockSeller(tx, context.binding.tenantId!, { id })
  const found = await tx.find(SalesPerformance, id)
  if (
    found.userId !== viewer?.userId &&
    found.managerId !== viewer?.userId &&
    !viewer?.scopes.has('finance:performance:read')
  )
    tx.fail('NOT_FOUND', 'There is no performance with this id', 'id')
  // A version that nobody saw is not judged.
  if (found.version !== expectedVersion)
    tx.fail('STALE_VERSION', `It is at version ${found.version}: read it again`, 'expectedVersion')
  if (!statuses.includes(found.status))
    tx.fail(
      'INVALID_STATUS',
      `This performance is ${found.status}: that is for ${statuses.join(' or ')}`,
      'id',
    )
  return found
}

/** Ends the mutation when a performance is the viewer's, who would decide about the own money. */
function requireOthers(context: SubgraphContext, tx: Tx, { userId }: SalesPerformance): void {
  if (userId === context.viewer?.userId)
    tx.fail('OWN_RECORD', 'Somebody else must do this: it is your own commission', 'id')
}

/** Of whose hand the viewer's account must not be who decides about the money of another. */
const gaining = { code: 'OWN_RECORD', field: 'id' } as const

const findEarlier = `
  SELECT p.period_start::text FROM finance.sales_performances p
   WHERE p.tenant_id = $1 AND p.user_id = $2 AND p.currency = $3 AND p.period_start < $4 AND p.status IN ('DRAFT', 'DISPUTED')
     AND EXISTS (SELECT FROM finance.sales_performance_lines l
                  WHERE l.tenant_id = $1 AND l.performance_id = p.id AND l.kind = 'ADJUSTMENT')
   ORDER BY p.period_start LIMIT 1`

/** Months with adjustments come in their order: what they take back, no later month tells, so none is paid before. */
async function requireTurn(context: SubgraphContext, tx: Tx, found: SalesPerformance): Promise<void> {
  const { userId, currency, periodStart } = found
  const values = [context.binding.tenantId, userId, currency, periodStart]
  const [earlier] = await tx.rows(prepared(findEarlier, values))
  if (!earlier) return
  const month = String(earlier[0]).slice(0, 7)
  tx.fail('INVALID_STATUS', `${month} corrects earlier months and is not submitted: submit it first`, 'id')
}

/** Reckons what somebody sold in a month: the row that is there, or a new one. */
export async function computePerformance(
  context: SubgraphContext,
  tx: Tx,
  { userId, periodStart, currency, managerId }: ComputeSalesPerformanceInput,
): Promise<SalesPerformance> {
  if (!isUuid(userId)) tx.fail('REFERENCE_NOT_FOUND', 'userId is not an id', 'userId')
  if (managerId && !isUuid(managerId)) tx.fail('REFERENCE_NOT_FOUND', 'managerId is not an id', 'managerId')
  if (!periodStart.endsWith('-01'))
    tx.fail('INVALID', 'periodStart must be the first day of a month', 'periodStart')
  if (periodStart > dayOf(context.clock.now().toISOString()))
    tx.fail('INVALID', 'periodStart must not be in the future', 'periodStart')
  const leads = managerId?.toLowerCase() ?? managerId
  const found = await performanceOf(context, tx, { userId, periodStart, currency }, leads)
  if (found.status !== 'DRAFT' && found.status !== 'DISPUTED')
    tx.fail('INVALID_STATUS', `This performance is ${found.status}: what changed comes with the next month`)
  if (leads === undefined || leads === found.managerId) await reckon(context, tx, found)
  else {
    await tx.update(SalesPerformance, found.id, null, { managerId: leads })
    // The lines say too who sees them: they are written anew.
    await reckon(context, tx, { ...found, managerId: leads, linesChecksum: null })
  }
  return tx.find(SalesPerformance, found.id)
}

export async function recalculatePerformance(context: SubgraphContext, tx: Tx, change: Change) {
  const found = await lock(context, tx, change, ['DRAFT', 'DISPUTED'])
  await reckon(context, tx, found)
  return tx.find(SalesPerformance, found.id)
}

export async function submitPerformance(context: SubgraphContext, tx: Tx, change: Change) {
  const { viewer, clock } = context
  await lockTerms(tx, context.binding.tenantId!, 'shared')
  const found = await lock(context, tx, change, ['DRAFT'])
  if (found.userId !== viewer?.userId && !viewer?.scopes.has('finance:commission:write'))
    tx.fail('PERMISSION_NOT_HELD', 'You lack finance:commission:write: it is not your own', 'id')
  const now = clock.now().toISOString()
  if (dayOf(now) < found.periodEnd)
    tx.fail('INVALID_STATUS', `The month goes on: submit it from ${found.periodEnd} on`, 'id')
  await requireTurn(context, tx, found)
  // Nobody stands for a sum that they have not seen.
  if (await reckon(context, tx, found))
    tx.fail(
      'STALE_VERSION',
      'Sales or rules have changed: it is reckoned anew tonight, or with recalculateSalesPerformance; read it again then',
      'expectedVersion',
    )
  return tx.update(SalesPerformance, found.id, null, {
    status: 'SUBMITTED',
    submittedById: viewer!.userId,
    submittedAt: now,
  })
}

export async function approvePerformance(context: SubgraphContext, tx: Tx, change: Change) {
  const found = await lock(context, tx, change, ['SUBMITTED'])
  requireOthers(context, tx, found)
  if (found.submittedById === context.viewer?.userId)
    tx.fail('SECOND_PERSON_NEEDED', 'You submitted it: somebody else must approve it', 'id')
  const told = { code: 'SECOND_PERSON_NEEDED', field: 'id', isPrepared: true } as const
  await requireOwnHand(context, tx, [found.submittedById], told)
  await requireOwnHand(context, tx, [found.userId], gaining)
  await requireTurn(context, tx, found)
  return tx.update(SalesPerformance, found.id, change.expectedVersion, {
    status: 'APPROVED',
    approvedById: context.viewer!.userId,
    approvedAt: context.clock.now().toISOString(),
  })
}

export async function disputePerformance(
  context: SubgraphContext,
  tx: Tx,
  { disputeReason, ...change }: Change & { disputeReason: string },
) {
  const found = await lock(context, tx, change, ['DRAFT', 'SUBMITTED'])
  const { viewer } = context
  const isTheirs = found.userId === viewer?.userId || found.managerId === viewer?.userId
  if (!isTheirs && !viewer?.scopes.has('finance:commission:approve'))
    tx.fail('PERMISSION_NOT_HELD', 'The seller disputes it, who leads the team, or who approves', 'id')
  return tx.update(SalesPerformance, found.id, change.expectedVersion, {
    status: 'DISPUTED',
    disputeReason,
    disputedAt: context.clock.now().toISOString(),
    submittedById: null,
    submittedAt: null,
  })
}

/** Finds what is approved of the seller before a month, and what any other month takes back. */
const findDue = `
  SELECT p.id, p.commission::text FROM finance.sales_performances p
   WHERE p.tenant_id = $1 AND p.user_id = $2 AND p.currency = $3 AND p.status = 'APPROVED' AND p.id <> $4
     AND (p.period_start < $5 OR p.commission < 0) ORDER BY p.period_start`

/**
 * Pays what is approved, with what is approved of the seller before it and what other months take back: one expense, booked now.
 * Nothing is taken back but from what is paid: a sum of less than nothing waits for a later month.
 */
export async function payPerformance(context: SubgraphContext, tx: Tx, change: Change) {
  const found = await lock(context, tx, change, ['APPROVED'])
  requireOthers(context, tx, found)
  await requireOwnHand(context, tx, [found.userId], gaining)
  const { userId, currency, periodStart } = found
  const values = [context.binding.tenantId, userId, currency, found.id, periodStart]
  const others = (await tx.rows(prepared(findDue, values))) as [string, string][]
  const sum = others.reduce((due, [, commission]) => due + BigInt(commission), BigInt(found.commission))
  if (sum < 0n) {
    const { amount } = money(String(sum), currency)
    const message = `What is due comes to ${amount} ${currency}: a later month that makes up for it is paid with this one`
    tx.fail('INVALID_STATUS', message, 'id')
  }
  const paidAt = context.clock.now().toISOString()
  let transactionId: string | null = null
  if (sum > 0n) {
    await requireOpenPeriod(context, tx, dayOf(paidAt), undefined)
    const paid = await tx.insert(Transaction, {
      // Whoever reads transactions does not learn from it whose it is, or of when.
      transactionNumber: `PAYOUT-${uuidv7(context.clock.now().getTime())}`,
      type: 'EXPENSE',
      category: 'Commission',
      amount: String(sum),
      currency,
      occurredAt: paidAt,
    })
    await bookTransaction(context, tx, paid, null)
    transactionId = paid.id
  }
  const changes = { status: 'PAID', paidAt, transactionId } as const
  for (const [id] of others) await tx.update(SalesPerformance, id, null, changes)
  return tx.update(SalesPerformance, found.id, change.expectedVersion, changes)
}
