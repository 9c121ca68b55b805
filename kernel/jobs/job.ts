import type { SubgraphContext } from '../context'
import type { SubgraphName } from '../schema/subgraph-names'
import { uuidv7 } from '../id'
import type { MutationTransaction } from '../writing/mutation-transaction'
import type { NewJob } from './job-table'
import { occurrences, type Schedule } from './schedule'

export type { Schedule } from './schedule'

/** Holds what a job is told while it runs, and what it tells. */
export interface JobControl {
  /** Of this piece of work, whatever the attempt: the key for effects outside of the database. */
  jobId: string
  /** 1 for the first. */
  attempt: number
  /** The scheduled time; of a job without schedule, when it was due. */
  dueAt: Date
  /**
   * Aborted when the job is cancelled, the process stops or another process took it over. A job that lasts looks at it
   * between two steps and throws: what it then leaves undone is done again, or never, as it should be.
   */
  signal: AbortSignal
  /** Says how far it is, at least once a second; shown to whoever may see the job. */
  progress(done: number, total?: number): void
}

/**
 * Work that a subgraph does by itself, beside requests: on a schedule, or once a row asks for it. A row is a piece of
 * work; it outlives the process. What `tx` changes is committed together with the row's end, so it happens once however
 * many workers there are and whenever they die. What a job does elsewhere (mail, transactions of its own) may happen
 * again: it uses `jobId` as its key, or does nothing the second time.
 */
export interface Job<P extends object = object> {
  /** Words with hyphens, once in the subgraph: `old-sessions`. */
  name: string
  /**
   * `tenant` (default): bound to a tenant, among whose rows it stands; with a schedule each tenant has its own. `platform`:
   * of the installation, without a tenant.
   */
  for?: 'tenant' | 'platform'
  schedule?: Schedule
  /** Says how often it is tried until it has failed, default 5: after 1, 2, 4 … seconds, an hour at most. */
  attempts?: number
  run(
    context: SubgraphContext,
    tx: MutationTransaction<string>,
    payload: P,
    control: JobControl,
  ): Promise<unknown>
}

/** Says when a piece of work is done, and how often. */
export interface JobOptions {
  /** Unique among the tenant's pieces of this work, as long as its row is kept: asked for again it is the same one. */
  key?: string
  /** Not before; default: now. */
  at?: Date
  requestedById?: string | null
}

const triedUntilFailed = 5

/** The row of a new piece of work. */
export function newJob(job: Job, payload: object, options: JobOptions, now: Date): NewJob {
  return {
    id: uuidv7(now.getTime()),
    name: job.name,
    uniqueKey: options.key ?? null,
    payload,
    dueAt: options.at ?? now,
    mostAttempts: job.attempts ?? triedUntilFailed,
    requestedById: options.requestedById ?? null,
    createdAt: now,
    state: 'WAITING',
  }
}

const subgraphOfJob = new WeakMap<object, SubgraphName>()

/** The subgraph that declared a job. */
export function subgraphOf(job: Job): SubgraphName {
  const name = subgraphOfJob.get(job)
  if (!name) throw new Error(`The job ${job.name} is in the list of no subgraph`)
  return name
}

/** @throws for a job that could not run, or is declared already */
export function declareJobs(subgraph: SubgraphName, jobs: readonly Job[]): readonly Job[] {
  const names = new Set<string>()
  for (const job of jobs) {
    if (!/^[a-z]+(-[a-z]+)*$/.test(job.name) || job.name.length > 100)
      throw new Error(`${subgraph}: the job "${job.name}" needs a name of words with hyphens`)
    if (names.has(job.name)) throw new Error(`${subgraph}: two jobs are called ${job.name}`)
    names.add(job.name)
    const other = subgraphOfJob.get(job) ?? subgraph
    if (other !== subgraph) throw new Error(`The job ${job.name} belongs to ${other} and to ${subgraph}`)
    if (job.schedule) occurrences(job.schedule)
    subgraphOfJob.set(job, subgraph)
  }
  return jobs
}
