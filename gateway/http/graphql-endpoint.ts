import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../kernel/clock'
import type { Viewer } from '../../kernel/context'
import { ApiError } from '../../kernel/errors'
import type { Logger } from '../../kernel/process/log'
import type { GatewayContext, RequestRecord } from '../context'
import { apiKeyHeader } from '../operations/api-key-viewer'
import { httpOf } from '../operations/cached-execution'
import type { OperationPipeline } from '../operations/operation-pipeline'
import type { Rates } from '../operations/rates'
import type { ViewerResolver } from '../operations/viewer'
import type { Explorer } from './explorer'
import { readJson, refuseCrossSite, refuseInexactVariables, RequestRefused } from './http-request'
import { json, type HttpResponse } from './http-response'
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
  /** Holds what a browser gets at `GET /graphql` without a query; without it a line of text says what is here. */
  explorer?: Explorer
  /** Makes an error safe to leave. */
  formatError: (error: unknown, record: RequestRecord) => object
}

/** Bytes of a body without credentials: several times the largest document that an anonymous caller may send. */
const anonymousBodyBytes = 64 * 1024

/** The endpoint `/graphql`: reads a request, finds out who asks, and has the operation answered. */
export class GraphqlEndpoint {
  constructor(private readonly options: EndpointOptions) {}

  /** @throws what is a fault of ours */
  async answer(request: IncomingMessage, record: RequestRecord, gone: Departure): Promise<HttpResponse> {
    const { front, rates } = this.options
    const { method = 'GET', headers } = request
    const search = searchOf(request)
    if (method === 'GET' && !namesOperation(search)) return this.#page(headers.accept)
    let body: unknown
    const withoutCredentials = record.anonymous && !hasCredentials(headers)
    try {
      if (withoutCredentials) rates.anonymous(record.address, 1)
      if (method === 'GET') {
        refuseCrossSite(request)
        refuseInexactVariables(new URLSearchParams(search).get('variables'))
      }
      if (method === 'POST') body = await readJson(request, this.#mostBytes(withoutCredentials))
    } catch (error) {
      return this.#refused(error, record)
    }
    return front.answer({ method, headers, search, body }, record, () =>
      this.#contextOf(request, record, gone),
    )
  }

  #page(accept: string | undefined): HttpResponse {
    const { explorer } = this.options
    return explorer && accept?.includes('text/html')
      ? explorer.page()
      : { status: 404, type: 'text/plain; charset=utf-8', body: 'GraphQL answers POST /graphql here.\n' }
  }

  #mostBytes(withoutCredentials: boolean): number {
    const { maxBodyBytes } = this.options
    return withoutCredentials ? Math.min(anonymousBodyBytes, maxBodyBytes) : maxBodyBytes
  }

  /** Names who asks. Credentials that are no good are counted as what they are: nobody's. */
  async #viewerOf({ headers }: IncomingMessage, record: RequestRecord): Promise<Viewer | null> {
    const { resolveViewer, callersSignIn, rates } = this.options
    let viewer: Viewer | null = null
    try {
      const given = { get: (name: string) => headers[name] as string | undefined }
      viewer = await resolveViewer(given, record.requestId, record.address)
      return viewer
    } finally {
      if (viewer === null && callersSignIn && hasCredentials(headers)) rates.anonymous(record.address, 1)
    }
  }

  async #contextOf(
    request: IncomingMessage,
    record: RequestRecord,
    gone: Departure,
  ): Promise<GatewayContext> {
    const { callersSignIn, clock, log } = this.options
    const viewer = await this.#viewerOf(request, record)
    record.anonymous = callersSignIn && viewer === null
    record.tenantId = viewer?.tenantId ?? null
    record.userId = viewer?.userId ?? null
    const userAgent = request.headers['user-agent']?.slice(0, 500) ?? null
    const { requestId, address } = record
    const context = new HttpRequestContext(requestId, viewer, address, userAgent, clock, log, gone)
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

/** The query of the URL, with its question mark; empty when there is none. */
function searchOf({ url = '/' }: IncomingMessage): string {
  const at = url.indexOf('?')
  return at < 0 || at === url.length - 1 ? '' : url.slice(at)
}

function namesOperation(search: string): boolean {
  const parameters = new URLSearchParams(search)
  return ['query', 'extensions', 'documentId'].some((name) => parameters.has(name))
}
