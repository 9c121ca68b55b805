import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { migration, oneOf, sql, tenantTable } from './sql'

/** Hours that employees worked. */
export const attendance = migration(202611290500, 'attendance', [
  tenantTable({
    schema: 'hr',
    table: 'attendance_records',
    columns: {
      employee_id: 'uuid NOT NULL',
      work_date: 'date NOT NULL',
      clock_in_at: 'timestamptz(3) NOT NULL',
      clock_out_at: 'timestamptz(3)',
      time_zone: 'varchar(64) NOT NULL',
      break_minutes: 'int NOT NULL DEFAULT 0',
      // A list of {startedAt, endedAt}.
      breaks: "jsonb NOT NULL DEFAULT '[]'",
      worked_minutes: 'int',
      source: oneOf('source', ['WEB', 'MOBILE', 'DEVICE', 'IMPORT', 'MANUAL']),
      status: `${oneOf('status', ['OPEN', 'COMPLETE', 'INCOMPLETE', 'CORRECTED', 'APPROVED'])} DEFAULT 'OPEN'`,
      is_despite_leave: 'boolean NOT NULL DEFAULT false',
      corrected_clock_in_at: 'timestamptz(3)',
      corrected_clock_out_at: 'timestamptz(3)',
      corrected_break_minutes: 'int',
      corrected_by_id: 'uuid',
      // Encrypted.
      correction_reason: 'text',
      original_clock_in_at: 'timestamptz(3)',
      original_clock_out_at: 'timestamptz(3)',
      original_break_minutes: 'int',
      approved_by_id: 'uuid',
      decided_at: 'timestamptz(3)',
      decision_note: 'varchar(1000)',
      approver_id: 'uuid',
      // The login of the employee, as hr.employees has it: whose own it is.
      user_id: 'uuid',
    },
    checks: {
      clock_out_at: "clock_out_at BETWEEN clock_in_at AND clock_in_at + interval '24 hours'",
      break_minutes: 'break_minutes >= 0',
      breaks:
        "jsonb_typeof(breaks) = 'array' AND NOT jsonb_path_exists(breaks, '$[*] ? (!exists(@.startedAt))')",
      worked_minutes: 'worked_minutes >= 0 AND (worked_minutes IS NULL) = (clock_out_at IS NULL)',
      ended: "(clock_out_at IS NULL) = (status IN ('OPEN', 'INCOMPLETE'))",
      correction:
        'num_nulls(corrected_clock_in_at, corrected_clock_out_at, corrected_break_minutes) IN (0, 3)',
    },
    references: {
      employee_id: { table: 'hr.employees', index: 'employee_id, clock_in_at, id' },
      corrected_by_id: { table: 'identity.users' },
      approved_by_id: { table: 'identity.users' },
      approver_id: { table: 'identity.users', index: 'approver_id, clock_in_at, id' },
      user_id: { table: 'identity.users', index: 'user_id, clock_in_at, id' },
    },
    indexes: [
      'work_date, id',
      'clock_in_at, id',
      'created_at, id',
      // One employee is at work once, however many clocks there are.
      { columns: 'employee_id', unique: true, where: "status = 'OPEN'" },
    ],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  sql(
    `CREATE INDEX attendance_records_in_clear ON hr.attendance_records (tenant_id, id)
       WHERE correction_reason IS NOT NULL AND (correction_reason LIKE 'enc1:%') IS NOT TRUE`,
    'DROP INDEX hr.attendance_records_in_clear',
  ),
  constraintMessages('hr.attendance_records', {
    attendance_records_clock_out_at_check: 'must be after clockInAt, and 24 hours later at most',
    attendance_records_break_minutes_check: 'must not be negative',
  }),
  permissions({
    'hr:attendance:record': {
      allows:
        'Record one’s own work, see it, ask for corrections, and decide about records that one is the approver of',
      roles: ['USER', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'ANALYST'],
    },
    // Reasons of corrections tell of health.
    'hr:attendance:read': {
      allows: 'Read everybody’s attendance',
      roles: ['HR_MANAGER'],
      sensitive: true,
    },
    'hr:attendance:write': {
      allows: 'Record attendance of others, and ask for its correction',
      roles: ['HR_MANAGER'],
    },
    'hr:attendance:approve': {
      allows: 'Decide about everybody’s attendance and its corrections',
      roles: ['HR_MANAGER'],
    },
  }),
])
