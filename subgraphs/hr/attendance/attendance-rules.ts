import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import type { Employee } from '../entities/Employee'
import type { HrUserErrorCode } from '../generated'
import { timesFault, type WorkTimes } from '../rules/attendance-time'
import { calendarOn } from '../rules/working-days'
import { dayIn } from '../rules/zone-time'
import { calendarsOf } from '../working-days'

type Tx = MutationTransaction<HrUserErrorCode>

/** A whole day of granted leave, or both of its halves. */
const leaveOn = `
  SELECT sum(CASE WHEN start_date = $3 AND start_half <> 'FULL' OR end_date = $3 AND end_half <> 'FULL' THEN 1 ELSE 2 END) >= 2
    FROM hr.leave_requests
   WHERE tenant_id = $1 AND employee_id = $2 AND status = 'APPROVED' AND start_date <= $3 AND end_date >= $3`
/** Work without a recorded end lasts until now while it is open, and is no more than its beginning when it is not. */
const overlapping = `
  SELECT id FROM hr.attendance_records
   WHERE tenant_id = $1 AND employee_id = $2 AND id IS DISTINCT FROM $5
     AND clock_in_at < $4 AND clock_in_at > $3::timestamptz - interval '24 hours'
     AND (coalesce(clock_out_at, CASE status WHEN 'OPEN' THEN 'infinity'::timestamptz ELSE clock_in_at END) > $3
          OR clock_in_at >= $3)
   ORDER BY clock_in_at LIMIT 1`

/** The zone whose days count for an employee at an instant: the given one, or that of the calendar of that day. */
export async function zoneOf(
  context: SubgraphContext,
  tx: Tx,
  employeeId: string,
  at: string,
  given: string | null | undefined,
): Promise<string> {
  if (given) return given
  // The day of the calendar is at most a day from that of UTC.
  const until = new Date(Date.parse(at) + 86_400_000).toISOString().slice(0, 10)
  const calendars = await calendarsOf(context, tx, employeeId, until)
  return calendarOn(calendars, at.slice(0, 10)).timeZone
}

/** Ends the mutation unless the employee worked for the tenant on a day. */
export function requireEmployment(
  tx: Tx,
  { hireDate, terminationDate, isActive }: Employee,
  workDate: string,
  field: string,
): void {
  if (hireDate !== null && workDate < hireDate)
    tx.fail('INVALID', `${field} must not be before the first day of work`, field)
  if (isActive) return
  if (terminationDate === null || workDate > terminationDate)
    tx.fail('NOT_EMPLOYED', 'This employee has left', field)
}

/** Tells whether the employee has leave on the whole of a day; ends the mutation when that was not said. */
export async function requireNoLeave(
  { binding }: SubgraphContext,
  tx: Tx,
  employeeId: string,
  workDate: string,
  despiteLeave: boolean,
): Promise<boolean> {
  const [row] = await tx.rows(prepared(leaveOn, [binding.tenantId, employeeId, workDate]))
  const isOnLeave = row?.[0] === true
  if (isOnLeave && !despiteLeave)
    tx.fail(
      'INVALID',
      `${workDate} is a day of leave: say despiteLeave: true to work all the same`,
      'despiteLeave',
    )
  return isOnLeave
}

/**
 * Ends the mutation when times make no sense, are not of the employment, or overlap with other attendance of the employee, whose row
 * is locked: so it stays true until the transaction ends.
 * @param recordId the record that gets the times; null for a new one
 * @returns the day that they count for
 */
export async function requireTimes(
  context: SubgraphContext,
  tx: Tx,
  employee: Employee,
  times: WorkTimes,
  timeZone: string,
  recordId: string | null,
): Promise<string> {
  const fault = timesFault(times, context.clock.now())
  if (fault) tx.fail('INVALID', fault.message, fault.field)
  const workDate = dayIn(timeZone, new Date(times.clockInAt))
  requireEmployment(tx, employee, workDate, 'clockInAt')
  const { clockInAt, clockOutAt } = times
  const values = [context.binding.tenantId, employee.id, clockInAt, clockOutAt, recordId]
  const [found] = await tx.rows(prepared(overlapping, values))
  if (found)
    tx.fail(
      'ATTENDANCE_OVERLAP',
      `It overlaps with attendance record ${String(found[0])}: correct that first, or choose other times`,
      'clockInAt',
    )
  return workDate
}
