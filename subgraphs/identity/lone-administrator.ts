import { type SubgraphContext, tenantScope } from '../../kernel/context'
import type { UserError } from '../../kernel/errors'
import { isUuid, uuidv7 } from '../../kernel/id'
import { mutate, type MutationTransaction } from '../../kernel/mutate'
import { actInTenant, platformAction, requireOperator } from '../../kernel/operator'
import { prepared } from '../../kernel/statement'
import { User } from './entities/User'
import type {
  IdentityUserErrorCode,
  RequestLoneAdministratorResetInput,
  ResetLoneAdministratorInput,
} from './generated'
import { administratorResetMail } from './mails/administrator-reset'
import { removeSecondFactors } from './mfa'
import { agreementFault, openMs, waitMs, type AgreedReset } from './rules/administrator-reset'
import { countNetwork } from './sessions/attempts'
import { invited, newInvitation, noPassword } from './sessions/invitation'
import { notify } from './sessions/notices'
import { formatToken, hashSecret, newSecret, parseToken, secretMatches } from './sessions/opaque-token'
import { revokeKeys, revokeSessions } from './sessions/revoke'
import { tooManyAttempts } from './sessions/sign-in'
import { tenantNames } from './sessions/tenant-names'

type Tx = MutationTransaction<IdentityUserErrorCode>
type Failures = { userErrors: UserError<IdentityUserErrorCode>[] }

const failure = (code: IdentityUserErrorCode, message: string, field: string): Failures => ({
  userErrors: [{ code, message, field: [field] }],
})

/** Does something in the tenant that an operator names, for a reason, where both are fit for it. */
async function inTenantOf<T extends object>(
  context: SubgraphContext,
  { tenantId, reason }: { tenantId: string; reason: string },
  work: (inTenant: SubgraphContext) => Promise<T & Failures>,
): Promise<Partial<T> & Failures> {
  const refused = (code: IdentityUserErrorCode, message: string, field: string) =>
    failure(code, message, field) as Partial<T> & Failures
  if (reason === '' || reason.length > 500)
    return refused('INVALID', 'A reason has 1 to 500 characters', 'reason')
  const missing = refused('NOT_FOUND', 'There is no tenant with this id', 'tenantId')
  if (!isUuid(tenantId)) return missing
  return actInTenant(context, tenantId.toLowerCase(), async (inTenant) => {
    const [known] = await inTenant.db.rows(inTenant.binding, prepared('SELECT shared.tenant_name()', []))
    return typeof known?.[0] === 'string' ? work(inTenant) : missing
  })
}

/**
 * Lets the only administrator of a tenant in again who is locked out: password, second factors, sessions and keys end, and a new
 * invitation goes to the same address. Nobody whom another administrator of the tenant could help.
 */
export function resetLoneAdministrator(
  context: SubgraphContext,
  input: ResetLoneAdministratorInput,
): Promise<Failures> {
  return inTenantOf(context, input, (inTenant) =>
    mutate(inTenant, async (tx: Tx) => {
      const user = await loneAdministrator(inTenant, tx, input.userId)
      await reset(inTenant, tx, user, input.reason)
      const details = { userId: user.id, reason: input.reason }
      await tx.rows(platformAction(inTenant, 'RESET_LONE_ADMINISTRATOR', user.tenantId, details))
      return {}
    }),
  )
}

/**
 * Asks that the account of a lone administrator goes to another address. Nothing of it changes: the present mailbox is told, and
 * has a day to stop it. A former request is over.
 */
