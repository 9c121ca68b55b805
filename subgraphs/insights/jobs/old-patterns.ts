import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'

const day = 86_400_000
/** Days that a pattern is kept for questions about it, though nobody sees it any more. */
const keptDays = 90

const remove = `DELETE FROM insights.behavior_patterns WHERE tenant_id = $1 AND id IN (
  SELECT p.id FROM insights.behavior_patterns p
   WHERE p.tenant_id = $1 AND least(p.lapses_at, p.deleted_at) < $2 LIMIT 5000)`

/** Removes patterns that have been over for long. What is over is shown to nobody, whether it was removed or not. */
export const oldPatterns: Job = {
  name: 'old-patterns',
  schedule: { cron: '55 3 * * *', timeZone: 'UTC' },
  async run({ binding, clock }, tx, _, { signal, progress }) {
    const before = new Date(clock.now().getTime() - keptDays * day).toISOString()
    for (let removed = 0, last = 1; last > 0; progress((removed += last))) {
      signal.throwIfAborted()
      last = await tx.run(prepared(remove, [binding.tenantId, before]))
    }
  },
}
