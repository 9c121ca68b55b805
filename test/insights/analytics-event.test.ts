import { openDatabase } from '../../kernel/connection/database'
import { oldAnalyticsEvents, oldEventKeys } from '../../subgraphs/insights/jobs/old-analytics-events'
import { startGraph, TestClock, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, prepareRows, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let analyst: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  analyst = await acme.as('ANALYST')
})
afterAll(() => graph?.close())

const hour = 3_600_000
const now = () => graph.clock.now().getTime()
const ago = (ms: number) => new Date(now() - ms).toISOString()
const event = <V extends object>(values = {} as V) => ({
  source: 'shop',
  eventId: `E-${++count}`,
  name: 'viewed',
  ...values,
})

interface Tracked {
  id: string | null
  isNew: boolean | null
  userErrors: { code: string; field: string[]; message?: string }[]
}
const trackAll = async (events: object[], client = analyst) =>
  (
    await client.data<{ trackEvents: { results: Tracked[]; userErrors: object[] } }>(
      'mutation ($input: TrackEventsInput!) { trackEvents(input: $input) { results { id isNew userErrors { code field } } userErrors { code field } } }',
      { input: { events } },
    )
  ).trackEvents
const stored = async (tenantId = acme.id) =>
  Number(
    (
      await graph.owner.query('SELECT count(*) FROM insights.analytics_events WHERE tenant_id = $1', [
        tenantId,
      ])
    ).rows[0].count,
  )

test('an event is recorded once, read, and found by its id', async () => {
  const customer = await change<{ id: string }>(
    analyst,
    'createCustomer',
    { externalId: 'E-C' },
    'customer { id }',
  )
  const input = event({
    eventType: 'SYSTEM_EVENT',
    userId: analyst.userId,
    customerId: customer.id,
    sessionId: 's-1',
    properties: { plan: 'PRO', items: [{ sku: 'a' }] },
    occurredAt: ago(hour),
  })
  const track = (values: object = {}) =>
    analyst.data<{
      trackEvent: { isNew: boolean | null; analyticsEvent: { id: string } | null; userErrors: object[] }
    }>(
      'mutation ($input: TrackEventInput!) { trackEvent(input: $input) { isNew analyticsEvent { id name properties } userErrors { code field } } }',
      { input: { ...input, ...values } },
    )
  const first = (await track()).trackEvent
  expect(first).toMatchObject({ isNew: true, userErrors: [] })
  expect((await track({ properties: { items: [{ sku: 'a' }], plan: 'PRO' } })).trackEvent).toEqual({
    ...first,
    isNew: false,
  })
  // I1: what says something else is another event.
  for (const values of [
    { name: 'bought' },
    { properties: { plan: 'FREE' } },
    { occurredAt: ago(2 * hour) },
    { userId: null },
  ])
    expect((await track(values)).trackEvent).toEqual({
      ...{ isNew: null, analyticsEvent: null },
      userErrors: [{ code: 'DUPLICATE', field: ['eventId'] }],
    })
  const { customerId: _customer, userId: _user, ...shown } = input
  const read = await analyst.data(
    `query ($id: ID!) { analyticsEvent(id: $id) { source eventId eventType name sessionId properties occurredAt user { id } customer { id events { nodes { id } } } } }`,
    { id: first.analyticsEvent!.id },
  )
  expect(read).toEqual({
    analyticsEvent: {
      ...shown,
      user: { id: analyst.userId },
      customer: { id: customer.id, events: { nodes: [{ id: first.analyticsEvent!.id }] } },
    },
  })
})

test('20 that record the same event at once record one, and a batch in any order the same', async () => {
  const before = await stored()
  const events = Array.from({ length: 30 }, () => event({ occurredAt: ago(hour) }))
  const batches = Array.from({ length: 20 }, (_, place) => (place % 2 ? events : [...events].reverse()))
  const answers = await Promise.all(batches.map((batch) => trackAll(batch)))
  expect(await stored()).toBe(before + 30)
  expect(answers.flatMap(({ results }) => results).filter(({ isNew }) => isNew)).toHaveLength(30)
  expect(answers.flatMap(({ results }) => results.flatMap((one) => one.userErrors))).toEqual([])
})

