import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { byLanguage, migration, tenantTable } from './sql'

/**
 * Says how the tenant is organized and who works for it. Nobody deletes a department or an employee: it is closed, and
 * the work ends.
 */
export const hr = migration(6, 'hr', [
  tenantTable({
    schema: 'hr',
    table: 'departments',
    columns: {
      name: 'varchar(100) NOT NULL',
      description: 'varchar(2000)',
      head_id: 'uuid',
      is_active: 'boolean NOT NULL DEFAULT true',
    },
    unique: [['name']],
    names: { name: 'spelling' },
    checks: { name: "name <> ''" },
    references: { head_id: { table: 'identity.users' } },
    indexes: [byLanguage('name'), 'created_at, id'],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('hr.departments', { departments_name_check: 'must not be empty' }),

  tenantTable({
    schema: 'hr',
    table: 'employees',
    columns: {
      employee_number: 'varchar(50) NOT NULL',
      user_id: 'uuid',
      department_id: 'uuid',
      first_name: 'varchar(100)',
      last_name: 'varchar(100)',
      full_name: `text GENERATED ALWAYS AS (
        nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), '')) STORED`,
      position: 'varchar(150)',
      hire_date: 'date',
      termination_date: 'date',
      salary: 'bigint',
      salary_currency: 'text',
      performance_score: 'double precision',
      retention_risk: 'double precision',
      is_active: 'boolean NOT NULL DEFAULT true',
    },
    unique: [['employee_number'], ['user_id']],
    names: { employee_number: 'spelling' },
    checks: {
      employee_number: "employee_number <> ''",
      salary:
        "salary >= 0 AND (salary IS NULL) = (salary_currency IS NULL) AND salary_currency ~ '^[A-Z]{3}$'",
      // NaN is greater than every number, so the upper bound refuses it.
      performance_score: 'performance_score BETWEEN 0 AND 100',
      retention_risk: 'retention_risk BETWEEN 0 AND 1',
      termination_date: 'termination_date IS NULL OR NOT is_active',
      hire_date: 'hire_date <= termination_date',
    },
    references: {
      user_id: { table: 'identity.users' },
      department_id: { table: 'hr.departments', index: 'department_id, created_at, id' },
    },
    indexes: [
      byLanguage('employee_number'),
      byLanguage('last_name'),
      byLanguage('position'),
      'hire_date, id',
      'created_at, id',
    ],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('hr.employees', {
    employees_employee_number_check: 'must not be empty',
    employees_user_id_key: 'belongs to another employee already',
    employees_salary_check: 'must not be negative',
    employees_performance_score_check: 'must be between 0 and 100',
    employees_retention_risk_check: 'must be between 0 and 1',
    employees_termination_date_check: 'must be empty while the employee works',
    employees_hire_date_check: 'must be in order: nobody leaves before the first day of work',
  }),

  permissions({
    'hr:employee:read': { allows: 'Read employees', roles: ['USER', 'HR_MANAGER', 'ANALYST', 'VIEWER'] },
    'hr:employee:write': { allows: 'Create and change employees', roles: ['HR_MANAGER'] },
    'hr:employee:link': {
      allows: 'Say which login belongs to which employee: that login sees the salary of the employee',
      roles: ['HR_MANAGER'],
    },
    'hr:salary:read': { allows: 'Read salaries', roles: ['HR_MANAGER'] },
    'hr:salary:write': { allows: 'Change salaries', roles: ['HR_MANAGER'] },
    'hr:performance:read': { allows: 'Read performance scores and retention risks', roles: ['HR_MANAGER'] },
    'hr:performance:write': {
      allows: 'Change performance scores and retention risks',
      roles: ['HR_MANAGER'],
    },
    'hr:department:read': {
      allows: 'Read departments',
      roles: ['USER', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'ANALYST', 'VIEWER'],
    },
    'hr:department:write': { allows: 'Create, change and close departments', roles: ['HR_MANAGER'] },
  }),
])
