import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'
import { reopenMs } from '../rules/ticket-status'

/** Tickets that one statement marks at most. */
const most = 1_000

/** A breach is when the clock was due, not when the job came; the version stays, as nobody's change is overtaken. */
const breach = (clock: string, also: string) => `
  UPDATE insights.support_tickets SET ${clock}_breached_at = ${clock}_due_at, updated_at = now()
   WHERE tenant_id = $1 AND id IN (SELECT id FROM insights.support_tickets
     WHERE tenant_id = $1 AND ${clock}_due_at <= $2 AND ${clock}_breached_at IS NULL ${also}
     ORDER BY ${clock}_due_at LIMIT ${most} FOR UPDATE)
   RETURNING id, ${clock}_breached_at`

const close = `
  UPDATE insights.support_tickets SET status = 'CLOSED', closed_at = $2, first_response_due_at = NULL,
         first_response_seconds_left = NULL, resolution_seconds_left = NULL, version = version + 1, updated_at = now()
   WHERE tenant_id = $1 AND id IN (SELECT id FROM insights.support_tickets
     WHERE tenant_id = $1 AND status = 'RESOLVED' AND resolved_at < $3 ORDER BY resolved_at LIMIT ${most} FOR UPDATE)
   RETURNING id`

/** Records what tickets did not keep, once for each clock, and closes those that were resolved more than 14 days ago. */
export const lateTickets: Job = {
  name: 'late-tickets',
  schedule: { cron: '*/5 * * * *', timeZone: 'UTC' },
  async run({ binding, clock }, tx, _, { signal }) {
    const now = clock.now()
    const [tenantId, instant] = [binding.tenantId, now.toISOString()]
    for (const [name, also, told] of [
      ['first_response', 'AND first_responded_at IS NULL', 'FIRST_RESPONSE'],
      ['resolution', '', 'RESOLUTION'],
    ] as const)
      for (let found = most; found === most;) {
        signal.throwIfAborted()
        const rows = await tx.rows(prepared(breach(name, also), [tenantId, instant]))
        for (const [id, breachedAt] of rows as [string, string][]) {
          tx.emit('insights.ticket-breached', { type: 'SupportTicket', id }, { clock: told, breachedAt })
          const changes = { after: { clock: told, breachedAt } }
          tx.audit({ action: 'UPDATE', resourceType: 'SupportTicket', resourceId: id, changes })
        }
        found = rows.length
      }
    const before = new Date(now.getTime() - reopenMs).toISOString()
    for (let found = most; found === most;) {
      signal.throwIfAborted()
      const rows = (await tx.rows(prepared(close, [tenantId, instant, before]))) as [string][]
      for (const [id] of rows)
        tx.audit({
          ...{ action: 'UPDATE', resourceType: 'SupportTicket', resourceId: id },
          changes: { before: { status: 'RESOLVED' }, after: { status: 'CLOSED', closedAt: instant } },
        })
      found = rows.length
    }
  },
}
