import { Client } from 'pg'
import { createTenant, createUser } from '../../database/tenants'
import { subgraphNames } from '../../kernel/schema/subgraph-names'
import { uuidv7 } from '../../kernel/id'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** The functions that see more than their caller, and what they give away. */
let database: TestDatabase
let owner: Client
let gateway: Client
let identity: Client
let acme: string
let globex: string
let user: string
const session = uuidv7()
const now = '2026-03-01T12:00:00.000Z'

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString })
  await client.connect()
  return client
}

beforeAll(async () => {
  database = await freshDatabase()
  owner = await connect(database.migratorUrl)
  gateway = await connect(database.urlFor('gateway'))
  identity = await connect(database.urlFor('identity'))
  acme = await createTenant(owner, { slug: 'acme', name: 'Acme' })
  globex = await createTenant(owner, { slug: 'globex', name: 'Globex' })
  user = await createUser(owner, acme, { email: 'one@acme.example', roles: ['USER', 'VIEWER'] })
  await owner.query(
    `INSERT INTO identity.sessions (tenant_id, id, user_id, last_seen_at, expires_at)
     VALUES ($1, $2, $3, $4, $4::timestamptz + interval '7 days')`,
    [acme, session, user, now],
  )
})

afterAll(async () => {
  for (const client of [owner, gateway, identity]) await client?.end()
  await database?.drop()
})

async function viewer(tenantId: string, instant = now, id = session): Promise<unknown[][]> {
  await gateway.query("SELECT set_config('app.tenant_id', $1, false)", [tenantId])
  const text = 'SELECT user_id, permission_version, scopes FROM shared.session_viewer($1, $2)'
  return (await gateway.query<unknown[]>({ text, values: [id, instant], rowMode: 'array' })).rows
}

/** Makes a change, looks, and takes it back. */
async function viewerAfter(change: string): Promise<unknown[][]> {
  await owner.query(change)
  const found = await viewer(acme)
  await owner.query("UPDATE identity.users SET status = 'ACTIVE'")
  await owner.query("UPDATE tenancy.tenants SET status = 'ACTIVE'")
  await owner.query('UPDATE identity.sessions SET revoked_at = NULL, last_seen_at = $1', [now])
  return found
}

test('a live session gives its user and what the user may do, each scope once', async () => {
  const { rows } = await owner.query<{ scopes: string[] }>(
    `SELECT array_agg(DISTINCT p.name::text ORDER BY p.name::text) AS scopes
       FROM identity.role_assignments a JOIN identity.roles r ON (r.tenant_id, r.id) = (a.tenant_id, a.role_id)
       JOIN identity.permissions p ON r.name = ANY (p.system_roles)
      WHERE a.user_id = $1`,
    [user],
  )
  expect(rows[0]!.scopes).toContain('tenancy:tenant:read')
  expect(await viewer(acme)).toEqual([[user, 1, rows[0]!.scopes]])
})

test.each([
  ['a session that is revoked', "UPDATE identity.sessions SET revoked_at = '2026-03-01'"],
  ['a suspended user', "UPDATE identity.users SET status = 'SUSPENDED'"],
  ['a suspended tenant', "UPDATE tenancy.tenants SET status = 'SUSPENDED'"],
  ['a cancelled tenant', "UPDATE tenancy.tenants SET status = 'CANCELLED'"],
])('%s gives nothing', async (_, change) => {
  expect(await viewerAfter(change)).toEqual([])
  expect(await viewer(acme)).toHaveLength(1)
})

test('a session idle for 30 minutes gives nothing, and looking does not wake it', async () => {
  expect(await viewer(acme, '2026-03-01T12:30:00.000Z')).toEqual([])
  expect(await viewer(acme, '2026-03-01T12:30:00.000Z')).toEqual([])
  expect(await viewer(acme, '2026-03-01T12:00:30.000Z')).toHaveLength(1)
})

