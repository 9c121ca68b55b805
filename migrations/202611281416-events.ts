import { lookupFunction } from './lookup'
import { grant, migration, sql, subgraphRoles, tenantTable } from './sql'

const events = 'shared.outbox_events'

/** As 0001-foundation made it. */
const formerTable = tenantTable({
  schema: 'shared',
  table: 'outbox_events',
  without: ['version', 'updated_at'],
  columns: { topic: 'text NOT NULL', payload: 'jsonb NOT NULL', dispatched_at: 'timestamptz(3)' },
  indexes: [{ columns: 'created_at', where: 'dispatched_at IS NULL' }],
  grants: grant(subgraphRoles, ['INSERT']),
})

/**
 * Events on their way out: what changed, by months that are dropped when all of it has left, and how far each tenant's
 * events have come. What the former table held nobody has ever read.
 */
export const outboxEvents = migration(202611281416, 'events', [
  sql(formerTable.down, formerTable.up),
  sql('CREATE SEQUENCE shared.outbox_events_seq', 'DROP SEQUENCE shared.outbox_events_seq'),
  tenantTable({
    schema: 'shared',
    table: 'outbox_events',
    without: ['version', 'updated_at'],
    columns: {
      // Drawn when the row is written, so it orders what is done about one thing after the other, whatever clocks say.
      seq: "bigint NOT NULL DEFAULT nextval('shared.outbox_events_seq')",
      aggregate_type: 'varchar(100) NOT NULL',
      aggregate_id: 'varchar(100) NOT NULL',
      event_type: 'varchar(100) NOT NULL',
      payload: "jsonb NOT NULL DEFAULT '{}'",
      // Given by the dispatcher: the order of commits is not that of seq.
      position: 'bigint',
    },
    indexes: [{ columns: 'seq', where: 'position IS NULL' }, 'position'],
    partition: { by: 'month', column: 'created_at' },
    grants: { app_gateway: ['SELECT'] },
  }),
  sql(
    [
      `GRANT INSERT (created_at, id, aggregate_type, aggregate_id, event_type, payload) ON ${events}
         TO ${subgraphRoles.join(', ')}`,
      `GRANT USAGE ON SEQUENCE shared.outbox_events_seq TO ${subgraphRoles.join(', ')}`,
      `GRANT UPDATE (position) ON ${events} TO app_gateway`,
    ],
    [],
  ),
  tenantTable({
    schema: 'shared',
    table: 'event_positions',
    without: ['id', 'version', 'created_at', 'updated_at'],
    columns: {
      given: 'bigint NOT NULL DEFAULT 0',
      dispatched: 'bigint NOT NULL DEFAULT 0',
    },
    checks: { order: 'dispatched BETWEEN 0 AND given' },
    primaryKey: [],
    indexes: [{ columns: 'given', where: 'given > dispatched' }],
    grants: { app_gateway: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  lookupFunction({
    name: 'shared.tenants_with_new_events',
    parameters: '',
    returns: 'SETOF uuid',
    body: `
BEGIN
  RETURN QUERY SELECT e.tenant_id FROM shared.outbox_events e WHERE e.position IS NULL
    UNION SELECT p.tenant_id FROM shared.event_positions p WHERE p.given > p.dispatched;
END`,
    reads: {
      'shared.outbox_events': ['tenant_id', 'position'],
      'shared.event_positions': ['tenant_id', 'given', 'dispatched'],
    },
    callers: ['app_gateway'],
  }),
  // As the owner, who alone may drop a month: one that is over, and of which every event has left.
  sql(
    [
      `CREATE FUNCTION shared.drop_dispatched_events(before timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  part record;
  is_open boolean;
  dropped int := 0;
BEGIN
  IF before > now() - interval '1 day' THEN
    RAISE EXCEPTION 'drop_dispatched_events: events are kept for a day at least';
  END IF;
  FOR part IN
    SELECT format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE i.inhparent = 'shared.outbox_events'::regclass AND c.relname ~ '_[0-9]{6}$'
      AND to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' <= before
    ORDER BY 1
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s e LEFT JOIN shared.event_positions p ON p.tenant_id = e.tenant_id
      WHERE e.position IS NULL OR e.position > coalesce(p.dispatched, 0))', part.name) INTO is_open;
    CONTINUE WHEN is_open;
    EXECUTE format('DROP TABLE %s', part.name);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$`,
      'REVOKE ALL ON FUNCTION shared.drop_dispatched_events(timestamptz) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION shared.drop_dispatched_events(timestamptz) TO app_compliance',
    ],
    'DROP FUNCTION shared.drop_dispatched_events(timestamptz)',
  ),
])
