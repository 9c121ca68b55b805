import { load } from '../../../kernel/load'
import { page } from '../../../kernel/page'
import { PlatformTenant } from '../entities/PlatformTenant'
import { enterTenant, leaveTenant } from '../entries'
import type { Resolvers } from '../generated'
import { changeStatus } from '../platform'
import { deletionTime } from '../rules/tenant-status'

const defaultOrder = { property: 'createdAt', direction: 'DESC' } as const

/** The tenant that a verb changed, read as operators see it. */
const changed: NonNullable<Resolvers['SuspendTenantPayload']> = {
  tenant: (payload, _args, context, info) =>
    load(context, PlatformTenant, (payload as { tenantId?: string }).tenantId, info),
}

export const platformTenant: Resolvers = {
  Query: {
    platformTenant: (_, { id }, context, info) => load(context, PlatformTenant, id, info),
    platformTenants: (_, args, context, info) => page(context, PlatformTenant, args, info, { defaultOrder }),
  },
  Mutation: {
    suspendTenant: (_, { input }, context) => changeStatus(context, { ...input, verb: 'suspend' }),
    reactivateTenant: (_, { input }, context) =>
      changeStatus(context, { ...input, verb: 'reactivate', reason: null }),
    scheduleTenantDeletion: (_, { input: { slug, graceDays, ...change } }, context) =>
      changeStatus(context, {
        ...change,
        verb: 'scheduleDeletion',
        deletionDueAt: deletionTime(context.services.clock.now(), graceDays ?? 30) ?? undefined,
        check(tx, tenant) {
          if (tenant.slug !== slug) tx.fail('INVALID', 'This is not the slug of the tenant', 'slug')
          if (deletionTime(context.services.clock.now(), graceDays ?? 30) === null)
            tx.fail('INVALID', 'A deletion leaves 7 to 365 days of grace', 'graceDays')
        },
      }),
    undoTenantDeletion: (_, { input }, context) =>
      changeStatus(context, { ...input, verb: 'undoDeletion', reason: null }),
    enterTenant: (_, { input }, context) => enterTenant(context, input),
    leaveTenant: (_, { input }, context) => leaveTenant(context, input.entryId),
  },
  SuspendTenantPayload: changed,
  ReactivateTenantPayload: changed,
  ScheduleTenantDeletionPayload: changed,
  UndoTenantDeletionPayload: changed,
}