test('a session that is over gives nothing, however lately it was used', async () => {
  await owner.query("UPDATE identity.sessions SET last_seen_at = '2026-03-08T11:59:59Z'")
  expect(await viewer(acme, '2026-03-08T11:59:59.999Z')).toHaveLength(1)
  expect(await viewer(acme, '2026-03-08T12:00:00.000Z')).toEqual([])
  await owner.query('UPDATE identity.sessions SET last_seen_at = $1', [now])
})

test('an unknown session and the session of another tenant give the same: nothing', async () => {
  expect(await viewer(acme, now, uuidv7())).toEqual([])
  expect(await viewer(globex)).toEqual([])
  await expect(viewer('')).rejects.toMatchObject({ code: '22P02' })
})

test('use is noted once a minute', async () => {
  const seen = async () =>
    (
      await owner.query<{ at: Date }>('SELECT last_seen_at AS at FROM identity.sessions')
    ).rows[0]!.at.toISOString()
  await viewer(acme, '2026-03-01T12:00:59.999Z')
  expect(await seen()).toBe(now)
  await viewer(acme, '2026-03-01T12:01:00.000Z')
  expect(await seen()).toBe('2026-03-01T12:01:00.000Z')
  await viewer(acme, '2026-03-01T12:00:30.000Z')
  expect(await seen()).toBe('2026-03-01T12:01:00.000Z')
  await owner.query('UPDATE identity.sessions SET last_seen_at = $1', [now])
})

test('the tenant of a sign-in is found by its slug in any connection, and nothing else of it', async () => {
  const tenantOf = async (slug: string | null) =>
    (await identity.query<{ tenant: string | null }>('SELECT identity.tenant_by_slug($1) AS tenant', [slug]))
      .rows[0]!.tenant
  expect(await tenantOf('acme')).toBe(acme)
  expect(await tenantOf('globex')).toBe(globex)
  expect(await tenantOf('nowhere')).toBeNull()
  expect(await tenantOf('')).toBeNull()
  expect(await tenantOf(null)).toBeNull()
  await owner.query("UPDATE tenancy.tenants SET status = 'SUSPENDED' WHERE id = $1", [globex])
  expect(await tenantOf('globex')).toBeNull()
  await owner.query("UPDATE tenancy.tenants SET status = 'ACTIVE'")
})

test('the name and slug of the own tenant are read, and of no other', async () => {
  const own = async (tenantId: string) => {
    await identity.query("SELECT set_config('app.tenant_id', $1, false)", [tenantId])
    const text = 'SELECT shared.tenant_name(), shared.tenant_slug()'
    return (await identity.query<string[]>({ text, rowMode: 'array' })).rows[0]
  }
  expect(await own(acme)).toEqual(['Acme', 'acme'])
  expect(await own(globex)).toEqual(['Globex', 'globex'])
  await expect(own('')).rejects.toMatchObject({ code: '22P02' })
})

test('only who needs them may call them', async () => {
  const { rows } = await owner.query<{ name: string; callers: string[] }>(
    `SELECT p.proname AS name, array_agg(r.rolname::text ORDER BY r.rolname) AS callers
       FROM pg_proc p JOIN pg_roles r ON has_function_privilege(r.oid, p.oid, 'EXECUTE')
      WHERE p.proname IN ('session_viewer', 'tenant_by_slug', 'tenant_slug', 'effective_permissions', 'user_is_taken_over', 'known_users')
        AND r.rolname = ANY ($1)
      GROUP BY p.proname ORDER BY p.proname`,
    [[...subgraphNames, 'gateway'].map((name) => `app_${name}`)],
  )
  expect(rows).toEqual([
    { name: 'effective_permissions', callers: ['app_identity'] },
    { name: 'known_users', callers: ['app_compliance', 'app_insights'] },
    { name: 'session_viewer', callers: ['app_gateway', 'app_identity'] },
    { name: 'tenant_by_slug', callers: ['app_identity'] },
    { name: 'tenant_slug', callers: ['app_identity'] },
    { name: 'user_is_taken_over', callers: ['app_hr'] },
  ])
  await expect(gateway.query('SELECT id FROM identity.sessions')).rejects.toMatchObject({ code: '42501' })
})
