import { money } from '../../../kernel/money'
import { meets } from './criteria'

export type CommissionType = 'PERCENTAGE' | 'TIERED' | 'FLAT' | 'ACCELERATOR'

/** A step of a scale: from the end of the one before it up to its own, which is no part of it. */
export interface Tier {
  /** In the smallest unit of the rule's currency, decimal digits; null of the last one. */
  upTo: string | null
  /** In per cent, a decimal; of an accelerator, per cent of its rate. */
  rate: string
}

/** Terms by which sales earn; days are half-open: from `startDate` to the day before `endDate`. */
export interface RuleTerms {
  type: CommissionType
  /** In per cent, 0 to 100 with two decimals. */
  rate: string
  /** For each sale, in the smallest unit of the currency. */
  flatAmount: string | null
  /** Null when it is for all currencies. */
  currency: string | null
  tiers: readonly Tier[]
  /** Each part at the rate of its own step, or else all at the rate of the step that is reached. */
  isMarginal: boolean
  criteria: string
  userId: string | null
  departmentId: string | null
  isStackable: boolean
  startDate: string
  endDate: string | null
}

/** A part of a sale that is somebody's. Where it comes from is of no matter here: transactions, later won opportunities. */
export interface AttributedSale {
  sourceType: string
  sourceId: string
  day: string
  /** The whole sale, in the currency's smallest unit; negative takes one back. */
  amount: string
  /** The part of it. */
  revenue: string
  /** In per cent. */
  share: string
  /** The shares of all whose the sale is, in one order whoever asks, and the place of this one among them. */
  shares: readonly string[]
  place: number
  category: string | null
  departmentId: string | null
  /** The sale that this one takes back, by whose day and amount it meets the rules; null when it takes none back. */
  original: { day: string; amount: string } | null
}

/** One step of the reckoning. Commission follows from the line alone: {@link replayed}. */
export interface CommissionLine {
  kind: 'SALE' | 'TIER' | 'ADJUSTMENT'
  ruleId: string | null
  sourceType: string | null
  sourceId: string | null
  day: string | null
  /** Its part of the revenue: of a sale once, however many rules it meets. */
  revenue: string
  /** The amount that the rate is of. */
  base: string
  /** In per cent, at most six decimals; null where none applies. */
  rate: string | null
  /** Of a flat rule, what this part of the sale earns; negative where a sale is taken back. */
  flatAmount: string | null
  /** The part of the sale, in per cent. */
  share: string | null
  commission: string
  /** The performance that an adjustment corrects. */
  adjustsId: string | null
}

/** A decimal of at most six digits behind the point in millionths. */
export function millionths(decimal: string): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.')
  return BigInt(whole + fraction.padEnd(6, '0'))
}

/** A quotient rounded to a whole number, halves away from zero. */
export function rounded(dividend: bigint, divisor: bigint): bigint {
  const size = dividend < 0n ? -dividend : dividend
  const result = (size + divisor / 2n) / divisor
  return dividend < 0n ? -result : result
}

/**
 * A per cent of an amount, rounded once to the smallest unit, halves away from zero.
 * @param rate a decimal of at most six digits behind the point
 */
export const percentOf = (minor: string, rate: string): string =>
  String(rounded(BigInt(minor) * millionths(rate), 100_000_000n))

/**
 * An amount in parts that add up to it: each rounded down towards nothing, what is left over goes unit by unit to the
 * largest remainders (Hamilton's method), among equals to the first.
 * @param shares in per cent, adding up to 100
 */
export function partsOf(minor: string, shares: readonly string[]): string[] {
  const amount = BigInt(minor)
  const [size, sign] = amount < 0n ? [-amount, -1n] : [amount, 1n]
  const exact = shares.map((share) => size * millionths(share))
  const parts = exact.map((one) => one / 100_000_000n)
  const order = exact
    .map((one, place) => ({ remainder: one % 100_000_000n, place }))
    .sort((a, b) => (a.remainder === b.remainder ? a.place - b.place : a.remainder < b.remainder ? 1 : -1))
  let left = size - parts.reduce((sum, one) => sum + one, 0n)
  for (const { place } of order) {
    if (left === 0n) break
    parts[place] = parts[place]! + 1n
    left -= 1n
  }
  return parts.map((one) => String(one * sign))
}

