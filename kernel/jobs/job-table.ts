import type { Database, Statement } from '../connection/database'
import type { SubgraphName } from '../schema/subgraph-names'
import { prepared } from '../statement'

/** Says for how long a worker that says nothing is believed to live. */
export const leaseSeconds = 60

const occurrenceKeyStart = 'schedule '

/** The key of the job that a schedule asks for at a time: by it all processes ask for the same one. */
export const occurrenceKey = (time: Date): string => occurrenceKeyStart + time.toISOString()

const occurrenceOf = (key: string | null): Date | null =>
  key?.startsWith(occurrenceKeyStart) ? new Date(key.slice(occurrenceKeyStart.length)) : null

/** One attempt at a piece of work, as the worker that took it holds it. */
export interface Attempt {
  /** Null for a job of the installation. */
  tenantId: string | null
  id: string
  name: string
  payload: object
  /** Counts the attempts, this one included: whoever holds a lower number has lost the job to another worker. */
  attempt: number
  mostAttempts: number
  dueAt: Date
  /** The time of the schedule that asked for it; null without one. */
  occurrence: Date | null
}

/** A new piece of work. */
export interface NewJob {
  id: string
  name: string
  uniqueKey: string | null
  payload: object
  dueAt: Date
  mostAttempts: number
  requestedById: string | null
  createdAt: Date
  /** DONE for a time of a schedule that is only noted. */
  state: 'WAITING' | 'DONE'
}

type ClaimedRow = [string, string, object, number, number, string, string | null]

/** The row of a tenant, or of the installation: the tenant's id is always the first parameter. */
const ownRow = (tenantId: string | null) =>
  tenantId === null
    ? { table: 'shared.platform_jobs', own: (_alias: string) => '$1::uuid IS NULL' }
    : { table: 'shared.jobs', own: (alias: string) => `${alias}.tenant_id = $1` }

/** Adds a row unless there is one with its key; answers the id of the row that it then stands in, and whether it is new. */
export async function addJob(
  rows: (statement: Statement) => Promise<unknown[][]>,
  tenantId: string | null,
  subgraph: SubgraphName,
  job: NewJob,
): Promise<{ id: string; isNew: boolean }> {
  const { table, own } = ownRow(tenantId)
  const values = [
    ...[job.id, job.name, job.uniqueKey, JSON.stringify(job.payload), job.dueAt.toISOString()],
    ...[job.mostAttempts, job.requestedById, job.createdAt.toISOString(), job.state],
    job.state === 'DONE' ? job.createdAt.toISOString() : null,
  ]
  const into = `INSERT INTO ${table}
    (id, name, unique_key, payload, due_at, most_attempts, requested_by_id, created_at, state, ended_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id`
  const [added] = await rows(prepared(into, values))
  if (added) return { id: job.id, isNew: true }
  const known = `SELECT j.id FROM ${table} j WHERE ${own('j')} AND j.subgraph = $2 AND j.name = $3 AND j.unique_key = $4`
  const [row] = await rows(prepared(known, [tenantId, subgraph, job.name, job.uniqueKey]))
  return { id: String(row![0]), isNew: false }
}

/** Describes what a worker knows of a tenant before it takes a job. */
export interface DueTenant {
  tenantId: string
  /** Tells whether the worker of one of its jobs is gone. */
  isLost: boolean
  /** Tells whether it has something to do. */
  isDue: boolean
  /** By how much its clock is ahead: that of a sandbox may be. */
  secondsAhead: number
}

/** The rows of one subgraph, as its workers use them. */
export interface JobTable {
  /** Tenants with a job that is due by their own clocks, and those whose clocks are ahead. */
  dueTenants(now: Date): Promise<DueTenant[]>
  /** Gives jobs whose worker is gone to whoever comes next, or ends those that were tried often enough. */
  release(tenantId: string | null, now: Date): Promise<void>
  /** Takes the job that is due for longest; null when there is none. */
  claim(tenantId: string | null, now: Date): Promise<Attempt | null>
  /**
   * Says that the worker lives, and how far it is. `lost`: the job is another worker's; `cancelled`: it shall end.
   */
  touch(attempt: Attempt, steps: Steps): Promise<'mine' | 'lost' | 'cancelled'>
  /** The end of a job, to be sent in the transaction of its effect; it touches no row when the job is lost or cancelled. */
  completion(attempt: Attempt, steps: Steps, now: Date): Statement
  /** Ends an attempt that had no effect. Does nothing when the job is another worker's. */
  giveBack(attempt: Attempt, end: FailedEnd, now: Date): Promise<void>
  /** When a schedule last came, as far as it was noticed; null for never. */
  lastOccurrence(name: string): Promise<Date | null>
}

/** Steps of a job, as it counts them; the total is null where it has not said. */
export interface Steps {
  done: number
  total: number | null
}

/** Names the end of an attempt without effect: tried again at a time, failed for good, or put back as if it had not begun. */
export type FailedEnd =
  | { kind: 'retry'; at: Date; fault: string }
  | { kind: 'failed'; fault: string }
  | { kind: 'cancelled' }
  | { kind: 'postponed' }

