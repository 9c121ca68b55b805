import { needs } from '../../../kernel/entity'
import { UserErrors } from '../../../kernel/errors'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { AnalyticsEvent } from '../entities/AnalyticsEvent'
import { Customer } from '../entities/Customer'
import { eventCounts, eventFunnel } from '../event-statistics'
import { trackEvents } from '../events'
import type { Resolvers } from '../generated'
import { latestFirst } from './CustomerInteraction'

const readEvent = `SELECT tenant_id, id, source, event_id, event_type, name, user_id, customer_id, session_id, properties,
    occurred_at, created_at FROM insights.analytics_events
  WHERE tenant_id = $1 AND id = $2 AND occurred_at = (
    SELECT k.occurred_at FROM insights.analytics_event_keys k WHERE k.tenant_id = $1 AND k.source = $3 AND k.event_id = $4)`

export const analyticsEvent: Resolvers = {
  Query: {
    analyticsEvent: (_, { id }, context, info) => load(context, AnalyticsEvent, id, info),
    analyticsEvents: (_, args, context, info) => page(context, AnalyticsEvent, args, info, latestFirst),
    eventCounts: (_, args, context) => eventCounts(context, args),
    eventFunnel: (_, args, context) => eventFunnel(context, args),
  },
  Mutation: {
    trackEvent: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const { results, rows } = await trackEvents(context, tx, [input])
        const { id, isNew, userErrors } = results[0]!
        if (userErrors.length > 0) throw new UserErrors(userErrors)
        if (isNew) tx.audit({ action: 'CREATE', resourceType: 'AnalyticsEvent', resourceId: id, changes: {} })
        if (rows[0]) return { analyticsEvent: rows[0], isNew }
        const key = [context.binding.tenantId, id, input.source, input.eventId]
        const [found] = await tx.rows(prepared(readEvent, key))
        return { analyticsEvent: found ? asEvent(found) : null, isNew }
      }),
    trackEvents: (_, { input: { events } }, context) =>
      mutate(context, async (tx) => {
        if (events.length === 0) tx.fail('INVALID', 'events must have at least one', 'events')
        const { results, rows } = await trackEvents(context, tx, events)
        // One entry for all: the events are a record themselves.
        const changes = { after: { count: rows.length } }
        if (rows.length > 0)
          tx.audit({ action: 'CREATE', resourceType: 'AnalyticsEvent', resourceId: null, changes })
        return { results }
      }),
  },
  AnalyticsEvent: {
    user: needs(AnalyticsEvent, ['userId'], ({ userId }) => (userId ? { id: userId } : null)),
    customer: one(AnalyticsEvent, 'customerId', Customer),
  },
  Customer: {
    events: ({ id }, args, context, info) =>
      nested(context, AnalyticsEvent, 'customerId', id, args, info, latestFirst),
  },
}

function asEvent(row: readonly unknown[]): AnalyticsEvent {
  const [
    tenantId,
    id,
    source,
    eventId,
    eventType,
    name,
    userId,
    customerId,
    sessionId,
    properties,
    at,
    createdAt,
  ] = row as [
    ...[string, string, string, string, AnalyticsEvent['eventType'], string],
    ...[string | null, string | null, string | null, unknown, string, string],
  ]
  const actors = { userId, customerId, sessionId }
  return { tenantId, id, source, eventId, eventType, name, ...actors, properties, occurredAt: at, createdAt }
}
