import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let admin: TestClient

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
})
afterAll(() => graph?.close())

let count = 0
/** A customer with an interaction, a pattern, a ticket and its messages, all of which say a word. */
async function withHistory(email: string, word: string): Promise<string> {
  const input = { externalId: `H-${++count}`, email, fullName: word, metadata: { note: word } }
  const { id } = await change<{ id: string }>(admin, 'createCustomer', input, 'customer { id }')
  const interaction = {
    source: 's',
    externalId: `H-${count}`,
    channel: 'CHAT',
    eventType: 'x',
    sentiment: 0.5,
  }
  await change(
    admin,
    'recordInteraction',
    { ...interaction, customerId: id, content: word, metadata: { word } },
    '__typename',
  )
  await change(
    admin,
    'detectPattern',
    { customerId: id, patternType: 'x', confidence: 1, description: word },
    '__typename',
  )
  const ticket = await change<{ id: string }>(
    admin,
    'openSupportTicket',
    { customerEmail: email, subject: word, description: word },
    'supportTicket { id }',
  )
  for (const [mutation, values] of [
    ['replyToSupportTicket', { isFromCustomer: true }],
    ['noteOnSupportTicket', {}],
  ] as const)
    await change(admin, mutation, { supportTicketId: ticket.id, body: word, ...values }, '__typename')
  return id
}

