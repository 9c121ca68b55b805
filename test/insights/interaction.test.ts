import { assert, array, asyncProperty, integer, option, record } from 'fast-check'
import { Client } from 'pg'
import { highlighted, matchStart, matchStop } from '../../kernel/searching/highlight'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let globex: TestTenant
let analyst: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  globex = await graph.tenant('globex')
  analyst = await acme.as('ANALYST')
})
afterAll(() => graph?.close())

async function customer(client = analyst, values: object = {}): Promise<string> {
  const input = { externalId: `C-${++count}`, firstSeenAt: '2026-01-10T00:00:00Z', ...values }
  return (await change<{ id: string }>(client, 'createCustomer', input, 'customer { id }')).id
}

interface Input extends Record<string, unknown> {
  customerId: string
}

function interaction(customerId: string, values: object = {}): Input {
  const base = { source: 'helpdesk', externalId: `I-${++count}`, channel: 'CHAT', eventType: 'question' }
  return { customerId, occurredAt: '2026-02-01T12:00:00Z', ...base, ...values }
}

const mutation = `mutation ($input: RecordInteractionInput!) {
  recordInteraction(input: $input) { isNew customerInteraction { id content } userErrors { code field message } }
}`

interface Recorded {
  recordInteraction: {
    isNew: boolean | null
    customerInteraction: { id: string; content: string | null } | null
    userErrors: { code: string; field: string[] }[]
  }
}

const recorded = async (input: Input, client = analyst) =>
  (await client.data<Recorded>(mutation, { input })).recordInteraction

const statistics = 'interactionCount averageSentiment firstSeenAt lastSeenAt version'
async function statisticsOf(id: string, client = analyst) {
  const query = `query ($id: ID!) { customer(id: $id) { ${statistics} } }`
  return (await client.data<{ customer: object }>(query, { id })).customer
}

test('an interaction is recorded, counted, audited and read', async () => {
  const customerId = await customer()
  const input = interaction(customerId, {
    content: 'The delivery was late',
    sentiment: -0.5,
    sentimentConfidence: 0.75,
    metadata: { ticket: 7 },
  })
  const { customerInteraction, isNew } = await recorded(input)
  expect(isNew).toBe(true)
  const id = customerInteraction!.id
  const query = `query ($id: ID!) { customerInteraction(id: $id) {
    source externalId occurredAt channel eventType content sentiment sentimentLabel sentimentConfidence metadata
    customer { id ${statistics} }
  } }`
  const { customerId: _, ...values } = input
  expect(await analyst.data(query, { id })).toEqual({
    customerInteraction: {
      ...values,
      occurredAt: '2026-02-01T12:00:00.000Z',
      sentimentLabel: 'NEGATIVE',
      customer: {
        id: customerId,
        interactionCount: 1,
        averageSentiment: -0.5,
        firstSeenAt: '2026-01-10T00:00:00.000Z',
        lastSeenAt: '2026-02-01T12:00:00.000Z',
        version: 1,
      },
    },
  })
  const { rows } = await graph.owner.query(
    "SELECT action FROM shared.audit_logs WHERE resource_id = $1 AND action <> 'VIEW'",
    [id],
  )
  expect(rows).toEqual([{ action: 'CREATE' }])
})

test('the same event again changes nothing and gives the first', async () => {
  const customerId = await customer()
  const input = interaction(customerId, { content: 'First', sentiment: 1 })
  const first = await recorded(input)
  const before = await statisticsOf(customerId)
  const again = await recorded({ ...input, occurredAt: '2026-02-01T13:00:00+01:00', sentiment: 1 })
  expect(again).toEqual({ ...first, isNew: false })
  // I1: what says something else is another one, and the message names what differs.
  const errors = await userErrors(analyst, 'recordInteraction', {
    ...input,
    content: 'Second',
    sentiment: -1,
  })
  expect(errors).toEqual([
    {
      code: 'DUPLICATE',
      field: ['externalId'],
      message: 'externalId is that of another interaction: content, sentiment',
    },
  ])
  expect(await statisticsOf(customerId)).toEqual(before)
  const other = await recorded({ ...input, customerId: await customer() })
  expect(other).toMatchObject({
    customerInteraction: null,
    userErrors: [{ code: 'DUPLICATE', field: ['externalId'] }],
  })
  const elsewhere = await globex.as('ANALYST')
  const theirs = await recorded({ ...input, customerId: await customer(elsewhere) }, elsewhere)
  expect(theirs).toMatchObject({ isNew: true, userErrors: [] })
})

