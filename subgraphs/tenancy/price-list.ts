import { prepared } from '../../kernel/statement'
import type { Item } from './rules/billing'
import type { Limits } from './rules/meters'
import type { Interval } from './rules/period'
import type { Read } from './usage'
import type { PlanCode } from './entities/Plan'

/** Describes what is chosen of the price list. */
export interface Choice {
  plan: PlanCode
  billingInterval: Interval
  currency: string
  seats: number
}

/** Describes what a subscription takes from the price list, as it is on a day. */
export interface Offer {
  planId: string
  trialDays: number
  features: unknown
  limits: Limits
  items: Item[]
}

// Of each thing that is priced the latest version that holds on the day.
const findOffer = `
  SELECT p.id, p.trial_days, p.features, p.limits, r.id, r.version, r.meter, r.amount::text, r.tier_mode, r.tiers
    FROM tenancy.plans p LEFT JOIN LATERAL (
      SELECT DISTINCT ON (COALESCE(meter, '')) id, version, meter, amount, tier_mode, tiers FROM tenancy.plan_prices
       WHERE plan_id = p.id AND currency = $2 AND billing_interval = $3
         AND valid_from <= $4 AND (valid_until IS NULL OR valid_until > $4)
       ORDER BY COALESCE(meter, ''), version DESC) r ON true
   WHERE p.code = $1 AND p.is_public AND p.retired_at IS NULL`

type Row = [
  string,
  number,
  unknown,
  Limits,
  ...(
    | [string, number, Item['meter'], string, Item['tierMode'], Item['tiers']]
    | [null, null, null, null, null, null]
  ),
]

/** Returns why a number of seats is none, or null. */
export const seatsFault = (seats: number): string | null =>
  seats < 1 || seats > 100_000 ? 'must be 1 to 100000' : null

/**
 * Returns what the price list offers for a choice on a day: 'NO_PLAN' when the plan is not offered to all, 'NO_PRICE' when it has no
 * price in this currency and interval.
 */
export async function offerOf(
  read: Read,
  choice: Choice,
  day: string,
): Promise<Offer | 'NO_PLAN' | 'NO_PRICE'> {
  const { plan, currency, billingInterval, seats } = choice
  const rows = (await read(prepared(findOffer, [plan, currency, billingInterval, day]))) as Row[]
  const [first] = rows
  if (!first) return 'NO_PLAN'
  const items = rows.flatMap(([, , , , priceId, version, meter, unitAmount, tierMode, tiers]): Item[] =>
    priceId === null
      ? []
      : [{ priceId, version, meter, quantity: meter === 'SEATS' ? seats : 1, unitAmount, tierMode, tiers }],
  )
  if (!items.some(({ meter }) => meter === null)) return 'NO_PRICE'
  const [planId, trialDays, features, limits] = first
  return { planId, trialDays, features, limits, items }
}
