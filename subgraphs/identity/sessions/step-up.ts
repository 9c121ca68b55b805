import type { SubgraphContext } from '../../../kernel/context'
import { unauthenticated, type UserError } from '../../../kernel/errors'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { provedUntil, revokeCachedSessions, verifyPassword } from '../../../kernel/sign-in'
import { prepared } from '../../../kernel/statement'
import { Session } from '../entities/Session'
import type { IdentityUserErrorCode } from '../generated'
import { accountKey, countAccount, forgetAttempts } from './attempts'
import { tooManyAttempts } from './sign-in'

interface Proof {
  provedUntil?: string
  retryAfterSeconds?: number
  userErrors: UserError<IdentityUserErrorCode>[]
}

/**
 * Notes in the viewer's session that its user has proved who they are. It counts as an attempt on the account, as a sign-in
 * does: a stolen session must not find the password.
 */
export async function stepUp(context: SubgraphContext, { password }: { password: string }): Promise<Proof> {
  const { viewer } = context
  if (!viewer?.sessionId) throw unauthenticated()
  const { email, passwordHash } = await accountOf(context, viewer)
  const account = accountKey(viewer.tenantId, email)
  const wait = await countAccount(context, account)
  if (wait) return tooManyAttempts(wait)
  if (!(await verifyPassword(password, passwordHash))) {
    const wrong = {
      code: 'INVALID_CREDENTIALS',
      message: 'The password is wrong',
      field: ['password'],
    } as const
    return { userErrors: [{ ...wrong, field: [...wrong.field] }] }
  }
  await forgetAttempts(context, account)
  return proved(context, viewer.sessionId)
}

/** The address and password of the viewer's account. */
export async function accountOf(
  context: SubgraphContext,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<{ email: string; passwordHash: string | null }> {
  const text = 'SELECT email, password_hash FROM identity.users WHERE tenant_id = $1 AND id = $2'
  const [row] = await context.db.rows(context.binding, prepared(text, [tenantId, userId]))
  const [email, passwordHash] = (row ?? ['', null]) as [string, string | null]
  return { email, passwordHash }
}

function proved(context: SubgraphContext, sessionId: string): Promise<Proof> {
  return mutate(context, async (tx: MutationTransaction<IdentityUserErrorCode>) => {
    const now = context.services.clock.now()
    const session = await tx.update(Session, sessionId, null, { provedAt: now.toISOString() })
    await revokeCachedSessions(context.services.keyValue, session.tenantId, [session.id])
    return { provedUntil: provedUntil(now.getTime()) }
  })
}
