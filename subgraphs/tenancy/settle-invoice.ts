import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { Allocation } from './entities/Allocation'
import { Invoice } from './entities/Invoice'
import type { TenancyUserErrorCode } from './generated'
import type { LockedInvoice } from './credit-notes'
import { settledStatus } from './rules/invoice'

/**
 * Settles a part of an invoice that is locked: the part is a row of its own, and what the invoice shows is the sum of these.
 * @param part no more than what is left to be paid, in the invoice's currency
 */
export async function settle(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  { id, currency, total, amountPaid, amountCredited }: LockedInvoice,
  { creditNoteId, amount }: { creditNoteId: string; amount: string },
): Promise<Invoice> {
  const at = context.clock.now().toISOString()
  await tx.insert(Allocation, { invoiceId: id, creditNoteId, currency, amount, createdAt: at })
  const credited = BigInt(amountCredited) + BigInt(amount)
  const status = settledStatus(total, String(BigInt(amountPaid) + credited))
  return tx.update(Invoice, id, null, {
    ...{ amountCredited: String(credited), status },
    ...(status === 'PAID' ? { paidAt: at } : {}),
  })
}
