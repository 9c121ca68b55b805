import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { uuidv7 } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction, type Values } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { rowsByKey, valueByKey } from '../../../kernel/query'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { hashPassword, requireStepUp } from '../../../kernel/sign-in'
import { findRoles, requireAuthority, requireAuthorityOver, requireOtherAdministrator } from '../authority'
import { ApiKey } from '../entities/ApiKey'
import { Credential } from '../entities/Credential'
import { MfaDevice } from '../entities/MfaDevice'
import { Role } from '../entities/Role'
import { RoleAssignment } from '../entities/RoleAssignment'
import { Session } from '../entities/Session'
import { User } from '../entities/User'
import type { CreateUserInput, Resolvers } from '../generated'
import { statusWhenReactivated } from '../rules/invitation'
import { passwordFault } from '../passwords/password-rules'
import { tenantNames } from '../sessions/tenant-names'
import { entrust, invited, newInvitation, noInvitation, noPassword } from '../sessions/invitation'
import { notify } from '../sessions/notices'
import { confirmEmailChange, requestEmailChange } from '../sessions/email-change'
import { laneOfTenant } from '../sessions/attempts'
import { bindPasskeys, refreshAuthority, revokeSessions } from '../sessions/revoke'

const permissionsOfUser = valueByKey<string[]>(
  'SELECT id, identity.effective_permissions(id) FROM unnest($1::uuid[]) AS id',
  [],
  (_, userIds) => [userIds],
)
const rolesOfUser = rowsByKey(
  Role,
  'SELECT user_id, role_id FROM identity.role_assignments WHERE tenant_id = $1 AND user_id = ANY ($2)',
  'name',
)

