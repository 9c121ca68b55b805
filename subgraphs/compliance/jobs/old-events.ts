import type { Job } from '../../../kernel/jobs'

const day = 86_400_000
/** Days after the end of a month until its events are dropped: whoever copies them from the table has had the time. */
const keptDays = 7

/** Drops the months of the outbox of which every event has left. */
export const oldEvents: Job = {
  name: 'old-events',
  for: 'platform',
  schedule: { cron: '15 3 * * *', timeZone: 'UTC' },
  async run({ clock, log }, tx) {
    const before = new Date(clock.now().getTime() - keptDays * day).toISOString()
    // Dropping a month locks the outbox: rather later than have every change wait behind a long reader.
    await tx.run({ text: "SET LOCAL lock_timeout = '5s'" })
    const [row] = await tx.rows({ text: 'SELECT shared.drop_dispatched_events($1)', values: [before] })
    const dropped = Number(row![0])
    if (dropped > 0) log.info({ dropped }, 'months of dispatched events dropped')
  },
}
