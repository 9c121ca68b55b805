import { buildSubgraphSchema } from '@apollo/subgraph'
import {
  buildSchema,
  execute,
  isObjectType,
  parse,
  type ExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLSchema,
} from 'graphql'
import { compiledExecution } from '../../../kernel/execution/compile'

type Resolvers = Record<string, Record<string, GraphQLFieldResolver<unknown, unknown>>>

function schemaOf(sdl: string, resolvers: Resolvers): GraphQLSchema {
  const schema = buildSchema(sdl)
  for (const [name, fields] of Object.entries(resolvers)) {
    const type = schema.getType(name)
    for (const [field, resolve] of Object.entries(fields))
      if (isObjectType(type)) type.getFields()[field]!.resolve = resolve
  }
  return schema
}

const plain = (result: ExecutionResult): unknown => JSON.parse(JSON.stringify(result))

/** The answer of both, which must be the same. */
async function both(
  schema: GraphQLSchema,
  query: string,
  variableValues?: Record<string, unknown>,
  operationName?: string,
): Promise<unknown> {
  const request = { document: parse(query, { noLocation: true }), variableValues, operationName }
  const ours = plain(await compiledExecution(schema)(request))
  expect(ours).toEqual(plain(await execute({ schema, ...request })))
  return ours
}

const echo: GraphQLFieldResolver<unknown, unknown> = (_parent, args) => JSON.stringify(args)
const schema = schemaOf(
  `input Filter { text: String = "t" sizes: [Int!] inner: Filter }
   type Query {
     echo(filter: Filter, ids: [ID!] = ["d"], n: Int! = 5, flag: Boolean): String
     many: [Query!]
        }
   type Mutation { first: Int second: Int! third: Int }
   type Subscription { tick: Int }`,
  {
    Query: { echo, many: () => [{}, {}] },
    Mutation: { first: () => 1, second: () => null, third: () => 3 },
    Subscription: { tick: () => 1 },
  },
)

test.each<[string, string, Record<string, unknown> | undefined, unknown]>([
  ['no arguments: defaults', '{ echo }', undefined, { data: { echo: '{"ids":["d"],"n":5}' } }],
  [
    'input objects with defaults within',
    '{ echo(filter: { inner: { sizes: 1 } }, ids: null) }',
    undefined,
    { data: { echo: '{"filter":{"text":"t","inner":{"text":"t","sizes":[1]}},"ids":null,"n":5}' } },
  ],
  [
    'variables within literals, one of them left out',
    'query ($a: Int!, $b: String) { echo(filter: { sizes: [$a, 2], text: $b }) }',
    { a: 1 },
    { data: { echo: '{"filter":{"text":"t","sizes":[1,2]},"ids":["d"],"n":5}' } },
  ],
  [
    'a null where the argument takes none',
    'query ($n: Int = 1) { echo(n: $n) }',
    { n: null },
    {
      data: { echo: null },
      errors: [{ message: 'Argument "n" of non-null type "Int!" must not be null.', path: ['echo'] }],
    },
  ],
  [
    'a variable of a wrong type',
    'query ($n: Int!) { echo(n: $n) }',
    { n: 'x' },
    {
      errors: [
        { message: 'Variable "$n" got invalid value "x"; Int cannot represent non-integer value: "x"' },
      ],
    },
  ],
  [
    'the same field for each parent',
    'query ($n: Int!) { many { echo(n: $n) } }',
    { n: 2 },
    { data: { many: [{ echo: '{"ids":["d"],"n":2}' }, { echo: '{"ids":["d"],"n":2}' }] } },
  ],
  [
    'a mutation that fails on its way',
    'mutation { first second third }',
    undefined,
    {
      data: null,
      errors: [{ message: 'Cannot return null for non-nullable field Mutation.second.', path: ['second'] }],
    },
  ],
  ['a response key that would be a prototype', '{ __proto__: echo(n: 1) }', undefined, expect.anything()],
  ['response keys that every object has', '{ constructor: echo then: echo }', undefined, expect.anything()],
  ['introspection', '{ __type(name: "Query") { name } echo(n: 1) }', undefined, expect.anything()],
  ['a subscription', 'subscription { tick }', undefined, { data: { tick: 1 } }],
])('%s', async (_what, query, variables, expected) => {
  expect(await both(schema, query, variables)).toMatchObject(expected as object)
})

test.each([
  ['no name and several operations', 'query A { echo } query B { echo }', undefined],
  ['a name that is not there', 'query A { echo }', 'B'],
  ['one of two', 'query A { echo(n: 1) } query B { echo(n: 2) }', 'B'],
  ['no operation', 'fragment F on Query { echo }', undefined],
])('operations: %s', async (_what, query, name) => {
  expect(await both(schema, query, undefined, name)).toEqual(expect.anything())
})

