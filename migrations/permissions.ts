import { uuidv7 } from '../kernel/id'
import { sql, type Step } from './sql'

/** The roles that exist in every tenant. */
export const systemRoles = ['ADMIN', 'USER', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'ANALYST', 'VIEWER'] as const
export type SystemRole = (typeof systemRoles)[number]

/**
 * Scope (`subgraph:resource:action`) -> what it allows, which system roles besides ADMIN carry it, and whether it tells what is
 * sensitive: an operator who is in a tenant reads that only by an entry that says so.
 */
export type PermissionCatalogue = Record<
  `${string}:${string}:${string}`,
  { allows: string; roles?: readonly SystemRole[]; sensitive?: true }
>

/**
 * Adds scopes to the catalogue and to the system roles of every tenant, those that exist and (through
 * `permissions.system_roles`) those to come. ADMIN gets every scope.
 */
export function permissions(catalogue: PermissionCatalogue): Step {
  return {
    up: Object.entries(catalogue).flatMap(([name, { allows, roles = [], sensitive }]) => [
      `INSERT INTO identity.permissions (id, name, description, system_roles${sensitive ? ', is_sensitive' : ''})
       VALUES ('${uuidv7()}', ${text(name)}, ${text(allows)}, '{${['ADMIN', ...roles].join(',')}}'${sensitive ? ', true' : ''})`,
      `UPDATE identity.roles r SET permissions = array_append(r.permissions, p.name), version = r.version + 1,
              updated_at = now()
         FROM identity.permissions p
        WHERE p.name = ${text(name)} AND r.is_system_role AND r.name = ANY (p.system_roles)`,
    ]),
    down: Object.keys(catalogue).flatMap((name) => [
      `UPDATE identity.roles SET permissions = array_remove(permissions, ${text(name)}), updated_at = now()
        WHERE ${text(name)} = ANY (permissions)`,
      `UPDATE identity.users SET granted_permissions = array_remove(granted_permissions, ${text(name)}), updated_at = now()
        WHERE ${text(name)} = ANY (granted_permissions)`,
      `DELETE FROM identity.permissions WHERE name = ${text(name)}`,
    ]),
  }
}

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`

/** A step's statements only on the way up: what it makes goes away with its table. */
export function upOnly(step: Step): Step {
  return sql(step.up, [])
}
