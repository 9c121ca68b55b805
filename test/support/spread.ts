import { openDatabase } from '../../kernel/connection/database'
import { startSubgraph } from '../../kernel/subgraph'
import { serveSubgraph } from '../../product/subgraph-server'
import { subgraphs } from '../../subgraphs'
import { startGraph, TestClock, type TestGraph } from './graph'
import { freshDatabase } from './postgres'

const viewerSecret = 'a secret of the tests, long enough to be one'

/** The product as several processes run it: each subgraph behind HTTP, and a gateway that keeps nothing of sessions. */
export async function startSpread({ demo = false } = {}): Promise<TestGraph> {
  const database = await freshDatabase()
  const closing: (() => Promise<unknown>)[] = [() => database.drop()]
  const close = async () => {
    for (const one of closing.splice(0)) await one()
  }
  try {
    // Keys and stores of subgraphs, which the gateway does not share.
    const whole = await startGraph({ database, demo })
    const clock = new TestClock()
    const services = { ...whole.server.services, clock }
    await whole.close()
    const urls: string[] = []
    for (const definition of subgraphs) {
      const url = database.urlFor(definition.name)
      const entities = [...definition.entities]
      const opened = await openDatabase({ url, entities, connections: 2, applicationName: definition.name })
      closing.unshift(() => opened.close())
      const running = await startSubgraph(definition, opened, services)
      const server = await serveSubgraph(running, {
        ...{ port: 0, host: '127.0.0.1', viewerSecret },
        ...{ clock, log: services.log },
      })
      closing.unshift(() => server.close())
      urls.push(`${definition.name}=${server.url}`)
    }
    const graph = await startGraph({
      ...{ database, clock },
      env: {
        SUBGRAPHS: urls.join(','),
        VIEWER_SECRET: viewerSecret,
        TOKEN_PRIVATE_KEY: JSON.stringify(services.keys.privateKey!.export({ format: 'jwk' })),
      },
    })
    closing.unshift(() => graph.close())
    return { ...graph, clock, close }
  } catch (error) {
    await close()
    throw error
  }
}
