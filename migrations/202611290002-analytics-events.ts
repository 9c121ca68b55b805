import { permissions } from './permissions'
import { migration, oneOf, sql, tenantTable } from './sql'

/** Events of a tenant's products by month, and the keys that keep each of them from being recorded twice. */
export const analyticsEvents = migration(202611290002, 'analytics-events', [
  tenantTable({
    schema: 'insights',
    table: 'analytics_events',
    without: ['version', 'updated_at'],
    columns: {
      occurred_at: 'timestamptz(3) NOT NULL',
      source: "varchar(100) NOT NULL CHECK (source <> '')",
      event_id: "varchar(255) NOT NULL CHECK (event_id <> '')",
      event_type: oneOf('event_type', ['USER_ACTION', 'SYSTEM_EVENT', 'AI_PREDICTION']),
      name: "varchar(100) NOT NULL CHECK (name <> '')",
      user_id: 'uuid',
      customer_id: 'uuid',
      session_id: 'varchar(100)',
      properties: "jsonb NOT NULL DEFAULT '{}'",
    },
    checks: { properties: "jsonb_typeof(properties) = 'object'" },
    references: {
      user_id: { table: 'identity.users', index: 'user_id, name, occurred_at, id' },
      customer_id: { table: 'insights.customers', index: 'customer_id, occurred_at, id' },
    },
    indexes: ['occurred_at, id', 'name, occurred_at, id'],
    partition: { by: 'month', column: 'occurred_at' },
    grants: { app_insights: ['SELECT', 'INSERT'] },
  }),
  // A unique index of a partitioned table would have to hold the time, which tells nothing about doubles.
  tenantTable({
    schema: 'insights',
    table: 'analytics_event_keys',
    without: ['id', 'version', 'created_at', 'updated_at'],
    primaryKey: ['source', 'event_id'],
    columns: {
      source: 'varchar(100) NOT NULL',
      event_id: 'varchar(255) NOT NULL',
      recorded_id: 'uuid NOT NULL',
      occurred_at: 'timestamptz(3) NOT NULL',
      // SHA-256 of what the event says.
      digest: "text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$')",
    },
    indexes: ['occurred_at'],
    grants: { app_insights: ['SELECT', 'INSERT', 'DELETE'] },
  }),
  sql(
    [
      `CREATE FUNCTION shared.drop_analytics_events(before timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  part text;
  dropped int := 0;
BEGIN
  IF before > now() - interval '360 days' THEN
    RAISE EXCEPTION 'drop_analytics_events: events are kept for a year';
  END IF;
  FOR part IN
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE i.inhparent = 'insights.analytics_events'::regclass AND c.relname ~ '_[0-9]{6}$'
      AND to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' <= before
    ORDER BY 1
  LOOP
    EXECUTE format('DROP TABLE %s', part);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$`,
      'REVOKE ALL ON FUNCTION shared.drop_analytics_events(timestamptz) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION shared.drop_analytics_events(timestamptz) TO app_insights',
      'GRANT EXECUTE ON FUNCTION shared.known_users(uuid[]) TO app_insights',
    ],
    [
      'REVOKE EXECUTE ON FUNCTION shared.known_users(uuid[]) FROM app_insights',
      'DROP FUNCTION shared.drop_analytics_events(timestamptz)',
    ],
  ),
  permissions({
    'insights:event:read': { allows: 'Read and count events of products', roles: ['ANALYST', 'VIEWER'] },
    'insights:event:write': { allows: 'Record events of products', roles: ['ANALYST'] },
  }),
])
