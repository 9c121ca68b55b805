import { divided, priceDecimals, scaled } from './decimal'
import type { TaxTreatment } from './tax'

/** Decimals of a quantity and of a tax rate. */
const places = 4
/** PostgreSQL's bigint. */
const largest = 2n ** 63n - 1n

/** Describes what a line's amount is made of. */
export interface PricedLine {
  /** Decimal text of at most four places, more than 0. */
  quantity: string
  /** In the currency's smallest unit, decimal text of at most twelve places. */
  unitPrice: string
}

export interface TaxedLine {
  amount: string
  /** Per cent, decimal text of at most four places. */
  taxRate: string
}

export interface Totals {
  subtotal: string
  tax: string
  total: string
}

/** Tells whether an amount can be stored. */
export function fits(amount: string): boolean {
  const value = BigInt(amount)
  return value <= largest && value >= -largest
}

/** Returns what is wrong with a line, or null; its price is judged by the currency. */
export function lineFault(line: {
  description: string
  quantity: string
  taxRate: string
  taxTreatment?: TaxTreatment
  taxReason?: string | null
}): { field: string; message: string } | null {
  const { description, quantity, taxRate, taxTreatment = 'STANDARD', taxReason = null } = line
  if (description.trim() === '' || [...description].length > 500)
    return { field: 'description', message: 'must have 1 to 500 characters' }
  if (!isBetween(quantity, 1n, 10n ** 13n))
    return {
      field: 'quantity',
      message: 'must be more than 0 and at most 1000000000, with at most 4 decimals',
    }
  if (!isBetween(taxRate, 0n, 10n ** 6n))
    return { field: 'taxRate', message: 'must be 0 to 100, with at most 4 decimals' }
  const isTaxed = scaled(taxRate, places) > 0n
  if (isTaxed && taxTreatment !== 'STANDARD')
    return { field: 'taxRate', message: 'must be 0 without tax and with reverse charge' }
  if (isTaxed && taxReason !== null)
    return { field: 'taxReason', message: 'must be left out where tax is paid' }
  if (taxTreatment !== 'STANDARD' && taxReason === null)
    return { field: 'taxReason', message: 'must say why no tax is paid' }
  return taxReason !== null && (taxReason.trim() === '' || [...taxReason].length > 500)
    ? { field: 'taxReason', message: 'must have 1 to 500 characters' }
    : null
}

/** Tells whether a decimal has at most four places and lies in a range of ten thousandths. */
function isBetween(decimal: string, least: bigint, most: bigint): boolean {
  if (!/^-?\d+(\.\d{1,4})?$/.test(decimal)) return false
  const value = scaled(decimal, places)
  return value >= least && value <= most
}

/** Quantity by unit price, rounded to a whole smallest unit, halves away from zero. Nothing before it is rounded. */
export function amountOf({ quantity, unitPrice }: PricedLine): string {
  const product = scaled(quantity, places) * scaled(unitPrice, priceDecimals)
  return String(divided(product, 10n ** BigInt(places + priceDecimals)))
}

/**
 * The totals of an invoice. Tax is rounded once for each rate, on the sum of the lines that have it (EN 16931-1,
 * BR-CO-17), so that splitting a line in two changes nothing.
 */
export function totalsOf(lines: readonly TaxedLine[]): Totals {
  const taxable = new Map<bigint, bigint>()
  for (const { amount, taxRate } of lines) {
    const rate = scaled(taxRate, places)
    taxable.set(rate, (taxable.get(rate) ?? 0n) + BigInt(amount))
  }
  let subtotal = 0n
  let tax = 0n
  for (const [rate, amount] of taxable) {
    subtotal += amount
    tax += divided(amount * rate, 100n * 10n ** BigInt(places))
  }
  return { subtotal: String(subtotal), tax: String(tax), total: String(subtotal + tax) }
}

/** The number of an invoice by its place in the tenant's series: `INV-000042`. */
export function invoiceNumberOf(place: number): string {
  return `INV-${String(place).padStart(6, '0')}`
}

/** The status of an issued invoice by what is settled of it; one without anything to pay is paid at once. */
export function settledStatus(total: string, settled: string): 'ISSUED' | 'PARTLY_PAID' | 'PAID' {
  if (BigInt(settled) >= BigInt(total)) return 'PAID'
  return BigInt(settled) > 0n ? 'PARTLY_PAID' : 'ISSUED'
}

/** Describes what of an invoice is settled, in the currency's smallest unit. */
export interface Settled {
  total: string
  amountPaid: string
  amountCredited: string
  status: string
}

/** Returns what is left to be paid: nothing of an invoice that is void. */
export function balanceOf({ total, amountPaid, amountCredited, status }: Settled): string {
  return status === 'VOID' ? '0' : String(BigInt(total) - BigInt(amountPaid) - BigInt(amountCredited))
}

/** Days from issue to the last day on which to pay, where nothing else was agreed. */
export const paymentDays = 30

/** Tells whether something is owed after the last day on which to pay. */
export function isOverdue(status: string, dueDate: string | null, today: string): boolean {
  return (status === 'ISSUED' || status === 'PARTLY_PAID') && dueDate !== null && dueDate < today
}

/**
 * When an invoice is issued: now, and never before the one that has the number before it, whatever clock issued that.
 * @param last when the last one of the series was issued, ISO 8601; null for the first
 */
export function issueTime(now: Date, last: string | null): string {
  return new Date(Math.max(now.getTime(), last === null ? 0 : Date.parse(last))).toISOString()
}
