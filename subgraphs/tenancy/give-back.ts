import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import type { TaxedLine } from './billing'
import { draftNote, findCreditable, issueNote, shown } from './credit-notes'
import { PendingLine } from './entities/PendingLine'
import type { PlanSubscription } from './entities/PlanSubscription'
import type { TenancyUserErrorCode } from './generated'
import { creditFrom, creditOf } from './rules/credit'
import { scaled, unscaled } from './rules/decimal'

type Tx = MutationTransaction<TenancyUserErrorCode>

const findInvoices = `
  SELECT id FROM tenancy.invoices WHERE tenant_id = $1 AND subscription_id = $2 AND status IN ('ISSUED', 'PARTLY_PAID', 'PAID')
   ORDER BY issued_at DESC, invoice_number DESC`
const markCredited = `
  UPDATE tenancy.pending_lines SET credit_note_id = $3 WHERE tenant_id = $1 AND id = ANY ($2) AND credit_note_id IS NULL`

/** Decimals of a tax rate. */
const places = 4

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
  const wanted = new Map<bigint, bigint>()
  for (const { taxRate, amount } of lines) {
    const rate = scaled(taxRate, places)
    wanted.set(rate, (wanted.get(rate) ?? 0n) - BigInt(amount))
  }
  const isLeft = () => [...wanted.values()].some((amount) => amount > 0n)
  const memo = `Given back at the end: ${[...new Set(lines.map(({ description }) => description))].join('; ')}`
  let noteId: string | null = null
  for (const [invoiceId] of await tx.rows(prepared(findInvoices, [tenantId, subscriptionId]))) {
    if (!isLeft()) break
    const invoice = await findCreditable(context, tx, String(invoiceId), 'id')
    const requests = creditFrom(invoice, wanted)
    const credit = requests.length > 0 ? creditOf(invoice, requests) : null
    if (!credit) continue
    if ('message' in credit) throw new Error(`A credit of ${invoice.id} must not ${credit.message}`)
    const { id } = await draftNote(tx, invoice, credit, { reason: 'PRORATION', memo: memo.slice(0, 2000) })
    await issueNote(context, tx, id, null, credit)
    noteId ??= id
  }
  if (noteId) await tx.run(prepared(markCredited, [tenantId, pendingIds, noteId]))
  if (!isLeft()) return null
  const left = [...wanted].filter(([, amount]) => amount > 0n)
  const { serviceStart, serviceEnd, taxOn } = lines[0]!
  if (noteId)
    await tx.insertAll(
      PendingLine,
      left.map(([rate, amount]) => ({
        ...{ subscriptionId, description: `Left to be given back, at ${unscaled(rate, places)} %` },
        ...{ amount: String(-amount), serviceStart, serviceEnd, taxOn },
      })),
    )
  const sum = left.reduce((total, [, amount]) => total + amount, 0n)
  return `${shown(sum, currency)} ${currency} is to be given back, and no invoice is left to credit`
}
