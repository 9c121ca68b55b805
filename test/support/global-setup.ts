import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { clusterFolder } from '../../database/cluster'
import { startEmbedded, type EmbeddedServer } from '../../database/embedded'
import { stopLeftover } from '../../database/stale-server'
import { isHeld } from '../../database/lock-file'
import { migrateUp } from '../../database/migrate'
import {
  databaseStatements,
  migratorRole,
  rolePassword,
  roleStatements,
  underRolesLock,
} from '../../database/roles'
import { asSuperuser, databaseUrls, templateDatabase, type TestServer } from './postgres'

declare global {
  var testCluster: { server: EmbeddedServer; dataDir: string } | undefined
}

const prefix = 'tenantgraph-test-'
const quiet = { info: () => undefined, error: (message: string) => console.error(message) }

/** One PostgreSQL for the whole run: roles once, and one migrated template that each test file copies. */
export default async function setup(): Promise<void> {
  await removeAbandoned()
  const dataDir = mkdtempSync(join(tmpdir(), prefix))
  chmodSync(dataDir, 0o755) // PostgreSQL's user passes through
  const server = await startEmbedded({
    dataDir,
    binaries: process.env.TEST_POSTGRES_BIN,
    durable: false,
    settings: { max_connections: '300', max_locks_per_transaction: '256', autovacuum: 'off' },
    log: quiet,
  })
  globalThis.testCluster = { server, dataDir }
  const test: TestServer = {
    port: server.port,
    version: server.version,
    superuserPassword: new URL(server.superuserUrl()).password,
    roleSecret: randomBytes(32).toString('base64url'),
  }
  process.env.TEST_POSTGRES = JSON.stringify(test)
  process.env.TEST_RUN = join(dataDir, 'once')
  mkdirSync(process.env.TEST_RUN)
  const client = new Client({ connectionString: server.superuserUrl() })
  await client.connect()
  await underRolesLock(
    client,
    roleStatements({
      secret: test.roleSecret,
      migrator: migratorRole,
      migratorPassword: rolePassword(test.roleSecret, migratorRole),
    }),
  )
  await client.end()
  await asSuperuser(test, [
    `CREATE DATABASE ${templateDatabase} OWNER app_owner`,
    ...databaseStatements(templateDatabase),
  ])
  await migrateUp(databaseUrls(test, templateDatabase).migratorUrl)
  // A template with an open session cannot be copied.
  await asSuperuser(test, [
    `ALTER DATABASE ${templateDatabase} ALLOW_CONNECTIONS false IS_TEMPLATE true`,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${templateDatabase}'`,
  ])
}

/** Runs that were killed leave their server behind. */
async function removeAbandoned(): Promise<void> {
  for (const entry of readdirSync(tmpdir()).filter((name) => name.startsWith(prefix))) {
    const dataDir = join(tmpdir(), entry)
    const folder = join(dataDir, 'database')
    // Without a lock file it is just being made, or removed, by another run.
    if (!existsSync(join(folder, 'lock')) || isHeld(join(folder, 'lock'))) continue
    try {
      await stopLeftover(clusterFolder(folder))
      rmSync(dataDir, { recursive: true, force: true })
    } catch {
      continue // another user's, or being removed by another run
    }
  }
}
