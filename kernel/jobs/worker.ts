import { setTimeout as pause } from 'node:timers/promises'
import { clockAhead, type Clock } from '../clock'
import type { Database } from '../connection/database'
import type { Services } from '../context'
import { ApiError } from '../errors'
import type { SubgraphName } from '../schema/subgraph-names'
import { declareJobs, newJob, type Job } from './job'
import { addJob, jobTable, occurrenceKey, type Attempt } from './job-table'
import { runAttempt, type StopReason } from './run-attempt'
import { forEachTenant, scheduleNotice, type Ask } from './scheduled-jobs'
import { Turns } from './turns'

/** Milliseconds between two looks for due jobs, of which each wait leaves out up to a quarter. */
const pollMs = 1000
/** Milliseconds that a job has to end in after it was told that the process stops. Then its lease runs out. */
const stopWithinMs = 8000
/** Stands for the installation among the tenants. */
const nobody = ''

export interface WorkerOptions {
  /** Jobs that run at a time, default 2. A tenant, and the installation, gets another only while more than it has are free. */
  slots?: number
  /** A number from 0 to below 1, for delays. */
  random?: () => number
}

/** The part of this process that does the jobs of one subgraph. */
export interface Worker {
  /** Looks for work until it is stopped. */
  start(): void
  /** Does what is due, until nothing is. */
  runDue(): Promise<void>
  /** Takes nothing more, tells jobs under way to stop, and waits for them, though not for ever. */
  stop(): Promise<void>
}

/**
 * Does the jobs of a subgraph as its own database role: each bound to its tenant, tenants in turns, so that who has ten
 * thousand delays nobody who has one. Any number of processes may do so at once.
 */
export function jobWorker(
  subgraph: SubgraphName,
  declared: readonly Job[],
  database: Database,
  services: Services,
  { slots = 2, random = Math.random }: WorkerOptions = {},
): Worker {
  const jobs = new Map(declareJobs(subgraph, declared).map((job) => [job.name, job]))
  const table = jobTable(database, subgraph)
  const { clock, log } = services
  /** Clocks of sandboxes that are ahead. */
  let ahead: ReadonlyMap<string, Clock> = new Map()
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let taken = 0
  let looking: Promise<void> = Promise.resolve()

  const ask: Ask = async (job, tenantId, time, state) => {
    const row = newJob(job, {}, { key: occurrenceKey(time), at: time }, clock.now())
    await addJob((statement) => database.rows({ tenantId }, statement), tenantId, subgraph, { ...row, state })
  }
  const notice = scheduleNotice([...jobs.values()], table, ask)
  const turns = new Turns(slots, {
    work: takeTurn,
    onError: (error) => log.error({ subgraph, err: error }, 'jobs cannot be taken'),
  })

  const clockOf = (tenantId: string | null): Clock => (tenantId && ahead.get(tenantId)) || clock

  /** Looks who has something to do, besides those who are known to. */
  async function look(): Promise<void> {
    const now = clock.now()
    await notice.common(now)
    if (jobs.size > 0) {
      await table.release(null, now)
      turns.add(nobody)
    }
    const due = await table.dueTenants(now)
    ahead = clocksAhead(clock, due)
    for (const { tenantId, isLost, isDue } of due) {
      const own = clockOf(tenantId)
      const isAsked = own !== clock && (await notice.ahead(tenantId, own.now(), now))
      if (isLost) await table.release(tenantId, own.now())
      if (isDue || isAsked) turns.add(tenantId)
    }
    turns.fill()
  }

  async function takeTurn(tenant: string, abort: AbortController): Promise<boolean> {
    const tenantId = tenant === nobody ? null : tenant
    const own = clockOf(tenantId)
    const attempt = await table.claim(tenantId, own.now())
    if (!attempt) return false
    taken++
    const job = jobs.get(attempt.name)
    await runAttempt(
      job ? (tenantId === null && job.for !== 'platform' ? forEachTenant(job, ask) : job) : unknown(attempt),
      attempt,
      { database, table, services, clock: own, random },
      abort,
    )
    return true
  }

  async function poll(): Promise<void> {
    looking = look().catch((error: unknown) =>
      log.error({ subgraph, err: error }, 'due jobs cannot be looked for'),
    )
    await looking
    if (!isStopped) timer = setTimeout(() => void poll(), pollMs * (1 - random() / 4)).unref()
  }

  return {
    start: () => void poll(),
    async runDue() {
      // What was done may have asked for more.
      for (let before = -1; before < taken;) {
        before = taken
        await look()
        await turns.idle()
      }
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      const ended = Promise.all([looking, turns.close('stopping' satisfies StopReason)])
      await Promise.race([ended, pause(stopWithinMs, undefined, { ref: false })])
    },
  }
}

function clocksAhead(
  clock: Clock,
  tenants: readonly { tenantId: string; secondsAhead: number }[],
): ReadonlyMap<string, Clock> {
  const moved = tenants.filter(({ secondsAhead }) => secondsAhead > 0)
  return new Map(moved.map(({ tenantId, secondsAhead }) => [tenantId, clockAhead(clock, secondsAhead)]))
}

/** A job that a later version of the product asked for, or an earlier one: it waits for a process that knows it. */
function unknown({ name }: Attempt): Job {
  return { name, run: () => Promise.reject(new ApiError('CONFLICT', `This process knows no job ${name}`)) }
}
