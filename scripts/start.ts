import { prepareDatabase } from '../database'
import { ConfigError, loadConfig } from '../kernel/process/config'
import { createLogger } from '../kernel/process/log'
import { loadDemoData } from '../database/demo'
import { demoSignIns } from '../database/demo/users'
import { encryptClearRows, makeKeysOfTenants } from '../database/encrypt-rows'
import { openDataKeys } from '../kernel/encryption/open-keys'
import type { RunningServer } from '../product/server'

const exitWithinMs = 10_000

/** `npm start`: database, subgraphs and gateway in one process, until SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const config = loadConfig()
  const log = createLogger(config)
  let stopping: Promise<void> | undefined
  let server: RunningServer | undefined
  const onFatal = (error: Error) => {
    log.fatal({ error: error.message }, 'stopping')
    void stop(1)
    // Whatever still waits for what is gone must not keep a supervisor from acting.
    setTimeout(() => process.exit(1), exitWithinMs).unref()
  }
  // Modules are read while PostgreSQL starts.
  const [database, { startServer }] = await Promise.all([
    prepareDatabase(config, log, { onLost: onFatal }),
    import('../product/server.js'),
  ])
  const stop = (exitCode: number): Promise<void> => {
    process.exitCode = exitCode
    return (stopping ??= (async () => {
      await server?.close()
      await database.stop()
    })())
  }
  // Before the server starts, so that a signal during the start stops PostgreSQL too.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, stopping ? 'already stopping' : 'stopping: requests under way may finish')
      void stop(0)
    })
  }
  try {
    if (database.empty && database.embedded) {
      await loadDemoData(config, database, (line) => console.log(line))
      for (const line of demoSignIns(config.demoPassword)) console.log(line)
    }
    const dataKeys = openDataKeys(config, (message) => log.info(message))
    await makeKeysOfTenants(database.migratorUrl, dataKeys)
    dataKeys.close()
    server = await startServer({
      config,
      log,
      database,
      onFatal,
    })
    // Rows from before their columns were encrypted, and demo data.
    const { services, encryptedModels } = server
    const rows = await encryptClearRows(database.migratorUrl, services.dataKeys, encryptedModels)
    if (rows > 0) log.info({ rows }, 'rows encrypted')
    if (stopping) await server.close()
    else {
      console.log(`ready ${server.url}`)
      if (process.stdout.isTTY && config.dashboard)
        console.log(`open ${new URL('/', server.url).href} in a browser: dashboard, explorer, reference`)
    }
  } catch (error) {
    if (stopping) return void (await stopping)
    await stop(1)
    throw error
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError || error instanceof Error ? error.message : error)
  process.exitCode = 1
})
