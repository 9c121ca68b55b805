import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'
import { keyLifeMs } from '../../../kernel/mutate'

const day = 24 * 60 * 60_000

/** Forgets idempotency keys that mean nothing any more, of all tenants. Whoever sends one again is not kept waiting for it. */
export const idempotencyKeys: Job = {
  name: 'idempotency keys',
  everyMs: day,
  async run(database, { clock, log }) {
    const usedBefore = new Date(clock.now().getTime() - keyLifeMs).toISOString()
    const [row] = await database.rows(
      { tenantId: null },
      prepared('SELECT shared.remove_idempotency_keys($1)', [usedBefore]),
    )
    const removed = Number(row![0])
    if (removed > 0) log.info({ removed, usedBefore }, 'old idempotency keys removed')
  },
}
