import { constraintMessages } from './constraint-messages'
import { creditGuard, documentGuard, keepLines } from './issued-invoice'
import { byLanguage, migration, oneOf, ownerRole, sql, tenantTable, type Step } from './sql'

const byApplication = `WHEN (current_user <> '${ownerRole}')`
const reasons = ['DUPLICATE', 'ERROR', 'CANCELLATION', 'PRORATION', 'GOODWILL', 'OTHER']
const statuses = ['DRAFT', 'ISSUED', 'APPLIED', 'VOID']

/** Holds what an invoice is settled by: what was paid, and what was credited. */
const settled = (
  amounts: string,
) => `CASE status WHEN 'PARTLY_PAID' THEN ${amounts} > 0 AND ${amounts} < total
  WHEN 'PAID' THEN ${amounts} = total ELSE ${amounts} = 0 END`

/** Invoices with what credit notes took of them. */
const creditedInvoices: Step = sql(
  [
    `ALTER TABLE tenancy.invoices ADD COLUMN amount_credited bigint NOT NULL DEFAULT 0,
       DROP CONSTRAINT invoices_amount_paid_check,
       ADD CONSTRAINT invoices_amount_paid_check
         CHECK (amount_paid >= 0 AND amount_credited >= 0 AND ${settled('(amount_paid + amount_credited)')})`,
    creditGuard,
    `ALTER TABLE tenancy.invoice_series DROP CONSTRAINT invoice_series_series_check,
       ADD CONSTRAINT invoice_series_series_check CHECK (series IN ('INVOICE', 'CREDIT_NOTE'))`,
  ],
  [
    "DELETE FROM tenancy.invoice_series WHERE series = 'CREDIT_NOTE'",
    `ALTER TABLE tenancy.invoice_series DROP CONSTRAINT invoice_series_series_check,
       ADD CONSTRAINT invoice_series_series_check CHECK (series IN ('INVOICE'))`,
    documentGuard,
    `ALTER TABLE tenancy.invoices DROP CONSTRAINT invoices_amount_paid_check, DROP COLUMN amount_credited,
       ADD CONSTRAINT invoices_amount_paid_check CHECK (${settled('amount_paid')})`,
  ],
)

/** Issued notes stay as they are, also for the owner of the tables; documents go with their whole tenant alone. */
const guardNotes: Step = sql(
  [
    `CREATE FUNCTION tenancy.keep_issued_note() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  free constant text[] := '{status,applied,remaining,voided_at,void_reason,version,updated_at}';
BEGIN
  IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM tenancy.tenants t WHERE t.id = OLD.tenant_id) THEN
    RETURN OLD;
  END IF;
  IF OLD.status = 'DRAFT' THEN
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' OR OLD.status = 'VOID' OR NEW.status = 'DRAFT' OR NEW.applied < OLD.applied
     OR to_jsonb(NEW) - free <> to_jsonb(OLD) - free THEN
    RAISE EXCEPTION 'credit note % is issued: it can only be used or made void', OLD.credit_note_number
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`,
    `CREATE TRIGGER keep_issued_note BEFORE UPDATE OR DELETE ON tenancy.credit_notes
       FOR EACH ROW EXECUTE FUNCTION tenancy.keep_issued_note()`,
    ...keepLines('keep_note_line', {
      lines: 'credit_note_lines',
      documents: 'credit_notes',
      key: 'credit_note_id',
      noun: 'credit note',
    }),
    // FOR SHARE waits for a note that is being issued, and then sees that it was.
    `CREATE FUNCTION tenancy.keep_issued_note_lines() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  line constant tenancy.credit_note_lines := NEW;
BEGIN
  PERFORM FROM tenancy.credit_notes n
    WHERE n.tenant_id = line.tenant_id AND n.id = line.credit_note_id AND n.status = 'DRAFT' FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'credit note % is no draft: its lines stay as they are', NEW.credit_note_id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`,
    `CREATE TRIGGER keep_issued_note_lines BEFORE INSERT ON tenancy.credit_note_lines
       FOR EACH ROW ${byApplication} EXECUTE FUNCTION tenancy.keep_issued_note_lines()`,
    `CREATE TRIGGER keep_row BEFORE UPDATE OR DELETE ON tenancy.allocations
       FOR EACH ROW EXECUTE FUNCTION tenancy.keep_row()`,
  ],
  [
    'DROP TRIGGER keep_row ON tenancy.allocations',
    'DROP TRIGGER keep_issued_note_lines ON tenancy.credit_note_lines',
    'DROP TRIGGER keep_note_line ON tenancy.credit_note_lines',
    'DROP TRIGGER keep_issued_note ON tenancy.credit_notes',
    'DROP FUNCTION tenancy.keep_issued_note_lines()',
    'DROP FUNCTION tenancy.keep_note_line()',
    'DROP FUNCTION tenancy.keep_issued_note()',
  ],
)

/** Holds what a tax breakdown is made of: without it nothing could be shown. */
const areParts = `jsonb_typeof(tax_parts) = 'array' AND NOT jsonb_path_exists(tax_parts, '$[*] ? (!(@.rate.type() == "string"
  && @.net.type() == "string" && @.tax.type() == "string"))')`

