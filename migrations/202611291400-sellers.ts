import { addColumns, globalTable, migration, refuseDown, sql, type Step } from './sql'

const isParty = (column: string) =>
  `jsonb CHECK (jsonb_typeof(${column}) = 'object' AND jsonb_typeof(${column} -> 'name') = 'string')`

/** Refuses a document, when it is issued, that does not say who sells and who buys. */
const partiesOf = (documents: string, noun: string, number: string, isReverse: string): Step =>
  sql(
    [
      `CREATE FUNCTION tenancy.require_parties_of_${documents}() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  line constant tenancy.${documents} := NEW;
BEGIN
  IF NEW.seller IS NULL OR NEW.buyer IS NULL THEN
    RAISE EXCEPTION '${noun} % does not say who sells and who buys', NEW.${number}
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.buyer ->> 'vatNumber' IS NULL AND ${isReverse} THEN
    RAISE EXCEPTION '${noun} % has reverse charge and not the tax id of the buyer', NEW.${number}
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`,
      `CREATE TRIGGER require_parties BEFORE UPDATE ON tenancy.${documents} FOR EACH ROW
         WHEN (OLD.status = 'DRAFT' AND NEW.status <> 'DRAFT') EXECUTE FUNCTION tenancy.require_parties_of_${documents}()`,
    ],
    [
      `DROP TRIGGER require_parties ON tenancy.${documents}`,
      `DROP FUNCTION tenancy.require_parties_of_${documents}()`,
    ],
  )

/** Legal entities that issue documents, from a day on, and who issued each document for whom. */
export const sellers = migration(202611291400, 'sellers', [
  globalTable({
    schema: 'tenancy',
    table: 'sellers',
    columns: {
      id: 'uuid NOT NULL',
      valid_from: 'date NOT NULL',
      legal_name: "varchar(255) NOT NULL CHECK (legal_name <> '')",
      street: "varchar(255) NOT NULL CHECK (street <> '')",
      postal_code: "varchar(20) CHECK (postal_code <> '')",
      city: "varchar(100) NOT NULL CHECK (city <> '')",
      country: 'varchar(2) NOT NULL REFERENCES tenancy.countries (iso_code_2)',
      tax_id: "varchar(30) NOT NULL CHECK (tax_id <> '')",
      email: "varchar(254) CHECK (email <> '')",
      created_at: 'timestamptz(3) NOT NULL DEFAULT now()',
    },
    constraints: ['PRIMARY KEY (id)'],
    grants: { app_tenancy: ['SELECT'] },
  }),
  sql(
    [
      `CREATE FUNCTION tenancy.keep_seller() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'a legal entity that issued documents stays as it is: another row begins on its day'
    USING ERRCODE = 'integrity_constraint_violation';
END $$`,
      `CREATE TRIGGER keep_seller BEFORE UPDATE OR DELETE ON tenancy.sellers
         FOR EACH ROW EXECUTE FUNCTION tenancy.keep_seller()`,
    ],
    ['DROP TRIGGER keep_seller ON tenancy.sellers', 'DROP FUNCTION tenancy.keep_seller()'],
  ),
  addColumns('tenancy.invoices', { seller: isParty('seller') }),
  addColumns('tenancy.credit_notes', { seller: isParty('seller'), buyer: isParty('buyer') }),
  partiesOf(
    'invoices',
    'invoice',
    'invoice_number',
    `EXISTS (
    SELECT FROM tenancy.invoice_lines l
     WHERE l.tenant_id = line.tenant_id AND l.invoice_id = line.id AND l.tax_treatment = 'REVERSE_CHARGE')`,
  ),
  partiesOf(
    'credit_notes',
    'credit note',
    'credit_note_number',
    `jsonb_path_exists(NEW.tax_parts, '$[*] ? (@.treatment == "REVERSE_CHARGE")')`,
  ),
  refuseDown(
    'who issued documents',
    `SELECT FROM tenancy.sellers UNION ALL SELECT FROM tenancy.invoices WHERE seller IS NOT NULL
     UNION ALL SELECT FROM tenancy.credit_notes WHERE seller IS NOT NULL`,
  ),
])
