import { constraintMessages } from './constraint-messages'
import { lookupFunction } from './lookup'
import { permissions } from './permissions'
import { migration, oneOf, sql, tenantTable } from './sql'

const channels = ['WEB', 'MOBILE', 'EMAIL', 'CHAT', 'PHONE']

/**
 * What customers do and say, and what it adds up to. The mean sentiment becomes what its sum and count make of it: the
 * sum is an exact number, so the order in which interactions arrive does not matter.
 */
export const interactions = migration(13, 'interactions', [
  // Lets the index of the full-text search begin with the tenant. It is a trusted extension of PostgreSQL itself.
  sql('CREATE EXTENSION btree_gin SCHEMA shared', 'DROP EXTENSION btree_gin'),

  sql(
    [
      `ALTER TABLE insights.customers
         ADD sentiment_sum numeric NOT NULL DEFAULT 0,
         ADD sentiment_count int NOT NULL DEFAULT 0 CONSTRAINT customers_sentiment_count_check CHECK (sentiment_count >= 0)`,
      `UPDATE insights.customers SET sentiment_count = interaction_count, sentiment_sum = average_sentiment::numeric * interaction_count
        WHERE average_sentiment IS NOT NULL`,
      'ALTER TABLE insights.customers DROP average_sentiment',
      `ALTER TABLE insights.customers
         ADD average_sentiment double precision GENERATED ALWAYS AS (sentiment_sum / nullif(sentiment_count, 0)) STORED
         CONSTRAINT customers_average_sentiment_check CHECK (average_sentiment BETWEEN -1 AND 1)`,
      'CREATE INDEX ON insights.customers (tenant_id, average_sentiment, id)',
    ],
    [
      `ALTER TABLE insights.customers ADD mean double precision
         CONSTRAINT customers_average_sentiment_check_old CHECK (mean BETWEEN -1 AND 1)`,
      'UPDATE insights.customers SET mean = average_sentiment',
      'ALTER TABLE insights.customers DROP average_sentiment, DROP sentiment_sum, DROP sentiment_count',
      'ALTER TABLE insights.customers RENAME mean TO average_sentiment',
      `ALTER TABLE insights.customers
         RENAME CONSTRAINT customers_average_sentiment_check_old TO customers_average_sentiment_check`,
      'CREATE INDEX ON insights.customers (tenant_id, average_sentiment, id)',
    ],
  ),

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
  }),

  // Row level security would keep the text search off its index: the operator may not run before the policy.
  lookupFunction({
    name: 'insights.search_interactions',
    parameters: `query text, only_customer uuid, only_channels text[], since timestamptz, until timestamptz,
      least_sentiment double precision, most_sentiment double precision, after_rank real, after_id uuid, most int`,
    returns: 'TABLE (id uuid, rank real)',
    rows: 20,
    body: `
      SELECT found.id, found.rank FROM (
        SELECT i.id, ts_rank_cd(i.words, wanted) AS rank
          FROM insights.customer_interactions i, websearch_to_tsquery('pg_catalog.english', query) AS wanted
         WHERE i.tenant_id = current_setting('app.tenant_id')::uuid AND i.words @@ wanted
           AND (only_customer IS NULL OR i.customer_id = only_customer)
           AND (only_channels IS NULL OR i.channel = ANY (only_channels))
           AND (since IS NULL OR i.occurred_at >= since) AND (until IS NULL OR i.occurred_at < until)
           AND (least_sentiment IS NULL OR i.sentiment >= least_sentiment)
           AND (most_sentiment IS NULL OR i.sentiment <= most_sentiment)
      ) found
      WHERE after_id IS NULL OR (found.rank, found.id) < (after_rank, after_id)
      ORDER BY found.rank DESC, found.id DESC LIMIT most`,
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
    'insights:interaction:read': {
      allows: 'Read and search what customers did and said',
      roles: ['USER', 'ANALYST', 'VIEWER'],
    },
    'insights:interaction:write': { allows: 'Record interactions of customers', roles: ['ANALYST'] },
  }),
])
