import { grant, migration, sql, subgraphRoles, tenantTable } from './sql'

/** The encrypted text in a column of JSON. */
const jsonText = (column: string) =>
  `coalesce(${column} ->> 'encrypted', ${column} ->> 0, ${column} #>> '{}')`
/** A value that is not encrypted, as `database/encrypt-rows.ts` looks for it. */
const inClear = (column: string, text = column) =>
  `(${column} IS NOT NULL AND (${text} LIKE 'enc1:%') IS NOT TRUE)`

/**
 * Keys of encrypted columns, and room for encrypted values. Values in clear stay readable: `npm start` and
 * `npm run keys -- encrypt` encrypt them, which needs the master key that no migration has. Taking it back refuses where
 * encrypted values are too long for the former columns: nothing is lost.
 */
export const encryption = migration(202611281430, 'encryption', [
  tenantTable({
    schema: 'shared',
    table: 'data_keys',
    without: ['version', 'updated_at'],
    columns: {
      // The person whose values it encrypts; all zeros for the tenant's own key.
      subject_id: 'uuid NOT NULL',
      generation: 'int NOT NULL',
      // The master key that wraps it; of a person's key the tenant's.
      master_key_id: 'text NOT NULL',
      // Null once it was destroyed: what it encrypted is gone.
      wrapped: 'text',
    },
    unique: [['subject_id', 'generation']],
    grants: grant(subgraphRoles, ['SELECT', 'INSERT']),
  }),

  sql(
    [
      'ALTER TABLE identity.users ALTER COLUMN phone TYPE text, ALTER COLUMN mfa_secret TYPE text, ADD COLUMN phone_index text',
      'CREATE INDEX users_phone_index ON identity.users (tenant_id, phone_index, id) WHERE phone_index IS NOT NULL',
      // Small, and empty once all values are encrypted: whether there are any is asked at each start.
      `CREATE INDEX users_in_clear ON identity.users (tenant_id, id) WHERE ${inClear('phone')} OR ${inClear('mfa_secret')}`,
      `CREATE INDEX compliance_records_in_clear ON compliance.compliance_records (tenant_id, id)
        WHERE ${inClear('data', jsonText('data'))} OR ${inClear('metadata', jsonText('metadata'))}`,
    ],
    [
      'DROP INDEX compliance.compliance_records_in_clear',
      'DROP INDEX identity.users_in_clear',
      'DROP INDEX identity.users_phone_index',
      'ALTER TABLE identity.users ALTER COLUMN phone TYPE varchar(50), ALTER COLUMN mfa_secret TYPE varchar(255), DROP COLUMN phone_index',
    ],
  ),
])
