import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import type { LockedInvoice } from './credit-notes'
import { Allocation } from './entities/Allocation'
import { Invoice } from './entities/Invoice'
import type { TenancyUserErrorCode } from './generated'
import { daysBetween } from './rules/dunning'
import { settledStatus } from './rules/invoice'
import { todayOf } from './today'

/** Describes what settles a part of an invoice: a credit note or a payment. A negative amount takes back what a payment settled. */
export type Settlement = { amount: string } & ({ creditNoteId: string } | { paymentId: string })

/**
 * Settles a part of an invoice that is locked: the part is a row of its own, and what the invoice shows is the sum of these.
 * @param part no more than what is left to be paid, in the invoice's currency
 */
export async function settle(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  invoice: LockedInvoice,
  part: Settlement,
): Promise<Invoice> {
  const { id, currency, total, amountPaid, amountCredited } = invoice
  const at = context.clock.now().toISOString()
  await tx.insert(Allocation, { ...part, invoiceId: id, currency, createdAt: at })
  const [paid, credited] = [BigInt(amountPaid), BigInt(amountCredited)]
  const amount = BigInt(part.amount)
  const next = 'paymentId' in part ? { paid: paid + amount, credited } : { paid, credited: credited + amount }
  const status = settledStatus(total, String(next.paid + next.credited))
  return tx.update(Invoice, id, null, {
    ...{ amountPaid: String(next.paid), amountCredited: String(next.credited), status },
    paidAt: status === 'PAID' ? at : null,
    ...remindersAfter(invoice, status === 'PAID', todayOf(context)),
  })
}

/** Days on which it was paid, or disputed, count for no reminder, should its money go back; what is paid is disputed by nobody. */
function remindersAfter(
  { dueDate, paidAt, dunningPausedAt, dunningPausedDays }: LockedInvoice,
  isPaid: boolean,
  today: string,
): Partial<Pick<Invoice, 'dunningPausedAt' | 'dunningPauseReason' | 'dunningPausedDays'>> {
  const since = (isPaid ? dunningPausedAt : paidAt)?.slice(0, 10)
  if (!since) return {}
  const from = dueDate !== null && dueDate > since ? dueDate : since
  const changes = { dunningPausedDays: dunningPausedDays + daysBetween(from, today) }
  return isPaid ? { ...changes, dunningPausedAt: null, dunningPauseReason: null } : changes
}