test('I5: customers out of use, and such as are seen in the future, are refused', async () => {
  const customerId = await customer()
  await change(analyst, 'deactivateCustomer', { id: customerId, expectedVersion: 1 }, '__typename')
  expect(await userErrors(analyst, 'recordInteraction', interaction(customerId))).toMatchObject([
    { code: 'INVALID_STATUS', field: ['customerId'] },
  ])
  expect(await statisticsOf(customerId)).toMatchObject({ interactionCount: 0 })
  const input = { externalId: `C-${++count}`, firstSeenAt: '2099-01-01T00:00:00Z' }
  expect(await userErrors(analyst, 'createCustomer', input)).toMatchObject([
    { code: 'INVALID', field: ['firstSeenAt'] },
  ])
})

test('an earlier interaction moves first seen, one without sentiment leaves the mean', async () => {
  const customerId = await customer()
  await recorded(interaction(customerId, { sentiment: 0.25 }))
  await recorded(interaction(customerId, { occurredAt: '2025-12-31T00:00:00Z' }))
  expect(await statisticsOf(customerId)).toEqual({
    interactionCount: 2,
    averageSentiment: 0.25,
    firstSeenAt: '2025-12-31T00:00:00.000Z',
    lastSeenAt: '2026-02-01T12:00:00.000Z',
    version: 1,
  })
})

test('a hundred writers at once, some of them twice: count, mean and last seen are right', async () => {
  const hundredths = option(integer({ min: -100, max: 100 }), { freq: 4 })
  const event = record({
    sentiment: hundredths,
    minute: integer({ min: 0, max: 50_000 }),
    sent: integer({ min: 1, max: 2 }),
  })
  await assert(
    asyncProperty(array(event, { minLength: 70, maxLength: 70 }), async (events) => {
      const customerId = await customer()
      const start = Date.parse('2026-01-10T00:00:00Z')
      const inputs = events.map(({ sentiment, minute }) =>
        interaction(customerId, {
          sentiment: sentiment === null ? null : sentiment / 100,
          occurredAt: new Date(start + minute * 60_000).toISOString(),
        }),
      )
      const writes = inputs.flatMap((input, place) =>
        Array.from({ length: events[place]!.sent }, () => input),
      )
      const answers = await Promise.all(writes.map((input) => recorded(input)))
      expect(answers.filter(({ isNew }) => isNew)).toHaveLength(inputs.length)
      expect(new Set(answers.map((one) => one.customerInteraction?.id)).size).toBe(inputs.length)
      const felt = events.flatMap(({ sentiment }) => sentiment ?? [])
      const mean = felt.reduce((sum, one) => sum + one, 0) / felt.length / 100
      expect(await statisticsOf(customerId)).toEqual({
        interactionCount: inputs.length,
        averageSentiment: felt.length > 0 ? expect.closeTo(mean, 12) : null,
        firstSeenAt: '2026-01-10T00:00:00.000Z',
        lastSeenAt: new Date(start + Math.max(...events.map(({ minute }) => minute)) * 60_000).toISOString(),
        version: 1,
      })
    }),
    { numRuns: 2, endOnFailure: true },
  )
})

test.each([
  ['an empty source', { source: '' }, 'source'],
  ['a long source', { source: 'x'.repeat(101) }, 'source'],
  ['an empty id', { externalId: '' }, 'externalId'],
  ['a long id', { externalId: 'x'.repeat(256) }, 'externalId'],
  ['an empty kind of event', { eventType: '' }, 'eventType'],
  ['a long content', { content: 'x'.repeat(20_001) }, 'content'],
  ['a sentiment above 1', { sentiment: 1.01 }, 'sentiment'],
  ['a sentiment below -1', { sentiment: -1.01 }, 'sentiment'],
  ['a confidence above 1', { sentiment: 0, sentimentConfidence: 1.1 }, 'sentimentConfidence'],
  ['a confidence without sentiment', { sentimentConfidence: 0.5 }, 'sentimentConfidence'],
  ['metadata that are a list', { metadata: [] }, 'metadata'],
  ['an event of tomorrow', { occurredAt: new Date(Date.now() + 86_400_000).toISOString() }, 'occurredAt'],
])('%s is refused by the name of its field, and nothing is counted', async (_, values, field) => {
  const customerId = await customer()
  const errors = await userErrors(analyst, 'recordInteraction', interaction(customerId, values))
  expect(errors).toMatchObject([{ code: 'INVALID', field: [field] }])
  expect(await statisticsOf(customerId)).toMatchObject({ interactionCount: 0, averageSentiment: null })
})

