import { lookupFunction } from './lookup'
import { globalTable, migration, oneOf, sql, tenantTable } from './sql'

/** Scopes that tell what is to be protected most: an operator gets them by an entry that says so. */
const sensitive = [
  'hr:salary:read',
  'hr:salary:summary',
  'hr:performance:read',
  'hr:performance:summary',
  'compliance:record:details',
  'compliance:audit:details',
  'compliance:alert:details',
  // That somebody is on sick leave tells of their health, whatever the reason says.
  'hr:leave:read',
  'hr:leave:medical',
]

/** No role of a tenant, no user and no catalogue of what they can hold has a scope of the platform. */
const noPlatformScope = (table: string, column: string) => {
  const constraint = `${table.split('.')[1]}_no_platform_scope_check`
  const text = column === 'name' ? 'name' : `array_to_string(${column}, ' ')`
  return sql(
    [
      `ALTER TABLE ${table} ADD CONSTRAINT ${constraint} CHECK (${text} !~ '(^| )tenancy:platform:')`,
      `COMMENT ON CONSTRAINT ${constraint} ON ${table} IS 'must not hold scopes of the platform'`,
    ],
    `ALTER TABLE ${table} DROP CONSTRAINT ${constraint}`,
  )
}

/** The operators of the platform: outside of all tenants, reached through the functions below and nothing else. */
export const operators = migration(202611290200, 'operators', [
  globalTable({
    schema: 'identity',
    table: 'operators',
    columns: {
      id: 'uuid NOT NULL',
      email: 'varchar(255) NOT NULL CHECK (email = lower(email))',
      name: "varchar(200) NOT NULL CHECK (name <> '')",
      status: `${oneOf('status', ['ACTIVE', 'DISABLED'])} DEFAULT 'ACTIVE'`,
      scopes: 'text[] NOT NULL',
      password_hash: 'varchar(255) NOT NULL',
      password_change_required: 'boolean NOT NULL DEFAULT true',
      // The secret of an authenticator, wrapped by the master key of this id. It counts from its first right code on.
      factor_key_id: 'varchar(64)',
      factor_secret: 'text',
      factor_confirmed_at: 'timestamptz(3)',
      // The time step of the last code that was taken: neither it nor an earlier one is taken again.
      factor_last_step: 'bigint',
      last_sign_in_at: 'timestamptz(3)',
      created_at: 'timestamptz(3) NOT NULL DEFAULT now()',
      updated_at: 'timestamptz(3) NOT NULL DEFAULT now()',
    },
    constraints: [
      'PRIMARY KEY (id)',
      'CONSTRAINT operators_email_key UNIQUE (email)',
      `CONSTRAINT operators_factor_check CHECK ((factor_secret IS NULL) = (factor_key_id IS NULL)
         AND (factor_confirmed_at IS NULL OR factor_secret IS NOT NULL AND factor_last_step IS NOT NULL))`,
      `CONSTRAINT operators_scopes_check CHECK ('tenancy:platform:read' = ANY (scopes)
         AND array_to_string(scopes, ' ', '?') ~ '^tenancy:platform:[a-z-]+( tenancy:platform:[a-z-]+)*$')`,
    ],
    grants: {},
  }),
  globalTable({
    schema: 'identity',
    table: 'operator_sessions',
    columns: {
      id: 'uuid NOT NULL',
      operator_id: 'uuid NOT NULL REFERENCES identity.operators (id)',
      created_at: 'timestamptz(3) NOT NULL',
      last_seen_at: 'timestamptz(3) NOT NULL',
      expires_at: 'timestamptz(3) NOT NULL',
      revoked_at: 'timestamptz(3)',
      ip_address: 'varchar(50)',
      user_agent: 'text',
    },
    constraints: ['PRIMARY KEY (id)'],
    grants: {},
  }),
  sql('CREATE INDEX ON identity.operator_sessions (operator_id)', []),

  // Who was in a tenant, why and for how long: the tenant's own rows, written by the functions of the platform alone.
  tenantTable({
    schema: 'tenancy',
    table: 'operator_entries',
    columns: {
      operator_id: 'uuid NOT NULL',
      operator_name: 'varchar(200) NOT NULL',
      session_id: 'uuid NOT NULL',
      reason: 'varchar(500) NOT NULL',
      reads_sensitive: 'boolean NOT NULL',
      expires_at: 'timestamptz(3) NOT NULL',
      ended_at: 'timestamptz(3)',
    },
    checks: {
      reason: "reason ~ '\\S'",
      duration: "expires_at > created_at AND expires_at <= created_at + interval '1 day'",
    },
    indexes: ['created_at, id', 'operator_id, created_at, id'],
    grants: { app_tenancy: ['SELECT'] },
  }),
  sql('GRANT UPDATE (ended_at, version, updated_at) ON tenancy.operator_entries TO app_tenancy', []),

  sql(
    [
      'ALTER TABLE identity.permissions ADD COLUMN is_sensitive boolean NOT NULL DEFAULT false',
      `ALTER TABLE identity.permissions ADD CONSTRAINT permissions_is_sensitive_check
         CHECK (NOT is_sensitive OR name ~ ':(read|summary|details|medical)$')`,
      `UPDATE identity.permissions SET is_sensitive = true WHERE name IN (${sensitive.map((name) => `'${name}'`).join(', ')})`,
    ],
    'ALTER TABLE identity.permissions DROP COLUMN is_sensitive',
  ),
  noPlatformScope('identity.permissions', 'name'),
  noPlatformScope('identity.roles', 'permissions'),
  noPlatformScope('identity.users', 'granted_permissions'),
  noPlatformScope('identity.api_keys', 'scopes'),

  // Whether an operator's session is alive, and what may be done by it: outside of tenants, and with an entry in its tenant.
  // Asked with each request, so that whatever ends acts on the next one. Idle after 15 minutes.
  lookupFunction({
    name: 'shared.operator_viewer',
    parameters: 'session uuid, of_tenant uuid, entry uuid, instant timestamptz',
    returns: 'TABLE (operator_id uuid, scopes text[], tenant_scopes text[], seconds_ahead int)',
    volatility: 'VOLATILE',
    rows: 1,
    body: `
DECLARE
  own constant uuid := of_tenant;
  seen_at timestamptz;
  sees_more boolean;
BEGIN
  SELECT o.id, o.scopes, s.last_seen_at INTO operator_id, scopes, seen_at
    FROM identity.operator_sessions s
    JOIN identity.operators o ON o.id = s.operator_id AND o.status = 'ACTIVE'
   WHERE s.id = session AND s.revoked_at IS NULL AND s.expires_at > instant
     AND s.last_seen_at > instant - interval '15 minutes';
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF entry IS NOT NULL THEN
    SELECT e.reads_sensitive, t.ahead_seconds INTO sees_more, seconds_ahead
      FROM tenancy.operator_entries e JOIN tenancy.tenants t ON t.id = own
     WHERE e.tenant_id = own AND e.id = entry AND e.session_id = session
       AND e.ended_at IS NULL AND e.expires_at > instant
       AND 'tenancy:platform:enter' = ANY (scopes)
       AND (NOT e.reads_sensitive OR 'tenancy:platform:sensitive' = ANY (scopes));
    IF NOT FOUND THEN
      RETURN;
    END IF;
    tenant_scopes := array(SELECT p.name::text FROM identity.permissions p
      WHERE CASE WHEN p.is_sensitive THEN sees_more ELSE p.name ~ ':read$' END ORDER BY p.name);
  END IF;
  IF seen_at <= instant - interval '1 minute' THEN
    UPDATE identity.operator_sessions s SET last_seen_at = instant
     WHERE s.id = session AND s.last_seen_at <= instant - interval '1 minute';
  END IF;
  RETURN NEXT;
END`,
    reads: {
      'identity.operators': ['id', 'scopes', 'status'],
      'identity.operator_sessions': ['id', 'operator_id', 'last_seen_at', 'expires_at', 'revoked_at'],
      'tenancy.operator_entries': [
        ...['tenant_id', 'id', 'session_id', 'reads_sensitive', 'expires_at', 'ended_at'],
      ],
      'tenancy.tenants': ['id', 'ahead_seconds'],
      'identity.permissions': ['name', 'is_sensitive'],
    },
    writes: { 'identity.operator_sessions': ['last_seen_at'] },
    callers: ['app_gateway'],
  }),

  // Who acts: an operator who holds the scope and is signed in at this moment, or the function that asks goes no further. It is
  // what makes every function of the platform narrower than the role that may call it. By the clock of the database; a minute
  // more than a session may be idle, because its last use is noted once a minute.
  lookupFunction({
    name: 'shared.require_operator',
    parameters: 'scope text',
    returns: 'uuid',
    body: `
DECLARE
  acting constant uuid := nullif(current_setting('app.actor_id', true), '')::uuid;
BEGIN
  IF NOT EXISTS (SELECT FROM identity.operators o
      JOIN identity.operator_sessions s ON s.operator_id = o.id AND s.revoked_at IS NULL AND s.expires_at > now()
       AND s.last_seen_at > now() - interval '16 minutes'
     WHERE o.id = acting AND o.status = 'ACTIVE' AND scope = ANY (o.scopes)) THEN
    RAISE EXCEPTION 'an operator with % must act here', scope USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN acting;
END`,
    reads: {
      'identity.operators': ['id', 'scopes', 'status'],
      'identity.operator_sessions': ['operator_id', 'revoked_at', 'expires_at', 'last_seen_at'],
    },
    callers: ['app_identity', 'app_tenancy'],
  }),
])
