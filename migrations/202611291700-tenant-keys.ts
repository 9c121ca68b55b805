import { lookupFunction } from './lookup'
import { migration, sql, subgraphRoles } from './sql'

const workers = subgraphRoles.join(', ')
/** Stands for the tenant as a whole in `subject_id`. */
const wholeTenant = "'00000000-0000-0000-0000-000000000000'::uuid"
/** Those whose rows have keys of their own, to be destroyed with the row: accounts, and requests of people. */
const erasing = ['app_identity', 'app_compliance']
const columns = 'tenant_id, id, subject_id, generation, master_key_id, wrapped'

/**
 * A tenant's first key is made with the tenant, by the owner or by an operator who makes the tenant, and by nobody else: one that
 * a subgraph's role planted, and that does not open, would keep the tenant from writing. Keys of rows that are erased are their subgraph's.
 * Tenants that have no key yet get one from `npm start`, or from `npm run keys -- encrypt`.
 */
export const tenantKeys = migration(202611291700, 'tenant-keys', [
  sql(
    [
      'DROP POLICY first_generation ON shared.data_keys',
      `REVOKE INSERT ON shared.data_keys FROM ${workers}`,
      `GRANT INSERT (${columns}) ON shared.data_keys TO ${erasing.join(', ')}`,
      `CREATE POLICY people_only ON shared.data_keys AS RESTRICTIVE FOR INSERT TO ${erasing.join(', ')}
         WITH CHECK (subject_id <> ${wholeTenant} AND generation BETWEEN 1 AND 1000)`,
    ],
    [
      'DROP POLICY people_only ON shared.data_keys',
      `REVOKE INSERT (${columns}) ON shared.data_keys FROM ${erasing.join(', ')}`,
      `GRANT INSERT ON shared.data_keys TO ${workers}`,
      `CREATE POLICY first_generation ON shared.data_keys AS RESTRICTIVE FOR INSERT TO ${workers}
         WITH CHECK (generation = 1 OR subject_id <> ${wholeTenant} AND generation BETWEEN 1 AND 1000)`,
    ],
  ),
  lookupFunction({
    name: 'shared.add_tenant_key',
    parameters: 'key uuid, master text, wrapped_key text',
    returns: 'void',
    volatility: 'VOLATILE',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  PERFORM shared.require_operator('tenancy:platform:tenants');
  INSERT INTO shared.data_keys (tenant_id, id, subject_id, generation, master_key_id, wrapped)
  VALUES (own, key, ${wholeTenant}, 1, master, wrapped_key);
END`,
    reads: {},
    adds: {
      'shared.data_keys': ['tenant_id', 'id', 'subject_id', 'generation', 'master_key_id', 'wrapped'],
    },
    callers: ['app_identity'],
  }),
])
