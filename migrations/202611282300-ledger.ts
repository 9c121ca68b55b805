import { bookPresentTransactions } from './book-present-transactions'
import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { byLanguage, migration, oneOf, ownerRole, sql, tenantTable } from './sql'

const byApplication = `WHEN (current_user <> '${ownerRole}')`
const trigger = 'RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$'
const plausibleDay = (column: string) => `${column} BETWEEN '1900-01-01' AND '2999-12-31'`

const purposes = [
  'BANK',
  'RECEIVABLES',
  'PAYABLES',
  'REVENUE',
  'EXPENSES',
  'TRANSIT',
  'SUSPENSE',
  'ADJUSTMENTS',
  'ROUNDING',
  'EXCHANGE',
  'RETAINED_EARNINGS',
  'OPENING_BALANCES',
]

/**
 * The books in double entry: accounts, entries and their postings. An entry is balanced in each currency when its
 * transaction ends, has then all postings that it will ever have, and is never changed, only reversed, once.
 */
export const ledger = migration(202611282300, 'ledger', [
  tenantTable({
    schema: 'finance',
    table: 'ledger_accounts',
    columns: {
      code: 'varchar(20) NOT NULL',
      name: 'varchar(200) NOT NULL',
      type: oneOf('type', ['ASSET', 'LIABILITY', 'EQUITY', 'INCOME', 'EXPENSE']),
      normal_side: oneOf('normal_side', ['DEBIT', 'CREDIT']),
      purpose: `text CHECK (purpose IN (${purposes.map((one) => `'${one}'`).join(', ')}))`,
      currency: 'text',
      is_active: 'boolean NOT NULL DEFAULT true',
    },
    unique: [['code'], ['purpose']],
    names: { code: 'spelling' },
    checks: {
      code: "code <> ''",
      name: "name <> ''",
      currency: "currency ~ '^[A-Z]{3}$'",
      is_active: 'is_active OR purpose IS NULL',
    },
    indexes: [byLanguage('code'), byLanguage('name'), 'type, id', 'created_at, id'],
    grants: { app_finance: ['SELECT', 'INSERT'] },
  }),
  sql(
    `GRANT UPDATE (code, name, purpose, is_active, version, updated_at) ON finance.ledger_accounts TO app_finance`,
    [],
  ),
  constraintMessages('finance.ledger_accounts', {
    ledger_accounts_code_check: 'must not be empty',
    ledger_accounts_name_check: 'must not be empty',
    ledger_accounts_purpose_key: 'is that of another account: take it from there first',
    ledger_accounts_is_active_check: 'must have no purpose when it is closed',
  }),

  tenantTable({
    schema: 'finance',
    table: 'entry_series',
    without: ['id', 'version', 'created_at', 'updated_at'],
    columns: { year: 'int NOT NULL', last_number: 'bigint NOT NULL' },
    primaryKey: ['year'],
    checks: { last_number: 'last_number > 0' },
    grants: { app_finance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),

  tenantTable({
    schema: 'finance',
    table: 'journal_entries',
    without: ['version', 'updated_at'],
    columns: {
      entry_number: 'varchar(20) NOT NULL',
      booked_on: 'date NOT NULL',
      description: 'varchar(500)',
      posting_count: 'int NOT NULL',
      base_currency: 'text',
      source_type: 'varchar(100)',
      source_id: 'varchar(200)',
      transaction_id: 'uuid',
      reversal_of_id: 'uuid',
      created_by_id: 'uuid',
    },
    // The third lets postings refer to an entry and its day together.
    unique: [
      ['entry_number'],
      ['source_type', 'source_id'],
      ['id', 'booked_on'],
      ['transaction_id'],
      ['reversal_of_id'],
    ],
    checks: {
      entry_number: "entry_number <> ''",
      booked_on: plausibleDay('booked_on'),
      posting_count: 'posting_count BETWEEN 2 AND 201',
      base_currency: "base_currency ~ '^[A-Z]{3}$'",
      source: "(source_type IS NULL) = (source_id IS NULL) AND source_type <> '' AND source_id <> ''",
      reversal_of_id: 'reversal_of_id <> id',
    },
    references: {
      transaction_id: { table: 'finance.transactions' },
      reversal_of_id: { table: 'finance.journal_entries' },
      created_by_id: { table: 'identity.users' },
    },
    indexes: ['booked_on, id', byLanguage('entry_number'), 'created_at, id'],
    grants: { app_finance: ['SELECT', 'INSERT'] },
  }),
  // Needed to lock an entry that is reversed; a change is refused below.
  sql('GRANT UPDATE (description) ON finance.journal_entries TO app_finance', []),
  constraintMessages('finance.journal_entries', {
    journal_entries_booked_on_check: 'must be between 1900 and 2999',
    journal_entries_source_check: 'must be given with sourceId, and neither empty',
  }),

  tenantTable({
    schema: 'finance',
    table: 'postings',
    without: ['version', 'updated_at'],
    columns: {
      entry_id: 'uuid NOT NULL',
      booked_on: 'date NOT NULL',
      position: 'int NOT NULL',
      account_id: 'uuid NOT NULL',
      // Debits are positive, credits negative.
      amount: 'bigint NOT NULL',
      currency: 'text NOT NULL',
      exchange_rate: 'numeric',
      base_amount: 'bigint',
      base_currency: 'text',
      memo: 'varchar(500)',
    },
    // The day follows from the entry, and stands here for the reference to both.
    unique: [['entry_id', 'booked_on', 'position']],
    checks: {
      position: 'position BETWEEN 1 AND 201',
      // A difference that conversion leaves is nothing in the currency of the postings.
      amount: 'amount <> 0 OR base_amount <> 0',
      currency: "currency ~ '^[A-Z]{3}$'",
      base: `(base_amount IS NULL) = (base_currency IS NULL) AND base_currency ~ '^[A-Z]{3}$'
        AND (exchange_rate IS NULL OR base_amount IS NOT NULL)`,
      exchange_rate: 'exchange_rate > 0 AND exchange_rate <= 1000000000 AND scale(exchange_rate) <= 12',
    },
    references: { account_id: { table: 'finance.ledger_accounts', index: 'account_id, booked_on, id' } },
    indexes: ['currency, booked_on', 'booked_on, id', 'amount, id'],
    grants: { app_finance: ['SELECT', 'INSERT'] },
  }),
  sql(
    `ALTER TABLE finance.postings ADD CONSTRAINT postings_entry_id_fkey
       FOREIGN KEY (tenant_id, entry_id, booked_on) REFERENCES finance.journal_entries (tenant_id, id, booked_on)`,
    [],
  ),
  constraintMessages('finance.postings', {
    postings_amount_check: 'must not be zero',
    postings_exchange_rate_check: 'must be more than 0, at most 1000000000, with at most 12 decimals',
  }),

  bookPresentTransactions,

  // What is posted is looked at when the transaction ends, by the entry and by each posting: one that comes later finds
  // the entry full.
  sql(
    [
      `CREATE FUNCTION finance.check_entry() ${trigger}
DECLARE
  own constant uuid := NEW.tenant_id;
  checked uuid;
  fault text;
BEGIN
  IF TG_TABLE_NAME = 'postings' THEN checked := NEW.entry_id; ELSE checked := NEW.id; END IF;
  SELECT 'has ' || count(p.id) || ' postings instead of ' || max(e.posting_count) INTO fault
    FROM finance.journal_entries e
    LEFT JOIN finance.postings p ON p.tenant_id = own AND p.entry_id = e.id
   WHERE e.tenant_id = own AND e.id = checked HAVING count(p.id) <> max(e.posting_count);
  IF fault IS NULL THEN
    SELECT 'does not add up in ' || s.currency INTO fault FROM (
      SELECT p.currency, sum(p.amount) AS sum FROM finance.postings p
       WHERE p.tenant_id = own AND p.entry_id = checked GROUP BY p.currency
      UNION ALL
      SELECT p.base_currency, sum(p.base_amount) FROM finance.postings p
       WHERE p.tenant_id = own AND p.entry_id = checked AND p.base_currency IS NOT NULL
       GROUP BY p.base_currency) s WHERE s.sum <> 0 LIMIT 1;
  END IF;
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION 'journal entry % %', checked, fault USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$`,
      `CREATE CONSTRAINT TRIGGER check_entry AFTER INSERT ON finance.journal_entries
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW ${byApplication} EXECUTE FUNCTION finance.check_entry()`,
      `CREATE CONSTRAINT TRIGGER check_entry_of_posting AFTER INSERT ON finance.postings
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW ${byApplication} EXECUTE FUNCTION finance.check_entry()`,
      `CREATE FUNCTION finance.keep_posted() ${trigger}
BEGIN
  RAISE EXCEPTION '% are never changed, only reversed', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$`,
      // For the owner too: nothing that the product does changes what is posted.
      ...['journal_entries', 'postings'].map(
        (table) => `CREATE TRIGGER keep_posted BEFORE UPDATE ON finance.${table}
         FOR EACH ROW EXECUTE FUNCTION finance.keep_posted()`,
      ),
    ],
    [
      'DROP TRIGGER keep_posted ON finance.postings',
      'DROP TRIGGER keep_posted ON finance.journal_entries',
      'DROP TRIGGER check_entry_of_posting ON finance.postings',
      'DROP TRIGGER check_entry ON finance.journal_entries',
      'DROP FUNCTION finance.keep_posted()',
      'DROP FUNCTION finance.check_entry()',
    ],
  ),

  permissions({
    'finance:ledger:read': {
      allows: 'Read the books: accounts, entries, balances and statements',
      roles: ['COMPLIANCE_OFFICER', 'ANALYST', 'VIEWER'],
    },
    'finance:ledger:write': { allows: 'Keep accounts, post journal entries and reverse them' },
  }),
])
