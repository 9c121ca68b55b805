import { openDatabase } from '../../kernel/connection/database'
import { retentionJob } from '../../kernel/retention'
import { retained } from '../../subgraphs/insights/retained'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, readAll, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let service: TestClient
let analyst: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  service = await acme.as('ADMIN')
  analyst = await acme.as('ANALYST')
})
afterAll(() => graph?.close())

const customer = async () =>
  (await change<{ id: string }>(analyst, 'createCustomer', { externalId: `B-${++count}` }, 'customer { id }'))
    .id

interface Pattern {
  id: string
  version: number
  confidence: number
  frequency: number
}
const mutation = `mutation ($input: DetectPatternInput!) { detectPattern(input: $input) {
  isNew behaviorPattern { id version confidence frequency } userErrors { code field message } } }`
const detect = async (input: object) =>
  (
    await service.data<{
      detectPattern: { isNew: boolean | null; behaviorPattern: Pattern | null; userErrors: object[] }
    }>(mutation, { input: { patternType: 'churn_risk', confidence: 0.5, ...input } })
  ).detectPattern

const rows = async (customerId: string) =>
  (
    await graph.owner.query<{ id: string }>(
      'SELECT id FROM insights.behavior_patterns WHERE customer_id = $1 AND deleted_at IS NULL',
      [customerId],
    )
  ).rows.map(({ id }) => id)

test('a pattern is detected, detected again, and read with its evidence', async () => {
  const customerId = await customer()
  const interaction = { customerId, source: 's', externalId: 'B-I', channel: 'CHAT', eventType: 'question' }
  const seen = await change<{ id: string }>(
    analyst,
    'recordInteraction',
    interaction,
    'customerInteraction { id }',
  )
  const first = await detect({ customerId, confidence: 0.123456, customerInteractionIds: [seen.id] })
  expect(first).toMatchObject({
    isNew: true,
    behaviorPattern: { confidence: 0.1235, frequency: 1, version: 1 },
  })
  const again = await detect({ customerId, confidence: 1, frequency: 7, customerInteractionIds: [seen.id] })
  expect(again).toMatchObject({
    isNew: false,
    behaviorPattern: { id: first.behaviorPattern!.id, confidence: 1, frequency: 7, version: 2 },
  })
  const query = `query ($id: ID!) { customer(id: $id) { patterns { totalCount nodes { patternType evidence { id } customer { id } } } } }`
  expect(await analyst.data(query, { id: customerId })).toEqual({
    customer: {
      patterns: {
        totalCount: 1,
        nodes: [{ patternType: 'churn_risk', evidence: [{ id: seen.id }], customer: { id: customerId } }],
      },
    },
  })
})

test('10 that detect the same at once make one pattern; each kind has its own', async () => {
  const customerId = await customer()
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, place) => detect({ customerId, frequency: place + 1 })),
  )
  expect(answers.flatMap(({ userErrors }) => userErrors)).toEqual([])
  expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1)
  expect(await rows(customerId)).toHaveLength(1)
  expect((await detect({ customerId, patternType: 'buys_on_sundays' })).isNew).toBe(true)
  expect(await rows(customerId)).toHaveLength(2)
})

test.each<[string, object, string]>([
  ['a confidence above 1', { confidence: 1.1 }, 'confidence'],
  ['a confidence below 0', { confidence: -0.1 }, 'confidence'],
  ['a frequency of 0', { frequency: 0 }, 'frequency'],
  ['an end that has passed', { validUntil: '2026-01-01T00:00:00Z' }, 'validUntil'],
  ['no kind', { patternType: '' }, 'patternType'],
  ['a list as metadata', { metadata: [] }, 'metadata'],
])('%s is refused by its field, and nothing is kept', async (_, values, field) => {
  const customerId = await customer()
  expect((await detect({ customerId, ...values })).userErrors).toMatchObject([
    { code: 'INVALID', field: [field] },
  ])
  expect(await rows(customerId)).toEqual([])
})

