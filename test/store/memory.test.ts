import { createLogger } from '../../kernel/process/log'
import { openMemoryStore } from '../../kernel/store/key-value-memory'
import { openStore } from '../../kernel/store/store'
import { storeContract } from './contract'

const log = createLogger({ logLevel: 'silent' })

/** A clock that goes only when told. */
function handClock() {
  let now = Date.UTC(2026, 10, 20)
  return { clock: { now: () => new Date(now) }, pass: async (ms: number) => void (now += ms + 1) }
}

describe('the store in this process', () => {
  storeContract(async () => {
    const { clock, pass } = handClock()
    return { store: openMemoryStore(clock, log), pass }
  })

  test('is bounded by number: what was used least recently goes', async () => {
    const store = openMemoryStore(handClock().clock, log, { entries: 3, characters: 1000 })
    for (const key of ['a', 'b', 'c']) await store.keyValue.set(key, key)
    await store.keyValue.get('a')
    await store.keyValue.set('d', 'd')
    expect(await Promise.all(['a', 'b', 'c', 'd'].map((key) => store.keyValue.get(key)))).toEqual([
      'a',
      null,
      'c',
      'd',
    ])
    for (const key of ['w', 'x', 'y', 'z']) await store.rateLimit.consume(key, 1, 1000)
    expect(await store.rateLimit.consume('z', 1, 1000)).toMatchObject({ allowed: false })
    expect(await store.rateLimit.consume('w', 1, 1000)).toMatchObject({ allowed: true })
    await store.close()
  })

  test('is bounded by size', async () => {
    const store = openMemoryStore(handClock().clock, log, { entries: 1000, characters: 100 })
    await store.keyValue.set('a', 'x'.repeat(60))
    await store.keyValue.set('b', 'x'.repeat(60))
    expect(await store.keyValue.get('a')).toBeNull()
    expect(await store.keyValue.get('b')).toHaveLength(60)
    await store.keyValue.set('b', 'x'.repeat(200))
    expect(await store.keyValue.get('b')).toBeNull()
    await store.close()
  })

  test('is what opens without REDIS_URL, and is not shared', async () => {
    const store = await openStore({ redisUrl: null }, log)
    expect(store.shared).toBe(false)
    await store.close()
  })
})
