import { createMeter } from '../../database/metering'
import { testClient, type TestClient, type TestGraph } from './graph'

const known = new WeakMap<TestGraph, Map<string, Promise<TestClient>>>()

/** The account of the platform that meters a tenant, which alone may record what is used. */
export function meterOf(graph: TestGraph, { slug }: { slug: string }): Promise<TestClient> {
  const clients = known.get(graph) ?? new Map<string, Promise<TestClient>>()
  known.set(graph, clients)
  const client = clients.get(slug) ?? made(graph, slug)
  clients.set(slug, client)
  return client
}

async function made(graph: TestGraph, slug: string): Promise<TestClient> {
  const options = { environment: 'test', now: graph.clock.now(), days: 300 } as const
  const key = await createMeter(graph.owner, slug, options)
  return testClient(graph.server.url, '', { 'x-api-key': key })
}
