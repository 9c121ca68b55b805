import type { SubgraphContext } from '../../kernel/context'
import type { UserError } from '../../kernel/errors'
import { uuidv7 } from '../../kernel/id'
import { mutate, type MutationTransaction } from '../../kernel/mutate'
import { actInTenant, platformAction } from '../../kernel/operator'
import { prepared } from '../../kernel/statement'
import { Role } from './entities/Role'
import { RoleAssignment } from './entities/RoleAssignment'
import { User } from './entities/User'
import type { CreateTenantInput, IdentityUserErrorCode } from './generated'
import { slugFault, systemRoleDescriptions } from './rules/system-roles'
import { invited, newInvitation } from './sessions/invitation'

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
  const key = await context.services.dataKeys.newTenantKey(tenantId)
  return actInTenant(context, tenantId, (inTenant) =>
    mutate(
      inTenant,
      async (tx: Tx) => {
        const [row] = await tx.rows(
          prepared('SELECT shared.add_tenant($1, $2, $3)', [slug, name, isSandbox ?? false]),
        )
        if (row?.[0] !== true) tx.fail('DUPLICATE', 'is already in use', 'slug')
        await tx.rows(
          prepared('SELECT shared.add_tenant_key($1, $2, $3)', [key.id, key.masterKeyId, key.wrapped]),
        )
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
