import { copyOf, merge, objectsAt, placesOf } from '../../../gateway/execution/data'
import { newWorld, run, startFederation, type Federation, type World } from './federation'

let federation: Federation
beforeAll(async () => {
  federation = await startFederation()
})

const ours = (query: string, variables?: Record<string, unknown>, world?: World, name?: string) =>
  run(federation.ours, federation.schema, query, variables, world, name)
const stock = (query: string, variables?: Record<string, unknown>, world?: World) =>
  run(federation.stock, federation.schema, query, variables, world)
const whole = (query: string, variables: Record<string, unknown> = {}) =>
  federation.whole(query, variables, newWorld())

describe('where stock gives wrong data', () => {
  it.each([
    [
      'a field the client asks for with other arguments than another field requires',
      '{ product(id: "p2") { shipping weight(unit: LB) price } }',
      { product: { shipping: 162034, weight: 102, price: 81 } },
    ],
    [
      'the same by variable, in a fragment',
      'query ($unit: Unit = LB) { product(id: "p2") { ...F duty } } fragment F on Product { weight(unit: $unit) }',
      { product: { weight: 102, duty: 10034 } },
    ],
    [
      'the name of a key for something else',
      '{ product(id: "p2") { id: price shipping } }',
      { product: { id: 81, shipping: 162034 } },
    ],
    [
      'the name of a required object for something else',
      '{ product(id: "p2") { maker: size { height } duty } }',
      { product: { maker: { height: 18 }, duty: 10034 } },
    ],
    [
      'the type name for something else',
      '{ product(id: "p2") { __typename: price shipping } }',
      { product: { __typename: 81, shipping: 162034 } },
    ],
    [
      'a skipped field with requirements beside one without',
      'query ($skip: Boolean = true) { product(id: "p2") { duty @skip(if: $skip) warehouses { id } } }',
      { product: { warehouses: [{ id: 'w3' }, { id: 'w4' }] } },
    ],
    [
      'an object of which everything is skipped',
      'query ($a: Boolean = true, $b: Boolean = false) { product(id: "p2") @include(if: $a) { kinds @include(if: $b) } }',
      { product: {} },
    ],
    [
      'an interface that one subgraph has as an object, beside a field of the concrete type',
      '{ me { favourite { ... on Item { ... on Named { ... on Item { score } } headline } headline shipping } } }',
      { me: { favourite: { score: 4.9, headline: '!name of p1', shipping: 174034 } } },
    ],
  ])('%s: ours is right', async (_name, query, data) => {
    expect(await whole(query)).toEqual({ data, errors: [], completed: [] })
    expect(await ours(query)).toEqual({ data, errors: [], completed: [] })
    const wrong = await stock(query).catch(() => ({ data: 'thrown' }))
    expect(wrong.data).not.toEqual(data)
  })

  it.each([
    ['beside each other', '{ product(id: "p2") { shipping tax } }'],
    [
      'with the field itself in other forms',
      '{ product(id: "p2") { a: price(currency: USD) shipping price tax } }',
    ],
    ['in a fragment', '{ product(id: "p2") { ...F shipping } } fragment F on Product { tax }'],
    [
      'of objects of an interface',
      '{ items { ... on Product { shipping } ... on Item { ... on Product { tax name } } } }',
    ],
    [
      'in a list',
      '{ warehouses { products { tax inStock } ...W } } fragment W on Warehouse { products { shipping } }',
    ],
  ])('fetches two requirements of one field with different arguments: %s', async (_name, query) => {
    expect((await whole(query)).errors).toEqual([])
    expect(await ours(query)).toEqual(await whole(query))
    expect((await stock(query)).data).not.toEqual((await whole(query)).data)
  })

  it('asks for fields with different requirements apart, in one call', async () => {
    const world = newWorld()
    await ours('{ product(id: "p2") { shipping tax inStock } }', {}, world)
    expect(world.calls).toEqual(['catalog', 'stock 1+1'])
  })

  it('gives both where they are of different objects, and one where the other is skipped', async () => {
    const query =
      '{ a: product(id: "p2") { shipping warehouse { products(first: 1) { tax } } } b: product(id: "p2") { tax } }'
    expect(await ours(query)).toEqual(await whole(query))
    const one =
      'query ($a: Boolean = true) { product(id: "p2") { shipping @skip(if: $a) tax @include(if: $a) } }'
    expect(await ours(one)).toEqual(await whole(one))
  })

  it('names the places of errors by the client’s own keys', async () => {
    const world = newWorld()
    world.instead = (name, query) =>
      name === 'catalog' && query.includes('asked0_weight')
        ? {
            data: { product: { __typename: 'Product', id: 'p2', asked0_weight: null } },
            errors: [
              { message: 'no scale', path: ['product', 'asked0_weight'], extensions: { code: 'CONFLICT' } },
            ],
          }
        : undefined
    expect(await ours('{ product(id: "p2") { weight(unit: LB) } }', {}, world)).toEqual({
      data: { product: { weight: null } },
      errors: ['product.weight CONFLICT no scale'],
      completed: [],
    })
  })
})

