import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'

/** Drops months of events that are over for a year, of all tenants. */
export const oldAnalyticsEvents: Job = {
  name: 'old-analytics-events',
  for: 'platform',
  schedule: { cron: '25 3 * * *', timeZone: 'UTC' },
  async run({ clock, log }, tx) {
    // Dropping a month locks the events: rather later than have every source wait behind a long reader.
    await tx.run({ text: "SET LOCAL lock_timeout = '5s'" })
    const [row] = await tx.rows(
      prepared('SELECT shared.drop_analytics_events($1)', [aYearBefore(clock.now())]),
    )
    const dropped = Number(row![0])
    if (dropped > 0) log.info({ dropped }, 'months of analytics events dropped')
  },
}

const forget = `DELETE FROM insights.analytics_event_keys WHERE tenant_id = $1 AND (source, event_id) IN (
  SELECT k.source, k.event_id FROM insights.analytics_event_keys k
   WHERE k.tenant_id = $1 AND k.occurred_at < $2 ORDER BY k.occurred_at LIMIT 5000)`

/** Forgets the keys of events that are gone. */
export const oldEventKeys: Job = {
  name: 'old-event-keys',
  schedule: { cron: '35 3 * * *', timeZone: 'UTC' },
  async run({ binding, clock }, tx, _, { signal, progress }) {
    const before = aYearBefore(clock.now())
    for (let removed = 0, last = 1; last > 0; progress((removed += last))) {
      signal.throwIfAborted()
      last = await tx.run(prepared(forget, [binding.tenantId, before]))
    }
  },
}

function aYearBefore(now: Date): string {
  const before = new Date(now)
  before.setUTCFullYear(before.getUTCFullYear() - 1)
  return before.toISOString()
}
