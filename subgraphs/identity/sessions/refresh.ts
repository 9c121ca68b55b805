import { writeAudit } from '../../../kernel/mutate'
import { type SubgraphContext, tenantScope, type Transaction } from '../../../kernel/context'
import type { UserError } from '../../../kernel/errors'
import { uuidv7 } from '../../../kernel/id'
import { prepared } from '../../../kernel/statement'
import { isRepeat, type Rotation } from '../rules/session-limits'
import {
  formatToken,
  hashSecret,
  parseToken,
  secretMatches,
  successorSecret,
  type OpaqueToken,
} from './opaque-token'
import { revokeSessions } from './revoke'
import { refreshTokenStatement, tokensFor, type Tokens } from './sign-in'
import type { IdentityUserErrorCode } from '../generated'

interface StoredToken {
  sessionId: string
  secretHash: string
  rotation: (Rotation & { successorId: string }) | null
}

interface LiveSession {
  userId: string
  permissionVersion: number
}

/**
 * Gives the next refresh token of a session and a new access token. Requests with the same token, at once or within
 * the time for repeats, all get the same successor while nobody used that; a token that comes later still was copied, so
 * its session ends. Why a session cannot be continued is not told.
 */
export async function refreshSession(
  context: SubgraphContext,
  refreshToken: string,
): Promise<Partial<Tokens> & { userErrors: UserError<IdentityUserErrorCode>[] }> {
  const token = parseToken(refreshToken)
  // The request may come with another tenant's access token.
  const continued = token && (await tenantScope.run(token.tenantId, () => continueSession(context, token)))
  if (!continued) {
    const message = 'The session has ended: sign in again'
    return { userErrors: [{ code: 'SESSION_ENDED', message, field: ['refreshToken'] }] }
  }
  return { ...(await tokensFor(context, continued, formatToken(continued.next))), userErrors: [] }
}

type Continued = LiveSession & { tenantId: string; sessionId: string; next: OpaqueToken }

async function continueSession(context: SubgraphContext, token: OpaqueToken): Promise<Continued | null> {
  const { tenantId } = token
  return context.db.transaction({ tenantId, requestId: context.requestId }, async (tx) => {
    const stored = await readToken(tx, token)
    if (!stored || !secretMatches(token.secret, stored.secretHash)) return null
    const { sessionId } = stored
    const session = await readSession(context, tx, sessionId)
    if (!session) return null
    const successorId = stored.rotation ? null : await rotate(context, tx, token, sessionId)
    // Another request was faster: what it made is committed by now.
    const rotation = successorId ? null : (stored.rotation ?? (await readToken(tx, token))?.rotation)
    if (rotation && !isRepeat(rotation, context.services.clock.now())) {
      await endCopiedSession(context, tx, tenantId, session.userId, sessionId)
      return null
    }
    const tokenId = successorId ?? rotation?.successorId
    if (!tokenId) return null
    return {
      ...session,
      tenantId,
      sessionId,
      next: { tenantId, tokenId, secret: successorSecret(token.secret, tokenId) },
    }
  })
}

async function readToken(tx: Transaction, token: OpaqueToken): Promise<StoredToken | null> {
  const [row] = await tx.rows(
    prepared(
      `SELECT t.session_id, t.secret_hash, t.rotated_at, t.successor_id, s.rotated_at IS NOT NULL
         FROM identity.refresh_tokens t
         LEFT JOIN identity.refresh_tokens s ON s.tenant_id = $1 AND s.id = t.successor_id
        WHERE t.tenant_id = $1 AND t.id = $2`,
      [token.tenantId, token.tokenId],
    ),
  )
  if (!row) return null
  const [sessionId, secretHash, at, successorId, isSuccessorUsed] = row as [
    ...[string, string, string | null, string | null],
    boolean,
  ]
  return { sessionId, secretHash, rotation: at && successorId ? { at, successorId, isSuccessorUsed } : null }
}

/** Null when the session is over or idle, or its user or tenant is suspended. Notes that the session is used. */
async function readSession(
  context: SubgraphContext,
  tx: Transaction,
  sessionId: string,
): Promise<LiveSession | null> {
  const [row] = await tx.rows(
    prepared('SELECT user_id, permission_version FROM shared.session_viewer($1, $2)', [
      sessionId,
      context.services.clock.now().toISOString(),
    ]),
  )
  return row ? { userId: String(row[0]), permissionVersion: Number(row[1]) } : null
}

/**
 * One conditional statement marks the token as used; the successor that it names is written with the end of the
 * transaction. Returns the successor's id, or null if another did it.
 */
async function rotate(
  context: SubgraphContext,
  tx: Transaction,
  token: OpaqueToken,
  sessionId: string,
): Promise<string | null> {
  const now = context.services.clock.now()
  const successorId = uuidv7(now.getTime())
  const used = await tx.run(
    prepared(
      `UPDATE identity.refresh_tokens SET rotated_at = $3, successor_id = $4, updated_at = now()
        WHERE tenant_id = $1 AND id = $2 AND rotated_at IS NULL`,
      [token.tenantId, token.tokenId, now.toISOString(), successorId],
    ),
  )
  if (used === 0) return null
  const secretHash = hashSecret(successorSecret(token.secret, successorId))
  tx.atEnd(refreshTokenStatement(successorId, sessionId, secretHash, now))
  return successorId
}

async function endCopiedSession(
  context: SubgraphContext,
  tx: Transaction,
  tenantId: string,
  userId: string,
  sessionId: string,
): Promise<void> {
  await revokeSessions(context, tx, { tenantId, userId }, { only: sessionId, reason: 'TOKEN_COPIED' })
  const changes = { after: { reason: 'REFRESH_TOKEN_REUSED' } }
  writeAudit(context, tx, [
    { action: 'SIGN_OUT', resourceType: 'Session', resourceId: sessionId, changes, actorId: null },
  ])
  context.log.warn(
    { requestId: context.requestId, tenantId, userId, sessionId },
    'a used refresh token came again',
  )
}
