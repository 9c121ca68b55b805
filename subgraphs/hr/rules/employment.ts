/** Describes what of an employee the end of the employment depends on. */
export interface Employed {
  /** ISO 8601 day. */
  hireDate: string | null
}

/** Tells whether an employment is a user's own: whoever gains by a decision does not make it. */
export function isOwn({ userId }: { userId: string | null }, viewerId: string | null | undefined): boolean {
  return userId !== null && userId === viewerId
}

/**
 * The users who gain by what is decided about an employee: whose login it is, and whose it was. Who lost the login does not decide
 * about what was theirs.
 */
export function loginsOf({
  userId,
  formerUserIds,
}: {
  userId: string | null
  formerUserIds: readonly string[]
}): string[] {
  return userId === null ? [...formerUserIds] : [userId, ...formerUserIds]
}

/** Says how far the first place on earth to begin a day is ahead of UTC: the Line Islands (UTC+14). */
const earliestZone = 14 * 3_600_000

/**
 * Why work cannot have ended on a day, or null. The end is recorded when it has come: on the last day itself or later,
 * by the calendar of whichever place on earth is furthest ahead, because tenants work everywhere.
 * @param lastDay ISO 8601 day
 */
export function terminationFault({ hireDate }: Employed, lastDay: string, now: Date): string | null {
  // Days written in ISO 8601 have the same order as texts as in time.
  if (hireDate && lastDay < hireDate) return 'terminationDate must not be before the first day of work'
  const today = new Date(now.getTime() + earliestZone).toISOString().slice(0, 10)
  return lastDay > today ? 'terminationDate must not be in the future: record it on the last day' : null
}
