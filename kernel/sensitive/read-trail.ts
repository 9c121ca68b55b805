import type { SubgraphContext } from '../context'
import type { Database } from '../connection/database'
import { unavailable, type ApiError } from '../errors'
import { auditRows, auditRowStatements, type AuditEntry } from '../writing/audit'
import type { RequestReads, TypeReads } from './request-reads'

/** Rows that are written together when those before them are. */
interface Batch {
  rows: unknown[][]
  written: Promise<void>
}

/** The writing of one tenant's entries: one statement at a time, so that a busy tenant's reads share their commits. */
class TenantTrail {
  private busy: Promise<void> | null = null
  private waiting: Batch | null = null

  constructor(
    private readonly database: Database,
    private readonly tenantId: string,
  ) {}

  /** Appends rows; resolves when they are durable. */
  append(rows: readonly unknown[][]): Promise<void> {
    if (this.waiting) {
      this.waiting.rows.push(...rows)
      return this.waiting.written
    }
    if (!this.busy) return this.send(rows)
    const batch: Batch = { rows: [...rows], written: Promise.resolve() }
    const sendBatch = () => {
      this.waiting = null
      return this.send(batch.rows)
    }
    batch.written = this.busy.then(sendBatch, sendBatch)
    this.waiting = batch
    return batch.written
  }

  get isIdle(): boolean {
    return this.busy === null && this.waiting === null
  }

  private send(rows: readonly unknown[][]): Promise<void> {
    const { database, tenantId } = this
    const sending = (async () => {
      for (const statement of auditRowStatements(rows))
        await database.rows({ tenantId, share: 'trail' }, statement)
    })()
    this.busy = sending
    const ended = () => {
      if (this.busy === sending) this.busy = null
    }
    sending.then(ended, ended)
    return sending
  }
}

/** Writes under way, by what a request read: nobody tells what another part of the request has only begun to write down. */
const writing = new WeakMap<RequestReads, Promise<void>>()

const trails = new WeakMap<Database, Map<string, TenantTrail>>()
/** Writers that are kept at most; those of tenants that nobody asks for are dropped then. */
const mostTrails = 1_000

function trailOf(database: Database, tenantId: string): TenantTrail {
  let ofDatabase = trails.get(database)
  if (!ofDatabase) trails.set(database, (ofDatabase = new Map()))
  let trail = ofDatabase.get(tenantId)
  if (!trail) {
    if (ofDatabase.size >= mostTrails)
      for (const [id, known] of ofDatabase) if (known.isIdle) ofDatabase.delete(id)
    ofDatabase.set(tenantId, (trail = new TenantTrail(database, tenantId)))
  }
  return trail
}

/** The type whose reads are told by number: ids of entries in entries would fill the trail with itself. */
const trailType = 'AuditLog'

function entryOf(
  { type: resourceType, fields, ids, own, summary }: TypeReads,
  isFollowUp: boolean,
): AuditEntry {
  const followUp = isFollowUp && { followUp: true }
  if (summary) {
    const { groups, by, rows } = summary
    const read = { fields: [...fields].sort(), groups: groups.size, by: [...by].sort(), rows, ...followUp }
    return { action: 'VIEW', resourceType, resourceId: null, changes: { read } }
  }
  const [only] = ids
  const rows = resourceType === trailType ? { rows: ids.size } : { ids: [...ids] }
  const read = { fields: [...fields].sort(), ...rows, ...(own.size > 0 && { own: [...own] }), ...followUp }
  const resourceId = ids.size === 1 && resourceType !== trailType ? only! : null
  return { action: 'VIEW', resourceType, resourceId, changes: { read } }
}

/**
 * Writes to the audit trail what a request read of recorded classes: one entry for each type, all in one statement, before
 * the answer leaves. Further reads of the same rows and fields in the same request add nothing.
 * @returns the error to answer with instead of the data, when it must not be told without its entry
 */
export async function writeReads(context: SubgraphContext): Promise<ApiError | null> {
  const { tenantId } = context.binding
  for (let before = writing.get(context.reads); before; before = writing.get(context.reads)) await before
  const fresh = freshReads(context.reads)
  if (fresh.length === 0 || !tenantId) return null
  const entries = fresh.map((reads) => entryOf(reads, context.isFollowUp === true))
  for (const reads of fresh) reads.isNew = false
  const written = trailOf(context.db, tenantId).append(auditRows(context, entries))
  const ended = written.then(noFurther, noFurther).then(() => void writing.delete(context.reads))
  writing.set(context.reads, ended)
  try {
    await written
    return null
  } catch (error) {
    const types = fresh.map(({ type }) => type)
    context.log.error(
      { requestId: context.requestId, err: error, types },
      'a read is missing in the audit trail',
    )
    // Asked again in this request, it is tried again.
    for (const reads of fresh) reads.isNew = true
    if (!fresh.some(({ isRequired }) => isRequired)) return null
    return unavailable(
      'Reads of this data cannot be recorded at present, so it is not told. Try again.',
      error,
    )
  }
}

const noFurther = (): void => undefined

const freshReads = (reads: RequestReads): TypeReads[] =>
  reads.size === 0 ? [] : [...reads.values()].filter(({ isNew }) => isNew)
