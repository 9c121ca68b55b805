export { currencyDecimals, currencyEnds } from './schema/currencies'
import { currencyDecimals } from './schema/currencies'
import { userError } from './errors'

/** An amount as the graph gives and takes it. */
export interface Money {
  /** Decimal text in the currency's main unit. */
  amount: string
  /** ISO 4217 code. */
  currency: string
}

/** PostgreSQL's bigint, on both sides alike, so that every amount that can be stored can be reversed. */
const largest = 2n ** 63n - 1n

/** The graph's form of a stored amount: whole minor units as digits, and the currency. Null when either is null. */
export function money(minor: string, currency: string): Money
export function money(minor: string | null | undefined, currency: string | null | undefined): Money | null
export function money(minor: string | null | undefined, currency: string | null | undefined): Money | null {
  if (minor === null || minor === undefined || !currency) return null
  const decimals = currencyDecimals.get(currency)
  if (decimals === undefined || !/^-?\d+$/.test(minor))
    throw new Error(`Not a stored amount: ${minor} ${currency}`)
  const sign = minor.startsWith('-') ? '-' : ''
  const padded = minor.slice(sign.length).padStart(decimals + 1, '0')
  const point = padded.length - decimals
  const fraction = decimals > 0 ? `.${padded.slice(point)}` : ''
  return { amount: `${sign}${padded.slice(0, point)}${fraction}`, currency }
}

/**
 * The stored form of an amount: whole minor units as digits, and the currency. Throws the user error INVALID on `field`
 * when it is no decimal number, has more decimals than its currency or is too large to store; nothing is ever rounded.
 */
export function parseMoney(
  { amount, currency }: Money,
  field = 'amount',
): { minor: string; currency: string } {
  const decimals = currencyDecimals.get(currency)
  const [, sign = '', whole, fraction = ''] = /^(-?)(\d{1,40})(?:\.(\d{1,40}))?$/.exec(amount) ?? []
  if (decimals === undefined) throw userError('INVALID', `${field} is in no known currency`, [field])
  if (whole === undefined) throw userError('INVALID', `${field} must be a decimal number`, [field])
  const significant = fraction.replace(/0+$/, '')
  if (significant.length > decimals)
    throw userError('INVALID', `${field} must have at most ${decimals} decimals in ${currency}`, [field])
  const minor = BigInt(sign + whole + significant.padEnd(decimals, '0'))
  if (minor > largest || minor < -largest) throw userError('INVALID', `${field} is too large`, [field])
  return { minor: String(minor), currency }
}

/**
 * The two columns of an amount as values to write: undefined leaves both untouched, null empties both. Throws as
 * {@link parseMoney} does, naming the first column's property.
 */
export function moneyColumns<A extends string, C extends string>(
  value: Money | null | undefined,
  amountColumn: A,
  currencyColumn: C,
): { [K in A | C]?: string | null } {
  const columns: Record<string, string | null | undefined> = {}
  if (value !== undefined) {
    const parsed = value === null ? null : parseMoney(value, amountColumn)
    columns[amountColumn] = parsed?.minor ?? null
    columns[currencyColumn] = parsed?.currency ?? null
  }
  return columns as { [K in A | C]?: string | null }
}
