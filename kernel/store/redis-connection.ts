import type { createClient } from 'redis'
import { unavailable } from '../errors'
import type { Logger } from '../process/log'

/**
 * Says how long a command may take. node-redis' own timeout ends when a command is sent, so a server that accepts and
 * does not answer needs this one.
 */
const commandTimeoutMs = 2000

/** Finds a connection that went silent even when nobody uses it. */
const heartbeatMs = 2000

/** Ends a handshake that is not answered; an established connection is kept from it by its heartbeat. */
const silenceMs = 5000

/** More commands than this without an answer are refused instead of kept. */
const longestQueue = 10_000

type Redis = ReturnType<typeof newClient>

/** One connection to Redis. */
export interface RedisConnection {
  /** Rejects when Redis does not answer now; later outages are waited for. */
  connect(): Promise<void>
  /** @throws ApiError SUBGRAPH_UNAVAILABLE when the command fails or is not answered in time */
  run<T>(command: (redis: Redis) => Promise<T>): Promise<T>
  /** Waits for commands under way, but not for a server that is gone. */
  close(): Promise<void>
}

/**
 * A connection that comes back by itself, logs each outage once, and whose commands are answered or fail in time. One
 * that is silent is replaced: its peer may be gone without a word, which TCP alone notices after a quarter of an hour.
 *
 * @param library node-redis' own function: who needs no Redis does not load its client
 * @param restore brings a new client to the state of a replaced one
 */
export function redisConnection(
  library: typeof createClient,
  url: string,
  log: Logger,
  purpose: string,
  restore: (redis: Redis) => Promise<void> = async () => {},
): RedisConnection {
  let wasReady = false
  let down = false
  let heartbeat: NodeJS.Timeout | undefined
  let redis = open()

  function open(): Redis {
    // At start a wrong address is an error; later an outage is waited for.
    const client = newClient(library, url, (retries) =>
      wasReady ? Math.min(50 * 2 ** retries, 2000) : false,
    )
    let restored = false
    client.on('error', (error: Error) => markDown(client, error))
    client.on('ready', () => {
      markUp()
      if (restored) return
      // A failure means that the connection broke again: it becomes ready once more, or is replaced.
      restore(client).then(
        () => (restored = true),
        (error: unknown) => markDown(client, error),
      )
    })
    return client
  }

  function markDown(client: Redis, error: unknown): void {
    if (client !== redis) return
    if (wasReady && !down) log.error({ err: error, purpose }, 'Redis does not answer')
    down = true
  }

  function markUp(): void {
    if (wasReady && down) log.info({ purpose }, 'Redis answers again')
    wasReady = true
    down = false
  }

  function replace(silent: Redis, error: unknown): void {
    if (silent !== redis || !silent.isReady || !heartbeat) return
    markDown(silent, error)
    redis = open()
    redis.connect().catch((reason: unknown) => markDown(redis, reason))
    silent.destroy()
  }

  const connection: RedisConnection = {
    async connect() {
      await redis.connect()
      heartbeat = setInterval(
        () => void connection.run((one) => one.ping()).catch(() => {}),
        heartbeatMs,
      ).unref()
    },
    async run(command) {
      const used = redis
      try {
        return await inTime(command(used), (late) => replace(used, late))
      } catch (error) {
        throw unavailable(undefined, error)
      }
    },
    async close() {
      clearInterval(heartbeat)
      heartbeat = undefined
      if (redis.isReady) await inTime(redis.close()).catch(() => {})
      if (redis.isOpen) redis.destroy()
    },
  }
  return connection
}

function newClient(
  library: typeof createClient,
  url: string,
  reconnectStrategy: (retries: number) => number | false,
) {
  return library({
    url,
    socket: { connectTimeout: 3000, socketTimeout: silenceMs, reconnectStrategy },
    disableOfflineQueue: true,
    commandsQueueMaxLength: longestQueue,
    maintNotifications: 'disabled',
  })
}

async function inTime<T>(answer: Promise<T>, whenLate: (error: Error) => void = () => {}): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  let immediate: NodeJS.Immediate | undefined
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => {
      const error = new Error(`no answer within ${commandTimeoutMs} ms`)
      reject(error)
      whenLate(error)
    }
    // After a stall of this process the timer comes first: setImmediate lets an answer that has arrived be read.
    timer = setTimeout(() => (immediate = setImmediate(giveUp)), commandTimeoutMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
    clearImmediate(immediate)
  }
}
