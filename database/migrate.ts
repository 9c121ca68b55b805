import { Client } from 'pg'
import { DataSource } from 'typeorm'
import { migrations as released } from '../migrations'
import { ownerRole } from '../migrations/sql'

/** Serialises migrating: two starts at once are fine, the second waits and finds nothing to do. */
const migrationsLock = 7_300_002

type Migrations = typeof released

export interface MigrationState {
  name: string
  applied: boolean
}

/** The migrator's URL with the owner's role: everything made through it belongs to the owner. */
export function asOwner(url: string): string {
  const result = new URL(url)
  const role = `-c role=${ownerRole}`
  const options = result.searchParams.get('options') ?? ''
  if (!options.includes(role)) result.searchParams.set('options', `${options} ${role}`.trim())
  return result.href
}

/**
 * Applies every migration that was not applied yet, each in a transaction.
 * @param url the migrator's
 * @returns the names of those applied now
 */
export async function migrateUp(url: string, migrations: Migrations = released): Promise<string[]> {
  return underLock(url, migrations, async (dataSource) => {
    const applied = await dataSource.runMigrations({ transaction: 'each' })
    return applied.map((migration) => migration.name)
  })
}

/** Takes the last migration back. Returns its name, or null when there is none. */
export async function migrateDown(url: string, migrations: Migrations = released): Promise<string | null> {
  return underLock(url, migrations, async (dataSource) => {
    const last = (await migrationStates(url, migrations)).findLast(({ applied }) => applied)
    if (last) await dataSource.undoLastMigration({ transaction: 'each' })
    return last?.name ?? null
  })
}

/** Every migration in order and whether it was applied. Changes nothing. */
export async function migrationStates(
  url: string,
  migrations: Migrations = released,
): Promise<MigrationState[]> {
  const client = new Client({ connectionString: asOwner(url) })
  await client.connect()
  try {
    const { rows } = await client.query<{ exists: boolean }>(
      "SELECT to_regclass('migrations.applied') IS NOT NULL AS exists",
    )
    const applied = rows[0]!.exists
      ? await client.query<{ name: string }>('SELECT name FROM migrations.applied')
      : { rows: [] }
    const names = new Set(applied.rows.map(({ name }) => name))
    return migrations.map((migration) => {
      const { name = migration.name } = new migration()
      return { name, applied: names.has(name) }
    })
  } finally {
    await client.end()
  }
}

async function underLock<T>(
  url: string,
  migrations: Migrations,
  work: (dataSource: DataSource) => Promise<T>,
) {
  // A connection of its own, because each migration commits. It must survive however long the work takes.
  const lock = new Client({ connectionString: asOwner(url) })
  await lock.connect()
  try {
    await lock.query('SET statement_timeout = 0')
    await lock.query('SET idle_session_timeout = 0')
    await lock.query('SELECT pg_advisory_lock($1)', [migrationsLock])
    await lock.query('CREATE SCHEMA IF NOT EXISTS migrations')
    const dataSource = new DataSource({
      type: 'postgres',
      // In `extra`, because TypeORM forgets the parameters of a `url`.
      extra: { connectionString: asOwner(url), max: 2 },
      installExtensions: false,
      logger: 'debug', // silent: failures are thrown, and standard output is not ours to write to
      schema: 'migrations',
      migrationsTableName: 'applied',
      migrations: [...migrations],
    })
    await dataSource.initialize()
    try {
      return await work(dataSource)
    } finally {
      await dataSource.destroy()
    }
  } finally {
    await lock.end() // and with the connection goes the lock
  }
}
