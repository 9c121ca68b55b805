import type { RedisConnection } from '../store/redis-connection'
import { keptEvents, keptMs, type EventLog, type LoggedEvent } from './event-log'

/**
 * Adds what is new, in order, and stops at the first that cannot be added: commands sent one by one could leave one out and
 * add the next. KEYS: the stream; ARGV: events kept, milliseconds kept, then position and event by turns.
 */
const appendScript = `
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local last = newest and tonumber(string.match(newest[1], '^(%d+)')) or nil
for i = 3, #ARGV, 2 do
  local position = tonumber(ARGV[i])
  if last == nil or position > last then
    if last ~= nil and position > last + 1 then redis.call('DEL', KEYS[1]) end
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], ARGV[i] .. '-0', 'event', ARGV[i + 1])
    last = position
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 0`

/** The event log in Redis Streams: one stream for each tenant, an entry's id is its position. */
export function redisEventLog(commands: RedisConnection, prefix: string, most = keptEvents): EventLog {
  const keyOf = (tenantId: string) => `${prefix}t:{${tenantId}}:events`
  return {
    append: async (tenantId, events) => {
      if (events.length === 0) return
      const entries = events.flatMap((event) => [String(event.position), JSON.stringify(event)])
      await commands.run((redis) =>
        redis.eval(appendScript, {
          keys: [keyOf(tenantId)],
          arguments: [String(most), String(keptMs), ...entries],
        }),
      )
    },
    read: async (tenantId, after, limit) => {
      const key = keyOf(tenantId)
      // One transaction, so that nothing is trimmed in between.
      const [oldest, newest, found] = await commands.run((redis) =>
        redis
          .multi()
          .xRange(key, '-', '+', { COUNT: 1 })
          .xRevRange(key, '+', '-', { COUNT: 1 })
          .xRange(key, `${after + 1}-0`, '+', { COUNT: limit })
          .execTyped(),
      )
      const [first, last] = [positionOf(oldest?.[0]?.id, Infinity), positionOf(newest?.[0]?.id, -Infinity)]
      if (after < first - 1 || after > last) return { events: [], isGap: true }
      return {
        events: (found ?? []).map(({ message }) => JSON.parse(String(message['event'])) as LoggedEvent),
        isGap: false,
      }
    },
  }
}

const positionOf = (id: unknown, none: number): number =>
  id === undefined ? none : Number.parseInt(String(id), 10)