/** Why shares are no split, or null: each more than nothing with two decimals at most, and all of them 100. */
export function splitFault(shares: readonly string[]): string | null {
  if (shares.some((share) => !/^\d{1,3}(\.\d{1,2})?$/.test(share) || millionths(share) === 0n))
    return 'is more than 0, at most 100, with two decimals at most'
  const sum = shares.reduce((total, share) => total + millionths(share), 0n)
  return shares.length > 0 && sum !== 100_000_000n ? 'must add up to 100 per cent' : null
}

/** The lower end of each step: that of the first is nothing, that of another the end of the one before it. */
export const lowerEnds = (tiers: readonly Tier[]): string[] =>
  tiers.map((_tier, place) => (place === 0 ? '0' : tiers[place - 1]!.upTo!))

/** The commission of a line, from what stands in it: performances are checked by it, whatever happened to rules since. */
export function replayed({ kind, base, rate, flatAmount, commission }: CommissionLine): string {
  if (kind === 'ADJUSTMENT') return commission
  if (rate !== null) return percentOf(base, rate)
  return flatAmount ?? '0'
}

/**
 * Returns what a part of a sale earns by a flat rule: the parts of all whose it is add up to the amount, by {@link partsOf}. A credit that
 * reverses no sale takes none of it back.
 */
function flatPart(flatAmount: string, { amount, original, shares, place }: AttributedSale): string {
  if (BigInt(original?.amount ?? amount) < 0n) return '0'
  const part = BigInt(partsOf(flatAmount, shares)[place]!)
  return String(original ? -part : part)
}

/**
 * The rules that a sale of somebody earns by: every one that stacks, and of the others the one made most narrowly. What takes a
 * sale back meets those that the sale met.
 */
export function rulesFor<R extends RuleTerms & { id: string }>(
  rules: readonly R[],
  sale: AttributedSale,
  userId: string,
  currency: string,
): R[] {
  const { day, amount } = sale.original ?? sale
  const facts = {
    amount: Number(money(amount, currency).amount),
    currency,
    category: sale.category ?? '',
    day,
  }
  const meeting = rules.filter(
    (rule) =>
      rule.startDate <= day &&
      (rule.endDate === null || day < rule.endDate) &&
      (rule.userId === null || rule.userId === userId) &&
      (rule.departmentId === null || rule.departmentId === sale.departmentId) &&
      (rule.currency === null || rule.currency === currency) &&
      meets(rule.criteria, facts),
  )
  const narrowness = (rule: R) =>
    (rule.userId === null ? 0 : 4) + (rule.departmentId === null ? 0 : 2) + (rule.currency === null ? 0 : 1)
  const [narrowest] = meeting
    .filter((rule) => !rule.isStackable)
    .sort((a, b) => narrowness(b) - narrowness(a) || (a.id < b.id ? -1 : 1))
  return [...(narrowest ? [narrowest] : []), ...meeting.filter((rule) => rule.isStackable)]
}

const noLine = {
  ruleId: null,
  sourceType: null,
  sourceId: null,
  day: null,
  revenue: '0',
  base: '0',
  rate: null,
  flatAmount: null,
  share: null,
  commission: '0',
  adjustsId: null,
} as const

/**
 * The reckoning of somebody's sales in a currency: a line for each sale and rule that it meets, one without a rule for a sale
 * that meets none, and then a line for each step of a scale that was reached. The same sales and rules give the same lines.
 */
export function commissionLines(
  sales: readonly AttributedSale[],
  rules: readonly (RuleTerms & { id: string })[],
  userId: string,
  currency: string,
): CommissionLine[] {
  const lines: CommissionLine[] = []
  const scaled = new Map<RuleTerms & { id: string }, bigint>()
  for (const sale of sales) {
    const { sourceType, sourceId, day, share } = sale
    const about = { ...noLine, kind: 'SALE', sourceType, sourceId, day, share, base: sale.revenue } as const
    const met = rulesFor(rules, sale, userId, currency)
    if (met.length === 0) lines.push({ ...about, revenue: sale.revenue })
    for (const [place, rule] of met.entries()) {
      const line: CommissionLine = {
        ...about,
        ruleId: rule.id,
        revenue: place === 0 ? sale.revenue : '0',
        rate: rule.type === 'PERCENTAGE' ? rule.rate : null,
        flatAmount: rule.type === 'FLAT' ? flatPart(rule.flatAmount!, sale) : null,
      }
      lines.push({ ...line, commission: replayed(line) })
      if (rule.type === 'TIERED' || rule.type === 'ACCELERATOR')
        scaled.set(rule, (scaled.get(rule) ?? 0n) + BigInt(sale.revenue))
    }
  }
  for (const [rule, total] of scaled)
    for (const { base, rate } of stepsOf(rule, total)) {
      const line: CommissionLine = { ...noLine, kind: 'TIER', ruleId: rule.id, base, rate }
      lines.push({ ...line, commission: replayed(line) })
    }
  return lines
}

