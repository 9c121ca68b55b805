import type { AuthenticatorTransport } from '@simplewebauthn/server'
import type { SubgraphContext } from '../../../kernel/context'
import { prepared } from '../../../kernel/statement'
import type { PasskeyPlace } from '../generated'
import { relyingParty } from '../rules/relying-party'
import { challengeMs, newChallenge, type ChallengeUse } from './challenge'
import { webauthn } from './verify'

/** One of a user's passkeys, as browsers are told which to take. */
export interface OwnPasskey {
  id: string
  transports: AuthenticatorTransport[]
}

/** Places where browsers look first, in their words (WebAuthn level 3, section 5.8.7). */
const hints = { THIS_DEVICE: 'client-device', SECURITY_KEY: 'security-key', OTHER_DEVICE: 'hybrid' } as const

/** The passkeys of a user of the viewer's tenant that can be used here, the oldest first. */
export async function passkeysOf(context: SubgraphContext, userId: string): Promise<OwnPasskey[]> {
  const { id } = relyingParty(context.services.config.publicUrl)
  const text = `SELECT subject, transports FROM identity.credentials
    WHERE tenant_id = $1 AND user_id = $2 AND issuer = $3 AND blocked_at IS NULL ORDER BY created_at, id`
  const rows = await context.db.rows(context.binding, prepared(text, [context.binding.tenantId, userId, id]))
  return rows.map((row) => ({ id: String(row[0]), transports: row[1] as AuthenticatorTransport[] }))
}

/** Options that `navigator.credentials.get` takes, by `PublicKeyCredential.parseRequestOptionsFromJSON`; of any passkey without a list. */
export async function requestOptions(
  context: SubgraphContext,
  use: ChallengeUse,
  allowed?: readonly OwnPasskey[],
  keptOn: PasskeyPlace | null = null,
): Promise<object> {
  const { generateAuthenticationOptions } = await webauthn()
  const options = await generateAuthenticationOptions({
    rpID: relyingParty(context.services.config.publicUrl).id,
    challenge: newChallenge(context, use),
    ...{ timeout: challengeMs, userVerification: 'required' },
    allowCredentials: allowed?.map((passkey) => ({ ...passkey })),
  })
  // A member without a value is none in JSON.
  return JSON.parse(JSON.stringify({ ...options, ...(keptOn && { hints: [hints[keptOn]] }) })) as object
}
