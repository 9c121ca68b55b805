import { constraintMessages } from './constraint-messages'
import { lookupFunction } from './lookup'
import { permissions } from './permissions'
import { migration, sql } from './sql'

/** Columns that a tenant's own mutations may change. The rest is the operator's, through the functions below. */
const ownColumns = `name, plan, industry, size, region, compliance_level, trial_ends_at, ahead_seconds, settings, metadata,
  enabled_modules, legal_name, billing_street, billing_postal_code, billing_city, billing_country, vat_number, billing_email,
  default_currency, time_zone, data_region, version, updated_at`

/** The sessions, and the keys where they are asked for, of the connection's tenant whose kept state has to be read anew. */
const ownAuthorities = (
  withKeys: boolean,
): string => `CREATE OR REPLACE FUNCTION shared.own_session_ids(instant timestamptz)
RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN QUERY SELECT s.id FROM identity.sessions s
   WHERE s.tenant_id = own AND s.revoked_at IS NULL AND s.expires_at > instant;${
     withKeys
       ? `
  RETURN QUERY SELECT k.id FROM identity.api_keys k
   WHERE k.tenant_id = own AND k.revoked_at IS NULL AND k.expires_at > instant;`
       : ''
   }
END$body$`

/** Tenants as the platform keeps them: made, suspended, taken back, deleted when their time is over, and entered. */
export const platformTenants = migration(202611290202, 'platform-tenants', [
  sql(
    [
      `ALTER TABLE tenancy.tenants ADD COLUMN status_reason varchar(500),
         ADD COLUMN status_changed_at timestamptz(3), ADD COLUMN deletion_due_at timestamptz(3)`,
      `ALTER TABLE tenancy.tenants ADD CONSTRAINT tenants_deletion_check
         CHECK (deletion_due_at IS NULL OR status = 'CANCELLED' AND deletion_due_at > status_changed_at)`,
      'CREATE INDEX tenants_deletion_lookup ON tenancy.tenants (deletion_due_at) WHERE deletion_due_at IS NOT NULL',
      'REVOKE INSERT, UPDATE ON tenancy.tenants FROM app_tenancy',
      `GRANT UPDATE (${ownColumns}) ON tenancy.tenants TO app_tenancy`,
    ],
    [
      `REVOKE UPDATE (${ownColumns}) ON tenancy.tenants FROM app_tenancy`,
      'GRANT INSERT, UPDATE ON tenancy.tenants TO app_tenancy',
      `ALTER TABLE tenancy.tenants DROP COLUMN status_reason, DROP COLUMN status_changed_at, DROP COLUMN deletion_due_at`,
    ],
  ),

  lookupFunction({
    name: 'tenancy.tenants_for_operator',
    parameters: '',
    returns: `TABLE (id uuid, name varchar, slug varchar, plan text, status text, status_reason varchar,
      status_changed_at timestamptz, deletion_due_at timestamptz, is_sandbox boolean, version int, created_at timestamptz,
      updated_at timestamptz)`,
    rows: 1000,
    body: `
BEGIN
  PERFORM shared.require_operator('tenancy:platform:read');
  RETURN QUERY SELECT t.id, t.name, t.slug, t.plan, t.status, t.status_reason, t.status_changed_at, t.deletion_due_at,
    t.is_sandbox, t.version, t.created_at, t.updated_at FROM tenancy.tenants t;
END`,
    reads: {
      'tenancy.tenants': [
        ...['id', 'name', 'slug', 'plan', 'status', 'status_reason', 'status_changed_at', 'deletion_due_at'],
        ...['is_sandbox', 'version', 'created_at', 'updated_at'],
      ],
    },
    callers: ['app_tenancy'],
  }),
  sql(
    [
      'CREATE VIEW tenancy.platform_tenants WITH (security_invoker = true) AS SELECT * FROM tenancy.tenants_for_operator()',
      'GRANT SELECT ON tenancy.platform_tenants TO app_tenancy',
    ],
    'DROP VIEW tenancy.platform_tenants',
  ),

  // The status of the connection's tenant. Whatever it is told of the time, a deletion leaves a week by the clock of the
  // database; a minute is for clocks that differ.
  lookupFunction({
    name: 'tenancy.set_tenant_status',
    parameters: 'wanted text, why text, instant timestamptz, deletion_due timestamptz',
    returns: 'void',
    volatility: 'VOLATILE',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  PERFORM shared.require_operator('tenancy:platform:tenants');
  IF deletion_due < now() + interval '7 days' - interval '1 minute' THEN
    RAISE EXCEPTION 'a deletion leaves 7 days of grace' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE tenancy.tenants t SET status = wanted, status_reason = why, status_changed_at = instant,
         deletion_due_at = deletion_due, version = t.version + 1, updated_at = now()
   WHERE t.id = own;
END`,
    reads: { 'tenancy.tenants': ['id', 'version'] },
    writes: {
      'tenancy.tenants': [
        ...['status', 'status_reason', 'status_changed_at', 'deletion_due_at', 'version', 'updated_at'],
      ],
    },
    callers: ['app_tenancy'],
  }),

  // The tenant of the connection, which is about to be. False when somebody has the slug.
  lookupFunction({
    name: 'shared.add_tenant',
    parameters: 'of_slug text, of_name text, sandbox boolean',
    returns: 'boolean',
    volatility: 'VOLATILE',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  PERFORM shared.require_operator('tenancy:platform:tenants');
  INSERT INTO tenancy.tenants (id, slug, name, is_sandbox) VALUES (own, of_slug, of_name, sandbox)
    ON CONFLICT (slug) DO NOTHING;
  RETURN FOUND;
END`,
    reads: { 'tenancy.tenants': ['slug'] },
    adds: { 'tenancy.tenants': ['id', 'slug', 'name', 'is_sandbox'] },
    callers: ['app_identity'],
  }),

  lookupFunction({
    name: 'tenancy.enter_tenant',
    parameters:
      'entry uuid, session uuid, why text, sensitive boolean, instant timestamptz, ends timestamptz',
    returns: 'varchar',
    volatility: 'VOLATILE',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  acting constant uuid := shared.require_operator('tenancy:platform:enter');
  known_as varchar;
BEGIN
  IF sensitive THEN
    PERFORM shared.require_operator('tenancy:platform:sensitive');
  END IF;
  SELECT o.name INTO STRICT known_as FROM identity.operators o
    JOIN identity.operator_sessions s ON s.operator_id = o.id AND s.id = session AND s.revoked_at IS NULL
   WHERE o.id = acting;
  INSERT INTO tenancy.operator_entries
    (tenant_id, id, operator_id, operator_name, session_id, reason, reads_sensitive, created_at, expires_at)
  VALUES (own, entry, acting, known_as, session, why, sensitive, instant, ends);
  RETURN known_as;
END`,
    reads: {
      'identity.operators': ['id', 'name'],
      'identity.operator_sessions': ['id', 'operator_id', 'revoked_at'],
    },
    adds: {
      'tenancy.operator_entries': [
        ...['tenant_id', 'id', 'operator_id', 'operator_name', 'session_id', 'reason', 'reads_sensitive'],
        ...['created_at', 'expires_at'],
      ],
    },
    callers: ['app_tenancy'],
  }),

  // By the clock of the database: whoever calls cannot hurry it, and neither does the clock of a sandbox.
  lookupFunction({
    name: 'tenancy.tenants_to_delete',
    parameters: '',
    returns: 'SETOF uuid',
    body: `
BEGIN
  RETURN QUERY SELECT t.id FROM tenancy.tenants t
   WHERE t.status = 'CANCELLED' AND t.deletion_due_at <= now() ORDER BY t.deletion_due_at, t.id;
END`,
    reads: { 'tenancy.tenants': ['id', 'status', 'deletion_due_at'] },
    callers: ['app_tenancy'],
  }),
  // Runs as the owner, because the rows of all subgraphs go with the tenant's. Only an operator's function sets the time, and
  // nothing is deleted before it.
  sql(
    [
      `CREATE FUNCTION tenancy.delete_due_tenant(of_tenant uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM tenancy.tenants t WHERE t.id = of_tenant AND t.status = 'CANCELLED' AND t.deletion_due_at <= now();
  RETURN FOUND;
END $$`,
      'REVOKE ALL ON FUNCTION tenancy.delete_due_tenant(uuid) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION tenancy.delete_due_tenant(uuid) TO app_tenancy',
    ],
    'DROP FUNCTION tenancy.delete_due_tenant(uuid)',
  ),

  // Kept states of keys end with the tenant as those of sessions do.
  sql(ownAuthorities(true), ownAuthorities(false)),

  constraintMessages('tenancy.operator_entries', {
    operator_entries_reason_check: 'must not be empty',
    operator_entries_duration_check: 'must end after its beginning, and within a day',
  }),
  permissions({
    'tenancy:operator-entry:read': {
      allows: 'See when an operator of the platform entered the tenant, and why',
      roles: ['COMPLIANCE_OFFICER'],
    },
    'tenancy:operator-entry:write': { allows: 'Have an operator of the platform out of the tenant at once' },
  }),
])
