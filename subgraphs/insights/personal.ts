import type { PersonalDeclarations } from '../../kernel/subjects'

/** Rules that do not follow from the fields of types about customers. */
export const personal: PersonalDeclarations = {
  Customer: {
    hidden: ['fullNameOverride', 'company'],
    isEmpty: 't.erased_at IS NOT NULL',
    before: [
      `UPDATE insights.customers SET is_active = false, erased_at = coalesce(erased_at, $3), updated_at = now()
        WHERE tenant_id = $1 AND id = ANY ($2)`,
    ],
  },
  // The application itself changes no interaction, whatever it is told.
  CustomerInteraction: {
    empty: 'SELECT shared.empty_interactions($2) WHERE $1::uuid IS NOT NULL',
  },
  // Drawn from what the customer did, by the business.
  BehaviorPattern: {
    isPorted: false,
    empty: 'DELETE FROM insights.behavior_patterns WHERE tenant_id = $1 AND id = ANY ($2)',
  },
  SupportTicket: {
    // Those from an address that is only this customer's.
    about: {
      Customer: `t.customer_id IS NULL AND t.customer_email =
        (SELECT c.email FROM insights.customers c WHERE c.tenant_id = $1 AND c.id = $2) AND NOT EXISTS (
          SELECT FROM insights.customers c WHERE c.tenant_id = $1 AND c.email = t.customer_email AND c.id <> $2)`,
    },
    isEmpty: 't.erased_at IS NOT NULL',
    before: [
      'UPDATE insights.support_tickets SET erased_at = $3, updated_at = now() WHERE tenant_id = $1 AND id = ANY ($2)',
    ],
  },
  TicketMessage: {
    // Notes among colleagues are not for the customer.
    given: "t.visibility = 'PUBLIC'",
    empty: 'UPDATE insights.ticket_messages SET body = NULL WHERE tenant_id = $1 AND id = ANY ($2)',
  },
}
