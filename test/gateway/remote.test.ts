import type { ServerResponse } from 'node:http'
import {
  forwardedHeaders,
  remoteDataSource,
  signedHeaders,
  type RemoteOptions,
} from '../../gateway/subgraphs/remote'
import { localDataSource } from '../../gateway/subgraphs/local'
import { anonymous } from '../../gateway/operations/viewer'
import { systemClock } from '../../kernel/clock'
import { serveSubgraph, type SubgraphServer } from '../../product/subgraph-server'
import { serve, serveForeign, type Listening } from './fixtures/serve'
import { memoryLog, startTestGateway, type TestGateway } from './fixtures/start'
import {
  fixtureNames,
  fixtureState,
  fixtureSupergraph,
  runFixtures,
  type FixtureName,
} from './fixtures/subgraphs'

const secret = 'a secret of at least thirty-two characters'
const { log, lines } = memoryLog()

function remote(name: FixtureName, url: string, options: Partial<RemoteOptions> = {}) {
  return remoteDataSource({ name, url, headers: signedHeaders(secret, name), log, ...options })
}

describe('subgraphs over HTTP', () => {
  const state = fixtureState()
  let servers: Record<FixtureName, SubgraphServer>
  let local: TestGateway
  let distributed: TestGateway

  beforeAll(async () => {
    const running = runFixtures(state)
    const entries = fixtureNames.map(async (name) => {
      const server = await serveSubgraph(running[name], {
        port: 0,
        host: '127.0.0.1',
        viewerSecret: secret,
        log,
      })
      return [name, server] as const
    })
    servers = Object.fromEntries(await Promise.all(entries)) as Record<FixtureName, SubgraphServer>
    local = await startTestGateway()
    distributed = await startTestGateway({
      dataSource: ({ name }) => remote(name as FixtureName, servers[name as FixtureName].url),
    })
  })
  afterAll(async () => {
    await Promise.all([local.close(), distributed.close()])
    await Promise.all(Object.values(servers).map((server) => server.close()))
  })

  it.each([
    [
      'data of three subgraphs',
      '{ user(id: "2") { name employee { title salary claims { amount by { title } } } } }',
    ],
    [
      'lists',
      '{ users(first: 2) { edges { node { name friends { name employee { manager { title } } } } } } }',
    ],
    ['an error', '{ forbidden asked { userId } }'],
    ['a null', '{ user(id: "9") { name } }'],
    ['what it was told', '{ asked { userId tenantId scopes clientIp userAgent requestId } }'],
    ['a mutation', 'mutation { rename(id: "1", name: "Ann") { name employee { title } } }'],
    ['variables', 'query($n: Int) { users(first: $n) { edges { node { id } } } }'],
  ])('answer as subgraphs in process do: %s', async (_name, query) => {
    const more = { variables: { n: 1 }, headers: { 'x-request-id': 'same', 'user-agent': 'jest' } }
    const [here, there] = [await local.ask(query, more), await distributed.ask(query, more)]
    expect(here.body.data).toEqual(expect.any(Object))
    expect([there.status, there.body]).toEqual([here.status, here.body])
  })

  it('are ready when they answer a signed question', async () => {
    const answer = await distributed.fetch('/readyz')
    expect([answer.status, answer.body]).toEqual([
      200,
      { ready: true, checks: { identity: 'ok', hr: 'ok', finance: 'ok' } },
    ])
  })

  it('answer nothing to a gateway with another secret; the client is not told why', async () => {
    const stranger = await startTestGateway({
      dataSource: ({ name }) =>
        remote(name as FixtureName, servers[name as FixtureName].url, {
          headers: signedHeaders('another secret of thirty-two characters', name as FixtureName),
        }),
    })
    const answer = await stranger.ask('{ user(id: "1") { name } }')
    const readiness = await stranger.fetch('/readyz')
    await stranger.close()
    expect(answer.body).toMatchObject({
      data: { user: null },
      errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
    })
    expect(readiness.status).toBe(503)
  })

  it('cannot be asked with a signature made for another subgraph', async () => {
    const crossed = await startTestGateway({
      dataSource: ({ name }) =>
        remote(name as FixtureName, servers[name as FixtureName].url, {
          headers: signedHeaders(secret, 'finance'),
        }),
    })
    const answer = await crossed.ask('{ user(id: "1") { name } claims { amount } }')
    await crossed.close()
    expect(answer.body).toMatchObject({ data: { user: null, claims: [{ amount: 10 }, { amount: 20 }] } })
  })
})

