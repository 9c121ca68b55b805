import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import type { LockedInvoice } from './credit-notes'
import { Allocation } from './entities/Allocation'
import { Invoice } from './entities/Invoice'
import type { TenancyUserErrorCode } from './generated'
import { settledStatus } from './rules/invoice'

/** Describes what settles a part of an invoice: a credit note or a payment. A negative amount takes back what a payment settled. */
export type Settlement = { amount: string } & ({ creditNoteId: string } | { paymentId: string })

/**
 * Settles a part of an invoice that is locked: the part is a row of its own, and what the invoice shows is the sum of these.
 * @param part no more than what is left to be paid, in the invoice's currency
 */
export async function settle(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  { id, currency, total, amountPaid, amountCredited }: LockedInvoice,
  part: Settlement,
): Promise<Invoice> {
  const at = context.clock.now().toISOString()
  await tx.insert(Allocation, { ...part, invoiceId: id, currency, createdAt: at })
  const [paid, credited] = [BigInt(amountPaid), BigInt(amountCredited)]
  const amount = BigInt(part.amount)
  const next = 'paymentId' in part ? { paid: paid + amount, credited } : { paid, credited: credited + amount }
  const status = settledStatus(total, String(next.paid + next.credited))
  return tx.update(Invoice, id, null, {
    ...{ amountPaid: String(next.paid), amountCredited: String(next.credited), status },
    paidAt: status === 'PAID' ? at : null,
  })
}
