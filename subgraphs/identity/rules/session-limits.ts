/** Says how long sessions and their tokens live. The 30 idle minutes stand in the database: shared.session_viewer. */
export const sessionMs = 7 * 24 * 60 * 60_000

/**
 * Says how long a refresh token that was used gives its successor again: enough for parallel requests and for one whose
 * answer was lost, too short for a copy to be of use unnoticed.
 */
export const repeatMs = 10_000

/** Returns what a used refresh token is when it comes again. */
export function isRepeat(rotatedAt: string, now: Date): boolean {
  return now.getTime() - Date.parse(rotatedAt) <= repeatMs
}

/** Attempts to sign in within a window: on one account since its last success, and from one network. */
export const attemptLimits = {
  account: { limit: 20, windowMs: 15 * 60_000 },
  network: { limit: 300, windowMs: 5 * 60_000 },
} as const

/** Milliseconds that an operator's session lives at most, one hour; idle for 15 minutes it ends (shared.operator_viewer). */
export const operatorSessionMs = 3_600_000
