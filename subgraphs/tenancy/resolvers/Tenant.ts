import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { rowPolicy } from '../../../kernel/policy'
import { Tenant } from '../entities/Tenant'
import type { Resolvers } from '../generated'

/** A tenant sees itself only, whatever id it asks for. */
export const ownTenant = rowPolicy(Tenant, ['id'], (viewer) => [{ id: viewer.tenantId }])

export const tenant: Resolvers = {
  Query: {
    tenant: (_, _args, context, info) => load(context, Tenant, context.binding.tenantId, info),
  },
  Mutation: {
    updateTenant: (_, { input: { expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => ({
        tenant: await tx.update(Tenant, context.binding.tenantId!, expectedVersion, changes),
      })),
  },
}
