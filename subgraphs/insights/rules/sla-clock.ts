import { addBusinessSeconds, businessSeconds, type BusinessTime } from './business-hours'

/** A promise of a ticket. It runs while it has `dueAt`, stands while it has `secondsLeft`, and is over with neither. */
export interface SlaClock {
  /** Working minutes that were promised; null without a promise. */
  minutes: number | null
  dueAt: string | null
  secondsLeft: number | null
  /** When it was due and not kept: once, and for good. */
  breachedAt: string | null
}

export const noClock: SlaClock = { minutes: null, dueAt: null, secondsLeft: null, breachedAt: null }

/** A clock that starts. */
export function started(minutes: number, calendar: BusinessTime | null, now: Date): SlaClock {
  const dueAt = addBusinessSeconds(calendar, now, minutes * 60).toISOString()
  return { minutes, dueAt, secondsLeft: null, breachedAt: null }
}

/** The clock with its breach, if it was due by now: its instant is when it was due, whenever somebody looks. */
export function settled(clock: SlaClock, now: Date): SlaClock {
  if (clock.dueAt === null || clock.breachedAt !== null || Date.parse(clock.dueAt) > now.getTime())
    return clock
  return { ...clock, breachedAt: clock.dueAt }
}

/** The clock while nobody has to hurry: what was left stays. */
export function paused(clock: SlaClock, calendar: BusinessTime | null, now: Date): SlaClock {
  const known = settled(clock, now)
  if (known.dueAt === null) return known
  return { ...known, dueAt: null, secondsLeft: businessSeconds(calendar, now, new Date(known.dueAt)) }
}

/** The clock that goes on; what was late stays due when it was. */
export function resumed(clock: SlaClock, calendar: BusinessTime | null, now: Date): SlaClock {
  if (clock.secondsLeft === null) return clock
  const dueAt = clock.breachedAt ?? addBusinessSeconds(calendar, now, clock.secondsLeft).toISOString()
  return { ...clock, dueAt, secondsLeft: null }
}

/** The clock of what is done: kept in time, or not. When it was due stays to be read. */
export function stopped(clock: SlaClock, now: Date): SlaClock {
  return { ...settled(clock, now), secondsLeft: null }
}

/**
 * The clock under another promise. Working time that it has run counts; a breach stays. The promise may have been over by
 * the time it is made: then it is late at once.
 * @param minutes of the new promise; null ends the clock
 */
export function promised(
  clock: SlaClock,
  minutes: number | null,
  calendars: { before: BusinessTime | null; after: BusinessTime | null },
  now: Date,
  isStanding: boolean,
): SlaClock {
  const known = settled(clock, now)
  if (known.breachedAt !== null) return known
  if (minutes === null) return noClock
  if (minutes === known.minutes && (known.dueAt === null) === isStanding) return known
  const standing = paused(known, calendars.before, now)
  const spent = standing.minutes === null ? 0 : standing.minutes * 60 - (standing.secondsLeft ?? 0)
  const secondsLeft = Math.max(0, minutes * 60 - spent)
  const changed: SlaClock = { minutes, dueAt: null, secondsLeft, breachedAt: null }
  return isStanding ? changed : settled(resumed(changed, calendars.after, now), now)
}
