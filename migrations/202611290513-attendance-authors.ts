import { addColumns, migration, sql } from './sql'

/** Authors of work of somebody else, who do not confirm it, and users whose login an employee's was, who do not decide about it. */
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
  addColumns('hr.employees', { former_user_ids: "text[] NOT NULL DEFAULT '{}'" }),
  // The trail knows who recorded; without it a record by hand names who corrected it last, which may be the employee.
  sql(
    `UPDATE hr.attendance_records r SET recorded_by_id = a.user_id, author_ids = ARRAY[a.user_id::text]
       FROM (SELECT t.tenant_id, t.id, coalesce(
                (SELECT l.actor_id FROM shared.audit_logs l
                  WHERE l.tenant_id = t.tenant_id AND l.resource_type = 'AttendanceRecord' AND l.resource_id = t.id::text
                    AND l.action = 'CREATE' ORDER BY l.occurred_at LIMIT 1),
                CASE t.source WHEN 'MANUAL' THEN t.corrected_by_id END) AS user_id
               FROM hr.attendance_records t) a
       JOIN identity.users u ON u.tenant_id = a.tenant_id AND u.id = a.user_id
      WHERE r.tenant_id = a.tenant_id AND r.id = a.id
        AND NOT EXISTS (SELECT FROM hr.employees e
                         WHERE e.tenant_id = r.tenant_id AND e.id = r.employee_id AND e.user_id = a.user_id)`,
    [],
  ),
])
