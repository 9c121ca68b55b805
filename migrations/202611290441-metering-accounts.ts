import { migration, sql } from './sql'

const scope = 'tenancy:usage:write'

/** Whoever owes does not meter: no role has the scope, and nobody of a tenant can give it. Accounts of the platform do. */
export const meteringAccounts = migration(202611290441, 'metering-accounts', [
  sql(
    [
      `UPDATE identity.permissions SET system_roles = '{}', description = 'Record what meters read; for accounts that the platform makes'
        WHERE name = '${scope}'`,
      `UPDATE identity.roles SET permissions = array_remove(permissions, '${scope}'), version = version + 1, updated_at = now()
        WHERE '${scope}' = ANY (permissions)`,
      `UPDATE identity.users SET granted_permissions = array_remove(granted_permissions, '${scope}'),
              permission_version = permission_version + 1, updated_at = now()
        WHERE '${scope}' = ANY (granted_permissions)`,
    ],
    [
      `UPDATE identity.permissions SET system_roles = '{ADMIN}', description = 'Record and correct what meters tell of use'
        WHERE name = '${scope}'`,
      `UPDATE identity.roles SET permissions = array_append(permissions, '${scope}'), version = version + 1, updated_at = now()
        WHERE is_system_role AND name = 'ADMIN' AND NOT '${scope}' = ANY (permissions)`,
    ],
  ),
])
