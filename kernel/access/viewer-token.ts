import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock'
import type { Operator, RequestContext, Viewer } from '../context'
import type { SubgraphName } from '../schema/subgraph-names'

/** The header in which the gateway tells a subgraph over HTTP who asks. */
export const viewerHeader = 'x-viewer'

/** Describes what the token says besides the viewer: the rest of the request's context that can travel. */
export type SignedRequest = Pick<
  RequestContext,
  'requestId' | 'clientIp' | 'userAgent' | 'operator' | 'isFollowUp'
>

/** Says how long a token is good for, and how far the clocks of gateway and subgraph may differ; milliseconds. */
const lifetimeMs = 30_000
const clockSkewMs = 5_000

/** Bounds of what a client chose, so that a token always fits a header. */
const maxTextLength = 300
const maxTokenLength = 12_000

/** Why a token was refused: for the log. Callers of a subgraph are told nothing but that they were refused. */
export class ViewerTokenError extends Error {}

interface Payload extends Omit<SignedRequest, 'operator'> {
  /** Null for nobody: an anonymous request is signed as well. */
  viewer: (Omit<Viewer, 'scopes'> & { scopes: string[] }) | null
  operator?: (Omit<Operator, 'scopes'> & { scopes: string[] }) | undefined
  issuedAt: number
  expiresAt: number
  /** SHA-256 of the request body, base64url. */
  body: string
}

/**
 * Signs who asks, for one subgraph, one request body and 30 seconds. The key is derived from the secret per audience
 * (HKDF-SHA-256, RFC 5869), so a token for one subgraph means nothing to another. The same body may be sent again while
 * the token lives: a copy shows nothing that its first answer did not, but a mutation would run twice, so connections
 * between gateway and subgraphs belong into a network of their own, or TLS.
 */
export function signViewer(
  secret: string,
  audience: SubgraphName,
  viewer: Viewer | null,
  body: string,
  request: SignedRequest,
  clock: Clock,
): string {
  const issuedAt = clock.now().getTime()
  const payload: Payload = {
    viewer: viewer && { ...viewer, scopes: [...viewer.scopes] },
    operator: request.operator ? { ...request.operator, scopes: [...request.operator.scopes] } : undefined,
    requestId: request.requestId.slice(0, maxTextLength),
    clientIp: request.clientIp?.slice(0, maxTextLength) ?? null,
    userAgent: request.userAgent?.slice(0, maxTextLength) ?? null,
    isFollowUp: request.isFollowUp,
    issuedAt,
    expiresAt: issuedAt + lifetimeMs,
    body: bodyHash(body),
  }
  const text = Buffer.from(JSON.stringify(payload)).toString('base64url')
  return `${text}.${signature(secret, audience, text).toString('base64url')}`
}

/**
 * The viewer and request that a token vouches for. Throws ViewerTokenError with the reason when it is missing, altered,
 * expired, or made for another subgraph or body. Nothing of a token is read before its signature is verified.
 */
export function verifyViewer(
  secret: string,
  audience: SubgraphName,
  token: string | undefined,
  body: string | Uint8Array,
  clock: Clock,
): SignedRequest & { viewer: Viewer | null } {
  if (!token) throw new ViewerTokenError('no viewer token')
  if (token.length > maxTokenLength) throw new ViewerTokenError('viewer token too long')
  const [text = '', given = '', ...more] = token.split('.')
  const expected = signature(secret, audience, text)
  const found = Buffer.from(given, 'base64url')
  if (more.length > 0 || found.length !== expected.length || !timingSafeEqual(found, expected))
    throw new ViewerTokenError(`viewer token not signed for ${audience} with this secret`)
  const payload = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Payload
  const now = clock.now().getTime()
  if (payload.expiresAt - payload.issuedAt > lifetimeMs)
    throw new ViewerTokenError('viewer token lives too long')
  if (now >= payload.expiresAt) throw new ViewerTokenError('viewer token expired')
  if (payload.issuedAt > now + clockSkewMs)
    throw new ViewerTokenError('viewer token from the future: set the clocks of gateway and subgraph')
  if (payload.body !== bodyHash(body))
    throw new ViewerTokenError('viewer token made for another request body')
  const { viewer, operator, requestId, clientIp, userAgent, isFollowUp } = payload
  return {
    viewer: viewer && { ...viewer, scopes: new Set(viewer.scopes) },
    ...(operator ? { operator: { ...operator, scopes: new Set(operator.scopes) } } : {}),
    requestId,
    clientIp,
    userAgent,
    ...(isFollowUp && { isFollowUp }),
  }
}

function bodyHash(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('base64url')
}

function signature(secret: string, audience: SubgraphName, text: string): Buffer {
  return createHmac('sha256', audienceKey(secret, audience)).update(text).digest()
}

const keys = new Map<string, Buffer>()

/** The key of one audience; a process knows one secret and few audiences, so they are kept. */
function audienceKey(secret: string, audience: SubgraphName): Buffer {
  const name = `${audience} ${secret}`
  let key = keys.get(name)
  if (!key)
    keys.set(name, (key = Buffer.from(hkdfSync('sha256', secret, '', `tenantgraph viewer ${audience}`, 32))))
  return key
}
