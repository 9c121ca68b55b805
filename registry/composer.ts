import { Source } from 'graphql'
import { merged, type Merged } from '../gateway/compose'
import type { Answer, SubgraphTexts, Task } from './compose-thread'
import { told } from './composed'
import { subgraphOf, type SubgraphSource } from './subgraph-files'

/** The way to the thread that asks (compose-thread.ts). */
export interface Asking {
  postMessage(answer: Answer): void
}

/** Takes tasks of another thread and composes in this one. */
export function composer(asking: Asking): (task: Task) => void {
  let subgraphs: SubgraphSource[] = []
  let merge: Merged | undefined

  function answer(task: Task): Answer {
    if (task === 'search') {
      if (!merge) throw new Error('nothing was merged')
      return { merged: null, composed: told(merge.searched(), subgraphs) }
    }
    subgraphs = subgraphsOf(task)
    merge = merged(subgraphs)
    return { merged: merge.text, composed: told(merge.proven(), subgraphs) }
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
