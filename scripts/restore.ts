import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openServer } from '../database'
import { readBackup } from '../database/backup/restore'
import { loadConfig } from '../kernel/process/config'
import { createLogger } from '../kernel/process/log'

const help = `Fills an empty database with a backup: all of it, or nothing.

  npm run restore -- --from FILE

The database is DATABASE_URL's, or the embedded one in DATA_DIR; it must have no tenants. Roles and tables are made.
Every table must come to the number of rows and the digest that the backup has, or nothing is kept. A backup of an older
version is brought up to date afterwards. docs/runbooks/database.md walks through it.`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { from: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) return console.log(help)
  if (!values.from) throw new Error(`Say which file: --from FILE\n\n${help}`)
  const config = loadConfig()
  const server = await openServer(config, createLogger({ ...config, logLevel: 'warn' }), { attach: true })
  try {
    const restored = await readBackup(server.migratorUrl, resolve(values.from), (table, count) =>
      console.log(`${String(count).padStart(10)}  ${table}`),
    )
    for (const name of restored.migrations) console.log(`applied ${name}`)
    console.log(
      `restored ${restored.rows} rows of ${restored.tables.length} tables, as they were at ${restored.takenAt}; ` +
        'every count and digest is that of the backup',
    )
  } finally {
    await server.stop()
  }
}

main().catch((error: Error) => {
  console.error(error.message)
  process.exitCode = 1
})
