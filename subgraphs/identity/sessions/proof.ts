import type { SubgraphContext, Transaction } from '../../../kernel/context'
import { ApiError, unauthenticated } from '../../../kernel/errors'
import { prepared } from '../../../kernel/statement'
import type { AuthMethod } from '../entities/Session'

/** Notes in the viewer's session by what its user proved who they are; when they last did stays as it was. */
export async function noteProof(
  { viewer }: SubgraphContext,
  tx: Pick<Transaction, 'run'>,
  method: AuthMethod,
): Promise<void> {
  const text = `UPDATE identity.sessions SET proved_by = $3, updated_at = now() WHERE tenant_id = $1 AND id = $2`
  await tx.run(prepared(text, [viewer?.tenantId, viewer?.sessionId, method]))
}

/**
 * Demands that whoever has a second factor proved it last, and not the password alone: what is added by one factor would be
 * worth two (NIST SP 800-63B, section 4.1.2: an authenticator is bound at the level that it will be used at).
 *
 * @throws ApiError STEP_UP_REQUIRED
 */
export async function requireSecondFactorProof(
  { viewer }: SubgraphContext,
  sql: Pick<Transaction, 'rows'>,
): Promise<void> {
  if (!viewer?.sessionId) throw unauthenticated()
  const text = `SELECT u.mfa_enabled AND coalesce(s.proved_by, 'PASSWORD') = 'PASSWORD' FROM identity.sessions s
    JOIN identity.users u ON u.tenant_id = $1 AND u.id = s.user_id WHERE s.tenant_id = $1 AND s.id = $2`
  const [row] = await sql.rows(prepared(text, [viewer.tenantId, viewer.sessionId]))
  if (row?.[0] === false) return
  const next = 'call stepUp with a code or a passkey, then send this again'
  throw new ApiError('STEP_UP_REQUIRED', `Prove by your second factor who you are: ${next}`)
}
