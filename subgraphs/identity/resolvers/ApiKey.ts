import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { ApiKey } from '../entities/ApiKey'
import { User } from '../entities/User'
import type { Resolvers } from '../generated'
import { createApiKey, revokeApiKey, rotateApiKey } from '../keys'
import { isUsable } from '../rules/api-keys'

export const apiKey: Resolvers = {
  Query: {
    apiKey: (_, { id }, context, info) => load(context, ApiKey, id, info),
    apiKeys: (_, args, context, info) => page(context, ApiKey, args, info),
  },
  Mutation: {
    createApiKey: (_, { input }, context) => createApiKey(context, input),
    rotateApiKey: (_, { input }, context) => rotateApiKey(context, input),
    revokeApiKey: (_, { input: { id } }, context) => revokeApiKey(context, id),
  },
  ApiKey: {
    owner: one(ApiKey, 'ownerId', User),
    revokedBy: one(ApiKey, 'revokedById', User),
    createdBy: one(ApiKey, 'createdById', User),
    isActive: needs(ApiKey, ['expiresAt', 'revokedAt'], (row, _args, { clock }) =>
      isUsable(row, clock.now()),
    ),
  },
}
