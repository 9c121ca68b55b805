import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { rowByKey } from '../../../kernel/query'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { CalendarAssignment } from '../entities/CalendarAssignment'
import { Employee } from '../entities/Employee'
import { Holiday } from '../entities/Holiday'
import { WorkCalendar } from '../entities/WorkCalendar'
import type { HrUserErrorCode, Resolvers } from '../generated'
import { lookAgain } from '../overtime/look-again'
import { requireOthers } from '../own-employment'

const defaultOrder = { property: 'name', direction: 'ASC' } as const
const presentDefault =
  'SELECT id FROM hr.work_calendars WHERE tenant_id = $1 AND is_default AND id <> $2 FOR UPDATE'

/** The keys are an employee's id and a day. */
const calendarOn = rowByKey(
  WorkCalendar,
  `SELECT k.key, coalesce(
     (SELECT a.calendar_id FROM hr.calendar_assignments a
       WHERE a.tenant_id = $1 AND a.employee_id = split_part(k.key, ' ', 1)::uuid
         AND a.valid_from <= split_part(k.key, ' ', 2)::date ORDER BY a.valid_from DESC LIMIT 1),
     (SELECT c.id FROM hr.work_calendars c WHERE c.tenant_id = $1 AND c.is_default))
   FROM unnest($2::text[]) AS k (key)`,
)

export const workCalendar: Resolvers = {
  Query: {
    workCalendar: (_, { id }, context, info) => load(context, WorkCalendar, id, info),
    workCalendars: (_, args, context, info) => page(context, WorkCalendar, args, info, { defaultOrder }),
  },
  Mutation: {
    createWorkCalendar: (_, { input }, context) =>
      mutate(context, async (tx) => ({ workCalendar: await tx.insert(WorkCalendar, given(input)) })),
    updateWorkCalendar: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => {
        const workCalendar = await tx.update(WorkCalendar, id, expectedVersion, changes)
        if (Object.keys(changes).some((name) => name.endsWith('Minutes'))) await lookAgain(context, tx)
        return { workCalendar }
      }),
    chooseWorkCalendar: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const { id: chosen } = await tx.find(WorkCalendar, id)
        await clearDefault(context, tx, chosen)
        const workCalendar = await tx.update(WorkCalendar, id, expectedVersion, { isDefault: true })
        await lookAgain(context, tx)
        return { workCalendar }
      }),
    archiveWorkCalendar: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({
        workCalendar: await tx.update(WorkCalendar, id, expectedVersion, { isActive: false }),
      })),
    createCalendarAssignment: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const calendarAssignment = await tx.insert(CalendarAssignment, input)
        await requireOthers(context, tx, calendarAssignment.employeeId, 'employeeId', { isIndifferent: true })
        const { isActive } = await tx.find(WorkCalendar, calendarAssignment.calendarId)
        if (!isActive)
          tx.fail('INVALID', 'calendarId is of a closed calendar: choose an open one', 'calendarId')
        const { validFrom: from, employeeId } = calendarAssignment
        await lookAgain(context, tx, { from, employeeId })
        return { calendarAssignment }
      }),
    deleteCalendarAssignment: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const calendarAssignment = await tx.remove(CalendarAssignment, id, expectedVersion)
        await requireOthers(context, tx, calendarAssignment.employeeId, 'id', { isIndifferent: true })
        const { validFrom: from, employeeId } = calendarAssignment
        await lookAgain(context, tx, { from, employeeId })
        return { calendarAssignment }
      }),
  },
  WorkCalendar: {
    holidays: needs(WorkCalendar, ['id'], ({ id }, args, context, info) =>
      nested(context, Holiday, 'calendarId', id, args, info, {
        defaultOrder: { property: 'day', direction: 'ASC' },
      }),
    ),
  },
  CalendarAssignment: {
    employee: one(CalendarAssignment, 'employeeId', Employee),
    calendar: one(CalendarAssignment, 'calendarId', WorkCalendar),
  },
  Employee: {
    calendarAssignments: needs(Employee, ['id'], ({ id }, args, context, info) =>
      nested(context, CalendarAssignment, 'employeeId', id, args, info, {
        defaultOrder: { property: 'validFrom', direction: 'DESC' },
      }),
    ),
    workCalendar: needs(Employee, ['id'], ({ id }, { on }: { on: string }, context, info) =>
      calendarOn(context, `${id} ${on}`, info),
    ),
  },
}

/** The values that are given: what is null has its default. */
const given = <T extends object>(values: T): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as T

/** Takes the default from whichever other calendar has it. */
async function clearDefault(
  context: SubgraphContext,
  tx: MutationTransaction<HrUserErrorCode>,
  id: string,
): Promise<void> {
  const [row] = await tx.rows(prepared(presentDefault, [context.binding.tenantId, id]))
  if (row) await tx.update(WorkCalendar, String(row[0]), null, { isDefault: false })
}
