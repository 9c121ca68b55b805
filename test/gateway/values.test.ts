import { documentBounds } from '../../gateway/operations/document-bounds'
import { startTestGateway, type TestGateway } from './fixtures/start'
import { serveSubgraphs, type Served } from './audit'
import { forwardedHeaders, remoteDataSource } from '../../gateway/subgraphs/remote'
import { anonymous } from '../../gateway/operations/viewer'
import { memoryLog } from './fixtures/start'

let served: Served
let gateway: TestGateway
beforeAll(async () => {
  served = await serveSubgraphs({
    a: {
      typeDefs: `directive @live(if: JSON) on FIELD scalar JSON enum E { A } input I { n: Float j: JSON e: E l: [I] }
        type Query { x(f: Float, i: Int, j: JSON, in: I, id: ID, l: [Int], s: String, e: E, must: Int! = 1): String }`,
      resolvers: { Query: { x: (_: unknown, args: object) => JSON.stringify(args) } },
    },
  })
  gateway = await startTestGateway({
    supergraph: served.supergraph,
    dataSource: ({ name, url = '' }) =>
      remoteDataSource({ name, url, headers: forwardedHeaders([]), log: memoryLog().log }),
    resolveViewer: anonymous,
    foreignSubgraphs: true,
  })
})
afterAll(async () => {
  await gateway.close()
  await served.close()
})

const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

it.each([
  ['a number beyond a double', '{ x(f: 1e400) }'],
  ['the same as a default', 'query ($f: Float = 1e400) { x(f: $f) }'],
  ['the same in a JSON literal', '{ x(j: { a: [1e400] }) }'],
  ['the same in the default of a JSON variable', 'query ($j: JSON = { a: 1e999 }) { x(j: $j) }'],
  ['the same in an input object', '{ x(in: { l: [{ n: -1e400 }] }) }'],
  ['thirty digits', '{ x(j: 123456789012345678901234567890) }'],
  ['a negative zero', '{ x(j: -0.0) }'],
  ['a very long whole number', `{ x(j: ${'9'.repeat(400)}) }`],
])('%s is the caller’s mistake (G2)', async (_name, query) => {
  const before = served.asked.length
  const { status, body } = await gateway.ask(query)
  expect([status, body.data]).toEqual([400, undefined])
  expect(body.errors).toEqual([
    expect.objectContaining({
      extensions: expect.objectContaining({ code: 'BAD_USER_INPUT' }) as object,
    }),
  ])
  expect(body.errors![0]!.message).toMatch(/cannot be held exactly: send it as text/)
  expect(served.asked).toHaveLength(before)
})

it('a variable that JSON cannot write again is the caller’s mistake (G2, K2)', async () => {
  const answer = await gateway.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"query ($j: JSON) { x(j: $j) }","variables":{"j":{"a":1e400}}}',
  })
  expect([answer.status, answer.body.errors?.[0]?.extensions.code]).toEqual([400, 'BAD_USER_INPUT'])
})

it.each([
  ['{ x(j: "123456789012345678901234567890") }', 'j:"123456789012345678901234567890"'],
  ['{ x(j: FOO) }', 'j:FOO'],
  ['{ x(l: 1) }', 'l:1'],
  ['{ x(s: """a\n  b""") }', 's:"""'],
  ['query ($v: JSON = FOO) { x(j: $v) }', '$v:JSON=FOO'],
  ['query ($v: [Int] = 1) { x(l: $v) }', '$v:[Int]=1'],
  ['query ($v: Int = 4) { x(must: $v) }', '$v:Int=4'],
  ['query ($v: JSON) { x(j: [$v, { b: $v }]) }', 'j:[$v{b:$v}]'],
  ['query ($representations: JSON) { x(j: [$representations]) }', 'j:[$asked_representations]'],
  ['query ($v: I = { l: { n: 1 } }) { x(in: $v) }', '$v:I={l:{n:1}}'],
  ['{ x(j: { constructor: 1, __proto__: 2 }) }', 'j:{constructor:1__proto__:2}'],
  [`{ x(j: ${deep(30)}) }`, deep(30)],
])('%s reaches the subgraph as it was written (G8, K2)', async (query, part) => {
  const before = served.asked.length
  const { status, body } = await gateway.ask(query, { variables: { representations: 3 } })
  expect([status, body.errors]).toEqual([200, undefined])
  expect(served.asked).toHaveLength(before + 1)
  expect(served.asked.at(-1)!.query.replaceAll(/\s/g, '')).toContain(part)
})

it('the deepest value is planned, and a deeper one is refused before it is (G2)', async () => {
  const { valueDepth } = documentBounds.signedIn
  const deepest = await gateway.ask(`{ x(j: ${deep(valueDepth)}) }`)
  expect([deepest.status, deepest.body.errors]).toEqual([200, undefined])
  const before = served.asked.length
  const deeper = await gateway.ask(`{ x(j: ${deep(1000)}) }`)
  expect(deeper.status).toBe(400)
  expect(deeper.body.errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COSTLY' } }])
  expect(served.asked).toHaveLength(before)
})
