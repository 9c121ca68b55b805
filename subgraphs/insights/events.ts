import type { SubgraphContext } from '../../kernel/context'
import type { UserError } from '../../kernel/errors'
import { isUuid, uuidv7 } from '../../kernel/id'
import type { MutationTransaction } from '../../kernel/mutate'
import { insertStatements, prepared } from '../../kernel/statement'
import type { AnalyticsEvent } from './entities/AnalyticsEvent'
import { fingerprint } from './event-digest'
import type { InsightsUserErrorCode, TrackEventInput } from './generated'
import { eventFault, lastMonthMade, type ReportedEvent } from './rules/event'

type Tx = MutationTransaction<InsightsUserErrorCode>

/** Describes what became of an event. */
export interface TrackedEvent {
  id: string | null
  isNew: boolean | null
  userErrors: UserError<InsightsUserErrorCode>[]
}

/** An event on its way: its place among those that came together, its id, and what it says as a digest. */
interface Arriving extends ReportedEvent {
  place: number
  id: string
  digest: string
}

const refused = (code: InsightsUserErrorCode, message: string, field: string): TrackedEvent => ({
  ...{ id: null, isNew: null },
  userErrors: [{ code, message, field: [field] }],
})

const knownUsers = 'SELECT id FROM shared.known_users($1) AS id'
const knownCustomers =
  'SELECT id FROM insights.customers WHERE tenant_id = $1 AND id = ANY ($2) AND erased_at IS NULL'
const keysInto =
  'INSERT INTO insights.analytics_event_keys (source, event_id, recorded_id, occurred_at, digest)'
const readKeys = `SELECT k.source, k.event_id, k.recorded_id, k.digest FROM insights.analytics_event_keys k
  JOIN unnest($2::text[], $3::text[]) AS wanted (source, event_id) USING (source, event_id) WHERE k.tenant_id = $1`
const eventsInto = `INSERT INTO insights.analytics_events
  (id, occurred_at, source, event_id, event_type, name, user_id, customer_id, session_id, properties, created_at)`

const keyOf = ({ source, eventId }: { source: string; eventId: string }) => JSON.stringify([source, eventId])
const idOf = (id: string | null | undefined) => id?.toLowerCase() ?? null

/**
 * Records events, each for itself: five statements, however many there are. Those that were recorded before, here or by
 * somebody at the same moment, stay as they are; one that says something else under the key of another is refused.
 * @returns what became of each, in their order, and the rows of those that are new
 */
export async function trackEvents(
  context: SubgraphContext,
  tx: Tx,
  events: readonly TrackEventInput[],
): Promise<{ results: TrackedEvent[]; rows: AnalyticsEvent[] }> {
  const now = context.clock.now()
  const until = lastMonthMade(context.services.clock.now())
  const results: TrackedEvent[] = []
  const arriving: Arriving[] = []
  for (const [place, input] of events.entries()) {
    const { eventType = 'USER_ACTION', occurredAt = null, ...said } = input
    const event = { ...said, eventType, occurredAt: occurredAt ?? now.toISOString() }
    const fault = eventFault(event, now, until)
    const wrong = idFault(event)
    if (fault) results[place] = refused('INVALID', fault.message, fault.field)
    else if (wrong) results[place] = refused('REFERENCE_NOT_FOUND', wrong.message, wrong.field)
    else {
      const digest = fingerprint(
        { ...event, userId: idOf(event.userId), customerId: idOf(event.customerId) },
        occurredAt !== null,
      )
      arriving.push({ ...event, place, id: uuidv7(Date.parse(event.occurredAt)), digest })
    }
  }
  const known = await withKnownActors(context, tx, arriving, results)
  const added = await claimKeys(context, tx, known, results)
  const rows = added.map((event) => rowOf(context, event, now))
  const lists = rows.map((row) => [
    ...[row.id, row.occurredAt, row.source, row.eventId, row.eventType, row.name],
    ...[row.userId, row.customerId, row.sessionId, JSON.stringify(row.properties), row.createdAt],
  ])
  for (const statement of insertStatements(eventsInto, lists)) await tx.run(statement)
  return { results, rows }
}

