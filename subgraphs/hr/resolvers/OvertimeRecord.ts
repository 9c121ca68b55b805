import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { summary } from '../../../kernel/summary'
import { AttendanceRecord } from '../entities/AttendanceRecord'
import { Employee } from '../entities/Employee'
import { LeaveLedgerEntry } from '../entities/LeaveLedgerEntry'
import { OvertimeRecord } from '../entities/OvertimeRecord'
import type { Resolvers } from '../generated'
import {
  approveOvertime,
  compensateOvertime,
  propose,
  rejectOvertime,
  requestOvertime,
} from '../overtime/decide-overtime'

const defaultOrder = { property: 'workDate', direction: 'DESC' } as const
const user = (id: string | null) => (id ? { id } : null)

export const overtimeRecord: Resolvers = {
  Query: {
    overtimeRecord: (_, { id }, context, info) => load(context, OvertimeRecord, id, info),
    overtimeRecords: (_, args, context, info) => page(context, OvertimeRecord, args, info, { defaultOrder }),
    overtimeRecordSummary: (_, args, context, info) => summary(context, OvertimeRecord, args, info),
  },
  Mutation: {
    proposeOvertime: (_, { input }, context) =>
      mutate(context, async (tx) => ({ employee: await propose(context, tx, input) })),
    createOvertimeRecord: (_, { input }, context) =>
      mutate(context, async (tx) => ({ overtimeRecord: await requestOvertime(context, tx, input) })),
    approveOvertimeRecord: (_, { input }, context) =>
      mutate(context, async (tx) => ({ overtimeRecord: await approveOvertime(context, tx, input) })),
    rejectOvertimeRecord: (_, { input }, context) =>
      mutate(context, async (tx) => ({ overtimeRecord: await rejectOvertime(context, tx, input) })),
    compensateOvertimeRecord: (_, { input }, context) =>
      mutate(context, async (tx) => ({ overtimeRecord: await compensateOvertime(context, tx, input) })),
  },
  OvertimeRecord: {
    employee: one(OvertimeRecord, 'employeeId', Employee),
    attendance: one(OvertimeRecord, 'attendanceId', AttendanceRecord),
    leaveEntry: one(OvertimeRecord, 'leaveEntryId', LeaveLedgerEntry),
    requestedBy: needs(OvertimeRecord, ['requestedById'], (row) => user(row.requestedById)),
    approver: needs(OvertimeRecord, ['approverId'], (row) => user(row.approverId)),
    approvedBy: needs(OvertimeRecord, ['approvedById'], (row) => user(row.approvedById)),
  },
  Employee: {
    overtimeRecords: needs(Employee, ['id'], ({ id }, args, context, info) =>
      nested(context, OvertimeRecord, 'employeeId', id, args, info, { defaultOrder }),
    ),
  },
}
