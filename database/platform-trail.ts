import { userInfo } from 'node:os'
import type { ClientBase } from 'pg'
import { uuidv7 } from '../kernel/id'

/**
 * Notes in the platform's own trail what was done by whoever has the owner's connection, who is no operator: the users of the
 * operating system and of the database stand for them.
 * @param client a connection as the owner (the migrator's URL), in the transaction of the change
 * @param action words in capitals, such as `SUSPEND_TENANT`
 */
export async function notePlatformAction(
  client: ClientBase,
  action: string,
  tenantId: string | null,
  details: object,
): Promise<void> {
  await client.query(
    `INSERT INTO shared.platform_actions (id, occurred_at, operator_id, action, about_tenant, details)
     VALUES ($1, now(), NULL, $2, $3, $4::jsonb || jsonb_build_object('databaseUser', session_user))`,
    [uuidv7(), action, tenantId, JSON.stringify({ ...details, systemUser: systemUser() })],
  )
}

function systemUser(): string | null {
  try {
    return userInfo().username
  } catch {
    return null // A container may run as a user that has no name.
  }
}
