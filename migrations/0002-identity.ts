import { constraintMessages } from './constraint-messages'
import { lookupFunction } from './lookup'
import { permissions, upOnly } from './permissions'
import { byLanguage, globalTable, lookupRole, migration, oneOf, sql, tenantTable } from './sql'

/** Users, roles and sessions, and the two look-ups that come before a tenant or a viewer is known. */
export const identity = migration(2, 'identity', [
  globalTable({
    schema: 'identity',
    table: 'permissions',
    columns: {
      id: 'uuid NOT NULL',
      name: "varchar(100) NOT NULL CHECK (name ~ '^[a-z]+:[a-z-]+:[a-z-]+$')",
      description: 'text NOT NULL',
      system_roles: "text[] NOT NULL DEFAULT '{}'",
      created_at: 'timestamptz(3) NOT NULL DEFAULT now()',
    },
    constraints: ['PRIMARY KEY (id)', 'CONSTRAINT permissions_name_key UNIQUE (name)'],
    grants: { app_identity: ['SELECT'] },
  }),

  tenantTable({
    schema: 'identity',
    table: 'users',
    columns: {
      // Lower case is the normal form: equal addresses are equal texts, and a plain index finds them.
      email: 'varchar(255) NOT NULL',
      username: 'varchar(100)',
      external_id: 'varchar(255)',
      first_name: 'varchar(100)',
      last_name: 'varchar(100)',
      full_name_override: 'varchar(200)',
      full_name: `text GENERATED ALWAYS AS (coalesce(full_name_override,
        nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), ''))) STORED`,
      phone: 'varchar(50)',
      avatar_url: 'text',
      status: `${oneOf('status', ['ACTIVE', 'SUSPENDED', 'INVITED'])} DEFAULT 'ACTIVE'`,
      preferences: "jsonb NOT NULL DEFAULT '{}'",
      password_hash: 'varchar(255)',
      password_change_required: 'boolean NOT NULL DEFAULT false',
      // SHA-256 of the token's secret, in hexadecimal. The secret has 256 random bits, so it needs no salt.
      invitation_hash: "text CHECK (invitation_hash ~ '^[0-9a-f]{64}$')",
      invitation_expires_at: 'timestamptz(3)',
      mfa_enabled: 'boolean NOT NULL DEFAULT false',
      mfa_secret: 'varchar(255)',
      granted_permissions: "text[] NOT NULL DEFAULT '{}'",
      permission_version: 'int NOT NULL DEFAULT 1',
      last_login_at: 'timestamptz(3)',
      created_by_id: 'uuid',
      updated_by_id: 'uuid',
    },
    unique: [['email'], ['username'], ['external_id']],
    names: { username: 'spelling' },
    checks: {
      email: 'email = lower(email)',
      username: "username <> ''",
      external_id: "external_id <> ''",
      full_name_override: "full_name_override <> ''",
      avatar_url: "length(avatar_url) <= 2048 AND avatar_url ~ '^https?://'",
      preferences: "jsonb_typeof(preferences) = 'object'",
      invitation: `(invitation_hash IS NULL) = (invitation_expires_at IS NULL)
        AND (invitation_hash IS NULL OR status = 'INVITED')`,
      invited: "status <> 'INVITED' OR password_hash IS NULL",
    },
    references: { created_by_id: { table: 'identity.users' }, updated_by_id: { table: 'identity.users' } },
    indexes: ['status', byLanguage('email'), byLanguage('full_name'), 'created_at, id', 'last_login_at, id'],
    grants: { app_identity: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('identity.users', {
    users_email_check: 'must be in lower case',
    users_username_check: 'must not be empty',
    users_external_id_check: 'must not be empty',
    users_full_name_override_check: 'must not be empty',
    users_avatar_url_check: 'must be an http or https address of at most 2048 characters',
    users_preferences_check: 'must be an object',
  }),
  // The one index that is not led by the tenant: sign-in by e-mail alone looks for it, through the function below.
  sql('CREATE INDEX users_email_lookup ON identity.users (email)', 'DROP INDEX identity.users_email_lookup'),

  tenantTable({
    schema: 'identity',
    table: 'roles',
    columns: {
      name: "varchar(100) NOT NULL CHECK (name <> '')",
      description: 'text',
      permissions: "text[] NOT NULL DEFAULT '{}'",
      is_system_role: 'boolean NOT NULL DEFAULT false',
    },
    unique: [['name']],
    names: { name: 'look' },
    // UPDATE, because changes of administrators wait for each other at the row of ADMIN.
  }),
  constraintMessages('identity.roles', {
    roles_name_check: 'must not be empty',
    roles_name_look_key: 'is already in use, or looks like one that is',
  }),

  tenantTable({
    schema: 'identity',
    table: 'role_assignments',
    columns: { user_id: 'uuid NOT NULL', role_id: 'uuid NOT NULL', granted_by_id: 'uuid' },
    unique: [['user_id', 'role_id']],
    references: {
      user_id: { table: 'identity.users', onDelete: 'CASCADE' },
      role_id: { table: 'identity.roles' },
      granted_by_id: { table: 'identity.users' },
    },
    grants: { app_identity: ['SELECT', 'INSERT', 'DELETE'] },
  }),

  tenantTable({
    schema: 'identity',
    table: 'sessions',
    columns: {
      user_id: 'uuid NOT NULL',
      last_seen_at: 'timestamptz(3) NOT NULL',
      expires_at: 'timestamptz(3) NOT NULL',
      revoked_at: 'timestamptz(3)',
      ip_address: 'varchar(50)',
      user_agent: 'text',
    },
    references: { user_id: { table: 'identity.users', onDelete: 'CASCADE' } },
    indexes: ['expires_at'],
  }),

  tenantTable({
    schema: 'identity',
    table: 'refresh_tokens',
    columns: {
      session_id: 'uuid NOT NULL',
      // SHA-256 of the secret, in hexadecimal. The secret has 256 random bits, so it needs no salt and no slow hash.
      secret_hash: "text NOT NULL CHECK (secret_hash ~ '^[0-9a-f]{64}$')",
      rotated_at: 'timestamptz(3)',
      successor_id: 'uuid',
    },
    checks: { rotation: '(rotated_at IS NULL) = (successor_id IS NULL)' },
    references: {
      session_id: { table: 'identity.sessions', onDelete: 'CASCADE' },
      // A token is marked as used before its successor is written.
      successor_id: { table: 'identity.refresh_tokens', deferred: true },
    },
    // A session has one token that can be used: the database itself refuses a second successor.
    indexes: [{ columns: 'session_id', unique: true, where: 'rotated_at IS NULL' }],
  }),

  // What a user may do: the permissions of the roles and the direct grants. It sees the tenant of the connection only.
  sql(
    [
      `CREATE FUNCTION identity.effective_permissions(of_user uuid) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN (SELECT coalesce(array_agg(DISTINCT name ORDER BY name), '{}') FROM (
    SELECT unnest(u.granted_permissions) AS name FROM identity.users u WHERE u.tenant_id = own AND u.id = of_user
    UNION ALL
    SELECT unnest(r.permissions) FROM identity.role_assignments a
      JOIN identity.roles r ON r.tenant_id = own AND r.id = a.role_id
     WHERE a.tenant_id = own AND a.user_id = of_user
  ) AS held);
END $$`,
      `GRANT EXECUTE ON FUNCTION identity.effective_permissions(uuid) TO app_identity, ${lookupRole}`,
    ],
    'DROP FUNCTION identity.effective_permissions(uuid)',
  ),

  // Sign-in: which tenant? By its slug, or by an e-mail address that exactly one active tenant knows. Only the id.
  lookupFunction({
    name: 'identity.tenant_for_sign_in',
    parameters: 'tenant_slug text, user_email text',
    returns: 'uuid',
    body: `
BEGIN
  IF tenant_slug IS NOT NULL THEN
    RETURN (SELECT t.id FROM tenancy.tenants t WHERE t.slug = tenant_slug AND t.status = 'ACTIVE');
  END IF;
  RETURN (SELECT (array_agg(t.id))[1] FROM identity.users u JOIN tenancy.tenants t ON t.id = u.tenant_id
    WHERE u.email = user_email AND t.status = 'ACTIVE' HAVING count(*) = 1);
END`,
    reads: { 'tenancy.tenants': ['id', 'slug', 'status'], 'identity.users': ['tenant_id', 'email'] },
    callers: ['app_identity'],
  }),

  // Whether a session of the connection's tenant is alive, what its user may do now, and whether the user must change the
  // password before anything else. It notes the use of the session at most once a minute. Idle after 30 minutes, over at expires_at. It stands in `shared`, because the
  // gateway has no way into schema identity (docs/decisions/0006-sessions-and-tokens.md).
  lookupFunction({
    name: 'shared.session_viewer',
    parameters: 'session uuid, instant timestamptz',
    returns: 'TABLE (user_id uuid, permission_version int, scopes text[], password_change_required boolean)',
    volatility: 'VOLATILE',
    rows: 1,
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  seen_at timestamptz;
BEGIN
  SELECT u.id, u.permission_version, u.password_change_required, s.last_seen_at
    INTO user_id, permission_version, password_change_required, seen_at
    FROM identity.sessions s
    JOIN identity.users u ON u.tenant_id = own AND u.id = s.user_id AND u.status = 'ACTIVE'
    JOIN tenancy.tenants t ON t.id = own AND t.status = 'ACTIVE'
   WHERE s.tenant_id = own AND s.id = session
     AND s.revoked_at IS NULL AND s.expires_at > instant AND s.last_seen_at > instant - interval '30 minutes';
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF seen_at <= instant - interval '1 minute' THEN
    UPDATE identity.sessions s SET last_seen_at = instant, updated_at = now()
     WHERE s.tenant_id = own AND s.id = session AND s.last_seen_at <= instant - interval '1 minute';
  END IF;
  scopes := identity.effective_permissions(user_id);
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
      'identity.sessions': ['tenant_id', 'id', 'user_id', 'last_seen_at', 'expires_at', 'revoked_at'],
    },
    writes: { 'identity.sessions': ['last_seen_at', 'updated_at'] },
    callers: ['app_gateway', 'app_identity'],
  }),

  // Whether an account of the connection's tenant is its owner's: active, with a password that nobody else chose. It never
  // gets a secret again that others know. For subgraphs that give rights to accounts, which have no way into identity.
  lookupFunction({
    name: 'shared.user_is_taken_over',
    parameters: 'of_user uuid',
    returns: 'boolean',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN (SELECT u.status = 'ACTIVE' AND NOT u.password_change_required
    FROM identity.users u WHERE u.tenant_id = own AND u.id = of_user);
END`,
    reads: { 'identity.users': ['tenant_id', 'id', 'status', 'password_change_required'] },
    callers: ['app_hr'],
  }),

  upOnly(
    permissions({
      'identity:user:read': {
        allows: 'Look up and list users, with their contact and account details',
        roles: ['COMPLIANCE_OFFICER', 'HR_MANAGER', 'VIEWER'],
      },
      'identity:user:write': { allows: 'Create, change, suspend and reactivate users' },
      'identity:role:read': { allows: 'List roles and permissions', roles: ['COMPLIANCE_OFFICER'] },
      'identity:role:write': {
        allows: 'Make, change and delete roles; give roles and permissions to users and take them away',
      },
    }),
  ),
])
