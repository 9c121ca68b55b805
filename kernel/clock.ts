/** The source of time. It is injected everywhere time matters, so tests can move it. */
export interface Clock {
  /** The present instant, to the millisecond: the precision of `timestamptz(3)`. */
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }
