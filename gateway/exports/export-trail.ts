import type { Clock } from '../../kernel/clock'
import type { Database } from '../../kernel/connection/database'
import type { RequestContext } from '../../kernel/context'
import { auditRows, auditRowStatements } from '../../kernel/writing/audit'

/** Describes one export for the audit trail. No value of a row or an argument is part of it. */
export interface ExportEntry {
  /** Type of the rows. */
  type: string
  list: string
  format: string
  columns: readonly string[]
  /** Names the arguments that chose the rows. */
  asked: readonly string[]
  /** Counts the rows that leave, or would if nobody breaks off. */
  rows?: number
  /** In its place where nobody has counted: behind a cursor, and in a list that counts none, or not so far. */
  rowsAtMost?: number
}

/** Writes that something is exported. */
export interface ExportTrail {
  /** Resolves when the entry is durable. */
  write(context: RequestContext, entry: ExportEntry): Promise<void>
}

/** Writes exports to the audit trail of the viewer's tenant, as the gateway's role. */
export function exportTrail(database: Database, clock: Clock): ExportTrail {
  return {
    async write({ viewer, clientIp, userAgent, requestId }, { type, ...told }) {
      const actorId = viewer!.userId
      const { tenantId } = viewer!
      const context = { viewer, clientIp, userAgent, requestId, binding: { actorId }, services: { clock } }
      const rows = auditRows(context, [
        { action: 'EXPORT', resourceType: type, resourceId: null, changes: { export: told } },
      ])
      for (const statement of auditRowStatements(rows))
        await database.rows({ tenantId, actorId, requestId }, statement)
    },
  }
}
