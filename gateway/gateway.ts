import type { Server } from 'node:http'
import { ApolloGateway } from '@apollo/gateway'
import { isScalarType, type GraphQLScalarType, type GraphQLSchema } from 'graphql'
import { systemClock, type Clock } from '../kernel/clock'
import { overrideApolloVariables } from '../kernel/process/config'
import type { Logger } from '../kernel/process/log'
import { operationPipeline, type OperationPipeline } from './operations/operation-pipeline'
import type { PipelineOptions } from './operations/pipeline-options'
import { subgraphNamesOf } from '../registry/composition/compose'
import { costModel, type CostModel } from './operations/cost-model'
import type { GatewayContext, RequestRecord, SubgraphDataSource } from './context'
import { answerError } from './errors'
import { openMemoryStore } from '../kernel/store/key-value-memory'
import type { RateLimit } from '../kernel/store/key-value'
import { protectedRoots, type ProtectedRoots } from './operations/anonymous-refusal'
import { anonymousTurns, type AnonymousTurns } from './operations/anonymous-turns'
import { documentCheck, type SchemaVisibility } from './operations/document-check'
import { createRates, defaultRates, noRates, windowLimit, type RateLimits } from './operations/rates'
import type { ExportTrail } from './exports/export-trail'
import { withExports } from './exports/exports'
import type { ConnectionLimits, RequestTimes } from './http/connections'
import type { CompletionFault } from './execution/complete-result'
import { planExecution } from './execution/executor'
import { preparedOperations, type PreparedOperations } from './execution/prepared-operations'
import { createPlanner } from './execution/query-plan'
import type { Pages } from './http/pages/page'
import { createHttpServer } from './http/http-server'
import { LiveRequests, type LiveOptions, type LiveParts } from './live/live-requests'
import { rootScopes, type RootScopes } from './live/root-scopes'
import { publicMutations } from './operations/lone-mutations'
import { operationCache } from './operations/operation-cache'
import { drainable, listen } from './http/listen'
import {
  readPersistedDocuments,
  withPersistedDocuments,
  type AcceptedDocuments,
  type PersistedDocuments,
} from './operations/persisted-documents'
import type { Explanations } from './operations/explanations'
import { defaultLimits, type Limits } from './operations/limits'
import { createMetrics, type Metrics } from './http/metrics'
import { anyScalar } from './plans/any-variables'
import type { ExpectedOperation } from './plans/expected-operations'
import { hereUntilReady, planHere } from './plans/plan-here'
import type { PlanStore } from './plans/plan-store'
import { planThread } from './plans/plan-thread'
import { createPlans, type PlanMaker } from './plans/plans'
import { plannable, supergraphUpdates, type SupergraphSource } from './supergraph-source'
import type { Checks } from './http/readiness'
import type { UsageRecorder } from './operations/usage'
import { SubgraphSources, type NamedSubgraph } from './subgraphs/subgraph-sources'
import type { ViewerResolver } from './operations/viewer'

/** Says how a custom scalar reads what clients send. */
export type ScalarInput = Pick<GraphQLScalarType<unknown, unknown>, 'parseValue' | 'parseLiteral'>

