import { startGraph, type TestClient, type TestGraph } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'
import { day, hour, meteringOf } from './metering'

let graph: TestGraph

beforeAll(async () => (graph = await startGraph()))
afterAll(() => graph?.close())

const { ago, subscriber, stored, used, batch } = meteringOf(() => graph)
const today = () => ago(0).slice(0, 10)
const read = 'usageRecord { id quantity meter source externalId occurredAt properties correctionOf { id } }'

describe('a reading', () => {
  test('is recorded, and counted in the summary, the tenant and the list', async () => {
    const one = await subscriber({ API_CALLS: { limit: '1000', beyond: 'OVERAGE' } })
    const input = one.reading({ quantity: '250.5', properties: { route: '/graphql' } })
    expect(await change(one.meter, 'recordUsage', input, read)).toMatchObject({
      quantity: '250.5',
      meter: 'API_CALLS',
      source: 'gateway',
      externalId: 'event-1',
      occurredAt: input['occurredAt'],
      properties: { route: '/graphql' },
      correctionOf: null,
    })
    const viewer = await one.tenant.as('VIEWER')
    expect(
      await viewer.data(`{ tenant { usage limits } usageRecords { nodes { quantity subscription { id } } }
        usageRecordSummary(groupBy: [METER]) { groups { key { meter } count quantity { sum } } } }`),
    ).toEqual({
      tenant: {
        usage: { API_CALLS: '250.5', STORAGE_GB: '0', STORED_RECORDS: '0', ACTIVE_USERS: '0' },
        limits: { API_CALLS: { limit: '1000', beyond: 'OVERAGE' } },
      },
      usageRecords: { nodes: [{ quantity: '250.5', subscription: { id: one.subscriptionId } }] },
      usageRecordSummary: {
        groups: [{ key: { meter: 'API_CALLS' }, count: 1, quantity: { sum: '250.5' } }],
      },
    })
  })

  test('that is sent again gives the first answer, also long after; another under its key is a duplicate', async () => {
    const one = await subscriber()
    const input = one.reading({ quantity: '2' })
    const first = await change(one.meter, 'recordUsage', input, read)
    expect(await change(one.meter, 'recordUsage', { ...input, quantity: '2.00' }, read)).toEqual(first)
    for (const other of [
      { quantity: '3' },
      { occurredAt: ago(5000) },
      { meter: 'STORAGE_GB' },
      { properties: { a: 1 } },
    ])
      expect(await userErrors(one.meter, 'recordUsage', { ...input, ...other })).toMatchObject([
        { code: 'DUPLICATE', field: ['externalId'] },
      ])
    expect(await stored(one)).toHaveLength(1)
    // Another source may use the same key.
    await change(one.meter, 'recordUsage', { ...input, source: 'importer', quantity: '3' }, read)
    expect(await used(one, 'API_CALLS')).toMatchObject({ used: '5' })
  })

  test('with one id that comes a hundred times at once is recorded once', async () => {
    const one = await subscriber({ API_CALLS: { limit: '1', beyond: 'REFUSE' } })
    const input = one.reading()
    const rows = await Promise.all(
      Array.from({ length: 100 }, () => change<{ id: string }>(one.meter, 'recordUsage', input, read)),
    )
    expect(new Set(rows.map(({ id }) => id)).size).toBe(1)
    expect(await stored(one)).toEqual([{ quantity: '1', external_id: 'event-1' }])
  })

  test.each([
    ['36 days old', { occurredAt: () => ago(35 * day + 60_000) }, 'occurredAt'],
    ['six minutes ahead', { occurredAt: () => ago(-6 * 60_000) }, 'occurredAt'],
    ['negative', { quantity: () => '-1' }, 'quantity'],
    ['of five decimals', { quantity: () => '1.00001' }, 'quantity'],
    ['without source', { source: () => '' }, 'source'],
    ['of a key that is too long', { externalId: () => 'x'.repeat(201) }, 'externalId'],
    ['with a list of properties', { properties: () => [] }, 'properties'],
    ['of people without subject', { meter: () => 'ACTIVE_USERS' }, 'properties'],
  ])('that is %s is refused', async (_, values, field) => {
    const one = await subscriber()
    const given = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value()]))
    expect(await userErrors(one.meter, 'recordUsage', one.reading(given))).toMatchObject([
      { code: 'INVALID', field: [field] },
    ])
    expect(await stored(one)).toEqual([])
  })

  test.each([
    ['just within 35 days', () => ago(35 * day - 60_000)],
    ['four minutes ahead', () => ago(-4 * 60_000)],
  ])('%s is taken', async (_, occurredAt) => {
    const one = await subscriber()
    await change(one.meter, 'recordUsage', one.reading({ occurredAt: occurredAt() }), read)
    expect(await stored(one)).toHaveLength(1)
  })

  test('outside of the term is refused, and of another tenant’s subscription not even seen', async () => {
    const [one, other] = [await subscriber(), await subscriber()]
    await graph.owner.query('UPDATE tenancy.subscriptions SET end_date = $2 WHERE id = $1', [
      one.subscriptionId,
      today(),
    ])
    expect(await userErrors(one.meter, 'recordUsage', one.reading())).toMatchObject([
      { code: 'INVALID', field: ['occurredAt'] },
    ])
    const stolen = one.reading({ subscriptionId: other.subscriptionId })
    expect(await userErrors(one.meter, 'recordUsage', stolen)).toMatchObject([
      { code: 'REFERENCE_NOT_FOUND', field: ['subscriptionId'] },
    ])
    expect([...(await stored(one)), ...(await stored(other))]).toEqual([])
  })
})

