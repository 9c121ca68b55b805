import type { Client } from 'pg'
import { applicationRoles, globalTables, lookupRole, ownerRole, tenantPolicy } from '../migrations/sql'

/** Holds what must not be in the database. Each query returns one line per fault; parameters: see assertIsolated. */
const faults = [
  // Roles
  `SELECT format('%s may do more than an application role: SUPERUSER, BYPASSRLS, CREATEROLE, CREATEDB or REPLICATION', rolname)
   FROM pg_roles WHERE rolname = ANY ($1 || ARRAY[$2, $3])
     AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)`,
  `SELECT format('%s can sign in: nobody acts as the owner or the look-up role', rolname)
   FROM pg_roles WHERE rolname IN ($2, $3) AND rolcanlogin`,
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
  `SELECT format('%s may use %s, which is outside the product''s schemas: move it, or revoke the right', r.rolname, c.oid::regclass)
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, unnest($1::text[]) AS r (rolname)
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND n.nspname <> ALL ($5) AND has_schema_privilege(r.rolname, n.oid, 'USAGE')
     AND has_any_column_privilege(r.rolname, c.oid, 'SELECT, INSERT, UPDATE')
     AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')`,
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
   -- A restrictive policy lets nothing through that another does not; tables without tenants have no other tenant's rows.
   WHERE polpermissive AND tenant_column IS NOT NULL AND NOT CASE
     WHEN polname = 'owner_all' THEN polroles = ARRAY[$2::regrole::oid]
     WHEN polroles = ARRAY[$3::regrole::oid] THEN true
     ELSE (polqual IS NULL OR pg_get_expr(polqual, polrelid) = own_rows)
       AND (polwithcheck IS NULL OR pg_get_expr(polwithcheck, polrelid) = own_rows)
   END`,
  `SELECT format('%s: policy tenant must be for application roles alone, and for each that may use the table', c.oid::regclass)
   FROM own_tables c JOIN pg_policy ON polrelid = c.oid AND polname = 'tenant'
   WHERE NOT polroles <@ $1::regrole[]::oid[] OR EXISTS (
     SELECT FROM unnest($1) AS r (rolname) WHERE r.rolname::regrole <> ALL (polroles)
       AND (has_any_column_privilege(r.rolname, c.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(r.rolname, c.oid, 'DELETE')))`,
  // Keys: a rule over several tenants' rows tells one of them what another has
  `SELECT format('unique index %s of %s must begin with tenant_id', i.indexrelid::regclass, c.oid::regclass)
   FROM own_tables c JOIN pg_index i ON i.indrelid = c.oid
   WHERE tenant_column = 'tenant_id' AND i.indisunique
     AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attnum = i.indkey[0] AND attname = tenant_column)`,
  `SELECT format('exclusion constraint %s of %s must compare tenant_id with =', k.conname, c.oid::regclass)
   FROM own_tables c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'x'
   WHERE tenant_column = 'tenant_id' AND NOT EXISTS (
     SELECT FROM unnest(k.conkey, k.conexclop) AS part (number, operator)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = part.number AND a.attname = tenant_column
     JOIN pg_operator o ON o.oid = part.operator AND o.oprname = '=')`,
  `SELECT format('foreign key %s of %s must contain the tenant of both tables', k.conname, c.oid::regclass)
   FROM own_tables c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f'
   JOIN own_tables parent ON parent.oid = k.confrelid
   WHERE parent.tenant_column IS NOT NULL AND NOT EXISTS (
     SELECT FROM unnest(k.conkey, k.confkey) AS pair (own, theirs)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = pair.own AND a.attname = c.tenant_column
     JOIN pg_attribute b ON b.attrelid = parent.oid AND b.attnum = pair.theirs AND b.attname = parent.tenant_column)`,
  // Ways around them
  `SELECT format('%s is a foreign table, which row level security cannot bind', c.oid::regclass)
   FROM own_tables c WHERE c.relkind = 'f'`,
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
    format('${tenantPolicy('%s').printed.replaceAll("'", "''")}', t.tenant_column) AS own_rows
  FROM pg_class c JOIN own_schemas n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
    SELECT attname AS tenant_column FROM pg_attribute
    WHERE attrelid = c.oid AND NOT attisdropped
      AND attname = CASE WHEN n.nspname = 'tenancy' AND c.relname = 'tenants' THEN 'id' ELSE 'tenant_id' END
  ) t ON true
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
)`

/**
 * Checks the walls between tenants in the database itself: roles, rights, row level security on every table and
 * partition, policies, keys, views and functions.
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
