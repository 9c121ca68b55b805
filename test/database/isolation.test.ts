import { Client } from 'pg'
import { assertIsolated } from '../../database/isolation-check'
import { applicationRoles, globalTables, subgraphRoles } from '../../migrations/sql'
import { freshDatabase, type TestDatabase } from '../support/postgres'

let database: TestDatabase
let owner: Client
let superuser: Client

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  superuser = new Client({ connectionString: database.superuserUrl })
  await owner.connect()
  await superuser.connect()
})

afterAll(async () => {
  await owner.end()
  await superuser.end()
  await database.drop()
})

test('the migrated database keeps tenants apart', async () => {
  await expect(assertIsolated(owner)).resolves.toBeUndefined()
})

test('every table and every partition has row level security, forced, and both policies', async () => {
  const { rows } = await owner.query<{ name: string; walls: string }>(
    `SELECT c.oid::regclass::text AS name,
       relrowsecurity::text || relforcerowsecurity::text ||
       (SELECT string_agg(polname, ',' ORDER BY polname) FROM pg_policy WHERE polrelid = c.oid AND polname IN ('tenant', 'owner_all')) AS walls
     FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE n.nspname = 'shared' AND relkind IN ('r', 'p') AND n.nspname || '.' || relname <> ALL ($1) ORDER BY 1`,
    [globalTables],
  )
  expect(rows.length).toBeGreaterThan(17) // four tables and fifteen months
  expect(rows.filter((row) => row.walls !== 'truetrueowner_all,tenant')).toEqual([])
})

// Each of them must be noticed by itself.
const breaches: [what: string, sql: string, noticed: RegExp][] = [
  [
    'a table without forced row level security',
    'ALTER TABLE shared.jobs NO FORCE ROW LEVEL SECURITY',
    /jobs: row level security is not enabled and forced/,
  ],
  [
    'a table without row level security',
    'ALTER TABLE tenancy.tenants DISABLE ROW LEVEL SECURITY',
    /tenants: row level security is not enabled/,
  ],
  [
    'a partition without a policy',
    `DO $$ BEGIN EXECUTE format('DROP POLICY tenant ON shared.audit_logs_%s', to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')); END $$`,
    /audit_logs_\d{6} lacks the policy tenant/,
  ],
  [
    'a policy for everybody',
    'CREATE POLICY extra ON shared.jobs USING (true)',
    /policy extra lets other rows through/,
  ],
  [
    'a policy for one application role',
    'CREATE POLICY extra ON shared.jobs FOR SELECT TO app_hr USING (true)',
    /policy extra lets other rows through/,
  ],
  [
    'a tenant policy that checks less on writing',
    `ALTER POLICY tenant ON shared.jobs WITH CHECK (true)`,
    /policy tenant lets other rows through/,
  ],
  [
    'a tenant policy that shows nothing, instead of failing, where no tenant is set',
    `ALTER POLICY tenant ON shared.jobs USING (tenant_id = current_setting('app.tenant_id', true)::uuid)`,
    /policy tenant lets other rows through/,
  ],
  [
    'a tenant policy for everybody',
    'ALTER POLICY tenant ON shared.jobs TO PUBLIC',
    /jobs: policy tenant must be for application roles alone/,
  ],
  [
    'a tenant policy that leaves out a role with rights, which would find the table empty',
    `ALTER POLICY tenant ON shared.jobs TO ${subgraphRoles.slice(1).join(', ')}`,
    /jobs: policy tenant must be for application roles alone, and for each that may use the table/,
  ],
  [
    "the owner's policy for somebody else",
    'ALTER POLICY owner_all ON shared.jobs TO app_hr',
    /policy owner_all lets other rows through/,
  ],
  [
    'a table that belongs to no tenant',
    'CREATE TABLE hr.notes (id int)',
    /hr\.notes has no tenant_id and is not a global table/,
  ],
  [
    "a right on another subgraph's schema",
    'GRANT USAGE ON SCHEMA hr TO app_finance',
    /app_finance has USAGE on schema hr/,
  ],
  ['a right to make tables', 'GRANT CREATE ON SCHEMA hr TO app_hr', /app_hr has CREATE on schema hr/],
  ['a right to truncate', 'GRANT TRUNCATE ON shared.jobs TO app_hr', /app_hr has TRUNCATE on shared\.jobs/],
  [
    'a role that is a member of the owner',
    'GRANT app_owner TO app_hr',
    /app_hr must not be a member of app_owner/,
  ],
  [
    'a role that row level security does not bind',
    'ALTER ROLE app_hr BYPASSRLS',
    /app_hr may do more than an application role/,
  ],
  [
    'a role that is a superuser',
    'ALTER ROLE app_hr SUPERUSER',
    /app_hr may do more than an application role/,
  ],
  [
    'an owner that row level security does not bind',
    'ALTER ROLE app_owner BYPASSRLS',
    /app_owner may do more/,
  ],
  ['a table of another owner', 'ALTER TABLE shared.jobs OWNER TO app_hr', /jobs belongs to app_hr/],
  ['an owner that can sign in', 'ALTER ROLE app_owner LOGIN', /app_owner can sign in/],
  ['a look-up role that can sign in', 'ALTER ROLE app_lookup LOGIN', /app_lookup can sign in/],
  [
    'a table in the schema that everybody may use',
    'CREATE TABLE public.copies AS SELECT * FROM shared.jobs; GRANT SELECT ON public.copies TO app_hr; GRANT USAGE ON SCHEMA public TO app_hr',
    /app_hr may use (public\.)?copies, which is outside/,
  ],
  [
    'a foreign table',
    'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE hr.far (tenant_id uuid) SERVER s',
    /hr\.far is a foreign table/,
  ],
  [
    'a unique index over all tenants',
    'CREATE UNIQUE INDEX far_key ON shared.jobs (id)',
    /far_key of shared\.jobs must begin with tenant_id/,
  ],
  [
    'a unique index that does not begin with the tenant',
    'CREATE UNIQUE INDEX far_key ON shared.jobs (id, tenant_id)',
    /far_key of shared\.jobs must begin with tenant_id/,
  ],
  [
    'an exclusion constraint over all tenants',
    'ALTER TABLE shared.jobs ADD CONSTRAINT far_rule EXCLUDE USING gist (tstzrange(created_at, created_at) WITH &&)',
    /far_rule of shared\.jobs must compare tenant_id/,
  ],
  [
    'a foreign key without the tenant',
    'ALTER TABLE identity.users ADD UNIQUE (id); ALTER TABLE shared.jobs ADD CONSTRAINT far_fkey FOREIGN KEY (id) REFERENCES identity.users (id)',
    /far_fkey of shared\.jobs must contain the tenant/,
  ],
  [
    "a view under its owner's rights",
    'CREATE VIEW hr.all_events AS SELECT * FROM shared.jobs',
    /hr\.all_events shows rows under its owner/,
  ],
  [
    'a materialized view for an application role',
    'CREATE MATERIALIZED VIEW hr.copies AS SELECT * FROM shared.jobs; GRANT SELECT ON hr.copies TO app_hr',
    /hr\.copies shows rows/,
  ],
  [
    'a definer function without its own search_path',
    `CREATE FUNCTION hr.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'`,
    /hr\.f\(\) runs with its owner/,
  ],
  [
    'a definer function that everybody may execute',
    `CREATE FUNCTION hr.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION hr.f() TO PUBLIC`,
    /hr\.f\(\) runs with its owner/,
  ],
]

