import { lookupFunction } from './lookup'
import { migration, tenantTable } from './sql'

/** Policies of tenants about their members' sign-ins: whether they need a second factor, who, and from when on. */
export const signInPolicies = migration(202611290420, 'sign-in-policies', [
  tenantTable({
    schema: 'identity',
    table: 'sign_in_policies',
    without: ['id'],
    // One for each tenant; a tenant without a row asks for nothing.
    primaryKey: [],
    columns: {
      mfa_required: 'boolean NOT NULL DEFAULT false',
      // Who holds one of these permissions; empty: everybody.
      mfa_scopes: "text[] NOT NULL DEFAULT '{}'",
      grace_days: 'int NOT NULL DEFAULT 0 CHECK (grace_days BETWEEN 0 AND 90)',
      // When it was last asked of more people than before.
      required_since: 'timestamptz(3)',
    },
    checks: { required_since: 'mfa_required = (required_since IS NOT NULL)' },
    grants: { app_identity: ['SELECT', 'INSERT', 'UPDATE'] },
  }),

  // From when on a user of the connection's tenant may do nothing but add a second factor; null: never. Of sessions alone: keys
  // and service accounts have no second factor. It stands beside `session_viewer`, for the gateway too.
  lookupFunction({
    name: 'shared.second_factor_due',
    parameters: 'of_user uuid',
    returns: 'timestamptz',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  due timestamptz;
  asked text[];
BEGIN
  SELECT greatest(p.required_since, u.created_at) + make_interval(days => p.grace_days), p.mfa_scopes INTO due, asked
    FROM identity.sign_in_policies p
    JOIN identity.users u ON u.tenant_id = own AND u.id = of_user AND NOT u.mfa_enabled AND u.kind = 'PERSON'
   WHERE p.tenant_id = own AND p.mfa_required;
  IF due IS NULL OR cardinality(asked) = 0 OR identity.effective_permissions(of_user) && asked THEN
    RETURN due;
  END IF;
  RETURN NULL;
END`,
    reads: {
      'identity.sign_in_policies': [
        'tenant_id',
        'mfa_required',
        'mfa_scopes',
        'grace_days',
        'required_since',
      ],
      'identity.users': ['tenant_id', 'id', 'mfa_enabled', 'kind', 'created_at', 'granted_permissions'],
      'identity.roles': ['tenant_id', 'id', 'permissions'],
      'identity.role_assignments': ['tenant_id', 'user_id', 'role_id'],
    },
    callers: ['app_gateway', 'app_identity'],
  }),
])
