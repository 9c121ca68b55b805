import { sql, tenantPolicy, type Step } from './sql'

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/**
 * The function that makes the months around an instant for every table partitioned by month, and says how many it made.
 * A default partition would block ordered scans and concurrent detaching: months are made ahead instead.
 */
export function ensurePartitions(): Step {
  const { condition, roles } = tenantPolicy()
  return sql(
    [
      `CREATE FUNCTION shared.ensure_partitions(months_ahead int, months_back int DEFAULT 2, instant timestamptz DEFAULT now())
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  parent record;
  month timestamptz;
  part text;
  own constant text := ${quoted(condition)};
  made int := 0;
BEGIN
  IF months_ahead NOT BETWEEN 0 AND 120 OR months_back NOT BETWEEN 0 AND 240 THEN
    RAISE EXCEPTION 'ensure_partitions: months_ahead is 0 to 120, months_back 0 to 240';
  END IF;
  IF instant NOT BETWEEN now() - interval '10 years' AND now() + interval '10 years' THEN
    RAISE EXCEPTION 'ensure_partitions: instant is at most 10 years away';
  END IF;
  -- Without it Citus makes no second month in one transaction; elsewhere it means nothing. Only set_config lets the owner.
  PERFORM set_config('citus.multi_shard_modify_mode', 'sequential', true);
  PERFORM pg_advisory_xact_lock(hashtextextended('shared.ensure_partitions', 0));
  FOR parent IN
    SELECT n.nspname AS schema, c.relname AS name
    FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE p.partstrat = 'r' AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    ORDER BY 1, 2
  LOOP
    FOR month IN
      SELECT generate_series(date_trunc('month', instant) - make_interval(months => months_back),
                             date_trunc('month', instant) + make_interval(months => months_ahead), interval '1 month')
    LOOP
      part := format('%I.%I', parent.schema, parent.name || to_char(month, '_YYYYMM'));
      CONTINUE WHEN to_regclass(part) IS NOT NULL;
      EXECUTE format('CREATE TABLE %s PARTITION OF %I.%I FOR VALUES FROM (%L) TO (%L)',
                     part, parent.schema, parent.name, month, month + interval '1 month');
      EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
      EXECUTE format('CREATE POLICY tenant ON %s TO ${roles} USING (%s) WITH CHECK (%2$s)', part, own);
      EXECUTE format('CREATE POLICY owner_all ON %s TO %I USING (true) WITH CHECK (true)', part, current_user);
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END $$`,
      'GRANT EXECUTE ON FUNCTION shared.ensure_partitions(int, int, timestamptz) TO app_compliance',
    ],
    'DROP FUNCTION shared.ensure_partitions(int, int, timestamptz)',
  )
}
