import { parseArgs } from 'node:util'
import { prepareDatabase } from '../database'
import { loadDemoData } from '../database/demo'
import { demoSlugs } from '../database/demo/ids'
import { demoSignIns } from '../database/demo/users'
import { makeKeysOfTenants } from '../database/encrypt-rows'
import { openDataKeys } from '../kernel/encryption/open-keys'
import { loadConfig } from '../kernel/process/config'
import { createLogger } from '../kernel/process/log'
import { oneTimePassword } from '../kernel/sign-in/password'

const usage = `Usage: npm run seed

Fills an empty database with the demo tenants ${demoSlugs.join(' and ')}, their users and some hundreds of rows in every list.
\`npm start\` does this by itself when it makes an embedded database.

  --help    print this

The database is the configured one (DATABASE_URL), or else the embedded one, whether or not the server runs. On a
server of your own the demo users get a password made for this once, and not DEMO_PASSWORD.`

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { help: { type: 'boolean' } } })
  if (values.help) return console.log(usage)
  const config = loadConfig()
  const log = createLogger({ ...config, logLevel: 'warn' })
  const database = await prepareDatabase(config, log, { attach: true })
  try {
    if (!database.empty)
      throw new Error(
        'This database has tenants already: demo data goes into an empty one only. Choose another DATABASE_URL or DATA_DIR.',
      )
    // A password that is known from the documentation must not open a database that others can reach.
    const demoPassword = database.embedded ? config.demoPassword : oneTimePassword()
    await loadDemoData({ demoPassword }, database, (line) => console.log(line))
    const dataKeys = openDataKeys(config, (line) => console.log(line))
    await makeKeysOfTenants(database.migratorUrl, dataKeys)
    dataKeys.close()
    for (const line of demoSignIns(demoPassword)) console.log(line)
  } finally {
    await database.stop()
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
})
