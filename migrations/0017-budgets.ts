import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { migration, sql, tenantTable } from './sql'

/** What a department may spend, and which department a movement of money belongs to. */
export const budgets = migration(17, 'budgets', [
  tenantTable({
    schema: 'finance',
    table: 'budgets',
    columns: {
      department_id: 'uuid NOT NULL',
      year: 'int NOT NULL',
      month: 'int',
      // Null for what the checks refuse anyway: make_date would fail before they speak.
      period_start: `date GENERATED ALWAYS AS (
        CASE WHEN year BETWEEN 1900 AND 2999 AND coalesce(month, 1) BETWEEN 1 AND 12
             THEN make_date(year, coalesce(month, 1), 1) END) STORED`,
      allocated: 'bigint NOT NULL',
      forecasted_spend: 'bigint',
      currency: 'text NOT NULL',
    },
    checks: {
      year: 'year BETWEEN 1900 AND 2999',
      month: 'month BETWEEN 1 AND 12',
      allocated: 'allocated >= 0',
      forecasted_spend: 'forecasted_spend >= 0',
      currency: "currency ~ '^[A-Z]{3}$'",
    },
    references: { department_id: { table: 'hr.departments' } },
    indexes: ['period_start, id', 'created_at, id', 'allocated, id'],
    grants: { app_finance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  sql(
    `ALTER TABLE finance.budgets ADD CONSTRAINT budgets_period_key
       UNIQUE NULLS NOT DISTINCT (tenant_id, department_id, year, month, currency)`,
    [],
  ),
  constraintMessages('finance.budgets', {
    budgets_year_check: 'must be between 1900 and 2999',
    budgets_month_check: 'must be between 1 and 12',
    budgets_allocated_check: 'must not be negative',
    budgets_forecasted_spend_check: 'must not be negative',
    budgets_period_key: 'have a budget in this currency already',
  }),
  sql(
    [
      `ALTER TABLE finance.transactions
         ADD COLUMN department_id uuid,
         ADD CONSTRAINT transactions_department_id_fkey
           FOREIGN KEY (tenant_id, department_id) REFERENCES hr.departments (tenant_id, id)`,
      'CREATE INDEX ON finance.transactions (tenant_id, department_id, occurred_at, id)',
      'GRANT UPDATE (department_id) ON finance.transactions TO app_finance',
    ],
    'ALTER TABLE finance.transactions DROP COLUMN department_id',
  ),
  permissions({
    'finance:budget:read': {
      allows: 'Read budgets and what is spent of them',
      roles: ['ANALYST', 'VIEWER'],
    },
    'finance:budget:write': { allows: 'Set budgets' },
    'finance:fraud:write': {
      allows: 'Judge whether transactions are fraudulent',
      roles: ['COMPLIANCE_OFFICER'],
    },
  }),
])
