import type { IncomingHttpHeaders } from 'node:http'
import { ApolloServer, HeaderMap } from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql'
import { httpResponseOf, type HttpResponse } from '../http/http-response'
import { acceptOf, statusFor } from '../http/media-types'
import type { GatewayContext, RequestRecord } from '../context'
import { networkOf } from '../../kernel/process/network-address'
import { anonymousRefusal } from './anonymous-refusal'
import type { Executor, GatewayResult } from '../execution/query-plan'
import { errorsOf, executeCached, pairsOf } from './cached-execution'
import type { CachedRequest } from './operation-cache'
import { checkPlugin, withinRates } from './operation-checks'
import type { PipelineOptions } from './pipeline-options'

/** An HTTP request whose body was read. */
export interface FrontRequest {
  method: string
  headers: IncomingHttpHeaders
  /** The query of the URL, with its question mark; empty when there is none. */
  search: string
  /** Parsed JSON; undefined when none was sent. */
  body: unknown
}

export interface OperationPipeline {
  start(): Promise<void>
  /** Answers whatever was sent. `context` is called once at most for each operation, and what it throws is the answer. */
  answer(
    request: FrontRequest,
    record: RequestRecord,
    context: () => Promise<GatewayContext>,
  ): Promise<HttpResponse>
  stop(): Promise<void>
}

/**
 * Apollo Server in front of plan execution, and beside it a shorter way for what comes again: an operation that
 * passed all checks once is executed and answered without it.
 */
export function operationPipeline(options: PipelineOptions): OperationPipeline {
  return new TwoWays(options)
}

class TwoWays implements OperationPipeline {
  readonly #apollo: ApolloServer<GatewayContext>
  #execute: Executor | undefined
  /** Apollo Server formats errors and writes answers without telling for which request. Its caller knows, and does both. */
  readonly #results = new Map<string, FormattedExecutionResult>()
  #written = 0

  constructor(private readonly options: PipelineOptions) {
    this.#apollo = new ApolloServer<GatewayContext>({
      ...apolloOptions(options, (executor) => (this.#execute = executor)),
      stringifyResult: (result) => {
        const name = String(this.#written++)
        this.#results.set(name, result)
        return name
      },
    })
  }

  start(): Promise<void> {
    return this.#apollo.start()
  }

  stop(): Promise<void> {
    return this.#apollo.stop()
  }

  async answer(
    request: FrontRequest,
    record: RequestRecord,
    context: () => Promise<GatewayContext>,
  ): Promise<HttpResponse> {
    const { method, headers, search, body } = request
    const asked = method === 'POST' && search === '' ? this.options.known.find(headers, body) : undefined
    if (!asked) return this.#byApollo(request, record, context)
    let given: GatewayContext
    try {
      given = await context()
    } catch (error) {
      return this.#byApollo(request, record, () => Promise.reject(error as Error))
    }
    const isShownLittle = record.anonymous || given.request.viewer?.passwordChangeRequired === true
    return isShownLittle && !asked.known.openToAnonymous
      ? this.#byApollo(request, record, () => Promise.resolve(given))
      : this.#byCache(asked, given, request, record)
  }

  async #byApollo(
    { method, headers, search, body }: FrontRequest,
    record: RequestRecord,
    context: () => Promise<GatewayContext>,
  ): Promise<HttpResponse> {
    const given = new HeaderMap(pairsOf(headers))
    given.set('accept', acceptOf(headers))
    const found: NonNullable<GatewayContext['found']> = {}
    const answer = await this.#apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method, headers: given, search, body },
      context: async () => ({ ...(await context()), found }),
    })
    if (answer.body.kind !== 'complete') throw new Error('Incremental delivery is not offered')
    const name = answer.body.string
    const { data, errors: held } = this.#results.get(name)!
    this.#results.delete(name)
    const errors = found.refused ?? held?.map((holder) => (holder as unknown as { error: unknown }).error)
    const shown = errors?.map((error) => this.options.formatError(error, record))
    const response = httpResponseOf(answer.status, answer.headers, { errors: shown, data })
    if (errors) return { ...response, status: statusFor(response.type, response.status, errors) }
    // Only an executed operation has no status of its own; without errors, none of them chose the content type.
    if (answer.status === undefined) this.options.known.keepContentType(acceptOf(headers), response.type)
    return response
  }

  /** Answers an operation that passed all checks before; what was sent now is within the limits too. */
  async #byCache(
    asked: CachedRequest,
    given: GatewayContext,
    { headers }: FrontRequest,
    record: RequestRecord,
  ): Promise<HttpResponse> {
    const { turns, rates, usage, formatError, roots } = this.options
    const { document, operation, operationName, schema } = asked.known
    const inOurs = (error: unknown) => formatError(error, record)
    record.operationName = operationName
    try {
      withinRates(rates, record, asked.cost)
    } catch (error) {
      return errorsOf(asked, [error], undefined, inOurs)
    }
    const refusal = record.anonymous && anonymousRefusal(schema, roots(), asked.known, asked.variables ?? {})
    if (refusal) return errorsOf(asked, refusal.errors, refusal.data, inOurs)
    if (record.anonymous) {
      try {
        await turns.take(networkOf(record.address))
      } catch (error) {
        return errorsOf(asked, [error], undefined, inOurs)
      }
    }
    usage?.executing({
      document,
      operation,
      variables: asked.variables,
      tenantId: record.tenantId,
      anonymous: record.anonymous,
      header: (name) => headers[name] as string | undefined,
    })
    return executeCached(asked, given, headers, this.#execute!, inOurs)
  }
}

/** Says how Apollo Server is used: nothing of it reports, keeps documents, or shows more than we do. */
function apolloOptions(options: PipelineOptions, loaded: (executor: Executor) => void) {
  const { gateway, known, log } = options
  return {
    gateway: {
      ...gateway,
      async load(given: Parameters<typeof gateway.load>[0]) {
        const { executor } = await gateway.load(given)
        loaded(executor)
        return {
          executor: (request: Parameters<Executor>[0]): Promise<GatewayResult> => {
            // All checks are behind it. What nobody signed in has sent leaves nothing.
            const { record, found } = request.context as GatewayContext
            if (found?.checked && !record.anonymous) known.keep(request, found.checked)
            return executor(request)
          },
        }
      },
    },
    logger: log,
    nodeEnv: 'production',
    // Whether a caller may is asked by the check of documents.
    introspection: true,
    // GET needs a proof that a page cannot give; http-request.ts asks for it.
    csrfPrevention: false,
    documentStore: null,
    persistedQueries: {
      cache: {
        get: async (key: string) => known.registered(key.replace(/^apq:/, '')),
        // The cache of operations registers texts itself, once they passed all checks.
        set: async () => undefined,
        delete: async () => undefined,
      },
    },
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    formatError: (_formatted: unknown, error: unknown) => ({ error }) as unknown as GraphQLFormattedError,
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      checkPlugin(options),
    ],
  }
}
