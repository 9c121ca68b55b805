import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { byLanguage, migration, oneOf, sql, tenantTable } from './sql'

/**
 * Movements of money, and what a department may spend. What a movement says of the money cannot be changed or deleted by
 * the application, only reversed.
 */
export const finance = migration(7, 'finance', [
  tenantTable({
    schema: 'finance',
    table: 'transactions',
    columns: {
      transaction_number: 'varchar(100) NOT NULL',
      type: oneOf('type', ['INCOME', 'EXPENSE', 'TRANSFER', 'ADJUSTMENT']),
      category: 'varchar(100)',
      department_id: 'uuid',
      amount: 'bigint NOT NULL',
      currency: 'text NOT NULL',
      description: 'varchar(2000)',
      occurred_at: 'timestamptz(3) NOT NULL',
      is_fraudulent: 'boolean NOT NULL DEFAULT false',
      fraud_score: 'double precision',
      reversal_of_id: 'uuid',
    },
    unique: [['transaction_number'], ['reversal_of_id']],
    names: { transaction_number: 'spelling' },
    checks: {
      transaction_number: "transaction_number <> ''",
      amount: 'amount <> 0',
      currency: "currency ~ '^[A-Z]{3}$'",
      // NaN is greater than every number, so the upper bound refuses it.
      fraud_score: 'fraud_score BETWEEN 0 AND 1',
      reversal_of_id: 'reversal_of_id <> id',
    },
    references: {
      reversal_of_id: { table: 'finance.transactions' },
      department_id: { table: 'hr.departments', index: 'department_id, occurred_at, id' },
    },
    indexes: [
      'occurred_at, id',
      'type, occurred_at',
      'is_fraudulent, occurred_at',
      'amount, id',
      byLanguage('transaction_number'),
      byLanguage('category'),
      'fraud_score, id',
      'created_at, id',
    ],
    grants: { app_finance: ['SELECT', 'INSERT'] },
  }),
  sql(
    `GRANT UPDATE (category, description, department_id, is_fraudulent, fraud_score, version, updated_at)
       ON finance.transactions TO app_finance`,
    [],
  ),
  constraintMessages('finance.transactions', {
    transactions_transaction_number_check: 'must not be empty',
    transactions_amount_check: 'must not be zero',
    transactions_fraud_score_check: 'must be between 0 and 1',
  }),

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
    references: { department_id: { table: 'hr.departments', index: 'department_id, period_start, id' } },
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
  permissions({
    'finance:transaction:read': {
      allows: 'Read transactions',
      roles: ['COMPLIANCE_OFFICER', 'ANALYST', 'VIEWER'],
    },
    'finance:transaction:write': { allows: 'Record and change transactions' },
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
