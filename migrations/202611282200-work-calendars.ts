import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { addColumns, byLanguage, migration, oneOf, sql, tenantTable } from './sql'

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const
const isWorked = (place: number): boolean => place < 5

/** Work calendars, whose they are from when on, and the holidays that they keep. */
export const workCalendars = migration(202611282200, 'work-calendars', [
  tenantTable({
    schema: 'hr',
    table: 'work_calendars',
    columns: {
      name: 'varchar(100) NOT NULL',
      country_code: 'varchar(2)',
      region: 'varchar(10)',
      time_zone: 'varchar(64) NOT NULL',
      ...Object.fromEntries(
        weekdays.map((day, place) => [`${day}_minutes`, `int NOT NULL DEFAULT ${isWorked(place) ? 480 : 0}`]),
      ),
      is_default: 'boolean NOT NULL DEFAULT false',
      is_active: 'boolean NOT NULL DEFAULT true',
    },
    unique: [['name']],
    names: { name: 'spelling' },
    checks: {
      name: "name <> ''",
      country_code: "country_code ~ '^[A-Z]{2}$'",
      region: "region ~ '^[A-Z0-9]{1,10}$'",
      is_active: 'is_active OR NOT is_default',
      ...Object.fromEntries(weekdays.map((day) => [`${day}_minutes`, `${day}_minutes BETWEEN 0 AND 1440`])),
    },
    indexes: [
      byLanguage('name'),
      'created_at, id',
      { columns: 'is_default', unique: true, where: 'is_default' },
    ],
    grants: { app_hr: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('hr.work_calendars', {
    work_calendars_name_check: 'must not be empty',
    work_calendars_country_code_check: 'must be two capitals, such as DE',
    work_calendars_region_check: 'must be 1 to 10 capitals or digits, such as BY',
    work_calendars_is_active_check: 'do not go together: make another calendar the default first',
    ...Object.fromEntries(
      weekdays.map((day) => [`work_calendars_${day}_minutes_check`, 'must be between 0 and 1440']),
    ),
  }),
  tenantTable({
    schema: 'hr',
    table: 'calendar_assignments',
    columns: { employee_id: 'uuid NOT NULL', calendar_id: 'uuid NOT NULL', valid_from: 'date NOT NULL' },
    unique: [['employee_id', 'valid_from']],
    references: {
      employee_id: { table: 'hr.employees', index: 'employee_id, valid_from, id' },
      calendar_id: { table: 'hr.work_calendars' },
    },
    indexes: ['valid_from, id', 'created_at, id'],
    grants: { app_hr: ['SELECT', 'INSERT', 'DELETE'] },
  }),
  constraintMessages('hr.calendar_assignments', {
    calendar_assignments_employee_id_valid_from_key: 'has an assignment from this day on already',
  }),
  addColumns(
    'hr.holidays',
    {
      half: `${oneOf('half', ['FULL', 'MORNING', 'AFTERNOON'])} DEFAULT 'FULL'`,
      calendar_id: 'uuid',
      country_code: "varchar(2) CONSTRAINT holidays_country_code_check CHECK (country_code ~ '^[A-Z]{2}$')",
      region: "varchar(10) CONSTRAINT holidays_region_check CHECK (region ~ '^[A-Z0-9]{1,10}$')",
    },
    { calendar_id: { table: 'hr.work_calendars', index: 'calendar_id, day, id' } },
  ),
  sql(
    [
      'ALTER TABLE hr.holidays DROP CONSTRAINT holidays_day_key',
      // One for all calendars is one of a calendar that is null.
      `ALTER TABLE hr.holidays ADD CONSTRAINT holidays_day_calendar_id_key
         UNIQUE NULLS NOT DISTINCT (tenant_id, day, calendar_id)`,
      'GRANT UPDATE, DELETE ON hr.holidays TO app_hr',
    ],
    [
      'REVOKE UPDATE, DELETE ON hr.holidays FROM app_hr',
      'ALTER TABLE hr.holidays DROP CONSTRAINT holidays_day_calendar_id_key',
      'ALTER TABLE hr.holidays ADD CONSTRAINT holidays_day_key UNIQUE (tenant_id, day)',
    ],
  ),
  constraintMessages('hr.holidays', {
    holidays_day_calendar_id_key: 'are a holiday already',
    holidays_country_code_check: 'must be two capitals, such as DE',
    holidays_region_check: 'must be 1 to 10 capitals or digits, such as BY',
  }),
  permissions({
    'hr:calendar:write': { allows: 'Keep work calendars and holidays', roles: ['HR_MANAGER'] },
  }),
])