test('each event of a batch has its own result; what is refused keeps none from being recorded', async () => {
  const stranger = await (await graph.tenant('globex')).as('ANALYST')
  const twice = event({ occurredAt: ago(hour) })
  const before = await stored()
  const answer = await trackAll([
    twice,
    twice,
    { ...twice, name: 'other' },
    event({ occurredAt: ago(31 * 24 * hour) }),
    event({ occurredAt: ago(-6 * 60_000) }),
    event({ occurredAt: ago(-4 * 60_000) }),
    event({ userId: stranger.userId }),
    event({ userId: 'x' }),
    event({ customerId: stranger.userId }),
    event({ properties: { profile: { 'E-Mail': 'a' } } }),
    event({ properties: { list: 'x'.repeat(32 * 1024) } }),
    event({ properties: Object.fromEntries(Array.from({ length: 101 }, (_, place) => [`k${place}`, 1])) }),
    event({ properties: Object.fromEntries(Array.from({ length: 100 }, (_, place) => [`k${place}`, 1])) }),
    event({ properties: [] }),
    event({ name: 'x'.repeat(101) }),
    event({ source: 'x'.repeat(101) }),
  ])
  expect(answer.userErrors).toEqual([])
  const { results } = answer
  expect(
    results.map(({ isNew, userErrors: [error] }) => isNew ?? `${error!.code} ${error!.field[0]}`),
  ).toEqual([
    ...[true, false, 'DUPLICATE eventId', 'INVALID occurredAt', 'INVALID occurredAt', true],
    ...['REFERENCE_NOT_FOUND userId', 'REFERENCE_NOT_FOUND userId', 'REFERENCE_NOT_FOUND customerId'],
    ...['INVALID properties', 'INVALID properties', 'INVALID properties', true],
    ...['INVALID properties', 'INVALID name', 'INVALID source'],
  ])
  expect(results[0]!.id).toBe(results[1]!.id)
  expect(await stored()).toBe(before + 3)
  expect(await userErrors(analyst, 'trackEvents', { events: [] })).toMatchObject([
    { code: 'INVALID', field: ['events'] },
  ])
  // A text that is none is told by its place before anything is looked at, as in every mutation.
  for (const name of [' ', 'a\0b'])
    expect(await userErrors(analyst, 'trackEvents', { events: [event(), event({ name })] })).toMatchObject([
      { code: 'INVALID', field: ['events', '1', 'name'] },
    ])
  expect(await stored()).toBe(before + 3)
})

test('every fault of an event in a batch is told by its field, and the event beside it is recorded (P1)', async () => {
  const stranger = await (await graph.tenant('umbrella')).as('ADMIN')
  const foreign = await change<{ id: string }>(
    stranger,
    'createCustomer',
    { externalId: 'F' },
    'customer { id }',
  )
  const nobody = crypto.randomUUID()
  const faults: [string, string, string][] = [
    ...(['source', 'eventId', 'name', 'sessionId'] as const).map(
      (field) => [field, 'x'.repeat(field === 'eventId' ? 256 : 101), 'INVALID'] as [string, string, string],
    ),
    ...['seven', nobody, stranger.userId].map(
      (id) => ['userId', id, 'REFERENCE_NOT_FOUND'] as [string, string, string],
    ),
    ...['seven', nobody, foreign.id].map(
      (id) => ['customerId', id, 'REFERENCE_NOT_FOUND'] as [string, string, string],
    ),
  ]
  for (const [field, value, code] of faults) {
    const before = await stored()
    const { results, userErrors: whole } = await trackAll([event({ [field]: value }), event()])
    expect(whole).toEqual([])
    expect(results).toMatchObject([
      { id: null, isNew: null, userErrors: [{ code, field: [field] }] },
      { isNew: true, userErrors: [] },
    ])
    expect(await stored()).toBe(before + 1)
  }
})

