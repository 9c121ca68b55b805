import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { requireOwnHand } from '../../../kernel/second-person'
import { prepared } from '../../../kernel/statement'
import { lockDecided, lockForDecision, type Change, type Decided } from '../decided-row'
import { Employee } from '../entities/Employee'
import { LeaveType } from '../entities/LeaveType'
import { OvertimeRecord } from '../entities/OvertimeRecord'
import type {
  CompensateOvertimeRecordInput,
  CreateOvertimeRecordInput,
  HrUserErrorCode,
  ProposeOvertimeInput,
} from '../generated'
import { addEntries } from '../leave/ledger'
import { approverOf, todayOf } from '../leave/request-leave'
import { referred } from '../own-employment'
import { isOwn } from '../rules/employment'
import { decimalOf } from '../rules/hundredths'
import { roundedDown, ruleOn, timeOff } from '../rules/overtime'
import { calendarOn } from '../rules/working-days'
import { calendarsOf } from '../working-days'
import { proposeWeek, rulesOf } from './propose'

type Tx = MutationTransaction<HrUserErrorCode>

const overtime: Decided<OvertimeRecord> = {
  entity: OvertimeRecord,
  employeeText: 'SELECT employee_id FROM hr.overtime_records WHERE tenant_id = $1 AND id = $2',
  noun: 'record',
  read: 'hr:overtime:read',
}
/** Minutes of the day that are worked, and that are overtime already; the work that ended last. */
const roomText = `
  SELECT coalesce(sum(a.worked_minutes), 0)::int,
         (SELECT coalesce(sum(o.minutes), 0)::int FROM hr.overtime_records o
           WHERE o.tenant_id = $1 AND o.employee_id = $2 AND o.work_date = $3 AND o.status <> 'REJECTED' AND o.id <> $4),
         (array_agg(a.id ORDER BY a.clock_in_at DESC))[1]
    FROM hr.attendance_records a
   WHERE a.tenant_id = $1 AND a.employee_id = $2 AND a.work_date = $3 AND a.clock_out_at IS NOT NULL`
const weekMinutes = `
  SELECT coalesce(sum(worked_minutes), 0)::int FROM hr.attendance_records
   WHERE tenant_id = $1 AND employee_id = $2 AND work_date BETWEEN date_trunc('week', $3::date)::date AND $3::date`
const none = '00000000-0000-0000-0000-000000000000'

/** Looks for the overtime of a week at once. */
export async function propose(
  context: SubgraphContext,
  tx: Tx,
  { employeeId, day }: ProposeOvertimeInput,
): Promise<Employee> {
  const employee = await referred(tx, Employee, employeeId, 'employeeId')
  if ((await rulesOf(context, tx, day)).length === 0)
    tx.fail('INVALID', `No rule of overtime holds on ${day}: add one first`, 'day')
  await proposeWeek(context, tx, employee, day)
  return employee
}

/** Ends the mutation when a day would have more overtime than work: no minute is counted twice. */
async function requireRoom(
  { binding }: SubgraphContext,
  tx: Tx,
  employee: Employee,
  { workDate, minutes, id = none }: { workDate: string; minutes: number; id?: string },
  field: string,
): Promise<string> {
  const [row] = await tx.rows(prepared(roomText, [binding.tenantId, employee.id, workDate, id]))
  const [worked, taken, attendanceId] = row as [number, number, string | null]
  if (attendanceId === null)
    tx.fail('INVALID', `No attendance of ${workDate} has ended: record the work first`, field)
  if (taken + minutes > worked)
    tx.fail(
      'INVALID',
      `${worked} minutes were worked on ${workDate}, of which ${taken} are overtime already`,
      field,
    )
  return attendanceId
}

/** Asks for overtime, of which somebody else decides. */
export async function requestOvertime(
  context: SubgraphContext,
  tx: Tx,
  { employeeId, workDate, kind = 'DAILY', minutes: asked, reason }: CreateOvertimeRecordInput,
): Promise<OvertimeRecord> {
  const { viewer, binding } = context
  const employee = await referred(tx, Employee, employeeId, 'employeeId')
  const needed = isOwn(employee, viewer?.userId) ? 'hr:overtime:request' : 'hr:overtime:write'
  if (!viewer?.scopes.has(needed)) tx.fail('PERMISSION_NOT_HELD', `You lack ${needed}`, 'employeeId')
  if (reason === '') tx.fail('INVALID', 'reason must not be empty', 'reason')
  const rule = ruleOn(await rulesOf(context, tx, workDate), workDate)
  if (!rule) tx.fail('INVALID', `No rule of overtime holds on ${workDate}: have one added first`, 'workDate')
  const minutes = roundedDown(asked, rule)
  if (minutes <= 0)
    tx.fail('INVALID', `minutes must be ${rule.roundingMinutes} at least: less is rounded down`, 'minutes')
  const attendanceId = await requireRoom(context, tx, employee, { workDate, minutes }, 'minutes')
  const [week] = await tx.rows(prepared(weekMinutes, [binding.tenantId, employee.id, workDate]))
  return tx.insert(OvertimeRecord, {
    employeeId: employee.id,
    attendanceId,
    workDate,
    kind,
    minutes,
    exactMinutes: asked,
    factor: rule.factors[kind],
    isOverCap: Number(week![0]) > rule.weeklyCapMinutes,
    status: 'REQUESTED',
    reason,
    requestedById: viewer.userId,
    approverId: await approverOf(context, tx, employee),
    userId: employee.userId,
  })
}

