import { getNamedType, type GraphQLObjectType } from 'graphql'
import { liveFields } from '../../gateway/live/live-operation'
import { uuidv7 } from '../../kernel/id'
import type { Asker } from '../askers'
import { leavesOf } from '../documents'
import type { Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'

/** The stream of one field, as somebody reads it. */
interface Followed {
  asker: Asker
  field: string
  type: string
  messages: unknown[]
  /** Resolves when a message shows this id. */
  until(id: string): Promise<boolean>
  close(): void
}

/** Milliseconds after which a change that is not told is taken for one that never is. */
const patienceMs = 30_000
/** Rows of a victim's that changes in the attacker's log name. */
const forged = 3

/**
 * Follows every stream that there is as the administrator of each tenant, while changes of all tenants are told and changes in
 * the attacker's own log name rows of the victims: as if something had put them there. Each is told its own change, once, and
 * nothing else.
 */
export async function attackStreams(lab: Lab, victims: readonly AttackedTenant[]): Promise<void> {
  const root = lab.api.getSubscriptionType()
  if (!root) return
  const live = liveFields(lab.api)
  const streams: Followed[] = []
  const expected = new Map<Followed, string>()
  try {
    for (const tenant of [attacker, ...victims]) {
      const asker = await lab.as(tenant)
      const shown = new Map<string, string>()
      for (const [field, { type, shownBy }] of live) {
        const own = await ownRow(lab, asker, type, shownBy)
        if (!own) continue
        shown.set(type, own)
        const stream = await follow(lab, asker, field, type, selectionOf(lab, field, shownBy))
        streams.push(stream)
        expected.set(stream, own)
      }
      const all = await follow(lab, asker, 'changes', '', '{ kind cursor type id version }')
      streams.push(all)
      if (tenant === attacker)
        for (const victim of victims)
          for (const [, { type }] of live)
            for (const { id } of lab.rows.samples(victim, type).slice(0, forged))
              await addEvent(lab, attacker, type, String(id))
      let last: string | undefined
      for (const [type, id] of shown) await addEvent(lab, tenant, type, (last = id))
      if (last) expected.set(all, last)
    }
    await lab.server.dispatchEvents()
    for (const [stream, own] of expected) judge(lab, stream, await stream.until(own), victims)
  } finally {
    for (const stream of streams) stream.close()
  }
}

function judge(lab: Lab, stream: Followed, isTold: boolean, victims: readonly AttackedTenant[]): void {
  const { asker, field, type, messages } = stream
  const { tenant } = asker
  const where = `Subscription.${field}`
  for (const message of messages) lab.witness.see(tenant, where, message)
  if (!isTold) return lab.found('stream', where, `an own change is not told to ${tenant.slug}`)
  noteCovered(lab, tenant, field)
  if (tenant !== attacker) return
  const text = JSON.stringify(messages)
  const types = type ? [type] : [...liveFields(lab.api).values()].map((one) => one.type)
  for (const victim of victims)
    for (const { id } of types.flatMap((one) => lab.rows.samples(victim, one)))
      if (text.includes(String(id))) lab.found('stream', where, `tells of ${String(id)} of ${victim.slug}`)
  if (type && messages.length !== 1)
    lab.found('stream', where, `has ${messages.length} messages instead of one`)
}

function noteCovered({ coverage, api }: Lab, tenant: AttackedTenant, field: string): void {
  if (tenant !== attacker) return coverage.shown('subscription', field)
  coverage.attacked('subscription', field)
  const message = getNamedType(api.getSubscriptionType()!.getFields()[field]!.type) as GraphQLObjectType
  for (const name of Object.keys(message.getFields())) coverage.attacked('field', `${message.name}.${name}`)
}

/** The selection that a stream is asked for: all that its messages have, and of the row what leads to no other. */
function selectionOf({ api }: Lab, field: string, shownBy: string): string {
  const message = getNamedType(api.getSubscriptionType()!.getFields()[field]!.type) as GraphQLObjectType
  const row = getNamedType(message.getFields()[shownBy]!.type) as GraphQLObjectType
  return `{ kind cursor ${shownBy} { ${leavesOf(row)} } }`
}

/** A row of the asker's tenant that the asker may see; null when there is none. */
async function ownRow(lab: Lab, asker: Asker, type: string, shownBy: string): Promise<string | null> {
  const ids = lab.rows.samples(asker.tenant, type).map(({ id }) => String(id))
  if (ids.length === 0) return null
  const fields = ids.map((id, place) => `a${place}: ${shownBy}(id: "${id}") { id }`)
  const { data } = await lab.ask(asker, `Query.${shownBy}`, `{ ${fields.join(' ')} }`)
  return ids.find((_, place) => data?.[`a${place}`]) ?? null
}

/** Adds an event as a subgraph does. */
async function addEvent(lab: Lab, tenant: AttackedTenant, type: string, id: string): Promise<void> {
  await lab.client.query(
    `INSERT INTO shared.outbox_events (tenant_id, id, aggregate_type, aggregate_id, event_type, payload)
     VALUES ($1, $2, $3, $4, 'updated', '{"fields": [], "version": 2}')`,
    [tenant.id, uuidv7(), type, id],
  )
}

async function follow(
  lab: Lab,
  asker: Asker,
  field: string,
  type: string,
  selection: string,
): Promise<Followed> {
  const abort = new AbortController()
  const response = await fetch(lab.server.url, {
    method: 'POST',
    signal: abort.signal,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${asker.token}`,
    },
    body: JSON.stringify({ query: `subscription { ${field} ${selection} }` }),
  })
  if (response.status !== 200)
    throw new Error(
      `${asker.tenant.slug} cannot follow ${field}: ${response.status} ${await response.text()}`,
    )
  const messages: unknown[] = []
  let look: (() => void) | undefined
  const decoder = new TextDecoder()
  const reading = (async () => {
    let text = ''
    for await (const chunk of response.body!) {
      text += decoder.decode(chunk as Uint8Array, { stream: true })
      const lines = text.split('\n')
      text = lines.pop()!
      for (const line of lines)
        if (line.startsWith('data: ')) messages.push(JSON.parse(line.slice('data: '.length)))
      look?.()
    }
  })().catch(() => undefined)
  return {
    asker,
    field,
    type,
    messages,
    until: (id) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), patienceMs)
        look = () => {
          if (!JSON.stringify(messages).includes(id)) return
          clearTimeout(timer)
          resolve(true)
        }
        look()
        void reading
      }),
    close: () => abort.abort(),
  }
}
