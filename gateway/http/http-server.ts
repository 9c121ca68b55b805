import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { withoutRedaction, type Logger } from '../../kernel/process/log'
import type { RequestRecord } from '../context'
import { crossOrigin, type Cors } from './cors'
import {
  defaultConnections,
  defaultTimes,
  endAfterRequest,
  isUnread,
  limitConnections,
  sendAsTaken,
  type ConnectionLimits,
  type RequestTimes,
} from './connections'
import { GraphqlEndpoint, type EndpointOptions } from './graphql-endpoint'
import { clientIpOf, requestIdOf, saysTooLarge } from './http-request'
import { json, notFound, type HttpResponse } from './http-response'
import { isLocalRequest } from './local-request'
import type { Metrics } from './metrics'
import { readiness, type Checks } from './readiness'
import { Departure } from './request-context'
import { streamFormOf } from '../live/stream-writers'
import type { LiveRequests, OpenedStream } from '../live/live-requests'

export interface HttpOptions extends EndpointOptions {
  checks: Checks
  metrics: Metrics
  trustProxy: boolean
  connections?: Partial<ConnectionLimits>
  times?: Partial<RequestTimes>
  /** Origins whose pages may call. */
  corsOrigins?: readonly string[]
  /** Answers those who ask for a stream; without it nothing is streamed. */
  streams?: Pick<LiveRequests, 'answer'>
}

/** The HTTP front: `/graphql`, `/healthz` (alive), `/readyz` (everything it needs answers) and `/metrics`. */
export function createHttpServer(options: HttpOptions): Server {
  const times = { ...defaultTimes, ...options.times }
  const server = createServer({
    headersTimeout: times.headersMs,
    requestTimeout: times.requestMs,
    connectionsCheckingInterval: times.checkMs,
  })
  const limits = { ...defaultConnections, ...options.connections }
  limitConnections(server, options.trustProxy ? { ...limits, perAddress: Infinity } : limits)
  const requests = new Requests(server, options)
  server.on('request', (request, response) => requests.handle(request, response))
  // A client that asks before it sends its body is told to spare itself one that is too large.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (!saysTooLarge(request, options.maxBodyBytes)) response.writeContinue()
    server.emit('request', request, response)
  })
  return server
}

/** Holds what nginx made the usual status of a client that left before its answer. */
const clientGone = 499

/** The requests of one server, from the first line to the line in the log. */
class Requests {
  readonly #server: Server
  readonly #options: HttpOptions
  readonly #endpoint: GraphqlEndpoint
  readonly #ready: ReturnType<typeof readiness>
  /** Null where no page of another origin may call: such a page is told nothing. */
  readonly #cors: Cors | null
  /** Writes ids, a name from a validated document and codes of a closed list: nothing in it can be a secret. */
  readonly #log: Logger

