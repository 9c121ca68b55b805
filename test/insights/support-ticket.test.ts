import { openDatabase, type Database } from '../../kernel/connection/database'
import type { Job } from '../../kernel/jobs'
import { retentionJob } from '../../kernel/retention'
import { lateTickets } from '../../subgraphs/insights/jobs/late-tickets'
import { retained } from '../../subgraphs/insights/retained'
import type { SupportTicketStatus } from '../../subgraphs/insights/entities/SupportTicket'
import { statusAfter, ticketMoves, type TicketMove } from '../../subgraphs/insights/rules/ticket-status'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, readAll, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let admin: TestClient
let agent: TestClient
let database: Database
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
  agent = await acme.as('USER')
  const url = graph.database.urlFor('insights')
  database = await openDatabase({ url, entities: [], connections: 1, applicationName: 'tickets' })
})
afterAll(async () => {
  await database?.close()
  await graph?.close()
})

interface Ticket {
  id: string
  version: number
  ticketNumber: string
  status: SupportTicketStatus
}
const shown = 'id version ticketNumber status'

const open = (values: object = {}, client = agent) => {
  const input = { customerEmail: `c${++count}@buyers.example`, subject: `Broken ${count}`, ...values }
  return change<Ticket>(client, 'openSupportTicket', input, `supportTicket { ${shown} }`)
}
const act = async (verb: string, ticket: { id: string }, values: object = {}, selection = shown) => {
  const { supportTicket } = await agent.data<{ supportTicket: { version: number } }>(
    'query ($id: ID!) { supportTicket(id: $id) { version } }',
    { id: ticket.id },
  )
  const input = { id: ticket.id, expectedVersion: supportTicket.version, ...values }
  return change<Ticket & Record<string, unknown>>(
    agent,
    `${verb}SupportTicket`,
    input,
    `supportTicket { ${selection} }`,
  )
}
const reply = (ticket: { id: string }, values: object = {}) =>
  change<{ id: string; ticket: Ticket }>(
    agent,
    'replyToSupportTicket',
    { supportTicketId: ticket.id, body: 'We look into it', ...values },
    `ticketMessage { id ticket { ${shown} } }`,
  )
const read = async (ticket: { id: string }, selection: string, client = agent) =>
  (
    await client.data<{ supportTicket: Record<string, unknown> }>(
      `query ($id: ID!) { supportTicket(id: $id) { ${selection} } }`,
      { id: ticket.id },
    )
  ).supportTicket

/** A ticket that has come to a status. */
async function inStatus(status: SupportTicketStatus): Promise<Ticket> {
  const ticket = await open()
  if (status === 'NEW') return ticket
  await reply(ticket)
  if (status === 'WAITING') return act('pause', ticket)
  if (status === 'RESOLVED' || status === 'CLOSED') await act('resolve', ticket)
  if (status === 'CLOSED') await act('close', ticket)
  return { ...ticket, ...(await read(ticket, shown)) }
}

/** What is sent for a move, and to whom. */
const moves: Readonly<Record<TicketMove, (ticket: Ticket) => [string, object]>> = {
  assign: ({ id, version }) => [
    'assignSupportTicket',
    { id, expectedVersion: version, assigneeId: agent.userId },
  ],
  prioritize: ({ id, version }) => [
    'prioritizeSupportTicket',
    { id, expectedVersion: version, priority: 'HIGH' },
  ],
  escalate: ({ id, version }) => ['escalateSupportTicket', { id, expectedVersion: version, reason: 'Angry' }],
  answer: ({ id }) => ['replyToSupportTicket', { supportTicketId: id, body: 'Answer' }],
  hear: ({ id }) => ['replyToSupportTicket', { supportTicketId: id, body: 'Hello?', isFromCustomer: true }],
  note: ({ id }) => ['noteOnSupportTicket', { supportTicketId: id, body: 'Note' }],
  pause: ({ id, version }) => ['pauseSupportTicket', { id, expectedVersion: version }],
  resolve: ({ id, version }) => ['resolveSupportTicket', { id, expectedVersion: version }],
  reopen: ({ id, version }) => ['reopenSupportTicket', { id, expectedVersion: version }],
  close: ({ id, version }) => ['closeSupportTicket', { id, expectedVersion: version }],
  merge: ({ id, version }) => ['mergeSupportTicket', { id, expectedVersion: version, mergedIntoId: staying }],
}
let staying = ''
beforeAll(async () => (staying = (await open()).id))

