import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import type { InvoiceParty } from './entities/Invoice'
import type { TenancyUserErrorCode } from './generated'
import { todayOf } from './today'

type Tx = MutationTransaction<TenancyUserErrorCode>

/** Names who issues a document, and for whom. */
export interface Parties {
  seller: InvoiceParty
  buyer: InvoiceParty
}

/** Says why a document cannot be issued. */
export interface NoParties {
  code: 'NO_SELLER' | 'INVALID'
  message: string
}

/** A document that is to be issued. */
export interface PartiesQuestion {
  /** The invoice that a note is on, or whose late payment a fee is for: its parties hold, whatever they are today. */
  ofInvoiceId?: string | null
  /** The buyer's, by the decision that the document is taxed by; today's where it is null. */
  taxId?: string | null
  isReverseCharge: boolean
}

// In SQL: a job, which nobody asks for, issues as well, and the tenant's row is for its viewers. Of a day's sellers the latest holds.
// What a tenant writes about itself takes no tax away: with reverse charge the id is that of the platform's decision.
const find = `
  SELECT COALESCE(o.seller,
           (SELECT jsonb_build_object('name', s.legal_name, 'street', s.street, 'postalCode', s.postal_code, 'city', s.city,
                   'country', s.country, 'vatNumber', s.tax_id, 'email', s.email)
            FROM tenancy.sellers s WHERE s.valid_from <= $2 ORDER BY s.valid_from DESC, s.created_at DESC, s.id DESC LIMIT 1)),
         COALESCE(o.buyer, jsonb_build_object('name', COALESCE(t.legal_name, t.name), 'street', t.billing_street,
           'postalCode', t.billing_postal_code, 'city', t.billing_city, 'country', t.billing_country, 'email', t.billing_email,
           'vatNumber', COALESCE($3::text,
              (SELECT p.tax_id FROM tenancy.tax_profiles p
              WHERE p.tenant_id = $1 AND p.valid_from <= $2 ORDER BY p.valid_from DESC, p.revision DESC LIMIT 1),
              CASE WHEN NOT $5::boolean THEN t.vat_number END)))
    FROM tenancy.tenants t LEFT JOIN tenancy.invoices o ON o.tenant_id = $1 AND o.id = $4 WHERE t.id = $1`

/**
 * Returns seller and buyer of a document: those of the invoice that it is about, or as they are today. Says why there are none while
 * the platform has not told its legal entity, and where reverse charge would name no buyer's tax id (Directive 2006/112/EC, article 226(4)).
 */
export async function findParties(
  context: SubgraphContext,
  tx: Tx,
  { ofInvoiceId = null, taxId = null, isReverseCharge }: PartiesQuestion,
): Promise<Parties | NoParties> {
  const values = [context.binding.tenantId, todayOf(context), taxId, ofInvoiceId, isReverseCharge]
  const [[seller, buyer]] = (await tx.rows(prepared(find, values))) as [[InvoiceParty | null, InvoiceParty]]
  if (!seller)
    return {
      code: 'NO_SELLER',
      message:
        'The platform has not told which legal entity issues documents: tell it with npm run operator -- seller',
    }
  if (isReverseCharge && (buyer.vatNumber ?? '').trim() === '')
    return {
      code: 'INVALID',
      message:
        'With reverse charge a document names the tax id of who buys: set it with setTenantTax, by which it is taxed',
    }
  return { seller, buyer }
}

/** Returns what {@link findParties} does; fails with NO_SELLER or INVALID where there are none. */
export async function partiesOf(
  context: SubgraphContext,
  tx: Tx,
  question: PartiesQuestion,
): Promise<Parties> {
  const found = await findParties(context, tx, question)
  if (!('code' in found)) return found
  return found.code === 'INVALID'
    ? tx.fail(found.code, found.message, 'id')
    : tx.fail(found.code, found.message)
}
