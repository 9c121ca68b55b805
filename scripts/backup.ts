import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openServer } from '../database'
import { writeBackup } from '../database/backup/backup'
import { loadConfig } from '../kernel/process/config'
import { createLogger } from '../kernel/process/log'

const help = `Writes all tenants' rows, as they stand at one moment, into one file, while the product runs.

  npm run backup                 into tenantgraph-<time>.backup.gz in this folder
  npm run backup -- --to FILE    into FILE, which must not exist yet

The database is DATABASE_URL's, or the embedded one in DATA_DIR. A file that was not written whole does not stay. It
holds every row in clear: keep it as you keep the database. The secrets of .env and DATA_DIR are not in it.
docs/runbooks/database.md says how to restore it.`

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { to: { type: 'string' }, help: { type: 'boolean', short: 'h' } } })
  if (values.help) return console.log(help)
  const file = resolve(values.to ?? `tenantgraph-${new Date().toISOString().replace(/[:.]/g, '-')}.backup.gz`)
  const config = loadConfig()
  const log = createLogger({ ...config, logLevel: 'warn' })
  const server = await openServer(config, log, { attach: true, change: false })
  try {
    const { tables, rows, bytes } = await writeBackup(server.migratorUrl, file, (table, count) =>
      console.log(`${String(count).padStart(10)}  ${table}`),
    )
    console.log(`wrote ${file}: ${rows} rows of ${tables.length} tables, ${bytes} bytes`)
  } finally {
    await server.stop()
  }
}

main().catch((error: Error) => {
  console.error(`No backup was made. ${error.message}`)
  process.exitCode = 1
})
