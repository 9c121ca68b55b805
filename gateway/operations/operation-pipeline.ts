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
import { networkOf } from '../network-address'
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
  /** Answers whatever was sent. `context` is called at most once, and what it throws is the answer. */
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
  const { known, turns, rates, usage, formatError } = options
  let execute: Executor | undefined
  // Apollo Server formats errors and writes answers without telling for which request. Its caller knows, and does both.
  const results = new Map<string, FormattedExecutionResult>()
  let written = 0
  const apollo = new ApolloServer<GatewayContext>({
    ...apolloOptions(options, (executor) => (execute = executor)),
    stringifyResult(result) {
      const name = String(written++)
      results.set(name, result)
      return name
    },
  })

  async function byApollo(
    { method, headers, search, body }: FrontRequest,
    record: RequestRecord,
    context: () => Promise<GatewayContext>,
  ): Promise<HttpResponse> {
    const given = new HeaderMap(pairsOf(headers))
    given.set('accept', acceptOf(headers))
    const found: NonNullable<GatewayContext['found']> = {}
    const {
      status,
      headers: answered,
      body: named,
    } = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method, headers: given, search, body },
      context: async () => ({ ...(await context()), found }),
    })
    if (named.kind !== 'complete') throw new Error('Incremental delivery is not offered')
    const { data, errors: held } = results.get(named.string)!
    results.delete(named.string)
    const errors = found.refused ?? held?.map((holder) => (holder as unknown as { error: unknown }).error)
    const shown = errors?.map((error) => formatError(error, record))
    const answer = httpResponseOf(status, answered, { errors: shown, data })
    if (errors) return { ...answer, status: statusFor(answer.type, answer.status, errors) }
    // Only an executed operation has no status of its own; without errors, none of them chose the content type.
    if (status === undefined) known.keepContentType(acceptOf(headers), answer.type)
    return answer
  }

  /** Answers an operation that passed all checks before; what was sent now is within the limits too. */
  async function byCache(
    asked: CachedRequest,
    given: GatewayContext,
    { headers }: FrontRequest,
    record: RequestRecord,
  ): Promise<HttpResponse> {
    const { document, operation, operationName, schema } = asked.known
    const inOurs = (error: unknown) => formatError(error, record)
    record.operationName = operationName
    try {
      withinRates(rates, record, asked.cost)
    } catch (error) {
      return errorsOf(asked, [error], undefined, inOurs)
    }
    const refusal =
      record.anonymous && anonymousRefusal(schema, options.roots(), asked.known, asked.variables ?? {})
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
    return executeCached(asked, given, headers, execute!, inOurs)
  }

  return {
    start: () => apollo.start(),
    stop: () => apollo.stop(),
    async answer(request, record, context) {
      const { method, headers, search, body } = request
      const asked = method === 'POST' && search === '' ? known.find(headers, body) : undefined
      if (!asked) return byApollo(request, record, context)
      let given: GatewayContext
      try {
        given = await context()
      } catch (error) {
        return byApollo(request, record, () => Promise.reject(error as Error))
      }
      const isShownLittle = record.anonymous || given.request.viewer?.passwordChangeRequired === true
      return isShownLittle && !asked.known.openToAnonymous
        ? byApollo(request, record, () => Promise.resolve(given))
        : byCache(asked, given, request, record)
    },
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
