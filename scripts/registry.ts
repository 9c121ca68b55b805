/** The registry and the usage in the configured database, beside a running server or without one. */
export async function openRegistry() {
  // Loaded only when a command asks for it: TypeORM takes longer to load than a check takes to run.
  const [
    { openServer, prepareDatabase },
    { migrationStates },
    { loadConfig },
    { createLogger },
    { openDatabase },
    registry,
  ] = await Promise.all([
    import('../database/index.js'),
    import('../database/migrate.js'),
    import('../kernel/process/config.js'),
    import('../kernel/process/log.js'),
    import('../kernel/connection/database.js'),
    import('../registry/versions/database-store.js'),
  ])
  const config = loadConfig()
  const log = createLogger({ logLevel: 'error' })
  // A server that others work with is only looked at: whoever asks for usage changes neither its roles nor its tables.
  const prepared = config.databaseUrl
    ? await openServer(config, log, { change: false })
    : await prepareDatabase(config, log, { attach: true })
  const pending = (await migrationStates(prepared.migratorUrl)).filter(({ applied }) => !applied)
  if (pending.length > 0)
    throw new Error(
      `The database lacks ${pending.length} migrations, ${pending[0]!.name} first: npm run migrate applies them.`,
    )
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
