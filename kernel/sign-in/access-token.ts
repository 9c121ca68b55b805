import { hash, sign, verify, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Clock } from '../clock'
import { isUuid } from '../id'
import type { TokenKeys } from './token-keys'

/** Describes what an access token says. What its bearer may do is looked up by session, so that changes act at once. */
export interface AccessTokenClaims {
  tenantId: string
  userId: string
  sessionId: string
  /** The user's when the token was issued. */
  permissionVersion: number
}

/** Why a token is refused. Only a token that was once good is called expired; nothing else is told apart. */
export class AccessTokenError extends Error {
  override readonly name = 'AccessTokenError'

  constructor(readonly expired: boolean) {
    super(expired ? 'The access token has expired' : 'The access token is invalid')
  }
}

export const accessTokenSeconds = 15 * 60

const audience = 'graphql'
const longestToken = 2048
/** Says how far clocks of several servers may differ; only for tokens from the future, never to lengthen a life. */
const clockDifferenceSeconds = 60

/** A strict object: members that change how a token is read (`crit`, `jwk`, `jku`, `b64`) are refused with the rest. */
const header = z.strictObject({ alg: z.literal('EdDSA'), typ: z.literal('at+jwt'), kid: z.string() })

const uuid = z.string().refine(isUuid)
const payload = z.object({
  iss: z.string(),
  aud: z.literal(audience),
  sub: uuid,
  tid: uuid,
  sid: uuid,
  pv: z.int().min(0),
  iat: z.int(),
  exp: z.int(),
})

/**
 * Issues an access token: a JWS (RFC 7515) in the form of RFC 9068, signed with Ed25519 (RFC 8037).
 *
 * @returns the token, good for 15 minutes, and the instant it ends as ISO text
 * @throws Error in a process that holds no signing key
 */
export function issueAccessToken(
  keys: TokenKeys,
  issuer: string,
  claims: AccessTokenClaims,
  clock: Clock,
): { token: string; expiresAt: string } {
  const issuedAt = Math.floor(clock.now().getTime() / 1000)
  const expiresAt = issuedAt + accessTokenSeconds
  const token = signedToken(keys, {
    iss: issuer,
    aud: audience,
    sub: claims.userId,
    tid: claims.tenantId,
    sid: claims.sessionId,
    pv: claims.permissionVersion,
    iat: issuedAt,
    exp: expiresAt,
  } satisfies z.infer<typeof payload>)
  return { token, expiresAt: new Date(expiresAt * 1000).toISOString() }
}

/**
 * A JWS of these claims, which name their audience.
 *
 * @throws Error in a process that holds no signing key
 */
export function signedToken({ kid, privateKey }: TokenKeys, claims: object): string {
  if (!privateKey || !kid)
    throw new Error('This process only verifies tokens: set TOKEN_PRIVATE_KEY where identity runs')
  const signed = [{ alg: 'EdDSA', typ: 'at+jwt', kid } satisfies z.infer<typeof header>, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
}

/**
 * The claims of an access token whose form, algorithm, key, signature, issuer, audience and time are right.
 *
 * @throws AccessTokenError and nothing else, whatever the text is
 */
export function verifyAccessToken(
  keys: TokenKeys,
  issuer: string,
  token: string,
  clock: Clock,
): AccessTokenClaims {
  const verified = verifySigned(keys, issuer, token)
  assertTime(verified, clock)
  return verified.claims
}

/** Says how many good tokens are remembered, some 500 bytes each; the least recently used is forgotten first. */
const mostRemembered = 10_000

/**
 * {@link verifyAccessToken} for a server, where each token comes many times: the signature of a good one is verified
 * once. Its times and whether its key still counts are asked each time. It is remembered by the SHA-256 of its exact
 * text, so that nothing in memory is a token.
 *
 * @param most how many are remembered at a time
 * @returns a function that gives the claims, and throws as verifyAccessToken does
 */
export function accessTokenVerifier(
  keys: TokenKeys,
  issuer: string,
  clock: Clock,
  most = mostRemembered,
): (token: string) => AccessTokenClaims {
  const remembered = new LRUCache<string, VerifiedToken>({ max: most })
  return (token) => {
    if (token.length > longestToken) throw new AccessTokenError(false)
    const digest = hash('sha256', token, 'base64')
    const known = remembered.get(digest)
    const verified =
      known && keys.publicKeys.get(known.kid) === known.key ? known : verifySigned(keys, issuer, token)
    try {
      assertTime(verified, clock)
    } catch (error) {
      remembered.delete(digest)
      throw error
    }
    if (verified !== known) remembered.set(digest, verified)
    return verified.claims
  }
}

/** A token that was issued, at whatever time. */
interface VerifiedToken {
  claims: AccessTokenClaims
  /** Seconds since 1970, as `expiresAt`. */
  issuedAt: number
  expiresAt: number
  kid: string
  key: KeyObject
}

/** The claims of a JWS that was signed here, whatever they are, and its key. @throws AccessTokenError */
export function verifiedClaims(
  keys: TokenKeys,
  token: string,
): { claims: unknown; kid: string; key: KeyObject } {
  if (token.length > longestToken) throw new AccessTokenError(false)
  const parts = token.split('.').map(decode)
  const [head, body, signature] = parts
  if (parts.length !== 3 || !head || !body || !signature) throw new AccessTokenError(false)

  const kid = header.safeParse(json(head)).data?.kid
  const key = kid === undefined ? undefined : keys.publicKeys.get(kid)
  const signed = Buffer.from(token.slice(0, token.lastIndexOf('.')))
  if (kid === undefined || !key || !verify(null, signed, key, signature)) throw new AccessTokenError(false)
  return { claims: json(body), kid, key }
}

/** Everything about a token but its time. @throws AccessTokenError */
function verifySigned(keys: TokenKeys, issuer: string, token: string): VerifiedToken {
  const { claims: given, kid, key } = verifiedClaims(keys, token)
  const claims = payload.safeParse(given).data
  if (!claims || claims.iss !== issuer) throw new AccessTokenError(false)
  return {
    claims: { tenantId: claims.tid, userId: claims.sub, sessionId: claims.sid, permissionVersion: claims.pv },
    issuedAt: claims.iat,
    expiresAt: claims.exp,
    kid,
    key,
  }
}

/** @throws AccessTokenError for a token of the future or of the past */
export function assertTime(
  { issuedAt, expiresAt }: Pick<VerifiedToken, 'issuedAt' | 'expiresAt'>,
  clock: Clock,
): void {
  const now = clock.now().getTime() / 1000
  if (issuedAt > now + clockDifferenceSeconds) throw new AccessTokenError(false)
  if (expiresAt <= now) throw new AccessTokenError(true)
}

/** The bytes of base64url text in its one proper spelling, else null: one token has one text. */
function decode(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length > 0 && bytes.toString('base64url') === text ? bytes : null
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
