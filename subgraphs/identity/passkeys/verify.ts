import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import type { SubgraphContext } from '../../../kernel/context'
import { prepared } from '../../../kernel/statement'
import { relyingParty } from '../rules/relying-party'
import { isOurChallenge, type ChallengeUse } from './challenge'
import { transportsOf, type Told } from './responses'

/** COSE's numbers of the signatures that are taken: EdDSA, ES256, RS256. */
export const algorithms = [-8, -7, -257]

/** The package, loaded when somebody comes with a passkey: it reads certificates that most processes never see. */
export const webauthn = () => import('@simplewebauthn/server')

/** The id by which an authenticator knows a user: of this tenant, so that nobody takes the one of another for it. */
export function userHandle(tenantId: string, userId: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(`${tenantId}${userId}`.replaceAll('-', ''), 'hex'))
}

/** Columns that are kept of a new passkey. */
export interface NewPasskey {
  issuer: string
  subject: string
  publicKey: string
  signCount: string
  transports: string[]
  backedUp: boolean
}

/**
 * Checks a new passkey (WebAuthn level 3, section 7.1): our challenge, origin and domain, a user who was verified. Of
 * attestations only what needs no certificates is taken: nobody asks for them, and some have a server fetch what they name.
 * @returns null for whatever is wrong
 */
export async function verifyRegistration(
  context: SubgraphContext,
  { response, challenge }: Told<RegistrationResponseJSON>,
  use: ChallengeUse,
): Promise<NewPasskey | null> {
  if (!isOurChallenge(context, challenge, use)) return null
  const { id, origin } = relyingParty(context.services.config.publicUrl)
  try {
    if (!(await isPlainAttestation(response))) return null
    const { verifyRegistrationResponse } = await webauthn()
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      ...{ response, expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: id },
      ...{ requireUserVerification: true, supportedAlgorithmIDs: algorithms },
    })
    if (!verified) return null
    const { credential, credentialBackedUp: backedUp } = registrationInfo
    // What was signed tells the id, too.
    if (credential.id !== response.id) return null
    return {
      ...{ issuer: id, subject: credential.id, backedUp },
      publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      ...{ signCount: String(credential.counter), transports: transportsOf(response) },
    }
  } catch {
    // The package throws for what is wrong; why is told to nobody.
    return null
  }
}

async function isPlainAttestation({ response }: RegistrationResponseJSON): Promise<boolean> {
  const { decodeAttestationObject, isoBase64URL } = await import('@simplewebauthn/server/helpers')
  const decoded = decodeAttestationObject(isoBase64URL.toBuffer(response.attestationObject))
  const format = decoded.get('fmt')
  return format === 'none' || (format === 'packed' && decoded.get('attStmt').get('x5c') === undefined)
}

/** A passkey that signed a challenge; nothing is noted of it yet. */
export interface PasskeyProof {
  credentialId: string
  userId: string
  signCount: number
  backedUp: boolean
  challenge: string
}

/** A signature that is wrong; of a passkey that there is, the trail is told whose. */
export interface NoProof {
  userId: string | null
}

const noProof: NoProof = { userId: null }

/**
 * Checks the signature of a passkey of this tenant (WebAuthn level 3, section 7.2) but for its counter, which is compared when it is
 * noted: `usePasskey`.
 */
export async function verifyAssertion(
  context: SubgraphContext,
  tenantId: string,
  { response, challenge }: Told<AuthenticationResponseJSON>,
  use: ChallengeUse,
): Promise<PasskeyProof | NoProof> {
  if (!isOurChallenge(context, challenge, use)) return noProof
  const { id, origin } = relyingParty(context.services.config.publicUrl)
  const text = `SELECT id, user_id, public_key FROM identity.credentials
    WHERE tenant_id = $1 AND issuer = $2 AND subject = $3 AND blocked_at IS NULL`
  const binding = { tenantId, requestId: context.requestId }
  const [row] = await context.db.rows(binding, prepared(text, [tenantId, id, response.id]))
  if (!row) return noProof
  const [credentialId, userId, publicKey] = row as [string, string, string]
  const handle = Buffer.from(userHandle(tenantId, userId)).toString('base64url')
  // Left out by authenticators that were told which of their passkeys to use.
  if (response.response.userHandle && response.response.userHandle !== handle) return { userId }
  try {
    const { verifyAuthenticationResponse } = await webauthn()
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      ...{ response, expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: id },
      requireUserVerification: true,
      credential: {
        id: response.id,
        publicKey: Uint8Array.from(Buffer.from(publicKey, 'base64url')),
        counter: 0,
      },
    })
    if (!verified) return { userId }
    const { newCounter: signCount, credentialBackedUp: backedUp } = authenticationInfo
    return { credentialId, userId, signCount, backedUp, challenge }
  } catch {
    return { userId }
  }
}

/** Tells whether a signature was right. */
export const isProof = (told: PasskeyProof | NoProof): told is PasskeyProof => 'credentialId' in told
