import { constraintMessages } from './constraint-messages'
import { migration, oneOf, sql, tenantTable } from './sql'

const methods = (names: readonly string[]): string =>
  `auth_methods <@ ARRAY[${names.map((name) => `'${name}'`).join(', ')}] AND cardinality(auth_methods) > 0`

const former = ['PASSWORD', 'TOTP', 'RECOVERY_CODE']
const formerEnds = [
  ...['SIGNED_OUT', 'REVOKED', 'PASSWORD_CHANGED', 'PASSWORD_CHANGE_REQUIRED', 'SUSPENDED'],
  ...['INVITED_AGAIN', 'TOKEN_COPIED'],
]
const ends = (reasons: readonly string[]): string =>
  `revoke_reason IN (${reasons.map((reason) => `'${reason}'`).join(', ')})`

/** Passkeys of users, and the challenges of theirs that were used. */
export const credentials = migration(202611291600, 'credentials', [
  tenantTable({
    schema: 'identity',
    table: 'credentials',
    columns: {
      user_id: 'uuid NOT NULL',
      type: `${oneOf('type', ['PASSKEY'])} DEFAULT 'PASSKEY'`,
      label: 'varchar(100) NOT NULL',
      // The domain that it was made for (WebAuthn: RP ID), and the id by which the authenticator knows it, base64url.
      issuer: 'varchar(255) NOT NULL',
      subject: "varchar(1364) NOT NULL CHECK (subject ~ '^[A-Za-z0-9_-]+$')",
      // COSE, base64url.
      public_key: 'text NOT NULL',
      sign_count: 'bigint NOT NULL DEFAULT 0',
      transports: "text[] NOT NULL DEFAULT '{}'",
      backed_up: 'boolean NOT NULL DEFAULT false',
      // False once somebody else could have added it: then it is a second factor, and no way in by itself.
      signs_in_alone: 'boolean NOT NULL DEFAULT true',
      last_used_at: 'timestamptz(3)',
      // Set when its counter went back: there is a copy of it.
      blocked_at: 'timestamptz(3)',
    },
    unique: [['issuer', 'subject']],
    checks: { label: "label <> ''", sign_count: 'sign_count BETWEEN 0 AND 4294967295' },
    references: {
      user_id: { table: 'identity.users', onDelete: 'CASCADE', index: 'user_id, created_at, id' },
    },
    indexes: ['created_at, id'],
  }),
  constraintMessages('identity.credentials', { credentials_label_check: 'must not be empty' }),

  // Challenges are signed and not kept; that one was used is, until it would have ended.
  tenantTable({
    schema: 'identity',
    table: 'used_challenges',
    without: ['id', 'version', 'created_at', 'updated_at'],
    primaryKey: ['challenge_hash'],
    columns: {
      challenge_hash: "text NOT NULL CHECK (challenge_hash ~ '^[0-9a-f]{64}$')",
      expires_at: 'timestamptz(3) NOT NULL',
    },
    indexes: ['expires_at'],
    grants: { app_identity: ['SELECT', 'INSERT', 'DELETE'] },
  }),

  sql(
    [
      'ALTER TABLE identity.sessions DROP CONSTRAINT sessions_auth_methods_check, DROP CONSTRAINT sessions_revoke_reason_check',
      `ALTER TABLE identity.sessions
        ADD CONSTRAINT sessions_auth_methods_check CHECK (${methods([...former, 'PASSKEY'])}),
        ADD CONSTRAINT sessions_revoke_reason_check CHECK (${ends([...formerEnds, 'PASSKEY_COPIED'])})`,
    ],
    [
      'ALTER TABLE identity.sessions DROP CONSTRAINT sessions_auth_methods_check, DROP CONSTRAINT sessions_revoke_reason_check',
      // Who had passkeys alone has no second factor without them.
      `UPDATE identity.users u SET mfa_enabled = false WHERE u.mfa_enabled AND NOT EXISTS (SELECT FROM identity.mfa_devices d
         WHERE d.tenant_id = u.tenant_id AND d.user_id = u.id AND d.type = 'TOTP' AND d.confirmed_at IS NOT NULL)`,
      // What the former constraints do not know: sessions that passkeys began, and why others ended.
      `DELETE FROM identity.sessions WHERE 'PASSKEY' = ANY (auth_methods)`,
      `UPDATE identity.sessions SET revoke_reason = 'REVOKED' WHERE revoke_reason = 'PASSKEY_COPIED'`,
      `ALTER TABLE identity.sessions
        ADD CONSTRAINT sessions_auth_methods_check CHECK (${methods(former)}),
        ADD CONSTRAINT sessions_revoke_reason_check CHECK (${ends(formerEnds)})`,
    ],
  ),
])
