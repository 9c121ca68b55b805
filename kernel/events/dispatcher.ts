import type { Database } from '../connection/database'
import type { Logger } from '../process/log'
import { prepared } from '../statement'
import type { PubSub } from '../store/key-value'
import type { EventLog, LoggedEvent } from './event-log'

/** Milliseconds between two looks for new events. */
const pollMs = 250
/** Events of a tenant that leave at a time; then the next tenant's do. */
const atOnce = 500

/** The topic on which the position of a tenant's latest event is told. It may be lost: the log is what counts. */
export const eventTopic = (tenantId: string): string => `t:${tenantId}:events`

/** The part of this process that brings events from the outbox to the log. */
export interface Dispatcher {
  /** Looks for new events until it is stopped. */
  start(): void
  /** Brings over what is there; answers how many events that were. */
  dispatch(): Promise<number>
  stop(): Promise<void>
}

/**
 * Gives events their positions and appends them to the log: at least once, each tenant's in order. Any number of processes
 * may do so at once. Positions are given to what is committed, under a lock of the tenant, and committed before anything
 * leaves; so a position means the same event for ever, whoever appends it, however often.
 * @param database as the gateway
 */
export function eventDispatcher(options: {
  database: Database
  eventLog: EventLog
  pubSub: Pick<PubSub, 'publish'>
  log: Logger
}): Dispatcher {
  const { database, eventLog, pubSub, log } = options
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let running: Promise<unknown> = Promise.resolve()

  async function dispatch(): Promise<number> {
    let count = 0
    const waiting = await database.rows({ tenantId: null }, prepared(tenantsWithNewEvents, []))
    let tenants = waiting.map(([tenantId]) => String(tenantId))
    while (tenants.length > 0 && !isStopped) {
      const more: string[] = []
      for (const tenantId of tenants) {
        const left = await dispatchTenant(database, eventLog, tenantId)
        count += left.length
        if (left.length === atOnce) more.push(tenantId)
        if (left.length > 0) await pubSub.publish(eventTopic(tenantId), String(left.at(-1)!.position))
      }
      tenants = more
    }
    return count
  }

  function poll(): void {
    running = dispatch()
      .catch((error: unknown) => log.error({ err: error }, 'events do not leave: they are tried again'))
      .then(() => {
        if (!isStopped) timer = setTimeout(poll, pollMs).unref()
      })
  }

  return {
    start: poll,
    dispatch,
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}

/** The position of the latest event of a tenant that has left: 0 before the first. */
export async function dispatchedPosition(database: Database, tenantId: string): Promise<number> {
  const [row] = await database.rows({ tenantId }, prepared(positionsText(''), [tenantId]))
  return Number(row?.[1] ?? 0)
}

const tenantsWithNewEvents = 'SELECT id FROM shared.tenants_with_new_events() AS id'
const positionsText = (lock: string) =>
  `SELECT p.given, p.dispatched FROM shared.event_positions p WHERE p.tenant_id = $1 ${lock}`
const begin = 'INSERT INTO shared.event_positions (given, dispatched) VALUES (0, 0) ON CONFLICT DO NOTHING'
const give = `UPDATE shared.outbox_events AS e SET position = n.position
  FROM (SELECT o.created_at, o.id, $2::bigint + row_number() OVER (ORDER BY o.seq) AS position
          FROM (SELECT u.created_at, u.id, u.seq FROM shared.outbox_events u
                 WHERE u.tenant_id = $1 AND u.position IS NULL ORDER BY u.seq LIMIT ${atOnce}) AS o) AS n
 WHERE e.tenant_id = $1 AND e.created_at = n.created_at AND e.id = n.id`
const note = 'UPDATE shared.event_positions AS p SET given = $2 WHERE p.tenant_id = $1'
const readNew = `SELECT e.position, e.id, e.aggregate_type, e.aggregate_id, e.event_type, e.payload, e.created_at
  FROM shared.outbox_events e WHERE e.tenant_id = $1 AND e.position > $2 ORDER BY e.position LIMIT ${atOnce}`
const markDispatched =
  'UPDATE shared.event_positions AS p SET dispatched = $2 WHERE p.tenant_id = $1 AND p.dispatched < $2'

/** Brings over some events of a tenant: those that have positions and have not left, or else new ones. */
async function dispatchTenant(
  database: Database,
  eventLog: EventLog,
  tenantId: string,
): Promise<LoggedEvent[]> {
  const dispatched = await givePositions(database, tenantId)
  const rows = await database.rows({ tenantId }, prepared(readNew, [tenantId, dispatched]))
  const events = rows.map(loggedEvent)
  if (events.length === 0) return events
  await eventLog.append(tenantId, events)
  await database.rows({ tenantId }, prepared(markDispatched, [tenantId, events.at(-1)!.position]))
  return events
}

/** Gives positions to what is committed, when all that has one has left; answers the last position that has. */
function givePositions(database: Database, tenantId: string): Promise<number> {
  return database.transaction({ tenantId }, async (tx) => {
    let [row] = await tx.rows(prepared(positionsText('FOR UPDATE'), [tenantId]))
    if (!row) {
      await tx.run(prepared(begin, []))
      ;[row] = await tx.rows(prepared(positionsText('FOR UPDATE'), [tenantId]))
    }
    const [given, dispatched] = row!.map(Number) as [number, number]
    if (given > dispatched) return dispatched
    const count = await tx.run(prepared(give, [tenantId, given]))
    if (count > 0) tx.atEnd(prepared(note, [tenantId, given + count]))
    return dispatched
  })
}

function loggedEvent([
  position,
  id,
  aggregateType,
  aggregateId,
  eventType,
  payload,
  occurredAt,
]: unknown[]): LoggedEvent {
  return {
    position: Number(position),
    id: String(id),
    aggregateType: String(aggregateType),
    aggregateId: String(aggregateId),
    eventType: String(eventType),
    payload: payload as object,
    occurredAt: String(occurredAt),
  }
}
