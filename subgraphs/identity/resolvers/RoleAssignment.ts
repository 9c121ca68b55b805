import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import {
  changeAuthority,
  changedUser,
  findRoles,
  grownUser,
  requireAuthority,
  requireAuthorityOver,
  requireOtherAdministrator,
} from '../authority'
import { Role } from '../entities/Role'
import { RoleAssignment } from '../entities/RoleAssignment'
import { User } from '../entities/User'
import type { Resolvers } from '../generated'

export const roleAssignment: Resolvers = {
  Query: {
    roleAssignment: (_, { id }, context, info) => load(context, RoleAssignment, id, info),
    roleAssignments: (_, args, context, info) => page(context, RoleAssignment, args, info),
  },
  Mutation: {
    assignRole: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const [role] = await findRoles(context, tx, [input.roleId], 'roleId')
        requireAuthority(context, tx, role!.permissions, 'role', 'roleId')
        await changeAuthority(context, tx, input.userId, 'userId')
        await requireAuthorityOver(context, tx, input.userId, 'userId')
        const grantedById = context.viewer?.userId
        const assigned = await tx.insert(RoleAssignment, {
          userId: input.userId,
          roleId: role!.id,
          grantedById,
        })
        return { roleAssignment: assigned, ...(await grownUser(context, tx, input.userId)) }
      }),
    revokeRole: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const [role] = await findRoles(context, tx, [input.roleId], 'roleId')
        if (role!.isAdministrator) await requireOtherAdministrator(context, tx, input.userId, 'userId')
        await changeAuthority(context, tx, input.userId, 'userId')
        await requireAuthorityOver(context, tx, input.userId, 'userId')
        const [assignment] = await tx.rows(
          prepared(
            'SELECT id FROM identity.role_assignments WHERE tenant_id = $1 AND user_id = $2 AND role_id = $3',
            [context.binding.tenantId, input.userId, role!.id],
          ),
        )
        if (!assignment) return tx.fail('NOT_FOUND', 'The user does not have this role', 'roleId')
        await tx.remove(RoleAssignment, String(assignment[0]))
        return { user: await changedUser(context, tx, input.userId) }
      }),
  },
  RoleAssignment: {
    grantedAt: needs(RoleAssignment, ['createdAt'], (row) => row.createdAt),
    user: one(RoleAssignment, 'userId', User),
    role: one(RoleAssignment, 'roleId', Role),
    grantedBy: one(RoleAssignment, 'grantedById', User),
  },
}