describe('meters add up', () => {
  const readings = [
    { quantity: '3', occurredAt: 4 * hour, subject: 'ada' },
    { quantity: '10', occurredAt: 3 * hour, subject: 'bo' },
    { quantity: '5', occurredAt: hour, subject: 'ada' },
    { quantity: '7', occurredAt: 2 * hour, subject: 'cy' },
  ]
  test.each([
    ['API_CALLS', '25', '15'],
    ['STORAGE_GB', '10', '7'],
    ['STORED_RECORDS', '5', '5'],
    ['ACTIVE_USERS', '3', '2'],
  ])('%s to %s, and to %s when the second reading is taken back', async (meter, all, without) => {
    const one = await subscriber()
    const records = readings.map(({ quantity, occurredAt, subject }) =>
      one.reading({ meter, quantity, occurredAt: ago(occurredAt), properties: { subject } }),
    )
    const on = `on: "${ago(hour).slice(0, 10)}"`
    const { results } = await batch(one, records)
    // A period may have begun within these hours: then fewer of them lie in it.
    const begins = (
      await one.admin.data<{ usageSummary: { periodStart: string }[] }>(
        `{ usageSummary(${on}) { periodStart } }`,
      )
    ).usageSummary[0]!.periodStart
    expect(begins <= ago(4 * hour).slice(0, 10)).toBe(true)
    expect(await used(one, meter, on)).toEqual({ used: all, limit: null, level: 'WITHIN' })
    const correction = {
      id: results[1]!.usageRecord!.id,
      quantity: '0',
      source: 'support',
      externalId: 'c-1',
      reason: 'Test',
    }
    await change(one.biller, 'correctUsage', correction, read)
    expect(await used(one, meter, on)).toMatchObject({ used: without })
  })

  test('500 at once, each with a result of its own, and the sum is the recount', async () => {
    const one = await subscriber()
    const records = Array.from({ length: 500 }, (_, place) =>
      one.reading({ quantity: `${place % 7}.${place % 10}`, occurredAt: ago(place * 1000) }),
    )
    records[7] = { ...records[6] }
    records[8] = { ...records[6], quantity: '99' }
    records[9] = one.reading({ quantity: '-1' })
    let answer: Awaited<ReturnType<typeof batch>> | undefined
    // Its key is looked up the first time.
    await one.meter.data('{ usageRecords { totalCount } }')
    const sent = await graph.statementsDuring(async () => (answer = await batch(one, records)))
    expect(answer!.userErrors).toEqual([])
    expect(answer!.results).toHaveLength(500)
    expect(answer!.results[7]!.usageRecord).toEqual(answer!.results[6]!.usageRecord)
    expect(answer!.results[8]).toEqual({
      usageRecord: null,
      userErrors: [{ code: 'DUPLICATE', field: ['externalId'] }],
    })
    expect(answer!.results[9]).toEqual({
      usageRecord: null,
      userErrors: [{ code: 'INVALID', field: ['quantity'] }],
    })
    expect(await stored(one)).toHaveLength(497)
    // Its subscription, what is known, the rows, their audit entries, their events.
    expect(sent.filter(({ text }) => /^\s*INSERT/.test(text))).toHaveLength(3)
    expect(sent.length).toBeLessThanOrEqual(6)
    const tenths = (await stored(one)).reduce(
      (sum, { quantity }) => sum + Math.round(Number(quantity) * 10),
      0,
    )
    const { rows } = await graph.owner.query<{ sum: string }>(
      'SELECT trim_scale(sum(quantity))::text AS sum FROM tenancy.usage_records WHERE tenant_id = $1',
      [one.tenant.id],
    )
    expect(Number(rows[0]!.sum) * 10).toBeCloseTo(tenths, 6)
    const again = await batch(one, records)
    expect(again).toEqual(answer)
    expect(await stored(one)).toHaveLength(497)
  })

  test.each([
    ['none', 0],
    ['501', 501],
  ])('%s at once are refused as a whole', async (_, length) => {
    const one = await subscriber()
    const records = Array.from({ length }, () => one.reading())
    expect(await batch(one, records)).toEqual({
      results: null,
      userErrors: [{ code: 'INVALID', field: ['records'] }],
    })
    expect(await stored(one)).toEqual([])
  })
})

