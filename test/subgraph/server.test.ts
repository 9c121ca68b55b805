import { connect } from 'node:net'
import { createLogger } from '../../kernel/process/log'
import type { SubgraphContext } from '../../kernel/context'
import { serveSubgraph, type SubgraphServer, type SubgraphServerOptions } from '../../product/subgraph-server'
import { signViewer } from '../../kernel/access/viewer-token'
import { define, request, start } from '../authorize/three-subgraphs'

const viewerSecret = 'a secret of at least thirty-two characters'
const lines: string[] = []
const log = createLogger({ logLevel: 'info' }, { write: (line: string) => void lines.push(line) })

let executed = 0
let release: () => void = () => undefined
let started: () => void = () => undefined
const signals: AbortSignal[] = []

const definition = define(
  'finance',
  `type Thing @key(fields: "id") @requiresScopes(scopes: [["finance:thing:read"]]) { id: ID! }
   type Query { asked: [String] @public  secret: Int @authenticated  slow: String @public }
   type Mutation { spend: Int @public }`,
  {
    Query: {
      asked: (_: unknown, _args: unknown, { requestId, clientIp, userAgent, viewer }: SubgraphContext) => {
        executed++
        return [requestId, clientIp, userAgent, viewer?.userId ?? null]
      },
      secret: () => 42,
      slow: (_: unknown, _args: unknown, { signal }: SubgraphContext) => {
        signals.push(signal!)
        started()
        return new Promise<string>((resolve) => (release = () => resolve('done')))
      },
    },
    Mutation: { spend: () => ++executed },
    Thing: { __resolveReference: ({ id }: { id: string }) => ({ id }) },
  },
)

const open: SubgraphServer[] = []
async function serve(options: Partial<SubgraphServerOptions> = {}): Promise<SubgraphServer> {
  const server = await serveSubgraph(await start(definition), {
    port: 0,
    host: '127.0.0.1',
    viewerSecret,
    log,
    ...options,
  })
  open.push(server)
  return server
}

let server: SubgraphServer
beforeAll(async () => {
  server = await serve()
})
beforeEach(() => {
  executed = 0
  lines.length = 0
})
afterAll(() => Promise.all(open.map((one) => one.close())))

const clock = { now: () => new Date() }
const sign = (body: string, scopes: string[] | null = [], audience: 'finance' | 'hr' = 'finance') =>
  signViewer(
    viewerSecret,
    audience,
    request(scopes).viewer,
    body,
    { requestId: 'r1', clientIp: '192.0.2.1', userAgent: 'curl' },
    clock,
  )

async function send(body: string, token: string | null, url = server.url) {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (token !== null) headers['x-viewer'] = token
  const response = await fetch(url, { method: 'POST', headers, body })
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
}
const operation = (query: string, variables?: object, operationName?: string) =>
  JSON.stringify({ query, variables, operationName })
const fault = (message: string, code: string) => ({ errors: [{ message, extensions: { code } }] })

test('a signed operation is answered for the viewer and request it is signed for', async () => {
  const body = operation('query A { asked } query B { secret }', {}, 'A')
  expect(await send(body, sign(body))).toEqual({
    status: 200,
    answer: { data: { asked: ['r1', '192.0.2.1', 'curl', 'u1'] } },
  })
})

test('nobody, when signed, gets what is public and nothing else', async () => {
  const body = operation('{ asked secret }')
  expect(await send(body, sign(body, null))).toEqual({
    status: 200,
    answer: {
      data: { asked: ['r1', '192.0.2.1', 'curl', null], secret: null },
      errors: [
        {
          message: 'Sign in first',
          path: ['secret'],
          locations: [{ line: 1, column: 9 }],
          extensions: { code: 'UNAUTHENTICATED', traceId: 'r1' },
        },
      ],
    },
  })
})

const entities = operation(
  'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Thing { id } } }',
  {
    r: [{ __typename: 'Thing', id: 'x' }],
  },
)
const asked = operation('{ asked }')

test.each([
  ['without a token', asked, null, 'no viewer token'],
  [
    'with a token for another subgraph',
    asked,
    sign(asked, [], 'hr'),
    'viewer token not signed for finance with this secret',
  ],
  ['with a token for another body', asked, sign(entities), 'viewer token made for another request body'],
  ['for _service without a token', operation('{ _service { sdl } }'), null, 'no viewer token'],
  ['for _entities without a token', entities, null, 'no viewer token'],
  ['for a mutation without a token', operation('mutation { spend }'), null, 'no viewer token'],
  ['that is not even JSON', 'hello', null, 'no viewer token'],
])('a request %s gets the one refusal, and nothing ran', async (_what, body, token, reason) => {
  expect(await send(body, token)).toEqual({
    status: 401,
    answer: fault('Not from the gateway', 'UNAUTHENTICATED'),
  })
  expect(executed).toBe(0)
  expect(lines.map((line) => (JSON.parse(line) as { fault: string }).fault)).toEqual([reason])
})

