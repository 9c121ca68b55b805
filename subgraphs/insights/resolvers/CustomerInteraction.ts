import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { summary } from '../../../kernel/summary'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { Customer } from '../entities/Customer'
import { CustomerInteraction } from '../entities/CustomerInteraction'
import type { Resolvers } from '../generated'
import { searchInteractions } from '../search'

export const latestFirst = { defaultOrder: { property: 'occurredAt', direction: 'DESC' } } as const

/** Says how far a source's clock may be ahead of ours. */
const clockSkewMs = 5 * 60_000

/**
 * One statement, so that interactions recorded at the same time are all counted: it takes the customer's row as it is
 * when its turn comes. The version stays, or whoever edits a busy customer would never finish.
 */
const countInteraction = `
  UPDATE insights.customers
     SET interaction_count = interaction_count + 1,
         sentiment_sum = sentiment_sum + coalesce($3::numeric, 0),
         sentiment_count = sentiment_count + ($3::numeric IS NOT NULL)::int,
         first_seen_at = least(first_seen_at, $4::timestamptz),
         last_seen_at = greatest(last_seen_at, $4::timestamptz),
         updated_at = now()
   WHERE tenant_id = $1 AND id = $2`

export const customerInteraction: Resolvers = {
  Query: {
    customerInteraction: (_, { id }, context, info) => load(context, CustomerInteraction, id, info),
    customerInteractionSummary: (_, args, context, info) => summary(context, CustomerInteraction, args, info),
    customerInteractions: (_, args, context, info) =>
      page(context, CustomerInteraction, args, info, latestFirst),
    searchCustomerInteractions: (_, args, context, info) => searchInteractions(context, args, info),
  },
  Mutation: {
    recordInteraction: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const now = context.clock.now()
        const occurredAt = input.occurredAt ?? now.toISOString()
        if (Date.parse(occurredAt) > now.getTime() + clockSkewMs)
          tx.fail('INVALID', 'occurredAt must not be in the future', 'occurredAt')
        const isScored = typeof input.sentiment === 'number'
        const { row, isNew } = await tx.insertOnce(
          CustomerInteraction,
          { ...input, occurredAt, processedAt: isScored ? now.toISOString() : null },
          ['source', 'externalId'],
        )
        if (row.customerId !== input.customerId.toLowerCase())
          tx.fail('DUPLICATE', "externalId is that of another customer's interaction", 'externalId')
        if (isNew)
          await tx.run(
            prepared(countInteraction, [
              context.binding.tenantId,
              row.customerId,
              row.sentiment,
              row.occurredAt,
            ]),
          )
        return { customerInteraction: row, isNew }
      }),
  },
  CustomerInteraction: {
    customer: one(CustomerInteraction, 'customerId', Customer),
  },
}
