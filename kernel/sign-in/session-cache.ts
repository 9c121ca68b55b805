import type { KeyValue } from '../store/key-value'

/** Stands where a session's state stood, so that a gateway which read the state before cannot put it back. */
export const revoked = 'revoked'

/** Longer than any statement that may still have read the state from before the change. */
const revokedForMs = 120_000

/** The key of a session's cached state. */
export function sessionKey(tenantId: string, sessionId: string): string {
  return `t:${tenantId}:user:session:${sessionId}`
}

/**
 * Makes every gateway ask the database for these sessions again. Call it **before** the transaction that revokes
 * them, suspends their user or changes their rights commits: called afterwards, a request in between would still
 * be answered from the old state. A rollback costs nothing but some look-ups.
 *
 * @throws whatever the store throws when it does not answer; the change must not commit then, or it would take up
 *   to a minute to be seen
 */
export async function revokeCachedSessions(
  keyValue: KeyValue,
  tenantId: string,
  sessionIds: readonly string[],
): Promise<void> {
  await Promise.all(
    sessionIds.map((id) => keyValue.set(sessionKey(tenantId, id), revoked, { ttlMs: revokedForMs })),
  )
}