describe.each(['NEW', 'OPEN', 'WAITING', 'RESOLVED', 'CLOSED'] as const)('a ticket that is %s', (status) => {
  test.each(Object.keys(ticketMoves) as TicketMove[])('%s', async (move) => {
    const ticket = await inStatus(status)
    expect(ticket.status).toBe(status)
    const [mutation, input] = moves[move](ticket)
    const after = statusAfter(move, status)
    const errors = await userErrors(agent, mutation, input as Record<string, unknown>)
    if (after === null) {
      const field = 'id' in input ? 'id' : 'supportTicketId'
      expect(errors).toMatchObject([
        {
          code:
            status === 'CLOSED' && (move === 'reopen' || move === 'hear')
              ? 'FOLLOW_UP_NEEDED'
              : 'INVALID_STATUS',
          field: [field],
        },
      ])
      expect(await read(ticket, shown)).toEqual(ticket)
      return
    }
    expect(errors).toEqual([])
    const now = await read(ticket, 'status resolvedAt closedAt')
    expect(now['status']).toBe(after)
    // resolvedAt and closedAt are set and cleared with the status.
    expect(now['resolvedAt'] !== null).toBe(after === 'RESOLVED' || after === 'CLOSED')
    expect(now['closedAt'] !== null).toBe(after === 'CLOSED')
  })
})

test('a ticket shows what it was opened with, and its label follows the score', async () => {
  const values = { category: 'billing', priority: 'HIGH', channel: 'CHAT', description: 'Charged twice' }
  const ticket = await open({
    ...values,
    subject: 'Invoice',
    sentimentScore: -0.25,
    customerEmail: 'Ann@Buyers.example',
  })
  expect(
    await read(
      ticket,
      'subject customerEmail category priority channel description sentimentScore sentiment language status assignee { id } version',
    ),
  ).toEqual({
    ...{ ...values, subject: 'Invoice', customerEmail: 'ann@buyers.example', language: 'en', status: 'NEW' },
    ...{ sentimentScore: -0.25, sentiment: 'NEGATIVE', assignee: null, version: 1 },
  })
  for (const [sentimentScore, sentiment] of [
    [0.25, 'POSITIVE'],
    [0.2499, 'NEUTRAL'],
    [-1, 'NEGATIVE'],
    [1, 'POSITIVE'],
    [null, null],
  ])
    expect(await read(await open({ sentimentScore }), 'sentiment')).toEqual({ sentiment })
  for (const sentimentScore of [1.0001, -1.0001])
    expect(
      await userErrors(agent, 'openSupportTicket', {
        customerEmail: 'a@b.example',
        subject: 'x',
        sentimentScore,
      }),
    ).toEqual([
      { code: 'INVALID', field: ['sentimentScore'], message: 'sentimentScore must be between -1 and 1' },
    ])
})

test('20 tickets opened at once have 20 numbers; another tenant begins with its own first', async () => {
  const opened = await Promise.all(Array.from({ length: 20 }, () => open()))
  expect(new Set(opened.map(({ ticketNumber }) => ticketNumber)).size).toBe(20)
  for (const { ticketNumber } of opened) expect(ticketNumber).toMatch(/^T-\d+$/)
  const other = await (await graph.tenant('numbers')).as('USER')
  expect((await open({}, other)).ticketNumber).toBe('T-1')
})

test('the customer is found by the address when exactly one in use has it', async () => {
  const customer = async (email: string) =>
    (
      await change<{ id: string }>(
        admin,
        'createCustomer',
        { externalId: `T-${++count}`, email },
        'customer { id }',
      )
    ).id
  const only = await customer('only@buyers.example')
  await customer('shared@buyers.example')
  const second = await customer('shared@buyers.example')
  const owner = async (values: object) => (await read(await open(values), 'customer { id }'))['customer']
  expect(await owner({ customerEmail: 'Only@buyers.example' })).toEqual({ id: only })
  expect(await owner({ customerEmail: 'shared@buyers.example' })).toBeNull()
  expect(await owner({ customerEmail: 'nobody@buyers.example' })).toBeNull()
  expect(await owner({ customerEmail: 'shared@buyers.example', customerId: second })).toEqual({ id: second })
  await change(admin, 'deactivateCustomer', { id: only, expectedVersion: 1 }, '__typename')
  expect(await owner({ customerEmail: 'only@buyers.example' })).toBeNull()
})

