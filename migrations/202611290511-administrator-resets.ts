import { lookupFunction } from './lookup'
import { migration, tenantTable } from './sql'

/** Requests to let a lone administrator in again under another address, which wait for their time and for a second operator. */
export const administratorResets = migration(202611290511, 'administrator-resets', [
  tenantTable({
    schema: 'identity',
    table: 'administrator_resets',
    without: ['version', 'updated_at'],
    columns: {
      user_id: 'uuid NOT NULL',
      new_email: 'varchar(255) NOT NULL CHECK (new_email = lower(new_email))',
      requested_by_id: 'uuid NOT NULL',
      // SHA-256 of the secret, 256 random bits, with which the present mailbox stops it; in hexadecimal.
      stop_hash: "text NOT NULL CHECK (stop_hash ~ '^[0-9a-f]{64}$')",
      opens_at: 'timestamptz(3) NOT NULL',
      expires_at: 'timestamptz(3) NOT NULL',
    },
    unique: [['user_id']],
    checks: { expires_at: 'expires_at > opens_at' },
    references: { user_id: { table: 'identity.users', onDelete: 'CASCADE' } },
    indexes: ['expires_at'],
    grants: { app_identity: ['SELECT', 'INSERT', 'DELETE'] },
  }),

  // Since when the connection's tenant is active; null while it is not.
  lookupFunction({
    name: 'identity.tenant_active_since',
    parameters: '',
    returns: 'timestamptz',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN (SELECT coalesce(t.status_changed_at, t.created_at) FROM tenancy.tenants t WHERE t.id = own AND t.status = 'ACTIVE');
END`,
    reads: { 'tenancy.tenants': ['id', 'status', 'status_changed_at', 'created_at'] },
    callers: ['app_identity'],
  }),
])
