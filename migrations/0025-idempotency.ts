import { migration, sql } from './sql'

const table = 'shared.idempotency_keys'
const removal = 'shared.remove_idempotency_keys(timestamptz)'

/** A key is used once per tenant and operation, whoever uses it; a job forgets the old ones. */
export const idempotency = migration(25, 'idempotency', [
  sql(
    [
      // Of a key that several users had, the first use stays.
      `DELETE FROM ${table} k USING ${table} first
        WHERE first.tenant_id = k.tenant_id AND first.operation = k.operation AND first.key = k.key
          AND (first.created_at, first.actor_id) < (k.created_at, k.actor_id)`,
      `ALTER TABLE ${table} DROP CONSTRAINT idempotency_keys_pkey, ADD PRIMARY KEY (tenant_id, operation, key)`,
    ],
    `ALTER TABLE ${table} DROP CONSTRAINT idempotency_keys_pkey, ADD PRIMARY KEY (tenant_id, actor_id, operation, key)`,
  ),
  sql(
    [
      // Runs as the owner, over all tenants: subgraphs cannot delete keys, or one of them could be made to work twice.
      `CREATE FUNCTION ${removal.replace('(', '(used_before ')} RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed int;
BEGIN
  IF used_before > now() - interval '1 day' THEN
    RAISE EXCEPTION 'remove_idempotency_keys: a key is kept for a day at least';
  END IF;
  DELETE FROM ${table} WHERE created_at < used_before;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END $$`,
      `REVOKE ALL ON FUNCTION ${removal} FROM PUBLIC`,
      `GRANT EXECUTE ON FUNCTION ${removal} TO app_compliance`,
    ],
    `DROP FUNCTION ${removal}`,
  ),
])
