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

export type ComposeResponse =
  | {
      /** Holds what merging came to; null when it failed, and after a search. */
      merged: string | null
      /** Holds what composing came to: after merging if there is a way to every field. */
      composed: Composed
    }
  | { failed: string }

type Answered = Exclude<ComposeResponse, { failed: string }>

/** The way to a thread that composes: the thread itself, or a port that leads there. */
export interface Composer {
  on(event: 'message', listener: (answer: ComposeResponse) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'exit', listener: (code: number) => void): unknown
  postMessage(task: Task): void
  ref(): void
  unref(): void
}

/**
 * Composes in another thread. It is asked one thing after the other, and keeps no process alive that does not wait for
 * it. What this returns rejects when the thread fails or ends, now and later.
 *
 * @param satisfiable proves here, where the supergraph is read anyway, that there is a way to every field; where it
 * does not, the thread searches
 */
export function composeThread(
  satisfiable: (supergraph: string) => boolean | Promise<boolean>,
  composer: Composer,
): Compose {
  let failure: Error | null = null
  let waiting: { resolve: (answer: Answered) => void; reject: (error: Error) => void } | null = null
  let before: Promise<unknown> = Promise.resolve()
  const fail = (reason: string) => {
    failure ??= new Error(`The thread that composes failed: ${reason}`)
    waiting?.reject(failure)
  }
  composer.on('error', (error) => fail(error.message))
  composer.on('exit', (code) => fail(`it ended with code ${code}`))
  composer.on('message', (answer) => ('failed' in answer ? fail(answer.failed) : waiting?.resolve(answer)))
  composer.unref() // after listening, which keeps a port alive
  const ask = async (task: Task): Promise<Answered> => {
    composer.ref()
    try {
      return await new Promise((resolve, reject) => {
        if (failure) throw failure
        waiting = { resolve, reject }
        composer.postMessage(task)
      })
    } finally {
      composer.unref()
    }
  }
  const compose: Compose = async (subgraphs, { thorough = false } = {}) => {
    const { merged, composed } = await ask(subgraphs.map(textsOf))
    if (merged === null || (!thorough && (await satisfiable(merged)))) return composed
    return (await ask('search')).composed
  }
  let asked = 0
  return (subgraphs, options) => {
    // Asked at once where nothing is before it: who calls this goes on with work that takes a while.
    const composed =
      asked++ === 0 ? compose(subgraphs, options) : before.then(() => compose(subgraphs, options))
    before = composed.then(
      () => void asked--,
      () => void asked--,
    )
    return composed
  }
}

function textsOf(subgraph: SubgraphSource): SubgraphTexts {
  const { name, url, sources = sourcesOf(subgraph) } = subgraph
  return { name, url, texts: [...sources].map((source) => ({ name: source.name, body: source.body })) }
}

function sourcesOf({ typeDefs }: SubgraphSource): Source[] {
  return [...new Set(typeDefs.definitions.flatMap(({ loc }): Source[] => (loc ? [loc.source] : [])))]
}
