import { globalTable, migration, sql, tenantTable } from './sql'
import { lookupFunction } from './lookup'

/**
 * The schema registry: published versions of the graph, and which of its parts clients use. Versions and usage belong
 * to the graph, not to a tenant; only which tenants sent an operation does, and only its number leaves.
 */
export const registry = migration(8, 'registry', [
  globalTable({
    schema: 'gateway',
    table: 'supergraphs',
    columns: { hash: `text CHECK (hash ~ '^[0-9a-f]{64}$')`, sdl: 'text NOT NULL' },
    constraints: ['PRIMARY KEY (hash)'],
    // Added and read, never changed: a version is what was published.
    grants: { app_gateway: ['SELECT', 'INSERT'] },
  }),
  globalTable({
    schema: 'gateway',
    table: 'schema_versions',
    columns: {
      variant: `text CHECK (variant ~ '^[a-z][a-z0-9-]{0,62}$')`,
      version: 'int CHECK (version > 0)',
      supergraph: 'text NOT NULL REFERENCES gateway.supergraphs (hash)',
      published_at: 'timestamptz(3) NOT NULL',
      entry: 'jsonb NOT NULL',
    },
    constraints: ['PRIMARY KEY (variant, version)'],
    grants: { app_gateway: ['SELECT', 'INSERT'] },
  }),
  sql(
    'CREATE INDEX ON gateway.schema_versions (supergraph)',
    'DROP INDEX gateway.schema_versions_supergraph_idx',
  ),
  globalTable({
    schema: 'gateway',
    table: 'operations',
    columns: {
      hash: `text CHECK (hash ~ '^[0-9a-f]{32}$')`,
      name: 'text NOT NULL',
      document: 'text NOT NULL',
      coordinates: 'text[] NOT NULL',
    },
    constraints: ['PRIMARY KEY (hash)'],
    grants: { app_gateway: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  globalTable({
    schema: 'gateway',
    table: 'operation_days',
    columns: {
      day: 'date',
      hash: 'text REFERENCES gateway.operations (hash)',
      client: 'text',
      client_version: 'text',
      requests: 'bigint NOT NULL CHECK (requests > 0)',
      last_seen: 'timestamptz(3) NOT NULL',
    },
    constraints: ['PRIMARY KEY (day, hash, client, client_version)'],
    grants: { app_gateway: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  sql('CREATE INDEX ON gateway.operation_days (hash)', 'DROP INDEX gateway.operation_days_hash_idx'),
  tenantTable({
    schema: 'gateway',
    table: 'operation_tenants',
    without: ['id', 'version', 'created_at', 'updated_at'],
    columns: { day: 'date', hash: 'text', client: 'text', client_version: 'text' },
    primaryKey: ['day', 'hash', 'client', 'client_version'],
    grants: { app_gateway: ['SELECT', 'INSERT'] },
  }),
  lookupFunction({
    name: 'gateway.operation_tenant_counts',
    parameters: 'since date',
    returns: 'TABLE (hash text, client text, client_version text, tenants bigint)',
    rows: 1000,
    body: `
BEGIN
  RETURN QUERY SELECT o.hash, o.client, o.client_version, count(DISTINCT o.tenant_id)
    FROM gateway.operation_tenants o WHERE o.day >= since GROUP BY 1, 2, 3;
END`,
    reads: { 'gateway.operation_tenants': ['tenant_id', 'day', 'hash', 'client', 'client_version'] },
    callers: ['app_gateway'],
  }),
  // Runs as the owner, who sees all tenants' rows: the gateway may make usage older, not choose whose.
  sql(
    [
      `CREATE FUNCTION gateway.forget_usage(before date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE forgotten bigint;
BEGIN
  IF before > current_date - 30 THEN
    RAISE EXCEPTION 'forget_usage: the last 30 days are kept, the registry judges by them';
  END IF;
  DELETE FROM gateway.operation_tenants WHERE day < before;
  DELETE FROM gateway.operation_days WHERE day < before;
  GET DIAGNOSTICS forgotten = ROW_COUNT;
  DELETE FROM gateway.operations o WHERE NOT EXISTS (SELECT FROM gateway.operation_days d WHERE d.hash = o.hash);
  RETURN forgotten;
END $$`,
      'REVOKE ALL ON FUNCTION gateway.forget_usage(date) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION gateway.forget_usage(date) TO app_gateway',
    ],
    'DROP FUNCTION gateway.forget_usage(date)',
  ),
])
