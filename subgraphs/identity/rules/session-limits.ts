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

/** Says how long the place of a sign-in is remembered after the last one from it. */
export const placeMs = 365 * 24 * 60 * 60_000

/** Says how long a device that signed in keeps a door of its own. */
export const deviceMarkMs = 180 * 24 * 60 * 60_000

/** Limits of attempts to sign in. What is free is so many within a day, and since the last success. */
export const attemptLimits = {
  /** On one account from one network, or from one known device. */
  perPlace: { free: 4 },
  /** On one account from all networks together, known devices left out (NIST SP 800-63B, section 3.2.2: at most 100). */
  ofStrangers: { free: 100 },
  /** Codes that are tried on the second factors of one user. */
  code: { limit: 5, windowMs: 15 * 60_000 },
  /** Failed signatures of one user's passkeys that the trail tells of. */
  passkeyFailure: { limit: 100, windowMs: 24 * 60 * 60_000 },
  /** Challenges for passkeys from one network; they let nobody in. */
  challenge: { limit: 300, windowMs: 5 * 60_000 },
  /** From one network, whatever the accounts. */
  network: { limit: 300, windowMs: 5 * 60_000 },
  /** Says how long attempts count. */
  rememberedMs: 24 * 60 * 60_000,
} as const

/** Milliseconds that an operator's session lives at most, one hour; idle for 15 minutes it ends (shared.operator_viewer). */
export const operatorSessionMs = 3_600_000

const firstDelayMs = 2_000
const longestDelayMs = 15 * 60_000

/** Returns how long the next attempt waits after one that was not free: twice as long as the last, a quarter of an hour at most. */
export function delayMs(delayedBefore: number): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(delayedBefore, 20))
}

/** Limits how many notices of one kind that changed nothing of an account are mailed to its owner. */
export const noticeLimit = { limit: 20, windowMs: 60 * 60_000 } as const

/** Limits how many notices of one kind a tenant mails to one address. */
export const noticesToAddress = { limit: 20, windowMs: 24 * 60 * 60_000 } as const

/** Limits how many failed sign-ins of operators that there are not stand in the platform's trail, of one network. */
export const unknownOperators = { limit: 1, windowMs: 5 * 60_000 } as const

/** Says from how many failed attempts on the owner of the account is told, and when again. */
export const failureNotices = {
  password: { told: 10, withinMs: 60 * 60_000, againAfterMs: 24 * 60 * 60_000 },
  code: { told: 5, windowMs: 24 * 60 * 60_000 },
} as const

/** Says how long both addresses may take to confirm that an account moves. */
export const emailChangeMs = 24 * 60 * 60_000
