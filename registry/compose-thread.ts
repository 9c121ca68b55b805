import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Source } from 'graphql'
import type { Compose, Composed } from './composed'
import type { SubgraphSource } from './subgraph-files'

/** A subgraph as one thread tells it another: the texts it was read from. */
export interface SubgraphTexts {
  name: string
  url: string | undefined
  texts: { name: string; body: string }[]
}

export interface Task {
  subgraphs: SubgraphTexts[]
  options: { thorough?: boolean }
}

/**
 * Starts a thread that composes, so that it loads while this one does. One thing at a time. It keeps no process alive
 * that does not wait for it.
 */
export function composeThread(): Compose {
  const worker = new Worker(join(__dirname, 'compose-worker.js'))
  worker.unref()
  return (subgraphs, options = {}) =>
    new Promise<Composed>((resolve, reject) => {
      worker.ref()
      worker.once('message', (composed: Composed) => {
        worker.off('error', reject)
        worker.unref()
        resolve(composed)
      })
      worker.once('error', reject)
      worker.postMessage({ subgraphs: subgraphs.map(textsOf), options } satisfies Task)
    })
}

function textsOf({ name, url, typeDefs }: SubgraphSource): SubgraphTexts {
  const sources = new Set(typeDefs.definitions.flatMap(({ loc }): Source[] => (loc ? [loc.source] : [])))
  return { name, url, texts: [...sources].map((source) => ({ name: source.name, body: source.body })) }
}