describe('a correction', () => {
  test('takes back a part, then the rest, and no more; a correction is not corrected', async () => {
    const one = await subscriber()
    const { id } = await change<{ id: string }>(
      one.meter,
      'recordUsage',
      one.reading({ quantity: '10' }),
      read,
    )
    const correct = (quantity: string, externalId: string) => ({
      ...{ id, quantity, externalId, source: 'support', reason: 'Counted twice' },
    })
    const first = await change<{ id: string; quantity: string }>(
      one.biller,
      'correctUsage',
      correct('4.5', 'c-1'),
      read,
    )
    expect(first).toMatchObject({
      quantity: '-5.5',
      correctionOf: { id },
      properties: { reason: 'Counted twice', quantity: '4.5' },
    })
    expect(await change(one.biller, 'correctUsage', correct('4.5', 'c-1'), read)).toEqual(first)
    for (const [input, code, field] of [
      [correct('3', 'c-1'), 'DUPLICATE', 'externalId'],
      [correct('4.5', 'c-2'), 'INVALID', 'quantity'],
      [correct('-1', 'c-2'), 'INVALID', 'quantity'],
      [{ ...correct('1', 'c-2'), id: first.id }, 'INVALID_STATUS', 'id'],
      [{ ...correct('1', 'c-2'), id: one.subscriptionId }, 'NOT_FOUND', 'id'],
      [{ ...correct('1', 'c-2'), reason: 'x'.repeat(501) }, 'INVALID', 'reason'],
    ] as const)
      expect(await userErrors(one.biller, 'correctUsage', input)).toMatchObject([{ code, field: [field] }])
    await change(one.biller, 'correctUsage', correct('0', 'c-2'), read)
    expect((await stored(one)).map(({ quantity }) => quantity)).toEqual(['10', '-5.5', '-4.5'])
    expect(await used(one, 'API_CALLS')).toMatchObject({ used: '0' })
  })

  test('ten at once never take back more than there is', async () => {
    const one = await subscriber()
    const { id } = await change<{ id: string }>(
      one.meter,
      'recordUsage',
      one.reading({ quantity: '10' }),
      read,
    )
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, place) =>
        userErrors(one.biller, 'correctUsage', {
          ...{ id, quantity: '0', source: 'support', externalId: `c-${place}`, reason: 'Test' },
        }),
      ),
    )
    expect(answers.filter((errors) => errors.length === 0)).toHaveLength(1)
    expect((await stored(one)).map(({ quantity }) => quantity)).toEqual(['10', '-10'])
  })
})

