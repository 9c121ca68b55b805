import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { Holiday } from '../entities/Holiday'
import type { Resolvers } from '../generated'

export const holiday: Resolvers = {
  Query: {
    holiday: (_, { id }, context, info) => load(context, Holiday, id, info),
    holidays: (_, args, context, info) =>
      page(context, Holiday, args, info, { defaultOrder: { property: 'day', direction: 'ASC' } }),
  },
  Mutation: {
    createHoliday: (_, { input }, context) =>
      mutate(context, async (tx) => ({ holiday: await tx.insert(Holiday, input) })),
  },
}