const tables = [
  'customers',
  'customer_interactions',
  'behavior_patterns',
  'support_tickets',
  'ticket_messages',
]
const mentions = async (word: string) => {
  const found: Record<string, number> = {}
  for (const table of tables) {
    const { rows } = await graph.owner.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM insights.${table} t WHERE t::text LIKE '%' || $1 || '%'`,
      [word],
    )
    found[table] = rows[0]!.count
  }
  return found
}

test('nothing that a customer wrote is left, in the index of words neither; what is counted stays', async () => {
  const id = await withHistory('erased@buyers.example', 'xylophone')
  await withHistory('other@buyers.example', 'zither')
  const before = await mentions('zither')
  expect(Object.values(await mentions('xylophone'))).toEqual([1, 1, 1, 1, 2])
  const analyst = await acme.as('ANALYST')
  const refused = await analyst.query(
    'mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { __typename } }',
    { input: { id, expectedVersion: 1 } },
  )
  expect(refused.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect(Object.values(await mentions('xylophone'))).toEqual([1, 1, 1, 1, 2])
  await change(admin, 'eraseCustomer', { id, expectedVersion: 1 }, '__typename')
  expect(Object.values(await mentions('xylophone'))).toEqual([0, 0, 0, 0, 0])
  expect((await mentions('erased@buyers'))['support_tickets']).toBe(0)
  expect(await mentions('zither')).toEqual(before)
  const query = `query ($id: ID!) { customer(id: $id) { email fullName isActive interactionCount averageSentiment
    interactions { totalCount nodes { content sentiment } } patterns { totalCount }
    tickets { nodes { subject customerEmail messages { nodes { body } } } } } }`
  expect(await admin.data(query, { id })).toEqual({
    customer: {
      ...{ email: null, fullName: null, isActive: false, interactionCount: 1, averageSentiment: 0.5 },
      interactions: { totalCount: 1, nodes: [{ content: null, sentiment: 0.5 }] },
      patterns: { totalCount: 0 },
      tickets: {
        nodes: [
          { subject: null, customerEmail: null, messages: { nodes: [{ body: null }, { body: null }] } },
        ],
      },
    },
  })
})

test('who is erased is changed no more, detected no more, and no event names them', async () => {
  const id = await withHistory('gone@buyers.example', 'oboe')
  const other = await withHistory('stays@buyers.example', 'tuba')
  const attempts = (customerId: string, expectedVersion: number) =>
    Promise.all([
      userErrors(admin, 'updateCustomer', { id: customerId, expectedVersion, firstName: 'Oboe' }),
      userErrors(admin, 'reactivateCustomer', { id: customerId, expectedVersion: expectedVersion + 1 }),
      userErrors(admin, 'detectPattern', { customerId, patternType: 'y', confidence: 1 }),
      userErrors(admin, 'trackEvent', { customerId, source: 's', eventId: customerId, name: 'viewed' }),
      userErrors(admin, 'recordInteraction', {
        ...{ customerId, source: 's', externalId: customerId, channel: 'CHAT', eventType: 'x' },
      }),
    ])
  const version = async (one: string) =>
    (await graph.owner.query('SELECT version FROM insights.customers WHERE id = $1', [one])).rows[0]
      .version as number
  await change(admin, 'eraseCustomer', { id, expectedVersion: await version(id) }, '__typename')
  const before = await graph.owner.query('SELECT * FROM insights.customers WHERE id = $1', [id])
  const erased = await version(id)
  const final = { code: 'INVALID_STATUS', field: ['id'], message: 'The customer is erased for good' }
  expect(
    await userErrors(admin, 'updateCustomer', { id, expectedVersion: erased, firstName: 'Oboe' }),
  ).toEqual([final])
  expect(await userErrors(admin, 'reactivateCustomer', { id, expectedVersion: erased })).toEqual([final])
  const codes = (await attempts(id, erased)).map((errors) => errors.map(({ code }) => code))
  expect(codes.slice(2)).toEqual([['REFERENCE_NOT_FOUND'], ['REFERENCE_NOT_FOUND'], ['INVALID_STATUS']])
  const after = await graph.owner.query('SELECT * FROM insights.customers WHERE id = $1', [id])
  expect(after.rows).toEqual(before.rows)
  expect(
    await userErrors(admin, 'updateCustomer', {
      id: other,
      expectedVersion: await version(other),
      firstName: 'T',
    }),
  ).toEqual([])
  const found = (await attempts(other, 99)).map((errors) => errors.map(({ code }) => code))
  expect(found.slice(2)).toEqual([[], [], []])
})

test.each([
  ['the customer', 'Customer', 'customers', 'id'],
  ['all customers', 'Customer', null, null],
  ['a ticket of the customer', 'SupportTicket', 'support_tickets', 'customer_id'],
  ['an interaction of the customer', 'CustomerInteraction', 'customer_interactions', 'customer_id'],
  ['all patterns', 'BehaviorPattern', null, null],
  ['all messages', 'TicketMessage', null, null],
] as const)(
  'a legal hold of %s keeps the customer from being erased, until it is released',
  async (_, resourceType, table, column) => {
    const id = await withHistory(`held${count}@buyers.example`, 'gamelan')
    const found = table
      ? await graph.owner.query<{ id: string }>(`SELECT id FROM insights.${table} WHERE ${column} = $1`, [id])
      : null
    const officer = await acme.user('COMPLIANCE_OFFICER')
    const hold = { holdNumber: `H-${count}`, name: 'Claim', reason: 'Claim' }
    const subject = { resourceType, ...(found && { resourceId: found.rows[0]!.id }) }
    await change(officer, 'placeLegalHold', { ...hold, subjects: [subject] }, 'legalHold { id }')
    const before = await mentions('gamelan')
    const { rows } = await graph.owner.query('SELECT version FROM insights.customers WHERE id = $1', [id])
    const erase = { id, expectedVersion: rows[0].version as number }
    expect(await userErrors(admin, 'eraseCustomer', erase)).toMatchObject([{ code: 'HELD', field: ['id'] }])
    expect(await mentions('gamelan')).toEqual(before)
    await graph.owner.query('UPDATE shared.held_subjects SET released_at = now() WHERE tenant_id = $1', [
      acme.id,
    ])
    expect(await userErrors(admin, 'eraseCustomer', erase)).toEqual([])
    expect(Object.values(await mentions('gamelan'))).toEqual([0, 0, 0, 0, 0])
  },
)
