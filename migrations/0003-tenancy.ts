import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { countryRows } from './reference/countries'
import { industryRows } from './reference/industries'
import { byLanguage, globalTable, migration, oneOf, ownerRole, sql, tenantTable } from './sql'

const statuses = ['DRAFT', 'ISSUED', 'PARTLY_PAID', 'PAID', 'VOID']

/**
 * Holds what the application does to an invoice. The owner is exempt: when a tenant is deleted its invoices go too, and
 * that cascade acts as the owner.
 */
const byApplication = `WHEN (current_user <> '${ownerRole}')`

/** The same on every installation, so that exports and configurations can name the rows. */
const countryId = (isoNumeric: string) => `019b76da-a800-7000-8001-000000000${isoNumeric}`
const industryId = (code: string) =>
  /^\d/.test(code)
    ? `019b76da-a800-7000-8002-0000000000${code}`
    : `019b76da-a800-7000-8003-0000000000${code.charCodeAt(0)}`

const quoted = (value: string | null): string =>
  value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`
const valuesOf = (rows: readonly (readonly (string | null)[])[]): string =>
  rows.map((row) => `(${row.map(quoted).join(', ')})`).join(',\n')

/**
 * Holds what every tenant reads and none writes (the countries of ISO 3166-1 and the industries of ISIC, Rev. 4), what
 * tenants agreed to pay, and the invoices for it. The tenants themselves stand in the foundation.
 */
export const tenancy = migration(3, 'tenancy', [
  globalTable({
    schema: 'tenancy',
    table: 'countries',
    columns: {
      id: 'uuid NOT NULL',
      name: "varchar(100) NOT NULL CHECK (name <> '')",
      iso_code_2: "varchar(2) NOT NULL CHECK (iso_code_2 ~ '^[A-Z]{2}$')",
      iso_code_3: "varchar(3) NOT NULL CHECK (iso_code_3 ~ '^[A-Z]{3}$')",
      iso_numeric: "varchar(3) NOT NULL CHECK (iso_numeric ~ '^[0-9]{3}$')",
      is_active: 'boolean NOT NULL DEFAULT true',
    },
    constraints: [
      'PRIMARY KEY (id)',
      ...['name', 'iso_code_2', 'iso_code_3', 'iso_numeric'].map(
        (column) => `CONSTRAINT countries_${column}_key UNIQUE (${column})`,
      ),
    ],
    grants: { app_tenancy: ['SELECT'] },
  }),
  sql(
    [
      ...['name', 'iso_code_2', 'iso_code_3', 'iso_numeric'].map(
        (column) => `CREATE INDEX ON tenancy.countries (${byLanguage(column)})`,
      ),
      `INSERT INTO tenancy.countries (id, name, iso_code_2, iso_code_3, iso_numeric) VALUES
${valuesOf(
  countryRows.map(({ name, isoCode2, isoCode3, isoNumeric }) => [
    countryId(isoNumeric),
    name,
    isoCode2,
    isoCode3,
    isoNumeric,
  ]),
)}`,
    ],
    [],
  ),
  globalTable({
    schema: 'tenancy',
    table: 'industries',
    columns: {
      id: 'uuid NOT NULL',
      code: "varchar(2) NOT NULL CHECK (code ~ '^([A-U]|[0-9]{2})$')",
      name: "varchar(200) NOT NULL CHECK (name <> '')",
      level: `text NOT NULL GENERATED ALWAYS AS (CASE WHEN code ~ '^[A-U]$' THEN 'SECTION' ELSE 'DIVISION' END) STORED`,
      parent_id: 'uuid',
      is_active: 'boolean NOT NULL DEFAULT true',
    },
    constraints: [
      'PRIMARY KEY (id)',
      'CONSTRAINT industries_code_key UNIQUE (code)',
      'CONSTRAINT industries_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES tenancy.industries (id)',
      "CONSTRAINT industries_parent_id_check CHECK ((parent_id IS NULL) = (code ~ '^[A-U]$'))",
    ],
    grants: { app_tenancy: ['SELECT'] },
  }),
  sql(
    [
      'CREATE INDEX ON tenancy.industries (parent_id, code)',
      ...['code', 'name'].map((column) => `CREATE INDEX ON tenancy.industries (${byLanguage(column)})`),
      `INSERT INTO tenancy.industries (id, code, name, parent_id) VALUES
