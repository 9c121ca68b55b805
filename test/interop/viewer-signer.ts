import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sessionViewers } from '../../gateway/operations/viewer'
import { systemClock } from '../../kernel/clock'
import { openDatabase } from '../../kernel/connection/database'
import type { SubgraphName } from '../../kernel/schema/subgraph-names'
import { signViewer, viewerHeader } from '../../kernel/access/viewer-token'
import type { TestGraph } from '../support/graph'

/**
 * What another router needs between itself and our subgraphs: verifies the client's access token and signs the viewer
 * for each request, as docs/runbooks/topologies.md says. Subgraphs stand at `/<name>`.
 */
export async function startViewerSigner(
  graph: TestGraph,
  secret: string,
  urls: ReadonlyMap<SubgraphName, string>,
): Promise<{ url: string; close: () => Promise<void> }> {
  const { keys, log } = graph.server.services
  const database = await openDatabase({
    url: graph.database.urlFor('gateway'),
    entities: [],
    connections: 2,
    applicationName: 'viewer signer',
  })
  const resolveViewer = sessionViewers({
    keys,
    issuer: graph.config.tokenIssuer,
    database,
    cache: null,
    clock: systemClock,
    log,
  })
  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks).toString()
      const name = (request.url ?? '').slice(1) as SubgraphName
      const authorization = request.headers.authorization || undefined
      const requestId = `interop-${name}`
      const viewer = await resolveViewer({ get: () => authorization }, requestId, null)
      const asked = { requestId, clientIp: null, userAgent: null }
      const answer = await fetch(urls.get(name) ?? '', {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          [viewerHeader]: signViewer(secret, name, viewer, body, asked, systemClock),
        },
      })
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }] }))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await database.close()
    },
  }
}
