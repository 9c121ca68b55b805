import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { Invoice } from './entities/Invoice'
import type { TenancyUserErrorCode } from './generated'
import { partiesOf } from './parties'
import { invoiceNumberOf, paymentDays, settledStatus } from './rules/invoice'
import { dayAfter } from './rules/period'
import { nextInSeries } from './series'

/**
 * Issues a draft that is locked: it gets the next number and the time, in one order, who issues and who owes it. Fails with
 * INVALID when it would be due before, and as `partiesOf` does.
 * @param taxId the tenant's, by the decision that its lines are taxed by; that of today where none is given
 */
export async function issueDraft(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  { id, total, dueDate }: Pick<Invoice, 'id' | 'total' | 'dueDate'>,
  expectedVersion: number | null,
  taxId: string | null = null,
): Promise<Invoice> {
  const status = settledStatus(total, '0')
  const parties = await partiesOf(context, tx, { invoiceId: id, taxId })
  const { place, issuedAt } = await nextInSeries(context, tx, 'INVOICE')
  const issueDay = issuedAt.slice(0, 10)
  if (dueDate !== null && dueDate < issueDay)
    tx.fail('INVALID', `This draft is due on ${dueDate}, before its issue: give it a later dueDate`, 'id')
  return tx.update(Invoice, id, expectedVersion, {
    status,
    invoiceNumber: invoiceNumberOf(place),
    issuedAt,
    dueDate: dueDate ?? dayAfter(issueDay, paymentDays),
    ...parties,
    ...(status === 'PAID' ? { paidAt: issuedAt } : {}),
  })
}
