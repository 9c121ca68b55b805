import { permissions } from './permissions'
import { migration, sql, tenantTable } from './sql'

/** The series there are, and what their last numbers are above: one that nobody took a number of yet stands at 0. */
const series = (names: readonly string[], above: number) => [
  'ALTER TABLE hr.number_series DROP CONSTRAINT number_series_series_check',
  `ALTER TABLE hr.number_series ADD CONSTRAINT number_series_series_check
     CHECK (series IN (${names.map((name) => `'${name}'`).join(', ')}))`,
  'ALTER TABLE hr.number_series DROP CONSTRAINT number_series_last_number_check',
  `ALTER TABLE hr.number_series ADD CONSTRAINT number_series_last_number_check CHECK (last_number > ${above})`,
]

/** Days of attendance that are closed. */
export const attendanceClosings = migration(202611290501, 'attendance-closings', [
  tenantTable({
    schema: 'hr',
    table: 'attendance_closings',
    without: ['version', 'updated_at'],
    columns: {
      closing_number: 'int NOT NULL',
      closed_through: 'date NOT NULL',
      reason: 'varchar(500)',
      created_by_id: 'uuid',
    },
    references: { created_by_id: { table: 'identity.users' } },
    indexes: ['closing_number, id', 'closed_through, id', 'created_at, id'],
    grants: { app_hr: ['SELECT', 'INSERT'] },
  }),
  // Whoever closes days, and whoever writes to days that have passed, holds this row.
  sql(series(['LEAVE', 'ATTENDANCE_CLOSING'], -1), [
    "DELETE FROM hr.number_series WHERE series = 'ATTENDANCE_CLOSING'",
    ...series(['LEAVE'], 0),
  ]),
  permissions({
    'hr:attendance:close': {
      allows: 'Close attendance until a day, and open days again',
      roles: ['HR_MANAGER'],
    },
  }),
])
