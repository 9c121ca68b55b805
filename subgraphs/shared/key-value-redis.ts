import { createClient } from 'redis'
import { unavailable } from './errors'
import { positive, rateLimitAnswer, type Store } from './key-value'
import type { Logger } from './log'

const prefix = 'tenantgraph:'

/** How long a command may take. node-redis' own timeout ends when a command is sent, so a frozen server needs this one. */
const commandTimeoutMs = 2000

/** A silent connection is given up and made anew; the pings keep an idle one from being silent. */
const liveness = { pingInterval: 1500, socketTimeout: 5000 }

/** More commands than this without an answer are refused instead of kept. */
const longestQueue = 10_000

/**
 * The store in Redis 6 or later, by two connections: one for commands, one for subscriptions. Lost connections are made
 * anew, subscriptions included; meanwhile commands fail at once instead of waiting.
 *
 * @throws Error that names host and port when Redis does not answer at start
 */
export async function openRedisStore(url: string, log: Logger): Promise<Store> {
  const commands = connection(url, log, 'commands')
  const subscriptions = connection(url, log, 'subscriptions')
  // Redis' numbered databases separate keys, but not channels.
  const channel = (topic: string) => `${prefix}${Number(new URL(url).pathname.slice(1))}:${topic}`

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
        const expiration = { type: 'PX', value: positive('windowMs', windowMs) } as const
        const window = `${prefix}window:${key}`
        // One transaction: no attempt is lost, and no window stays without an end.
        const [, count, endsInMs] = await commands.run((redis) =>
          redis
            .multi()
            .set(window, '0', { expiration, condition: 'NX' })
            .incr(window)
            .pTTL(window)
            .execTyped(),
        )
        return rateLimitAnswer(Number(count), limit, Number(endsInMs))
      },
    },
    pubSub: {
      publish: async (topic, message) => {
        await commands.run((redis) => redis.publish(channel(topic), message))
      },
      subscribe: async (topic, handler) => {
        const listener = (message: string) => {
          try {
            handler(message)
          } catch (error) {
            log.error({ err: error, topic }, 'a subscriber failed')
          }
        }
        await subscriptions.run((redis) => redis.subscribe(channel(topic), listener))
        return () => subscriptions.run((redis) => redis.unsubscribe(channel(topic), listener))
      },
    },
    ping: async () => {
      await Promise.all([commands, subscriptions].map((one) => one.run((redis) => redis.ping())))
    },
    close,
  }
}

type Redis = ReturnType<typeof client>

/** One connection: it comes back by itself, logs each outage once, and answers or fails in time. */
function connection(url: string, log: Logger, purpose: string) {
  let wasReady = false
  let down = false
  const redis: Redis = client(url, (retries) =>
    // At start a wrong address is an error; later an outage is waited for.
    wasReady ? Math.min(50 * 2 ** retries, 2000) : false,
  )
  redis.on('error', (error: Error) => {
    if (wasReady && !down) log.error({ err: error, purpose }, 'Redis does not answer')
    down = true
  })
  redis.on('ready', () => {
    if (wasReady && down) log.info({ purpose }, 'Redis answers again')
    wasReady = true
    down = false
  })

  return {
    connect: () => redis.connect(),
    async run<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
      try {
        return await inTime(command(redis))
      } catch (error) {
        throw unavailable(undefined, error)
      }
    },
    /** Waits for commands under way, but not for a server that is gone. */
    async close(): Promise<void> {
      if (redis.isReady) await inTime(redis.close()).catch(() => {})
      if (redis.isOpen) redis.destroy()
    },
  }
}

function client(url: string, reconnectStrategy: (retries: number) => number | false) {
  return createClient({
    url,
    socket: { connectTimeout: 3000, socketTimeout: liveness.socketTimeout, reconnectStrategy },
    pingInterval: liveness.pingInterval,
    disableOfflineQueue: true,
    commandsQueueMaxLength: longestQueue,
    maintNotifications: 'disabled',
  })
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    // After a stall of this process the timer comes first: setImmediate lets an answer that has arrived be read.
    timer = setTimeout(
      () => setImmediate(() => reject(new Error(`no answer within ${commandTimeoutMs} ms`))),
      commandTimeoutMs,
    )
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
