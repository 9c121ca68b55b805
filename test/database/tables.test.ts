import { Client } from 'pg'
import { migrateDown, migrateUp } from '../../database/migrate'
import { migrations } from '../../migrations'
import { lookupFunction } from '../../migrations/lookup'
import { addColumns, byLanguage, globalTable, migration, tenantTable } from '../../migrations/sql'
import { subgraphNames, type SubgraphName } from '../../kernel/schema/subgraph-names'
import { freshDatabase, type TestDatabase } from '../support/postgres'

const acme = '0190a000-0000-7000-8000-00000000000a'
const globex = '0190a000-0000-7000-8000-00000000000b'
const id = (number: number) => `0190a000-0000-7000-8000-${String(number).padStart(12, '0')}`

const later = migration(9_999_12_31_23_58, 'later', [
  addColumns(
    'hr.holidays',
    { sample_department_id: 'uuid', sample_place: 'varchar(20)' },
    { sample_department_id: { table: 'hr.departments' } },
    [byLanguage('sample_place')],
  ),
])

/** Every form of table the helpers write. */
const samples = migration(9_999_12_31_23_59, 'samples', [
  tenantTable({
    schema: 'hr',
    table: 'sample_teams',
    columns: { name: 'text NOT NULL', lead_id: 'uuid', lucky: 'int CHECK (lucky <> 13)' },
    unique: [['name']],
    checks: { name_short: 'length(name) <= 10' },
    references: { lead_id: { table: 'hr.sample_teams', index: 'lead_id, id', deferred: true } },
    indexes: ['name, id', { columns: 'lower(name)', unique: true, where: 'lucky IS NOT NULL' }],
  }),
  tenantTable({
    schema: 'finance',
    table: 'sample_parts',
    columns: { team_id: 'uuid NOT NULL' },
    references: { team_id: { table: 'hr.sample_teams', onDelete: 'CASCADE' } },
    partition: { by: 'hash', parts: 4 },
  }),
  tenantTable({
    schema: 'insights',
    table: 'sample_events',
    without: ['version', 'updated_at'],
    columns: { happened_at: 'timestamptz(3) NOT NULL' },
    partition: { by: 'month', column: 'happened_at' },
    grants: { app_insights: ['SELECT', 'INSERT'] },
  }),
  lookupFunction({
    name: 'hr.sample_tenant_of_team',
    parameters: 'team_name text',
    returns: 'uuid',
    body: 'BEGIN RETURN (SELECT t.tenant_id FROM hr.sample_teams t WHERE t.name = team_name); END',
    reads: { 'hr.sample_teams': ['tenant_id', 'name'] },
    callers: ['app_identity'],
  }),
])

let database: TestDatabase
const clients = new Map<string, Client>()

beforeAll(async () => {
  database = await freshDatabase()
  await migrateUp(database.migratorUrl, [...migrations, samples])
  await as('owner', null, `INSERT INTO tenancy.tenants (id, name, slug) VALUES ('${acme}', 'Acme', 'acme')`)
  await as(
    'owner',
    null,
    `INSERT INTO tenancy.tenants (id, name, slug) VALUES ('${globex}', 'Globex', 'globex')`,
  )
})

afterAll(async () => {
  for (const client of clients.values()) await client.end()
  await database.drop()
})

