import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { RemoteWorkRule } from '../entities/RemoteWorkRule'
import type { Resolvers } from '../generated'

export const remoteWorkRule: Resolvers = {
  Query: {
    remoteWorkRules: (_, args, context, info) =>
      page(context, RemoteWorkRule, args, info, {
        defaultOrder: { property: 'validFrom', direction: 'DESC' },
      }),
  },
  Mutation: {
    createRemoteWorkRule: (_, { input }, context) =>
      mutate(context, async (tx) => ({ remoteWorkRule: await tx.insert(RemoteWorkRule, input) })),
    updateRemoteWorkRule: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => ({
        remoteWorkRule: await tx.update(RemoteWorkRule, id, expectedVersion, changes),
      })),
    deleteRemoteWorkRule: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({
        remoteWorkRule: await tx.remove(RemoteWorkRule, id, expectedVersion),
      })),
  },
}
