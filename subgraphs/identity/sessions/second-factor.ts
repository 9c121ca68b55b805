import { type SubgraphContext, tenantScope } from '../../../kernel/context'
import { mutate, writeAudit, type MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { MfaDevice } from '../entities/MfaDevice'
import { User } from '../entities/User'
import type { IdentityUserErrorCode } from '../generated'
import { acceptedStep, recoveryHash } from './codes'
import { secondFactorUse } from '../passkeys/challenge'
import { assertionOf } from '../passkeys/responses'
import { blockCopied, usePasskey, wrongPasskey, type PasskeyUse } from '../passkeys/use'
import { isProof, verifyAssertion } from '../passkeys/verify'
import { countCodes, countNetwork, forgetAttempts } from './attempts'
import { isBurstOfCodes, notifyAt } from './notices'
import { formatToken, parseToken, secretMatches, type OpaqueToken } from './opaque-token'
import { beginProvedSession, provedAnswer } from './proved-session'
import { tooManyAttempts, type SignInResult } from './sign-in'

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

/** Proof that ends a half sign-in: a code, or the signature of a passkey. */
interface FactorInput {
  code?: string | null
  passkey?: unknown
}

/**
 * Ends a sign-in with its second factor. Why a token is of no use is not told. Attempts are counted before a code is compared,
 * so of many at once no more are compared than may be. Whoever has a good token told the password, and does not wait for what
 * others do from the same network.
 */
export async function completeSignIn(
  context: SubgraphContext,
  { mfaToken, ...factor }: FactorInput & { mfaToken: string },
): Promise<SignInResult> {
  if (isGiven(factor.code) === isGiven(factor.passkey))
    return { userErrors: [{ code: 'INVALID', message: 'Give either code or passkey', field: null }] }
  const token = parseToken(mfaToken)
  // From here on the bearer is the user, whose tenant's walls stand as for any request; an access token says nothing.
  return token
    ? tenantScope.run(token.tenantId, () => complete(context, token, factor))
    : refusedFrom(context)
}

const isGiven = (value: unknown): boolean => value !== null && value !== undefined

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

async function complete(
  context: SubgraphContext,
  token: OpaqueToken,
  { code, passkey }: FactorInput,
): Promise<SignInResult> {
  const { tenantId } = token
  const pending = await pendingOf(context, token)
  if (!pending) return refusedFrom(context)
  const { userId, permissionVersion, isKnownDevice } = pending
  const { codes, wait } = await countCodes(context, tenantId, userId)
  if (wait) return tooManyAttempts(wait)
  const use = isGiven(passkey) ? await passkeyOf(context, token, userId, passkey) : null
  const own = { tenantId, userId, sessionId: null, permissionVersion, scopes: new Set<string>() }
  const binding = { tenantId, actorId: userId, requestId: context.requestId }
  const asUser = Object.assign(Object.create(context) as SubgraphContext, { binding, viewer: own })
  const { userErrors, session } = await mutate(
    asUser,
    async (tx: MutationTransaction<IdentityUserErrorCode>) => {
      const user = await tx.find(User, userId)
      if (user.status !== 'ACTIVE' || user.permissionVersion !== permissionVersion)
        tx.fail(ended.code, ended.message, ended.field)
      const text = 'DELETE FROM identity.pending_sign_ins WHERE tenant_id = $1 AND id = $2'
      if ((await tx.run(prepared(text, [tenantId, token.tokenId]))) !== 1)
        tx.fail(ended.code, ended.message, ended.field)
      if (use) await usePasskey(asUser, tx, use)
      else if (isGiven(passkey)) tx.fail(wrongPasskey.code, wrongPasskey.message, 'passkey')
      const method = use ? 'PASSKEY' : await useCode(asUser, tx, userId, code ?? '')
      if (!method) return tx.fail('INVALID_CODE', wrongCode, 'code')
      const methods = ['PASSWORD', method] as const
      const begun = await beginProvedSession(asUser, tx, user, { methods, isKnownDevice })
      return { session: begun ?? tx.fail(ended.code, ended.message, ended.field) }
    },
  )
  if (session) {
    await forgetAttempts(context, [codes])
    return provedAnswer(context, { tenantId, userId, permissionVersion }, session)
  }
  if (use?.isCopied) await blockCopied(context, tenantId, use.proof)
  else if (userErrors.some((one) => one.code === 'INVALID_CODE' || one.code === 'INVALID_PASSKEY'))
    await recordWrongFactor(context, pending, tenantId, isGiven(passkey) ? 'WRONG_PASSKEY' : 'WRONG_CODE')
  return { userErrors }
}

/** The signature of a passkey of the user whose half sign-in it ends; null for any other. */
async function passkeyOf(
  context: SubgraphContext,
  token: OpaqueToken,
  userId: string,
  passkey: unknown,
): Promise<PasskeyUse | null> {
  const told = assertionOf(passkey)
  const use = secondFactorUse(formatToken(token))
  const proof = told && (await verifyAssertion(context, token.tenantId, told, use))
  return proof && isProof(proof) && proof.userId === userId
    ? { proof, isAlone: false, isCopied: false }
    : null
}

async function recordWrongFactor(
  context: SubgraphContext,
  { userId }: Pending,
  tenantId: string,
  reason: 'WRONG_CODE' | 'WRONG_PASSKEY',
): Promise<void> {
  const isTold = await isBurstOfCodes(context, { tenantId, userId })
  await context.db.transaction({ tenantId, requestId: context.requestId }, async (tx) => {
    writeAudit(context, tx, [
      {
        ...{ action: 'SIGN_IN_FAILED', resourceType: 'User', resourceId: userId, actorId: null },
        changes: { after: { reason } },
      },
    ])
    if (!isTold) return
    const text = 'SELECT email FROM identity.users WHERE tenant_id = $1 AND id = $2'
    const [row] = await tx.rows(prepared(text, [tenantId, userId]))
    if (row) await notifyAt(context, tx, { tenantId, userId, email: String(row[0]) }, 'CODES_FAILED')
  })
}
