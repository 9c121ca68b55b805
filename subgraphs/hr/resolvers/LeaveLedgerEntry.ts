import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { valueByKey } from '../../../kernel/query'
import { one } from '../../../kernel/relation'
import { Employee } from '../entities/Employee'
import { LeaveLedgerEntry } from '../entities/LeaveLedgerEntry'
import { LeaveRequest } from '../entities/LeaveRequest'
import { LeaveType } from '../entities/LeaveType'
import type { Resolvers } from '../generated'
import { addEntries } from '../leave/ledger'
import { referred, requireOthers } from '../own-employment'
import { decimalOf, hundredthsOf } from '../rules/hundredths'

/** Sums that the database tells of a kind of leave on a day. */
interface Sums {
  leaveTypeId: string
  /** Decimal numbers. */
  days: string
  pending: string
}

/** The keys are an employee's id and a day. */
const balances = valueByKey<Sums[]>(
  `SELECT k.key, (
     SELECT coalesce(jsonb_agg(jsonb_build_object('leaveTypeId', t.id,
       'days', (SELECT coalesce(sum(e.days), 0)::text FROM hr.leave_ledger_entries e
                 WHERE e.tenant_id = $1 AND e.employee_id = split_part(k.key, ' ', 1)::uuid
                   AND e.leave_type_id = t.id AND e.effective_on <= split_part(k.key, ' ', 2)::date),
       'pending', (SELECT coalesce(sum((p.part ->> 'days')::numeric), 0)::text
                     FROM hr.leave_requests r, jsonb_array_elements(r.parts) AS p (part)
                    WHERE r.tenant_id = $1 AND r.employee_id = split_part(k.key, ' ', 1)::uuid
                      AND r.leave_type_id = t.id AND r.status = 'PENDING'
                      AND p.part ->> 'from' <= split_part(k.key, ' ', 2))) ORDER BY t.code), '[]')
       FROM hr.leave_types t WHERE t.tenant_id = $1 AND t.is_active)
   FROM unnest($2::text[]) AS k (key)`,
  [],
)

export const leaveLedgerEntry: Resolvers = {
  Query: {
    leaveLedgerEntries: (_, args, context, info) =>
      page(context, LeaveLedgerEntry, args, info, {
        defaultOrder: { property: 'effectiveOn', direction: 'DESC' },
      }),
  },
  Mutation: {
    createLeaveLedgerEntry: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const { employeeId, leaveTypeId, days, effectiveOn, note } = input
        const employee = await requireOthers(context, tx, employeeId, 'employeeId', { isRecorded: true })
        await referred(tx, LeaveType, leaveTypeId, 'leaveTypeId')
        const entry = { leaveTypeId, kind: 'ADJUSTMENT', days, effectiveOn, note } as const
        const [leaveLedgerEntry] = await addEntries(context, tx, employee, [entry])
        return { leaveLedgerEntry }
      }),
  },
  LeaveLedgerEntry: {
    employee: one(LeaveLedgerEntry, 'employeeId', Employee),
    leaveType: one(LeaveLedgerEntry, 'leaveTypeId', LeaveType),
    request: one(LeaveLedgerEntry, 'requestId', LeaveRequest),
    reverses: one(LeaveLedgerEntry, 'reversesId', LeaveLedgerEntry),
  },
  LeaveBalance: {
    leaveType: ({ leaveType }, _args, context, info) => load(context, LeaveType, leaveType?.id, info),
  },
  Employee: {
    leaveBalances: needs(Employee, ['id'], async ({ id }, { on }: { on: string }, context) =>
      (await balances(context, `${id} ${on}`)).map(balanceOf),
    ),
  },
}

function balanceOf({ leaveTypeId, ...sums }: Sums) {
  const [days, pending] = [hundredthsOf(sums.days), hundredthsOf(sums.pending)]
  return {
    // Read with what is selected of it.
    leaveType: { id: leaveTypeId } as LeaveType,
    days: decimalOf(days),
    pending: decimalOf(pending),
    available: decimalOf(days - pending),
  }
}
