import { lookupRole, type ApplicationRole, type Step } from './sql'

export interface LookupFunction {
  /** schema.name */
  name: string
  /** 'slug text, …' */
  parameters: string
  /** 'uuid', 'TABLE (user_id uuid, …)', 'SETOF uuid' */
  returns: string
  /** VOLATILE when the function writes. */
  volatility?: 'STABLE' | 'VOLATILE'
  /** Says how many rows the planner shall expect from a function that returns a set. */
  rows?: number
  /**
   * PL/pgSQL. A setting inside a query keeps a distributed PostgreSQL from finding the one place to ask: the tenant is
   * read once, `own constant uuid := current_setting('app.tenant_id')::uuid`.
   */
  body: string
  /** schema.table -> columns the function may read, in all tenants' rows. */
  reads: Record<string, readonly string[]>
  /** schema.table -> columns the function may change, in all tenants' rows. */
  writes?: Record<string, readonly string[]>
  /** schema.table -> columns of rows that the function may add, for any tenant. */
  adds?: Record<string, readonly string[]>
  callers: readonly ApplicationRole[]
}

/**
 * A function that looks across tenants, or into an index that row level security closes. It runs as a role that
 * can read the named columns and nothing else, so the hole is exactly as wide as its declaration.
 * It shall return ids, never a row: the caller enters the tenant and reads under its own rights, in a statement of its
 * own, because a distributed PostgreSQL cannot run one that names such a function and a tenant's table.
 */
export function lookupFunction(definition: LookupFunction): Step {
  const [schema, name] = definition.name.split('.') as [string, string]
  const reads = Object.entries(definition.reads)
  const writes = Object.entries(definition.writes ?? {})
  const adds = Object.entries(definition.adds ?? {})
  const rows = definition.rows ? ` ROWS ${definition.rows}` : ''
  return {
    up: [
      ...reads.flatMap(([table, columns]) => [
        `GRANT SELECT (${columns.join(', ')}) ON ${table} TO ${lookupRole}`,
        `CREATE POLICY ${name}_reads ON ${table} FOR SELECT TO ${lookupRole} USING (true)`,
      ]),
      ...writes.flatMap(([table, columns]) => [
        `GRANT UPDATE (${columns.join(', ')}) ON ${table} TO ${lookupRole}`,
        `CREATE POLICY ${name}_writes ON ${table} FOR UPDATE TO ${lookupRole} USING (true) WITH CHECK (true)`,
      ]),
      ...adds.flatMap(([table, columns]) => [
        `GRANT INSERT (${columns.join(', ')}) ON ${table} TO ${lookupRole}`,
        `CREATE POLICY ${name}_adds ON ${table} FOR INSERT TO ${lookupRole} WITH CHECK (true)`,
      ]),
      // The body is checked and owned by the look-up role, which may make it only for this moment.
      `GRANT CREATE ON SCHEMA ${schema} TO ${lookupRole}`,
      `CREATE FUNCTION ${definition.name}(${definition.parameters}) RETURNS ${definition.returns}
LANGUAGE plpgsql ${definition.volatility ?? 'STABLE'}${rows} SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $body$${definition.body}$body$`,
      `ALTER FUNCTION ${definition.name} OWNER TO ${lookupRole}`,
      `REVOKE CREATE ON SCHEMA ${schema} FROM ${lookupRole}`,
      `REVOKE ALL ON FUNCTION ${definition.name} FROM PUBLIC`,
      `GRANT EXECUTE ON FUNCTION ${definition.name} TO ${definition.callers.join(', ')}`,
    ],
    down: [
      ...adds.map(([table]) => `DROP POLICY ${name}_adds ON ${table}`),
      ...writes.map(([table]) => `DROP POLICY ${name}_writes ON ${table}`),
      ...reads.map(([table]) => `DROP POLICY ${name}_reads ON ${table}`),
      `DROP FUNCTION ${definition.name}`,
    ],
  }
}
