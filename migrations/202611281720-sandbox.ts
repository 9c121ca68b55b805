import { lookupFunction } from './lookup'
import { permissions } from './permissions'
import { migration, sql, subgraphRoles } from './sql'

const longestAheadSeconds = 10 * 366 * 86_400

/** As 202611281410-jobs made it. */
const formerDueTenants = lookupFunction({
  name: 'shared.tenants_with_due_jobs',
  parameters: 'of_subgraph text, instant timestamptz',
  returns: 'TABLE (tenant uuid, is_lost boolean)',
  body: `
BEGIN
  RETURN QUERY SELECT found.tenant_id, bool_or(found.lost) FROM (
    SELECT j.tenant_id, false AS lost FROM shared.jobs j
     WHERE j.subgraph = of_subgraph AND j.state = 'WAITING' AND j.due_at <= instant
    UNION ALL
    SELECT j.tenant_id, true FROM shared.jobs j
     WHERE j.subgraph = of_subgraph AND j.state = 'RUNNING' AND j.lease_until <= now()) AS found
   GROUP BY 1 ORDER BY 1;
END`,
  reads: { 'shared.jobs': ['tenant_id', 'subgraph', 'state', 'due_at', 'lease_until'] },
  callers: subgraphRoles,
})

/**
 * Tenants to try things in: such a one may be moved forward in time, and its jobs follow. Only who makes tenants makes a
 * sandbox of one (`npm run tenant`).
 */
export const sandbox = migration(202611281720, 'sandbox', [
  sql(
    [
      `ALTER TABLE tenancy.tenants ADD COLUMN is_sandbox boolean NOT NULL DEFAULT false,
         ADD COLUMN ahead_seconds int NOT NULL DEFAULT 0`,
      `ALTER TABLE tenancy.tenants ADD CONSTRAINT tenants_ahead_check
         CHECK (ahead_seconds BETWEEN 0 AND ${longestAheadSeconds} AND (is_sandbox OR ahead_seconds = 0))`,
      'CREATE INDEX tenants_ahead ON tenancy.tenants (id) WHERE ahead_seconds > 0',
    ],
    'ALTER TABLE tenancy.tenants DROP COLUMN is_sandbox, DROP COLUMN ahead_seconds',
  ),

  sql(formerDueTenants.down, formerDueTenants.up),
  // Which tenants have a job of a subgraph that somebody may take, by the tenant's own clock; whether the worker of one is
  // gone; and who is ahead of time, with or without a job.
  lookupFunction({
    name: 'shared.tenants_with_due_jobs',
    parameters: 'of_subgraph text, instant timestamptz',
    returns: 'TABLE (tenant uuid, is_lost boolean, is_due boolean, ahead int)',
    body: `
BEGIN
  RETURN QUERY SELECT found.tenant_id, bool_or(found.lost), bool_or(found.due), max(found.seconds) FROM (
    SELECT j.tenant_id, false AS lost, true AS due, 0 AS seconds FROM shared.jobs j
     WHERE j.subgraph = of_subgraph AND j.state = 'WAITING' AND j.due_at <= instant
    UNION ALL
    SELECT j.tenant_id, true, true, 0 FROM shared.jobs j
     WHERE j.subgraph = of_subgraph AND j.state = 'RUNNING' AND j.lease_until <= now()
    UNION ALL
    SELECT t.id, false, EXISTS (SELECT FROM shared.jobs j
             WHERE j.tenant_id = t.id AND j.subgraph = of_subgraph AND j.state = 'WAITING'
               AND j.due_at <= instant + make_interval(secs => t.ahead_seconds)), t.ahead_seconds
      FROM tenancy.tenants t WHERE t.ahead_seconds > 0) AS found
   GROUP BY 1 ORDER BY 1;
END`,
    reads: {
      'shared.jobs': ['tenant_id', 'subgraph', 'state', 'due_at', 'lease_until'],
      'tenancy.tenants': ['id', 'ahead_seconds'],
    },
    callers: subgraphRoles,
  }),

  // By how many seconds the connection's tenant is ahead: asked with the state of a session.
  lookupFunction({
    name: 'shared.seconds_ahead',
    parameters: '',
    returns: 'int',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN (SELECT t.ahead_seconds FROM tenancy.tenants t WHERE t.id = own);
END`,
    reads: { 'tenancy.tenants': ['id', 'ahead_seconds'] },
    callers: ['app_gateway'],
  }),
  // Sessions of the connection's tenant whose kept state has to be read anew when its clock was moved.
  lookupFunction({
    name: 'shared.own_session_ids',
    parameters: 'instant timestamptz',
    returns: 'SETOF uuid',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN QUERY SELECT s.id FROM identity.sessions s
   WHERE s.tenant_id = own AND s.revoked_at IS NULL AND s.expires_at > instant;
END`,
    reads: { 'identity.sessions': ['tenant_id', 'id', 'revoked_at', 'expires_at'] },
    callers: ['app_tenancy'],
  }),
  permissions({
    'tenancy:clock:write': { allows: 'Move a sandbox tenant forward in time' },
  }),
])