test("another tenant's customer is no customer, and nothing of it changes", async () => {
  const customerId = await customer()
  const stranger = await globex.as('ANALYST')
  const errors = await userErrors(stranger, 'recordInteraction', interaction(customerId))
  expect(errors).toMatchObject([{ code: 'REFERENCE_NOT_FOUND', field: ['customerId'] }])
  expect(await statisticsOf(customerId)).toMatchObject({ interactionCount: 0, version: 1 })
})

test('who may only read records nothing; the application itself cannot change an interaction', async () => {
  const customerId = await customer()
  const viewer = await acme.as('VIEWER')
  const { errors } = await viewer.query(mutation, { input: interaction(customerId) })
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect(await statisticsOf(customerId)).toMatchObject({ interactionCount: 0 })
  const client = new Client({ connectionString: graph.database.urlFor('insights') })
  await client.connect()
  await client.query("SELECT set_config('app.tenant_id', $1, false)", [acme.id])
  for (const text of [
    'DELETE FROM insights.customer_interactions',
    'UPDATE insights.customer_interactions SET content = NULL',
  ])
    await expect(client.query(text)).rejects.toMatchObject({ code: '42501' })
  await client.end()
})

describe('lists and search', () => {
  let reader: TestClient
  let tenant: TestTenant
  const customers: string[] = []
  const said = [
    ['Late delivery', 'The delivery was late. A late delivery again!', 'EMAIL', -0.9, '2026-02-01'],
    ['Once', 'Asked whether deliveries on Sunday are possible', 'CHAT', 0, '2026-02-02'],
    ['Markup', '<b onclick="x()">Urgent</b>: "delivery" & more', 'WEB', null, '2026-02-03'],
    ['Praise', 'Great service, thank you', 'PHONE', 0.9, '2026-02-04'],
    ['Silent', null, 'WEB', null, '2026-02-05'],
  ] as const

  beforeAll(async () => {
    tenant = await graph.tenant('lists')
    const writer = await tenant.as('ANALYST')
    reader = await tenant.as('VIEWER')
    customers.push(await customer(writer), await customer(writer))
    for (const [place, [externalId, content, channel, sentiment, day]] of said.entries()) {
      const values = { externalId, content, channel, sentiment, occurredAt: `${day}T00:00:00Z` }
      await recorded(interaction(customers[place % 2]!, values), writer)
    }
    const elsewhere = await globex.as('ANALYST')
    const foreign = interaction(await customer(elsewhere), { content: 'delivery of globex' })
    await recorded(foreign, elsewhere)
  })

  test.each(
    ['OCCURRED_AT', 'SENTIMENT', 'CREATED_AT'].flatMap((field) => [
      [field, 'ASC'],
      [field, 'DESC'],
    ]),
  )('by %s %s comes whole, in the same order in pages and at once', async (field, direction) => {
    const order = `orderBy: { field: ${field}, direction: ${direction} }`
    const inPages = await readAll(reader, 'customerInteractions', 'externalId', order, 2)
    expect(inPages).toEqual(await readAll(reader, 'customerInteractions', 'externalId', order, 100))
    expect(inPages.map((row) => row['externalId']).sort()).toEqual(said.map(([id]) => id).sort())
  })

  test.each([
    ['channel: { in: [WEB] }', ['Silent', 'Markup']],
    ['sentimentLabel: { in: [NEGATIVE, POSITIVE] }', ['Praise', 'Late delivery']],
    ['sentiment: { gte: 0 }', ['Praise', 'Once']],
    ['occurredAt: { gte: "2026-02-02T00:00:00Z", lt: "2026-02-04T00:00:00Z" }', ['Markup', 'Once']],
    ['source: { eq: "helpdesk" }, externalId: { startsWith: "on" }', ['Once']],
    ['eventType: { eq: "complaint" }', []],
  ])('filter { %s }', async (filter, expected) => {
    const read = await readAll(reader, 'customerInteractions', 'externalId', `filter: { ${filter} }`, 100)
    expect(read.map((row) => row['externalId'])).toEqual(expected)
  })

  test('many customers with their interactions, and a tenant with its customers, take one statement a level', async () => {
    const query = `{ tenant { customers(orderBy: { field: EXTERNAL_ID }) { nodes {
      id interactions(first: 2) { totalCount nodes { externalId } } } } } }`
    let answer: unknown
    const statements = await graph.statementsDuring(async () => (answer = await reader.data(query)))
    expect(answer).toEqual({
      tenant: {
        customers: {
          nodes: [
            {
              id: customers[0],
              interactions: { totalCount: 3, nodes: [{ externalId: 'Silent' }, { externalId: 'Markup' }] },
            },
            {
              id: customers[1],
              interactions: { totalCount: 2, nodes: [{ externalId: 'Praise' }, { externalId: 'Once' }] },
            },
          ],
        },
      },
    })
    // Customers, their interactions, and the counts of these.
    expect(statements.filter(({ role }) => role === 'insights')).toHaveLength(3)
    const customersOf = '{ customerInteractions { nodes { customer { externalId } } } }'
    const together = await graph.statementsDuring(() => reader.data(customersOf))
    expect(together.filter(({ role }) => role === 'insights')).toHaveLength(1)
  })

  interface Search {
    searchCustomerInteractions: {
      totalCount: number
      pageInfo: { hasNextPage: boolean; endCursor: string | null }
      edges: { rank: number; highlight: string; node: { externalId: string } }[]
    }
  }
  const search = `query ($query: String!, $first: Int, $after: String, $filter: CustomerInteractionSearchFilter) {
    searchCustomerInteractions(query: $query, first: $first, after: $after, filter: $filter) {
      totalCount pageInfo { hasNextPage endCursor } edges { rank highlight node { externalId } }
    }
  }`
  const found = async (query: string, values: object = {}) =>
    (await reader.data<Search>(search, { query, ...values })).searchCustomerInteractions

  test('finds English forms of the words, the best match first, and shows where', async () => {
    const { totalCount, edges } = await found('delivery')
    expect(totalCount).toBe(3)
    expect(edges.map(({ node }) => node.externalId)[0]).toBe('Late delivery')
    expect(edges[0]!.rank).toBeGreaterThan(edges[1]!.rank)
    const highlights = new Map(edges.map(({ node, highlight }) => [node.externalId, highlight]))
    expect(highlights.get('Late delivery')).toBe(
      '<mark>delivery</mark> was late. A late <mark>delivery</mark> again',
    )
    expect(highlights.get('Once')).toBe('Asked whether <mark>deliveries</mark> on Sunday are possible')
    expect(highlights.get('Markup')).not.toContain('<b')
    expect(highlights.get('Markup')).toContain('<mark>delivery</mark>')
  })

  test.each<[string, string, object, string[]]>([
    ['a phrase', '"late delivery"', {}, ['Late delivery']],
    ['alternatives', 'thanks or Sunday', {}, ['Once', 'Praise']],
    ['an exclusion', 'delivery -late -sunday', {}, ['Markup']],
    ['a word that is in most texts', 'the', {}, ['Late delivery']],
    ['the beginning of a word', 'deliv', {}, ['Late delivery', 'Markup', 'Once']],
    ['by channel', 'delivery', { channel: ['CHAT', 'WEB'] }, ['Markup', 'Once']],
    ['no channel', 'delivery', { channel: [] }, []],
    ['by sentiment', 'delivery', { sentiment: { lte: -0.5 } }, ['Late delivery']],
    [
      'by time',
      'delivery',
      { occurredAt: { gte: '2026-02-02T00:00:00Z', lt: '2026-02-03T00:00:00Z' } },
      ['Once'],
    ],
  ])('%s', async (_, query, filter, expected) => {
    const { edges, totalCount } = await found(query, { filter })
    expect(edges.map(({ node }) => node.externalId).sort()).toEqual(expected)
    expect(totalCount).toBe(expected.length)
  })

  test('by customer', async () => {
    const { edges } = await found('delivery', { filter: { customerId: customers[1] } })
    expect(edges.map(({ node }) => node.externalId)).toEqual(['Once'])
  })

  test('comes in pages, each row once, and costs two statements a page and one for the entry that it was read', async () => {
    const whole = (await found('delivery')).edges.map(({ node }) => node.externalId)
    const read: string[] = []
    for (let after: string | null = null; ;) {
      const page: Search['searchCustomerInteractions'] = await found('delivery', { first: 1, after })
      read.push(...page.edges.map(({ node }) => node.externalId))
      if (!page.pageInfo.hasNextPage) break
      after = page.pageInfo.endCursor
    }
    expect(read).toEqual(whole)
    const text = '{ searchCustomerInteractions(query: "delivery") { nodes { content } } }'
    const statements = await graph.statementsDuring(() => reader.data(text))
    expect(statements.filter(({ role }) => role === 'insights').map(({ text }) => text)).toEqual([
      expect.stringMatching(/^SELECT id, rank FROM insights\.search_interactions\(/),
      expect.not.stringContaining('ts_headline'),
      expect.stringMatching(/^INSERT INTO shared\.audit_logs/),
    ])
    const nothing = '{ searchCustomerInteractions(query: "nowhere") { nodes { content } } }'
    const asked = await graph.statementsDuring(() => reader.data(nothing))
    // That nothing was found tells of the content as well: the second is the entry.
    expect(asked.filter(({ role }) => role === 'insights').map(({ text }) => text.slice(0, 6))).toEqual([
      'SELECT',
      'INSERT',
    ])
  })

  test('a cursor of another search, no words and too many are refused', async () => {
    const { pageInfo } = await found('delivery', { first: 1 })
    for (const variables of [
      { query: 'late', after: pageInfo.endCursor },
      { query: ' ' },
      { query: 'x'.repeat(201) },
      // I4: what can select nothing is refused, whatever its form.
      { query: '"late' },
      { query: `' & | ! :*` },
      { query: '-late' },
      { query: 'late or -early' },
      { query: '""' },
      { query: 'late', first: 101 },
      { query: 'late', filter: { customerId: 'seven' } },
    ]) {
      const { errors } = await reader.query(search, variables)
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    }
  })

  test('who may not read interactions finds none', async () => {
    const manager = await tenant.as('HR_MANAGER')
    const { errors } = await manager.query(search, { query: 'delivery' })
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  })

  test('the words are looked up in their index, within the tenant', async () => {
    const client = new Client({ connectionString: graph.database.superuserUrl })
    await client.connect()
    await client.query(
      `INSERT INTO insights.customer_interactions (tenant_id, id, customer_id, source, external_id, occurred_at, channel, event_type, content)
       SELECT $1, gen_random_uuid(), $2, 'bulk', n, now(), 'WEB', 'note', 'word' || n FROM generate_series(1, 3000) n`,
      [acme.id, await customer()],
    )
    await client.query('VACUUM ANALYZE insights.customer_interactions')
    await client.query('BEGIN')
    await client.query("SELECT set_config('app.tenant_id', $1, true)", [acme.id])
    await client.query('SET LOCAL ROLE app_lookup')
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT id FROM insights.customer_interactions
        WHERE tenant_id = current_setting('app.tenant_id')::uuid AND words @@ websearch_to_tsquery('pg_catalog.english', 'word7')`,
    )
    await client.query('ROLLBACK')
    await client.end()
    const conditions = rows.map((row) => row['QUERY PLAN']).filter((line) => line.includes('Index Cond'))
    expect(conditions).toEqual([expect.stringMatching(/tenant_id = .* AND \(words @@/)])
  })
})

test('a highlight is text, whatever the content is', () => {
  expect(highlighted(`<a href='x'>${matchStart}"A&B"${matchStop}`)).toBe(
    '&lt;a href=&#39;x&#39;&gt;<mark>&quot;A&amp;B&quot;</mark>',
  )
})
