import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import type { AuthMethod } from '../entities/Session'
import type { User } from '../entities/User'
import type { IdentityUserErrorCode } from '../generated'
import { accountKey, forgetAttempts, linesOf } from './attempts'
import { newDeviceMark } from './device-mark'
import { notify } from './notices'
import { isKnownPlace, notePlace } from './places'
import { beginSession, tokensFor, type SignInResult } from './sign-in'

/** The session of somebody who gave every proof that their account asks for. */
export interface ProvedSession {
  sessionId: string
  refreshToken: string
  /** The key of the account's attempts. */
  account: string
  passwordChangeRequired: boolean
}

/**
 * Begins the session of a user whose row is locked and who gave every proof, and tells them of a new device.
 * @returns null in a tenant that is suspended, which takes nobody in: then nothing may be kept
 */
export async function beginProvedSession(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  user: User,
  how: { methods: readonly AuthMethod[]; isKnownDevice: boolean },
): Promise<ProvedSession | null> {
  const owner = { tenantId: user.tenantId, userId: user.id }
  const now = context.services.clock.now().toISOString()
  const text =
    'UPDATE identity.users SET last_login_at = $3, updated_at = now() WHERE tenant_id = $1 AND id = $2'
  await tx.run(prepared(text, [owner.tenantId, owner.userId, now]))
  if (!how.isKnownDevice && !(await isKnownPlace(context, tx, owner, user.lastLoginAt !== null)))
    await notify(context, tx, user, 'NEW_DEVICE')
  await notePlace(context, tx, owner)
  const { entry, ...session } = await beginSession(context, tx, owner, how.methods)
  const [alive] = await tx.rows(
    prepared('SELECT shared.tenant_slug() FROM shared.session_viewer($1, $2)', [session.sessionId, now]),
  )
  if (!alive) return null
  tx.audit(entry)
  const account = accountKey(String(alive[0]), user.email)
  return { ...session, account, passwordChangeRequired: user.passwordChangeRequired }
}

/** The answer to a sign-in that began a session; what was tried on the account before is forgotten. */
export async function provedAnswer(
  context: SubgraphContext,
  user: { tenantId: string; userId: string; permissionVersion: number },
  { sessionId, refreshToken, account, passwordChangeRequired }: ProvedSession,
): Promise<SignInResult> {
  // A device that came with a mark gets another one, whose attempts are counted anew.
  await forgetAttempts(context, linesOf(context, account, null))
  const tokens = await tokensFor(context, { ...user, sessionId }, refreshToken)
  const deviceMark = newDeviceMark(context, account, null)
  return { ...tokens, passwordChangeRequired, deviceMark, userErrors: [] }
}
