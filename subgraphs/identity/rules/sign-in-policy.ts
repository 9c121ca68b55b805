/** Says how many days members may be given to add a second factor. */
export const longestGraceDays = 90

/** Describes who needs a second factor: holders of one of the scopes, or everybody when there is none. */
export interface MfaDemand {
  mfaRequired: boolean
  readonly mfaScopes: readonly string[]
}

/** Tells whether a demand may reach people whom the one before did not reach: their days of grace begin with it. */
export function isWider(demand: MfaDemand, before: MfaDemand): boolean {
  if (!demand.mfaRequired) return false
  if (!before.mfaRequired) return true
  if (before.mfaScopes.length === 0) return false
  return demand.mfaScopes.length === 0 || demand.mfaScopes.some((scope) => !before.mfaScopes.includes(scope))
}

/** The permissions whose holders are asked by one of two demands; empty: everybody is; null: nobody. */
export function askedOf(...demands: readonly MfaDemand[]): string[] | null {
  const asking = demands.filter(({ mfaRequired }) => mfaRequired)
  if (asking.length === 0) return null
  if (asking.some(({ mfaScopes }) => mfaScopes.length === 0)) return []
  return [...new Set(asking.flatMap(({ mfaScopes }) => mfaScopes))]
}
