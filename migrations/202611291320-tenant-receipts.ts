import { migration, sql } from './sql'

const deletes = (held: {
  declare: string
  check: string
}) => `CREATE OR REPLACE FUNCTION tenancy.delete_due_tenant(of_tenant uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
${held.declare}BEGIN
${held.check}  DELETE FROM tenancy.tenants t WHERE t.id = of_tenant AND t.status = 'CANCELLED' AND t.deletion_due_at <= now();
  RETURN FOUND;
END $$`

/** Receipts of deleted tenants: rows are counted for the platform's trail, and nothing goes that somebody holds. */
export const tenantReceipts = migration(202611291320, 'tenant-receipts', [
  sql(
    [
      deletes({
        declare: 'DECLARE\n  own constant uuid := of_tenant;\n',
        check: `  IF EXISTS (SELECT FROM shared.held_subjects h WHERE h.tenant_id = own AND h.released_at IS NULL) THEN
    RETURN false;
  END IF;
`,
      }),
      // Of tenants that are due alone, by table; tables without a row of it are left out.
      `CREATE FUNCTION tenancy.count_due_tenant(of_tenant uuid) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  counted jsonb := '{}';
  one record;
  present bigint;
BEGIN
  PERFORM FROM tenancy.tenants t WHERE t.id = of_tenant AND t.status = 'CANCELLED' AND t.deletion_due_at <= now() FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  FOR one IN SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_attribute a
      JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE a.attname = 'tenant_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1 LOOP
    EXECUTE 'SELECT count(*) FROM ' || one.name || ' WHERE tenant_id = $1' INTO present USING of_tenant;
    IF present > 0 THEN
      counted := counted || jsonb_build_object(one.name, present);
    END IF;
  END LOOP;
  RETURN counted;
END $$`,
      'REVOKE ALL ON FUNCTION tenancy.count_due_tenant(uuid) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION tenancy.count_due_tenant(uuid) TO app_tenancy',
    ],
    ['DROP FUNCTION tenancy.count_due_tenant(uuid)', deletes({ declare: '', check: '' })],
  ),
])
