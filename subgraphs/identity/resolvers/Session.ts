import type { SubgraphContext } from '../../../kernel/context'
import { unauthenticated, type UserError } from '../../../kernel/errors'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { hashPassword, verifyPassword } from '../../../kernel/sign-in'
import { prepared } from '../../../kernel/statement'
import { User } from '../entities/User'
import type { IdentityUserErrorCode, Resolvers } from '../generated'
import { acceptInvitation } from '../sessions/accept-invitation'
import { countAttempt, forgetAttempts, passwordLine } from '../sessions/attempts'
import { tenantNames } from '../sessions/tenant-names'
import { passwordFault } from '../rules/password'
import { refreshSession } from '../sessions/refresh'
import { refreshAuthority, revokeSessions } from '../sessions/revoke'
import { signIn, tooManyAttempts } from '../sessions/sign-in'

export const session: Resolvers = {
  Mutation: {
    signIn: (_, { input }, context) => signIn(context, input),
    refreshSession: (_, { input }, context) => refreshSession(context, input.refreshToken),
    signOut: (_, { input }, context) => signOut(context, input.everywhere ?? false),
    acceptInvitation: (_, { input }, context) => acceptInvitation(context, input),
    changePassword: (_, { input }, context) => changePassword(context, input),
  },
}

/** Describes what a mutation answers that may only fail. */
type Failures = { userErrors: UserError<IdentityUserErrorCode>[] }

async function signOut(context: SubgraphContext, everywhere: boolean): Promise<Failures> {
  const { viewer } = context
  if (!viewer) throw unauthenticated()
  return mutate(context, async (tx) => {
    if (everywhere) await revokeSessions(context, tx, viewer)
    else if (viewer.sessionId) await revokeSessions(context, tx, viewer, { only: viewer.sessionId })
    const resourceId = everywhere ? null : viewer.sessionId
    tx.audit({ action: 'SIGN_OUT', resourceType: 'Session', resourceId, changes: {} })
    return {}
  })
}

/** Costs one bcrypt comparison and counts as an attempt on the account: a stolen session must not find the password. */
async function changePassword(
  context: SubgraphContext,
  input: { currentPassword: string; newPassword: string },
): Promise<Failures & { user?: User; retryAfterSeconds?: number }> {
  const { viewer } = context
  if (!viewer) throw unauthenticated()
  const [row] = await context.db.rows(
    context.binding,
    prepared(
      'SELECT password_hash, email, username, full_name FROM identity.users WHERE tenant_id = $1 AND id = $2',
      [viewer.tenantId, viewer.userId],
    ),
  )
  const [presentHash, email, ...names] = (row ?? [null, '']) as [string | null, string, ...(string | null)[]]
  const { passwordRounds } = context.services.config
  const fault =
    passwordFault(input.newPassword, { email, names: [...names, ...(await tenantNames(context))] }) ??
    (input.newPassword === input.currentPassword ? 'The new password must differ from the present one' : null)
  if (fault) return { userErrors: [{ code: 'INVALID', message: fault, field: ['newPassword'] }] }
  const lines = [passwordLine(viewer)]
  const wait = await countAttempt(context, lines)
  if (wait) return tooManyAttempts(wait)
  const wrong: Failures = {
    userErrors: [
      { code: 'INVALID_CREDENTIALS', message: 'The present password is wrong', field: ['currentPassword'] },
    ],
  }
  if (!(await verifyPassword(input.currentPassword, presentHash, passwordRounds))) return wrong
  const passwordHash = await hashPassword(input.newPassword, passwordRounds)
  const result = await mutate(context, async (tx: MutationTransaction<IdentityUserErrorCode>) => {
    const before = await tx.find(User, viewer.userId)
    if (before.passwordHash !== presentHash)
      tx.fail('STALE_VERSION', 'The password was changed at the same moment: sign in again')
    const permissionVersion = before.permissionVersion + 1
    const changes = { passwordHash, passwordChangeRequired: false, permissionVersion }
    const user = await tx.update(User, viewer.userId, null, changes)
    await revokeSessions(context, tx, viewer, { except: viewer.sessionId })
    await refreshAuthority(context, tx, { tenantId: viewer.tenantId, userIds: [viewer.userId] })
    return { user }
  })
  if (result.user) await forgetAttempts(context, lines)
  return result
}
