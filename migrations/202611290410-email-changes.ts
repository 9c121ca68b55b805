import { lookupFunction } from './lookup'
import { addColumns, migration, tenantTable } from './sql'

/** Changes of users' own addresses that wait for both mailboxes; what notices of accounts go by; sign-ins whose second factor waits on a known device. */
export const emailChanges = migration(202611290410, 'email-changes', [
  tenantTable({
    schema: 'identity',
    table: 'email_changes',
    without: ['version', 'updated_at'],
    columns: {
      user_id: 'uuid NOT NULL',
      new_email: 'varchar(255) NOT NULL CHECK (new_email = lower(new_email))',
      // SHA-256 of the secrets, 256 random bits each, that were mailed to the present and to the new address; in hexadecimal.
      present_hash: "text NOT NULL CHECK (present_hash ~ '^[0-9a-f]{64}$')",
      new_hash: "text NOT NULL CHECK (new_hash ~ '^[0-9a-f]{64}$')",
      present_confirmed_at: 'timestamptz(3)',
      new_confirmed_at: 'timestamptz(3)',
      // Of the user when it was asked for: what changed meanwhile ends it.
      permission_version: 'int NOT NULL',
      expires_at: 'timestamptz(3) NOT NULL',
    },
    references: { user_id: { table: 'identity.users', onDelete: 'CASCADE' } },
    indexes: ['expires_at'],
  }),
  // To whom failed attempts on the account were told, and when last.
  tenantTable({
    schema: 'identity',
    table: 'failure_notices',
    without: ['id', 'version', 'created_at', 'updated_at'],
    primaryKey: ['user_id'],
    columns: { user_id: 'uuid NOT NULL', told_at: 'timestamptz(3) NOT NULL' },
    references: { user_id: { table: 'identity.users', onDelete: 'CASCADE' } },
    grants: { app_identity: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  // Identity writes the trail and reads none of it; of whom many attempts failed is all that it is told.
  lookupFunction({
    name: 'identity.users_with_failed_sign_ins',
    parameters: 'since timestamptz, fewest int',
    returns: 'SETOF uuid',
    rows: 10,
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN QUERY SELECT l.resource_id::uuid FROM shared.audit_logs l
    WHERE l.tenant_id = own AND l.actor_id IS NULL AND l.occurred_at > since
      AND l.action = 'SIGN_IN_FAILED' AND l.resource_type = 'User' AND l.resource_id IS NOT NULL
    GROUP BY l.resource_id HAVING count(*) >= fewest;
END`,
    reads: {
      'shared.audit_logs': ['tenant_id', 'actor_id', 'occurred_at', 'action', 'resource_type', 'resource_id'],
    },
    callers: ['app_identity'],
  }),
  addColumns('identity.pending_sign_ins', { is_known_device: 'boolean NOT NULL DEFAULT false' }),
])
