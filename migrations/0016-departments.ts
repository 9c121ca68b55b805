import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { migration, sql, tenantTable } from './sql'

/** How the tenant is organized, and when work for it ends. Nobody deletes a department: it is closed. */
export const departments = migration(16, 'departments', [
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
    checks: { name: "name <> ''" },
    references: { head_id: { table: 'identity.users', onDelete: 'SET NULL' } },
    indexes: ['created_at, id'],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('hr.departments', { departments_name_check: 'must not be empty' }),
  sql(
    [
      `ALTER TABLE hr.employees
         ADD COLUMN department_id uuid,
         ADD COLUMN termination_date date,
         ADD CONSTRAINT employees_department_id_fkey
           FOREIGN KEY (tenant_id, department_id) REFERENCES hr.departments (tenant_id, id),
         ADD CONSTRAINT employees_termination_date_check CHECK (termination_date IS NULL OR NOT is_active),
         ADD CONSTRAINT employees_hire_date_check CHECK (hire_date <= termination_date)`,
      'CREATE INDEX ON hr.employees (tenant_id, department_id, created_at, id)',
    ],
    'ALTER TABLE hr.employees DROP COLUMN department_id, DROP COLUMN termination_date',
  ),
  constraintMessages('hr.employees', {
    employees_termination_date_check: 'must be empty while the employee works',
    employees_hire_date_check: 'must be in order: nobody leaves before the first day of work',
  }),
  permissions({
    'hr:department:read': {
      allows: 'Read departments',
      roles: ['USER', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'ANALYST', 'VIEWER'],
    },
    'hr:department:write': { allows: 'Create, change and close departments', roles: ['HR_MANAGER'] },
  }),
])
