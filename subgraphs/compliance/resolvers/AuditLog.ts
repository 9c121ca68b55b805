import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { nested, page } from '../../../kernel/page'
import { valueByKey } from '../../../kernel/query'
import { AuditLog } from '../entities/AuditLog'
import type { AuditLogFilter, Resolvers } from '../generated'
import { auditWindow } from '../rules/audit-window'

const options = { defaultOrder: { property: 'occurredAt', direction: 'DESC' } } as const

const isKnownUser = valueByKey('SELECT id, true FROM shared.known_users($1) AS id', false, (_, userIds) => [
  userIds,
])

/** The arguments with both bounds of time. */
function bounded<A extends { filter?: AuditLogFilter | null }>(args: A, now: Date) {
  return { ...args, filter: { ...args.filter, occurredAt: auditWindow(args.filter?.occurredAt, now) } }
}

export const auditLog: Resolvers = {
  Query: {
    auditLog: (_, { id }, context, info) => load(context, AuditLog, id, info),
    auditLogs: (_, args, context, info) =>
      page(context, AuditLog, bounded(args, context.clock.now()), info, options),
  },
  AuditLog: {
    user: needs(AuditLog, ['actorId'], async ({ actorId }, _args, context) =>
      actorId && (await isKnownUser(context, actorId)) ? { id: actorId } : null,
    ),
  },
  User: {
    auditTrail: ({ id }, args, context, info) =>
      nested(context, AuditLog, 'actorId', id, bounded(args, context.clock.now()), info, options),
  },
}
