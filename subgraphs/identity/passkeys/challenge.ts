import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { relyingParty } from '../rules/relying-party'
import { derivedKey } from '../sessions/derived-key'

/** Milliseconds that a challenge is good for. */
export const challengeMs = 5 * 60_000

/** Says what a challenge is for, and for whom: it is of no use for anything else. */
export interface ChallengeUse {
  purpose: 'register' | 'sign-in' | 'second-factor' | 'step-up'
  /** Ids of tenant, user and session; of who is not known yet, what they named. */
  whose: readonly string[]
}

/** Use of a challenge that ends a half sign-in: of that one, by its token. */
export function secondFactorUse(mfaToken: string): ChallengeUse {
  return { purpose: 'second-factor', whose: [mfaToken] }
}

const nonceBytes = 16
const endBytes = 6

function codeOf(context: SubgraphContext, content: Buffer, { purpose, whose }: ChallengeUse): Buffer {
  const key = derivedKey(context, 'tenantgraph passkey challenge 1')
  const { id, origin } = relyingParty(context.services.config.publicUrl)
  const signed = [content.toString('base64url'), purpose, id, origin, ...whose]
  return createHmac('sha256', key).update(JSON.stringify(signed)).digest()
}

/**
 * A new challenge: 128 random bits, its end, and HMAC-SHA-256 of both and of what it is for. Nothing is stored, so that strangers
 * who ask for challenges fill no table; what is kept is that one was used ({@link useChallenge}).
 */
export function newChallenge(context: SubgraphContext, use: ChallengeUse): Uint8Array<ArrayBuffer> {
  const content = Buffer.concat([randomBytes(nonceBytes), Buffer.alloc(endBytes)])
  content.writeUIntBE(context.services.clock.now().getTime() + challengeMs, nonceBytes, endBytes)
  return Uint8Array.from([...content, ...codeOf(context, content, use)])
}

/** Tells whether a challenge, base64url, was made for this and has not ended. */
export function isOurChallenge(context: SubgraphContext, challenge: string, use: ChallengeUse): boolean {
  // 54 bytes in their one spelling.
  if (!/^[\w-]{72}$/.test(challenge)) return false
  const bytes = Buffer.from(challenge, 'base64url')
  const content = bytes.subarray(0, nonceBytes + endBytes)
  const end = content.readUIntBE(nonceBytes, endBytes)
  const isOurs = timingSafeEqual(bytes.subarray(content.length), codeOf(context, content, use))
  return isOurs && context.services.clock.now().getTime() < end
}

/** Uses a challenge up. Of several who come with the same one, one gets true; it is undone with the transaction. */
export async function useChallenge(
  context: SubgraphContext,
  tx: Pick<MutationTransaction, 'run'>,
  challenge: string,
): Promise<boolean> {
  const hash = createHash('sha256').update(challenge).digest('hex')
  const end = new Date(context.services.clock.now().getTime() + challengeMs).toISOString()
  const text = `INSERT INTO identity.used_challenges (challenge_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`
  return (await tx.run(prepared(text, [hash, end]))) === 1
}
