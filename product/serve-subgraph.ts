import { prepareDatabase } from '../database'
import { openBlobs } from '../kernel/blobs/open-blobs'
import { systemClock } from '../kernel/clock'
import { loadConfig, type Config } from '../kernel/process/config'
import type { Services } from '../kernel/context'
import { openDatabase } from '../kernel/connection/database'
import { createLogger, type Logger } from '../kernel/process/log'
import type { SubgraphName } from '../kernel/schema/subgraph-names'
import { openStore } from '../kernel/store/store'
import { startSubgraph } from '../kernel/execution/start-subgraph'
import type { SubgraphDefinition } from '../kernel/subgraph'
import { serveSubgraph, type SubgraphServer } from './subgraph-server'
import { openDataKeys } from '../kernel/encryption/open-keys'
import { loadTokenKeys } from '../kernel/sign-in/token-keys'
import { startBackground } from './background'

const exitWithinMs = 10_000

/**
 * Serves one subgraph in this process until SIGTERM or SIGINT, then lets requests under way finish. It needs
 * VIEWER_SECRET, the same as the gateway's. With DATABASE_URL_<NAME> it connects as that role and prepares nothing;
 * otherwise it prepares the database as `npm start` does, and shares the embedded server of one that runs.
 *
 * Faults of configuration, database or schema are printed and make the exit code 1.
 *
 * @param port to listen on; default PORT
 */
export function serve(definition: SubgraphDefinition, port?: number): void {
  serveUntilSignal(definition, port).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
}

async function serveUntilSignal(definition: SubgraphDefinition, port: number | undefined): Promise<void> {
  const config = loadConfig()
  const log = createLogger(config)
  const { viewerSecret } = config
  if (!viewerSecret) throw new Error('Set VIEWER_SECRET, the same for this subgraph and the gateway')
  const opened: (() => Promise<unknown>)[] = []
  let stopping: Promise<void> | undefined
  const stop = () =>
    (stopping ??= (async () => {
      for (const close of opened.splice(0).reverse()) await close()
    })())
  // Before the start, so that a signal meanwhile closes what was opened until then.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'stopping: requests under way may finish')
      void stop()
    })
  }
  try {
    const onLost = (error: Error) => {
      log.fatal({ error: error.message }, 'stopping')
      process.exitCode = 1
      void stop()
      // Whatever still waits for what is gone must not keep a supervisor from acting.
      setTimeout(() => process.exit(1), exitWithinMs).unref()
    }
    const server = await start(
      definition,
      { ...config, viewerSecret, port: port ?? config.port },
      log,
      opened,
      onLost,
    )
    if (stopping) await server.close()
    else process.stdout.write(`ready ${server.url}\n`)
  } catch (error) {
    if (stopping) return await stopping
    await stop()
    throw error
  }
}

async function start(
  definition: SubgraphDefinition,
  config: Config & { viewerSecret: string },
  log: Logger,
  opened: (() => Promise<unknown>)[],
  onLost: (error: Error) => void,
): Promise<SubgraphServer> {
  const store = await openStore(config, log)
  opened.push(() => store.close())
  const database = await openDatabase({
    url: await databaseUrl(definition.name, config, log, opened, onLost),
    entities: [...definition.entities],
    connections: config.databaseConnections,
    mode: config.databaseBinding,
    statementTimeoutMs: config.statementTimeoutMs,
    applicationName: `tenantgraph ${definition.name}`,
    warn: (message) => log.warn(message),
  })
  opened.push(() => database.close())
  const { keyValue, rateLimit, pubSub } = store
  const dataKeys = openDataKeys(config, (message) => log.info(message))
  opened.push(async () => dataKeys.close())
  const services: Services = {
    clock: systemClock,
    log,
    config,
    keyValue,
    rateLimit,
    pubSub,
    keys: loadTokenKeys(config),
    dataKeys,
    blobs: openBlobs(config),
  }
  const running = await startSubgraph(definition, database, services)
  opened.push(startBackground(definition.name, database, services))
  const server = await serveSubgraph(running, {
    port: config.port,
    host: config.host,
    viewerSecret: config.viewerSecret,
    log,
    ready: async () => {
      await database.rows({ tenantId: null }, { name: 'ready', text: 'SELECT 1' })
      await store.ping()
    },
  })
  opened.push(() => server.close())
  return server
}

async function databaseUrl(
  name: SubgraphName,
  config: Config,
  log: Logger,
  opened: (() => Promise<unknown>)[],
  onLost: (error: Error) => void,
): Promise<string> {
  const given = config.databaseUrls[name]
  if (given) return given
  const prepared = await prepareDatabase(config, log, { attach: true, onLost })
  opened.push(() => prepared.stop())
  return prepared.urlFor(name)
}
