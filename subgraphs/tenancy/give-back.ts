import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import type { TaxedLine } from './billing'
import { draftNote, findCreditable, isReverseCharge, issueNote, shown } from './credit-notes'
import type { CreditNote } from './entities/CreditNote'
import { PendingLine } from './entities/PendingLine'
import type { PlanSubscription } from './entities/PlanSubscription'
import type { TenancyUserErrorCode } from './generated'
import { findParties } from './parties'
import { creditFrom, creditOf } from './rules/credit'
import { dayAfter } from './rules/period'
import { taxKey, type TaxTreatment } from './rules/tax'
import { todayOf } from './today'

type Tx = MutationTransaction<TenancyUserErrorCode>

// Only those of which something is left.
const findInvoices = `
  SELECT i.id FROM tenancy.invoices i
   WHERE i.tenant_id = $1 AND i.subscription_id = $2 AND i.status IN ('ISSUED', 'PARTLY_PAID', 'PAID')
     AND i.total > COALESCE((SELECT sum(n.total) FROM tenancy.credit_notes n
                              WHERE n.tenant_id = $1 AND n.invoice_id = i.id AND n.status IN ('ISSUED', 'APPLIED')), 0)
   ORDER BY i.issued_at DESC, i.invoice_number DESC`
const markCredited = `
  UPDATE tenancy.pending_lines SET credit_note_id = $3 WHERE tenant_id = $1 AND id = ANY ($2) AND credit_note_id IS NULL`

/**
 * Gives back what is left over at the end of a subscription: credit notes on its invoices, the latest first, at the rates at which
 * it was billed. They are the tenant's money from then on.
 * @param lines less than nothing at each rate
 * @param pendingIds the same lines, as they wait
 * @returns why something is left; null when nothing is
 */
export async function giveBack(
  context: SubgraphContext,
  tx: Tx,
  row: PlanSubscription,
  lines: readonly TaxedLine[],
  pendingIds: readonly string[],
): Promise<string | null> {
  const { tenantId, id: subscriptionId, currency } = row
  const wanted = new Map<string, bigint>()
  const taxes = new Map(lines.map((line) => [taxKey(line), line]))
  for (const line of lines) wanted.set(taxKey(line), (wanted.get(taxKey(line)) ?? 0n) - BigInt(line.amount))
  const isLeft = () => [...wanted.values()].some((amount) => amount > 0n)
  const memo = `Given back at the end: ${[...new Set(lines.map(({ description }) => description))].join('; ')}`
  let noteId: string | null = null
  let fault: string | null = null
  for (const [invoiceId] of await tx.rows(prepared(findInvoices, [tenantId, subscriptionId]))) {
    if (!isLeft()) break
    const invoice = await findCreditable(context, tx, String(invoiceId), 'id')
    const requests = creditFrom(invoice, wanted)
    const credit = requests.length > 0 ? creditOf(invoice, requests) : null
    if (!credit) continue
    if ('message' in credit) throw new Error(`A credit of ${invoice.id} must not ${credit.message}`)
    const question = { ofInvoiceId: invoice.id, isReverseCharge: isReverseCharge(credit) }
    const parties = await findParties(context, tx, question)
    if ('code' in parties) {
      fault = parties.message
      break
    }
    const values = { reason: 'PRORATION' as const, memo: memo.slice(0, 2000), givesBack: true }
    const drafted = await draftNote(tx, invoice, credit, values)
    await issueNote(context, tx, drafted, null, credit, parties)
    noteId ??= drafted.id
  }
  if (noteId) await tx.run(prepared(markCredited, [tenantId, pendingIds, noteId]))
  if (!isLeft()) return null
  const left = [...wanted].filter(([, amount]) => amount > 0n)
  if (noteId)
    await tx.insertAll(
      PendingLine,
      left.map(([key, amount], place) => {
        const { serviceStart, serviceEnd, taxOn, taxRate, taxTreatment, taxReason } = taxes.get(key)!
        return {
          ...{ subscriptionId, description: `Left to be given back, at ${taxRate} %` },
          ...{ amount: String(-amount), serviceStart, serviceEnd, place },
          ...{ taxOn, taxRate, taxTreatment, taxReason },
        }
      }),
    )
  const sum = left.reduce((total, [, amount]) => total + amount, 0n)
  return fault ?? `${shown(sum, currency)} ${currency} is to be given back, and no invoice is left to credit`
}

const findCredited = `
  SELECT i.subscription_id, n.description, n.amount::text, l.service_start::text, l.service_end::text,
         COALESCE(l.tax_on, l.service_start)::text, l.tax_rate::text, l.tax_treatment, l.tax_reason
    FROM tenancy.credit_note_lines n
    JOIN tenancy.invoice_lines l ON l.tenant_id = n.tenant_id AND l.id = n.invoice_line_id
    JOIN tenancy.invoices i ON i.tenant_id = l.tenant_id AND i.id = l.invoice_id
   WHERE n.tenant_id = $1 AND l.tenant_id = $1 AND i.tenant_id = $1 AND n.credit_note_id = $2 ORDER BY n.position`

/**
 * Has what a note of the billing job gave back wait again, since the note became void: the money is the tenant's all the same, and the
 * next run gives it back anew.
 */
export async function giveBackAgain(
  context: SubgraphContext,
  tx: Tx,
  { id, issuedAt }: Pick<CreditNote, 'id' | 'issuedAt'>,
): Promise<void> {
  const lines = await tx.rows(prepared(findCredited, [context.binding.tenantId, id]))
  const day = issuedAt!.slice(0, 10)
  await tx.insertAll(
    PendingLine,
    lines.map((line, place) => {
      const [subscriptionId, description, amount, start, end, taxOn, ...tax] = line as string[]
      const [taxRate, taxTreatment, taxReason] = tax as [string, TaxTreatment, string | null]
      return {
        ...{ subscriptionId, description, amount: String(-BigInt(amount!)), place },
        ...{ serviceStart: start ?? day, serviceEnd: end ?? dayAfter(day, 1), dueOn: todayOf(context) },
        ...{ taxOn, taxRate, taxTreatment, taxReason },
      }
    }),
  )
}
