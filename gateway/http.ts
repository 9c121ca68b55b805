import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { HeaderMap, type ApolloServer } from '@apollo/server'
import type { Clock } from '../subgraphs/shared/clock'
import type { RequestContext } from '../subgraphs/shared/context'
import { ApiError } from '../subgraphs/shared/errors'
import { withoutRedaction, type Logger } from '../subgraphs/shared/log'
import { complete, json, notFound, type Answer } from './answer'
import { currentRecord, type GatewayContext, type RequestRecord } from './context'
import type { Explorer } from './explorer'
import type { Metrics } from './metrics'
import { ready, type Checks } from './ready'
import { clientIpOf, readJson, requestIdOf, RequestRefused } from './request'
import type { ViewerResolver } from './viewer'

export interface HttpOptions {
  apollo: ApolloServer<GatewayContext>
  resolveViewer: ViewerResolver
  checks: Checks
  clock: Clock
  log: Logger
  metrics: Metrics
  maxBodyBytes: number
  trustProxy: boolean
  /** What a browser gets at `GET /graphql` without a query; without it a line of text says what is here. */
  explorer?: Explorer
  /** Makes an error safe to leave; it knows the request by itself. */
  formatError: (error: unknown) => object
}

/** What a client may take to send a request: long enough for a bad line, too short to hold connections for nothing. */
const requestTimeoutMs = 30_000

/** What nginx made the usual status of a client that left before its answer. */
const clientGone = 499

/** The HTTP front: `/graphql`, `/healthz` (alive), `/readyz` (everything it needs answers) and `/metrics`. */
export function createHttpServer(options: HttpOptions): Server {
  const { metrics, log, checks } = options
  // Ids, a name from a validated document and codes of a closed list: nothing in it can be a secret.
  const requestLog = withoutRedaction(log)
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    const record: RequestRecord = {
      requestId: requestIdOf(request),
      log,
      operationName: null,
      tenantId: null,
      userId: null,
      codes: new Set(),
    }
    void currentRecord.run(record, () => route(request, response, record).catch(failed))

    function failed(error: unknown): Promise<void> | void {
      // Nobody reads the answer of a client that left in the middle of its request, and that is no fault of ours.
      if (!request.complete || response.headersSent) return void response.destroy()
      return send(response, record, json(500, { errors: [options.formatError(error)] }))
    }
  })

  async function route(
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
  ): Promise<void> {
    const path = request.url?.split('?', 1)[0]
    if (path === '/graphql') return graphql(request, response, record)
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, record, notFound)
    if (path === '/healthz') return send(response, record, json(200, { status: 'alive' }))
    if (path === '/readyz') {
      const state = server.listening ? await ready(checks, log) : { ready: false, checks: {} }
      return send(response, record, json(state.ready ? 200 : 503, state))
    }
    if (path === '/metrics') {
      const body = await metrics.registry.metrics()
      return send(response, record, { status: 200, type: metrics.registry.contentType, body })
    }
    return send(response, record, options.explorer?.asset(path ?? '') ?? notFound)
  }

  async function graphql(
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
  ): Promise<void> {
    const started = performance.now()
    metrics.inFlight.inc()
    try {
      await send(response, record, await answered(request, response, record))
    } finally {
      const ms = performance.now() - started
      const status = response.destroyed && !response.writableFinished ? clientGone : response.statusCode
      metrics.inFlight.dec()
      metrics.requests.observe({ status: String(status) }, ms / 1000)
      const { requestId, operationName, tenantId, userId } = record
      requestLog.info(
        {
          requestId,
          operationName,
          status,
          ms: Math.round(ms),
          tenantId,
          userId,
          errors: [...record.codes],
        },
        'request',
      )
    }
  }

  async function answered(
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
  ): Promise<Answer> {
    const { pathname, search, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const method = request.method ?? 'GET'
    if (
      method === 'GET' &&
      pathname === '/graphql' &&
      !searchParams.has('query') &&
      !searchParams.has('extensions')
    ) {
      return options.explorer && request.headers.accept?.includes('text/html')
        ? options.explorer.page()
        : { status: 404, type: 'text/plain; charset=utf-8', body: 'GraphQL answers POST /graphql here.\n' }
    }
    const headers = new HeaderMap()
    for (const [name, value] of Object.entries(request.headers)) {
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
    }
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort()
    })
    let body: unknown
    try {
      if (method === 'POST') body = await readJson(request, options.maxBodyBytes)
    } catch (error) {
      return refused(error)
    }
    const answer = await options.apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method, headers, search, body },
      context: async () => {
        const viewer = await options.resolveViewer(headers, record.requestId)
        record.tenantId = viewer?.tenantId ?? null
        record.userId = viewer?.userId ?? null
        const context: RequestContext = {
          requestId: record.requestId,
          viewer,
          clientIp: clientIpOf(request, options.trustProxy),
          userAgent: headers.get('user-agent')?.slice(0, 500) ?? null,
          clock: options.clock,
          log,
          signal: gone.signal,
        }
        return { request: context, record }
      },
    })
    return complete(answer)
  }

  function refused(error: unknown): Answer {
    if (!(error instanceof RequestRefused)) throw error
    return {
      ...json(error.status, { errors: [options.formatError(new ApiError('BAD_USER_INPUT', error.message))] }),
      // What is left of the body is not read, so nothing else can come over this connection.
      headers: { connection: 'close' },
    }
  }

  async function send(response: ServerResponse, record: RequestRecord, answer: Answer): Promise<void> {
    if (response.destroyed) return
    response.writeHead(answer.status, {
      'content-type': answer.type,
      'content-length': Buffer.byteLength(answer.body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': record.requestId,
      // On the way down a kept connection would bring new requests.
      ...(!server.listening && { connection: 'close' }),
      ...answer.headers,
    })
    await new Promise<void>((resolve) => {
      response.once('close', resolve)
      response.end(response.req.method === 'HEAD' ? undefined : answer.body, resolve)
    })
  }

  return server
}
