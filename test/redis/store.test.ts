import { createClient, type RedisClientType } from 'redis'
import type { Store } from '../../kernel/store/key-value'
import { createLogger } from '../../kernel/process/log'
import { openStore } from '../../kernel/store/store'
import { storeContract } from '../store/contract'
import { startProxy } from './proxy'
import { freePort } from '../support/free-port'
import { startRedis, type RedisServer } from './server'

const password = 'redis-pass-of-the-test'
const lines: string[] = []
const log = createLogger({ logLevel: 'info' }, { write: (line: string) => void lines.push(line) })
let server: RedisServer

beforeAll(async () => {
  server = await startRedis(password)
})

afterAll(() => server.stop())

const open = (database = 0) => openStore({ redisUrl: `${server.url}/${database}` }, log)

/** Runs commands that the store has no need for. */
async function inRedis<T>(work: (redis: RedisClientType) => Promise<T>): Promise<T> {
  const redis: RedisClientType = createClient({ url: server.url })
  await redis.connect()
  try {
    return await work(redis)
  } finally {
    redis.destroy()
  }
}

/** Repeats until it succeeds; jest's own time limit ends it otherwise. */
async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

const refusedSoon = { extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }

describe('the store in Redis', () => {
  describe('keeps the contract', () => {
    storeContract(async () => {
      await inRedis((redis) => redis.flushAll())
      return { store: await open(), pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms + 30)) }
    })
  })

  test('prefixes every key, and gives every window an end', async () => {
    await inRedis((redis) => redis.flushAll())
    const store = await open()
    await store.keyValue.set('t:1:a', '1')
    await store.rateLimit.consume('t:1:b', 1, 60_000)
    await inRedis(async (redis) => {
      expect((await redis.keys('*')).sort()).toEqual(['tenantgraph:t:1:a', 'tenantgraph:window:t:1:b'])
      expect(await redis.pTTL('tenantgraph:window:t:1:b')).toBeGreaterThan(0)
    })
    await store.close()
  })

  test('is shared: texts, limits and messages cross from one process to another', async () => {
    await inRedis((redis) => redis.flushAll())
    const [one, other] = [await open(), await open()]
    expect(one.shared).toBe(true)
    await one.keyValue.set('a', '1')
    expect(await other.keyValue.get('a')).toBe('1')
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => [one, other][index % 2]!.rateLimit.consume('a', 10, 600_000)),
    )
    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(10)
    const message = new Promise(
      (resolve) => void other.pubSub.subscribe('a', resolve).then(() => one.pubSub.publish('a', 'hello')),
    )
    expect(await message).toBe('hello')
    await Promise.all([one.close(), other.close()])
  })

  test('keeps numbered databases apart, messages too', async () => {
    const [zero, one] = [await open(0), await open(1)]
    const seen: string[] = []
    await one.pubSub.subscribe('a', (message) => void seen.push(message))
    await zero.pubSub.publish('a', 'from zero')
    await one.pubSub.publish('a', 'from one')
    await eventually(async () => expect(seen).toHaveLength(1))
    expect(seen).toEqual(['from one'])
    await Promise.all([zero.close(), one.close()])
  })
})

describe('when Redis fails', () => {
  let store: Store

  beforeEach(async () => {
    lines.length = 0
    store = await open()
  })

  afterEach(async () => {
    server.resume()
    await store.close()
  })

  /** Every function fails with the documented code, and nothing hangs. */
  async function expectUnavailable(): Promise<void> {
    await Promise.all([
      expect(store.keyValue.get('a')).rejects.toMatchObject(refusedSoon),
      expect(store.keyValue.set('a', '1')).rejects.toMatchObject(refusedSoon),
      expect(store.keyValue.delete(['a'])).rejects.toMatchObject(refusedSoon),
      expect(store.rateLimit.consume('a', 1, 1000)).rejects.toMatchObject(refusedSoon),
      expect(store.pubSub.publish('a', '1')).rejects.toMatchObject(refusedSoon),
      expect(store.ping()).rejects.toMatchObject(refusedSoon),
    ])
  }

  test('a killed server gives errors, and is used again when it is back, subscriptions included', async () => {
    const seen: string[] = []
    await store.pubSub.subscribe('a', (message) => void seen.push(message))
    await server.kill()
    await expectUnavailable()
    await server.start()
    await eventually(() => store.ping())
    await store.keyValue.set('a', '1')
    expect(await store.keyValue.get('a')).toBe('1')
    await eventually(async () => {
      await store.pubSub.publish('a', 'after')
      expect(seen).toContain('after')
    })
    const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
    expect(messages.filter((text) => text === 'Redis does not answer')).toHaveLength(2)
    expect(messages.filter((text) => text === 'Redis answers again')).toHaveLength(2)
    expect(lines.join()).not.toContain(password)
  })

  test('a frozen server gives errors instead of waiting, and is used again afterwards', async () => {
    server.freeze()
    await expectUnavailable()
    server.resume()
    await eventually(() => store.ping())
    expect(await store.keyValue.set('b', '2')).toBe(true)
    expect(await store.keyValue.get('b')).toBe('2')
  })

  test('connections that went silent are replaced, though nobody uses them, subscriptions included', async () => {
    const proxy = await startProxy(Number(new URL(server.url).port))
    const address = server.url.replace(/\d+$/, String(proxy.port))
    const behind = await openStore({ redisUrl: address }, log)
    const seen: string[] = []
    const ended: string[] = []
    await behind.pubSub.subscribe('a', (message) => void seen.push(message))
    const unsubscribe = await behind.pubSub.subscribe('a', (message) => void ended.push(message))
    proxy.silence()
    await eventually(async () => {
      await store.pubSub.publish('a', 'after')
      expect(seen).toContain('after')
    })
    await eventually(() => behind.ping())
    await unsubscribe()
    const before = ended.length
    await store.pubSub.publish('a', 'last')
    await eventually(async () => expect(seen).toContain('last'))
    expect(ended).toHaveLength(before)
    await behind.close()
    await proxy.close()
  })

  test('closing does not wait for a frozen server', async () => {
    server.freeze()
    await store.close()
    await expectUnavailable()
  })
})

describe('at start', () => {
  test('an address where nothing answers is named, without the password', async () => {
    const address = `127.0.0.1:${await freePort()}`
    const opening = openStore({ redisUrl: `redis://:${password}@${address}` }, log)
    await expect(opening).rejects.toThrow(`Redis at ${address} does not answer`)
    await expect(opening).rejects.not.toThrow(password)
  })

  test('a wrong password is refused', async () => {
    const opening = openStore({ redisUrl: server.url.replace(password, 'wrong') }, log)
    await expect(opening).rejects.toThrow(/WRONGPASS/)
  })
})