export interface GatewayOptions {
  /**
   * The published supergraph, or where to follow it; see {@link plannable} for what this gateway leaves to the
   * subgraphs.
   */
  supergraph: string | SupergraphSource
  /** Says how a subgraph of the supergraph is reached; the URL is the supergraph's own. */
  dataSource: (subgraph: NamedSubgraph) => SubgraphDataSource
  resolveViewer: ViewerResolver
  log: Logger
  host: string
  /** 0 = any free port. */
  port: number
  clock?: Clock
  limits?: Partial<Limits>
  metrics?: Metrics
  /** Holds what `/readyz` asks besides the subgraphs. */
  checks?: Checks
  /** Holds what callers may ask for in a minute. */
  rates?: Partial<RateLimits>
  /** Says where rates are counted; default: in this process. */
  rateStore?: Pick<RateLimit, 'add'>
  /** When anonymous callers are served, for tests. */
  turns?: AnonymousTurns
  connections?: Partial<ConnectionLimits>
  /** Holds what a client may take to send a request. */
  times?: Partial<RequestTimes>
  /**
   * Tells whether callers can be signed in: those that are not get smaller bounds, nothing of theirs is kept, and
   * fields that the supergraph protects are refused without a plan. Default true; false where everybody is nobody.
   */
  callersSignIn?: boolean
  /** To whom introspection and the words of the schema are shown. Default `public`. */
  schemaVisibility?: SchemaVisibility
  /** Tells whether `X-Forwarded-For` names the client: only behind a proxy that sets it. */
  trustProxy?: boolean
  /** Custom scalars, so that a wrong value is refused here with its place instead of in a subgraph. */
  scalars?: Readonly<Record<string, ScalarInput>>
  /** Records what is asked, after the limits. */
  usage?: Pick<UsageRecorder, 'supergraphLoaded' | 'executing'>
  /** Plans that other gateways share. */
  planStore?: PlanStore
  /** Finds where plans are made: default, in a thread of their own; in this one where there is no compiled code. */
  makePlans?: 'thread' | 'here' | ((supergraph: string) => PlanMaker)
  /** Operations that are prepared after the start, before anybody asks for them. */
  expectedOperations?: () => Promise<readonly ExpectedOperation[]>
  /** Documents that clients may name instead of sending them. */
  persistedDocuments?: PersistedDocuments
  /** Tells whether other documents than those are executed. Default `any`. */
  documents?: AcceptedDocuments
  /** Says where exports are noted; without it no list is answered as a file. */
  exports?: { trail: ExportTrail; nestedPageLimit: number }
  /** Says for whoever asks how an operation was answered; only where the schema is shown to everybody. */
  explanations?: Explanations
  /** Origins whose pages may call from a browser. */
  corsOrigins?: readonly string[]
  /** The pages for browsers. */
  pages?: Pages
  /** Holds how changes are streamed; without it nothing is. */
  live?: LiveOptions
  /** The subgraphs are somebody else's: their error messages and codes are passed on instead of masked. */
  foreignSubgraphs?: boolean
  /** Milliseconds that requests under way have to finish on {@link Gateway.close}. Default 10,000. */
  drainMs?: number
}

export interface Gateway {
  /** Of the GraphQL endpoint. */
  url: string
  server: Server
  metrics: Metrics
  /** Returns what this gateway keeps of operations: how many entries, and bytes, about. */
  kept(): Readonly<Record<'operations' | 'prepared' | 'plans', { entries: number; bytes: number }>>
  /** Takes no new requests, lets those under way finish, then lets go of subgraphs. Call it as often as you like. */
  close(): Promise<void>
}

