import { constraintMessages } from './constraint-messages'
import { documentGuard, keepLines } from './issued-invoice'
import { migration, ownerRole, sql, type Step } from './sql'

/** Holds what a tenant is called on documents, and where its bills go; each was a member of a JSON bag, or absent. */
const partyColumns = {
  legal_name: 'varchar(255)',
  billing_street: 'varchar(255)',
  billing_postal_code: 'varchar(20)',
  billing_city: 'varchar(100)',
  billing_country: 'varchar(2)',
  vat_number: 'varchar(30)',
  billing_email: 'varchar(254)',
  default_currency: 'text',
  time_zone: 'varchar(64)',
  data_region: "text CHECK (data_region IN ('EU', 'US', 'APAC'))",
}

const free = '{status,amount_paid,paid_at,voided_at,void_reason,version,updated_at}'

const guardInvoicesBefore = `CREATE OR REPLACE FUNCTION tenancy.keep_issued_invoice() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  free constant text[] := '${free}';
BEGIN
  IF OLD.status = 'DRAFT' THEN
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'DELETE' OR OLD.status IN ('PAID', 'VOID') OR NEW.amount_paid < OLD.amount_paid
     OR to_jsonb(NEW) - free <> to_jsonb(OLD) - free THEN
    RAISE EXCEPTION 'invoice % is issued: it can only be paid or made void', OLD.invoice_number
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`

const triggerOf = (when: string) => [
  'DROP TRIGGER keep_issued_invoice ON tenancy.invoices',
  `CREATE TRIGGER keep_issued_invoice BEFORE UPDATE OR DELETE ON tenancy.invoices
     FOR EACH ROW ${when} EXECUTE FUNCTION tenancy.keep_issued_invoice()`,
]

/** Lines are written once, by whatever role: those of a draft are removed, never changed. */
const guardLines: Step = sql(
  keepLines('keep_invoice_line', {
    lines: 'invoice_lines',
    documents: 'invoices',
    key: 'invoice_id',
    noun: 'invoice',
  }),
  ['DROP TRIGGER keep_invoice_line ON tenancy.invoice_lines', 'DROP FUNCTION tenancy.keep_invoice_line()'],
)

/** Holds what makes an invoice a document: who owes it, for when, and numbers in the order of time. */
export const invoiceDocuments = migration(202611282132, 'invoice-documents', [
  sql(
    [
      `ALTER TABLE tenancy.tenants ${Object.entries(partyColumns)
        .map(([column, type]) => `ADD COLUMN ${column} ${type}`)
        .join(', ')}`,
      `ALTER TABLE tenancy.tenants
         ADD CONSTRAINT tenants_billing_country_fkey FOREIGN KEY (billing_country) REFERENCES tenancy.countries (iso_code_2),
         ADD CONSTRAINT tenants_default_currency_check CHECK (default_currency ~ '^[A-Z]{3}$')`,
      'ALTER TABLE tenancy.invoice_series ADD COLUMN last_issued_at timestamptz(3)',
      `ALTER TABLE tenancy.invoices
         ADD COLUMN buyer jsonb CONSTRAINT invoices_buyer_check CHECK (jsonb_typeof(buyer) = 'object')`,
      `ALTER TABLE tenancy.invoice_lines ADD COLUMN service_start date, ADD COLUMN service_end date,
         ADD CONSTRAINT invoice_lines_service_period_check
           CHECK ((service_start IS NULL) = (service_end IS NULL) AND service_end > service_start)`,
      documentGuard,
      ...triggerOf(''),
    ],
    [
      guardInvoicesBefore,
      ...triggerOf(`WHEN (current_user <> '${ownerRole}')`),
      `ALTER TABLE tenancy.invoice_lines DROP COLUMN service_start, DROP COLUMN service_end`,
      'ALTER TABLE tenancy.invoices DROP COLUMN buyer',
      'ALTER TABLE tenancy.invoice_series DROP COLUMN last_issued_at',
      `ALTER TABLE tenancy.tenants ${Object.keys(partyColumns)
        .map((column) => `DROP COLUMN ${column}`)
        .join(', ')}`,
    ],
  ),
  guardLines,
  constraintMessages('tenancy.invoice_lines', {
    invoice_lines_service_period_check: 'must be a period that ends after its start',
  }),
])