test('work is given to active users who may do it', async () => {
  const ticket = await open()
  const viewer = await acme.user('VIEWER')
  const gone = await acme.user('USER')
  await graph.owner.query("UPDATE identity.users SET status = 'SUSPENDED' WHERE id = $1", [gone.userId])
  const stranger = await (await graph.tenant('globex')).as('ADMIN')
  const assign = (assigneeId: string) =>
    userErrors(agent, 'assignSupportTicket', { id: ticket.id, expectedVersion: 1, assigneeId })
  for (const userId of [viewer.userId, gone.userId])
    expect(await assign(userId)).toMatchObject([{ code: 'INVALID', field: ['assigneeId'] }])
  expect(await assign(stranger.userId)).toMatchObject([
    { code: 'REFERENCE_NOT_FOUND', field: ['assigneeId'] },
  ])
  expect(await read(ticket, shown)).toEqual(ticket)
  expect(await assign(agent.userId)).toEqual([])
  expect(await read(ticket, 'status assignee { id assignedTickets { nodes { id } } }')).toMatchObject({
    status: 'OPEN',
    assignee: { id: agent.userId, assignedTickets: { nodes: expect.arrayContaining([{ id: ticket.id }]) } },
  })
  await act('assign', ticket, { assigneeId: null })
  expect(await read(ticket, 'assignee { id }')).toEqual({ assignee: null })
})

test('escalation raises the priority by one, with its reason as a note, up to the highest', async () => {
  const ticket = await open({ priority: 'HIGH' })
  expect(await act('escalate', ticket, { reason: 'Threatens to leave' }, 'priority status')).toEqual({
    priority: 'URGENT',
    status: 'OPEN',
  })
  expect(await read(ticket, 'messages { nodes { visibility body author { id } } }')).toEqual({
    messages: {
      nodes: [{ visibility: 'INTERNAL', body: 'Threatens to leave', author: { id: agent.userId } }],
    },
  })
  expect(
    await userErrors(agent, 'escalateSupportTicket', { id: ticket.id, expectedVersion: 2, reason: 'x' }),
  ).toMatchObject([{ code: 'INVALID_STATUS', field: ['id'] }])
})

test('internal notes are for those who may read notes, in every list, and no search finds them', async () => {
  const ticket = await open({ subject: 'Parcel' })
  await reply(ticket, { body: 'The zephyr parcel is on its way' })
  await change(
    agent,
    'noteOnSupportTicket',
    { supportTicketId: ticket.id, body: 'Customer is a quagga' },
    'ticketMessage { id }',
  )
  const viewer = await acme.as('VIEWER')
  const both = 'messages { totalCount nodes { body } } conversation { totalCount nodes { body } }'
  const open_ = { totalCount: 1, nodes: [{ body: 'The zephyr parcel is on its way' }] }
  expect(await read(ticket, both, viewer)).toEqual({ messages: open_, conversation: open_ })
  expect(await read(ticket, 'messages { totalCount }')).toEqual({ messages: { totalCount: 2 } })
  const search = async (query: string) =>
    (
      await agent.data<{ searchSupportTickets: { nodes: { id: string }[] } }>(
        'query ($query: String!) { searchSupportTickets(query: $query) { nodes { id } } }',
        { query },
      )
    ).searchSupportTickets.nodes.map(({ id }) => id)
  expect(await search('zephyr')).toEqual([ticket.id])
  expect(await search('quagga')).toEqual([])
  expect((await search(ticket.ticketNumber.toLowerCase()))[0]).toBe(ticket.id)
  expect(
    await userErrors(viewer, 'noteOnSupportTicket', { supportTicketId: ticket.id, body: 'x' }).catch(
      () => 'denied',
    ),
  ).toBe('denied')
})

