import type { SubgraphContext, Viewer } from '../../../kernel/context'
import { unauthenticated, type UserError } from '../../../kernel/errors'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { provedUntil, revokeCachedSessions, verifyPassword } from '../../../kernel/sign-in'
import { prepared } from '../../../kernel/statement'
import { Session, type AuthMethod } from '../entities/Session'
import { User } from '../entities/User'
import type { IdentityUserErrorCode, PasskeyPlace } from '../generated'
import type { ChallengeUse } from '../passkeys/challenge'
import { passkeysOf, requestOptions } from '../passkeys/options'
import { assertionOf } from '../passkeys/responses'
import { blockCopied, notePasskeyFailure, usePasskey, wrongPasskey } from '../passkeys/use'
import { isProof, verifyAssertion } from '../passkeys/verify'
import { countAttempt, countCodes, forgetAttempts, laneOfTenant, passwordLine } from './attempts'
import { noteProof } from './proof'
import { useCode, wrongCode } from './second-factor'
import { tooManyAttempts } from './sign-in'

type Tx = MutationTransaction<IdentityUserErrorCode>

interface Proof {
  provedUntil?: string
  retryAfterSeconds?: number
  userErrors: UserError<IdentityUserErrorCode>[]
}

/**
 * Notes in the viewer's session that its user has proved who they are. It counts as an attempt on the password, as changing it
 * does, or on the second factors: a stolen session must find neither password nor code.
 */
export async function stepUp(
  context: SubgraphContext,
  { password, code, passkey }: { password?: string | null; code?: string | null; passkey?: unknown },
): Promise<Proof> {
  const { viewer } = context
  if (!viewer?.sessionId) throw unauthenticated()
  const session = { ...viewer, sessionId: viewer.sessionId }
  const given = [password, code, passkey].filter((one) => one !== null && one !== undefined)
  if (given.length !== 1)
    return {
      userErrors: [{ code: 'INVALID', message: 'Give password, code or passkey, one of them', field: null }],
    }
  if (typeof password === 'string') return byPassword(context, session, password)
  return typeof code === 'string' ? byCode(context, session, code) : byPasskey(context, session, passkey)
}

type SessionViewer = Viewer & { sessionId: string }

async function byPassword(context: SubgraphContext, viewer: SessionViewer, password: string): Promise<Proof> {
  const { passwordHash } = await accountOf(context, viewer)
  const lines = [passwordLine(viewer)]
  const wait = await countAttempt(context, lines)
  if (wait) return tooManyAttempts(wait)
  const { passwordRounds } = context.services.config
  if (!(await verifyPassword(password, passwordHash, passwordRounds, laneOfTenant(viewer.tenantId)))) {
    const message = 'The password is wrong'
    return { userErrors: [{ code: 'INVALID_CREDENTIALS', message, field: ['password'] }] }
  }
  await forgetAttempts(context, lines)
  return mutate(context, (tx: Tx) => prove(context, tx, 'PASSWORD'))
}

async function byCode(context: SubgraphContext, viewer: SessionViewer, code: string): Promise<Proof> {
  const { codes, wait } = await countCodes(context, viewer.tenantId, viewer.userId)
  if (wait) return tooManyAttempts(wait)
  const result = await mutate(context, async (tx: Tx) => {
    const method = await useCode(context, tx, viewer.userId, code)
    return prove(context, tx, method ?? tx.fail('INVALID_CODE', wrongCode, 'code'))
  })
  if (result.provedUntil) await forgetAttempts(context, [codes])
  return result
}

/** A challenge that a passkey of the viewer signs to prove, in this session, that the viewer is there. */
export async function stepUpPasskeyBegin(
  context: SubgraphContext,
  keptOn: PasskeyPlace | null,
): Promise<{ options?: object; userErrors: UserError<IdentityUserErrorCode>[] }> {
  const { viewer } = context
  if (!viewer?.sessionId) throw unauthenticated()
  const own = await passkeysOf(context, viewer.userId)
  if (own.length === 0) {
    const message = 'You have no passkey: give password or code'
    return { userErrors: [{ code: 'NOT_FOUND', message, field: null }] }
  }
  const use = stepUpUse({ ...viewer, sessionId: viewer.sessionId })
  return { options: await requestOptions(context, use, own, keptOn), userErrors: [] }
}

const stepUpUse = ({ tenantId, userId, sessionId }: SessionViewer): ChallengeUse => ({
  ...{ purpose: 'step-up', whose: [tenantId, userId, sessionId] },
})

async function byPasskey(context: SubgraphContext, viewer: SessionViewer, passkey: unknown): Promise<Proof> {
  const told = assertionOf(passkey)
  const proof = told && (await verifyAssertion(context, viewer.tenantId, told, stepUpUse(viewer)))
  const isOwn = proof && isProof(proof) && proof.userId === viewer.userId
  const use = isOwn ? { proof, isAlone: false, isCopied: false } : null
  const result = await mutate(context, async (tx: Tx) => {
    await tx.find(User, viewer.userId)
    if (!use) return tx.fail(wrongPasskey.code, wrongPasskey.message, 'passkey')
    await usePasskey(context, tx, use)
    return prove(context, tx, 'PASSKEY')
  })
  if (use?.isCopied) await blockCopied(context, viewer.tenantId, use.proof)
  else if (result.userErrors.length > 0) await notePasskeyFailure(context, viewer.tenantId, viewer.userId)
  return result
}

/** The address, the names and the password of the viewer's account. */
export async function accountOf(
  context: SubgraphContext,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<{ email: string; names: (string | null)[]; passwordHash: string | null }> {
  const text =
    'SELECT password_hash, email, username, full_name FROM identity.users WHERE tenant_id = $1 AND id = $2'
  const [row] = await context.db.rows(context.binding, prepared(text, [tenantId, userId]))
  const [passwordHash, email, ...names] = (row ?? [null, '']) as [string | null, string, ...(string | null)[]]
  return { email, names, passwordHash }
}

async function prove(context: SubgraphContext, tx: Tx, method: AuthMethod): Promise<{ provedUntil: string }> {
  const { sessionId } = context.viewer ?? {}
  if (!sessionId) throw unauthenticated()
  const now = context.services.clock.now()
  const session = await tx.update(Session, sessionId, null, { provedAt: now.toISOString() })
  await noteProof(context, tx, method)
  await revokeCachedSessions(context.services.keyValue, session.tenantId, [session.id])
  return { provedUntil: provedUntil(now.getTime()) }
}
