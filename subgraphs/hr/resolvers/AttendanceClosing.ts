import { needs } from '../../../kernel/entity'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { closeAttendance } from '../attendance/closing'
import { AttendanceClosing } from '../entities/AttendanceClosing'
import type { Resolvers } from '../generated'

export const attendanceClosing: Resolvers = {
  Query: {
    attendanceClosings: (_, args, context, info) =>
      page(context, AttendanceClosing, args, info, {
        defaultOrder: { property: 'closingNumber', direction: 'DESC' },
      }),
  },
  Mutation: {
    createAttendanceClosing: (_, { input }, context) =>
      mutate(context, async (tx) => ({ attendanceClosing: await closeAttendance(context, tx, input) })),
  },
  AttendanceClosing: {
    createdBy: needs(AttendanceClosing, ['createdById'], ({ createdById }) =>
      createdById ? { id: createdById } : null,
    ),
  },
}
