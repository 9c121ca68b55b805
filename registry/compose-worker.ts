import { parentPort } from 'node:worker_threads'
import { concatAST } from 'graphql'
import type { Task } from './compose-thread'
import { composeGraph } from './composed'
import { parseText } from './subgraph-files'

// The thread that compose-thread.ts starts.
parentPort?.on('message', ({ subgraphs, options }: Task) => {
  const { supergraph, problems } = composeGraph(
    subgraphs.map(({ texts, ...subgraph }) => ({
      ...subgraph,
      typeDefs: concatAST(texts.map(({ name, body }) => parseText(body, name))),
    })),
    options,
  )
  parentPort?.postMessage({ supergraph, problems })
})
