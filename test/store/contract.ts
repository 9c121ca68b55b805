import type { LoggedEvent } from '../../kernel/events/event-log'
import type { Store } from '../../kernel/store/key-value'

/** A store under test, and how time passes for it. */
export interface StoreUnderTest {
  store: Store
  /** Lets this much time pass, and a little more. */
  pass(ms: number): Promise<void>
}

const longMs = 600_000
const shortMs = 120

/** What every store keeps, whatever it is made of. `open` gives a store of its own to each test. */
export function storeContract(open: () => Promise<StoreUnderTest>): void {
  let store: Store
  let pass: StoreUnderTest['pass']

  beforeEach(async () => {
    ;({ store, pass } = await open())
  })

  afterEach(() => store.close())

  describe('texts by key', () => {
    test('are read as they were stored, and null where nothing is', async () => {
      expect(await store.keyValue.get('a')).toBeNull()
      expect(await store.keyValue.set('a', 'größer 🌍\n')).toBe(true)
      expect(await store.keyValue.set('b', '')).toBe(true)
      expect(await store.keyValue.get('a')).toBe('größer 🌍\n')
      expect(await store.keyValue.get('b')).toBe('')
    })

    test('replace each other', async () => {
      await store.keyValue.set('a', '1')
      expect(await store.keyValue.set('a', '2')).toBe(true)
      expect(await store.keyValue.get('a')).toBe('2')
    })

    test('stay where they are against onlyIfAbsent', async () => {
      expect(await store.keyValue.set('a', '1', { onlyIfAbsent: true })).toBe(true)
      expect(await store.keyValue.set('a', '2', { onlyIfAbsent: true })).toBe(false)
      expect(await store.keyValue.get('a')).toBe('1')
    })

    test('of many writers that want to be first, one is kept', async () => {
      const stored = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          store.keyValue.set('a', String(index), { onlyIfAbsent: true }),
        ),
      )
      expect(stored.filter(Boolean)).toHaveLength(1)
      expect(await store.keyValue.get('a')).toBe(String(stored.indexOf(true)))
    })

    test('end at their time, and make room for onlyIfAbsent', async () => {
      await store.keyValue.set('short', '1', { ttlMs: shortMs })
      await store.keyValue.set('long', '1', { ttlMs: longMs })
      await store.keyValue.set('endless', '1')
      await pass(shortMs)
      expect(await store.keyValue.get('short')).toBeNull()
      expect(await store.keyValue.set('short', '2', { onlyIfAbsent: true })).toBe(true)
      expect(await store.keyValue.get('long')).toBe('1')
      expect(await store.keyValue.get('endless')).toBe('1')
    })

    test('lose their end when replaced without one', async () => {
      await store.keyValue.set('a', '1', { ttlMs: shortMs })
      await store.keyValue.set('a', '2')
      await pass(shortMs)
      expect(await store.keyValue.get('a')).toBe('2')
    })

    test('keep their end when onlyIfAbsent refuses', async () => {
      await store.keyValue.set('a', '1', { ttlMs: shortMs })
      await store.keyValue.set('a', '2', { ttlMs: longMs, onlyIfAbsent: true })
      await pass(shortMs)
      expect(await store.keyValue.get('a')).toBeNull()
    })

    test('are deleted, several at once or none', async () => {
      await store.keyValue.set('a', '1')
      await store.keyValue.set('b', '1')
      await store.keyValue.set('c', '1')
      await store.keyValue.delete([])
      await store.keyValue.delete(['a', 'b', 'missing'])
      expect(await Promise.all(['a', 'b', 'c'].map((key) => store.keyValue.get(key)))).toEqual([
        null,
        null,
        '1',
      ])
    })

    test.each([0, -1, 1.5, NaN, Infinity])('refuse to live for %s ms', async (ttlMs) => {
      await expect(store.keyValue.set('a', '1', { ttlMs })).rejects.toThrow(RangeError)
      expect(await store.keyValue.get('a')).toBeNull()
    })
  })

  describe('the rate limit', () => {
    test('counts down, then refuses and says how long', async () => {
      const answers = []
      for (let attempt = 0; attempt < 4; attempt++)
        answers.push(await store.rateLimit.consume('a', 2, longMs))
      expect(answers.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
        [true, 1],
        [true, 0],
        [false, 0],
        [false, 0],
      ])
      expect(answers.slice(0, 2).map(({ retryAfterMs }) => retryAfterMs)).toEqual([0, 0])
      for (const { retryAfterMs } of answers.slice(2)) {
        expect(retryAfterMs).toBeGreaterThan(longMs - 60_000)
        expect(retryAfterMs).toBeLessThanOrEqual(longMs)
      }
    })

    test('counts each key for itself, apart from texts', async () => {
      await store.keyValue.set('a', 'text')
      await store.rateLimit.consume('a', 1, longMs)
      expect(await store.rateLimit.consume('a', 1, longMs)).toMatchObject({ allowed: false })
      expect(await store.rateLimit.consume('b', 1, longMs)).toMatchObject({ allowed: true })
      expect(await store.keyValue.get('a')).toBe('text')
    })

    test('begins anew when the window ends, which refused attempts do not put off', async () => {
      await store.rateLimit.consume('a', 1, shortMs)
      await store.rateLimit.consume('a', 1, shortMs)
      await pass(shortMs)
      expect(await store.rateLimit.consume('a', 1, shortMs)).toEqual({
        allowed: true,
        remaining: 0,
        retryAfterMs: 0,
      })
    })

    test('lets exactly the limit through among parallel attempts', async () => {
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => store.rateLimit.consume('a', 7, longMs)),
      )
      expect(answers.filter(({ allowed }) => allowed)).toHaveLength(7)
    })

    test('adds what a process counted by itself, and says how long the window lasts', async () => {
      const adding = [
        [7, 7],
        [1, 8],
        [30, 38],
      ] as const
      for (const [amount, count] of adding) {
        const window = await store.rateLimit.add('added', amount, longMs)
        expect(window.count).toBe(count)
        expect(window.endsInMs).toBeGreaterThan(longMs - 60_000)
        expect(window.endsInMs).toBeLessThanOrEqual(longMs)
      }
      await store.rateLimit.add('short', 5, shortMs)
      await pass(shortMs)
      expect((await store.rateLimit.add('short', 2, shortMs)).count).toBe(2)
      for (const [amount, windowMs] of [
        [0, 1],
        [1.5, 1],
        [1, 0],
      ] as const)
        await expect(store.rateLimit.add('added', amount, windowMs)).rejects.toThrow(RangeError)
      expect((await store.rateLimit.add('added', 1, longMs)).count).toBe(39)
    })

    test('refuses limits and windows that are no whole number above 0', async () => {
      for (const [limit, windowMs] of [
        [0, 1],
        [1, 0],
        [1.5, 1],
        [1, NaN],
      ] as const) {
        await expect(store.rateLimit.consume('a', limit, windowMs)).rejects.toThrow(RangeError)
      }
      expect(await store.rateLimit.consume('a', 1, longMs)).toMatchObject({ allowed: true })
    })
  })

  describe('events', () => {
    const event = (position: number): LoggedEvent => ({
      position,
      id: `id-${position}`,
      aggregateType: 'Employee',
      aggregateId: '1',
      eventType: 'updated',
      payload: { version: position, fields: ['lastName'] },
      occurredAt: '2026-11-28T12:00:00.000Z',
    })
    const events = (first: number, last: number) =>
      Array.from({ length: last - first + 1 }, (_, place) => event(first + place))
    const positions = async (after: number, most = 100, tenant = 'a') => {
      const { events: found, isGap } = await store.eventLog.read(tenant, after, most)
      return isGap ? 'gap' : found.map(({ position }) => position)
    }

    test('are read in order, in pages, and as they were added', async () => {
      await store.eventLog.append('a', events(1, 5))
      expect(await store.eventLog.read('a', 0, 2)).toEqual({ events: events(1, 2), isGap: false })
      expect(await positions(2, 2)).toEqual([3, 4])
      expect(await positions(4, 2)).toEqual([5])
      expect(await positions(5)).toEqual([])
    })

    test('are a tenant’s own', async () => {
      await store.eventLog.append('a', events(1, 2))
      expect(await positions(0, 100, 'b')).toBe('gap')
      await store.eventLog.append('b', events(1, 1))
      expect(await positions(0, 100, 'b')).toEqual([1])
      expect(await positions(0)).toEqual([1, 2])
    })

    test('that are there already are left out', async () => {
      await store.eventLog.append('a', events(1, 3))
      await store.eventLog.append('a', events(2, 5))
      await store.eventLog.append('a', events(1, 1))
      await store.eventLog.append('a', [])
      expect(await positions(0)).toEqual([1, 2, 3, 4, 5])
    })

    test('of many who add the same at once are there once', async () => {
      await Promise.all(
        Array.from({ length: 20 }, (_, place) => store.eventLog.append('a', events(1, 5 + place))),
      )
      expect(await positions(0)).toEqual(Array.from({ length: 24 }, (_, place) => place + 1))
    })

    test('may begin anywhere; whoever is elsewhere is told', async () => {
      await store.eventLog.append('a', events(7, 8))
      expect(await positions(5)).toBe('gap')
      expect(await positions(6)).toEqual([7, 8])
      expect(await positions(8)).toEqual([])
      expect(await positions(9)).toBe('gap')
    })

    test('that were lost are never passed over unaware', async () => {
      await store.eventLog.append('a', events(1, 3))
      await store.eventLog.append('a', events(5, 6))
      for (const after of [0, 1, 3]) expect(await positions(after)).toBe('gap')
      expect(await positions(4)).toEqual([5, 6])
    })

    test('are bounded: the oldest go', async () => {
      for (let first = 1; first <= 16_000; first += 1000)
        await store.eventLog.append('a', events(first, first + 999))
      expect(await positions(0)).toBe('gap')
      expect(await positions(15_998)).toEqual([15_999, 16_000])
      expect(await positions(6_500, 2)).toEqual([6_501, 6_502])
    })
  })

  describe('messages', () => {
    test('reach every subscriber of their topic, in order', async () => {
      const first: string[] = []
      const second: string[] = []
      await store.pubSub.subscribe('a', (message) => first.push(message))
      await store.pubSub.subscribe('a', (message) => second.push(message))
      await store.pubSub.publish('other', 'elsewhere')
      for (const message of ['1', '2', '3']) await store.pubSub.publish('a', message)
      await received(store, 'end')
      expect(first).toEqual(['1', '2', '3'])
      expect(second).toEqual(['1', '2', '3'])
    })

    test('end for one subscriber without touching another', async () => {
      const first: string[] = []
      const second: string[] = []
      const handler = (message: string) => void second.push(message)
      const unsubscribe = await store.pubSub.subscribe('a', (message) => void first.push(message))
      await store.pubSub.subscribe('a', handler)
      await store.pubSub.publish('a', '1')
      await received(store, 'end')
      await unsubscribe()
      await unsubscribe()
      await store.pubSub.publish('a', '2')
      await received(store, 'end')
      expect(first).toEqual(['1'])
      expect(second).toEqual(['1', '2'])
    })

    test('sent before anybody listened are gone', async () => {
      const seen: string[] = []
      await store.pubSub.publish('a', 'early')
      await received(store, 'end')
      await store.pubSub.subscribe('a', (message) => void seen.push(message))
      await received(store, 'end')
      expect(seen).toEqual([])
    })

    test('go on after a subscriber failed', async () => {
      const seen: string[] = []
      await store.pubSub.subscribe('a', () => {
        throw new Error('a subscriber of the test')
      })
      await store.pubSub.subscribe('a', (message) => void seen.push(message))
      await store.pubSub.publish('a', '1')
      await store.pubSub.publish('a', '2')
      await received(store, 'end')
      expect(seen).toEqual(['1', '2'])
    })

    test('never run a subscriber inside the call that publishes', async () => {
      let seen = false
      await store.pubSub.subscribe('a', () => (seen = true))
      const publishing = store.pubSub.publish('a', '1')
      expect(seen).toBe(false)
      await publishing
      await received(store, 'end')
      expect(seen).toBe(true)
    })
  })

  test('the store answers a ping', async () => {
    await expect(store.ping()).resolves.toBeUndefined()
  })

  test('a store that is closed twice stays closed', async () => {
    await store.close()
    await expect(store.close()).resolves.toBeUndefined()
  })
}

/** Publishes on a topic and waits for the message: what was published before has arrived then. */
export async function received(store: Store, topic: string): Promise<void> {
  const arrived = new Promise<void>((resolve, reject) => {
    store.pubSub
      .subscribe(topic, () => resolve())
      .then(() => store.pubSub.publish(topic, 'end'))
      .catch(reject)
  })
  await arrived
}
