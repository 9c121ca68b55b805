import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'

const day = 86_400_000
const atOnce = 5000

const removeJobs = `DELETE FROM shared.jobs AS t WHERE t.tenant_id = $1 AND t.id IN (
  SELECT j.id FROM shared.jobs j WHERE j.tenant_id = $1 AND j.ended_at <= $2 LIMIT ${atOnce})`

/** The last time of a schedule is kept: by it workers know which comes next. */
const removePlatformJobs = `DELETE FROM shared.platform_jobs AS t WHERE t.ended_at <= $1 AND EXISTS (
  SELECT FROM shared.platform_jobs p WHERE p.subgraph = t.subgraph AND p.name = t.name AND p.unique_key > t.unique_key)`

const keptUntil = (now: Date, days: number) => new Date(now.getTime() - days * day).toISOString()

/** Removes jobs that have ended long ago; with them ends what their keys promised. */
export const oldJobs: Job = {
  name: 'old-jobs',
  schedule: { cron: '50 3 * * *', timeZone: 'UTC' },
  async run({ binding, clock, services }, tx, _, { signal, progress }) {
    const until = keptUntil(clock.now(), services.config.keptDays.jobs)
    for (let removed = 0, last = atOnce; last === atOnce; progress((removed += last))) {
      signal.throwIfAborted()
      last = await tx.run(prepared(removeJobs, [binding.tenantId, until]))
    }
  },
}

/** Removes the jobs of the installation in the same way, and of the platform's trail old failed sign-ins of operators. */
export const oldPlatformJobs: Job = {
  name: 'old-platform-jobs',
  for: 'platform',
  schedule: { cron: '55 3 * * *', timeZone: 'UTC' },
  async run({ clock, services }, tx) {
    await tx.run(prepared(removePlatformJobs, [keptUntil(clock.now(), services.config.keptDays.jobs)]))
    await tx.rows(prepared('SELECT tenancy.remove_old_operator_failures()', []))
  },
}
