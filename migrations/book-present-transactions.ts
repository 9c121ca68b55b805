import { sql, type Step } from './sql'

/** Code, name, type, normal side and purpose of the accounts that transactions are booked on. */
const accounts = [
  ['1200', 'Bank', 'ASSET', 'DEBIT', 'BANK'],
  ['1300', 'Money in transit', 'ASSET', 'DEBIT', 'TRANSIT'],
  ['1900', 'Suspense', 'ASSET', 'DEBIT', 'SUSPENSE'],
  ['4000', 'Revenue', 'INCOME', 'CREDIT', 'REVENUE'],
  ['6000', 'Operating expenses', 'EXPENSE', 'DEBIT', 'EXPENSES'],
  ['6990', 'Adjustments', 'EXPENSE', 'DEBIT', 'ADJUSTMENTS'],
] as const

const values = accounts.map((account) => `(${account.map((value) => `'${value}'`).join(', ')})`).join(',\n')

/**
 * Books the transactions that are there, in the order of their time: two postings each. Row by row, since a distributed
 * PostgreSQL takes no INSERT with SELECT.
 */
export const bookPresentTransactions: Step = sql(
  `DO $migration$
DECLARE
  owner record;
  template record;
  t record;
  accounts jsonb;
  sides text[];
  entry uuid;
  day date;
  number bigint;
BEGIN
  FOR owner IN SELECT DISTINCT x.tenant_id FROM finance.transactions x LOOP
    accounts := '{}';
    FOR template IN SELECT * FROM (VALUES ${values}) AS a (code, name, type, normal_side, purpose) LOOP
      entry := gen_random_uuid();
      accounts := accounts || jsonb_build_object(template.purpose, entry);
      INSERT INTO finance.ledger_accounts (tenant_id, id, code, name, type, normal_side, purpose)
        VALUES (owner.tenant_id, entry, template.code, template.name, template.type, template.normal_side, template.purpose);
    END LOOP;
    FOR t IN SELECT x.* FROM finance.transactions x WHERE x.tenant_id = owner.tenant_id ORDER BY x.occurred_at, x.id LOOP
      sides := CASE t.type WHEN 'INCOME' THEN '{BANK,REVENUE}' WHEN 'EXPENSE' THEN '{EXPENSES,BANK}'
                           WHEN 'TRANSFER' THEN '{TRANSIT,BANK}' ELSE '{SUSPENSE,ADJUSTMENTS}' END;
      day := (t.occurred_at AT TIME ZONE 'UTC')::date;
      entry := gen_random_uuid();
      INSERT INTO finance.entry_series AS s (tenant_id, year, last_number)
        VALUES (owner.tenant_id, extract(year FROM day), 1)
        ON CONFLICT (tenant_id, year) DO UPDATE SET last_number = s.last_number + 1 RETURNING last_number INTO number;
      INSERT INTO finance.journal_entries
          (tenant_id, id, entry_number, booked_on, posting_count, transaction_id, reversal_of_id)
        VALUES (owner.tenant_id, entry, to_char(day, 'YYYY') || '-' || lpad(number::text, 6, '0'), day, 2, t.id,
          (SELECT e.id FROM finance.journal_entries e WHERE e.tenant_id = owner.tenant_id AND e.transaction_id = t.reversal_of_id));
      INSERT INTO finance.postings (tenant_id, id, entry_id, booked_on, position, account_id, amount, currency)
        VALUES (owner.tenant_id, gen_random_uuid(), entry, day, 1, (accounts ->> sides[1])::uuid, t.amount, t.currency),
               (owner.tenant_id, gen_random_uuid(), entry, day, 2, (accounts ->> sides[2])::uuid, -t.amount, t.currency);
    END LOOP;
  END LOOP;
END $migration$`,
  [],
)
