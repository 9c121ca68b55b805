import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { migrateUp, migrationStates } from '../migrate'
import { migrations as released } from '../../migrations'
import { quote } from '../roles'
import { endOfRows, type BackupFooter, type BackupHeader } from './backup'
import { stateOf, steadyTexts, type StoredTable, type TableState } from './tables'

export interface RestoreResult {
  takenAt: string
  tables: (TableState & { name: string })[]
  rows: number
  /** Applied after the rows were in: the product is newer than the backup. */
  migrations: string[]
}

/**
 * Fills an empty database with a backup, all of it or nothing: every table must have the number of rows and the digest
 * that it had when the backup was taken, and every reference must hold, or the transaction is rolled back.
 *
 * @param migratorUrl of a server whose roles are made; tables are made here
 * @param progress told each table when its rows are in
 * @throws when the database has tenants, when the file is not whole, was made by a newer version, or does not come to
 *   what it says
 */
export async function readBackup(
  migratorUrl: string,
  file: string,
  progress: (table: string, rows: number) => void = () => undefined,
): Promise<RestoreResult> {
  const lines = linesOf(file)
  // A connection that breaks between two statements has no other way to say why.
  let lost: Error | undefined
  try {
    const header = JSON.parse(await next(lines)) as BackupHeader
    if (header.format !== 'tenantgraph backup 1') throw new Error(`${file} is no backup of this product.`)
    await migrateTo(migratorUrl, header.migrations)
    const client = new Client({ connectionString: migratorUrl, application_name: 'tenantgraph restore' })
    client.on('error', (error) => (lost ??= error))
    await client.connect()
    try {
      for (const setting of steadyTexts) await client.query(setting)
      await client.query('BEGIN')
      const tables = await fill(client, header, lines, progress)
      await client.query('COMMIT')
      const rows = tables.reduce((sum, one) => sum + one.rows, 0)
      return { takenAt: header.takenAt, tables, rows, migrations: await migrateUp(migratorUrl) }
    } finally {
      await client.end() // what was not committed is undone
    }
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'Z_BUF_ERROR') throw cutShort()
    if (code === 'Z_DATA_ERROR')
      throw new Error(`${file} is damaged, or no backup of this product. Nothing was restored.`, {
        cause: error,
      })
    throw lost ?? error
  } finally {
    await lines.return(undefined)
  }
}

type Lines = AsyncGenerator<string, void, undefined>

async function* linesOf(file: string): Lines {
  const gunzip = createGunzip()
  const reading = pipeline(createReadStream(file), gunzip)
  reading.catch(() => undefined)
  // Rows may hold any character but a line feed, which COPY escapes; readline must not take others for one.
  for await (const text of splitLines(gunzip)) yield text
  await reading
}

/** Lines end with a line feed and nothing else. */
async function* splitLines(stream: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let rest: Buffer[] = []
  for await (const chunk of stream) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      rest.push(chunk.subarray(start, end))
      yield Buffer.concat(rest).toString('utf8')
      rest = []
      start = end + 1
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
  }
  if (rest.length > 0) throw cutShort()
}

async function next(lines: Lines): Promise<string> {
  const { value, done } = await lines.next()
  if (done) throw cutShort()
  return value
}

function cutShort(): Error {
  return new Error('The backup is not whole: it ends too early. Nothing was restored.')
}

/** Brings an empty database to the point where the backup was taken. */
async function migrateTo(migratorUrl: string, names: readonly string[]): Promise<void> {
  const states = await migrationStates(migratorUrl)
  const unknown = names.filter((name) => !states.some((state) => state.name === name))
  if (unknown.length > 0)
    throw new Error(`The backup was made by a newer version: this one does not know ${unknown.join(', ')}.`)
  const ahead = states.filter(({ name, applied }) => applied && !names.includes(name))
  if (ahead.length > 0)
    throw new Error(
      `The database is ahead of the backup (${ahead.map(({ name }) => name).join(', ')}): restore into an empty one.`,
    )
  await migrateUp(
    migratorUrl,
    released.filter((_, place) => names.includes(states[place]!.name)),
  )
}

