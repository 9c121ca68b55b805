import { buildSchema, parse, type OperationDefinitionNode } from 'graphql'
import type { GatewayRequest } from '../../gateway/execution/query-plan'
import { costModel } from '../../gateway/operations/cost-model'
import { bytesOf } from '../../gateway/operations/document-check'
import { operationCache, type OperationCache } from '../../gateway/operations/operation-cache'
import { defaultLimits } from '../../gateway/operations/limits'

const sdl = 'type Query { a(first: Int): [A!]! } type A { id: ID }'
const headers = { 'content-type': 'application/json' }
const none = costModel(sdl)

function setUp() {
  const schema = buildSchema(sdl)
  const known = operationCache({ ...defaultLimits, maxCost: 50 })
  known.schemaLoaded(schema, none)
  known.keepContentType(
    'application/graphql-response+json',
    'application/graphql-response+json; charset=utf-8',
  )
  return { schema, known }
}

/** A request as Apollo Server hands it to its gateway. */
function passed(schema: GatewayRequest['schema'], source: string): GatewayRequest {
  const document = parse(source)
  const operation = document.definitions[0] as OperationDefinitionNode
  return { request: {}, schema, source, document, operation } as unknown as GatewayRequest
}

const keep = (known: OperationCache, request: GatewayRequest) =>
  known.keep(request, {
    document: request.document,
    bytes: bytesOf(request.source, request.document),
    openToAnonymous: false,
  })

const query = 'query($n: Int) { a(first: $n) { id } }'

it('finds what was kept, and no other text', () => {
  const { schema, known } = setUp()
  expect(known.find(headers, { query })).toBeUndefined()
  keep(known, passed(schema, query))
  expect(known.find(headers, { query })).toMatchObject({ known: { source: query } })
  expect(known.find(headers, { query: `${query} ` })).toBeUndefined()
})

it('knows nothing of another schema, nor what passed under the one before', () => {
  const { schema, known } = setUp()
  keep(known, passed(schema, query))
  const next = buildSchema(sdl)
  known.schemaLoaded(next, none)
  expect(known.find(headers, { query })).toBeUndefined()
  keep(known, passed(schema, query))
  expect(known.find(headers, { query })).toBeUndefined()
  keep(known, passed(next, query))
  expect(known.find(headers, { query })?.known.schema).toBe(next)
})

it('does not find what its variables take beyond a limit, however often sizes change', () => {
  const { schema, known } = setUp()
  keep(known, passed(schema, query))
  const found = Array.from({ length: 500 }, (_, n) => known.find(headers, { query, variables: { n } }))
  expect(found.map((request) => request !== undefined)).toEqual(found.map((_, n) => n <= 50))
  const others = [null, undefined, 'x', 50.5, 51].map((n) => known.find(headers, { query, variables: { n } }))
  expect(others.map((request) => request !== undefined)).toEqual([true, true, true, false, false])
})

it('forgets what was asked for longest ago, so that texts without end take no memory without end', () => {
  const { schema, known } = setUp()
  const long = (n: number) => `{ a { id } } #${n}${' '.repeat(1_000_000)}`
  for (let n = 0; n < 40; n++) keep(known, passed(schema, long(n)))
  const kept = Array.from({ length: 40 }, (_, n) => known.find(headers, { query: long(n) }) !== undefined)
  // 64 million bytes, two for each character and some thousand for what was parsed.
  expect(kept.filter(Boolean)).toHaveLength(31)
  expect(kept).toEqual(kept.map((_, n) => n >= 9))
  expect(known.bytes).toBeLessThanOrEqual(64_000_000)
})