test('conditions are decided by each request anew, beyond the combinations that are kept too', async () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const query = `query (${names.map((name) => `$${name}: Boolean!`).join()}) { ${names
    .map((name) => `${name}: echo @include(if: $${name})`)
    .join(' ')} }`
  const document = parse(query)
  const compiled = compiledExecution(schema)
  for (const round of [1, 2])
    for (let bits = 0; bits < 32; bits++) {
      const variableValues = Object.fromEntries(names.map((name, i) => [name, (bits & (1 << i)) > 0]))
      const { data } = await compiled({ document, variableValues })
      const included = names.filter((name) => variableValues[name])
      expect([round, ...Object.keys(data!)]).toEqual([round, ...included])
    }
})

test('what a resolver does to its arguments no other request sees', async () => {
  const seen: unknown[] = []
  const changed = schemaOf(
    'input Filter { sizes: [Int!] } type Query { echo(filter: Filter, n: Int): String }',
    {
      Query: {
        echo: (_parent, args: { n: number; filter: { sizes: number[] } }) => {
          seen.push(JSON.stringify(args))
          args.n = 99
          args.filter.sizes.push(99)
        },
      },
    },
  )
  const compiled = compiledExecution(changed)
  const document = parse('{ echo(n: 1, filter: { sizes: [1] }) }')
  for (let i = 0; i < 2; i++) await compiled({ document })
  expect(seen).toEqual(Array(2).fill('{"filter":{"sizes":[1]},"n":1}'))
})

test('what is pending in a lost list leaves no rejection behind', async () => {
  const rejected = Promise.reject(new Error('late'))
  const then = jest.spyOn(rejected, 'then')
  const lost = schemaOf('type Query { failing: [Int!] }', {
    Query: { failing: () => [1, 'x', rejected] },
  })
  const { data, errors } = await compiledExecution(lost)({ document: parse('{ failing }') })
  expect([data!['failing'], errors![0]!.path]).toEqual([null, ['failing', 1]])
  expect(then).toHaveBeenCalledTimes(1)
})

describe('references', () => {
  const resolve: Record<string, (id: string) => unknown> = {
    later: async (id) => ({ id }),
    now: (id) => ({ id }),
    none: () => null,
    missing: () => undefined,
    text: () => 'text',
    returned: () => new Error('returned'),
    rejected: () => Promise.reject(new Error('rejected')),
    other: (id) => ({ id, __typename: 'Other' }),
  }
  const entities = buildSubgraphSchema({
    typeDefs: parse(`
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
      type Thing @key(fields: "id") { id: ID! name: String! long: Boolean }
      type Other @key(fields: "id") { id: ID! }
      type Bare @key(fields: "id") { id: ID! }
      interface Shape @key(fields: "id") { id: ID! }
      type Circle implements Shape @key(fields: "id") { id: ID! }
      type Query { a: Int }`),
    resolvers: {
      Thing: {
        __resolveReference: ({ id }: { id: string }) => resolve[id]!(id),
        name: ({ id }: { id: string }) => (id === 'now' ? null : id),
        long: ({ id }: { id: string }) => id.length > 4,
      },
      Other: {
        __resolveReference: ({ id }: { id: string }) => {
          if (id === 'throws') throw new Error('thrown')
          return { id }
        },
      },
      Shape: { __resolveReference: ({ id }: { id: string }) => ({ id, __typename: 'Circle' }) },
    } as never,
  })
  const query = `query ($refs: [_Any!]!) { es: _entities(representations: $refs) {
    __typename ... on Thing { name id long } ... on Other { id } ... on Shape { id } ... on Bare { id } } }`
  const ask = (...refs: [string, string][]) =>
    both(entities, query, { refs: refs.map(([__typename, id]) => ({ __typename, id })) })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a null among them', [{ __typename: 'Other', id: 'o' }, null]],
    ['one that is no list', { __typename: 'Other', id: 'o' }],
    ['an empty list', []],
  ])('representations that are %s', async (_what, refs) => {
    expect(await both(entities, query, { refs })).toEqual(expect.anything())
  })

  test.each(Object.keys(resolve))('a reference resolver that gives %s', async (id) => {
    expect(await ask(['Thing', id], ['Other', 'o'], ['Bare', 'b'], ['Thing', 'later'])).toMatchObject({
      data: { es: { 1: { __typename: 'Other', id: 'o' }, 2: { id: 'b' }, 3: { name: 'later' } } },
    })
  })

  test.each<[string, [string, string][]]>([
    ['none', []],
    [
      'one that is thrown for',
      [
        ['Other', 'o'],
        ['Other', 'throws'],
      ],
    ],
    [
      'an unknown type',
      [
        ['Thing', 'later'],
        ['Nothing', 'n'],
      ],
    ],
    ['a type that is no object', [['String', 'n']]],
    [
      'an interface',
      [
        ['Shape', 's'],
        ['Thing', 'later'],
        ['Thing', 'rejected'],
      ],
    ],
  ])('%s', async (_what, refs) => {
    expect(await ask(...refs)).toEqual(expect.anything())
  })
})
