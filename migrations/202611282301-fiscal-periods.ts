import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { migration, oneOf, ownerRole, sql, tenantTable } from './sql'

const byApplication = `WHEN (current_user <> '${ownerRole}')`
const trigger = 'RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$'
/**
 * Months of the books, closed by two persons in their order. `books.closed_before` is the first day that is not closed: who
 * writes holds the row shared until the end, so closing waits for them, and who comes later sees it.
 */
export const fiscalPeriods = migration(202611282301, 'fiscal-periods', [
  tenantTable({
    schema: 'finance',
    table: 'books',
    without: ['id', 'version', 'created_at', 'updated_at'],
    columns: { closed_before: 'date' },
    primaryKey: [],
    grants: { app_finance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  tenantTable({
    schema: 'finance',
    table: 'fiscal_periods',
    columns: {
      year: 'int NOT NULL',
      month: 'int NOT NULL',
      // Null for what the checks refuse anyway: make_date would fail before they speak.
      starts_on: `date GENERATED ALWAYS AS (
        CASE WHEN year BETWEEN 1900 AND 2999 AND month BETWEEN 1 AND 12 THEN make_date(year, month, 1) END) STORED`,
      status: oneOf('status', ['OPEN', 'SOFT_CLOSED', 'CLOSED']),
      soft_closed_by_id: 'uuid',
      soft_closed_at: 'timestamptz(3)',
      closed_by_id: 'uuid',
      closed_at: 'timestamptz(3)',
      reopen_requested_by_id: 'uuid',
      reopen_requested_at: 'timestamptz(3)',
      reopen_reason: 'varchar(500)',
      reopened_by_id: 'uuid',
      reopened_at: 'timestamptz(3)',
    },
    unique: [['year', 'month']],
    checks: {
      year: 'year BETWEEN 1900 AND 2999',
      month: 'month BETWEEN 1 AND 12',
      // Four eyes, whatever the application does.
      closed_by_id: "(status = 'CLOSED') = (closed_by_id IS NOT NULL) AND closed_by_id <> soft_closed_by_id",
      soft_closed_by_id: "(status = 'OPEN') = (soft_closed_by_id IS NULL)",
      reopen_reason: "reopen_reason <> ''",
      reopened_by_id: 'reopened_by_id <> reopen_requested_by_id',
    },
    references: {
      soft_closed_by_id: { table: 'identity.users' },
      closed_by_id: { table: 'identity.users' },
      reopen_requested_by_id: { table: 'identity.users' },
      reopened_by_id: { table: 'identity.users' },
    },
    indexes: ['starts_on, id', 'status, id', 'created_at, id'],
    grants: { app_finance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('finance.fiscal_periods', {
    fiscal_periods_year_check: 'must be between 1900 and 2999',
    fiscal_periods_reopen_reason_check: 'must say why',
  }),
  sql(
    [
      `CREATE FUNCTION finance.require_open_day(own uuid, day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  closed date;
BEGIN
  SELECT b.closed_before INTO closed FROM finance.books b WHERE b.tenant_id = own FOR SHARE;
  IF NOT FOUND THEN
    INSERT INTO finance.books (tenant_id) VALUES (own) ON CONFLICT DO NOTHING;
    SELECT b.closed_before INTO closed FROM finance.books b WHERE b.tenant_id = own FOR SHARE;
  END IF;
  IF day < closed THEN
    RAISE EXCEPTION 'the books are closed before %, and % is', closed, day
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
END $$`,
      'REVOKE ALL ON FUNCTION finance.require_open_day(uuid, date) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION finance.require_open_day(uuid, date) TO app_finance',
      `CREATE FUNCTION finance.keep_closed_entries() ${trigger}
BEGIN
  PERFORM finance.require_open_day(NEW.tenant_id, NEW.booked_on);
  RETURN NEW;
END $$`,
      `CREATE TRIGGER keep_closed_entries BEFORE INSERT ON finance.journal_entries
         FOR EACH ROW ${byApplication} EXECUTE FUNCTION finance.keep_closed_entries()`,
      // What it says in words, and how it is judged, is no part of what was reported.
      `CREATE FUNCTION finance.keep_closed_transactions() ${trigger}
BEGIN
  IF TG_OP = 'INSERT' OR (NEW.category, NEW.department_id, NEW.amount, NEW.currency, NEW.type, NEW.occurred_at)
     IS DISTINCT FROM (OLD.category, OLD.department_id, OLD.amount, OLD.currency, OLD.type, OLD.occurred_at) THEN
    PERFORM finance.require_open_day(NEW.tenant_id, (NEW.occurred_at AT TIME ZONE 'UTC')::date);
  END IF;
  RETURN NEW;
END $$`,
      `CREATE TRIGGER keep_closed_transactions BEFORE INSERT OR UPDATE ON finance.transactions
         FOR EACH ROW ${byApplication} EXECUTE FUNCTION finance.keep_closed_transactions()`,
      // By the last day: a budget of a year stands open as long as one of its months does.
      `CREATE FUNCTION finance.keep_closed_budgets() ${trigger}
BEGIN
  IF NEW.year BETWEEN 1900 AND 2999 AND coalesce(NEW.month, 12) BETWEEN 1 AND 12 THEN
    PERFORM finance.require_open_day(NEW.tenant_id,
      (make_date(NEW.year, coalesce(NEW.month, 12), 1) + interval '1 month' - interval '1 day')::date);
  END IF;
  RETURN NEW;
END $$`,
      `CREATE TRIGGER keep_closed_budgets BEFORE INSERT OR UPDATE ON finance.budgets
         FOR EACH ROW ${byApplication} EXECUTE FUNCTION finance.keep_closed_budgets()`,
      `CREATE FUNCTION finance.keep_period() ${trigger}
DECLARE
  own constant uuid := NEW.tenant_id;
  fault text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'OPEN' THEN fault := 'begins open'; END IF;
  ELSIF (NEW.year, NEW.month) <> (OLD.year, OLD.month) THEN
    fault := 'stays the month that it is';
  ELSIF NEW.status <> OLD.status THEN
    -- Whoever closes or reopens another period at the same time has ended when this is ours.
    INSERT INTO finance.books (tenant_id) VALUES (own) ON CONFLICT DO NOTHING;
    PERFORM FROM finance.books b WHERE b.tenant_id = own FOR UPDATE;
    IF OLD.status = 'OPEN' AND NEW.status = 'CLOSED' THEN
      fault := 'is closed softly before it is closed';
    ELSIF NEW.status = 'CLOSED' AND NEW.soft_closed_by_id IS DISTINCT FROM OLD.soft_closed_by_id THEN
      fault := 'is closed by another person than closed it softly';
    ELSIF NEW.status = 'CLOSED' AND EXISTS (SELECT FROM finance.fiscal_periods p
        WHERE p.tenant_id = own AND p.starts_on < OLD.starts_on AND p.status <> 'CLOSED') THEN
      fault := 'is closed after those before it';
    ELSIF OLD.status = 'CLOSED' AND NEW.status <> 'OPEN' THEN
      fault := 'is closed: it can only be reopened';
    ELSIF OLD.status = 'CLOSED' AND (NEW.reopened_by_id <> OLD.reopen_requested_by_id) IS NOT TRUE THEN
      fault := 'is reopened by another person than asked for it';
    ELSIF OLD.status = 'CLOSED' AND EXISTS (SELECT FROM finance.fiscal_periods p
        WHERE p.tenant_id = own AND p.starts_on > OLD.starts_on AND p.status = 'CLOSED') THEN
      fault := 'is reopened after those that follow it';
    END IF;
  END IF;
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION 'the period %-% %', NEW.year, NEW.month, fault USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`,
      `CREATE TRIGGER keep_period BEFORE INSERT OR UPDATE ON finance.fiscal_periods
         FOR EACH ROW ${byApplication} EXECUTE FUNCTION finance.keep_period()`,
      `CREATE FUNCTION finance.closed_before(own uuid) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT (max(p.starts_on) + interval '1 month')::date FROM finance.fiscal_periods p
           WHERE p.tenant_id = own AND p.status = 'CLOSED');
END $$`,
      'REVOKE ALL ON FUNCTION finance.closed_before(uuid) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION finance.closed_before(uuid) TO app_finance',
      `CREATE FUNCTION finance.move_closed_before() ${trigger}
DECLARE
  own constant uuid := NEW.tenant_id;
  closed date;
BEGIN
  IF 'CLOSED' IN (OLD.status, NEW.status) AND OLD.status <> NEW.status THEN
    closed := finance.closed_before(own);
    UPDATE finance.books AS b SET closed_before = closed WHERE b.tenant_id = own;
  END IF;
  RETURN NULL;
END $$`,
      `CREATE TRIGGER move_closed_before AFTER UPDATE ON finance.fiscal_periods
         FOR EACH ROW ${byApplication} EXECUTE FUNCTION finance.move_closed_before()`,
      `CREATE FUNCTION finance.keep_closed_before() ${trigger}
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.closed_before := finance.closed_before(NEW.tenant_id);
  ELSIF NEW.closed_before IS DISTINCT FROM finance.closed_before(NEW.tenant_id) THEN
    RAISE EXCEPTION 'the books are closed by their periods alone' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`,
      `CREATE TRIGGER keep_closed_before BEFORE INSERT OR UPDATE ON finance.books
         FOR EACH ROW ${byApplication} EXECUTE FUNCTION finance.keep_closed_before()`,
    ],
    [
      'DROP TRIGGER keep_closed_before ON finance.books',
      'DROP TRIGGER move_closed_before ON finance.fiscal_periods',
      'DROP TRIGGER keep_period ON finance.fiscal_periods',
      'DROP TRIGGER keep_closed_budgets ON finance.budgets',
      'DROP TRIGGER keep_closed_transactions ON finance.transactions',
      'DROP TRIGGER keep_closed_entries ON finance.journal_entries',
      ...[
        'keep_closed_before()',
        'move_closed_before()',
        'closed_before(uuid)',
        'keep_period()',
        'keep_closed_budgets()',
        'keep_closed_transactions()',
        'keep_closed_entries()',
        'require_open_day(uuid, date)',
      ].map((name) => `DROP FUNCTION finance.${name}`),
    ],
  ),
  permissions({
    'finance:period:write': {
      allows: 'Close and reopen periods of the books, with a second person, and post into softly closed ones',
    },
  }),
])
