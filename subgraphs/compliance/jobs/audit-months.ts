import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'

/** As many as every start of the product makes. */
const monthsAhead = 12

/**
 * Makes the months of the audit trail and of the outbox that are to come, so that a process may run for years. Nothing
 * can be changed in a month that is missing, since no change is made without its rows there; daily runs have a year to
 * succeed.
 */
export const auditMonths: Job = {
  name: 'audit-months',
  for: 'platform',
  schedule: { cron: '10 3 * * *', timeZone: 'UTC' },
  async run({ clock, log }, tx) {
    const now = clock.now()
    // Adding a month locks the trail: rather later than have every change wait behind a long reader.
    await tx.run({ text: "SET LOCAL lock_timeout = '5s'" })
    const [row] = await tx.rows(
      prepared('SELECT shared.ensure_partitions($1, 0, $2)', [monthsAhead, now.toISOString()]),
    )
    const made = Number(row![0])
    const last = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + monthsAhead))
    if (made > 0)
      log.info({ made, until: last.toISOString().slice(0, 7) }, 'months of the trail and the outbox made')
  },
}
