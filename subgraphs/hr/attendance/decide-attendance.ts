import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { requireOwnHand } from '../../../kernel/second-person'
import { lockDecided, lockForDecision, type Change, type Decided } from '../decided-row'
import { AttendanceRecord } from '../entities/AttendanceRecord'
import type { CorrectAttendanceRecordInput, HrUserErrorCode } from '../generated'
import { approverOf } from '../manager-line'
import { proposeWeek } from '../overtime/propose'
import { longestOpenMs, workedMinutes, type WorkTimes } from '../rules/attendance-time'
import { mondayOf } from '../rules/overtime'
import { loginsOf } from '../rules/employment'
import { requireTimes } from './attendance-rules'
import { requireOpenDays } from './closing'
import { nameDecider } from './own-time'

type Tx = MutationTransaction<HrUserErrorCode>

const noCorrection = { correctedClockInAt: null, correctedClockOutAt: null, correctedBreakMinutes: null }

const attendance: Decided<AttendanceRecord> = {
  entity: AttendanceRecord,
  employeeText: 'SELECT employee_id FROM hr.attendance_records WHERE tenant_id = $1 AND id = $2',
  noun: 'record',
  read: 'hr:attendance:read',
}

/** Asks for other times, of which somebody else decides. */
export async function correctAttendance(
  context: SubgraphContext,
  tx: Tx,
  { id, expectedVersion, ...input }: CorrectAttendanceRecordInput,
): Promise<AttendanceRecord> {
  const found = await lockDecided(context, tx, attendance, { id, expectedVersion }, 'hr:attendance:write')
  const { record, employee } = found
  if (!found.isViewers && !found.isDeciders && !found.mayAct)
    tx.fail('PERMISSION_NOT_HELD', 'You lack hr:attendance:write', 'id')
  if (record.correctedClockInAt !== null)
    tx.fail('WRONG_STATUS', 'A correction waits already: it is to be decided first', 'id')
  const openFor = context.clock.now().getTime() - Date.parse(record.clockInAt)
  if (record.status === 'OPEN' && openFor <= longestOpenMs)
    tx.fail('WRONG_STATUS', 'The work goes on: clock out first', 'id')
  const { correctionReason, clockInAt, clockOutAt, breakMinutes = 0 } = input
  const times: WorkTimes = { clockInAt, clockOutAt, breakMinutes }
  const workDate = await requireTimes(context, tx, employee, times, record.timeZone, record.id)
  await requireOpenDays(context, tx, [record.workDate, workDate], 'id')
  if (correctionReason === '') tx.fail('INVALID', 'correctionReason must not be empty', 'correctionReason')
  const changed = await tx.update(AttendanceRecord, id, expectedVersion, {
    ...(record.status === 'OPEN' ? { status: 'INCOMPLETE' as const } : {}),
    correctedClockInAt: times.clockInAt,
    correctedClockOutAt: times.clockOutAt,
    correctedBreakMinutes: times.breakMinutes,
    correctedById: context.viewer!.userId,
    correctionReason,
  })
  return nameDecider(context, tx, changed, await approverOf(context, tx, employee))
}

/** The times that a correction asks for; null when none waits. */
function correctionOf(record: AttendanceRecord): WorkTimes | null {
  const { correctedClockInAt, correctedClockOutAt, correctedBreakMinutes } = record
  if (correctedClockInAt === null || correctedClockOutAt === null || correctedBreakMinutes === null)
    return null
  return {
    clockInAt: correctedClockInAt,
    clockOutAt: correctedClockOutAt,
    breakMinutes: correctedBreakMinutes,
  }
}

/** Grants the correction that waits, or confirms a record that is complete. */
export async function approveAttendance(
  context: SubgraphContext,
  tx: Tx,
  change: Change,
): Promise<AttendanceRecord> {
  const { record, employee } = await lockForDecision(context, tx, attendance, change, 'hr:attendance:approve')
  await requireOpenDays(context, tx, [record.workDate], 'id')
  // Whoever asked for a correction, or recorded any of it for the employee, is not the second person.
  const { userId } = context.viewer!
  if (record.correctedById === userId || record.authorIds.includes(userId))
    tx.fail('OWN_RECORD', 'Somebody else must do this: these times are yours', 'id')
  // Whom it is of gains by it, and was asked about: what they prepared makes them no other.
  const concerned = loginsOf(employee)
  const authors = [record.correctedById, ...record.authorIds].filter(
    (id) => id === null || !concerned.includes(id),
  )
  await requireOwnHand(context, tx, authors, { code: 'OWN_RECORD', field: 'id', isPrepared: true })
  const times = correctionOf(record)
  const decision = {
    approvedById: userId,
    decidedAt: context.clock.now().toISOString(),
    decisionNote: null,
  }
  if (!times) {
    if (record.status !== 'COMPLETE')
      tx.fail(
        'WRONG_STATUS',
        `The record is ${record.status}: that is for COMPLETE, or with a correction`,
        'id',
      )
    const changes = { ...decision, status: 'APPROVED' } as const
    return tx.update(AttendanceRecord, record.id, change.expectedVersion, changes)
  }
  const workDate = await requireTimes(context, tx, employee, times, record.timeZone, record.id)
  await requireOpenDays(context, tx, [workDate], 'id')
  const original =
    record.originalClockInAt === null
      ? {
          originalClockInAt: record.clockInAt,
          originalClockOutAt: record.clockOutAt,
          originalBreakMinutes: record.breakMinutes,
        }
      : {}
  const corrected = await tx.update(AttendanceRecord, record.id, change.expectedVersion, {
    ...times,
    ...original,
    ...noCorrection,
    ...decision,
    workDate,
    workedMinutes: workedMinutes(times),
    status: 'CORRECTED',
  })
  // What was proposed or granted of other times, and not compensated, follows the right ones.
  for (const monday of new Set([record.workDate, workDate].map(mondayOf)))
    await proposeWeek(context, tx, employee, monday)
  return corrected
}

/** Refuses the correction that waits. */
export async function rejectAttendance(
  context: SubgraphContext,
  tx: Tx,
  { decisionNote, ...change }: Change & { decisionNote: string },
): Promise<AttendanceRecord> {
  const { record } = await lockForDecision(context, tx, attendance, change, 'hr:attendance:approve')
  if (record.correctedClockInAt === null) tx.fail('WRONG_STATUS', 'No correction waits', 'id')
  if (decisionNote === '') tx.fail('INVALID', 'decisionNote must not be empty', 'decisionNote')
  return tx.update(AttendanceRecord, record.id, change.expectedVersion, {
    ...noCorrection,
    correctionReason: null,
    approvedById: context.viewer!.userId,
    decidedAt: context.clock.now().toISOString(),
    decisionNote,
  })
}
