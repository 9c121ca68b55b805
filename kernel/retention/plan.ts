import { createHash } from 'node:crypto'
import type { SubgraphContext } from '../context'
import type { Statement } from '../connection/database'
import { uuidv7 } from '../id'
import { enqueue, type Job } from '../jobs'
import { prepared } from '../statement'
import { retentionDefaults, type DataClass, type KeptFor, type RetentionUnit } from './classes'

/** Rows of a subgraph's own table that are kept for a time. Names are constants of the code, never of a caller. */
export interface RetainedRows {
  dataClass: DataClass
  /** The type in the graph, by which holds name it. */
  resourceType: string
  /** `schema.table`, with a `tenant_id` and an `id`. */
  table: string
  /** SQL over alias `t`: the instant at which its time begins; null while it has not. */
  startsAt: string
  /** Type of a person or thing -> SQL over alias `t` of the id of whom the row is about: who holds them holds the row. */
  about?: Readonly<Record<string, string>>
  /** Type of what goes with the row -> SQL over alias `t`, the tenant as `$1`, of a query of its ids: who holds them, or the type, holds the row. */
  parts?: Readonly<Record<string, string>>
  /** SQL over alias `t`, the tenant as `$1`: whether other rows still need it. Its time is not over as long as they do. */
  neededBy?: string
  /** Removes rows with all that belongs to them. `$1` is the tenant, `$2` the ids, `$3` the instant. */
  remove: string
}

/** Counts of rows of a type that are over, and of those among them that stay because somebody holds them. */
export interface DueCount extends KeptFor {
  dataClass: DataClass
  resourceType: string
  due: number
  held: number
}

type Send = (statement: Statement) => Promise<unknown[][]>

/** The units of times as `make_interval` calls them. */
export const steps: Readonly<Record<RetentionUnit, string>> = { DAY: 'days', MONTH: 'months', YEAR: 'years' }

/** SQL over alias `t`, with the tenant as `$1`: a hold of the whole type, of the row or a part of it, or of whom it is about. */
export function heldSql({
  resourceType,
  about = {},
  parts = {},
}: Pick<RetainedRows, 'resourceType' | 'about' | 'parts'>): string {
  const subjects = Object.entries(about).map(
    ([type, id]) => `h.resource_type = '${type}' AND h.resource_id = ${id}`,
  )
  const own = Object.entries({ [resourceType]: 't.id', ...parts }).map(
    ([type, ids]) => `h.resource_type = '${type}' AND (h.resource_id IS NULL OR h.resource_id IN (${ids}))`,
  )
  const holds = [...own, ...subjects].map((one) => `(${one})`).join(' OR ')
  return `EXISTS (SELECT FROM shared.held_subjects h WHERE h.tenant_id = $1 AND h.released_at IS NULL AND (${holds}))`
}

/**
 * The condition of rows whose time is over at `$2`: by the calendar in UTC, so 29 February ends on 28 February or on the 29th
 * of a leap year, to the millisecond. The first part is for the index: it admits some days more.
 */
function dueSql({ startsAt, neededBy }: RetainedRows, { keepFor, unit }: KeptFor): string {
  const span = `make_interval(${steps[unit]} => ${Math.trunc(keepFor)})`
  return `${startsAt} <= $2::timestamptz - ${span} + interval '4 days'
    AND (${startsAt} AT TIME ZONE 'UTC') + ${span} <= ($2::timestamptz AT TIME ZONE 'UTC')
    ${neededBy ? `AND NOT (${neededBy})` : ''}`
}

const rulesInForce = `SELECT data_class, keep_for, unit FROM shared.retention_rules
  WHERE tenant_id = $1 AND effective_at <= $2 ORDER BY effective_at, id`

/** The times for which classes are kept at an instant: as the tenant decided last, else as the product does. */
export async function rulesAt(send: Send, tenantId: string, at: string): Promise<(of: DataClass) => KeptFor> {
  const decided = new Map<string, KeptFor>()
  for (const [dataClass, keepFor, unit] of await send(prepared(rulesInForce, [tenantId, at])))
    decided.set(String(dataClass), { keepFor: Number(keepFor), unit: unit as RetentionUnit })
  return (of) => decided.get(of) ?? retentionDefaults[of]
}

