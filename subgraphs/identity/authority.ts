import type { SubgraphContext } from '../../kernel/context'
import { isUuid } from '../../kernel/id'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { User } from './entities/User'
import { isLastAdministrator, notHeld } from './rules/permissions'
import { endKnownSecrets } from './sessions/invitation'
import { refreshAuthority } from './sessions/revoke'
import type { IdentityUserErrorCode } from './generated'

/** Fails unless the viewer holds all of these permissions, which the viewer named. */
export function requireHeld(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  permissions: readonly string[],
  field: string,
): void {
  const lacking = notHeld(permissions, context.viewer?.scopes ?? new Set())
  if (lacking.length > 0) tx.fail('PERMISSION_NOT_HELD', `You lack ${lacking.join(', ')}`, field)
}

/**
 * Fails unless the viewer holds all permissions of a role or a user, `whose`. Which are lacking is told to those alone who
 * may look them up.
 */
export function requireAuthority(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  permissions: readonly string[],
  whose: 'role' | 'user',
  field: string,
): void {
  const scopes = context.viewer?.scopes ?? new Set<string>()
  if (scopes.has('identity:role:read')) return requireHeld(context, tx, permissions, field)
  if (notHeld(permissions, scopes).length === 0) return
  const message = `The ${whose} has permissions that you lack: ask somebody who holds them, such as an administrator`
  tx.fail('PERMISSION_NOT_HELD', message, field)
}

/** The permissions of these names, sorted and each once. Fails when the catalogue lacks one. */
export async function requireKnown(
  tx: MutationTransaction<IdentityUserErrorCode>,
  names: readonly string[],
  field: string,
): Promise<string[]> {
  const wanted = [...new Set(names)].sort()
  const rows = await tx.rows(
    prepared('SELECT name FROM identity.permissions WHERE name = ANY ($1)', [wanted]),
  )
  const known = new Set(rows.map(([name]) => name))
  const unknown = wanted.filter((name) => !known.has(name))
  if (unknown.length > 0)
    tx.fail('REFERENCE_NOT_FOUND', `There is no permission ${unknown.join(', ')}`, field)
  return wanted
}

/**
 * Fails unless the viewer holds everything this user may do. Otherwise whoever may change users could take over, or
 * shut out, somebody with more rights.
 */
export async function requireAuthorityOver(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  userId: string,
  field: string,
): Promise<void> {
  const [row] = await tx.rows(prepared('SELECT identity.effective_permissions($1)', [userId]))
  requireAuthority(context, tx, (row?.[0] ?? []) as string[], 'user', field)
}

/**
 * Fails when this user is the tenant's only active administrator. The lock on the role ADMIN makes such changes wait
 * for each other; it is taken before any user's.
 */
export async function requireOtherAdministrator(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  userId: string,
  field: string,
): Promise<void> {
  const { tenantId } = context.binding
  const [role] = await tx.rows(
    prepared(
      `SELECT id FROM identity.roles WHERE tenant_id = $1 AND name = 'ADMIN' AND is_system_role FOR NO KEY UPDATE`,
      [tenantId],
    ),
  )
  const administrators = await tx.rows(
    prepared(
      `SELECT u.id FROM identity.role_assignments a
         JOIN identity.users u ON u.tenant_id = $1 AND u.id = a.user_id AND u.status = 'ACTIVE' AND u.kind = 'PERSON'
        WHERE a.tenant_id = $1 AND a.role_id = $2`,
      [tenantId, role?.[0]],
    ),
  )
  const ids = administrators.map(([id]) => String(id))
  if (isLastAdministrator(userId, ids))
    tx.fail(
      'LAST_ADMINISTRATOR',
      'This is the last active administrator: give the role ADMIN to another user first',
      field,
    )
}

/** A user by an id of an input, locked. Fails when there is no such user. */
export async function findUser(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  userId: string,
  field: string,
): Promise<User> {
  const text = 'SELECT 1 FROM identity.users WHERE tenant_id = $1 AND id = $2'
  const found = isUuid(userId) ? await tx.rows(prepared(text, [context.binding.tenantId, userId])) : []
  if (found.length === 0) tx.fail('REFERENCE_NOT_FOUND', 'There is no user with this id', field)
  return tx.find(User, userId)
}

/** Locks a user and counts that what the user may do changes. Fails when there is no such user. */
export async function changeAuthority(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  userId: string,
  field: string,
): Promise<void> {
  const changed = isUuid(userId)
    ? await tx.run(
        prepared(
          `UPDATE identity.users SET permission_version = permission_version + 1, updated_at = now()
            WHERE tenant_id = $1 AND id = $2`,
          [context.binding.tenantId, userId],
        ),
      )
    : 0
  if (changed === 0) tx.fail('REFERENCE_NOT_FOUND', 'There is no user with this id', field)
}

/** The user as it is after its authority changed, which every gateway is told to read anew. */
export async function changedUser(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  userId: string,
): Promise<User> {
  const user = await tx.find(User, userId)
  await refreshAuthority(context, tx, { tenantId: user.tenantId, userIds: [user.id] })
  return user
}

/** The same for a user who gained rights: what others may know of the user's secrets ends. */
export async function grownUser(
  context: SubgraphContext,
  tx: MutationTransaction,
  userId: string,
): Promise<{ user: User; invitationToken?: string }> {
  return endKnownSecrets(context, tx, await changedUser(context, tx, userId))
}

export interface FoundRole {
  id: string
  permissions: string[]
  isAdministrator: boolean
}

/**
 * The roles with these ids. Fails when one does not exist. Until the transaction ends nobody changes them: what was judged
 * is what is given.
 */
export async function findRoles(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  ids: readonly string[],
  field: string,
): Promise<FoundRole[]> {
  const wanted = [...new Set(ids.map((id) => id.toLowerCase()))]
  const rows = wanted.every(isUuid)
    ? await tx.rows(
        prepared(
          `SELECT id, permissions, name = 'ADMIN' AND is_system_role FROM identity.roles
            WHERE tenant_id = $1 AND id = ANY ($2) ORDER BY id FOR KEY SHARE`,
          [context.binding.tenantId, wanted],
        ),
      )
    : []
  if (rows.length < wanted.length) tx.fail('REFERENCE_NOT_FOUND', 'There is no role with this id', field)
  return rows.map((row) => ({
    id: String(row[0]),
    permissions: row[1] as string[],
    isAdministrator: row[2] === true,
  }))
}
