import { constraintMessages } from './constraint-messages'
import { ensurePartitions } from './partitions'
import {
  applicationRoles,
  grant,
  lookupRole,
  migration,
  oneOf,
  rowLevelSecurity,
  sql,
  subgraphRoles,
  tenantTable,
} from './sql'

const schemas = ['shared', 'gateway', 'identity', 'tenancy', 'insights', 'compliance', 'hr', 'finance']

/** Holds what every subgraph stands on: schemas, partitions, tenants, audit, outbox, idempotency keys. */
export const foundation = migration(1, 'foundation', [
  ...schemas.map((schema) => sql(`CREATE SCHEMA ${schema}`, `DROP SCHEMA ${schema}`)),
  sql(
    [
      ...schemas
        .filter((schema) => schema !== 'shared')
        .map((schema) => `GRANT USAGE ON SCHEMA ${schema} TO app_${schema}`),
      `GRANT USAGE ON SCHEMA shared TO ${applicationRoles.join(', ')}`,
      // Opens nothing by itself: each look-up function brings the columns that it may read.
      `GRANT USAGE ON SCHEMA ${schemas.join(', ')} TO ${lookupRole}`,
      'ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC',
    ],
    'ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC',
  ),

  // Texts without case and accents, for searches: `kernel/reading/folded.ts` does the same to what is searched for. One
  // SELECT, so that PostgreSQL writes it into the statement; texts of ASCII alone, which most are, take the short way.
  sql(
    [
      `CREATE FUNCTION shared.folded(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN octet_length(t) = length(t) THEN lower(t COLLATE "C") ELSE
    (replace(replace(replace(translate(
      regexp_replace(normalize(lower(t COLLATE "und-x-icu"), NFD), '[\\u0300-\\u036f]', '', 'g'),
      'øłđħŧıς', 'oldhtiσ'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe')) COLLATE "C" END
$$`,
      `GRANT EXECUTE ON FUNCTION shared.folded(text) TO ${applicationRoles.join(', ')}`,
    ],
    'DROP FUNCTION shared.folded(text)',
  ),

  ensurePartitions(),

  // The one tenant-owned table that is not keyed by tenant_id: a tenant sees its own row only.
  sql(
    [
      `CREATE TABLE tenancy.tenants (
  id uuid PRIMARY KEY,
  name varchar(255) NOT NULL CHECK (name <> ''),
  slug varchar(100) NOT NULL CONSTRAINT tenants_slug_key UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  plan ${oneOf('plan', ['TRIAL', 'STARTER', 'PROFESSIONAL', 'ENTERPRISE'])} DEFAULT 'STARTER',
  status ${oneOf('status', ['ACTIVE', 'SUSPENDED', 'CANCELLED'])} DEFAULT 'ACTIVE',
  industry text CHECK (length(industry) <= 100),
  size text CHECK (size IN ('SMB', 'MID_MARKET', 'ENTERPRISE')),
  region text CHECK (length(region) <= 100),
  compliance_level text CHECK (compliance_level IN ('BASIC', 'ADVANCED', 'ENTERPRISE')),
  is_active boolean NOT NULL DEFAULT true,
  trial_ends_at timestamptz(3),
  settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
  limits jsonb NOT NULL DEFAULT '{}',
  usage jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
  enabled_modules text[] NOT NULL DEFAULT '{crm,erp}'
    CHECK (array_position(enabled_modules, NULL) IS NULL AND cardinality(enabled_modules) <= 100),
  version int NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
)`,
      ...['status', 'trial_ends_at', 'created_at', 'updated_at', 'name', 'industry', 'region'].map(
        (column) => `CREATE INDEX ON tenancy.tenants (${column})`,
      ),
      ...rowLevelSecurity('tenancy.tenants', 'id'),
      'GRANT SELECT, INSERT, UPDATE ON tenancy.tenants TO app_tenancy',
    ],
    'DROP TABLE tenancy.tenants',
  ),
  constraintMessages('tenancy.tenants', {
    tenants_name_check: 'must not be empty',
    tenants_industry_check: 'must have at most 100 characters',
    tenants_region_check: 'must have at most 100 characters',
    tenants_settings_check: 'must be a JSON object',
    tenants_metadata_check: 'must be a JSON object',
    tenants_enabled_modules_check: 'must have at most 100 names',
  }),

  // Everybody adds to the audit log, only compliance reads it, nobody changes it.
  tenantTable({
    schema: 'shared',
    table: 'audit_logs',
    without: ['version', 'created_at', 'updated_at'],
    columns: {
      occurred_at: 'timestamptz(3) NOT NULL DEFAULT now()',
      actor_id: 'uuid',
      action: oneOf('action', [
        'CREATE',
        'UPDATE',
        'DELETE',
        'VIEW',
        'SIGN_IN',
        'SIGN_IN_FAILED',
        'SIGN_OUT',
        'DENY',
      ]),
      resource_type: 'varchar(100) NOT NULL',
      resource_id: 'text',
      changes: "jsonb NOT NULL DEFAULT '{}'",
      ip_address: 'varchar(50)',
      user_agent: 'text',
      request_id: 'text',
    },
    indexes: ['resource_type, resource_id, occurred_at', 'actor_id, occurred_at'],
    partition: { by: 'month', column: 'occurred_at' },
    grants: { ...grant(applicationRoles, ['INSERT']), app_compliance: ['SELECT', 'INSERT'] },
  }),

  tenantTable({
    schema: 'shared',
    table: 'outbox_events',
    without: ['version', 'updated_at'],
    columns: { topic: 'text NOT NULL', payload: 'jsonb NOT NULL', dispatched_at: 'timestamptz(3)' },
    indexes: [{ columns: 'created_at', where: 'dispatched_at IS NULL' }],
    grants: grant(subgraphRoles, ['INSERT']),
  }),

  tenantTable({
    schema: 'shared',
    table: 'idempotency_keys',
    without: ['id', 'version', 'updated_at'],
    columns: {
      actor_id: 'uuid NOT NULL',
      operation: 'text NOT NULL',
      key: 'text NOT NULL CHECK (length(key) BETWEEN 1 AND 255)',
      input_hash: 'text NOT NULL',
      result: 'jsonb',
    },
    // Whoever uses it: a key is used once per tenant and operation.
    primaryKey: ['operation', 'key'],
    indexes: ['created_at'],
    grants: grant(subgraphRoles, ['SELECT', 'INSERT', 'UPDATE']),
  }),

  // Runs as the owner, over all tenants: subgraphs cannot delete keys, or one of them could be made to work twice.
  sql(
    [
      `CREATE FUNCTION shared.remove_idempotency_keys(used_before timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed int;
BEGIN
  IF used_before > now() - interval '1 day' THEN
    RAISE EXCEPTION 'remove_idempotency_keys: a key is kept for a day at least';
  END IF;
  DELETE FROM shared.idempotency_keys WHERE created_at < used_before;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END $$`,
      'REVOKE ALL ON FUNCTION shared.remove_idempotency_keys(timestamptz) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION shared.remove_idempotency_keys(timestamptz) TO app_compliance',
    ],
    'DROP FUNCTION shared.remove_idempotency_keys(timestamptz)',
  ),
])
