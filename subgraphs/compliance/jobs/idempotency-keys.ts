import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'
import { keyLifeMs } from '../../../kernel/mutate'

/** Forgets idempotency keys that mean nothing any more. Whoever sends one again is not kept waiting for it. */
export const idempotencyKeys: Job = {
  name: 'idempotency-keys',
  for: 'platform',
  schedule: { cron: '20 3 * * *', timeZone: 'UTC' },
  async run({ clock, log }, tx) {
    const usedBefore = new Date(clock.now().getTime() - keyLifeMs).toISOString()
    const [row] = await tx.rows(prepared('SELECT shared.remove_idempotency_keys($1)', [usedBefore]))
    const removed = Number(row![0])
    if (removed > 0) log.info({ removed, usedBefore }, 'old idempotency keys removed')
  },
}
