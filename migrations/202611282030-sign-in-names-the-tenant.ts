import { lookupFunction } from './lookup'
import { lookupRole, migration, sql } from './sql'

/** The look-up of an e-mail address in all tenants, with the rights that it had. */
const byAddress = lookupFunction({
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
})

/** Whoever signs in names the tenant, so nothing finds a user without one (docs/decisions/0027-sign-in-names-the-tenant.md). */
export const signInNamesTheTenant = migration(202611282030, 'sign-in-names-the-tenant', [
  { up: byAddress.down, down: byAddress.up },
  sql(
    ['DROP INDEX identity.users_email_lookup', `REVOKE SELECT (email) ON identity.users FROM ${lookupRole}`],
    'CREATE INDEX users_email_lookup ON identity.users (email)',
  ),

  lookupFunction({
    name: 'identity.tenant_by_slug',
    parameters: 'tenant_slug text',
    returns: 'uuid',
    body: `
BEGIN
  RETURN (SELECT t.id FROM tenancy.tenants t WHERE t.slug = tenant_slug AND t.status = 'ACTIVE');
END`,
    reads: { 'tenancy.tenants': ['id', 'slug', 'status'] },
    callers: ['app_identity'],
  }),

  // Who is invited is told by what name to sign in later.
  lookupFunction({
    name: 'shared.tenant_slug',
    parameters: '',
    returns: 'text',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN (SELECT t.slug FROM tenancy.tenants t WHERE t.id = own);
END`,
    reads: { 'tenancy.tenants': ['id', 'slug'] },
    callers: ['app_identity'],
  }),
])
