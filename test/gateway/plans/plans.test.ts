import { parse } from 'graphql'
import { planStore } from '../../../gateway/plans/plan-store'
import { createPlans, type PlanMaker } from '../../../gateway/plans/plans'
import { systemClock } from '../../../kernel/clock'
import { openMemoryStore } from '../../../kernel/store/key-value-memory'
import type { KeyValue, Store } from '../../../kernel/store/key-value'
import { memoryLog } from '../fixtures/start'

const { log, lines } = memoryLog()
let store: Store
beforeEach(() => {
  lines.length = 0
  store = openMemoryStore(systemClock, log)
})
afterEach(() => store.close())

/** Makes plans that say what they are of, and counts them. */
function maker() {
  const made: string[] = []
  const make = (supergraph: string): PlanMaker => ({
    ready: Promise.resolve(),
    plan: async (text, name) => {
      made.push(`${supergraph} ${name ?? '-'} ${text}`)
      return JSON.stringify({ kind: 'QueryPlan', of: `${supergraph} ${text}` })
    },
    close: async () => undefined,
  })
  return { made, make }
}
const operation = (text: string, operationName?: string) => ({ document: parse(text), operationName })
const logged = () => lines.map(({ msg }) => msg)

test('an operation is planned once, however many ask for it and however it is laid out', async () => {
  const { made, make } = maker()
  const plans = createPlans({ make })
  plans.use('S')
  const asked = ['{ a b }', '{a,b}', '{ a\n  b }'].map((text) => plans.plan('S', operation(text), 'a tenant'))
  const expected = { kind: 'QueryPlan', of: 'S {\n  a\n  b\n}' }
  expect(await Promise.all(asked)).toEqual([expected, expected, expected])
  expect(await plans.plan('S', operation('{ a b }'), null)).toEqual(expected)
  expect(made).toEqual(['S - {\n  a\n  b\n}'])
})

test('another name or supergraph is another plan, and one that is gone is not planned for', async () => {
  const { made, make } = maker()
  const plans = createPlans({ make })
  plans.use('S')
  await plans.plan('S', operation('query A { a } query B { b }', 'A'), 'a tenant')
  await plans.plan('S', operation('query A { a } query B { b }', 'B'), 'a tenant')
  await plans.load('T')
  await plans.plan('T', operation('{ a }'), 'a tenant')
  await plans.plan('S', operation('{ a }'), 'a tenant')
  expect(made.map((one) => one.slice(0, 3))).toEqual(['S A', 'S B', 'T -', 'S -'])
  plans.use('T')
  await expect(plans.plan('S', operation('{ a }'), 'a tenant')).rejects.toThrow(
    'The supergraph is no longer in use',
  )
})

test('what is kept stays within bounds, whatever is asked', async () => {
  const { made, make } = maker()
  const plans = createPlans({ make, maxBytes: 4100 })
  plans.use('S')
  for (let n = 100; n < 200; n++) await plans.plan('S', operation(`{ a${n} }`), 'a tenant')
  // Two bytes for each character of a key of 43 and a plan of 43, and 200.
  expect(plans.kept).toBe(11)
  await plans.plan('S', operation('{ a199 }'), 'a tenant')
  expect(made.length).toBe(100)
  await plans.plan('S', operation('{ a100 }'), 'a tenant')
  expect(made.length).toBe(101)
})

test('a failure is told to all who wait and not kept', async () => {
  let attempts = 0
  const plans = createPlans({
    make: () => ({
      ready: Promise.resolve(),
      plan: async () => {
        attempts++
        throw new Error(`attempt ${attempts}`)
      },
      close: async () => undefined,
    }),
  })
  plans.use('S')
  const asked = () => plans.plan('S', operation('{ a }'), 'a tenant').catch((error: Error) => error.message)
  expect(await Promise.all([asked(), asked()])).toEqual(['attempt 1', 'attempt 1'])
  expect(await asked()).toBe('attempt 2')
})

describe('the shared store', () => {
  /** A gateway with this store and secret, that plans one operation. */
  async function gateway(keyValue: KeyValue = store.keyValue, secret = 'secret', text = '{ a }') {
    const { made, make } = maker()
    const plans = createPlans({ make, store: planStore(keyValue, secret, log) })
    plans.use('S')
    const plan = await plans.plan('S', operation(text), 'a tenant')
    return { plan, made: made.length }
  }
  const planOfA = { kind: 'QueryPlan', of: 'S {\n  a\n}' }
  /** The store, with every entry as it was written, and what is read changed. */
  function changed(change: (entry: string) => string): KeyValue {
    return {
      ...store.keyValue,
      get: async (key) => store.keyValue.get(key).then((entry) => entry && change(entry)),
    }
  }

  test('gives the next gateway the same plan without planning', async () => {
    expect(await gateway()).toEqual({ plan: planOfA, made: 1 })
    expect(await gateway()).toEqual({ plan: planOfA, made: 0 })
    expect(await gateway(store.keyValue, 'secret', '{ b }')).toMatchObject({ made: 1 })
  })

  test.each<[string, (entry: string) => string]>([
    ['another plan in its place', (entry) => entry.replace('S {', 'X {')],
    ['another signature', (entry) => `A${entry}`],
    ['a plan without a signature', (entry) => entry.slice(entry.indexOf(' ') + 1)],
    ['no plan at all', () => 'nonsense'],
  ])('is not believed: %s', async (_what, change) => {
    await gateway()
    expect(await gateway(changed(change))).toEqual({ plan: planOfA, made: 1 })
    expect(logged()).toEqual(['a stored query plan is not of a gateway of this installation: ignored'])
  })

  test('does not take what another installation wrote, nor a plan moved from another operation', async () => {
    await gateway(store.keyValue, 'another secret')
    expect(await gateway()).toEqual({ plan: planOfA, made: 1 })
    let entryOfA = ''
    await gateway(changed((entry) => (entryOfA = entry)))
    expect(entryOfA).toContain('{"kind":"QueryPlan"')
    await gateway(store.keyValue, 'secret', '{ b }')
    const moved = await gateway(
      changed(() => entryOfA),
      'secret',
      '{ b }',
    )
    expect(moved).toEqual({ plan: { kind: 'QueryPlan', of: 'S {\n  b\n}' }, made: 1 })
  })

  test.each<[string, () => Promise<never>]>([
    ['fails', () => Promise.reject(new Error('gone'))],
    ['never answers', () => new Promise(() => undefined)],
  ])('that %s costs one line in the log, and is left alone for a while', async (_what, get) => {
    let asked = 0
    const dead: KeyValue = {
      get: () => (asked++, get()),
      set: () => (asked++, get()),
      delete: async () => undefined,
    }
    const { made, make } = maker()
    const plans = createPlans({
      make,
      store: planStore(dead, 'secret', log, { answerWithinMs: 20, pauseMs: 3_600_000 }),
    })
    plans.use('S')
    for (const text of ['{ a }', '{ b }', '{ c }']) await plans.plan('S', operation(text), 'a tenant')
    expect([made.length, asked]).toEqual([3, 1])
    expect(logged()).toEqual(['the store of query plans does not answer, going on without'])
  })
})
