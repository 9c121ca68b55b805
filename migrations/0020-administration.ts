import { ensurePartitions, reversed } from './partitions'
import { migration, sql } from './sql'

const statusCheck = (values: string) =>
  `ALTER TABLE identity.users DROP CONSTRAINT users_status_check,
     ADD CONSTRAINT users_status_check CHECK (status IN (${values}))`

const describe = (permission: string, allows: string) =>
  `UPDATE identity.permissions SET description = '${allows}' WHERE name = '${permission}'`

/** Invitations, roles of a tenant's own, and months of history around any instant. */
export const administration = migration(20, 'administration', [
  sql(statusCheck(`'ACTIVE', 'SUSPENDED', 'INVITED'`), [
    "UPDATE identity.users SET status = 'SUSPENDED' WHERE status = 'INVITED'",
    statusCheck(`'ACTIVE', 'SUSPENDED'`),
  ]),
  sql(
    `ALTER TABLE identity.users
       -- SHA-256 of the token's secret, in hexadecimal. The secret has 256 random bits, so it needs no salt.
       ADD COLUMN invitation_hash text CHECK (invitation_hash ~ '^[0-9a-f]{64}$'),
       ADD COLUMN invitation_expires_at timestamptz(3),
       ADD CONSTRAINT users_invitation_check CHECK ((invitation_hash IS NULL) = (invitation_expires_at IS NULL)
         AND (invitation_hash IS NULL OR status = 'INVITED')),
       ADD CONSTRAINT users_invited_check CHECK (status <> 'INVITED' OR password_hash IS NULL)`,
    'ALTER TABLE identity.users DROP COLUMN invitation_hash, DROP COLUMN invitation_expires_at, DROP CONSTRAINT users_invited_check',
  ),
  sql('GRANT DELETE ON identity.roles TO app_identity', 'REVOKE DELETE ON identity.roles FROM app_identity'),
  sql(
    "COMMENT ON CONSTRAINT roles_name_check ON identity.roles IS 'must not be empty'",
    'COMMENT ON CONSTRAINT roles_name_check ON identity.roles IS NULL',
  ),
  sql(
    describe(
      'identity:role:write',
      'Make, change and delete roles; give roles and permissions to users and take them away',
    ),
    describe('identity:role:write', 'Give roles to users and take them away'),
  ),
  reversed(ensurePartitions('now')),
  ensurePartitions('instant'),
])
