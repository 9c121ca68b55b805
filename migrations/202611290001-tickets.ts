import { constraintMessages } from './constraint-messages'
import { lookupFunction } from './lookup'
import { permissions } from './permissions'
import { migration, oneOf, sql, tenantTable } from './sql'

const priorities = ['LOW', 'NORMAL', 'HIGH', 'URGENT']
const channels = ['WEB', 'MOBILE', 'EMAIL', 'CHAT', 'PHONE']
const language = "text NOT NULL DEFAULT 'en'"

/** Tickets of a tenant's support with their conversations, what is promised about them, and when minutes count. */
export const tickets = migration(202611290001, 'tickets', [
  tenantTable({
    schema: 'insights',
    table: 'business_calendars',
    columns: {
      name: 'varchar(100) NOT NULL',
      time_zone: 'text NOT NULL',
      hours: 'jsonb NOT NULL',
      closed_on: "date[] NOT NULL DEFAULT '{}'",
    },
    unique: [['name']],
    names: { name: 'spelling' },
    checks: { name: "name <> ''", hours: "jsonb_typeof(hours) = 'array'" },
    indexes: ['created_at, id'],
  }),
  tenantTable({
    schema: 'insights',
    table: 'sla_policies',
    columns: {
      name: 'varchar(100) NOT NULL',
      priority: oneOf('priority', priorities),
      first_response_minutes: 'int NOT NULL',
      resolution_minutes: 'int NOT NULL',
      calendar_id: 'uuid',
    },
    unique: [['name']],
    names: { name: 'spelling' },
    checks: {
      name: "name <> ''",
      first_response_minutes: 'first_response_minutes > 0',
      resolution_minutes: 'resolution_minutes >= first_response_minutes AND resolution_minutes <= 100000',
    },
    references: { calendar_id: { table: 'insights.business_calendars' } },
    indexes: ['priority, resolution_minutes', 'created_at, id'],
  }),
  tenantTable({
    schema: 'insights',
    table: 'support_tickets',
    columns: {
      ticket_number: 'varchar(20) NOT NULL',
      customer_email: 'varchar(255)',
      customer_id: 'uuid',
      subject: 'varchar(200)',
      description: 'text',
      category: 'varchar(100)',
      priority: oneOf('priority', priorities),
      channel: oneOf('channel', channels),
      status: `${oneOf('status', ['NEW', 'OPEN', 'WAITING', 'RESOLVED', 'CLOSED'])} DEFAULT 'NEW'`,
      sentiment_score: 'double precision',
      sentiment: `text GENERATED ALWAYS AS (CASE WHEN sentiment_score >= 0.25 THEN 'POSITIVE'
        WHEN sentiment_score <= -0.25 THEN 'NEGATIVE' WHEN sentiment_score IS NOT NULL THEN 'NEUTRAL' END) STORED`,
      language,
      assignee_id: 'uuid',
      escalated_at: 'timestamptz(3)',
      resolved_at: 'timestamptz(3)',
      closed_at: 'timestamptz(3)',
      follow_up_of_id: 'uuid',
      merged_into_id: 'uuid',
      sla_policy_id: 'uuid',
      first_responded_at: 'timestamptz(3)',
      first_response_minutes: 'int',
      first_response_due_at: 'timestamptz(3)',
      first_response_seconds_left: 'int',
      first_response_breached_at: 'timestamptz(3)',
      resolution_minutes: 'int',
      resolution_due_at: 'timestamptz(3)',
      resolution_seconds_left: 'int',
      resolution_breached_at: 'timestamptz(3)',
      erased_at: 'timestamptz(3)',
      words: `tsvector GENERATED ALWAYS AS (setweight(shared.search_words(language, subject), 'A')
        || shared.search_words(language, description)) STORED`,
    },
    unique: [['ticket_number']],
    checks: {
      customer_email: 'customer_email = lower(customer_email)',
      subject: "subject <> ''",
      description: 'length(description) <= 20000',
      language: "language ~ '^[a-z]{2}$'",
      // NaN is greater than every number, so the upper bound refuses it.
      sentiment_score: 'sentiment_score BETWEEN -1 AND 1',
      resolved_at: "(resolved_at IS NOT NULL) = (status IN ('RESOLVED', 'CLOSED'))",
      closed_at: "(closed_at IS NOT NULL) = (status = 'CLOSED')",
      merged_into_id: "merged_into_id IS NULL OR status = 'CLOSED'",
      first_response: 'first_response_due_at IS NULL OR first_response_seconds_left IS NULL',
      resolution: 'resolution_due_at IS NULL OR resolution_seconds_left IS NULL',
    },
    references: {
      customer_id: { table: 'insights.customers', index: 'customer_id, created_at, id' },
      assignee_id: { table: 'identity.users', index: 'assignee_id, created_at, id' },
      follow_up_of_id: { table: 'insights.support_tickets' },
      merged_into_id: { table: 'insights.support_tickets' },
      sla_policy_id: { table: 'insights.sla_policies' },
    },
    indexes: [
      'created_at, id',
      'status, created_at, id',
      'priority, id',
      'ticket_number COLLATE "und-x-icu", id',
      'customer_email',
      'sentiment_score, id',
      'resolved_at, id',
      'closed_at',
      'first_response_due_at, id',
      'resolution_due_at, id',
      { columns: 'words', using: 'gin' },
    ],
  }),
  constraintMessages('insights.business_calendars', {
    business_calendars_name_check: 'must not be empty',
  }),
  constraintMessages('insights.sla_policies', {
    sla_policies_name_check: 'must not be empty',
    sla_policies_first_response_minutes_check: 'must be at least 1',
    sla_policies_resolution_minutes_check: 'must be at least firstResponseMinutes, and at most 100,000',
  }),
  constraintMessages('insights.support_tickets', {
    support_tickets_subject_check: 'must not be empty',
    support_tickets_description_check: 'must have at most 20,000 characters',
    support_tickets_language_check: 'must be two small letters, a code of ISO 639-1',
    support_tickets_sentiment_score_check: 'must be between -1 and 1',
  }),
  // What is looked for by the job that marks what was not kept.
  sql(
    [
      `CREATE INDEX support_tickets_first_response_open ON insights.support_tickets (tenant_id, first_response_due_at)
        WHERE first_response_breached_at IS NULL AND first_responded_at IS NULL`,
      `CREATE INDEX support_tickets_resolution_open ON insights.support_tickets (tenant_id, resolution_due_at)
        WHERE resolution_breached_at IS NULL`,
    ],
    [],
  ),

  // Only the texts are ever changed, when they are erased, and the conversation, by a merge.
  tenantTable({
    schema: 'insights',
    table: 'ticket_messages',
    without: ['version', 'created_at', 'updated_at'],
    columns: {
      ticket_id: 'uuid NOT NULL',
      conversation_id: 'uuid NOT NULL',
      author_id: 'uuid',
      customer_id: 'uuid',
      is_from_customer: 'boolean NOT NULL DEFAULT false',
      visibility: oneOf('visibility', ['PUBLIC', 'INTERNAL']),
      language,
      body: 'text',
      sent_at: 'timestamptz(3) NOT NULL',
      words: `tsvector GENERATED ALWAYS AS (CASE WHEN visibility = 'PUBLIC' THEN shared.search_words(language, body) END) STORED`,
    },
    checks: {
      body: "body <> '' AND length(body) <= 20000",
      customer_id: 'customer_id IS NULL OR is_from_customer',
      is_from_customer: "NOT is_from_customer OR visibility = 'PUBLIC'",
    },
    references: {
      ticket_id: { table: 'insights.support_tickets', onDelete: 'CASCADE', index: 'ticket_id, sent_at, id' },
      conversation_id: { table: 'insights.support_tickets', index: 'conversation_id, sent_at, id' },
      author_id: { table: 'identity.users' },
      customer_id: { table: 'insights.customers' },
    },
    indexes: ['sent_at, id', { columns: 'words', using: 'gin' }],
    grants: { app_insights: ['SELECT', 'INSERT'] },
  }),
  sql('GRANT UPDATE (conversation_id, body) ON insights.ticket_messages TO app_insights', []),
  constraintMessages('insights.ticket_messages', {
    ticket_messages_body_check: 'must have 1 to 20,000 characters',
  }),

  tenantTable({
    schema: 'insights',
    table: 'ticket_series',
    without: ['id', 'version', 'created_at', 'updated_at'],
    primaryKey: ['series'],
    columns: {
      series: "text NOT NULL CHECK (series = 'TICKET')",
      last_number: 'int NOT NULL CHECK (last_number > 0)',
    },
    grants: { app_insights: ['SELECT', 'INSERT', 'UPDATE'] },
  }),

  // Whether a user of the connection's tenant is active and holds a scope; null where the tenant has no such user. For
  // subgraphs that give work to users, which have no way into identity.
  lookupFunction({
    name: 'shared.user_holds',
    parameters: 'of_user uuid, wanted text',
    returns: 'boolean',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  is_active constant boolean := (
    SELECT u.status = 'ACTIVE' FROM identity.users u WHERE u.tenant_id = own AND u.id = of_user);
BEGIN
  IF is_active IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN is_active AND wanted = ANY (identity.effective_permissions(of_user));
END`,
    reads: {
      'identity.users': ['tenant_id', 'id', 'status', 'granted_permissions'],
      'identity.roles': ['tenant_id', 'id', 'permissions'],
      'identity.role_assignments': ['tenant_id', 'user_id', 'role_id'],
    },
    callers: ['app_insights'],
  }),
  lookupFunction({
    name: 'insights.search_tickets',
    parameters: `query jsonb, number text, only_customer uuid, only_assignee uuid, only_status text[],
      after_rank real, after_id uuid, most int`,
    returns: 'TABLE (id uuid, rank real)',
    rows: 20,
    body: `
#variable_conflict use_column
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  wanted constant tsquery := shared.search_query(query);
BEGIN
  RETURN QUERY
    SELECT found.id, max(found.rank)::real AS rank FROM (
      SELECT t.id, ts_rank_cd(t.words, wanted, 1) + ts_rank(t.words, wanted, 1) / 10 AS rank
        FROM insights.support_tickets t WHERE t.tenant_id = own AND t.words @@ wanted
      UNION ALL
      SELECT m.conversation_id, ts_rank_cd(m.words, wanted, 1) + ts_rank(m.words, wanted, 1) / 10
        FROM insights.ticket_messages m WHERE m.tenant_id = own AND m.words @@ wanted
      UNION ALL
      SELECT t.id, 10 FROM insights.support_tickets t WHERE t.tenant_id = own AND t.ticket_number = number
    ) found JOIN insights.support_tickets s ON s.tenant_id = own AND s.id = found.id
    WHERE (only_customer IS NULL OR s.customer_id = only_customer)
      AND (only_assignee IS NULL OR s.assignee_id = only_assignee)
      AND (only_status IS NULL OR s.status = ANY (only_status))
    GROUP BY found.id
    HAVING after_id IS NULL OR (max(found.rank)::real, found.id) < (after_rank, after_id)
    ORDER BY max(found.rank)::real DESC, found.id DESC LIMIT most;
END`,
    reads: {
      'insights.support_tickets': [
        ...['tenant_id', 'id', 'ticket_number', 'customer_id', 'assignee_id', 'status', 'words'],
      ],
      'insights.ticket_messages': ['tenant_id', 'conversation_id', 'words'],
    },
    callers: ['app_insights'],
  }),

  permissions({
    'insights:ticket:read': {
      allows: 'Read and search tickets of support and their public messages',
      roles: ['USER', 'ANALYST', 'VIEWER'],
    },
    'insights:ticket:write': { allows: 'Open tickets and work on them', roles: ['USER', 'ANALYST'] },
    'insights:ticket:notes': {
      allows: 'Read and write internal notes of tickets',
      roles: ['USER', 'ANALYST'],
    },
    'insights:sla:write': { allows: 'Set what is promised about tickets, and when support works' },
  }),
])
