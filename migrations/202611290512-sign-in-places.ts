import { migration, tenantTable } from './sql'

/** From where users signed in, longer than their sessions are kept: of another place they are told. */
export const signInPlaces = migration(202611290512, 'sign-in-places', [
  tenantTable({
    schema: 'identity',
    table: 'sign_in_places',
    without: ['id', 'version', 'created_at', 'updated_at'],
    primaryKey: ['user_id', 'place'],
    columns: {
      user_id: 'uuid NOT NULL',
      // HMAC-SHA-256 of program and address, under a key that is not in the database; in hexadecimal.
      place: "text NOT NULL CHECK (place ~ '^[0-9a-f]{64}$')",
      last_seen_at: 'timestamptz(3) NOT NULL',
    },
    references: { user_id: { table: 'identity.users', onDelete: 'CASCADE' } },
    indexes: ['last_seen_at'],
  }),
])
