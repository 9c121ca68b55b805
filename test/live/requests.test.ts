import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change } from '../support/lists'
import { openStream } from './streams'

/** Which requests are streams, what a page of another origin reads of them, and that nothing is left of those that end early. */
const origin = 'https://app.example'
let graph: TestGraph
let acme: TestTenant
let admin: TestClient

beforeAll(async () => {
  graph = await startGraph({
    env: { CORS_ORIGINS: origin },
    live: { timing: { beatMs: 100 }, limits: { perSession: 2, perUser: 3 } },
  })
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
})
afterAll(() => graph?.close())

const departments = 'subscription { departmentChanged { kind cursor department { id } } }'

async function post(client: TestClient, query: string, headers: Record<string, string>) {
  const request = http.request(graph.server.url, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', ...client.headers, ...headers },
  })
  request.end(JSON.stringify({ query }))
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return { request, response, type: response.headers['content-type'] }
}

async function metric(name: string): Promise<number> {
  const response = await fetch(new URL('/metrics', graph.server.url))
  const line = (await response.text()).split('\n').find((one) => one.startsWith(`${name} `))
  return Number(line?.split(' ')[1] ?? 0)
}

/** Waits until the server knows that nobody reads a stream any more. */
async function noneOpen(): Promise<void> {
  for (let waits = 0; (await metric('graphql_streams_open')) > 0 && waits < 200; waits++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await metric('graphql_streams_open')).toBe(0)
}

test('a query is answered in the type that its client likes best, and measured (live 4)', async () => {
  const accept = 'application/graphql-response+json, application/json, text/event-stream, multipart/mixed'
  const count = () => metric('graphql_request_duration_seconds_count{status="200"}')
  const before = await count()
  const { response, type } = await post(admin, '{ viewer { id } }', { accept })
  expect([response.statusCode, type]).toEqual([200, 'application/graphql-response+json; charset=utf-8'])
  expect(JSON.parse(await text(response))).toEqual({ data: { viewer: { id: admin.userId } } })
  const events = await post(admin, '{ viewer { id } }', { accept: 'text/event-stream' })
  expect(events.type).toBe('text/event-stream; charset=utf-8')
  expect(await text(events.response)).toContain('event: complete')
  expect(await count()).toBe(before + 2)
  // The same client's subscription is a stream.
  const stream = await post(admin, departments, { accept })
  expect(stream.type).toBe('text/event-stream; charset=utf-8')
  stream.request.destroy()
  await noneOpen()
})

test('a field or a comment with the word makes no stream (live 16)', async () => {
  const query = '{ __typename } # subscription'
  const { response } = await post(graph.anonymous, query, { accept: 'application/json, text/event-stream' })
  expect([response.statusCode, JSON.parse(await text(response))]).toEqual([
    200,
    { data: { __typename: 'Query' } },
  ])
})

test('a page of an origin that may call reads a stream, and no other (live 15)', async () => {
  const accept = 'text/event-stream'
  for (const [from, allowed] of [
    [origin, origin],
    ['https://other.example', undefined],
  ] as const) {
    const { request, response } = await post(admin, departments, { accept, origin: from })
    const { vary, 'access-control-allow-origin': shown } = response.headers
    expect([response.statusCode, shown, vary]).toEqual([200, allowed, 'Origin'])
    request.destroy()
    await noneOpen()
  }
})

test('a client that leaves while its stream is opened leaves nothing behind (live 11)', async () => {
  const user = await acme.user('USER')
  for (let count = 0; count < 6; count++) {
    const request = http.request(graph.server.url, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...user.headers },
    })
    request.on('error', () => undefined)
    request.end(JSON.stringify({ query: 'subscription { changes { kind } }' }))
    await once(request, 'finish')
    await new Promise((resolve) => setTimeout(resolve, count))
    request.destroy()
  }
  await noneOpen()
  // Those that were just being opened give their places back as well.
  const opened = async () => {
    for (let tries = 0; ; tries++) {
      const one = await openStream(graph.server.url, user.headers, 'subscription { changes { kind } }')
      if (one.status === 200 || tries === 50) return one
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const [one, other] = [await opened(), await opened()]
  expect([one.status, other.status]).toEqual([200, 200])
  await one.cut()
  await other.cut()
})

test('messages of streams are counted (live 34)', async () => {
  const kind = 'graphql_stream_messages_total{kind="CHANGED"}'
  const before = await metric(kind)
  const one = await openStream(graph.server.url, admin.headers, departments)
  await change(admin, 'createDepartment', { name: 'Counted' }, 'department { id }')
  await graph.server.dispatchEvents()
  await one.next()
  expect(await metric(kind)).toBe(before + 1)
  await one.cut()
})
