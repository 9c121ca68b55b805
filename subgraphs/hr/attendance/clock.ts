import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { AttendanceRecord } from '../entities/AttendanceRecord'
import { Employee } from '../entities/Employee'
import type { ClockInInput, CreateAttendanceRecordInput, HrUserErrorCode } from '../generated'
import { approverOf } from '../manager-line'
import { referred, requireOthers } from '../own-employment'
import {
  endedBreaks,
  isSamePunch,
  longestOpenMs,
  minutesOfBreaks,
  samePunchMs,
  workedMinutes,
} from '../rules/attendance-time'
import { endSessionOf } from '../remote-work/end-session'
import { isOwn } from '../rules/employment'
import { dayIn } from '../rules/zone-time'
import { requireEmployment, requireNoLeave, requireTimes, zoneOf } from './attendance-rules'
import { requireOpenDays } from './closing'

type Tx = MutationTransaction<HrUserErrorCode>

const mostBreaks = 50
const openRecord = `SELECT id FROM hr.attendance_records
  WHERE tenant_id = $1 AND employee_id = $2 AND status = 'OPEN'`
const justEnded = `SELECT id FROM hr.attendance_records
  WHERE tenant_id = $1 AND employee_id = $2 AND status = 'COMPLETE' AND source <> 'MANUAL' AND clock_out_at >= $3
  ORDER BY clock_in_at DESC LIMIT 1`

/** The employee, locked: punches of one employee come one after the other, however many clocks there are. */
async function lockEmployee({ viewer }: SubgraphContext, tx: Tx, id: string): Promise<Employee> {
  const employee = await referred(tx, Employee, id, 'employeeId')
  const isViewers = isOwn(employee, viewer?.userId)
  const needed =
    isViewers && viewer?.scopes.has('hr:attendance:record') ? 'hr:attendance:record' : 'hr:attendance:write'
  if (!viewer?.scopes.has(needed)) tx.fail('PERMISSION_NOT_HELD', `You lack ${needed}`, 'employeeId')
  return employee
}

/** The user who records for somebody else; null where the employee does. */
const authorOf = ({ viewer }: SubgraphContext, employee: Employee): string | null =>
  isOwn(employee, viewer?.userId) ? null : viewer!.userId

/** The authors of a record, with who records now. */
function authorsOf(
  context: SubgraphContext,
  employee: Employee,
  { authorIds }: Pick<AttendanceRecord, 'authorIds'>,
): string[] {
  const author = authorOf(context, employee)
  return author === null || authorIds.includes(author) ? authorIds : [...authorIds, author]
}

/** The record of the employee that is open, locked; null when there is none. */
export async function findOpen(
  { binding }: SubgraphContext,
  tx: Tx,
  employeeId: string,
): Promise<AttendanceRecord | null> {
  const [row] = await tx.rows(prepared(openRecord, [binding.tenantId, employeeId]))
  return row ? tx.find(AttendanceRecord, String(row[0])) : null
}

/** Tells whether work has gone on for longer than anybody works. */
export function isForgotten({ clockInAt }: Pick<AttendanceRecord, 'clockInAt'>, now: Date): boolean {
  return now.getTime() - Date.parse(clockInAt) > longestOpenMs
}

/** The open record, which must be there, and not forgotten. */
function requireOpen(tx: Tx, record: AttendanceRecord | null, now: Date): AttendanceRecord {
  if (!record) tx.fail('WRONG_STATUS', 'The employee is not at work: clock in first', 'employeeId')
  if (isForgotten(record, now))
    tx.fail(
      'WRONG_STATUS',
      `The work began at ${record.clockInAt}, more than 16 hours ago: ask for a correction of that record`,
      'employeeId',
    )
  return record
}

/** Begins work at this instant. */
export async function clockIn(
  context: SubgraphContext,
  tx: Tx,
  { employeeId, timeZone, source = 'WEB', despiteLeave = false }: ClockInInput,
): Promise<AttendanceRecord> {
  const employee = await lockEmployee(context, tx, employeeId)
  if (!['WEB', 'MOBILE'].includes(source) && !context.viewer?.scopes.has('hr:attendance:write'))
    tx.fail('PERMISSION_NOT_HELD', 'You lack hr:attendance:write: source is WEB or MOBILE without', 'source')
  const now = context.clock.now()
  const open = await findOpen(context, tx, employee.id)
  if (open) {
    if (isSamePunch(open.clockInAt, now)) return open
    if (!isForgotten(open, now))
      tx.fail(
        'WRONG_STATUS',
        `The work that began at ${open.clockInAt} goes on: clock out first`,
        'employeeId',
      )
    await tx.update(AttendanceRecord, open.id, null, { status: 'INCOMPLETE' })
  }
  const clockInAt = now.toISOString()
  const zone = await zoneOf(context, tx, employee.id, clockInAt, timeZone)
  const workDate = dayIn(zone, now)
  if (!employee.isActive) tx.fail('NOT_EMPLOYED', 'This employee has left', 'employeeId')
  requireEmployment(tx, employee, workDate, 'employeeId')
  const isDespiteLeave = await requireNoLeave(context, tx, employee.id, workDate, despiteLeave)
  return tx.insert(AttendanceRecord, {
    employeeId: employee.id,
    workDate,
    clockInAt,
    timeZone: zone,
    source,
    isDespiteLeave,
    recordedById: authorOf(context, employee),
    authorIds: authorsOf(context, employee, { authorIds: [] }),
    approverId: await approverOf(context, tx, employee),
    userId: employee.userId,
  })
}

