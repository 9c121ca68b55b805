import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { OvertimeRule } from '../entities/OvertimeRule'
import type { Resolvers } from '../generated'

export const overtimeRule: Resolvers = {
  Query: {
    overtimeRules: (_, args, context, info) =>
      page(context, OvertimeRule, args, info, {
        defaultOrder: { property: 'validFrom', direction: 'DESC' },
      }),
  },
  Mutation: {
    createOvertimeRule: (_, { input }, context) =>
      mutate(context, async (tx) => ({ overtimeRule: await tx.insert(OvertimeRule, input) })),
    updateOvertimeRule: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => ({
        overtimeRule: await tx.update(OvertimeRule, id, expectedVersion, changes),
      })),
    deleteOvertimeRule: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({ overtimeRule: await tx.remove(OvertimeRule, id, expectedVersion) })),
  },
}
