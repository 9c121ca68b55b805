import { decimalsOf, divided, scaled, unscaled } from './decimal'
import { amountOf } from './invoice'

/** A line of an invoice, and what issued notes credited of it. Amounts are in the currency's smallest unit. */
export interface CreditableLine {
  id: string
  description: string
  quantity: string
  /** Decimal text of at most twelve places. */
  unitPrice: string
  amount: string
  /** Per cent, decimal text of at most four places. */
  taxRate: string
  credited: string
}

/** Describes what is taxed at one rate of a document. */
export interface RatePart {
  rate: string
  net: string
  tax: string
}

/** An invoice with what issued notes, those that are void left out, took of it. */
export interface CreditableInvoice {
  lines: readonly CreditableLine[]
  total: string
  /** Holds the parts of all issued notes, as each of them has them. */
  creditedParts: readonly RatePart[]
}

/** Describes what is asked to be credited of a line: so much of its quantity, an amount, or with neither what is left. */
export interface CreditRequest {
  invoiceLineId: string
  quantity?: string | null
  /** In the currency's smallest unit. */
  amount?: string | null
}

/** A line of a credit note, with the sign of the invoice's. */
export interface CreditedLine {
  invoiceLineId: string
  description: string
  quantity: string | null
  amount: string
  taxRate: string
}

/** Describes what a credit note says. */
export interface Credit {
  lines: CreditedLine[]
  parts: RatePart[]
  subtotal: string
  tax: string
  total: string
}

/** Says what is wrong with a request. */
export interface CreditFault {
  /** The place of the line at fault; null for all of them. */
  place: number | null
  field: 'invoiceLineId' | 'quantity' | 'amount' | null
  message: string
  /** Tells whether the invoice has no such line. */
  isUnknown?: true
}

const places = 4

/** Returns what is left to be credited of each line that has something left: the request for a whole invoice. */
export function allThatIsLeft({ lines }: CreditableInvoice): CreditRequest[] {
  return lines.filter((line) => line.amount !== line.credited).map(({ id }) => ({ invoiceLineId: id }))
}

/**
 * Returns what a note would say, or why there can be none: no line, no rate and no invoice is credited beyond what it was
 * billed, and a discount that was given comes off what it was given on.
 *
 * Tax is that of the invoice's line, not of the day. It is what the tax on all that is credited at a rate is more than what was
 * credited of it before, so that notes which credit everything credit exactly the invoice's tax (EN 16931-1, BR-CO-17).
 */
export function creditOf(
  invoice: CreditableInvoice,
  requests: readonly CreditRequest[],
): Credit | CreditFault {
  const known = new Map(invoice.lines.map((line) => [line.id, line]))
  const lines: CreditedLine[] = []
  for (const [place, request] of requests.entries()) {
    const line = known.get(request.invoiceLineId)
    if (!line) return { place, field: 'invoiceLineId', message: 'is no line of the invoice', isUnknown: true }
    if (lines.some(({ invoiceLineId }) => invoiceLineId === line.id))
      return { place, field: 'invoiceLineId', message: 'is there twice' }
    const credited = creditedLine(line, request)
    if ('message' in credited) return { place, ...credited }
    lines.push(credited)
  }
  return withTotals(invoice, lines)
}

/**
 * Returns what of an invoice is credited to give back amounts by rate, before tax, no more than is left of its lines and at
 * their rate; what is asked for is taken off `wanted`.
 * @param wanted rate, in ten thousandths of a per cent, -> amount in the currency's smallest unit, more than nothing
 */
export function creditFrom(invoice: CreditableInvoice, wanted: Map<bigint, bigint>): CreditRequest[] {
  const [billed, before] = [netByRate(invoice.lines), sumsByRate(invoice.creditedParts)]
  const atRate = new Map([...billed].map(([rate, net]) => [rate, net - (before.get(rate)?.net ?? 0n)]))
  return invoice.lines.flatMap(({ id, amount, credited, taxRate }) => {
    const rate = scaled(taxRate, places)
    const most = [BigInt(amount) - BigInt(credited), atRate.get(rate) ?? 0n, wanted.get(rate) ?? 0n]
    const part = most.reduce((least, one) => (one < least ? one : least))
    if (part <= 0n) return []
    atRate.set(rate, atRate.get(rate)! - part)
    wanted.set(rate, wanted.get(rate)! - part)
    return [{ invoiceLineId: id, amount: String(part) }]
  })
}

