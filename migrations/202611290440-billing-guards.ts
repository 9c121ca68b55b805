import { migration, ownerRole, refuseDown, sql, type Step } from './sql'

/**
 * Lines are added to drafts alone. Whoever loads whole documents as the owner of the tables adds them in the transaction that makes
 * the document; when it ends they add up to it.
 */
const guardNewLines = (lines: string, documents: string, key: string, noun: string, tax: string): Step => {
  const name = `add_${lines}`
  return sql(
    [
      `CREATE FUNCTION tenancy.${name}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  line constant tenancy.${lines} := NEW;
BEGIN
  PERFORM FROM tenancy.${documents} d WHERE d.tenant_id = line.tenant_id AND d.id = line.${key}
    AND (d.status = 'DRAFT' OR age(d.xmin) <= age(pg_current_xact_id()::xid));
  -- A document that is touched is new as a row; its lines, which nobody changes, are as old as it is.
  IF NOT FOUND OR EXISTS (
    SELECT FROM tenancy.${documents} d JOIN tenancy.${lines} l ON l.tenant_id = line.tenant_id AND l.${key} = d.id
     WHERE d.tenant_id = line.tenant_id AND d.id = line.${key} AND d.status <> 'DRAFT'
       AND age(l.xmin) > age(pg_current_xact_id()::xid)) THEN
    RAISE EXCEPTION '${noun} % is no draft: its lines stay as they are', line.${key}
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`,
      `CREATE TRIGGER ${name} BEFORE INSERT ON tenancy.${lines} FOR EACH ROW WHEN (current_user = '${ownerRole}')
         EXECUTE FUNCTION tenancy.${name}()`,
      `CREATE FUNCTION tenancy.sum_${lines}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  line constant tenancy.${lines} := NEW;
BEGIN
  PERFORM FROM tenancy.${documents} d WHERE d.tenant_id = line.tenant_id AND d.id = line.${key} AND d.status <> 'DRAFT'
    AND NOT (SELECT COALESCE(sum(r.net) = d.subtotal AND sum(COALESCE(${tax}, 'NaN')) = d.tax, false) FROM (
      SELECT l.tax_rate AS rate, sum(l.amount) AS net FROM tenancy.${lines} l
       WHERE l.tenant_id = line.tenant_id AND l.${key} = line.${key} GROUP BY l.tax_rate) r);
  IF FOUND THEN
    RAISE EXCEPTION '${noun} % is not what its lines add up to', line.${key}
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$`,
      `CREATE CONSTRAINT TRIGGER sum_${lines} AFTER INSERT ON tenancy.${lines} DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW WHEN (current_user = '${ownerRole}') EXECUTE FUNCTION tenancy.sum_${lines}()`,
    ],
    [
      `DROP TRIGGER sum_${lines} ON tenancy.${lines}`,
      `DROP FUNCTION tenancy.sum_${lines}()`,
      `DROP TRIGGER ${name} ON tenancy.${lines}`,
      `DROP FUNCTION tenancy.${name}()`,
    ],
  )
}

/** Holds where money is to be what its rows say, whoever writes it: looked at when the transaction ends, which writes both. */
const recounted = (table: string, key: string, settled: string): Step => {
  const name = `recount_${table}`
  const own = [
    { on: table, column: 'id' },
    { on: 'allocations', column: key },
    { on: 'refunds', column: key },
  ]
  return sql(
    own.flatMap(({ on, column }) => [
      `CREATE FUNCTION tenancy.${name}_of_${on}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  line constant tenancy.${on} := NEW;
  used numeric;
  back numeric;
BEGIN
  SELECT COALESCE(sum(a.amount), 0) INTO used FROM tenancy.allocations a
    WHERE a.tenant_id = line.tenant_id AND a.${key} = line.${column};
  SELECT COALESCE(sum(r.amount), 0) INTO back FROM tenancy.refunds r
    WHERE r.tenant_id = line.tenant_id AND r.${key} = line.${column};
  PERFORM FROM tenancy.${table} m
    WHERE m.tenant_id = line.tenant_id AND m.id = line.${column} AND (m.${settled} <> used OR m.refunded <> back);
  IF FOUND THEN
    RAISE EXCEPTION 'what is used and given back of ${table} % is what its rows say', line.${column}
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$`,
      `CREATE CONSTRAINT TRIGGER ${name} AFTER INSERT OR UPDATE ON tenancy.${on} DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW ${on === table ? '' : `WHEN (NEW.${key} IS NOT NULL)`} EXECUTE FUNCTION tenancy.${name}_of_${on}()`,
    ]),
    own.flatMap(({ on }) => [
      `DROP TRIGGER ${name} ON tenancy.${on}`,
      `DROP FUNCTION tenancy.${name}_of_${on}()`,
    ]),
  )
}