/** The parts of a total by the steps of a scale; what is taken back beyond nothing is at the first one's rate. */
function stepsOf(
  { type, rate, tiers, isMarginal }: RuleTerms,
  total: bigint,
): { base: string; rate: string }[] {
  const rateOf = (tier: Tier) => (type === 'ACCELERATOR' ? product(rate, tier.rate) : tier.rate)
  const ends = lowerEnds(tiers).map(BigInt)
  const reached = Math.max(
    0,
    ends.findLastIndex((from) => from <= total),
  )
  if (!isMarginal || reached === 0) return [{ base: String(total), rate: rateOf(tiers[reached]!) }]
  return tiers.slice(0, reached + 1).map((tier, place) => {
    const end = place === reached ? total : BigInt(tier.upTo!)
    return { base: String(end - ends[place]!), rate: rateOf(tier) }
  })
}

/** A per cent of a per cent, both of two decimals at most: exact with six. */
function product(rate: string, factor: string): string {
  const exact = (millionths(rate) * millionths(factor)) / 100_000_000n
  const digits = String(exact).padStart(7, '0')
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`
}

/** The sums of lines. */
export function totalsOf(lines: readonly Pick<CommissionLine, 'revenue' | 'commission'>[]) {
  const sum = (property: 'revenue' | 'commission') =>
    String(lines.reduce((total, line) => total + BigInt(line[property]), 0n))
  return { revenue: sum('revenue'), commission: sum('commission') }
}

/** Lines of a later performance for what an earlier one lacks or has too much of; none when it has neither. */
export function adjustmentLines(
  adjustsId: string,
  { before, after }: Record<'before' | 'after', { revenue: string; commission: string }>,
): CommissionLine[] {
  const revenue = String(BigInt(after.revenue) - BigInt(before.revenue))
  const commission = String(BigInt(after.commission) - BigInt(before.commission))
  if (revenue === '0' && commission === '0') return []
  return [{ ...noLine, kind: 'ADJUSTMENT', adjustsId, revenue, commission }]
}

/** The fault of a rule, and the input field at fault; null when nothing is. */
export function ruleFault(rule: RuleTerms): { field: string; fault: string } | null {
  const { type, flatAmount, currency, tiers, startDate, endDate } = rule
  const isScaled = type === 'TIERED' || type === 'ACCELERATOR'
  if (endDate !== null && endDate <= startDate) return { field: 'endDate', fault: 'must be after startDate' }
  if ((type === 'FLAT') !== (flatAmount !== null))
    return { field: 'flatAmount', fault: type === 'FLAT' ? 'is needed for FLAT' : 'is for FLAT only' }
  if (isScaled !== tiers.length > 0)
    return {
      field: 'tiers',
      fault: isScaled ? `are needed for ${type}` : 'are for TIERED and ACCELERATOR only',
    }
  if (type !== 'PERCENTAGE' && currency === null)
    return { field: 'currency', fault: 'is needed for amounts: only PERCENTAGE is for all currencies' }
  return tierFault(type, tiers)
}

function tierFault(type: CommissionType, tiers: readonly Tier[]): { field: string; fault: string } | null {
  const wrong = (fault: string) => ({ field: 'tiers', fault })
  let end = 0n
  for (const [place, { upTo, rate }] of tiers.entries()) {
    if (!/^\d{1,3}(\.\d{1,2})?$/.test(rate))
      return wrong('have rates of 0 to 999.99 with two decimals at most')
    if (type === 'TIERED' && Number(rate) > 100) return wrong('have rates of at most 100')
    const isLast = place === tiers.length - 1
    if (isLast !== (upTo === null)) return wrong('end with one without upTo, and have no other')
    if (upTo !== null && BigInt(upTo) <= end)
      return wrong('must rise: each upTo is more than the one before it')
    if (upTo !== null) end = BigInt(upTo)
  }
  return null
}
