import { constraintMessages } from './constraint-messages'
import { addColumns, migration, oneOf, refuseDown, sql, tenantTable, type Step } from './sql'

const treatments = ['STANDARD', 'REVERSE_CHARGE', 'EXEMPT']

/** Taxes of tenants from a day on, as the platform decided: rows that nobody changes or removes. */
const taxProfiles: Step[] = [
  tenantTable({
    schema: 'tenancy',
    table: 'tax_profiles',
    without: ['version', 'updated_at'],
    columns: {
      valid_from: 'date NOT NULL',
      revision: 'int NOT NULL DEFAULT 0 CHECK (revision >= 0)',
      treatment: oneOf('treatment', treatments),
      rate: 'numeric NOT NULL',
      tax_id: 'varchar(30)',
      reason: 'varchar(500)',
    },
    unique: [['valid_from', 'revision']],
    checks: {
      rate: "rate BETWEEN 0 AND 100 AND scale(rate) <= 4 AND (treatment = 'STANDARD' OR rate = 0)",
      tax_id: "tax_id <> '' AND (treatment <> 'REVERSE_CHARGE' OR tax_id IS NOT NULL)",
      reason: "reason <> '' AND (rate > 0 OR reason IS NOT NULL)",
    },
    grants: { app_tenancy: ['SELECT', 'INSERT'] },
  }),
  constraintMessages('tenancy.tax_profiles', {
    tax_profiles_valid_from_revision_key: 'has a tax already',
    tax_profiles_rate_check:
      'must be 0 to 100, with at most 4 decimals, and 0 without tax or with reverse charge',
    tax_profiles_tax_id_check: 'must be told for reverse charge',
    tax_profiles_reason_check: 'must say why no tax is paid',
  }),
  sql(
    `CREATE TRIGGER keep_row BEFORE UPDATE OR DELETE ON tenancy.tax_profiles
       FOR EACH ROW EXECUTE FUNCTION tenancy.keep_row()`,
    [],
  ),
  // Nobody wrote it: what was billed was billed without tax.
  sql(
    'ALTER TABLE tenancy.subscriptions DROP COLUMN tax_rate',
    `ALTER TABLE tenancy.subscriptions
       ADD COLUMN tax_rate numeric NOT NULL DEFAULT 0 CHECK (tax_rate BETWEEN 0 AND 100 AND scale(tax_rate) <= 4)`,
  ),
]

/** Room for as much as a period can use of a meter, and as many lines as that and the changes of a period make. */
const wide = (table: string, former: string): Step =>
  sql(
    `ALTER TABLE tenancy.${table} DROP CONSTRAINT ${table}_position_check, DROP CONSTRAINT ${table}_quantity_check,
       ADD CONSTRAINT ${table}_position_check CHECK (position BETWEEN 1 AND 100000),
       ADD CONSTRAINT ${table}_quantity_check CHECK (quantity > 0 AND quantity <= 1000000000000000 AND scale(quantity) <= 4)`,
    `ALTER TABLE tenancy.${table} DROP CONSTRAINT ${table}_position_check, DROP CONSTRAINT ${table}_quantity_check,
       ADD CONSTRAINT ${table}_position_check CHECK (position BETWEEN 1 AND 100),
       ADD CONSTRAINT ${table}_quantity_check CHECK (${former})`,
  )

const quantityBefore = 'quantity > 0 AND quantity <= 1000000000 AND scale(quantity) <= 4'

/** The price of the plan in this currency and interval, where the list has one; only its id, the amount is what was agreed. */
const agreedFee = `jsonb_build_array(jsonb_build_object('priceId', COALESCE((SELECT p.id FROM tenancy.plan_prices p
      JOIN tenancy.plans l ON l.id = p.plan_id WHERE l.code = s.plan AND p.currency = s.currency AND p.meter IS NULL
       AND p.billing_interval = s.billing_interval ORDER BY p.version LIMIT 1), s.id)::text, 'version', 1, 'meter', NULL,
      'quantity', 1, 'unitAmount', s.price::text, 'tierMode', NULL, 'tiers', NULL))`

