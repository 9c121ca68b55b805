import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway'
import { parse, type DocumentNode } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { RunningSubgraph } from '../../kernel/subgraph'
import type { GatewayContext, SubgraphAnswer, SubgraphDataSource } from '../context'
import { cancelled } from './unavailable'

/** Plans hold a bounded number of operations; so does this, and a plan's operation text never changes. */
const maxDocuments = 2000

/**
 * A subgraph of this process, called without HTTP, serialisation or a second sign-in: it receives the request's own
 * context and derives its view from it.
 */
export function localDataSource(subgraph: RunningSubgraph): SubgraphDataSource {
  const documents = new LRUCache<string, DocumentNode>({ max: maxDocuments })
  function parsed(query: string): DocumentNode {
    let document = documents.get(query)
    if (!document) documents.set(query, (document = parse(query, { noLocation: true })))
    return document
  }
  return {
    async process(options: GraphQLDataSourceProcessOptions<GatewayContext>): Promise<SubgraphAnswer> {
      if (!('incomingRequestContext' in options)) return {}
      const { query = '', operationName, variables } = options.request
      const { request: context, record } = options.context
      if (record.clientGone) throw cancelled()
      const { data, errors } = await subgraph.execute({
        document: parsed(query),
        operationName,
        variables,
        context,
      })
      return { data, errors }
    },
    ping: async () => undefined,
    close: async () => undefined,
  }
}