  constructor(server: Server, options: HttpOptions) {
    this.#server = server
    this.#options = options
    this.#endpoint = new GraphqlEndpoint(options)
    this.#ready = readiness(options.checks, options.log, options.clock)
    const { corsOrigins = [] } = options
    this.#cors = corsOrigins.length > 0 ? crossOrigin(corsOrigins) : null
    this.#log = withoutRedaction(options.log)
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { log, callersSignIn, trustProxy } = this.#options
    const record: RequestRecord = {
      requestId: requestIdOf(request),
      log,
      operationName: null,
      tenantId: null,
      userId: null,
      anonymous: callersSignIn,
      address: clientIpOf(request, trustProxy),
      cost: 0,
      codes: new Set(),
      clientGone: false,
    }
    const path = pathOf(request)
    if (path === '/graphql') void this.#graphql(request, response, record)
    else
      void this.#route(request, path)
        .then((answer) => this.#send(response, record, answer))
        .catch((error) => this.#failed(request, response, record, error))
  }

  async #route(request: IncomingMessage, path: string): Promise<HttpResponse> {
    const { method, headers } = request
    const { metrics, pages } = this.#options
    if (method !== 'GET' && method !== 'HEAD') return notFound
    if (path === '/healthz') return json(200, { status: 'alive' })
    if (path === '/readyz') {
      const state = this.#server.listening ? await this.#ready() : { ready: false, checks: {} }
      return json(state.ready ? 200 : 503, state)
    }
    if (path === '/metrics') {
      const body = await metrics.registry.metrics()
      return { status: 200, type: metrics.registry.contentType, body }
    }
    const page = headers.accept?.includes('text/html') ? pages?.at(path, isLocalRequest(request)) : undefined
    return page ?? pages?.asset(path) ?? notFound
  }

  /** Answers, and leaves the line in the log and the measurements once there is an answer and the response is over. */
  async #graphql(request: IncomingMessage, response: ServerResponse, record: RequestRecord): Promise<void> {
    const started = performance.now()
    let answering = true
    this.#options.metrics.inFlight.inc()
    const gone = new Departure()
    response.once('close', () => {
      if (!response.writableFinished) {
        record.clientGone = true
        gone.abort()
      }
      if (!answering) this.#ended(response, record, started)
    })
    try {
      const { streams } = this.#options
      const takesStreams = streams !== undefined && streamFormOf(request.headers.accept) !== null
      const answer =
        this.#cors?.preflight(request) ??
        (await (takesStreams
          ? streams.answer(request, response, record, gone)
          : this.#endpoint.answer(request, record, gone)))
      if ('run' in answer) return await this.#stream(answer, request, response, record, started)
      this.#send(response, record, answer)
    } catch (error) {
      this.#failed(request, response, record, error)
    }
    answering = false
    if (response.closed) this.#ended(response, record, started)
  }

  /** Sends a stream, and leaves lines in the log when it begins and when it is over: it is no request that lasted long. */
  async #stream(
    stream: OpenedStream,
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
    started: number,
  ): Promise<void> {
    const { requestId, operationName, tenantId, userId, codes } = record
    this.#options.metrics.inFlight.dec()
    this.#log.info({ requestId, operationName, tenantId, userId }, 'stream opened')
    try {
      await stream.run(this.#cors?.headers(request) ?? {})
    } catch (error) {
      this.#failed(request, response, record, error)
    }
    const ms = Math.round(performance.now() - started)
    const { statusCode: status } = response
    this.#log.info({ requestId, operationName, status, ms, tenantId, userId, errors: [...codes] }, 'stream')
  }

  #ended(response: ServerResponse, record: RequestRecord, started: number): void {
    const { metrics } = this.#options
    const ms = performance.now() - started
    const status = response.writableFinished ? response.statusCode : clientGone
    metrics.inFlight.dec()
    metrics.requests.observe({ status: String(status) }, ms / 1000)
    const { requestId, operationName, tenantId, userId, codes } = record
    this.#log.info(
      { requestId, operationName, status, ms: Math.round(ms), tenantId, userId, errors: [...codes] },
      'request',
    )
  }

  #failed(request: IncomingMessage, response: ServerResponse, record: RequestRecord, error: unknown): void {
    // Nobody reads the answer of a client that left in the middle of its request, and that is no fault of ours.
    if (!request.complete || response.headersSent) return void response.destroy()
    this.#send(response, record, json(500, { errors: [this.#options.formatError(error, record)] }))
  }

  #send(response: ServerResponse, record: RequestRecord, answer: HttpResponse): void {
    const { stream } = answer
    if (response.destroyed) return stream?.end()
    const leftUnread = isUnread(response.req)
    response.writeHead(answer.status, {
      'content-type': answer.type,
      ...(!stream && { 'content-length': Buffer.byteLength(answer.body) }),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': record.requestId,
      // On the way down a kept connection would bring new requests.
      // What is left of a body is not read, so nothing else can come over this connection.
      ...((!this.#server.listening || leftUnread) && { connection: 'close' }),
      ...(this.#cors && pathOf(response.req) === '/graphql' && this.#cors.headers(response.req)),
      ...answer.headers,
    })
    if (stream) void this.#sendChunks(response, record, stream)
    else if (leftUnread) {
      response.write(answer.body)
      endAfterRequest(response.req, response)
    } else response.end(response.req.method === 'HEAD' ? undefined : answer.body)
  }

  /** Sends what comes, as fast as the client takes it. A fault on the way breaks the connection off: nothing looks whole that is not. */
  async #sendChunks(
    response: ServerResponse,
    { requestId }: RequestRecord,
    { chunks, end, longestMs = Infinity }: NonNullable<HttpResponse['stream']>,
  ): Promise<void> {
    const life = Number.isFinite(longestMs) && setTimeout(() => response.destroy(), longestMs)
    try {
      await sendAsTaken(response, chunks, this.#options.times?.readerMs ?? defaultTimes.readerMs)
    } catch (error) {
      if (!response.destroyed) this.#options.log.warn({ requestId, err: error }, 'an answer broke off')
      response.destroy()
    } finally {
      if (life) clearTimeout(life)
      end()
    }
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}
