import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { Invoice, type InvoiceParty } from './entities/Invoice'
import type { TenancyUserErrorCode } from './generated'
import { invoiceNumberOf, issueTime, paymentDays, settledStatus } from './rules/invoice'
import { dayAfter } from './rules/period'

const takeNumber = `
  INSERT INTO tenancy.invoice_series AS s (series, last_number) VALUES ('INVOICE', 1)
  ON CONFLICT (tenant_id, series) DO UPDATE SET last_number = s.last_number + 1
  RETURNING last_number, last_issued_at`
// In SQL: a job, which nobody asks for, issues as well, and the tenant's row is for its viewers.
const findParty = `
  SELECT jsonb_build_object('name', COALESCE(legal_name, name), 'street', billing_street, 'postalCode', billing_postal_code,
           'city', billing_city, 'country', billing_country, 'vatNumber', vat_number, 'email', billing_email)
    FROM tenancy.tenants WHERE id = $1`
const noteIssue = `
  UPDATE tenancy.invoice_series SET last_issued_at = $2 WHERE tenant_id = $1 AND series = 'INVOICE'`

/**
 * Issues a draft that is locked: it gets the next number and the time, in one order, and who owes it. Fails with INVALID
 * when it would be due before.
 */
export async function issueDraft(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  { id, total, dueDate }: Pick<Invoice, 'id' | 'total' | 'dueDate'>,
  expectedVersion: number | null,
): Promise<Invoice> {
  const tenantId = context.binding.tenantId!
  const status = settledStatus(total, '0')
  const [[buyer]] = (await tx.rows(prepared(findParty, [tenantId]))) as [[InvoiceParty]]
  // After everything that can be looked up: whoever else issues waits from here to the end of this transaction.
  // The time is read behind the number, so both say the same of what came first.
  const [[place, last]] = (await tx.rows(prepared(takeNumber, []))) as [[number, string | null]]
  const issuedAt = issueTime(context.clock.now(), last)
  await tx.run(prepared(noteIssue, [tenantId, issuedAt]))
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