const noteGuard = (refunds: boolean) => `CREATE OR REPLACE FUNCTION tenancy.keep_issued_note() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  free constant text[] := '{status,applied,${refunds ? 'refunded,' : ''}remaining,voided_at,void_reason,version,updated_at}';
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
  IF TG_OP = 'DELETE' OR OLD.status = 'VOID' OR NEW.status = 'DRAFT' OR NEW.applied < OLD.applied${refunds ? '\n     OR NEW.refunded < OLD.refunded' : ''}
     OR to_jsonb(NEW) - free <> to_jsonb(OLD) - free THEN
    RAISE EXCEPTION 'credit note % is issued: it can only be used or made void', OLD.credit_note_number
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`

const remaining = (used: string) => [
  'ALTER TABLE tenancy.credit_notes DROP CONSTRAINT credit_notes_applied_check, DROP COLUMN remaining',
  `ALTER TABLE tenancy.credit_notes
     ADD COLUMN remaining bigint NOT NULL GENERATED ALWAYS AS (CASE status WHEN 'ISSUED' THEN total - (${used}) ELSE 0 END) STORED`,
  'CREATE INDEX ON tenancy.credit_notes (tenant_id, remaining, id)',
]

/** Refunds of what is left of a credit note, as of a payment. */
const refundedNotes: Step = sql(
  [
    'ALTER TABLE tenancy.credit_notes ADD COLUMN refunded bigint NOT NULL DEFAULT 0',
    ...remaining('applied + refunded'),
    `ALTER TABLE tenancy.credit_notes ADD CONSTRAINT credit_notes_applied_check
       CHECK (applied >= 0 AND refunded >= 0 AND CASE status WHEN 'ISSUED' THEN applied + refunded < total
              WHEN 'APPLIED' THEN applied + refunded = total ELSE applied + refunded = 0 END)`,
    noteGuard(true),
    `ALTER TABLE tenancy.refunds ALTER COLUMN payment_id DROP NOT NULL, ADD COLUMN credit_note_id uuid,
       ADD CONSTRAINT refunds_source_check CHECK (num_nonnulls(payment_id, credit_note_id) = 1),
       ADD CONSTRAINT refunds_credit_note_id_fkey
         FOREIGN KEY (tenant_id, credit_note_id, currency) REFERENCES tenancy.credit_notes (tenant_id, id, currency)`,
    'CREATE INDEX ON tenancy.refunds (tenant_id, credit_note_id, currency)',
  ],
  [
    'ALTER TABLE tenancy.refunds DROP CONSTRAINT refunds_source_check, DROP COLUMN credit_note_id, ALTER COLUMN payment_id SET NOT NULL',
    noteGuard(false),
    ...remaining('applied'),
    `ALTER TABLE tenancy.credit_notes ADD CONSTRAINT credit_notes_applied_check
       CHECK (CASE status WHEN 'ISSUED' THEN applied >= 0 AND applied < total
                          WHEN 'APPLIED' THEN applied = total ELSE applied = 0 END)`,
    'ALTER TABLE tenancy.credit_notes DROP COLUMN refunded',
  ],
)

/** Guards that hold documents and money against the owner of the tables, and refunds of credit notes. */
export const billingGuards = migration(202611290440, 'billing-guards', [
  guardNewLines('invoice_lines', 'invoices', 'invoice_id', 'invoice', 'round(r.net * r.rate / 100)'),
  // The tax of a note is also that of the notes before it: as its parts say, each of which its lines add up to.
  guardNewLines(
    'credit_note_lines',
    'credit_notes',
    'credit_note_id',
    'credit note',
    `(SELECT sum((p ->> 'tax')::numeric) FROM jsonb_array_elements(d.tax_parts) p
       WHERE (p ->> 'rate')::numeric = r.rate HAVING sum((p ->> 'net')::numeric) = r.net)`,
  ),
  refundedNotes,
  recounted('payments', 'payment_id', 'allocated'),
  recounted('credit_notes', 'credit_note_id', 'applied'),
  refuseDown(
    'refunds of credit notes',
    'SELECT FROM tenancy.refunds WHERE credit_note_id IS NOT NULL UNION ALL SELECT FROM tenancy.credit_notes WHERE refunded > 0',
  ),
])