test('evidence of nobody, or of another tenant, is refused', async () => {
  const customerId = await customer()
  for (const id of ['x', customerId])
    expect((await detect({ customerId, customerInteractionIds: [id] })).userErrors).toMatchObject([
      { code: 'REFERENCE_NOT_FOUND', field: ['customerInteractionIds'] },
    ])
})

test('what was dismissed is shown no more, and may be detected anew', async () => {
  const customerId = await customer()
  const { id } = (await detect({ customerId })).behaviorPattern!
  expect(await userErrors(analyst, 'dismissPattern', { id, expectedVersion: 1, reason: '' })).toMatchObject([
    { code: 'INVALID', field: ['reason'] },
  ])
  expect(
    await userErrors(analyst, 'dismissPattern', { id, expectedVersion: 1, reason: 'Was on holiday' }),
  ).toEqual([])
  expect(await analyst.data('query ($id: ID!) { behaviorPattern(id: $id) { id } }', { id })).toEqual({
    behaviorPattern: null,
  })
  const { rows: kept } = await graph.owner.query(
    'SELECT dismiss_reason FROM insights.behavior_patterns WHERE id = $1',
    [id],
  )
  expect(kept).toEqual([{ dismiss_reason: 'Was on holiday' }])
  expect((await detect({ customerId })).isNew).toBe(true)
})

test('a list with customers and evidence takes one statement a level', async () => {
  const count = async (selection: string) =>
    (await graph.statementsDuring(() => readAll(analyst, 'behaviorPatterns', selection, '', 100))).filter(
      ({ role, text }) => role === 'insights' && text.startsWith('SELECT'),
    ).length
  expect(await count('patternType customer { externalId }')).toBe(1)
  expect(await count('patternType evidence { channel }')).toBe(2)
})

// What moves the clock stands at the end: it goes forward only.
test('what has lapsed is found by no path, though no job has run; the job removes it later', async () => {
  const customerId = await customer()
  const validUntil = new Date(graph.clock.now().getTime() + 600_000).toISOString()
  const { id } = (await detect({ customerId, patternType: 'lapsing', validUntil })).behaviorPattern!
  const lasting = (await detect({ customerId, patternType: 'lasting' })).behaviorPattern!
  const paths = `query ($id: ID!, $customer: ID!) {
    one: behaviorPattern(id: $id) { id }
    all: behaviorPatterns(filter: { customerId: { eq: $customer } }) { totalCount nodes { id } }
    under: customer(id: $customer) { patterns { totalCount nodes { id } } }
  }`
  const answer = () => analyst.data(paths, { id, customer: customerId })
  expect(await answer()).toMatchObject({
    one: { id },
    all: { totalCount: 2 },
    under: { patterns: { totalCount: 2 } },
  })
  graph.clock.advance({ minutes: 11 })
  expect(await answer()).toEqual({
    one: null,
    all: { totalCount: 1, nodes: [{ id: lasting.id }] },
    under: { patterns: { totalCount: 1, nodes: [{ id: lasting.id }] } },
  })
  expect(await userErrors(analyst, 'dismissPattern', { id, expectedVersion: 1, reason: 'x' })).toMatchObject([
    { code: 'NOT_FOUND' },
  ])
  const renewed = await detect({ customerId, patternType: 'lapsing' })
  expect(renewed).toMatchObject({ isNew: true })
  expect(renewed.behaviorPattern!.id).not.toBe(id)

  const url = graph.database.urlFor('insights')
  const database = await openDatabase({ url, entities: [], connections: 1, applicationName: 'patterns' })
  const left = async () =>
    (
      await graph.owner.query<{ id: string }>(
        'SELECT id FROM insights.behavior_patterns WHERE customer_id = $1',
        [customerId],
      )
    ).rows.length
  try {
    await runJob(retentionJob(retained), database, graph.server.services, { tenantId: acme.id })
    expect(await left()).toBe(3)
    graph.clock.advance({ days: 91 })
    await runJob(retentionJob(retained), database, graph.server.services, { tenantId: acme.id })
    expect(await left()).toBe(2)
  } finally {
    await database.close()
  }
})
