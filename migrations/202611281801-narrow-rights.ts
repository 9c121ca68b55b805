import { applicationRoles, migration, ownerRole, sql, subgraphRoles } from './sql'

const writers = applicationRoles.join(', ')
const workers = subgraphRoles.join(', ')
/** The subgraph of the connection, as the default of the column has it. */
const isOwn = 'subgraph = substr(current_user, 5)'
/** Stands for the tenant as a whole in `subject_id`. */
const wholeTenant = "'00000000-0000-0000-0000-000000000000'::uuid"

/** The columns of an entry that its writer gives. Its position and hash are given by whoever seals, and nobody else. */
const entry = `tenant_id, id, occurred_at, actor_id, action, resource_type, resource_id, changes, ip_address, user_agent,
  request_id`

/** Rights of the roles that were wider than their work: a subgraph that was taken over does less harm to the others. */
export const narrowRights = migration(202611281801, 'narrow-rights', [
  sql(
    [
      `REVOKE INSERT ON shared.audit_logs FROM ${writers}`,
      `GRANT INSERT (${entry}) ON shared.audit_logs TO ${writers}`,
    ],
    [
      `REVOKE ALL ON shared.audit_logs FROM ${writers}`,
      ...applicationRoles.map(
        (role) =>
          `GRANT ${role === 'app_compliance' ? 'INSERT, SELECT' : 'INSERT'} ON shared.audit_logs TO ${role}`,
      ),
      'GRANT UPDATE (position, hash) ON shared.audit_logs TO app_compliance',
    ],
  ),

  // A subgraph says how far its own jobs are. Tenancy cancels those of a tenant, and removes what is long over.
  sql(
    [
      'ALTER TABLE shared.platform_jobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
      `CREATE POLICY own_subgraph ON shared.platform_jobs TO ${workers} USING (${isOwn}) WITH CHECK (${isOwn})`,
      'CREATE POLICY read_all ON shared.platform_jobs FOR SELECT TO app_tenancy USING (true)',
      'CREATE POLICY remove_all ON shared.platform_jobs FOR DELETE TO app_tenancy USING (true)',
      `CREATE POLICY owner_all ON shared.platform_jobs TO ${ownerRole} USING (true) WITH CHECK (true)`,
      `CREATE POLICY own_subgraph ON shared.jobs AS RESTRICTIVE FOR UPDATE
         TO ${subgraphRoles.filter((role) => role !== 'app_tenancy').join(', ')} USING (${isOwn}) WITH CHECK (${isOwn})`,
    ],
    [
      'DROP POLICY own_subgraph ON shared.jobs',
      ...['own_subgraph', 'read_all', 'remove_all', 'owner_all'].map(
        (policy) => `DROP POLICY ${policy} ON shared.platform_jobs`,
      ),
      'ALTER TABLE shared.platform_jobs NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY',
    ],
  ),

  // The owner alone rotates a tenant's key: a later generation would be what all new values are encrypted with.
  sql(
    `CREATE POLICY first_generation ON shared.data_keys AS RESTRICTIVE FOR INSERT TO ${workers}
       WITH CHECK (generation = 1 OR subject_id <> ${wholeTenant} AND generation BETWEEN 1 AND 1000)`,
    'DROP POLICY first_generation ON shared.data_keys',
  ),
])
