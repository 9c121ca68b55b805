import { Cron } from 'croner'

/** Times of the clock on the wall of a time zone. */
export interface Schedule {
  /** Minute, hour, day of the month, month, day of the week: `30 3 * * *`. */
  cron: string
  /** An IANA zone. A time that its clocks leave out is the next one there is; one that they repeat is its first. */
  timeZone: string
}

/** The times of a schedule. */
export interface Occurrences {
  /** The latest at or before an instant; null when there is none. */
  last(instant: Date): Date | null
}

/**
 * Reads a schedule.
 * @throws with the fault, for a pattern or zone that does not exist, or that never comes
 */
export function occurrences({ cron, timeZone }: Schedule): Occurrences {
  const pattern = new Cron(cron, { timezone: timeZone, paused: true, mode: '5-part' })
  if (!pattern.nextRun()) throw new Error(`The schedule ${cron} in ${timeZone} never comes`)
  return {
    last(instant) {
      // The library looks before the second that it is given.
      const runs = pattern.previousRuns(2, new Date(instant.getTime() + 1000))
      return runs.find((run) => run.getTime() <= instant.getTime()) ?? null
    },
  }
}
