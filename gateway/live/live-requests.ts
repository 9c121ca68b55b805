import { randomBytes, randomInt } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  getOperationAST,
  type GraphQLError,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql'
import type { Viewer } from '../../kernel/context'
import { badUserInput, forbidden } from '../../kernel/errors'
import type { GatewayContext, RequestRecord } from '../context'
import { refusedForNow } from '../errors'
import type { Executor } from '../execution/query-plan'
import { GraphqlEndpoint, headersOf, type EndpointOptions } from '../http/graphql-endpoint'
import { json, type HttpResponse } from '../http/http-response'
import type { Metrics } from '../http/metrics'
import { Departure, HttpRequestContext } from '../http/request-context'
import type { Asking } from '../operations/asking'
import { httpOf } from '../operations/cached-execution'
import type { CostModel } from '../operations/cost-model'
import type { DocumentCheck } from '../operations/document-check'
import { limitsOf, type Limits } from '../operations/limits'
import { withinRates } from '../operations/operation-checks'
import type { FrontRequest } from '../operations/operation-pipeline'
import type { UsageRecorder } from '../operations/usage'
import { ChangeFeeds, type ChangeSource } from './change-feeds'
import { askForRow, assertMayAsk, isEnd, presentViewer, refusalOf, type RowAsker } from './changed-rows'
import { liveOperation } from './live-operation'
import { LiveStream, type StreamTiming } from './live-stream'
import { defaultStreamLimits, OpenStreams, type StreamLimits } from './open-streams'
import { sealedCursors } from './sealed-cursors'
import { RowGate, type RowGateLimits } from './row-gate'
import type { RootScopes } from './root-scopes'
import { isSubscription, sentIn, type Sent } from './sent-operation'
import { prefersEvents, streamFormOf, streamForms, type StreamForm } from './stream-writers'

export interface LiveOptions {
  source: ChangeSource
  /** Seals cursors; known to the gateways alone. Null: cursors are good for this process only. */
  secret: string | null
  limits?: Partial<StreamLimits>
  timing?: Partial<StreamTiming>
  /** Takes the place of what asks for a changed row: the proof of isolation takes a wall away with it. */
  ask?: typeof askForRow
  /** Rows whose changes may wait for one reader. Default 1,000. */
  mostWaiting?: number
  /** Limits of how many rows are asked for at once. */
  gate?: RowGateLimits
}

export interface LiveParts extends EndpointOptions {
  live: LiveOptions
  /** Puts the text in place of a document's id. */
  withDocuments: (front: EndpointOptions['front']) => EndpointOptions['front']
  /** Answers what is no subscription. */
  ordinary: EndpointOptions['front']
  scopes: () => RootScopes
  execute: Executor
  check: DocumentCheck
  schema: () => GraphQLSchema
  costs: () => CostModel
  limits: Limits
  usage: Pick<UsageRecorder, 'executing'> | undefined
  metrics: Metrics
}

const defaultTiming: StreamTiming = {
  lifeMs: 15 * 60_000,
  beatMs: 15_000,
  stalledMs: 60_000,
  spreadMs: 5000,
  retryMs: 5000,
}
/** Cost of reading a page of what a client missed. */
const pageCost = 100
const statuses: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  PASSWORD_CHANGE_REQUIRED: 403,
  SECOND_FACTOR_REQUIRED: 403,
  STEP_UP_REQUIRED: 403,
  SUBGRAPH_UNAVAILABLE: 503,
}

/** A subscription that passed the checks of any operation. */
interface Checked {
  document: DocumentNode
  operation: OperationDefinitionNode
  cost: number
}

/** A stream that is opened and not sent yet. */
export interface OpenedStream {
  /** Sends it, with these headers besides its own, and resolves at its end. To be called once. */
  run(headers: Readonly<Record<string, string>>): Promise<void>
}

/** Answers requests for streams, before Apollo Server, with the checks that every operation passes. */
export class LiveRequests {
  readonly #parts: LiveParts
  readonly #feeds: ChangeFeeds
  readonly #open: OpenStreams
  readonly #cursors: ReturnType<typeof sealedCursors>
  readonly #timing: StreamTiming
  readonly #gate: RowGate
  /** Streams that are open or are being opened. */
  readonly #streams = new Set<LiveStream>()
  #isClosed = false

  constructor(parts: LiveParts) {
    const { live, log } = parts
    this.#parts = parts
    this.#feeds = new ChangeFeeds(live.source, log)
    this.#open = new OpenStreams({ ...defaultStreamLimits, ...live.limits })
    this.#cursors = sealedCursors(live.secret ?? randomBytes(32).toString('hex'))
    this.#gate = new RowGate(live.gate)
    this.#timing = { ...defaultTiming, ...live.timing }
  }

