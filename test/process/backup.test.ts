import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Client } from 'pg'
import { openServer, prepareDatabase, type DatabaseServer } from '../../database'
import { writeBackup } from '../../database/backup/backup'
import { readBackup } from '../../database/backup/restore'
import { stateOf, steadyTexts, storedTables } from '../../database/backup/tables'
import { insertDemoData } from '../../database/demo'
import { startEmbedded, type EmbeddedServer } from '../../database/embedded'
import { createTenant } from '../../database/tenants'
import { loadConfig, projectRoot } from '../../kernel/process/config'
import { createLogger } from '../../kernel/process/log'

const binaries = process.env.TEST_POSTGRES_BIN
const folder = mkdtempSync(join(tmpdir(), 'tenantgraph-backup-'))
chmodSync(folder, 0o755)
let server: EmbeddedServer
let full: DatabaseServer
let owner: Client
let made = 0
beforeAll(async () => {
  server = await startEmbedded({
    dataDir: join(folder, 'server'),
    ...(binaries ? { binaries } : {}),
    durable: false,
    log: { info: () => undefined, error: () => undefined },
  })
  full = await database()
  owner = await connected(full.migratorUrl)
  await owner.query('BEGIN')
  await insertDemoData(owner, { password: 'correct horse battery', rounds: 4 })
  await owner.query('COMMIT')
})
afterAll(async () => {
  await owner?.end()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** An empty database on a server of somebody else, reached as a migrator that is no superuser. */
async function database(migrated = true): Promise<DatabaseServer> {
  const name = `shop${++made}`
  const administrator = await connected(server.superuserUrl())
  await administrator.query(
    `DO $$ BEGIN CREATE ROLE boss LOGIN CREATEROLE PASSWORD 'boss'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  )
  await administrator.query(`CREATE DATABASE ${name} OWNER boss`)
  await administrator.end()
  const url = new URL(server.superuserUrl(name))
  url.username = 'boss'
  url.password = 'boss'
  const config = loadConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    DATABASE_URL: url.href,
    DATABASE_APP_SECRET: 'a secret of at least thirty-two characters',
  })
  const log = createLogger(config)
  return migrated ? prepareDatabase(config, log) : openServer(config, log)
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  await client.connect()
  for (const setting of steadyTexts) await client.query(setting)
  return client
}

const fileNamed = (name: string) => join(folder, `${name}.backup.gz`)

/** Every table with its number of rows and digest. */
async function states(url: string): Promise<Record<string, object>> {
  const client = await connected(url)
  try {
    const found: Record<string, object> = {}
    for (const table of await storedTables(client)) found[table.name] = await stateOf(client, table)
    return found
  } finally {
    await client.end()
  }
}

/** What stands in a database beside rows. */
async function catalogue(url: string): Promise<unknown[]> {
  const client = await connected(url)
  const { rows } = await client.query<{ line: string }>(
    `SELECT conrelid::regclass || ' ' || conname || ' ' || condeferrable || condeferred || convalidated AS line FROM pg_constraint
       WHERE connamespace::regnamespace::text NOT LIKE 'pg\\_%' AND conparentid = 0
     UNION ALL SELECT tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
     UNION ALL SELECT oid::regnamespace || '' FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' ORDER BY 1`,
  )
  await client.end()
  return rows.map(({ line }) => line)
}

test('O2: a backup taken by a migrator without special rights, restored elsewhere, has every row', async () => {
  const file = fileNamed('whole')
  const before = await states(full.migratorUrl)
  const backup = await writeBackup(full.migratorUrl, file)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(file).size).toBe(backup.bytes)
  expect(Object.fromEntries(backup.tables.map(({ name, ...state }) => [name, state]))).toEqual(before)
  expect(backup.tables.find(({ name }) => name === 'insights.customers')!.rows).toBe(730)

  const fresh = await database(false)
  const restored = await readBackup(fresh.migratorUrl, file)
  expect(restored).toMatchObject({ rows: backup.rows, tables: backup.tables, migrations: [] })
  expect(await states(fresh.migratorUrl)).toEqual(before)
  expect(await catalogue(fresh.migratorUrl)).toEqual(await catalogue(full.migratorUrl))
})

test('O2: a backup holds one moment, whatever is written meanwhile', async () => {
  const before = await states(full.migratorUrl)
  let late: Promise<unknown> | undefined
  const backup = await writeBackup(full.migratorUrl, fileNamed('moment'), () => {
    late ??= createTenant(owner, { slug: 'late', name: 'Late' })
  })
  await late
  expect(Object.fromEntries(backup.tables.map(({ name, ...state }) => [name, state]))).toEqual(before)
  await owner.query("DELETE FROM tenancy.tenants WHERE slug = 'late'")
})

test('O2: what fails leaves no file', async () => {
  const file = fileNamed('failing')
  const filesBefore = readdirSync(folder)
  const administrator = await connected(server.superuserUrl())
  const ended: Promise<unknown>[] = []
  const broken = writeBackup(full.migratorUrl, file, (table) => {
    // The connection of the backup is lost in the middle.
    if (table === 'hr.departments')
      ended.push(
        administrator.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tenantgraph backup'",
        ),
      )
  })
  try {
    // The server's word, if it is read before the end of the connection is noticed.
    await expect(broken).rejects.toThrow(
      /^(terminating connection due to administrator command|Connection terminated unexpectedly|read ECONNRESET)$/,
    )
    await Promise.all(ended)
  } finally {
    await administrator.end()
  }
  expect(readdirSync(folder)).toEqual(filesBefore)
  await expect(writeBackup(full.migratorUrl, join(folder, 'no', 'such', 'folder.gz'))).rejects.toThrow(
    'ENOENT',
  )
  expect(readdirSync(folder)).toEqual(filesBefore)
  writeFileSync(file, 'of yesterday')
  await expect(writeBackup(full.migratorUrl, file)).rejects.toThrow('is there already')
  expect(readFileSync(file, 'utf8')).toBe('of yesterday')
})

