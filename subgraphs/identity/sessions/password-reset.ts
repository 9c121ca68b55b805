import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type SubgraphContext, tenantScope } from '../../../kernel/context'
import type { UserError } from '../../../kernel/errors'
import { uuidv7 } from '../../../kernel/id'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { hashPassword } from '../../../kernel/sign-in'
import { prepared } from '../../../kernel/statement'
import { User } from '../entities/User'
import type { IdentityUserErrorCode } from '../generated'
import { passwordResetMail } from '../mails/password-reset'
import { passwordFault, type PasswordContext } from '../passwords/password-rules'
import { answerStepMs, resetMs, resetRequests } from '../rules/password-reset'
import { accountKey, countNetwork, forgetAttempts, laneOfTenant, linesOf } from './attempts'
import { notify } from './notices'
import { formatToken, newSecret, parseToken, secretMatches, type OpaqueToken } from './opaque-token'
import { bindPasskeys, refreshAuthority, revokeKeys, revokeSessions } from './revoke'
import { findTenant, noTenant, storable, tooManyAttempts } from './sign-in'
import { tenantNames } from './tenant-names'

interface ResetResult {
  retryAfterSeconds?: number
  userErrors: UserError<IdentityUserErrorCode>[]
}

/**
 * Mails a link with which the owner of an account sets another password. Whoever asks is told the same after the same
 * look-ups and at the same steps of time, whether or not there is such an account, however often it was asked for, and when
 * no mail can be written.
 */
export async function requestPasswordReset(
  context: SubgraphContext,
  input: { tenant: string; email: string },
): Promise<ResetResult> {
  const networkWait = await countNetwork(context)
  if (networkWait) return tooManyAttempts(networkWait)
  const begun = context.services.clock.now().getTime()
  const slug = storable(input.tenant)
  const email = storable(input.email)
  const { limit, windowMs } = resetRequests
  const key = `password-reset:${accountKey(slug, email)}`
  const { allowed } = await context.services.rateLimit.consume(key, limit, windowMs)
  if (allowed) await mailLink(context, slug, email)
  const passed = context.services.clock.now().getTime() - begun
  await wait(answerStepMs - (passed % answerStepMs))
  return { userErrors: [] }
}

async function mailLink(context: SubgraphContext, slug: string, email: string): Promise<void> {
  // The request may come with somebody's access token: the tenant is that of the input, not of the token.
  const tenantId = await tenantScope.run(null, () => findTenant(context, slug))
  const binding = { tenantId: tenantId ?? noTenant, actorId: null, requestId: context.requestId }
  const inTenant = Object.assign(Object.create(context) as SubgraphContext, { binding })
  await tenantScope.run(binding.tenantId, async () => {
    const account = await accountOf(inTenant, email)
    if (!tenantId || !account) return
    try {
      await beginReset(inTenant, { tenantId, ...account })
    } catch (error) {
      // An answer that is another one would tell that there is an account.
      context.log.error(
        { error, requestId: context.requestId },
        'a mail for a forgotten password was not written',
      )
    }
  })
}

interface Account {
  userId: string
  email: string
  permissionVersion: number
}

/** The account of an address, if its owner may set another password: invited users choose a first one. */
async function accountOf(context: SubgraphContext, email: string): Promise<Account | null> {
  const text = `SELECT id, permission_version FROM identity.users
    WHERE tenant_id = $1 AND email = $2 AND status = 'ACTIVE' AND kind = 'PERSON' AND password_hash IS NOT NULL`
  const [row] = await context.db.rows(context.binding, prepared(text, [context.binding.tenantId, email]))
  return row ? { userId: String(row[0]), email, permissionVersion: Number(row[1]) } : null
}

async function beginReset(
  context: SubgraphContext,
  { tenantId, userId, email, permissionVersion }: Account & { tenantId: string },
): Promise<void> {
  const { clock, config } = context.services
  const now = clock.now()
  const expiresAt = new Date(now.getTime() + resetMs).toISOString()
  const token = { tenantId, tokenId: uuidv7(now.getTime()), secret: newSecret() }
  const { name, slug } = await tenantNames(context)
  await mutate(context, async (tx) => {
    await tx.run(
      prepared(
        `INSERT INTO identity.password_resets (id, user_id, secret_hash, permission_version, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)`,
        [
          ...[token.tokenId, userId, boundHash(token.secret, email), permissionVersion],
          ...[expiresAt, now.toISOString()],
        ],
      ),
    )
    const mailed = { to: email, tenant: name, slug, publicUrl: config.publicUrl, expiresAt }
    tx.mail(passwordResetMail({ ...mailed, token: formatToken(token) }))
    noteReset(tx, userId, 'REQUESTED')
    return {}
  })
}

/** Returns what is kept of a secret: good for the account as long as it has the address that the mail went to. */
function boundHash(secret: Buffer, email: string): string {
  return createHash('sha256').update(secret).update(email).digest('hex')
}

function noteReset(tx: MutationTransaction, userId: string, passwordReset: 'REQUESTED' | 'DONE'): void {
  const changes = { after: { passwordReset } }
  tx.audit({ action: 'UPDATE', resourceType: 'User', resourceId: userId, changes })
}

