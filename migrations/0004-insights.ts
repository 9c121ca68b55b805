import { constraintMessages } from './constraint-messages'
import { lookupFunction } from './lookup'
import { permissions } from './permissions'
import { byLanguage, migration, oneOf, sql, tenantTable } from './sql'

const channels = ['WEB', 'MOBILE', 'EMAIL', 'CHAT', 'PHONE']

/** The tenant's end customers, whom nobody deletes, what they do and say, and what it adds up to. */
export const insights = migration(4, 'insights', [
  // Lets the index of the full-text search begin with the tenant. It is a trusted extension of PostgreSQL itself.
  sql('CREATE EXTENSION btree_gin SCHEMA shared', 'DROP EXTENSION btree_gin'),

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
      // Exact, so the order in which interactions arrive does not matter.
      sentiment_sum: 'numeric NOT NULL DEFAULT 0',
      sentiment_count: 'int NOT NULL DEFAULT 0',
      average_sentiment: `double precision
        GENERATED ALWAYS AS (sentiment_sum / nullif(sentiment_count, 0)) STORED`,
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
      sentiment_count: 'sentiment_count >= 0',
      last_seen_at: 'first_seen_at <= last_seen_at',
      metadata: "jsonb_typeof(metadata) = 'object'",
    },
    indexes: [
      'email',
      'segment',
      byLanguage('external_id'),
      byLanguage('last_name'),
      byLanguage('company'),
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
    customers_interaction_count_check: 'must not be negative',
    customers_last_seen_at_check: 'must come in this order',
    customers_metadata_check: 'must be a JSON object',
  }),

  // Nobody changes an interaction that was recorded, and nobody takes one away.
  tenantTable({
    schema: 'insights',
    table: 'customer_interactions',
    without: ['version', 'updated_at'],
    columns: {
      customer_id: 'uuid NOT NULL',
      source: 'varchar(100) NOT NULL',
      external_id: 'varchar(255) NOT NULL',
      occurred_at: 'timestamptz(3) NOT NULL',
      channel: oneOf('channel', channels),
      event_type: 'varchar(100) NOT NULL',
      content: 'text',
      sentiment: 'double precision',
      sentiment_label: `text GENERATED ALWAYS AS (CASE WHEN sentiment >= 0.25 THEN 'POSITIVE'
        WHEN sentiment <= -0.25 THEN 'NEGATIVE' WHEN sentiment IS NOT NULL THEN 'NEUTRAL' END) STORED`,
      sentiment_confidence: 'double precision',
      metadata: "jsonb NOT NULL DEFAULT '{}'",
      processed_at: 'timestamptz(3)',
      words: "tsvector GENERATED ALWAYS AS (to_tsvector('pg_catalog.english', coalesce(content, ''))) STORED",
    },
    unique: [['source', 'external_id']],
    checks: {
      source: "source <> ''",
      external_id: "external_id <> ''",
      event_type: "event_type <> ''",
      content: 'length(content) <= 20000',
      // NaN is greater than every number, so the upper bound refuses it.
      sentiment: 'sentiment BETWEEN -1 AND 1',
      sentiment_confidence: 'sentiment_confidence BETWEEN 0 AND 1',
      scored: 'sentiment_confidence IS NULL OR sentiment IS NOT NULL',
      metadata: "jsonb_typeof(metadata) = 'object'",
      // The five minutes by which clocks may differ, as for the graph. `created_at` is when the row came.
      occurred_at: "occurred_at <= created_at + interval '5 minutes'",
    },
    references: { customer_id: { table: 'insights.customers' } },
    indexes: [
      'customer_id, occurred_at, id',
      'occurred_at, id',
      'created_at, id',
      'sentiment, id',
      'sentiment_label, occurred_at, id',
      'channel, occurred_at, id',
      { columns: 'words', using: 'gin' },
    ],
    grants: { app_insights: ['SELECT', 'INSERT'] },
  }),
  constraintMessages('insights.customer_interactions', {
    customer_interactions_source_check: 'must not be empty',
    customer_interactions_external_id_check: 'must not be empty',
    customer_interactions_event_type_check: 'must not be empty',
    customer_interactions_content_check: 'must have at most 20,000 characters',
    customer_interactions_sentiment_check: 'must be between -1 and 1',
    customer_interactions_sentiment_confidence_check: 'must be between 0 and 1',
    customer_interactions_scored_check: 'must come together: there is no confidence without a sentiment',
    customer_interactions_metadata_check: 'must be a JSON object',
    customer_interactions_occurred_at_check: 'must not be in the future',
  }),
  sql(
    `CREATE INDEX customer_interactions_metadata_idx ON insights.customer_interactions
       USING gin (tenant_id, metadata jsonb_path_ops)`,
    [],
  ),

  // Row level security would keep the text search off its index: the operator may not run before the policy.
  lookupFunction({
    name: 'insights.search_interactions',
    parameters: `query text, only_customer uuid, only_channels text[], since timestamptz, until timestamptz,
      least_sentiment double precision, most_sentiment double precision, after_rank real, after_id uuid, most int`,
    returns: 'TABLE (id uuid, rank real)',
    rows: 20,
    body: `
#variable_conflict use_column
DECLARE own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN QUERY
    SELECT found.id, found.rank FROM (
      SELECT i.id, ts_rank_cd(i.words, wanted) AS rank
        FROM insights.customer_interactions i, websearch_to_tsquery('pg_catalog.english', query) AS wanted
       WHERE i.tenant_id = own AND i.words @@ wanted
         AND (only_customer IS NULL OR i.customer_id = only_customer)
         AND (only_channels IS NULL OR i.channel = ANY (only_channels))
         AND (since IS NULL OR i.occurred_at >= since) AND (until IS NULL OR i.occurred_at < until)
         AND (least_sentiment IS NULL OR i.sentiment >= least_sentiment)
         AND (most_sentiment IS NULL OR i.sentiment <= most_sentiment)
    ) found
    WHERE after_id IS NULL OR (found.rank, found.id) < (after_rank, after_id)
    ORDER BY found.rank DESC, found.id DESC LIMIT most;
END`,
    reads: {
      'insights.customer_interactions': [
        'tenant_id',
        'id',
        'customer_id',
        'channel',
        'occurred_at',
        'sentiment',
        'words',
      ],
    },
    callers: ['app_insights'],
  }),

  permissions({
    'insights:customer:read': { allows: 'Read customers', roles: ['USER', 'ANALYST', 'VIEWER'] },
    'insights:customer:write': { allows: 'Create and change customers', roles: ['ANALYST'] },
    'insights:interaction:read': {
      allows: 'Read and search what customers did and said',
      roles: ['USER', 'ANALYST', 'VIEWER'],
    },
    'insights:interaction:write': { allows: 'Record interactions of customers', roles: ['ANALYST'] },
  }),
])
