import { permissions } from './permissions'
import { addColumns, migration, sql } from './sql'

/** Customers whose names and texts are erased, while what is counted stays. */
export const erasure = migration(202611290004, 'erasure', [
  addColumns('insights.customers', { erased_at: 'timestamptz(3)' }),
  // Runs as the owner: the application itself changes no interaction, whatever it is told.
  sql(
    [
      `CREATE FUNCTION shared.erase_interactions(of_customer uuid) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  erased int;
BEGIN
  UPDATE insights.customer_interactions i SET content = NULL, metadata = '{}'
   WHERE i.tenant_id = own AND i.customer_id = of_customer AND (i.content IS NOT NULL OR i.metadata <> '{}');
  GET DIAGNOSTICS erased = ROW_COUNT;
  RETURN erased;
END $$`,
      'REVOKE ALL ON FUNCTION shared.erase_interactions(uuid) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION shared.erase_interactions(uuid) TO app_insights',
    ],
    'DROP FUNCTION shared.erase_interactions(uuid)',
  ),
  permissions({
    'insights:customer:erase': { allows: 'Erase customers and what they wrote for good' },
  }),
])
