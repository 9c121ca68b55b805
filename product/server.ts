import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PreparedDatabase } from '../database'
import type { SubgraphDataSource } from '../gateway/context'
import { exportTrail } from '../gateway/exports/export-trail'
import { startGateway, type GatewayOptions } from '../gateway/gateway'
import type { Limits } from '../gateway/operations/limits'
import type { ChangeSource } from '../gateway/live/change-feeds'
import type { LiveOptions } from '../gateway/live/live-requests'
import { localDataSource } from '../gateway/subgraphs/local'
import { createMetrics } from '../gateway/http/metrics'
import { readPersistedDocuments } from '../gateway/operations/persisted-documents'
import { dashboardDocuments } from '../gateway/http/dashboard'
import { Explanations } from '../gateway/operations/explanations'
import { apiKeyViewers, oneOf } from '../gateway/operations/api-key-viewer'
import {
  operationsInManifest,
  recordedOperations,
  type ExpectedOperation,
} from '../gateway/plans/expected-operations'
import { planStore, type PlanStore } from '../gateway/plans/plan-store'
import { remoteDataSource, signedHeaders } from '../gateway/subgraphs/remote'
import { holdSingleInstance } from '../gateway/single-instance'
import { usageRecorder } from '../gateway/operations/usage'
import { databaseUsageStore } from '../gateway/operations/usage-store'
import { sessionViewers, type ViewerResolver } from '../gateway/operations/viewer'
import { subgraphs } from '../subgraphs'
import { openBlobs } from '../kernel/blobs/open-blobs'
import { systemClock, type Clock } from '../kernel/clock'
import { demoDocuments, projectRoot, type Config } from '../kernel/process/config'
import type { Services } from '../kernel/context'
import type { Binding, Database, Statement } from '../kernel/connection/database'
import type { Logger } from '../kernel/process/log'
import { eventDispatcher, eventTopic } from '../kernel/events/dispatcher'
import { readEvents } from '../kernel/events/read-events'
import { openStore } from '../kernel/store/store'
import { subgraphNames, type SubgraphName } from '../kernel/schema/subgraph-names'
import type { EntityModel } from '../kernel/schema/entity-model'
import { scalars } from '../kernel/schema/scalars'
import { startSubgraph } from '../kernel/execution/start-subgraph'
import type { RunningSubgraph } from '../kernel/subgraph'
import type { SchemaVariant } from '../kernel/schema/subgraph-schema'
import { openDataKeys } from '../kernel/encryption/open-keys'
import { loadTokenKeys } from '../kernel/sign-in/token-keys'
import type { Store } from '../kernel/store/key-value'
import { startBackground } from './background'
import { explainedDatabase } from './explained-database'
import { pagesOf } from './pages'
import { roleDatabases } from './role-databases'

export interface ServerOptions {
  config: Config
  log: Logger
  /** Migrated and with its roles; the caller stops it after {@link RunningServer.close}. */
  database: Pick<PreparedDatabase, 'urlFor'>
  clock?: Clock
  limits?: Partial<Limits>
  makePlans?: GatewayOptions['makePlans']
  /** Milliseconds between two writes of recorded usage. */
  usageIntervalMs?: number
  /** Milliseconds between two runs of what goes on beside requests, such as sending mails; each has its own default. */
  backgroundMs?: number
  /** Bounds and times of streams, for tests. */
  live?: Partial<Omit<LiveOptions, 'source' | 'secret'>>
  /** This process can no longer keep its promises, and says why: stop it. */
  onFatal?: (error: Error) => void
  /** Sees every statement that a subgraph or the gateway sends, with its role. For tests and benchmarks. */
  onStatement?: (role: SubgraphName | 'gateway', statement: Statement, binding: Binding) => void
  /** Parts of single subgraphs exchanged in code, by tests and benchmarks; no configuration reaches them. */
  variants?: Partial<Record<SubgraphName, SchemaVariant>>
  /** Puts something between a role and its database: the proof of isolation takes walls away with it. As above. */
  around?: (role: SubgraphName | 'gateway', database: Database) => Database
}