function idFault(event: ReportedEvent): { message: string; field: string } | null {
  for (const field of ['userId', 'customerId'] as const) {
    const id = event[field] ?? null
    if (id !== null && !isUuid(id)) return { field, message: `${field} is not an id` }
  }
  return null
}

/** Refuses events of users and customers that the tenant does not have, and returns the others. */
async function withKnownActors(
  context: SubgraphContext,
  tx: Tx,
  events: readonly Arriving[],
  results: TrackedEvent[],
): Promise<Arriving[]> {
  const wanted = (name: 'userId' | 'customerId') => [
    ...new Set(events.flatMap((event) => idOf(event[name]) ?? [])),
  ]
  const [users, customers] = [wanted('userId'), wanted('customerId')]
  const read = async (text: string, values: unknown[]) =>
    new Set((await tx.rows(prepared(text, values))).map(([id]) => id))
  const foundUsers = users.length > 0 ? await read(knownUsers, [users]) : new Set()
  const foundCustomers =
    customers.length > 0 ? await read(knownCustomers, [context.binding.tenantId, customers]) : new Set()
  return events.filter((event) => {
    const [user, customer] = [idOf(event.userId), idOf(event.customerId)]
    const field =
      user && !foundUsers.has(user)
        ? 'userId'
        : customer && !foundCustomers.has(customer)
          ? 'customerId'
          : null
    if (field) results[event.place] = refused('REFERENCE_NOT_FOUND', `${field} does not exist`, field)
    return field === null
  })
}

/** Claims the keys of events and returns those that are new. Keys are claimed in one order, so nobody waits in a circle. */
async function claimKeys(
  context: SubgraphContext,
  tx: Tx,
  events: readonly Arriving[],
  results: TrackedEvent[],
): Promise<Arriving[]> {
  const first = new Map<string, Arriving>()
  for (const event of events) if (!first.has(keyOf(event))) first.set(keyOf(event), event)
  const claims = [...first.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, event]) => event)
  const lists = claims.map((event) => [event.source, event.eventId, event.id, event.occurredAt, event.digest])
  const after = 'ON CONFLICT (tenant_id, source, event_id) DO NOTHING RETURNING recorded_id'
  const added = new Set<unknown>()
  for (const statement of insertStatements(keysInto, lists, { after }))
    for (const [id] of await tx.rows(statement)) added.add(id)
  const holders = new Map<string, { id: string; digest: string }>(
    claims.filter(({ id }) => added.has(id)).map((event) => [keyOf(event), event]),
  )
  const taken = claims.filter(({ id }) => !added.has(id))
  if (taken.length > 0) {
    const names = [taken.map(({ source }) => source), taken.map(({ eventId }) => eventId)]
    const rows = await tx.rows(prepared(readKeys, [context.binding.tenantId, ...names]))
    for (const [source, eventId, id, digest] of rows as [string, string, string, string][])
      holders.set(keyOf({ source, eventId }), { id, digest })
  }
  for (const event of events) {
    const { id, digest } = holders.get(keyOf(event))!
    results[event.place] =
      digest === event.digest
        ? { id, isNew: id === event.id && added.has(id), userErrors: [] }
        : refused('DUPLICATE', 'eventId is that of an event which says something else', 'eventId')
  }
  return claims.filter(({ id }) => added.has(id))
}

function rowOf({ binding }: SubgraphContext, event: Arriving, now: Date): AnalyticsEvent {
  const { id, source, eventId, eventType, name, sessionId, properties, occurredAt } = event
  return {
    ...{ tenantId: binding.tenantId!, id, source, eventId, name },
    eventType: eventType as AnalyticsEvent['eventType'],
    userId: idOf(event.userId),
    customerId: idOf(event.customerId),
    sessionId: sessionId ?? null,
    properties: properties ?? {},
    occurredAt: new Date(occurredAt).toISOString(),
    createdAt: now.toISOString(),
  }
}
