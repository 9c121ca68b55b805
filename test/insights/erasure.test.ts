import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change } from '../support/lists'

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
