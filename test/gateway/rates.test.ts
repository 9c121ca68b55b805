import { windowLimit } from '../../gateway/operations/rates'
import { openMemoryStore } from '../../kernel/store/key-value-memory'
import type { Store } from '../../kernel/store/key-value'
import { memoryLog } from './fixtures/start'

const { log, lines } = memoryLog()
let now = Date.parse('2026-01-01T00:00:00Z')
const clock = { now: () => new Date(now) }
let store: Store
let asked: number
let counting: Pick<Store['rateLimit'], 'add'>

beforeEach(() => {
  lines.length = 0
  asked = 0
  store = openMemoryStore(clock, log)
  counting = { add: (...given) => (asked++, store.rateLimit.add(...given)) }
})
afterEach(() => store.close())

const gatewayWith = (limit: number) => windowLimit({ limit, store: counting, clock, log })
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('L4 a limit per minute', () => {
  test('is exact in one gateway, and asks the store about twenty times in a window', async () => {
    const count = gatewayWith(1000)
    let passed = 0
    for (let n = 0; n < 3000; n++) {
      if (count('a', 1) === 0) passed++
      if (n % 7 === 0) await settled()
    }
    expect([passed, asked]).toEqual([1000, 20])
    now += 20_000
    expect([count('a', 1), count('b', 1)]).toEqual([40_000, 0])
    now += 40_000
    expect(count('a', 1)).toBe(0)
  })

  test('of two gateways lets through no more than a twentieth for each beyond it', async () => {
    const gateways = [gatewayWith(1000), gatewayWith(1000)]
    let passed = 0
    for (let n = 0; n < 3000; n++) {
      if (gateways[n % 2]!('a', 1) === 0) passed++
      await settled()
    }
    expect(passed).toBeGreaterThanOrEqual(1000)
    expect(passed).toBeLessThanOrEqual(1100)
  })

  test('tells the others after two seconds what is less than a twentieth', async () => {
    const [one, other] = [gatewayWith(1000), gatewayWith(1000)]
    one('a', 30)
    now += 2000
    one('a', 1)
    await settled()
    other('a', 960)
    await settled()
    expect(other('a', 10)).toBe(60_000)
    expect(other('a', 9)).toBe(0)
  })

  test('lets one thing of any size through, and then nothing until the window ends', () => {
    const count = gatewayWith(10)
    expect([count('a', 50), count('a', 1)]).toEqual([0, 60_000])
  })

  test('is each gateway’s own while the store does not answer, which is said once', async () => {
    counting = { add: () => Promise.reject(new Error('gone')) }
    const count = gatewayWith(100)
    let passed = 0
    for (let n = 0; n < 300; n++) {
      if (count('a', 1) === 0) passed++
      await settled()
    }
    expect(passed).toBe(100)
    expect(lines.map(({ msg }) => msg)).toEqual(['the store of rates does not answer: counting alone'])
  })
})