/** Runs a statement as a role, with a tenant, in a transaction of its own. Returns the rows. */
async function as(
  role: SubgraphName | 'gateway' | 'owner',
  tenant: string | null,
  text: string,
): Promise<Record<string, unknown>[]> {
  let client = clients.get(role)
  if (!client) {
    const connectionString = role === 'owner' ? database.migratorUrl : database.urlFor(role)
    client = new Client({ connectionString })
    await client.connect()
    clients.set(role, client)
  }
  await client.query('BEGIN')
  try {
    if (tenant) await client.query(`SELECT set_config('app.tenant_id', $1, true)`, [tenant])
    const { rows } = await client.query<Record<string, unknown>>(text)
    await client.query('COMMIT')
    return rows
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

const denied = { code: '42501' }

describe('a tenant table', () => {
  beforeAll(async () => {
    await as(
      'hr',
      acme,
      `INSERT INTO hr.sample_teams (id, name) VALUES ('${id(1)}', 'red'), ('${id(2)}', 'blue')`,
    )
    await as('hr', globex, `INSERT INTO hr.sample_teams (id, name) VALUES ('${id(3)}', 'red')`)
  })

  test('fills the tenant from the connection and shows a tenant its own rows', async () => {
    const read = 'SELECT tenant_id, id, version FROM hr.sample_teams ORDER BY id'
    expect(await as('hr', acme, read)).toEqual([
      { tenant_id: acme, id: id(1), version: 1 },
      { tenant_id: acme, id: id(2), version: 1 },
    ])
    expect(await as('hr', globex, read)).toEqual([{ tenant_id: globex, id: id(3), version: 1 }])
    expect(await as('owner', null, read)).toHaveLength(3)
  })

  test('fails closed without a tenant', async () => {
    await expect(as('hr', null, 'SELECT id FROM hr.sample_teams')).rejects.toMatchObject({ code: '22P02' })
    await expect(
      as('hr', null, `INSERT INTO hr.sample_teams (id, name) VALUES ('${id(9)}', 'x')`),
    ).rejects.toMatchObject({ code: '22P02' })
    expect(await as('owner', null, 'SELECT FROM hr.sample_teams')).toHaveLength(3)
  })

  test("neither takes nor gives another tenant's rows", async () => {
    await expect(
      as(
        'hr',
        acme,
        `INSERT INTO hr.sample_teams (tenant_id, id, name) VALUES ('${globex}', '${id(9)}', 'x')`,
      ),
    ).rejects.toMatchObject(denied)
    await expect(as('hr', acme, `UPDATE hr.sample_teams SET tenant_id = '${globex}'`)).rejects.toMatchObject(
      denied,
    )
    expect(
      await as('hr', acme, `UPDATE hr.sample_teams SET name = 'x' WHERE id = '${id(3)}' RETURNING id`),
    ).toEqual([])
    expect(await as('hr', acme, `DELETE FROM hr.sample_teams WHERE id = '${id(3)}' RETURNING id`)).toEqual([])
    expect(await as('hr', globex, 'SELECT name FROM hr.sample_teams')).toEqual([{ name: 'red' }])
  })

  test("cannot reference another tenant's row, with the same answer as for a missing one", async () => {
    const failures: unknown[] = []
    for (const lead of [id(3), id(999)])
      await as('hr', acme, `UPDATE hr.sample_teams SET lead_id = '${lead}' WHERE id = '${id(1)}'`).catch(
        ({ code, message, constraint }: { code: string; message: string; constraint: string }) =>
          failures.push({ code, message, constraint }),
      )
    expect(failures).toHaveLength(2)
    expect(failures[0]).toEqual(failures[1])
    expect(failures[0]).toMatchObject({ code: '23503', constraint: 'sample_teams_lead_id_fkey' })
  })

  test('keeps a row that another one refers to, and lets a deferred reference come first', async () => {
    await as(
      'hr',
      acme,
      `INSERT INTO hr.sample_teams (id, name, lead_id) VALUES ('${id(5)}', 'led', '${id(4)}');
       INSERT INTO hr.sample_teams (id, name) VALUES ('${id(4)}', 'lead')`,
    )
    const violated = { code: '23503', constraint: 'sample_teams_lead_id_fkey' }
    await expect(as('hr', acme, `DELETE FROM hr.sample_teams WHERE id = '${id(4)}'`)).rejects.toMatchObject(
      violated,
    )
    expect(
      await as(
        'hr',
        acme,
        `SELECT lead_id FROM hr.sample_teams WHERE id IN ('${id(4)}', '${id(5)}') ORDER BY id`,
      ),
    ).toEqual([{ lead_id: null }, { lead_id: id(4) }])
    await as('hr', acme, `DELETE FROM hr.sample_teams WHERE id IN ('${id(4)}', '${id(5)}')`)
  })

  test('has the tenant first in every key, unique rule and index, and an index for every reference', async () => {
    expect(
      (
        await as(
          'owner',
          null,
          `SELECT pg_get_indexdef(indexrelid) AS index FROM pg_index
        WHERE indrelid = 'hr.sample_teams'::regclass`,
        )
      )
        .map((row) => String(row.index).replace(/^.* USING /, ''))
        .sort(),
    ).toEqual([
      'btree (tenant_id, id)',
      'btree (tenant_id, lead_id, id)',
      'btree (tenant_id, lower(name)) WHERE (lucky IS NOT NULL)',
      'btree (tenant_id, name)',
      'btree (tenant_id, name, id)',
    ])
  })

  test.each([
    [`(id, name) VALUES ('${id(9)}', 'red')`, '23505', 'sample_teams_name_key'],
    [`(id, name) VALUES ('${id(9)}', 'much too long')`, '23514', 'sample_teams_name_short_check'],
    [`(id, name, lucky) VALUES ('${id(9)}', 'x', 13)`, '23514', 'sample_teams_lucky_check'],
  ])('names its constraints after table and column: %s', async (values, code, constraint) => {
    await expect(as('hr', acme, `INSERT INTO hr.sample_teams ${values}`)).rejects.toMatchObject({
      code,
      constraint,
    })
  })

  test('is closed to the other subgraphs', async () => {
    await expect(as('finance', acme, 'SELECT FROM hr.sample_teams')).rejects.toMatchObject(denied)
    await expect(as('gateway', acme, 'SELECT FROM hr.sample_teams')).rejects.toMatchObject(denied)
    await expect(as('hr', acme, 'TRUNCATE hr.sample_teams')).rejects.toMatchObject(denied)
  })
})

describe('a partitioned table', () => {
  test('by tenant: reached through the parent only, references across schemas, cascades', async () => {
    await as('hr', acme, `INSERT INTO hr.sample_teams (id, name) VALUES ('${id(6)}', 'parts')`)
    await as(
      'finance',
      acme,
      `INSERT INTO finance.sample_parts (id, team_id) VALUES ('${id(7)}', '${id(6)}')`,
    )
    await expect(
      as('finance', globex, `INSERT INTO finance.sample_parts (id, team_id) VALUES ('${id(8)}', '${id(6)}')`),
    ).rejects.toMatchObject({ code: '23503' })
    await expect(as('finance', acme, 'SELECT FROM finance.sample_parts_0')).rejects.toMatchObject(denied)
    expect(await as('finance', acme, 'SELECT id FROM finance.sample_parts')).toEqual([{ id: id(7) }])
    await as('hr', acme, `DELETE FROM hr.sample_teams WHERE id = '${id(6)}'`)
    expect(await as('finance', acme, 'SELECT id FROM finance.sample_parts')).toEqual([])
  })

  test('by month: two months back and twelve ahead, by the calendar of UTC', async () => {
    const months = (table: string) =>
      as(
        'owner',
        null,
        `
      SELECT array_agg(substr(pg_get_expr(relpartbound, oid), 19, 7) ORDER BY relname) =
        (SELECT array_agg(to_char(m, 'YYYY-MM')) FROM generate_series(
          date_trunc('month', now() AT TIME ZONE 'UTC') - interval '2 months',
          date_trunc('month', now() AT TIME ZONE 'UTC') + interval '12 months', interval '1 month') m) AS complete
      FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = '${table}'::regclass`,
      )
    await as('owner', null, `SET LOCAL timezone = 'Pacific/Kiritimati'; SELECT shared.ensure_partitions(12)`)
    expect(await months('insights.sample_events')).toEqual([{ complete: true }])
    expect(await months('shared.audit_logs')).toEqual([{ complete: true }])
    expect(await as('owner', null, 'SELECT shared.ensure_partitions(12) AS made')).toEqual([{ made: 0 }])
  })

  test('further months can be made, and carry the walls', async () => {
    const [parents] = await as(
      'owner',
      null,
      `SELECT count(*)::int AS parents FROM pg_partitioned_table WHERE partstrat = 'r'`,
    )
    expect(await as('compliance', acme, 'SELECT shared.ensure_partitions(13, 3) AS made')).toEqual([
      { made: 2 * (parents!.parents as number) },
    ])
    expect(
      await as(
        'owner',
        null,
        `SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(audit_logs|sample_events)_'
      AND NOT (relrowsecurity AND relforcerowsecurity AND
        (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid) = 2)`,
      ),
    ).toEqual([])
    await expect(as('compliance', acme, 'SELECT shared.ensure_partitions(100000)')).rejects.toThrow(
      'months_ahead is 0 to 120',
    )
    await expect(as('hr', acme, 'SELECT shared.ensure_partitions(1)')).rejects.toMatchObject(denied)
  })
})

describe('a look-up function', () => {
  test('sees all tenants, with or without a tenant, for its callers only', async () => {
    await as('hr', globex, `INSERT INTO hr.sample_teams (id, name) VALUES ('${id(10)}', 'only')`)
    const call = `SELECT hr.sample_tenant_of_team('only') AS tenant`
    // The caller needs the schema too; in the product a subgraph calls functions of its own schema.
    await as('owner', null, 'GRANT USAGE ON SCHEMA hr TO app_identity')
    expect(await as('identity', null, call)).toEqual([{ tenant: globex }])
    expect(await as('identity', acme, call)).toEqual([{ tenant: globex }])
    await expect(as('identity', globex, 'SELECT name FROM hr.sample_teams')).rejects.toMatchObject(denied)
    await as('owner', null, 'REVOKE USAGE ON SCHEMA hr FROM app_identity')
    await expect(as('hr', globex, call)).rejects.toMatchObject(denied)
  })

  test('its role cannot read a column it did not name', async () => {
    await expect(
      as('owner', null, 'SET LOCAL ROLE app_lookup; SELECT lead_id FROM hr.sample_teams'),
    ).rejects.toMatchObject(denied)
    expect(
      await as('owner', null, `SELECT has_schema_privilege('app_lookup', 'hr', 'CREATE') AS may`),
    ).toEqual([{ may: false }])
  })
})

describe('tenants', () => {
  test('a tenant sees and changes its own row only, and cannot make another', async () => {
    expect(await as('tenancy', acme, 'SELECT slug FROM tenancy.tenants')).toEqual([{ slug: 'acme' }])
    expect(
      await as('tenancy', acme, `UPDATE tenancy.tenants SET name = 'x' WHERE slug = 'globex' RETURNING id`),
    ).toEqual([])
    await expect(
      as(
        'tenancy',
        acme,
        `INSERT INTO tenancy.tenants (id, name, slug) VALUES ('${id(1)}', 'Third', 'third')`,
      ),
    ).rejects.toMatchObject(denied)
    await expect(as('tenancy', acme, 'DELETE FROM tenancy.tenants')).rejects.toMatchObject(denied)
    await expect(as('hr', acme, 'SELECT FROM tenancy.tenants')).rejects.toMatchObject(denied)
  })

  test.each(['Acme', 'a b', '-a', 'a-', ''])('the slug %p is refused', async (slug) => {
    await expect(
      as(
        'owner',
        null,
        `INSERT INTO tenancy.tenants (id, name, slug) VALUES ('${id(1)}', 'Third', '${slug}')`,
      ),
    ).rejects.toMatchObject({ code: '23514', constraint: 'tenants_slug_check' })
  })

  test('removing one removes its rows everywhere and no others', async () => {
    const gone = id(20)
    await as('owner', null, `INSERT INTO tenancy.tenants (id, name, slug) VALUES ('${gone}', 'Gone', 'gone')`)
    await as('hr', gone, `INSERT INTO hr.sample_teams (id, name) VALUES ('${id(21)}', 'x')`)
    await as(
      'hr',
      gone,
      `INSERT INTO shared.audit_logs (id, action, resource_type) VALUES ('${id(22)}', 'VIEW', 'X')`,
    )
    const count = `SELECT (SELECT count(*)::int FROM hr.sample_teams) AS teams, (SELECT count(*)::int FROM shared.audit_logs) AS audit`
    const [before] = await as('owner', null, count)
    await as('owner', null, `DELETE FROM tenancy.tenants WHERE id = '${gone}'`)
    expect(await as('owner', null, count)).toEqual([
      { teams: (before!.teams as number) - 1, audit: (before!.audit as number) - 1 },
    ])
  })
})

describe('the shared tables', () => {
  test('everybody adds to the audit log; only compliance reads it; nobody changes it', async () => {
    for (const role of ['hr', 'gateway', 'compliance'] as const)
      await as(
        role,
        acme,
        `INSERT INTO shared.audit_logs (id, action, resource_type) VALUES ('${id(30)}', 'VIEW', '${role}')
        ON CONFLICT DO NOTHING`,
      )
    const read = 'SELECT resource_type FROM shared.audit_logs ORDER BY resource_type'
    expect(await as('compliance', acme, read)).not.toEqual([])
    expect(await as('compliance', globex, read)).toEqual([])
    for (const role of ['hr', 'gateway'] as const)
      await expect(as(role, acme, read)).rejects.toMatchObject(denied)
    for (const change of [`UPDATE shared.audit_logs SET actor_id = NULL`, 'DELETE FROM shared.audit_logs'])
      await expect(as('compliance', acme, change)).rejects.toMatchObject(denied)
    await expect(
      as(
        'hr',
        acme,
        `INSERT INTO shared.audit_logs (id, action, resource_type) VALUES ('${id(31)}', 'GUESS', 'X')`,
      ),
    ).rejects.toMatchObject({ code: '23514' })
  })

  test('11 nobody gives an entry its place in the chain, in the table or in one of its months', async () => {
    const sealed = (role: string) =>
      `INSERT INTO shared.audit_logs (id, action, resource_type, position, hash)
       VALUES ('${id(34)}', 'VIEW', '${role}', 5, repeat('0', 64))`
    for (const role of [...subgraphNames, 'gateway'] as const)
      await expect(as(role, acme, sealed(role))).rejects.toMatchObject(denied)
    const wider = `SELECT c.oid::regclass::text AS name, r.rolname AS role FROM pg_class c, pg_roles r
      WHERE c.relname LIKE 'audit_logs%' AND c.relkind IN ('r', 'p') AND r.rolname ~ '^app_' AND r.rolname <> 'app_owner'
        AND (has_table_privilege(r.oid, c.oid, 'INSERT') OR has_table_privilege(r.oid, c.oid, 'UPDATE')
          OR has_table_privilege(r.oid, c.oid, 'DELETE')
          OR c.relname <> 'audit_logs' AND has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE, SELECT'))`
    expect(await as('owner', null, wider)).toEqual([])
  })

  test('11 columns that several subgraphs write are given one by one, so that a new one is nobody’s', async () => {
    const whole = `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_roles r
      WHERE n.nspname = 'shared' AND c.relkind IN ('r', 'p') AND r.rolname ~ '^app_' AND r.rolname <> 'app_owner'
        AND has_table_privilege(r.oid, c.oid, 'INSERT') GROUP BY 1 HAVING count(*) > 1 ORDER BY 1`
    // What stands in these is each writer's own, whole rows.
    expect((await as('owner', null, whole)).map(({ name }) => name)).toEqual([
      'shared.idempotency_keys',
      'shared.mails',
    ])
  })

  test('12 a subgraph changes and sees its own jobs of the installation alone', async () => {
    const add = (number: number) =>
      `INSERT INTO shared.platform_jobs (id, name) VALUES ('${id(number)}', 'sweep')`
    await as('hr', acme, add(35))
    await as('identity', acme, add(36))
    const touch = `UPDATE shared.platform_jobs SET fault = 'mine' WHERE name = 'sweep' RETURNING id`
    expect(await as('hr', acme, touch)).toEqual([{ id: id(35) }])
    expect(await as('tenancy', acme, touch)).toEqual([])
    const read = `SELECT id FROM shared.platform_jobs WHERE name = 'sweep' ORDER BY id`
    expect(await as('identity', acme, read)).toEqual([{ id: id(36) }])
    // Tenancy removes what is long over.
    expect(await as('tenancy', acme, read)).toEqual([{ id: id(35) }, { id: id(36) }])
    await as('tenancy', acme, `DELETE FROM shared.platform_jobs WHERE name = 'sweep'`)
    expect(await as('owner', null, read)).toEqual([])
  })

  test('12 a subgraph changes its own jobs of a tenant alone; tenancy cancels those of all', async () => {
    await as('hr', acme, `INSERT INTO shared.jobs (id, name) VALUES ('${id(37)}', 'sweep')`)
    const touch = `UPDATE shared.jobs SET fault = 'mine' WHERE id = '${id(37)}' RETURNING id`
    expect(await as('identity', acme, touch)).toEqual([])
    expect(await as('hr', acme, touch)).toEqual([{ id: id(37) }])
    expect(await as('tenancy', acme, touch)).toEqual([{ id: id(37) }])
    expect(await as('tenancy', globex, touch)).toEqual([])
  })

  test('12 no subgraph plants a key of a tenant; those of rows that are erased are made by identity and compliance', async () => {
    const zeros = '00000000-0000-0000-0000-000000000000'
    const plant = (number: number, subject: string, generation: number) =>
      `INSERT INTO shared.data_keys (id, subject_id, generation, master_key_id, wrapped)
       VALUES ('${id(number)}', '${subject}', ${generation}, 'master', 'x')`
    for (const name of subgraphNames)
      for (const generation of [0, 1, 2, 99])
        await expect(as(name, acme, plant(38, zeros, generation))).rejects.toMatchObject(denied)
    for (const name of subgraphNames.filter((one) => one !== 'identity' && one !== 'compliance'))
      await expect(as(name, acme, plant(38, id(1), 1))).rejects.toMatchObject(denied)
    // A person's key is made anew after a rotation.
    for (const generation of [1, 2]) await as('identity', acme, plant(38 + generation, id(1), generation))
    await as('compliance', acme, plant(43, id(2), 1))
    for (const name of ['identity', 'compliance'] as const)
      await expect(as(name, acme, plant(41, id(1), 2_000))).rejects.toMatchObject(denied)
    // Nor by the function that an operator's new tenant gets its key from.
    const asNobody = `SELECT shared.add_tenant_key('${id(42)}', 'master', 'x')`
    for (const name of subgraphNames) await expect(as(name, acme, asNobody)).rejects.toMatchObject(denied)
    const kept = `SELECT count(*)::int FROM shared.data_keys WHERE subject_id = '${zeros}'`
    expect(await as('owner', null, kept)).toEqual([{ count: 0 }])
  })

  test('7 9 scopes that tell more than their name say so where they are given', async () => {
    const described = `SELECT name FROM identity.permissions WHERE name = 'compliance:audit:read' AND description LIKE '%sign-ins%'
      OR name = 'compliance:audit:details' AND description LIKE '%permissions of users%'
      OR name = 'hr:salary:summary' AND description LIKE '%hr:employee:write%' ORDER BY name`
    expect((await as('owner', null, described)).map(({ name }) => name)).toEqual([
      'compliance:audit:details',
      'compliance:audit:read',
      'hr:salary:summary',
    ])
  })

  test('the outbox takes events and shows none to subgraphs', async () => {
    await as(
      'hr',
      acme,
      `INSERT INTO shared.outbox_events (id, aggregate_type, aggregate_id, event_type) VALUES ('${id(32)}', 'Employee', '1', 'created')`,
    )
    await expect(as('hr', acme, 'SELECT FROM shared.outbox_events')).rejects.toMatchObject(denied)
    await expect(
      as(
        'gateway',
        acme,
        `INSERT INTO shared.outbox_events (id, aggregate_type, aggregate_id, event_type) VALUES ('${id(33)}', 'Employee', '1', 'created')`,
      ),
    ).rejects.toMatchObject(denied)
  })

  test('an idempotency key belongs to tenant and operation, whoever uses it (B4)', async () => {
    const insert = (
      key: string,
      actor = 40,
    ) => `INSERT INTO shared.idempotency_keys (actor_id, operation, key, input_hash)
      VALUES ('${id(actor)}', 'pay', '${key}', 'h')`
    await as('finance', acme, insert('k'))
    await as('finance', globex, insert('k'))
    await expect(as('finance', acme, insert('k'))).rejects.toMatchObject({ code: '23505' })
    await expect(as('finance', acme, insert('k', 41))).rejects.toMatchObject({ code: '23505' })
    await expect(as('finance', acme, insert(''))).rejects.toMatchObject({ code: '23514' })
    await expect(as('finance', acme, 'DELETE FROM shared.idempotency_keys')).rejects.toMatchObject(denied)
    expect(await as('finance', globex, 'SELECT key FROM shared.idempotency_keys')).toEqual([{ key: 'k' }])
  })
})

test('a table without tenants must be on the list of global tables', () => {
  const notes = { schema: 'hr', table: 'notes', columns: { id: 'int' }, constraints: [], grants: {} }
  expect(() => globalTable(notes)).toThrow('hr.notes is not on the list of global tables')
})

test('the samples can be taken back', async () => {
  expect(await migrateDown(database.migratorUrl, [...migrations, samples])).toMatch(/^samples-/)
  expect(await as('owner', null, `SELECT relname FROM pg_class WHERE relname LIKE 'sample%'`)).toEqual([])
})

test('a table gets columns with references and indexes led by the tenant, and loses them again', async () => {
  const columns = `SELECT attname FROM pg_attribute WHERE attrelid = 'hr.holidays'::regclass AND attname LIKE 'sample%' AND NOT attisdropped ORDER BY 1`
  const definitions = `SELECT pg_get_indexdef(indexrelid) AS text FROM pg_index WHERE indrelid = 'hr.holidays'::regclass
    UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'hr.holidays'::regclass`
  const fresh = await freshDatabase()
  const client = new Client({ connectionString: fresh.migratorUrl })
  await client.connect()
  try {
    await migrateUp(fresh.migratorUrl, [...migrations, later])
    expect((await client.query(columns)).rows).toEqual([
      { attname: 'sample_department_id' },
      { attname: 'sample_place' },
    ])
    const { rows } = await client.query<{ text: string }>(definitions)
    const made = rows
      .map(({ text }) => text)
      .filter((text) => text.includes('sample'))
      .sort()
    expect(made.map((text) => text.replace(/^.*USING /, ''))).toEqual([
      'btree (tenant_id, sample_department_id)',
      'btree (tenant_id, sample_place COLLATE "und-x-icu", id)',
      'FOREIGN KEY (tenant_id, sample_department_id) REFERENCES hr.departments(tenant_id, id)',
    ])
    await migrateDown(fresh.migratorUrl, [...migrations, later])
    expect((await client.query(columns)).rows).toEqual([])
  } finally {
    await client.end()
    await fresh.drop()
  }
})
