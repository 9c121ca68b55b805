import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { prepareDatabase } from '../database'
import { attachEmbedded } from '../database/embedded'
import { asOwner } from '../database/migrate'
import { databaseStatements } from '../database/roles'
import { loadConfig, type Config } from '../kernel/process/config'
import { createLogger, type Logger } from '../kernel/process/log'
import type { SubgraphName } from '../kernel/schema/subgraph-names'

/** A migrated database that is there to be attacked. */
export interface Stage {
  superuserUrl: string
  /** As the owner of every table. */
  migratorUrl: string
  urlFor(role: SubgraphName | 'gateway'): string
}

/** The product on an instance of its own: an embedded PostgreSQL in a folder that goes away again. */
export async function openStage(
  env: NodeJS.ProcessEnv = {},
): Promise<Stage & { config: Config; log: Logger; close(): Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'isolation-'))
  const config = stageConfig(dataDir, env)
  const log = createLogger(config)
  try {
    const database = await prepareDatabase(config, log)
    const server = attachEmbedded(dataDir)
    if (!server) throw new Error('The proof needs an embedded PostgreSQL: unset DATABASE_URL')
    const superuserUrl = server.superuserUrl(new URL(database.migratorUrl).pathname.slice(1))
    // Nothing here outlives the run.
    await asSuperuser({ superuserUrl }, [
      'ALTER SYSTEM SET fsync = off',
      'ALTER SYSTEM SET full_page_writes = off',
      'ALTER SYSTEM SET synchronous_commit = off',
      "ALTER SYSTEM SET max_wal_size = '4GB'",
      'SELECT pg_reload_conf()',
    ])
    const close = async () => {
      await database.stop()
      rmSync(server.cluster, { recursive: true, force: true })
      rmSync(dataDir, { recursive: true, force: true })
    }
    return { superuserUrl, migratorUrl: database.migratorUrl, urlFor: database.urlFor, config, log, close }
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true })
    throw error
  }
}

/** The product's defaults, on any free port. `env` may only add to them. */
export function stageConfig(dataDir: string, env: NodeJS.ProcessEnv = {}): Config {
  // What comes by itself is nobody's attack.
  const quiet = { LOG_LEVEL: 'silent', JOBS: 'off' }
  return loadConfig({ NODE_ENV: 'test', PORT: '0', DATA_DIR: dataDir, ...quiet, ...env })
}

/** Runs statements one by one as the superuser, in one session. */
export async function asSuperuser(
  stage: Pick<Stage, 'superuserUrl'>,
  statements: readonly string[],
): Promise<void> {
  const client = new Client({ connectionString: stage.superuserUrl })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

/** A copy of a stage on the same server, which nobody may be connected to meanwhile. */
export async function copyOf(stage: Stage): Promise<Stage & { drop(): Promise<void> }> {
  const original = new URL(stage.superuserUrl).pathname.slice(1)
  const name = `isolation_${randomBytes(6).toString('hex')}`
  const inside = (url: string) => {
    const copy = new URL(url)
    copy.pathname = `/${name}`
    return copy.href
  }
  const server = { superuserUrl: withDatabase(stage.superuserUrl, 'postgres') }
  await asSuperuser(server, [
    `CREATE DATABASE ${name} OWNER app_owner TEMPLATE ${original} STRATEGY file_copy`,
    ...databaseStatements(name),
  ])
  return {
    superuserUrl: inside(stage.superuserUrl),
    migratorUrl: asOwner(inside(stage.migratorUrl)),
    urlFor: (role) => inside(stage.urlFor(role)),
    drop: () => asSuperuser(server, [`DROP DATABASE ${name} WITH (FORCE)`]),
  }
}

function withDatabase(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.href
}
