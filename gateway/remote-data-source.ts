import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway'
import { Pool } from 'undici'
import type { Clock } from '../subgraphs/shared/clock'
import { systemClock } from '../subgraphs/shared/clock'
import type { RequestContext } from '../subgraphs/shared/context'
import type { Logger } from '../subgraphs/shared/log'
import type { SubgraphName } from '../subgraphs/shared/names'
import { signViewer, viewerHeader } from '../subgraphs/shared/viewer-token'
import type { GatewayContext, SubgraphAnswer, SubgraphDataSource } from './context'
import { cancelled, noAnswer } from './unavailable'

/** Who asks a subgraph, and with which headers the client came (names in lower case). */
export interface Asker {
  request: Pick<RequestContext, 'requestId' | 'viewer' | 'clientIp' | 'userAgent'>
  headers: { get(name: string): string | null | undefined }
}

/** The headers a subgraph request carries besides content type and request id. */
export type SubgraphHeaders = (body: string, asker: Asker) => Record<string, string>

export interface RemoteOptions {
  name: string
  url: string
  headers: SubgraphHeaders
  log: Logger
  /** Milliseconds for a whole answer. Default 30,000. */
  timeoutMs?: number
  /** Connections to this subgraph. Default 64. */
  connections?: number
}

/** A subgraph's answer is bounded as a page is; more than this is a fault, not data. */
const maxResponseBytes = 64 * 1024 * 1024

/** Signs the viewer for this subgraph and this body, the anonymous one too: our subgraphs answer nothing without it. */
export function signedHeaders(
  secret: string,
  audience: SubgraphName,
  clock: Clock = systemClock,
): SubgraphHeaders {
  return (body, { request }) => ({
    [viewerHeader]: signViewer(secret, audience, request.viewer, body, request, clock),
  })
}

/** Passes on the named headers of the client and nothing else: for subgraphs that are somebody else's. */
export function forwardedHeaders(names: readonly string[]): SubgraphHeaders {
  return (_body, { headers }) =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = headers.get(name.toLowerCase())
        return value ? [[name.toLowerCase(), value]] : []
      }),
    )
}

/**
 * A subgraph over HTTP, with connections kept alive. Whatever goes wrong between here and there becomes
 * SUBGRAPH_UNAVAILABLE in the answer; addresses and causes are for the log.
 */
export function remoteDataSource(options: RemoteOptions): SubgraphDataSource {
  const { name, headers, log, timeoutMs = 30_000, connections = 64 } = options
  const url = new URL(options.url)
  const pool = new Pool(url.origin, {
    connections,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: maxResponseBytes,
  })

  async function post(body: string, asker: Asker, signal: AbortSignal): Promise<SubgraphAnswer> {
    const answer = await pool.request({
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      body,
      signal,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'x-request-id': asker.request.requestId,
        ...headers(body, asker),
      },
    })
    const text = await answer.body.text()
    return answerFrom(text, answer.statusCode)
  }

  return {
    async process(call: GraphQLDataSourceProcessOptions<GatewayContext>): Promise<SubgraphAnswer> {
      if (!('incomingRequestContext' in call)) return {}
      const { request } = call.context
      const { query, variables, operationName } = call.request
      const body = JSON.stringify({ query, variables, operationName })
      const asker = {
        request,
        headers: call.incomingRequestContext.request.http?.headers ?? new Map<string, string>(),
      }
      // By hand, because AbortSignal.any over AbortSignal.timeout shows in the profile of a gateway.
      const ended = new AbortController()
      const timer = setTimeout(() => ended.abort(new Error(`No answer in ${timeoutMs} ms`)), timeoutMs)
      const leave = () => ended.abort(cancelled())
      if (request.signal?.aborted) leave()
      request.signal?.addEventListener('abort', leave)
      try {
        return await post(body, asker, ended.signal)
      } catch (error) {
        if (request.signal?.aborted) throw cancelled()
        log.error(
          { subgraph: name, requestId: request.requestId, error: causeOf(error) },
          'subgraph does not answer',
        )
        return noAnswer(name, call)
      } finally {
        clearTimeout(timer)
        request.signal?.removeEventListener('abort', leave)
      }
    },
    async ping() {
      const request = { requestId: `ping-${name}`, viewer: null, clientIp: null, userAgent: null }
      await post('{"query":"{__typename}"}', { request, headers: new Map() }, AbortSignal.timeout(2000))
    },
    close: () => pool.close(),
  }
}

/** @throws Error when the text is not a GraphQL answer, as from a proxy's error page */
function answerFrom(text: string, status: number): SubgraphAnswer {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    answer = null
  }
  const { data, errors } = (answer ?? {}) as SubgraphAnswer
  const isAnswer = status < 500 && status !== 401 && (data !== undefined || Array.isArray(errors))
  if (!isAnswer) throw new Error(`HTTP ${status} without a GraphQL answer`)
  return { data, errors }
}

function causeOf(error: unknown): { name: string; message: string; code?: unknown } {
  if (!(error instanceof Error)) return { name: 'unknown', message: String(error) }
  return { name: error.name, message: error.message, code: (error as NodeJS.ErrnoException).code }
}
