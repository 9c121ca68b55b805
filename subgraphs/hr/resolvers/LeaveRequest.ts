import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { badUserInput } from '../../../kernel/errors'
import { isUuid } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import { Employee } from '../entities/Employee'
import type { DayHalf } from '../entities/Holiday'
import { LeaveRequest } from '../entities/LeaveRequest'
import { LeaveType } from '../entities/LeaveType'
import type { Absence, Resolvers } from '../generated'
import { approveLeave, cancelLeave, delegateLeave, rejectLeave, revokeLeave } from '../leave/decide-leave'
import { requestLeave } from '../leave/request-leave'
import { dayNumber } from '../rules/half-days'

const mostDays = 92
const mostAbsences = 500
const absencesText = `
  SELECT r.employee_id, r.start_date, r.start_half, r.end_date, r.end_half, r.status = 'APPROVED'
    FROM hr.leave_requests r JOIN hr.employees e ON e.tenant_id = $1 AND e.id = r.employee_id
   WHERE r.tenant_id = $1 AND r.status IN ('PENDING', 'APPROVED') AND r.start_date <= $3 AND r.end_date >= $2
     AND ($4::uuid IS NULL OR e.department_id = $4)
     AND ($5 OR r.approver_id = $6 OR e.department_id = (
       SELECT m.department_id FROM hr.employees m WHERE m.tenant_id = $1 AND m.user_id = $6 AND m.is_active))
   ORDER BY r.start_date, r.id LIMIT ${mostAbsences}`

async function absences(
  context: SubgraphContext,
  { from, to, departmentId }: { from: string; to: string; departmentId?: string | null },
): Promise<(Omit<Absence, 'employee'> & { employee: Employee })[]> {
  const days = dayNumber(to) - dayNumber(from)
  if (days < 0 || days >= mostDays) throw badUserInput(`to must be ${mostDays - 1} days after from at most`)
  if (departmentId && !isUuid(departmentId)) throw badUserInput(`"${departmentId}" is not an id`)
  const { viewer, binding } = context
  const seesAll = viewer?.scopes.has('hr:leave:read') === true
  const values = [binding.tenantId, from, to, departmentId ?? null, seesAll, viewer?.userId]
  const rows = await context.db.rows(binding, prepared(absencesText, values))
  return rows.map(([employeeId, startDate, startHalf, endDate, endHalf, isApproved]) => ({
    // Read with what is selected of it.
    employee: { id: String(employeeId) } as Employee,
    startDate: String(startDate),
    startHalf: startHalf as DayHalf,
    endDate: String(endDate),
    endHalf: endHalf as DayHalf,
    isApproved: isApproved === true,
  }))
}

export const leaveRequest: Resolvers = {
  Query: {
    leaveRequest: (_, { id }, context, info) => load(context, LeaveRequest, id, info),
    leaveRequests: (_, args, context, info) => page(context, LeaveRequest, args, info),
    leaveRequestSummary: (_, args, context, info) => summary(context, LeaveRequest, args, info),
    teamAbsences: (_, args, context) => absences(context, args),
  },
  Mutation: {
    createLeaveRequest: (_, { input }, context) =>
      mutate(context, async (tx) => ({ leaveRequest: await requestLeave(context, tx, input) })),
    approveLeaveRequest: (_, { input }, context) =>
      mutate(context, async (tx) => ({ leaveRequest: await approveLeave(context, tx, input) })),
    rejectLeaveRequest: (_, { input }, context) =>
      mutate(context, async (tx) => ({ leaveRequest: await rejectLeave(context, tx, input) })),
    cancelLeaveRequest: (_, { input }, context) =>
      mutate(context, async (tx) => ({ leaveRequest: await cancelLeave(context, tx, input) })),
    revokeLeaveRequest: (_, { input }, context) =>
      mutate(context, async (tx) => ({ leaveRequest: await revokeLeave(context, tx, input) })),
    delegateLeaveRequest: (_, { input }, context) =>
      mutate(context, async (tx) => ({ leaveRequest: await delegateLeave(context, tx, input) })),
  },
  LeaveRequest: {
    employee: one(LeaveRequest, 'employeeId', Employee),
    leaveType: one(LeaveRequest, 'leaveTypeId', LeaveType),
    approver: needs(LeaveRequest, ['approverId'], ({ approverId }) =>
      approverId ? { id: approverId } : null,
    ),
  },
  Absence: {
    employee: ({ employee }, _args, context, info) => load(context, Employee, employee?.id, info),
  },
  Employee: {
    leaveRequests: needs(Employee, ['id'], ({ id }, args, context, info) =>
      nested(context, LeaveRequest, 'employeeId', id, args, info),
    ),
  },
}
