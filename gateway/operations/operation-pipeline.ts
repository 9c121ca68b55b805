import type { IncomingHttpHeaders } from 'node:http'
import { ApolloServer, HeaderMap, type ApolloServerPlugin } from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql'
import type { Logger } from '../../kernel/process/log'
import { httpResponseOf, type HttpResponse } from '../http/http-response'
import type { GatewayContext, RequestRecord } from '../context'
import type { CostModel } from './cost-model'
import type { planExecution } from '../execution/executor'
import type { Executor } from '../execution/query-plan'
import { executeCached, pairsOf } from './cached-execution'
import type { OperationCache } from './operation-cache'
import { limitsPlugin, type Limits } from './limits'
import type { UsageRecorder } from './usage'

export interface PipelineOptions {
  gateway: ReturnType<typeof planExecution>
  known: OperationCache
  /** What the supergraph of the moment says about cost. */
  costs: () => CostModel
  limits: Limits
  usage: Pick<UsageRecorder, 'supergraphLoaded' | 'executing'> | undefined
  log: Logger
  formatError: (error: unknown, record: RequestRecord) => object
}

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
 * passed Apollo Server once is executed and answered without it.
 */
export function operationPipeline(options: PipelineOptions): OperationPipeline {
  const { gateway, known, usage, log, formatError } = options
  let execute: Executor | undefined
  // Apollo Server formats errors and writes answers without telling for which request. Its caller knows, and does both.
  const results = new Map<string, FormattedExecutionResult>()
  let written = 0
  const apollo = new ApolloServer<GatewayContext>({
    gateway: {
      ...gateway,
      async load(given) {
        const { executor } = await gateway.load(given)
        execute = executor
        return {
          executor: (request) => {
            // All checks are behind it.
            known.keep(request)
            return executor(request)
          },
        }
      },
    },
    logger: log,
    nodeEnv: 'production',
    introspection: true,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: options.limits.maxTokens },
    formatError: (_formatted, error) => ({ error }) as unknown as GraphQLFormattedError,
    stringifyResult(result) {
      const name = String(written++)
      results.set(name, result)
      return name
    },
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      recordPlugin(usage),
      limitsPlugin(options.costs, options.limits),
    ],
  })

  async function byApollo(
    { method, headers, search, body }: FrontRequest,
    record: RequestRecord,
    context: () => Promise<GatewayContext>,
  ): Promise<HttpResponse> {
    const httpGraphQLRequest = { method, headers: new HeaderMap(pairsOf(headers)), search, body }
    const {
      status,
      headers: answered,
      body: named,
    } = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest,
      context,
    })
    if (named.kind !== 'complete') throw new Error('Incremental delivery is not offered')
    const { data, errors } = results.get(named.string)!
    results.delete(named.string)
    const shown = errors?.map((holder) =>
      formatError((holder as unknown as { error: unknown }).error, record),
    )
    const answer = httpResponseOf(status, answered, { errors: shown, data })
    // Only an executed operation has no status of its own; without errors, none of them chose the content type.
    if (status === undefined && !errors) known.keepContentType(headers.accept, answer.type)
    return answer
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
      const { operationName, document, operation } = asked.known
      record.operationName = operationName
      usage?.executing({
        document,
        operation,
        variables: asked.variables,
        tenantId: record.tenantId,
        header: (name) => headers[name] as string | undefined,
      })
      return executeCached(asked, given, headers, execute!, (error) => formatError(error, record))
    },
  }
}

/** Names the operation in the request's log line. */
function recordPlugin(usage: PipelineOptions['usage']): ApolloServerPlugin<GatewayContext> {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ contextValue, operationName }) => {
        contextValue.record.operationName = operationName
      },
      executionDidStart: async ({ request, document, operation, contextValue }) =>
        usage?.executing({
          document,
          operation,
          variables: request.variables,
          tenantId: contextValue.record.tenantId,
          header: (name) => request.http?.headers.get(name),
        }),
    }),
  }
}
