import { shifted } from './decimal'
import type { Meter } from './meters'
import { dayAfter, periodOn, type Interval, type Period } from './period'
import { prorate, spanOf, unusedPart } from './proration'
import { pricedParts, type Tier, type TierMode } from './tiers'

/** A price as it was agreed when the subscription took it: later versions of the list do not change it. */
export interface Item {
  priceId: string
  /** The version of the price list. */
  version: number
  /** Null for the fee of the plan, SEATS for each seat; otherwise a meter, which is billed when the period is over. */
  meter: Meter | 'SEATS' | null
  quantity: number
  /** Holds what one costs for a period, in the currency's smallest unit; of a meter nothing. */
  unitAmount: string
  tierMode: TierMode | null
  tiers: Tier[] | null
}

/** A line before it is on an invoice: unit prices in the currency's smallest unit. */
export interface BilledLine {
  description: string
  quantity: string
  unitPrice: string
  serviceStart: string
  serviceEnd: string
}

const isAdvance = ({ meter }: Item): boolean => meter === null || meter === 'SEATS'

/** Returns what the fees of a period cost, before tax, in the currency's smallest unit. */
export function advanceAmount(items: readonly Item[]): bigint {
  return items
    .filter(isAdvance)
    .reduce((sum, { quantity, unitAmount }) => sum + BigInt(quantity) * BigInt(unitAmount), 0n)
}

/**
 * The fees of a period that is billed when it begins. Days before `from`, such as those of a trial, and from `until` on are
 * free: by the second, from midnight UTC.
 */
export function feeLines(
  plan: string,
  items: readonly Item[],
  period: Period,
  { from, until }: { from: string; until: string | null },
): BilledLine[] {
  const serviceStart = from > period.start ? from : period.start
  const serviceEnd = until !== null && until < period.end ? until : period.end
  if (serviceStart >= serviceEnd) return []
  const isWhole = serviceStart === period.start && serviceEnd === period.end
  const [span, part] = [spanOf(period), spanOf({ start: serviceStart, end: serviceEnd })]
  return items.filter(isAdvance).flatMap(({ meter, quantity, unitAmount }) => {
    const whole = BigInt(unitAmount) * BigInt(quantity)
    if (whole === 0n) return []
    const description = meter === null ? `${plan}, fee` : `${plan}, seats`
    const service = { serviceStart, serviceEnd }
    if (isWhole) return [{ description, quantity: String(quantity), unitPrice: unitAmount, ...service }]
    const amount = unusedPart(whole, span, part.start) - unusedPart(whole, span, part.end)
    return [
      {
        description: `${description}, part of a period`,
        quantity: '1',
        unitPrice: String(amount),
        ...service,
      },
    ]
  })
}

/** Returns what was used in a period that is over, beyond what the plan includes, by the tiers of each meter. */
export function usageLines(
  items: readonly Item[],
  used: ReadonlyMap<Meter, string>,
  period: Period,
  decimals: number,
): BilledLine[] {
  return items.flatMap(({ meter, tierMode, tiers }) => {
    if (meter === null || meter === 'SEATS' || !tierMode || !tiers) return []
    return pricedParts(tierMode, tiers, used.get(meter) ?? '0').map(({ quantity, unitPrice }) => ({
      description: `Use: ${meter}`,
      quantity,
      unitPrice: shifted(unitPrice, decimals),
      serviceStart: period.start,
      serviceEnd: period.end,
    }))
  })
}

/** Returns what a change within a billed period costs: the unused fee of the old items back, that of the new ones on top. */
export function changeLines(
  change: { oldPlan: string; newPlan: string; old: readonly Item[]; new: readonly Item[] },
  period: Period,
  at: Date,
): BilledLine[] {
  const { credit, charge } = prorate({
    period: spanOf(period),
    at: at.getTime(),
    from: advanceAmount(change.old),
    to: advanceAmount(change.new),
  })
  const day = at.toISOString().slice(0, 10)
  const service = { serviceStart: day, serviceEnd: period.end > day ? period.end : dayAfter(day, 1) }
  const line = (description: string, amount: bigint) =>
    amount === 0n ? [] : [{ description, quantity: '1', unitPrice: String(amount), ...service }]
  return [
    ...line(`${change.oldPlan}, unused part`, credit),
    ...line(`${change.newPlan}, rest of the period`, charge),
  ]
}

/** Describes what of a subscription a change of it is reckoned from. */
export interface BilledTerm {
  plan: string
  items: readonly Item[]
  billingInterval: Interval
  /** The day from which periods are counted. */
  anchor: string
  /** The first day that is not billed yet. */
  billedFrom: string
  trialEndsOn: string | null
}

/** Returns what a change at an instant costs: nothing while its period is not billed, and nothing for the days of a trial. */
export function linesOfChange(
  term: BilledTerm,
  changed: { plan: string; items: readonly Item[] },
  now: Date,
): BilledLine[] {
  if (term.billedFrom <= now.toISOString().slice(0, 10)) return []
  const period = periodOn(term.anchor, term.billingInterval, dayAfter(term.billedFrom, -1))
  const trialEnd = term.trialEndsOn === null ? 0 : Date.parse(`${term.trialEndsOn}T00:00:00.000Z`)
  const at = new Date(Math.max(now.getTime(), trialEnd))
  const plans = { oldPlan: term.plan, newPlan: changed.plan, old: term.items, new: changed.items }
  return changeLines(plans, period, at)
}
