import type { ClientBase } from 'pg'
import { notePlatformAction } from './platform-trail'
import { audit, findTenant } from './tenant-commands'
import { uuidv7 } from '../kernel/id'
import {
  apiKeyPrefix,
  formatApiKey,
  hashKeySecret,
  newKeySecret,
  type KeyEnvironment,
} from '../kernel/sign-in/api-key'

/** Scopes of the account: it records readings, and sees what became of them. No role of a tenant can record any. */
const scopes = ['tenancy:subscription:read', 'tenancy:usage:read', 'tenancy:usage:write']
const dayMs = 86_400_000

/**
 * Makes the account that meters the use of a tenant, if it is not there, and a key for it; the former keys end. Nobody of the tenant
 * has authority over it, since nobody there may record readings. Call it in a transaction.
 * @param client a connection as the owner (the migrator's URL)
 * @param days until the key ends
 * @returns the key, which is kept nowhere
 * @throws TenantError where there is no such tenant
 */
export async function createMeter(
  client: ClientBase,
  slug: string,
  { environment, now, days }: { environment: KeyEnvironment; now: Date; days: number },
): Promise<string> {
  const { id: tenantId } = await findTenant(client, slug)
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO identity.users AS u (tenant_id, id, email, kind, first_name, last_name, granted_permissions)
     VALUES ($1, $2, 'meter@service.invalid', 'SERVICE', 'Meter', 'of the platform', $3)
     ON CONFLICT (tenant_id, email) DO UPDATE SET granted_permissions = EXCLUDED.granted_permissions,
       permission_version = u.permission_version + 1, updated_at = now() RETURNING id`,
    [tenantId, uuidv7(), scopes],
  )
  const ownerId = rows[0]!.id
  await client.query(
    `UPDATE identity.api_keys SET revoked_at = $3, version = version + 1, updated_at = now()
      WHERE tenant_id = $1 AND owner_id = $2 AND revoked_at IS NULL`,
    [tenantId, ownerId, now.toISOString()],
  )
  const [keyId, secret] = [uuidv7(), newKeySecret()]
  const key = formatApiKey(environment, { tenantId, keyId, secret })
  const ends = new Date(now.getTime() + days * dayMs).toISOString()
  await client.query(
    `INSERT INTO identity.api_keys (tenant_id, id, owner_id, name, key_prefix, secret_hash, scopes, expires_at, rate_limit)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 100000)`,
    [tenantId, keyId, ownerId, `Meter ${keyId}`, apiKeyPrefix(key), hashKeySecret(secret), scopes, ends],
  )
  const after = { ownerId, keyId, scopes, expiresAt: ends }
  await audit(client, tenantId, { resourceType: 'ApiKey', resourceId: keyId, changes: { after } })
  await notePlatformAction(client, 'CREATE_METER', tenantId, after)
  return key
}