describe('nobody changes or removes a reading', () => {
  test.each([
    'UPDATE tenancy.usage_records SET quantity = 0 WHERE tenant_id = $1',
    'DELETE FROM tenancy.usage_records WHERE tenant_id = $1',
  ])('%s, as the owner of the table', async (text) => {
    const one = await subscriber()
    await change(one.meter, 'recordUsage', one.reading(), read)
    await expect(graph.owner.query(text, [one.tenant.id])).rejects.toThrow('is written once')
    expect(await stored(one)).toHaveLength(1)
  })

  test('but with the whole tenant', async () => {
    const one = await subscriber()
    await change(one.meter, 'recordUsage', one.reading(), read)
    await graph.owner.query('BEGIN')
    await graph.owner.query('DELETE FROM tenancy.tenants WHERE id = $1', [one.tenant.id])
    expect(await stored(one)).toEqual([])
    await graph.owner.query('ROLLBACK')
    expect(await stored(one)).toHaveLength(1)
  })
})

test('lists take one statement, nested ones one more, and follow filter and order', async () => {
  const one = await subscriber()
  const records = [3, 1, 2].map((hours) =>
    one.reading({ quantity: `${hours}`, occurredAt: ago(hours * hour) }),
  )
  await batch(one, [...records, one.reading({ meter: 'STORAGE_GB' })])
  const list = () =>
    readAll(one.admin, 'usageRecords', 'quantity', 'filter: { meter: { eq: API_CALLS } }', 10)
  expect(await list()).toEqual([{ quantity: '1' }, { quantity: '2' }, { quantity: '3' }])
  expect(await graph.statementsDuring(list)).toHaveLength(1)
  const nested = () =>
    one.admin.data('{ subscriptions { nodes { usageRecords(first: 2) { nodes { quantity } } } } }')
  expect(await graph.statementsDuring(nested)).toHaveLength(2)
})

test('B1: nobody of a tenant meters what it pays for, or gives somebody the right to', async () => {
  const one = await subscriber()
  const recorded = await change<{ id: string }>(
    one.meter,
    'recordUsage',
    one.reading({ quantity: '7' }),
    read,
  )
  const inputs = {
    recordUsage: one.reading(),
    recordUsageBatch: { records: [one.reading()] },
    correctUsage: { id: recorded.id, quantity: '0', source: 's', externalId: 'e', reason: 'r' },
  }
  const denied = async (client: TestClient, name: string, input: object) => {
    const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`
    const { errors } = await client.query(
      `mutation ($input: ${type}) { ${name}(input: $input) { userErrors { code } } }`,
      { input },
    )
    expect([name, errors?.[0]?.extensions.code]).toEqual([name, 'FORBIDDEN'])
  }
  for (const client of [one.admin, await one.tenant.as('VIEWER')])
    for (const [name, input] of Object.entries(inputs)) await denied(client, name, input)
  // The account that records takes nothing back.
  await denied(one.meter, 'correctUsage', inputs.correctUsage)
  const role = { name: 'Metering', permissions: ['tenancy:usage:write'] }
  expect(await userErrors(one.admin, 'createRole', role)).toMatchObject([{ code: 'PERMISSION_NOT_HELD' }])
  const { rows } = await graph.owner.query<{ id: string }>(
    `SELECT id FROM identity.users WHERE tenant_id = $1 AND kind = 'SERVICE'`,
    [one.tenant.id],
  )
  const key = { name: 'Mine', ownerId: rows[0]!.id, scopes: ['tenancy:usage:read'], expiresAt: ago(-day) }
  expect(await userErrors(one.admin, 'createApiKey', key)).toMatchObject([{ code: 'PERMISSION_NOT_HELD' }])
  expect(await stored(one)).toEqual([{ quantity: '7', external_id: 'event-1' }])
  expect(await used(one, 'API_CALLS')).toMatchObject({ used: '7' })
})
