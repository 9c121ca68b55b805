import { LRUCache } from 'lru-cache'
import type { Clock } from '../../kernel/clock'
import type { RateLimit } from '../../kernel/store/key-value'
import type { Logger } from '../../kernel/process/log'
import { refusedForNow } from '../errors'
import { networkOf } from '../../kernel/process/network-address'

/** Describes what callers may ask for in a minute. */
export interface RateLimits {
  /** Requests of anonymous callers from one network address. */
  anonymousPerMinute: number
  /** Estimated cost of one tenant's operations. */
  tenantCostPerMinute: number
}

/**
 * Several times what people and screens ask for. An office behind one address signs in at most; the costliest
 * operation there may be costs 50,000.
 */
export const defaultRates: RateLimits = { anonymousPerMinute: 1200, tenantCostPerMinute: 10_000_000 }

export interface Rates {
  /**
   * Counts work that an anonymous caller asks for.
   * @param amount requests; an operation counts as one more for each started 1,000 of its cost
   * @throws GraphQLError RATE_LIMITED with status 429 and `retryAfterSeconds`
   */
  anonymous(address: string | null, amount: number): void
  /** Counts the cost of a tenant's operation. Throws as above. */
  tenant(tenantId: string, cost: number): void
  /** Counts the cost of what a tenant's streams ask for, which have half of what the tenant has. Throws as above. */
  streams(tenantId: string, cost: number): void
}

export interface WindowOptions {
  limit: number
  store: Pick<RateLimit, 'add'>
  clock: Clock
  log: Logger
  windowMs?: number
}

interface Window {
  /** Holds what all gateways counted when the store was asked last, and what was sent to it since. */
  counted: number
  /** Holds what this gateway counted and did not send yet. */
  pending: number
  /** Milliseconds since 1970. */
  endsAt: number
  sentAt: number
}

const minuteMs = 60_000
/** Keys in memory; what is forgotten still stands in the store, but for its last twentieth. */
const mostKeys = 20_000
/**
 * Says how long a gateway counts by itself before it tells the others, unless it has counted a twentieth of the limit.
 */
const sentEveryMs = 2000

/**
 * A limit per key and fixed window that costs a request no round trip: each gateway counts by itself, and tells the
 * store after every twentieth of the limit, or with the first request two seconds later. Within one gateway the limit
 * is exact. With several, each may let through a twentieth, or what comes in two seconds, more. A store that does not answer
 * leaves each gateway with its own count.
 *
 * @returns counts an amount for a key, within the limit or one of its own, and returns 0; or counts nothing and returns the
 *   milliseconds until it may go on
 */
export function windowLimit(
  options: WindowOptions,
): (key: string, amount: number, ownLimit?: number) => number {
  const { store, clock, log, windowMs = minuteMs } = options
  const windows = new LRUCache<string, Window>({ max: mostKeys })
  let failing = false

  async function send(key: string, window: Window): Promise<void> {
    const amount = window.pending
    window.pending = 0
    window.counted += amount
    try {
      const { count, endsInMs } = await store.add(key, Math.ceil(amount), windowMs)
      window.counted = Math.max(count, amount)
      window.endsAt = clock.now().getTime() + endsInMs
      failing = false
    } catch (error) {
      if (!failing) log.warn({ error: String(error) }, 'the store of rates does not answer: counting alone')
      failing = true
    }
  }

  return (key, amount, limit = options.limit) => {
    const step = Math.max(1, Math.floor(limit / 20))
    const now = clock.now().getTime()
    let window = windows.get(key)
    if (!window || now >= window.endsAt) {
      window = { counted: 0, pending: 0, endsAt: now + windowMs, sentAt: now }
      windows.set(key, window)
    }
    const before = window.counted + window.pending
    if (before > 0 && before + amount > limit) return Math.max(1, window.endsAt - now)
    window.pending += amount
    if (window.pending >= step || (window.pending > 0 && now - window.sentAt >= sentEveryMs)) {
      window.sentAt = now
      void send(key, window)
    }
    return 0
  }
}

/** Both limits, kept in the store that the gateways of an installation share. */
export function createRates(limits: RateLimits, shared: Omit<WindowOptions, 'limit'>): Rates {
  const addresses = windowLimit({ ...shared, limit: limits.anonymousPerMinute })
  const tenants = windowLimit({ ...shared, limit: limits.tenantCostPerMinute })
  const ofStreams = windowLimit({ ...shared, limit: Math.max(1, Math.floor(limits.tenantCostPerMinute / 2)) })
  const within = (waitMs: number) => {
    if (waitMs > 0) throw refusedForNow('RATE_LIMITED', Math.ceil(waitMs / 1000))
  }
  return {
    anonymous: (address, amount) => within(addresses(`api:rate_limit:${networkOf(address)}`, amount)),
    tenant: (tenantId, cost) => within(tenants(`t:${tenantId}:api:cost`, cost)),
    streams(tenantId, cost) {
      within(ofStreams(`t:${tenantId}:api:stream-cost`, cost))
      within(tenants(`t:${tenantId}:api:cost`, cost))
    },
  }
}

/** No limits: for a gateway that has nobody to count for. */
export const noRates: Rates = {
  anonymous: () => undefined,
  tenant: () => undefined,
  streams: () => undefined,
}
