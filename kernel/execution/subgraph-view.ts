import { clockAhead, type Clock } from '../clock'
import { anonymousDatabase, type Database } from '../connection/database'
import type { Binding } from '../connection/tenant'
import type { Operator, RequestContext, Services, SubgraphContext, Viewer } from '../context'
import type { Logger } from '../process/log'
import type { RequestReads } from '../sensitive/request-reads'

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
  readonly operator: Operator | null
  readonly clientIp: string | null
  readonly userAgent: string | null
  readonly clock: Clock
  readonly log: Logger
  readonly isFollowUp: boolean
  readonly db: Database
  readonly binding: Binding
  readonly loaders = new Map<unknown, unknown>()
  readonly reads: RequestReads = new Map()
  readonly _shield: unknown = undefined

  constructor(
    private readonly request: RequestContext,
    database: Database,
    readonly services: Services,
  ) {
    const { requestId, viewer } = request
    this.db = viewer || request.operator ? database : anonymousDatabase(database)
    this.requestId = requestId
    this.viewer = viewer
    this.operator = request.operator ?? null
    this.clientIp = request.clientIp
    this.userAgent = request.userAgent
    this.clock = viewer?.secondsAhead ? clockAhead(request.clock, viewer.secondsAhead) : request.clock
    this.log = request.log
    this.isFollowUp = request.isFollowUp === true
    const actorId = viewer?.userId ?? this.operator?.operatorId ?? null
    this.binding = { tenantId: viewer?.tenantId ?? null, actorId, requestId }
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
