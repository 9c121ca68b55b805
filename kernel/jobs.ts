import type { SubgraphContext } from './context'
import { newJob, subgraphOf, type Job, type JobOptions } from './jobs/job'
import { addJob } from './jobs/job-table'
import type { MutationTransaction } from './writing/mutation-transaction'

export type { Job, JobControl, Schedule } from './jobs/job'

/**
 * Asks for a piece of work, if and only if the transaction commits: it is done soon after, or not before `at`. The payload
 * holds ids, never values: those may have changed, and whoever works on the database reads it.
 * @param options.key asked for again with the same key, it is the same piece of work
 * @returns the id of the job
 */
export async function enqueue<P extends object>(
  context: Pick<SubgraphContext, 'binding' | 'clock'> & Partial<Pick<SubgraphContext, 'operator'>>,
  tx: Pick<MutationTransaction, 'rows'>,
  job: Job<P>,
  payload: P,
  options: Pick<JobOptions, 'key' | 'at'> = {},
): Promise<string> {
  if (job.for === 'platform')
    throw new Error(`The job ${job.name} is of the installation: its schedule asks for it`)
  const { tenantId, actorId } = context.binding
  if (!tenantId) throw new Error(`The job ${job.name} needs a tenant`)
  const row = newJob(
    job,
    payload,
    { ...options, requestedById: context.operator ? null : (actorId ?? null) },
    context.clock.now(),
  )
  return (await addJob((statement) => tx.rows(statement), tenantId, subgraphOf(job), row)).id
}
