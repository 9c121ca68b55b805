import type { GraphQLDataSource } from '@apollo/gateway'
import type { GraphQLError } from 'graphql'
import type { RequestContext } from '../kernel/context'
import type { Logger } from '../kernel/process/log'
import type { CheckedDocument } from './operations/document-check'

/** Describes what one request leaves in the log and in the metrics. */
export interface RequestRecord {
  requestId: string
  log: Logger
  operationName: string | null
  tenantId: string | null
  userId: string | null
  /**
   * Nobody is signed in, where callers can be: smaller bounds, and nothing is kept of what is made for this request. So
   * it is until the viewer is known.
   */
  anonymous: boolean
  /** Of the client. */
  address: string | null
  /** The cost of the operation, as it was estimated before it was executed. */
  cost?: number
  /** Codes of the errors in the answer. */
  codes: Set<string>
  /** The connection ended before the answer was sent. */
  clientGone: boolean
}

/** Describes what plugins and data sources receive. */
export interface GatewayContext {
  request: RequestContext
  record: RequestRecord
  /** Holds what the check of a document that was not seen before found; filled while the request is answered. */
  found?: { checked?: CheckedDocument; refused?: readonly GraphQLError[] }
  /** Called when the operation is planned and prepared. */
  prepared?: () => void
}

/** Describes what a subgraph answers to one fetch. */
export type SubgraphAnswer = Awaited<ReturnType<GraphQLDataSource['process']>>

/** A subgraph as the gateway calls it, in this process or over HTTP. */
export interface SubgraphDataSource extends GraphQLDataSource<GatewayContext> {
  /** Resolves when the subgraph answers. */
  ping(): Promise<void>
  /** Gives up connections; calls that are under way have ended by then. */
  close(): Promise<void>
}