export function requestLoneAdministratorReset(
  context: SubgraphContext,
  input: RequestLoneAdministratorResetInput,
): Promise<Failures & { opensAt?: string; expiresAt?: string }> {
  const { operatorId } = requireOperator(context)
  const newEmail = input.email.toLowerCase()
  return inTenantOf(context, input, (inTenant) =>
    mutate(inTenant, async (tx: Tx) => {
      const { id: userId, tenantId, email } = await loneAdministrator(inTenant, tx, input.userId)
      if (email === newEmail)
        tx.fail('INVALID', 'This is the present address: take resetLoneAdministrator', 'email')
      const taken = 'SELECT FROM identity.users WHERE tenant_id = $1 AND email = $2'
      if ((await tx.rows(prepared(taken, [tenantId, newEmail]))).length > 0)
        tx.fail('DUPLICATE', 'Another user of the tenant has this address', 'email')
      const { clock, config } = inTenant.services
      const now = clock.now()
      const opensAt = new Date(now.getTime() + waitMs).toISOString()
      const expiresAt = new Date(now.getTime() + waitMs + openMs).toISOString()
      const token = { tenantId, tokenId: uuidv7(now.getTime()), secret: newSecret() }
      await tx.run(prepared(removeOfUser, [tenantId, userId]))
      await tx.run(
        prepared(
          `INSERT INTO identity.administrator_resets
             (id, user_id, new_email, requested_by_id, stop_hash, opens_at, expires_at, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
          [
            ...[token.tokenId, userId, newEmail, operatorId, hashSecret(token.secret)],
            ...[opensAt, expiresAt, now.toISOString()],
          ],
        ),
      )
      const { name } = await tenantNames(inTenant)
      const told = { to: email, tenant: name, newEmail, reason: input.reason, opensAt }
      tx.mail(administratorResetMail({ ...told, publicUrl: config.publicUrl, token: formatToken(token) }))
      note(tx, userId, { administratorReset: 'REQUESTED', reason: input.reason, opensAt })
      const details = { userId, reason: input.reason, opensAt }
      await tx.rows(platformAction(inTenant, 'REQUEST_LONE_ADMINISTRATOR_RESET', tenantId, details))
      return { opensAt, expiresAt }
    }),
  )
}

const removeOfUser = 'DELETE FROM identity.administrator_resets WHERE tenant_id = $1 AND user_id = $2'

const note = (tx: Tx, userId: string, after: Record<string, unknown>, actorId?: string): void =>
  tx.audit({
    ...{ action: 'UPDATE', resourceType: 'User', resourceId: userId, changes: { after } },
    ...(actorId && { actorId }),
  })

/** Does what another operator asked for, once its time of waiting is over and unless the owner stopped it or came in. */
export function approveLoneAdministratorReset(
  context: SubgraphContext,
  input: RequestLoneAdministratorResetInput,
): Promise<Failures> {
  const { operatorId } = requireOperator(context)
  const email = input.email.toLowerCase()
  return inTenantOf(context, input, (inTenant) =>
    mutate(inTenant, async (tx: Tx) => {
      const user = await loneAdministrator(inTenant, tx, input.userId)
      const { tenantId, id: userId } = user
      const request = await requestOf(tx, tenantId, userId)
      const [seen] = await tx.rows(
        prepared('SELECT max(last_seen_at) FROM identity.sessions WHERE tenant_id = $1 AND user_id = $2', [
          ...[tenantId, userId],
        ]),
      )
      const lastSeenAt = (seen?.[0] ?? null) as string | null
      const [active] = await tx.rows(prepared('SELECT identity.tenant_active_since()', []))
      const activeSince = (active?.[0] ?? null) as string | null
      const now = inTenant.services.clock.now()
      const fault = agreementFault(request, { operatorId, email, lastSeenAt, activeSince, now })
      if (fault) tx.fail(fault.code, fault.message)
      // The mailbox may stop it at this moment.
      if ((await tx.run(prepared(removeOfUser, [tenantId, userId]))) !== 1)
        tx.fail('ADMINISTRATOR_RESET_ENDED', endedMessage)
      await reset(inTenant, tx, user, input.reason, { email })
      const { requestedById } = request!
      note(tx, userId, { administratorReset: 'APPROVED', requestedById, reason: input.reason })
      const details = { userId, requestedById, reason: input.reason }
      await tx.rows(platformAction(inTenant, 'APPROVE_LONE_ADMINISTRATOR_RESET', tenantId, details))
      return {}
    }),
  )
}

async function requestOf(tx: Tx, tenantId: string, userId: string): Promise<AgreedReset | null> {
  const [row] = await tx.rows(
    prepared(
      `SELECT new_email, requested_by_id, created_at, opens_at, expires_at FROM identity.administrator_resets
        WHERE tenant_id = $1 AND user_id = $2`,
      [tenantId, userId],
    ),
  )
  if (!row) return null
  const [newEmail, requestedById, createdAt, opensAt, expiresAt] = row as [
    ...[string, string],
    ...[string, string, string],
  ]
  return { newEmail, requestedById, createdAt, opensAt, expiresAt }
}

const endedMessage = 'It was stopped or is done already, took too long, or never was one'
const ended = failure('ADMINISTRATOR_RESET_ENDED', endedMessage, 'token')

/** Ends a request before its time, by what was mailed to the present address. Why a token is of no use is not told. */
export async function stopLoneAdministratorReset(
  context: SubgraphContext,
  given: string,
): Promise<Failures & { retryAfterSeconds?: number }> {
  const wait = await countNetwork(context)
  if (wait) return tooManyAttempts(wait)
  const token = parseToken(given)
  if (!token) return ended
  const { tenantId, tokenId, secret } = token
  const binding = { tenantId, actorId: null, requestId: context.requestId }
  return tenantScope.run(tenantId, async () => {
    const found = `SELECT user_id, stop_hash FROM identity.administrator_resets
      WHERE tenant_id = $1 AND id = $2 AND expires_at > $3`
    const now = context.services.clock.now().toISOString()
    const [row] = await context.db.rows(binding, prepared(found, [tenantId, tokenId, now]))
    if (!row || !secretMatches(secret, String(row[1]))) return ended
    const userId = String(row[0])
    const byMail = Object.assign(Object.create(context) as SubgraphContext, { binding })
    return mutate(byMail, async (tx: Tx) => {
      const text = 'DELETE FROM identity.administrator_resets WHERE tenant_id = $1 AND id = $2'
      if ((await tx.run(prepared(text, [tenantId, tokenId]))) !== 1)
        tx.fail('ADMINISTRATOR_RESET_ENDED', endedMessage, 'token')
      note(tx, userId, { administratorReset: 'STOPPED' }, userId)
      await tx.rows(platformAction(byMail, 'STOP_LONE_ADMINISTRATOR_RESET', tenantId, { userId }))
      return {}
    })
  })
}

/** Ends all that lets anybody into an account, and invites its owner again. */
async function reset(
  context: SubgraphContext,
  tx: Tx,
  user: User,
  reason: string,
  address: { email?: string } = {},
): Promise<void> {
  const { kept, secret } = newInvitation(context)
  const permissionVersion = user.permissionVersion + 1
  const secondFactors = await removeSecondFactors(tx, user)
  const changes = { ...kept, ...noPassword, ...address, permissionVersion, mfaEnabled: false }
  const changed = await tx.update(User, user.id, null, changes)
  const whose = { tenantId: changed.tenantId, userId: user.id }
  await revokeSessions(context, tx, whose, { reason: 'INVITED_AGAIN' })
  await revokeKeys(context, tx, whose)
  await invited(context, tx, changed, secret)
  // Whoever reads the former mailbox learns that the account went to another.
  if (changed.email !== user.email) await notify(context, tx, user, 'EMAIL_CHANGED')
  note(tx, user.id, { reason, secondFactors: 0, count: secondFactors })
}

/** The administrator with this id, locked. Fails for anybody else, and where another one is active. */
async function loneAdministrator(context: SubgraphContext, tx: Tx, userId: string): Promise<User> {
  const { tenantId } = context.binding
  const [role] = await tx.rows(
    prepared(
      `SELECT id FROM identity.roles WHERE tenant_id = $1 AND name = 'ADMIN' AND is_system_role FOR NO KEY UPDATE`,
      [tenantId],
    ),
  )
  const administrators = await tx.rows(
    prepared(
      `SELECT u.id, u.status FROM identity.role_assignments a
         JOIN identity.users u ON u.tenant_id = $1 AND u.id = a.user_id
        WHERE a.tenant_id = $1 AND a.role_id = $2 AND u.kind = 'PERSON'`,
      [tenantId, role?.[0]],
    ),
  )
  if (!administrators.some(([id]) => id === userId.toLowerCase()))
    tx.fail('REFERENCE_NOT_FOUND', 'The tenant has no administrator with this id', 'userId')
  if (administrators.some(([id, status]) => id !== userId.toLowerCase() && status === 'ACTIVE'))
    tx.fail('OTHER_ADMINISTRATOR', 'The tenant has another active administrator, who can help', 'userId')
  return tx.find(User, userId)
}
