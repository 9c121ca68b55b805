import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'
import { keyLifeMs } from '../../../kernel/mutate'

/** Forgets idempotency keys that mean nothing any more. Whoever sends one again is not kept waiting for it. */
export const idempotencyKeys: Job = {
  name: 'idempotency-keys',
  schedule: { cron: '20 3 * * *', timeZone: 'UTC' },
  async run({ services }, tx, _, { signal, progress }) {
    const usedBefore = new Date(services.clock.now().getTime() - keyLifeMs).toISOString()
    for (let removed = 0, last = 1; last > 0; progress((removed += last))) {
      signal.throwIfAborted()
      // Some at a time, or a tenant with millions of them would run into the limit of a statement.
      const [row] = await tx.rows(prepared('SELECT shared.remove_idempotency_keys($1)', [usedBefore]))
      last = Number(row![0])
    }
  },
}
