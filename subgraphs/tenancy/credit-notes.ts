import type { SubgraphContext } from '../../kernel/context'
import { userError } from '../../kernel/errors'
import { isUuid } from '../../kernel/id'
import { currencyDecimals, money } from '../../kernel/money'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { CreditNote } from './entities/CreditNote'
import { CreditNoteLine } from './entities/CreditNoteLine'
import type { Invoice } from './entities/Invoice'
import type { CreditNoteLineInput, TenancyUserErrorCode } from './generated'
import { partiesOf, type Parties } from './parties'
import {
  allThatIsLeft,
  creditNoteNumberOf,
  creditOf,
  type Credit,
  type CreditableInvoice,
  type CreditRequest,
  type RatePart,
} from './rules/credit'
import { decimalsOf, shifted } from './rules/decimal'
import { fits } from './rules/invoice'
import type { TaxTreatment } from './rules/tax'
import { nextInSeries } from './series'

type Tx = MutationTransaction<TenancyUserErrorCode>

/** An invoice that something is done with, locked. */
export type LockedInvoice = Pick<
  Invoice,
  | 'id'
  | 'status'
  | 'currency'
  | 'total'
  | 'amountPaid'
  | 'amountCredited'
  | 'invoiceNumber'
  | 'dueDate'
  | 'paidAt'
  | 'dunningPausedAt'
  | 'dunningPausedDays'
>

const mostLines = 100

const lockInvoice = `
  SELECT id, status, currency, total::text, amount_paid::text, amount_credited::text, invoice_number, due_date::text,
         paid_at, dunning_paused_at, dunning_paused_days FROM tenancy.invoices
   WHERE tenant_id = $1 AND id = $2 FOR UPDATE`
const findLines = `
  SELECT l.id, l.description, l.quantity::text, l.unit_price::text, l.amount::text, l.tax_rate::text,
         COALESCE(c.amount, 0)::text, l.tax_treatment, l.tax_reason
    FROM tenancy.invoice_lines l LEFT JOIN (
      SELECT n.invoice_line_id, sum(n.amount) AS amount FROM tenancy.credit_note_lines n
        JOIN tenancy.credit_notes d ON d.id = n.credit_note_id
       WHERE n.tenant_id = $1 AND d.tenant_id = $1 AND d.invoice_id = $2 AND d.status IN ('ISSUED', 'APPLIED')
       GROUP BY n.invoice_line_id) c ON c.invoice_line_id = l.id
   WHERE l.tenant_id = $1 AND l.invoice_id = $2 ORDER BY l.position`
const findParts = `
  SELECT tax_parts FROM tenancy.credit_notes WHERE tenant_id = $1 AND invoice_id = $2 AND status IN ('ISSUED', 'APPLIED')`
const findNoteLines = `
  SELECT id, invoice_line_id, quantity::text, amount::text FROM tenancy.credit_note_lines
   WHERE tenant_id = $1 AND credit_note_id = $2 ORDER BY position`

/**
 * The invoice that an input names, locked until the transaction ends; fails with REFERENCE_NOT_FOUND on `invoiceId`. A credit note
 * is always locked before an invoice.
 */
export async function findInvoice(context: SubgraphContext, tx: Tx, id: string): Promise<LockedInvoice> {
  const rows = isUuid(id) ? await tx.rows(prepared(lockInvoice, [context.binding.tenantId, id])) : []
  const [row] = rows
  if (!row) return tx.fail('REFERENCE_NOT_FOUND', 'There is no invoice with this id', 'invoiceId')
  const [found, status, currency, total, amountPaid, amountCredited, ...others] = row as string[]
  const [invoiceNumber = null, dueDate = null, paidAt = null, pausedAt = null, days] = others
  return {
    ...{ id: found!, currency: currency!, total: total!, amountPaid: amountPaid! },
    ...{ amountCredited: amountCredited!, invoiceNumber, dueDate, paidAt },
    ...{ dunningPausedAt: pausedAt, dunningPausedDays: Number(days) },
    status: status as Invoice['status'],
  }
}

/** An issued invoice with what was credited of it, locked; fails with INVALID_STATUS for drafts and for what is void. */
export async function findCreditable(
  context: SubgraphContext,
  tx: Tx,
  invoiceId: string,
  field: string,
): Promise<CreditableInvoice & { currency: string; id: string }> {
  const { id, status, currency, total } = await findInvoice(context, tx, invoiceId)
  if (status === 'DRAFT' || status === 'VOID')
    tx.fail('INVALID_STATUS', `The invoice is ${status}: only what was issued can be credited`, field)
  const key = [context.binding.tenantId, id]
  const lines = (await tx.rows(prepared(findLines, key))) as [
    ...[string, string, string, string],
    ...[string, string, string],
    ...[TaxTreatment, string | null],
  ][]
  const parts = (await tx.rows(prepared(findParts, key))) as [RatePart[]][]
  return {
    ...{ id, currency, total },
    lines: lines.map(([line, description, quantity, unitPrice, amount, taxRate, credited, ...tax]) => ({
      ...{ id: line, description, quantity, unitPrice, amount, taxRate, credited },
      ...{ taxTreatment: tax[0], taxReason: tax[1] },
    })),
    creditedParts: parts.flatMap(([all]) => all),
  }
}

