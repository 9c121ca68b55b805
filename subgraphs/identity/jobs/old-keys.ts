import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'

const day = 86_400_000
const atOnce = 5000

const remove = `DELETE FROM identity.api_keys AS t WHERE t.tenant_id = $1 AND t.id IN (
  SELECT k.id FROM identity.api_keys k
   WHERE k.tenant_id = $1 AND (k.expires_at <= $2 OR k.revoked_at <= $2) LIMIT ${atOnce})`

/** Removes API keys that were revoked or over long ago; the audit trail keeps that they were. */
export const oldKeys: Job = {
  name: 'old-keys',
  schedule: { cron: '35 3 * * *', timeZone: 'UTC' },
  async run({ binding, services }, tx, _, { signal, progress }) {
    // As with sessions, whoever looks them up goes by the true time.
    const longAgo = services.clock.now().getTime() - services.config.keptDays.sessions * day
    let removed = 0
    for (let last = atOnce; last === atOnce; progress((removed += last))) {
      signal.throwIfAborted()
      last = await tx.run(prepared(remove, [binding.tenantId, new Date(longAgo).toISOString()]))
    }
  },
}
