import { Client } from 'pg'
import type { Config } from '../kernel/process/config'
import { applicationRoles, lookupRole, ownerRole, type ApplicationRole } from '../migrations/sql'
import { databaseStatements, rolePassword, roleStatements, underRolesLock, type RolePlan } from './roles'

const oldestVersion = 150_000

/** What the roles of a configured server must be. */
export function externalRolePlan(config: Config & { databaseUrl: string }): RolePlan {
  const url = new URL(config.databaseUrl)
  return {
    secret: config.databaseAppSecret,
    migrator: decodeURIComponent(url.username),
    foreignPasswords: applicationRoles.filter((role) => config.databaseUrls[nameOf(role)]),
  }
}

/**
 * Makes the roles on a server that is not ours, unless they are there already with the right passwords.
 * @throws when something is missing and the migrator may not make it; the message says what a database
 *   administrator runs
 */
export async function ensureExternalRoles(config: Config & { databaseUrl: string }): Promise<void> {
  const plan = externalRolePlan(config)
  const database = databaseOf(config.databaseUrl)
  const client = await connect(config.databaseUrl)
  try {
    const { rows } = await client.query<{ version: number; mayMakeRoles: boolean }>(
      `SELECT current_setting('server_version_num')::int AS version, rolsuper OR rolcreaterole AS "mayMakeRoles"
       FROM pg_roles WHERE rolname = current_user`,
    )
    const { version, mayMakeRoles } = rows[0]!
    if (version < oldestVersion) {
      throw new Error(
        `DATABASE_URL names a PostgreSQL ${Math.floor(version / 10_000)}; 15 or newer is needed.`,
      )
    }
    const missing = [...(await missingRights(client, database)), ...(await failingLogins(config, plan))]
    if (missing.length === 0) return
    if (!mayMakeRoles) throw new Error(instructions(missing))
    try {
      await makeRoles(config.databaseUrl, plan, database)
    } catch (error) {
      throw new Error(`${instructions(missing)}\nThe migrator tried: ${(error as Error).message}`, {
        cause: error,
      })
    }
  } finally {
    await client.end()
  }
}

async function makeRoles(url: string, plan: RolePlan, database: string): Promise<void> {
  // Advisory locks belong to one database, roles to all of them: the lock is taken where every start takes it.
  const common = new URL(url)
  common.pathname = '/postgres'
  const client = await connect(common.href).catch(() => connect(url))
  try {
    await underRolesLock(client, [...roleStatements(plan), ...databaseStatements(database, plan.migrator)])
  } finally {
    await client.end()
  }
}

async function missingRights(client: Client, database: string): Promise<string[]> {
  const { rows } = await client.query<{ rolname: string }>('SELECT rolname FROM pg_roles')
  const present = new Set(rows.map((row) => row.rolname))
  const absent = [ownerRole, lookupRole, ...applicationRoles].filter((role) => !present.has(role))
  if (absent.length > 0) return absent.map((role) => `role ${role} is missing`)
  const rights = await client.query<{ right: string; held: boolean }>(
    `SELECT * FROM (VALUES
       (format('the migrator must be a member of %s', $2::text), pg_has_role(current_user, $2, 'MEMBER')),
       (format('%s must be a member of %s', $2, $3::text), pg_has_role($2, $3, 'MEMBER')),
       (format('%s must have CREATE on the database', $2), has_database_privilege($2, $1, 'CREATE'))
     ) AS needed ("right", held)`,
    [database, ownerRole, lookupRole],
  )
  return rights.rows.filter((row) => !row.held).map((row) => row.right)
}

async function failingLogins(config: Config & { databaseUrl: string }, plan: RolePlan): Promise<string[]> {
  const tried = applicationRoles.map(async (role) => {
    try {
      await (await connect(applicationUrl(config, plan, role))).end()
      return []
    } catch (error) {
      return [`${role} cannot log in: ${(error as Error).message}`]
    }
  })
  return (await Promise.all(tried)).flat()
}

/** The URL of an application role: its own where one is configured, else the migrator's with the derived password. */
export function applicationUrl(
  config: Pick<Config, 'databaseUrls'> & { databaseUrl: string },
  plan: Pick<RolePlan, 'secret'>,
  role: ApplicationRole,
): string {
  const own = config.databaseUrls[nameOf(role)]
  if (own) return own
  const url = new URL(config.databaseUrl)
  url.username = role
  url.password = plan.secret === null ? '' : rolePassword(plan.secret, role)
  url.searchParams.delete('options')
  return url.href
}

function instructions(missing: readonly string[]): string {
  return [
    'The database is not prepared, and the role in DATABASE_URL may not prepare it:',
    ...missing.map((line) => `  ${line}`),
    'Have a database administrator run what `npm run migrate -- roles --print` prints (docs/runbooks/database.md).',
  ].join('\n')
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  return client
}

/** The database a URL names; PostgreSQL's rule is that it is the user's name when the URL names none. */
export function databaseOf(url: string): string {
  const { pathname, username } = new URL(url)
  return decodeURIComponent(pathname.slice(1) || username)
}

function nameOf(role: ApplicationRole) {
  return role.slice('app_'.length) as keyof Config['databaseUrls']
}