${valuesOf(
  industryRows.map(({ code, name, section }) => [
    industryId(code),
    code,
    name,
    section && industryId(section),
  ]),
)}`,
    ],
    [],
  ),

  tenantTable({
    schema: 'tenancy',
    table: 'subscriptions',
    columns: {
      plan: oneOf('plan', ['TRIAL', 'STARTER', 'PROFESSIONAL', 'ENTERPRISE']),
      status: `${oneOf('status', ['ACTIVE', 'SUSPENDED', 'CANCELLED'])} DEFAULT 'ACTIVE'`,
      start_date: 'date NOT NULL',
      end_date: 'date',
      billing_interval: oneOf('billing_interval', ['MONTHLY', 'ANNUAL']),
      current_period_start: 'date NOT NULL',
      current_period_end: 'date NOT NULL',
      price: 'bigint NOT NULL',
      currency: "text NOT NULL DEFAULT 'USD'",
      features: "jsonb NOT NULL DEFAULT '{}'",
      items: "jsonb NOT NULL DEFAULT '[]'",
      cancelled_at: 'timestamptz(3)',
      // The tenant while the subscription runs: a key to find it by, and no tenant has two.
      current_of: "uuid GENERATED ALWAYS AS (CASE WHEN status <> 'CANCELLED' THEN tenant_id END) STORED",
    },
    unique: [['current_of']],
    checks: {
      start_date: "start_date BETWEEN '1900-01-01' AND '2999-12-31'",
      end_date: 'end_date >= start_date',
      ended: "end_date IS NOT NULL OR status <> 'CANCELLED'",
      current_period: 'current_period_start >= start_date AND current_period_end > current_period_start',
      price: 'price >= 0',
      trial_price: "price = 0 OR plan <> 'TRIAL'",
      currency: "currency ~ '^[A-Z]{3}$'",
      features: "jsonb_typeof(features) = 'object'",
      items: "jsonb_typeof(items) = 'array'",
    },
    indexes: [
      'plan, id',
      'status, id',
      'start_date, id',
      'current_period_start, id',
      'current_period_end, id',
      'created_at, id',
    ],
    grants: { app_tenancy: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('tenancy.subscriptions', {
    subscriptions_current_of_key: 'is taken: this tenant has a subscription that runs',
    subscriptions_start_date_check: 'must be a day of the years 1900 to 2999',
    subscriptions_end_date_check: 'must not be before the start',
    subscriptions_price_check: 'must not be negative',
    subscriptions_trial_price_check: 'do not fit: a trial costs nothing',
    subscriptions_features_check: 'must be a JSON object',
    subscriptions_items_check: 'must be a JSON list',
  }),

  // The last number given: its row is locked until the invoice that gets the next one is committed, so none is missing.
  tenantTable({
    schema: 'tenancy',
    table: 'invoice_series',
    without: ['id', 'version', 'created_at', 'updated_at'],
    columns: { series: oneOf('series', ['INVOICE']), last_number: 'int NOT NULL CHECK (last_number > 0)' },
    primaryKey: ['series'],
    grants: { app_tenancy: ['SELECT', 'INSERT', 'UPDATE'] },
  }),

  tenantTable({
    schema: 'tenancy',
    table: 'invoices',
    columns: {
      invoice_number: 'varchar(50)',
      status: `${oneOf('status', statuses)} DEFAULT 'DRAFT'`,
      subscription_id: 'uuid',
      subtotal: 'bigint NOT NULL',
      tax: 'bigint NOT NULL DEFAULT 0',
      total: 'bigint NOT NULL',
      amount_paid: 'bigint NOT NULL DEFAULT 0',
      currency: "text NOT NULL DEFAULT 'USD'",
      issued_at: 'timestamptz(3)',
      due_date: 'date',
      paid_at: 'timestamptz(3)',
      voided_at: 'timestamptz(3)',
      void_reason: 'varchar(500)',
      memo: 'varchar(2000)',
    },
    // The second lets lines refer to invoice and currency together.
    unique: [['invoice_number'], ['id', 'currency']],
    checks: {
      invoice_number: "(invoice_number IS NULL) = (status = 'DRAFT')",
      issued_at: "(issued_at IS NULL) = (status = 'DRAFT')",
      total: 'total >= 0 AND total = subtotal + tax',
      amount_paid: `CASE status WHEN 'PARTLY_PAID' THEN amount_paid > 0 AND amount_paid < total
                                WHEN 'PAID' THEN amount_paid = total ELSE amount_paid = 0 END`,
      paid_at: "(paid_at IS NULL) = (status <> 'PAID')",
      voided_at: "(voided_at IS NULL) = (status <> 'VOID')",
      void_reason: "(void_reason IS NULL) = (status <> 'VOID') AND void_reason <> ''",
      currency: "currency ~ '^[A-Z]{3}$'",
    },
    references: { subscription_id: { table: 'tenancy.subscriptions' } },
    indexes: [
      byLanguage('invoice_number'),
      'status, id',
      'issued_at, id',
      'due_date, id',
      'total, id',
      'created_at, id',
    ],
    grants: { app_tenancy: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  }),
  constraintMessages('tenancy.invoices', {
    invoices_void_reason_check: 'must say why',
    invoices_total_check: 'must not be less than nothing',
  }),

  tenantTable({
    schema: 'tenancy',
    table: 'invoice_lines',
    without: ['version', 'updated_at'],
    columns: {
      invoice_id: 'uuid NOT NULL',
      currency: 'text NOT NULL',
      position: 'int NOT NULL',
      description: 'varchar(500) NOT NULL',
      quantity: 'numeric NOT NULL',
      unit_price: 'bigint NOT NULL',
      amount: 'bigint NOT NULL',
      tax_rate: 'numeric NOT NULL',
    },
    unique: [['invoice_id', 'position']],
    checks: {
      position: 'position BETWEEN 1 AND 100',
      description: "description <> ''",
      quantity: 'quantity > 0 AND quantity <= 1000000000 AND scale(quantity) <= 4',
      tax_rate: 'tax_rate BETWEEN 0 AND 100 AND scale(tax_rate) <= 4',
    },
    indexes: ['invoice_id, currency', 'position, id', 'amount, id', 'created_at, id'],
    grants: { app_tenancy: ['SELECT', 'INSERT', 'DELETE'] },
  }),
  sql(
    `ALTER TABLE tenancy.invoice_lines ADD CONSTRAINT invoice_lines_invoice_id_fkey
       FOREIGN KEY (tenant_id, invoice_id, currency) REFERENCES tenancy.invoices (tenant_id, id, currency)`,
    [],
  ),
  constraintMessages('tenancy.invoice_lines', {
    invoice_lines_description_check: 'must not be empty',
    invoice_lines_quantity_check: 'must be more than 0, at most 1000000000, with at most 4 decimals',
    invoice_lines_tax_rate_check: 'must be between 0 and 100, with at most 4 decimals',
  }),

  // Resolvers refuse first and say why; this holds whatever they do.
  sql(
    [
      `CREATE FUNCTION tenancy.keep_issued_invoice() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  free constant text[] := '{status,amount_paid,paid_at,voided_at,void_reason,version,updated_at}';
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
END $$`,
      `CREATE TRIGGER keep_issued_invoice BEFORE UPDATE OR DELETE ON tenancy.invoices
         FOR EACH ROW ${byApplication} EXECUTE FUNCTION tenancy.keep_issued_invoice()`,
      // Nobody may update lines. FOR SHARE waits for an invoice that is being issued, and then sees that it was.
      `CREATE FUNCTION tenancy.keep_issued_lines() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  line tenancy.invoice_lines;
