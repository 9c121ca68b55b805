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
  touchUpdatedAt,
} from './sql'

const schemas = ['shared', 'gateway', 'identity', 'tenancy', 'insights', 'compliance', 'hr', 'finance']

/** What every subgraph stands on: schemas, triggers, partitions, tenants, audit, outbox, idempotency keys. */
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

  sql(
    `CREATE FUNCTION shared.touch_updated_at() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$`,
    'DROP FUNCTION shared.touch_updated_at()',
  ),

  // A default partition would block ordered scans and concurrent detaching: months are made ahead instead.
  sql(
    [
      `CREATE FUNCTION shared.ensure_partitions(months_ahead int, months_back int DEFAULT 2) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  parent record;
  month timestamptz;
  part text;
  own constant text := 'tenant_id = (SELECT current_setting(''app.tenant_id'')::uuid)';
  made int := 0;
BEGIN
  IF months_ahead NOT BETWEEN 0 AND 120 OR months_back NOT BETWEEN 0 AND 240 THEN
    RAISE EXCEPTION 'ensure_partitions: months_ahead is 0 to 120, months_back 0 to 240';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('shared.ensure_partitions', 0));
  FOR parent IN
    SELECT n.nspname AS schema, c.relname AS name
    FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE p.partstrat = 'r' AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    ORDER BY 1, 2
  LOOP
    FOR month IN
      SELECT generate_series(date_trunc('month', now()) - make_interval(months => months_back),
                             date_trunc('month', now()) + make_interval(months => months_ahead), interval '1 month')
    LOOP
      part := format('%I.%I', parent.schema, parent.name || to_char(month, '_YYYYMM'));
      CONTINUE WHEN to_regclass(part) IS NOT NULL;
      EXECUTE format('CREATE TABLE %s PARTITION OF %I.%I FOR VALUES FROM (%L) TO (%L)',
                     part, parent.schema, parent.name, month, month + interval '1 month');
      EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
      EXECUTE format('CREATE POLICY tenant ON %s USING (%s) WITH CHECK (%2$s)', part, own);
      EXECUTE format('CREATE POLICY owner_all ON %s TO %I USING (true) WITH CHECK (true)', part, current_user);
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END $$`,
      'GRANT EXECUTE ON FUNCTION shared.ensure_partitions(int, int) TO app_compliance',
    ],
    'DROP FUNCTION shared.ensure_partitions(int, int)',
  ),

  // The one tenant-owned table that is not keyed by tenant_id: a tenant sees its own row only.
  sql(
    [
      `CREATE TABLE tenancy.tenants (
  id uuid PRIMARY KEY,
  name varchar(255) NOT NULL CHECK (name <> ''),
  slug varchar(100) NOT NULL CONSTRAINT tenants_slug_key UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  plan ${oneOf('plan', ['TRIAL', 'STARTER', 'PROFESSIONAL', 'ENTERPRISE'])} DEFAULT 'STARTER',
  status ${oneOf('status', ['ACTIVE', 'SUSPENDED', 'CANCELLED'])} DEFAULT 'ACTIVE',
  industry text,
  size text CHECK (size IN ('SMB', 'MID_MARKET', 'ENTERPRISE')),
  region text,
  compliance_level text CHECK (compliance_level IN ('BASIC', 'ADVANCED', 'ENTERPRISE')),
  is_active boolean NOT NULL DEFAULT true,
  trial_ends_at timestamptz(3),
  settings jsonb NOT NULL DEFAULT '{}',
  limits jsonb NOT NULL DEFAULT '{}',
  usage jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  enabled_modules text[] NOT NULL DEFAULT '{crm,erp}',
  version int NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
)`,
      ...['status', 'trial_ends_at', 'created_at', 'updated_at', 'name', 'industry', 'region'].map(
        (column) => `CREATE INDEX ON tenancy.tenants (${column})`,
      ),
      ...rowLevelSecurity('tenancy.tenants', 'id'),
      touchUpdatedAt('tenancy.tenants'),
      'GRANT SELECT, INSERT, UPDATE ON tenancy.tenants TO app_tenancy',
    ],
    'DROP TABLE tenancy.tenants',
  ),

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
    primaryKey: ['actor_id', 'operation', 'key'],
    indexes: ['created_at'],
    grants: grant(subgraphRoles, ['SELECT', 'INSERT', 'UPDATE']),
  }),
])
