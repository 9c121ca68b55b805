import { type SubgraphContext, tenantScope } from '../../../kernel/context'
import { unauthenticated, type UserError } from '../../../kernel/errors'
import { uuidv7 } from '../../../kernel/id'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { User } from '../entities/User'
import type { IdentityUserErrorCode } from '../generated'
import { emailChangeMail, takenAddressMail } from '../mails/email-change'
import { emailChangeMs } from '../rules/session-limits'
import { countNetwork } from './attempts'
import { notify } from './notices'
import {
  formatToken,
  hashSecret,
  newSecret,
  parseToken,
  secretMatches,
  type OpaqueToken,
} from './opaque-token'
import { findTenant, tooManyAttempts } from './sign-in'
import { tenantNames } from './tenant-names'

type Tx = MutationTransaction<IdentityUserErrorCode>

const taken = 'SELECT 1 FROM identity.users WHERE tenant_id = $1 AND email = $2'
type Failures = { userErrors: UserError<IdentityUserErrorCode>[] }

/**
 * Asks the present and the new address of the viewer whether the account shall move; a former question is over. Whether somebody
 * has the new address is told to its mailbox alone, which is given nothing to confirm: the answer is the same.
 */
export async function requestEmailChange(
  context: SubgraphContext,
  given: string,
): Promise<Failures & { expiresAt?: string }> {
  const { viewer } = context
  if (!viewer) throw unauthenticated()
  const newEmail = given.toLowerCase()
  return mutate(context, async (tx: Tx) => {
    const { id: userId, tenantId, email, permissionVersion } = await tx.find(User, viewer.userId)
    if (email === newEmail) tx.fail('INVALID', 'This is your address already', 'newEmail')
    const isTaken = (await tx.rows(prepared(taken, [tenantId, newEmail]))).length > 0
    await tx.run(
      prepared('DELETE FROM identity.email_changes WHERE tenant_id = $1 AND user_id = $2', [
        tenantId,
        userId,
      ]),
    )
    const now = context.services.clock.now()
    const expiresAt = new Date(now.getTime() + emailChangeMs).toISOString()
    const tokenId = uuidv7(now.getTime())
    const secrets = { PRESENT: newSecret(), NEW: newSecret() }
    await tx.run(
      prepared(
        `INSERT INTO identity.email_changes
           (id, user_id, new_email, present_hash, new_hash, permission_version, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          ...[tokenId, userId, newEmail, hashSecret(secrets.PRESENT), hashSecret(secrets.NEW)],
          ...[permissionVersion, expiresAt, now.toISOString()],
        ],
      ),
    )
    const { name } = await tenantNames(context)
    const told = { tenant: name, presentEmail: email, newEmail, expiresAt }
    for (const [side, to] of [
      ['PRESENT', email],
      ['NEW', newEmail],
    ] as const) {
      const token = formatToken({ tenantId, tokenId, secret: secrets[side] })
      const { publicUrl } = context.services.config
      tx.mail(
        side === 'NEW' && isTaken
          ? takenAddressMail({ to, tenant: name })
          : emailChangeMail({ ...told, to, side, token, publicUrl }),
      )
    }
    tx.audit({
      ...{ action: 'UPDATE', resourceType: 'User', resourceId: userId },
      changes: { after: { emailChange: 'REQUESTED' } },
    })
    return { expiresAt }
  })
}

const ended = {
  code: 'EMAIL_CHANGE_ENDED',
  message: 'The link was used, took too long, or never was one: ask for another with requestEmailChange',
  field: 'token',
} as const

type Confirmed = Failures & { isComplete?: boolean; retryAfterSeconds?: number }

const refused: Confirmed = { userErrors: [{ ...ended, field: [ended.field] }] }

/** Notes that a mailbox confirmed; with the second one the account moves. Why a token is of no use is not told. */
export async function confirmEmailChange(context: SubgraphContext, given: string): Promise<Confirmed> {
  const wait = await countNetwork(context)
  if (wait) return tooManyAttempts(wait)
  const token = parseToken(given)
  return token ? tenantScope.run(token.tenantId, () => confirm(context, token)) : refused
}

interface Change {
  userId: string
  newEmail: string
  permissionVersion: number
  side: 'PRESENT' | 'NEW'
}

async function changeOf(context: SubgraphContext, token: OpaqueToken): Promise<Change | null> {
  const { tenantId, tokenId, secret } = token
  const [row] = await context.db.rows(
    { tenantId, requestId: context.requestId },
    prepared(
      `SELECT user_id, new_email, permission_version, present_hash, new_hash FROM identity.email_changes
        WHERE tenant_id = $1 AND id = $2 AND expires_at > $3`,
      [tenantId, tokenId, context.services.clock.now().toISOString()],
    ),
  )
  if (!row) return null
  const [userId, newEmail, permissionVersion, presentHash, newHash] = row as [
    ...[string, string, number, string, string],
  ]
  const isPresent = secretMatches(secret, presentHash)
  if (!isPresent && !secretMatches(secret, newHash)) return null
  return { userId, newEmail, permissionVersion, side: isPresent ? 'PRESENT' : 'NEW' }
}

async function confirm(context: SubgraphContext, token: OpaqueToken): Promise<Confirmed> {
  const { tenantId, tokenId } = token
  const change = await changeOf(context, token)
  if (!change) return refused
  const { userId, newEmail } = change
  // From here on the bearer is the user, whose tenant's walls stand as for any request; an access token says nothing.
  const binding = { tenantId, actorId: userId, requestId: context.requestId }
  const asUser = Object.assign(Object.create(context) as SubgraphContext, { binding })
  const { slug } = await tenantNames(asUser)
  if (!(await tenantScope.run(null, () => findTenant(context, slug)))) return refused
  return mutate(asUser, async (tx: Tx) => {
    const user = await tx.find(User, userId)
    if (user.status !== 'ACTIVE' || user.permissionVersion !== change.permissionVersion)
      tx.fail(ended.code, ended.message, ended.field)
    const column = change.side === 'PRESENT' ? 'present_confirmed_at' : 'new_confirmed_at'
    const [row] = await tx.rows(
      prepared(
        `UPDATE identity.email_changes SET ${column} = coalesce(${column}, $3) WHERE tenant_id = $1 AND id = $2
         RETURNING present_confirmed_at IS NOT NULL AND new_confirmed_at IS NOT NULL`,
        [tenantId, tokenId, context.services.clock.now().toISOString()],
      ),
    )
    if (!row) return tx.fail(ended.code, ended.message, ended.field)
    if (row[0] !== true) return { isComplete: false }
    const text = 'DELETE FROM identity.email_changes WHERE tenant_id = $1 AND id = $2'
    await tx.run(prepared(text, [tenantId, tokenId]))
    // Somebody got it meanwhile, which is not for whoever confirmed last to know.
    if ((await tx.rows(prepared(taken, [tenantId, newEmail]))).length > 0)
      tx.fail(ended.code, ended.message, ended.field)
    await tx.update(User, userId, null, { email: newEmail })
    await notify(asUser, tx, user, 'EMAIL_CHANGED')
    return { isComplete: true }
  })
}