/** Starts the gateway: plans operations over the supergraph and answers them at `http://host:port/graphql`. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { log, clock = systemClock, metrics = createMetrics(), callersSignIn = true } = options
  overrideApolloVariables()
  const limits = { ...defaultLimits, ...options.limits }
  const sources = new SubgraphSources(options.dataSource, metrics, options.checks)
  const known = operationCache(limits)
  const { gateway, plans, operations } = planning(options, sources)
  const served = servedSupergraph(gateway, options, callersSignIn)
  gateway.onSchemaLoadOrUpdate(({ apiSchema, coreSupergraphSdl }) => {
    known.schemaLoaded(apiSchema, served.costs)
    sources.keepOnly(subgraphNamesOf(coreSupergraphSdl))
  })
  const memory = options.rateStore ? null : openMemoryStore(clock, log)
  const perMinute = { ...defaultRates, ...options.rates }
  const counting = { store: options.rateStore ?? memory!.rateLimit, clock, log }
  const rates = callersSignIn ? createRates(perMinute, counting) : noRates
  const formatError = errorFormatter(metrics, options.foreignSubgraphs ?? false)
  const execution = planExecution(gateway, operations, (name) => sources.get(name), logNulls)
  const check = documentCheck(limits, options.schemaVisibility ?? 'public', () => served.lone)
  const front = operationPipeline({
    gateway: execution,
    known,
    check,
    turns: options.turns ?? anonymousTurns(),
    rates,
    costs: () => served.costs,
    roots: () => served.roots,
    limits,
    usage: options.usage,
    log,
    formatError,
  })
  const letGo = async () => {
    await plans.close()
    await sources.close()
    await memory?.close()
  }
  try {
    await front.start()
    const withDocuments = namedDocuments(options, formatError)
    const share = exportShare(perMinute, counting)
    const ordinary = wholePipeline(front, options, { check, limits, operations, clock, formatError, share })
    const endpoint = {
      ...options,
      front: withDocuments(ordinary),
      checks: sources.checks,
      clock,
      metrics,
      maxBodyBytes: limits.maxBodyBytes,
      trustProxy: options.trustProxy ?? false,
      rates,
      callersSignIn,
      formatError,
    }
    const { execute } = execution
    const given = { ...endpoint, front, ordinary, withDocuments, check, limits, execute }
    const streams = liveRequests(options, given, operations, served)
    gateway.onSchemaLoadOrUpdate(() => streams?.restart('the schema changed: come again'))
    const server = createHttpServer({ ...endpoint, streams })
    const drain = drainable(server, log)
    const close = async () => {
      streams?.close()
      await drain(options.drainMs ?? 10_000)
      await front.stop()
      await letGo()
    }
    const url = await listen(server, options.port, options.host)
    void warm(operations, options)
    let closing: Promise<void> | undefined
    const kept = () => ({
      operations: { entries: known.size, bytes: known.bytes },
      prepared: { entries: operations.size, bytes: operations.bytes },
      plans: { entries: plans.kept, bytes: plans.bytes },
    })
    return { url, server, metrics, kept, close: () => (closing ??= close()) }
  } catch (error) {
    await front.stop().catch(() => undefined)
    await letGo()
    throw error
  }
}

/** Answers those who take streams, by the supergraph of the moment; undefined where nothing is streamed. */
function liveRequests(
  { live, usage }: GatewayOptions,
  given: Omit<LiveParts, 'live' | 'usage' | 'schema' | 'costs' | 'scopes'>,
  operations: PreparedOperations,
  served: Served,
): LiveRequests | undefined {
  if (!live) return undefined
  const schema = () => operations.serves.schema
  const [costs, scopes] = [() => served.costs, () => served.scopes]
  return new LiveRequests({ ...given, live, usage, schema, costs, scopes })
}

/** The pipeline with what stands before it: explanations, lists as files. */
function wholePipeline(
  front: Pick<OperationPipeline, 'answer'>,
  { exports, explanations }: GatewayOptions,
  given: Pick<PipelineOptions, 'check' | 'limits' | 'formatError'> & {
    operations: PreparedOperations
    clock: Clock
    share: ReturnType<typeof exportShare>
  },
): Pick<OperationPipeline, 'answer'> {
  const { check, limits, operations, clock, formatError, share } = given
  const exporting = exports
    ? withExports({
        ...{ front, check, clock, formatError, share, trail: exports.trail },
        schema: () => operations.serves.schema,
        pageLimits: { root: limits.pageLimit, nested: exports.nestedPageLimit },
      })
    : front
  const asked = { sdl: () => operations.serves.sdl, costLimit: limits.maxCost }
  return explanations?.explaining(exporting, asked) ?? exporting
}

/** The exports of a tenant spend half of what it has in a minute: the other half is left to those who wait at screens. */
function exportShare(
  { tenantCostPerMinute }: RateLimits,
  counting: Omit<Parameters<typeof windowLimit>[0], 'limit'>,
): (tenantId: string, cost: number) => number {
  const within = windowLimit({ ...counting, limit: tenantCostPerMinute / 2 })
  return (tenantId, cost) => within(`t:${tenantId}:export:cost`, cost)
}

/** Puts the texts of known documents in place of their names, before another front looks at a request. */
function namedDocuments(
  { persistedDocuments = readPersistedDocuments([]), documents = 'any' }: GatewayOptions,
  formatError: Parameters<typeof withPersistedDocuments>[3],
) {
  return (next: Parameters<typeof withPersistedDocuments>[0]) =>
    withPersistedDocuments(next, persistedDocuments, documents, formatError)
}

