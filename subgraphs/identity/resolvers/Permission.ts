import type { SubgraphContext } from '../../../kernel/context'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { prepared } from '../../../kernel/statement'
import {
  changeAuthority,
  changedUser,
  grownUser,
  requireAuthorityOver,
  requireHeld,
  requireKnown,
} from '../authority'
import { Permission } from '../entities/Permission'
import type { Resolvers } from '../generated'

const defaultOrder = { property: 'name', direction: 'ASC' } as const

export const permission: Resolvers = {
  Query: {
    permissions: (_, args, context, info) => page(context, Permission, args, info, { defaultOrder }),
  },
  Mutation: {
    grantPermission: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const known = await requireKnown(tx, [input.permission], 'permission')
        requireHeld(context, tx, known, 'permission')
        const granted = await grantedTo(context, tx, input.userId)
        if (granted.includes(input.permission))
          tx.fail('DUPLICATE', 'The user was given this permission already', 'permission')
        await setGranted(context, tx, input.userId, granted, [...granted, input.permission].sort())
        return grownUser(context, tx, input.userId)
      }),
    revokePermission: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const granted = await grantedTo(context, tx, input.userId)
        if (!granted.includes(input.permission))
          tx.fail('NOT_FOUND', 'The user was not given this permission directly', 'permission')
        const left = granted.filter((one) => one !== input.permission)
        await setGranted(context, tx, input.userId, granted, left)
        return { user: await changedUser(context, tx, input.userId) }
      }),
  },
}

/** Returns what a user was given directly, locked. Fails unless the viewer holds everything the user may do. */
async function grantedTo(
  context: SubgraphContext,
  tx: MutationTransaction,
  userId: string,
): Promise<string[]> {
  await changeAuthority(context, tx, userId, 'userId')
  await requireAuthorityOver(context, tx, userId, 'userId')
  const [row] = await tx.rows(
    prepared('SELECT granted_permissions FROM identity.users WHERE tenant_id = $1 AND id = $2', [
      context.binding.tenantId,
      userId,
    ]),
  )
  return row![0] as string[]
}

/** Written past `tx.update`, which would mask the permissions in the audit trail: not everyone may read them. */
async function setGranted(
  context: SubgraphContext,
  tx: MutationTransaction,
  userId: string,
  before: readonly string[],
  after: readonly string[],
): Promise<void> {
  await tx.run(
    prepared(
      `UPDATE identity.users SET granted_permissions = $3, version = version + 1, updated_by_id = $4, updated_at = now()
        WHERE tenant_id = $1 AND id = $2`,
      [context.binding.tenantId, userId, after, context.binding.actorId],
    ),
  )
  const changes = { before: { grantedPermissions: before }, after: { grantedPermissions: after } }
  tx.audit({ action: 'UPDATE', resourceType: 'User', resourceId: userId.toLowerCase(), changes })
}
