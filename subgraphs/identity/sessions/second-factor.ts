import { type SubgraphContext, tenantScope } from '../../../kernel/context'
import { mutate, writeAudit, type MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { MfaDevice } from '../entities/MfaDevice'
import { User } from '../entities/User'
import type { IdentityUserErrorCode } from '../generated'
import { acceptedStep, recoveryHash } from './codes'
import { accountKey, countCodes, countNetwork, forgetAttempts, linesOf } from './attempts'
import { newDeviceMark } from './device-mark'
import { isBurstOfCodes, notify, notifyAt } from './notices'
import { parseToken, secretMatches, type OpaqueToken } from './opaque-token'
import { isKnownPlace, notePlace } from './places'
import { beginSession, tokensFor, tooManyAttempts, type SignInResult } from './sign-in'

export const wrongCode = 'The code is wrong, was used already, or is of another time: wait for the next one'

/**
 * Uses a code of one of a user's second factors up: of several who come with the same code one succeeds. The factor is locked
 * until the transaction ends.
 *
 * @returns by what the user proved who they are; null when the code is of no use
 */
export async function useCode(
  context: SubgraphContext,
  tx: MutationTransaction,
  userId: string,
  code: string,
): Promise<'TOTP' | 'RECOVERY_CODE' | null> {
  const { tenantId } = context.binding
  const now = context.services.clock.now()
  const hash = recoveryHash(code)
  if (hash) {
    const used = await tx.run(
      prepared(
        `UPDATE identity.mfa_devices
            SET code_hashes = replace(code_hashes, $3 || ' ', ''), remaining_codes = remaining_codes - 1, last_used_at = $4, updated_at = now()
          WHERE tenant_id = $1 AND user_id = $2 AND type = 'RECOVERY_CODES' AND strpos(code_hashes, $3 || ' ') > 0`,
        [tenantId, userId, hash, now.toISOString()],
      ),
    )
    return used === 1 ? 'RECOVERY_CODE' : null
  }
  const devices = await tx.rows(
    prepared(
      `SELECT id FROM identity.mfa_devices
        WHERE tenant_id = $1 AND user_id = $2 AND type = 'TOTP' AND confirmed_at IS NOT NULL ORDER BY id`,
      [tenantId, userId],
    ),
  )
  for (const [id] of devices) {
    const { secret, lastStep } = await tx.find(MfaDevice, String(id))
    const step = secret && acceptedStep(secret, code, { now, lastStep })
    if (!step) continue
    await tx.run(
      prepared(
        `UPDATE identity.mfa_devices SET last_step = $3, last_used_at = $4, updated_at = now()
          WHERE tenant_id = $1 AND id = $2`,
        [tenantId, id, step, now.toISOString()],
      ),
    )
    return 'TOTP'
  }
  return null
}

const ended = {
  code: 'MFA_TOKEN_ENDED',
  message: 'This sign-in took too long, or was ended already: sign in again',
  field: 'mfaToken',
} as const

const refused: SignInResult = { userErrors: [{ ...ended, field: [ended.field] }] }

/**
 * Ends a sign-in with its second factor. Why a token is of no use is not told. Attempts are counted before a code is compared,
 * so of many at once no more are compared than may be. Whoever has a good token told the password, and does not wait for what
 * others do from the same network.
 */
export async function completeSignIn(
  context: SubgraphContext,
  { mfaToken, code }: { mfaToken: string; code: string },
): Promise<SignInResult> {
  const token = parseToken(mfaToken)
  // From here on the bearer is the user, whose tenant's walls stand as for any request; an access token says nothing.
  return token ? tenantScope.run(token.tenantId, () => complete(context, token, code)) : refusedFrom(context)
}

/** The answer to a token of no use, which counts as an attempt from the network. */
async function refusedFrom(context: SubgraphContext): Promise<SignInResult> {
  const wait = await countNetwork(context)
  return wait ? tooManyAttempts(wait) : refused
}

interface Pending {
  userId: string
  permissionVersion: number
  isKnownDevice: boolean
}

/** The sign-in that a token is of; null when it is over or never was one. */
async function pendingOf(context: SubgraphContext, token: OpaqueToken): Promise<Pending | null> {
  const [row] = await context.db.rows(
    { tenantId: token.tenantId, requestId: context.requestId },
    prepared(
      `SELECT user_id, permission_version, secret_hash, is_known_device FROM identity.pending_sign_ins
        WHERE tenant_id = $1 AND id = $2 AND expires_at > $3`,
      [token.tenantId, token.tokenId, context.services.clock.now().toISOString()],
    ),
  )
  if (!row || !secretMatches(token.secret, String(row[2]))) return null
  return { userId: String(row[0]), permissionVersion: Number(row[1]), isKnownDevice: row[3] === true }
}

async function complete(context: SubgraphContext, token: OpaqueToken, code: string): Promise<SignInResult> {
  const { tenantId } = token
  const pending = await pendingOf(context, token)
  if (!pending) return refusedFrom(context)
  const { userId, permissionVersion } = pending
  const { codes, wait } = await countCodes(context, tenantId, userId)
  if (wait) return tooManyAttempts(wait)
  const own = { tenantId, userId, sessionId: null, permissionVersion, scopes: new Set<string>() }
  const binding = { tenantId, actorId: userId, requestId: context.requestId }
  const asUser = Object.assign(Object.create(context) as SubgraphContext, { binding, viewer: own })
  const result = await mutate(asUser, async (tx: MutationTransaction<IdentityUserErrorCode>) => {
    const user = await tx.find(User, userId)
    if (user.status !== 'ACTIVE' || user.permissionVersion !== permissionVersion)
      tx.fail(ended.code, ended.message, ended.field)
    const text = 'DELETE FROM identity.pending_sign_ins WHERE tenant_id = $1 AND id = $2'
    if ((await tx.run(prepared(text, [tenantId, token.tokenId]))) !== 1)
      tx.fail(ended.code, ended.message, ended.field)
    const method = await useCode(asUser, tx, userId, code)
    if (!method) tx.fail('INVALID_CODE', wrongCode, 'code')
    const now = context.services.clock.now().toISOString()
    await tx.run(
      prepared(
        'UPDATE identity.users SET last_login_at = $3, updated_at = now() WHERE tenant_id = $1 AND id = $2',
        [...[tenantId, userId, now]],
      ),
    )
    const owner = { tenantId, userId }
    if (!pending.isKnownDevice && !(await isKnownPlace(context, tx, owner, user.lastLoginAt !== null)))
      await notify(asUser, tx, user, 'NEW_DEVICE')
    await notePlace(context, tx, owner)
    const methods = ['PASSWORD', method] as const
    const { entry, ...session } = await beginSession(context, tx, { tenantId, userId }, methods)
    // A tenant that is suspended takes nobody in.
    const [alive] = await tx.rows(
      prepared('SELECT shared.tenant_slug() FROM shared.session_viewer($1, $2)', [session.sessionId, now]),
    )
    if (!alive) tx.fail(ended.code, ended.message, ended.field)
    tx.audit(entry)
    const account = accountKey(String(alive[0]), user.email)
    return { ...session, account, passwordChangeRequired: user.passwordChangeRequired }
  })
  const { sessionId, refreshToken, account, passwordChangeRequired, userErrors } = result
  if (!sessionId || !refreshToken || !account) {
    if (userErrors.some((one) => one.code === 'INVALID_CODE'))
      await recordWrongCode(context, pending, tenantId)
    return { userErrors }
  }
  // A device that came with a mark gets another one, whose attempts are counted anew.
  await forgetAttempts(context, [codes, ...linesOf(context, account, null)])
  const tokens = await tokensFor(context, { tenantId, userId, sessionId, permissionVersion }, refreshToken)
  const deviceMark = newDeviceMark(context, account, null)
  return { ...tokens, passwordChangeRequired, deviceMark, userErrors }
}

async function recordWrongCode(
  context: SubgraphContext,
  { userId }: Pending,
  tenantId: string,
): Promise<void> {
  const isTold = await isBurstOfCodes(context, { tenantId, userId })
  await context.db.transaction({ tenantId, requestId: context.requestId }, async (tx) => {
    writeAudit(context, tx, [
      {
        ...{ action: 'SIGN_IN_FAILED', resourceType: 'User', resourceId: userId, actorId: null },
        changes: { after: { reason: 'WRONG_CODE' } },
      },
    ])
    if (!isTold) return
    const text = 'SELECT email FROM identity.users WHERE tenant_id = $1 AND id = $2'
    const [row] = await tx.rows(prepared(text, [tenantId, userId]))
    if (row) await notifyAt(context, tx, { tenantId, userId, email: String(row[0]) }, 'CODES_FAILED')
  })
}
