import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, prepareRows, readAll, userErrors } from '../support/lists'

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

afterAll(() => graph.close())

interface Customer {
  id: string
  version: number
}

const added = (values: Record<string, unknown> = {}): Promise<Customer> =>
  change<Customer>(
    analyst,
    'createCustomer',
    { externalId: `N-${++count}`, ...values },
    'customer { id version }',
  )

async function stored(id: string): Promise<Record<string, unknown>> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    'SELECT * FROM insights.customers WHERE id = $1',
    [id],
  )
  return rows[0]!
}

const everything = `{
  id externalId email firstName lastName fullName company industry segment
  lifetimeValue { amount currency } churnRisk averageSentiment interactionCount
  firstSeenAt lastSeenAt isActive metadata version
}`

test('a customer is created, read and changed', async () => {
  const values = {
    externalId: 'C-1',
    firstName: 'Chloé',
    lastName: 'Lefèvre',
    company: 'Vega Foods',
    industry: 'Food',
    segment: 'Dealer',
    lifetimeValue: { amount: '1234.500', currency: 'KWD' },
    churnRisk: 0.125,
    firstSeenAt: '2024-02-29T23:59:59.999Z',
    lastSeenAt: '2026-03-29T03:30:00+02:00',
    metadata: { source: 'fair', visits: [1, 2] },
  }
  const email = 'Chloe.Lefevre@Example.com'
  const { id } = await change<Customer>(analyst, 'createCustomer', { ...values, email }, 'customer { id }')
  const expected = {
    ...values,
    id,
    email: 'chloe.lefevre@example.com',
    fullName: 'Chloé Lefèvre',
    averageSentiment: null,
    interactionCount: 0,
    lastSeenAt: '2026-03-29T01:30:00.000Z',
    isActive: true,
    version: 1,
  }
  const query = `query ($id: ID!) { customer(id: $id) ${everything} }`
  expect(await analyst.data(query, { id })).toEqual({ customer: expected })

  const changes = {
    id,
    expectedVersion: 1,
    segment: null,
    fullName: 'Dr. Chloé Lefèvre',
    lifetimeValue: null,
  }
  expect(await change(analyst, 'updateCustomer', changes, `customer ${everything}`)).toEqual({
    ...expected,
    segment: null,
    fullName: 'Dr. Chloé Lefèvre',
    lifetimeValue: null,
    version: 2,
  })
  const back = { id, expectedVersion: 2, fullName: null, firstName: null }
  expect(await change(analyst, 'updateCustomer', back, 'customer { fullName }')).toEqual({
    fullName: 'Lefèvre',
  })
})

test('a customer needs no more than an id; first and last seen are then now', async () => {
  const { id } = await added()
  const row = await stored(id)
  expect(row['first_seen_at']).toEqual(row['last_seen_at'])
  expect(row).toMatchObject({ email: null, full_name: null, metadata: {}, is_active: true })
})

