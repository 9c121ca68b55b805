import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { page } from '../../../kernel/page'
import { rowPolicy } from '../../../kernel/policy'
import { valueByKey } from '../../../kernel/query'
import { Plan } from '../entities/Plan'
import type { Resolvers } from '../generated'
import { todayOf } from '../today'

const defaultOrder = { property: 'name', direction: 'ASC' } as const

/** Holds what is agreed with single tenants is not shown to others. */
export const publicPlan = rowPolicy(Plan, ['isPublic'], () => [{ isPublic: true }])

interface ListedPrice {
  id: string
  version: number
  currency: string
  interval: 'MONTHLY' | 'ANNUAL'
  amount: string
  meter: string | null
  tierMode: 'GRADUATED' | 'VOLUME' | null
  tiers: unknown
  validFrom: string
  validUntil: string | null
}

const pricesOf = valueByKey<ListedPrice[]>(
  `SELECT r.plan_id, jsonb_agg(jsonb_build_object('id', r.id, 'version', r.version, 'currency', r.currency,
            'interval', r.billing_interval, 'amount', r.amount::text, 'meter', r.meter, 'tierMode', r.tier_mode,
            'tiers', r.tiers, 'validFrom', r.valid_from, 'validUntil', r.valid_until)
            ORDER BY r.currency, r.billing_interval, r.meter NULLS FIRST)
     FROM (SELECT DISTINCT ON (plan_id, currency, billing_interval, COALESCE(meter, '')) * FROM tenancy.plan_prices
            WHERE plan_id = ANY ($2) AND valid_from <= $1 AND (valid_until IS NULL OR valid_until > $1)
            ORDER BY plan_id, currency, billing_interval, COALESCE(meter, ''), version DESC) r
    GROUP BY r.plan_id`,
  [],
  (context, keys) => [todayOf(context), keys],
)

export const plan: Resolvers = {
  Query: {
    plan: (_, { id }, context, info) => load(context, Plan, id, info),
    plans: (_, args, context, info) => page(context, Plan, args, info, { defaultOrder }),
  },
  Plan: {
    prices: needs(Plan, ['id'], async ({ id }, _args, context) =>
      (await pricesOf(context, id)).map(({ amount, currency, ...price }) => ({
        ...price,
        amount: money(amount, currency),
      })),
    ),
  },
}
