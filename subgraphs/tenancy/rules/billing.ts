import { divided, scaled, shifted, unscaled } from './decimal'
import {
  aggregationOf,
  meters,
  noReadings,
  quantityDecimals,
  usedOf,
  type Meter,
  type Readings,
} from './meters'
import { dayAfter, periodOn, type Interval, type Period } from './period'
import { prorate, spanOf, unusedPart } from './proration'
import { pricedParts, type PricedPart, type Tier, type TierMode } from './tiers'

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

/** Describes what was agreed for a while, and what meters told from the start of the period to the end of that while. */
export interface AgreedUse {
  items: readonly Item[]
  readings: ReadonlyMap<Meter, Readings>
  /** The time it held within the period, in any unit that all of them have in common. */
  weight: bigint
}

/**
 * Lines of what was used in a period, by meter: each part at the prices that held when it was used, and in the
 * tiers in which it lies of the whole period, so that what is included is included once. Where what is used adds up, each spell brings
 * its tiers by its share of the period: an hour of a plan includes an hour's part. A level, such as the most that was stored, is
 * priced as agreed when it was reached.
 * @param spells in the order of time
 */
export function usageLines(
  spells: readonly AgreedUse[],
  period: Period,
  decimals: number,
): Map<Meter, BilledLine[]> {
  const service = { serviceStart: period.start, serviceEnd: period.end }
  const found = new Map<Meter, BilledLine[]>()
  for (const meter of meters) {
    const lines = pricedUse(spells, meter).map(({ quantity, unitPrice }) => ({
      ...{ description: `Use: ${meter}`, quantity, unitPrice: shifted(unitPrice, decimals) },
      ...service,
    }))
    if (lines.length > 0) found.set(meter, lines)
  }
  return found
}

function pricedUse(spells: readonly AgreedUse[], meter: Meter): PricedPart[] {
  const found = spells.map(({ items, readings, weight }) => ({
    item: items.find((item) => item.meter === meter),
    readings: readings.get(meter) ?? noReadings,
    weight,
  }))
  const all = aggregationOf[meter] === 'SUM' ? sharedTiers(found) : found
  const last = all.at(-1)?.readings
  if (!last) return []
  const whole = usedOf(meter, last)
  // Of the latest reading alone there are no parts: it is priced as agreed when it was made.
  const priced =
    aggregationOf[meter] === 'LAST'
      ? all.filter(({ readings }) => readings.lastAt === last.lastAt).slice(0, 1)
      : all
  let before = '0'
  return priced.flatMap(({ item, readings }) => {
    const after = usedOf(meter, readings)
    const part = scaled(after, quantityDecimals) - scaled(before, quantityDecimals)
    const within = { before, whole }
    before = after
    if (part <= 0n || !item?.tierMode || !item.tiers) return []
    return pricedParts(item.tierMode, item.tiers, unscaled(part, quantityDecimals), within)
  })
}

/** The same with tiers that end where the shares of all of them end; of one that has fewer tiers, those of the other hold. */
function sharedTiers<T extends { item: Item | undefined; weight: bigint }>(spells: readonly T[]): T[] {
  const whole = spells.reduce((sum, { weight }) => sum + weight, 0n)
  return spells.map((spell) => {
    const { item } = spell
    if (!item?.tiers || whole <= 0n) return spell
    const tiers = item.tiers.map((tier, place) => {
      if (tier.upTo === null) return tier
      const parts = spells.reduce((sum, { item: other, weight }) => {
        const upTo = other?.tiers ? (other.tiers[place]?.upTo ?? tier.upTo!) : '0'
        return sum + scaled(upTo, quantityDecimals) * weight
      }, 0n)
      const shared = divided(parts, whole)
      const upTo = shared === scaled(tier.upTo, quantityDecimals) ? shared : wholeUnits(shared)
      return { ...tier, upTo: unscaled(upTo, quantityDecimals) }
    })
    return { ...spell, item: { ...item, tiers } }
  })
}

const unit = 10n ** BigInt(quantityDecimals)
/** Rounds an end of a tier that was shared up to a whole unit, in favour of whoever uses. */
const wholeUnits = (quantity: bigint): bigint => ((quantity + unit - 1n) / unit) * unit

/** Returns what a change within a billed period costs: the unused fee of the old items back, that of the new ones on top. */
export function changeLines(
  change: { oldPlan: string; newPlan: string; old: readonly Item[]; new: readonly Item[] },
  period: Period,
  at: Date,
  endDate: string | null = null,
): BilledLine[] {
  const end = endDate !== null && endDate < period.end ? endDate : period.end
  const { credit, charge } = prorate({
    period: spanOf(period),
    at: at.getTime(),
    until: Date.parse(`${end}T00:00:00.000Z`),
    from: advanceAmount(change.old),
    to: advanceAmount(change.new),
  })
  const day = at.toISOString().slice(0, 10)
  const service = { serviceStart: day, serviceEnd: end > day ? end : dayAfter(day, 1) }
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
  /** The first day that is not billed yet; null before the first invoice. */
  billedUntil: string | null
  trialEndsOn: string | null
  /** The first day after the term; null when no end is agreed. */
  endDate: string | null
}

/** Returns what a change at an instant costs: nothing while its period is not billed, and nothing for the days of a trial. */
export function linesOfChange(
  term: BilledTerm,
  changed: { plan: string; items: readonly Item[] },
  now: Date,
): BilledLine[] {
  if (term.billedUntil === null || term.billedUntil <= now.toISOString().slice(0, 10)) return []
  const period = periodOn(term.anchor, term.billingInterval, dayAfter(term.billedUntil, -1))
  const trialEnd = term.trialEndsOn === null ? 0 : Date.parse(`${term.trialEndsOn}T00:00:00.000Z`)
  const at = new Date(Math.max(now.getTime(), trialEnd))
  const plans = { oldPlan: term.plan, newPlan: changed.plan, old: term.items, new: changed.items }
  return changeLines(plans, period, at, term.endDate)
}