async function fill(
  client: Client,
  header: BackupHeader,
  lines: Lines,
  progress: (table: string, rows: number) => void,
): Promise<RestoreResult['tables']> {
  await refuseTenants(client)
  await makeMonths(client, header.tables)
  // Rows come table by table, and refer to each other both ways.
  const deferred = await deferReferences(client)
  // They check what somebody does, and what is restored was done already.
  for (const { name } of header.tables) await run(client, `ALTER TABLE ${name} DISABLE TRIGGER USER`)
  // What migrations put there is in the backup as well, perhaps changed since.
  for (const { name } of header.tables) await run(client, `DELETE FROM ${name}`)
  await client.query('CREATE SCHEMA restoring')
  const tables: RestoreResult['tables'] = []
  for (const table of header.tables) {
    const { table: named } = JSON.parse(await next(lines)) as { table: string }
    if (named !== table.name)
      throw new Error(`The backup is damaged: ${named} stands where ${table.name} should.`)
    await insertRows(client, table, lines)
    const expected = JSON.parse(await next(lines)) as TableState
    const state = await stateOf(client, table)
    if (state.rows !== expected.rows || state.digest !== expected.digest)
      throw new Error(
        `${table.name} came to ${state.rows} rows (${state.digest}) where the backup has ${expected.rows} (${expected.digest}). Nothing was restored.`,
      )
    tables.push({ name: table.name, ...state })
    progress(table.name, state.rows)
  }
  const footer = JSON.parse(await next(lines)) as BackupFooter
  if (!footer.end || footer.tables !== tables.length) throw cutShort()
  await client.query('DROP SCHEMA restoring')
  // New events come behind those that were restored and have not left.
  await client.query("SELECT setval('shared.outbox_events_seq', max(seq)) FROM shared.outbox_events")
  await client.query('SET CONSTRAINTS ALL IMMEDIATE')
  for (const { name } of header.tables) await run(client, `ALTER TABLE ${name} ENABLE TRIGGER USER`)
  for (const statement of deferred) await client.query(statement)
  return tables
}

/** Statements about tables, whose names come from the catalogue, quoted by PostgreSQL. */
function run(client: Client, statement: string): Promise<unknown> {
  return client.query(statement)
}

/** A file is no place to merge from: who restores into a database in use has taken the wrong one. */
async function refuseTenants(client: Client): Promise<void> {
  const { rows } = await client.query<{ tenants: string }>('SELECT count(*) AS tenants FROM tenancy.tenants')
  if (rows[0]!.tenants !== '0')
    throw new Error(`The database has ${rows[0]!.tenants} tenants: a backup is restored into an empty one.`)
}

async function makeMonths(client: Client, tables: readonly StoredTable[]): Promise<void> {
  const first = tables.flatMap(({ firstMonth }) => firstMonth ?? []).sort()[0]
  if (!first) return
  await client.query(
    `SELECT shared.ensure_partitions(12, greatest(2, ((extract(year FROM age) * 12) + extract(month FROM age))::int))
     FROM age(date_trunc('month', now()), $1::timestamptz) AS age`,
    [`${first}T00:00:00Z`],
  )
}

/** Lets references be checked at the end. Returns the statements that undo it. */
async function deferReferences(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ table: string; name: string }>(
    `SELECT conrelid::regclass::text AS "table", quote_ident(conname) AS name FROM pg_constraint
     WHERE contype = 'f' AND NOT condeferrable AND conparentid = 0`,
  )
  for (const { table, name } of rows)
    await run(client, `ALTER TABLE ${table} ALTER CONSTRAINT ${name} DEFERRABLE INITIALLY DEFERRED`)
  await client.query('SET CONSTRAINTS ALL DEFERRED')
  return rows.map(({ table, name }) => `ALTER TABLE ${table} ALTER CONSTRAINT ${name} NOT DEFERRABLE`)
}

/** COPY does not write into tables with row level security: rows go through one without. */
async function insertRows(client: Client, table: StoredTable, lines: Lines): Promise<void> {
  const columns = table.columns.map(quote).join(', ')
  await run(client, `CREATE TABLE restoring.rows AS ${selectNone(table)}`)
  const source = Readable.from(rowsOf(lines))
  await pipeline(source, client.query(copyFrom(`COPY restoring.rows (${columns}) FROM STDIN`)))
  await run(client, `INSERT INTO ${table.name} (${columns}) SELECT ${columns} FROM restoring.rows`)
  await client.query('DROP TABLE restoring.rows')
}

function selectNone({ name, columns }: StoredTable): string {
  return `SELECT ${columns.map(quote).join(', ')} FROM ${name} WITH NO DATA`
}

async function* rowsOf(lines: Lines): AsyncGenerator<string, void, undefined> {
  for (;;) {
    const row = await next(lines)
    if (row === endOfRows) return
    yield `${row}\n`
  }
}
