import type { Database } from '../../kernel/connection/database'
import type { Services, SubgraphContext } from '../../kernel/context'
import type { Job } from '../../kernel/jobs'
import { maskOf } from '../../kernel/writing/audit'
import { perform } from '../../kernel/writing/perform'

/** Runs a job at once and by itself, as a worker would: in a transaction of the tenant, or without one. */
export async function runJob(
  job: Job,
  database: Database,
  services: Pick<Services, 'clock' | 'log'>,
  { tenantId = null, payload = {} }: { tenantId?: string | null; payload?: object } = {},
): Promise<void> {
  const binding = { tenantId, actorId: null, requestId: 'job test' }
  const context = { ...services, services, db: database, binding, loaders: new Map(), viewer: null }
  const control = {
    jobId: '00000000-0000-7000-8000-000000000000',
    attempt: 1,
    dueAt: services.clock.now(),
    signal: new AbortController().signal,
    progress: () => undefined,
  }
  const shown = context as unknown as SubgraphContext
  const mask = await maskOf(shown)
  await database.transaction(binding, (transaction) =>
    perform(shown, transaction, (tx) => job.run(shown, tx, payload, control), mask),
  )
}