test('500 events take as many statements as one, and no key names personal data however it is written', async () => {
  const statements = async (many: number) =>
    (
      await graph.statementsDuring(() =>
        trackAll(Array.from({ length: many }, () => event({ userId: analyst.userId }))),
      )
    ).filter(({ role }) => role === 'insights').length
  expect(await statements(500)).toBe(await statements(2))
  for (const key of [
    'email',
    'E_MAIL',
    'e-mail',
    'firstName',
    'IP',
    'Phone Number',
    'dateOfBirth',
    'accessToken',
  ])
    expect(
      (await trackAll([event({ properties: { deep: [{ [key]: 1 }] } })])).results[0]!.userErrors,
    ).toEqual([{ code: 'INVALID', field: ['properties'] }])
})

describe('counts and funnels', () => {
  let tenant: TestTenant
  let reader: TestClient
  const at = (instant: string, name: string, userId: string | null = null) => ({
    id: crypto.randomUUID(),
    ...{ occurred_at: instant, source: 's', event_id: `P-${++count}`, event_type: 'USER_ACTION', name },
    ...{ user_id: userId, properties: {}, created_at: instant },
  })
  const prepare = async (rows: object[]) => {
    await graph.owner.query('SELECT shared.ensure_partitions(12, 24)')
    await prepareRows(graph, tenant.id, 'insights.analytics_events', rows as never)
  }
  beforeAll(async () => {
    tenant = await graph.tenant('counts')
    reader = await tenant.as('VIEWER')
  })
  const counts = async (args: string) =>
    (await reader.data<{ eventCounts: object[] }>(`{ eventCounts(${args}) { key start end count } }`))
      .eventCounts

  test('days of 23 and 25 hours in the zone, and the hour that comes twice', async () => {
    await prepare([
      // Berlin, 28 March 2027 has 23 hours, 25 October 2026 has 25.
      ...['2027-03-27T22:59:59Z', '2027-03-27T23:00:00Z', '2027-03-28T21:59:59Z', '2027-03-28T22:00:00Z'].map(
        (one) => at(one, 'spring'),
      ),
      ...[
        '2026-10-24T21:59:59Z',
        '2026-10-24T22:00:00Z',
        '2026-10-25T00:30:00Z',
        '2026-10-25T01:30:00Z',
        '2026-10-25T22:59:59Z',
        '2026-10-25T23:00:00Z',
      ].map((one) => at(one, 'autumn')),
    ])
    const zone = 'timeZone: "Europe/Berlin"'
    expect(
      await counts(`${zone} names: ["spring"] from: "2027-03-01T00:00:00Z" to: "2027-04-01T00:00:00Z"`),
    ).toEqual([
      { key: 'spring', start: '2027-03-26T23:00:00.000Z', end: '2027-03-27T23:00:00.000Z', count: 1 },
      { key: 'spring', start: '2027-03-27T23:00:00.000Z', end: '2027-03-28T22:00:00.000Z', count: 2 },
      { key: 'spring', start: '2027-03-28T22:00:00.000Z', end: '2027-03-29T22:00:00.000Z', count: 1 },
    ])
    expect(
      await counts(`${zone} names: ["autumn"] from: "2026-10-01T00:00:00Z" to: "2026-11-01T00:00:00Z"`),
    ).toEqual([
      { key: 'autumn', start: '2026-10-23T22:00:00.000Z', end: '2026-10-24T22:00:00.000Z', count: 1 },
      { key: 'autumn', start: '2026-10-24T22:00:00.000Z', end: '2026-10-25T23:00:00.000Z', count: 4 },
      { key: 'autumn', start: '2026-10-25T23:00:00.000Z', end: '2026-10-26T23:00:00.000Z', count: 1 },
    ])
    expect(
      await counts(`${zone} interval: HOUR from: "2026-10-25T00:00:00Z" to: "2026-10-25T02:00:00Z"`),
    ).toEqual([
      { key: 'autumn', start: '2026-10-25T00:00:00.000Z', end: '2026-10-25T01:00:00.000Z', count: 1 },
      { key: 'autumn', start: '2026-10-25T01:00:00.000Z', end: '2026-10-25T02:00:00.000Z', count: 1 },
    ])
    expect(
      await counts(`by: SOURCE interval: MONTH from: "2026-10-01T00:00:00Z" to: "2026-11-01T00:00:00Z"`),
    ).toEqual([{ key: 's', start: '2026-10-01T00:00:00.000Z', end: '2026-11-01T00:00:00.000Z', count: 6 }])
    for (const range of [
      'from: "2026-01-02T00:00:00Z" to: "2026-01-01T00:00:00Z"',
      'from: "2026-01-01T00:00:00Z" to: "2027-03-01T00:00:00Z"',
    ])
      expect((await reader.query(`{ eventCounts(${range}) { count } }`)).errors).toMatchObject([
        { extensions: { code: 'BAD_USER_INPUT' } },
      ])
  })

  test('a funnel counts who came how far, in order, within the time of any first step', async () => {
    const users = await Promise.all(Array.from({ length: 4 }, () => tenant.user('USER')))
    const [a, b, c, d] = users.map(({ userId }) => userId)
    await prepare([
      // All three, though only from the second first step on.
      ...[
        at('2026-11-01T08:00:00Z', 'view', a),
        at('2026-11-01T10:00:00Z', 'view', a),
        at('2026-11-01T10:10:00Z', 'cart', a),
        at('2026-11-01T10:20:00Z', 'buy', a),
      ],
      // The last one too late.
      ...[
        at('2026-11-01T08:00:00Z', 'view', b),
        at('2026-11-01T08:10:00Z', 'cart', b),
        at('2026-11-01T09:00:01Z', 'buy', b),
      ],
      // In another order.
      ...[
        at('2026-11-01T08:00:00Z', 'cart', c),
        at('2026-11-01T08:10:00Z', 'view', c),
        at('2026-11-01T08:20:00Z', 'buy', c),
      ],
      // Exactly at the end of the time.
      ...[
        at('2026-11-01T08:00:00Z', 'view', d),
        at('2026-11-01T08:30:00Z', 'cart', d),
        at('2026-11-01T09:00:00Z', 'buy', d),
      ],
      at('2026-11-01T08:00:00Z', 'view'),
    ])
    const query = `{ eventFunnel(steps: ["view", "cart", "buy"], within: 60, from: "2026-11-01T00:00:00Z", to: "2026-11-02T00:00:00Z") { name count } }`
    let answer: unknown
    const statements = await graph.statementsDuring(async () => (answer = await reader.data(query)))
    expect(answer).toEqual({
      eventFunnel: [
        { name: 'view', count: 4 },
        { name: 'cart', count: 3 },
        { name: 'buy', count: 2 },
      ],
    })
    expect(statements.filter(({ role }) => role === 'insights')).toHaveLength(1)
    const { errors } = await analyst.query(query.replace('"view", "cart", "buy"', '"view"'))
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    expect(
      (await analyst.data<{ eventFunnel: { count: number }[] }>(query)).eventFunnel.map((step) => step.count),
    ).toEqual([0, 0, 0])
  })

  test('what another tenant did is counted by neither of them', async () => {
    const other = await graph.tenant('counts-too')
    const [mine, yours] = [await tenant.user('USER'), await other.user('USER')]
    const steps = (userId: string) => [
      at('2026-09-01T08:00:00Z', 'seen', userId),
      at('2026-09-01T08:01:00Z', 'taken', userId),
    ]
    await prepare(steps(mine.userId))
    await prepareRows(graph, other.id, 'insights.analytics_events', [
      ...steps(yours.userId),
      at('2026-09-01T09:00:00Z', 'seen', yours.userId),
    ] as never)
    const range = 'from: "2026-09-01T00:00:00Z" to: "2026-09-02T00:00:00Z"'
    const query = `{ eventCounts(${range}) { key count } eventFunnel(steps: ["seen", "taken"], within: 60, ${range}) { count } }`
    const funnel = [{ count: 1 }, { count: 1 }]
    const counted = (seen: number) => [
      { key: 'seen', count: seen },
      { key: 'taken', count: 1 },
    ]
    expect(await reader.data(query)).toEqual({ eventCounts: counted(1), eventFunnel: funnel })
    const theirs = await other.as('VIEWER')
    expect(await theirs.data(query)).toEqual({ eventCounts: counted(2), eventFunnel: funnel })
  })

  test('months are dropped a year later with their keys, and no month before', async () => {
    const months = async () =>
      (
        await graph.owner.query(
          "SELECT right(relname, 6) AS month FROM pg_class WHERE relname ~ '^analytics_events_[0-9]{6}$' ORDER BY 1",
        )
      ).rows.map(({ month }: { month: string }) => month)
    const url = graph.database.urlFor('insights')
    const database = await openDatabase({ url, entities: [], connections: 1, applicationName: 'events' })
    await graph.owner.query('SELECT shared.ensure_partitions(12, 24)')
    const before = await months()
    const clock = new TestClock()
    const cut = clock.now()
    cut.setUTCFullYear(cut.getUTCFullYear() - 1)
    try {
      await runJob(oldAnalyticsEvents, database, { ...graph.server.services, clock })
      const kept = cut.toISOString().slice(0, 7).replace('-', '')
      expect(await months()).toEqual(before.filter((month) => month >= kept))
      expect(before.some((month) => month < kept)).toBe(true)
      await trackAll([event({ eventId: 'aged' }), event({ eventId: 'young' })])
      await graph.owner.query(
        "UPDATE insights.analytics_event_keys SET occurred_at = $1 WHERE event_id = 'aged'",
        [new Date(cut.getTime() - 1000)],
      )
      await runJob(oldEventKeys, database, { ...graph.server.services, clock }, { tenantId: acme.id })
      const { rows } = await graph.owner.query(
        "SELECT event_id FROM insights.analytics_event_keys WHERE event_id IN ('aged', 'young')",
      )
      expect(rows).toEqual([{ event_id: 'young' }])
    } finally {
      await database.close()
    }
  })
})

