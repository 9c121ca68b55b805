import type { SubgraphContext } from '../../../kernel/context'
import { isUuid } from '../../../kernel/id'
import type { MutationTransaction } from '../../../kernel/mutate'
import { bookTransaction } from '../book-transaction'
import { SalesPerformance, type SalesPerformanceStatus } from '../entities/SalesPerformance'
import { Transaction } from '../entities/Transaction'
import type { ComputeSalesPerformanceInput, FinanceUserErrorCode } from '../generated'
import { requireOpenPeriod } from '../open-period'
import { dayOf } from '../rules/entry'
import { lastManager, performanceOf, reckon } from './compute'

type Tx = MutationTransaction<FinanceUserErrorCode>

interface Change {
  id: string
  expectedVersion: number
}

/** A performance, locked, in one of some statuses; not found where the viewer does not see it. */
async function lock(
  context: SubgraphContext,
  tx: Tx,
  { id, expectedVersion }: Change,
  statuses: readonly SalesPerformanceStatus[],
): Promise<SalesPerformance> {
  const { viewer } = context
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
  const tenantId = context.binding.tenantId!
  const leads = managerId ?? (await lastManager(tx, tenantId, userId, periodStart))
  const found = await performanceOf(context, tx, { userId, periodStart, currency, managerId: leads })
  if (managerId && found.managerId !== managerId.toLowerCase())
    tx.fail('INVALID', 'managerId stays as it was when this performance was first reckoned', 'managerId')
  if (found.status !== 'DRAFT' && found.status !== 'DISPUTED')
    tx.fail('INVALID_STATUS', `This performance is ${found.status}: what changed comes with the next month`)
  await reckon(context, tx, found)
  return tx.find(SalesPerformance, found.id)
}

export async function recalculatePerformance(context: SubgraphContext, tx: Tx, change: Change) {
  const found = await lock(context, tx, change, ['DRAFT', 'DISPUTED'])
  await reckon(context, tx, found)
  return tx.find(SalesPerformance, found.id)
}

export async function submitPerformance(context: SubgraphContext, tx: Tx, change: Change) {
  const found = await lock(context, tx, change, ['DRAFT'])
  const { viewer, clock } = context
  if (found.userId !== viewer?.userId && !viewer?.scopes.has('finance:commission:write'))
    tx.fail('PERMISSION_NOT_HELD', 'You lack finance:commission:write: it is not your own', 'id')
  const now = clock.now().toISOString()
  if (dayOf(now) < found.periodEnd)
    tx.fail('INVALID_STATUS', `The month goes on: submit it from ${found.periodEnd} on`, 'id')
  // What has changed since it was reckoned last is reckoned before somebody stands for it.
  await reckon(context, tx, found)
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

/** Pays what is approved: one expense, booked now. */
export async function payPerformance(context: SubgraphContext, tx: Tx, change: Change) {
  const found = await lock(context, tx, change, ['APPROVED'])
  requireOthers(context, tx, found)
  const paidAt = context.clock.now().toISOString()
  let transactionId: string | null = null
  if (found.commission !== '0') {
    await requireOpenPeriod(context, tx, dayOf(paidAt), undefined)
    const paid = await tx.insert(Transaction, {
      transactionNumber: `COMMISSION-${found.periodStart.slice(0, 7)}-${found.id}`,
      type: 'EXPENSE',
      category: 'Commission',
      amount: found.commission,
      currency: found.currency,
      occurredAt: paidAt,
    })
    await bookTransaction(context, tx, paid, null)
    transactionId = paid.id
  }
  const changes = { status: 'PAID', paidAt, transactionId } as const
  return tx.update(SalesPerformance, found.id, change.expectedVersion, changes)
}
