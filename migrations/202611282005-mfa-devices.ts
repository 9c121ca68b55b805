import { constraintMessages } from './constraint-messages'
import { migration, sql, tenantTable } from './sql'

/** Second factors of users, and sign-ins that wait for one. */
export const mfaDevices = migration(202611282005, 'mfa-devices', [
  tenantTable({
    schema: 'identity',
    table: 'mfa_devices',
    columns: {
      user_id: 'uuid NOT NULL',
      type: "text NOT NULL CHECK (type IN ('TOTP', 'RECOVERY_CODES'))",
      label: 'varchar(100) NOT NULL',
      // Encrypted.
      secret: 'text',
      // The time step (RFC 6238) of the last code that was taken: neither it nor an earlier one is taken again.
      last_step: 'int',
      // SHA-256 of the recovery codes that are left, in hexadecimal, a space behind each: a text is masked in the trail. A code
      // has 80 random bits, so it needs no slow hash.
      code_hashes: 'text',
      remaining_codes: 'int',
      confirmed_at: 'timestamptz(3)',
      last_used_at: 'timestamptz(3)',
    },
    checks: {
      label: "label <> ''",
      secret: "type = 'TOTP' OR secret IS NULL",
      codes: "type = 'RECOVERY_CODES' OR code_hashes IS NULL",
      remaining_codes: '(code_hashes IS NULL) = (remaining_codes IS NULL) AND remaining_codes >= 0',
    },
    references: {
      user_id: { table: 'identity.users', onDelete: 'CASCADE', index: 'user_id, created_at, id' },
    },
    indexes: [
      'created_at, id',
      { columns: 'user_id', unique: true, where: "type = 'RECOVERY_CODES'" },
      // Small, and empty once all values are encrypted: whether there are any is asked at each start.
      { columns: 'id', where: "secret IS NOT NULL AND (secret LIKE 'enc1:%') IS NOT TRUE" },
    ],
  }),
  constraintMessages('identity.mfa_devices', { mfa_devices_label_check: 'must not be empty' }),

  tenantTable({
    schema: 'identity',
    table: 'pending_sign_ins',
    without: ['version', 'updated_at'],
    columns: {
      user_id: 'uuid NOT NULL',
      // SHA-256 of the token's secret, 256 random bits, in hexadecimal.
      secret_hash: "text NOT NULL CHECK (secret_hash ~ '^[0-9a-f]{64}$')",
      // Of the user when the password was right: what changed meanwhile ends it.
      permission_version: 'int NOT NULL',
      expires_at: 'timestamptz(3) NOT NULL',
    },
    references: { user_id: { table: 'identity.users', onDelete: 'CASCADE' } },
    indexes: ['expires_at'],
    grants: { app_identity: ['SELECT', 'INSERT', 'DELETE'] },
  }),

  sql(
    [
      'ALTER TABLE identity.sessions DROP CONSTRAINT sessions_auth_methods_check',
      `ALTER TABLE identity.sessions ADD CONSTRAINT sessions_auth_methods_check
        CHECK (auth_methods <@ ARRAY['PASSWORD', 'TOTP', 'RECOVERY_CODE'] AND cardinality(auth_methods) > 0)`,
    ],
    [
      'ALTER TABLE identity.sessions DROP CONSTRAINT sessions_auth_methods_check',
      // Sessions with a second factor have none that the former constraint knows.
      "DELETE FROM identity.sessions WHERE NOT auth_methods <@ ARRAY['PASSWORD']",
      `ALTER TABLE identity.sessions ADD CONSTRAINT sessions_auth_methods_check
        CHECK (auth_methods <@ ARRAY['PASSWORD'] AND cardinality(auth_methods) > 0)`,
    ],
  ),
])
