import type { Clock } from '../clock'
import type { Database } from '../connection/database'
import type { Services, SubgraphContext } from '../context'
import { ApiError, UserErrors } from '../errors'
import { maskOf } from '../writing/audit'
import { perform } from '../writing/perform'
import type { Job, JobControl } from './job'
import { leaseSeconds, type Attempt, type FailedEnd, type JobTable, type Steps } from './job-table'

/** Milliseconds between two looks at whether there is something to say of a running job. */
const tickMs = 1000
/** Says after how many of them the lease is renewed at the latest. */
const ticksOfLease = Math.floor(leaseSeconds / 12)

/** Why a running job is told to stop. */
export type StopReason = 'lost' | 'cancelled' | 'stopping'

/** Thrown where the end of a job changes no row: its effect is undone. */
class JobTaken extends Error {}

export interface AttemptParts {
  database: Database
  table: JobTable
  services: Services
  /** As the tenant of the job has it. */
  clock: Clock
  /** A number from 0 to below 1. */
  random: () => number
}

/**
 * Runs one attempt to its end, and says in its row how it ended; `abort` tells the job to stop. Never throws for what the
 * job does.
 * @returns how it ended
 */
export async function runAttempt(
  job: Job,
  attempt: Attempt,
  parts: AttemptParts,
  abort: AbortController,
): Promise<'done' | 'lost' | FailedEnd['kind']> {
  const { table, clock, services } = parts
  const steps: Steps = { done: 0, total: null }
  const heart = beat(table, attempt, steps, abort, services)
  try {
    await effect(job, attempt, parts, steps, abort.signal)
    return 'done'
  } catch (error) {
    const end = endOf(error, abort.signal, attempt, parts)
    if (end === null) return 'lost'
    const told = {
      job: attempt.name,
      jobId: attempt.id,
      tenantId: attempt.tenantId,
      attempt: attempt.attempt,
    }
    if (end.kind === 'retry')
      services.log.warn({ ...told, err: error, at: end.at }, 'a job failed and is tried again')
    if (end.kind === 'failed') services.log.error({ ...told, err: error }, 'a job failed for good')
    await table.giveBack(attempt, end, clock.now())
    return end.kind
  } finally {
    heart.stop()
  }
}

/** The effect and the end of the job's row, in one transaction. */
async function effect(
  job: Job,
  attempt: Attempt,
  { database, table, services, clock }: AttemptParts,
  steps: Steps,
  signal: AbortSignal,
): Promise<void> {
  const context = jobContext(attempt, database, services, clock, signal)
  const control: JobControl = {
    jobId: attempt.id,
    attempt: attempt.attempt,
    dueAt: attempt.occurrence ?? attempt.dueAt,
    signal,
    progress(done, total) {
      steps.done = Math.max(0, Math.trunc(done))
      steps.total = total === undefined ? steps.total : Math.max(0, Math.trunc(total))
    },
  }
  const mask = await maskOf(context)
  await database.transaction(context.binding, async (transaction) => {
    await perform(context, transaction, (tx) => job.run(context, tx, attempt.payload, control), mask)
    const ended = await transaction.run(table.completion(attempt, steps, clock.now()))
    if (ended === 0) throw new JobTaken('The job was cancelled, or another worker has it')
  })
}

/** The context of work that nobody asks for by a request: the tenant's, and the system's. */
function jobContext(
  { tenantId, id }: Attempt,
  db: Database,
  services: Services,
  clock: Clock,
  signal: AbortSignal,
): SubgraphContext {
  const requestId = `job ${id}`
  return {
    requestId,
    viewer: null,
    clientIp: null,
    userAgent: null,
    clock,
    log: services.log,
    signal,
    db,
    services,
    binding: { tenantId, actorId: null, requestId },
    loaders: new Map(),
    reads: new Map(),
  }
}

/** Null when the job is somebody else's: nothing is to be said of it. */
function endOf(
  error: unknown,
  signal: AbortSignal,
  { attempt, mostAttempts }: Attempt,
  { clock, random }: AttemptParts,
): FailedEnd | null {
  const reason = signal.aborted ? (signal.reason as StopReason) : null
  if (reason === 'lost') return null
  // Found at the end: cancelled a moment ago, or taken; a row that is another's is left alone in either case.
  if (reason === 'cancelled' || error instanceof JobTaken) return { kind: 'cancelled' }
  if (reason === 'stopping') return { kind: 'postponed' }
  const fault = faultOf(error)
  if (attempt >= mostAttempts) return { kind: 'failed', fault }
  return { kind: 'retry', at: new Date(clock.now().getTime() + retryDelayMs(attempt, random)), fault }
}

/** Milliseconds until the next attempt: doubled each time, an hour at most, a random half of it left out. */
export function retryDelayMs(attempt: number, random: () => number): number {
  const longest = Math.min(3_600_000, 1000 * 2 ** Math.min(attempt - 1, 30))
  return Math.round(longest * (1 - random() / 2))
}

/**
 * Says what may be read by whoever sees jobs, who may not see what the job worked on: codes and names of fields. Messages can
 * repeat values, so the log alone has them.
 */
function faultOf(error: unknown): string {
  return `${kindOf(error)}: the log of the product tells more by the id of this job`
}

function kindOf(error: unknown): string {
  if (error instanceof ApiError) return String(error.extensions['code'])
  if (error instanceof UserErrors)
    return error.errors
      .map(({ code, field }) => [code, ...(field ? [field.join('.')] : [])].join(' '))
      .join(', ')
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
  return `An internal error${code}`
}

/** Renews the lease and writes progress, and aborts the job when it is cancelled or lost. */
function beat(
  table: JobTable,
  attempt: Attempt,
  steps: Steps,
  abort: AbortController,
  { log }: Services,
): { stop(): void } {
  let written = '0'
  let ticks = 0
  let isBusy = false
  const timer = setInterval(() => {
    const progress = `${steps.done}/${steps.total}`
    ticks += 1
    if (isBusy || (progress === written && ticks < ticksOfLease)) return
    isBusy = true
    written = progress
    ticks = 0
    table
      .touch(attempt, { ...steps })
      .then(
        (state) => {
          if (state !== 'mine' && !abort.signal.aborted) abort.abort(state satisfies StopReason)
        },
        (error: unknown) => log.warn({ jobId: attempt.id, err: error }, 'the lease of a job was not renewed'),
      )
      .finally(() => (isBusy = false))
  }, tickMs)
  return { stop: () => clearInterval(timer) }
}
