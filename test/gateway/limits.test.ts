import {
  buildSchema,
  GraphQLError,
  GraphQLScalarType,
  Kind,
  parse,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
} from 'graphql'
import { measure, measurer } from '../../gateway/operations/cost'
import { costModel } from '../../gateway/operations/cost-model'
import { startTestGateway, type TestGateway } from './fixtures/start'

describe('the measure of an operation', () => {
  const sdl = `
    directive @cost(weight: Int!) on FIELD_DEFINITION | OBJECT
    directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean) on FIELD_DEFINITION
    type Query {
      a: A
      as: [A!]!
      top(count: Int = 7): [A!]! @listSize(slicingArguments: ["count"])
      few: [A!]! @listSize(assumedSize: 3)
      page(first: Int = 20, last: Int): Page
      sized(first: Int = 20): Page @listSize(slicingArguments: ["first"], sizedFields: ["nodes"])
      unsized(first: Int): Page
      assumed(first: Int): Page @listSize(assumedSize: 20, slicingArguments: ["first"])
      any: U
      found(ids: [ID!], filter: F): [A!]! @listSize(assumedSize: 1)
    }
    input F { id: I  and: [F!] }
    input I { in: [ID!] }
    type Mutation { change: A }
    type Page { nodes: [A!]! tags: [A!]! total: Int }
    type A { id: ID a: A as: [A!]! heavy: Heavy weighed: Int @cost(weight: 4) page(first: Int = 20): Page }
    type Heavy @cost(weight: 50) { x: Int }
    union U = A | Heavy`
  const schema = buildSchema(sdl)
  const model = costModel(sdl)

  function measured(text: string, variables: Record<string, unknown> = {}, pageLimit?: number) {
    const { definitions } = parse(text)
    const fragments = definitions.filter(
      (node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION,
    )
    const operation = definitions.find(
      (node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION,
    )!
    return measure(
      schema,
      model,
      operation,
      new Map(fragments.map((f) => [f.name.value, f])),
      variables,
      pageLimit,
    )
  }

  it.each<[query: string, cost: number, depth: number, selections: number]>([
    ['{ __typename }', 0, 1, 1],
    ['{ a { id } }', 1, 2, 2],
    ['{ a { a { id } heavy { x } weighed } }', 1 + 1 + 50 + 4, 3, 6],
    ['{ as { id } }', 10, 2, 2],
    ['{ few { as { id } } }', 3 * (1 + 10), 3, 3],
    ['{ top { id } }', 7, 2, 2],
    ['{ top(count: 40) { id } }', 40, 2, 2],
    ['{ page { nodes { id } total } }', 1 + 20, 3, 4],
    ['{ page(first: 30) { nodes { id } tags { id } } }', 1 + 30 + 30, 3, 5],
    ['{ page(first: 2, last: 50) { nodes { id } } }', 1 + 50, 3, 3],
    ['{ sized(first: 30) { nodes { id } tags { id } } }', 1 + 30 + 10, 3, 5],
    ['{ page(first: 10) { nodes { page(first: 5) { nodes { id } } } } }', 1 + 10 * (1 + 1 + 5), 5, 5],
    ['{ unsized { nodes { id } } }', 1 + 10, 3, 3],
    ['{ assumed { nodes { id } } }', 1 + 20, 3, 3],
    ['{ page(first: -1) { nodes { id } } }', 1, 3, 3],
    ['{ x: a { id } y: a { id } }', 2, 2, 4],
    ['{ ...F ...F } fragment F on Query { a { id } }', 2, 2, 4],
    ['{ page(first: 30) { ...P } } fragment P on Page { nodes { id } }', 1 + 30, 3, 3],
    ['{ any { ... on A { weighed } ... on Heavy { x } } }', 1 + 4, 2, 3],
    ['{ ... { a { id } } }', 1, 2, 2],
    ['mutation { change { id } }', 11, 2, 2],
    ['{ __schema { types { name } } }', 10_000, 1, 1],
  ])('%s', (query, cost, depth, selections) => {
    expect(measured(query)).toEqual({ cost, depth, selections })
  })

  it('reads sizes from variables and their defaults', () => {
    const query = 'query($n: Int = 5) { page(first: $n) { nodes { id } } }'
    expect(measured(query).cost).toBe(6)
    expect(measured(query, { n: 80 }).cost).toBe(81)
    expect(measured(query, { n: null }).cost).toBe(21)
  })

  it('counts the items of lists in arguments, beyond the first ten (attack 3)', () => {
    const ids = (count: number) => Array.from({ length: count }, (_, n) => `${n}`)
    const cost = (args: string, variables = {}) =>
      measured(`query($l: [ID!], $f: F) { found(${args}) { id } }`, variables).cost
    const list = (count: number) =>
      `[${ids(count)
        .map((id) => `"${id}"`)
        .join()}]`
    expect([cost(`ids: ${list(10)}`), cost(`ids: ${list(11)}`)]).toEqual([1, 3])
    expect([10, 500].map((count) => cost('ids: $l', { l: ids(count) }))).toEqual([1, 981])
    expect(cost(`filter: { id: { in: $l } }, ids: ${list(20)}`, { l: ids(30) })).toBe(81)
    // One of `and` and those inside.
    expect(cost('filter: $f', { f: { and: [{ id: { in: ids(30) } }] } })).toBe(43)
  })

  it('is measured again where a list in the variables is longer', () => {
    const text = 'query($f: F) { found(filter: $f) { id } }'
    const operation = parse(text).definitions[0] as OperationDefinitionNode
    const measuredFor = measurer(schema, model, operation, new Map(), 100)
    const costFor = (count: number) =>
      measuredFor({ f: { id: { in: Array.from({ length: count }, () => 'x') } } }).cost
    expect([10, 60, 10, 61].map(costFor)).toEqual([1, 101, 1, 103])
  })

  it('counts no more than the largest page, which is all a subgraph gives', () => {
    expect(measured('{ page(first: 1000000) { nodes { id } } }', {}, 100).cost).toBe(101)
  })

  it('is found in time that does not grow with how often fragments are spread', () => {
    const levels = Array.from(
      { length: 60 },
      (_, n) => `fragment F${n} on A { x: a { ...F${n + 1} } y: a { ...F${n + 1} } }`,
    )
    const { selections, depth } = measured(`{ a { ...F0 } } ${levels.join(' ')} fragment F60 on A { id }`)
    expect(depth).toBe(62)
    expect(selections).toBeGreaterThan(2 ** 60)
  })
})

describe('operations beyond the limits', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway()
  })
  afterAll(() => gateway.close())

  const deep = (levels: number) => `{ user(id: "1") { ${nested(levels - 1)} } }`
  function nested(levels: number): string {
    return levels === 1 ? 'id' : `friends { ${nested(levels - 1)} }`
  }

  async function refusal(query: string, variables?: object): Promise<unknown> {
    const before = gateway.state.calls.length
    const answer = await gateway.ask(query, { variables })
    expect(gateway.state.calls).toHaveLength(before)
    return [answer.status, answer.body.errors?.map(({ message, extensions }) => [extensions.code, message])]
  }

  it('refuses what is too deep', async () => {
    expect(await refusal(deep(21))).toEqual([
      400,
      [['QUERY_TOO_COSTLY', 'The operation is 21 levels deep, at most 20: split it']],
    ])
  })

  it('refuses a document of too many tokens before it is parsed to the end', async () => {
    expect(await refusal(`{ ${'boom '.repeat(5000)} }`)).toEqual([
      400,
      [['QUERY_TOO_COSTLY', 'The document is too long: split it, or use fewer aliases']],
    ])
  })

  it('refuses too many fields, also when fragments hide them', async () => {
    const fragments = Array.from(
      { length: 12 },
      (_, n) => `fragment F${n} on User { x${n}: employee { id } ...F${n + 1} ...F${n + 1} }`,
    )
    const query = `{ user(id: "1") { ...F0 } } ${fragments.join(' ')} fragment F12 on User { id }`
    expect(await refusal(query)).toEqual([
      400,
      [['QUERY_TOO_COSTLY', 'The operation selects 12287 fields, at most 2000: split it']],
    ])
  })

  it('refuses what multiplies, whether sizes are literals or variables', async () => {
    const query =
      'query($n: Int) { users(first: $n) { edges { node { friends { friends { friends { id } } } } } } }'
    const cost = 1 + 100 * (1 + 1 + 10 * (3 + 10 * (3 + 10 * 3)))
    const refused = [
      400,
      [
        [
          'QUERY_TOO_COSTLY',
          `The operation costs ${cost}, at most 50000: ask for smaller pages or nest fewer lists`,
        ],
      ],
    ]
    expect(await refusal(query, { n: 100 })).toEqual(refused)
    expect(await refusal(query.replace('($n: Int)', '').replace('$n', '1000000'))).toEqual(refused)
    expect((await gateway.ask(query, { variables: { n: 1 } })).status).toBe(200)
  })

  it('asks again for each request, since only the document is remembered', async () => {
    const query =
      'query Again($n: Int) { users(first: $n) { edges { node { friends { friends { friends { id } } } } } } }'
    expect((await gateway.ask(query, { variables: { n: 1 } })).status).toBe(200)
    expect(((await refusal(query, { n: 100 })) as unknown[])[0]).toBe(400)
  })

  it.each([
    [33, 'The variables are nested more than 32 levels deep'],
    [400_000, 'The request body is nested more than 64 levels deep: send flatter variables'],
  ])('refuses variables that are nested %d deep', async (levels, told) => {
    const when = `${'['.repeat(levels)}${']'.repeat(levels)}`
    const answer = await gateway.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"query":"query($when: DateTime) { joinedAfter(when: $when) }","variables":{"when":${when}}}`,
    })
    expect([
      answer.status,
      answer.body.errors?.map(({ message, extensions }) => [extensions.code, message]),
    ]).toEqual([400, [['BAD_USER_INPUT', told]]])
  })

  it('refuses introspection of introspection', async () => {
    const query =
      '{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }'
    expect(await refusal(query)).toEqual([
      400,
      [['GRAPHQL_VALIDATION_FAILED', 'Maximum introspection depth exceeded']],
    ])
  })

  it.each([
    ['selections', `${'{a'.repeat(2400)}${'}'.repeat(2400)}`],
    ['lists', `{ user(id: ${'['.repeat(2400)}${']'.repeat(2400)}) { id } }`],
    ['types', `query($a: ${'['.repeat(2400)}Int${']'.repeat(2400)}) { boom }`],
  ])('survives %s nested as deep as tokens allow', async (_name, query) => {
    expect(((await refusal(query)) as unknown[])[0]).toBe(400)
    expect((await gateway.ask('{ __typename }')).status).toBe(200)
  })
})

it('checks values of custom scalars, in variables and in documents, before a subgraph is asked', async () => {
  const instant = (value: unknown) => {
    if (typeof value === 'string' && value.endsWith('Z')) return value
    throw new GraphQLError('A DateTime needs an offset')
  }
  const scalar = new GraphQLScalarType({
    name: 'DateTime',
    parseValue: instant,
    parseLiteral: (node) => instant('value' in node ? node.value : undefined),
  })
  const gateway = await startTestGateway({
    scalars: { [scalar.name]: scalar, Elsewhere: new GraphQLScalarType({ name: 'Elsewhere' }) },
  })
  const query = 'query($when: DateTime) { joinedAfter(when: $when) }'
  const wrong = await gateway.ask(query, { variables: { when: '2026-11-20' } })
  const literal = await gateway.ask('{ joinedAfter(when: "2026-11-20") }')
  expect(
    [wrong, literal].map(({ body }) =>
      body.errors?.map(({ extensions, message }) => [extensions.code, message]),
    ),
  ).toEqual([
    [['BAD_USER_INPUT', 'Variable "$when" got invalid value "2026-11-20"; A DateTime needs an offset']],
    [['BAD_USER_INPUT', 'Invalid value at "when"; A DateTime needs an offset']],
  ])
  expect(gateway.state.calls).toEqual([])
  const right = await gateway.ask(query, { variables: { when: '2026-11-20T00:00:00Z' } })
  expect(right.body.data).toEqual({ joinedAfter: '2026-11-20T00:00:00Z' })
  await gateway.close()
})
