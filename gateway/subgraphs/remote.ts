import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway'
import { Pool, type Dispatcher } from 'undici'
import type { Clock } from '../../kernel/clock'
import { systemClock } from '../../kernel/clock'
import type { RequestContext } from '../../kernel/context'
import type { Logger } from '../../kernel/process/log'
import type { SubgraphName } from '../../kernel/schema/subgraph-names'
import { signViewer, viewerHeader } from '../../kernel/access/viewer-token'
import type { GatewayContext, SubgraphAnswer, SubgraphDataSource } from '../context'
import { withExactNumbers } from '../../kernel/exact-json'
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
  const path = `${url.pathname}${url.search}`
  const pool = new Pool(url.origin, {
    connections,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: maxResponseBytes,
  })

  /** Ends with an error as soon as `stop` is called, also while it waits for a connection. */
  function post(body: string, asker: Asker): { answer: Promise<SubgraphAnswer>; stop: (why: Error) => void } {
    let stop!: (why: Error) => void
    const answer = new Promise<SubgraphAnswer>((resolve, reject) => {
      let controller: Dispatcher.DispatchController | undefined
      let stopped: Error | undefined
      stop = (why) => {
        stopped = why
        controller?.abort(why)
        reject(why)
      }
      let status = 0
      const chunks: Buffer[] = []
      // Not `request`: its streams and signals are a third of what a call costs.
      pool.dispatch(
        {
          path,
          method: 'POST',
          body,
          headers: {
            'content-type': 'application/json',
            accept: 'application/json',
            'x-request-id': asker.request.requestId,
            ...headers(body, asker),
          },
        },
        {
          onRequestStart: (started) => {
            controller = started
            if (stopped) started.abort(stopped)
          },
          onResponseStart: (_controller, code) => void (status = code),
          onResponseData: (_controller, chunk) => void chunks.push(chunk),
          onResponseEnd: () => {
            try {
              const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
              resolve(answerFrom(whole.toString(), status))
            } catch (error) {
              reject(error as Error)
            }
          },
          onResponseError: (_controller, error) => reject(error),
        },
      )
    })
    return { answer, stop }
  }

  /** @throws what {@link cancelled} makes, when the client left */
  async function answerWithin(ms: number, body: string, asker: Asker, signal: AbortSignal | undefined) {
    if (signal?.aborted) throw cancelled()
    const { answer, stop } = post(body, asker)
    const timer = setTimeout(() => stop(new Error(`No answer in ${ms} ms`)), ms)
    const leave = () => stop(cancelled())
    signal?.addEventListener('abort', leave)
    try {
      return await answer
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', leave)
    }
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
      try {
        return await answerWithin(timeoutMs, body, asker, request.signal)
      } catch (error) {
        if (request.signal?.aborted) throw cancelled()
        log.error(
          { subgraph: name, requestId: request.requestId, error: causeOf(error) },
          'subgraph does not answer',
        )
        return noAnswer(name, call)
      }
    },
    async ping() {
      const request = { requestId: `ping-${name}`, viewer: null, clientIp: null, userAgent: null }
      await answerWithin(2000, '{"query":"{__typename}"}', { request, headers: new Map() }, undefined)
    },
    close: () => pool.close(),
  }
}

/** @throws Error when the text is not a GraphQL answer, as from a proxy's error page */
function answerFrom(text: string, status: number): SubgraphAnswer {
  let answer: unknown
  try {
    // Some servers begin with a byte order mark.
    answer = JSON.parse(withExactNumbers(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text))
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
