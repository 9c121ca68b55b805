import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'
import { failureNotices } from '../rules/session-limits'
import { notify } from '../sessions/notices'

const failing = 'SELECT identity.users_with_failed_sign_ins($1, $2)'

/** Accounts with a password whose owners were not told within the day. */
const untold = `SELECT u.id, u.email FROM identity.users u
    LEFT JOIN identity.failure_notices n ON n.tenant_id = $1 AND n.user_id = u.id
   WHERE u.tenant_id = $1 AND u.id = ANY ($2) AND u.status = 'ACTIVE' AND u.password_hash IS NOT NULL
     AND (n.told_at IS NULL OR n.told_at <= $3)`

const note = `INSERT INTO identity.failure_notices (user_id, told_at) VALUES ($1, $2)
  ON CONFLICT (tenant_id, user_id) DO UPDATE SET told_at = excluded.told_at`

/**
 * Tells the owners of accounts on which many attempts failed within the hour, once a day. A request that fails tells nobody: it
 * would take longer where there is an account.
 */
export const failureNoticesJob: Job = {
  name: 'failure-notices',
  schedule: { cron: '*/15 * * * *', timeZone: 'UTC' },
  async run(context, tx, _, { signal }) {
    const { tenantId } = context.binding
    const now = context.services.clock.now()
    const { told, withinMs, againAfterMs } = failureNotices.password
    const since = new Date(now.getTime() - withinMs).toISOString()
    const users = (await tx.rows(prepared(failing, [since, told]))).map(([id]) => id)
    const toldBefore = new Date(now.getTime() - againAfterMs).toISOString()
    for (const [id, email] of await tx.rows(prepared(untold, [tenantId, users, toldBefore]))) {
      signal.throwIfAborted()
      const owner = { tenantId: tenantId!, id: String(id), email: String(email) }
      await notify(context, tx, owner, 'ATTEMPTS_FAILED')
      await tx.run(prepared(note, [id, now.toISOString()]))
    }
  },
}
