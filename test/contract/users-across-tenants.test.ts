import { Client } from 'pg'
import { createTenant, createUser } from '../../database/tenants'
import { uuidv7 } from '../../kernel/id'
import { applicationRoles, lookupRole, ownerRole } from '../../migrations/sql'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** Whether a tenant knows a person is told to nobody outside of it: no right and no function finds a user across tenants. */
let database: TestDatabase
let owner: Client
const clients = new Map<string, Client>()
let acme: string
let globex: string
/** Of globex. */
let victim: { id: string; session: string; email: string }

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  for (const role of applicationRoles) {
    const client = new Client({ connectionString: database.urlFor(role.slice('app_'.length) as 'identity') })
    await client.connect()
    clients.set(role, client)
  }
  acme = await createTenant(owner, { slug: 'acme', name: 'Acme' })
  globex = await createTenant(owner, { slug: 'globex', name: 'Globex' })
  const email = 'victim@example.org'
  const id = await createUser(owner, globex, { email, roles: ['ADMIN'] })
  await owner.query('UPDATE identity.users SET username = $2, external_id = $2 WHERE id = $1', [id, email])
  const session = uuidv7()
  await owner.query(
    `INSERT INTO identity.sessions (tenant_id, id, user_id, last_seen_at, expires_at)
     VALUES ($1, $2, $3, now(), now() + interval '7 days')`,
    [globex, session, id],
  )
  victim = { id, session, email }
})

afterAll(async () => {
  for (const client of clients.values()) await client.end()
  await owner?.end()
  await database?.drop()
})

/** What a statement answers in a tenant's connection, or in one of none; nothing of it stays. */
async function answer(role: string, tenantId: string, text: string, values: unknown[] = []): Promise<string> {
  const client = clients.get(role)!
  await client.query('BEGIN')
  try {
    await client.query("SELECT set_config('app.tenant_id', $1, true)", [tenantId])
    return JSON.stringify((await client.query<unknown[]>({ text, values, rowMode: 'array' })).rows)
  } catch (error) {
    return String((error as { code?: string }).code)
  } finally {
    await client.query('ROLLBACK')
  }
}

test('one role reads users, in one tenant at a time', async () => {
  const text = 'SELECT id FROM identity.users WHERE email = $1'
  for (const role of applicationRoles) {
    const reads = role === 'app_identity'
    expect([role, await answer(role, acme, text, [victim.email])]).toEqual([role, reads ? '[]' : '42501'])
    expect([role, await answer(role, '', text, [victim.email])]).toEqual([role, reads ? '22P02' : '42501'])
  }
  expect(await answer('app_identity', globex, text, [victim.email])).toBe(JSON.stringify([[victim.id]]))
})

