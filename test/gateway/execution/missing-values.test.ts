import { newWorld, run, startFederation, type Federation, type World } from './federation'

let federation: Federation
beforeAll(async () => {
  federation = await startFederation()
})

type Answers = Record<string, unknown>

/** Asks while the named subgraphs answer something of their own: a queue for each, its last answer again and again. */
async function ask(query: string, answers: Record<string, Answers[]>) {
  const world: World = newWorld()
  const left = new Map(Object.entries(answers).map(([name, all]) => [name, [...all]]))
  world.instead = (name) => {
    const all = left.get(name)
    return all && structuredClone(all.length > 1 ? all.shift() : all[0])
  }
  const { data, errors } = await run(federation.ours, federation.schema, query, {}, world)
  return { data, errors, calls: world.calls }
}

const none = (place: string, field: string) =>
  `${place} SUBGRAPH_INVALID_ANSWER No value found for field ${field}.`

/** What the catalogue left out, at every kind of place: the answer and the errors. */
const leftOut: [string, string, object, object, string[]][] = [
  [
    'all of the root',
    '{ product(id: "p1") { name } items { id } }',
    {},
    { product: null, items: null },
    [none('product', 'Query.product'), none('items', 'Query.items')],
  ],
  [
    'a field of the root',
    '{ product(id: "p1") { name } items { id } }',
    { product: null },
    { product: null, items: null },
    [none('items', 'Query.items')],
  ],
  [
    'an aliased field of the root',
    '{ a: product(id: "p1") { name } }',
    { product: { name: 'x' } },
    { a: null },
    [none('a', 'Query.product')],
  ],
  [
    'a scalar',
    '{ product(id: "p1") { id name } }',
    { product: { id: 'p1' } },
    { product: { id: 'p1', name: null } },
    [none('product.name', 'Product.name')],
  ],
  [
    'an aliased scalar',
    '{ product(id: "p1") { n: name } }',
    { product: { name: 'x' } },
    { product: { n: null } },
    [none('product.n', 'Product.name')],
  ],
  [
    'a key that the client renamed',
    '{ product(id: "p1") { name: id id: name } }',
    { product: { asked0_name: 'p1' } },
    { product: { name: 'p1', id: null } },
    [none('product.id', 'Product.name')],
  ],
  [
    'a list of an enum',
    '{ product(id: "p1") { kinds } }',
    { product: {} },
    { product: { kinds: null } },
    [none('product.kinds', 'Product.kinds')],
  ],
  [
    'an object',
    '{ product(id: "p1") { maker { id } } }',
    { product: {} },
    { product: { maker: null } },
    [none('product.maker', 'Product.maker')],
  ],
  [
    'a nested field',
    '{ product(id: "p1") { maker { id name } } }',
    { product: { maker: { id: 'm1' } } },
    { product: { maker: { id: 'm1', name: null } } },
    [none('product.maker.name', 'Maker.name')],
  ],
  [
    'fields of some items of a list',
    '{ products { id name } }',
    { products: [{ id: 'p1', name: 'x' }, { id: 'p2' }, { name: null, id: 'p3' }] },
    {
      products: [
        { id: 'p1', name: 'x' },
        { id: 'p2', name: null },
        { id: 'p3', name: null },
      ],
    },
    [none('products.1.name', 'Product.name')],
  ],
  [
    'a list of an interface',
    '{ product(id: "p1") { related { id } } }',
    { product: {} },
    { product: { related: null } },
    [none('product.related', 'Product.related')],
  ],
  [
    'a field of an interface',
    '{ item { id name } }',
    { item: { __typename: 'Bundle', id: 'b1' } },
    { item: { id: 'b1', name: null } },
    [none('item.name', 'Bundle.name')],
  ],
  [
    'a union',
    '{ product(id: "p1") { maker { best { ... on Maker { code } } } } }',
    { product: { maker: {} } },
    { product: { maker: { best: null } } },
    [none('product.maker.best', 'Maker.best')],
  ],
  [
    'a field of a union',
    '{ search { ... on Maker { code country } } }',
    { search: [{ __typename: 'Maker', code: 'c' }] },
    { search: [{ code: 'c', country: null }] },
    [none('search.0.country', 'Maker.country')],
  ],
  [
    'a field in nested lists',
    '{ product(id: "p1") { grid { width height } } }',
    { product: { grid: [[{ height: 1 }, null]] } },
    { product: { grid: [[{ width: null, height: 1 }, null]] } },
    [none('product.grid.0.0.width', 'Size.width')],
  ],
  [
    'a field that must not be null',
    '{ product(id: "p1") { name fragile } }',
    { product: { name: 'x' } },
    { product: null },
    [none('product.fragile', 'Product.fragile')],
  ],
]

