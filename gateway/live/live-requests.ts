import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  getOperationAST,
  type GraphQLError,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql'
import { forbidden } from '../../kernel/errors'
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
import { streamFormOf, streamForms, type StreamForm } from './stream-writers'

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
}

export interface LiveParts extends EndpointOptions {
  live: LiveOptions
  /** Puts the text in place of a document's id. */
  withDocuments: (front: EndpointOptions['front']) => EndpointOptions['front']
  execute: Executor
  check: DocumentCheck
  schema: () => GraphQLSchema
  costs: () => CostModel
  limits: Limits
  usage: Pick<UsageRecorder, 'executing'> | undefined
  metrics: Metrics
}

const defaultTiming: StreamTiming = { lifeMs: 15 * 60_000, beatMs: 15_000, stalledMs: 60_000 }
const statuses: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  PASSWORD_CHANGE_REQUIRED: 403,
  SECOND_FACTOR_REQUIRED: 403,
  STEP_UP_REQUIRED: 403,
  SUBGRAPH_UNAVAILABLE: 503,
}

/** An operation as it was sent. */
interface Sent {
  query: string
  operationName: string | undefined
  variables: Record<string, unknown>
}

/** A subscription that passed the checks of any operation. */
interface Checked {
  document: DocumentNode
  operation: OperationDefinitionNode
  cost: number
}

/** Answers requests for streams, before Apollo Server, with the checks that every operation passes. */
export class LiveRequests {
  readonly #parts: LiveParts
  readonly #feeds: ChangeFeeds
  readonly #open: OpenStreams
  readonly #cursors: ReturnType<typeof sealedCursors>
  readonly #timing: StreamTiming
  readonly #streams = new Set<LiveStream>()
  #isClosed = false

  constructor(parts: LiveParts) {
    const { live, log } = parts
    this.#parts = parts
    this.#feeds = new ChangeFeeds(live.source, log)
    this.#open = new OpenStreams({ ...defaultStreamLimits, ...live.limits })
    this.#cursors = sealedCursors(live.secret ?? randomBytes(32).toString('hex'))
    this.#timing = { ...defaultTiming, ...live.timing }
  }