/** Counts what a run at this instant would remove, and what it would leave because it is held. */
export async function countDue(
  send: Send,
  tenantId: string,
  retained: readonly RetainedRows[],
  at: string,
): Promise<DueCount[]> {
  const rules = await rulesAt(send, tenantId, at)
  const counts: DueCount[] = []
  for (const rows of retained) {
    const { dataClass, resourceType, table } = rows
    const { keepFor, unit } = rules(dataClass)
    const text = `SELECT count(*) FILTER (WHERE NOT held)::int, count(*) FILTER (WHERE held)::int
      FROM (SELECT ${heldSql(rows)} AS held FROM ${table} t WHERE t.tenant_id = $1 AND ${dueSql(rows, { keepFor, unit })}) AS due`
    const [row] = await send(prepared(text, [tenantId, at]))
    counts.push({ dataClass, resourceType, keepFor, unit, due: Number(row![0]), held: Number(row![1]) })
  }
  return counts
}

/** Waits for holds that are being placed, and makes those to come wait: what is decided here stays true until the commit. */
const shareGuard = 'SELECT 1 FROM shared.hold_guards WHERE tenant_id = $1 FOR SHARE'
const addGuard = 'INSERT INTO shared.hold_guards (holds) VALUES (0) ON CONFLICT (tenant_id) DO NOTHING'
const addReceipt = `INSERT INTO shared.retention_receipts
  (id, run_id, data_class, resource_type, keep_for, unit, at, removed, held, digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

/** Ends the wait for holds that are being placed: what a transaction then reads of holds stays true until its end. */
export async function shareHolds(send: Send, tenantId: string): Promise<void> {
  await send(prepared(addGuard, []))
  await send(prepared(shareGuard, [tenantId]))
}

/** Names a run, which a part of it goes on with, and its instant: all parts are decided by one clock. */
interface Run {
  runId?: string
  at?: string
}

/**
 * Removes what is over and not held, some rows in each transaction, and leaves a receipt in it. Whoever starts again goes on
 * where it ended: what is gone is not found again. A hold is placed before a part or after it, never within.
 * @param most rows of a type in one transaction
 */
export function retentionJob(retained: readonly RetainedRows[], most = 2_000): Job<Run> {
  const job: Job<Run> = {
    name: 'retention',
    schedule: { cron: '30 4 * * *', timeZone: 'UTC' },
    async run(context: SubgraphContext, tx, payload, { jobId, signal, progress }) {
      const tenantId = context.binding.tenantId!
      const { runId = jobId, at = context.clock.now().toISOString() } = payload
      const send: Send = (statement) => tx.rows(statement)
      await shareHolds(send, tenantId)
      const rules = await rulesAt(send, tenantId, at)
      let done = 0
      let isMore = false
      for (const rows of retained) {
        signal.throwIfAborted()
        const { dataClass, resourceType, table } = rows
        const { keepFor, unit } = rules(dataClass)
        const due = `t.tenant_id = $1 AND ${dueSql(rows, { keepFor, unit })}`
        const found = `SELECT t.id FROM ${table} t WHERE ${due} AND NOT ${heldSql(rows)} ORDER BY t.id LIMIT ${most} FOR UPDATE`
        const ids = (await send(prepared(found, [tenantId, at]))).map(([id]) => String(id))
        if (ids.length === 0) continue
        await send(prepared(rows.remove, [tenantId, ids, at]))
        const [held] = await send(
          prepared(`SELECT count(*)::int FROM ${table} t WHERE ${due} AND ${heldSql(rows)}`, [tenantId, at]),
        )
        const digest = createHash('sha256').update(ids.join('\n')).digest('base64url')
        const receipt = [
          uuidv7(context.clock.now().getTime()),
          runId,
          dataClass,
          resourceType,
          keepFor,
          unit,
          at,
        ]
        await tx.run(prepared(addReceipt, [...receipt, ids.length, Number(held![0]), digest]))
        progress((done += ids.length))
        isMore ||= ids.length === most
      }
      if (isMore) await enqueue(context, tx, job as Job, { runId, at })
    },
  }
  return job
}
