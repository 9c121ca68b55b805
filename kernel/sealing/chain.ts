import { createHash } from 'node:crypto'

/** An entry of the audit trail as its chain sees it: every value as a text, so that nothing is rounded. */
export interface ChainEntry {
  tenantId: string
  id: string
  /** ISO 8601 with milliseconds and Z. */
  occurredAt: string
  actorId: string | null
  action: string
  resourceType: string
  resourceId: string | null
  /** JSON as PostgreSQL prints it. */
  changes: string
  ipAddress: string | null
  userAgent: string | null
  requestId: string | null
}

/** Stands for the hash before the first entry. */
export const genesis = '0'.repeat(64)

/** The columns of `shared.audit_logs` that {@link entryOf} reads, in its order. The same from every connection. */
export const entryColumns = `id, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    || CASE WHEN occurred_at < '0001-01-01T00:00:00Z' THEN ' BC' ELSE '' END, actor_id, action,
  resource_type, resource_id, changes::text, ip_address, user_agent, request_id`

/** An entry from a row whose first values are those of {@link entryColumns}. */
export function entryOf(tenantId: string, row: readonly unknown[]): ChainEntry {
  const [
    id,
    occurredAt,
    actorId,
    action,
    resourceType,
    resourceId,
    changes,
    ipAddress,
    userAgent,
    requestId,
  ] = row as [
    string,
    string,
    string | null,
    string,
    string,
    string | null,
    string,
    string | null,
    string | null,
    string | null,
  ]
  return {
    ...{ tenantId, id, occurredAt, actorId, action, resourceType, resourceId },
    ...{ changes, ipAddress, userAgent, requestId },
  }
}

/**
 * The canonical text of an entry in its chain (RFC 8785): members by the order of their names, no space, values texts,
 * null or a whole number. It holds the hash of the text before it, and its own SHA-256 is what the next one holds.
 */
export function linkText(previous: string, position: number, entry: ChainEntry): string {
  return JSON.stringify({
    action: entry.action,
    actorId: entry.actorId,
    changes: entry.changes,
    id: entry.id,
    ipAddress: entry.ipAddress,
    occurredAt: entry.occurredAt,
    position,
    previous,
    requestId: entry.requestId,
    resourceId: entry.resourceId,
    resourceType: entry.resourceType,
    tenantId: entry.tenantId,
    userAgent: entry.userAgent,
  })
}

/** SHA-256 of a text in UTF-8, in hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
