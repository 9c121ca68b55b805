import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'
import { idleMs, placeMs, sessionMs } from '../rules/session-limits'

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

/** Challenges that passkeys signed, which have ended since. */
const removeChallenges = `DELETE FROM identity.used_challenges AS t WHERE t.tenant_id = $1 AND t.challenge_hash IN (
  SELECT c.challenge_hash FROM identity.used_challenges c WHERE c.tenant_id = $1 AND c.expires_at <= $2 LIMIT ${atOnce})`

/** Links for another password that nobody followed. */
const removeResets = `DELETE FROM identity.password_resets AS t WHERE t.tenant_id = $1 AND t.id IN (
  SELECT r.id FROM identity.password_resets r WHERE r.tenant_id = $1 AND r.expires_at <= $2 LIMIT ${atOnce})`

/** Moves to another address that were not confirmed. */
const removeEmailChanges = `DELETE FROM identity.email_changes AS t WHERE t.tenant_id = $1 AND t.id IN (
  SELECT c.id FROM identity.email_changes c WHERE c.tenant_id = $1 AND c.expires_at <= $2 LIMIT ${atOnce})`

/** Requests of operators to move a lone administrator that nobody agreed to. */
const removeAdministratorResets = `DELETE FROM identity.administrator_resets AS t WHERE t.tenant_id = $1 AND t.id IN (
  SELECT a.id FROM identity.administrator_resets a WHERE a.tenant_id = $1 AND a.expires_at <= $2 LIMIT ${atOnce})`

/** Places from which nobody signed in for long. */
const removePlaces = `DELETE FROM identity.sign_in_places AS t WHERE t.tenant_id = $1 AND (t.user_id, t.place) IN (
  SELECT p.user_id, p.place FROM identity.sign_in_places p WHERE p.tenant_id = $1 AND p.last_seen_at <= $2 LIMIT ${atOnce})`

/** That somebody could let themselves into a person's account, which counts for 30 days (shared.hand_fault). */
const removeEntrustments = `DELETE FROM identity.entrustments AS t WHERE t.tenant_id = $1 AND (t.user_id, t.by_id) IN (
  SELECT e.user_id, e.by_id FROM identity.entrustments e JOIN identity.users u ON u.tenant_id = $1 AND u.id = e.user_id
   WHERE e.tenant_id = $1 AND e.entrusted_at <= $2 AND u.kind = 'PERSON' LIMIT ${atOnce})`

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
      [removeChallenges, now],
      [removeResets, now],
      [removeEmailChanges, now],
      [removeAdministratorResets, now],
      [removePlaces, now - placeMs],
      [removeEntrustments, now - 30 * day],
      [removeSessions, longAgo],
    ] as const) {
      for (let last = atOnce; last === atOnce; progress((removed += last))) {
        signal.throwIfAborted()
        last = await tx.run(prepared(text, [binding.tenantId, new Date(until).toISOString()]))
      }
    }
  },
}
