import type { SubgraphContext } from '../../../kernel/context'
import { badUserInput, UserErrors } from '../../../kernel/errors'
import { needs } from '../../../kernel/entity'
import { isUuid } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import { PlanSubscription } from '../entities/PlanSubscription'
import { Tenant } from '../entities/Tenant'
import { UsageRecord } from '../entities/UsageRecord'
import type { Resolvers, TenancyUserErrorCode } from '../generated'
import { mutateInEntry } from '../in-entry'
import { recordCorrection, recordReadings } from '../record-usage'
import { todayOf } from '../today'
import { meteredSubscription, usageOn, type MeteredSubscription } from '../usage'

const defaultOrder = { property: 'occurredAt', direction: 'DESC' } as const
const mostAtOnce = 500

const findSubscription = `
  SELECT id, start_date::text, end_date::text, cancelled_at, anchor_date::text, billing_interval, limits FROM tenancy.subscriptions
   WHERE tenant_id = $1 AND (id = $2 OR $2 IS NULL AND current_of = $1)`

export const usageRecord: Resolvers = {
  Query: {
    usageRecord: (_, { id }, context, info) => load(context, UsageRecord, id, info),
    usageRecords: (_, args, context, info) => page(context, UsageRecord, args, info, { defaultOrder }),
    usageRecordSummary: (_, args, context, info) => summary(context, UsageRecord, args, info),
    usageSummary: async (_, { subscriptionId = null, on, meter }, context) => {
      if (subscriptionId !== null && !isUuid(subscriptionId))
        throw badUserInput(`"${subscriptionId}" is not an id`)
      const all = (await usageOf(context, subscriptionId, on ?? todayOf(context))) ?? []
      return meter ? all.filter((usage) => usage.meter === meter) : all
    },
  },
  Mutation: {
    recordUsage: (_, { input }, context) => {
      const work = async (tx: MutationTransaction<TenancyUserErrorCode>) => {
        const { results, uses } = await recordReadings(context, tx, [input])
        const { usageRecord, error } = results[0]!
        if (error) throw new UserErrors([error])
        return { usageRecord, usage: uses.usageOf(usageRecord.subscriptionId, usageRecord.meter) }
      }
      return context.operator ? mutateInEntry(context, 'RECORD_USAGE', work) : mutate(context, work)
    },
    recordUsageBatch: (_, { input: { records } }, context) =>
      mutate(context, async (tx) => {
        if (records.length < 1 || records.length > mostAtOnce)
          tx.fail('INVALID', `records must be 1 to ${mostAtOnce}`, 'records')
        const { results } = await recordReadings(context, tx, records)
        return {
          results: results.map(({ usageRecord, error }) => ({
            usageRecord,
            userErrors: error ? [error] : [],
          })),
        }
      }),
    correctUsage: (_, { input: { id, ...correction } }, context) =>
      mutateInEntry(context, 'CORRECT_USAGE', async (tx) => {
        const { usageRecord, error } = await recordCorrection(context, tx, id, correction)
        if (error) throw new UserErrors([error])
        return { usageRecord }
      }),
  },
  UsageRecord: {
    subscription: one(UsageRecord, 'subscriptionId', PlanSubscription),
    correctionOf: one(UsageRecord, 'correctionOfId', UsageRecord),
  },
  PlanSubscription: {
    usageRecords: needs(PlanSubscription, ['id'], ({ id }, args, context, info) =>
      nested(context, UsageRecord, 'subscriptionId', id, args, info, { defaultOrder }),
    ),
  },
  Tenant: {
    usage: needs(Tenant, ['id'], async (_row, _args, context) => {
      const all = (await usageOf(context, null, todayOf(context))) ?? []
      return Object.fromEntries(all.map(({ meter, used }) => [meter, used]))
    }),
    limits: needs(Tenant, ['id'], async (_row, _args, context) => {
      const subscription = await findMetered(context, null)
      return subscription?.limits ?? {}
    }),
  },
}

async function findMetered(context: SubgraphContext, id: string | null): Promise<MeteredSubscription | null> {
  const { tenantId } = context.binding
  const [row] = await context.db.rows(context.binding, prepared(findSubscription, [tenantId, id]))
  return row ? meteredSubscription(row) : null
}

/** Returns what a subscription used within the period of a day, by meter; null when there is none. */
async function usageOf(context: SubgraphContext, id: string | null, day: string) {
  const subscription = await findMetered(context, id)
  if (!subscription) return null
  const read = (statement: Parameters<typeof context.db.rows>[1]) =>
    context.db.rows(context.binding, statement)
  return usageOn(read, context.binding.tenantId!, subscription, day)
}
