import type { SubgraphContext } from '../../kernel/context'
import type { UserError } from '../../kernel/errors'
import { isUuid, uuidv7 } from '../../kernel/id'
import { mutate, type MutationTransaction } from '../../kernel/mutate'
import { actInTenant, platformAction } from '../../kernel/operator'
import { prepared } from '../../kernel/statement'
import { Role } from './entities/Role'
import { RoleAssignment } from './entities/RoleAssignment'
import { User } from './entities/User'
import type { CreateTenantInput, IdentityUserErrorCode, ResetLoneAdministratorInput } from './generated'
import { slugFault, systemRoleDescriptions } from './rules/system-roles'
import { invited, newInvitation, noPassword } from './sessions/invitation'
import { notify } from './sessions/notices'
import { removeSecondFactors } from './mfa'
import { revokeKeys, revokeSessions } from './sessions/revoke'

type Tx = MutationTransaction<IdentityUserErrorCode>
type Failures = { userErrors: UserError<IdentityUserErrorCode>[] }

const failure = (code: IdentityUserErrorCode, message: string, field: string): Failures => ({
  userErrors: [{ code, message, field: [field] }],
})

/**
 * Makes a tenant with its system roles, and invites its first administrator, all or nothing. The token goes by mail alone:
 * no operator ever holds a tenant's secret.
 */
export async function createTenant(
  context: SubgraphContext,
  { slug, name, administratorEmail, isSandbox }: CreateTenantInput,
): Promise<{ tenant?: { id: string } } & Failures> {
  const fault = slugFault(slug)
  if (fault) return failure('INVALID', fault, 'slug')
  if (name === '' || name.length > 255) return failure('INVALID', 'A name has 1 to 255 characters', 'name')
  const tenantId = uuidv7(context.services.clock.now().getTime())
  return actInTenant(context, tenantId, (inTenant) =>
    mutate(
      inTenant,
      async (tx: Tx) => {
        const [row] = await tx.rows(
          prepared('SELECT shared.add_tenant($1, $2, $3)', [slug, name, isSandbox ?? false]),
        )
        if (row?.[0] !== true) tx.fail('DUPLICATE', 'is already in use', 'slug')
        const after = { slug, name, isSandbox: isSandbox ?? false }
        tx.audit({ action: 'CREATE', resourceType: 'Tenant', resourceId: tenantId, changes: { after } })
        const administratorId = await firstAdministrator(inTenant, tx, administratorEmail)
        await tx.rows(platformAction(inTenant, 'CREATE_TENANT', tenantId, { ...after, administratorId }))
        return { tenant: { id: tenantId } }
      },
      { isNewTenant: true },
    ),
  )
}

async function firstAdministrator(context: SubgraphContext, tx: Tx, email: string): Promise<string> {
  const scopes = await tx.rows(
    prepared('SELECT name, system_roles FROM identity.permissions ORDER BY name', []),
  )
  const roles = await tx.insertAll(
    Role,
    Object.entries(systemRoleDescriptions).map(([name, description]) => ({
      ...{ name, description, isSystemRole: true },
      permissions: scopes.flatMap(([scope, of]) => ((of as string[]).includes(name) ? [String(scope)] : [])),
    })),
  )
  const { kept, secret } = newInvitation(context)
  const user = await tx.insert(User, { email: email.toLowerCase(), ...kept })
  const { id: roleId } = roles.find(({ name }) => name === 'ADMIN')!
  await tx.insert(RoleAssignment, { userId: user.id, roleId })
  await invited(context, tx, user, secret)
  return user.id
}

/**
 * Lets the only administrator of a tenant in again who is locked out: password, second factors, sessions and keys end, and a new
 * invitation goes by mail, to another address where one is given. Nobody whom another administrator of the tenant could help.
 */
export async function resetLoneAdministrator(
  context: SubgraphContext,
  { tenantId, userId, reason, email }: ResetLoneAdministratorInput,
): Promise<Failures> {
  if (reason === '' || reason.length > 500)
    return failure('INVALID', 'A reason has 1 to 500 characters', 'reason')
  const missing = failure('NOT_FOUND', 'There is no tenant with this id', 'tenantId')
  if (!isUuid(tenantId)) return missing
  return actInTenant(context, tenantId.toLowerCase(), async (inTenant) => {
    const [known] = await inTenant.db.rows(inTenant.binding, prepared('SELECT shared.tenant_name()', []))
    if (typeof known?.[0] !== 'string') return missing
    return mutate(inTenant, async (tx: Tx) => {
      const user = await loneAdministrator(inTenant, tx, userId)
      const { kept, secret } = newInvitation(inTenant)
      const address = email ? { email: email.toLowerCase() } : {}
      const permissionVersion = user.permissionVersion + 1
      const secondFactors = await removeSecondFactors(tx, user)
      const changes = { ...kept, ...noPassword, ...address, permissionVersion, mfaEnabled: false }
      const changed = await tx.update(User, user.id, null, changes)
      const whose = { tenantId: changed.tenantId, userId: user.id }
      await revokeSessions(inTenant, tx, whose, { reason: 'INVITED_AGAIN' })
      await revokeKeys(inTenant, tx, whose)
      await invited(inTenant, tx, changed, secret)
      // Whoever reads the former mailbox learns that the account went to another.
      if (changed.email !== user.email) await notify(inTenant, tx, user, 'EMAIL_CHANGED')
      const details = { userId: user.id, reason, isAddressChanged: email !== null && email !== undefined }
      tx.audit({
        action: 'UPDATE',
        resourceType: 'User',
        resourceId: user.id,
        changes: { after: { reason, secondFactors: 0, count: secondFactors } },
      })
      await tx.rows(platformAction(inTenant, 'RESET_LONE_ADMINISTRATOR', changed.tenantId, details))
      return {}
    })
  })
}

/** The administrator with this id, locked. Fails for anybody else, and where another one is active. */
async function loneAdministrator(context: SubgraphContext, tx: Tx, userId: string): Promise<User> {
  const { tenantId } = context.binding
  const [role] = await tx.rows(
    prepared(
      `SELECT id FROM identity.roles WHERE tenant_id = $1 AND name = 'ADMIN' AND is_system_role FOR NO KEY UPDATE`,
      [tenantId],
    ),
  )
  const administrators = await tx.rows(
    prepared(
      `SELECT u.id, u.status FROM identity.role_assignments a
         JOIN identity.users u ON u.tenant_id = $1 AND u.id = a.user_id
        WHERE a.tenant_id = $1 AND a.role_id = $2 AND u.kind = 'PERSON'`,
      [tenantId, role?.[0]],
    ),
  )
  if (!administrators.some(([id]) => id === userId.toLowerCase()))
    tx.fail('REFERENCE_NOT_FOUND', 'The tenant has no administrator with this id', 'userId')
  if (administrators.some(([id, status]) => id !== userId.toLowerCase() && status === 'ACTIVE'))
    tx.fail('OTHER_ADMINISTRATOR', 'The tenant has another active administrator, who can help', 'userId')
  return tx.find(User, userId)
}
