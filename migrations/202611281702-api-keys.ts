import { constraintMessages } from './constraint-messages'
import { lookupFunction } from './lookup'
import { permissions } from './permissions'
import { lookupRole, migration, oneOf, sql, tenantTable } from './sql'

/** Holds what no key may do, whatever its owner may: who may do what is decided by people. */
const inPerson = ['identity:user:write', 'identity:role:write', 'identity:key:write']

/** Accounts of programs, and keys with which programs ask. */
export const apiKeys = migration(202611281702, 'api-keys', [
  sql(
    [
      `ALTER TABLE identity.users
        ADD COLUMN kind ${oneOf('kind', ['PERSON', 'SERVICE'])} DEFAULT 'PERSON',
        ADD CONSTRAINT users_service_check CHECK (kind = 'PERSON'
          OR (password_hash IS NULL AND invitation_hash IS NULL AND mfa_secret IS NULL AND status <> 'INVITED')),
        ADD CONSTRAINT users_service_email_check CHECK ((email LIKE '%@service.invalid') = (kind = 'SERVICE'))`,
    ],
    [
      "DELETE FROM identity.users WHERE kind = 'SERVICE'",
      'ALTER TABLE identity.users DROP COLUMN kind, DROP CONSTRAINT IF EXISTS users_service_email_check',
    ],
  ),
  constraintMessages('identity.users', {
    users_service_check: 'cannot be given to a service account, which signs in with keys alone',
    users_service_email_check: 'at service.invalid is for service accounts, which keep theirs',
  }),

  tenantTable({
    schema: 'identity',
    table: 'api_keys',
    columns: {
      // Whose rights bound it.
      owner_id: 'uuid NOT NULL',
      name: 'varchar(255) NOT NULL',
      key_prefix: 'varchar(20) NOT NULL',
      type: `${oneOf('type', ['PRIVATE'])} DEFAULT 'PRIVATE'`,
      // SHA-256 of the secret, in hexadecimal. The secret has 256 random bits, so it needs no salt and no slow hash.
      secret_hash: "text NOT NULL CHECK (secret_hash ~ '^[0-9a-f]{64}$')",
      previous_hash: "text CHECK (previous_hash ~ '^[0-9a-f]{64}$')",
      previous_until: 'timestamptz(3)',
      scopes: 'text[] NOT NULL',
      rate_limit: 'int NOT NULL DEFAULT 1000',
      allowed_networks: "text[] NOT NULL DEFAULT '{}'",
      expires_at: 'timestamptz(3) NOT NULL',
      last_used_at: 'timestamptz(3)',
      usage_stats: `jsonb NOT NULL DEFAULT '{"requests": 0}'`,
      rotated_at: 'timestamptz(3)',
      revoked_at: 'timestamptz(3)',
      revoked_by_id: 'uuid',
      created_by_id: 'uuid',
    },
    unique: [['name']],
    names: { name: 'spelling' },
    checks: {
      name: "name <> ''",
      scopes: 'cardinality(scopes) > 0',
      rate_limit: 'rate_limit BETWEEN 1 AND 100000',
      allowed_networks: 'cardinality(allowed_networks) <= 50',
      previous: '(previous_hash IS NULL) = (previous_until IS NULL)',
      revoked: 'revoked_at IS NOT NULL OR revoked_by_id IS NULL',
    },
    references: {
      owner_id: { table: 'identity.users', onDelete: 'CASCADE' },
      revoked_by_id: { table: 'identity.users' },
      created_by_id: { table: 'identity.users' },
    },
    indexes: ['created_at, id', 'expires_at, id'],
    grants: { app_identity: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  }),
  constraintMessages('identity.api_keys', {
    api_keys_name_check: 'must not be empty',
    api_keys_scopes_check: 'must name a permission',
    api_keys_rate_limit_check: 'must be 1 to 100000',
    api_keys_allowed_networks_check: 'must be at most 50',
  }),

  // Whether a key of the connection's tenant is alive, whose it is, and what it may do: what it was given, as far as its owner
  // may do it at this moment. As for sessions it stands in `shared`, because the gateway has no way into identity.
  lookupFunction({
    name: 'shared.api_key_viewer',
    parameters: 'key uuid, instant timestamptz',
    returns: `TABLE (user_id uuid, permission_version int, scopes text[], password_change_required boolean, secret_hash text,
      previous_hash text, previous_until timestamptz, rate_limit int, allowed_networks text[], expires_at timestamptz)`,
    rows: 1,
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  given text[];
BEGIN
  SELECT u.id, u.permission_version, u.password_change_required, k.scopes, k.secret_hash, k.previous_hash, k.previous_until,
         k.rate_limit, k.allowed_networks, k.expires_at
    INTO user_id, permission_version, password_change_required, given, secret_hash, previous_hash, previous_until,
         rate_limit, allowed_networks, expires_at
    FROM identity.api_keys k
    JOIN identity.users u ON u.tenant_id = own AND u.id = k.owner_id AND u.status = 'ACTIVE'
    JOIN tenancy.tenants t ON t.id = own AND t.status = 'ACTIVE'
   WHERE k.tenant_id = own AND k.id = key AND k.revoked_at IS NULL AND k.expires_at > instant;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  scopes := ARRAY(SELECT held FROM unnest(identity.effective_permissions(user_id)) AS held
    WHERE held = ANY (given) AND held <> ALL (ARRAY['${inPerson.join("', '")}']) ORDER BY held);
  RETURN NEXT;
END`,
    reads: {
      'tenancy.tenants': ['id', 'status'],
      'identity.users': [
        ...['tenant_id', 'id', 'status', 'permission_version', 'granted_permissions'],
        'password_change_required',
      ],
      'identity.roles': ['tenant_id', 'id', 'permissions'],
      'identity.role_assignments': ['tenant_id', 'user_id', 'role_id'],
      'identity.api_keys': [
        ...['tenant_id', 'id', 'owner_id', 'scopes', 'secret_hash', 'previous_hash', 'previous_until'],
        ...['rate_limit', 'allowed_networks', 'expires_at', 'revoked_at'],
      ],
    },
    callers: ['app_gateway'],
  }),

  // Notes that a key was used, and how often since that was last noted. Nobody waits for it.
  lookupFunction({
    name: 'shared.note_api_key_use',
    parameters: 'key uuid, instant timestamptz, requests bigint',
    returns: 'void',
    volatility: 'VOLATILE',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  UPDATE identity.api_keys k
     SET last_used_at = greatest(k.last_used_at, instant),
         usage_stats = jsonb_build_object('requests', (k.usage_stats ->> 'requests')::bigint + requests),
         updated_at = now()
   WHERE k.tenant_id = own AND k.id = key AND requests > 0;
END`,
    reads: { 'identity.api_keys': ['tenant_id', 'id', 'last_used_at', 'usage_stats'] },
    writes: { 'identity.api_keys': ['last_used_at', 'usage_stats', 'updated_at'] },
    callers: ['app_gateway'],
  }),

  // A service account has no owner who could have taken it over: no employee's salary is shown to a program.
  sql(
    [
      `GRANT SELECT (kind) ON identity.users TO ${lookupRole}`,
      `CREATE OR REPLACE FUNCTION shared.user_is_taken_over(of_user uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN (SELECT u.status = 'ACTIVE' AND NOT u.password_change_required AND u.kind = 'PERSON'
    FROM identity.users u WHERE u.tenant_id = own AND u.id = of_user);
END$body$`,
    ],
    [
      `CREATE OR REPLACE FUNCTION shared.user_is_taken_over(of_user uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN (SELECT u.status = 'ACTIVE' AND NOT u.password_change_required
    FROM identity.users u WHERE u.tenant_id = own AND u.id = of_user);
END$body$`,
    ],
  ),
  permissions({
    'identity:key:read': {
      allows: 'See the API keys of others, and what they may do',
      roles: ['COMPLIANCE_OFFICER'],
    },
    'identity:key:write': { allows: 'Make and rotate API keys, and revoke those of others' },
  }),
])
