import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { addColumns, migration, oneOf, sql, tenantTable } from './sql'

const meters = ['API_CALLS', 'STORAGE_GB', 'STORED_RECORDS', 'ACTIVE_USERS']

/** Holds what meters read of a tenant's use: rows that nobody changes or removes, and what the subscription allows of them. */
export const usage = migration(202611282131, 'usage', [
  addColumns('tenancy.subscriptions', {
    limits: `jsonb NOT NULL DEFAULT '{}' CONSTRAINT subscriptions_limits_check CHECK (jsonb_typeof(limits) = 'object')`,
  }),
  // They were written by nobody: what is allowed stands in the subscription, what is used is counted.
  sql(
    'ALTER TABLE tenancy.tenants DROP COLUMN limits, DROP COLUMN usage',
    `ALTER TABLE tenancy.tenants ADD COLUMN limits jsonb NOT NULL DEFAULT '{}', ADD COLUMN usage jsonb NOT NULL DEFAULT '{}'`,
  ),
  tenantTable({
    schema: 'tenancy',
    table: 'usage_records',
    without: ['version', 'created_at', 'updated_at'],
    columns: {
      subscription_id: 'uuid NOT NULL',
      meter: oneOf('meter', meters),
      quantity: 'numeric NOT NULL',
      occurred_at: 'timestamptz(3) NOT NULL',
      source: 'varchar(100) NOT NULL',
      external_id: 'varchar(200) NOT NULL',
      correction_of_id: 'uuid',
      properties: "jsonb NOT NULL DEFAULT '{}'",
      recorded_at: 'timestamptz(3) NOT NULL DEFAULT now()',
    },
    unique: [['source', 'external_id']],
    checks: {
      quantity: `abs(quantity) < 1000000000000 AND scale(quantity) <= 4
        AND CASE WHEN correction_of_id IS NULL THEN quantity >= 0 ELSE quantity <= '-0.0001' END`,
      source: "source <> ''",
      external_id: "external_id <> ''",
      properties: "jsonb_typeof(properties) = 'object'",
    },
    references: {
      subscription_id: { table: 'tenancy.subscriptions', index: 'subscription_id, occurred_at, id' },
      correction_of_id: { table: 'tenancy.usage_records' },
    },
    indexes: ['occurred_at, id', 'recorded_at, id', 'meter, id', 'source, id'],
    grants: { app_tenancy: ['SELECT', 'INSERT'] },
  }),
  constraintMessages('tenancy.usage_records', {
    usage_records_source_external_id_key: 'was used for something else by this source',
    usage_records_properties_check: 'must be an object',
  }),
  // Grants keep the application from it; this keeps everybody, but for the removal of the whole tenant.
  sql(
    [
      `CREATE FUNCTION tenancy.keep_row() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM tenancy.tenants t WHERE t.id = OLD.tenant_id) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '%.% is written once: rows are neither changed nor removed', TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$`,
      `CREATE TRIGGER keep_row BEFORE UPDATE OR DELETE ON tenancy.usage_records
         FOR EACH ROW EXECUTE FUNCTION tenancy.keep_row()`,
    ],
    ['DROP TRIGGER keep_row ON tenancy.usage_records', 'DROP FUNCTION tenancy.keep_row()'],
  ),
  permissions({
    'tenancy:usage:read': { allows: 'Read what meters tell of use', roles: ['ANALYST', 'VIEWER'] },
    'tenancy:usage:write': { allows: 'Record and correct what meters tell of use' },
  }),
])
