import { setFlagsFromString } from 'node:v8'
import { run } from '../registry/cli'
import { projectRoot } from '../subgraphs/shared/config'

// Composition makes far more short-lived objects than V8 expects of a program this short: a third of its time was
// collecting them.
setFlagsFromString('--max-semi-space-size=64')

/** The registry and the usage in the configured database, beside a running server or without one. */
async function openRegistry() {
  // Loaded only when a command asks for it: TypeORM takes longer to load than a check takes to run.
  const [{ prepareDatabase }, { loadConfig }, { createLogger }, { openDatabase }, registry] =
    await Promise.all([
      import('../database/index.js'),
      import('../subgraphs/shared/config.js'),
      import('../subgraphs/shared/log.js'),
      import('../subgraphs/shared/database.js'),
      import('../registry/database-store.js'),
    ])
  const config = loadConfig()
  const prepared = await prepareDatabase(config, createLogger({ logLevel: 'error' }), { attach: true })
  try {
    const database = await openDatabase({
      url: prepared.urlFor('gateway'),
      entities: [],
      connections: 2,
      mode: config.databaseBinding,
      statementTimeoutMs: config.statementTimeoutMs,
      applicationName: 'tenantgraph schema',
    })
    return {
      store: registry.databaseStore(database),
      usage: (since: string) => registry.recordedUsage(database, since),
      close: async () => {
        await database.close()
        await prepared.stop()
      },
    }
  } catch (error) {
    await prepared.stop()
    throw error
  }
}

async function main(): Promise<number> {
  let registry: ReturnType<typeof openRegistry> | undefined
  try {
    return await run(process.argv.slice(2), {
      cwd: projectRoot,
      out: (text) => console.log(text),
      now: Date.now,
      database: () => (registry ??= openRegistry()),
    })
  } finally {
    await (await registry?.catch(() => undefined))?.close()
  }
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 3
  },
)
