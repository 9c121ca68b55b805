import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'

const day = 24 * 60 * 60_000
const keptMs = 30 * day

/** Removes what is left of mails that were sent or given up: that they were, and when. */
export const endedMails: Job = {
  name: 'ended mails',
  everyMs: day,
  async run(database, { clock, log }) {
    const endedBefore = new Date(clock.now().getTime() - keptMs).toISOString()
    const [row] = await database.rows(
      { tenantId: null },
      prepared('SELECT shared.remove_mails($1)', [endedBefore]),
    )
    const removed = Number(row![0])
    if (removed > 0) log.info({ removed, endedBefore }, 'ended mails removed')
  },
}
