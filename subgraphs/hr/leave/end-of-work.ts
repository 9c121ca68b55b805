import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import type { Employee } from '../entities/Employee'
import { LeaveRequest } from '../entities/LeaveRequest'
import { LeaveType } from '../entities/LeaveType'
import type { HrUserErrorCode } from '../generated'
import { decimalOf, hundredthsOf } from '../rules/hundredths'
import { entitledDays } from '../rules/leave-accrual'
import { leaveParts, type LeaveSpan } from '../rules/leave-days'
import { calendarsOf, workingDays } from '../working-days'
import { addEntries, datedDaysOf, giveBack, useDays } from './ledger'

const laterRequests = `
  SELECT id FROM hr.leave_requests WHERE tenant_id = $1 AND employee_id = $2 AND end_date > $3
     AND status IN ('PENDING', 'APPROVED') ORDER BY start_date`
const usedTypes =
  'SELECT DISTINCT leave_type_id FROM hr.leave_ledger_entries WHERE tenant_id = $1 AND employee_id = $2'
const givenInYear = `
  SELECT coalesce(sum(days) FILTER (WHERE kind = 'ACCRUAL'), 0) FROM hr.leave_ledger_entries
   WHERE tenant_id = $1 AND employee_id = $2 AND leave_type_id = $3
     AND effective_on >= $4 AND effective_on <= $5`
const givenLater = `
  SELECT coalesce(sum(days), 0) FROM hr.leave_ledger_entries WHERE tenant_id = $1 AND employee_id = $2
     AND leave_type_id = $3 AND kind = 'ACCRUAL' AND effective_on > $4`

type Tx = MutationTransaction<HrUserErrorCode>

/**
 * Settles the leave of an employee whose work ends: leave after the last day is cancelled, leave over it ends with it, the days of
 * the year are those of its full months (BUrlG § 5), and what is left is paid out where the kind of leave says so.
 * The row of the employee is locked.
 * @param lastDay ISO 8601 day
 */
export async function settleLeave(
  context: SubgraphContext,
  tx: Tx,
  employee: Employee,
  lastDay: string,
): Promise<void> {
  const key = [context.binding.tenantId, employee.id]
  const later = await tx.rows(prepared(laterRequests, [...key, lastDay]))
  for (const [id] of later)
    await shorten(context, tx, employee, await tx.find(LeaveRequest, String(id)), lastDay)
  const types = await tx.rows(prepared(usedTypes, key))
  for (const [id] of types)
    await settleType(context, tx, employee, await tx.find(LeaveType, String(id)), lastDay)
}

async function shorten(
  context: SubgraphContext,
  tx: Tx,
  employee: Employee,
  request: LeaveRequest,
  lastDay: string,
): Promise<void> {
  const parts = request.startDate > lastDay ? [] : await partsUntil(context, tx, employee, request, lastDay)
  const isGranted = request.status === 'APPROVED'
  if (isGranted) await giveBack(context, tx, employee, request)
  const note = 'The work ends'
  if (parts.length === 0) {
    await tx.update(LeaveRequest, request.id, null, { status: 'CANCELLED', decisionNote: note })
    return
  }
  const days = decimalOf(parts.reduce((sum, part) => sum + hundredthsOf(part.days), 0))
  const { endHalf } = spanUntil(request, lastDay)
  const changes = { endDate: lastDay, endHalf, days, parts, decisionNote: note }
  const changed = await tx.update(LeaveRequest, request.id, null, changes)
  if (isGranted) await useDays(context, tx, employee, changed, parts)
}

function spanUntil(request: LeaveRequest, lastDay: string): LeaveSpan {
  const { startDate, startHalf } = request
  return { startDate, startHalf, endDate: lastDay, endHalf: startDate === lastDay ? startHalf : 'FULL' }
}

async function partsUntil(
  context: SubgraphContext,
  tx: Tx,
  { id }: Employee,
  request: LeaveRequest,
  lastDay: string,
) {
  const calendars = await calendarsOf(context, tx, id, lastDay)
  const days = await workingDays(context, tx, calendars, request.startDate, lastDay)
  return leaveParts(spanUntil(request, lastDay), days)
}

async function settleType(
  context: SubgraphContext,
  tx: Tx,
  employee: Employee,
  type: LeaveType,
  lastDay: string,
): Promise<void> {
  const key = [context.binding.tenantId, employee.id, type.id]
  const year = Number(lastDay.slice(0, 4))
  let correction = 0
  if (type.accrual !== 'NONE' && type.annualDays !== null) {
    const employment = { hireDate: employee.hireDate, terminationDate: lastDay }
    const [inYear] = await tx.rows(prepared(givenInYear, [...key, `${year}-01-01`, lastDay]))
    const [after] = await tx.rows(prepared(givenLater, [...key, lastDay]))
    const given = hundredthsOf(String(inYear![0]))
    if (given > 0) correction = hundredthsOf(entitledDays(type.annualDays, employment, year)) - given
    correction -= hundredthsOf(String(after![0]))
  }
  if (correction !== 0)
    await addEntries(context, tx, employee, [
      {
        leaveTypeId: type.id,
        kind: 'ADJUSTMENT',
        days: decimalOf(correction),
        effectiveOn: lastDay,
        note: `The work ends on ${lastDay}: days of the full months of ${year}`,
      },
    ])
  if (!type.paysOut || type.allowsNegative) return
  const { ledger } = await datedDaysOf(context, tx, employee.id, type.id)
  const left = ledger.reduce((sum, { hundredths }) => sum + hundredths, 0)
  if (left > 0)
    await addEntries(context, tx, employee, [
      { leaveTypeId: type.id, kind: 'PAYOUT', days: decimalOf(-left), effectiveOn: lastDay },
    ])
}
