import { LRUCache } from 'lru-cache'

const clocks = new LRUCache<string, Intl.DateTimeFormat>({ max: 1_000 })

/** A clock of the zone. Throws RangeError when there is no such zone. */
export function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone)
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    clocks.set(zone, clock)
  }
  return clock
}

/** Tells whether there is a time zone of this name; offsets such as `+02:00` are none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name) || name.length > 64) return false
  try {
    return clockOf(name) !== undefined
  } catch {
    return false
  }
}
