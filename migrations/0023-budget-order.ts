import { migration, sql } from './sql'

const name = 'finance.budgets_tenant_id_department_id'

/** A department's budgets in the order in which they are listed: a page reads its own rows instead of sorting all. */
export const budgetOrder = migration(23, 'budget-order', [
  sql(
    [
      `DROP INDEX ${name}_idx`,
      'CREATE INDEX ON finance.budgets (tenant_id, department_id, period_start, id)',
    ],
    [`DROP INDEX ${name}_period_start_id_idx`, 'CREATE INDEX ON finance.budgets (tenant_id, department_id)'],
  ),
])
