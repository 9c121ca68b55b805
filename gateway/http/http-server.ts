import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Clock } from '../../kernel/clock'
import type { RequestContext, Viewer } from '../../kernel/context'
import { ApiError } from '../../kernel/errors'
import { withoutRedaction, type Logger } from '../../kernel/process/log'
import { json, notFound, type HttpResponse } from './http-response'
import type { OperationPipeline } from '../operations/operation-pipeline'
import type { GatewayContext, RequestRecord } from '../context'
import type { Explorer } from './explorer'
import type { Metrics } from './metrics'
import { readiness, type Checks } from './readiness'
import {
  defaultConnections,
  defaultTimes,
  endAfterRequest,
  isUnread,
  limitConnections,
  type ConnectionLimits,
  type RequestTimes,
} from './connections'
import {
  clientIpOf,
  readJson,
  refuseCrossSite,
  refuseInexactVariables,
  requestIdOf,
  RequestRefused,
  saysTooLarge,
} from './http-request'
import { httpOf } from '../operations/cached-execution'
import type { Rates } from '../operations/rates'
import type { ViewerResolver } from '../operations/viewer'

export interface HttpOptions {
  front: Pick<OperationPipeline, 'answer'>
  resolveViewer: ViewerResolver
  checks: Checks
  clock: Clock
  log: Logger
  metrics: Metrics
  maxBodyBytes: number
  trustProxy: boolean
  rates: Rates
  /** Tells whether callers can be signed in; where nobody can, nobody is treated as less than others. */
  callersSignIn: boolean
  connections?: Partial<ConnectionLimits>
  times?: Partial<RequestTimes>
  /** Holds what a browser gets at `GET /graphql` without a query; without it a line of text says what is here. */
  explorer?: Explorer
  /** Makes an error safe to leave. */
  formatError: (error: unknown, record: RequestRecord) => object
}

/** Bytes of a body without credentials: several times the largest document that an anonymous caller may send. */
const anonymousBodyBytes = 64 * 1024

/** Holds what nginx made the usual status of a client that left before its answer. */
const clientGone = 499

