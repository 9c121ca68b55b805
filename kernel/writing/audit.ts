import type { Binding } from '../connection/binding'
import type { Services, SubgraphContext } from '../context'
import type { Statement, Transaction } from '../connection/database'
import { tenantKeys } from '../encryption/tenant-keys'
import type { EntityModel } from '../schema/entity-model'
import { uuidv7 } from '../id'
import { insertStatements } from '../statement'

/** Describes what happened, as the audit trail names it. */
export type AuditAction =
  'CREATE' | 'UPDATE' | 'DELETE' | 'VIEW' | 'SIGN_IN' | 'SIGN_IN_FAILED' | 'SIGN_OUT' | 'DENY' | 'EXPORT'

/** One entry of the audit trail. */
export interface AuditEntry {
  action: AuditAction
  resourceType: string
  resourceId: string | null
  /** Values before and after; for a denial, the fields that were denied; for a read, what was read of which rows. */
  changes: {
    before?: Record<string, unknown>
    after?: Record<string, unknown>
    denied?: string[]
    read?: {
      fields: string[]
      ids?: string[]
      rows?: number
      own?: string[]
      groups?: number
      by?: string[]
    }
    /** Of an export, what left: names alone, and how many rows. */
    export?: {
      list: string
      format: string
      columns: readonly string[]
      asked: readonly string[]
      rows?: number
      rowsAtMost?: number
    }
    /** The key with which it was done, where it was one; written by itself. */
    apiKeyId?: string
  }
  /** Names who did it; default: the viewer of the request. */
  actorId?: string | null
}

/** Returns what stands for a value, of the row with this id, that the audit trail must not show. */
export type Mask = (model: EntityModel, id: string, property: string, value: unknown) => string

/**
 * The mask of a tenant's trail: a digest that only the tenant's key can make. It is equal for equal values of one property of one
 * row, so the trail shows that a value changed, or came back. Two rows never share one: whoever may write a value could find
 * out with a row of their own what another row holds. What is done for no tenant shows no digest.
 * Not to be called in a transaction, which has its connection already.
 */
export async function maskOf(context: SubgraphContext): Promise<Mask> {
  if (context.binding.tenantId === null) return () => '[masked]'
  const [key] = await tenantKeys(context)
  return (model, id, property, value) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `[masked ${key!.digest(`audit ${model.table} ${property} ${id}`, text).slice(0, 12)}]`
  }
}

/**
 * The given properties of the row with this id, the sensitive ones masked; null stays null, so it shows that a value
 * appeared.
 */
export function auditedValues(
  model: EntityModel,
  id: string,
  row: Readonly<Record<string, unknown>>,
  properties: Iterable<string>,
  mask: Mask,
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  const indexes = new Set([...model.encrypted.values()].map(({ index }) => index?.property))
  for (const property of properties) {
    if (property === 'tenantId' || indexes.has(property)) continue
    const value = row[property] ?? null
    values[property] = value !== null && model.masked.has(property) ? mask(model, id, property, value) : value
  }
  return values
}

/** Describes what an entry says of its request. */
export type AuditContext = Pick<SubgraphContext, 'viewer' | 'clientIp' | 'userAgent' | 'requestId'> & {
  binding: Pick<Binding, 'actorId'>
  services: Pick<Services, 'clock'>
}

const insertEntries = `INSERT INTO shared.audit_logs
  (occurred_at, ip_address, user_agent, request_id, id, actor_id, action, resource_type, resource_id, changes)`

/** The statements that append entries to the audit trail: one for some ten thousand of them. */
export function auditStatements(context: SubgraphContext, entries: readonly AuditEntry[]): Statement[] {
  const { shared, rows } = valuesOf(context, entries)
  return insertStatements(insertEntries, rows, { shared })
}

function valuesOf(context: AuditContext, entries: readonly AuditEntry[]) {
  // Evidence tells the true time, in a sandbox too.
  const now = context.services.clock.now()
  const apiKeyId = context.viewer?.apiKeyId
  const shared = [
    now.toISOString(),
    context.clientIp?.slice(0, 50) ?? null,
    context.userAgent?.slice(0, 1_000) ?? null,
    context.requestId,
  ]
  const rows = entries.map((entry) => [
    uuidv7(now.getTime()),
    entry.actorId === undefined ? (context.binding.actorId ?? null) : entry.actorId,
    entry.action,
    entry.resourceType,
    entry.resourceId,
    JSON.stringify(apiKeyId ? { ...entry.changes, apiKeyId } : entry.changes),
  ])
  return { shared, rows }
}

/** The values of entries, for {@link auditRowStatements}: entries of several requests go in one statement. */
export function auditRows(context: AuditContext, entries: readonly AuditEntry[]): unknown[][] {
  const { shared, rows } = valuesOf(context, entries)
  return rows.map((row) => [...shared, ...row])
}

/** The statements that append rows which {@link auditRows} made. */
export function auditRowStatements(rows: readonly (readonly unknown[])[]): Statement[] {
  return insertStatements(insertEntries, rows)
}

/** Appends entries to the audit trail with the end of the transaction that made the change. */
export function writeAudit(
  context: SubgraphContext,
  transaction: Pick<Transaction, 'atEnd'>,
  entries: readonly AuditEntry[],
): void {
  for (const statement of auditStatements(context, entries)) transaction.atEnd(statement)
}