describe('what a subgraph leaves out is null with an error at its place (G1)', () => {
  it.each(leftOut)('%s', async (_what, query, data, expected, errors) => {
    const answer = await ask(query, { catalog: [{ data }] })
    expect({ data: answer.data, errors: answer.errors }).toEqual({
      data: expected,
      errors: [...errors].sort(),
    })
  })

  const nullable = leftOut.filter(([what]) => !/root|renamed|must not/.test(what))
  it.each(nullable)('%s, and a null that it says is its answer', async (_what, query, data, expected) => {
    // The same answers with what was left out said, as far as the schema allows.
    const whole = JSON.parse(JSON.stringify(data)) as object
    const fill = (target: unknown, from: unknown): void => {
      if (target === null || typeof target !== 'object' || from === null || typeof from !== 'object') return
      for (const [key, value] of Object.entries(from)) {
        const known = target as Answers
        if (!(key in known)) known[key] = value
        else fill(known[key], value)
      }
    }
    fill(whole, expected)
    const answer = await ask(query, { catalog: [{ data: whole }] })
    expect({ data: answer.data, errors: answer.errors }).toEqual({ data: expected, errors: [] })
  })

  it('a mutation’s payload', async () => {
    const query = 'mutation { relabel(id: "p1", label: "x") { name } }'
    expect(await ask(query, { catalog: [{ data: {} }] })).toMatchObject({
      data: { relabel: null },
      errors: [none('relabel', 'Mutation.relabel')],
    })
  })

  it('what an error is about has no second one', async () => {
    const error = { message: 'broken', path: ['product', 'name'] }
    const answer = await ask('{ product(id: "p1") { id name } }', {
      catalog: [{ data: { product: { id: 'p1' } }, errors: [error] }],
    })
    expect(answer).toMatchObject({
      data: { product: { id: 'p1', name: null } },
      errors: ['product.name DOWNSTREAM_SERVICE_ERROR broken'],
    })
  })
})

