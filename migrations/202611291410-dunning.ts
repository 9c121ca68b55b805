import { constraintMessages } from './constraint-messages'
import { settledGuard } from './issued-invoice'
import { addColumns, migration, refuseDown, sql, tenantTable } from './sql'

const areLevels = `jsonb_typeof(levels) = 'array' AND NOT jsonb_path_exists(levels,
  '$[*] ? (!(@.days.type() == "number" && @.fee.type() == "string"))')`

/** Steps about invoices that are not paid in time: by which policy, what was done, and what waits for a dispute. */
export const dunning = migration(202611291410, 'dunning', [
  addColumns(
    'tenancy.invoices',
    {
      fee_of_id: 'uuid CHECK (fee_of_id <> id)',
      dunning_paused_at: 'timestamptz(3)',
      dunning_pause_reason: `varchar(500) CONSTRAINT invoices_dunning_pause_reason_check
        CHECK (dunning_pause_reason <> '' AND (dunning_pause_reason IS NULL) = (dunning_paused_at IS NULL))`,
      dunning_paused_days: 'int NOT NULL DEFAULT 0 CHECK (dunning_paused_days >= 0)',
    },
    { fee_of_id: { table: 'tenancy.invoices' } },
  ),
  sql(
    [
      settledGuard(['dunning_paused_at', 'dunning_pause_reason', 'dunning_paused_days']),
      `CREATE FUNCTION tenancy.check_fee() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  line constant tenancy.invoices := NEW;
BEGIN
  PERFORM FROM tenancy.invoices i WHERE i.tenant_id = line.tenant_id AND i.id = line.fee_of_id AND i.fee_of_id IS NOT NULL;
  IF FOUND THEN
    RAISE EXCEPTION 'invoice % is for a fee: no fee is charged on it', NEW.fee_of_id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`,
      `CREATE TRIGGER check_fee BEFORE INSERT OR UPDATE OF fee_of_id ON tenancy.invoices
         FOR EACH ROW WHEN (NEW.fee_of_id IS NOT NULL) EXECUTE FUNCTION tenancy.check_fee()`,
    ],
    ['DROP TRIGGER check_fee ON tenancy.invoices', 'DROP FUNCTION tenancy.check_fee()', settledGuard()],
  ),
  tenantTable({
    schema: 'tenancy',
    table: 'dunning_policies',
    without: ['version', 'updated_at'],
    columns: {
      revision: 'int NOT NULL CHECK (revision > 0)',
      currency: "text CHECK (currency ~ '^[A-Z]{3}$')",
      levels: `jsonb NOT NULL CONSTRAINT dunning_policies_levels_check CHECK (${areLevels})`,
    },
    unique: [['revision']],
    grants: { app_tenancy: ['SELECT', 'INSERT'] },
  }),
  tenantTable({
    schema: 'tenancy',
    table: 'dunning_steps',
    without: ['version', 'updated_at'],
    columns: {
      invoice_id: 'uuid NOT NULL',
      level: 'int NOT NULL CHECK (level BETWEEN 1 AND 9)',
      taken_on: 'date NOT NULL',
      overdue_days: 'int NOT NULL CHECK (overdue_days > 0)',
      currency: 'text NOT NULL',
      balance: 'bigint NOT NULL CHECK (balance > 0)',
      fee_invoice_id: 'uuid',
      is_last: 'boolean NOT NULL',
      sent_to: 'varchar(254)',
    },
    unique: [['invoice_id', 'level']],
    references: { fee_invoice_id: { table: 'tenancy.invoices' } },
    indexes: ['invoice_id, currency', 'taken_on, id', 'created_at, id'],
    grants: { app_tenancy: ['SELECT', 'INSERT'] },
  }),
  sql(
    [
      `ALTER TABLE tenancy.dunning_steps ADD CONSTRAINT dunning_steps_invoice_id_fkey
         FOREIGN KEY (tenant_id, invoice_id, currency) REFERENCES tenancy.invoices (tenant_id, id, currency)`,
      ...['dunning_policies', 'dunning_steps'].map(
        (table) => `CREATE TRIGGER keep_row BEFORE UPDATE OR DELETE ON tenancy.${table}
          FOR EACH ROW EXECUTE FUNCTION tenancy.keep_row()`,
      ),
    ],
    [],
  ),
  constraintMessages('tenancy.invoices', { invoices_dunning_pause_reason_check: 'must say why' }),
  refuseDown(
    'steps about invoices that are not paid in time',
    `SELECT FROM tenancy.dunning_steps UNION ALL SELECT FROM tenancy.dunning_policies
     UNION ALL SELECT FROM tenancy.invoices WHERE fee_of_id IS NOT NULL OR dunning_paused_at IS NOT NULL OR dunning_paused_days > 0`,
  ),
])
