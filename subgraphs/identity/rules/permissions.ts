/** The permissions of `wanted` that are not held, sorted: nobody gives, or takes from somebody, what they lack. */
export function notHeld(wanted: Iterable<string>, held: ReadonlySet<string>): string[] {
  return [...new Set(wanted)].filter((permission) => !held.has(permission)).sort()
}

/** Tells whether a tenant would be left without an active administrator if this user stopped being one. */
export function isLastAdministrator(userId: string, activeAdministrators: readonly string[]): boolean {
  return activeAdministrators.length === 1 && activeAdministrators[0] === userId.toLowerCase()
}
