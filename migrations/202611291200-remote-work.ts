import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { migration, oneOf, tenantTable } from './sql'

const kinds = ['HOME', 'TRAVEL', 'CLIENT', 'ABROAD'] as const
const isWaiting = "status IN ('REQUESTED', 'APPROVED')"

/** Work away from the tenant's places: what is agreed on, and what was. */
export const remoteWork = migration(202611291200, 'remote-work', [
  tenantTable({
    schema: 'hr',
    table: 'remote_work_rules',
    columns: {
      kind: oneOf('kind', kinds),
      valid_from: 'date NOT NULL',
      days_per_year: 'int',
      needs_approval: 'boolean NOT NULL DEFAULT false',
    },
    unique: [['kind', 'valid_from']],
    checks: { days_per_year: 'days_per_year BETWEEN 0 AND 366' },
    indexes: ['valid_from, id'],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  }),
  constraintMessages('hr.remote_work_rules', {
    remote_work_rules_days_per_year_check: 'must be between 0 and 366',
  }),
  tenantTable({
    schema: 'hr',
    table: 'remote_work_sessions',
    columns: {
      employee_id: 'uuid NOT NULL',
      attendance_id: 'uuid',
      work_date: 'date NOT NULL',
      // The last day that it was on, by the calendar of the place: a part of a day counts as a day.
      last_date: 'date NOT NULL',
      started_at: 'timestamptz(3)',
      ended_at: 'timestamptz(3)',
      minutes: 'int',
      time_zone: 'varchar(64) NOT NULL',
      country_code: 'text NOT NULL',
      place: 'varchar(100)',
      kind: oneOf('kind', kinds),
      status: oneOf('status', ['REQUESTED', 'APPROVED', 'OPEN', 'ENDED', 'REJECTED', 'CANCELLED']),
      // Whether it began the attendance, and so ends it.
      makes_attendance: 'boolean NOT NULL DEFAULT false',
      is_overlong: 'boolean NOT NULL DEFAULT false',
      note: 'varchar(1000)',
      requested_by_id: 'uuid',
      approved_by_id: 'uuid',
      decided_at: 'timestamptz(3)',
      decision_note: 'varchar(1000)',
      approver_id: 'uuid',
      // The login of the employee, as hr.employees has it: whose own it is.
      user_id: 'uuid',
    },
    checks: {
      country_code: "country_code ~ '^[A-Z]{2}$'",
      place: "place <> ''",
      last_date: 'last_date BETWEEN work_date AND work_date + 1',
      started: "(started_at IS NOT NULL) = (status IN ('OPEN', 'ENDED'))",
      ended_at: "ended_at BETWEEN started_at AND started_at + interval '24 hours'",
      ended: "(ended_at IS NULL) = (minutes IS NULL) AND (ended_at IS NULL OR status = 'ENDED')",
    },
    references: {
      employee_id: { table: 'hr.employees', index: 'employee_id, work_date, id' },
      attendance_id: { table: 'hr.attendance_records' },
      requested_by_id: { table: 'identity.users' },
      approved_by_id: { table: 'identity.users' },
      approver_id: { table: 'identity.users', index: 'approver_id, work_date, id' },
      user_id: { table: 'identity.users', index: 'user_id, work_date, id' },
    },
    indexes: [
      'work_date, id',
      'created_at, id',
      // Somebody works in one place at a time, and asks for a day once.
      { columns: 'employee_id', unique: true, where: "status = 'OPEN'" },
      { columns: 'employee_id, work_date', unique: true, where: isWaiting },
    ],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('hr.remote_work_sessions', {
    remote_work_sessions_country_code_check: 'must be a country code such as DE',
    remote_work_sessions_place_check: 'must not be empty',
  }),
  permissions({
    'hr:remote:record': {
      allows:
        'Record one’s own remote work, see it, ask for days of it, and decide about days that one is the approver of',
      roles: ['USER', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'ANALYST'],
    },
    // It tells where people are.
    'hr:remote:read': { allows: 'Read everybody’s remote work', roles: ['HR_MANAGER'], sensitive: true },
    'hr:remote:approve': { allows: 'Decide about everybody’s days of remote work', roles: ['HR_MANAGER'] },
    'hr:remote:write': {
      allows: 'Keep the rules of remote work, and record that of others',
      roles: ['HR_MANAGER'],
    },
  }),
])
