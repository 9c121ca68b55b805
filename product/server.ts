import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PreparedDatabase } from '../database'
import type { SubgraphDataSource } from '../gateway/context'
import { examplesIn, explorer } from '../gateway/http/explorer'
import { startGateway, type GatewayOptions } from '../gateway/gateway'
import type { Limits } from '../gateway/operations/limits'
import { localDataSource } from '../gateway/subgraphs/local'
import { createMetrics } from '../gateway/http/metrics'
import { readPersistedDocuments } from '../gateway/operations/persisted-documents'
import { apiKeyViewers, oneOf } from '../gateway/operations/api-key-viewer'
import { operationsInManifest, recordedOperations } from '../gateway/plans/expected-operations'
import { planStore, type PlanStore } from '../gateway/plans/plan-store'
import { remoteDataSource, signedHeaders } from '../gateway/subgraphs/remote'
import { holdSingleInstance } from '../gateway/single-instance'
import { usageRecorder } from '../gateway/operations/usage'
import { databaseUsageStore } from '../gateway/operations/usage-store'
import { sessionViewers } from '../gateway/operations/viewer'
import { subgraphs } from '../subgraphs'
import { openBlobs } from '../kernel/blobs/open-blobs'
import { systemClock, type Clock } from '../kernel/clock'
import { demoDocuments, projectRoot, type Config } from '../kernel/process/config'
import type { Services } from '../kernel/context'
import { openDatabase, type Binding, type Database, type Statement } from '../kernel/connection/database'
import { assertFreeSpace } from '../kernel/process/free-space'
import type { Logger } from '../kernel/process/log'
import { eventDispatcher } from '../kernel/events/dispatcher'
import { openStore } from '../kernel/store/store'
import { subgraphNames, type SubgraphName } from '../kernel/schema/subgraph-names'
import { entityModels, type EntityModel } from '../kernel/schema/entity-model'
import { scalars } from '../kernel/schema/scalars'
import { startSubgraph, type RunningSubgraph } from '../kernel/subgraph'
import type { SchemaVariant } from '../kernel/schema/subgraph-schema'
import { openDataKeys } from '../kernel/encryption/open-keys'
import { loadTokenKeys } from '../kernel/sign-in/token-keys'
import { startBackground } from './background'

/** Says how long a server of somebody else counts as full after it refused a write: its disk cannot be asked. */
const diskFullForMs = 30_000

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
  /** Lets requests under way finish, then lets go of everything it opened. */
  close(): Promise<void>
}

/**
 * Says how many connections each role's pool gets of the total. Nobody gets fewer than three: a tenant leaves one of
 * them to the others, and with one alone its transactions would stop its reads.
 */
