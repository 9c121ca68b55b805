import { buildSchema, parse, type OperationDefinitionNode } from 'graphql'
import type { GatewayRequest } from '../../gateway/execution/query-plan'
import { costModel } from '../../gateway/operations/cost-model'
import { operationCache } from '../../gateway/operations/operation-cache'
import { defaultLimits } from '../../gateway/operations/limits'

const sdl = 'type Query { a(first: Int): [A!]! } type A { id: ID }'
const headers = { 'content-type': 'application/json' }
const none = costModel(sdl)

function setUp() {
  const schema = buildSchema(sdl)
  const known = operationCache({ ...defaultLimits, maxCost: 50 })
  known.schemaLoaded(schema, none)
  known.keepContentType(undefined, 'application/json; charset=utf-8')
  return { schema, known }
}

/** A request as Apollo Server hands it to its gateway. */
function passed(schema: GatewayRequest['schema'], source: string): GatewayRequest {
  const document = parse(source)
  const operation = document.definitions[0] as OperationDefinitionNode
  return { request: {}, schema, source, document, operation } as unknown as GatewayRequest
}

const query = 'query($n: Int) { a(first: $n) { id } }'

it('finds what was kept, and no other text', () => {
  const { schema, known } = setUp()
  expect(known.find(headers, { query })).toBeUndefined()
  known.keep(passed(schema, query))
  expect(known.find(headers, { query })).toMatchObject({ known: { source: query } })
  expect(known.find(headers, { query: `${query} ` })).toBeUndefined()
})

it('knows nothing of another schema, nor what passed under the one before', () => {
  const { schema, known } = setUp()
  known.keep(passed(schema, query))
  const next = buildSchema(sdl)
  known.schemaLoaded(next, none)
  expect(known.find(headers, { query })).toBeUndefined()
  known.keep(passed(schema, query))
  expect(known.find(headers, { query })).toBeUndefined()
  known.keep(passed(next, query))
  expect(known.find(headers, { query })?.known.schema).toBe(next)
})

it('does not find what its variables take beyond a limit, however often sizes change', () => {
  const { schema, known } = setUp()
  known.keep(passed(schema, query))
  const found = Array.from({ length: 500 }, (_, n) => known.find(headers, { query, variables: { n } }))
  expect(found.map((request) => request !== undefined)).toEqual(found.map((_, n) => n <= 50))
  const others = [null, undefined, 'x', 50.5, 51].map((n) => known.find(headers, { query, variables: { n } }))
  expect(others.map((request) => request !== undefined)).toEqual([true, true, true, false, false])
})

it('forgets what was asked for longest ago, so that texts without end take no memory without end', () => {
  const { schema, known } = setUp()
  const long = (n: number) => `{ a { id } } #${n}${' '.repeat(99_000)}`
  for (let n = 0; n < 25; n++) known.keep(passed(schema, long(n)))
  const kept = Array.from({ length: 25 }, (_, n) => known.find(headers, { query: long(n) }) !== undefined)
  // Two million characters, a thousand of them for each operation.
  expect(kept).toEqual(kept.map((_, n) => n >= 6))
})
