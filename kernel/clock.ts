/** The source of time. It is injected everywhere time matters, so tests can move it. */
export interface Clock {
  /** The present instant, to the millisecond: the precision of `timestamptz(3)`. */
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A clock that is ahead of another; without a difference the other one. */
export function clockAhead(clock: Clock, seconds: number): Clock {
  return seconds === 0 ? clock : { now: () => new Date(clock.now().getTime() + seconds * 1000) }
}
