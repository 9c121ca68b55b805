import { lookupFunction } from './lookup'
import { permissions } from './permissions'
import { globalTable, grant, migration, oneOf, sql, subgraphRoles, tenantTable } from './sql'

const columns = {
  // From the role of the connection, and no role may write it: nobody has another subgraph do something.
  subgraph: 'text NOT NULL DEFAULT substr(current_user, 5)',
  name: "varchar(100) NOT NULL CHECK (name <> '')",
  unique_key: 'varchar(200)',
  payload: "jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(payload) = 'object')",
  state: `${oneOf('state', ['WAITING', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED'])} DEFAULT 'WAITING'`,
  due_at: 'timestamptz(3) NOT NULL DEFAULT now()',
  attempts: 'int NOT NULL DEFAULT 0',
  most_attempts: 'int NOT NULL DEFAULT 5 CHECK (most_attempts > 0)',
  // By the clock of the database, which all processes share: it says whether a process lives, not when something is due.
  lease_until: 'timestamptz(3)',
  steps_done: 'int NOT NULL DEFAULT 0 CHECK (steps_done >= 0)',
  steps_total: 'int CHECK (steps_total >= 0)',
  cancel_requested_at: 'timestamptz(3)',
  requested_by_id: 'uuid',
  started_at: 'timestamptz(3)',
  ended_at: 'timestamptz(3)',
  fault: 'varchar(1000)',
}
const checks = {
  lease: "(state = 'RUNNING') = (lease_until IS NOT NULL)",
  ended: "(state IN ('DONE', 'FAILED', 'CANCELLED')) = (ended_at IS NOT NULL)",
}
const standard = {
  version: 'int NOT NULL DEFAULT 1',
  created_at: 'timestamptz(3) NOT NULL DEFAULT now()',
  updated_at: 'timestamptz(3) NOT NULL DEFAULT now()',
}

/** A subgraph adds jobs of its own and says how far they are; what a job is about never changes. */
const rights = (table: string) =>
  sql(
    [
      `GRANT INSERT (id, name, unique_key, payload, state, due_at, most_attempts, requested_by_id, created_at, ended_at)
         ON ${table} TO ${subgraphRoles.join(', ')}`,
      `GRANT UPDATE (state, due_at, attempts, lease_until, steps_done, steps_total, cancel_requested_at, started_at,
         ended_at, fault, version, updated_at) ON ${table} TO ${subgraphRoles.join(', ')}`,
    ],
    [],
  )

/** Work that subgraphs do by themselves: each tenant's jobs among its own rows, and those of the installation. */
export const jobs = migration(202611281410, 'jobs', [
  tenantTable({
    schema: 'shared',
    table: 'jobs',
    columns,
    checks,
    unique: [['subgraph', 'name', 'unique_key']],
    references: { requested_by_id: { table: 'identity.users' } },
    indexes: [
      { columns: 'subgraph, due_at, id', where: "state = 'WAITING'" },
      { columns: 'subgraph', where: "state = 'RUNNING'" },
      { columns: 'ended_at', where: 'ended_at IS NOT NULL' },
      'created_at, id',
      'due_at, id',
      'state, created_at, id',
      'name, created_at, id',
    ],
    grants: { ...grant(subgraphRoles, ['SELECT']), app_tenancy: ['SELECT', 'DELETE'] },
  }),
  rights('shared.jobs'),
  // Led by the time: workers ask which tenants have something to do, through the function below.
  sql(
    [
      "CREATE INDEX jobs_due_lookup ON shared.jobs (subgraph, due_at) INCLUDE (tenant_id) WHERE state = 'WAITING'",
      "CREATE INDEX jobs_lease_lookup ON shared.jobs (subgraph, lease_until) INCLUDE (tenant_id) WHERE state = 'RUNNING'",
    ],
    [],
  ),
  globalTable({
    schema: 'shared',
    table: 'platform_jobs',
    columns: { id: 'uuid', ...columns, ...standard },
    constraints: [
      'PRIMARY KEY (id)',
      'CONSTRAINT platform_jobs_key UNIQUE (subgraph, name, unique_key)',
      ...Object.entries(checks).map(
        ([name, check]) => `CONSTRAINT platform_jobs_${name}_check CHECK (${check})`,
      ),
    ],
    grants: { ...grant(subgraphRoles, ['SELECT']), app_tenancy: ['SELECT', 'DELETE'] },
  }),
  rights('shared.platform_jobs'),

  // Which tenants have a job of a subgraph that somebody may take, and whether the worker of one is gone.
  lookupFunction({
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
  }),
  // All tenants, some at a time: what is done for each of them is asked for in each.
  lookupFunction({
    name: 'shared.tenant_ids',
    parameters: 'after uuid, most int',
    returns: 'SETOF uuid',
    body: `
BEGIN
  RETURN QUERY SELECT t.id FROM tenancy.tenants t WHERE after IS NULL OR t.id > after ORDER BY t.id LIMIT most;
END`,
    reads: { 'tenancy.tenants': ['id'] },
    callers: subgraphRoles,
  }),
  permissions({
    'tenancy:job:read': { allows: 'See what the product does for the tenant by itself, and how far it is' },
    'tenancy:job:write': { allows: 'Cancel what the product does for the tenant by itself' },
  }),
])