describe('what is refused names its field', () => {
  const long = 'x'.repeat(300)
  test.each([
    ['an empty id', { externalId: '' }, 'externalId'],
    ['a long id', { externalId: long }, 'externalId'],
    ['a long first name', { firstName: long }, 'firstName'],
    ['a long full name', { fullName: long }, 'fullName'],
    ['an empty full name', { fullName: '' }, 'fullName'],
    ['a long company', { company: long }, 'company'],
    ['a long segment', { segment: long }, 'segment'],
    ['a risk above 1', { churnRisk: 1.1 }, 'churnRisk'],
    ['a risk below 0', { churnRisk: -0.1 }, 'churnRisk'],
    ['too many decimals', { lifetimeValue: { amount: '0.001', currency: 'USD' } }, 'lifetimeValue'],
    ['metadata that are a list', { metadata: [] }, 'metadata'],
    ['no metadata', { metadata: null }, 'metadata'],
    [
      'last seen before first seen',
      { firstSeenAt: '2026-01-02T00:00:00Z', lastSeenAt: '2026-01-01T00:00:00Z' },
      'firstSeenAt',
    ],
  ])('%s', async (_, values, field) => {
    const externalId = `REFUSED-${++count}`
    const errors = await userErrors(analyst, 'createCustomer', { externalId, ...values })
    expect(errors).toMatchObject([{ code: 'INVALID', field: [field] }])
    const { rows } = await graph.owner.query('SELECT FROM insights.customers WHERE external_id = $1', [
      externalId,
    ])
    expect(rows).toHaveLength(0)
  })

  test('two that do not fit together', async () => {
    const { id } = await added({ firstSeenAt: '2026-01-02T00:00:00Z' })
    const input = { id, expectedVersion: 1, lastSeenAt: '2026-01-01T00:00:00Z' }
    expect(await userErrors(analyst, 'updateCustomer', input)).toEqual([
      { code: 'INVALID', field: ['firstSeenAt'], message: 'firstSeenAt, lastSeenAt must come in this order' },
    ])
  })

  test('an id that is in use; another tenant may use it', async () => {
    await added({ externalId: 'TWICE' })
    const errors = await userErrors(analyst, 'createCustomer', { externalId: 'TWICE' })
    expect(errors).toMatchObject([{ code: 'DUPLICATE', field: ['externalId'] }])
    const elsewhere = await globex.as('ANALYST')
    await change(elsewhere, 'createCustomer', { externalId: 'TWICE' }, 'customer { id }')
  })
})

test('a stale version changes nothing', async () => {
  const { id } = await added({ company: 'First' })
  await change(analyst, 'updateCustomer', { id, expectedVersion: 1, company: 'Second' }, 'customer { id }')
  const errors = await userErrors(analyst, 'updateCustomer', { id, expectedVersion: 1, company: 'Third' })
  expect(errors).toMatchObject([{ code: 'STALE_VERSION', field: ['expectedVersion'] }])
  expect(await stored(id)).toMatchObject({ company: 'Second', version: 2 })
})

test('a customer goes out of use and comes back', async () => {
  const { id } = await added()
  const gone = await change(
    analyst,
    'deactivateCustomer',
    { id, expectedVersion: 1 },
    'customer { isActive }',
  )
  expect(gone).toEqual({ isActive: false })
  const back = await change(
    analyst,
    'reactivateCustomer',
    { id, expectedVersion: 2 },
    'customer { isActive }',
  )
  expect(back).toEqual({ isActive: true })
})

test("another tenant's customer cannot be read or changed", async () => {
  const { id } = await added({ company: 'Ours' })
  const stranger = await globex.as('ANALYST')
  expect(await stranger.data('query ($id: ID!) { customer(id: $id) { id } }', { id })).toEqual({
    customer: null,
  })
  for (const mutation of ['updateCustomer', 'deactivateCustomer', 'reactivateCustomer']) {
    const errors = await userErrors(stranger, mutation, { id, expectedVersion: 1 })
    expect(errors).toMatchObject([{ code: 'NOT_FOUND', field: ['id'] }])
  }
  expect(await stored(id)).toMatchObject({ company: 'Ours', is_active: true, version: 1 })
})

test('who may only read customers cannot change them', async () => {
  const { id } = await added()
  const viewer = await acme.as('VIEWER')
  const { errors } = await viewer.query(
    'mutation ($id: ID!) { deactivateCustomer(input: { id: $id, expectedVersion: 1 }) { customer { id } } }',
    { id },
  )
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect(await stored(id)).toMatchObject({ is_active: true, version: 1 })
})

