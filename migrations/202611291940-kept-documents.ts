import { globalTable, migration, oneOf, refuseDown, sql } from './sql'

const held = `  IF EXISTS (SELECT FROM shared.held_subjects h WHERE h.tenant_id = own AND h.released_at IS NULL) THEN
    RETURN false;
  END IF;
`

const deletes = (
  keep: string,
) => `CREATE OR REPLACE FUNCTION tenancy.delete_due_tenant(of_tenant uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own constant uuid := of_tenant;
BEGIN
${held}${keep}  DELETE FROM tenancy.tenants t WHERE t.id = of_tenant AND t.status = 'CANCELLED' AND t.deletion_due_at <= now();
  RETURN FOUND;
END $$`

/** Everything of a document that has a row of its own, in the order of the rows. */
const partsOf = (name: string, table: string, column: string, order: string) =>
  `'${name}', (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.${order}, p.id), '[]') FROM ${table} p
       WHERE p.tenant_id = own AND p.${column} = d.id)`

/** Copies what a tenant was sent, and what money moved, to where it stays when the tenant goes. */
const keep = (kind: string, table: string, number: string, day: string, where: string, parts: string[]) =>
  `  INSERT INTO tenancy.kept_documents (id, kind, former_tenant, tenant_name, tenant_slug, number, issued_on, kept_until, content)
    SELECT d.id, '${kind}', own, t.name, t.slug, ${number}, ${day},
           make_date(extract(year FROM ${day})::int + 10, 12, 31), jsonb_build_object('document', to_jsonb(d), ${parts.join(', ')})
      FROM ${table} d JOIN tenancy.tenants t ON t.id = own
     WHERE d.tenant_id = own AND ${where} AND NOT t.is_sandbox AND t.status = 'CANCELLED' AND t.deletion_due_at <= now();
`

const allocated = (column: string) => partsOf('allocations', 'tenancy.allocations', column, 'created_at')
const keepAll = [
  keep(
    'INVOICE',
    'tenancy.invoices',
    'd.invoice_number',
    "(d.issued_at AT TIME ZONE 'UTC')::date",
    "d.status <> 'DRAFT'",
    [partsOf('lines', 'tenancy.invoice_lines', 'invoice_id', 'position'), allocated('invoice_id')],
  ),
  keep(
    'CREDIT_NOTE',
    'tenancy.credit_notes',
    'd.credit_note_number',
    "(d.issued_at AT TIME ZONE 'UTC')::date",
    'd.issued_at IS NOT NULL',
    [
      partsOf('lines', 'tenancy.credit_note_lines', 'credit_note_id', 'position'),
      allocated('credit_note_id'),
    ],
  ),
  keep('PAYMENT', 'tenancy.payments', 'd.reference', 'd.received_on', 'd.received_on IS NOT NULL', [
    allocated('payment_id'),
    partsOf('refunds', 'tenancy.refunds', 'payment_id', 'created_at'),
  ]),
].join('')

/**
 * Documents of tenants that were deleted: whoever issued them answers for them until the years that tax law asks for are over
 * (ten is the longest among the member states of the European Union: Italy, article 2220 of the Codice civile). They hold what the
 * platform billed and nothing else of the tenant, and no subgraph reads them.
 */
export const keptDocuments = migration(202611291940, 'kept-documents', [
  globalTable({
    schema: 'tenancy',
    table: 'kept_documents',
    columns: {
      id: 'uuid NOT NULL',
      kind: oneOf('kind', ['INVOICE', 'CREDIT_NOTE', 'PAYMENT']),
      // Not `tenant_id`, which rows of tenants have: this one is gone.
      former_tenant: 'uuid NOT NULL',
      tenant_name: 'varchar(255) NOT NULL',
      tenant_slug: 'varchar(100) NOT NULL',
      number: 'text',
      issued_on: 'date NOT NULL',
      kept_until: 'date NOT NULL CHECK (kept_until > issued_on)',
      content: `jsonb NOT NULL CHECK (jsonb_typeof(content) = 'object')`,
      kept_at: 'timestamptz(3) NOT NULL DEFAULT now()',
    },
    constraints: ['PRIMARY KEY (id)'],
    grants: {},
  }),
  sql(
    [
      'CREATE INDEX ON tenancy.kept_documents (kept_until)',
      `CREATE FUNCTION tenancy.keep_document() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.kept_until < current_date THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'a kept document stays as it is until its years are over'
    USING ERRCODE = 'integrity_constraint_violation';
END $$`,
      `CREATE TRIGGER keep_document BEFORE UPDATE OR DELETE ON tenancy.kept_documents
         FOR EACH ROW EXECUTE FUNCTION tenancy.keep_document()`,
      `CREATE TRIGGER keep_documents BEFORE TRUNCATE ON tenancy.kept_documents
         FOR EACH STATEMENT EXECUTE FUNCTION tenancy.keep_document()`,
      `CREATE FUNCTION tenancy.remove_kept_documents() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH removed AS (DELETE FROM tenancy.kept_documents d WHERE d.kept_until < current_date RETURNING 1)
  SELECT count(*) FROM removed
$$`,
      'REVOKE ALL ON FUNCTION tenancy.remove_kept_documents() FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION tenancy.remove_kept_documents() TO app_tenancy',
      deletes(keepAll),
    ],
    [
      deletes(''),
      'DROP FUNCTION tenancy.remove_kept_documents()',
      'DROP TRIGGER keep_document ON tenancy.kept_documents',
      'DROP TRIGGER keep_documents ON tenancy.kept_documents',
      'DROP FUNCTION tenancy.keep_document()',
    ],
  ),
  refuseDown('documents of tenants that are gone', 'SELECT FROM tenancy.kept_documents'),
])
