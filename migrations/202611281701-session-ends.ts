import { permissions } from './permissions'
import { migration, sql } from './sql'

/** By what a session began, and why and by whom it was ended; who may see the sessions of others. */
export const sessionEnds = migration(202611281701, 'session-ends', [
  sql(
    [
      `ALTER TABLE identity.sessions
        ADD COLUMN auth_methods text[] NOT NULL DEFAULT '{PASSWORD}',
        ADD COLUMN revoked_by_id uuid,
        ADD COLUMN revoke_reason text,
        ADD CONSTRAINT sessions_auth_methods_check CHECK (auth_methods <@ ARRAY['PASSWORD'] AND cardinality(auth_methods) > 0),
        ADD CONSTRAINT sessions_revoke_reason_check CHECK (revoke_reason IN ('SIGNED_OUT', 'REVOKED', 'PASSWORD_CHANGED',
          'PASSWORD_CHANGE_REQUIRED', 'SUSPENDED', 'INVITED_AGAIN', 'TOKEN_COPIED')),
        ADD CONSTRAINT sessions_revoked_check CHECK (revoked_at IS NOT NULL OR (revoke_reason IS NULL AND revoked_by_id IS NULL)),
        ADD CONSTRAINT sessions_revoked_by_id_fkey FOREIGN KEY (tenant_id, revoked_by_id) REFERENCES identity.users (tenant_id, id)`,
      // Most sessions end by themselves.
      `CREATE INDEX sessions_revoked_by ON identity.sessions (tenant_id, revoked_by_id) WHERE revoked_by_id IS NOT NULL`,
      'CREATE INDEX sessions_created ON identity.sessions (tenant_id, created_at, id)',
    ],
    [
      'DROP INDEX identity.sessions_created',
      `ALTER TABLE identity.sessions DROP COLUMN auth_methods, DROP COLUMN revoked_by_id, DROP COLUMN revoke_reason`,
    ],
  ),
  permissions({
    'identity:session:read': {
      allows: 'See where and with what others are signed in',
      roles: ['COMPLIANCE_OFFICER'],
    },
  }),
])