/** The HTTP front: `/graphql`, `/healthz` (alive), `/readyz` (everything it needs answers) and `/metrics`. */
export function createHttpServer(options: HttpOptions): Server {
  const { metrics, log } = options
  const ready = readiness(options.checks, log, options.clock)
  // Ids, a name from a validated document and codes of a closed list: nothing in it can be a secret.
  const requestLog = withoutRedaction(log)
  const times = { ...defaultTimes, ...options.times }
  const server = createServer({
    headersTimeout: times.headersMs,
    requestTimeout: times.requestMs,
    connectionsCheckingInterval: times.checkMs,
  })
  const limits = { ...defaultConnections, ...options.connections }
  limitConnections(server, options.trustProxy ? { ...limits, perAddress: Infinity } : limits)
  server.on('request', handle)
  // A client that asks before it sends its body is told to spare itself one that is too large.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (!saysTooLarge(request, options.maxBodyBytes)) response.writeContinue()
    server.emit('request', request, response)
  })

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const record: RequestRecord = {
      requestId: requestIdOf(request),
      log,
      operationName: null,
      tenantId: null,
      userId: null,
      anonymous: options.callersSignIn,
      address: clientIpOf(request, options.trustProxy),
      codes: new Set(),
      clientGone: false,
    }
    if (pathOf(request) === '/graphql') void graphql(request, response, record)
    else void route(request, response, record).catch((error) => failed(request, response, record, error))
  }

  function failed(
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
    error: unknown,
  ): void {
    // Nobody reads the answer of a client that left in the middle of its request, and that is no fault of ours.
    if (!request.complete || response.headersSent) return void response.destroy()
    send(response, record, json(500, { errors: [options.formatError(error, record)] }))
  }

  async function route(
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
  ): Promise<void> {
    const path = pathOf(request)
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, record, notFound)
    if (path === '/healthz') return send(response, record, json(200, { status: 'alive' }))
    if (path === '/readyz') {
      const state = server.listening ? await ready() : { ready: false, checks: {} }
      return send(response, record, json(state.ready ? 200 : 503, state))
    }
    if (path === '/metrics') {
      const body = await metrics.registry.metrics()
      return send(response, record, { status: 200, type: metrics.registry.contentType, body })
    }
    return send(response, record, options.explorer?.asset(path) ?? notFound)
  }

  /** Answers, and leaves the line in the log and the measurements once there is an answer and the response is over. */
  async function graphql(
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
  ): Promise<void> {
    const started = performance.now()
    let answering = true
    metrics.inFlight.inc()
    const ended = () => {
      const ms = performance.now() - started
      const status = response.writableFinished ? response.statusCode : clientGone
      metrics.inFlight.dec()
      metrics.requests.observe({ status: String(status) }, ms / 1000)
      const { requestId, operationName, tenantId, userId, codes } = record
      requestLog.info(
        { requestId, operationName, status, ms: Math.round(ms), tenantId, userId, errors: [...codes] },
        'request',
      )
    }
    const gone = new Departure()
    response.once('close', () => {
      if (!response.writableFinished) {
        record.clientGone = true
        gone.abort()
      }
      if (!answering) ended()
    })
    try {
      send(response, record, await answered(request, record, gone))
    } catch (error) {
      failed(request, response, record, error)
    }
    answering = false
    if (response.closed) ended()
  }

  async function answered(
    request: IncomingMessage,
    record: RequestRecord,
    gone: Departure,
  ): Promise<HttpResponse> {
    const { method = 'GET', headers } = request
    const search = searchOf(request)
    if (method === 'GET') {
      const parameters = new URLSearchParams(search)
      if (!['query', 'extensions', 'documentId'].some((name) => parameters.has(name))) {
        return options.explorer && headers.accept?.includes('text/html')
          ? options.explorer.page()
          : { status: 404, type: 'text/plain; charset=utf-8', body: 'GraphQL answers POST /graphql here.\n' }
      }
    }
    let body: unknown
    const withoutCredentials = record.anonymous && headers.authorization === undefined
    try {
      if (withoutCredentials) options.rates.anonymous(record.address, 1)
      if (method === 'GET') {
        refuseCrossSite(request)
        refuseInexactVariables(new URLSearchParams(search).get('variables'))
      }
      const most = withoutCredentials
        ? Math.min(anonymousBodyBytes, options.maxBodyBytes)
        : options.maxBodyBytes
      if (method === 'POST') body = await readJson(request, most)
    } catch (error) {
      return refused(error, record)
    }
    return options.front.answer({ method, headers, search, body }, record, () =>
      contextOf(request, record, gone),
    )
  }

  /** Names who asks. Credentials that are no good are counted as what they are: nobody's. */
  async function viewerOf({ headers }: IncomingMessage, record: RequestRecord): Promise<Viewer | null> {
    let viewer: Viewer | null = null
    try {
      viewer = await options.resolveViewer(
        { get: (name) => headers[name] as string | undefined },
        record.requestId,
      )
      return viewer
    } finally {
      if (viewer === null && options.callersSignIn && headers.authorization !== undefined)
        options.rates.anonymous(record.address, 1)
    }
  }

  async function contextOf(
    request: IncomingMessage,
    record: RequestRecord,
    gone: Departure,
  ): Promise<GatewayContext> {
    const { headers } = request
    const viewer = await viewerOf(request, record)
    record.anonymous = options.callersSignIn && viewer === null
    record.tenantId = viewer?.tenantId ?? null
    record.userId = viewer?.userId ?? null
    const context = new HttpRequestContext(
      record.requestId,
      viewer,
      record.address,
      headers['user-agent']?.slice(0, 500) ?? null,
      options.clock,
      log,
      gone,
    )
    return { request: context, record }
  }

  function refused(error: unknown, record: RequestRecord): HttpResponse {
    if (error instanceof RequestRefused)
      return json(error.status, {
        errors: [options.formatError(new ApiError('BAD_USER_INPUT', error.message), record)],
      })
    const { status, headers } = httpOf(error) ?? {}
    if (status === undefined) throw error
    return {
      ...json(status, { errors: [options.formatError(error, record)] }),
      headers: Object.fromEntries(headers ?? []),
    }
  }

  function send(response: ServerResponse, record: RequestRecord, answer: HttpResponse): void {
    if (response.destroyed) return
    const leftUnread = isUnread(response.req)
    response.writeHead(answer.status, {
      'content-type': answer.type,
      'content-length': Buffer.byteLength(answer.body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': record.requestId,
      // On the way down a kept connection would bring new requests.
      // What is left of a body is not read, so nothing else can come over this connection.
      ...((!server.listening || leftUnread) && { connection: 'close' }),
      ...answer.headers,
    })
    if (leftUnread) {
      response.write(answer.body)
      endAfterRequest(response.req, response)
    } else response.end(response.req.method === 'HEAD' ? undefined : answer.body)
  }

  return server
}

/**
 * Tells whether a client has left. The signal costs more than many answers, so it is made when somebody asks for it.
 */
class Departure {
  #controller: AbortController | undefined
  #gone = false

  abort(): void {
    this.#gone = true
    this.#controller?.abort()
  }

  signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#gone) this.#controller.abort()
    return this.#controller.signal
  }
}

/** A class, because V8 makes each object with a getter of its own anew. */
class HttpRequestContext implements RequestContext {
  constructor(
    readonly requestId: string,
    readonly viewer: Viewer | null,
    readonly clientIp: string | null,
    readonly userAgent: string | null,
    readonly clock: Clock,
    readonly log: Logger,
    private readonly departure: Departure,
  ) {}

  get signal(): AbortSignal {
    return this.departure.signal()
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

/** The query of the URL, with its question mark; empty when there is none. */
function searchOf({ url = '/' }: IncomingMessage): string {
  const at = url.indexOf('?')
  return at < 0 || at === url.length - 1 ? '' : url.slice(at)
}
