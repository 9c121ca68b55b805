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
])
