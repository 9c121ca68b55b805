import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { OvertimeRule } from '../entities/OvertimeRule'
import type { Resolvers } from '../generated'
import { applied, requireNotBegun } from '../overtime/keep-rules'

export const overtimeRule: Resolvers = {
  Query: {
    overtimeRules: (_, args, context, info) =>
      page(context, OvertimeRule, args, info, {
        defaultOrder: { property: 'validFrom', direction: 'DESC' },
      }),
  },
  Mutation: {
    createOvertimeRule: (_, { input }, context) =>
      mutate(context, async (tx) => ({
        overtimeRule: await applied(context, tx, await tx.insert(OvertimeRule, input)),
      })),
    updateOvertimeRule: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => {
        await requireNotBegun(context, tx, { id, expectedVersion })
        const overtimeRule = await tx.update(OvertimeRule, id, expectedVersion, changes)
        return { overtimeRule: await applied(context, tx, overtimeRule) }
      }),
    deleteOvertimeRule: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        await requireNotBegun(context, tx, { id, expectedVersion })
        return { overtimeRule: await tx.remove(OvertimeRule, id, expectedVersion) }
      }),
  },
}