  /**
   * Ends all connections: what their clients asked for may be another thing by now. They come again, and not all at once.
   * @param spreadMs milliseconds over which they end
   */
  restart(reason: string, spreadMs = this.#timing.spreadMs): void {
    for (const stream of this.#streams) {
      const end = () => stream.reconnect(reason)
      if (spreadMs === 0) end()
      else setTimeout(end, randomInt(spreadMs)).unref()
    }
  }

  /** Takes no more and ends all connections, whose clients come again to another process. */
  close(): void {
    this.#isClosed = true
    this.restart('the server stops: come again', 0)
  }

  /**
   * Answers a request whose client takes streams: a subscription with one, anything else as ever.
   * @throws what is a fault of ours
   */
  async answer(
    incoming: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
    gone: Departure,
  ): Promise<HttpResponse | OpenedStream> {
    const { withDocuments, limits } = this.#parts
    const { accept } = incoming.headers
    const form = streamFormOf(accept)!
    let opened: OpenedStream | undefined
    const front: EndpointOptions['front'] = {
      answer: async (request, _record, context) => {
        const sent = sentIn(request)
        if (!sent || !isSubscription(sent, limits.maxTokens)) {
          if (prefersEvents(accept)) return this.#inOne(request, record, context)
          return this.#parts.ordinary.answer(request, record, context)
        }
        try {
          opened = await this.#opened(sent, { incoming, response, record, form, gone, context })
          return nothing
        } catch (error) {
          return this.#refused(error, record)
        }
      },
    }
    const endpoint = new GraphqlEndpoint({ ...this.#parts, front: withDocuments(front) })
    const answer = await endpoint.answer(incoming, record, gone)
    return opened ?? answer
  }

  /**
   * Opens a stream.
   * @throws GraphQLError when it is refused
   */
  async #opened(sent: Sent, opening: Opening): Promise<OpenedStream> {
    const { live, schema, usage } = this.#parts
    const { incoming } = opening
    const { viewer, operator } = (await opening.context()).request
    if (operator) throw forbidden('Streams are for the members of a tenant: ask by requests')
    const refusal = refusalOf(viewer)
    if (refusal) throw refusal
    const checked = this.#checked(sent, opening.record)
    const { document, operation } = checked
    const stated = liveOperation(schema(), document, operation, sent.variables)
    const { tenantId } = viewer!
    const asker = this.#asker(opening, checked, stated, sent.variables, viewer!)
    if (this.#isClosed) throw refusedForNow('OVERLOADED', 1)
    const leave = this.#open.enter(viewer!)
    const stream = this.#streamOf(opening, asker, live.ask ?? askForRow)
    // From here on it ends with the others, although nothing of it was sent.
    this.#streams.add(stream)
    let unfollow: (() => void) | undefined
    const end = () => {
      this.#streams.delete(stream)
      unfollow?.()
      leave()
    }
    try {
      await assertMayAsk(asker, viewer!)
      const after = this.#placeOf(tenantId, stated.after, headersOf(incoming).get('last-event-id'))
      const charge = () => this.#parts.rates.streams(tenantId, pageCost)
      unfollow = await this.#feeds.follow(tenantId, after, stream, charge)
      if (stream.isEnded) throw refusedForNow('OVERLOADED', 1)
      const { get: header } = headersOf(incoming)
      usage?.executing({ document, operation, variables: sent.variables, tenantId, anonymous: false, header })
    } catch (error) {
      end()
      throw error
    }
    return { run: (headers) => this.#run(stream, opening, headers).finally(end) }
  }

  async #run(
    stream: LiveStream,
    { response, record, form }: Opening,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    const { metrics } = this.#parts
    // What ended it meanwhile has to be said by a whole answer; the client comes again.
    if (stream.isEnded || response.destroyed) return void response.destroy()
    metrics.streams.inc()
    try {
      response.writeHead(200, {
        ...headers,
        'content-type': streamForms[form].type,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-request-id': record.requestId,
        // Proxies that collect answers before they pass them on leave this one alone.
        'x-accel-buffering': 'no',
      })
      await stream.run()
    } finally {
      metrics.streams.dec()
    }
  }

  /**
   * The position that a client has seen; null when it begins. A browser comes again with its document as it was and the header as
   * it is by then, so the later of both counts. What cannot be read is a place that nobody knows, and so too late.
   */
  #placeOf(tenantId: string, ...cursors: readonly (string | null | undefined)[]): number | null {
    const given = cursors.filter((cursor) => cursor != null && cursor !== '')
    if (given.length === 0) return null
    return Math.max(...given.map((cursor) => this.#cursors.open(tenantId, cursor!) ?? -1))
  }

  #streamOf({ response, form }: Opening, asker: RowAsker, ask: typeof askForRow): LiveStream {
    const { live, metrics } = this.#parts
    const { operation, tenantId, formatError } = asker
    return new LiveStream({
      operation,
      response,
      writer: streamForms[form].writer(response),
      ask: (event, cursor) => ask(asker, event, cursor),
      assertAllowed: async () => {
        try {
          await presentViewer(asker)
        } catch (error) {
          if (isEnd(error)) throw error
        }
      },
      mayFollow: (type) => asker.mayAsk(operation.queryFor(type)!.field, asker.viewer.scopes),
      rights: () => asker.viewer.permissionVersion,
      cursorOf: (position) => this.#cursors.seal(tenantId, position),
      formatError,
      count: (what) =>
        what === 'RETRY' ? metrics.streamRetries.inc() : metrics.streamMessages.inc({ kind: what }),
      timing: this.#timing,
      mostWaiting: live.mostWaiting ?? 1000,
    })
  }

  /** The operation, as the checks of any other leave it. @throws GraphQLError when they refuse it */
  #checked({ query, operationName, variables }: Sent, record: RequestRecord): Checked {
    const { check, schema, costs, limits, rates } = this.#parts
    const checked = check(schema(), query, 'signedIn')
    if ('errors' in checked) throw new Refusals(checked.errors)
    const { document } = checked
    const operation = getOperationAST(document, operationName)
    if (operation?.operation !== 'subscription') throw badUserInput('operationName names no subscription')
    record.operationName = operation.name?.value ?? null
    const cost = limitsOf(schema(), costs(), document, operation, limits)(variables)
    withinRates(rates, record, cost)
    return { document, operation, cost }
  }

  #asker(
    { incoming, record, gone }: Opening,
    { cost }: Checked,
    operation: RowAsker['operation'],
    variables: RowAsker['variables'],
    viewer: Viewer,
  ): RowAsker {
    const { execute, rates, resolveViewer, scopes, formatError, clock, log } = this.#parts
    const { requestId, address } = record
    const userAgent = incoming.headers['user-agent']?.slice(0, 500) ?? null
    return {
      operation,
      tenantId: viewer.tenantId,
      viewer,
      mayAsk: (field, held) => scopes()(field, held),
      gate: this.#gate,
      isOver: () => record.clientGone,
      answered: new Set(),
      variables,
      cost,
      execute,
      rates,
      // It is one stream, however often it is asked who reads it.
      resolveViewer: () => (resolveViewer.again ?? resolveViewer)(headersOf(incoming), requestId, address),
      contextOf: (asking: Asking, isFollowUp: boolean) => {
        const present = asking.tenantId ? asking : null
        const of = [requestId, present, null, address, userAgent, clock, log, gone] as const
        return { request: new HttpRequestContext(...of, isFollowUp), record }
      },
      formatError: (error) => formatError(error, record),
    }
  }