const ended = {
  code: 'PASSWORD_RESET_ENDED',
  message: 'The link was used, took too long, or never was one: ask for another with requestPasswordReset',
  field: 'token',
} as const

const refused: ResetResult = { userErrors: [{ ...ended, field: [ended.field] }] }

/**
 * Sets another password in place of a forgotten one and ends all sessions. Nobody is signed in: a second factor is asked for
 * as ever. Of several who come with one token one succeeds; why a token is of no use is not told, and only a good one costs
 * the hashing of a password.
 */
export async function resetPassword(
  context: SubgraphContext,
  input: { token: string; password: string },
): Promise<ResetResult> {
  const fault = passwordFault(input.password)
  if (fault) return faultOf(fault)
  const networkWait = await countNetwork(context)
  if (networkWait) return tooManyAttempts(networkWait)
  const token = parseToken(input.token)
  return token ? tenantScope.run(token.tenantId, () => resetWith(context, token, input.password)) : refused
}

const faultOf = (fault: string): ResetResult => ({
  userErrors: [{ code: 'INVALID', message: fault, field: ['password'] }],
})

async function resetWith(
  context: SubgraphContext,
  token: OpaqueToken,
  password: string,
): Promise<ResetResult> {
  const { tenantId, tokenId } = token
  const reset = await openReset(context, token)
  if (!reset) return refused
  const { userId } = reset
  // From here on the bearer is the user, whose tenant's walls stand as for any request; an access token says nothing.
  const binding = { tenantId, actorId: userId, requestId: context.requestId }
  const asUser = Object.assign(Object.create(context) as SubgraphContext, { binding })
  const tenant = await tenantNames(asUser)
  if (!(await tenantScope.run(null, () => findTenant(context, tenant.slug)))) return refused
  const fault = passwordFault(password, { ...reset, names: [...reset.names, ...Object.values(tenant)] })
  if (fault) return faultOf(fault)
  const passwordHash = await hashPassword(
    password,
    context.services.config.passwordRounds,
    laneOfTenant(tenantId),
  )
  const { userErrors } = await mutate(asUser, async (tx: MutationTransaction<IdentityUserErrorCode>) => {
    const user = await tx.find(User, userId)
    const isSame = user.permissionVersion === reset.permissionVersion && user.email === reset.email
    if (!isSame || user.status !== 'ACTIVE') tx.fail(ended.code, ended.message, ended.field)
    const taken = 'DELETE FROM identity.password_resets WHERE tenant_id = $1 AND id = $2'
    if ((await tx.run(prepared(taken, [tenantId, tokenId]))) !== 1)
      tx.fail(ended.code, ended.message, ended.field)
    const others = 'DELETE FROM identity.password_resets WHERE tenant_id = $1 AND user_id = $2'
    await tx.run(prepared(others, [tenantId, userId]))
    // Whoever reads the mailbox chose it: nobody else knows a way in, but those who chose the mailbox.
    const hands =
      'DELETE FROM identity.entrustments WHERE tenant_id = $1 AND user_id = $2 AND NOT chose_address'
    // What they made while they could come in is no way in either.
    if ((await tx.run(prepared(hands, [tenantId, userId]))) > 0)
      await revokeKeys(asUser, tx, { tenantId, userId })
    await bindPasskeys(tx, { tenantId, userId })
    const changes = { passwordHash, passwordChangeRequired: false }
    await tx.update(User, userId, null, changes, { permissionVersion: user.permissionVersion + 1 })
    await revokeSessions(asUser, tx, { tenantId, userId }, { reason: 'PASSWORD_CHANGED' })
    await refreshAuthority(asUser, tx, { tenantId, userIds: [userId] })
    noteReset(tx, userId, 'DONE')
    await notify(asUser, tx, user, 'PASSWORD_CHANGED')
    return {}
  })
  // Who reads the mailbox need not wait for what others tried.
  if (userErrors.length === 0)
    await forgetAttempts(context, linesOf(context, accountKey(tenant.slug, reset.email), null))
  return { userErrors }
}

interface OpenReset extends Required<PasswordContext> {
  userId: string
  permissionVersion: number
}

/** The reset of a token; null when it is over, its account is not what it was, or it never was one. */
async function openReset(
  context: SubgraphContext,
  { tenantId, tokenId, secret }: OpaqueToken,
): Promise<OpenReset | null> {
  const [row] = await context.db.rows(
    { tenantId, requestId: context.requestId },
    prepared(
      `SELECT u.id, r.permission_version, r.secret_hash, u.email, u.username, u.full_name
         FROM identity.password_resets r
         JOIN identity.users u ON u.tenant_id = $1 AND u.id = r.user_id AND u.status = 'ACTIVE'
          AND u.permission_version = r.permission_version
        WHERE r.tenant_id = $1 AND r.id = $2 AND r.expires_at > $3`,
      [tenantId, tokenId, context.services.clock.now().toISOString()],
    ),
  )
  if (!row) return null
  const [userId, permissionVersion, hash, email, ...names] = row as [
    ...[string, number, string, string],
    ...(string | null)[],
  ]
  if (!secretMatches(Buffer.concat([secret, Buffer.from(email)]), hash)) return null
  return { userId, permissionVersion, email, names }
}