describe('a subgraph that fails', () => {
  /** Identity in process, hr as the listener answers. */
  async function withHr(hr: Listening, query: string, options: Partial<RemoteOptions> = {}) {
    const running = runFixtures(fixtureState())
    const gateway = await startTestGateway({
      dataSource: ({ name }) =>
        name === 'hr' ? remote('hr', hr.url, options) : localDataSource(running[name as FixtureName]),
    })
    const answer = await gateway.ask(query)
    await gateway.close()
    await hr.close()
    return { answer, url: hr.url }
  }

  const query = '{ users(first: 2) { edges { node { name e: employee { title } } } } }'
  const message = 'The hr subgraph does not answer. Try again.'
  const partial = { users: { edges: ['1', '2'].map((id) => ({ node: { name: `User ${id}`, e: null } })) } }

  it.each<[string, (response: ServerResponse) => void]>([
    ['hangs up', (response) => response.destroy()],
    ['answers 500', (response) => response.writeHead(500).end('oh no')],
    ['answers 429', (response) => response.writeHead(429).end('slow down')],
    [
      'answers 401 to the gateway',
      (response) => response.writeHead(401).end('{"errors":[{"message":"no"}]}'),
    ],
    ['answers errors that are none', (response) => response.writeHead(503).end('{"errors":[{"title":"x"}]}')],
    ['answers with a proxy’s page', (response) => response.writeHead(200).end('<h1>10.0.0.9 is down</h1>')],
    ['answers nothing', (response) => response.writeHead(200).end()],
    ['answers 500 with JSON that is no answer', (response) => response.writeHead(500).end('[1]')],
    ['sends elsewhere', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    [
      'stops in the middle',
      (response) =>
        response.writeHead(200, { 'content-length': 100 }).write('{"data', () => response.destroy()),
    ],
    ['is slow', () => undefined],
  ])('%s: the rest is answered, the place is named, and no address', async (_name, respond) => {
    const hr = await serve((_request, response) => respond(response))
    const { answer, url } = await withHr(hr, query, { timeoutMs: 300 })
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      errors: [
        {
          message,
          path: ['users', 'edges', 0, 'node'],
          extensions: { code: 'SUBGRAPH_UNAVAILABLE', traceId: answer.headers.get('x-request-id') },
        },
      ],
      data: partial,
    })
    expect(answer.text).not.toContain(new URL(url).port)
    expect(lines.at(-1)).toMatchObject({ msg: 'subgraph does not answer', subgraph: 'hr' })
  })

  const title = { _entities: ['1', '2'].map((id) => ({ e: { title: id } })) }
  const named = (error: object) => [{ path: ['_entities', 1, 'e'], ...error }]
  it.each<[number, object, string, string | undefined]>([
    [
      500,
      { data: title, errors: named({ message: 'no title', extensions: { code: 'CONFLICT' } }) },
      'CONFLICT',
      '1',
    ],
    [
      503,
      { data: title, errors: named({ message: 'no title', extensions: { code: 'FORBIDDEN' } }) },
      'FORBIDDEN',
      '1',
    ],
    [403, { errors: [{ message: 'no title', extensions: { code: 'CONFLICT' } }] }, 'CONFLICT', undefined],
    [429, { errors: [{ message: 'no title' }] }, 'RATE_LIMITED', undefined],
    [
      400,
      { errors: [{ message: 'no title', extensions: { code: 'BAD_USER_INPUT' } }] },
      'BAD_USER_INPUT',
      undefined,
    ],
  ])('answers %i in GraphQL: what it said is passed on (G9)', async (status, body, code, known) => {
    const hr = await serve((_request, response) => response.writeHead(status).end(JSON.stringify(body)))
    const { answer } = await withHr(hr, query)
    expect(answer.body.errors).toEqual([
      expect.objectContaining({
        message: 'no title',
        extensions: expect.objectContaining({ code }) as object,
      }),
    ])
    const { users } = answer.body.data as { users: { edges: { node: { e: { title: string } | null } }[] } }
    expect(users.edges[0]!.node.e?.title).toBe(known)
  })

  const unfit = 'The hr subgraph gave an answer that does not fit the schema'
  it.each([
    '{"data":{}}',
    '{"data":null}',
    '{"data":null,"errors":[]}',
    '{"data":null,"errors":"boo"}',
    '{"data":{"_entities":null}}',
    '{"data":{"_entities":{}}}',
    '{"data":{"_entities":[]}}',
    '{}',
    '[]',
    '[1]',
    '5',
    '"x"',
    'null',
    'true',
    '{"data":5}',
    '{"data":"x"}',
    '{"data":[]}',
    '{"errors":"boo"}',
    '{"errors":null}',
    '{"errors":[]}',
    '{"errors":{}}',
    '{"errors":[5]}',
    '{"errors":[{"title":"x"}]}',
    '{"errors":[{"message":5}]}',
  ])('answers 200 with %s: the caller is not told to try again (G9)', async (body) => {
    const hr = await serve((_request, response) => response.writeHead(200).end(body))
    const { answer } = await withHr(hr, query)
    expect(answer.body).toEqual({
      data: partial,
      errors: [
        {
          message: unfit,
          path: ['users', 'edges'],
          extensions: { code: 'SUBGRAPH_INVALID_ANSWER', traceId: answer.headers.get('x-request-id') },
        },
      ],
    })
  })

  it.each(['"boo"', '{}', '[5]', '[{"title":"x"}]', '[{"message":5},null]'])(
    'answers with data beside errors that are none, %s: the data holds and an error says so (G9)',
    async (errors) => {
      const hr = await serve((_request, response) =>
        response.writeHead(200).end(`{"data":${JSON.stringify(title)},"errors":${errors}}`),
      )
      const { answer } = await withHr(hr, query)
      expect(answer.body).toEqual({
        data: {
          users: { edges: ['1', '2'].map((id) => ({ node: { name: `User ${id}`, e: { title: id } } })) },
        },
        errors: [
          {
            message: 'The hr subgraph gave errors that are none',
            extensions: { code: 'SUBGRAPH_INVALID_ANSWER', traceId: answer.headers.get('x-request-id') },
          },
        ],
      })
    },
  )

  it('is not there: the same', async () => {
    const hr = await serve(() => undefined)
    await hr.close()
    const { answer } = await withHr({ ...hr, close: async () => undefined }, query)
    expect(answer.body).toMatchObject({ errors: [{ message }], data: partial })
  })

  it('names every root field that got no answer', async () => {
    const gateway = await startTestGateway({
      dataSource: ({ name }) => remote(name as FixtureName, 'http://127.0.0.1:1/graphql'),
    })
    const answer = await gateway.ask('{ a: user(id: "1") { id } b: boom claims { id } }')
    const readiness = await gateway.fetch('/readyz')
    await gateway.close()
    expect(answer.body.errors?.map(({ path, message: text }) => [path, text]).sort()).toEqual([
      [['a'], 'The identity subgraph does not answer. Try again.'],
      [['b'], 'The identity subgraph does not answer. Try again.'],
      [['claims'], 'The finance subgraph does not answer. Try again.'],
    ])
    expect([readiness.status, readiness.body]).toEqual([
      503,
      { ready: false, checks: { identity: 'unavailable', hr: 'unavailable', finance: 'unavailable' } },
    ])
  })

  it('is told when the client left', async () => {
    let cancelled!: () => void
    let reached!: () => void
    const [aborted, asked] = [
      new Promise<void>((r) => (cancelled = r)),
      new Promise<void>((r) => (reached = r)),
    ]
    const identity = await serve((request, response) => {
      request.resume()
      response.once('close', cancelled)
      reached()
    })
    const gateway = await startTestGateway({
      dataSource: ({ name }) => remote(name as FixtureName, identity.url),
    })
    const controller = new AbortController()
    const answer = fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ boom }"}',
      signal: controller.signal,
    })
    await asked
    controller.abort()
    await expect(answer).rejects.toThrow('aborted')
    await aborted
    await gateway.close()
    await identity.close()
  })
})

