import type { ClientBase } from 'pg'
import { uuidv7 } from '../kernel/id'
import type { MailSeal } from '../kernel/mail/seal'
import { normalEmail } from '../kernel/schema/text'
import { noticeMail } from '../subgraphs/identity/mails/notices'
import { statusAfter, type StatusVerb } from '../subgraphs/tenancy/rules/tenant-status'
import { notePlatformAction } from './platform-trail'
import { TenantError } from './tenants'

export interface TenantLine {
  slug: string
  name: string
  plan: string
  status: 'ACTIVE' | 'SUSPENDED' | 'CANCELLED'
  /** Counts people who may sign in. */
  activeUsers: number
  deletionDueAt: Date | null
}

/** All tenants by slug. */
export async function listTenants(client: ClientBase): Promise<TenantLine[]> {
  const { rows } = await client.query<TenantLine>(
    `SELECT t.slug, t.name, t.plan, t.status, t.deletion_due_at AS "deletionDueAt",
            (SELECT count(*)::int FROM identity.users u
              WHERE u.tenant_id = t.id AND u.status = 'ACTIVE' AND u.kind = 'PERSON') AS "activeUsers"
       FROM tenancy.tenants t ORDER BY t.slug`,
  )
  return rows
}

/** The tenant with this slug, locked; throws TenantError where there is none. */
export async function findTenant(
  client: ClientBase,
  slug: string,
): Promise<{ id: string; status: TenantLine['status'] }> {
  const { rows } = await client.query<{ id: string; status: TenantLine['status'] }>(
    'SELECT id, status FROM tenancy.tenants WHERE slug = $1 FOR UPDATE',
    [slug],
  )
  if (!rows[0]) throw new TenantError(`There is no tenant ${slug}: see npm run tenant -- list`)
  return rows[0]
}

/** Appends an entry to the tenant's own trail, of nobody of the tenant. */
export async function audit(
  client: ClientBase,
  tenantId: string,
  entry: { action?: 'UPDATE' | 'VIEW'; resourceType: string; resourceId: string; changes: object },
): Promise<void> {
  await client.query(
    `INSERT INTO shared.audit_logs (tenant_id, id, action, resource_type, resource_id, changes)
     VALUES ($1, $2, $6, $3, $4, $5)`,
    [
      tenantId,
      uuidv7(),
      entry.resourceType,
      entry.resourceId,
      JSON.stringify(entry.changes),
      entry.action ?? 'UPDATE',
    ],
  )
}

/**
 * Shuts a tenant, or opens it again. Call it in a transaction.
 * @param client a connection as the owner (the migrator's URL)
 * @param reason 1 to 500 characters; null when it is opened
 * @throws TenantError when there is no such tenant, or its status is another one
 */
export async function changeTenantStatus(
  client: ClientBase,
  slug: string,
  verb: Extract<StatusVerb, 'suspend' | 'reactivate'>,
  reason: string | null,
): Promise<void> {
  if (reason !== null && (!reason.trim() || reason.length > 500))
    throw new TenantError('The reason must have 1 to 500 characters')
  const { id, status: before } = await findTenant(client, slug)
  const status = statusAfter(verb, before)
  if (!status) throw new TenantError(`The tenant ${slug} is ${before}`)
  await client.query(
    `UPDATE tenancy.tenants SET status = $2, status_reason = $3, status_changed_at = now(), version = version + 1,
            updated_at = now() WHERE id = $1`,
    [id, status, reason],
  )
  const after = { status, statusReason: reason }
  const changes = { before: { status: before }, after }
  await audit(client, id, { resourceType: 'Tenant', resourceId: id, changes })
  await notePlatformAction(client, verb === 'suspend' ? 'SUSPEND_TENANT' : 'REACTIVATE_TENANT', id, after)
}

/**
 * Gives a person of a tenant another password, which must be replaced before anything else, and mails that to the owner of the
 * account. All sessions and API keys end, an invitation as well; a second factor stays. Call it in a transaction.
 * @param client a connection as the owner (the migrator's URL)
 * @param reset `seal` closes the mail, under the key that signs access tokens
 * @throws TenantError when there is no such person, or the account is suspended
 */
export async function resetUserPassword(
  client: ClientBase,
  { slug, email, passwordHash, seal }: { slug: string; email: string; passwordHash: string; seal: MailSeal },
): Promise<void> {
  const { id: tenantId } = await findTenant(client, slug)
  const { rows } = await client.query<{ id: string; status: string }>(
    `SELECT id, status FROM identity.users WHERE tenant_id = $1 AND email = $2 AND kind = 'PERSON' FOR UPDATE`,
    [tenantId, normalEmail(email)],
  )
  const [user] = rows
  if (!user) throw new TenantError(`There is nobody with the address ${normalEmail(email)} in ${slug}`)
  if (user.status === 'SUSPENDED')
    throw new TenantError('The account is suspended: somebody of the tenant reactivates it')
  await client.query(
    `UPDATE identity.users SET password_hash = $3, password_change_required = true, status = 'ACTIVE', invitation_hash = NULL,
            invitation_expires_at = NULL, permission_version = permission_version + 1, version = version + 1, updated_at = now()
      WHERE tenant_id = $1 AND id = $2`,
    [tenantId, user.id, passwordHash],
  )
  await client.query(
    `UPDATE identity.sessions SET revoked_at = now(), revoke_reason = 'PASSWORD_CHANGED', version = version + 1,
            updated_at = now() WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL`,
    [tenantId, user.id],
  )
  await client.query(
    `UPDATE identity.api_keys SET revoked_at = now(), version = version + 1, updated_at = now()
      WHERE tenant_id = $1 AND owner_id = $2 AND revoked_at IS NULL`,
    [tenantId, user.id],
  )
  const { rows: named } = await client.query<{ name: string }>(
    'SELECT name FROM tenancy.tenants WHERE id = $1',
    [tenantId],
  )
  const told = { to: normalEmail(email), tenant: named[0]!.name, at: new Date(), device: null, address: null }
  const mail = noticeMail('PASSWORD_RESET', told)
  const id = uuidv7()
  await client.query(
    `INSERT INTO shared.mails (tenant_id, created_at, due_at, id, kind, sealed, recipient)
     VALUES ($1, now(), now(), $2, $3, $4, NULL)`,
    [tenantId, id, mail.kind, seal.close({ tenantId, id }, mail)],
  )
  const changes = { after: { passwordReset: 'BY_COMMAND' } }
  await audit(client, tenantId, { resourceType: 'User', resourceId: user.id, changes })
  await notePlatformAction(client, 'RESET_USER_PASSWORD', tenantId, { userId: user.id })
}
