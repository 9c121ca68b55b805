import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { migration, tenantTable } from './sql'

/** Ways in which customers behave, for as long as they hold. */
export const behaviorPatterns = migration(202611290003, 'behavior-patterns', [
  tenantTable({
    schema: 'insights',
    table: 'behavior_patterns',
    columns: {
      customer_id: 'uuid NOT NULL',
      pattern_type: 'varchar(100) NOT NULL',
      confidence: 'double precision NOT NULL',
      frequency: 'int NOT NULL DEFAULT 1',
      description: 'text',
      metadata: "jsonb NOT NULL DEFAULT '{}'",
      customer_interaction_ids: "uuid[] NOT NULL DEFAULT '{}'",
      detected_at: 'timestamptz(3) NOT NULL',
      lapses_at: 'timestamptz(3)',
      deleted_at: 'timestamptz(3)',
      dismiss_reason: 'varchar(500)',
    },
    checks: {
      pattern_type: "pattern_type <> ''",
      // NaN is greater than every number, so the upper bound refuses it.
      confidence: 'confidence BETWEEN 0 AND 1',
      frequency: 'frequency > 0',
      description: 'length(description) <= 2000',
      metadata: "jsonb_typeof(metadata) = 'object'",
      lapses_at: 'lapses_at > detected_at',
    },
    references: { customer_id: { table: 'insights.customers', index: 'customer_id, detected_at, id' } },
    indexes: [
      // One that has lapsed makes room before the next one comes.
      { columns: 'customer_id, pattern_type', unique: true, where: 'deleted_at IS NULL' },
      'pattern_type, detected_at, id',
      'detected_at, id',
      'confidence, id',
      'created_at, id',
      { columns: 'least(lapses_at, deleted_at)', where: 'lapses_at IS NOT NULL OR deleted_at IS NOT NULL' },
    ],
  }),
  constraintMessages('insights.behavior_patterns', {
    behavior_patterns_pattern_type_check: 'must not be empty',
    behavior_patterns_confidence_check: 'must be between 0 and 1',
    behavior_patterns_frequency_check: 'must be at least 1',
    behavior_patterns_description_check: 'must have at most 2,000 characters',
    behavior_patterns_metadata_check: 'must be a JSON object',
  }),
  permissions({
    'insights:pattern:read': { allows: 'Read how customers behave', roles: ['USER', 'ANALYST', 'VIEWER'] },
    'insights:pattern:write': { allows: 'Dismiss patterns', roles: ['ANALYST'] },
    'insights:pattern:detect': { allows: 'Say how customers behave: for services that find it out' },
  }),
])
