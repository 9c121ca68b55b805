import { z } from 'zod'
import type { Clock } from '../clock'
import { isUuid } from '../id'
import { AccessTokenError, assertTime, signedToken, verifiedClaims } from './access-token'
import type { TokenKeys } from './token-keys'

/** Begins every access token of an operator of the platform, so that nobody takes one for a tenant's, or the reverse. */
export const operatorTokenPrefix = 'op_'

/** Describes what an operator's access token says; what its bearer may do is looked up with each request. */
export interface OperatorTokenClaims {
  operatorId: string
  sessionId: string
  /** The tenant that the operator has entered, and by which entry; null outside of all. */
  entry: { tenantId: string; entryId: string } | null
}

const audience = 'platform'
const uuid = z.string().refine(isUuid)
const payload = z.strictObject({
  iss: z.string(),
  aud: z.literal(audience),
  sub: uuid,
  sid: uuid,
  ent: z.strictObject({ tid: uuid, eid: uuid }).optional(),
  iat: z.int(),
  exp: z.int(),
})

/**
 * Issues an operator's access token: signed as a tenant's is, for another audience.
 *
 * @param endsAt the end of the session or entry
 * @throws Error in a process that holds no signing key
 */
export function issueOperatorToken(
  keys: TokenKeys,
  issuer: string,
  { operatorId, sessionId, entry }: OperatorTokenClaims,
  endsAt: Date,
  clock: Clock,
): string {
  return `${operatorTokenPrefix}${signedToken(keys, {
    iss: issuer,
    aud: audience,
    sub: operatorId,
    sid: sessionId,
    ...(entry ? { ent: { tid: entry.tenantId, eid: entry.entryId } } : {}),
    iat: Math.floor(clock.now().getTime() / 1000),
    exp: Math.floor(endsAt.getTime() / 1000),
  } satisfies z.infer<typeof payload>)}`
}

/**
 * The claims of an operator's access token whose form, signature, issuer, audience and time are right.
 *
 * @throws AccessTokenError and nothing else, whatever the text is
 */
export function verifyOperatorToken(
  keys: TokenKeys,
  issuer: string,
  token: string,
  clock: Clock,
): OperatorTokenClaims {
  if (!token.startsWith(operatorTokenPrefix)) throw new AccessTokenError(false)
  const claims = payload.safeParse(verifiedClaims(keys, token.slice(operatorTokenPrefix.length)).claims).data
  if (!claims || claims.iss !== issuer) throw new AccessTokenError(false)
  assertTime({ issuedAt: claims.iat, expiresAt: claims.exp }, clock)
  const { sub: operatorId, sid: sessionId, ent } = claims
  return { operatorId, sessionId, entry: ent ? { tenantId: ent.tid, entryId: ent.eid } : null }
}
