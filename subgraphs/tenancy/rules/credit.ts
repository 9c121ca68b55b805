import { decimalsOf, divided, scaled, unscaled } from './decimal'
import { amountOf } from './invoice'
import { taxKey, type TaxTreatment } from './tax'

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
  /** STANDARD where nothing is told. */
  taxTreatment?: TaxTreatment
  taxReason?: string | null
  credited: string
}

/** Describes what is taxed in one way of a document: at a rate, with a treatment, for a reason (EN 16931-1, BG-23). */
export interface RatePart {
  rate: string
  /** STANDARD where nothing is told. */
  treatment?: TaxTreatment
  reason?: string | null
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
  taxTreatment?: TaxTreatment
  taxReason?: string | null
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
 * Returns what of an invoice is credited to give back amounts by tax, before it, no more than is left of its lines, with their tax,
 * and of the whole invoice; what is asked for is taken off `wanted`.
 * @param wanted `taxKey` -> amount in the currency's smallest unit, more than nothing
 */
export function creditFrom(invoice: CreditableInvoice, wanted: Map<string, bigint>): CreditRequest[] {
  const [billed, before] = [netsOf(invoice.lines), sumsOf(invoice.creditedParts)]
  let left = [...before.values()].reduce((sum, { net, tax }) => sum - net - tax, BigInt(invoice.total))
  const requests: CreditRequest[] = []
  for (const [key, { net: whole, rate }] of billed) {
    const { net: netBefore, tax: taxBefore } = before.get(key) ?? { net: 0n, tax: 0n }
    const lines = invoice.lines
      .filter((line) => taxKey(line) === key)
      .map(({ id, amount, credited }) => ({ id, rest: BigInt(amount) - BigInt(credited) }))
      .filter(({ rest }) => rest > 0n)
    const most = [whole - netBefore, wanted.get(key) ?? 0n, lines.reduce((sum, { rest }) => sum + rest, 0n)]
    const cost = (net: bigint) => net + more(taxOf(netBefore + net, rate) - taxBefore)
    let part = leastOf(most)
    // As much as is left before tax is too much; from there it is a step or two.
    if (part > 0n && cost(part) > left) part = leastOf([part, (left * hundred) / (hundred + rate) + 1n])
    while (part > 0n && cost(part) > left) part -= 1n
    if (part <= 0n) continue
    left -= cost(part)
    wanted.set(key, wanted.get(key)! - part)
    for (const { id, rest } of lines) {
      const amount = leastOf([rest, part])
      if (amount <= 0n) break
      part -= amount
      requests.push({ invoiceLineId: id, amount: String(amount) })
    }
  }
  return requests
}

/** A hundred per cent, in ten thousandths of one. */
const hundred = 100n * 10n ** BigInt(places)
const taxOf = (net: bigint, rate: bigint): bigint => divided(net * rate, hundred)
const more = (value: bigint): bigint => (value > 0n ? value : 0n)
const leastOf = (values: readonly bigint[]): bigint =>
  values.reduce((least, one) => (one < least ? one : least))

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
  const { id, description, taxRate, taxTreatment, taxReason } = line
  const common = { invoiceLineId: id, description, taxRate, taxTreatment, taxReason }
  if (asked * sign > 0n && asked * sign <= left * sign) return { ...common, quantity, amount: String(asked) }
  return left === 0n
    ? { field: 'invoiceLineId', message: 'is credited already' }
    : { field, message: 'is nothing, or more than is left to be credited of this line' }
}

function withTotals(invoice: CreditableInvoice, lines: CreditedLine[]): Credit | CreditFault {
  const whole = (message: string): CreditFault => ({ place: null, field: null, message })
  const billed = netsOf(invoice.lines)
  const before = sumsOf(invoice.creditedParts)
  const parts: RatePart[] = []
  for (const [key, { net, rate, treatment, reason }] of netsOf(lines)) {
    const most = billed.get(key)!.net
    const sign = signOf(most)
    const { net: netBefore, tax: taxBefore } = before.get(key) ?? { net: 0n, tax: 0n }
    const shown = unscaled(rate, places)
    if (net * sign < 0n)
      return whole(`take back more of discounts than of what they were given on, at ${shown} %`)
    if ((netBefore + net) * sign > most * sign)
      return whole(`credit more than was billed at ${shown} %: credit its discounts with it`)
    const tax = sign * taxOf(sign * (netBefore + net), rate) - taxBefore
    parts.push({ rate: shown, treatment, reason, net: String(net), tax: String(tax * sign > 0n ? tax : 0n) })
  }
  parts.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const subtotal = parts.reduce((sum, { net }) => sum + BigInt(net), 0n)
  const tax = parts.reduce((sum, part) => sum + BigInt(part.tax), 0n)
  const total = subtotal + tax
  if (total <= 0n) return whole('credit nothing')
  const creditedBefore = [...before.values()].reduce((sum, one) => sum + one.net + one.tax, 0n)
  if (creditedBefore + total > BigInt(invoice.total))
    return whole('credit more than was billed: credit its discounts with it')
  return { lines, parts, subtotal: String(subtotal), tax: String(tax), total: String(total) }
}

const keyOf = ({ rate, treatment, reason }: RatePart): string =>
  taxKey({ taxRate: rate, taxTreatment: treatment, taxReason: reason })

interface Net extends Pick<RatePart, 'treatment' | 'reason'> {
  net: bigint
  rate: bigint
}

function netsOf(
  lines: readonly Pick<CreditedLine, 'amount' | 'taxRate' | 'taxTreatment' | 'taxReason'>[],
): Map<string, Net> {
  const nets = new Map<string, Net>()
  for (const line of lines) {
    const { amount, taxRate, taxTreatment: treatment, taxReason: reason } = line
    const net = (nets.get(taxKey(line))?.net ?? 0n) + BigInt(amount)
    nets.set(taxKey(line), { net, rate: scaled(taxRate, places), treatment, reason })
  }
  return nets
}

function sumsOf(parts: readonly RatePart[]): Map<string, { net: bigint; tax: bigint }> {
  const sums = new Map<string, { net: bigint; tax: bigint }>()
  for (const part of parts) {
    const { net, tax } = sums.get(keyOf(part)) ?? { net: 0n, tax: 0n }
    sums.set(keyOf(part), { net: net + BigInt(part.net), tax: tax + BigInt(part.tax) })
  }
  return sums
}

/** The number of a credit note by its place in the tenant's series: `CN-000042`. */
export function creditNoteNumberOf(place: number): string {
  return `CN-${String(place).padStart(6, '0')}`
}
