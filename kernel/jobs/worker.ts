import { clockAhead, type Clock } from '../clock'
import type { Database } from '../connection/database'
import { FairShare } from '../connection/fair-share'
import type { Services } from '../context'
import { ApiError } from '../errors'
import type { SubgraphName } from '../schema/subgraph-names'
import { prepared } from '../statement'
import { declareJobs, newJob, type Job } from './job'
import { addJob, jobTable, occurrenceKey, type Attempt } from './job-table'
import { runAttempt, type StopReason } from './run-attempt'
import { occurrences } from './schedule'

/** Milliseconds between two looks for due jobs, of which each wait leaves out up to a quarter. */
const pollMs = 1000
/** Milliseconds that a job has to end in after it was told that the process stops. Then its lease runs out. */
const stopWithinMs = 8000
/** Tenants that a schedule reaches with one look-up. */
const tenantsAtOnce = 500
const someTenants = 'SELECT id FROM shared.tenant_ids($1, $2) AS id'
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
  const scheduled = [...jobs.values()].flatMap((job) =>
    job.schedule ? [{ job, times: occurrences(job.schedule) }] : [],
  )
  const table = jobTable(database, subgraph)
  const share = new FairShare(slots, 0)
  const { clock, log } = services
  /** Tenants with due work; who was served goes to the end. */
  const turns = new Set<string>()
  const running = new Map<Promise<void>, AbortController>()
  const noticed = new Map<string, number>()
  /** Clocks of sandboxes that are ahead. */
  let ahead: ReadonlyMap<string, Clock> = new Map()
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let taken = 0
  let looking: Promise<void> = Promise.resolve()
  const whenIdle: (() => void)[] = []

  /** Asks for the job of each schedule whose time has come: once for all processes, the latest time only. */
  async function noticeSchedules(): Promise<void> {
    for (const { job, times } of scheduled) {
      const time = times.last(clock.now())
      if (!time || noticed.get(job.name) === time.getTime()) continue
      const last = await table.lastOccurrence(job.name)
      // A job that was never there makes up for nothing: its first time is the one to come.
      if (last === null || time > last) await ask(job, null, time, last === null ? 'DONE' : 'WAITING')
      noticed.set(job.name, time.getTime())
    }
  }

  async function ask(
    job: Job,
    tenantId: string | null,
    time: Date,
    state: 'WAITING' | 'DONE',
  ): Promise<void> {
    const row = newJob(job, {}, { key: occurrenceKey(time), at: time }, clock.now())
    await addJob((statement) => database.rows({ tenantId }, statement), tenantId, subgraph, { ...row, state })
  }

  const clockOf = (tenantId: string | null): Clock => (tenantId && ahead.get(tenantId)) || clock

  /** Asks for what the schedules of a tenant would have asked for by now: the latest time only, as after an outage. */
  async function noticeAhead(tenantId: string, own: Clock): Promise<boolean> {
    let isAsked = false
    for (const { job, times } of scheduled) {
      if (job.for === 'platform') continue
      const time = times.last(own.now())
      const key = `${job.name} ${tenantId}`
      if (!time || time <= clock.now() || noticed.get(key) === time.getTime()) continue
      await ask(job, tenantId, time, 'WAITING')
      noticed.set(key, time.getTime())
      isAsked = true
    }
    return isAsked
  }

  /** Looks who has something to do, besides those who are known to. */
  async function look(): Promise<void> {
    await noticeSchedules()
    const now = clock.now()
    if (jobs.size > 0) {
      await table.release(null, now)
      turns.add(nobody)
    }
    const due = await table.dueTenants(now)
    ahead = new Map(
      due.flatMap(({ tenantId, secondsAhead }) =>
        secondsAhead > 0 ? [[tenantId, clockAhead(clock, secondsAhead)]] : [],
      ),
    )
    for (const { tenantId, isLost, isDue } of due) {
      const own = clockOf(tenantId)
      const isAsked = own !== clock && (await noticeAhead(tenantId, own))
      if (isLost) await table.release(tenantId, own.now())
      if (isDue || isAsked) turns.add(tenantId)
    }
    fill()
  }

  /** Gives free slots to tenants in turns. */
  function fill(): void {
    if (isStopped) return
    for (const tenant of [...turns]) {
      if (!share.take(tenant)) continue
      turns.delete(tenant)
      turns.add(tenant)
      const abort = new AbortController()
      const turn = takeTurn(tenant, abort)
        .catch((error: unknown) => {
          turns.delete(tenant)
          log.error({ subgraph, err: error }, 'jobs cannot be taken')
        })
        .finally(() => {
          running.delete(turn)
          share.giveBack(tenant)
          fill()
          if (running.size === 0) for (const resolve of whenIdle.splice(0)) resolve()
        })
      running.set(turn, abort)
    }
  }

  async function takeTurn(tenant: string, abort: AbortController): Promise<void> {
    const tenantId = tenant === nobody ? null : tenant
    const own = clockOf(tenantId)
    const attempt = await table.claim(tenantId, own.now())
    if (!attempt) return void turns.delete(tenant)
    taken++
    const job = jobs.get(attempt.name)
    await runAttempt(
      job ? (tenantId === null && job.for !== 'platform' ? forEachTenant(job) : job) : unknown(attempt),
      attempt,
      { database, table, services, clock: own, random },
      abort,
    )
  }

  /** Asks each tenant's rows for the job. Done again it asks for the same rows. */
  function forEachTenant(job: Job): Job {
    return {
      name: job.name,
      async run(_context, tx, _payload, { dueAt, signal, progress }) {
        let asked = 0
        let after: string | null = null
        do {
          const found: unknown[][] = await tx.rows(prepared(someTenants, [after, tenantsAtOnce]))
          const tenants = found.map(([id]) => String(id))
          for (const tenantId of tenants) {
            signal.throwIfAborted()
            await ask(job, tenantId, dueAt, 'WAITING')
            progress(++asked)
          }
          after = tenants.at(-1) ?? null
        } while (after !== null)
      },
    }
  }

  async function poll(): Promise<void> {
    looking = look().catch((error: unknown) =>
      log.error({ subgraph, err: error }, 'due jobs cannot be looked for'),
    )
    await looking
    if (!isStopped) timer = setTimeout(() => void poll(), pollMs * (1 - random() / 4)).unref()
  }

  const idle = () =>
    running.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => whenIdle.push(resolve))

  return {
    start: () => void poll(),
    async runDue() {
      // What was done may have asked for more.
      for (let before = -1; before < taken;) {
        before = taken
        await look()
        await idle()
      }
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      for (const abort of running.values())
        if (!abort.signal.aborted) abort.abort('stopping' satisfies StopReason)
      let late: NodeJS.Timeout | undefined
      const patience = new Promise<void>((resolve) => (late = setTimeout(resolve, stopWithinMs).unref()))
      await Promise.race([Promise.all([looking, ...running.keys()]), patience])
      clearTimeout(late)
    },
  }
}

/** A job that a later version of the product asked for, or an earlier one: it waits for a process that knows it. */
function unknown({ name }: Attempt): Job {
  return { name, run: () => Promise.reject(new ApiError('CONFLICT', `This process knows no job ${name}`)) }
}