describe('an entity', () => {
  const query = '{ product(id: "p1") { name warehouse { city } } }'
  const product = { __typename: 'Product', id: 'p1', name: 'x' }

  it.each([
    ['that a subgraph says is none', [null]],
    ['with a field that a subgraph says is null', [{ warehouse: null }]],
  ])('%s is null without an error', async (_what, _entities) => {
    expect(await ask(query, { catalog: [{ data: { product } }], stock: [{ data: { _entities } }] })).toEqual({
      data: { product: { name: 'x', warehouse: null } },
      errors: [],
      calls: ['catalog', 'stock 1'],
    })
  })

  it.each([
    [
      'with a field that was left out',
      [{}],
      { warehouse: null },
      none('product.warehouse', 'Product.warehouse'),
    ],
    [
      'with a field that was left out below',
      [{ warehouse: { __typename: 'Warehouse', id: 'w1' } }],
      { warehouse: { city: null } },
      none('product.warehouse.city', 'Warehouse.city'),
    ],
  ])('%s has an error there (G1)', async (_what, _entities, known, error) => {
    const answer = await ask(query, {
      catalog: [{ data: { product } }],
      stock: [{ data: { _entities } }],
    })
    expect({ data: answer.data, errors: answer.errors }).toEqual({
      data: { product: { name: 'x', ...known } },
      errors: [error],
    })
  })

  it.each([
    ['key', { __typename: 'Product', name: 'x' }],
    ['type name', { id: 'p1', name: 'x' }],
    ['key that is null though it must not be', { __typename: 'Product', id: null, name: 'x' }],
  ])('whose %s is missing is not asked for, and its fields have errors (G1)', async (_what, told) => {
    expect(await ask(query, { catalog: [{ data: { product: told } }] })).toEqual({
      data: { product: { name: 'x', warehouse: null } },
      errors: [none('product.warehouse', 'Product.warehouse')],
      calls: ['catalog'],
    })
  })

  it('of a list has errors for the items that lack something only', async () => {
    const products = [product, { __typename: 'Product', name: 'y' }, { ...product, id: 'p3' }]
    const answer = await ask('{ products { name warehouse { id } } }', {
      catalog: [{ data: { products } }],
      stock: [{ data: { _entities: [null, {}] } }],
    })
    expect(answer).toEqual({
      data: {
        products: ['x', 'y', 'x'].map((name) => ({ name, warehouse: null })),
      },
      errors: [1, 2].map((n) => none(`products.${n}.warehouse`, 'Product.warehouse')),
      calls: ['catalog', 'stock 2'],
    })
  })

  it('of which a required field was left out has an error where it was required (G1)', async () => {
    expect(
      await ask('{ product(id: "p1") { name shipping } }', {
        catalog: [{ data: { product: { ...product, required0_price: 5 } } }],
      }),
    ).toEqual({
      data: { product: { name: 'x', shipping: null } },
      errors: [none('product.shipping', 'Product.shipping')],
      calls: ['catalog'],
    })
  })

  it.each<[string, Answers, string[]]>([
    ['that there is none', { data: { _entities: [null, null] } }, []],
    [
      'nothing that fits',
      { data: { _entities: 5 } },
      [`warehouses SUBGRAPH_INVALID_ANSWER The catalog subgraph gave an answer that does not fit the schema`],
    ],
    [
      'that it is down',
      { data: null, errors: [{ message: 'down', path: ['_entities', 0], extensions: { code: 'X' } }] },
      ['warehouses.0.products.0 X down'],
    ],
    [
      'a type and nothing else',
      { data: { _entities: [{ __typename: 'Product' }, { __typename: 'Product' }] } },
      [0, 1].map((n) => none(`warehouses.0.products.${n}.shipping`, 'Product.shipping')),
    ],
  ])(
    'of which another subgraph says %s has nulls where that was required, with the errors of that only (G1)',
    async (_what, said, errors) => {
      const products = ['p1', 'p2'].map((id) => ({ __typename: 'Product', id }))
      expect(
        await ask('{ warehouses { products { shipping } } }', {
          stock: [{ data: { warehouses: [{ products }] } }],
          catalog: [said],
        }),
      ).toEqual({
        data: { warehouses: [{ products: [{ shipping: null }, { shipping: null }] }] },
        errors,
        calls: ['stock', 'catalog 2'],
      })
    },
  )

  it('is null without an error where it was asked for with the client’s fragments', async () => {
    const answer = await ask(
      `{ a: product(id: "p1") { ...F alternative { ...F } } b: product(id: "p2") { ...F } }
       fragment F on Product { warehouse { ...W } warehouses { ...W } }
       fragment W on Warehouse { id city size { width height } }`,
      {
        catalog: [{ data: { a: { ...product, alternative: product }, b: product } }],
        stock: [{ data: { _entities: [null] } }],
      },
    )
    const gone = { warehouse: null, warehouses: null }
    expect(answer).toMatchObject({ data: { a: { ...gone, alternative: gone }, b: gone }, errors: [] })
  })

  it('of an interface is null without an error where a subgraph says that it is none', async () => {
    const item = { __typename: 'Item', id: 'x' }
    expect(
      await ask('{ topReviews { item { id maker { id } } } }', {
        reviews: [{ data: { topReviews: [{ item }] } }],
        catalog: [{ data: { _entities: [null] } }],
      }),
    ).toMatchObject({ data: { topReviews: [{ item: { id: 'x', maker: null } }] }, errors: [] })
  })
})

describe('fields of the root', () => {
  const query = '{ me { id } users { id } firm { motto } }'
  const failed = { message: 'no', path: ['me'], extensions: { code: 'FORBIDDEN' } }

  it('that are lost with an error about another one have it at their own place (G1)', async () => {
    const answer = await ask('{ product(id: "p1") { id } items { id } other: item { id } }', {
      catalog: [{ data: null, errors: [{ ...failed, path: ['product', 'id'] }] }],
    })
    expect(answer).toMatchObject({
      data: { product: null, items: null, other: null },
      errors: ['items FORBIDDEN no', 'other FORBIDDEN no', 'product.id FORBIDDEN no'],
    })
  })

  it('of other subgraphs are not touched', async () => {
    const answer = await ask('{ me { id } product(id: "p1") { id } }', {
      users: [{ data: null, errors: [failed] }],
      catalog: [{ data: { product: { id: 'p1' } } }],
    })
    expect(answer).toMatchObject({
      data: { me: null, product: { id: 'p1' } },
      errors: ['me FORBIDDEN no'],
    })
  })

  it('are all null with the first of them that must not be', async () => {
    expect(await ask(query, { users: [{ data: {} }] })).toMatchObject({
      data: null,
      errors: [none('me', 'Query.me'), none('users', 'Query.users')],
    })
  })
})
