import { migration, sql } from './sql'

/** By what the user of a session last proved who they are in it. */
export const sessionProofs = migration(202611291806, 'session-proofs', [
  sql(
    [
      // Null in those that began before: their users prove themselves again.
      `ALTER TABLE identity.sessions ADD COLUMN proved_by text
        CHECK (proved_by IN ('PASSWORD', 'TOTP', 'RECOVERY_CODE', 'PASSKEY'))`,
    ],
    ['ALTER TABLE identity.sessions DROP COLUMN proved_by'],
  ),
])
