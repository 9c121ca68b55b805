import { userError } from '../../kernel/errors'
import { currencyDecimals, currencyEnds, type Money } from '../../kernel/money'
import { decimalsOf, priceDecimals, shifted } from './rules/decimal'

/** Most digits before the point of a stored price. */
const longest = 19

/**
 * The stored form of a unit price: in the currency's smallest unit, with what decimals are left. Throws the user error INVALID
 * on `path` when it has more than twelve decimals or is too large.
 * @param price in the currency's main unit
 */
export function parseUnitPrice(price: string, currency: string, path: readonly string[]): string {
  const field = path.at(-1)!
  if (decimalsOf(price) > priceDecimals)
    throw userError('INVALID', `${field} must have at most ${priceDecimals} decimals`, path)
  const stored = shifted(price, currencyDecimals.get(currency)!)
  if (stored.replace('-', '').split('.')[0]!.length > longest)
    throw userError('INVALID', `${field} is too large`, path)
  return stored
}

/** The graph's form of a stored unit price: with the decimals of its currency at least, and all that it has. */
export function unitMoney(stored: string, currency: string): Money {
  const decimals = currencyDecimals.get(currency)!
  const [whole = '0', fraction = ''] = shifted(stored, -decimals).split('.')
  const shown = fraction.padEnd(decimals, '0')
  return { amount: shown ? `${whole}.${shown}` : whole, currency }
}

/**
 * Throws the user error INVALID on `path` for a currency in which nothing new is agreed.
 * @param today ISO 8601
 */
export function requireCurrentCurrency(currency: string, today: string, path: readonly string[]): void {
  const end = currencyEnds.get(currency)
  if (end !== undefined && end <= today)
    throw userError('INVALID', `${currency} ended on ${end}: choose a currency that is in use`, path)
}