const signOf = (value: bigint): bigint => (value < 0n ? -1n : 1n)

function creditedLine(
  line: CreditableLine,
  { quantity = null, amount = null }: CreditRequest,
): CreditedLine | Pick<CreditFault, 'field' | 'message'> {
  const field = quantity === null ? 'amount' : 'quantity'
  if (quantity !== null && amount !== null)
    return { field: 'amount', message: 'must not be given with quantity' }
  if (
    quantity !== null &&
    (decimalsOf(quantity) > places ||
      scaled(quantity, places) <= 0n ||
      scaled(quantity, places) > scaled(line.quantity, places))
  )
    return {
      field,
      message: `must be more than 0 and at most ${line.quantity}, with at most ${places} decimals`,
    }
  const left = BigInt(line.amount) - BigInt(line.credited)
  const sign = signOf(BigInt(line.amount))
  const asked =
    quantity !== null
      ? BigInt(amountOf({ quantity, unitPrice: line.unitPrice }))
      : amount !== null
        ? BigInt(amount)
        : left
  const common = { invoiceLineId: line.id, description: line.description, taxRate: line.taxRate }
  if (asked * sign > 0n && asked * sign <= left * sign) return { ...common, quantity, amount: String(asked) }
  return left === 0n
    ? { field: 'invoiceLineId', message: 'is credited already' }
    : { field, message: 'is nothing, or more than is left to be credited of this line' }
}

function withTotals(invoice: CreditableInvoice, lines: CreditedLine[]): Credit | CreditFault {
  const whole = (message: string): CreditFault => ({ place: null, field: null, message })
  const billed = netByRate(invoice.lines)
  const before = sumsByRate(invoice.creditedParts)
  const parts: RatePart[] = []
  for (const [rate, net] of netByRate(lines)) {
    const most = billed.get(rate)!
    const sign = signOf(most)
    const { net: netBefore, tax: taxBefore } = before.get(rate) ?? { net: 0n, tax: 0n }
    const shown = unscaled(rate, places)
    if (net * sign < 0n)
      return whole(`take back more of discounts than of what they were given on, at ${shown} %`)
    if ((netBefore + net) * sign > most * sign)
      return whole(`credit more than was billed at ${shown} %: credit its discounts with it`)
    const tax = sign * divided(sign * (netBefore + net) * rate, 100n * 10n ** BigInt(places)) - taxBefore
    parts.push({ rate: shown, net: String(net), tax: String(tax * sign > 0n ? tax : 0n) })
  }
  parts.sort((a, b) => Number(scaled(a.rate, places) - scaled(b.rate, places)))
  const subtotal = parts.reduce((sum, { net }) => sum + BigInt(net), 0n)
  const tax = parts.reduce((sum, part) => sum + BigInt(part.tax), 0n)
  const total = subtotal + tax
  if (total <= 0n) return whole('credit nothing')
  const creditedBefore = [...before.values()].reduce((sum, one) => sum + one.net + one.tax, 0n)
  if (creditedBefore + total > BigInt(invoice.total))
    return whole('credit more than was billed: credit its discounts with it')
  return { lines, parts, subtotal: String(subtotal), tax: String(tax), total: String(total) }
}

function netByRate(lines: readonly { amount: string; taxRate: string }[]): Map<bigint, bigint> {
  const nets = new Map<bigint, bigint>()
  for (const { amount, taxRate } of lines) {
    const rate = scaled(taxRate, places)
    nets.set(rate, (nets.get(rate) ?? 0n) + BigInt(amount))
  }
  return nets
}

function sumsByRate(parts: readonly RatePart[]): Map<bigint, { net: bigint; tax: bigint }> {
  const sums = new Map<bigint, { net: bigint; tax: bigint }>()
  for (const part of parts) {
    const rate = scaled(part.rate, places)
    const { net, tax } = sums.get(rate) ?? { net: 0n, tax: 0n }
    sums.set(rate, { net: net + BigInt(part.net), tax: tax + BigInt(part.tax) })
  }
  return sums
}

/** The number of a credit note by its place in the tenant's series: `CN-000042`. */
export function creditNoteNumberOf(place: number): string {
  return `CN-${String(place).padStart(6, '0')}`
}
