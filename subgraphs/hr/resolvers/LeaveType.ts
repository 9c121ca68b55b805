import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { LeaveType } from '../entities/LeaveType'
import type { Resolvers } from '../generated'

export const leaveType: Resolvers = {
  Query: {
    leaveType: (_, { id }, context, info) => load(context, LeaveType, id, info),
    leaveTypes: (_, args, context, info) =>
      page(context, LeaveType, args, info, { defaultOrder: { property: 'code', direction: 'ASC' } }),
  },
  Mutation: {
    createLeaveType: (_, { input }, context) =>
      mutate(context, async (tx) => ({ leaveType: await tx.insert(LeaveType, input) })),
    updateLeaveType: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => ({
        leaveType: await tx.update(LeaveType, id, expectedVersion, changes),
      })),
    archiveLeaveType: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({
        leaveType: await tx.update(LeaveType, id, expectedVersion, { isActive: false }),
      })),
  },
}
