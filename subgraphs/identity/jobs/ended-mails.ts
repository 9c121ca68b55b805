import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'

const keptMs = 30 * 86_400_000

/** Removes what is left of mails that were sent or given up: that they were, and when. */
export const endedMails: Job = {
  name: 'ended-mails',
  for: 'platform',
  schedule: { cron: '25 3 * * *', timeZone: 'UTC' },
  async run({ clock, log }, tx) {
    const endedBefore = new Date(clock.now().getTime() - keptMs).toISOString()
    const [row] = await tx.rows(prepared('SELECT shared.remove_mails($1)', [endedBefore]))
    const removed = Number(row![0])
    if (removed > 0) log.info({ removed, endedBefore }, 'ended mails removed')
  },
}
