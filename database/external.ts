import { Client } from 'pg'
import type { Config } from '../kernel/process/config'
import { applicationRoles, lookupRole, ownerRole, type ApplicationRole } from '../migrations/sql'
import {
  databaseStatements,
  passwordStatements,
  rolePassword,
  roleStatements,
  underRolesLock,
  type RolePlan,
} from './roles'

const oldestVersion = 150_000

/** Returns what the roles of a configured server must be. */
export function externalRolePlan(config: Config & { databaseUrl: string }): RolePlan {
  const url = new URL(config.databaseUrl)
  return {
    secret: config.databaseAppSecret,
    migrator: decodeURIComponent(url.username),
    foreignPasswords: applicationRoles.filter((role) => config.databaseUrls[nameOf(role)]),
  }
}

/**
 * Makes the roles on a server that is not ours, unless they are there already with the right passwords. A password
 * that is there is never changed: other processes work with it.
 *
 * @param options.change false: only looks; what is missing is an error. For commands that read
 * @throws when passwords were made from another secret, and when something is missing and the migrator may not make
 *   it; the message says what to run
 */
export async function ensureExternalRoles(
  config: Config & { databaseUrl: string },
  { change = true }: { change?: boolean } = {},
): Promise<void> {
  const plan = externalRolePlan(config)
  const database = databaseOf(config.databaseUrl)
  const client = await connect(config.databaseUrl)
  try {
    const mayMakeRoles = await inspectServer(client)
    const refused = await refusedLogins(config, plan)
    assertSameSecret(refused)
    const missing = [
      ...(await missingRights(client, database)),
      ...refused.flatMap(({ role, present, message }) =>
        present ? [`${role} cannot log in: ${message}`] : [],
      ),
    ]
    if (missing.length === 0) return
    if (!change || !mayMakeRoles) throw new Error(instructions(missing))
    try {
      await makeRoles(config.databaseUrl, plan, database)
    } catch (error) {
      throw new Error(`${instructions(missing)}\nThe migrator tried: ${(error as Error).message}`, {
        cause: error,
      })
    }
    // Another process with another secret may have made the roles first.
    assertSameSecret(await refusedLogins(config, plan))
  } finally {
    await client.end()
  }
}

/**
 * Gives every application role the password that follows from DATABASE_APP_SECRET. Running processes keep the
 * connections they have and get no new ones until they start with the same secret.
 *
 * @returns the roles whose password was changed
 * @throws when the roles are missing, or the migrator may not change them
 */
export async function rotateRolePasswords(
  config: Config & { databaseUrl: string },
): Promise<ApplicationRole[]> {
  const plan = externalRolePlan(config)
  const client = await connect(config.databaseUrl)
  try {
    const mayMakeRoles = await inspectServer(client)
    const refused = await refusedLogins(config, plan)
    const absent = refused.filter(({ present }) => !present).map(({ role }) => `role ${role} is missing`)
    if (absent.length > 0 || !mayMakeRoles)
      throw new Error(instructions([...absent, ...(mayMakeRoles ? [] : ['passwords cannot be changed'])]))
    const roles = refused.filter(({ code }) => code === wrongPassword).map(({ role }) => role)
    if (roles.length > 0) await changeRoles(config.databaseUrl, () => passwordStatements(plan, roles))
    return roles
  } finally {
    await client.end()
  }
}

/** Holds what PostgreSQL answers to a wrong password. */
const wrongPassword = '28P01'

function assertSameSecret(refused: readonly RefusedLogin[]): void {
  const roles = refused.filter(({ code, present }) => present && code === wrongPassword)
  if (roles.length === 0) return
  const names = roles.map(({ role }) => role).join(', ')
  const lines = [
    `DATABASE_APP_SECRET is not the secret that these roles' passwords were made from: ${names}.`,
    'Nothing was changed. Use the secret that the running processes have; or, to give the roles new passwords, stop',
    'those processes and run `npm run migrate -- roles --rotate` (docs/runbooks/database.md).',
  ]
  throw new Error(lines.join('\n'))
}

/** Tells whether the migrator may make roles. Throws when the server is too old. */
async function inspectServer(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ version: number; mayMakeRoles: boolean }>(
    `SELECT current_setting('server_version_num')::int AS version, rolsuper OR rolcreaterole AS "mayMakeRoles"
     FROM pg_roles WHERE rolname = current_user`,
  )
  const { version, mayMakeRoles } = rows[0]!
  if (version < oldestVersion)
    throw new Error(`DATABASE_URL names a PostgreSQL ${Math.floor(version / 10_000)}; 15 or newer is needed.`)
  return mayMakeRoles
}

async function makeRoles(url: string, plan: RolePlan, database: string): Promise<void> {
  await changeRoles(url, async (client) => {
    // Asked under the lock: another process with another secret may have made them meanwhile.
    const { rows } = await client.query<{ rolname: string }>('SELECT rolname FROM pg_roles')
    const present = applicationRoles.filter((role) => rows.some(({ rolname }) => rolname === role))
    const foreignPasswords = [...(plan.foreignPasswords ?? []), ...present]
    return [...roleStatements({ ...plan, foreignPasswords }), ...databaseStatements(database, plan.migrator)]
  })
}

async function changeRoles(
  url: string,
  statements: (client: Client) => readonly string[] | Promise<readonly string[]>,
): Promise<void> {
  // Advisory locks belong to one database, roles to all of them: the lock is taken where every start takes it.
  const common = new URL(url)
  common.pathname = '/postgres'
  const client = await connect(common.href).catch(() => connect(url))
  try {
    await underRolesLock(client, () => statements(client))
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

interface RefusedLogin {
  role: ApplicationRole
  /** The role is there. */
  present: boolean
  code: string | undefined
  message: string
}

/** The application roles that cannot log in with the password this process would use, and why. */
async function refusedLogins(
  config: Config & { databaseUrl: string },
  plan: RolePlan,
): Promise<RefusedLogin[]> {
  const tried = applicationRoles.map(async (role): Promise<RefusedLogin[]> => {
    try {
      await (await connect(applicationUrl(config, plan, role))).end()
      return []
    } catch (error) {
      const { code, message } = error as Error & { code?: string }
      return [{ role, present: false, code, message }]
    }
  })
  const refused = (await Promise.all(tried)).flat()
  if (refused.length === 0) return []
  const client = await connect(config.databaseUrl)
  try {
    const { rows } = await client.query<{ rolname: string }>('SELECT rolname FROM pg_roles')
    return refused.map((one) => ({ ...one, present: rows.some(({ rolname }) => rolname === one.role) }))
  } finally {
    await client.end()
  }
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
