import { Source } from 'graphql'
import { mergeSubgraphs, type MergedSubgraphs } from './compose'
import type { ComposeResponse, SubgraphTexts, Task } from './compose-thread'
import { reportComposition } from './composed'
import { subgraphOf, type SubgraphSource } from './subgraph-files'

/** The way to the thread that asks (compose-thread.ts). */
export interface Asking {
  postMessage(answer: ComposeResponse): void
}

/** Takes tasks of another thread and composes in this one. */
export function composer(asking: Asking): (task: Task) => void {
  let subgraphs: SubgraphSource[] = []
  let merge: MergedSubgraphs | undefined

  function answer(task: Task): ComposeResponse {
    if (task === 'search') {
      if (!merge) throw new Error('nothing was merged')
      return { merged: null, composed: reportComposition(merge.searched(), subgraphs) }
    }
    subgraphs = subgraphsOf(task)
    merge = mergeSubgraphs(subgraphs)
    return { merged: merge.text, composed: reportComposition(merge.proven(), subgraphs) }
  }

  return (task) => {
    try {
      asking.postMessage(answer(task))
    } catch (error) {
      asking.postMessage({ failed: error instanceof Error ? error.message : String(error) })
    }
  }
}

/** The text that subgraphs share becomes one source again: it is parsed once. */
function subgraphsOf(task: readonly SubgraphTexts[]): SubgraphSource[] {
  const sources = new Map<string, Source>()
  const sourceOf = ({ name, body }: SubgraphTexts['texts'][number]) => {
    const known = sources.get(name)
    if (known?.body === body) return known
    const source = new Source(body, name)
    sources.set(name, source)
    return source
  }
  return task.map(({ name, url, texts }) => subgraphOf(name, texts.map(sourceOf), url))
}
