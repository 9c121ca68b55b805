import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'

/** Years that closed tickets are kept: the class TICKET of `kernel/sensitive/classes.ts`. */
const keptYears = 2
/** Tickets that one statement removes at most; their messages go with them. */
const most = 1_000

// What others refer to stays until they are gone as well.
const remove = `
  DELETE FROM insights.support_tickets WHERE tenant_id = $1 AND id IN (
    SELECT t.id FROM insights.support_tickets t WHERE t.tenant_id = $1 AND t.closed_at < $2
       AND NOT EXISTS (SELECT FROM insights.support_tickets o WHERE o.tenant_id = $1 AND o.merged_into_id = t.id)
       AND NOT EXISTS (SELECT FROM insights.support_tickets o WHERE o.tenant_id = $1 AND o.follow_up_of_id = t.id)
       AND NOT EXISTS (SELECT FROM insights.ticket_messages m WHERE m.tenant_id = $1 AND m.conversation_id = t.id AND m.ticket_id <> t.id)
     ORDER BY t.closed_at LIMIT ${most})
  RETURNING id`

/** Removes tickets that were closed more than two years ago, with their messages. */
export const oldTickets: Job = {
  name: 'old-tickets',
  schedule: { cron: '50 3 * * *', timeZone: 'UTC' },
  async run({ binding, clock }, tx, _, { signal, progress }) {
    const before = clock.now()
    before.setUTCFullYear(before.getUTCFullYear() - keptYears)
    for (let removed = 0, last = 1; last > 0; progress((removed += last))) {
      signal.throwIfAborted()
      const rows = (await tx.rows(prepared(remove, [binding.tenantId, before.toISOString()]))) as [string][]
      for (const [id] of rows)
        tx.audit({ action: 'DELETE', resourceType: 'SupportTicket', resourceId: id, changes: {} })
      last = rows.length
    }
  },
}
