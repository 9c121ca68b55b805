import { needs } from '../../../kernel/entity'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { OvertimeRule } from '../entities/OvertimeRule'
import type { Resolvers } from '../generated'
import { approveRule, proposeRule, withdrawRule } from '../overtime/keep-rules'

export const overtimeRule: Resolvers = {
  Query: {
    overtimeRules: (_, args, context, info) =>
      page(context, OvertimeRule, args, info, {
        defaultOrder: { property: 'validFrom', direction: 'DESC' },
      }),
  },
  Mutation: {
    createOvertimeRule: (_, { input }, context) =>
      mutate(context, async (tx) => ({ overtimeRule: await proposeRule(context, tx, input) })),
    approveOvertimeRule: (_, { input }, context) =>
      mutate(context, async (tx) => ({ overtimeRule: await approveRule(context, tx, input) })),
    deleteOvertimeRule: (_, { input }, context) =>
      mutate(context, async (tx) => ({ overtimeRule: await withdrawRule(tx, input) })),
  },
  OvertimeRule: {
    proposedBy: needs(OvertimeRule, ['proposedById'], ({ proposedById }) => ({ id: proposedById })),
    approvedBy: needs(OvertimeRule, ['approvedById'], ({ approvedById }) =>
      approvedById ? { id: approvedById } : null,
    ),
  },
}
