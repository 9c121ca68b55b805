import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'
import { idleMs, sessionMs } from '../rules/session-limits'

const day = 86_400_000
const atOnce = 5000

/**
 * A used token of a session that lives is kept: it tells a copy from the original. When the session has ended, what any of
 * its tokens gets is the same as for one that never was.
 */
const removeTokens = `DELETE FROM identity.refresh_tokens AS t WHERE t.tenant_id = $1 AND t.id IN (
  SELECT r.id FROM identity.refresh_tokens r JOIN identity.sessions s ON s.tenant_id = $1 AND s.id = r.session_id
   WHERE r.tenant_id = $1 AND (s.revoked_at IS NOT NULL OR s.expires_at <= $2) LIMIT ${atOnce})`

/** Sign-ins whose second factor never came. */
const removePending = `DELETE FROM identity.pending_sign_ins AS t WHERE t.tenant_id = $1 AND t.id IN (
  SELECT p.id FROM identity.pending_sign_ins p WHERE p.tenant_id = $1 AND p.expires_at <= $2 LIMIT ${atOnce})`

/** Those that ended early expire `sessionMs` later at most: with that bound the index of the expiry finds them. */
const removeSessions = `DELETE FROM identity.sessions AS t WHERE t.tenant_id = $1 AND t.id IN (
  SELECT s.id FROM identity.sessions s
   WHERE s.tenant_id = $1 AND s.expires_at <= $2::timestamptz + interval '${sessionMs / 1000} seconds'
     AND (s.expires_at <= $2 OR s.revoked_at <= $2 OR s.last_seen_at <= $2::timestamptz - interval '${idleMs / 1000} seconds')
   LIMIT ${atOnce})`

/** Removes the refresh tokens of sessions that have ended, and sessions that ended long ago, in whichever way. */
export const oldSessions: Job = {
  name: 'old-sessions',
  schedule: { cron: '30 3 * * *', timeZone: 'UTC' },
  async run({ binding, services }, tx, _, { signal, progress }) {
    // Sessions are people's, who live in the true time.
    const now = services.clock.now().getTime()
    const longAgo = now - services.config.keptDays.sessions * day
    let removed = 0
    for (const [text, until] of [
      [removeTokens, now],
      [removePending, now],
      [removeSessions, longAgo],
    ] as const) {
      for (let last = atOnce; last === atOnce; progress((removed += last))) {
        signal.throwIfAborted()
        last = await tx.run(prepared(text, [binding.tenantId, new Date(until).toISOString()]))
      }
    }
  },
}
