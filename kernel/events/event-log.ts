/** An event as it left: what happened to which thing. Values are not in it: whoever may see the thing asks for it. */
export interface LoggedEvent {
  /** Counts the tenant's events from 1, without a gap. */
  position: number
  id: string
  /** A type of the graph, such as `Employee`. */
  aggregateType: string
  aggregateId: string
  /** `created`, `updated`, `deleted`, or a name with a dot, such as `identity.user-invited`. */
  eventType: string
  /** Of a change: `fields`, the names of what changed, and `version`, that of the thing afterwards. */
  payload: object
  /** ISO 8601 instant. */
  occurredAt: string
}

/** Events from a position on. */
export interface LogPage {
  events: LoggedEvent[]
  /** Tells that the log cannot vouch for what followed the position: it is too old, or the log has lost something. */
  isGap: boolean
}

/** Says how many events of a tenant a log keeps, about. */
export const keptEvents = 10_000
/** Milliseconds after which the events of a tenant without new ones may be forgotten. */
export const keptMs = 7 * 24 * 60 * 60_000

/**
 * The latest events of each tenant, in order. In this process or in Redis, under the same contract (test/store/contract.ts).
 * It is no archive: who reads too late is told so, and reads the things themselves.
 */
export interface EventLog {
  /**
   * Adds events, whose positions follow each other. Those that it has are left out, so a dispatcher may repeat itself. When
   * some are missing between what it has and what comes, it forgets what it has: no reader shall pass over them unaware.
   */
  append(tenantId: string, events: readonly LoggedEvent[]): Promise<void>
  /** Up to `most` events after a position. */
  read(tenantId: string, after: number, most: number): Promise<LogPage>
}
