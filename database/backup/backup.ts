import { once } from 'node:events'
import { createWriteStream, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip, type Gzip } from 'node:zlib'
import { Client } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { migrationStates } from '../migrate'
import { selectAll, stateOf, steadyTexts, storedTables, type StoredTable, type TableState } from './tables'

/** The first line of a backup. */
export interface BackupHeader {
  format: 'tenantgraph backup 1'
  takenAt: string
  /** Holds what was applied; a restore brings an empty database to the same point first. */
  migrations: string[]
  tables: StoredTable[]
}

/** The line that ends a table's rows. COPY never writes it for a row. */
export const endOfRows = '\\.'

/** The last line: without it the file is not whole. */
export interface BackupFooter {
  end: true
  tables: number
  rows: number
}

export interface BackupResult {
  tables: (TableState & { name: string })[]
  rows: number
  bytes: number
}

/**
 * Writes all rows of all tenants into one file, as they stood at one moment, while the product runs.
 *
 * The file is gzip of text: a header in JSON, then for each table a line of JSON with its name, its rows in PostgreSQL's
 * COPY format, {@link endOfRows} and its number of rows and digest; at the end a footer. It is readable by its owner
 * only, and appears under its name when it is whole; what fails leaves no file.
 *
 * @param migratorUrl as the owner of the tables: its policy shows it every row, whether or not it is a superuser
 * @param progress told each table when it is written
 * @throws when the database or the disk fails, or the file exists
 */
export async function writeBackup(
  migratorUrl: string,
  file: string,
  progress: (table: string, rows: number) => void = () => undefined,
): Promise<BackupResult> {
  if (existsSync(file)) throw new Error(`${file} is there already: a backup never overwrites one.`)
  const partial = `${file}.${process.pid}.partial`
  const client = new Client({ connectionString: migratorUrl, application_name: 'tenantgraph backup' })
  // A connection that breaks between two statements has no other way to say why.
  let lost: Error | undefined
  client.on('error', (error) => (lost ??= error))
  await client.connect()
  try {
    for (const setting of steadyTexts) await client.query(setting)
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const states = await migrationStates(migratorUrl)
    const header: BackupHeader = {
      format: 'tenantgraph backup 1',
      takenAt: new Date().toISOString(),
      migrations: states.filter(({ applied }) => applied).map(({ name }) => name),
      tables: await storedTables(client),
    }
    if (header.tables.length === 0)
      throw new Error('There is nothing to back up: the database has no tables.')
    const gzip = createGzip({ level: 6 })
    const written = pipeline(gzip, createWriteStream(partial, { flags: 'wx', mode: 0o600 }))
    // Awaited below; until then a failure must not count as unhandled.
    written.catch(() => undefined)
    const tables: BackupResult['tables'] = []
    const write = writer(gzip, written)
    await write(line(header))
    for (const table of header.tables) {
      await write(line({ table: table.name }))
      for await (const chunk of client.query(copyTo(`COPY (${selectAll(table)}) TO STDOUT`)))
        await write(chunk as Buffer)
      const state = await stateOf(client, table)
      await write(`${endOfRows}\n${line(state)}`)
      tables.push({ name: table.name, ...state })
      progress(table.name, state.rows)
    }
    const rows = tables.reduce((sum, one) => sum + one.rows, 0)
    await write(line({ end: true, tables: tables.length, rows } satisfies BackupFooter))
    gzip.end()
    await written
    const bytes = await synced(partial)
    await rename(partial, file)
    return { tables, rows, bytes }
  } catch (error) {
    await rm(partial, { force: true })
    throw lost ?? error
  } finally {
    await client.end()
  }
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`

/** Writes with regard to how fast the disk takes it, and fails with it. */
function writer(gzip: Gzip, written: Promise<void>): (chunk: string | Buffer) => Promise<void> {
  return async (chunk) => {
    if (!gzip.write(chunk)) await Promise.race([once(gzip, 'drain'), written])
  }
}

/** Waits until the disk has the file; returns its size. */
async function synced(file: string): Promise<number> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
    return (await handle.stat()).size
  } finally {
    await handle.close()
  }
}
