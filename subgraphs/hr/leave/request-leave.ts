import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { Employee } from '../entities/Employee'
import { LeaveRequest } from '../entities/LeaveRequest'
import { LeaveType } from '../entities/LeaveType'
import type { CreateLeaveRequestInput, HrUserErrorCode } from '../generated'
import { approverOf } from '../manager-line'
import { referred } from '../own-employment'
import { isOwn } from '../rules/employment'
import { dayNumber } from '../rules/half-days'
import { decimalOf, hundredthsOf } from '../rules/hundredths'
import { leaveParts, spanFault, type LeaveSpan } from '../rules/leave-days'
import { calendarOn } from '../rules/working-days'
import { dayIn } from '../rules/zone-time'
import { calendarsOf, workingDays } from '../working-days'
import { requireBalance, useDays } from './ledger'
import { ownRequest } from './own-leave'

type Tx = MutationTransaction<HrUserErrorCode>

const overlapping = `
  SELECT request_number FROM hr.leave_requests
   WHERE tenant_id = $1 AND employee_id = $2 AND status IN ('PENDING', 'APPROVED')
     AND start_date <= $5 AND end_date >= $3
     AND NOT (end_date = $3 AND end_half = 'MORNING' AND $4 = 'AFTERNOON')
     AND NOT (start_date = $5 AND start_half = 'AFTERNOON' AND $6 = 'MORNING') LIMIT 1`
const takeNumber = `
  INSERT INTO hr.number_series AS s (series, last_number) VALUES ('LEAVE', 1)
  ON CONFLICT (tenant_id, series) DO UPDATE SET last_number = s.last_number + 1 RETURNING last_number`

/** The day by the calendar of an employee at an instant. */
export async function todayOf(context: SubgraphContext, tx: Tx, employeeId: string): Promise<string> {
  const now = context.clock.now()
  // The day of the calendar is at most a day from that of UTC.
  const until = new Date(now.getTime() + 86_400_000).toISOString().slice(0, 10)
  const calendars = await calendarsOf(context, tx, employeeId, until)
  return dayIn(calendarOn(calendars, now.toISOString().slice(0, 10)).timeZone, now)
}

/**
 * Asks for leave. The row of the employee is locked first: requests of one employee come one after the other, so that neither
 * their days overlap nor more are used than there are, however many come at once.
 */
export async function requestLeave(
  context: SubgraphContext,
  tx: Tx,
  input: CreateLeaveRequestInput,
): Promise<LeaveRequest> {
  const { leaveTypeId, startDate, startHalf = 'FULL', endDate, endHalf = 'FULL', reason } = input
  const employee = await findEmployee(context, tx, input.employeeId)
  const type = await findType(tx, leaveTypeId)
  const span: LeaveSpan = { startDate, startHalf, endDate, endHalf }
  requireSpan(tx, employee, span)
  const calendars = await calendarsOf(context, tx, employee.id, endDate)
  requireNotice(
    context,
    tx,
    type,
    startDate,
    dayIn(calendarOn(calendars, startDate).timeZone, context.clock.now()),
  )
  const parts = leaveParts(span, await workingDays(context, tx, calendars, startDate, endDate))
  if (parts.length === 0)
    tx.fail('INVALID', 'The employee does not work on these days: no leave is needed', 'startDate')
  await requireNoOverlap(context, tx, employee.id, span)
  await requireBalance(context, tx, employee.id, type, parts)
  const [number] = await tx.rows(prepared(takeNumber, []))
  const now = context.clock.now().toISOString()
  const made = await tx.insert(LeaveRequest, {
    ...span,
    requestNumber: `L-${String(number![0]).padStart(6, '0')}`,
    employeeId: employee.id,
    leaveTypeId: type.id,
    days: decimalOf(parts.reduce((sum, { days }) => sum + hundredthsOf(days), 0)),
    parts,
    reason: reason ?? null,
    status: type.needsApproval ? 'PENDING' : 'APPROVED',
    decidedAt: type.needsApproval ? null : now,
  })
  const approverId = await approverOf(context, tx, employee)
  const request = await ownRequest(context, tx, made, {
    userId: employee.userId,
    approverId,
    isMedical: type.isMedical,
  })
  if (!type.needsApproval) await useDays(context, tx, employee, request, parts)
  return request
}

async function findEmployee({ viewer }: SubgraphContext, tx: Tx, id: string): Promise<Employee> {
  const employee = await referred(tx, Employee, id, 'employeeId')
  const needed = isOwn(employee, viewer?.userId) ? 'hr:leave:request' : 'hr:leave:write'
  if (!viewer?.scopes.has(needed)) tx.fail('PERMISSION_NOT_HELD', `You lack ${needed}`, 'employeeId')
  if (!employee.isActive) tx.fail('NOT_EMPLOYED', 'This employee has left', 'employeeId')
  return employee
}

async function findType(tx: Tx, id: string): Promise<LeaveType> {
  const type = await referred(tx, LeaveType, id, 'leaveTypeId')
  if (!type.isActive) tx.fail('INVALID', 'This kind of leave is closed: choose another', 'leaveTypeId')
  return type
}

function requireSpan(tx: Tx, { hireDate }: Employee, span: LeaveSpan): void {
  const fault = spanFault(span)
  if (fault) tx.fail('INVALID', fault, fault.slice(0, fault.indexOf(' ')))
  if (dayNumber(span.endDate) - dayNumber(span.startDate) > 365)
    tx.fail('INVALID', 'endDate must be 365 days after startDate at most', 'endDate')
  if (hireDate !== null && span.startDate < hireDate)
    tx.fail('INVALID', 'startDate must not be before the first day of work', 'startDate')
}

function requireNotice(
  { viewer }: SubgraphContext,
  tx: Tx,
  { noticeDays, name }: LeaveType,
  startDate: string,
  today: string,
): void {
  if (noticeDays === 0 || viewer?.scopes.has('hr:leave:write')) return
  if (dayNumber(startDate) - dayNumber(today) < noticeDays)
    tx.fail('INVALID', `startDate must be ${noticeDays} days ahead at least: ${name} says so`, 'startDate')
}

async function requireNoOverlap(
  { binding }: SubgraphContext,
  tx: Tx,
  employeeId: string,
  { startDate, startHalf, endDate, endHalf }: LeaveSpan,
): Promise<void> {
  const values = [binding.tenantId, employeeId, startDate, startHalf, endDate, endHalf]
  const [found] = await tx.rows(prepared(overlapping, values))
  if (found)
    tx.fail(
      'LEAVE_OVERLAP',
      `It overlaps with ${String(found[0])}: take that back first, or choose other days`,
      'startDate',
    )
}
