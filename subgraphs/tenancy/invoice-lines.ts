import type { SubgraphContext } from '../../kernel/context'
import { userError } from '../../kernel/errors'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { Invoice } from './entities/Invoice'
import { InvoiceLine } from './entities/InvoiceLine'
import type { InvoiceLineInput, TenancyUserErrorCode } from './generated'
import { amountOf, fits, lineFault, totalsOf, type Totals } from './rules/invoice'
import { parseUnitPrice } from './unit-price'

/** A line as it is written, but for the invoice that it stands on. */
export type NewLine = Pick<
  InvoiceLine,
  | 'currency'
  | 'position'
  | 'description'
  | 'quantity'
  | 'unitPrice'
  | 'amount'
  | 'taxRate'
  | 'taxTreatment'
  | 'taxReason'
  | 'serviceStart'
  | 'serviceEnd'
>

const mostLines = 100
const findLines = `
  SELECT id, description, quantity::text, unit_price::text, tax_rate::text, tax_treatment, tax_reason,
         service_start::text, service_end::text FROM tenancy.invoice_lines
   WHERE tenant_id = $1 AND invoice_id = $2 ORDER BY position`

/**
 * The lines of an invoice in its currency, with their amounts, and the invoice's totals. Throws the user error INVALID
 * for the first value at fault, under its path: `["lines", "0", "quantity"]`.
 */
export function priceLines(
  currency: string,
  inputs: readonly InvoiceLineInput[],
): { lines: NewLine[]; totals: Totals } {
  if (inputs.length < 1 || inputs.length > mostLines)
    throw userError('INVALID', `lines must be 1 to ${mostLines}`, ['lines'])
  const lines = inputs.map((input, place) => priced(currency, input, place))
  const totals = totalsOf(lines)
  if (totals.total.startsWith('-'))
    throw userError('INVALID', 'lines must not add up to less than nothing', ['lines'])
  if (!Object.values(totals).every(fits))
    throw userError('INVALID', 'lines add up to more than can be stored', ['lines'])
  return { lines, totals }
}

function priced(currency: string, input: InvoiceLineInput, place: number): NewLine {
  // The schema gives both defaults; the generated type does not know.
  const { description, quantity = '1', unitPrice, taxRate = '0' } = input
  const { serviceStart = null, serviceEnd = null, taxTreatment = 'STANDARD', taxReason = null } = input
  const path = (field: string) => ['lines', String(place), field]
  const fault = lineFault({ description, quantity, taxRate, taxTreatment, taxReason })
  if (fault) throw userError('INVALID', `${fault.field} ${fault.message}`, path(fault.field))
  const stored = parseUnitPrice(unitPrice, currency, path('unitPrice'))
  const amount = amountOf({ quantity, unitPrice: stored })
  if (!fits(amount)) throw userError('INVALID', 'unitPrice is too large', path('unitPrice'))
  if ((serviceStart === null) !== (serviceEnd === null) || (serviceEnd ?? '1') <= (serviceStart ?? ''))
    throw userError(
      'INVALID',
      'serviceEnd must be given with serviceStart, and lie after it',
      path('serviceEnd'),
    )
  const service = { serviceStart, serviceEnd }
  return {
    currency,
    position: place + 1,
    description,
    quantity,
    unitPrice: stored,
    amount,
    ...{ taxRate, taxTreatment, taxReason },
    ...service,
  }
}

/** Writes the lines of a draft that has none. */
export async function addLines(
  tx: MutationTransaction<TenancyUserErrorCode>,
  invoiceId: string,
  lines: readonly NewLine[],
): Promise<void> {
  await tx.insertAll(
    InvoiceLine,
    lines.map((line) => ({ ...line, invoiceId })),
  )
}

/** The lines of an invoice as they are kept, with their ids. */
export async function readLines(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  invoiceId: string,
): Promise<string[][]> {
  return (await tx.rows(prepared(findLines, [context.binding.tenantId, invoiceId]))) as string[][]
}

/** Tells whether the lines that an invoice has are the given ones. */
export function areLines(present: readonly string[][], lines: readonly NewLine[]): boolean {
  const values = lines.map((line) => [
    line.description,
    line.quantity,
    line.unitPrice,
    line.taxRate,
    line.taxTreatment,
    line.taxReason,
    line.serviceStart,
    line.serviceEnd,
  ])
  return JSON.stringify(present.map(([, ...kept]) => kept)) === JSON.stringify(values)
}

/** Removes lines that `readLines` gave. */
export async function removeLines(
  tx: MutationTransaction<TenancyUserErrorCode>,
  present: readonly string[][],
): Promise<void> {
  await tx.removeAll(
    InvoiceLine,
    present.map(([id]) => id!),
  )
}

/** The draft, locked, so that it is not issued meanwhile; fails with INVALID_STATUS when it was issued. */
export async function findDraft(tx: MutationTransaction<TenancyUserErrorCode>, id: string): Promise<Invoice> {
  const found = await tx.find(Invoice, id)
  if (found.status !== 'DRAFT')
    tx.fail('INVALID_STATUS', `Invoice ${found.invoiceNumber} is issued: it stays as it is`, 'id')
  return found
}
