import { priceDecimals, scaled, unscaled } from './decimal'

/**
 * Says how tiers price a quantity. GRADUATED: each part of it at the price of the tier in which it lies. VOLUME: all of it at the
 * price of the tier in which the whole lies.
 */
export type TierMode = 'GRADUATED' | 'VOLUME'

/** One step of a price list. Quantities have at most four decimals, prices at most twelve. */
export interface Tier {
  /** The last quantity of this tier, itself included; null for the last tier. */
  upTo: string | null
  /** Holds what one costs, in the currency's main unit. */
  unitPrice: string
  /** Holds what is charged besides once the tier is used, in the currency's main unit; nothing when left out. */
  flatPrice?: string
}

/** A part of a quantity with its price: a line of an invoice. */
export interface PricedPart {
  quantity: string
  unitPrice: string
}

const quantityDecimals = 4
const mostTiers = 50
const decimal = /^\d{1,15}(\.\d{1,12})?$/

/**
 * Returns why a list of tiers is none, or null. Tiers cover everything from 0 to infinity without gap or overlap: each
 * begins where the one before it ends, so only the ends are written, and the last has none.
 */
export function tiersFault(tiers: unknown): string | null {
  if (!Array.isArray(tiers) || tiers.length < 1 || tiers.length > mostTiers)
    return `must be a list of 1 to ${mostTiers} tiers`
  let last = 0n
  for (const [place, tier] of tiers.entries()) {
    const fault = tierFault(tier)
    if (fault) return `has a fault in tier ${place + 1}: ${fault}`
    const { upTo } = tier as Tier
    if ((upTo === null) !== (place === tiers.length - 1))
      return 'must cover all quantities: upTo is null in the last tier, and in no other'
    if (upTo === null) break
    const end = scaled(upTo, quantityDecimals)
    if (end <= last)
      return `has a fault in tier ${place + 1}: upTo must be more than that of the tier before it`
    last = end
  }
  return null
}

function tierFault(tier: unknown): string | null {
  if (typeof tier !== 'object' || tier === null || Array.isArray(tier)) return 'it must be an object'
  const { upTo, unitPrice, flatPrice = '0', ...others } = tier as Record<string, unknown>
  const [other] = Object.keys(others)
  if (other !== undefined) return `${other} is none of upTo, unitPrice and flatPrice`
  if (upTo !== null && !isDecimal(upTo, quantityDecimals))
    return `upTo must be null or a text of a number with at most ${quantityDecimals} decimals`
  if (!isDecimal(unitPrice, priceDecimals) || !isDecimal(flatPrice, priceDecimals))
    return `prices must be texts of numbers that are not negative, with at most ${priceDecimals} decimals`
  return null
}

const isDecimal = (value: unknown, places: number): boolean =>
  typeof value === 'string' && decimal.test(value) && (value.split('.')[1] ?? '').length <= places

/**
 * A quantity in the parts in which tiers price it; none for a quantity of nothing, which costs nothing. A flat price is a part
 * of one, of a tier that is entered. Only the amount of a part is rounded, so the price of the whole is that of its lines.
 * @param within of a quantity that is a part of more: what lies before it, and what the whole is
 */
export function pricedParts(
  mode: TierMode,
  tiers: readonly Tier[],
  quantity: string,
  within: { before: string; whole: string } = { before: '0', whole: quantity },
): PricedPart[] {
  const [before, whole] = [scaled(within.before, quantityDecimals), scaled(within.whole, quantityDecimals)]
  const after = before + scaled(quantity, quantityDecimals)
  const parts: PricedPart[] = []
  let from = 0n
  for (const tier of tiers) {
    const end = tier.upTo === null ? null : scaled(tier.upTo, quantityDecimals)
    const [least, most] = mode === 'GRADUATED' ? [from, end ?? after] : [0n, after]
    const holds = mode === 'GRADUATED' || end === null || whole <= end
    const part = (most < after ? most : after) - (least > before ? least : before)
    if (holds && part > 0n) parts.push(...partsOf(tier, part, before <= least))
    if (end === null || (mode === 'GRADUATED' ? after : whole) <= end) return parts
    from = end
  }
  return parts
}

function partsOf({ unitPrice, flatPrice }: Tier, quantity: bigint, isEntered: boolean): PricedPart[] {
  const hasFlat = isEntered && flatPrice !== undefined && scaled(flatPrice, priceDecimals) > 0n
  const flat = hasFlat ? [{ quantity: '1', unitPrice: flatPrice }] : []
  return [{ quantity: unscaled(quantity, quantityDecimals), unitPrice }, ...flat]
}
