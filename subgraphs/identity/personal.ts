import type { PersonalDeclarations } from '../../kernel/subjects'

const of = (table: string) => `DELETE FROM identity.${table} WHERE tenant_id = $1 AND user_id = ANY ($2)`

/** Rules that do not follow from the fields of accounts. */
export const personal: PersonalDeclarations = {
  User: {
    hidden: ['fullNameOverride', 'externalId', 'passwordHash', 'mfaSecret'],
    kept: {
      dataClass: null,
      startsAt: "CASE WHEN t.status <> 'ACTIVE' THEN t.created_at END",
      reason: 'The account is in use: suspend it first (article 6(1)(b) GDPR)',
    },
    before: [
      ...['email_changes', 'password_resets', 'pending_sign_ins', 'mfa_devices', 'credentials'].map(of),
      'DELETE FROM identity.api_keys WHERE tenant_id = $1 AND owner_id = ANY ($2)',
      `UPDATE identity.users SET status = 'SUSPENDED', invitation_hash = NULL, invitation_expires_at = NULL,
          mfa_enabled = false, updated_at = now() WHERE tenant_id = $1 AND id = ANY ($2)`,
    ],
  },
}
