import { type SubgraphContext, tenantScope } from '../../../kernel/context'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { User } from '../entities/User'
import type { IdentityUserErrorCode, SignInPasskeyFinishInput } from '../generated'
import { countNetwork } from '../sessions/attempts'
import { parseToken } from '../sessions/opaque-token'
import { beginProvedSession, provedAnswer } from '../sessions/proved-session'
import { findTenant, noTenant, storable, tooManyAttempts, type SignInResult } from '../sessions/sign-in'
import { secondFactorUse, type ChallengeUse } from './challenge'
import { requestOptions } from './options'
import { assertionOf, type Told } from './responses'
import { blockCopied, notePasskeyFailure, usePasskey, wrongPasskey } from './use'
import { isProof, verifyAssertion } from './verify'

const signInUse = (slug: string): ChallengeUse => ({ purpose: 'sign-in', whose: [slug] })

/**
 * A challenge for a passkey to sign, for a sign-in or to end one. Nothing is looked up and nothing kept: the answer is of one form
 * whether or not there is such a tenant, and names no passkey. The authenticator knows whose it has.
 */
export async function signInPasskeyBegin(
  context: SubgraphContext,
  { tenant, mfaToken }: { tenant: string; mfaToken?: string | null },
): Promise<{ options?: object; retryAfterSeconds?: number; userErrors: SignInResult['userErrors'] }> {
  // Whoever ends a half sign-in told the password; what they end it with is counted by account.
  const isHalf = mfaToken ? parseToken(mfaToken) !== null : false
  const wait = isHalf ? null : await countNetwork(context, 'challenge')
  if (wait) return tooManyAttempts(wait)
  const use = mfaToken ? secondFactorUse(mfaToken) : signInUse(storable(tenant))
  return { options: await requestOptions(context, use), userErrors: [] }
}

const refused: SignInResult = { userErrors: [{ ...wrongPasskey, field: null }] }

/**
 * Signs a user in by a passkey alone, which is two factors: the authenticator, and that it verified its user. Whatever is wrong
 * gives one answer.
 */
export async function signInPasskeyFinish(
  context: SubgraphContext,
  { tenant, credential }: SignInPasskeyFinishInput,
): Promise<SignInResult> {
  const wait = await countNetwork(context)
  if (wait) return tooManyAttempts(wait)
  const slug = storable(tenant)
  const told = assertionOf(credential)
  if (!told) return refused
  // The request may come with somebody's access token: the tenant is that of the input, not of the token.
  const tenantId = (await tenantScope.run(null, () => findTenant(context, slug))) ?? noTenant
  return tenantScope.run(tenantId, () => enter(context, tenantId, slug, told))
}

async function enter(
  context: SubgraphContext,
  tenantId: string,
  slug: string,
  told: Told<Parameters<typeof verifyAssertion>[2]['response']>,
): Promise<SignInResult> {
  const proof = await verifyAssertion(context, tenantId, told, signInUse(slug))
  if (!isProof(proof)) {
    await notePasskeyFailure(context, tenantId, proof.userId)
    return refused
  }
  const { userId } = proof
  const use = { proof, isAlone: true, isCopied: false }
  const viewer = { tenantId, userId, sessionId: null, permissionVersion: 0, scopes: new Set<string>() }
  const binding = { tenantId, actorId: userId, requestId: context.requestId }
  const asUser = Object.assign(Object.create(context) as SubgraphContext, { binding, viewer })
  const { session, permissionVersion } = await mutate(
    asUser,
    async (tx: MutationTransaction<IdentityUserErrorCode>) => {
      const user = await tx.find(User, userId)
      if (user.status !== 'ACTIVE') tx.fail(wrongPasskey.code, wrongPasskey.message)
      await usePasskey(asUser, tx, use)
      const how = { methods: ['PASSKEY'], isKnownDevice: false } as const
      const begun = await beginProvedSession(asUser, tx, user, how)
      const found = begun ?? tx.fail(wrongPasskey.code, wrongPasskey.message)
      return { session: found, permissionVersion: user.permissionVersion }
    },
  )
  if (use.isCopied) await blockCopied(context, tenantId, proof)
  if (!session || permissionVersion === undefined) return refused
  return provedAnswer(context, { tenantId, userId, permissionVersion }, session)
}
