import { constraintMessages } from './constraint-messages'
import { creditGuard, settledGuard } from './issued-invoice'
import { byLanguage, migration, oneOf, sql, tenantTable, type Step } from './sql'

const methods = ['BANK_TRANSFER', 'CARD', 'DIRECT_DEBIT', 'CASH']
const statuses = ['SUCCEEDED', 'PARTLY_REFUNDED', 'REFUNDED', 'REVERSED']

/** Payments for what was paid before they were records, one for each invoice, on the day of its last change. */
const formerPayments: Step = sql(
  [
    `INSERT INTO tenancy.payments (tenant_id, id, payment_number, method, amount, currency, allocated, received_on, created_at)
     SELECT tenant_id, id, 'PAY-' || lpad(row_number() OVER (PARTITION BY tenant_id ORDER BY COALESCE(paid_at, updated_at), id)::text, 6, '0'),
            'BANK_TRANSFER', amount_paid, currency, amount_paid, (COALESCE(paid_at, updated_at) AT TIME ZONE 'UTC')::date,
            COALESCE(paid_at, updated_at)
       FROM tenancy.invoices WHERE amount_paid > 0`,
    `INSERT INTO tenancy.allocations (tenant_id, id, invoice_id, payment_id, currency, amount, created_at)
     SELECT tenant_id, gen_random_uuid(), id, id, currency, amount, created_at FROM tenancy.payments`,
    `INSERT INTO tenancy.invoice_series (tenant_id, series, last_number)
     SELECT tenant_id, 'PAYMENT', count(*) FROM tenancy.payments GROUP BY tenant_id`,
  ],
  [
    "DELETE FROM tenancy.invoice_series WHERE series = 'PAYMENT'",
    'DROP TRIGGER keep_row ON tenancy.allocations',
    'DELETE FROM tenancy.allocations WHERE payment_id IS NOT NULL',
    `CREATE TRIGGER keep_row BEFORE UPDATE OR DELETE ON tenancy.allocations
       FOR EACH ROW EXECUTE FUNCTION tenancy.keep_row()`,
  ],
)

/** Keeps what a payment was, also from the owner of the tables; only where its money is changes. */
const guardPayments: Step = sql(
  [
    `CREATE FUNCTION tenancy.keep_payment() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  free constant text[] := '{status,allocated,refunded,unallocated,reversed_at,reverse_reason,version,updated_at}';
BEGIN
  IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM tenancy.tenants t WHERE t.id = OLD.tenant_id) THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'DELETE' OR OLD.status = 'REVERSED' OR NEW.refunded < OLD.refunded
     OR to_jsonb(NEW) - free <> to_jsonb(OLD) - free THEN
    RAISE EXCEPTION 'payment % stays: it can only be allocated, refunded or reversed', OLD.payment_number
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`,
    `CREATE TRIGGER keep_payment BEFORE UPDATE OR DELETE ON tenancy.payments
       FOR EACH ROW EXECUTE FUNCTION tenancy.keep_payment()`,
    `CREATE TRIGGER keep_row BEFORE UPDATE OR DELETE ON tenancy.refunds
       FOR EACH ROW EXECUTE FUNCTION tenancy.keep_row()`,
  ],
  [
    'DROP TRIGGER keep_row ON tenancy.refunds',
    'DROP TRIGGER keep_payment ON tenancy.payments',
    'DROP FUNCTION tenancy.keep_payment()',
  ],
)

const seriesOf = (...series: string[]) =>
  `ALTER TABLE tenancy.invoice_series DROP CONSTRAINT invoice_series_series_check,
     ADD CONSTRAINT invoice_series_series_check CHECK (series IN (${series.map((one) => `'${one}'`).join(', ')}))`