/** Ends work at this instant, with the break and the remote work that go on. */
export async function clockOut(
  context: SubgraphContext,
  tx: Tx,
  employeeId: string,
): Promise<AttendanceRecord> {
  const employee = await lockEmployee(context, tx, employeeId)
  const now = context.clock.now()
  const open = await findOpen(context, tx, employee.id)
  if (!open) {
    const since = new Date(now.getTime() - samePunchMs).toISOString()
    const [last] = await tx.rows(prepared(justEnded, [context.binding.tenantId, employee.id, since]))
    if (last) return tx.find(AttendanceRecord, String(last[0]))
  }
  const record = requireOpen(tx, open, now)
  const clockOutAt = now.toISOString()
  const breaks = endedBreaks(record.breaks, clockOutAt)
  const breakMinutes = minutesOfBreaks(breaks)
  const worked = workedMinutes({ clockInAt: record.clockInAt, clockOutAt, breakMinutes })
  const changes = { clockOutAt, breaks, breakMinutes, workedMinutes: worked, status: 'COMPLETE' } as const
  const authorIds = authorsOf(context, employee, record)
  await endSessionOf(context, tx, employee.id)
  return tx.update(AttendanceRecord, record.id, null, { ...changes, authorIds })
}

/** Begins a break at this instant. */
export async function startBreak(
  context: SubgraphContext,
  tx: Tx,
  employeeId: string,
): Promise<AttendanceRecord> {
  const employee = await lockEmployee(context, tx, employeeId)
  const now = context.clock.now()
  const record = requireOpen(tx, await findOpen(context, tx, employee.id), now)
  const last = record.breaks.at(-1)
  if (last?.endedAt === null) {
    if (isSamePunch(last.startedAt, now)) return record
    tx.fail('WRONG_STATUS', `The break that began at ${last.startedAt} goes on: end it first`, 'employeeId')
  }
  if (record.breaks.length >= mostBreaks)
    tx.fail('WRONG_STATUS', `A record has ${mostBreaks} breaks at most: clock out instead`, 'employeeId')
  const breaks = [...record.breaks, { startedAt: now.toISOString(), endedAt: null }]
  const authorIds = authorsOf(context, employee, record)
  return tx.update(AttendanceRecord, record.id, null, { breaks, authorIds })
}

/** Ends the break at this instant. */
export async function endBreak(
  context: SubgraphContext,
  tx: Tx,
  employeeId: string,
): Promise<AttendanceRecord> {
  const employee = await lockEmployee(context, tx, employeeId)
  const now = context.clock.now()
  const record = requireOpen(tx, await findOpen(context, tx, employee.id), now)
  const last = record.breaks.at(-1)
  if (last?.endedAt && isSamePunch(last.endedAt, now)) return record
  if (last?.endedAt !== null) tx.fail('WRONG_STATUS', 'There is no break: start it first', 'employeeId')
  const breaks = endedBreaks(record.breaks, now.toISOString())
  const breakMinutes = minutesOfBreaks(breaks)
  const authorIds = authorsOf(context, employee, record)
  return tx.update(AttendanceRecord, record.id, null, { breaks, breakMinutes, authorIds })
}

/** Adds work that no clock recorded, of somebody else. */
export async function addAttendance(
  context: SubgraphContext,
  tx: Tx,
  input: CreateAttendanceRecordInput,
): Promise<AttendanceRecord> {
  const { clockInAt, clockOutAt, breakMinutes = 0, despiteLeave = false, correctionReason } = input
  const employee = await requireOthers(context, tx, input.employeeId, 'employeeId', { isRecorded: true })
  const timeZone = await zoneOf(context, tx, employee.id, clockInAt, input.timeZone)
  const times = { clockInAt, clockOutAt, breakMinutes }
  const workDate = await requireTimes(context, tx, employee, times, timeZone, null)
  if (correctionReason === '') tx.fail('INVALID', 'correctionReason must not be empty', 'correctionReason')
  await requireOpenDays(context, tx, [workDate], 'clockInAt')
  return tx.insert(AttendanceRecord, {
    ...times,
    employeeId: employee.id,
    workDate,
    timeZone,
    workedMinutes: workedMinutes(times),
    source: 'MANUAL',
    status: 'COMPLETE',
    isDespiteLeave: await requireNoLeave(context, tx, employee.id, workDate, despiteLeave),
    correctionReason,
    correctedById: context.viewer!.userId,
    recordedById: context.viewer!.userId,
    authorIds: [context.viewer!.userId],
    approverId: await approverOf(context, tx, employee),
    userId: employee.userId,
  })
}