test.each(breaches)('%s is noticed', async (_, statement, noticed) => {
  // In a transaction that is taken back: roles belong to the whole cluster.
  await superuser.query('BEGIN')
  try {
    await superuser.query(statement)
    await expect(assertIsolated(superuser)).rejects.toThrow(noticed)
  } finally {
    await superuser.query('ROLLBACK')
  }
})

test('application roles log in with no right beyond their own', async () => {
  const { rows } = await superuser.query<{
    role: string
    unbound: boolean
    memberships: number
    settings: string[]
  }>(
    `SELECT rolname AS role, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS unbound,
       (SELECT count(*)::int FROM pg_auth_members WHERE member = r.oid) AS memberships,
       (SELECT setconfig FROM pg_db_role_setting WHERE setrole = r.oid AND setdatabase = 0) AS settings
     FROM pg_roles r WHERE rolname = ANY ($1) AND rolcanlogin`,
    [applicationRoles],
  )
  expect(rows.map((row) => row.role).sort()).toEqual([...applicationRoles].sort())
  for (const row of rows) {
    expect(row).toMatchObject({ unbound: false, memberships: 0 })
    expect(row.settings.map((setting) => setting.split('=')[0])).toEqual([
      'search_path',
      'TimeZone',
      'statement_timeout',
      'idle_in_transaction_session_timeout',
    ])
  }
})

test('the owner and the look-up role cannot log in', async () => {
  const { rows } = await superuser.query(
    `SELECT count(*)::int AS logins FROM pg_roles WHERE rolname IN ('app_owner', 'app_lookup') AND rolcanlogin`,
  )
  expect(rows).toEqual([{ logins: 0 }])
})
