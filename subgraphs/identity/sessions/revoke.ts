import type { SubgraphContext, Transaction } from '../../../kernel/context'
import { revokeCachedSessions } from '../../../kernel/sign-in'
import { prepared } from '../../../kernel/statement'

type Sql = Pick<Transaction, 'rows'>

async function uncache(context: SubgraphContext, tenantId: string, sessions: unknown[][]): Promise<void> {
  const ids = sessions.map(([id]) => String(id))
  await revokeCachedSessions(context.services.keyValue, tenantId, ids)
}

/**
 * Ends sessions of a user, or of several. Call it after the user's row was locked, so that a sign-in at the same moment is either
 * seen here or sees the change.
 * @param only this session instead of all
 * @param except all but this session
 */
export async function revokeSessions(
  context: SubgraphContext,
  sql: Sql,
  user: { tenantId: string; userId: string | readonly string[] },
  { only = null, except = null }: { only?: string | null; except?: string | null } = {},
): Promise<void> {
  const ended = await sql.rows(
    prepared(
      `UPDATE identity.sessions SET revoked_at = $3, updated_at = now()
        WHERE tenant_id = $1 AND user_id = ANY ($2) AND revoked_at IS NULL AND expires_at > $3
          AND ($4::uuid IS NULL OR id = $4) AND ($5::uuid IS NULL OR id <> $5) RETURNING id`,
      [user.tenantId, [user.userId].flat(), context.services.clock.now().toISOString(), only, except],
    ),
  )
  await uncache(context, user.tenantId, ended)
}

/** Has every gateway read anew what users may do. Call it after the change, in the transaction that makes it. */
export async function refreshAuthority(
  context: SubgraphContext,
  sql: Sql,
  { tenantId, userIds }: { tenantId: string; userIds: readonly string[] },
): Promise<void> {
  const open = await sql.rows(
    prepared(
      `SELECT id FROM identity.sessions
        WHERE tenant_id = $1 AND user_id = ANY ($2) AND revoked_at IS NULL AND expires_at > $3`,
      [tenantId, userIds, context.services.clock.now().toISOString()],
    ),
  )
  await uncache(context, tenantId, open)
}
