import type { ClientBase } from 'pg'
import { systemRoles, type SystemRole } from '../migrations/permissions'
import type { Statement } from '../kernel/connection/database'
import { normalEmail } from '../kernel/schema/text'
import { uuidv7 } from '../kernel/id'
import { insertStatements } from '../kernel/statement'
import { systemRoleDescriptions } from '../subgraphs/identity/rules/system-roles'

const roleDescriptions: Readonly<Record<SystemRole, string>> = systemRoleDescriptions

export interface NewTenant {
  /** UUID version 7; made when not given. */
  id?: string
  /** Lower-case words joined by hyphens, unique on this installation; what people type to sign in. */
  slug: string
  name: string
  plan?: 'TRIAL' | 'STARTER' | 'PROFESSIONAL' | 'ENTERPRISE'
  /** Makes a tenant to try things in, which may be moved forward in time. Default false; it stays as it is. */
  isSandbox?: boolean
}

export interface NewUser {
  /** UUID version 7; made when not given. */
  id?: string
  email: string
  /** From `hashPassword`; without it nobody can sign in as this user. */
  passwordHash?: string
  /** Tells whether sign-in asks for a new password. */
  passwordChangeRequired?: boolean
  firstName?: string
  lastName?: string
  roles: readonly SystemRole[]
}

/** Describes what the caller can correct: its message says how. */
export class TenantError extends Error {}

/**
 * Adds a tenant with its system roles. It is the one place that does: the command line, the demo data and the tests
 * all come here. Call it in a transaction.
 * @param client a connection as the owner (the migrator's URL)
 * @returns the tenant's id
 * @throws TenantError for a slug that is malformed or taken
 */
export async function createTenant(client: ClientBase, tenant: NewTenant): Promise<string> {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(tenant.slug) || tenant.slug.length > 100)
    throw new TenantError(
      `The slug "${tenant.slug}" is not usable: take lower-case letters, digits and single hyphens, at most 100`,
    )
  if (!tenant.name.trim() || tenant.name.length > 255)
    throw new TenantError('The name must have 1 to 255 characters')
  const id = tenant.id ?? uuidv7()
  const added = await client.query(
    `INSERT INTO tenancy.tenants (id, slug, name, plan, is_sandbox) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (slug) DO NOTHING`,
    [id, tenant.slug, tenant.name, tenant.plan ?? 'STARTER', tenant.isSandbox ?? false],
  )
  if (added.rowCount === 0) throw new TenantError(`The slug "${tenant.slug}" is taken: choose another one`)
  // The catalogue knows which scopes each system role has, so a migration that adds one need not come here.
  const { rows: permissions } = await client.query<{ name: string; roles: string[] }>(
    'SELECT name, system_roles AS roles FROM identity.permissions ORDER BY name',
  )
  const roles = systemRoles.map((role) => [
    uuidv7(),
    role,
    roleDescriptions[role],
    permissions.filter((permission) => permission.roles.includes(role)).map(({ name }) => name),
  ])
  await insert(
    client,
    insertStatements(
      'INSERT INTO identity.roles (tenant_id, is_system_role, id, name, description, permissions)',
      roles,
      { shared: [id, true] },
    ),
  )
  return id
}

/**
 * Adds a user with system roles to a tenant. Call it in a transaction.
 * @param client a connection as the owner (the migrator's URL)
 * @returns the user's id
 * @throws TenantError for an e-mail address that is malformed or taken in this tenant
 */
export async function createUser(client: ClientBase, tenantId: string, user: NewUser): Promise<string> {
  if (!/^[^\s@]+@[^\s@]+$/.test(user.email) || user.email.length > 254)
    throw new TenantError(`"${user.email}" is not an e-mail address`)
  const id = user.id ?? uuidv7()
  const added = await client.query(
    `INSERT INTO identity.users
       (tenant_id, id, email, password_hash, password_change_required, first_name, last_name)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, email) DO NOTHING`,
    [
      tenantId,
      id,
      normalEmail(user.email),
      user.passwordHash ?? null,
      user.passwordChangeRequired ?? false,
      user.firstName ?? null,
      user.lastName ?? null,
    ],
  )
  if (added.rowCount === 0)
    throw new TenantError(`The e-mail address "${user.email}" is taken in this tenant`)
  const { rows: roles } = await client.query<{ id: string }>(
    'SELECT id FROM identity.roles WHERE tenant_id = $1 AND name = ANY ($2) AND is_system_role',
    [tenantId, user.roles],
  )
  const assignments = roles.map((role) => [uuidv7(), role.id])
  const into = 'INSERT INTO identity.role_assignments (tenant_id, user_id, id, role_id)'
  await insert(client, insertStatements(into, assignments, { shared: [tenantId, id] }))
  return id
}

async function insert(client: ClientBase, statements: readonly Statement[]): Promise<void> {
  for (const { text, values } of statements) await client.query(text, values as unknown[])
}
