import { loadable } from '../../../registry/composition/compose'
import type { PlanMaker } from '../../../gateway/plans/plans'
import { memoryLog } from '../fixtures/start'
import { fixtureSupergraph } from '../fixtures/subgraphs'
import { startThread } from './thread'

const supergraph = loadable(fixtureSupergraph())
const { log, lines } = memoryLog()
let thread: PlanMaker
const plan = (text: string, name?: string) => thread.plan(text, name, 'a tenant')
const failure = (planned: Promise<unknown>) =>
  planned.then(
    () => 'planned',
    (error: { message: string; extensions?: { code: string } }) => [error.extensions?.code, error.message],
  )
const names = '{ user(id: "1") { name } }'

beforeAll(async () => {
  thread = startThread(supergraph, { log, waiting: { perTenant: 3 }, timeoutMs: 30_000 })
  await thread.ready
})
beforeEach(() => void (lines.length = 0))
afterAll(() => thread.close())

test('plans what is asked, and says what the planner says of what it cannot plan', async () => {
  expect(JSON.parse(await plan(names)).node).toMatchObject({
    kind: 'Fetch',
    serviceName: 'identity',
    operation: '{user(id:1){name}}',
  })
  expect(await failure(plan('{ nothing }'))).toEqual([
    expect.anything(),
    expect.stringContaining('Cannot query field "nothing" on type "Query"'),
  ])
  const needed = 'query Q($id: ID!) { user(id: $id) { name } }'
  expect(JSON.parse(await plan(needed, 'Q')).node.operation).toBe(
    'query Q__identity__0($id:ID!){user(id:$id){name}}',
  )
})

test('an operation that ends the thread fails alone, and the next thread plans the others', async () => {
  const bad = failure(plan('query EndsTheThread { user(id: "1") { name } }', 'EndsTheThread'))
  const others = [names, '{ user(id: "2") { name } }', '{ user(id: "3") { name } }'].map((text) => plan(text))
  expect(await bad).toEqual([
    'INTERNAL_SERVER_ERROR',
    'This operation could not be planned. Others are not affected.',
  ])
  expect((await Promise.all(others)).map((json) => JSON.parse(json).node.operation)).toEqual([
    '{user(id:1){name}}',
    '{user(id:2){name}}',
    '{user(id:3){name}}',
  ])
  expect(lines.map(({ msg, fault, waiting }) => [msg, fault, waiting])).toEqual([
    ['the planning thread is replaced', 3, 3],
  ])
})

test('an operation that takes too long is given up, and the next thread plans the others', async () => {
  jest.useFakeTimers({
    advanceTimers: false,
    doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'],
  })
  const bad = failure(plan('query TakesForEver { user(id: "1") { name } }', 'TakesForEver'))
  const other = plan(names)
  jest.advanceTimersByTime(30_000)
  jest.useRealTimers()
  expect(await bad).toEqual(['QUERY_TOO_COSTLY', 'The operation takes too long to plan: split it'])
  expect(JSON.parse(await other).node.operation).toBe('{user(id:1){name}}')
  expect(lines.map(({ fault, waiting }) => [fault, waiting])).toEqual([['no plan within 30000 ms', 1]])
})

test('no more than so many wait; who comes last is told so at once', async () => {
  const all = Array.from({ length: 6 }, (_, n) => failure(plan(`{ user(id: "${n}") { name } }`)))
  expect(await Promise.all(all)).toEqual([
    'planned',
    'planned',
    'planned',
    'planned',
    'planned',
    ['OVERLOADED', 'Too much is going on at once. Try again in a moment.'],
  ])
})

test('clients come before what is planned ahead, but not for ever', async () => {
  const order: string[] = []
  const ahead = ['1', '2', '3'].map((id) =>
    thread.plan(`{ user(id: "${id}") { name } }`, undefined, null).then(() => order.push(`ahead ${id}`)),
  )
  const first = plan(names).then(() => order.push('client'))
  await Promise.all([...ahead, first])
  expect(order).toEqual(['ahead 1', 'client', 'ahead 2', 'ahead 3'])
  order.length = 0
  const client = (n: number): Promise<unknown> =>
    plan(`{ user(id: "${n}") { name } }`).then(() => order.push('client') < 20 && client(n))
  await Promise.all([
    client(1),
    client(2),
    client(3),
    thread.plan(names, undefined, null).then(() => order.push('ahead')),
  ])
  expect(order.slice(0, 8)).toContain('ahead')
})

test('a supergraph that cannot be loaded is said when it is', async () => {
  const other = startThread('type Query { a: Int }', { log })
  expect(await failure(other.ready)).toEqual([undefined, expect.stringMatching(/supergraph|core|link/i)])
})

test('who waits when it is closed gets an error, and so does who comes later', async () => {
  const waits = failure(plan(names))
  await thread.close()
  expect(await waits).toEqual([undefined, 'The planning thread is closed'])
  expect(await failure(plan(names))).toEqual([undefined, 'The planning thread is closed'])
})
