import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { InexactJson, parseExactJson } from '../../kernel/schema/exact-json'
import { addressOf } from '../../kernel/process/network-address'
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
 * @param limit bytes; a longer body is refused as soon as it is known to be longer
 * @throws RequestRefused when it is no single operation: of another content type, too large, compressed, empty, not JSON
 *   or an array, or with a number that would be rounded or a name that comes twice in an object
 */
export async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
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
  const tooLarge = () => new RequestRefused(413, `The request body is larger than ${limit} bytes`)
  if (saysTooLarge(request, limit)) throw tooLarge()
  const text = await textOf(request, limit, tooLarge)
  if (text.trim() === '') throw new RequestRefused(400, 'The request body is empty: send {"query": "…"}')
  const body = exactJson(text, 'The request body is not valid JSON')
  if (Array.isArray(body)) throw new RequestRefused(400, oneOperation)
  return body
}

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
  if (variables) exactJson(`{"variables": ${variables}}`, 'The variables are not valid JSON')
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

/** The whole body; rejects with what `tooLarge` makes as soon as it is longer than `limit`, and reads no further. */
function textOf(request: IncomingMessage, limit: number, tooLarge: () => RequestRefused): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const read = (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      if (length <= limit) return
      request.off('data', read)
      request.pause()
      reject(tooLarge())
    }
    request.on('data', read)
    request.on('end', () =>
      resolve((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString('utf8')),
    )
    request.on('error', reject)
  })
}