test('nothing by which people know a user can be read by what looks across tenants', async () => {
  const { rows } = await owner.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = 'identity.users'::regclass AND attnum > 0
        AND NOT attisdropped AND has_column_privilege($1, attrelid, attnum, 'SELECT') ORDER BY attname`,
    [lookupRole],
  )
  expect(rows.map(({ name }) => name)).toEqual([
    'granted_permissions',
    'id',
    'kind',
    'password_change_required',
    'permission_version',
    'status',
    'tenant_id',
  ])
})

/** The functions that see more than their callers, by signature, with the types of their parameters. */
async function definerFunctions(): Promise<{ name: string; types: string[]; callers: string[] }[]> {
  const { rows } = await owner.query<{ name: string; types: string[]; callers: string[] }>(
    `SELECT p.oid::regproc::text AS name,
            array(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, place)
                   ORDER BY place) AS types,
            array(SELECT r FROM unnest($1::text[]) r WHERE has_function_privilege(r, p.oid, 'EXECUTE')) AS callers
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE p.prosecdef AND n.nspname !~ '^pg_' ORDER BY 1`,
    [applicationRoles],
  )
  return rows
}

type Known = Record<'text' | 'uuid', string>

const argument = (type: string, known: Known): unknown => {
  const isList = type.endsWith('[]')
  const plain = type.replace('[]', '')
  const value =
    plain === 'text' || plain.startsWith('character')
      ? known.text
      : plain === 'uuid'
        ? known.uuid
        : /^(int|big|small)/.test(plain)
          ? 3
          : plain.startsWith('timestamp')
            ? new Date().toISOString()
            : null
  return isList ? [value] : value
}

/** The calls that answer about a user of another tenant what they do not answer about nobody. */
async function telling(): Promise<{ calls: number; told: string[] }> {
  const told: string[] = []
  let calls = 0
  const nobody: Known = { text: 'nobody@example.org', uuid: uuidv7() }
  const somebody: Known[] = [victim.id, victim.session].map((uuid) => ({ text: victim.email, uuid }))
  const functions = await definerFunctions()
  // Each role has a connection of its own.
  const askAs = async (role: string) => {
    for (const { name, types } of functions.filter(({ callers }) => callers.includes(role))) {
      // What stands in the place of a slug is left out in one round, as an optional argument would be.
      const rounds = ['text', 'uuid'].some((type) => types.includes(type)) ? [null, 0] : [null]
      const text = `SELECT * FROM ${name}(${types.map((type, place) => `$${place + 1}::${type}`).join(', ')})`
      for (const tenantId of [acme, ''])
        for (const leftOut of rounds) {
          const ask = (known: Known) =>
            answer(
              role,
              tenantId,
              text,
              types.map((type, place) => (place === leftOut ? null : argument(type, known))),
            )
          calls++
          const expected = await ask(nobody)
          for (const known of somebody)
            if ((await ask(known)) !== expected) told.push(`${role} ${name} ${tenantId && 'bound'}`)
        }
    }
  }
  await Promise.all(applicationRoles.map(askAs))
  return { calls, told }
}

test('no function that a role may call tells whether another tenant has a user', async () => {
  const { calls, told } = await telling()
  expect(told).toEqual([])
  expect(calls).toBeGreaterThan(20)
  // In the user's own tenant they tell.
  const ask = 'SELECT shared.known_users(ARRAY[$1]::uuid[])'
  expect(await answer('app_compliance', globex, ask, [victim.id])).toBe(JSON.stringify([[victim.id]]))
})

test('a function that looks for an address in all tenants would be noticed', async () => {
  await owner.query(`
    GRANT SELECT (email) ON identity.users TO ${lookupRole};
    GRANT CREATE ON SCHEMA identity TO ${lookupRole};
    CREATE POLICY hole ON identity.users FOR SELECT TO ${lookupRole} USING (true);
    CREATE FUNCTION identity.tenant_of(slug text, address text) RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
    BEGIN
      RETURN (SELECT u.tenant_id FROM identity.users u WHERE slug IS NULL AND u.email = address);
    END $$;
    ALTER FUNCTION identity.tenant_of OWNER TO ${lookupRole};
    REVOKE ALL ON FUNCTION identity.tenant_of FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION identity.tenant_of TO app_identity`)
  try {
    expect(new Set((await telling()).told)).toEqual(
      new Set(['app_identity identity.tenant_of bound', 'app_identity identity.tenant_of ']),
    )
  } finally {
    await owner.query(`
      DROP FUNCTION identity.tenant_of; DROP POLICY hole ON identity.users;
      REVOKE CREATE ON SCHEMA identity FROM ${lookupRole};
      REVOKE SELECT (email) ON identity.users FROM ${lookupRole}`)
  }
})

test('no index finds a user, or what is of one, without the tenant', async () => {
  const { rows } = await owner.query(
    `SELECT i.indexrelid::regclass::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
      WHERE c.relnamespace = 'identity'::regnamespace AND c.relowner = $1::regrole AND i.indkey[0] <> a.attnum`,
    [ownerRole],
  )
  expect(rows).toEqual([])
})
