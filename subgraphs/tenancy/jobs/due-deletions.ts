import type { Job } from '../../../kernel/jobs'
import { platformAction } from '../../../kernel/operator'
import { prepared } from '../../../kernel/statement'

/**
 * Deletes tenants whose days of grace are over, with all their rows. By the clock of the database: nobody who
 * asks hurries it, and no sandbox. What was deleted
 * stands in the platform's own trail.
 */
export const dueDeletions: Job = {
  name: 'due-deletions',
  for: 'platform',
  schedule: { cron: '20 * * * *', timeZone: 'UTC' },
  async run(context, tx, _, { signal, progress }) {
    const due = await tx.rows(prepared('SELECT tenancy.tenants_to_delete()', []))
    for (const [place, [tenantId]] of due.entries()) {
      signal.throwIfAborted()
      const [row] = await tx.rows(prepared('SELECT tenancy.delete_due_tenant($1)', [tenantId]))
      if (row?.[0] === true) await tx.rows(platformAction(context, 'DELETE_TENANT', String(tenantId)))
      progress(place + 1, due.length)
    }
  },
}