/** Ends the mutation unless overtime waits for a decision. */
function requireWaiting(tx: Tx, { status }: OvertimeRecord): void {
  if (status !== 'PROPOSED' && status !== 'REQUESTED')
    tx.fail('WRONG_STATUS', `The record is ${status}: that is for PROPOSED and REQUESTED`, 'id')
}

/** Grants overtime. */
export async function approveOvertime(
  context: SubgraphContext,
  tx: Tx,
  change: Change,
): Promise<OvertimeRecord> {
  const found = await lockForDecision(context, tx, overtime, change, 'hr:overtime:approve')
  const { record, employee } = found
  requireWaiting(tx, record)
  if (record.requestedById === context.viewer?.userId)
    tx.fail('OWN_RECORD', 'Somebody else must do this: you asked for it', 'id')
  await requireOwnHand(context, tx, [record.requestedById], { code: 'OWN_RECORD', field: 'id' })
  await requireRoom(context, tx, employee, record, 'id')
  return tx.update(OvertimeRecord, record.id, change.expectedVersion, {
    status: 'APPROVED',
    approvedById: context.viewer!.userId,
    decidedAt: context.clock.now().toISOString(),
    decisionNote: null,
  })
}

/** Refuses overtime. */
export async function rejectOvertime(
  context: SubgraphContext,
  tx: Tx,
  { decisionNote, ...change }: Change & { decisionNote: string },
): Promise<OvertimeRecord> {
  const { record } = await lockForDecision(context, tx, overtime, change, 'hr:overtime:approve')
  requireWaiting(tx, record)
  if (decisionNote === '') tx.fail('INVALID', 'decisionNote must not be empty', 'decisionNote')
  return tx.update(OvertimeRecord, record.id, change.expectedVersion, {
    status: 'REJECTED',
    approvedById: context.viewer!.userId,
    decidedAt: context.clock.now().toISOString(),
    decisionNote,
  })
}

/** Compensates granted overtime, once. */
export async function compensateOvertime(
  context: SubgraphContext,
  tx: Tx,
  { compensation, leaveTypeId, ...change }: CompensateOvertimeRecordInput,
): Promise<OvertimeRecord> {
  const found = await lockDecided(context, tx, overtime, change, 'hr:overtime:write')
  const { record, employee } = found
  if (found.isViewers) tx.fail('OWN_RECORD', 'Somebody else must do this: it is your own work', 'id')
  await requireOwnHand(context, tx, [employee.userId], { code: 'OWN_RECORD', field: 'id' })
  if (record.status !== 'APPROVED')
    tx.fail('WRONG_STATUS', `The record is ${record.status}: that is for APPROVED`, 'id')
  if ((compensation === 'TIME') !== Boolean(leaveTypeId))
    tx.fail('INVALID', 'leaveTypeId is for TIME, which needs it', 'leaveTypeId')
  const leaveEntryId = leaveTypeId ? await giveTimeOff(context, tx, employee, record, leaveTypeId) : null
  return tx.update(OvertimeRecord, record.id, change.expectedVersion, {
    status: 'COMPENSATED',
    compensation,
    compensatedAt: context.clock.now().toISOString(),
    leaveEntryId,
  })
}

async function giveTimeOff(
  context: SubgraphContext,
  tx: Tx,
  employee: Employee,
  { workDate, minutes, factor, kind }: OvertimeRecord,
  leaveTypeId: string,
): Promise<string> {
  const type = await referred(tx, LeaveType, leaveTypeId, 'leaveTypeId')
  if (!type.isActive) tx.fail('INVALID', 'This kind of leave is closed: choose another', 'leaveTypeId')
  const { minutes: week } = calendarOn(await calendarsOf(context, tx, employee.id, workDate), workDate)
  const days = timeOff(minutes, factor, week)
  if (days === 0)
    tx.fail('INVALID', 'It is less than a hundredth of a day, or no day is worked: have it paid', 'id')
  const note = `Overtime of ${workDate}: ${minutes} minutes ${kind} by ${factor}`
  const effectiveOn = await todayOf(context, tx, employee.id)
  const entry = {
    leaveTypeId: type.id,
    kind: 'ADJUSTMENT' as const,
    days: decimalOf(days),
    effectiveOn,
    note,
  }
  const [made] = await addEntries(context, tx, employee, [entry])
  return made!.id
}
