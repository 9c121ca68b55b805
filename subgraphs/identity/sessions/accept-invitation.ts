import { type SubgraphContext, tenantScope } from '../../../kernel/context'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { hashPassword } from '../../../kernel/sign-in'
import { prepared } from '../../../kernel/statement'
import { User } from '../entities/User'
import type { IdentityUserErrorCode } from '../generated'
import { acceptingHash, type Invitation } from '../rules/invitation'
import { passwordFault, type PasswordContext } from '../passwords/password-rules'
import { tenantNames } from './tenant-names'
import { accountKey, countNetwork, laneOfTenant } from './attempts'
import { newDeviceMark } from './device-mark'
import { noInvitation } from './invitation'
import { parseToken, secretMatches, type OpaqueToken } from './opaque-token'
import { beginSecondFactor } from './pending-sign-in'
import { notePlace } from './places'
import { beginSession, tokensFor, tooManyAttempts, type SignInResult } from './sign-in'

const ended = {
  code: 'INVITATION_ENDED',
  message: 'The invitation was used, renewed or ended: ask for a new one',
  field: 'token',
} as const

const refused = { userErrors: [{ ...ended, field: [ended.field] }] }

/**
 * Sets the password of an invited user and signs them in: both, or neither. Of several who come with one token one
 * succeeds. Why a token is of no use is not told; only a good one costs the hashing of a password.
 */
export async function acceptInvitation(
  context: SubgraphContext,
  input: { token: string; password: string },
): Promise<SignInResult> {
  const fault = passwordFault(input.password)
  if (fault) return faultOf(fault)
  const wait = await countNetwork(context)
  if (wait) return tooManyAttempts(wait)
  const token = parseToken(input.token)
  // From here on the bearer is the user, whose tenant's walls stand as for any request; an access token says nothing.
  return token ? tenantScope.run(token.tenantId, () => acceptToken(context, token, input.password)) : refused
}

async function acceptToken(
  context: SubgraphContext,
  { tenantId, tokenId: userId, secret }: OpaqueToken,
  password: string,
): Promise<SignInResult> {
  const binding = { tenantId, actorId: userId, requestId: context.requestId }
  const asUser = Object.assign(Object.create(context) as SubgraphContext, { binding })
  const isAccepted = (invitation: Invitation) => {
    const hash = acceptingHash(invitation, context.services.clock.now())
    return hash !== null && secretMatches(secret, hash)
  }
  const invitation = await invitationOf(asUser, userId)
  if (!invitation || !isAccepted(invitation)) return refused
  const tenant = await tenantNames(asUser)
  const names = [...invitation.names, ...Object.values(tenant)]
  const fault = passwordFault(password, { ...invitation, names })
  if (fault) return faultOf(fault)
  const passwordHash = await hashPassword(
    password,
    context.services.config.passwordRounds,
    laneOfTenant(tenantId),
  )
  const result = await mutate(asUser, async (tx: MutationTransaction<IdentityUserErrorCode>) => {
    const user = await tx.find(User, userId)
    if (!isAccepted(user)) tx.fail(ended.code, ended.message, ended.field)
    const permissionVersion = user.permissionVersion + 1
    const lastLoginAt = context.services.clock.now().toISOString()
    const changes = {
      status: 'ACTIVE',
      passwordHash,
      permissionVersion,
      lastLoginAt,
      ...noInvitation,
    } as const
    await tx.update(User, userId, null, changes)
    const { entry, ...session } = await beginSession(context, tx, { tenantId, userId })
    // A tenant that is suspended takes nobody in, and the invitation stays as it is.
    const [viewer] = await tx.rows(
      prepared('SELECT user_id FROM shared.session_viewer($1, $2)', [session.sessionId, lastLoginAt]),
    )
    if (!viewer) tx.fail(ended.code, ended.message, ended.field)
    if (user.mfaEnabled) {
      // Whoever handed the token over knows it as well: it stands for the password alone.
      const text = 'DELETE FROM identity.sessions WHERE tenant_id = $1 AND id = $2'
      await tx.run(prepared(text, [tenantId, session.sessionId]))
      const mfaToken = await beginSecondFactor(context, tx, { tenantId, userId, permissionVersion })
      return { sessionId: null, refreshToken: null, permissionVersion: null, mfaToken }
    }
    await notePlace(context, tx, { tenantId, userId })
    tx.audit(entry)
    return { ...session, permissionVersion, mfaToken: null }
  })
  const { sessionId, permissionVersion, refreshToken, mfaToken, userErrors } = result
  if (mfaToken) return { mfaToken, userErrors }
  if (!sessionId || !permissionVersion || !refreshToken) return { userErrors }
  const tokens = await tokensFor(context, { tenantId, userId, sessionId, permissionVersion }, refreshToken)
  return {
    ...tokens,
    deviceMark: newDeviceMark(context, accountKey(tenant.slug, invitation.email), null),
    userErrors,
  }
}

const faultOf = (fault: string): SignInResult => ({
  userErrors: [{ code: 'INVALID', message: fault, field: ['password'] }],
})

async function invitationOf(
  context: SubgraphContext,
  userId: string,
): Promise<(Invitation & Required<PasswordContext>) | null> {
  const [row] = await context.db.rows(
    context.binding,
    prepared(
      `SELECT status, invitation_hash, invitation_expires_at, email, username, full_name
         FROM identity.users WHERE tenant_id = $1 AND id = $2`,
      [context.binding.tenantId, userId],
    ),
  )
  if (!row) return null
  const [status, invitationHash, invitationExpiresAt, email, ...names] = row as [
    ...[string, string | null, string | null, string],
    ...(string | null)[],
  ]
  return { status, invitationHash, invitationExpiresAt, email, names }
}
