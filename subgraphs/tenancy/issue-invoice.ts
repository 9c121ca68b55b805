import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { Invoice } from './entities/Invoice'
import type { TenancyUserErrorCode } from './generated'
import { partiesOf, type Parties, type PartiesQuestion } from './parties'
import { invoiceNumberOf, paymentDays, settledStatus } from './rules/invoice'
import { dayAfter } from './rules/period'
import { nextInSeries } from './series'

const findReversed = `
  SELECT EXISTS (SELECT FROM tenancy.invoice_lines WHERE tenant_id = $1 AND invoice_id = $2 AND tax_treatment = 'REVERSE_CHARGE')`

/** Returns what decides about the parties of a draft. */
async function questionOf(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  id: string,
  feeOfId: string | null,
): Promise<PartiesQuestion> {
  if (feeOfId !== null) return { ofInvoiceId: feeOfId, isReverseCharge: false }
  const [row] = await tx.rows(prepared(findReversed, [context.binding.tenantId, id]))
  return { isReverseCharge: row![0] === true }
}

/**
 * Issues a draft that is locked: it gets the next number and the time, in one order, who issues and who owes it. Fails with
 * INVALID when it would be due before, and as `partiesOf` does.
 * @param known its parties, where they were looked up; else those of today, for a fee those of the invoice that was paid late
 */
export async function issueDraft(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  { id, total, dueDate, feeOfId }: Pick<Invoice, 'id' | 'total' | 'dueDate' | 'feeOfId'>,
  expectedVersion: number | null,
  known: Parties | null = null,
): Promise<Invoice> {
  const status = settledStatus(total, '0')
  const parties = known ?? (await partiesOf(context, tx, await questionOf(context, tx, id, feeOfId)))
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
