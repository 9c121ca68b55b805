import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { summary } from '../../../kernel/summary'
import { addAttendance, clockIn, clockOut, endBreak, startBreak } from '../attendance/clock'
import { approveAttendance, correctAttendance, rejectAttendance } from '../attendance/decide-attendance'
import { AttendanceRecord } from '../entities/AttendanceRecord'
import { Employee } from '../entities/Employee'
import type { Resolvers } from '../generated'

const defaultOrder = { property: 'clockInAt', direction: 'DESC' } as const
const user = (id: string | null) => (id ? { id } : null)

export const attendanceRecord: Resolvers = {
  Query: {
    attendanceRecord: (_, { id }, context, info) => load(context, AttendanceRecord, id, info),
    attendanceRecords: (_, args, context, info) =>
      page(context, AttendanceRecord, args, info, { defaultOrder }),
    attendanceRecordSummary: (_, args, context, info) => summary(context, AttendanceRecord, args, info),
  },
  Mutation: {
    createAttendanceRecord: (_, { input }, context) =>
      mutate(context, async (tx) => ({ attendanceRecord: await addAttendance(context, tx, input) })),
    clockIn: (_, { input }, context) =>
      mutate(context, async (tx) => ({ attendanceRecord: await clockIn(context, tx, input) })),
    clockOut: (_, { input }, context) =>
      mutate(context, async (tx) => ({ attendanceRecord: await clockOut(context, tx, input.employeeId) })),
    startBreak: (_, { input }, context) =>
      mutate(context, async (tx) => ({ attendanceRecord: await startBreak(context, tx, input.employeeId) })),
    endBreak: (_, { input }, context) =>
      mutate(context, async (tx) => ({ attendanceRecord: await endBreak(context, tx, input.employeeId) })),
    correctAttendanceRecord: (_, { input }, context) =>
      mutate(context, async (tx) => ({ attendanceRecord: await correctAttendance(context, tx, input) })),
    approveAttendanceRecord: (_, { input }, context) =>
      mutate(context, async (tx) => ({ attendanceRecord: await approveAttendance(context, tx, input) })),
    rejectAttendanceRecord: (_, { input }, context) =>
      mutate(context, async (tx) => ({ attendanceRecord: await rejectAttendance(context, tx, input) })),
  },
  AttendanceRecord: {
    employee: one(AttendanceRecord, 'employeeId', Employee),
    correctedBy: needs(AttendanceRecord, ['correctedById'], (row) => user(row.correctedById)),
    recordedBy: needs(AttendanceRecord, ['recordedById'], (row) => user(row.recordedById)),
    approver: needs(AttendanceRecord, ['approverId'], (row) => user(row.approverId)),
    approvedBy: needs(AttendanceRecord, ['approvedById'], (row) => user(row.approvedById)),
    correction: needs(
      AttendanceRecord,
      ['correctedClockInAt', 'correctedClockOutAt', 'correctedBreakMinutes'],
      (row) => timesOf(row.correctedClockInAt, row.correctedClockOutAt, row.correctedBreakMinutes),
    ),
    original: needs(
      AttendanceRecord,
      ['originalClockInAt', 'originalClockOutAt', 'originalBreakMinutes'],
      (row) => timesOf(row.originalClockInAt, row.originalClockOutAt, row.originalBreakMinutes),
    ),
  },
  Employee: {
    attendanceRecords: needs(Employee, ['id'], ({ id }, args, context, info) =>
      nested(context, AttendanceRecord, 'employeeId', id, args, info, { defaultOrder }),
    ),
  },
}

function timesOf(clockInAt: string | null, clockOutAt: string | null, breakMinutes: number | null) {
  return clockInAt === null ? null : { clockInAt, clockOutAt, breakMinutes: breakMinutes ?? 0 }
}