test('merging keeps both conversations, redirects what comes, and earlier merges too', async () => {
  const [first, second, third] = [await open(), await open(), await open()]
  await reply(first, { body: 'of the first' })
  await reply(second, { body: 'of the second' })
  await act('merge', first, { mergedIntoId: second.id })
  await act('merge', second, { mergedIntoId: third.id })
  expect(await read(first, 'status mergedInto { id } messages { nodes { body } }')).toEqual({
    status: 'CLOSED',
    mergedInto: { id: third.id },
    messages: { nodes: [{ body: 'of the first' }] },
  })
  const late = await reply(first, { body: 'comes later', isFromCustomer: true })
  expect(late.ticket.id).toBe(third.id)
  expect(await read(third, 'conversation { nodes { body } } messages { nodes { body } }')).toEqual({
    conversation: { nodes: [{ body: 'of the first' }, { body: 'of the second' }, { body: 'comes later' }] },
    messages: { nodes: [{ body: 'comes later' }] },
  })
  const own = await open()
  for (const [mergedIntoId, code] of [
    [own.id, 'INVALID'],
    [first.id, 'INVALID_STATUS'],
    ['x', 'REFERENCE_NOT_FOUND'],
  ])
    expect(
      await userErrors(agent, 'mergeSupportTicket', { id: own.id, expectedVersion: 1, mergedIntoId }),
    ).toMatchObject([{ code, field: ['mergedIntoId'] }])
  expect(await read(own, shown)).toEqual(own)
})

test('two tickets merged into each other at once: one merge is done', async () => {
  const [one, other] = [await open(), await open()]
  const results = await Promise.all([
    userErrors(agent, 'mergeSupportTicket', { id: one.id, expectedVersion: 1, mergedIntoId: other.id }),
    userErrors(agent, 'mergeSupportTicket', { id: other.id, expectedVersion: 1, mergedIntoId: one.id }),
  ])
  expect(results.map((errors) => errors.length).sort()).toEqual([0, 1])
})

test('the same reply sent twice with its key is one message', async () => {
  const ticket = await open()
  const sent = [
    await reply(ticket, { idempotencyKey: 'mail-7' }),
    await reply(ticket, { idempotencyKey: 'mail-7' }),
  ]
  expect(sent[0]!.id).toBe(sent[1]!.id)
  expect(await read(ticket, 'messages { totalCount }')).toEqual({ messages: { totalCount: 1 } })
})

test('a list of tickets and a list with conversations take one statement a level', async () => {
  const insights = async (selection: string) =>
    (await graph.statementsDuring(() => readAll(agent, 'supportTickets', selection, '', 100))).filter(
      ({ role, text }) => role === 'insights' && text.startsWith('SELECT'),
    ).length
  expect(await insights('status priority slaPolicy { name calendar { name } } followUpOf { status }')).toBe(1)
  expect(await insights('status conversation(first: 5) { nodes { visibility sentAt } }')).toBe(2)
  const statements = await graph.statementsDuring(() =>
    agent.data('{ customers { nodes { externalId tickets(first: 2) { nodes { status } } } } }'),
  )
  expect(statements.filter(({ role }) => role === 'insights')).toHaveLength(2)
})

