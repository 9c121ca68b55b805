/** Differences of the guard of issued invoices from one migration to the next. */
interface IssuedInvoice {
  /** Columns that change after the issue; all others stay. */
  free: readonly string[]
  /** Condition under which a change is refused besides, over OLD and NEW. */
  refused: string
  /** Words for what may still become of it: `paid or made void`. */
  uses: string
  /** Declarations and statements of a check that comes first. */
  first?: { declare: string; check: string }
}

/**
 * Returns the trigger function that keeps issued invoices as they are, by whatever role: a draft is issued with a due day that is not
 * before, and documents are removed with their whole tenant alone.
 */
export const keepIssuedInvoice = ({ free, refused, uses, first }: IssuedInvoice): string =>
  `CREATE OR REPLACE FUNCTION tenancy.keep_issued_invoice() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  free constant text[] := '{${free.join(',')}}';
${first?.declare ?? ''}
BEGIN
  IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM tenancy.tenants t WHERE t.id = OLD.tenant_id) THEN
    RETURN OLD;
  END IF;
  IF OLD.status = 'DRAFT' THEN
    IF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
    IF NEW.status <> 'DRAFT' AND NEW.due_date < (NEW.issued_at AT TIME ZONE 'UTC')::date THEN
      RAISE EXCEPTION 'invoice % would be due before it is issued', NEW.invoice_number
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
  END IF;
${first?.check ?? ''}
  IF TG_OP = 'DELETE' OR ${refused}
     OR to_jsonb(NEW) - free <> to_jsonb(OLD) - free THEN
    RAISE EXCEPTION 'invoice % is issued: it can only be ${uses}', OLD.invoice_number
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`

/** The guard as invoices that become documents have it. */
export const documentGuard = keepIssuedInvoice({
  free: ['status', 'amount_paid', 'paid_at', 'voided_at', 'void_reason', 'version', 'updated_at'],
  refused: "OLD.status IN ('PAID', 'VOID') OR NEW.amount_paid < OLD.amount_paid",
  uses: 'paid or made void',
})

/** Columns that change once credit notes settle invoices as well. */
export const freeWithCredits = [
  ...['status', 'amount_paid', 'amount_credited', 'paid_at', 'voided_at'],
  ...['void_reason', 'version', 'updated_at'],
] as const

/** The guard as invoices have it of which something can be credited. */
export const creditGuard = keepIssuedInvoice({
  free: freeWithCredits,
  refused:
    "OLD.status IN ('PAID', 'VOID') OR NEW.amount_paid < OLD.amount_paid OR NEW.amount_credited < OLD.amount_credited",
  uses: 'paid, credited or made void',
})

/**
 * Holds an invoice to show as paid and credited what allocations say, whoever writes it.
 * @param free columns besides that change after the issue
 */
export const settledGuard = (free: readonly string[] = []): string =>
  keepIssuedInvoice({
    free: [...freeWithCredits, ...free],
    first: {
      declare: `  line constant tenancy.invoices := OLD;
  paid numeric;
  credited numeric;`,
      check: `  IF TG_OP = 'UPDATE' AND (NEW.amount_paid <> OLD.amount_paid OR NEW.amount_credited <> OLD.amount_credited) THEN
    SELECT COALESCE(sum(a.amount) FILTER (WHERE a.payment_id IS NOT NULL), 0),
           COALESCE(sum(a.amount) FILTER (WHERE a.credit_note_id IS NOT NULL), 0) INTO paid, credited
      FROM tenancy.allocations a WHERE a.tenant_id = line.tenant_id AND a.invoice_id = line.id;
    IF (NEW.amount_paid, NEW.amount_credited) <> (paid, credited) THEN
      RAISE EXCEPTION 'invoice % is settled by payments and credit notes alone', OLD.invoice_number
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;`,
    },
    refused: `OLD.status = 'VOID' OR OLD.status = 'PAID' AND NEW.amount_paid >= OLD.amount_paid
     OR NEW.status = 'DRAFT' OR NEW.amount_credited < OLD.amount_credited`,
    uses: 'paid, credited or made void',
  })

/**
 * Returns the trigger function that keeps lines of documents: written once, by whatever role; those of a draft are removed, never
 * changed.
 * @param name of the function and its trigger
 * @param of the lines' table, the documents' table, the column that names the document, and what a document is called
 */
export const keepLines = (
  name: string,
  { lines, documents, key, noun }: { lines: string; documents: string; key: string; noun: string },
): string[] => [
  `CREATE FUNCTION tenancy.${name}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  line constant tenancy.${lines} := OLD;
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF NOT EXISTS (SELECT FROM tenancy.tenants t WHERE t.id = OLD.tenant_id) THEN
      RETURN OLD;
    END IF;
    PERFORM FROM tenancy.${documents} d WHERE d.tenant_id = line.tenant_id AND d.id = line.${key} AND d.status = 'DRAFT';
    IF FOUND THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'a line of ${noun} % stays as it is', OLD.${key} USING ERRCODE = 'integrity_constraint_violation';
END $$`,
  `CREATE TRIGGER ${name} BEFORE UPDATE OR DELETE ON tenancy.${lines} FOR EACH ROW EXECUTE FUNCTION tenancy.${name}()`,
]