export function connectionsPerRole(total: number, roles: number): number {
  return Math.max(3, Math.floor(total / roles))
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
    const services: Services = {
      clock,
      log,
      config,
      keyValue: store.keyValue,
      rateLimit: store.rateLimit,
      pubSub: store.pubSub,
      keys: loadTokenKeys(config),
      dataKeys,
      blobs: openBlobs(config),
    }
    if (!store.shared) {
      const onLost =
        options.onFatal ?? ((error: Error) => log.fatal({ error: error.message }, 'instance claim lost'))
      opened.push(await holdSingleInstance({ url: options.database.urlFor('gateway'), log, onLost }))
    }
    let diskFullAt = -Infinity
    const remote: Partial<Record<SubgraphName, string>> =
      config.subgraphs === 'in-process' ? {} : config.subgraphs
    const local = subgraphs.filter(({ name }) => !remote[name])
    const connections = connectionsPerRole(config.databaseConnections, local.length + 1)

    const sources: Database[] = []
    const open = async (role: SubgraphName | 'gateway', entities: readonly unknown[]): Promise<Database> => {
      const database = await openDatabase({
        url: options.database.urlFor(role),
        entities: entities as Parameters<typeof openDatabase>[0]['entities'],
        connections,
        mode: config.databaseBinding,
        statementTimeoutMs: config.statementTimeoutMs,
        applicationName: `tenantgraph ${role}`,
        warn: (message) => log.warn({ role }, message),
        onDiskFull: () => (diskFullAt = performance.now()),
        onStatement: (statement, binding) => {
          metrics.statements.inc({ role })
          options.onStatement?.(role, statement, binding)
        },
      })
      opened.push(() => database.close())
      sources.push(database)
      return options.around?.(role, database) ?? database
    }

    const [gatewayDatabase, ...running] = await Promise.all([
      open('gateway', []),
      ...local.map(async (definition) => {
        const own = await open(definition.name, definition.entities)
        const subgraph = await startSubgraph(definition, own, services, options.variants?.[definition.name])
        opened.push(startBackground(definition.name, own, services, options.backgroundMs))
        return subgraph
      }),
    ])
    const byName = new Map(running.map((subgraph) => [subgraph.name, subgraph]))
    for (const subgraph of running) opened.push(() => subgraph.close())

    if (config.jobs) {
      const { eventLog, pubSub } = store
      const dispatcher = eventDispatcher({ database: gatewayDatabase, eventLog, pubSub, log })
      dispatcher.start()
      opened.push(() => dispatcher.stop())
    }
    const usage = usageRecorder({
      store: databaseUsageStore(gatewayDatabase),
      clock,
      log,
      intervalMs: options.usageIntervalMs,
    })
    opened.push(() => usage.close())
    const finding = {
      database: gatewayDatabase,
      // Another process that revokes sessions would not reach this process's memory.
      cache: store.shared || config.subgraphs === 'in-process' ? services.keyValue : null,
      clock,
      log,
    }
    const gateway = await startGateway({
      supergraph: readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8'),
      dataSource: ({ name }) => dataSource(name, byName, remote, config, clock, log),
      resolveViewer: oneOf(
        sessionViewers({ ...finding, keys: services.keys, issuer: config.tokenIssuer }),
        apiKeyViewers({ ...finding, rates: store.rateLimit }),
      ),
      log,
      host: config.host,
      port: config.port,
      clock,
      limits: { pageLimit: config.pageLimit, ...options.limits },
      metrics,
      rates: {
        anonymousPerMinute: config.anonymousPerMinute,
        tenantCostPerMinute: config.tenantCostPerMinute,
      },
      rateStore: store.rateLimit,
      connections: { perAddress: config.connectionsPerAddress },
      schemaVisibility: config.introspection,
      checks: {
        database: () => gatewayDatabase.rows({ tenantId: null }, { name: 'ready', text: 'SELECT 1' }),
        store: () => store.ping(),
        disk: async () => {
          if (performance.now() - diskFullAt < diskFullForMs)
            throw new Error('the database server has no room left for writes')
          if (config.databaseUrl === null) await assertFreeSpace(config.dataDir)
        },
      },
      trustProxy: config.trustProxy,
      scalars,
      usage,
      persistedDocuments: readPersistedDocuments(config.persistedDocuments),
      documents: config.documents,
      makePlans: options.makePlans,
      planStore: sharedPlans(services, store.shared),
      // Planned here, they would be in everybody's way.
      expectedOperations: async () =>
        options.makePlans === 'here'
          ? []
          : [
              ...operationsInManifest(demoDocuments),
              ...config.persistedDocuments
                .filter((file) => file !== demoDocuments)
                .flatMap(operationsInManifest),
              ...(await recordedOperations(gatewayDatabase)),
            ],
      explorer:
        config.introspection === 'public'
          ? explorer(examplesIn(join(projectRoot, 'test', 'operations')))
          : undefined,
    })
    opened.push(() => gateway.close())
    const encryptedModels = sources.flatMap(({ dataSource }) =>
      [...entityModels(dataSource).values()].filter(({ encrypted }) => encrypted.size > 0),
    )
    return { url: gateway.url, services, subgraphs: byName, encryptedModels, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Plans for all gateways, where they share a store and a secret that nobody else has. */
function sharedPlans({ config, keys, keyValue, log }: Services, shared: boolean): PlanStore | undefined {
  const secret = config.viewerSecret ?? keys.privateKey?.export({ format: 'jwk' }).d
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
