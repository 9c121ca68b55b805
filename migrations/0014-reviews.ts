import { constraintMessages } from './constraint-messages'
import { migration, sql } from './sql'

const table = 'compliance.compliance_records'
const reviewer = 'compliance_records_reviewed_by_id_check'

/** Nobody who ever changed the content of a compliance record decides about it, even if others changed it since. */
export const reviews = migration(14, 'reviews', [
  sql(
    [
      `ALTER TABLE ${table} ADD editor_ids uuid[] NOT NULL DEFAULT '{}'`,
      `UPDATE ${table} SET editor_ids = ARRAY[prepared_by_id] WHERE prepared_by_id <> created_by_id`,
      `ALTER TABLE ${table} DROP CONSTRAINT ${reviewer}`,
      `ALTER TABLE ${table} ADD CONSTRAINT ${reviewer}
         CHECK (reviewed_by_id NOT IN (created_by_id, prepared_by_id) AND reviewed_by_id <> ALL (editor_ids))`,
    ],
    [
      `ALTER TABLE ${table} DROP CONSTRAINT ${reviewer}`,
      `ALTER TABLE ${table} ADD CONSTRAINT ${reviewer} CHECK (reviewed_by_id NOT IN (created_by_id, prepared_by_id))`,
      `ALTER TABLE ${table} DROP editor_ids`,
    ],
  ),
  constraintMessages(table, { [reviewer]: 'must not be who created the record or ever changed it' }),
])
