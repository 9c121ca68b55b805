/** The day until which a deprecation promises that everything works, `YYYY-MM-DD`; null when its reason names none. */
export function removalDate(reason: string): string | null {
  return /\b(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))\b/.exec(reason)?.[1] ?? null
}

/** Returns what a deprecation's reason says to use instead: the first name in backticks. */
export function replacementIn(reason: string): string | null {
  return /`([^`]+)`/.exec(reason)?.[1] ?? null
}