/** Credit notes with their lines, and what settles invoices. */
export const creditNotes = migration(202611290300, 'credit-notes', [
  creditedInvoices,
  tenantTable({
    schema: 'tenancy',
    table: 'credit_notes',
    columns: {
      credit_note_number: 'varchar(50)',
      status: `${oneOf('status', statuses)} DEFAULT 'DRAFT'`,
      invoice_id: 'uuid NOT NULL',
      reason: oneOf('reason', reasons),
      memo: 'varchar(2000)',
      currency: 'text NOT NULL',
      subtotal: 'bigint NOT NULL',
      tax: 'bigint NOT NULL',
      total: 'bigint NOT NULL',
      tax_parts: "jsonb NOT NULL DEFAULT '[]'",
      applied: 'bigint NOT NULL DEFAULT 0',
      remaining: `bigint NOT NULL GENERATED ALWAYS AS (CASE status WHEN 'ISSUED' THEN total - applied ELSE 0 END) STORED`,
      issued_at: 'timestamptz(3)',
      voided_at: 'timestamptz(3)',
      void_reason: 'varchar(500)',
    },
    // The second lets allocations refer to note and currency together.
    unique: [['credit_note_number'], ['id', 'currency']],
    checks: {
      credit_note_number: "(credit_note_number IS NULL) = (status = 'DRAFT')",
      issued_at: "(issued_at IS NULL) = (status = 'DRAFT')",
      total: 'total > 0 AND total = subtotal + tax',
      applied: `CASE status WHEN 'ISSUED' THEN applied >= 0 AND applied < total
                            WHEN 'APPLIED' THEN applied = total ELSE applied = 0 END`,
      tax_parts: areParts,
      voided_at: "(voided_at IS NULL) = (status <> 'VOID')",
      void_reason: "(void_reason IS NULL) = (status <> 'VOID') AND void_reason <> ''",
    },
    indexes: [
      'invoice_id, currency',
      byLanguage('credit_note_number'),
      'status, id',
      'reason, id',
      'issued_at, id',
      'total, id',
      'remaining, id',
      'created_at, id',
    ],
    grants: { app_tenancy: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  }),
  sql(
    `ALTER TABLE tenancy.credit_notes ADD CONSTRAINT credit_notes_invoice_id_fkey
       FOREIGN KEY (tenant_id, invoice_id, currency) REFERENCES tenancy.invoices (tenant_id, id, currency)`,
    [],
  ),
  constraintMessages('tenancy.credit_notes', {
    credit_notes_void_reason_check: 'must say why',
    credit_notes_total_check: 'must be more than nothing',
  }),
  tenantTable({
    schema: 'tenancy',
    table: 'credit_note_lines',
    without: ['version', 'updated_at'],
    columns: {
      credit_note_id: 'uuid NOT NULL',
      invoice_line_id: 'uuid NOT NULL',
      currency: 'text NOT NULL',
      position: 'int NOT NULL',
      description: 'varchar(500) NOT NULL',
      quantity: 'numeric',
      amount: 'bigint NOT NULL',
      tax_rate: 'numeric NOT NULL',
    },
    unique: [['credit_note_id', 'position']],
    checks: {
      position: 'position BETWEEN 1 AND 100',
      description: "description <> ''",
      quantity: 'quantity > 0 AND quantity <= 1000000000 AND scale(quantity) <= 4',
      tax_rate: 'tax_rate BETWEEN 0 AND 100 AND scale(tax_rate) <= 4',
    },
    references: { invoice_line_id: { table: 'tenancy.invoice_lines', index: 'invoice_line_id, id' } },
    indexes: ['credit_note_id, currency', 'position, id', 'amount, id', 'created_at, id'],
    grants: { app_tenancy: ['SELECT', 'INSERT', 'DELETE'] },
  }),
  sql(
    `ALTER TABLE tenancy.credit_note_lines ADD CONSTRAINT credit_note_lines_credit_note_id_fkey
       FOREIGN KEY (tenant_id, credit_note_id, currency) REFERENCES tenancy.credit_notes (tenant_id, id, currency)`,
    [],
  ),
  tenantTable({
    schema: 'tenancy',
    table: 'allocations',
    without: ['version', 'updated_at'],
    columns: {
      invoice_id: 'uuid NOT NULL',
      credit_note_id: 'uuid NOT NULL',
      currency: 'text NOT NULL',
      amount: 'bigint NOT NULL',
    },
    checks: { amount: 'amount > 0' },
    indexes: ['invoice_id, currency', 'credit_note_id, currency', 'amount, id', 'created_at, id'],
    grants: { app_tenancy: ['SELECT', 'INSERT'] },
  }),
  // Both are in the currency of what is settled.
  sql(
    ['invoice', 'credit_note'].map(
      (parent) => `ALTER TABLE tenancy.allocations ADD CONSTRAINT allocations_${parent}_id_fkey
        FOREIGN KEY (tenant_id, ${parent}_id, currency) REFERENCES tenancy.${parent}s (tenant_id, id, currency)`,
    ),
    [],
  ),
  guardNotes,
])
