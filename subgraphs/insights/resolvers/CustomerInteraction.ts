import { isDeepStrictEqual } from 'node:util'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { summary } from '../../../kernel/summary'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { Customer } from '../entities/Customer'
import { CustomerInteraction } from '../entities/CustomerInteraction'
import type { RecordInteractionInput, Resolvers } from '../generated'
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
   WHERE tenant_id = $1 AND id = $2 AND is_active`

/** A score as it is kept: with four decimals. */
const fourDecimals = (score: number | null | undefined) =>
  typeof score === 'number' ? Math.round(score * 10_000) / 10_000 : score

/** Names what an input says otherwise than the interaction that was recorded under its key. */
function differences(row: CustomerInteraction, input: RecordInteractionInput): string[] {
  const said: Partial<Record<keyof RecordInteractionInput, unknown>> = {
    customerId: input.customerId.toLowerCase(),
    // A time that was left out was the time of the first report.
    occurredAt: input.occurredAt ? new Date(input.occurredAt).toISOString() : row.occurredAt,
    channel: input.channel,
    eventType: input.eventType,
    content: input.content ?? null,
    sentiment: fourDecimals(input.sentiment) ?? null,
    sentimentConfidence: fourDecimals(input.sentimentConfidence) ?? null,
    metadata: input.metadata ?? {},
  }
  return Object.entries(said).flatMap(([field, value]) =>
    isDeepStrictEqual(value, row[field as keyof CustomerInteraction]) ? [] : [field],
  )
}

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
          {
            ...input,
            occurredAt,
            sentiment: fourDecimals(input.sentiment),
            sentimentConfidence: fourDecimals(input.sentimentConfidence),
            processedAt: isScored ? now.toISOString() : null,
          },
          ['source', 'externalId'],
        )
        const others = isNew ? [] : differences(row, input)
        if (others.length > 0)
          tx.fail(
            'DUPLICATE',
            `externalId is that of another interaction: ${others.join(', ')}`,
            'externalId',
          )
        const counted =
          !isNew ||
          (await tx.run(
            prepared(countInteraction, [
              context.binding.tenantId,
              row.customerId,
              row.sentiment,
              row.occurredAt,
            ]),
          ))
        if (!counted)
          tx.fail('INVALID_STATUS', 'This customer is out of use: reactivate it first', 'customerId')
        return { customerInteraction: row, isNew }
      }),
  },
  CustomerInteraction: {
    customer: one(CustomerInteraction, 'customerId', Customer),
  },
}
