import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { createClient } from 'graphql-sse'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change } from '../support/lists'
import { openStream } from './streams'

/** G7: the clients that people use, against the real server. */
let graph: TestGraph
let acme: TestTenant
let admin: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph({ live: { timing: { beatMs: 100 } } })
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
})
afterAll(() => graph?.close())

interface Changed {
  departmentChanged: { kind: string; cursor: string; department: { id: string; name: string } | null }
}
const query = 'subscription { departmentChanged { kind cursor department { id name } } }'

async function addDepartment(): Promise<{ id: string; name: string }> {
  const name = `Department ${++count}`
  const added = await change<{ id: string }>(admin, 'createDepartment', { name }, 'department { id }')
  await graph.server.dispatchEvents()
  return { id: added.id, name }
}

test('graphql-sse follows, and goes on behind what it saw when the connection breaks (G7)', async () => {
  let cursor: string | undefined
  const broken = new AbortController()
  let connections = 0
  let isConnected!: () => void
  const connected = new Promise<void>((resolve) => (isConnected = resolve))
  const client = createClient({
    url: graph.server.url,
    headers: () => ({ ...admin.headers, ...(cursor && { 'last-event-id': cursor }) }),
    retryAttempts: 5,
    retry: async () => void (await addDepartment()),
    fetchFn: async (url: string, options: RequestInit) => {
      connections++
      const signal = connections === 1 ? AbortSignal.any([options.signal!, broken.signal]) : options.signal
      const response = await fetch(url, { ...options, signal: signal ?? null })
      isConnected()
      return response
    },
  })
  const seen: string[] = []
  const following = (async () => {
    for await (const { data } of client.iterate<Changed>({ query })) {
      cursor = data!.departmentChanged.cursor
      seen.push(data!.departmentChanged.department!.name)
      if (seen.length === 1) broken.abort()
      if (seen.length === 2) void addDepartment()
      if (seen.length === 3) return
    }
  })()
  await connected
  await addDepartment()
  await following
  client.dispose()
  expect(connections).toBe(2)
  expect(seen).toEqual([1, 2, 3].map((number) => `Department ${count - 3 + number}`))
})

test('Apollo Client follows over multipart (G7)', async () => {
  let isConnected!: () => void
  const connected = new Promise<void>((resolve) => (isConnected = resolve))
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({
      uri: graph.server.url,
      headers: admin.headers,
      fetch: async (url, options) => {
        const response = await fetch(url, options)
        isConnected()
        return response
      },
    }),
  })
  const result = new Promise<Changed>((resolve, reject) => {
    const following = client.subscribe<Changed>({ query: gql(query) }).subscribe({
      next({ data, error }) {
        following.unsubscribe()
        if (data) resolve(data)
        else reject(error ?? new Error('No data'))
      },
      error: reject,
    })
  })
  await connected
  const department = await addDepartment()
  expect(await result).toMatchObject({ departmentChanged: { kind: 'CHANGED', department } })
  client.stop()
})

test('a stream ends with its access token, to be opened again with the next (G7)', async () => {
  const one = await openStream(graph.server.url, admin.headers, query)
  graph.clock.advance({ minutes: 16 })
  // Neither an error nor `complete`, after which clients would not come again.
  expect(await one.next()).toBeNull()
  expect(one.ending()).toBe('come again with a new token')
  const late = await openStream(graph.server.url, admin.headers, query, {}, one.lastId()!)
  expect([late.status, late.refusal?.errors[0]?.message]).toEqual([
    401,
    'accessToken expired: refresh it with refreshSession',
  ])
  admin = await acme.user('ADMIN')
  const again = await openStream(graph.server.url, admin.headers, query, {}, one.lastId()!)
  const department = await addDepartment()
  expect((await again.next())!.data).toMatchObject({ data: { departmentChanged: { department } } })
  await again.cut()
})

test('a server that stops ends its streams at once and not for good, and has counted what they showed (G7)', async () => {
  const one = await openStream(graph.server.url, admin.headers, query)
  expect(one.status).toBe(200)
  const started = Date.now()
  await graph.server.close()
  expect(await one.next()).toBeNull()
  expect(Date.now() - started).toBeLessThan(9000)
  const { rows } = await graph.owner.query<{ coordinates: string[] }>(
    "SELECT coordinates FROM gateway.operations WHERE document LIKE 'subscription%'",
  )
  expect(rows[0]?.coordinates).toEqual(
    expect.arrayContaining(['Department.name', 'DepartmentChange.cursor', 'Subscription.departmentChanged']),
  )
})
