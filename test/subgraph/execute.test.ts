import { parse } from 'graphql'
import { badUserInput } from '../../kernel/errors'
import { startSubgraph } from '../../kernel/execution/start-subgraph'
import { subgraph, type RunningSubgraph } from '../../kernel/subgraph'
import type { SubgraphContext } from '../../kernel/context'
import { tenantScope } from '../../kernel/connection/database'
import { define, noDatabase, noServices, request, start, summary } from '../authorize/three-subgraphs'

let release: () => void = () => undefined
const contexts: SubgraphContext[] = []

const definition = define(
  'tenancy',
  `enum Colour { RED }
   type Fault implements UserError { message: String! field: [String!] }
   type Payload { userErrors: [UserError!]! }
   type Query {
     context: Boolean @public
     tenant: String @public
     boom: Int @public
     refuse: Int @public
     list(first: Int! = 20): Int @public
     colour(colour: Colour): Colour @public
     slow: String @public
   }
   type Mutation { fail: Payload @public }`,
  {
    Query: {
      context: (_: unknown, _args: unknown, context: SubgraphContext) => contexts.push(context) > 0,
      tenant: () => tenantScope.getStore() ?? 'none',
      boom: () => {
        throw new Error('password=hunter2')
      },
      refuse: () => {
        throw badUserInput('not like this')
      },
      list: (_: unknown, { first }: { first: number }) => first,
      colour: (_: unknown, { colour }: { colour: string }) => colour,
      slow: () => new Promise<string>((resolve) => (release = () => resolve('done'))),
    },
    Mutation: { fail: () => ({ userErrors: [{ message: 'no', field: ['name'] }] }) },
  },
)

let running: RunningSubgraph
beforeAll(async () => {
  running = await start(definition)
})

const ask = (query: string, variables?: object, scopes: string[] | null = null, operationName?: string) =>
  running.execute({ document: parse(query), variables, operationName, context: request(scopes) })

test('resolvers get the request as this subgraph sees it, and all fetches of a request the same view', async () => {
  const asking = request(['a'])
  contexts.length = 0
  for (const document of [parse('{ context }'), parse('query Again { context }')])
    await running.execute({ document, context: asking })
  const [first, second] = contexts
  expect(second).toBe(first)
  expect(first!.binding).toEqual({ tenantId: asking.viewer!.tenantId, actorId: 'u1', requestId: 'request-1' })
  expect(first!.db).toBe(noDatabase)
  expect(first!.services).toBe(noServices)
  expect([first!.requestId, first!.viewer, first!.clock]).toEqual(['request-1', asking.viewer, asking.clock])
  expect(Object.keys(asking)).not.toContain('loaders')
  await running.execute({ document: parse('{ context }'), context: request(null) })
  expect(contexts[2]!.loaders).not.toBe(first!.loaders)
  expect(contexts[2]!.binding).toEqual({ tenantId: null, actorId: null, requestId: 'request-1' })
})

test('the viewer’s tenant is in scope while it runs, so that a statement for another one is noticed', async () => {
  expect(summary(await ask('{ tenant }', undefined, []))).toEqual({
    data: { tenant: request([]).viewer!.tenantId },
    errors: [],
  })
  expect(summary(await ask('{ tenant }'))).toEqual({ data: { tenant: 'none' }, errors: [] })
})

test.each([
  [
    'an unknown field',
    '{ nothing }',
    undefined,
    'GRAPHQL_VALIDATION_FAILED',
    'Cannot query field "nothing" on type "Query".',
  ],
  [
    'a variable of another type',
    'query ($c: Colour) { colour(colour: $c) }',
    { c: 'BLUE' },
    'BAD_USER_INPUT',
    'Variable "$c" got invalid value "BLUE"; Value "BLUE" does not exist in "Colour" enum.',
  ],
  [
    'a missing variable',
    'query ($c: Colour!) { colour(colour: $c) }',
    {},
    'BAD_USER_INPUT',
    'Variable "$c" of required type "Colour!" was not provided.',
  ],
] as [string, string, object | undefined, string, string][])(
  '%s is answered with its code, and nothing ran',
  async (_what, query, variables, code, message) => {
    const { data, errors } = await ask(query, variables)
    expect(data).toBeUndefined()
    expect(errors!.map((error) => error.toJSON())).toMatchObject([
      { message, extensions: { code, traceId: 'request-1' } },
    ])
  },
)

test('an operation name the document does not have is bad input', async () => {
  const { errors } = await ask('query A { tenant }', undefined, null, 'B')
  expect(errors!.map(({ message, extensions }) => [message, extensions['code']])).toEqual([
    ['Unknown operation named "B".', 'BAD_USER_INPUT'],
  ])
})

test('a null variable in a non-null place is bad input, at its field', async () => {
  const { errors } = await ask('query ($n: Int = 5) { list(first: $n) }', { n: null })
  expect(errors!.map((error) => error.toJSON())).toMatchObject([
    {
      message: 'Argument "first" of non-null type "Int!" must not be null.',
      path: ['list'],
      extensions: { code: 'BAD_USER_INPUT' },
    },
  ])
})

test('errors of resolvers are masked unless they were written for the caller', async () => {
  const { data, errors } = await ask('{ boom refuse }')
  expect(data).toEqual({ boom: null, refuse: null })
  expect(errors!.map((error) => error.toJSON())).toEqual([
    {
      message: 'Internal server error',
      path: ['boom'],
      locations: [{ line: 1, column: 3 }],
      extensions: { code: 'INTERNAL_SERVER_ERROR', traceId: 'request-1' },
    },
    {
      message: 'not like this',
      path: ['refuse'],
      locations: [{ line: 1, column: 8 }],
      extensions: { code: 'BAD_USER_INPUT', traceId: 'request-1' },
    },
  ])
})

test('the one type of an interface needs no resolver', async () => {
  expect(summary(await ask('mutation { fail { userErrors { __typename message field } } }'))).toEqual({
    data: { fail: { userErrors: [{ __typename: 'Fault', message: 'no', field: ['name'] }] } },
    errors: [],
  })
})

test('closing waits for what runs and takes nothing more', async () => {
  const closing = await start(definition)
  const slow = closing.execute({ document: parse('{ slow }'), context: request(null) })
  await new Promise(setImmediate)
  let closed = false
  const close = closing.close().then(() => (closed = true))
  await new Promise(setImmediate)
  expect(closed).toBe(false)
  const late = await closing.execute({ document: parse('{ tenant }'), context: request(null) })
  expect(late.errors!.map(({ extensions }) => extensions['code'])).toEqual(['SUBGRAPH_UNAVAILABLE'])
  release()
  expect((await slow).data).toEqual({ slow: 'done' })
  await close
  expect(closed).toBe(true)
})

test('two resolvers of one field are refused when the subgraph is declared', () => {
  const twice = { Query: { tenant: () => 'a' } }
  expect(() => subgraph('tenancy', { entities: [], resolvers: [twice, twice] })).toThrow(
    'tenancy: two resolvers answer Query.tenant',
  )
})

test('an entity that the database was opened without stops the start', async () => {
  class Thing {}
  const lacking = {
    ...define('tenancy', 'type Query { a: Int @public }', { Query: { a: () => 1 } }),
    entities: [Thing],
  }
  await expect(startSubgraph(lacking, noDatabase, noServices)).rejects.toThrow(
    'subgraph tenancy cannot start:\n- the database was opened without entity Thing',
  )
})