test('an expired token is refused', async () => {
  const late = await serve({ clock: { now: () => new Date(Date.now() + 31_000) } })
  expect((await send(asked, sign(asked), late.url)).status).toBe(401)
  expect(executed).toBe(0)
})

test('_service and _entities are answered to the gateway, under the viewer’s rules', async () => {
  const service = operation('{ _service { sdl } }')
  expect((await send(service, sign(service, null))).status).toBe(200)
  expect((await send(entities, sign(entities, ['finance:thing:read']))).answer).toEqual({
    data: { _entities: [{ id: 'x' }] },
  })
  expect((await send(entities, sign(entities, []))).answer).toMatchObject({
    data: { _entities: [null] },
    errors: [{ path: ['_entities', 0], extensions: { code: 'FORBIDDEN', traceId: 'r1' } }],
  })
})

test.each([
  ['not JSON', 'hello', 400, 'The body is not JSON', 'BAD_REQUEST'],
  ['JSON without a query', '{}', 400, 'The body must be { query, variables, operationName }', 'BAD_REQUEST'],
  ['null', 'null', 400, 'The body must be { query, variables, operationName }', 'BAD_REQUEST'],
  [
    'a list of variables',
    '{"query":"{ asked }","variables":[]}',
    400,
    'The body must be { query, variables, operationName }',
    'BAD_REQUEST',
  ],
  [
    'a document with a syntax error',
    operation('{ asked'),
    400,
    'Syntax Error: Expected Name, found <EOF>.',
    'GRAPHQL_PARSE_FAILED',
  ],
] as const)('a signed body that is %s is refused', async (_what, body, status, message, code) => {
  expect(await send(body, sign(body))).toEqual({ status, answer: fault(message, code) })
})

test('a body over 1 MiB is refused before it is read to its end', async () => {
  const body = operation('{ asked }', { x: 'x'.repeat(1024 * 1024) })
  expect(await send(body, sign(body))).toEqual({
    status: 413,
    answer: fault('A request may take 1 MiB at most', 'BAD_REQUEST'),
  })
})

test('other methods and paths are not there', async () => {
  expect((await fetch(server.url)).status).toBe(405)
  expect((await fetch(server.url.replace('/graphql', '/metrics'))).status).toBe(404)
})

test('healthz is alive, readyz asks what the subgraph stands on', async () => {
  let up = true
  const watched = await serve({
    ready: async () => {
      if (!up) throw new Error('connect ECONNREFUSED 10.0.0.1')
    },
  })
  const status = async (path: string) => {
    const response = await fetch(watched.url.replace('/graphql', path))
    return [response.status, await response.json()]
  }
  expect(await status('/healthz')).toEqual([200, { status: 'alive' }])
  expect(await status('/readyz')).toEqual([200, { status: 'ready' }])
  up = false
  expect(await status('/readyz')).toEqual([503, { status: 'not ready' }])
  expect(await status('/healthz')).toEqual([200, { status: 'alive' }])
})

test('a port that is taken is an error, not a hang', async () => {
  await expect(serve({ port: Number(new URL(server.url).port) })).rejects.toThrow('EADDRINUSE')
})

test('closing lets a running request finish and takes no new one', async () => {
  const closing = await serve()
  const running = new Promise<void>((resolve) => (started = resolve))
  const body = operation('{ slow }')
  const answer = send(body, sign(body), closing.url)
  await running
  const closed = closing.close()
  await expect(fetch(closing.url)).rejects.toThrow()
  release()
  expect(await answer).toEqual({ status: 200, answer: { data: { slow: 'done' } } })
  await closed
})

test('a request whose caller is gone is told so, and cannot hold up the closing', async () => {
  const closing = await serve({ drainMs: 50 })
  const running = new Promise<void>((resolve) => (started = resolve))
  const body = operation('{ slow }')
  const { port } = new URL(closing.url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: x\r\nx-viewer: ${sign(body)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  await running
  const signal = signals.at(-1)!
  expect(signal.aborted).toBe(false)
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
  socket.destroy()
  await aborted
  release()
  await closing.close()
})

test('a request that never ends does not hold up the closing for longer than it may', async () => {
  const closing = await serve({ drainMs: 20 })
  const running = new Promise<void>((resolve) => (started = resolve))
  const body = operation('{ slow }')
  const answer = send(body, sign(body), closing.url).catch((error: Error) => error.message)
  await running
  await closing.close()
  expect(await answer).toBe('fetch failed')
  release()
})
