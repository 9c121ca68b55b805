import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { Invoice, type InvoiceParty } from './entities/Invoice'
import type { TenancyUserErrorCode } from './generated'
import { invoiceNumberOf, paymentDays, settledStatus } from './rules/invoice'
import { dayAfter } from './rules/period'
import { nextInSeries } from './series'
import { todayOf } from './today'

// In SQL: a job, which nobody asks for, issues as well, and the tenant's row is for its viewers.
const findParty = `
  SELECT jsonb_build_object('name', COALESCE(legal_name, name), 'street', billing_street, 'postalCode', billing_postal_code,
           'city', billing_city, 'country', billing_country, 'email', billing_email,
           'vatNumber', COALESCE($3::text, (SELECT p.tax_id FROM tenancy.tax_profiles p
              WHERE p.tenant_id = $1 AND p.valid_from <= $2 ORDER BY p.valid_from DESC, p.revision DESC LIMIT 1), vat_number))
    FROM tenancy.tenants WHERE id = $1`

/**
 * Issues a draft that is locked: it gets the next number and the time, in one order, and who owes it. Fails with INVALID
 * when it would be due before.
 * @param taxId the tenant's, by the decision that its lines are taxed by; that of today where none is given
 */
export async function issueDraft(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  { id, total, dueDate }: Pick<Invoice, 'id' | 'total' | 'dueDate'>,
  expectedVersion: number | null,
  taxId: string | null = null,
): Promise<Invoice> {
  const tenantId = context.binding.tenantId!
  const status = settledStatus(total, '0')
  const [[buyer]] = (await tx.rows(prepared(findParty, [tenantId, todayOf(context), taxId]))) as [
    [InvoiceParty],
  ]
  const { place, issuedAt } = await nextInSeries(context, tx, 'INVOICE')
  const issueDay = issuedAt.slice(0, 10)
  if (dueDate !== null && dueDate < issueDay)
    tx.fail('INVALID', `This draft is due on ${dueDate}, before its issue: give it a later dueDate`, 'id')
  return tx.update(Invoice, id, expectedVersion, {
    status,
    invoiceNumber: invoiceNumberOf(place),
    issuedAt,
    dueDate: dueDate ?? dayAfter(issueDay, paymentDays),
    buyer,
    ...(status === 'PAID' ? { paidAt: issuedAt } : {}),
  })
}
