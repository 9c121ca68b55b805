import type { Services } from './context'
import type { Database } from './connection/database'

/** Work that a subgraph does by itself, beside requests. It may run in several processes at once. */
export interface Job {
  /** For the log. */
  name: string
  /** Milliseconds from the end of one run to the next, below 2^31: the longest that a timer waits. */
  everyMs: number
  run(database: Database, services: JobServices): Promise<void>
}

/** Describes what jobs use of the process. */
export type JobServices = Pick<Services, 'clock' | 'log'>

/**
 * Runs each job now and then every `everyMs`; resolves when the first runs have ended. A failure is logged and the job
 * tried again at its next time: it never stops the process.
 * @returns takes no further runs and waits for those under way
 */
export async function startJobs(
  jobs: readonly Job[],
  database: Database,
  services: JobServices,
): Promise<() => Promise<void>> {
  const timers = new Map<Job, NodeJS.Timeout>()
  const running = new Set<Promise<void>>()
  let closed = false

  async function run(job: Job): Promise<void> {
    try {
      await job.run(database, services)
    } catch (error) {
      const againInMinutes = Math.round(job.everyMs / 60_000)
      services.log.error(
        { job: job.name, err: error, againInMinutes },
        'a job failed and will be tried again',
      )
    }
    if (closed) return
    // A process that has nothing else to do may end.
    timers.set(job, setTimeout(() => void begin(job), job.everyMs).unref())
  }

  function begin(job: Job): Promise<void> {
    const underWay = run(job).finally(() => running.delete(underWay))
    running.add(underWay)
    return underWay
  }

  await Promise.all(jobs.map(begin))
  return async () => {
    closed = true
    for (const timer of timers.values()) clearTimeout(timer)
    await Promise.all(running)
  }
}
