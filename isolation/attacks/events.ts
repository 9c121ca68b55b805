import { eventDispatcher } from '../../kernel/events/dispatcher'
import type { EventLog, LoggedEvent } from '../../kernel/events/event-log'
import { memoryEventLog } from '../../kernel/events/event-log-memory'
import { readEvents } from '../../kernel/events/read-events'
import { openDatabase } from '../../kernel/connection/database'
import { uuidv7 } from '../../kernel/id'
import type { Mail, OutgoingMail } from '../../kernel/mail/mail'
import { mailSeal, type MailSeal } from '../../kernel/mail/seal'
import { sendDue } from '../../kernel/mail/send-due'
import type { Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'

/** Of a tenant, read in one go. */
const most = 100_000
/** Added to the outbox for each tenant, by turns. */
const added = 30

/**
 * Brings the events of all tenants to the log, while victims have many and the attacker few. Whoever follows the attacker's
 * events, from whatever position, sees none of a victim's, and positions without a gap: they do not tell how much others do.
 * @param eventLog where they go
 */
export async function attackEvents(
  lab: Lab,
  victims: readonly AttackedTenant[],
  eventLog: EventLog = memoryEventLog(lab.server.services.clock, most),
): Promise<void> {
  const database = await openDatabase({
    url: lab.stage.urlFor('gateway'),
    entities: [],
    connections: 3,
    applicationName: 'isolation events',
  })
  const { log, pubSub } = lab.server.services
  const found = (what: string) => lab.found('event', 'event log', what)
  try {
    const dispatcher = eventDispatcher({ database, eventLog, pubSub, log })
    await dispatcher.dispatch()
    const from = (await readEvents({ database, eventLog }, attacker.id, null, most)).position
    const mine = new Set<string>()
    for (let turn = 0; turn < added; turn++) {
      for (const victim of victims) await addEvent(lab, victim)
      mine.add(await addEvent(lab, attacker))
      // Some leave together, some alone.
      if (turn % 7 === 0) await dispatcher.dispatch()
    }
    await dispatcher.dispatch()
    lab.coverage.attacked('beside the graph', 'event log')
    const follow = (tenant: AttackedTenant, after: number) =>
      readEvents({ database, eventLog }, tenant.id, after, most)
    const { events } = await follow(attacker, from)
    lab.witness.see(attacker, 'event log', events)
    const strange = events.filter(({ aggregateId }) => !mine.has(aggregateId))
    if (strange.length > 0)
      found(`shows ${strange.length} events of others, such as ${JSON.stringify(strange[0])}`)
    if (mine.size !== events.length) found(`shows ${events.length} events instead of ${mine.size}`)
    if (events.some(({ position }, place) => position !== from + 1 + place))
      found(`has positions ${positionsOf(events)} after ${from}: gaps tell what others do`)
    for (const victim of victims) {
      const theirs = await follow(victim, 0)
      const all = theirs.isReset ? await eventLog.read(victim.id, theirs.position - added, most) : theirs
      if (all.events.length > 0) lab.coverage.shown('beside the graph', 'event log')
      // The positions of others are no positions of one's own.
      for (const after of [0, theirs.position - 1, theirs.position]) {
        const answer = await follow(attacker, after)
        lab.witness.see(attacker, 'event log', answer.events)
        if (answer.events.some((event) => all.events.some(({ id }) => id === event.id)))
          found(`shows events of ${victim.slug} after ${after}`)
      }
    }
  } finally {
    await database.close()
  }
}

const positionsOf = (events: readonly LoggedEvent[]): string =>
  events.map(({ position }) => position).join(', ')

/** Adds an event as a subgraph does; answers the id of what it is about. */
async function addEvent(lab: Lab, tenant: AttackedTenant): Promise<string> {
  const about = uuidv7()
  await lab.client.query(
    `INSERT INTO shared.outbox_events (tenant_id, id, aggregate_type, aggregate_id, event_type, payload)
     VALUES ($1, $2, 'Employee', $3, 'updated', '{"fields": ["lastName"], "version": 2}')`,
    [tenant.id, uuidv7(), about],
  )
  return about
}

/**
 * Copies a victim's sealed mail into the attacker's outbox, and the attacker's mail into another row: neither leaves. The
 * victim's own leaves.
 */
export async function attackMails(
  lab: Lab,
  victims: readonly AttackedTenant[],
  seal: MailSeal = mailSeal(lab.server.services.keys),
): Promise<void> {
  const { clock, log } = lab.server.services
  const database = await openDatabase({
    url: lab.stage.urlFor('identity'),
    entities: [],
    connections: 3,
    applicationName: 'isolation mails',
  })
  const sent: OutgoingMail[] = []
  const transport = { send: async (mail: OutgoingMail) => void sent.push(mail), close: async () => {} }
  const add = async (tenant: AttackedTenant, id: string, sealed: string) => {
    await lab.client.query(
      `INSERT INTO shared.mails (tenant_id, id, kind, sealed, due_at, created_at) VALUES ($1, $2, 'isolation', $3, $4, $4)`,
      [tenant.id, id, sealed, clock.now().toISOString()],
    )
    return id
  }
  try {
    lab.coverage.attacked('beside the graph', 'mail')
    const stolen: string[] = []
    for (const victim of [...victims, attacker]) {
      const id = uuidv7()
      const mail = mailFor(victim)
      const sealed = seal.close({ tenantId: victim.id, id }, mail)
      await add(victim, id, sealed)
      stolen.push(await add(attacker, uuidv7(), sealed))
    }
    await sendDue({ database, transport, seal, clock, log })
    if (victims.some((victim) => sent.some(({ to }) => to === mailFor(victim).to)))
      lab.coverage.shown('beside the graph', 'mail')
    for (const { id, to } of sent)
      if (stolen.includes(id)) lab.found('mail', 'mail', `a copy of what is for ${to} left`)
  } finally {
    await lab.client.query("DELETE FROM shared.mails WHERE kind = 'isolation'")
    await database.close()
  }
}

const mailFor = ({ slug }: AttackedTenant): Mail => ({
  kind: 'isolation',
  to: `somebody@${slug}.example`,
  subject: 'Secret',
  text: `For ${slug} alone`,
  html: `<p>For ${slug} alone</p>`,
})