export function jobTable(database: Database, subgraph: SubgraphName): JobTable {
  const send = (tenantId: string | null, text: string, values: readonly unknown[]) =>
    database.rows({ tenantId }, prepared(text, values))

  return {
    async dueTenants(now) {
      const text = 'SELECT tenant, is_lost, is_due, ahead FROM shared.tenants_with_due_jobs($1, $2)'
      const rows = await send(null, text, [subgraph, now.toISOString()])
      return rows.map(([tenantId, isLost, isDue, ahead]) => ({
        tenantId: String(tenantId),
        isLost: isLost === true,
        isDue: isDue === true,
        secondsAhead: Number(ahead),
      }))
    },
    async release(tenantId, now) {
      const { table, own } = ownRow(tenantId)
      const text = `UPDATE ${table} AS j SET lease_until = NULL, updated_at = now(),
          state = CASE WHEN cancel_requested_at IS NOT NULL THEN 'CANCELLED'
                       WHEN attempts >= most_attempts THEN 'FAILED' ELSE 'WAITING' END,
          ended_at = CASE WHEN cancel_requested_at IS NOT NULL OR attempts >= most_attempts THEN $3::timestamptz END,
          fault = 'The process that did it is gone'
        WHERE ${own('j')} AND j.subgraph = $2 AND j.state = 'RUNNING' AND j.lease_until <= now()`
      await send(tenantId, text, [tenantId, subgraph, now.toISOString()])
    },
    async claim(tenantId, now) {
      const { table, own } = ownRow(tenantId)
      const text = `UPDATE ${table} AS j SET state = 'RUNNING', attempts = attempts + 1, started_at = $3, updated_at = now(),
          lease_until = now() + interval '${leaseSeconds} s', steps_done = 0, steps_total = NULL
        WHERE ${own('j')} AND j.id = (SELECT q.id FROM ${table} q
            WHERE ${own('q')} AND q.subgraph = $2 AND q.state = 'WAITING' AND q.due_at <= $3
            ORDER BY q.due_at, q.id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, name, payload, attempts, most_attempts, due_at, unique_key`
      const [row] = await send(tenantId, text, [tenantId, subgraph, now.toISOString()])
      if (!row) return null
      const [id, name, payload, attempt, mostAttempts, dueAt, key] = row as ClaimedRow
      const occurrence = occurrenceOf(key)
      return { tenantId, id, name, payload, attempt, mostAttempts, dueAt: new Date(dueAt), occurrence }
    },
    async touch({ tenantId, id, attempt }, { done, total }) {
      const { table, own } = ownRow(tenantId)
      const text = `UPDATE ${table} AS j SET lease_until = now() + interval '${leaseSeconds} s', steps_done = $4, steps_total = $5,
          updated_at = now()
        WHERE ${own('j')} AND j.id = $2 AND j.attempts = $3 AND j.state = 'RUNNING' RETURNING cancel_requested_at IS NOT NULL`
      const [row] = await send(tenantId, text, [tenantId, id, attempt, done, total])
      if (!row) return 'lost'
      return row[0] === true ? 'cancelled' : 'mine'
    },
    completion({ tenantId, id, attempt }, { done, total }, now) {
      const { table, own } = ownRow(tenantId)
      const text = `UPDATE ${table} AS j SET state = 'DONE', ended_at = $4, lease_until = NULL, fault = NULL, steps_done = $5,
          steps_total = $6, updated_at = now()
        WHERE ${own('j')} AND j.id = $2 AND j.attempts = $3 AND j.state = 'RUNNING' AND j.cancel_requested_at IS NULL`
      return prepared(text, [tenantId, id, attempt, now.toISOString(), done, total])
    },
    async giveBack({ tenantId, id, attempt, dueAt }, end, now) {
      const { table, own } = ownRow(tenantId)
      const state = { retry: 'WAITING', postponed: 'WAITING', failed: 'FAILED', cancelled: 'CANCELLED' }[
        end.kind
      ]
      // Somebody may have cancelled it while the attempt failed.
      const text = `UPDATE ${table} AS j SET lease_until = NULL, updated_at = now(), fault = coalesce($6, fault),
          state = CASE WHEN cancel_requested_at IS NOT NULL THEN 'CANCELLED' ELSE $4 END,
          ended_at = CASE WHEN cancel_requested_at IS NOT NULL OR $4 <> 'WAITING' THEN $5::timestamptz END,
          due_at = $7, attempts = attempts - $8::int
        WHERE ${own('j')} AND j.id = $2 AND j.attempts = $3 AND j.state = 'RUNNING'`
      const fault = 'fault' in end ? end.fault.slice(0, 1000) : null
      const due = end.kind === 'retry' ? end.at : dueAt
      const uncounted = end.kind === 'postponed' ? 1 : 0
      const values = [tenantId, id, attempt, state, now.toISOString(), fault, due.toISOString(), uncounted]
      await send(tenantId, text, values)
    },
    async lastOccurrence(name) {
      const text = `SELECT max(j.unique_key) FROM shared.platform_jobs j
        WHERE j.subgraph = $1 AND j.name = $2 AND j.unique_key LIKE '${occurrenceKeyStart}%'`
      const [row] = await send(null, text, [subgraph, name])
      return occurrenceOf(row?.[0] as string | null)
    },
  }
}