  /** Ends all connections: what their clients asked for may be another thing by now. They come again. */
  restart(reason: string): void {
    for (const stream of this.#streams) stream.reconnect(reason)
  }

  /** Takes no more and ends all connections, whose clients come again to another process. */
  close(): void {
    this.#isClosed = true
    this.restart('the server stops: come again')
  }

  /**
   * Answers a request with a stream, and resolves when that has ended.
   * @returns what is to be answered in place of a stream; null after one
   * @throws what is a fault of ours
   */
  async answer(
    incoming: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
    gone: Departure,
  ): Promise<HttpResponse | null> {
    const form = streamFormOf(incoming.headers.accept)!
    let run: (() => Promise<void>) | undefined
    const front: EndpointOptions['front'] = {
      answer: async (request, _record, contextOf) => {
        let context: Promise<GatewayContext> | undefined
        const once = () => (context ??= contextOf())
        const sent = sentIn(request)
        try {
          if (sent && /\bsubscription\b/.test(sent.query))
            run = await this.#opened(sent, { incoming, response, record, form, gone, context: once })
        } catch (error) {
          return this.#refused(error, record)
        }
        return run ? nothing : this.#inOne(request, record, form, once)
      },
    }
    const { withDocuments } = this.#parts
    const endpoint = new GraphqlEndpoint({ ...this.#parts, front: withDocuments(front) })
    const answer = await endpoint.answer(incoming, record, gone)
    if (!run) return answer
    await run()
    return null
  }

  /**
   * Opens a stream.
   * @returns sends it, and resolves at its end; undefined for an operation that is no subscription
   * @throws GraphQLError when it is refused
   */
  async #opened(sent: Sent, opening: Opening): Promise<(() => Promise<void>) | undefined> {
    const { live, schema, usage, metrics } = this.#parts
    const { incoming, response, record, form } = opening
    const { request } = await opening.context()
    const { viewer } = request
    if (request.operator) throw forbidden('Streams are for the members of a tenant: ask by requests')
    const refusal = refusalOf(viewer)
    if (refusal) throw refusal
    const checked = this.#checked(sent, record)
    if (!checked) return undefined
    const { document, operation } = checked
    const stated = liveOperation(schema(), document, operation, sent.variables)
    const tenantId = viewer!.tenantId
    const asker = this.#asker(opening, checked, stated, sent.variables, tenantId)
    if (this.#isClosed) throw refusedForNow('OVERLOADED', 1)
    const leave = this.#open.enter(viewer!)
    const lastSeen = stated.after ?? headersOf(incoming).get('last-event-id')
    const stream = new LiveStream({
      operation: stated,
      response,
      writer: streamForms[form].writer(response),
      ask: (event, cursor) => (live.ask ?? askForRow)(asker, event, cursor),
      assertAllowed: async () => {
        try {
          await presentViewer(asker)
        } catch (error) {
          if (isEnd(error)) throw error
        }
      },
      cursorOf: (position) => this.#cursors.seal(tenantId, position),
      formatError: asker.formatError,
      timing: this.#timing,
      mostWaiting: live.mostWaiting ?? 1000,
    })
    let unfollow: (() => void) | undefined
    try {
      await assertMayAsk(asker, viewer!)
      // What cannot be read is a place that nobody knows, and so too late.
      const after = lastSeen ? (this.#cursors.open(tenantId, lastSeen) ?? -1) : null
      unfollow = await this.#feeds.follow(tenantId, after, stream)
    } catch (error) {
      leave()
      throw error
    }
    usage?.executing({
      document,
      operation,
      variables: sent.variables,
      tenantId,
      anonymous: false,
      header: headersOf(incoming).get,
    })
    return async () => {
      this.#streams.add(stream)
      metrics.streams.inc()
      try {
        response.writeHead(200, {
          'content-type': streamForms[form].type,
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'x-request-id': record.requestId,
          // Proxies that collect answers before they pass them on leave this one alone.
          'x-accel-buffering': 'no',
        })
        await stream.run()
      } finally {
        this.#streams.delete(stream)
        metrics.streams.dec()
        unfollow()
        leave()
      }
    }
  }

  /** The operation, as the checks of any other leave it; null when it is no subscription. */
  #checked({ query, operationName, variables }: Sent, record: RequestRecord): Checked | null {
    const { check, schema, costs, limits, rates } = this.#parts
    const checked = check(schema(), query, 'signedIn')
    if ('errors' in checked) throw new Refusals(checked.errors)
    const { document } = checked
    const operation = getOperationAST(document, operationName)
    if (operation?.operation !== 'subscription') return null
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
    tenantId: string,
  ): RowAsker {
    const { execute, rates, resolveViewer, formatError, clock, log } = this.#parts
    const { requestId, address } = record
    const userAgent = incoming.headers['user-agent']?.slice(0, 500) ?? null
    return {
      operation,
      tenantId,
      variables,
      cost,
      execute,
      rates,
      resolveViewer: () => resolveViewer(headersOf(incoming), requestId, address),
      contextOf: (asking: Asking) => {
        const viewer = asking.tenantId ? asking : null
        const request = new HttpRequestContext(requestId, viewer, null, address, userAgent, clock, log, gone)
        return { request, record }
      },
      formatError: (error) => formatError(error, record),
    }
  }

  /** Answers what is no subscription, in the form of a stream with one message where that is what its client reads. */
  async #inOne(
    request: FrontRequest,
    record: RequestRecord,
    form: StreamForm,
    context: () => Promise<GatewayContext>,
  ): Promise<HttpResponse> {
    const headers = { ...request.headers, accept: 'application/graphql-response+json' }
    const answer = await this.#parts.front.answer({ ...request, headers }, record, context)
    if (answer.status !== 200 || form !== 'sse') return answer
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

/** The operation of a request; null when it has none of the usual form, which the ordinary way refuses. */
function sentIn({ method, search, body }: FrontRequest): Sent | null {
  const given = method === 'GET' ? fromSearch(search) : body
  if (!isRecord(given)) return null
  const { query, operationName = null, variables = null } = given
  if (typeof query !== 'string') return null
  if (operationName !== null && typeof operationName !== 'string') return null
  if (variables !== null && !isRecord(variables)) return null
  return { query, operationName: operationName ?? undefined, variables: variables ?? {} }
}

function fromSearch(search: string): unknown {
  const given = Object.fromEntries(new URLSearchParams(search))
  const { variables } = given
  if (variables === undefined) return given
  try {
    return { ...given, variables: JSON.parse(variables) as unknown }
  } catch {
    return null
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
