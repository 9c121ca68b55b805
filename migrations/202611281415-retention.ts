import { migration, sql } from './sql'

const forgetUsage = (schema: string, caller: string) => [
  `CREATE FUNCTION ${schema}.forget_usage(before date) RETURNS bigint
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
  `REVOKE ALL ON FUNCTION ${schema}.forget_usage(date) FROM PUBLIC`,
  `GRANT EXECUTE ON FUNCTION ${schema}.forget_usage(date) TO ${caller}`,
]

const removeKeys = (declarations: string, condition: string) => `
CREATE OR REPLACE FUNCTION shared.remove_idempotency_keys(used_before timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed int;${declarations}
BEGIN
  IF used_before > now() - interval '1 day' THEN
    RAISE EXCEPTION 'remove_idempotency_keys: a key is kept for a day at least';
  END IF;
  DELETE FROM shared.idempotency_keys ${condition};
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END $$`

/** Functions for jobs that remove what is old: keys of one tenant, some at a time, and usage, for a subgraph, which has jobs. */
export const retention = migration(202611281415, 'retention', [
  sql(
    removeKeys(
      `
  own constant uuid := current_setting('app.tenant_id')::uuid;`,
      `k WHERE k.tenant_id = own AND (k.operation, k.key) IN (
    SELECT old.operation, old.key FROM shared.idempotency_keys old
     WHERE old.tenant_id = own AND old.created_at < used_before LIMIT 5000)`,
    ),
    removeKeys('', 'WHERE created_at < used_before'),
  ),
  sql(
    [...forgetUsage('shared', 'app_compliance'), 'DROP FUNCTION gateway.forget_usage(date)'],
    ['DROP FUNCTION shared.forget_usage(date)', ...forgetUsage('gateway', 'app_gateway')],
  ),
])
