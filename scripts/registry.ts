/** The registry and the usage in the configured database, beside a running server or without one. */
export async function openRegistry() {
  // Loaded only when a command asks for it: TypeORM takes longer to load than a check takes to run.
  const [{ prepareDatabase }, { loadConfig }, { createLogger }, { openDatabase }, registry] =
    await Promise.all([
      import('../database/index.js'),
      import('../kernel/process/config.js'),
      import('../kernel/process/log.js'),
      import('../kernel/connection/database.js'),
      import('../registry/versions/database-store.js'),
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