describe('a list', () => {
  let tenant: TestTenant
  let reader: TestClient
  const id = (place: number): string => `019b76da-a800-7000-8000-${String(place).padStart(12, '0')}`
  const rows = Array.from({ length: 14 }, (_, place) => ({
    id: id(place),
    external_id: `C${String(place).padStart(2, '0')}`,
    email: place % 2 === 0 ? `c${place}@example.com` : null,
    last_name: 'Smith',
    company: place === 5 ? 'Hooper & Sons' : null,
    segment: place < 7 ? 'Dealer' : 'Direct',
    lifetime_value: place % 3 === 0 ? null : place % 4,
    lifetime_value_currency: place % 3 === 0 ? null : 'USD',
    churn_risk: place % 5 === 0 ? null : (place % 3) / 4,
    sentiment_sum: place % 2 === 0 ? 0 : -0.5,
    sentiment_count: place % 2 === 0 ? 0 : 1,
    first_seen_at: '2026-01-01T00:00:00Z',
    last_seen_at: `2026-01-0${1 + (place % 3)}T00:00:00Z`,
    is_active: place !== 2,
    metadata: {},
  }))

  beforeAll(async () => {
    tenant = await graph.tenant('lists')
    reader = await tenant.as('VIEWER')
    await prepareRows(graph, tenant.id, 'insights.customers', rows)
  })

  test.each(
    [
      'LIFETIME_VALUE',
      'CHURN_RISK',
      'AVERAGE_SENTIMENT',
      'LAST_SEEN_AT',
      'LAST_NAME',
      'COMPANY',
      'CREATED_AT',
      'EXTERNAL_ID',
    ].flatMap((field) => [
      [field, 'ASC'],
      [field, 'DESC'],
    ]),
  )(
    'by %s %s comes whole, each row once, in the same order in pages and at once',
    async (field, direction) => {
      const order = `orderBy: { field: ${field}, direction: ${direction} }`
      const inPages = await readAll(reader, 'customers', 'id', order, 3)
      const atOnce = await readAll(reader, 'customers', 'id', order, 100)
      expect(inPages).toEqual(atOnce)
      expect(new Set(inPages.map((row) => row['id']))).toEqual(new Set(rows.map((row) => row.id)))
      expect(inPages).toHaveLength(rows.length)
    },
  )

  test('by churn risk is in order, with NULL last ascending', async () => {
    const read = await readAll(reader, 'customers', 'churnRisk', 'orderBy: { field: CHURN_RISK }', 4)
    const risks = rows.map((row) => row.churn_risk).filter((risk) => risk !== null)
    expect(read.map((row) => row['churnRisk'])).toEqual([...risks.sort((a, b) => a - b), null, null, null])
  })

  test.each([
    ['segment: { eq: "Dealer" }, isActive: { eq: true }', ['C00', 'C01', 'C03', 'C04', 'C05', 'C06']],
    ['churnRisk: { gte: 0.5 }', ['C02', 'C08', 'C11']],
    ['churnRisk: { lte: 0 }', ['C03', 'C06', 'C09', 'C12']],
    ['averageSentiment: { gte: -0.5, lte: 0 }, segment: { eq: "Direct" }', ['C07', 'C09', 'C11', 'C13']],
    [
      'lastSeenAt: { gte: "2026-01-02T00:00:00Z", lt: "2026-01-03T00:00:00Z" }',
      ['C01', 'C04', 'C07', 'C10', 'C13'],
    ],
    ['email: { eq: "C4@Example.COM" }', ['C04']],
    ['email: { in: ["C4@Example.COM", "c6@example.com"] }', ['C04', 'C06']],
    ['email: { startsWith: "C1" }', ['C10', 'C12']],
    ['search: "hooper"', ['C05']],
    ['search: "c4@"', ['C04']],
    ['externalId: { in: ["C00", "C13", "X"] }', ['C00', 'C13']],
  ])('filter { %s }', async (filter, expected) => {
    const args = `filter: { ${filter} }, orderBy: { field: EXTERNAL_ID }`
    const read = await readAll(reader, 'customers', 'externalId', args, 100)
    expect(read.map((row) => row['externalId'])).toEqual(expected)
  })
})
