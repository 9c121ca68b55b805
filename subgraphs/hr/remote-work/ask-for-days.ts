import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { requireOwnHand } from '../../../kernel/second-person'
import { requireEmployment, zoneOf } from '../attendance/attendance-rules'
import { lockDecided, lockForDecision, type Change } from '../decided-row'
import type { Employee } from '../entities/Employee'
import { RemoteWorkSession, type RemoteStatus } from '../entities/RemoteWorkSession'
import type { HrUserErrorCode, RequestRemoteWorkSessionInput } from '../generated'
import { approverOf } from '../manager-line'
import { loginsOf } from '../rules/employment'
import { dayIn } from '../rules/zone-time'
import { remoteRuleOn, requireQuota } from './quota'
import { lockRemoteEmployee, remoteWork } from './work-remotely'

type Tx = MutationTransaction<HrUserErrorCode>

/** Asks for a day of remote work, of which somebody else decides. */
export async function requestRemoteDay(
  context: SubgraphContext,
  tx: Tx,
  input: RequestRemoteWorkSessionInput,
): Promise<RemoteWorkSession> {
  const { workDate, kind, countryCode, place = null, note = null } = input
  const { employee, requestedById } = await lockRemoteEmployee(context, tx, input.employeeId)
  const timeZone = await zoneOf(context, tx, employee.id, `${workDate}T12:00:00.000Z`, input.timeZone)
  const today = dayIn(timeZone, context.clock.now())
  if (workDate < today) tx.fail('INVALID', `workDate must not have passed: it is ${today} there`, 'workDate')
  requireEmployment(tx, employee, workDate, 'workDate')
  const rule = await remoteRuleOn(context, tx, kind, workDate)
  await requireQuota(
    context,
    tx,
    employee.id,
    { ...rule, kind, workDate },
    ['REQUESTED', 'APPROVED'],
    'workDate',
  )
  return tx.insert(RemoteWorkSession, {
    employeeId: employee.id,
    workDate,
    lastDate: workDate,
    timeZone,
    countryCode,
    place,
    kind,
    status: 'REQUESTED',
    note,
    requestedById,
    approverId: await approverOf(context, tx, employee),
    userId: employee.userId,
  })
}

function requireStatus(tx: Tx, { status }: RemoteWorkSession, allowed: readonly RemoteStatus[]): void {
  if (!allowed.includes(status))
    tx.fail('WRONG_STATUS', `The session is ${status}: that is for ${allowed.join(' and ')}`, 'id')
}

/** Ends the mutation when the viewer asked for the day of somebody else, or is in the hand of who did. */
async function requireOtherThanAsker(
  context: SubgraphContext,
  tx: Tx,
  { requestedById }: RemoteWorkSession,
  employee: Employee,
): Promise<void> {
  if (requestedById !== null && requestedById === context.viewer?.userId)
    tx.fail('OWN_RECORD', 'Somebody else must do this: you asked for it', 'id')
  // Whose work it is gains by it, and was asked about.
  const asked = [requestedById].filter((id) => id !== null && !loginsOf(employee).includes(id))
  await requireOwnHand(context, tx, asked, { code: 'OWN_RECORD', field: 'id', isPrepared: true })
}

/** Grants a day. */
export async function approveRemoteDay(
  context: SubgraphContext,
  tx: Tx,
  change: Change,
): Promise<RemoteWorkSession> {
  const { record, employee } = await lockForDecision(context, tx, remoteWork, change, 'hr:remote:approve')
  requireStatus(tx, record, ['REQUESTED'])
  await requireOtherThanAsker(context, tx, record, employee)
  const { kind, workDate } = record
  const rule = await remoteRuleOn(context, tx, kind, workDate)
  // The rule may have changed since.
  await requireQuota(context, tx, employee.id, { ...rule, kind, workDate }, ['APPROVED'], 'id')
  return tx.update(RemoteWorkSession, record.id, change.expectedVersion, {
    status: 'APPROVED',
    approvedById: context.viewer!.userId,
    decidedAt: context.clock.now().toISOString(),
  })
}

/** Refuses a day. */
export async function rejectRemoteDay(
  context: SubgraphContext,
  tx: Tx,
  { decisionNote, ...change }: Change & { decisionNote: string },
): Promise<RemoteWorkSession> {
  const { record } = await lockForDecision(context, tx, remoteWork, change, 'hr:remote:approve')
  requireStatus(tx, record, ['REQUESTED'])
  if (decisionNote === '') tx.fail('INVALID', 'decisionNote must not be empty', 'decisionNote')
  return tx.update(RemoteWorkSession, record.id, change.expectedVersion, {
    status: 'REJECTED',
    approvedById: context.viewer!.userId,
    decidedAt: context.clock.now().toISOString(),
    decisionNote,
  })
}

/** Gives a day back that has not begun. */
export async function cancelRemoteDay(
  context: SubgraphContext,
  tx: Tx,
  change: Change,
): Promise<RemoteWorkSession> {
  const found = await lockDecided(context, tx, remoteWork, change, 'hr:remote:write')
  if (!found.isViewers && !found.mayAct) tx.fail('PERMISSION_NOT_HELD', 'You lack hr:remote:write', 'id')
  requireStatus(tx, found.record, ['REQUESTED', 'APPROVED'])
  return tx.update(RemoteWorkSession, found.record.id, change.expectedVersion, { status: 'CANCELLED' })
}
