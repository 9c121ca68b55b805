import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'

import type { Config } from '../kernel/process/config'
import type { Logger } from '../kernel/process/log'
import type { SubgraphName } from '../kernel/schema/subgraph-names'
import { keptSecret } from './cluster'
import { attachEmbedded, startEmbedded, type EmbeddedServer } from './embedded'
import { applicationUrl, ensureExternalRoles, externalRolePlan } from './external'
import { assertIsolated } from './isolation-check'
import { asOwner, migrateUp } from './migrate'
import { databaseStatements, migratorRole, rolePassword, roleStatements, underRolesLock } from './roles'

export { asOwner } from './migrate'

/** A server with roles and a database; nothing is known about its tables yet. */
export interface DatabaseServer {
  urlFor(role: SubgraphName | 'gateway'): string
  /** As the owner of every table. */
  migratorUrl: string
  embedded: boolean
  /** Stops the server if it is ours; resolves when it is gone. */
  stop(): Promise<void>
}

export interface PreparedDatabase extends DatabaseServer {
  /** There is no tenant yet. */
  empty: boolean
}

export interface PrepareOptions {
  /** Use the embedded server of a process that runs already, instead of refusing. For tools beside `npm start`. */
  attach?: boolean
  /** The embedded server died and could not be started again: the process must end, so that its supervisor acts. */
  onLost?: (error: Error) => void
  /** false: roles of a configured server are only looked at, never made. For commands that read. */
  change?: boolean
}

const embeddedDatabase = 'tenantgraph'
const monthsAhead = 12

/**
 * Everything the subgraphs need before they can connect: the server (embedded unless DATABASE_URL is set), roles,
 * migrations, the partitions of the coming months, and a check that row level security holds everywhere.
 * Several processes may do this at once: they wait for each other.
 * @throws with what to do next, when the server cannot be started or prepared
 */
export async function prepareDatabase(
  config: Config,
  log: Logger,
  options: PrepareOptions = {},
): Promise<PreparedDatabase> {
  const server = await openServer(config, log, options)
  try {
    const applied = await migrateUp(server.migratorUrl)
    if (applied.length > 0) log.info({ migrations: applied }, 'migrations applied')
    return { ...server, empty: await inspectTables(server.migratorUrl) }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** The server and its roles, without touching tables. */
export async function openServer(
  config: Config,
  log: Logger,
  options: PrepareOptions = {},
): Promise<DatabaseServer> {
  const { databaseUrl } = config
  if (databaseUrl === null) return openEmbedded(config, log, options)
  const external = { ...config, databaseUrl }
  await ensureExternalRoles(external, options)
  const plan = externalRolePlan(external)
  return {
    urlFor: (role) => applicationUrl(external, plan, `app_${role}`),
    migratorUrl: asOwner(databaseUrl),
    embedded: false,
    stop: () => Promise.resolve(),
  }
}

async function openEmbedded(config: Config, log: Logger, options: PrepareOptions): Promise<DatabaseServer> {
  const plain = {
    info: (message: string) => log.info(message),
    error: (message: string) => log.error(message),
  }
  const attached = options.attach ? attachEmbedded(config.dataDir) : null
  const server =
    attached ?? (await startEmbedded({ dataDir: config.dataDir, log: plain, onLost: options.onLost }))
  try {
    const file = join(config.dataDir, 'database', 'app-secret')
    // Only who starts the server makes the secret: a tool beside it would make another one.
    const secret = config.databaseAppSecret ?? (attached ? readFileSync(file, 'utf8') : keptSecret(file))
    const migratorPassword = rolePassword(secret, migratorRole)
    // The process that started the server has done it already, perhaps with a secret of its own.
    if (!attached) await makeEmbeddedDatabase(server, secret, migratorPassword)
    const url = new URL(server.superuserUrl(embeddedDatabase))
    url.username = migratorRole
    url.password = migratorPassword
    const databaseUrl = url.href
    return {
      urlFor: (role) => applicationUrl({ ...config, databaseUrl }, { secret }, `app_${role}`),
      migratorUrl: asOwner(databaseUrl),
      embedded: true,
      stop: server.stop,
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function makeEmbeddedDatabase(
  server: EmbeddedServer,
  secret: string,
  migratorPassword: string,
): Promise<void> {
  const client = new Client({ connectionString: server.superuserUrl() })
  await client.connect()
  try {
    await underRolesLock(client, roleStatements({ secret, migrator: migratorRole, migratorPassword }))
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [embeddedDatabase])
    if (rowCount === 0) await client.query('CREATE DATABASE tenantgraph OWNER app_owner')
    await underRolesLock(client, databaseStatements(embeddedDatabase))
  } finally {
    await client.end()
  }
}

/** Makes the coming months, checks the walls between tenants, and says whether there is no tenant yet. */
async function inspectTables(migratorUrl: string): Promise<boolean> {
  const client = new Client({ connectionString: migratorUrl })
  await client.connect()
  try {
    await client.query('SELECT shared.ensure_partitions($1)', [monthsAhead])
    await assertIsolated(client)
    const { rows } = await client.query<{ empty: boolean }>(
      'SELECT NOT EXISTS (SELECT FROM tenancy.tenants) AS empty',
    )
    return rows[0]!.empty
  } finally {
    await client.end()
  }
}

/**
 * The script a database administrator runs on a server where DATABASE_URL's role may not make roles. It holds
 * verifiers instead of passwords.
 */
export function rolesScript(config: Config): string {
  if (config.databaseUrl === null)
    throw new Error('Set DATABASE_URL (and DATABASE_APP_SECRET) to print its roles.')
  const external = { ...config, databaseUrl: config.databaseUrl }
  const plan = externalRolePlan(external)
  const url = new URL(config.databaseUrl)
  const password = decodeURIComponent(url.password)
  const statements = [
    ...roleStatements({ ...plan, ...(password ? { migratorPassword: password } : {}) }),
    ...databaseStatements(decodeURIComponent(url.pathname.slice(1)), plan.migrator),
  ]
  return ['BEGIN', ...statements, 'COMMIT'].map((statement) => `${statement};\n`).join('')
}
