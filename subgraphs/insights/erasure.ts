import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { heldSql, shareHolds } from '../../kernel/retention'
import { prepared } from '../../kernel/statement'
import { Customer } from './entities/Customer'
import type { InsightsUserErrorCode } from './generated'
import { retainedPatterns, retainedTickets } from './retained'

/** Empties what names a person. The tenant's own id stays: it is what the tenant finds the rest of its data by. */
const nobody = {
  ...{ email: null, firstName: null, lastName: null, fullNameOverride: null, company: null },
  metadata: {},
  isActive: false,
}

const eraseInteractions = 'SELECT shared.erase_interactions($1)'
const removePatterns = 'DELETE FROM insights.behavior_patterns WHERE tenant_id = $1 AND customer_id = $2'
/** Tickets of the customer, and those from an address that is only this customer's. */
const findTickets = `SELECT t.id FROM insights.support_tickets t WHERE t.tenant_id = $1 AND t.erased_at IS NULL
   AND (t.customer_id = $2 OR (t.customer_id IS NULL AND t.customer_email = $3 AND NOT EXISTS (
     SELECT FROM insights.customers c WHERE c.tenant_id = $1 AND c.email = $3 AND c.id <> $2)))`
const eraseTickets = `UPDATE insights.support_tickets SET customer_email = NULL, subject = NULL, description = NULL,
    erased_at = $3, version = version + 1, updated_at = now() WHERE tenant_id = $1 AND id = ANY ($2)`
const eraseMessages =
  'UPDATE insights.ticket_messages SET body = NULL WHERE tenant_id = $1 AND ticket_id = ANY ($2)'

const about = { Customer: 't.customer_id' }
/** The customer, and what of the customer would be emptied or removed. */
const findHeld = `SELECT FROM insights.customers t WHERE t.tenant_id = $1 AND t.id = $2 AND ${heldSql({ resourceType: 'Customer' })}
   UNION ALL SELECT FROM insights.customer_interactions t WHERE t.tenant_id = $1 AND t.customer_id = $2
     AND ${heldSql({ resourceType: 'CustomerInteraction', about })}
   UNION ALL SELECT FROM insights.behavior_patterns t WHERE t.tenant_id = $1 AND t.customer_id = $2 AND ${heldSql(retainedPatterns)}
   UNION ALL SELECT FROM insights.support_tickets t WHERE t.tenant_id = $1 AND t.id = ANY ($3) AND ${heldSql(retainedTickets)}
   LIMIT 1`

/** The changed customer. Ends the mutation, which undoes the change, when the customer was erased: nothing of the person comes back. */
export function notErased(tx: MutationTransaction<InsightsUserErrorCode>, changed: Customer): Customer {
  if (changed.erasedAt !== null) tx.fail('INVALID_STATUS', 'The customer is erased for good', 'id')
  return changed
}

/**
 * Erases a customer: a fixed number of statements, however much there is. What is counted stays: interactions with their
 * sentiment, tickets with their times, messages without their texts. Throws HELD where a legal hold keeps any of it.
 */
export async function eraseCustomer(
  context: SubgraphContext,
  tx: MutationTransaction<InsightsUserErrorCode>,
  id: string,
  expectedVersion: number,
): Promise<Customer> {
  const { email, erasedAt } = await tx.find(Customer, id)
  const now = context.clock.now().toISOString()
  const erased = await tx.update(Customer, id, expectedVersion, { ...nobody, erasedAt: erasedAt ?? now })
  const tenantId = context.binding.tenantId!
  const own = [tenantId, erased.id]
  const tickets = (await tx.rows(prepared(findTickets, [...own, email]))).map(([ticket]) => ticket)
  await shareHolds((statement) => tx.rows(statement), tenantId)
  if ((await tx.rows(prepared(findHeld, [...own, tickets]))).length > 0)
    tx.fail('HELD', 'A legal hold keeps the customer, or something of the customer: ask compliance', 'id')
  const [[interactions]] = (await tx.rows(prepared(eraseInteractions, [erased.id]))) as [[number]]
  const patterns = await tx.run(prepared(removePatterns, own))
  if (tickets.length > 0) {
    await tx.run(prepared(eraseTickets, [tenantId, tickets, now]))
    await tx.run(prepared(eraseMessages, [tenantId, tickets]))
  }
  if (erasedAt === null)
    tx.audit({
      ...{ action: 'DELETE', resourceType: 'CustomerTexts', resourceId: erased.id },
      changes: { after: { interactions, patterns, tickets: tickets.length } },
    })
  return erased
}
