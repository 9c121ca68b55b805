import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { verifyPassword } from '../../kernel/sign-in/password'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { runScript } from '../support/run-script'

let database: TestDatabase
let owner: Client
const dataDir = mkdtempSync(join(tmpdir(), 'tenant-command-'))

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
})

afterAll(async () => {
  await owner?.end()
  await database?.drop()
  rmSync(dataDir, { recursive: true, force: true })
})

const run = (...args: string[]) => runScript('tenant', args, { database, dataDir })

test('makes a tenant and its administrator, whose password is printed once and must be changed', async () => {
  const { code, stdout, stderr } = await run(
    'create',
    '--slug',
    'initech',
    '--name',
    'Initech Inc.',
    '--admin',
    'Bill@initech.example',
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const password = /^password +(\S{20})$/m.exec(stdout)![1]!
  const { rows } = await owner.query<Record<string, unknown>>(
    `SELECT t.slug, t.name, u.email, u.password_hash, u.password_change_required, r.name AS role
       FROM tenancy.tenants t JOIN identity.users u ON u.tenant_id = t.id
       JOIN identity.role_assignments a ON a.user_id = u.id JOIN identity.roles r ON r.id = a.role_id`,
  )
  expect(rows).toEqual([
    {
      slug: 'initech',
      name: 'Initech Inc.',
      email: 'bill@initech.example',
      password_hash: expect.stringMatching(/^\$2b\$12\$/),
      password_change_required: true,
      role: 'ADMIN',
    },
  ])
  expect(await verifyPassword(password, String(rows[0]!['password_hash']))).toBe(true)
  const { rows: keys } = await owner.query('SELECT generation FROM shared.data_keys')
  expect(keys).toEqual([{ generation: 1 }])

  const again = await run('create', '--slug', 'initech', '--name', 'Other', '--admin', 'x@initech.example')
  expect(again).toEqual({ code: 2, stdout: '', stderr: 'The slug "initech" is taken: choose another one\n' })
})

test('a fault leaves nothing behind', async () => {
  const { code, stderr } = await run('create', '--slug', 'hooli', '--name', 'Hooli', '--admin', 'nobody')
  expect({ code, stderr }).toEqual({ code: 2, stderr: '"nobody" is not an e-mail address\n' })
  expect((await owner.query("SELECT FROM tenancy.tenants WHERE slug = 'hooli'")).rowCount).toBe(0)
})

const done = async () =>
  (
    await owner.query<{ action: string; tenant: string; details: object }>(
      `SELECT a.action, t.slug AS tenant, a.details FROM shared.platform_actions a JOIN tenancy.tenants t ON t.id = a.about_tenant
        WHERE a.operator_id IS NULL ORDER BY a.id`,
    )
  ).rows
const by = { systemUser: userInfo().username, databaseUser: 'migrator' }

test('T1 lists tenants, suspends one for a reason and opens it again, in both trails', async () => {
  await run(
    'create',
    '--slug',
    'umbrella',
    '--name',
    'Umbrella',
    '--admin',
    'a@umbrella.example',
    '--sandbox',
  )
  const list = async () => (await run('list')).stdout
  expect(await list()).toBe(
    'initech  ACTIVE  STARTER  1  Initech Inc.\numbrella  ACTIVE  STARTER  1  Umbrella\n',
  )
  const status = ['--slug', 'initech']
  expect(await run('reactivate', ...status)).toEqual({
    ...{ code: 2, stdout: '', stderr: 'The tenant initech is ACTIVE\n' },
  })
  expect(await run('suspend', ...status, '--reason', ' ')).toMatchObject({
    ...{ code: 2, stderr: 'The reason must have 1 to 500 characters\n' },
  })
  expect(await run('suspend', ...status, '--reason', 'Unpaid')).toEqual({
    ...{ code: 0, stderr: '', stdout: 'initech is suspended. Who is in is out within a minute.\n' },
  })
  expect(await list()).toMatch(/^initech {2}SUSPENDED {2}/)
  expect((await run('suspend', ...status, '--reason', 'Unpaid')).stderr).toBe(
    'The tenant initech is SUSPENDED\n',
  )
  expect((await run('reactivate', ...status)).stdout).toBe('initech is active again.\n')
  const { rows } = await owner.query(
    `SELECT l.actor_id AS actor, l.resource_type AS type, l.changes FROM shared.audit_logs l
       JOIN tenancy.tenants t ON t.id = l.tenant_id WHERE t.slug = 'initech' ORDER BY l.id`,
  )
  const entry = { actor: null, type: 'Tenant' }
  expect(rows).toEqual([
    {
      ...entry,
      changes: { before: { status: 'ACTIVE' }, after: { status: 'SUSPENDED', statusReason: 'Unpaid' } },
    },
    {
      ...entry,
      changes: { before: { status: 'SUSPENDED' }, after: { status: 'ACTIVE', statusReason: null } },
    },
  ])
  expect(await done()).toEqual([
    {
      ...{ action: 'CREATE_TENANT', tenant: 'initech' },
      details: { ...by, slug: 'initech', name: 'Initech Inc.', isSandbox: false },
    },
    {
      ...{ action: 'CREATE_TENANT', tenant: 'umbrella' },
      details: { ...by, slug: 'umbrella', name: 'Umbrella', isSandbox: true },
    },
    {
      ...{ action: 'SUSPEND_TENANT', tenant: 'initech' },
      details: { ...by, status: 'SUSPENDED', statusReason: 'Unpaid' },
    },
    {
      ...{ action: 'REACTIVATE_TENANT', tenant: 'initech' },
      details: { ...by, status: 'ACTIVE', statusReason: null },
    },
  ])
})

test('issue 14: exports a tenant into a folder, which stands in both trails with the digest of its manifest', async () => {
  const folder = join(dataDir, 'initech export')
  const { code, stdout, stderr } = await run('export', '--slug', 'initech', '--to', folder)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const text = readFileSync(join(folder, 'manifest.json'))
  const manifest = createHash('sha256').update(text).digest('hex')
  expect(stdout).toContain(`manifest  ${manifest}\n`)
  const { types } = JSON.parse(text.toString()) as { types: { rows: number }[] }
  const told = { rows: types.reduce((sum, one) => sum + one.rows, 0), files: 0, manifest }
  const { rows } = await owner.query(
    `SELECT l.action, l.changes FROM shared.audit_logs l JOIN tenancy.tenants t ON t.id = l.tenant_id
      WHERE t.slug = 'initech' ORDER BY l.id DESC LIMIT 1`,
  )
  expect(rows).toEqual([{ action: 'VIEW', changes: { after: told } }])
  expect((await done()).at(-1)).toEqual({
    ...{ action: 'EXPORT_TENANT', tenant: 'initech', details: { ...by, ...told } },
  })
  const again = await run('export', '--slug', 'initech', '--to', folder)
  expect([again.code, again.stderr]).toEqual([
    2,
    `${folder} is there already: an export never overwrites one.\n`,
  ])
})

test('A4 gives somebody another password, which must be changed, and ends all sessions', async () => {
  const { rows: users } = await owner.query<{ id: string; tenant: string }>(
    `SELECT u.id, u.tenant_id AS tenant FROM identity.users u WHERE u.email = 'bill@initech.example'`,
  )
  const { id, tenant } = users[0]!
  await owner.query(
    `INSERT INTO identity.sessions (tenant_id, id, user_id, last_seen_at, expires_at)
     VALUES ($1, gen_random_uuid(), $2, now(), now() + interval '7 days')`,
    [tenant, id],
  )
  await owner.query('UPDATE identity.users SET password_change_required = false WHERE id = $1', [id])
  await owner.query(
    `INSERT INTO identity.api_keys (tenant_id, id, owner_id, name, scopes, expires_at, secret_hash, key_prefix)
     VALUES ($1, gen_random_uuid(), $2, 'Old', '{hr:employee:read}', now() + interval '1 day', repeat('0', 64), 'x')`,
    [tenant, id],
  )
  const whose = ['--slug', 'initech', '--email']
  const { code, stdout, stderr } = await run('reset-password', ...whose, 'Bill@Initech.example')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const password = /^password +(\S{20})$/m.exec(stdout)![1]!
  const { rows } = await owner.query<Record<string, unknown>>(
    `SELECT u.password_hash AS hash, u.password_change_required AS change, u.permission_version AS version,
            (SELECT count(*)::int FROM identity.sessions s WHERE s.user_id = u.id AND s.revoked_at IS NULL) AS sessions
       FROM identity.users u WHERE u.id = $1`,
    [id],
  )
  expect(rows).toMatchObject([{ change: true, version: 2, sessions: 0 }])
  const keys = 'SELECT name FROM identity.api_keys WHERE owner_id = $1 AND revoked_at IS NULL'
  expect((await owner.query(keys, [id])).rows).toEqual([])
  const mails = 'SELECT kind, recipient FROM shared.mails WHERE tenant_id = $1'
  expect((await owner.query(mails, [tenant])).rows).toEqual([
    { kind: 'identity.notice-password-reset', recipient: null },
  ])
  expect(await verifyPassword(password, String(rows[0]!['hash']))).toBe(true)
  expect((await done()).at(-1)).toEqual({
    ...{ action: 'RESET_USER_PASSWORD', tenant: 'initech', details: { ...by, userId: id } },
  })
  for (const [args, told] of [
    [
      ['--slug', 'nowhere', '--email', 'x@y.example'],
      'There is no tenant nowhere: see npm run tenant -- list\n',
    ],
    [[...whose, 'x@y.example'], 'There is nobody with the address x@y.example in initech\n'],
  ] as const)
    expect(await run('reset-password', ...args)).toEqual({ code: 2, stdout: '', stderr: told })
  await owner.query("UPDATE identity.users SET status = 'SUSPENDED' WHERE id = $1", [id])
  expect((await run('reset-password', ...whose, 'bill@initech.example')).stderr).toBe(
    'The account is suspended: somebody of the tenant reactivates it\n',
  )
})

test('explains itself', async () => {
  const help = await run('--help')
  expect(help.code).toBe(0)
  expect(help.stdout).toContain('npm run tenant -- create --slug SLUG --name NAME --admin EMAIL')
  const nothing = await run('create', '--slug', 'x')
  expect(nothing.code).toBe(2)
  expect(nothing.stderr).toMatch(/^Missing: --name, --admin\n/)
  expect((await run('suspend', '--slug', 'x')).stderr).toMatch(/^Missing: --reason\n/)
  expect((await run('remove')).stderr).toMatch(
    /^Say what to do: create, list, suspend, reactivate, reset-password, meter, export\. Got: remove\n/,
  )
})
