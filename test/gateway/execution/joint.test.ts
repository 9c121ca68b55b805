import { stripIgnoredCharacters } from 'graphql'
import { batchFetches } from '../../../gateway/execution/batched-fetch'
import type { FetchNode } from '../../../gateway/execution/query-plan'
import { newWorld, refusedOnce, run, startFederation, type Federation, type World } from './federation'

let federation: Federation
beforeAll(async () => {
  federation = await startFederation()
})

const ours = (query: string, variables?: Record<string, unknown>, world?: World) =>
  run(federation.ours, federation.schema, query, variables, world)
const stock = (query: string, variables?: Record<string, unknown>, world?: World) =>
  run(federation.stock, federation.schema, query, variables, world)
const whole = (query: string, variables: Record<string, unknown> = {}) =>
  federation.whole(query, variables, newWorld())

/** Products at three places: at two of them the same is asked, at the third something else. */
const places = `query ($unit: Unit = LB, $upper: Boolean) {
  warehouses { products(first: 3) { a: name weight(unit: $unit) } }
  me { name(upper: $upper) favourite { a: name weight(unit: $unit) } }
  users(first: 3) { favourite { size { width } b: weight(unit: $unit) c: weight(unit: KG) } }
}`

describe('fetches of one subgraph at one depth of a plan', () => {
  it('are one call, with each entity once where they ask for the same', async () => {
    const [world, stocks] = [newWorld(), newWorld()]
    const variables = { unit: 'KG', upper: true }
    expect(await ours(places, variables, world)).toEqual(await whole(places, variables))
    expect(await stock(places, variables, stocks)).toEqual(await whole(places, variables))
    expect(world.calls).toEqual(['stock', 'users', 'catalog 4+2'])
    expect(stocks.calls.slice(2)).toEqual(['catalog 6', 'catalog 1', 'catalog 3'])
  })

  it('never share with another request', async () => {
    const worlds = [newWorld(), newWorld()]
    await Promise.all(worlds.map((world) => ours(places, {}, world)))
    for (const { calls } of worlds) expect(calls).toEqual(['stock', 'users', 'catalog 4+2'])
  })

  it('are not joined with what comes before or after them', async () => {
    const query = `{
      product(id: "p2") { warehouse { products(first: 1) { name shipping } } }
      me { favourite { name shipping } }
    }`
    const world = newWorld()
    expect(await ours(query, {}, world)).toEqual(await whole(query))
    expect(world.calls).toEqual([
      'catalog',
      'users',
      'stock 1',
      'catalog 1',
      'catalog 1',
      'stock 1',
      'stock 1',
    ])
  })

  it('give objects of an interface, and what others require, to each place', async () => {
    const query = `{
      topReviews { item { name score ... on Product { duty tax } } author { mail } }
      me { favourite { headline duty } reviews { item { __typename name } } }
      warehouses { products(first: 2) { headline shipping } }
    }`
    const world = newWorld()
    const answer = await ours(query, {}, world)
    expect(answer).toEqual(await stock(query))
    expect(world.calls).toEqual([
      'reviews',
      'users',
      'stock',
      'users 3',
      'reviews 1',
      'catalog 3+1+4',
      'catalog 2',
      'stock 2+1+4',
      'reviews 4',
    ])
  })

  it('name the places of errors and leave nulls as each by itself would', async () => {
    const query = `{
      users(first: 5) { friends { favourite { name inStock shipping related { name } } } }
      warehouses { products(first: 5) { inStock name maker { name country } } }
      topReviews(first: 5) { author { name favourite { name fragile } } item { name maker { country } } }
    }`
    const [world, other] = [newWorld(true), newWorld(true)]
    const answer = await ours(query, {}, world)
    expect(answer.errors.length).toBeGreaterThan(10)
    const told = await stock(query, {}, other)
    expect(answer).toEqual({ ...told, errors: refusedOnce(told.errors) })
    expect(world.calls.some((call) => call.includes('+'))).toBe(true)
  })
})

