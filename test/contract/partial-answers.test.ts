import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startGraph } from '../support/graph'

const codes = (answer: { errors?: { path?: (string | number)[]; extensions: { code: string } }[] }) =>
  (answer.errors ?? []).map(({ path, extensions }) => [path?.join('.'), extensions.code])

/** An address where nothing listens any more. */
async function stoppedAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}/graphql`
}

test('G4: refused lists are null with an error each, and the rest of the answer stays', async () => {
  const graph = await startGraph({ demo: true })
  try {
    const viewer = await graph.demo('acme', 'viewer')
    const { fullName } = (await viewer.data<{ viewer: { fullName: string } }>('{ viewer { fullName } }'))
      .viewer
    expect(fullName).toMatch(/\S/)
    const query =
      '{ viewer { fullName } customers(first: 1) { totalCount } auditLogs(first: 1) { totalCount } }'
    const answer = await viewer.query(query)
    expect(answer.data).toEqual({ viewer: { fullName }, customers: { totalCount: 420 }, auditLogs: null })
    expect(codes(answer)).toEqual([['auditLogs', 'FORBIDDEN']])
    const admin = await (await graph.demo('acme', 'admin')).query(query)
    expect(admin.errors).toBeUndefined()
    expect(Object.values(admin.data!).includes(null as never)).toBe(false)
  } finally {
    await graph.close()
  }
})

test('G4: lists of a subgraph that is stopped are null with an error each, and the rest of the answer stays', async () => {
  const graph = await startGraph({
    demo: true,
    env: {
      SUBGRAPHS: `hr=${await stoppedAddress()}`,
      VIEWER_SECRET: 'a secret of the tests, long enough to be one',
    },
  })
  try {
    const admin = await graph.demo('acme', 'admin')
    const answer = await admin.query(
      `{ viewer { email } tenant { slug departments { totalCount } } employees { totalCount } holidays { totalCount }
        transactions(first: 1) { nodes { type } } }`,
    )
    expect(answer.status).toBe(200)
    expect(answer.data).toEqual({
      viewer: { email: 'admin@acme.example' },
      tenant: { slug: 'acme', departments: null },
      employees: null,
      holidays: null,
      transactions: { nodes: [{ type: expect.stringMatching(/^[A-Z]+$/) }] },
    })
    // What is fetched for an entity fails at the entity, as in every Federation gateway.
    expect(codes(answer).toSorted()).toEqual([
      ['employees', 'SUBGRAPH_UNAVAILABLE'],
      ['holidays', 'SUBGRAPH_UNAVAILABLE'],
      ['tenant', 'SUBGRAPH_UNAVAILABLE'],
    ])
  } finally {
    await graph.close()
  }
})
