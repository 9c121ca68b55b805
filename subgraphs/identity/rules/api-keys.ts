const day = 86_400_000

/** Says how long a key may live at most: whoever still needs it rotates it. */
export const longestKeyLifeMs = 366 * day

/** Says how long the former secret of a rotated key may count at most. */
export const longestOverlapMs = 7 * day

/** Permissions that no key has, whatever its owner may do: the database takes them out as well (shared.api_key_viewer). */
export const inPersonScopes = ['identity:user:write', 'identity:role:write', 'identity:key:write'] as const

/** Returns what is wrong with the end of a key's life, for people; null when nothing is. */
export function expiryFault(expiresAt: string, now: Date): string | null {
  const left = Date.parse(expiresAt) - now.getTime()
  if (left <= 0) return 'A key ends in the future'
  return left > longestKeyLifeMs ? 'A key lives for 366 days at most: rotate it before' : null
}

/** Describes what of a key decides whether it can be used. */
export interface KeyLife {
  /** Instants, ISO 8601. */
  expiresAt: string
  revokedAt: string | null
}

/** Tells whether a key can be used, as far as the key itself decides it. */
export function isUsable({ expiresAt, revokedAt }: KeyLife, now: Date): boolean {
  return revokedAt === null && now.getTime() < Date.parse(expiresAt)
}