export interface RunningServer {
  /** Of the GraphQL endpoint. */
  url: string
  services: Services
  /** Those that run in this process. */
  subgraphs: ReadonlyMap<SubgraphName, RunningSubgraph>
  /** Entities with encrypted columns, of the subgraphs in this process. */
  encryptedModels: readonly EntityModel[]
  /** Hands on the events that transactions wrote, at once instead of within a quarter of a second; answers how many. */
  dispatchEvents(): Promise<number>
  /** Lets requests under way finish, then lets go of everything it opened. */
  close(): Promise<void>
}

/**
 * The whole product in this process: the store, each subgraph that is not configured elsewhere with a database
 * connection of its own role, and the gateway over all of them. What was opened is closed again when a part fails.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, log, clock = systemClock } = options
  const metrics = createMetrics()
  const opened: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const closePart of opened.splice(0).reverse()) await closePart()
  }
  try {
    const store = await openStore(config, log)
    opened.push(() => store.close())
    const dataKeys = openDataKeys(config, (message) => log.info(message))
    opened.push(async () => dataKeys.close())
    const services = servicesOf(config, log, clock, store, dataKeys)
    if (!store.shared) {
      const onLost =
        options.onFatal ?? ((error: Error) => log.fatal({ error: error.message }, 'instance claim lost'))
      opened.push(await holdSingleInstance({ url: options.database.urlFor('gateway'), log, onLost }))
    }
    const remote: Partial<Record<SubgraphName, string>> =
      config.subgraphs === 'in-process' ? {} : config.subgraphs
    const local = subgraphs.filter(({ name }) => !remote[name])
    const { explanations, around, source } = explaining(options)
    const roles = roleDatabases({
      ...{ config, log, database: options.database, metrics, onStatement: options.onStatement, around },
      roles: local.length + 1,
    })
    opened.push(() => roles.close())

    const [gatewayDatabase, ...running] = await Promise.all([
      roles.open('gateway', []),
      ...local.map(async (definition) => {
        const own = await roles.open(definition.name, definition.entities)
        const subgraph = await startSubgraph(definition, own, services, options.variants?.[definition.name])
        opened.push(startBackground(definition.name, own, services, options.backgroundMs))
        return subgraph
      }),
    ])
    const byName = new Map(running.map((subgraph) => [subgraph.name, subgraph]))
    for (const subgraph of running) opened.push(() => subgraph.close())

    const events = eventDispatcher({ database: gatewayDatabase, ...store, log })
    opened.push(() => events.stop())
    if (config.jobs) events.start()
    const usage = usageRecorder({
      store: databaseUsageStore(gatewayDatabase),
      clock,
      log,
      intervalMs: options.usageIntervalMs,
    })
    opened.push(() => usage.close())
    const gateway = await startGateway({
      ...gatewaySettings(config),
      dataSource: ({ name }) => source(name, dataSource(name, byName, remote, config, clock, log)),
      explanations,
      resolveViewer: viewers(gatewayDatabase, store, services),
      log,
      clock,
      limits: { pageLimit: config.pageLimit, ...options.limits },
      metrics,
      rateStore: store.rateLimit,
      checks: {
        database: () => gatewayDatabase.rows({ tenantId: null }, { name: 'ready', text: 'SELECT 1' }),
        store: () => store.ping(),
        disk: () => roles.assertRoomForWrites(),
      },
      scalars,
      usage,
      exports: { trail: exportTrail(gatewayDatabase, clock), nestedPageLimit: config.nestedPageLimit },
      makePlans: options.makePlans,
      planStore: sharedPlans(services, store.shared),
      live: { ...options.live, source: changesOf(gatewayDatabase, store), secret: gatewaySecret(services) },
      // Planned here, they would be in everybody's way.
      expectedOperations: async () =>
        options.makePlans === 'here' ? [] : expectedOperations(config, gatewayDatabase),
    })
    opened.push(() => gateway.close())
    const encryptedModels = roles.models().filter(({ encrypted }) => encrypted.size > 0)
    return {
      ...{ url: gateway.url, services, subgraphs: byName, encryptedModels, close },
      dispatchEvents: () => events.dispatch(),
    }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Makes what notes how operations are answered, at databases and subgraphs. It tells of tables, so it is there only where the schema
 * is for everybody to see.
 */
