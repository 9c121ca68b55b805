import type { IncomingMessage } from 'node:http'
import type { HttpResponse } from './http-response'

/** Headers that a page may send: what this endpoint reads, and what GraphQL clients add by themselves. */
const sent = [
  'accept',
  'authorization',
  'content-type',
  'x-api-key',
  'x-request-id',
  'apollo-require-preflight',
  'apollographql-client-name',
  'apollographql-client-version',
  'x-explain',
  'last-event-id',
]
/** Headers of an answer that a page may read besides those that it always may. */
const read = ['x-request-id', 'retry-after', 'www-authenticate', 'content-disposition']

/** So long, in seconds, a browser need not ask again; no browser takes more. */
const rememberedSeconds = 7200

/** Says what pages of other origins may do at `/graphql`. */
export interface Cors {
  /** Headers of an answer to this request. */
  headers(request: IncomingMessage): Record<string, string>
  /** The answer to a browser that asks beforehand; undefined where the request is no such question. */
  preflight(request: IncomingMessage): HttpResponse | undefined
}

/**
 * Lets pages of these origins call, and no other. Nobody is let in by a cookie here, so credentials are never allowed: a page
 * sends the token that it has.
 */
export function crossOrigin(origins: readonly string[]): Cors {
  const allowed = new Set(origins)
  const headers = ({ headers: { origin } }: IncomingMessage): Record<string, string> => {
    // Whatever the origin: a cache must not hand one's answer to another.
    const vary = { vary: 'Origin' }
    if (origin === undefined || !allowed.has(origin)) return vary
    return {
      ...vary,
      'access-control-allow-origin': origin,
      'access-control-expose-headers': read.join(', '),
    }
  }
  return {
    headers,
    preflight(request) {
      const { origin, 'access-control-request-method': asked } = request.headers
      if (request.method !== 'OPTIONS' || origin === undefined || asked === undefined) return undefined
      if (!allowed.has(origin))
        return {
          status: 403,
          type: 'text/plain; charset=utf-8',
          body: 'Pages of this origin may not call here: CORS_ORIGINS names those that may.\n',
        }
      return {
        status: 204,
        type: 'text/plain; charset=utf-8',
        body: '',
        headers: {
          'access-control-allow-methods': 'GET, POST',
          'access-control-allow-headers': sent.join(', '),
          'access-control-max-age': String(rememberedSeconds),
        },
      }
    },
  }
}
