import type { RetainedRows } from '../../kernel/retention'

const other = 'SELECT FROM insights.support_tickets o WHERE o.tenant_id = $1'

/** Tickets, with their messages. One that was merged is a part of the ticket that stays. */
export const retainedTickets = {
  dataClass: 'TICKET',
  resourceType: 'SupportTicket',
  table: 'insights.support_tickets',
  startsAt: 't.closed_at',
  about: { Customer: 't.customer_id', SupportTicket: 't.merged_into_id' },
  parts: {
    TicketMessage:
      'SELECT m.id FROM insights.ticket_messages m WHERE m.tenant_id = $1 AND m.ticket_id = t.id',
  },
  neededBy: `EXISTS (${other} AND o.merged_into_id = t.id) OR EXISTS (${other} AND o.follow_up_of_id = t.id)
    OR EXISTS (SELECT FROM insights.ticket_messages m
      WHERE m.tenant_id = $1 AND m.conversation_id = t.id AND m.ticket_id <> t.id)`,
  // Messages go with their ticket.
  remove: 'DELETE FROM insights.support_tickets WHERE tenant_id = $1 AND id = ANY ($2) AND closed_at <= $3',
} as const satisfies RetainedRows

/** Patterns that are over: nobody is shown them, but they answer questions about what was done because of them. */
export const retainedPatterns = {
  dataClass: 'LOG',
  resourceType: 'BehaviorPattern',
  table: 'insights.behavior_patterns',
  startsAt: 'least(t.lapses_at, t.deleted_at)',
  about: { Customer: 't.customer_id' },
  remove: `DELETE FROM insights.behavior_patterns
    WHERE tenant_id = $1 AND id = ANY ($2) AND least(lapses_at, deleted_at) <= $3`,
} as const satisfies RetainedRows

/** Rows that insights keeps for a time. Events go by whole months of all tenants (`jobs/old-analytics-events.ts`). */
export const retained: readonly RetainedRows[] = [retainedTickets, retainedPatterns]
