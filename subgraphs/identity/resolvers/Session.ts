import type { SubgraphContext } from '../../../kernel/context'
import { unauthenticated, type UserError } from '../../../kernel/errors'
import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { hashPassword, verifyPassword } from '../../../kernel/sign-in'
import { Session } from '../entities/Session'
import { User } from '../entities/User'
import type { IdentityUserErrorCode, Resolvers } from '../generated'
import { deviceLabel } from '../rules/device'
import { passwordFault } from '../passwords/password-rules'
import { idleEnd, isAlive } from '../rules/session-limits'
import { acceptInvitation } from '../sessions/accept-invitation'
import { countAttempt, forgetAttempts, laneOfTenant, passwordLine } from '../sessions/attempts'
import { revokeOtherSessions, revokeSession, revokeUserSessions } from '../sessions/end'
import { tenantNames } from '../sessions/tenant-names'
import { refreshSession } from '../sessions/refresh'
import { notify } from '../sessions/notices'
import { requestPasswordReset, resetPassword } from '../sessions/password-reset'
import { bindPasskeys, refreshAuthority, revokeSessions } from '../sessions/revoke'
import { signIn, tooManyAttempts } from '../sessions/sign-in'
import { accountOf, stepUp } from '../sessions/step-up'

export const session: Resolvers = {
  Query: {
    session: (_, { id }, context, info) => load(context, Session, id, info),
    sessions: (_, args, context, info) => page(context, Session, args, info),
  },
  Mutation: {
    signIn: (_, { input }, context) => signIn(context, input),
    refreshSession: (_, { input }, context) => refreshSession(context, input.refreshToken),
    requestPasswordReset: (_, { input }, context) => requestPasswordReset(context, input),
    resetPassword: (_, { input }, context) => resetPassword(context, input),
    signOut: (_, { input }, context) => signOut(context, input.everywhere ?? false),
    acceptInvitation: (_, { input }, context) => acceptInvitation(context, input),
    changePassword: (_, { input }, context) => changePassword(context, input),
    stepUp: (_, { input }, context) => stepUp(context, input),
    revokeSession: (_, { input: { id } }, context) => revokeSession(context, id),
    revokeOtherSessions: (_, { input }, context) => revokeOtherSessions(context, input.begunBefore ?? null),
    revokeUserSessions: (_, { input: { userId } }, context) => revokeUserSessions(context, userId),
  },
  Session: {
    user: one(Session, 'userId', User),
    revokedBy: one(Session, 'revokedById', User),
    idleExpiresAt: needs(Session, ['lastSeenAt', 'expiresAt'], idleEnd),
    isAlive: needs(Session, ['lastSeenAt', 'expiresAt', 'revokedAt'], (row, _args, { clock }) =>
      isAlive(row, clock.now()),
    ),
    isCurrent: needs(Session, ['id'], ({ id }, _args, { viewer }) => id === viewer?.sessionId),
    deviceLabel: needs(Session, ['userAgent'], ({ userAgent }) => deviceLabel(userAgent)),
  },
}

/** Describes what a mutation answers that may only fail. */
type Failures = { userErrors: UserError<IdentityUserErrorCode>[] }

async function signOut(context: SubgraphContext, everywhere: boolean): Promise<Failures> {
  const { viewer } = context
  if (!viewer) throw unauthenticated()
  return mutate(context, async (tx) => {
    const only = everywhere ? null : viewer.sessionId
    if (everywhere || only) await revokeSessions(context, tx, viewer, { reason: 'SIGNED_OUT', only })
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
  const { email, names, passwordHash: presentHash } = await accountOf(context, viewer)
  const { passwordRounds } = context.services.config
  const fault =
    passwordFault(input.newPassword, {
      email,
      names: [...names, ...Object.values(await tenantNames(context))],
    }) ??
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
  const lane = laneOfTenant(context.binding.tenantId!)
  if (!(await verifyPassword(input.currentPassword, presentHash, passwordRounds, lane))) return wrong
  const passwordHash = await hashPassword(input.newPassword, passwordRounds, lane)
  const result = await mutate(context, async (tx: MutationTransaction<IdentityUserErrorCode>) => {
    const before = await tx.find(User, viewer.userId)
    if (before.passwordHash !== presentHash)
      tx.fail('STALE_VERSION', 'The password was changed at the same moment: sign in again')
    const permissionVersion = before.permissionVersion + 1
    const changes = { passwordHash, passwordChangeRequired: false, permissionVersion }
    const user = await tx.update(User, viewer.userId, null, changes)
    await revokeSessions(context, tx, viewer, { reason: 'PASSWORD_CHANGED', except: viewer.sessionId })
    await bindPasskeys(tx, viewer)
    await refreshAuthority(context, tx, { tenantId: viewer.tenantId, userIds: [viewer.userId] })
    await notify(context, tx, user, 'PASSWORD_CHANGED')
    return { user }
  })
  if (result.user) await forgetAttempts(context, lines)
  return result
}
