import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'

/** As many as every start of the product makes. */
const monthsAhead = 12
const day = 24 * 60 * 60_000

/**
 * Makes the months of the audit trail that are to come, so that a process may run for years. Nothing can be changed in
 * a month that is missing, since no change is made without its audit row; daily runs have a year to succeed.
 */
export const auditMonths: Job = {
  name: 'audit months',
  everyMs: day,
  async run(database, { clock, log }) {
    const now = clock.now()
    const made = await database.transaction({ tenantId: null }, async (tx) => {
      // Adding a month locks the trail: rather tomorrow than have every change wait behind a long reader.
      await tx.run({ text: "SET LOCAL lock_timeout = '5s'" })
      const [row] = await tx.rows(
        prepared('SELECT shared.ensure_partitions($1, 0, $2)', [monthsAhead, now.toISOString()]),
      )
      return Number(row![0])
    })
    const last = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + monthsAhead))
    if (made > 0) log.info({ made, until: last.toISOString().slice(0, 7) }, 'months of the audit trail made')
  },
}
