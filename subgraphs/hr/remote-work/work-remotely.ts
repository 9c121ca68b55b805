import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { requireEmployment, zoneOf } from '../attendance/attendance-rules'
import { clockIn, clockOut, findOpen, isForgotten } from '../attendance/clock'
import { lockDecided, type Change, type Decided } from '../decided-row'
import { Employee } from '../entities/Employee'
import { RemoteWorkSession } from '../entities/RemoteWorkSession'
import type { HrUserErrorCode, StartRemoteWorkSessionInput } from '../generated'
import { referred } from '../own-employment'
import { isSamePunch } from '../rules/attendance-time'
import { isOwn } from '../rules/employment'
import { dayIn } from '../rules/zone-time'
import { endSession, findOpenSession, isSessionForgotten } from './end-session'
import { remoteRuleOn, requireQuota } from './quota'

type Tx = MutationTransaction<HrUserErrorCode>

const grantedText = `SELECT id FROM hr.remote_work_sessions
  WHERE tenant_id = $1 AND employee_id = $2 AND work_date = $3 AND kind = $4 AND country_code = $5 AND status = 'APPROVED'`

export const remoteWork: Decided<RemoteWorkSession> = {
  entity: RemoteWorkSession,
  employeeText: 'SELECT employee_id FROM hr.remote_work_sessions WHERE tenant_id = $1 AND id = $2',
  noun: 'session',
  read: 'hr:remote:read',
}

/** The employee, locked, for whom the viewer may record remote work: so it is written one after the other. */
export async function lockRemoteEmployee(
  { viewer }: SubgraphContext,
  tx: Tx,
  id: string,
): Promise<{ employee: Employee; requestedById: string | null }> {
  const employee = await referred(tx, Employee, id, 'employeeId')
  const isViewers = isOwn(employee, viewer?.userId)
  const needed = isViewers && viewer?.scopes.has('hr:remote:record') ? 'hr:remote:record' : 'hr:remote:write'
  if (!viewer?.scopes.has(needed)) tx.fail('PERMISSION_NOT_HELD', `You lack ${needed}`, 'employeeId')
  if (!employee.isActive) tx.fail('NOT_EMPLOYED', 'This employee has left', 'employeeId')
  return { employee, requestedById: isViewers ? null : viewer.userId }
}

/** Begins remote work at this instant: within the attendance that is open, or with one that it begins. */
export async function startRemoteWork(
  context: SubgraphContext,
  tx: Tx,
  input: StartRemoteWorkSessionInput,
): Promise<RemoteWorkSession> {
  const { kind, countryCode, place, note, despiteLeave = false } = input
  const { employee, requestedById } = await lockRemoteEmployee(context, tx, input.employeeId)
  const now = context.clock.now()
  const open = await findOpenSession(context, tx, employee.id)
  if (open && isSamePunch(open.startedAt, now)) return tx.find(RemoteWorkSession, open.id)
  if (open && !isSessionForgotten(open, now))
    tx.fail('WRONG_STATUS', `The session that began at ${open.startedAt} goes on: end it first`, 'employeeId')
  if (open) await endSession(context, tx, open)
  const startedAt = now.toISOString()
  const timeZone = await zoneOf(context, tx, employee.id, startedAt, input.timeZone)
  const workDate = dayIn(timeZone, now)
  requireEmployment(tx, employee, workDate, 'employeeId')
  const values = [context.binding.tenantId, employee.id, workDate, kind, countryCode]
  const [granted] = await tx.rows(prepared(grantedText, values))
  const rule = await remoteRuleOn(context, tx, kind, workDate)
  if (rule.needsApproval && !granted)
    tx.fail(
      'WRONG_STATUS',
      `${kind} takes approval: ask for ${workDate} in ${countryCode}, and have it granted`,
      'kind',
    )
  // What is granted was counted when it was asked for.
  if (!granted)
    await requireQuota(
      context,
      tx,
      employee.id,
      { ...rule, kind, workDate },
      ['REQUESTED', 'APPROVED'],
      'kind',
    )
  const attendance = await findOpen(context, tx, employee.id)
  const isWithin = attendance !== null && !isForgotten(attendance, now)
  const record = isWithin
    ? attendance
    : await clockIn(context, tx, { employeeId: employee.id, timeZone, source: 'WEB', despiteLeave })
  const begun = {
    attendanceId: record.id,
    startedAt,
    lastDate: workDate,
    timeZone,
    status: 'OPEN',
    makesAttendance: !isWithin,
    place,
    note,
  } as const
  if (granted) return tx.update(RemoteWorkSession, String(granted[0]), null, begun)
  return tx.insert(RemoteWorkSession, {
    ...begun,
    employeeId: employee.id,
    workDate,
    kind,
    countryCode,
    requestedById,
    // Nobody has to decide about it, so it is shown to nobody who would.
    approverId: null,
    userId: employee.userId,
  })
}

/** Ends remote work at this instant, and the attendance that it began. */
export async function endRemoteWork(
  context: SubgraphContext,
  tx: Tx,
  change: Change,
): Promise<RemoteWorkSession> {
  const { record, employee, isViewers, mayAct } = await lockDecided(
    context,
    tx,
    remoteWork,
    change,
    'hr:remote:write',
  )
  if (!isViewers && !mayAct) tx.fail('PERMISSION_NOT_HELD', 'You lack hr:remote:write', 'id')
  if (record.status !== 'OPEN')
    tx.fail('WRONG_STATUS', `The session is ${record.status}: that is for OPEN`, 'id')
  const now = context.clock.now()
  await endSession(context, tx, { ...record, startedAt: record.startedAt! })
  const attendance = record.makesAttendance ? await findOpen(context, tx, employee.id) : null
  if (attendance?.id === record.attendanceId && !isForgotten(attendance!, now))
    await clockOut(context, tx, employee.id)
  return tx.find(RemoteWorkSession, record.id)
}
