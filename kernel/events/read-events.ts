import type { Database } from '../connection/database'
import { dispatchedPosition } from './dispatcher'
import type { EventLog, LoggedEvent } from './event-log'

/** Events that followed a position. */
export interface FollowedEvents {
  events: LoggedEvent[]
  /** The position to go on from. */
  position: number
  /** Tells that events were missed: what the reader knows of the tenant is to be read again, then it goes on from here. */
  isReset: boolean
}

/**
 * Up to `most` events of a tenant after a position; null: from now on. A reader that comes too late gets a reset, and never
 * silence.
 * @param database as the gateway
 */
export async function readEvents(
  { database, eventLog }: { database: Database; eventLog: EventLog },
  tenantId: string,
  after: number | null,
  most: number,
): Promise<FollowedEvents> {
  if (after === null)
    return { events: [], position: await dispatchedPosition(database, tenantId), isReset: false }
  const { events, isGap } = await eventLog.read(tenantId, after, most)
  if (!isGap) return { events, position: events.at(-1)?.position ?? after, isReset: false }
  // A log that knows nothing, as after a restart, has missed nothing either when nothing has left since.
  const position = await dispatchedPosition(database, tenantId)
  return { events: [], position, isReset: position !== after }
}