function explaining({ config, around: outer }: ServerOptions) {
  const explanations = config.introspection === 'public' ? new Explanations() : undefined
  return {
    explanations,
    around: (role: SubgraphName | 'gateway', opened: Database): Database => {
      const database = explanations ? explainedDatabase(role, opened, explanations) : opened
      return outer?.(role, database) ?? database
    },
    source: (name: string, of: SubgraphDataSource) => explanations?.source(name, of) ?? of,
  }
}

function servicesOf(
  config: Config,
  log: Logger,
  clock: Clock,
  { keyValue, rateLimit, pubSub }: Store,
  dataKeys: Services['dataKeys'],
): Services {
  const keys = loadTokenKeys(config)
  return { clock, log, config, keyValue, rateLimit, pubSub, keys, dataKeys, blobs: openBlobs(config) }
}

/** Options of the gateway that come from the configuration and from files. */
function gatewaySettings(config: Config) {
  return {
    supergraph: readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8'),
    host: config.host,
    port: config.port,
    rates: {
      anonymousPerMinute: config.anonymousPerMinute,
      tenantCostPerMinute: config.tenantCostPerMinute,
    },
    connections: { perAddress: config.connectionsPerAddress },
    schemaVisibility: config.introspection,
    trustProxy: config.trustProxy,
    persistedDocuments: readPersistedDocuments(
      config.persistedDocuments,
      config.dashboard ? dashboardDocuments() : [],
    ),
    documents: config.documents,
    pages: pagesOf(config),
    corsOrigins: config.corsOrigins,
  } satisfies Partial<GatewayOptions>
}

/** Says who asks: whoever has signed in, or comes with an API key. */
function viewers(database: Database, store: Store, services: Services): ViewerResolver {
  const { config, clock, log, keyValue, keys } = services
  // Another process that revokes sessions would not reach this process's memory.
  const cache = store.shared || config.subgraphs === 'in-process' ? keyValue : null
  const finding = { database, cache, clock, log }
  return oneOf(
    sessionViewers({ ...finding, keys, issuer: config.tokenIssuer }),
    apiKeyViewers({ ...finding, rates: store.rateLimit }),
  )
}

/** The place where streams read what changed: the log that the dispatcher fills. */
function changesOf(database: Database, { eventLog, pubSub }: Store): ChangeSource {
  return {
    read: (tenantId, after, most) => readEvents({ database, eventLog }, tenantId, after, most),
    subscribe: (tenantId, wake) => pubSub.subscribe(eventTopic(tenantId), wake),
  }
}

/** Operations that clients are known to send: of manifests, and of those recorded before. */
async function expectedOperations(config: Config, database: Database): Promise<ExpectedOperation[]> {
  const manifests = config.persistedDocuments.filter((file) => file !== demoDocuments)
  return [
    ...[demoDocuments, ...manifests].flatMap(operationsInManifest),
    ...(await recordedOperations(database)),
  ]
}

/** Returns what the gateways of an installation know and nobody else does; null where there is nothing. */
function gatewaySecret({ config, keys }: Services): string | null {
  return config.viewerSecret ?? keys.privateKey?.export({ format: 'jwk' }).d ?? null
}

/** Plans for all gateways, where they share a store and a secret that nobody else has. */
function sharedPlans(services: Services, shared: boolean): PlanStore | undefined {
  const { keyValue, log } = services
  const secret = gatewaySecret(services)
  return shared && secret ? planStore(keyValue, secret, log) : undefined
}

function dataSource(
  name: string,
  local: ReadonlyMap<SubgraphName, RunningSubgraph>,
  remote: Partial<Record<SubgraphName, string>>,
  config: Config,
  clock: Clock,
  log: Logger,
): SubgraphDataSource {
  const known = subgraphNames.find((one) => one === name)
  if (!known)
    throw new Error(
      `The supergraph has a subgraph "${name}" that this product does not: run npm run schema -- compose`,
    )
  const running = local.get(known)
  if (running) return localDataSource(running)
  const url = remote[known]
  if (!url || !config.viewerSecret)
    throw new Error(`Say in SUBGRAPHS where ${name} answers, and set VIEWER_SECRET`)
  return remoteDataSource({ name, url, headers: signedHeaders(config.viewerSecret, known, clock), log })
}
