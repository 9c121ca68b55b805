import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { databaseStatements, migratorRole, rolePassword } from '../../database/roles'
import { asOwner } from '../../database/migrate'
import type { SubgraphName } from '../../kernel/schema/subgraph-names'

/** What globalSetup tells the workers, as JSON in TEST_POSTGRES. */
export interface TestServer {
  port: number
  version: number
  superuserPassword: string
  roleSecret: string
}

export const templateDatabase = 'tenantgraph_template'

export interface TestDatabase {
  name: string
  urlFor(role: SubgraphName | 'gateway'): string
  /** As the owner of every table. */
  migratorUrl: string
  superuserUrl: string
  /** What role passwords are derived from. */
  roleSecret: string
  drop(): Promise<void>
}

export function testServer(): TestServer {
  const server = process.env.TEST_POSTGRES
  if (!server)
    throw new Error('TEST_POSTGRES is not set: jest starts PostgreSQL in test/support/global-setup.ts')
  return JSON.parse(server) as TestServer
}

export function databaseUrls(server: TestServer, name: string) {
  const url = (user: string, password: string) =>
    `postgres://${user}:${password}@127.0.0.1:${server.port}/${name}`
  return {
    urlFor: (role: SubgraphName | 'gateway') =>
      url(`app_${role}`, rolePassword(server.roleSecret, `app_${role}`)),
    migratorUrl: asOwner(url(migratorRole, rolePassword(server.roleSecret, migratorRole))),
    superuserUrl: url('postgres', server.superuserPassword),
  }
}

/**
 * A database of the caller's own with every migration applied and no rows, in some 50 ms.
 * @param options.empty without migrations
 * @param options.copyOf another one than the migrated template
 * @param options.name otherwise one that nobody else has
 */
export async function freshDatabase(
  options: { empty?: boolean; copyOf?: string; name?: string } = {},
): Promise<TestDatabase> {
  const server = testServer()
  const name = options.name ?? `t_${process.env.JEST_WORKER_ID ?? '1'}_${randomBytes(6).toString('hex')}`
  const template = options.copyOf ?? (options.empty ? 'template0' : templateDatabase)
  await asSuperuser(server, [
    `CREATE DATABASE ${name} OWNER app_owner TEMPLATE ${template} STRATEGY file_copy`,
    ...databaseStatements(name),
  ])
  return {
    name,
    roleSecret: server.roleSecret,
    ...databaseUrls(server, name),
    drop: () => asSuperuser(server, [`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`]),
  }
}

/**
 * The name of a database to copy, made by the first who asks and found by the others of the same run, in whichever process.
 * @param fill puts into a fresh one what copies are to have, and leaves no session open
 */
export async function filledTemplate(
  name: string,
  fill: (database: TestDatabase) => Promise<void>,
): Promise<string> {
  const server = testServer()
  const client = new Client({ connectionString: databaseUrls(server, 'postgres').superuserUrl })
  await client.connect()
  try {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [name])
    const { rowCount } = await client.query(
      'SELECT FROM pg_database WHERE datname = $1 AND NOT datallowconn',
      [name],
    )
    if (rowCount) return name
    await client.query(`DROP DATABASE IF EXISTS ${name}`)
    await fill(await freshDatabase({ name }))
    await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    return name
  } finally {
    // Ends the lock as well.
    await client.end()
  }
}

export async function asSuperuser(server: TestServer, statements: string[]): Promise<void> {
  const client = new Client({ connectionString: databaseUrls(server, 'postgres').superuserUrl })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
