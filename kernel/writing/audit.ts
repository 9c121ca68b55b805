import type { SubgraphContext } from '../context'
import type { Statement, Transaction } from '../connection/database'
import type { EntityModel } from '../entity'
import { uuidv7 } from '../id'
import { prepared } from '../statement'

/** What happened, as the audit trail names it. */
export type AuditAction =
  'CREATE' | 'UPDATE' | 'DELETE' | 'VIEW' | 'SIGN_IN' | 'SIGN_IN_FAILED' | 'SIGN_OUT' | 'DENY'

/** One entry of the audit trail. */
export interface AuditEntry {
  action: AuditAction
  resourceType: string
  resourceId: string | null
  /** Values before and after; for a denial, the fields that were denied. */
  changes: { before?: Record<string, unknown>; after?: Record<string, unknown>; denied?: string[] }
  /** Who did it; default: the viewer of the request. */
  actorId?: string | null
}

/** What stands for a value that the audit trail must not show. */
export const maskedValue = '[masked]'

/** The given properties of a row with the sensitive ones masked; null stays null, so it shows that a value appeared. */
export function auditedValues(
  model: EntityModel,
  row: Readonly<Record<string, unknown>>,
  properties: Iterable<string>,
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const property of properties) {
    if (property === 'tenantId') continue
    const value = row[property] ?? null
    values[property] = value !== null && model.masked.has(property) ? maskedValue : value
  }
  return values
}

const insertEntries = `
  INSERT INTO shared.audit_logs
    (occurred_at, id, actor_id, action, resource_type, resource_id, changes, ip_address, user_agent, request_id)
  SELECT $1, entry.id, entry.actor_id, entry.action, entry.resource_type, entry.resource_id, entry.changes, $2, $3, $4
    FROM unnest($5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::jsonb[])
      AS entry(id, actor_id, action, resource_type, resource_id, changes)`

/** The statement that appends entries to the audit trail, one for all of them. */
export function auditStatement(context: SubgraphContext, entries: readonly AuditEntry[]): Statement {
  const now = context.clock.now()
  return prepared(insertEntries, [
    now.toISOString(),
    context.clientIp?.slice(0, 50) ?? null,
    context.userAgent?.slice(0, 1_000) ?? null,
    context.requestId,
    entries.map(() => uuidv7(now.getTime())),
    entries.map((entry) => (entry.actorId === undefined ? (context.binding.actorId ?? null) : entry.actorId)),
    entries.map((entry) => entry.action),
    entries.map((entry) => entry.resourceType),
    entries.map((entry) => entry.resourceId),
    entries.map((entry) => JSON.stringify(entry.changes)),
  ])
}

/** Appends entries to the audit trail with the end of the transaction that made the change. */
export function writeAudit(
  context: SubgraphContext,
  transaction: Pick<Transaction, 'atEnd'>,
  entries: readonly AuditEntry[],
): void {
  if (entries.length > 0) transaction.atEnd(auditStatement(context, entries))
}
