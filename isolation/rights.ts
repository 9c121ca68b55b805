import type { Client } from 'pg'
import { subgraphNames, type SubgraphName } from '../kernel/schema/subgraph-names'
import { tenantTables, type TenantTable } from './population'

export type Role = SubgraphName | 'gateway'
/** The roles of the processes. */
export const roles: readonly Role[] = [...subgraphNames, 'gateway']

/** Describes what one role may do with one table of tenants' rows, with the columns that it may do it with. */
export interface RoleRight {
  name: string
  role: Role
  table: TenantTable
  privilege: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'
  columns: readonly string[]
}

/**
 * Reads from the catalogue what the roles of the product may do with tenants' tables: jobs, mails, events, keys and the audit
 * trail among them. Adding rows counts where the role may say whose they are.
 */
export async function readRights(client: Client): Promise<RoleRight[]> {
  const rights: RoleRight[] = []
  const { rows } = await client.query<{ table: string; role: Role; privilege: string; columns: string[] }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS "table", r.name AS role, p.name AS privilege,
            array_agg(quote_ident(a.attname) ORDER BY a.attnum) AS columns
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      CROSS JOIN unnest($1::text[]) AS r (name) CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS p (name)
      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_'
        AND CASE p.name WHEN 'DELETE' THEN has_table_privilege('app_' || r.name, c.oid, 'DELETE')
                        ELSE has_column_privilege('app_' || r.name, c.oid, a.attnum, p.name) END
      GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    [roles],
  )
  const tables = new Map((await tenantTables(client)).map((table) => [table.name, table]))
  for (const { table: name, role, privilege, columns } of rows) {
    const table = tables.get(name)
    if (!table || (privilege === 'INSERT' && !columns.includes(table.tenantColumn))) continue
    const right = { role, table, privilege: privilege as RoleRight['privilege'], columns }
    rights.push({ ...right, name: `${role} ${privilege} ${name}` })
  }
  return rights
}
