import type { Database } from '../connection/database'
import type { Job, JobServices } from '../jobs'
import { repeat } from './repeat'

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
  const { log } = services
  const runs = jobs.map((job) => async () => {
    try {
      await job.run(database, services)
    } catch (error) {
      const againInMinutes = Math.round(job.everyMs / 60_000)
      log.error({ job: job.name, err: error, againInMinutes }, 'a job failed and will be tried again')
    }
  })
  await Promise.all(runs.map((run) => run()))
  const stops = jobs.map(({ name, everyMs }, place) => repeat(name, everyMs, log, runs[place]!))
  return async () => {
    await Promise.all(stops.map((stop) => stop()))
  }
}
