import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { Holiday } from '../entities/Holiday'
import { WorkCalendar } from '../entities/WorkCalendar'
import type { HrUserErrorCode, ImportHolidaysInput, Resolvers } from '../generated'
import { lookAtHolidays } from '../overtime/look-again'
import { referred } from '../own-employment'
import { publicHolidays, type PublicHoliday } from '../public-holidays'

const knownDays =
  'SELECT day FROM hr.holidays WHERE tenant_id = $1 AND calendar_id IS NOT DISTINCT FROM $2 AND day = ANY ($3)'
const [firstYear, lastYear] = [1970, 2100]

export const holiday: Resolvers = {
  Query: {
    holiday: (_, { id }, context, info) => load(context, Holiday, id, info),
    holidays: (_, args, context, info) =>
      page(context, Holiday, args, info, { defaultOrder: { property: 'day', direction: 'ASC' } }),
  },
  Mutation: {
    createHoliday: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const holiday = await tx.insert(Holiday, withDefaults(input))
        await lookAtHolidays(context, tx, [holiday.day])
        return { holiday }
      }),
    updateHoliday: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => {
        const { day: former } = await tx.find(Holiday, id)
        const holiday = await tx.update(Holiday, id, expectedVersion, changes)
        for (const day of new Set([former, holiday.day])) await lookAtHolidays(context, tx, [day])
        return { holiday }
      }),
    deleteHoliday: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const holiday = await tx.remove(Holiday, id, expectedVersion)
        await lookAtHolidays(context, tx, [holiday.day])
        return { holiday }
      }),
    importHolidays: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const calendarId = input.calendarId ?? null
        // Locked, so that two imports into one calendar come one after the other.
        if (calendarId) await referred(tx, WorkCalendar, calendarId, 'calendarId')
        const found = await holidaysOf(tx, input)
        const days = found.map(({ day }) => day)
        const known = new Set(
          (await tx.rows(prepared(knownDays, [context.binding.tenantId, calendarId, days]))).map(String),
        )
        const { countryCode, region = null } = input
        const added = found
          .filter(({ day }) => !known.has(day))
          .map((one) => ({ ...one, calendarId, countryCode, region }))
        await lookAtHolidays(
          context,
          tx,
          added.map(({ day }) => day),
        )
        return {
          holidays: added.length > 0 ? await tx.insertAll(Holiday, added) : [],
          present: known.size,
        }
      }),
  },
  Holiday: {
    calendar: one(Holiday, 'calendarId', WorkCalendar),
  },
}

const withDefaults = <I extends { half?: unknown }>({ half, ...input }: I) => ({
  ...input,
  ...(half ? { half: half as Holiday['half'] } : {}),
})

/** The holidays that an import asks for; ends the mutation when there are none to be known. */
async function holidaysOf(
  tx: MutationTransaction<HrUserErrorCode>,
  { countryCode, region, year }: ImportHolidaysInput,
): Promise<PublicHoliday[]> {
  if (year < firstYear || year > lastYear)
    tx.fail('INVALID', `year must be between ${firstYear} and ${lastYear}`, 'year')
  const found = await publicHolidays(countryCode, region ?? null, year)
  if (!found)
    tx.fail(
      'INVALID',
      `No holidays are known of ${countryCode}${region ? `-${region}` : ''}: add them one by one`,
      region ? 'region' : 'countryCode',
    )
  return found
}