/** Payments, what they settle, and what of them was given back. */
export const payments = migration(202611290301, 'payments', [
  sql(seriesOf('INVOICE', 'CREDIT_NOTE', 'PAYMENT'), seriesOf('INVOICE', 'CREDIT_NOTE')),
  tenantTable({
    schema: 'tenancy',
    table: 'payments',
    columns: {
      payment_number: 'varchar(50) NOT NULL',
      status: `${oneOf('status', statuses)} DEFAULT 'SUCCEEDED'`,
      method: oneOf('method', methods),
      amount: 'bigint NOT NULL',
      currency: "text NOT NULL CHECK (currency ~ '^[A-Z]{3}$')",
      allocated: 'bigint NOT NULL DEFAULT 0',
      refunded: 'bigint NOT NULL DEFAULT 0',
      unallocated: `bigint NOT NULL GENERATED ALWAYS AS (CASE status WHEN 'REVERSED' THEN 0 ELSE amount - allocated - refunded END) STORED`,
      received_on: 'date NOT NULL',
      reference: 'varchar(140)',
      payer_name: 'varchar(255)',
      reversed_at: 'timestamptz(3)',
      reverse_reason: 'varchar(500)',
    },
    // The second lets allocations refer to payment and currency together.
    unique: [['payment_number'], ['id', 'currency']],
    checks: {
      amount: 'amount > 0',
      money: `allocated >= 0 AND refunded >= 0 AND allocated + refunded <= amount
        AND CASE status WHEN 'REVERSED' THEN allocated = 0 AND refunded = 0 WHEN 'REFUNDED' THEN refunded = amount
                        WHEN 'SUCCEEDED' THEN refunded = 0 ELSE refunded > 0 AND refunded < amount END`,
      reversed_at: "(reversed_at IS NULL) = (status <> 'REVERSED')",
      reverse_reason: "(reverse_reason IS NULL) = (status <> 'REVERSED') AND reverse_reason <> ''",
      reference: "reference <> ''",
      payer_name: "payer_name <> ''",
    },
    indexes: [
      byLanguage('payment_number'),
      'status, id',
      'method, id',
      'amount, id',
      'unallocated, id',
      'received_on, id',
      'created_at, id',
    ],
    grants: { app_tenancy: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('tenancy.payments', {
    payments_reverse_reason_check: 'must say why',
    payments_reference_check: 'must not be empty',
    payments_payer_name_check: 'must not be empty',
  }),
  tenantTable({
    schema: 'tenancy',
    table: 'refunds',
    without: ['version', 'updated_at'],
    columns: {
      payment_id: 'uuid NOT NULL',
      currency: 'text NOT NULL',
      amount: 'bigint NOT NULL',
      refunded_on: 'date NOT NULL',
      reference: 'varchar(140)',
    },
    checks: { amount: 'amount > 0', reference: "reference <> ''" },
    indexes: ['payment_id, currency', 'amount, id', 'refunded_on, id', 'created_at, id'],
    grants: { app_tenancy: ['SELECT', 'INSERT'] },
  }),
  constraintMessages('tenancy.refunds', { refunds_reference_check: 'must not be empty' }),
  sql(
    [
      `ALTER TABLE tenancy.refunds ADD CONSTRAINT refunds_payment_id_fkey
         FOREIGN KEY (tenant_id, payment_id, currency) REFERENCES tenancy.payments (tenant_id, id, currency)`,
      `ALTER TABLE tenancy.allocations ADD COLUMN payment_id uuid, ALTER COLUMN credit_note_id DROP NOT NULL,
         DROP CONSTRAINT allocations_amount_check,
         ADD CONSTRAINT allocations_amount_check CHECK (amount <> 0 AND (amount > 0 OR payment_id IS NOT NULL)),
         ADD CONSTRAINT allocations_source_check CHECK (num_nonnulls(payment_id, credit_note_id) = 1),
         ADD CONSTRAINT allocations_payment_id_fkey
           FOREIGN KEY (tenant_id, payment_id, currency) REFERENCES tenancy.payments (tenant_id, id, currency)`,
      'CREATE INDEX ON tenancy.allocations (tenant_id, payment_id, currency)',
    ],
    [
      `ALTER TABLE tenancy.allocations DROP CONSTRAINT allocations_amount_check, DROP CONSTRAINT allocations_source_check,
         DROP COLUMN payment_id, ALTER COLUMN credit_note_id SET NOT NULL,
         ADD CONSTRAINT allocations_amount_check CHECK (amount > 0)`,
    ],
  ),
  formerPayments,
  sql(settledGuard(), creditGuard),
  guardPayments,
])
