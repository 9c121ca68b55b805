import type { SubgraphContext, Transaction } from '../../../kernel/context'
import { writeAudit, type MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import type { IdentityUserErrorCode } from '../generated'
import { attemptLimits } from '../rules/session-limits'
import { isCountedOn } from '../rules/sign-count'
import { notifyAt } from '../sessions/notices'
import { revokeSessions } from '../sessions/revoke'
import { useChallenge } from './challenge'
import type { PasskeyProof } from './verify'

/** The user error of a passkey that is not taken, whatever the reason. */
export const wrongPasskey = {
  code: 'INVALID_PASSKEY',
  message: 'The passkey was not accepted: begin again, and take one of this account',
} as const

/** A signature of a passkey, and what for. */
export interface PasskeyUse {
  proof: PasskeyProof
  /** Tells whether it signs in without the password. */
  isAlone: boolean
  /** Set by a transaction that fails, and so cannot keep that the passkey has a copy. */
  isCopied: boolean
}

const stored = `SELECT sign_count, signs_in_alone FROM identity.credentials
  WHERE tenant_id = $1 AND id = $2 AND user_id = $3 AND blocked_at IS NULL`
const noteUse = `UPDATE identity.credentials SET sign_count = $3, backed_up = $4, last_used_at = $5, updated_at = now()
  WHERE tenant_id = $1 AND id = $2`

/**
 * Takes a passkey's signature: its challenge is used up, and its counter goes forward. The user's row must be locked. Fails when
 * another request used the challenge, the passkey may not do this any more, or the counter goes back; then `isCopied` is set, for
 * {@link blockCopied}.
 */
export async function usePasskey(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  use: PasskeyUse,
): Promise<void> {
  const { tenantId } = context.binding
  const { credentialId, userId, signCount, backedUp, challenge } = use.proof
  if (!(await useChallenge(context, tx, challenge))) tx.fail(wrongPasskey.code, wrongPasskey.message)
  const [row] = await tx.rows(prepared(stored, [tenantId, credentialId, userId]))
  if (!row) return tx.fail(wrongPasskey.code, wrongPasskey.message)
  // Looked at first: that there is a copy is told also where the passkey would not do.
  use.isCopied = !isCountedOn(Number(row[0]), signCount)
  if (use.isCopied || (use.isAlone && row[1] !== true)) tx.fail(wrongPasskey.code, wrongPasskey.message)
  const now = context.services.clock.now().toISOString()
  await tx.run(prepared(noteUse, [tenantId, credentialId, signCount, backedUp, now]))
}

/**
 * Blocks a passkey whose counter went back, for somebody has a copy of its private key; ends the sessions of its user, one of which
 * the copy may have begun, and tells the user and the trail, from which the alert comes.
 */
export async function blockCopied(
  context: SubgraphContext,
  tenantId: string,
  { credentialId, userId, challenge }: PasskeyProof,
): Promise<void> {
  const now = context.services.clock.now().toISOString()
  await context.db.transaction({ tenantId, actorId: null, requestId: context.requestId }, async (tx) => {
    const lock = 'SELECT email FROM identity.users WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE'
    const [user] = await tx.rows(prepared(lock, [tenantId, userId]))
    const text = `UPDATE identity.credentials SET blocked_at = $3, version = version + 1, updated_at = now()
      WHERE tenant_id = $1 AND id = $2 AND blocked_at IS NULL`
    if ((await tx.run(prepared(text, [tenantId, credentialId, now]))) !== 1) return
    await useChallenge(context, tx, challenge)
    await revokeSessions(context, tx, { tenantId, userId }, { reason: 'PASSKEY_COPIED' })
    recordPasskeyFailure(context, tx, userId, { reason: 'PASSKEY_COPIED', credentialId })
    if (user) await notifyAt(context, tx, { tenantId, userId, email: String(user[0]) }, 'PASSKEY_COPIED')
  })
}

/**
 * Notes in the trail that a passkey was not taken, if it is known whose, as many times a day as a password may be tried: whoever
 * knows the id of one needs no more to fail. Waiting for the disk would tell by the time that there is something to note, so the
 * commit does not.
 */
export async function notePasskeyFailure(
  context: SubgraphContext,
  tenantId: string,
  userId: string | null,
): Promise<void> {
  const { limit, windowMs } = attemptLimits.passkeyFailure
  const key = `t:${tenantId}:passkey-failure:${userId}`
  const { allowed } = await context.services.rateLimit.consume(key, limit, windowMs)
  await context.db.transaction({ tenantId, requestId: context.requestId }, async (tx) => {
    await tx.run({ text: 'SET LOCAL synchronous_commit TO off' })
    if (userId && allowed) recordPasskeyFailure(context, tx, userId, { reason: 'WRONG_PASSKEY' })
  })
}

function recordPasskeyFailure(
  context: SubgraphContext,
  tx: Pick<Transaction, 'atEnd'>,
  userId: string,
  after: { reason: 'PASSKEY_COPIED' | 'WRONG_PASSKEY'; credentialId?: string },
): void {
  const resource = { resourceType: 'User', resourceId: userId, actorId: null }
  writeAudit(context, tx, [{ action: 'SIGN_IN_FAILED', ...resource, changes: { after } }])
}
