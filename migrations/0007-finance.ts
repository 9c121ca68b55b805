import { constraintMessages } from './constraint-messages'
import { migration, oneOf, sql, tenantTable } from './sql'

/** Movements of money. What they say of the money cannot be changed or deleted by the application, only reversed. */
export const finance = migration(7, 'finance', [
  tenantTable({
    schema: 'finance',
    table: 'transactions',
    columns: {
      transaction_number: 'varchar(100) NOT NULL',
      type: oneOf('type', ['INCOME', 'EXPENSE', 'TRANSFER', 'ADJUSTMENT']),
      category: 'varchar(100)',
      amount: 'bigint NOT NULL',
      currency: 'text NOT NULL',
      description: 'varchar(2000)',
      occurred_at: 'timestamptz(3) NOT NULL',
      is_fraudulent: 'boolean NOT NULL DEFAULT false',
      fraud_score: 'double precision',
      reversal_of_id: 'uuid',
    },
    unique: [['transaction_number'], ['reversal_of_id']],
    checks: {
      transaction_number: "transaction_number <> ''",
      amount: 'amount <> 0',
      currency: "currency ~ '^[A-Z]{3}$'",
      // NaN is greater than every number, so the upper bound refuses it.
      fraud_score: 'fraud_score BETWEEN 0 AND 1',
      reversal_of_id: 'reversal_of_id <> id',
    },
    references: { reversal_of_id: { table: 'finance.transactions' } },
    indexes: [
      'occurred_at, id',
      'type, occurred_at',
      'is_fraudulent, occurred_at',
      'amount, id',
      'category, id',
      'fraud_score, id',
      'created_at, id',
    ],
    grants: { app_finance: ['SELECT', 'INSERT'] },
  }),
  sql(
    'GRANT UPDATE (category, description, is_fraudulent, fraud_score, version) ON finance.transactions TO app_finance',
    [],
  ),
  constraintMessages('finance.transactions', {
    transactions_transaction_number_check: 'must not be empty',
    transactions_amount_check: 'must not be zero',
    transactions_fraud_score_check: 'must be between 0 and 1',
  }),
])