test('O2: whoever sees fewer rows makes no backup', async () => {
  // A login without the owner's policy: row level security would hide every row, and nobody would notice.
  await expect(writeBackup(full.urlFor('hr'), fileNamed('hidden'))).rejects.toThrow('permission denied')
  expect(existsSync(fileNamed('hidden'))).toBe(false)
})

describe('a restore is all or nothing', () => {
  const whole = () => gunzipSync(readFileSync(fileNamed('whole'))).toString()
  const changed = (name: string, text: string): string => {
    const file = fileNamed(name)
    writeFileSync(file, gzipSync(text))
    return file
  }
  let target: DatabaseServer
  let empty: Record<string, object>
  beforeAll(async () => {
    target = await database()
    empty = await states(target.migratorUrl)
  })
  afterEach(async () => {
    expect(await states(target.migratorUrl)).toEqual(empty)
    expect(await catalogue(target.migratorUrl)).toEqual(await catalogue(full.migratorUrl))
  })

  test.each([
    [
      'a changed value',
      (text: string) => text.replace('Acme Corporation', 'Evil Corporation'),
      /came to (\d+) rows \(-?\d+\) where the backup has \1 \(/,
    ],
    [
      'a missing row',
      (text: string) => text.replace(/\n[^\n]*Acme Corporation[^\n]*/, ''),
      /where the backup has|came to 1 rows/,
    ],
    ['a file cut short', (text: string) => text.slice(0, text.length / 2), /not whole/],
    ['a missing last line', (text: string) => text.replace(/\{"end"[^\n]*\n$/, ''), /not whole/],
    [
      'a newer version',
      (text: string) => text.replace('"migrations":[', '"migrations":["Later9999999999999",'),
      /newer version: this one does not know Later/,
    ],
    ['something else', () => '{"format":"holiday pictures"}\n', /no backup of this product/],
  ])('%s', async (name, change, message) => {
    await expect(
      readBackup(target.migratorUrl, changed(name.replaceAll(' ', '-'), change(whole()))),
    ).rejects.toThrow(message)
  })

  test('half a gzip, and no gzip', async () => {
    const bytes = readFileSync(fileNamed('whole'))
    writeFileSync(fileNamed('half'), bytes.subarray(0, bytes.length / 2))
    await expect(readBackup(target.migratorUrl, fileNamed('half'))).rejects.toThrow('not whole')
    writeFileSync(fileNamed('none'), 'plain text')
    await expect(readBackup(target.migratorUrl, fileNamed('none'))).rejects.toThrow(
      'no backup of this product',
    )
  })

  test('a database in use', async () => {
    const before = await states(full.migratorUrl)
    await expect(readBackup(full.migratorUrl, fileNamed('whole'))).rejects.toThrow(
      'The database has 2 tenants',
    )
    expect(await states(full.migratorUrl)).toEqual(before)
  })
})

test('O2: the drill of the runbook: backup beside the running product, restore into a new place', async () => {
  const environment = (dataDir: string) => ({
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    DATA_DIR: join(folder, dataDir),
  })
  const run = (script: string, dataDir: string, ...args: string[]) => {
    const hook = join(projectRoot, 'test', 'support', 'typescript.js')
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--require', hook, join(projectRoot, 'scripts', `${script}.ts`), ...args],
      { env: environment(dataDir), encoding: 'utf8' },
    )
    return { status, stdout, stderr }
  }
  const config = loadConfig(environment('first'))
  const running = await prepareDatabase(config, createLogger(config))
  try {
    const client = await connected(running.migratorUrl)
    await client.query('BEGIN')
    await insertDemoData(client, { password: 'correct horse battery', rounds: 4 })
    await client.query('COMMIT')
    await client.end()
    const file = fileNamed('drill')
    const backup = run('backup', 'first', '--to', file)
    expect(backup).toMatchObject({ status: 0, stderr: '' })
    expect(backup.stdout).toMatch(/^wrote .*drill\.backup\.gz: \d+ rows of \d+ tables, \d+ bytes$/m)
    const restored = run('restore', 'second', '--from', file)
    expect(restored).toMatchObject({ status: 0, stderr: '' })
    expect(restored.stdout).toMatch(
      /^restored \d+ rows of \d+ tables, .* every count and digest is that of the backup$/m,
    )
    expect(run('restore', 'second', '--from', file)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('The database has 2 tenants') as string,
    })
    const second = loadConfig(environment('second'))
    const next = await prepareDatabase(second, createLogger(second))
    expect(await states(next.migratorUrl)).toEqual(await states(running.migratorUrl))
    await next.stop()
  } finally {
    await running.stop()
  }
})
