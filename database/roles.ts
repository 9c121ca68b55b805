import { createHmac, createHash, pbkdf2Sync, randomBytes } from 'node:crypto'
import type { Client } from 'pg'
import { applicationRoles, lookupRole, ownerRole, type ApplicationRole } from '../migrations/sql'

export const migratorRole = 'migrator'

/** Serialises what changes roles: they belong to the whole cluster, so the lock is taken in one fixed database. */
const rolesLock = 7_300_001

/** Holds what every application role starts a session with. */
const sessionDefaults = {
  search_path: "''",
  timezone: "'UTC'",
  statement_timeout: "'10s'",
  idle_in_transaction_session_timeout: "'60s'",
} as const

/**
 * The password of a role: HMAC-SHA-256 of the role's name under the secret, in base64url. Whoever holds the secret
 * can always work it out again, so nothing else has to be kept.
 */
export function rolePassword(secret: string, role: string): string {
  return createHmac('sha256', secret).update(`tenantgraph role ${role}`).digest('base64url')
}

/**
 * Returns what PostgreSQL stores for a password (SCRAM-SHA-256, RFC 5802 and 7677). Sending this instead of the
 * password keeps the password out of the server's log and out of printed scripts.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const iterations = 4096
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest()
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`
}

export interface RolePlan {
  /** Application roles' passwords are derived from it. null: all of them are kept by somebody else. */
  secret: string | null
  /** The login that migrates: it may act as the owner. */
  migrator: string
  /** Given where the migrator is made too. */
  migratorPassword?: string
  /** Application roles whose password somebody else keeps (a URL of their own is configured). */
  foreignPasswords?: readonly ApplicationRole[]
}

/**
 * The statements that make the roles, or bring them back to what they must be. They can run again at any time.
 * No role is SUPERUSER or BYPASSRLS, no application role is a member of the owner: what CREATE ROLE leaves out it
 * does not give, and start-up checks it (database/isolation-check.ts).
 */
export function roleStatements(plan: RolePlan): string[] {
  const { migrator } = plan
  return [
    ...[ownerRole, lookupRole].map(makeRole),
    ...applicationRoles.flatMap((role) => [
      makeRole(role),
      `ALTER ROLE ${role} LOGIN`,
      ...Object.entries(sessionDefaults).map(([name, value]) => `ALTER ROLE ${role} SET ${name} = ${value}`),
    ]),
    ...passwordStatements(plan, applicationRoles),
    ...(plan.migratorPassword
      ? [
          makeRole(migrator),
          `ALTER ROLE ${quote(migrator)} LOGIN`,
          setPassword(migrator, plan.migratorPassword),
        ]
      : []),
    `GRANT ${ownerRole} TO ${quote(migrator)}`,
    // Only a member of the new owner can give a function away.
    `GRANT ${lookupRole} TO ${ownerRole}`,
  ]
}

/** The statements that give roles the passwords that follow from the secret, but for those that somebody else keeps. */
export function passwordStatements(plan: RolePlan, roles: readonly ApplicationRole[]): string[] {
  const { secret, foreignPasswords = [] } = plan
  if (secret === null) return []
  return roles
    .filter((role) => !foreignPasswords.includes(role))
    .map((role) => setPassword(role, rolePassword(secret, role)))
}

/** The rights over one database: who may connect, and that the owner may make schemas. */
export function databaseStatements(database: string, migrator: string = migratorRole): string[] {
  const name = quote(database)
  return [
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC`,
    `GRANT CONNECT ON DATABASE ${name} TO ${[quote(migrator), ...applicationRoles].join(', ')}`,
    `GRANT CREATE ON DATABASE ${name} TO ${ownerRole}`,
  ]
}

/** Runs statements in one transaction under the lock on roles; a function is asked for them once the lock is held. */
export async function underRolesLock(
  client: Client,
  statements: readonly string[] | (() => readonly string[] | Promise<readonly string[]>),
): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [rolesLock])
    for (const statement of typeof statements === 'function' ? await statements() : statements)
      await client.query(statement)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

/** An SQL identifier in quotes. */
export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

function makeRole(role: string): string {
  const name = role.replaceAll("'", "''")
  return `DO $do$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}') THEN CREATE ROLE ${quote(role)}; END IF; END $do$`
}

function setPassword(role: string, password: string): string {
  return `ALTER ROLE ${quote(role)} PASSWORD '${scramVerifier(password)}'`
}
