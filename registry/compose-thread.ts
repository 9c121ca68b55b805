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

/** Subgraphs to merge, or to search for a way to every field of what was merged last. */
export type Task = SubgraphTexts[] | 'search'

export interface Answer {
  /** What merging came to; null when it failed, and after a search. */
  merged: string | null
  /** What composing came to: after merging if there is a way to every field. */
  composed: Composed
}

/**
 * Starts a thread that composes, so that it loads while this one does. It takes one thing after the other, and keeps
 * no process alive that does not wait for it. What it returns rejects when the thread fails or ends, now and later.
 *
 * @param satisfiable proves here, where the supergraph is read anyway, that there is a way to every field; where it
 * does not, the thread searches
 */
export function composeThread(
  satisfiable: (supergraph: string) => boolean | Promise<boolean>,
  file = join(__dirname, 'compose-worker.js'),
): Compose {
  const worker = new Worker(file)
  let failure: Error | null = null
  let waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null
  let before: Promise<unknown> = Promise.resolve()
  const fail = (reason: string) => {
    failure ??= new Error(`The thread that composes failed: ${reason}`)
    waiting?.reject(failure)
  }
  worker.unref()
  worker.on('error', (error) => fail(error.message))
  worker.on('exit', (code) => fail(`it ended with code ${code}`))
  worker.on('message', (answer: Answer) => waiting?.resolve(answer))
  const ask = async (task: Task): Promise<Answer> => {
    worker.ref()
    try {
      return await new Promise((resolve, reject) => {
        if (failure) throw failure
        waiting = { resolve, reject }
        worker.postMessage(task)
      })
    } finally {
      worker.unref()
    }
  }
  const compose: Compose = async (subgraphs, { thorough = false } = {}) => {
    const { merged, composed } = await ask(subgraphs.map(textsOf))
    if (merged === null || (!thorough && (await satisfiable(merged)))) return composed
    return (await ask('search')).composed
  }
  return (subgraphs, options) => {
    const composed = before.then(() => compose(subgraphs, options))
    before = composed.catch(() => undefined)
    return composed
  }
}

function textsOf({ name, url, typeDefs }: SubgraphSource): SubgraphTexts {
  const sources = new Set(typeDefs.definitions.flatMap(({ loc }): Source[] => (loc ? [loc.source] : [])))
  return { name, url, texts: [...sources].map((source) => ({ name: source.name, body: source.body })) }
}
