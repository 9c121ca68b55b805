/** Says how long sessions and their tokens live. */
export const sessionMs = 7 * 24 * 60 * 60_000

/** Says how long a session lives without a request, as shared.session_viewer in the database decides it. */
export const idleMs = 30 * 60_000

/** Describes what of a session decides how long it lives. */
export interface SessionTimes {
  /** Instants, ISO 8601. */
  lastSeenAt: string
  expiresAt: string
}

/** The instant from which a session is over if nothing is asked in it. */
export function idleEnd({ lastSeenAt, expiresAt }: SessionTimes): string {
  return new Date(Math.min(Date.parse(lastSeenAt) + idleMs, Date.parse(expiresAt))).toISOString()
}

/** Tells whether a session can be used. */
export function isAlive(session: SessionTimes & { revokedAt: string | null }, now: Date): boolean {
  return session.revokedAt === null && now.getTime() < Date.parse(idleEnd(session))
}

/**
 * Says how long a refresh token that was used gives its successor again: enough for parallel requests and for one whose
 * answer was lost, too short for a copy to be of use unnoticed.
 */
export const repeatMs = 10_000

/** The use that was made of a refresh token. */
export interface Rotation {
  /** An instant, ISO 8601. */
  at: string
  /** Tells whether the token that followed was used too. */
  isSuccessorUsed: boolean
}

/**
 * Tells whether a used refresh token that comes again is a repeat of the request that used it, and no copy: soon after, and
 * while nobody used what that request was answered. Whoever has the successor needs its parent no more.
 */
export function isRepeat({ at, isSuccessorUsed }: Rotation, now: Date): boolean {
  return !isSuccessorUsed && now.getTime() - Date.parse(at) <= repeatMs
}

/** Attempts to sign in within a window: on one account, and on its second factors, since the last success, and from one network. */
export const attemptLimits = {
  account: { limit: 20, windowMs: 15 * 60_000 },
  code: { limit: 5, windowMs: 15 * 60_000 },
  network: { limit: 300, windowMs: 5 * 60_000 },
} as const
