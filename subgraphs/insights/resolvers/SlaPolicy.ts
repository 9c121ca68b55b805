import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { BusinessCalendar } from '../entities/BusinessCalendar'
import { SlaPolicy } from '../entities/SlaPolicy'
import type { InsightsUserErrorCode, Resolvers, UpdateBusinessCalendarInput } from '../generated'
import { hoursFault } from '../rules/business-hours'

const mostClosedDays = 500

function requireHours(
  tx: MutationTransaction<InsightsUserErrorCode>,
  { hours, closedOn }: Pick<UpdateBusinessCalendarInput, 'hours' | 'closedOn'>,
): void {
  const fault = hours ? hoursFault(hours) : null
  if (fault) tx.fail('INVALID', fault, 'hours')
  if (closedOn && closedOn.length > mostClosedDays)
    tx.fail('INVALID', `closedOn must have at most ${mostClosedDays} days`, 'closedOn')
}

export const slaPolicy: Resolvers = {
  Query: {
    slaPolicy: (_, { id }, context, info) => load(context, SlaPolicy, id, info),
    slaPolicies: (_, args, context, info) => page(context, SlaPolicy, args, info),
    businessCalendar: (_, { id }, context, info) => load(context, BusinessCalendar, id, info),
    businessCalendars: (_, args, context, info) => page(context, BusinessCalendar, args, info),
  },
  Mutation: {
    createSlaPolicy: (_, { input }, context) =>
      mutate(context, async (tx) => ({ slaPolicy: await tx.insert(SlaPolicy, input) })),
    updateSlaPolicy: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => ({
        slaPolicy: await tx.update(SlaPolicy, id, expectedVersion, changes),
      })),
    deleteSlaPolicy: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({ slaPolicy: await tx.remove(SlaPolicy, id, expectedVersion) })),
    createBusinessCalendar: (_, { input }, context) =>
      mutate(context, async (tx) => {
        requireHours(tx, input)
        return { businessCalendar: await tx.insert(BusinessCalendar, input) }
      }),
    updateBusinessCalendar: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => {
        requireHours(tx, changes)
        return { businessCalendar: await tx.update(BusinessCalendar, id, expectedVersion, changes) }
      }),
    deleteBusinessCalendar: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({
        businessCalendar: await tx.remove(BusinessCalendar, id, expectedVersion),
      })),
  },
  SlaPolicy: { calendar: one(SlaPolicy, 'calendarId', BusinessCalendar) },
}
