import type { GraphQLDataSource } from '@apollo/gateway'
import type { RequestContext } from '../kernel/context'
import type { Logger } from '../kernel/process/log'

/** What one request leaves in the log and in the metrics. */
export interface RequestRecord {
  requestId: string
  log: Logger
  operationName: string | null
  tenantId: string | null
  userId: string | null
  /** Codes of the errors in the answer. */
  codes: Set<string>
  /** The connection ended before the answer was sent. */
  clientGone: boolean
}

/** What plugins and data sources receive. */
export interface GatewayContext {
  request: RequestContext
  record: RequestRecord
}

/** What a subgraph answers to one fetch. */
export type SubgraphAnswer = Awaited<ReturnType<GraphQLDataSource['process']>>

/** A subgraph as the gateway calls it, in this process or over HTTP. */
export interface SubgraphDataSource extends GraphQLDataSource<GatewayContext> {
  /** Resolves when the subgraph answers. */
  ping(): Promise<void>
  /** Gives up connections; calls that are under way have ended by then. */
  close(): Promise<void>
}