export const user: Resolvers = {
  Query: {
    viewer: (_, _args, context, info) => load(context, User, context.viewer?.userId, info),
    user: (_, { id }, context, info) => load(context, User, id, info),
    users: (_, args, context, info) => page(context, User, args, info),
  },
  Mutation: {
    createUser: async (_, { input: { initialPassword, ...values } }, context) => {
      const { email, username, firstName, lastName, fullName } = values
      const names = [username, firstName, lastName, fullName, ...Object.values(await tenantNames(context))]
      const fault = passwordFault(initialPassword, { email, names })
      if (fault) return { userErrors: [{ code: 'INVALID', message: fault, field: ['initialPassword'] }] }
      const passwordHash = await hashPassword(
        initialPassword,
        context.services.config.passwordRounds,
        laneOfTenant(context.binding.tenantId!),
      )
      const access = { passwordHash, passwordChangeRequired: true }
      return mutate(context, async (tx) => {
        const user = await addUser(context, tx, values, access)
        await entrust(context, tx, user.id)
        return { user }
      })
    },
    inviteUser: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const { kept, secret } = newInvitation(context)
        return invited(context, tx, await addUser(context, tx, input, kept), secret)
      }),
    renewInvitation: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const { id: userId, status } = await tx.find(User, id)
        await requireAuthorityOver(context, tx, userId, 'id')
        if (status !== 'INVITED')
          tx.fail('NOT_INVITED', `This user is ${status}: there is no invitation to renew`, 'id')
        const { kept, secret } = newInvitation(context)
        return invited(context, tx, await tx.update(User, id, expectedVersion, kept), secret)
      }),
    createServiceAccount: (_, { input: { fullName, roleIds } }, context) =>
      mutate(context, async (tx) => {
        // Nothing is ever sent there: `.invalid` is no domain (RFC 2606).
        const email = `${uuidv7(context.services.clock.now().getTime())}@service.invalid`
        const values = { email, fullName, roleIds }
        const user = await addUser(context, tx, values, { kind: 'SERVICE' })
        await entrust(context, tx, user.id)
        return { user }
      }),
    updateUser: (_, { input: { id, expectedVersion, email, fullName, ...changes } }, context) =>
      mutate(context, async (tx) => {
        const before = await tx.find(User, id)
        await requireAuthorityOver(context, tx, before.id, 'id')
        const names = { email: email && email.toLowerCase(), fullNameOverride: fullName }
        // The token went to the former address.
        const isMoved = names.email && names.email !== before.email
        if (isMoved) requireStepUp(context)
        if (isMoved && before.id === context.viewer?.userId)
          tx.fail(
            'INVALID',
            'Change your own address with requestEmailChange: both mailboxes confirm it',
            'email',
          )
        const withdrawn = isMoved ? noInvitation : {}
        const user = await tx.update(User, id, expectedVersion, { ...changes, ...names, ...withdrawn })
        if (isMoved && before.kind === 'PERSON') await move(context, tx, before)
        return { user }
      }),
    requestEmailChange: (_, { input: { newEmail } }, context) => requestEmailChange(context, newEmail),
    confirmEmailChange: (_, { input: { token } }, context) => confirmEmailChange(context, token),
    suspendUser: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        await requireOtherAdministrator(context, tx, id, 'id')
        const { id: userId, tenantId, permissionVersion } = await tx.find(User, id)
        await requireAuthorityOver(context, tx, userId, 'id')
        const changes = { status: 'SUSPENDED', ...noInvitation } as const
        const along = { permissionVersion: permissionVersion + 1 }
        const suspended = await tx.update(User, id, expectedVersion, changes, along)
        await revokeSessions(context, tx, { tenantId, userId }, { reason: 'SUSPENDED' })
        await refreshAuthority(context, tx, { tenantId, userIds: [userId] })
        return { user: suspended }
      }),
    reactivateUser: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const before = await tx.find(User, id)
        await requireAuthorityOver(context, tx, before.id, 'id')
        const { id: userId, tenantId } = before
        if (before.status !== 'SUSPENDED') return { user: await tx.update(User, id, expectedVersion, {}) }
        const status = statusWhenReactivated(before)
        const along = { permissionVersion: before.permissionVersion + 1 }
        if (status === 'ACTIVE')
          return { user: await tx.update(User, id, expectedVersion, { status }, along) }
        const { kept, secret } = newInvitation(context)
        const changes = { status, ...noPassword, ...kept }
        const again = await tx.update(User, id, expectedVersion, changes, along)
        await revokeSessions(context, tx, { tenantId, userId }, { reason: 'INVITED_AGAIN' })
        await bindPasskeys(tx, { tenantId, userId })
        await refreshAuthority(context, tx, { tenantId, userIds: [userId] })
        return invited(context, tx, again, secret)
      }),
    requirePasswordChange: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const { id: userId, tenantId, passwordHash, permissionVersion } = await tx.find(User, id)
        await requireAuthorityOver(context, tx, userId, 'id')
        if (userId === context.viewer?.userId)
          tx.fail('INVALID', 'Change your own password with changePassword', 'id')
        if (passwordHash === null) tx.fail('NO_PASSWORD', 'This user has no password to change', 'id')
        const along = { permissionVersion: permissionVersion + 1 }
        const required = await tx.update(User, id, expectedVersion, { passwordChangeRequired: true }, along)
        await revokeSessions(context, tx, { tenantId, userId }, { reason: 'PASSWORD_CHANGE_REQUIRED' })
        await bindPasskeys(tx, { tenantId, userId })
        await refreshAuthority(context, tx, { tenantId, userIds: [userId] })
        return { user: required }
      }),
  },
  User: {
    // Made of the override too, so that a fault of the override is told as one of `fullName`.
    fullName: needs(User, ['fullName', 'fullNameOverride'], (row) => row.fullName),
    isActive: needs(User, ['status'], (row) => row.status === 'ACTIVE'),
    permissions: needs(User, ['id'], ({ id }, _args, context) => permissionsOfUser(context, id)),
    roles: needs(User, ['id'], ({ id }, _args, context, info) => rolesOfUser(context, id, info)),
    createdBy: one(User, 'createdById', User),
    updatedBy: one(User, 'updatedById', User),
    sessions: needs(User, ['id'], ({ id }, args, context, info) =>
      nested(context, Session, 'userId', id, args, info),
    ),
    mfaDevices: needs(User, ['id'], ({ id }, args, context, info) =>
      nested(context, MfaDevice, 'userId', id, args, info),
    ),
    credentials: needs(User, ['id'], ({ id }, args, context, info) =>
      nested(context, Credential, 'userId', id, args, info),
    ),
    apiKeys: needs(User, ['id'], ({ id }, args, context, info) =>
      nested(context, ApiKey, 'ownerId', id, args, info),
    ),
  },
}

/** Ends what a user began under an address that somebody else exchanged, and tells that address. */
async function move(context: SubgraphContext, tx: MutationTransaction, before: User): Promise<void> {
  const { id: userId, tenantId } = before
  await entrust(context, tx, userId, true)
  // Nobody came in, and nobody need be told.
  if (before.status === 'INVITED') return
  await revokeSessions(context, tx, { tenantId, userId }, { reason: 'REVOKED' })
  const text = 'DELETE FROM identity.email_changes WHERE tenant_id = $1 AND user_id = $2'
  await tx.run(prepared(text, [tenantId, userId]))
  await notify(context, tx, before, 'EMAIL_CHANGED')
}

/** Adds a user with roles that the viewer may give. */
async function addUser(
  context: SubgraphContext,
  tx: MutationTransaction,
  { email, fullName, roleIds, ...values }: Omit<CreateUserInput, 'initialPassword'>,
  access: Values<User>,
): Promise<User> {
  const roles = await findRoles(context, tx, roleIds ?? [], 'roleIds')
  if (roles.length > 0) requireStepUp(context)
  const permissions = roles.flatMap((role) => role.permissions)
  requireAuthority(context, tx, permissions, 'role', 'roleIds')
  const names = { email: email.toLowerCase(), fullNameOverride: fullName }
  const added = await tx.insert(User, { ...values, ...names, ...access })
  const assignment = { userId: added.id, grantedById: context.viewer?.userId }
  await tx.insertAll(
    RoleAssignment,
    roles.map((role) => ({ ...assignment, roleId: role.id })),
  )
  return added
}
