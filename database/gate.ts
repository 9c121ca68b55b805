import type { Client } from 'pg'
import { applicationRoles, globalTables, lookupRole, ownerRole } from '../migrations/sql'

/** What must not be in the database. Each query returns one line per fault; parameters: see assertIsolated. */
const faults = [
  // Roles
  `SELECT format('%s may do more than an application role: SUPERUSER, BYPASSRLS, CREATEROLE, CREATEDB or REPLICATION', rolname)
   FROM pg_roles WHERE rolname = ANY ($1 || ARRAY[$2, $3])
     AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)`,
  `SELECT format('%s must not be a member of %s', member.rolname, role.rolname)
   FROM pg_roles member, pg_roles role
   WHERE member.rolname = ANY ($1) AND role.rolname <> member.rolname AND pg_has_role(member.oid, role.oid, 'MEMBER')`,
  // Rights
  `SELECT format('%s has %s on schema %s', r.rolname, p.privilege, n.nspname)
   FROM own_schemas n, unnest($1::text[]) AS r (rolname), unnest(ARRAY['CREATE', 'USAGE']) AS p (privilege)
   WHERE has_schema_privilege(r.rolname, n.oid, p.privilege)
     AND NOT (p.privilege = 'USAGE' AND n.nspname IN (substr(r.rolname, 5), 'shared'))`,
  `SELECT format('%s has %s on %s', r.rolname, p.privilege, c.oid::regclass)
   FROM own_tables c, unnest($1::text[]) AS r (rolname), unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p (privilege)
   WHERE has_table_privilege(r.rolname, c.oid, p.privilege)`,
  `SELECT format('%s belongs to %s, not to %s', c.oid::regclass, pg_get_userbyid(c.relowner), $2::text)
   FROM own_tables c WHERE pg_get_userbyid(c.relowner) <> $2`,
  // Tables
  `SELECT format('%s has no tenant_id and is not a global table', c.oid::regclass)
   FROM own_tables c
   WHERE c.relkind IN ('r', 'p') AND n_name || '.' || relname <> ALL ($4) AND tenant_column IS NULL`,
  `SELECT format('%s: row level security is not enabled and forced', c.oid::regclass)
   FROM own_tables c
   WHERE c.relkind IN ('r', 'p') AND tenant_column IS NOT NULL AND NOT (relrowsecurity AND relforcerowsecurity)`,
  `SELECT format('%s lacks the policy %s', c.oid::regclass, p.name)
   FROM own_tables c, unnest(ARRAY['tenant', 'owner_all']) AS p (name)
   WHERE c.relkind IN ('r', 'p') AND tenant_column IS NOT NULL
     AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polname = p.name)`,
  `SELECT format('%s: policy %s lets other rows through', c.oid::regclass, polname)
   FROM own_tables c JOIN pg_policy ON polrelid = c.oid
   WHERE NOT CASE
     WHEN polname = 'owner_all' THEN polroles = ARRAY[$2::regrole::oid]
     WHEN polroles = ARRAY[$3::regrole::oid] THEN true
     ELSE (polqual IS NULL OR pg_get_expr(polqual, polrelid) = own_rows)
       AND (polwithcheck IS NULL OR pg_get_expr(polwithcheck, polrelid) = own_rows)
   END`,
  // Ways around them
  `SELECT format('%s shows rows under its owner''s rights: a view needs security_invoker, a materialized view no grants', c.oid::regclass)
   FROM own_tables c
   WHERE c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)
      OR c.relkind = 'm' AND EXISTS (SELECT FROM unnest($1::text[]) AS r (rolname) WHERE has_table_privilege(r.rolname, c.oid, 'SELECT'))`,
  `SELECT format('%s runs with its owner''s rights: it needs its own search_path, and PUBLIC must not execute it', p.oid::regprocedure)
   FROM pg_proc p JOIN own_schemas n ON n.oid = p.pronamespace
   WHERE prosecdef AND (
     NOT EXISTS (SELECT FROM unnest(proconfig) AS setting WHERE setting LIKE 'search\\_path=%')
     OR EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0))`,
]

/** The tables and views of our schemas, with the condition that lets a tenant see its own rows. */
const catalogue = `WITH own_schemas AS (
  SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY ($5)
), own_tables AS (
  SELECT c.*, n.nspname AS n_name, t.tenant_column,
    format('(%s = ( SELECT (current_setting(''app.tenant_id''::text))::uuid AS current_setting))', t.tenant_column) AS own_rows
  FROM pg_class c JOIN own_schemas n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
    SELECT attname AS tenant_column FROM pg_attribute
    WHERE attrelid = c.oid AND NOT attisdropped
      AND attname = CASE WHEN n.nspname = 'tenancy' AND c.relname = 'tenants' THEN 'id' ELSE 'tenant_id' END
  ) t ON true
  WHERE c.relkind IN ('r', 'p', 'v', 'm')
)`

/**
 * Checks the walls between tenants in the database itself: roles, rights, row level security on every table and
 * partition, policies, views and functions.
 * @throws with one line per fault. The product does not start then.
 */
export async function assertIsolated(client: Client): Promise<void> {
  const schemas = [...applicationRoles.map((role) => role.slice('app_'.length)), 'shared']
  const parameters = [applicationRoles, ownerRole, lookupRole, globalTables, schemas]
  const found: string[] = []
  for (const query of faults) {
    // One parameter list for all: each query names those it needs, the rest are only typed.
    const text = `${catalogue}, given AS (SELECT $1::text[], $2::text, $3::text, $4::text[]) ${query}`
    const { rows } = await client.query<[string]>({ text, values: parameters, rowMode: 'array' })
    found.push(...rows.map(([line]) => line))
  }
  if (found.length > 0) {
    throw new Error(
      `The database does not keep tenants apart:\n${found.map((line) => `  ${line}`).join('\n')}`,
    )
  }
}
