import { openDatabase } from '../../kernel/connection/database'
import type { Services } from '../../kernel/context'
import { serveSubgraph } from '../../product/subgraph-server'
import { startSubgraph } from '../../kernel/execution/start-subgraph'
import { subgraphs } from '../../subgraphs'
import { startGraph, type TestGraph } from './graph'
import type { TestDatabase } from './postgres'

const viewerSecret = 'a secret of the tests, long enough to be one'

/** The product over a database with each subgraph behind a server of its own, all by the clock of the services; `close` leaves the database. */
export async function startSpread(
  database: TestDatabase,
  services: Services,
): Promise<{ graph: TestGraph; close(): Promise<void> }> {
  const closing: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const one of closing) await one()
  }
  try {
    const urls: string[] = []
    for (const definition of subgraphs) {
      const opened = await openDatabase({
        url: database.urlFor(definition.name),
        entities: [...definition.entities],
        connections: 2,
        applicationName: definition.name,
      })
      closing.unshift(() => opened.close())
      const running = await startSubgraph(definition, opened, services)
      const options = { port: 0, host: '127.0.0.1', viewerSecret, log: services.log, clock: services.clock }
      const server = await serveSubgraph(running, options)
      closing.unshift(() => server.close())
      urls.push(`${definition.name}=${server.url}`)
    }
    const tokens = { TOKEN_PRIVATE_KEY: JSON.stringify(services.keys.privateKey!.export({ format: 'jwk' })) }
    const keys = services.config.encryptionKeys ? { ENCRYPTION_KEYS: services.config.encryptionKeys } : {}
    const env = { SUBGRAPHS: urls.join(','), VIEWER_SECRET: viewerSecret, ...tokens, ...keys }
    const graph = await startGraph({ database, env, clock: services.clock })
    closing.unshift(() => graph.close())
    return { graph, close }
  } catch (error) {
    await close()
    throw error
  }
}
