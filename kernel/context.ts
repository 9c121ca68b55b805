import type { BlobStore } from './blobs/blob-store'
import type { Clock } from './clock'
import type { Config } from './process/config'
import type { Database } from './connection/database'
import type { KeyValue, PubSub, RateLimit } from './store/key-value'
import type { Logger } from './process/log'
import type { Binding } from './connection/tenant'
import type { RequestReads } from './sensitive/request-reads'
import type { DataKeys } from './encryption/data-keys'
import type { TokenKeys } from './sign-in/token-keys'

export { tenantScope } from './connection/binding'
export type { Statement, Transaction } from './connection/database'

/** Names who asks: one user of one tenant, as the gateway verified it. */
export interface Viewer {
  tenantId: string
  userId: string
  /** Null when the viewer came with an API key. */
  sessionId: string | null
  /** Set when the viewer came with an API key: its id. */
  apiKeyId?: string
  /** Changes whenever the user's permissions do; part of every cache key of an answer. */
  permissionVersion: number
  /** Holds what the viewer may do: `subgraph:resource:action`. */
  scopes: ReadonlySet<string>
  /** By how many seconds the clock of the tenant is ahead; left out for all but sandboxes. */
  secondsAhead?: number
  /** When the viewer last proved who they are, milliseconds since 1970; left out for API keys. */
  provedAt?: number
  /** Set when the viewer must change the password before anything else. */
  passwordChangeRequired?: boolean
  /** Set when the viewer must add a second factor before anything else. */
  secondFactorRequired?: boolean
}

/**
 * Names an operator of the platform, who is in no tenant. By an entry one is in the tenant of `viewer`, whose user id is then
 * the operator's.
 */
export interface Operator {
  operatorId: string
  sessionId: string
  /** Holds what the operator may do: `tenancy:platform:*`, which no viewer holds. */
  scopes: ReadonlySet<string>
  /** Null outside of all tenants. */
  entryId: string | null
}

/** Describes what is the same for every subgraph that takes part in one request. */
export interface RequestContext {
  requestId: string
  /** Null when nobody is signed in to a tenant. */
  viewer: Viewer | null
  /** Null or left out for everybody but operators. */
  operator?: Operator | null
  clientIp: string | null
  userAgent: string | null
  /** To a subgraph, the clock of the viewer's tenant, which may be ahead in a sandbox; evidence and sign-in go by `services.clock`. */
  clock: Clock
  log: Logger
  /** Aborted when the client is gone. */
  signal?: AbortSignal
  /**
   * Set where the product asks again by itself for what the viewer asked for once, as a stream does: what is denied then is no
   * attempt of the viewer's, and what is read counts for no alert.
   */
  isFollowUp?: boolean
}

/** Describes what a subgraph needs besides its database, made once per process. */
export interface Services {
  clock: Clock
  log: Logger
  keyValue: KeyValue
  rateLimit: RateLimit
  pubSub: PubSub
  keys: TokenKeys
  /** Keys of encrypted columns, of all tenants. */
  dataKeys: DataKeys
  blobs: BlobStore
  config: Config
}

/** Describes what resolvers receive: the request as one subgraph sees it. */
export interface SubgraphContext extends RequestContext {
  db: Database
  services: Services
  /** Tenant, actor and request of this viewer; the tenant is null when nobody is signed in. */
  binding: Binding
  /** Loaders of this request; they see one state of the data and are emptied after a mutation. */
  loaders: Map<unknown, unknown>
  /** Reads of this request that the audit trail is to tell of. */
  reads: RequestReads
}
