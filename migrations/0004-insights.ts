import { constraintMessages } from './constraint-messages'
import { migration, tenantTable } from './sql'

/** The tenant's end customers. Nobody deletes one: it is taken out of use. */
export const insights = migration(4, 'insights', [
  tenantTable({
    schema: 'insights',
    table: 'customers',
    columns: {
      external_id: 'varchar(255) NOT NULL',
      // Lower case is the normal form: equal addresses are equal texts, and a plain index finds them.
      email: 'varchar(255)',
      first_name: 'varchar(100)',
      last_name: 'varchar(100)',
      full_name_override: 'varchar(255)',
      full_name: `text GENERATED ALWAYS AS (coalesce(full_name_override,
        nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), ''))) STORED`,
      company: 'varchar(255)',
      industry: 'varchar(100)',
      segment: 'varchar(100)',
      lifetime_value: 'bigint',
      lifetime_value_currency: 'text',
      churn_risk: 'double precision',
      average_sentiment: 'double precision',
      interaction_count: 'int NOT NULL DEFAULT 0',
      first_seen_at: 'timestamptz(3) NOT NULL',
      last_seen_at: 'timestamptz(3) NOT NULL',
      is_active: 'boolean NOT NULL DEFAULT true',
      metadata: "jsonb NOT NULL DEFAULT '{}'",
    },
    unique: [['external_id']],
    checks: {
      external_id: "external_id <> ''",
      email: 'email = lower(email)',
      full_name_override: "full_name_override <> ''",
      lifetime_value:
        "(lifetime_value IS NULL) = (lifetime_value_currency IS NULL) AND lifetime_value_currency ~ '^[A-Z]{3}$'",
      // NaN is greater than every number, so the upper bound refuses it.
      churn_risk: 'churn_risk BETWEEN 0 AND 1',
      average_sentiment: 'average_sentiment BETWEEN -1 AND 1',
      interaction_count: 'interaction_count >= 0',
      last_seen_at: 'first_seen_at <= last_seen_at',
      metadata: "jsonb_typeof(metadata) = 'object'",
    },
    indexes: [
      'email',
      'segment',
      'last_name, id',
      'company, id',
      'lifetime_value, id',
      'churn_risk, id',
      'average_sentiment, id',
      'last_seen_at, id',
      'created_at, id',
    ],
    grants: { app_insights: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('insights.customers', {
    customers_external_id_check: 'must not be empty',
    customers_full_name_override_check: 'must not be empty: leave it out or give null',
    customers_churn_risk_check: 'must be between 0 and 1',
    customers_average_sentiment_check: 'must be between -1 and 1',
    customers_interaction_count_check: 'must not be negative',
    customers_last_seen_at_check: 'must come in this order',
    customers_metadata_check: 'must be a JSON object',
  }),
])
