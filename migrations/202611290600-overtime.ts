import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { addColumns, migration, oneOf, sql, tenantTable } from './sql'

const clock = '^([01][0-9]|2[0-3]):[0-5][0-9]$'
const factors = ['daily', 'weekly', 'night', 'sunday', 'holiday'].map((kind) => `${kind}_factor`)
const factor = (column: string) => `${column} BETWEEN 1 AND 5 AND ${column} = round(${column}, 2)`

/** Work beyond what is owed: the dated rules by which it is found, and the minutes. */
export const overtime = migration(202611290600, 'overtime', [
  tenantTable({
    schema: 'hr',
    table: 'overtime_rules',
    columns: {
      valid_from: 'date NOT NULL',
      daily_minutes: 'int',
      weekly_minutes: 'int',
      weekly_cap_minutes: 'int NOT NULL DEFAULT 2880',
      rounding_minutes: 'int NOT NULL DEFAULT 15',
      night_from: "varchar(5) NOT NULL DEFAULT '22:00'",
      night_to: "varchar(5) NOT NULL DEFAULT '06:00'",
      ...Object.fromEntries(factors.map((column) => [column, 'numeric NOT NULL DEFAULT 1'])),
      status: `${oneOf('status', ['PROPOSED', 'APPROVED'])} DEFAULT 'PROPOSED'`,
      proposed_by_id: 'uuid NOT NULL',
      approved_by_id: 'uuid',
      approved_at: 'timestamptz(3)',
    },
    checks: {
      daily_minutes: 'daily_minutes BETWEEN 0 AND 1440',
      weekly_minutes: 'weekly_minutes BETWEEN 0 AND 10080',
      weekly_cap_minutes: 'weekly_cap_minutes BETWEEN 1 AND 10080',
      rounding_minutes: 'rounding_minutes BETWEEN 1 AND 60',
      night_from: `night_from = '22:00' OR night_from ~ '${clock}'`,
      night_to: `night_to = '06:00' OR night_to ~ '${clock}'`,
      ...Object.fromEntries(factors.map((column) => [column, factor(column)])),
      approved:
        "(status = 'APPROVED') = (approved_by_id IS NOT NULL) AND (approved_by_id IS NULL) = (approved_at IS NULL)",
      two_persons: 'approved_by_id <> proposed_by_id',
    },
    references: {
      proposed_by_id: { table: 'identity.users' },
      approved_by_id: { table: 'identity.users' },
    },
    indexes: ['valid_from, id', { columns: 'valid_from', unique: true, where: "status = 'APPROVED'" }],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  }),
  constraintMessages('hr.overtime_rules', {
    overtime_rules_daily_minutes_check: 'must be between 0 and 1440',
    overtime_rules_weekly_minutes_check: 'must be between 0 and 10080',
    overtime_rules_weekly_cap_minutes_check: 'must be between 1 and 10080',
    overtime_rules_rounding_minutes_check: 'must be between 1 and 60',
    overtime_rules_night_from_check: 'must be a time of day such as 22:00',
    overtime_rules_night_to_check: 'must be a time of day such as 06:00',
    ...Object.fromEntries(
      factors.map((column) => [
        `overtime_rules_${column}_check`,
        'must be between 1 and 5, with two decimals at most',
      ]),
    ),
  }),
  tenantTable({
    schema: 'hr',
    table: 'overtime_records',
    columns: {
      employee_id: 'uuid NOT NULL',
      attendance_id: 'uuid NOT NULL',
      work_date: 'date NOT NULL',
      kind: oneOf('kind', ['DAILY', 'WEEKLY', 'NIGHT', 'SUNDAY', 'HOLIDAY']),
      minutes: 'int NOT NULL',
      exact_minutes: 'int NOT NULL',
      factor: 'numeric NOT NULL',
      is_over_cap: 'boolean NOT NULL DEFAULT false',
      status: `${oneOf('status', ['PROPOSED', 'REQUESTED', 'APPROVED', 'REJECTED', 'COMPENSATED'])} DEFAULT 'PROPOSED'`,
      compensation: "text CHECK (compensation IN ('PAY', 'TIME'))",
      compensated_at: 'timestamptz(3)',
      leave_entry_id: 'uuid',
      reason: 'varchar(1000)',
      requested_by_id: 'uuid',
      approved_by_id: 'uuid',
      decided_at: 'timestamptz(3)',
      decision_note: 'varchar(1000)',
      approver_id: 'uuid',
      // The login of the employee, as hr.employees has it: whose own it is.
      user_id: 'uuid',
    },
    checks: {
      minutes: 'minutes BETWEEN 1 AND 1440 AND minutes <= exact_minutes',
      factor: factor('factor'),
      compensated:
        "(status = 'COMPENSATED') = (compensation IS NOT NULL) AND (compensation IS NULL) = (compensated_at IS NULL)",
      leave_entry: "leave_entry_id IS NULL OR compensation = 'TIME'",
    },
    references: {
      employee_id: { table: 'hr.employees', index: 'employee_id, work_date, id' },
      attendance_id: { table: 'hr.attendance_records' },
      leave_entry_id: { table: 'hr.leave_ledger_entries' },
      requested_by_id: { table: 'identity.users' },
      approved_by_id: { table: 'identity.users' },
      approver_id: { table: 'identity.users', index: 'approver_id, work_date, id' },
      user_id: { table: 'identity.users', index: 'user_id, work_date, id' },
    },
    indexes: [
      'work_date, id',
      'created_at, id',
      // What waits for a decision waits once, however many workers look for it.
      { columns: 'employee_id, work_date, kind', unique: true, where: "status = 'PROPOSED'" },
    ],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('hr.overtime_records', {
    overtime_records_minutes_check: 'must be between 1 and 1440',
  }),
  // Whether overtime was looked for since the record was written or corrected.
  addColumns('hr.attendance_records', { is_overtime_checked: 'boolean NOT NULL DEFAULT false' }),
  sql(
    `CREATE INDEX attendance_records_unchecked ON hr.attendance_records (tenant_id, employee_id, work_date)
       WHERE NOT is_overtime_checked AND clock_out_at IS NOT NULL`,
    'DROP INDEX hr.attendance_records_unchecked',
  ),
  permissions({
    'hr:overtime:request': {
      allows: 'Ask for overtime of one’s own, see it, and decide about overtime that one is the approver of',
      roles: ['USER', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'ANALYST'],
    },
    'hr:overtime:read': { allows: 'Read everybody’s overtime', roles: ['HR_MANAGER'], sensitive: true },
    'hr:overtime:approve': {
      allows: 'Decide about everybody’s overtime, and about proposed rules',
      roles: ['HR_MANAGER'],
    },
    'hr:overtime:write': {
      allows: 'Propose rules of overtime, look for it, ask for that of others, and compensate it',
      roles: ['HR_MANAGER'],
    },
  }),
])
