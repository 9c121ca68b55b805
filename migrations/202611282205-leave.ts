import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { byLanguage, migration, oneOf, sql, tenantTable } from './sql'

const halves = ['FULL', 'MORNING', 'AFTERNOON']
/** Hundredths of a day: what a rule divides comes out even. */
const hundredths = (column: string) => `${column} = round(${column}, 2)`

/** A day that every year has. */
const monthAndDay =
  '^((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))$'

/** Kinds of leave, requests for it, and the ledger of days that they use. */
export const leave = migration(202611282205, 'leave', [
  tenantTable({
    schema: 'hr',
    table: 'leave_types',
    columns: {
      code: 'varchar(20) NOT NULL',
      name: 'varchar(100) NOT NULL',
      is_paid: 'boolean NOT NULL DEFAULT true',
      is_medical: 'boolean NOT NULL DEFAULT false',
      accrual: `${oneOf('accrual', ['NONE', 'ANNUAL', 'MONTHLY'])} DEFAULT 'NONE'`,
      annual_days: 'numeric',
      carry_over_days: 'numeric NOT NULL DEFAULT 0',
      carry_over_expires: 'varchar(5)',
      allows_negative: 'boolean NOT NULL DEFAULT false',
      needs_approval: 'boolean NOT NULL DEFAULT true',
      notice_days: 'int NOT NULL DEFAULT 0',
      pays_out: 'boolean NOT NULL DEFAULT true',
      is_active: 'boolean NOT NULL DEFAULT true',
    },
    unique: [['code'], ['name']],
    names: { code: 'spelling', name: 'spelling' },
    checks: {
      code: "code <> ''",
      name: "name <> ''",
      annual_days: `annual_days BETWEEN 0 AND 366 AND ${hundredths('annual_days')}`,
      accrual_days: "accrual = 'NONE' OR annual_days IS NOT NULL",
      carry_over_days: `carry_over_days BETWEEN 0 AND 366 AND ${hundredths('carry_over_days')}`,
      carry_over_expires: `carry_over_expires = '03-31' OR carry_over_expires ~ '${monthAndDay}'`,
      notice_days: 'notice_days BETWEEN 0 AND 366',
    },
    indexes: [byLanguage('code'), 'created_at, id'],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('hr.leave_types', {
    leave_types_code_check: 'must not be empty',
    leave_types_name_check: 'must not be empty',
    leave_types_annual_days_check: 'must be between 0 and 366, with two decimals at most',
    leave_types_accrual_days_check: 'belong together: accrual needs days',
    leave_types_carry_over_days_check: 'must be between 0 and 366, with two decimals at most',
    leave_types_carry_over_expires_check: 'must be a month and a day of every year, such as 03-31',
    leave_types_notice_days_check: 'must be between 0 and 366',
  }),
  // The last number given.
  tenantTable({
    schema: 'hr',
    table: 'number_series',
    without: ['id', 'version', 'created_at', 'updated_at'],
    columns: { series: oneOf('series', ['LEAVE']), last_number: 'int NOT NULL CHECK (last_number > 0)' },
    primaryKey: ['series'],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  tenantTable({
    schema: 'hr',
    table: 'leave_requests',
    columns: {
      request_number: 'varchar(20) NOT NULL',
      employee_id: 'uuid NOT NULL',
      leave_type_id: 'uuid NOT NULL',
      start_date: 'date NOT NULL',
      start_half: `${oneOf('start_half', halves)} DEFAULT 'FULL'`,
      end_date: 'date NOT NULL',
      end_half: `${oneOf('end_half', halves)} DEFAULT 'FULL'`,
      days: 'numeric NOT NULL',
      // What it takes of each year: a list of {from, days}.
      parts: "jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(parts) = 'array')",
      // Encrypted.
      reason: 'text',
      status: `${oneOf('status', ['PENDING', 'APPROVED', 'REJECTED', 'CANCELLED', 'REVOKED'])} DEFAULT 'PENDING'`,
      approver_id: 'uuid',
      handed_on_by: "uuid[] NOT NULL DEFAULT '{}'",
      decided_at: 'timestamptz(3)',
      decision_note: 'varchar(1000)',
      // The login of the employee, as hr.employees has it: whose own it is.
      user_id: 'uuid',
      // As the kind of leave was: whose reason it is.
      is_medical: 'boolean NOT NULL DEFAULT false',
    },
    unique: [['request_number']],
    checks: {
      days: 'days > 0 AND days <= 366',
      end_date: 'end_date BETWEEN start_date AND start_date + 365',
      halves: `CASE WHEN start_date = end_date THEN start_half = end_half
               ELSE start_half <> 'MORNING' AND end_half <> 'AFTERNOON' END`,
    },
    references: {
      employee_id: { table: 'hr.employees', index: 'employee_id, start_date, id' },
      leave_type_id: { table: 'hr.leave_types' },
      approver_id: { table: 'identity.users', index: 'approver_id, created_at, id' },
      user_id: { table: 'identity.users', index: 'user_id, created_at, id' },
    },
    indexes: ['start_date, id', 'created_at, id', 'employee_id, created_at, id'],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  sql(
    `CREATE INDEX leave_requests_in_clear ON hr.leave_requests (tenant_id, id)
       WHERE reason IS NOT NULL AND (reason LIKE 'enc1:%') IS NOT TRUE`,
    'DROP INDEX hr.leave_requests_in_clear',
  ),
  constraintMessages('hr.leave_requests', {
    leave_requests_days_check: 'must be more than 0 and 366 at most',
    leave_requests_end_date_check:
      'must be in order: endDate not before startDate, and 365 days later at most',
    leave_requests_halves_check:
      'must fit: leave of several days begins FULL or at noon (AFTERNOON) and ends FULL or at noon (MORNING); of one day both are the same',
  }),
  tenantTable({
    schema: 'hr',
    table: 'leave_ledger_entries',
    without: ['version', 'updated_at'],
    columns: {
      employee_id: 'uuid NOT NULL',
      leave_type_id: 'uuid NOT NULL',
      kind: oneOf('kind', ['ACCRUAL', 'USE', 'CARRY_OVER', 'EXPIRY', 'ADJUSTMENT', 'PAYOUT', 'REVERSAL']),
      days: 'numeric NOT NULL',
      effective_on: 'date NOT NULL',
      valid_until: 'date',
      request_id: 'uuid',
      reverses_id: 'uuid',
      note: 'varchar(500)',
      user_id: 'uuid',
    },
    checks: {
      days: `days <> 0 AND days BETWEEN -366 AND 366 AND ${hundredths('days')}`,
      note: "kind <> 'ADJUSTMENT' OR note <> ''",
    },
    references: {
      employee_id: { table: 'hr.employees', index: 'employee_id, leave_type_id, effective_on, id' },
      leave_type_id: { table: 'hr.leave_types' },
      request_id: { table: 'hr.leave_requests' },
      reverses_id: { table: 'hr.leave_ledger_entries' },
      user_id: { table: 'identity.users', index: 'user_id, effective_on, id' },
    },
    indexes: [
      'effective_on, id',
      'created_at, id',
      // What the rules give, they give once, however many workers there are.
      {
        columns: 'employee_id, leave_type_id, kind, effective_on',
        unique: true,
        where: "kind IN ('ACCRUAL', 'CARRY_OVER')",
      },
      { columns: 'reverses_id, kind', unique: true, where: "kind = 'REVERSAL'" },
    ],
    grants: { app_hr: ['SELECT', 'INSERT'] },
  }),
  // Whose own an entry is follows the employee's login; all else stays as it was written.
  sql('GRANT UPDATE (user_id) ON hr.leave_ledger_entries TO app_hr', []),
  constraintMessages('hr.leave_ledger_entries', {
    leave_ledger_entries_days_check: 'must be between -366 and 366, not 0, with two decimals at most',
    leave_ledger_entries_note_check: 'must say why',
  }),
  permissions({
    'hr:leave:request': {
      allows: 'Ask for leave of one’s own, see it, and decide about requests that one is the approver of',
      roles: ['USER', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'ANALYST'],
    },
    'hr:leave:read': {
      allows: 'Read everybody’s requests for leave, their ledger, and reasons that are not medical',
      roles: ['HR_MANAGER'],
    },
    'hr:leave:approve': { allows: 'Decide about everybody’s requests for leave', roles: ['HR_MANAGER'] },
    'hr:leave:write': {
      allows: 'Keep kinds of leave, ask for and take back leave of others, and correct the ledger',
      roles: ['HR_MANAGER'],
    },
    'hr:leave:medical': { allows: 'Read why somebody is ill', roles: ['HR_MANAGER'] },
  }),
])
