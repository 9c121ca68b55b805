import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { creditFor, draftNote, findCreditable, findInvoice, issueNote } from './credit-notes'
import { CreditNote } from './entities/CreditNote'
import type { TenancyUserErrorCode } from './generated'
import { balanceOf } from './rules/invoice'
import { settle } from './settle-invoice'

// The invoice is void or credited whole, or all that paid it had come by the day of the step.
const findGroundless = `
  SELECT f.id FROM tenancy.invoices f
    JOIN tenancy.invoices i ON i.tenant_id = $1 AND i.id = f.fee_of_id
    JOIN tenancy.dunning_steps d ON d.tenant_id = $1 AND d.invoice_id = i.id AND d.fee_invoice_id = f.id
   WHERE f.tenant_id = $1 AND f.fee_of_id = $2 AND f.status IN ('ISSUED', 'PARTLY_PAID', 'PAID')
     AND f.total > COALESCE((SELECT sum(n.total) FROM tenancy.credit_notes n
                              WHERE n.tenant_id = $1 AND n.invoice_id = f.id AND n.status IN ('ISSUED', 'APPLIED')), 0)
     AND (i.status = 'VOID'
          OR i.total <= (SELECT sum(n.total) FROM tenancy.credit_notes n
                          WHERE n.tenant_id = $1 AND n.invoice_id = i.id AND n.status IN ('ISSUED', 'APPLIED'))
          OR i.status = 'PAID' AND NOT EXISTS (
            SELECT FROM tenancy.allocations a JOIN tenancy.payments p ON p.tenant_id = $1 AND p.id = a.payment_id
             WHERE a.tenant_id = $1 AND a.invoice_id = i.id AND p.status <> 'REVERSED' AND p.received_on > d.taken_on))
   ORDER BY f.id`

/**
 * Credits the fees of an invoice that turned out to have no ground: nothing was owed, or nothing was late on the day of the step.
 * Called whenever an invoice is paid, credited or made void; it is locked.
 */
export async function creditGroundlessFees(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  invoiceId: string,
): Promise<void> {
  const rows = await tx.rows(prepared(findGroundless, [context.binding.tenantId, invoiceId]))
  for (const [id] of rows) {
    const fee = await findCreditable(context, tx, String(id), 'id')
    const credit = creditFor(tx, fee, null)
    const drafted = await draftNote(tx, fee, credit, { reason: 'ERROR' })
    const { id: creditNoteId } = await issueNote(context, tx, drafted, null, credit)
    const invoice = await findInvoice(context, tx, fee.id)
    const [owed, given] = [BigInt(balanceOf(invoice)), BigInt(credit.total)]
    const used = owed < given ? owed : given
    if (used <= 0n) continue
    const status = used === given ? 'APPLIED' : 'ISSUED'
    await tx.update(CreditNote, creditNoteId, null, { applied: String(used), status })
    await settle(context, tx, invoice, { creditNoteId, amount: String(used) })
  }
}