/** Keeps pending lines: only what becomes of them changes, once. */
const guardPending: Step = sql(
  [
    'REVOKE UPDATE ON tenancy.pending_lines FROM app_tenancy',
    'GRANT UPDATE (invoice_id, credit_note_id, lapsed_on) ON tenancy.pending_lines TO app_tenancy',
    `CREATE FUNCTION tenancy.keep_pending_line() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  free constant text[] := '{invoice_id,credit_note_id,lapsed_on}';
BEGIN
  IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM tenancy.tenants t WHERE t.id = OLD.tenant_id) THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'DELETE' OR OLD.invoice_id IS NOT NULL OR OLD.credit_note_id IS NOT NULL OR OLD.lapsed_on IS NOT NULL
     OR to_jsonb(NEW) - free <> to_jsonb(OLD) - free THEN
    RAISE EXCEPTION 'a pending line is billed once and stays as it is' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`,
    `CREATE TRIGGER keep_pending_line BEFORE UPDATE OR DELETE ON tenancy.pending_lines
       FOR EACH ROW EXECUTE FUNCTION tenancy.keep_pending_line()`,
  ],
  [
    'DROP TRIGGER keep_pending_line ON tenancy.pending_lines',
    'DROP FUNCTION tenancy.keep_pending_line()',
    'REVOKE UPDATE (invoice_id, credit_note_id, lapsed_on) ON tenancy.pending_lines FROM app_tenancy',
    'GRANT UPDATE ON tenancy.pending_lines TO app_tenancy',
  ],
)

