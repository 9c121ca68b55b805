import type { SubgraphContext } from '../../../kernel/context'
import { isUuid } from '../../../kernel/id'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { Employee } from '../entities/Employee'
import { LeaveRequest, type LeaveStatus } from '../entities/LeaveRequest'
import { LeaveType } from '../entities/LeaveType'
import type { HrUserErrorCode } from '../generated'
import { requireNotOwn } from '../own-employment'
import { isOwn } from '../rules/employment'
import { giveBack, requireBalance, useDays } from './ledger'
import { nameApprover } from './own-leave'
import { todayOf } from './request-leave'

const employeeOfRequest = 'SELECT employee_id FROM hr.leave_requests WHERE tenant_id = $1 AND id = $2'

type Tx = MutationTransaction<HrUserErrorCode>

interface Change {
  id: string
  expectedVersion: number
}

/** A request with its employee, both locked: the employee first, as whoever asks for leave does. */
async function lock(context: SubgraphContext, tx: Tx, { id, expectedVersion }: Change, scope: string) {
  const { viewer, binding } = context
  const [row] = isUuid(id) ? await tx.rows(prepared(employeeOfRequest, [binding.tenantId, id])) : []
  const employee = row ? await tx.find(Employee, String(row[0])) : null
  const request = await tx.find(LeaveRequest, id)
  if (!employee) tx.fail('NOT_FOUND', 'There is no record with this id', 'id')
  const isViewers = isOwn(employee, viewer?.userId)
  const mayAct = viewer?.scopes.has(scope) === true
  const isSeen = isViewers || request.approverId === viewer?.userId || viewer?.scopes.has('hr:leave:read')
  if (!mayAct && !isSeen) tx.fail('NOT_FOUND', 'There is no record with this id', 'id')
  // A version that nobody saw is not judged.
  if (request.version !== expectedVersion)
    tx.fail('STALE_VERSION', `The record is at version ${request.version}: read it again`, 'expectedVersion')
  return { request, employee, isViewers, mayAct }
}

/** A request that waits, for somebody who may decide about it: its approver, or who decides about all; never its employee. */
async function lockForDecision(context: SubgraphContext, tx: Tx, change: Change) {
  const { request, employee, mayAct } = await lock(context, tx, change, 'hr:leave:approve')
  await requireNotOwn(context, tx, employee, { field: 'id', what: 'your own leave' })
  if (!mayAct && request.approverId !== context.viewer?.userId)
    tx.fail('PERMISSION_NOT_HELD', 'You lack hr:leave:approve, and somebody else is to decide', 'id')
  requireStatus(tx, request, ['PENDING'])
  return { request, employee }
}

function requireStatus(tx: Tx, { status }: LeaveRequest, allowed: readonly LeaveStatus[]): void {
  if (!allowed.includes(status))
    tx.fail('WRONG_STATUS', `The request is ${status}: that is for ${allowed.join(' and ')} alone`, 'id')
}

/** Grants leave: its days go into the ledger. */
export async function approveLeave(context: SubgraphContext, tx: Tx, change: Change): Promise<LeaveRequest> {
  const { request, employee } = await lockForDecision(context, tx, change)
  const decidedAt = context.clock.now().toISOString()
  const changes = { status: 'APPROVED', decidedAt } as const
  const granted = await tx.update(LeaveRequest, request.id, change.expectedVersion, changes)
  const type = await tx.find(LeaveType, request.leaveTypeId)
  await requireBalance(context, tx, employee.id, type, request.parts, request.id)
  await useDays(context, tx, employee, granted, granted.parts)
  return granted
}

/** Refuses leave. */
export async function rejectLeave(
  context: SubgraphContext,
  tx: Tx,
  change: Change & { decisionNote: string },
): Promise<LeaveRequest> {
  const { request } = await lockForDecision(context, tx, change)
  const decidedAt = context.clock.now().toISOString()
  const { decisionNote } = change
  if (decisionNote === '') tx.fail('INVALID', 'decisionNote must not be empty', 'decisionNote')
  const changes = { status: 'REJECTED', decidedAt, decisionNote } as const
  return tx.update(LeaveRequest, request.id, change.expectedVersion, changes)
}

/** Takes leave back before it begins. */
export async function cancelLeave(context: SubgraphContext, tx: Tx, change: Change): Promise<LeaveRequest> {
  const { request, employee, isViewers, mayAct } = await lock(context, tx, change, 'hr:leave:write')
  if (!isViewers && !mayAct) tx.fail('PERMISSION_NOT_HELD', 'You lack hr:leave:write', 'id')
  requireStatus(tx, request, ['PENDING', 'APPROVED'])
  if (request.status === 'APPROVED' && request.startDate <= (await todayOf(context, tx, employee.id)))
    tx.fail('WRONG_STATUS', 'The leave has begun: somebody with hr:leave:write can revoke it', 'id')
  const changed = await tx.update(LeaveRequest, request.id, change.expectedVersion, { status: 'CANCELLED' })
  await giveBack(context, tx, employee, changed)
  return changed
}

/** Takes granted leave back, whenever it was. */
export async function revokeLeave(
  context: SubgraphContext,
  tx: Tx,
  { id, expectedVersion, decisionNote }: Change & { decisionNote: string },
): Promise<LeaveRequest> {
  const { request, employee } = await lock(context, tx, { id, expectedVersion }, 'hr:leave:write')
  await requireNotOwn(context, tx, employee, { field: 'id', what: 'your own leave' })
  requireStatus(tx, request, ['APPROVED'])
  if (decisionNote === '') tx.fail('INVALID', 'decisionNote must not be empty', 'decisionNote')
  const changed = await tx.update(LeaveRequest, id, expectedVersion, { status: 'REVOKED', decisionNote })
  await giveBack(context, tx, employee, changed)
  return changed
}

/** Hands the decision on: to nobody who is the employee, handed it on before, or does it. */
export async function delegateLeave(
  context: SubgraphContext,
  tx: Tx,
  { id, expectedVersion, approverId }: Change & { approverId: string },
): Promise<LeaveRequest> {
  const { request, employee } = await lockForDecision(context, tx, { id, expectedVersion })
  if (!isUuid(approverId)) tx.fail('REFERENCE_NOT_FOUND', 'approverId is not an id', 'approverId')
  const wanted = approverId.toLowerCase()
  const former = request.approverId
  if (wanted === employee.userId) tx.fail('INVALID', 'approverId must not be the employee', 'approverId')
  if (wanted === context.viewer?.userId)
    tx.fail('OWN_RECORD', 'You can decide yourself already', 'approverId')
  if (wanted === former || request.handedOnBy.includes(wanted))
    tx.fail('INVALID', 'approverId has handed it on already: name somebody else', 'approverId')
  const handedOnBy = [...request.handedOnBy, ...(former ? [former] : [])]
  const along = { updatedAt: context.clock.now().toISOString() }
  const changed = await tx.update(LeaveRequest, id, expectedVersion, { handedOnBy, ...along })
  return nameApprover(context, tx, changed, wanted)
}
