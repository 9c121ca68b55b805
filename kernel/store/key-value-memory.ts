import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock'
import { keptEvents } from '../events/event-log'
import { memoryEventLog } from '../events/event-log-memory'
import { positive, rateLimitAnswer, type Store, type WindowCount } from './key-value'
import type { Logger } from '../process/log'

/** Bounds of the store; when it is full, what was used least recently is forgotten. */
const bounds = { entries: 100_000, characters: 64_000_000, events: keptEvents }
const purgeEveryMs = 60_000

/**
 * The store of a single process. Time comes from the clock, so that tests can move it.
 *
 * @param limits own bounds, for tests
 */
export function openMemoryStore(
  clock: Clock,
  log: Logger,
  limits: { entries: number; characters: number; events?: number } = bounds,
): Store {
  const perf = { now: () => clock.now().getTime() }
  const texts = new LRUCache<string, string>({
    max: limits.entries,
    maxSize: limits.characters,
    sizeCalculation: (value, key) => value.length + key.length + 1,
    ttlResolution: 0,
    perf,
  })
  const windows = new LRUCache<string, { count: number }>({ max: limits.entries, ttlResolution: 0, perf })
  const handlers = new Map<string, Set<(message: string) => void>>()
  const purge = setInterval(() => {
    texts.purgeStale()
    windows.purgeStale()
  }, purgeEveryMs).unref()

  function deliver(topic: string, message: string): void {
    for (const handler of handlers.get(topic) ?? []) {
      try {
        handler(message)
      } catch (error) {
        log.error({ err: error, topic }, 'a subscriber failed')
      }
    }
  }

  function counted(key: string, amount: number, windowMs: number): WindowCount {
    const ttl = positive('windowMs', windowMs)
    let window = windows.get(key)
    if (!window) windows.set(key, (window = { count: 0 }), { ttl })
    window.count += amount
    return { count: window.count, endsInMs: Math.ceil(windows.getRemainingTTL(key)) }
  }

  return {
    shared: false,
    keyValue: {
      get: async (key) => texts.get(key) ?? null,
      set: async (key, value, { ttlMs, onlyIfAbsent = false } = {}) => {
        const ttl = ttlMs === undefined ? undefined : positive('ttlMs', ttlMs)
        if (onlyIfAbsent && texts.has(key)) return false
        texts.set(key, value, { ttl })
        return true
      },
      delete: async (keys) => keys.forEach((key) => texts.delete(key)),
    },
    rateLimit: {
      consume: async (key, limit, windowMs) => {
        positive('limit', limit)
        const { count, endsInMs } = counted(key, 1, windowMs)
        return rateLimitAnswer(count, limit, endsInMs)
      },
      add: async (key, amount, windowMs) => counted(key, positive('amount', amount), windowMs),
    },
    pubSub: {
      // Delivered later, as over a network: a publisher never runs its subscribers' code.
      publish: async (topic, message) => void setImmediate(deliver, topic, message),
      subscribe: async (topic, handler) => {
        const own = (message: string) => handler(message)
        const listening = handlers.get(topic) ?? new Set()
        handlers.set(topic, listening.add(own))
        return async () => {
          listening.delete(own)
          if (listening.size === 0 && handlers.get(topic) === listening) handlers.delete(topic)
        }
      },
    },
    eventLog: memoryEventLog(clock, limits.events),
    ping: async () => {},
    close: async () => {
      clearInterval(purge)
      handlers.clear()
      texts.clear()
      windows.clear()
    },
  }
}