const unfit = 'The stock subgraph gave an answer that does not fit the schema'

describe('fetches', () => {
  const equals =
    '{ a: product(id: "p1") { ...F } warehouses { products(first: 3) { ...F } } } fragment F on Product { fragile }'

  it('ask for each entity once and give each place its answer', async () => {
    const [world, stocks] = [newWorld(), newWorld()]
    expect(await ours(equals, {}, world)).toEqual(await whole(equals))
    await stock(equals, {}, stocks)
    expect(world.calls).toEqual(['catalog', 'stock', 'catalog 4'])
    expect(stocks.calls).toEqual(['catalog', 'stock', 'catalog 6'])
  })

  it('name every place of an entity that fails', async () => {
    const failing = { ...newWorld(), failing: true }
    const query = '{ users(first: 5) { id friends { id reviews { id body } } } }'
    const answer = await ours(query, {}, failing)
    expect(answer.errors.length).toBeGreaterThan(3)
    expect(answer).toEqual(await stock(query, {}, { ...newWorld(), failing: true }))
  })

  it('never share between requests', async () => {
    const worlds = [newWorld(), newWorld()]
    await Promise.all(worlds.map((world) => ours(equals, {}, world)))
    expect(worlds.map(({ calls }) => calls)).toEqual(Array(2).fill(['catalog', 'stock', 'catalog 4']))
  })

  it.each([
    ['no answer', () => ({}), `product SUBGRAPH_INVALID_ANSWER ${unfit}`],
    ['null', () => ({ data: null }), `product SUBGRAPH_INVALID_ANSWER ${unfit}`],
    ['an answer without entities', () => ({ data: {} }), `product SUBGRAPH_INVALID_ANSWER ${unfit}`],
    ['too few entities', () => ({ data: { _entities: [] } }), `product SUBGRAPH_INVALID_ANSWER ${unfit}`],
    [
      'a text for an entity',
      () => ({ data: { _entities: ['x'] } }),
      `product SUBGRAPH_INVALID_ANSWER ${unfit}`,
    ],
    [
      'an error without a place',
      () => ({ data: null, errors: [{ message: 'down' }] }),
      'product DOWNSTREAM_SERVICE_ERROR down',
    ],
    [
      'an error of all entities',
      () => ({ data: null, errors: [{ message: 'down', path: ['_entities'] }] }),
      'product DOWNSTREAM_SERVICE_ERROR down',
    ],
    [
      'an error about the whole call',
      () => ({
        data: null,
        errors: [{ message: 'down', path: ['_entities', 0], extensions: { code: 'X' } }],
      }),
      'product X down',
    ],
    [
      'an error in the words of the call',
      () => ({ errors: [{ message: 'Variable "$representations" got invalid value at "_entities"' }] }),
      'product DOWNSTREAM_SERVICE_ERROR The stock subgraph could not say more of an object',
    ],
    [
      'a throw',
      () => {
        throw new Error('cancelled')
      },
      '- undefined cancelled',
    ],
  ])(
    'from a subgraph that gives %s have one error at their place (G1, G10)',
    async (_name, answer, error) => {
      const instead: World['instead'] = (name) => (name === 'stock' ? answer() : undefined)
      const nullable = await ours('{ product(id: "p2") { name shipping } }', {}, { ...newWorld(), instead })
      expect(nullable).toEqual({
        data: { product: { name: 'name of p2', shipping: null } },
        errors: [error],
        completed: [],
      })
      const bubbling = await ours('{ product(id: "p2") { name duty } }', {}, { ...newWorld(), instead })
      expect(bubbling.data).toEqual({ product: null })
      expect(bubbling.errors).toContain(error)
    },
  )

  it('of a list that fail as a whole name the list (G10)', async () => {
    const instead: World['instead'] = (name, query) =>
      name === 'stock' && query.includes('_entities')
        ? { data: null, errors: [{ message: 'down', path: ['_entities'] }] }
        : undefined
    const { data, errors } = await ours('{ products { name inStock } }', {}, { ...newWorld(), instead })
    expect(errors).toEqual(['products DOWNSTREAM_SERVICE_ERROR down'])
    expect(data).toEqual({ products: null })
  })

  it.each([
    ['an object for a list', { products: {} }, null, ['products']],
    ['a scalar for an object', { products: ['x'] }, null, ['products.0']],
    ['a list for an object', { products: [[]] }, null, ['products.0']],
  ])('that give %s have a null and an error there (G1)', async (_name, data, products, places) => {
    const instead: World['instead'] = () => ({ data })
    for (const query of ['{ products { name } }', '{ products { name shipping } }']) {
      const answer = await ours(query, {}, { ...newWorld(), instead })
      expect(answer.data).toEqual({ products })
      expect(answer.errors.map((error) => error.split(' ', 2))).toEqual(
        places.map((place) => [place, 'SUBGRAPH_INVALID_ANSWER']),
      )
    }
  })
})

