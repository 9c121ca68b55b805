import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../kernel/clock'
import { ApiError } from '../../kernel/errors'
import type { Logger } from '../../kernel/process/log'
import type { GatewayContext, RequestRecord } from '../context'
import { apiKeyHeader } from '../operations/api-key-viewer'
import { httpOf } from '../operations/cached-execution'
import type { OperationPipeline } from '../operations/operation-pipeline'
import type { Rates } from '../operations/rates'
import type { Asking } from '../operations/asking'
import type { ViewerResolver } from '../operations/viewer'
import { anonymousBody, harmlessLength, mostBodyValues, type BodyBounds } from './body-bounds'
import { readJson, refuseCrossSite, refuseInexactVariables, RequestRefused } from './http-request'
import { json, type HttpResponse } from './http-response'
import { isLocalRequest } from './local-request'
import type { Pages } from './pages/page'
import { HttpRequestContext, type Departure } from './request-context'

export interface EndpointOptions {
  front: Pick<OperationPipeline, 'answer'>
  resolveViewer: ViewerResolver
  clock: Clock
  log: Logger
  maxBodyBytes: number
  rates: Rates
  /** Tells whether callers can be signed in; where nobody can, nobody is treated as less than others. */
  callersSignIn: boolean
  /** Holds what a browser gets, at `GET /graphql` too where it asks for no query; without it a line of text says what is here. */
  pages?: Pages
  /** Makes an error safe to leave. */
  formatError: (error: unknown, record: RequestRecord) => object
}

/** The endpoint `/graphql`: reads a request, finds out who asks, and has the operation answered. */
export class GraphqlEndpoint {
  constructor(private readonly options: EndpointOptions) {}

  /** @throws what is a fault of ours */
  async answer(request: IncomingMessage, record: RequestRecord, gone: Departure): Promise<HttpResponse> {
    const { front, rates } = this.options
    const { method = 'GET', headers } = request
    const search = searchOf(request)
    if (method === 'GET' && !namesOperation(search)) return this.#page(request)
    let body: unknown
    let viewer: Promise<Asking | null> | undefined
    const viewerOf = () => (viewer ??= this.#viewerOf(request, record))
    const withoutCredentials = record.anonymous && !hasCredentials(headers)
    try {
      if (withoutCredentials) rates.anonymous(record.address, 1)
      if (method === 'GET') {
        refuseCrossSite(request)
        refuseInexactVariables(new URLSearchParams(search).get('variables'))
      }
      if (method === 'POST') body = await this.#bodyOf(request, record, viewerOf)
    } catch (error) {
      return this.#refused(error, record)
    }
    return front.answer({ method, headers, search, body }, record, () => {
      const context = this.#contextOf(request, record, gone, viewerOf)
      // Who asks again, in the middle of an export, is told what holds then.
      viewer = undefined
      return context
    })
  }

  #page(request: IncomingMessage): HttpResponse {
    const isPage = request.headers.accept?.includes('text/html')
    const page = isPage ? this.options.pages?.at('/graphql', isLocalRequest(request)) : undefined
    return (
      page ?? {
        status: 404,
        type: 'text/plain; charset=utf-8',
        body: 'GraphQL answers POST /graphql here.\n',
      }
    )
  }

  /**
   * The body, of as much as whoever sends it may send. A header alone gains nothing: its token is verified first, which asks
   * no database, and only for a body that needs more than anybody has. An API key that this process does not know is looked
   * up before a body that may need more is read.
   *
   * @throws what `viewerOf` does in place of "too large" when credentials are no good
   */
  async #bodyOf(
    request: IncomingMessage,
    record: RequestRecord,
    viewerOf: () => Promise<Asking | null>,
  ): Promise<unknown> {
    const { maxBodyBytes, resolveViewer } = this.options
    const least = { ...anonymousBody, bytes: Math.min(anonymousBody.bytes, maxBodyBytes) }
    let known: boolean | undefined
    const isKnown = () =>
      (known ??= !record.anonymous || resolveViewer.isSigned?.(headersOf(request)) === true)
    const own = (): BodyBounds => (isKnown() ? { bytes: maxBodyBytes, values: mostBodyValues } : least)
    if (request.headers[apiKeyHeader] !== undefined && mayHoldMuch(request) && !isKnown())
      known = (await viewerOf()) !== null
    try {
      return await readJson(request, least, own)
    } catch (error) {
      const isTooMuch = error instanceof RequestRefused && error.status === 413
      if (isTooMuch && known === false && hasCredentials(request.headers)) await viewerOf()
      throw error
    }
  }

  /** Names who asks. Credentials that are no good are counted as what they are: nobody's. */
  async #viewerOf(request: IncomingMessage, record: RequestRecord): Promise<Asking | null> {
    const { resolveViewer, callersSignIn, rates } = this.options
    const { headers } = request
    let viewer: Asking | null = null
    try {
      viewer = await resolveViewer(headersOf(request), record.requestId, record.address)
      return viewer
    } finally {
      if (viewer === null && callersSignIn && hasCredentials(headers)) rates.anonymous(record.address, 1)
    }
  }

  async #contextOf(
    request: IncomingMessage,
    record: RequestRecord,
    gone: Departure,
    viewerOf: () => Promise<Asking | null>,
  ): Promise<GatewayContext> {
    const { callersSignIn, clock, log } = this.options
    const asking = await viewerOf()
    record.anonymous = callersSignIn && asking === null
    record.tenantId = asking?.tenantId ?? null
    record.userId = asking?.userId ?? null
    const viewer = asking?.tenantId ? asking : null
    const operator = asking?.operator ?? null
    const userAgent = request.headers['user-agent']?.slice(0, 500) ?? null
    const { requestId, address } = record
    const context = new HttpRequestContext(requestId, viewer, operator, address, userAgent, clock, log, gone)
    return { request: context, record }
  }

  #refused(error: unknown, record: RequestRecord): HttpResponse {
    const { formatError } = this.options
    if (error instanceof RequestRefused)
      return json(error.status, {
        errors: [formatError(new ApiError('BAD_USER_INPUT', error.message), record)],
      })
    const { status, headers } = httpOf(error) ?? {}
    if (status === undefined) throw error
    return {
      ...json(status, { errors: [formatError(error, record)] }),
      headers: Object.fromEntries(headers ?? []),
    }
  }
}

const hasCredentials = (headers: IncomingMessage['headers']): boolean =>
  headers.authorization !== undefined || headers[apiKeyHeader] !== undefined
/** Tells whether a body may go beyond what everybody may send, after what its sender says of its length. */
const mayHoldMuch = ({ headers }: IncomingMessage): boolean =>
  !(Number(headers['content-length']) <= harmlessLength)

/** The headers of a request as those who ask for a viewer see them. */
export const headersOf = ({ headers }: IncomingMessage) => ({
  get: (name: string) => headers[name] as string | undefined,
})

/** The query of the URL, with its question mark; empty when there is none. */
function searchOf({ url = '/' }: IncomingMessage): string {
  const at = url.indexOf('?')
  return at < 0 || at === url.length - 1 ? '' : url.slice(at)
}

function namesOperation(search: string): boolean {
  const parameters = new URLSearchParams(search)
  return ['query', 'extensions', 'documentId'].some((name) => parameters.has(name))
}
