import { constraintMessages } from './constraint-messages'
import { migration, tenantTable } from './sql'

/** Who works for the tenant. Nobody deletes an employee: the work ends. */
export const hr = migration(6, 'hr', [
  tenantTable({
    schema: 'hr',
    table: 'employees',
    columns: {
      employee_number: 'varchar(50) NOT NULL',
      user_id: 'uuid',
      first_name: 'varchar(100)',
      last_name: 'varchar(100)',
      full_name: `text GENERATED ALWAYS AS (
        nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), '')) STORED`,
      position: 'varchar(150)',
      hire_date: 'date',
      salary: 'bigint',
      salary_currency: 'text',
      performance_score: 'double precision',
      retention_risk: 'double precision',
      is_active: 'boolean NOT NULL DEFAULT true',
    },
    unique: [['employee_number'], ['user_id']],
    checks: {
      employee_number: "employee_number <> ''",
      salary:
        "salary >= 0 AND (salary IS NULL) = (salary_currency IS NULL) AND salary_currency ~ '^[A-Z]{3}$'",
      // NaN is greater than every number, so the upper bound refuses it.
      performance_score: 'performance_score BETWEEN 0 AND 100',
      retention_risk: 'retention_risk BETWEEN 0 AND 1',
    },
    references: { user_id: { table: 'identity.users', onDelete: 'SET NULL' } },
    indexes: ['last_name, id', 'position, id', 'hire_date, id', 'created_at, id'],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('hr.employees', {
    employees_employee_number_check: 'must not be empty',
    employees_user_id_key: 'belongs to another employee already',
    employees_salary_check: 'must not be negative',
    employees_performance_score_check: 'must be between 0 and 100',
    employees_retention_risk_check: 'must be between 0 and 1',
  }),
])
