import { addColumns, migration, sql } from './sql'

/** Authors of work of somebody else: they do not confirm it. */
export const attendanceAuthors = migration(202611290513, 'attendance-authors', [
  addColumns(
    'hr.attendance_records',
    {
      // Who began it, or wrote it by hand; null when that was the employee.
      recorded_by_id: 'uuid',
      // Everybody but the employee who recorded something of it.
      author_ids: "text[] NOT NULL DEFAULT '{}'",
    },
    { recorded_by_id: { table: 'identity.users' } },
  ),
  sql(
    `UPDATE hr.attendance_records SET recorded_by_id = corrected_by_id, author_ids = ARRAY[corrected_by_id::text]
      WHERE source = 'MANUAL' AND corrected_by_id IS NOT NULL`,
    [],
  ),
])
