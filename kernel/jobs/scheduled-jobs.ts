import { prepared } from '../statement'
import type { Job } from './job'
import type { JobTable } from './job-table'
import { occurrences } from './schedule'

/** Tenants that a schedule reaches with one look-up. */
const tenantsAtOnce = 500
const someTenants = 'SELECT id FROM shared.tenant_ids($1, $2) AS id'

/** Adds the job of one time of a schedule, unless it is there. */
export type Ask = (job: Job, tenantId: string | null, time: Date, state: 'WAITING' | 'DONE') => Promise<void>

/** Asks for the job of each schedule whose time has come: the latest time only, as after an outage. */
export interface ScheduleNotice {
  /** For everybody, once for all processes. */
  common(now: Date): Promise<void>
  /**
   * For a tenant whose clock is ahead.
   * @param own the time of its clock
   * @returns whether it asked for something
   */
  ahead(tenantId: string, own: Date, now: Date): Promise<boolean>
}

export function scheduleNotice(
  jobs: readonly Job[],
  table: Pick<JobTable, 'lastOccurrence'>,
  ask: Ask,
): ScheduleNotice {
  const scheduled = jobs.flatMap((job) => (job.schedule ? [{ job, times: occurrences(job.schedule) }] : []))
  const noticed = new Map<string, number>()
  return {
    async common(now) {
      for (const { job, times } of scheduled) {
        const time = times.last(now)
        if (!time || noticed.get(job.name) === time.getTime()) continue
        const last = await table.lastOccurrence(job.name)
        // A job that was never there makes up for nothing: its first time is the one to come.
        if (last === null || time > last) await ask(job, null, time, last === null ? 'DONE' : 'WAITING')
        noticed.set(job.name, time.getTime())
      }
    },
    async ahead(tenantId, own, now) {
      let isAsked = false
      for (const { job, times } of scheduled) {
        if (job.for === 'platform') continue
        const time = times.last(own)
        const key = `${job.name} ${tenantId}`
        if (!time || time <= now || noticed.get(key) === time.getTime()) continue
        await ask(job, tenantId, time, 'WAITING')
        noticed.set(key, time.getTime())
        isAsked = true
      }
      return isAsked
    },
  }
}

/** The job of the installation that asks each tenant's rows for `job`. Done again it asks for the same rows. */
export function forEachTenant(job: Job, ask: Ask): Job {
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