describe('a subgraph that is asked for several fetches at once', () => {
  const isJoint = (query: string) => query.includes('entities0:')
  const answering = (answer: unknown, when = isJoint): World => ({
    ...newWorld(),
    instead: (name, query) => (name === 'catalog' && when(query) ? answer : undefined),
  })

  it.each([
    ['refuses', { errors: [{ message: 'Too many fields' }] }],
    ['fails in one of them', { data: null, errors: [{ message: 'x', path: ['entities1'] }] }],
    ['says nothing', {}],
  ])('and %s is asked for each by itself', async (_name, answer) => {
    const world = answering(answer)
    expect(await ours(places, {}, world)).toEqual(await whole(places))
    expect(world.calls).toEqual(['stock', 'users', 'catalog 4+2', 'catalog 4', 'catalog 2'])
  })

  it('and does not answer is not asked again: each path has its error', async () => {
    const extensions = { code: 'SUBGRAPH_UNAVAILABLE' }
    const down = (keys: string[]) => ({
      data: null,
      errors: keys.map((key) => ({ message: 'down', path: [key, 0], extensions })),
    })
    const world = answering(down(['entities0', 'entities1']))
    const answer = await ours(places, {}, world)
    expect(world.calls).toEqual(['stock', 'users', 'catalog 4+2'])
    const stocks = answering(down(['_entities']), (query) => query.includes('_entities'))
    expect(answer).toEqual(await stock(places, {}, stocks))
    expect(answer.errors).toEqual([
      'me.favourite SUBGRAPH_UNAVAILABLE down',
      'users.0.favourite SUBGRAPH_UNAVAILABLE down',
      'warehouses.0.products.0 SUBGRAPH_UNAVAILABLE down',
    ])
  })

  it('and throws is told about once for each path', async () => {
    const throwing = () => ({
      ...newWorld(),
      instead: (name: string, query: string) => {
        if (name === 'catalog' && query.includes('_entities')) throw new Error('cancelled')
      },
    })
    const answer = await ours(places, {}, throwing())
    expect(answer).toEqual(await stock(places, {}, throwing()))
    expect(answer.errors).toEqual(Array(3).fill('- undefined cancelled'))
  })

  it('and gives no list for one of them loses that one only', async () => {
    const known = { size: { width: 1 }, b: 2, c: 3 }
    const world = answering({
      data: { entities0: null, entities1: [known, known] },
      errors: [{ message: 'a hint' }],
    })
    const answer = await ours(places, {}, world)
    const text = 'SUBGRAPH_INVALID_ANSWER The catalog subgraph gave an answer that does not fit the schema'
    expect(answer.errors).toEqual([
      '- DOWNSTREAM_SERVICE_ERROR a hint',
      `me.favourite ${text}`,
      `warehouses ${text}`,
    ])
    expect(answer.data).toMatchObject({
      me: { favourite: { a: null } },
      users: Array(3).fill({ favourite: known }),
    })
  })
})

describe('the operation for several fetches', () => {
  const fetchOf = (operation: string, variableUsages: string[] = []) =>
    ({ operation, variableUsages, operationName: 'Q__catalog__1' }) as unknown as FetchNode

  it('has representations and fragments of each, and a variable of the request once', () => {
    const one = `query Q__catalog__1($representations: [_Any!]!, $a: Int) {
      _entities(representations: $representations) { ...F } } fragment F on Product { x(a: $a) }`
    const other = `query Q__catalog__2($representations: [_Any!]!, $a: Int, $entities: Int) {
      _entities(representations: $representations) { ...F } } fragment F on Maker { y(a: $a, b: $entities) }`
    expect(batchFetches([fetchOf(one, ['a']), fetchOf(other, ['a', 'entities'])])).toEqual({
      keys: ['entities_0', 'entities_1'],
      operation: stripIgnoredCharacters(`query Q__catalog__1(
        $entities_0: [_Any!]!, $a: Int, $entities_1: [_Any!]!, $entities: Int
      ) {
        entities_0: _entities(representations: $entities_0) { ...entities_0_F }
        entities_1: _entities(representations: $entities_1) { ...entities_1_F }
      }
      fragment entities_0_F on Product { x(a: $a) }
      fragment entities_1_F on Maker { y(a: $a, b: $entities) }`),
    })
  })

  it.each([
    [
      'a directive on one of them',
      'query ($representations: [_Any!]!) @live { _entities(representations: $representations) { x } }',
      [],
    ],
    [
      'a variable named as theirs',
      'query ($representations: [_Any!]!) { _entities(representations: $representations) { x } }',
      ['representations'],
    ],
    [
      'something beside the entities',
      'query ($representations: [_Any!]!) { _entities(representations: $representations) { x } y }',
      [],
    ],
  ])('is not made with %s', (_name, operation, usages) => {
    expect(batchFetches([fetchOf(operation, usages), fetchOf(operation)])).toBeNull()
  })
})
