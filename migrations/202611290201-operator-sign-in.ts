import { lookupFunction } from './lookup'
import { doorByHashes } from './operator-door'
import { globalTable, migration, sql } from './sql'

/** The door of the operators, and the trail of what they do outside of tenants. */
export const operatorSignIn = migration(202611290201, 'operator-sign-in', [
  // Evidence that outlives the tenants: nobody changes it, and no role reads it past the functions of the platform.
  globalTable({
    schema: 'shared',
    table: 'platform_actions',
    columns: {
      id: 'uuid NOT NULL',
      occurred_at: 'timestamptz(3) NOT NULL',
      operator_id: 'uuid',
      action: "varchar(100) NOT NULL CHECK (action ~ '^[A-Z]+(_[A-Z]+)*$')",
      about_tenant: 'uuid',
      details: "jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object')",
      ip_address: 'varchar(50)',
      request_id: 'text',
    },
    constraints: ['PRIMARY KEY (id)'],
    grants: {},
  }),
  sql('CREATE INDEX ON shared.platform_actions (occurred_at, id)', []),

  lookupFunction({
    name: 'shared.note_platform_action',
    parameters: 'entry uuid, instant timestamptz, what text, of_tenant uuid, why jsonb, address text',
    returns: 'void',
    volatility: 'VOLATILE',
    body: `
BEGIN
  INSERT INTO shared.platform_actions (id, occurred_at, operator_id, action, about_tenant, details, ip_address, request_id)
  VALUES (entry, instant, nullif(current_setting('app.actor_id', true), '')::uuid, what, of_tenant, why, address,
    current_setting('app.request_id', true));
END`,
    reads: {},
    adds: {
      'shared.platform_actions': [
        ...[
          'id',
          'occurred_at',
          'operator_id',
          'action',
          'about_tenant',
          'details',
          'ip_address',
          'request_id',
        ],
      ],
    },
    callers: ['app_identity', 'app_tenancy'],
  }),

  ...doorByHashes,

  lookupFunction({
    name: 'identity.end_operator_session',
    parameters: 'session uuid, everywhere boolean, instant timestamptz',
    returns: 'boolean',
    volatility: 'VOLATILE',
    body: `
DECLARE
  acting constant uuid := shared.require_operator('tenancy:platform:read');
BEGIN
  UPDATE identity.operator_sessions s SET revoked_at = instant
   WHERE (s.id = session OR everywhere) AND s.operator_id = acting AND s.revoked_at IS NULL;
  RETURN FOUND;
END`,
    reads: { 'identity.operator_sessions': ['id', 'operator_id', 'revoked_at'] },
    writes: { 'identity.operator_sessions': ['revoked_at'] },
    callers: ['app_identity'],
  }),
])