test('a sandbox far ahead is told that no event is kept so far, each event by itself', async () => {
  const sandbox = await graph.tenant('far')
  await graph.owner.query('UPDATE tenancy.tenants SET is_sandbox = true WHERE id = $1', [sandbox.id])
  const { rows } = await graph.owner.query<{ end: string }>(
    "SELECT max(right(relname, 6)) AS end FROM pg_class WHERE relname ~ '^analytics_events_[0-9]{6}$'",
  )
  const begins = new Date(now())
  begins.setUTCDate(1)
  begins.setUTCMonth(begins.getUTCMonth() + 12)
  begins.setUTCHours(0, 0, 0, 0)
  const month = begins.toISOString().slice(0, 7)
  expect(rows[0]!.end >= month.replace('-', '')).toBe(true)
  const admin = await sandbox.as('ADMIN')
  const move = async (at: number) => {
    await change(admin, 'moveClock', { to: new Date(at).toISOString() }, 'tenant { id }')
  }
  const hourBefore = begins.getTime() - hour
  await move(hourBefore)
  expect((await trackAll([event()], admin)).results).toMatchObject([{ isNew: true, userErrors: [] }])
  await move(begins.getTime())
  const refusal = { code: 'INVALID', field: ['occurredAt'] }
  const { results } = await trackAll(
    [event(), event({ occurredAt: new Date(hourBefore).toISOString() })],
    admin,
  )
  expect(results).toMatchObject([
    { isNew: null, userErrors: [refusal] },
    { isNew: true, userErrors: [] },
  ])
  await move(begins.getTime() + 3_000 * 24 * hour)
  expect(await userErrors(admin, 'trackEvent', event())).toEqual([
    { ...refusal, message: `occurredAt must be before ${month}: this sandbox is too far ahead` },
  ])
  expect(await stored(sandbox.id)).toBe(2)
})