  /** Answers what is no subscription in the form of a stream with one message. */
  async #inOne(
    request: FrontRequest,
    record: RequestRecord,
    context: () => Promise<GatewayContext>,
  ): Promise<HttpResponse> {
    const headers = { ...request.headers, accept: 'application/graphql-response+json' }
    const answer = await this.#parts.front.answer({ ...request, headers }, record, context)
    if (answer.status !== 200) return answer
    const body = `event: next\ndata: ${answer.body.trimEnd()}\n\nevent: complete\ndata:\n\n`
    return { ...answer, type: streamForms.sse.type, body }
  }

  #refused(error: unknown, record: RequestRecord): HttpResponse {
    const errors = error instanceof Refusals ? error.errors : [error]
    const shown = errors.map((one) => this.#parts.formatError(one, record))
    const { code } = (shown[0] as { extensions?: { code?: string } }).extensions ?? {}
    const { status, headers } = httpOf(errors[0]) ?? {}
    const isOurs = code === 'INTERNAL_SERVER_ERROR'
    return {
      ...json(status ?? statuses[String(code)] ?? (isOurs ? 500 : 400), { errors: shown }),
      headers: Object.fromEntries(headers ?? []),
    }
  }
}

/** Several reasons to refuse one request. */
class Refusals extends Error {
  constructor(readonly errors: readonly GraphQLError[]) {
    super('The operation is refused')
  }
}

/** All that a stream is opened with. */
interface Opening {
  incoming: IncomingMessage
  response: ServerResponse
  record: RequestRecord
  form: StreamForm
  gone: Departure
  context: () => Promise<GatewayContext>
}

/** Stands where a stream is the answer. */
const nothing: HttpResponse = { status: 200, type: '', body: '' }
