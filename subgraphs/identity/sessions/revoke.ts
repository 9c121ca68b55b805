import type { SubgraphContext, Transaction } from '../../../kernel/context'
import { revokeCachedSessions } from '../../../kernel/sign-in'
import { prepared } from '../../../kernel/statement'
import type { SessionEnd } from '../entities/Session'

type Sql = Pick<Transaction, 'rows'>

async function uncache(context: SubgraphContext, tenantId: string, sessions: unknown[][]): Promise<void> {
  const ids = sessions.map(([id]) => String(id))
  await revokeCachedSessions(context.services.keyValue, tenantId, ids)
}

/** Reasons for which the product ends sessions by itself. */
const isFoundOut: ReadonlySet<SessionEnd> = new Set(['TOKEN_COPIED', 'PASSKEY_COPIED'])

/** Says which sessions of a user end, and why. */
export interface Ending {
  reason: SessionEnd
  /** This session instead of all. */
  only?: string | null
  /** All but this session. */
  except?: string | null
  /** Those that began before this instant. */
  begunBefore?: string | null
}

/**
 * Ends sessions of a user, or of several, and returns how many. Call it after the user's row was locked, so that a sign-in at
 * the same moment is either seen here or sees the change.
 */
export async function revokeSessions(
  context: SubgraphContext,
  sql: Sql,
  user: { tenantId: string; userId: string | readonly string[] },
  { reason, only = null, except = null, begunBefore = null }: Ending,
): Promise<number> {
  const ended = await sql.rows(
    prepared(
      `UPDATE identity.sessions
          SET revoked_at = $3, revoked_by_id = $6, revoke_reason = $7, version = version + 1, updated_at = now()
        WHERE tenant_id = $1 AND user_id = ANY ($2) AND revoked_at IS NULL AND expires_at > $3
          AND ($4::uuid IS NULL OR id = $4) AND ($5::uuid IS NULL OR id <> $5)
          AND ($8::timestamptz IS NULL OR created_at < $8) RETURNING id`,
      [
        user.tenantId,
        [user.userId].flat(),
        context.services.clock.now().toISOString(),
        only,
        except,
        // An operator of the platform is nobody of the tenant.
        isFoundOut.has(reason) || context.operator ? null : context.binding.actorId,
        reason,
        begunBefore,
      ],
    ),
  )
  await uncache(context, user.tenantId, ended)
  return ended.length
}

/** Ends the API keys of a user, as `revokeSessions` the sessions. */
export async function revokeKeys(
  context: SubgraphContext,
  sql: Sql,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<void> {
  const ended = await sql.rows(
    prepared(
      `UPDATE identity.api_keys SET revoked_at = $3, revoked_by_id = $4, version = version + 1, updated_at = now()
        WHERE tenant_id = $1 AND owner_id = $2 AND revoked_at IS NULL RETURNING id`,
      [
        ...[tenantId, userId, context.services.clock.now().toISOString()],
        context.operator ? null : context.binding.actorId,
      ],
    ),
  )
  await uncache(context, tenantId, ended)
}

/**
 * Has the passkeys of users ask for the password as well from here on: whoever knew the password that ended may have added them. They
 * stay second factors, of which none is taken away.
 */
export async function bindPasskeys(
  sql: Pick<Transaction, 'run'>,
  user: { tenantId: string; userId: string | readonly string[] },
): Promise<void> {
  const text = `UPDATE identity.credentials SET signs_in_alone = false, version = version + 1, updated_at = now()
    WHERE tenant_id = $1 AND user_id = ANY ($2) AND signs_in_alone`
  await sql.run(prepared(text, [user.tenantId, [user.userId].flat()]))
}

/** Has every gateway read anew what users and their keys may do. Call it after the change, in the transaction that makes it. */
export async function refreshAuthority(
  context: SubgraphContext,
  sql: Sql,
  { tenantId, userIds }: { tenantId: string; userIds: readonly string[] },
): Promise<void> {
  const open = await sql.rows(
    prepared(
      `SELECT id FROM identity.sessions
        WHERE tenant_id = $1 AND user_id = ANY ($2) AND revoked_at IS NULL AND expires_at > $3
       UNION ALL
       SELECT id FROM identity.api_keys
        WHERE tenant_id = $1 AND owner_id = ANY ($2) AND revoked_at IS NULL AND expires_at > $3`,
      [tenantId, userIds, context.services.clock.now().toISOString()],
    ),
  )
  await uncache(context, tenantId, open)
}