// What moves the clock stands at the end: it goes forward only.
describe('by the clock', () => {
  // Spans are told to the second.
  beforeAll(() => graph.clock.stop())

  test('reopened within 14 days, then a follow-up; the job closes what nobody reopened', async () => {
    const [soon, late] = [await inStatus('RESOLVED'), await inStatus('RESOLVED')]
    await pass({ days: 13, hours: 23 })
    expect((await act('reopen', soon)).status).toBe('OPEN')
    await pass({ hours: 2 })
    for (const [mutation, input] of [
      ['reopenSupportTicket', { id: late.id, expectedVersion: late.version }],
      ['replyToSupportTicket', { supportTicketId: late.id, body: 'Again', isFromCustomer: true }],
    ] as const)
      expect(await userErrors(agent, mutation, input)).toMatchObject([{ code: 'FOLLOW_UP_NEEDED' }])
    const follow = await change<Ticket>(
      agent,
      'continueSupportTicket',
      { id: late.id, description: 'Again' },
      'supportTicket { id status followUpOf { id } }',
    )
    expect(follow).toMatchObject({ status: 'NEW', followUpOf: { id: late.id } })
    await runTicketJob(lateTickets)
    expect(await read(late, 'status')).toEqual({ status: 'CLOSED' })
    expect(await read(soon, 'status')).toEqual({ status: 'OPEN' })
  })

  test('clocks run in business hours, pause while waiting, and breach once', async () => {
    const hours = [
      { weekday: 'MONDAY', opensAt: '09:00', closesAt: '17:00' },
      { weekday: 'FRIDAY', opensAt: '09:00', closesAt: '17:00' },
    ]
    const calendar = await change<{ id: string }>(
      admin,
      'createBusinessCalendar',
      { name: 'Desk', timeZone: 'Europe/Berlin', hours },
      'businessCalendar { id }',
    )
    const policy = {
      name: 'Urgent',
      priority: 'URGENT',
      firstResponseMinutes: 60,
      resolutionMinutes: 480,
      calendarId: calendar.id,
    }
    await change(admin, 'createSlaPolicy', policy, 'slaPolicy { id }')
    // The Friday before clocks change in Berlin, 16:30 there.
    await moveTo('2027-03-26T15:30:00Z')
    const ticket = await open({ priority: 'URGENT' })
    const clocks =
      'firstResponseDueAt firstResponseSecondsLeft firstResponseBreachedAt resolutionDueAt resolutionSecondsLeft resolutionBreachedAt'
    // Half an hour is left on Friday, the other one on Monday, 9:30 in summer time.
    const running = { firstResponseDueAt: '2027-03-29T07:30:00', resolutionDueAt: '2027-03-29T14:30:00' }
    const near = async () => {
      const found = await read(ticket, clocks)
      return Object.fromEntries(
        Object.entries(found).map(([name, value]) => [
          name,
          typeof value === 'string' ? value.slice(0, 19) : value,
        ]),
      )
    }
    const none = {
      firstResponseSecondsLeft: null,
      firstResponseBreachedAt: null,
      resolutionSecondsLeft: null,
      resolutionBreachedAt: null,
    }
    expect(await near()).toEqual({ ...running, ...none })
    // Monday, 9:15.
    await moveTo('2027-03-29T07:15:00Z')
    await act('pause', ticket)
    const standing = await read(ticket, clocks)
    expect(standing).toMatchObject({
      firstResponseDueAt: null,
      resolutionDueAt: null,
      firstResponseBreachedAt: null,
    })
    expect(standing['firstResponseSecondsLeft']).toBeGreaterThan(895)
    expect(standing['firstResponseSecondsLeft']).toBeLessThanOrEqual(900)
    // However long the customer takes, nothing is late.
    await moveTo('2027-04-05T07:00:00Z')
    await runTicketJob(lateTickets)
    await reply(ticket, { body: 'Here I am', isFromCustomer: true })
    expect(await near()).toMatchObject({
      firstResponseDueAt: aQuarterLater,
      firstResponseBreachedAt: null,
    })
    await moveTo('2027-04-05T08:00:00Z')
    await runTicketJob(lateTickets)
    await runTicketJob(lateTickets)
    expect(await near()).toMatchObject({
      firstResponseBreachedAt: aQuarterLater,
      resolutionBreachedAt: null,
    })
    const { rows } = await graph.owner.query(
      "SELECT payload->>'clock' AS clock FROM shared.outbox_events WHERE aggregate_id = $1 AND event_type = 'insights.ticket-breached'",
      [ticket.id],
    )
    expect(rows).toEqual([{ clock: 'FIRST_RESPONSE' }])
    // Answered late: the breach stays, and is not told again.
    await reply(ticket)
    await act('prioritize', ticket, { priority: 'LOW' })
    expect(await near()).toMatchObject({
      firstResponseBreachedAt: aQuarterLater,
      resolutionDueAt: null,
    })
  })

  test('a breach counts from when it was due, also where no job has come by', async () => {
    await change(
      admin,
      'createSlaPolicy',
      { name: 'High', priority: 'HIGH', firstResponseMinutes: 10, resolutionMinutes: 20 },
      'slaPolicy { id }',
    )
    const ticket = await open({ priority: 'HIGH' })
    const { firstResponseDueAt } = await read(ticket, 'firstResponseDueAt')
    await pass({ hours: 1 })
    await reply(ticket)
    expect(await read(ticket, 'firstResponseBreachedAt')).toEqual({
      firstResponseBreachedAt: firstResponseDueAt,
    })
    const { resolutionDueAt } = await read(ticket, 'resolutionDueAt')
    await act('resolve', ticket)
    expect(await read(ticket, 'resolutionBreachedAt resolutionSecondsLeft')).toEqual({
      resolutionBreachedAt: resolutionDueAt,
      resolutionSecondsLeft: 0,
    })
    await act('reopen', ticket)
    expect(await read(ticket, 'resolutionBreachedAt resolutionDueAt')).toEqual({
      resolutionBreachedAt: resolutionDueAt,
      resolutionDueAt,
    })
  })

  test('closed tickets are kept for two years, or as long as they are held, and then gone with their messages', async () => {
    const [older, younger, alive, held, message, target] = [
      ...[await inStatus('CLOSED'), await inStatus('CLOSED'), await inStatus('OPEN')],
      ...[await inStatus('CLOSED'), await inStatus('CLOSED'), await inStatus('OPEN')],
    ] as const
    const merged = await open()
    await act('merge', merged, { mergedIntoId: target.id })
    for (const verb of ['resolve', 'close']) await act(verb, target)
    const ids = [older, younger, alive, held, message, target, merged].map(({ id }) => id)
    const twoYearsAgo = graph.clock.now()
    twoYearsAgo.setUTCFullYear(twoYearsAgo.getUTCFullYear() - 2)
    for (const [{ id }, seconds] of [
      ...([older, held, message, target, merged] as const).map((one) => [one, -60] as const),
      [younger, 60] as const,
    ])
      await graph.owner.query('UPDATE insights.support_tickets SET closed_at = $2 WHERE id = $1', [
        id,
        new Date(twoYearsAgo.getTime() + seconds * 1000),
      ])
    const said = await graph.owner.query<{ id: string }>(
      'SELECT id FROM insights.ticket_messages WHERE ticket_id = $1 LIMIT 1',
      [message.id],
    )
    const officer = await acme.user('COMPLIANCE_OFFICER')
    const hold = async (resourceType: string, resourceId: string) => {
      const input = { holdNumber: `T-${++count}`, name: 'Claim', reason: 'Claim of a customer' }
      const subjects = [{ resourceType, resourceId }]
      await change(officer, 'placeLegalHold', { ...input, subjects }, 'legalHold { id }')
    }
    await hold('SupportTicket', held.id)
    await hold('TicketMessage', said.rows[0]!.id)
    await hold('SupportTicket', target.id)
    const left = async () =>
      (
        await graph.owner.query<{ id: string; messages: number }>(
          `SELECT t.id, (SELECT count(*)::int FROM insights.ticket_messages m WHERE m.ticket_id = t.id) AS messages
             FROM insights.support_tickets t WHERE t.id = ANY ($1) ORDER BY t.id`,
          [ids],
        )
      ).rows.map(({ id }) => id)
    const retention = retentionJob(retained) as Job
    await runTicketJob(retention)
    // What was merged into a held ticket is a part of it.
    expect(await left()).toEqual([younger, alive, held, message, target, merged].map(({ id }) => id).sort())
    expect(
      (await graph.owner.query('SELECT FROM insights.ticket_messages WHERE ticket_id = $1', [older.id]))
        .rowCount,
    ).toBe(0)
    const receipt = await graph.owner.query(
      `SELECT subgraph, data_class, removed, held FROM shared.retention_receipts WHERE resource_type = 'SupportTicket'`,
    )
    expect(receipt.rows).toEqual([{ subgraph: 'insights', data_class: 'TICKET', removed: 1, held: 3 }])
    await graph.owner.query('UPDATE shared.held_subjects SET released_at = now() WHERE tenant_id = $1', [
      acme.id,
    ])
    // The ticket that stays is needed by what was merged into it, and goes after that.
    await runTicketJob(retention)
    expect(await left()).toEqual([younger, alive, target].map(({ id }) => id).sort())
    await runTicketJob(retention)
    expect(await left()).toEqual([younger, alive].map(({ id }) => id).sort())
  })
})

/** Time goes on; sessions end meanwhile. */
async function pass(by: Parameters<TestGraph['clock']['advance']>[0]): Promise<void> {
  graph.clock.advance(by)
  agent = await acme.user('USER')
  admin = await acme.user('ADMIN')
}

// Seconds that were left are whole.
const aQuarterLater = expect.stringMatching(/^2027-04-05T07:1(4:59|5:00)/) as string

const moveTo = (instant: string) =>
  pass({ seconds: Math.ceil((Date.parse(instant) - graph.clock.now().getTime()) / 1000) })

const runTicketJob = (job: Job) => runJob(job, database, graph.server.services, { tenantId: acme.id })
