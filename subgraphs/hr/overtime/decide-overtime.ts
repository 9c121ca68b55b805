import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { requireOwnHand } from '../../../kernel/second-person'
import { prepared } from '../../../kernel/statement'
import { closedThrough, requireOpenDays } from '../attendance/closing'
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
import { todayOf } from '../leave/request-leave'
import { approverOf } from '../manager-line'
import { referred, requireNotOwn } from '../own-employment'
import { isOwn, loginsOf } from '../rules/employment'
import { decimalOf } from '../rules/hundredths'
import {
  roundedDown,
  ruleOn,
  timeOff,
  workedOn,
  type FoundOvertime,
  type OvertimeKind,
} from '../rules/overtime'
import { calendarOn } from '../rules/working-days'
import { calendarsOf } from '../working-days'
import { proposeWeek, readWeek, roomOn, rulesOf } from './propose'

type Tx = MutationTransaction<HrUserErrorCode>

const overtime: Decided<OvertimeRecord> = {
  entity: OvertimeRecord,
  employeeText: 'SELECT employee_id FROM hr.overtime_records WHERE tenant_id = $1 AND id = $2',
  noun: 'record',
  read: 'hr:overtime:read',
}

/** Authors of the day's work: whoever wrote it down, or asked for other times of it, asked for its overtime. */
const authorsText = `
  SELECT DISTINCT a.id FROM hr.attendance_records r CROSS JOIN LATERAL unnest(r.author_ids || r.corrected_by_id) AS a (id)
   WHERE r.tenant_id = $1 AND r.employee_id = $2 AND r.work_date = $3 AND a.id IS NOT NULL`

/** Looks for the overtime of a week at once. */
export async function propose(
  context: SubgraphContext,
  tx: Tx,
  { employeeId, day }: ProposeOvertimeInput,
): Promise<Employee> {
  const employee = await referred(tx, Employee, employeeId, 'employeeId')
  if ((await rulesOf(context, tx, day)).length === 0)
    tx.fail('INVALID', `No rule of overtime holds on ${day}: add one first`, 'day')
  const { isLooked, closedUntil } = await proposeWeek(context, tx, employee, day)
  if (!isLooked)
    tx.fail(
      'WRONG_STATUS',
      `Attendance is closed until ${closedUntil}: have it opened again before overtime is looked for anew`,
      'day',
    )
  return employee
}

/**
 * Ends the mutation unless so much overtime of a kind is left on a day, beyond what is owed and what is proposed, asked for, granted or
 * compensated already: no minute is counted twice, and day and clock say of which kind it is.
 * @param fields the input fields that the errors name
 */
async function requireRoom(
  context: SubgraphContext,
  tx: Tx,
  employee: Employee,
  {
    workDate,
    kind,
    minutes,
    id = null,
  }: { workDate: string; kind?: OvertimeKind | null; minutes: number; id?: string | null },
  fields: { kind: string; minutes: string },
): Promise<FoundOvertime> {
  const week = await readWeek(context, tx, employee.id, workDate)
  const works = week.works.filter((one) => one.workDate === workDate)
  if (works.length === 0)
    tx.fail('INVALID', `No attendance of ${workDate} has ended: record the work first`, fields.minutes)
  const left = roomOn(week, workDate, id)
  if (left.length === 0)
    tx.fail(
      'INVALID',
      `${workedOn(works, workDate)} minutes were worked on ${workDate}: what is beyond those owed is proposed, asked for, granted or ` +
        'compensated already',
      fields.minutes,
    )
  const told = left.map((one) => `${one.minutes} minutes ${one.kind}`).join(', ')
  if (!kind && left.length > 1)
    tx.fail('INVALID', `kind must say which: left on ${workDate} are ${told}`, fields.kind)
  const found = kind ? left.find((one) => one.kind === kind) : left[0]
  if (!found) tx.fail('INVALID', `${workDate} has no overtime of kind ${kind}: left are ${told}`, fields.kind)
  if (found.minutes < minutes)
    tx.fail('INVALID', `It is more than is left on ${workDate}: ${told}`, fields.minutes)
  return found
}

/** Asks for overtime, of which somebody else decides. */
export async function requestOvertime(
  context: SubgraphContext,
  tx: Tx,
  { employeeId, workDate, kind, minutes: asked, reason }: CreateOvertimeRecordInput,
): Promise<OvertimeRecord> {
  const { viewer } = context
  const employee = await referred(tx, Employee, employeeId, 'employeeId')
  const needed = isOwn(employee, viewer?.userId) ? 'hr:overtime:request' : 'hr:overtime:write'
  if (!viewer?.scopes.has(needed)) tx.fail('PERMISSION_NOT_HELD', `You lack ${needed}`, 'employeeId')
  if (reason === '') tx.fail('INVALID', 'reason must not be empty', 'reason')
  const rule = ruleOn(await rulesOf(context, tx, workDate), workDate)
  if (!rule) tx.fail('INVALID', `No rule of overtime holds on ${workDate}: have one added first`, 'workDate')
  await requireOpenDays(context, tx, [workDate], 'workDate')
  const minutes = roundedDown(asked, rule)
  if (minutes <= 0)
    tx.fail('INVALID', `minutes must be ${rule.roundingMinutes} at least: less is rounded down`, 'minutes')
  const fields = { kind: 'kind', minutes: 'minutes' }
  const found = await requireRoom(context, tx, employee, { workDate, kind: kind ?? null, minutes }, fields)
  return tx.insert(OvertimeRecord, {
    employeeId: employee.id,
    attendanceId: found.attendanceId,
    workDate,
    kind: found.kind,
    minutes,
    exactMinutes: asked,
    factor: found.factor,
    isOverCap: found.isOverCap,
    status: 'REQUESTED',
    reason,
    requestedById: viewer.userId,
    approverId: await approverOf(context, tx, employee),
    userId: employee.userId,
    // By the clock of decisions: what was refused before is asked for anew, what is refused later is not.
    createdAt: context.clock.now().toISOString(),
  })
}

