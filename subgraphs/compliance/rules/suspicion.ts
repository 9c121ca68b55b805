/** An entry of the audit trail, as far as it can be a sign of an attack. */
export interface WatchedEntry {
  position: number
  /** In milliseconds since 1970. */
  at: number
  actorId: string | null
  action: string
  resourceId: string | null
  /** Of what ended or failed. */
  reason: string | null
  /** Rows that a read showed; 0 for anything else. */
  rows: number
  ipAddress: string | null
}

/** Describes what entries look like. */
export interface Suspicion {
  alertType:
    'REFRESH_TOKEN_REUSED' | 'PASSKEY_COPIED' | 'LOCK_OUT' | 'DENIAL_BURST' | 'MASS_READ' | 'AUDIT_GAP'
  severity: 'MEDIUM' | 'HIGH' | 'CRITICAL'
  fingerprint: string
  description: string
  isThreat: boolean
  userId: string | null
  ipAddress: string | null
}

const minute = 60_000

/** By how much of something within which time somebody is noticed. */
export const thresholds = {
  /** As many as lock an account (identity's limit of attempts). */
  LOCK_OUT: { most: 20, withinMs: 15 * minute },
  DENIAL_BURST: { most: 20, withinMs: 5 * minute },
  MASS_READ: { most: 2_000, withinMs: 60 * minute },
} as const
type Counted = keyof typeof thresholds

/** The longest of the times: so far back entries are read again. */
export const lookBackMs = Math.max(...Object.values(thresholds).map(({ withinMs }) => withinMs))

const told: Readonly<Record<Counted, { severity: Suspicion['severity']; what: string }>> = {
  LOCK_OUT: { severity: 'MEDIUM', what: 'failed attempts to sign in to one account' },
  DENIAL_BURST: { severity: 'MEDIUM', what: 'refusals of one user' },
  MASS_READ: { severity: 'HIGH', what: 'protected records read by one user' },
}

/** The burst that an entry counts for, and of whom; null when for none. */
function countsFor(entry: WatchedEntry): { type: Counted; userId: string; amount: number } | null {
  const { action, actorId, resourceId, rows } = entry
  if (action === 'SIGN_IN_FAILED')
    return resourceId ? { type: 'LOCK_OUT', userId: resourceId, amount: 1 } : null
  if (!actorId) return null
  if (action === 'DENY') return { type: 'DENIAL_BURST', userId: actorId, amount: 1 }
  return action === 'VIEW' && rows > 0 ? { type: 'MASS_READ', userId: actorId, amount: rows } : null
}

/**
 * The suspicions that entries of a trail raise. Of those that are new, each is looked at once: an alert needs one of them. Times before count
 * towards a burst.
 * @param entries in the order of their positions
 * @param after the last position that was looked at before
 */
export function suspicionsOf(entries: readonly WatchedEntry[], after: number): Suspicion[] {
  const found = new Map<string, Suspicion>()
  for (const { action, reason, resourceId, ipAddress, position } of entries)
    if (position > after && action === 'SIGN_IN_FAILED' && reason === 'PASSKEY_COPIED')
      found.set(`PASSKEY_COPIED ${resourceId}`, {
        alertType: 'PASSKEY_COPIED',
        severity: 'HIGH',
        fingerprint: `PASSKEY_COPIED ${resourceId}`,
        description:
          'The counter of a passkey went back: it was copied, is blocked, and all sessions of its user were ended',
        isThreat: true,
        userId: resourceId,
        ipAddress,
      })
  for (const { action, reason, resourceId, ipAddress, position } of entries)
    if (position > after && action === 'SIGN_OUT' && reason === 'REFRESH_TOKEN_REUSED')
      found.set(`REFRESH_TOKEN_REUSED ${resourceId}`, {
        alertType: 'REFRESH_TOKEN_REUSED',
        severity: 'HIGH',
        fingerprint: `REFRESH_TOKEN_REUSED ${resourceId}`,
        description: `A used refresh token came again: it was copied, and session ${resourceId} was ended`,
        isThreat: true,
        userId: null,
        ipAddress,
      })
  const counted = entries.flatMap((entry) => {
    const what = countsFor(entry)
    return what ? [{ ...what, entry }] : []
  })
  const byUser = new Map<string, typeof counted>()
  for (const one of counted) {
    const key = `${one.type} ${one.userId}`
    byUser.set(key, [...(byUser.get(key) ?? []), one])
  }
  for (const [fingerprint, seen] of byUser) {
    const [{ type, userId }] = seen as [(typeof seen)[number]]
    const { most, withinMs } = thresholds[type]
    for (const last of seen.filter(({ entry }) => entry.position > after)) {
      const sum = seen
        .filter(({ entry }) => entry.at <= last.entry.at && entry.at > last.entry.at - withinMs)
        .reduce((total, { amount }) => total + amount, 0)
      if (sum < most) continue
      const { severity, what } = told[type]
      found.set(fingerprint, {
        ...{ alertType: type, severity, fingerprint, isThreat: false, userId },
        description: `${sum} ${what} within ${withinMs / minute} minutes`,
        ipAddress: last.entry.ipAddress,
      })
    }
  }
  return [...found.values()]
}

/**
 * The gap where positions are missing that the trail must have: they are given without gaps, so entries were removed.
 * @param positions in their order, behind `after`
 * @param end the position at which the chain ends; null when there are more entries than were read
 */
export function gapOf(positions: readonly number[], after: number, end: number | null): Suspicion | null {
  let expected = after + 1
  for (const position of positions) {
    if (position !== expected) return gap(expected, position - 1)
    expected += 1
  }
  return end !== null && expected <= end ? gap(expected, end) : null
}

function gap(first: number, last: number): Suspicion {
  return {
    alertType: 'AUDIT_GAP',
    severity: 'CRITICAL',
    fingerprint: `AUDIT_GAP ${first}`,
    description: `The audit trail lacks the positions ${first} to ${last}: entries were removed`,
    isThreat: true,
    userId: null,
    ipAddress: null,
  }
}
