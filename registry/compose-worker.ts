import { parentPort } from 'node:worker_threads'
import { concatAST } from 'graphql'
import { merged, type Merged } from '../gateway/compose'
import type { Answer, SubgraphTexts, Task } from './compose-thread'
import { told } from './composed'
import { parseText, type SubgraphSource } from './subgraph-files'

// The thread that compose-thread.ts starts.
let subgraphs: SubgraphSource[] = []
let merge: Merged | undefined

parentPort?.on('message', (task: Task) => parentPort?.postMessage(answer(task)))

function answer(task: Task): Answer {
  if (task === 'search') {
    if (!merge) throw new Error('nothing was merged')
    return { merged: null, composed: told(merge.searched(), subgraphs) }
  }
  subgraphs = task.map(sourceOf)
  merge = merged(subgraphs)
  return { merged: merge.text, composed: told(merge.proven(), subgraphs) }
}

function sourceOf({ texts, ...subgraph }: SubgraphTexts): SubgraphSource {
  return { ...subgraph, typeDefs: concatAST(texts.map(({ name, body }) => parseText(body, name))) }
}
