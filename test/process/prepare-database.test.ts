import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import {
  openServer,
  prepareDatabase,
  rolesScript,
  type PreparedDatabase,
  type PrepareOptions,
} from '../../database'
import { rotateRolePasswords } from '../../database/external'
import { migrationStates } from '../../database/migrate'
import { migrations } from '../../migrations'
import { applicationRoles } from '../../migrations/sql'
import { startEmbedded, type EmbeddedServer } from '../../database/embedded'
import { loadConfig } from '../../kernel/process/config'
import { createLogger } from '../../kernel/process/log'

const binaries = process.env.TEST_POSTGRES_BIN
const silent = { info: () => undefined, error: () => undefined }
const secret = 'a secret of at least thirty-two characters'

let dataDir: string
beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tenantgraph-prepare-'))
  chmodSync(dataDir, 0o755)
})
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

async function query<T extends object>(url: string, text: string): Promise<T[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<T>(text)).rows
  } finally {
    await client.end()
  }
}

function prepare(
  environment: Record<string, string>,
  options: PrepareOptions = {},
): Promise<PreparedDatabase> {
  const config = loadConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', ...environment })
  return prepareDatabase(config, createLogger(config), options)
}

describe('the embedded database', () => {
  const embedded = () => ({ DATA_DIR: join(dataDir, 'embedded') })

  test('is made at the first start and found again at the second, with the same passwords', async () => {
    const first = await prepare(embedded())
    expect(first).toMatchObject({ embedded: true, empty: true })
    const session = `SELECT current_user AS role, current_setting('search_path') AS path, current_setting('TimeZone') AS zone`
    expect(await query(first.urlFor('hr'), session)).toEqual([{ role: 'app_hr', path: '""', zone: 'UTC' }])
    expect(await query(first.urlFor('gateway'), session)).toEqual([
      { role: 'app_gateway', path: '""', zone: 'UTC' },
    ])
    expect(await query(first.migratorUrl, 'SELECT current_user AS role, session_user AS login')).toEqual([
      { role: 'app_owner', login: 'migrator' },
    ])
    await query(
      first.migratorUrl,
      `INSERT INTO tenancy.tenants (id, name, slug) VALUES (gen_random_uuid(), 'Acme', 'acme')`,
    )
    await expect(prepare(embedded())).rejects.toThrow(`is in use by process ${process.pid}`)
    const beside = await prepare(embedded(), { attach: true })
    expect(beside.urlFor('hr')).toBe(first.urlFor('hr'))
    await beside.stop()
    await first.stop()

    const second = await prepare(embedded())
    expect(second).toMatchObject({ embedded: true, empty: false })
    expect(new URL(second.urlFor('hr')).password).toBe(new URL(first.urlFor('hr')).password)
    expect(await query(second.urlFor('hr'), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await second.stop()
  })

  test('that does not keep tenants apart is not served, and the server is stopped', async () => {
    const database = await prepare(embedded())
    await query(database.migratorUrl, 'ALTER TABLE shared.jobs NO FORCE ROW LEVEL SECURITY')
    await database.stop()
    await expect(prepare(embedded())).rejects.toThrow('jobs: row level security is not enabled and forced')
    // Not in use any more: the failed start gave everything back.
    const server = await startEmbedded({ dataDir: embedded().DATA_DIR, log: silent })
    await server.stop()
  })
})

describe('a server of somebody else', () => {
  let server: EmbeddedServer
  beforeAll(async () => {
    server = await startEmbedded({
      dataDir: join(dataDir, 'external'),
      ...(binaries ? { binaries } : {}),
      durable: false,
      log: silent,
    })
  })
  afterAll(() => server.stop())

  beforeEach(() => query(server.superuserUrl(), 'CREATE DATABASE shop'))
  afterEach(async () => {
    await query(server.superuserUrl(), 'DROP DATABASE shop WITH (FORCE)')
    const { rows } = await roles()
    for (const { rolname } of rows) await query(server.superuserUrl(), `DROP ROLE "${rolname}"`)
  })

  async function roles(): Promise<{ rows: { rolname: string }[] }> {
    // Members before those they are members of; made roles before their maker.
    const rows = await query<{ rolname: string }>(
      server.superuserUrl(),
      `SELECT rolname FROM pg_roles WHERE rolname ~ '^app_' OR rolname = 'Boss' ORDER BY rolname = 'Boss', rolname`,
    )
    return { rows }
  }

  /** A login that migrates, with the given attributes. Its name needs quotes. */
  async function migrator(attributes: string): Promise<Record<string, string>> {
    await query(server.superuserUrl(), `CREATE ROLE "Boss" LOGIN PASSWORD 'p@ss word' ${attributes}`)
    const url = new URL(server.superuserUrl('shop'))
    url.username = 'Boss'
    url.password = 'p@ss word'
    return { DATABASE_URL: url.href, DATABASE_APP_SECRET: secret, DATA_DIR: join(dataDir, 'unused') }
  }

  test('where the migrator may make roles, it prepares everything; again, it changes nothing', async () => {
    const environment = await migrator('CREATEROLE')
    await query(server.superuserUrl(), 'ALTER DATABASE shop OWNER TO "Boss"')
    const first = await prepare(environment)
    expect(first).toMatchObject({ embedded: false, empty: true })
    const passwords = `SELECT rolname, rolpassword FROM pg_authid WHERE rolname ~ '^app_' ORDER BY 1`
    const before = await query(server.superuserUrl(), passwords)
    const second = await prepare(environment)
    expect(await query(server.superuserUrl(), passwords)).toEqual(before)
    expect(await query(second.urlFor('finance'), 'SELECT current_user AS role')).toEqual([
      { role: 'app_finance' },
    ])
    expect(await query(second.migratorUrl, 'SELECT current_user AS role')).toEqual([{ role: 'app_owner' }])
    expect(
      await query<{ mine: string }>(
        server.superuserUrl('shop'),
        `SELECT DISTINCT pg_get_userbyid(relowner) AS mine
      FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'shared'`,
      ),
    ).toEqual([{ mine: 'app_owner' }])
  })

  test('two first starts at once', async () => {
    const environment = await migrator('SUPERUSER')
    const both = await Promise.all([prepare(environment), prepare(environment)])
    expect(both.map(({ empty }) => empty)).toEqual([true, true])
  })

  test('where it may not, it says what is missing and changes nothing; the printed script prepares it', async () => {
    const environment = await migrator('NOCREATEROLE')
    await expect(prepare(environment)).rejects.toThrow(
      /role app_owner is missing[^]*role app_gateway is missing[^]*npm run migrate -- roles --print[^]*docs\/runbooks\/database\.md/,
    )
    expect((await roles()).rows).toEqual([{ rolname: 'Boss' }])

    const script = rolesScript(loadConfig({ NODE_ENV: 'test', ...environment }))
    expect(script).not.toContain('p@ss word')
    expect(script).not.toContain(secret)
    await query(server.superuserUrl(), script)
    const database = await prepare(environment)
    expect(await query(database.urlFor('hr'), 'SELECT current_user AS role')).toEqual([{ role: 'app_hr' }])
    await expect(prepare({ ...environment, DATABASE_APP_SECRET: `${secret}!` })).rejects.toThrow(otherSecret)
  })

  const otherSecret =
    /^DATABASE_APP_SECRET is not the secret that these roles' passwords were made from: app_identity, [^]*Nothing was changed\.[^]*npm run migrate -- roles --rotate/
  /** What several processes share: roles with passwords and settings, rights, schemas, tables. */
  const shared = () =>
    query(
      server.superuserUrl('shop'),
      `SELECT to_jsonb(a)::text AS state FROM pg_authid a WHERE rolname ~ '^app_'
       UNION ALL SELECT to_jsonb(s)::text FROM pg_db_role_setting s
       UNION ALL SELECT datacl::text FROM pg_database WHERE datname = 'shop'
       UNION ALL SELECT nspname || nspacl::text FROM pg_namespace UNION ALL SELECT relname FROM pg_class ORDER BY 1`,
    )

  test('O1: a process with another secret changes no password, whoever it is, and says what to do', async () => {
    const environment = await migrator('SUPERUSER')
    const running = await prepare(environment)
    const before = await shared()
    const other = { ...environment, DATABASE_APP_SECRET: `${secret}, mistyped` }
    await expect(prepare(other)).rejects.toThrow(otherSecret)
    await expect(prepare(other, { change: false })).rejects.toThrow(otherSecret)
    expect(await shared()).toEqual(before)
    expect(await query(running.urlFor('hr'), 'SELECT current_user AS role')).toEqual([{ role: 'app_hr' }])

    const config = loadConfig({ NODE_ENV: 'test', ...other })
    const rotated = await rotateRolePasswords({ ...config, databaseUrl: config.databaseUrl! })
    expect(rotated).toEqual(applicationRoles)
    await expect(query(running.urlFor('hr'), 'SELECT 1')).rejects.toThrow('password authentication failed')
    const next = await prepare(other)
    expect(await query(next.urlFor('hr'), 'SELECT current_user AS role')).toEqual([{ role: 'app_hr' }])
    await expect(prepare(environment)).rejects.toThrow(otherSecret)
  })

  test('O1: of two first starts with two secrets one makes the passwords, the other is refused', async () => {
    const environment = await migrator('SUPERUSER')
    const other = { ...environment, DATABASE_APP_SECRET: `${secret}, mistyped` }
    const starts = await Promise.allSettled([prepare(environment), prepare(other)])
    const served = starts.filter(({ status }) => status === 'fulfilled')
    expect(served).toHaveLength(1)
    const winner = starts[0]!.status === 'fulfilled' ? environment : other
    await expect(prepare(winner)).resolves.toMatchObject({ embedded: false })
    await expect(prepare(winner === environment ? other : environment)).rejects.toThrow(otherSecret)
  })

  test('O1: a command that reads makes neither roles nor schemas', async () => {
    const environment = await migrator('SUPERUSER')
    const before = await shared()
    const config = loadConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', ...environment })
    await expect(openServer(config, createLogger(config), { change: false })).rejects.toThrow(
      'role app_owner is missing',
    )
    expect(await shared()).toEqual(before)
    const { migratorUrl } = await openServer(config, createLogger(config))
    const made = await shared()
    const states = await migrationStates(migratorUrl)
    expect(states.map(({ applied }) => applied)).toEqual(migrations.map(() => false))
    expect(await shared()).toEqual(made)
  })

  test('a role with a URL of its own keeps its password', async () => {
    const environment = await migrator('SUPERUSER')
    await query(server.superuserUrl(), `CREATE ROLE app_hr LOGIN PASSWORD 'kept by others'`)
    const own = new URL(server.superuserUrl('shop'))
    own.username = 'app_hr'
    own.password = 'kept%20by%20others'
    const database = await prepare({ ...environment, DATABASE_URL_HR: own.href })
    expect(database.urlFor('hr')).toBe(own.href)
    expect(await query(own.href, 'SELECT current_user AS role')).toEqual([{ role: 'app_hr' }])
  })
})
