import type { SubgraphContext } from '../../../kernel/context'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { prepared } from '../../../kernel/statement'
import { requireAuthority, requireHeld, requireKnown } from '../authority'
import { Role } from '../entities/Role'
import type { IdentityUserErrorCode, Resolvers } from '../generated'
import { endKnownSecretsOfRole } from '../sessions/invitation'
import { refreshAuthority } from '../sessions/revoke'

const defaultOrder = { property: 'name', direction: 'ASC' } as const

export const role: Resolvers = {
  Query: {
    role: (_, { id }, context, info) => load(context, Role, id, info),
    roles: (_, args, context, info) => page(context, Role, args, info, { defaultOrder }),
  },
  Mutation: {
    createRole: (_, { input: { permissions, ...values } }, context) =>
      mutate(context, async (tx) => {
        const known = await requireKnown(tx, permissions, 'permissions')
        requireHeld(context, tx, known, 'permissions')
        return { role: await tx.insert(Role, { ...values, permissions: known }) }
      }),
    updateRole: (_, { input: { id, expectedVersion, permissions, ...changes } }, context) =>
      mutate(context, async (tx) => {
        const before = await findOwnRole(context, tx, id)
        const known = permissions && (await requireKnown(tx, permissions, 'permissions'))
        if (known) requireHeld(context, tx, known, 'permissions')
        const changed = await tx.update(Role, id, expectedVersion, { ...changes, permissions: known })
        if (changed.permissions.join() === before.permissions.join())
          return { role: changed, invitationsEnded: 0 }
        await changeHolders(context, tx, changed)
        const isWider = changed.permissions.some((one) => !before.permissions.includes(one))
        const invitationsEnded = isWider ? await endKnownSecretsOfRole(context, tx, changed) : 0
        return { role: changed, invitationsEnded }
      }),
    deleteRole: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const { id: roleId, tenantId } = await findOwnRole(context, tx, id)
        // The role is locked, so nobody is given it after this count.
        const [row] = await tx.rows(
          prepared(
            'SELECT count(*)::int FROM identity.role_assignments WHERE tenant_id = $1 AND role_id = $2',
            [tenantId, roleId],
          ),
        )
        const count = Number(row![0])
        if (count > 0) tx.fail('IN_USE', `Users with this role: ${count}. Take it from them first`, 'id')
        return { role: await tx.remove(Role, id, expectedVersion) }
      }),
  },
}

/** A role that the viewer may change, locked: none of the system's, and with no permission that the viewer lacks. */
async function findOwnRole(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  id: string,
): Promise<Role> {
  const found = await tx.find(Role, id)
  if (found.isSystemRole)
    tx.fail('SYSTEM_ROLE', 'Every tenant has this role: make one of your own instead', 'id')
  requireAuthority(context, tx, found.permissions, 'role', 'id')
  return found
}

/** Counts for every user with the role that what they may do changed, and has every gateway read it anew. */
async function changeHolders(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  { tenantId, id }: Role,
): Promise<void> {
  const holders = await tx.rows(
    prepared(
      `UPDATE identity.users SET permission_version = permission_version + 1, updated_at = now()
        WHERE tenant_id = $1 AND id IN (
          SELECT user_id FROM identity.role_assignments WHERE tenant_id = $1 AND role_id = $2)
        RETURNING id`,
      [tenantId, id],
    ),
  )
  const userIds = holders.map(([userId]) => String(userId))
  if (userIds.length > 0) await refreshAuthority(context, tx, { tenantId, userIds })
}
