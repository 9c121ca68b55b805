import { constraintMessages } from './constraint-messages'
import { migration, tenantTable } from './sql'

/** Days on which a tenant does not work. */
export const holidays = migration(202611271200, 'holidays', [
  tenantTable({
    schema: 'hr',
    table: 'holidays',
    columns: { name: 'varchar(100) NOT NULL', day: 'date NOT NULL' },
    unique: [['day']],
    indexes: ['day, id'],
    checks: { name: "name <> ''" },
    grants: { app_hr: ['SELECT', 'INSERT'] },
  }),
  constraintMessages('hr.holidays', {
    holidays_name_check: 'must not be empty',
    holidays_day_key: 'is a holiday already',
  }),
])