describe('answers', () => {
  it.each([
    ['a null in a non-null place', { id: 'p1', fragile: null, name: 'x' }, null, 'product.fragile'],
    ['a field that is missing', { id: 'p1', name: 'x' }, null, 'product.fragile'],
    ['a wrong scalar', { id: 'p1', fragile: 'f', name: 7 }, { fragile: 'f', name: null }, 'product.name'],
    ['a type that does not exist', { __typename: 'Ghost' }, null, 'product'],
    ['another type', { __typename: 'User', fragile: 'f', name: 'x' }, null, 'product'],
  ])(
    'with %s have nulls and an error at each, whatever else failed (G1)',
    async (_name, product, data, place) => {
      const query = '{ product(id: "p1") { fragile name } }'
      const hints = [{ message: 'a hint' }, { message: 'elsewhere', path: ['other'] }]
      for (const errors of [undefined, hints]) {
        const instead: World['instead'] = () => ({ data: { product }, errors })
        const answer = await ours(query, {}, { ...newWorld(), instead })
        expect(answer.data).toEqual({ product: data })
        expect(
          answer.errors.filter((error) => error.startsWith(`${place} SUBGRAPH_INVALID_ANSWER `)),
        ).toHaveLength(1)
        expect(answer.errors).toHaveLength(1 + (errors?.length ?? 0))
        expect(answer.completed).toEqual([])
      }
    },
  )

  it.each([
    ['the same place', ['product', 'fragile']],
    ['a place above', ['product']],
    ['a place below', ['product', 'fragile', 'x']],
  ])('whose null has an error at %s have no second one (G1)', async (_name, path) => {
    const instead: World['instead'] = () => ({
      data: { product: { fragile: null, name: 'x' } },
      errors: [{ message: 'broken', path }],
    })
    const answer = await ours('{ product(id: "p1") { fragile name } }', {}, { ...newWorld(), instead })
    expect(answer.errors).toEqual([`${path.join('.')} DOWNSTREAM_SERVICE_ERROR broken`])
  })

  it('of an interface object that nobody knows the type of are null with an error where the type matters', async () => {
    const instead: World['instead'] = (name, query) =>
      name === 'catalog' && query.includes('_entities') ? { data: { _entities: [null] } } : undefined
    const items = '{ topReviews(first: 1) { item { id score } } }'
    const known = await ours(items, {}, { ...newWorld(), instead })
    expect(known).toEqual(await whole(items))
    for (const selection of ['score __typename', 'score ... on Product { name }', 'kind: __typename']) {
      const query = `{ topReviews(first: 1) { item { ${selection} } } }`
      const answer = await ours(query, {}, { ...newWorld(), instead })
      expect(answer.data).toEqual({ topReviews: [{ item: null }] })
      expect(answer.errors).toEqual([
        'topReviews.0.item SUBGRAPH_INVALID_ANSWER Invalid __typename found for object at field Review.item.',
      ])
    }
  })

  it('have the order of the selection, fragments merged in place', async () => {
    const query =
      '{ product(id: "p1") { size { height } ...F name size { width } } } fragment F on Product { price size { a: width } }'
    const { data } = await ours(query)
    expect(JSON.stringify(data)).toBe(JSON.stringify((await whole(query)).data))
  })

  it('hold what is asked of the schema', async () => {
    const query =
      'query ($name: String!) { products { id } t: __type(name: $name) { name } __schema { queryType { name } } }'
    expect(await ours(query, { name: 'Item' })).toEqual(await stock(query, { name: 'Item' }))
    expect((await ours(query, { name: 'Item' })).data).toMatchObject({ t: { name: 'Item' } })
  })

  it.each(['constructor', '__proto__', 'toString'])('have %s as a key like any other', async (key) => {
    const query = `{ product(id: "p2") { ${key}: name shipping } }`
    const { data } = await ours(query)
    expect(JSON.stringify(data)).toBe(`{"product":{"${key}":"name of p2","shipping":162034}}`)
    expect(({} as Record<string, unknown>)['name of p2']).toBeUndefined()
  })
})

