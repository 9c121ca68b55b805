import type { IncomingHttpHeaders } from 'node:http'
import { HeaderMap } from '@apollo/server'
import { GraphQLError, Kind } from 'graphql'
import { httpResponseOf, type HttpResponse } from '../http/http-response'
import { statusFor } from '../http/media-types'
import type { GatewayContext } from '../context'
import type { Executor, GatewayRequest, GatewayResult } from '../execution/query-plan'
import type { CachedRequest } from './operation-cache'

/** Executes a known operation and answers to the byte as Apollo Server would. */
export async function executeCached(
  request: CachedRequest,
  context: GatewayContext,
  headers: IncomingHttpHeaders,
  execute: Executor,
  formatError: (error: unknown) => object,
): Promise<HttpResponse> {
  let result: GatewayResult
  try {
    result = await execute(gatewayRequest(request, context, headers))
  } catch (error) {
    return withErrors(request, [graphqlError(error)], undefined, 500, formatError)
  }
  const { data, errors } = result
  if (errors) return withErrors(request, errors.map(refinedInput), data, undefined, formatError)
  return { status: 200, type: request.contentType, body: `${JSON.stringify({ data })}\n` }
}

/** The answer to a known operation that is not executed. */
export function errorsOf(
  request: CachedRequest,
  errors: readonly unknown[],
  data: GatewayResult['data'],
  formatError: (error: unknown) => object,
): HttpResponse {
  return withErrors(request, errors, data, undefined, formatError)
}

function withErrors(
  request: CachedRequest,
  errors: readonly unknown[],
  data: GatewayResult['data'],
  otherwise: number | undefined,
  formatError: (error: unknown) => object,
): HttpResponse {
  const headers = new HeaderMap([['content-type', request.contentType]])
  let status = otherwise ?? (errors.length > 0 && data === undefined ? 400 : undefined)
  for (const error of errors) {
    const http = httpOf(error)
    if (http?.status) status = http.status
    for (const [name, value] of http?.headers ?? []) headers.set(name, value)
  }
  const answer = httpResponseOf(status, headers, { errors: errors.map((error) => formatError(error)), data })
  return { ...answer, status: statusFor(answer.type, answer.status, errors) }
}

/** Returns what an error asks of the answer's head. */
export function httpOf(error: unknown): { status?: number; headers?: Map<string, string> } | undefined {
  const http = (error as Partial<GraphQLError> | undefined)?.extensions?.['http']
  if (typeof http !== 'object' || http === null) return undefined
  if ('status' in http && typeof http.status !== 'number') return undefined
  if ('headers' in http && !(http.headers instanceof Map)) return undefined
  return http
}

/** A variable that does not fit its type is the client's fault; graphql-js gives it no code. */
function refinedInput(error: GraphQLError): GraphQLError {
  const isInput = error.nodes?.length === 1 && error.nodes[0]?.kind === Kind.VARIABLE_DEFINITION
  if (!isInput || error.extensions?.['code'] != null) return error
  return new GraphQLError(error.message, {
    nodes: error.nodes,
    originalError: error.originalError ?? error,
    extensions: { ...error.extensions, code: 'BAD_USER_INPUT' },
  })
}

function graphqlError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error
  if (error instanceof Error) return new GraphQLError(error.message, { originalError: error })
  return new GraphQLError(`Unexpected error value: ${String(error)}`)
}

/** Returns what Apollo Server tells its gateway of a request. */
function gatewayRequest(
  { known, operationName, variables, extensions }: CachedRequest,
  context: GatewayContext,
  headers: IncomingHttpHeaders,
): GatewayRequest {
  return {
    request: {
      query: known.source,
      operationName,
      variables,
      extensions,
      http: new SentHttp(headers),
    },
    logger: known.logger,
    schema: known.schema,
    schemaHash: known.schemaHash,
    context,
    cache: known.cache,
    queryHash: known.queryHash,
    document: known.document,
    source: known.source,
    operationName: known.operationName,
    operation: known.operation,
    metrics: {},
    debug: false,
    overallCachePolicy: undefined,
    requestIsBatched: false,
  }
}

/** The request as data sources see it. Few of them look at its headers. */
class SentHttp {
  readonly method = 'POST'
  readonly url = 'https://unknown-url.invalid/'
  #headers: Headers | undefined

  constructor(private readonly sent: IncomingHttpHeaders) {}

  get headers(): Headers {
    return (this.#headers ??= new Headers(pairsOf(this.sent)))
  }
}

/** Headers as name and value; those that came several times are joined. */
export function pairsOf(headers: IncomingHttpHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  )
}