/** Rows that bills are made of: taxes, what was agreed and when, what was billed of use, and why something could not be billed. */
export const billingTerms = migration(202611290430, 'billing-terms', [
  ...taxProfiles,
  wide('invoice_lines', quantityBefore),
  wide('credit_note_lines', quantityBefore),
  constraintMessages('tenancy.invoice_lines', {
    invoice_lines_quantity_check: 'must be more than 0, at most 1000000000000000, with at most 4 decimals',
  }),
  addColumns('tenancy.invoice_lines', {
    tax_treatment: `${oneOf('tax_treatment', treatments)} DEFAULT 'STANDARD'`,
    tax_reason: "varchar(500) CHECK (tax_reason <> '' AND (tax_treatment = 'STANDARD' OR tax_rate = 0))",
    tax_on: 'date',
  }),
  // Tells those of the billing job from those of operators: what they give back waits again when they become void.
  addColumns('tenancy.credit_notes', { gives_back: 'boolean NOT NULL DEFAULT false' }),
  addColumns('tenancy.invoices', { is_interim: 'boolean NOT NULL DEFAULT false' }),
  addColumns(
    'tenancy.pending_lines',
    {
      quantity:
        'numeric NOT NULL DEFAULT 1 CHECK (quantity > 0 AND quantity <= 1000000000000000 AND scale(quantity) <= 4)',
      unit_price: 'numeric',
      place: 'int NOT NULL DEFAULT 0',
      due_on: 'date',
      tax_on: 'date',
      credit_note_id: 'uuid',
      change_id: 'uuid',
      lapsed_on: 'date CHECK (num_nonnulls(invoice_id, credit_note_id, lapsed_on) < 2)',
      tax_rate: 'numeric CHECK (tax_rate BETWEEN 0 AND 100 AND scale(tax_rate) <= 4)',
      tax_treatment: `text CHECK (tax_treatment IN ('STANDARD', 'REVERSE_CHARGE', 'EXEMPT'))`,
      tax_reason: "varchar(500) CHECK (tax_reason <> '')",
    },
    { credit_note_id: { table: 'tenancy.credit_notes' } },
  ),
  guardPending,
  addColumns('tenancy.subscriptions', { use_seen_at: 'timestamptz(3)' }),
  // Days of a trial that were looked at are not billed: whoever leaves it pays from that day on.
  sql(
    [
      `UPDATE tenancy.subscriptions SET trial_ends_on = end_date, updated_at = now()
        WHERE plan = 'TRIAL' AND status <> 'CANCELLED' AND trial_ends_on IS NULL`,
      `UPDATE tenancy.subscriptions s SET billed_until = NULL, updated_at = now()
        WHERE s.plan = 'TRIAL' AND NOT s.is_settled AND NOT EXISTS (
          SELECT FROM tenancy.invoices i WHERE i.tenant_id = s.tenant_id AND i.subscription_id = s.id AND i.billed_from IS NOT NULL)`,
      // Whatever was read until now was billed with its period.
      'UPDATE tenancy.subscriptions SET use_seen_at = now(), updated_at = now() WHERE billed_until IS NOT NULL',
    ],
    [],
  ),
  sql(
    `ALTER TABLE tenancy.subscriptions ADD CONSTRAINT subscriptions_next_change_items_check
       CHECK (next_change IS NULL OR jsonb_typeof(next_change -> 'items') = 'array')`,
    'ALTER TABLE tenancy.subscriptions DROP CONSTRAINT subscriptions_next_change_items_check',
  ),
  // Terms that were agreed before there was a price list are a fee of their own.
  sql(
    `UPDATE tenancy.subscriptions s SET items = ${agreedFee}, updated_at = now() WHERE s.items = '[]' AND s.price > 0`,
    [],
  ),
  tenantTable({
    schema: 'tenancy',
    table: 'agreed_items',
    without: ['version', 'created_at', 'updated_at'],
    columns: {
      subscription_id: 'uuid NOT NULL',
      since: 'timestamptz(3) NOT NULL',
      items: `jsonb NOT NULL CHECK (jsonb_typeof(items) = 'array')`,
    },
    references: { subscription_id: { table: 'tenancy.subscriptions', index: 'subscription_id, since, id' } },
    grants: { app_tenancy: ['SELECT', 'INSERT'] },
  }),
  sql(
    [
      `INSERT INTO tenancy.agreed_items (tenant_id, id, subscription_id, since, items)
       SELECT tenant_id, gen_random_uuid(), id, start_date::timestamp AT TIME ZONE 'UTC', items FROM tenancy.subscriptions`,
      `CREATE TRIGGER keep_row BEFORE UPDATE OR DELETE ON tenancy.agreed_items
         FOR EACH ROW EXECUTE FUNCTION tenancy.keep_row()`,
    ],
    [],
  ),
  tenantTable({
    schema: 'tenancy',
    table: 'billed_periods',
    without: ['version', 'created_at', 'updated_at'],
    columns: {
      subscription_id: 'uuid NOT NULL',
      starts_on: 'date NOT NULL',
      ends_on: 'date NOT NULL CHECK (ends_on > starts_on)',
      amounts: `jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(amounts) = 'object')`,
    },
    unique: [['subscription_id', 'starts_on']],
    references: { subscription_id: { table: 'tenancy.subscriptions' } },
    grants: { app_tenancy: ['SELECT', 'INSERT'] },
  }),
  // Of periods that were billed before, what their lines say; of those without use, that nothing was.
  sql(
    `INSERT INTO tenancy.billed_periods (tenant_id, id, subscription_id, starts_on, ends_on, amounts)
     SELECT tenant_id, gen_random_uuid(), subscription_id, service_start, service_end,
            COALESCE(jsonb_object_agg(meter, amount::text) FILTER (WHERE meter IS NOT NULL), '{}')
       FROM (SELECT i.tenant_id, i.subscription_id, l.service_start, l.service_end, sum(l.amount) AS amount,
                    substring(l.description FROM '^Use: ([A-Z_]+)') AS meter
               FROM tenancy.invoices i JOIN tenancy.invoice_lines l ON l.tenant_id = i.tenant_id AND l.invoice_id = i.id
              WHERE i.billed_from IS NOT NULL AND i.status NOT IN ('DRAFT', 'VOID') AND l.service_end > l.service_start
                AND (l.description LIKE 'Use: %' OR l.description LIKE '%, fee%' AND EXISTS (
                      SELECT FROM tenancy.subscriptions s WHERE s.tenant_id = i.tenant_id AND s.id = i.subscription_id
                         AND (s.is_settled OR l.service_end < s.billed_until)))
              GROUP BY i.tenant_id, i.subscription_id, l.service_start, l.service_end, meter) m
      GROUP BY tenant_id, subscription_id, service_start, service_end
         ON CONFLICT (tenant_id, subscription_id, starts_on) DO NOTHING`,
    [],
  ),
  sql('GRANT UPDATE (amounts) ON tenancy.billed_periods TO app_tenancy', []),
  sql('CREATE INDEX usage_records_late ON tenancy.usage_records (tenant_id, subscription_id, recorded_at)', [
    'DROP INDEX tenancy.usage_records_late',
  ]),
  // The last step is the first that is taken back: nothing is changed before it.
  refuseDown(
    'taxes that were decided, or lines with them',
    `SELECT FROM tenancy.tax_profiles
     UNION ALL SELECT FROM tenancy.pending_lines WHERE credit_note_id IS NOT NULL OR lapsed_on IS NOT NULL
     UNION ALL SELECT FROM tenancy.invoice_lines WHERE position > 100 OR quantity > 1000000000 OR tax_treatment <> 'STANDARD'
     UNION ALL SELECT FROM tenancy.credit_note_lines WHERE position > 100 OR quantity > 1000000000
     UNION ALL SELECT FROM tenancy.invoices WHERE is_interim`,
  ),
])
