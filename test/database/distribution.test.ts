import { Client } from 'pg'
import { insertDemoData } from '../../database/demo'
import { createTenant, createUser } from '../../database/tenants'
import { lintCatalogue } from '../support/catalogue-lint'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import {
  assertDistributable,
  lintStatement,
  readKnownTables,
  type KnownTables,
} from '../support/statement-lint'

let database: TestDatabase
let owner: Client
let known: KnownTables

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  known = await readKnownTables(owner)
})

afterAll(async () => {
  await owner.end()
  await database.drop()
})

describe('the catalogue', () => {
  test('holds nothing that a distributed PostgreSQL refuses', async () => {
    expect(await lintCatalogue(owner)).toEqual([])
  })

  // Each of them must be noticed by itself.
  const sabotages: [what: string, sql: string, noticed: string][] = [
    [
      'a sub-select in a policy',
      `ALTER POLICY tenant ON hr.holidays USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))`,
      'policy tenant of hr.holidays holds a sub-select',
    ],
    [
      'a policy for everybody',
      'ALTER POLICY tenant ON hr.holidays TO PUBLIC',
      'policy tenant of hr.holidays is for PUBLIC',
    ],
    [
      'a trigger',
      'CREATE TRIGGER touch BEFORE UPDATE ON hr.holidays FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
      'trigger touch on hr.holidays',
    ],
    [
      'a foreign key that sets null',
      `ALTER TABLE hr.holidays ADD made_by uuid, ADD CONSTRAINT by_fkey FOREIGN KEY (tenant_id, made_by)
         REFERENCES identity.users (tenant_id, id) ON DELETE SET NULL (made_by)`,
      'foreign key by_fkey of hr.holidays sets null or a default',
    ],
    [
      'a foreign key from a global table',
      `ALTER TABLE tenancy.countries ADD t uuid, ADD u uuid,
         ADD CONSTRAINT far_fkey FOREIGN KEY (t, u) REFERENCES identity.users (tenant_id, id)`,
      'foreign key far_fkey leads from global tenancy.countries to identity.users',
    ],
    [
      'a unique index without the tenant',
      'CREATE UNIQUE INDEX far_key ON hr.holidays (name)',
      'index hr.far_key of hr.holidays is unique without tenant_id',
    ],
    [
      'an exclusion without the tenant',
      'ALTER TABLE hr.holidays ADD CONSTRAINT far_rule EXCLUDE USING gist (daterange(day, day) WITH &&)',
      'exclusion hr.far_rule of hr.holidays is unique without tenant_id',
    ],
    [
      'a global table of no list',
      'CREATE TABLE hr.colours (name text)',
      'hr.colours holds no tenant and is not on the list of global tables, which every node has',
    ],
    [
      'a function in SQL',
      `CREATE FUNCTION hr.days(of_day date) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM hr.holidays WHERE day = of_day'`,
      'function hr.days is SQL with parameters over a table: make it PL/pgSQL',
    ],
    [
      'a function that asks for the setting in a query',
      `CREATE FUNCTION hr.days() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN
         RETURN (SELECT count(*) FROM hr.holidays h WHERE h.tenant_id = current_setting('app.tenant_id')::uuid); END $$`,
      'function hr.days compares with the setting inside a query: read it into a variable',
    ],
    [
      "a function that reads all tenants' rows",
      `CREATE FUNCTION hr.days() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN
         RETURN (SELECT count(*) FROM hr.holidays h); END $$`,
      'function hr.days: hr.holidays is named without tenant_id = $n for itself',
    ],
  ]
  test.each(sabotages)('%s is noticed', async (_, sabotage, noticed) => {
    await owner.query('BEGIN')
    try {
      await owner.query(sabotage)
      expect(await lintCatalogue(owner)).toContain(noticed)
    } finally {
      await owner.query('ROLLBACK')
    }
  })
})

