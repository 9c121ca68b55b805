import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock'
import { keptEvents, keptMs, type EventLog, type LoggedEvent } from './event-log'

/** Tenants whose events are kept; of more, those are forgotten that had none for longest. */
const mostTenants = 1000

/**
 * The event log of a single process.
 * @param most events of a tenant, for tests
 */
export function memoryEventLog(clock: Clock, most = keptEvents): EventLog {
  const tenants = new LRUCache<string, LoggedEvent[]>({
    max: mostTenants,
    ttl: keptMs,
    ttlResolution: 0,
    perf: { now: () => clock.now().getTime() },
  })
  return {
    append: async (tenantId, events) => {
      let known = tenants.get(tenantId) ?? []
      for (const event of events) {
        const last = known.at(-1)?.position
        if (last !== undefined && event.position <= last) continue
        if (last !== undefined && event.position > last + 1) known = []
        known.push(event)
      }
      // Half as many again, so that not every event moves all others.
      if (known.length > most * 1.5) known = known.slice(-most)
      tenants.set(tenantId, known)
    },
    read: async (tenantId, after, limit) => {
      const known = tenants.get(tenantId) ?? []
      const [first, last] = [known[0]?.position ?? Infinity, known.at(-1)?.position ?? -Infinity]
      if (after < first - 1 || after > last) return { events: [], isGap: true }
      const start = after - first + 1
      return { events: known.slice(start, start + limit), isGap: false }
    },
  }
}
