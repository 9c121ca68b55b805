import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { OperatorEntry } from '../entities/OperatorEntry'
import { endEntry } from '../entries'
import type { Resolvers } from '../generated'

const defaultOrder = { property: 'createdAt', direction: 'DESC' } as const

export const operatorEntry: Resolvers = {
  Query: {
    operatorEntry: (_, { id }, context, info) => load(context, OperatorEntry, id, info),
    operatorEntries: (_, args, context, info) => page(context, OperatorEntry, args, info, { defaultOrder }),
  },
  Mutation: {
    endOperatorEntry: (_, { input: { id } }, context) =>
      mutate(context, async (tx) => ({ operatorEntry: await endEntry(context, tx, id) })),
  },
}
