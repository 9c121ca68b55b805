import { constraintMessages } from './constraint-messages'
import { migration, sql } from './sql'

/** What the sources ask of interactions besides: none is of the future, and their metadata can be searched. */
export const interactionRules = migration(21, 'interaction-rules', [
  sql(
    // The five minutes by which clocks may differ, as for the graph. `created_at` is when the row came.
    `ALTER TABLE insights.customer_interactions ADD CONSTRAINT customer_interactions_occurred_at_check
       CHECK (occurred_at <= created_at + interval '5 minutes')`,
    'ALTER TABLE insights.customer_interactions DROP CONSTRAINT customer_interactions_occurred_at_check',
  ),
  constraintMessages('insights.customer_interactions', {
    customer_interactions_occurred_at_check: 'must not be in the future',
  }),
  sql(
    `CREATE INDEX customer_interactions_metadata_idx ON insights.customer_interactions
       USING gin (tenant_id, metadata jsonb_path_ops)`,
    'DROP INDEX insights.customer_interactions_metadata_idx',
  ),
])