describe('subgraphs of somebody else', () => {
  it.each([
    [401, 'text', 'UNAUTHENTICATED', 'The identity subgraph wants to know who asks'],
    [403, '<h1>no</h1>', 'FORBIDDEN', 'The identity subgraph does not allow this'],
    [
      401,
      '{"errors":[{"message":"sign in","extensions":{"code":"UNAUTHENTICATED"}}]}',
      'UNAUTHENTICATED',
      'sign in',
    ],
    [401, '{"errors":[{"message":"sign in"}]}', 'UNAUTHENTICATED', 'sign in'],
    [502, '<h1>bad</h1>', 'SUBGRAPH_UNAVAILABLE', 'The identity subgraph does not answer. Try again.'],
  ])('that answer %i with %s are told as what they say (G9)', async (status, body, code, message) => {
    const server = await serve((_request, response) => response.writeHead(status).end(body))
    const gateway = await startTestGateway({
      dataSource: ({ name }) =>
        remoteDataSource({ name, url: server.url, headers: forwardedHeaders([]), log }),
      resolveViewer: anonymous,
      foreignSubgraphs: true,
    })
    const answer = await gateway.ask('{ boom }')
    await gateway.close()
    await server.close()
    expect(answer.body.errors?.map((error) => [error.message, error.extensions.code])).toEqual([
      [message, code],
    ])
    expect(answer.body.data).toEqual({ boom: null })
  })

  it('get the named headers of the client and nothing else that is secret; their errors are passed on', async () => {
    const seen: NodeJS.Dict<string | string[]>[] = []
    const running = runFixtures(fixtureState())
    const servers = Object.fromEntries(
      await Promise.all(
        fixtureNames.map(
          async (name) => [name, await serveForeign(running[name], (headers) => seen.push(headers))] as const,
        ),
      ),
    ) as Record<FixtureName, Listening>
    const gateway = await startTestGateway({
      supergraph: fixtureSupergraph((name) => servers[name].url),
      dataSource: ({ name, url = '' }) =>
        remoteDataSource({ name, url, headers: forwardedHeaders(['X-Team']), log }),
      resolveViewer: anonymous,
      foreignSubgraphs: true,
      clock: systemClock,
    })
    const headers = { authorization: 'Bearer x', cookie: 'a=b', 'x-team': 'blue', 'x-viewer': 'forged' }
    const answer = await gateway.ask('{ forbidden boom asked { userId } }', { headers })
    await gateway.close()
    await Promise.all(Object.values(servers).map((server) => server.close()))
    const traceId = answer.headers.get('x-request-id')
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({ 'x-team': 'blue', 'x-request-id': traceId })
    expect(Object.keys(seen[0]!).sort()).toEqual([
      'accept',
      'connection',
      'content-length',
      'content-type',
      'host',
      'x-request-id',
      'x-team',
    ])
    expect(answer.body).toEqual({
      errors: [
        { message: 'You may not do this', path: ['forbidden'], extensions: { code: 'FORBIDDEN', traceId } },
        {
          message: 'password=hunter2 at db.internal:5432',
          path: ['boom'],
          extensions: { code: 'DOWNSTREAM_SERVICE_ERROR', traceId },
        },
      ],
      data: { forbidden: null, boom: null, asked: { userId: null } },
    })
  })
})
