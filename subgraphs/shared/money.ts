import { userError } from './errors'

/** An amount as the graph gives and takes it. */
export interface Money {
  /** Decimal text in the currency's main unit. */
  amount: string
  /** ISO 4217 code. */
  currency: string
}

/** PostgreSQL's bigint: larger amounts of the smallest unit cannot be stored. */
const largest = 2n ** 63n - 1n

const digits = new Map<string, number>()

/** How many decimals a currency has (ISO 4217, column "minor unit"), as the Unicode CLDR data of Node.js knows them. */
export function decimalsOf(currency: string): number {
  let known = digits.get(currency)
  if (known === undefined) {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency })
    known = format.resolvedOptions().maximumFractionDigits ?? 2
    digits.set(currency, known)
  }
  return known
}

/** The graph's form of a stored amount: whole minor units as digits, and the currency. Null when either is null. */
export function money(minor: string, currency: string): Money
export function money(minor: string | null | undefined, currency: string | null | undefined): Money | null
export function money(minor: string | null | undefined, currency: string | null | undefined): Money | null {
  if (minor === null || minor === undefined || !currency) return null
  const decimals = decimalsOf(currency)
  const sign = minor.startsWith('-') ? '-' : ''
  const padded = minor.slice(sign.length).padStart(decimals + 1, '0')
  const whole = padded.slice(0, padded.length - decimals)
  const fraction = decimals > 0 ? `.${padded.slice(-decimals)}` : ''
  return { amount: `${sign}${whole}${fraction}`, currency }
}

/**
 * The stored form of an amount: whole minor units as digits, and the currency. Throws the user error INVALID on `field`
 * when it has more decimals than its currency or is too large to store; nothing is ever rounded.
 */
export function parseMoney({ amount, currency }: Money, field = 'amount'): { minor: string; currency: string } {
  const decimals = decimalsOf(currency)
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(amount) ?? []
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
