import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import type { InvoiceParty } from './entities/Invoice'
import type { TenancyUserErrorCode } from './generated'
import { todayOf } from './today'

/** Names who issues a document, and for whom. */
export interface Parties {
  seller: InvoiceParty
  buyer: InvoiceParty
}

// In SQL: a job, which nobody asks for, issues as well, and the tenant's row is for its viewers. Of a day's sellers the latest holds.
const findParties = `
  SELECT (SELECT jsonb_build_object('name', s.legal_name, 'street', s.street, 'postalCode', s.postal_code, 'city', s.city,
                   'country', s.country, 'vatNumber', s.tax_id, 'email', s.email)
            FROM tenancy.sellers s WHERE s.valid_from <= $2 ORDER BY s.valid_from DESC, s.created_at DESC, s.id DESC LIMIT 1),
         jsonb_build_object('name', COALESCE(legal_name, name), 'street', billing_street, 'postalCode', billing_postal_code,
           'city', billing_city, 'country', billing_country, 'email', billing_email,
           'vatNumber', COALESCE($3::text,
              (SELECT i.buyer ->> 'vatNumber' FROM tenancy.invoices i WHERE i.tenant_id = $1 AND i.id = $4),
              (SELECT p.tax_id FROM tenancy.tax_profiles p
              WHERE p.tenant_id = $1 AND p.valid_from <= $2 ORDER BY p.valid_from DESC, p.revision DESC LIMIT 1), vat_number)),
         EXISTS (SELECT FROM tenancy.invoice_lines l
                  WHERE l.tenant_id = $1 AND l.invoice_id = $4 AND l.tax_treatment = 'REVERSE_CHARGE')
    FROM tenancy.tenants WHERE id = $1`

/**
 * Returns seller and buyer as they are today. Fails with NO_SELLER while the platform has not told its legal entity, and with INVALID
 * where reverse charge would name no buyer's tax id (Directive 2006/112/EC, article 226(4)).
 * @param document the invoice, or that which a note is on, whose tax id the note states; `taxId` the buyer's by the decision that
 * it is taxed by, today's where it is null; `isReverseCharge` of a note, which has not all lines of its invoice
 */
export async function partiesOf(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  document: { invoiceId: string; taxId?: string | null; isReverseCharge?: boolean },
): Promise<Parties> {
  const { invoiceId, taxId = null } = document
  const values = [context.binding.tenantId, todayOf(context), taxId, invoiceId]
  const [[seller, buyer, hasSuchLines]] = (await tx.rows(prepared(findParties, values))) as [
    [InvoiceParty | null, InvoiceParty, boolean],
  ]
  if (!seller)
    return tx.fail(
      'NO_SELLER',
      'The platform has not told which legal entity issues documents: tell it with npm run operator -- seller',
    )
  if ((document.isReverseCharge ?? hasSuchLines) && buyer.vatNumber === null)
    tx.fail(
      'INVALID',
      'With reverse charge a document names the tax id of who buys: set it with setTenantTax, or as vatNumber of the tenant',
      'id',
    )
  return { seller, buyer }
}
