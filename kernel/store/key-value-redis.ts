import { redisEventLog } from '../events/event-log-redis'
import { positive, rateLimitAnswer, type PubSub, type Store, type WindowCount } from './key-value'
import type { Logger } from '../process/log'
import { redisConnection, type RedisConnection } from './redis-connection'

const prefix = 'tenantgraph:'

interface Subscription {
  channel: string
  listener: (message: string) => void
}

/**
 * The store in Redis 6 or later, by two connections: one for commands, one for subscriptions. Lost connections are made
 * anew, subscriptions included; meanwhile commands fail at once instead of waiting.
 *
 * @throws Error that names host and port when Redis does not answer at start
 */
export async function openRedisStore(url: string, log: Logger): Promise<Store> {
  // Loading it is a tenth of the start of a process, and most need none.
  const { createClient } = await import('redis')
  const active = new Set<Subscription>()
  const commands = redisConnection(createClient, url, log, 'commands')
  const subscriptions = redisConnection(createClient, url, log, 'subscriptions', async (redis) => {
    await Promise.all([...active].map(({ channel, listener }) => redis.subscribe(channel, listener)))
  })
  // Redis' numbered databases separate keys, but not channels.
  const channelOf = (topic: string) => `${prefix}${Number(new URL(url).pathname.slice(1))}:${topic}`

  async function close(): Promise<void> {
    await Promise.all([commands.close(), subscriptions.close()])
  }

  try {
    await Promise.all([commands.connect(), subscriptions.connect()])
  } catch (error) {
    await close()
    throw new Error(
      `Redis at ${new URL(url).host} does not answer (${String(error)}). Start it, or correct or remove REDIS_URL.`,
      { cause: error },
    )
  }

  return {
    shared: true,
    keyValue: {
      get: (key) => commands.run((redis) => redis.get(prefix + key)),
      set: async (key, value, { ttlMs, onlyIfAbsent = false } = {}) => {
        const expiration =
          ttlMs === undefined ? undefined : ({ type: 'PX', value: positive('ttlMs', ttlMs) } as const)
        const condition = onlyIfAbsent ? 'NX' : undefined
        const answer = await commands.run((redis) =>
          redis.set(prefix + key, value, { expiration, condition }),
        )
        return answer === 'OK'
      },
      delete: async (keys) => {
        if (keys.length > 0) await commands.run((redis) => redis.del(keys.map((key) => prefix + key)))
      },
    },
    rateLimit: {
      consume: async (key, limit, windowMs) => {
        positive('limit', limit)
        const { count, endsInMs } = await countInWindow(commands, key, 1, windowMs)
        return rateLimitAnswer(count, limit, endsInMs)
      },
      add: (key, amount, windowMs) => countInWindow(commands, key, amount, windowMs),
    },
    pubSub: redisPubSub(commands, subscriptions, active, channelOf, log),
    eventLog: redisEventLog(commands, prefix),
    ping: async () => {
      await Promise.all([commands, subscriptions].map((one) => one.run((redis) => redis.ping())))
    },
    close,
  }
}

/** Adds to what is counted in the window of a key that is open, or opens one. */
async function countInWindow(
  commands: RedisConnection,
  key: string,
  amount: number,
  windowMs: number,
): Promise<WindowCount> {
  positive('amount', amount)
  const expiration = { type: 'PX', value: positive('windowMs', windowMs) } as const
  const window = `${prefix}window:${key}`
  // One transaction: no attempt is lost, and no window stays without an end.
  const [, count, endsInMs] = await commands.run((redis) =>
    redis
      .multi()
      .set(window, '0', { expiration, condition: 'NX' })
      .incrBy(window, amount)
      .pTTL(window)
      .execTyped(),
  )
  return { count: Number(count), endsInMs: Number(endsInMs) }
}

/** Channels over a connection of its own. `active` holds what is to be subscribed to again after a lost connection. */
function redisPubSub(
  commands: RedisConnection,
  subscriptions: RedisConnection,
  active: Set<Subscription>,
  channelOf: (topic: string) => string,
  log: Logger,
): PubSub {
  return {
    publish: async (topic, message) => {
      await commands.run((redis) => redis.publish(channelOf(topic), message))
    },
    subscribe: async (topic, handler) => {
      const channel = channelOf(topic)
      const listener = (message: string) => {
        try {
          handler(message)
        } catch (error) {
          log.error({ err: error, topic }, 'a subscriber failed')
        }
      }
      const subscription = { channel, listener }
      await subscriptions.run((redis) => redis.subscribe(channel, listener))
      active.add(subscription)
      return async () => {
        active.delete(subscription)
        await subscriptions.run((redis) => redis.unsubscribe(channel, listener))
      }
    },
  }
}