BEGIN
  IF TG_OP = 'INSERT' THEN line := NEW; ELSE line := OLD; END IF;
  PERFORM FROM tenancy.invoices i
    WHERE i.tenant_id = line.tenant_id AND i.id = line.invoice_id AND i.status = 'DRAFT' FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'invoice % is no draft: its lines stay as they are', line.invoice_id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN line;
END $$`,
      `CREATE TRIGGER keep_issued_lines BEFORE INSERT OR DELETE ON tenancy.invoice_lines
         FOR EACH ROW ${byApplication} EXECUTE FUNCTION tenancy.keep_issued_lines()`,
    ],
    [
      'DROP TRIGGER keep_issued_lines ON tenancy.invoice_lines',
      'DROP TRIGGER keep_issued_invoice ON tenancy.invoices',
      'DROP FUNCTION tenancy.keep_issued_lines()',
      'DROP FUNCTION tenancy.keep_issued_invoice()',
    ],
  ),

  permissions({
    'tenancy:tenant:read': {
      allows: "Read the tenant's own record",
      roles: ['USER', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'ANALYST', 'VIEWER'],
    },
    'tenancy:tenant:write': { allows: "Change the tenant's own record" },
    'tenancy:subscription:read': { allows: 'Read subscriptions', roles: ['ANALYST', 'VIEWER'] },
    'tenancy:subscription:write': { allows: 'Start, change and cancel subscriptions' },
    'tenancy:invoice:read': {
      allows: 'Read invoices and their lines',
      roles: ['COMPLIANCE_OFFICER', 'ANALYST', 'VIEWER'],
    },
    'tenancy:invoice:write': { allows: 'Draft, issue and void invoices, and note what is paid' },
  }),
])