describe('preparing', () => {
  it('happens once for an operation, also for requests at the same time', async () => {
    const before = federation.planned()
    const query = 'query ($id: ID!) { product(id: $id) { id size { height } } }'
    await Promise.all(['p1', 'p2', 'p3'].map((id) => ours(query, { id })))
    await ours(query, { id: 'p4' })
    expect(federation.planned()).toBe(before + 1)
  })

  it('happens for each combination of conditions', async () => {
    const before = federation.planned()
    const query = 'query ($a: Boolean!) { product(id: "p2") { shipping @include(if: $a) inStock } }'
    for (const a of [true, false, true, false])
      expect(await ours(query, { a })).toEqual(await whole(query, { a }))
    expect(federation.planned()).toBe(before + 2)
  })

  it('refuses wrong variables first', async () => {
    const before = federation.planned()
    const query = 'query ($id: ID!, $first: Int) { product(id: $id) { related(first: $first) { id } } }'
    const answer = await ours(query, { first: 'x' })
    expect(answer.errors).toEqual([
      '- undefined Variable "$first" got invalid value "x"; Int cannot represent non-integer value: "x"',
      '- undefined Variable "$id" of required type "ID!" was not provided.',
    ])
    expect(answer).toEqual(await stock(query, { first: 'x' }))
    expect(federation.planned()).toBe(before)
  })

  it('looks at the conditions of the operation that is asked for', async () => {
    const query = 'query A ($a: Boolean!) { products { id @skip(if: $a) } } query B { products { name } }'
    const [a, b] = [await ours(query, { a: true }, newWorld(), 'A'), await ours(query, {}, newWorld(), 'B')]
    expect(a.data).toEqual({ products: [{}, {}, {}] })
    expect(b).toEqual(await whole('{ products { name } }'))
  })

  it('refuses a condition that is null', async () => {
    const query = 'query ($a: Boolean = true) { products { id @include(if: $a) } }'
    expect(await ours(query, { a: null })).toEqual({
      data: undefined,
      errors: ['- BAD_USER_INPUT Variable "$a" of a condition must not be null.'],
      completed: [],
    })
  })
})

describe('merging', () => {
  it('goes into objects and lists of the same length; else the later value counts', () => {
    const target = { a: { b: 1 }, list: [{ x: 1 }, null], other: [1], gone: { x: 1 } }
    merge(target, { a: { c: 2 }, list: [{ y: 2 }, { y: 3 }], other: [1, 2], gone: null, left: undefined })
    expect(target).toEqual({ a: { b: 1, c: 2 }, list: [{ x: 1, y: 2 }, { y: 3 }], other: [1, 2], gone: null })
  })

  it('gives equal entities objects of their own, when it copies', () => {
    const [one, other]: Record<string, unknown>[] = [{ list: [null] }, { list: [null] }]
    const answer = { size: { width: 1 }, list: [{ a: 1 }] }
    merge(one!, answer, true)
    merge(other!, answer)
    merge(one!, { size: { height: 2 }, list: [{ b: 2 }] })
    expect(one).toEqual({ size: { width: 1, height: 2 }, list: [{ a: 1, b: 2 }] })
    expect(other).toEqual({ size: { width: 1 }, list: [{ a: 1 }] })
  })

  it('does not reach the prototype', () => {
    const target = { json: {} }
    merge(target, { json: JSON.parse('{"__proto__":{"polluted":1}}') as object })
    expect(Object.keys(target.json)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('copies what several objects get, but for what is no plain object', () => {
    const date = new Date(0)
    const value = { a: [{ b: 1 }], date }
    const copy = copyOf(value) as typeof value
    expect(copy).toEqual(value)
    expect(copy.a[0]).not.toBe(value.a[0])
    expect(copy.date).toBe(date)
  })

  it('finds objects by path and their places', () => {
    const [one, two] = [{ x: {} }, { x: null }]
    const root = {
      list: [
        [one, null],
        [two, one],
      ],
    }
    expect(objectsAt([root], ['list', '@', '@', 'x'])).toEqual([{}, {}])
    expect(placesOf(root, ['list', '@', '@', 'x']).get(one.x)).toEqual([
      ['list', 0, 0, 'x'],
      ['list', 1, 1, 'x'],
    ])
    expect(objectsAt([{ list: {} }, { list: ['x', []] }], ['list', '@'])).toEqual([])
  })
})