describe('a statement', () => {
  const users = 'identity.users is named without tenant_id = $n for itself'
  const sabotages: [text: string, faults: string[]][] = [
    ['SELECT id FROM identity.users WHERE id = $1', [users]],
    [`SELECT id FROM identity.users WHERE email = 'tenant_id = $1'`, [users]],
    ['SELECT id FROM identity.users -- tenant_id = $1', [users]],
    ['SELECT id FROM identity.users u WHERE tenant_id = $1', [users]],
    ['SELECT id FROM "identity"."users" t WHERE t."tenant_id" IS NOT NULL', [users]],
    [
      'SELECT 1 FROM identity.sessions s JOIN identity.users u ON u.tenant_id = s.tenant_id WHERE s.tenant_id = $1',
      [users],
    ],
    [
      'SELECT 1 FROM identity.sessions s, identity.users u WHERE s.tenant_id = $1 AND u.tenant_id = s.tenant_id',
      [users],
    ],
    ['SELECT 1 FROM hr.holidays WHERE tenant_id = $1 UNION ALL SELECT 1 FROM identity.users', [users]],
    ['SELECT (SELECT email FROM identity.users LIMIT 1) FROM hr.holidays WHERE tenant_id = $1', [users]],
    ['DELETE FROM hr.holidays WHERE id = $1', ['hr.holidays is named without tenant_id = $n for itself']],
    [
      `WITH before AS (SELECT * FROM identity.users t WHERE t.tenant_id = $1)
       UPDATE identity.users t SET phone = $2, updated_at = now() FROM before WHERE t.tenant_id = before.tenant_id`,
      [users],
    ],
    [
      'UPDATE identity.users SET phone = $2 WHERE tenant_id = $1',
      ['identity.users is updated without updated_at'],
    ],
    [
      'INSERT INTO hr.employees (id) VALUES ($1) ON CONFLICT (tenant_id, id) DO UPDATE SET position = $2',
      ['hr.employees is updated without updated_at'],
    ],
    [
      'SELECT id FROM identity.users FOR NO KEY UPDATE',
      [users, "rows of identity.users are locked whoever's they are"],
    ],
    [
      'INSERT INTO hr.holidays (id, name, day) SELECT * FROM unnest($1::uuid[], $2::text[], $3::date[])',
      ['rows of hr.holidays come from a query instead of VALUES'],
    ],
    [
      'INSERT INTO hr.holidays (id, name, day) VALUES ($1, (SELECT $2), $3)',
      ['VALUES for hr.holidays hold a sub-query'],
    ],
    [
      'SELECT 1 FROM identity.users u WHERE u.tenant_id = $1 AND $2 = ANY (identity.effective_permissions(u.id))',
      ["identity.effective_permissions() stands beside a tenant's table: make it a statement of its own"],
    ],
  ]
  test.each(sabotages)('%s is noticed', (text, faults) => {
    expect(lintStatement(text, known)).toEqual(faults)
  })

  test.each([
    'SELECT id FROM identity.users WHERE tenant_id = $1 AND id IN (SELECT user_id FROM identity.sessions WHERE tenant_id = $1)',
    'SELECT t."id" FROM "identity"."users" t WHERE t."tenant_id" = $1 AND (t."email" = $2 OR t."username" = $2)',
    'SELECT 1 FROM identity.sessions s JOIN identity.users u ON u.tenant_id = $1 AND u.id = s.user_id WHERE s.tenant_id = $1',
    'INSERT INTO hr.holidays AS h (id, name, day) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, day) DO NOTHING',
    'UPDATE identity.users t SET phone = $2, updated_at = now() WHERE t.tenant_id = $1',
    'SELECT name FROM tenancy.countries',
    'SELECT id, identity.effective_permissions(id) FROM unnest($1::uuid[]) AS id',
    'SELECT id FROM hr.holidays WHERE tenant_id = $1 FOR UPDATE',
  ])('%s is fine', (text) => {
    expect(lintStatement(text, known)).toEqual([])
  })

  test('of those that make tenants, users and the demo data, none is refused', async () => {
    const sent = new Set<string>()
    const recording = {
      query: (text: string, values?: unknown[]) => {
        sent.add(text)
        return owner.query(text, values)
      },
    } as unknown as Client
    await owner.query('BEGIN')
    const id = await createTenant(recording, { slug: 'one', name: 'One' })
    await createUser(recording, id, { email: 'a@one.example', roles: ['ADMIN', 'VIEWER'] })
    const { rows } = await owner.query<{ name: string }>(
      `SELECT r.name FROM identity.role_assignments a JOIN identity.roles r ON r.tenant_id = a.tenant_id AND r.id = a.role_id
        WHERE a.tenant_id = $1 ORDER BY 1`,
      [id],
    )
    await insertDemoData(recording, { password: 'correct horse battery', rounds: 4 })
    await owner.query('ROLLBACK')
    expect(rows).toEqual([{ name: 'ADMIN' }, { name: 'VIEWER' }])
    expect(sent.size).toBeGreaterThan(15)
    await expect(assertDistributable(owner, sent)).resolves.toBeUndefined()
  })
})
