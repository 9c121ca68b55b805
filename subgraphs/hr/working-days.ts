import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import type { DayHalf } from './entities/Holiday'
import { plannedDays, type CalendarFrom, type PlannedDay } from './rules/working-days'

const week = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']
  .map((day) => `c.${day}_minutes`)
  .join(', ')
const readCalendars = `
  SELECT c.id, a.valid_from, c.time_zone, ${week} FROM hr.calendar_assignments a
    JOIN hr.work_calendars c ON c.tenant_id = $1 AND c.id = a.calendar_id
   WHERE a.tenant_id = $1 AND a.employee_id = $2 AND a.valid_from <= $3
   UNION ALL
  SELECT c.id, NULL::date, c.time_zone, ${week} FROM hr.work_calendars c WHERE c.tenant_id = $1 AND c.is_default`
const readHolidays =
  'SELECT day, half, calendar_id FROM hr.holidays WHERE tenant_id = $1 AND day BETWEEN $2 AND $3'

type Rows = Pick<MutationTransaction, 'rows'>

/** The calendars by which an employee works until a day. */
export async function calendarsOf(
  { binding }: Pick<SubgraphContext, 'binding'>,
  tx: Rows,
  employeeId: string,
  until: string,
): Promise<CalendarFrom[]> {
  const rows = await tx.rows(prepared(readCalendars, [binding.tenantId, employeeId, until]))
  return rows.map(([id, validFrom, timeZone, ...minutes]) => ({
    id: String(id),
    validFrom: validFrom as string | null,
    timeZone: String(timeZone),
    minutes: minutes as number[],
  }))
}

/** The days of an employee from one to another, by calendars and holidays. */
export async function workingDays(
  context: Pick<SubgraphContext, 'binding'>,
  tx: Rows,
  calendars: readonly CalendarFrom[],
  from: string,
  to: string,
): Promise<PlannedDay[]> {
  const rows = await tx.rows(prepared(readHolidays, [context.binding.tenantId, from, to]))
  const holidays = rows.map(([day, half, calendarId]) => ({
    day: String(day),
    half: half as DayHalf,
    calendarId: calendarId as string | null,
  }))
  return plannedDays(calendars, holidays, from, to)
}
