import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { InexactJson, parseExactJson } from '../../kernel/schema/exact-json'
import { addressOf } from '../../kernel/process/network-address'
import { anonymousBody, bodyFault, deepestBody, type BodyBounds } from './body-bounds'
import { namesGraphqlResponse } from './media-types'

/** Holds what is printable, harmless in a log line and short enough for a header and a database setting. */
const saneRequestId = /^[A-Za-z0-9._-]{1,64}$/

/** The one id of a request, from edge to database: the caller's `x-request-id` if it is a sane one, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && saneRequestId.test(given) ? given : randomUUID()
}

/**
 * The client's address. With a proxy in front (`TRUST_PROXY`) it is the last entry of `X-Forwarded-For`, the one
 * that proxy wrote; earlier entries are whatever the client claimed. Some proxies write a port behind it.
 */
export function clientIpOf(request: IncomingMessage, trustProxy: boolean): string | null {
  const forwarded = trustProxy
    ? [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',').at(-1)
    : undefined
  return addressOf(forwarded?.trim() || request.socket.remoteAddress || '')
}

/** A request that is refused before GraphQL sees it. */
export class RequestRefused extends Error {
  constructor(
    readonly status: 400 | 413 | 415,
    message: string,
  ) {
    super(message)
  }
}

const jsonType = /^\s*application\/json\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?$/i

/** Tells whether a request says that its body is longer than this. */
export function saysTooLarge({ headers }: IncomingMessage, limit: number): boolean {
  return Number(headers['content-length'] ?? 0) > limit
}

/**
 * Reads a JSON body. A page of another origin cannot send one without asking first: forms have other content types.
 *
 * @param least bounds that hold for everybody
 * @param own bounds of this caller, asked for only when a body goes beyond the least
 * @throws RequestRefused when it is no single operation: of another content type, too large, compressed, empty, not JSON
 *   or an array, of too many values or levels, or with a number that would be rounded or a name that comes twice in an
 *   object. What is too much is refused as soon as it is known, and never parsed
 */
export async function readJson(
  request: IncomingMessage,
  least: BodyBounds,
  own: () => BodyBounds,
): Promise<unknown> {
  const type = request.headers['content-type']
  if (type === undefined || !jsonType.test(type)) {
    const sent = type === undefined ? 'none' : type.slice(0, 100)
    throw new RequestRefused(
      415,
      `Send the operation as JSON with content-type: application/json, not ${sent}`,
    )
  }
  const encoding = request.headers['content-encoding']
  if (encoding && encoding !== 'identity') throw new RequestRefused(415, 'Send the request body uncompressed')
  const limitFor = (bytes: number) => (bytes > least.bytes ? own() : least).bytes
  const tooLarge = (limit: number) =>
    new RequestRefused(413, `The request body is larger than ${limit} bytes`)
  const said = Number(request.headers['content-length'] ?? 0)
  if (said > limitFor(said)) throw tooLarge(limitFor(said))
  const text = await textOf(request, limitFor, tooLarge)
  if (text.trim() === '') throw new RequestRefused(400, 'The request body is empty: send {"query": "…"}')
  const fault = bodyFault(text, least.values)
  if (fault === 'depth') throw tooDeep('The request body')
  if (fault && bodyFault(text, own().values)) throw tooMany(own().values)
  const body = exactJson(text, 'The request body is not valid JSON')
  if (Array.isArray(body)) throw new RequestRefused(400, oneOperation)
  return body
}

const tooDeep = (what: string) =>
  new RequestRefused(400, `${what} is nested more than ${deepestBody} levels deep: send flatter variables`)

const tooMany = (most: number) =>
  new RequestRefused(413, `The request body holds more than ${most} values: send them in several requests`)

/** @throws RequestRefused in these words when it is no JSON, in others when it cannot be read exactly */
function exactJson(text: string, otherwise: string): unknown {
  try {
    return parseExactJson(text)
  } catch (error) {
    throw new RequestRefused(400, error instanceof InexactJson ? error.message : otherwise)
  }
}

/**
 * Refuses variables of a GET that cannot be read exactly. That they are JSON at all, Apollo Server asks.
 *
 * @throws RequestRefused
 */
export function refuseInexactVariables(variables: string | null): void {
  if (!variables) return
  const fault = bodyFault(variables, anonymousBody.values)
  if (fault) throw fault === 'depth' ? tooDeep('What the variables hold') : tooMany(anonymousBody.values)
  exactJson(`{"variables": ${variables}}`, 'The variables are not valid JSON')
}

const oneOperation =
  'Send one operation per request, not an array: an operation can ask for several root fields, and requests share a connection'

/**
 * Refuses a GET that a page of another origin could have made somebody's browser send by a form, link or image.
 *
 * @throws RequestRefused
 */
export function refuseCrossSite({ headers }: IncomingMessage): void {
  const type = headers['content-type']
  if (type !== undefined && jsonType.test(type)) return
  if (headers['apollo-require-preflight'] || headers['x-apollo-operation-name']) return
  if (namesGraphqlResponse(headers)) return
  throw new RequestRefused(
    400,
    'Blocked as a possible Cross-Site Request Forgery: send accept: application/graphql-response+json, or use POST',
  )
}

/** The whole body; rejects with what `tooLarge` makes as soon as it is longer than it may be, and reads no further. */
function textOf(
  request: IncomingMessage,
  limitFor: (bytes: number) => number,
  tooLarge: (limit: number) => RequestRefused,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const read = (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      const limit = limitFor(length)
      if (length <= limit) return
      request.off('data', read)
      request.pause()
      reject(tooLarge(limit))
    }
    request.on('data', read)
    request.on('end', () =>
      resolve((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString('utf8')),
    )
    request.on('error', reject)
  })
}
