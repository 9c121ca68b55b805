import type { Job } from '../../../kernel/jobs'

const day = 86_400_000

/** Forgets which operations clients sent long ago. The registry judges changes by what is left. */
export const oldUsage: Job = {
  name: 'old-usage',
  for: 'platform',
  schedule: { cron: '40 3 * * *', timeZone: 'UTC' },
  async run({ clock, log, services }, tx) {
    const before = new Date(clock.now().getTime() - services.config.keptDays.usage * day)
      .toISOString()
      .slice(0, 10)
    const [row] = await tx.rows({ text: 'SELECT shared.forget_usage($1)', values: [before] })
    const removed = Number(row![0])
    if (removed > 0) log.info({ removed, before }, 'old usage removed')
  },
}
