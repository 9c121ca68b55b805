import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway'
import { parsedDocuments } from '../../kernel/execution/parsed-documents'
import type { RunningSubgraph } from '../../kernel/subgraph'
import type { GatewayContext, SubgraphAnswer, SubgraphDataSource } from '../context'
import { cancelled } from './unavailable'

/**
 * A subgraph of this process, called without HTTP, serialisation or a second sign-in: it receives the request's own
 * context and derives its view from it.
 */
export function localDataSource(
  subgraph: RunningSubgraph,
  documents = parsedDocuments({ noLocation: true }),
): SubgraphDataSource {
  return {
    async process(options: GraphQLDataSourceProcessOptions<GatewayContext>): Promise<SubgraphAnswer> {
      if (!('incomingRequestContext' in options)) return {}
      const { query = '', operationName, variables } = options.request
      const { request: context, record } = options.context
      if (record.clientGone) throw cancelled()
      const { data, errors } = await subgraph.execute({
        document: documents.get(query, !record.anonymous),
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
