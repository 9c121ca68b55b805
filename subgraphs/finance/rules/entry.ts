import { money } from '../../../kernel/money'

/** An amount that an entry books on an account, before it is converted. */
export interface Booking {
  /** In the currency's smallest unit, decimal digits: debits are positive, credits negative. */
  amount: string
  currency: string
  /** Units of the base currency for one of the currency, a decimal; needed where the two differ. */
  exchangeRate?: string | null
}

/** The same in the base currency. */
export interface Valued {
  exchangeRate: string | null
  /** In the base currency's smallest unit. */
  baseAmount: string | null
  baseCurrency: string | null
}

/** The most postings of an entry, besides one for a rounding difference. */
export const mostPostings = 200

/** The largest amount that can be stored. */
const largest = 2n ** 63n - 1n

/**
 * Why postings are no entry, or null: there are 2 to 200, each fits, and they add up to nothing in each currency (the
 * equality of debits and credits of double-entry bookkeeping, Pacioli 1494).
 */
export function entryFault(postings: readonly Booking[]): string | null {
  if (postings.length < 2 || postings.length > mostPostings)
    return `An entry has 2 to ${mostPostings} postings`
  const sums = new Map<string, bigint>()
  for (const { amount, currency } of postings) sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(amount))
  for (const [currency, sum] of sums)
    if (sum !== 0n) {
      const { amount } = money(String(sum < 0n ? -sum : sum), currency)
      return `Debits and credits must be equal in ${currency}: ${sum > 0n ? 'credits' : 'debits'} lack ${amount}`
    }
  return null
}

/** The decimals that a currency has. */
const decimalsOf = (currency: string): number => money('0', currency).amount.split('.')[1]?.length ?? 0

/**
 * An amount in another currency, rounded to its smallest unit, halves away from zero.
 * @param minor in the smallest unit of `from`, decimal digits; so is the result of `to`
 * @param rate units of `to` for one of `from`, a positive decimal
 */
export function converted(minor: string, from: string, rate: string, to: string): string {
  const [whole = '0', fraction = ''] = rate.split('.')
  const scale = fraction.length + decimalsOf(from) - decimalsOf(to)
  const product = BigInt(minor) * BigInt(whole + fraction)
  if (scale <= 0) return String(product * 10n ** BigInt(-scale))
  const unit = 10n ** BigInt(scale)
  const size = product < 0n ? -product : product
  const rounded = (size + unit / 2n) / unit
  return String(product < 0n ? -rounded : rounded)
}

/** Why postings cannot be converted, and which one is at fault; its place counts from 0. */
export interface ConversionFault {
  place: number | null
  fault: string
}

/**
 * Postings with their values in the base currency, and what rounding left over: `rounding` is to be added to the values
 * so that they add up to nothing. A posting may be off by half a unit; more than that for each is no rounding, but rates
 * that contradict each other, and refused.
 * @param baseCurrency null when nothing is converted
 */
export function valued<B extends Booking>(
  postings: readonly B[],
  baseCurrency: string | null,
): { postings: (B & Valued)[]; rounding: string } | ConversionFault {
  if (baseCurrency === null) {
    const place = postings.findIndex(({ exchangeRate }) => exchangeRate)
    if (place >= 0) return { place, fault: 'exchangeRate needs a baseCurrency' }
    const bare = { exchangeRate: null, baseAmount: null, baseCurrency: null }
    return { postings: postings.map((posting) => ({ ...posting, ...bare })), rounding: '0' }
  }
  const values: (B & Valued)[] = []
  let sum = 0n
  for (const [place, posting] of postings.entries()) {
    const { amount, currency } = posting
    const isBase = currency === baseCurrency
    if (isBase && posting.exchangeRate)
      return { place, fault: `exchangeRate is for other currencies than ${baseCurrency}` }
    if (!isBase && !posting.exchangeRate)
      return { place, fault: `exchangeRate must say what one ${currency} is in ${baseCurrency}` }
    const exchangeRate = posting.exchangeRate ?? null
    const baseAmount = exchangeRate ? converted(amount, currency, exchangeRate, baseCurrency) : amount
    if (BigInt(baseAmount) > largest || BigInt(baseAmount) < -largest)
      return { place, fault: `the amount is too large in ${baseCurrency}` }
    sum += BigInt(baseAmount)
    values.push({ ...posting, exchangeRate, baseAmount, baseCurrency })
  }
  const size = sum < 0n ? -sum : sum
  if (size * 2n > BigInt(postings.length))
    return {
      place: null,
      fault: `The rates contradict each other: in ${baseCurrency} ${money(String(size), baseCurrency).amount} are left over`,
    }
  return { postings: values, rounding: String(-sum) }
}

/** The opposite of a posting, with the same rate, so that both together are nothing in either currency. */
export function opposite<P extends { amount: string; baseAmount: string | null }>(posting: P): P {
  const { amount, baseAmount } = posting
  return {
    ...posting,
    amount: String(-BigInt(amount)),
    baseAmount: baseAmount === null ? null : String(-BigInt(baseAmount)),
  }
}

/** The number of an entry: its year, and its place in it with six digits or more. */
export function entryNumberOf(year: number, place: string | number): string {
  return `${String(year).padStart(4, '0')}-${String(place).padStart(6, '0')}`
}

/** The day of an instant in UTC, as everywhere in the books. */
export function dayOf(instant: string): string {
  return instant.slice(0, 10)
}
