import type { BlobStore } from './blobs/blob-store'
import { clockAhead, type Clock } from './clock'
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
}

/** Describes what is the same for every subgraph that takes part in one request. */
export interface RequestContext {
  requestId: string
  /** Null when nobody is signed in. */
  viewer: Viewer | null
  clientIp: string | null
  userAgent: string | null
  /** To a subgraph, the clock of the viewer's tenant, which may be ahead in a sandbox; evidence and sign-in go by `services.clock`. */
  clock: Clock
  log: Logger
  /** Aborted when the client is gone. */
  signal?: AbortSignal
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

/**
 * A subgraph's view of a request. graphql-shield caches rule results by rule name in `_shield`; the view owns that
 * property, or two subgraphs with an equally named rule would read each other's result.
 *
 * A class, and not an object that inherits from the request: each request would be a prototype of its own, and V8 would
 * look up every property of every view anew.
 */
class SubgraphView implements SubgraphContext {
  readonly requestId: string
  readonly viewer: Viewer | null
  readonly clientIp: string | null
  readonly userAgent: string | null
  readonly clock: Clock
  readonly log: Logger
  readonly binding: Binding
  readonly loaders = new Map<unknown, unknown>()
  readonly reads: RequestReads = new Map()
  readonly _shield: unknown = undefined

  constructor(
    private readonly request: RequestContext,
    readonly db: Database,
    readonly services: Services,
  ) {
    const { requestId, viewer } = request
    this.requestId = requestId
    this.viewer = viewer
    this.clientIp = request.clientIp
    this.userAgent = request.userAgent
    this.clock = viewer?.secondsAhead ? clockAhead(request.clock, viewer.secondsAhead) : request.clock
    this.log = request.log
    this.binding = { tenantId: viewer?.tenantId ?? null, actorId: viewer?.userId ?? null, requestId }
  }

  /** Made when it is asked for: most requests are answered without. */
  get signal(): AbortSignal | undefined {
    return this.request.signal
  }
}

/** A request as one subgraph sees it, with loaders of its own. */
export function subgraphContext(
  request: RequestContext,
  database: Database,
  services: Services,
): SubgraphContext {
  return new SubgraphView(request, database, services)
}