/** ApolloGateway, which follows the supergraph and plans, and where its plans are made and kept. */
function planning(options: GatewayOptions, sources: SubgraphSources) {
  const { log, supergraph, makePlans = 'thread' } = options
  const planner = createPlanner()
  const plans = createPlans({
    store: options.planStore,
    make: (sdl) => {
      if (typeof makePlans === 'function') return makePlans(sdl)
      const here = planHere(sdl, gateway, planner, () => operations.serves)
      return makePlans === 'here' ? here : hereUntilReady(here, planThread(sdl, { log }))
    },
  })
  const operations = preparedOperations(plans)
  const gateway = new ApolloGateway({
    supergraphSdl:
      typeof supergraph === 'string'
        ? plannable(supergraph)
        : supergraphUpdates(supergraph, log, (sdl) => plans.load(sdl)),
    buildService: (subgraph) => sources.use(subgraph),
    logger: log,
    debug: false,
    // Both follow NODE_ENV unless told: the product behaves the same in all of them.
    validateSupergraph: false,
    __exposeQueryPlanExperimental: false,
    experimental_didResolveQueryPlan: planner.didResolveQueryPlan,
  })
  return { gateway, plans, operations }
}

/** Holds what the gateway knows of the supergraph that it serves. */
interface Served {
  costs: CostModel
  roots: ProtectedRoots
  scopes: RootScopes
  /** The mutations of which an operation has one at most. */
  lone: ReadonlySet<string>
}

/** Follows what the supergraph of the moment says of costs and of roots that need a viewer. */
function servedSupergraph(
  gateway: ApolloGateway,
  { scalars = {}, usage }: GatewayOptions,
  callersSignIn: boolean,
): Served {
  const served: Served = {
    costs: { weights: new Map(), listSizes: new Map() },
    roots: new Set(),
    scopes: () => true,
    lone: new Set(),
  }
  gateway.onSchemaLoadOrUpdate(({ apiSchema, coreSupergraphSdl }) => {
    useScalars(apiSchema, scalars)
    served.costs = costModel(coreSupergraphSdl)
    if (callersSignIn) {
      served.roots = protectedRoots(coreSupergraphSdl, apiSchema)
      served.scopes = rootScopes(coreSupergraphSdl)
      served.lone = publicMutations(coreSupergraphSdl)
    }
    usage?.supergraphLoaded(coreSupergraphSdl)
  })
  return served
}

/** Makes errors safe to leave, and counts them. */
function errorFormatter(metrics: Metrics, foreignSubgraphs: boolean) {
  return (error: unknown, record: RequestRecord) => {
    const answer = answerError(error, record.requestId, record.log, foreignSubgraphs)
    const code = String(answer.extensions?.['code'])
    record.codes.add(code)
    metrics.errors.inc({ code: foreignSubgraphs && !/^[A-Z_]{1,40}$/.test(code) ? 'OTHER' : code })
    return answer
  }
}

/** Prepares what is expected, while requests are answered already. */
async function warm(
  operations: PreparedOperations,
  { expectedOperations, log }: Pick<GatewayOptions, 'expectedOperations' | 'log'>,
): Promise<void> {
  try {
    await operations.warm((await expectedOperations?.()) ?? [])
  } catch (error) {
    log.warn({ fault: error instanceof Error ? error.message : String(error) }, 'operations not prepared')
  }
}

/** Says once for a request what the subgraphs answered against the schema. */
function logNulls({ record }: GatewayContext, nulls: readonly CompletionFault[]): void {
  const shown = nulls.slice(0, 10).map(({ message, path }) => `${path.join('.')}: ${message}`)
  record.log.error(
    { requestId: record.requestId, count: nulls.length, nulls: shown },
    'subgraphs answered what the schema does not allow',
  )
}

/** The API schema is made from text, where a custom scalar accepts anything; these check. */
function useScalars(schema: GraphQLSchema, scalars: Readonly<Record<string, ScalarInput>>): void {
  for (const [name, scalar] of Object.entries(scalars)) {
    const type = schema.getType(name)
    if (!isScalarType(type)) continue
    const { parseValue, parseLiteral } = scalar
    Object.assign(type, {
      parseValue: (value: unknown) => (value === anyScalar ? value : parseValue(value)),
      parseLiteral,
    })
  }
}