/** Ends the mutation unless overtime waits for a decision. */
function requireWaiting(tx: Tx, { status }: OvertimeRecord): void {
  if (status !== 'PROPOSED' && status !== 'REQUESTED')
    tx.fail('WRONG_STATUS', `The record is ${status}: that is for PROPOSED and REQUESTED`, 'id')
}

/** Those who asked, but for whom it is of: they gain by it and were asked about, so what they ask for makes them no other. */
const othersThan = (employee: Employee, ids: readonly (string | null)[]) =>
  ids.filter((id) => id !== null && !loginsOf(employee).includes(id))

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
  const key = [context.binding.tenantId, employee.id, record.workDate]
  const authors = (await tx.rows(prepared(authorsText, key))).map(([id]) => String(id))
  if (context.viewer && authors.includes(context.viewer.userId))
    tx.fail('OWN_RECORD', 'Somebody else must do this: you recorded work of the day', 'id')
  const told = { code: 'OWN_RECORD', field: 'id', isPrepared: true } as const
  await requireOwnHand(context, tx, othersThan(employee, [record.requestedById, ...authors]), told)
  // Of a closed day nothing else is proposed or asked for: what waits has its room.
  const closedUntil = await closedThrough(tx, context.binding.tenantId)
  if (closedUntil === null || record.workDate > closedUntil)
    await requireRoom(context, tx, employee, record, { kind: 'id', minutes: 'id' })
  return tx.update(OvertimeRecord, record.id, change.expectedVersion, {
    status: 'APPROVED',
    approvedById: context.viewer!.userId,
    decidedAt: context.clock.now().toISOString(),
    decisionNote: null,
  })
}

/** Refuses overtime. What attendance tells of and somebody asked for by hand is proposed in its place. */
export async function rejectOvertime(
  context: SubgraphContext,
  tx: Tx,
  { decisionNote, ...change }: Change & { decisionNote: string },
): Promise<OvertimeRecord> {
  const found = await lockForDecision(context, tx, overtime, change, 'hr:overtime:approve')
  const { record, employee } = found
  requireWaiting(tx, record)
  if (decisionNote === '') tx.fail('INVALID', 'decisionNote must not be empty', 'decisionNote')
  const refused = await tx.update(OvertimeRecord, record.id, change.expectedVersion, {
    status: 'REJECTED',
    approvedById: context.viewer!.userId,
    decidedAt: context.clock.now().toISOString(),
    decisionNote,
  })
  // What attendance tells of a closed day stays as it is; what somebody asked for there may have hidden some of it.
  const hidden = record.requestedById === null ? undefined : record.workDate
  await proposeWeek(context, tx, employee, record.workDate, hidden)
  return refused
}

/** Compensates granted overtime, once: whoever asked for it or granted it does not pay it. */
export async function compensateOvertime(
  context: SubgraphContext,
  tx: Tx,
  { compensation, leaveTypeId, ...change }: CompensateOvertimeRecordInput,
): Promise<OvertimeRecord> {
  const found = await lockDecided(context, tx, overtime, change, 'hr:overtime:write')
  const { record, employee } = found
  await requireNotOwn(context, tx, employee, { field: 'id', what: 'your own work' })
  if (record.approvedById === context.viewer?.userId)
    tx.fail('OWN_RECORD', 'Somebody else must do this: you granted it', 'id')
  if (record.requestedById !== null && record.requestedById === context.viewer?.userId)
    tx.fail('OWN_RECORD', 'Somebody else must do this: you asked for it', 'id')
  const told = { code: 'OWN_RECORD', field: 'id', isPrepared: true } as const
  const asked = othersThan(employee, [record.requestedById])
  await requireOwnHand(context, tx, [record.approvedById, ...asked], told)
  if (record.status !== 'APPROVED')
    tx.fail('WRONG_STATUS', `The record is ${record.status}: that is for APPROVED`, 'id')
  if ((compensation === 'TIME') !== Boolean(leaveTypeId))
    tx.fail('INVALID', 'leaveTypeId is for TIME, which needs it', 'leaveTypeId')
  if (compensation === 'TIME' && !employee.isActive)
    tx.fail('NOT_EMPLOYED', 'This employee has left and takes no days off: have it paid', 'compensation')
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