/** Returns what a note would say of what an input asks for: all that is left where it asks for nothing in particular. */
export function creditFor(
  tx: Tx,
  invoice: CreditableInvoice & { currency: string },
  inputs: readonly CreditNoteLineInput[] | null | undefined,
): Credit {
  const requests = inputs?.map((input, place) => requestOf(invoice.currency, input, place))
  if (requests && (requests.length < 1 || requests.length > mostLines))
    tx.fail('INVALID', `lines must be 1 to ${mostLines}`, 'lines')
  return creditOrFail(invoice, requests ?? allThatIsLeft(invoice))
}

/** Returns what a draft says, as it is on the day on which it is issued. */
export async function creditOfDraft(
  context: SubgraphContext,
  tx: Tx,
  { id, invoiceId }: Pick<CreditNote, 'id' | 'invoiceId'>,
): Promise<Credit> {
  const invoice = await findCreditable(context, tx, invoiceId, 'id')
  const lines = (await tx.rows(prepared(findNoteLines, [context.binding.tenantId, id]))) as string[][]
  const requests = lines.map(([, invoiceLineId, , amount]) => ({
    invoiceLineId: invoiceLineId!,
    amount: amount!,
  }))
  return creditOrFail(invoice, requests)
}

/** Writes the draft of a note on an invoice, with its lines. */
export async function draftNote(
  tx: Tx,
  { id, currency }: { id: string; currency: string },
  { lines, parts, ...totals }: Credit,
  values: Pick<CreditNote, 'reason'> & { memo?: string | null; givesBack?: boolean },
): Promise<CreditNote> {
  const drafted = await tx.insert(CreditNote, {
    ...{ ...values, invoiceId: id, currency },
    ...{ ...totals, taxParts: parts },
  })
  const note = { creditNoteId: drafted.id, currency }
  await tx.insertAll(
    CreditNoteLine,
    lines.map(({ taxTreatment: _, taxReason: __, ...line }, place) => ({
      ...{ ...line, ...note, position: place + 1 },
    })),
  )
  return drafted
}

/** Tells whether a credit takes back something with reverse charge. */
export const isReverseCharge = ({ parts }: Pick<Credit, 'parts'>): boolean =>
  parts.some(({ treatment }) => treatment === 'REVERSE_CHARGE')

/**
 * Issues a draft that is locked, under the next number of its series; fails as `partiesOf` does.
 * @param known its parties, where they were looked up; else those of its invoice
 */
export async function issueNote(
  context: SubgraphContext,
  tx: Tx,
  { id, invoiceId }: Pick<CreditNote, 'id' | 'invoiceId'>,
  expectedVersion: number | null,
  { parts, subtotal, tax, total }: Credit,
  known: Parties | null = null,
): Promise<CreditNote> {
  const question = { ofInvoiceId: invoiceId, isReverseCharge: isReverseCharge({ parts }) }
  const parties = known ?? (await partiesOf(context, tx, question))
  const { place, issuedAt } = await nextInSeries(context, tx, 'CREDIT_NOTE')
  return tx.update(CreditNote, id, expectedVersion, {
    ...{ status: 'ISSUED', creditNoteNumber: creditNoteNumberOf(place), issuedAt },
    ...{ subtotal, tax, total, taxParts: parts, ...parties },
  })
}

/** The ids of a draft's lines. */
export async function noteLineIds(context: SubgraphContext, tx: Tx, id: string): Promise<string[]> {
  const lines = await tx.rows(prepared(findNoteLines, [context.binding.tenantId, id]))
  return lines.map(([line]) => String(line))
}

function requestOf(
  currency: string,
  { invoiceLineId, quantity, amount }: CreditNoteLineInput,
  place: number,
): CreditRequest {
  const id = invoiceLineId.toLowerCase()
  if (amount === null || amount === undefined) return { invoiceLineId: id, ...(quantity && { quantity }) }
  const decimals = currencyDecimals.get(currency)!
  const path = ['lines', String(place), 'amount']
  if (decimalsOf(amount) > decimals)
    throw userError('INVALID', `amount must have at most ${decimals} decimals in ${currency}`, path)
  const minor = shifted(amount, decimals).split('.')[0]!
  if (!fits(minor)) throw userError('INVALID', 'amount is too large', path)
  return { invoiceLineId: id, ...(quantity && { quantity }), amount: minor }
}

/** Throws what is wrong with a request as a user error, under its path. */
function creditOrFail(invoice: CreditableInvoice, requests: readonly CreditRequest[]): Credit {
  const credit = creditOf(invoice, requests)
  if (!('message' in credit)) return credit
  const { place, field, message, isUnknown } = credit
  const code = isUnknown ? 'REFERENCE_NOT_FOUND' : 'INVALID'
  if (place === null || field === null) throw userError(code, `lines must not ${message}`, ['lines'])
  throw userError(code, `${field} ${message}`, ['lines', String(place), field])
}

/** Fails with INVALID_STATUS when a credit note took back something of an invoice. */
export async function requireNoCredit(context: SubgraphContext, tx: Tx, invoiceId: string): Promise<void> {
  const parts = await tx.rows(prepared(findParts, [context.binding.tenantId, invoiceId]))
  if (parts.length > 0)
    tx.fail('INVALID_STATUS', 'A credit note takes back something of this invoice: credit the rest', 'id')
}

/** The draft, locked; fails with INVALID_STATUS when it was issued. */
export async function findDraftNote(tx: Tx, id: string): Promise<CreditNote> {
  const found = await tx.find(CreditNote, id)
  if (found.status !== 'DRAFT')
    tx.fail('INVALID_STATUS', `Credit note ${found.creditNoteNumber} is issued: it stays as it is`, 'id')
  return found
}

/** An amount as people read it, without its currency. */
export const shown = (minor: bigint, currency: string): string => money(String(minor), currency).amount
