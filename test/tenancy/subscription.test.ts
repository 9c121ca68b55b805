import { periodOn } from '../../subgraphs/tenancy/rules/period'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'

let graph: TestGraph
let count = 0

beforeAll(async () => (graph = await startGraph()))
afterAll(() => graph.close())

interface Row {
  id: string
  version: number
}

const euros = (amount: string) => ({ amount, currency: 'EUR' })
const professional = { plan: 'PROFESSIONAL', billingInterval: 'MONTHLY', price: euros('190') }
const today = () => graph.clock.now().toISOString().slice(0, 10)
const inDays = (days: number) =>
  new Date(graph.clock.now().getTime() + days * 86_400_000).toISOString().slice(0, 10)

/** A tenant of its own for each test: it can have one subscription. */
async function freshTenant(): Promise<{ tenant: TestTenant; admin: TestClient }> {
  const tenant = await graph.tenant(`subscriber-${++count}`)
  return { tenant, admin: await tenant.as('ADMIN') }
}

const start = <T = Row>(client: TestClient, values = {}, selection = '{ id version }'): Promise<T> =>
  change<T>(client, 'startSubscription', { ...professional, ...values }, `subscription ${selection}`)

async function stored(tenantId: string): Promise<Record<string, unknown>[]> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    `SELECT id, plan, status, start_date::text, end_date::text, current_period_start::text, current_period_end::text,
            price, currency, version FROM tenancy.subscriptions WHERE tenant_id = $1 ORDER BY id`,
    [tenantId],
  )
  return rows
}

test('a subscription is started, and its tenant and users have it', async () => {
  const { tenant, admin } = await freshTenant()
  const selection = `{
    id plan status startDate endDate billingInterval currentPeriodStart currentPeriodEnd
    price { amount currency } features items cancelledAt version
  }`
  const values = { startDate: '2999-01-31', features: { seats: 5 }, items: [{ name: 'Seats', quantity: 2 }] }
  const started = await start<Row>(admin, values, selection)
  expect(started).toEqual({
    id: started.id,
    ...professional,
    price: euros('190.00'),
    status: 'ACTIVE',
    startDate: '2999-01-31',
    endDate: null,
    currentPeriodStart: '2999-01-31',
    currentPeriodEnd: '2999-02-28',
    features: { seats: 5 },
    items: [{ name: 'Seats', quantity: 2 }],
    cancelledAt: null,
    version: 1,
  })
  const viewer = await tenant.as('VIEWER')
  const query = `{ tenant { plan subscription ${selection} } viewer { subscription { id } } subscriptions { nodes { id } } }`
  expect(await viewer.data(query)).toEqual({
    tenant: { plan: 'PROFESSIONAL', subscription: started },
    viewer: { subscription: { id: started.id } },
    subscriptions: { nodes: [{ id: started.id }] },
  })
})

test('without a start it begins today, and a trial ends with its period', async () => {
  const { admin } = await freshTenant()
  const trial = { plan: 'TRIAL', price: euros('0') }
  const { end } = periodOn(today(), 'MONTHLY', today())
  expect(await start(admin, trial, '{ startDate currentPeriodEnd }')).toEqual({
    startDate: today(),
    currentPeriodEnd: end,
  })
  expect(await admin.data('{ tenant { plan trialEndsAt } }')).toEqual({
    tenant: { plan: 'TRIAL', trialEndsAt: `${end}T00:00:00.000Z` },
  })
})

describe('a tenant has one subscription at a time', () => {
  test('which is said to who starts another', async () => {
    const { tenant, admin } = await freshTenant()
    await start(admin)
    const before = await stored(tenant.id)
    expect(await userErrors(admin, 'startSubscription', professional)).toMatchObject([
      { code: 'ALREADY_SUBSCRIBED', field: null },
    ])
    expect(await stored(tenant.id)).toEqual(before)
  })

  test('also when ten start at once', async () => {
    const { tenant, admin } = await freshTenant()
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => userErrors(admin, 'startSubscription', professional)),
    )
    expect(answers.filter((errors) => errors.length === 0)).toHaveLength(1)
    expect(answers.flat().map(({ code }) => code)).toEqual(Array(9).fill('ALREADY_SUBSCRIBED'))
    expect(await stored(tenant.id)).toHaveLength(1)
  })

  test('and the database sees to it', async () => {
    const { tenant, admin } = await freshTenant()
    await start(admin)
    const again = graph.owner.query(
      `INSERT INTO tenancy.subscriptions
         (tenant_id, id, plan, start_date, billing_interval, current_period_start, current_period_end, price)
       VALUES ($1, gen_random_uuid(), 'STARTER', '2026-01-01', 'ANNUAL', '2026-01-01', '2027-01-01', 0)`,
      [tenant.id],
    )
    await expect(again).rejects.toMatchObject({ constraint: 'subscriptions_current_of_key' })
  })
})

test('another plan costs another price, and the periods stay', async () => {
  const { admin } = await freshTenant()
  const { id } = await start(admin, { startDate: '2999-01-31', features: { seats: 5 } })
  const input = { id, expectedVersion: 1, plan: 'ENTERPRISE', price: { amount: '4800', currency: 'USD' } }
  const selection = '{ plan price { amount currency } features startDate currentPeriodEnd version }'
  expect(await change(admin, 'changeSubscriptionPlan', input, `subscription ${selection}`)).toEqual({
    plan: 'ENTERPRISE',
    price: { amount: '4800.00', currency: 'USD' },
    features: { seats: 5 },
    startDate: '2999-01-31',
    currentPeriodEnd: '2999-02-28',
    version: 2,
  })
  expect(await admin.data('{ tenant { plan } }')).toEqual({ tenant: { plan: 'ENTERPRISE' } })
})

describe('it ends', () => {
  test('with the current period, until when it runs', async () => {
    const { admin } = await freshTenant()
    const { id } = await start(admin)
    const { end } = periodOn(today(), 'MONTHLY', today())
    const selection = 'subscription { status endDate cancelledAt version }'
    const input = { id, expectedVersion: 1, at: 'PERIOD_END' }
    expect(await change(admin, 'cancelSubscription', input, selection)).toMatchObject({
      status: 'ACTIVE',
      endDate: end,
      cancelledAt: expect.any(String) as string,
      version: 2,
    })
    expect(await userErrors(admin, 'cancelSubscription', { ...input, expectedVersion: 2 })).toMatchObject([
      { code: 'INVALID_STATUS', field: ['at'] },
    ])
    expect(await admin.data('{ tenant { subscription { id } } }')).toEqual({
      tenant: { subscription: { id } },
    })
  })

  test('at once, and makes room for another', async () => {
    const { tenant, admin } = await freshTenant()
    const { id } = await start(admin)
    const input = { id, expectedVersion: 1, at: 'NOW' }
    expect(
      await change(admin, 'cancelSubscription', input, 'subscription { status endDate version }'),
    ).toEqual({ status: 'CANCELLED', endDate: today(), version: 2 })
    expect(await admin.data('{ tenant { status subscription { id } } }')).toEqual({
      tenant: { status: 'ACTIVE', subscription: null },
    })
    const before = await stored(tenant.id)
    for (const [mutation, values] of [
      ['cancelSubscription', { at: 'NOW' }],
      ['changeSubscriptionPlan', { plan: 'STARTER', price: euros('1') }],
    ] as const)
      expect(await userErrors(admin, mutation, { id, expectedVersion: 2, ...values })).toMatchObject([
        { code: 'INVALID_STATUS', field: ['id'] },
      ])
    expect(await stored(tenant.id)).toEqual(before)
    const { id: next } = await start(admin)
    expect(await admin.data('{ tenant { subscription { id } } }')).toEqual({
      tenant: { subscription: { id: next } },
    })
  })

  test('before it has begun, on the day on which it would have', async () => {
    const { admin } = await freshTenant()
    const { id } = await start(admin, { startDate: '2999-01-31' })
    const input = { id, expectedVersion: 1, at: 'NOW' }
    expect(await change(admin, 'cancelSubscription', input, 'subscription { status endDate }')).toEqual({
      status: 'CANCELLED',
      endDate: '2999-01-31',
    })
  })
})

describe('a renewal', () => {
  const renew = (client: TestClient, id: string) =>
    change(
      client,
      'renewSubscription',
      { id },
      'subscription { status currentPeriodStart currentPeriodEnd version }',
    )

  /** As if nobody had looked since the first period. */
  async function leaveBehind(id: string, endDate: string | null = null): Promise<void> {
    await graph.owner.query(
      `UPDATE tenancy.subscriptions SET start_date = '2024-01-31', current_period_start = '2024-01-31',
              current_period_end = '2024-02-29', end_date = $2 WHERE id = $1`,
      [id, endDate],
    )
  }

  test('begins the period of today, once', async () => {
    const { admin } = await freshTenant()
    const { id } = await start(admin)
    await leaveBehind(id)
    const { start: first, end } = periodOn('2024-01-31', 'MONTHLY', today())
    const renewed = { status: 'ACTIVE', currentPeriodStart: first, currentPeriodEnd: end, version: 2 }
    expect(await renew(admin, id)).toEqual(renewed)
    expect(await renew(admin, id)).toEqual(renewed)
  })

  test('ends what is over; so does starting another', async () => {
    const { tenant, admin } = await freshTenant()
    const { id } = await start(admin)
    await leaveBehind(id, '2024-03-31')
    const ended = {
      status: 'CANCELLED',
      currentPeriodStart: '2024-02-29',
      currentPeriodEnd: '2024-03-31',
      version: 2,
    }
    expect(await renew(admin, id)).toEqual(ended)
    const { id: second } = await start(admin)
    await leaveBehind(second, '2024-03-31')
    await start(admin)
    expect((await stored(tenant.id)).map(({ status }) => status)).toEqual([
      'CANCELLED',
      'CANCELLED',
      'ACTIVE',
    ])
  })
})

describe('what is refused names its field', () => {
  test.each([
    ['a price below nothing', { price: euros('-1') }, 'price'],
    ['a price with too many decimals', { price: euros('1.001') }, 'price'],
    ['a trial that costs something', { plan: 'TRIAL' }, 'price'],
    ['a start before 1900', { startDate: '1899-12-31' }, 'startDate'],
    ['an end in the past', { endDate: '2020-01-01', startDate: '2019-01-01' }, 'endDate'],
    ['an end before the start', { endDate: '2998-01-01', startDate: '2999-01-01' }, 'endDate'],
    ['features that are a list', { features: [] }, 'features'],
    ['items that are an object', { items: {} }, 'items'],
  ])('%s', async (_, values, field) => {
    const { tenant, admin } = await freshTenant()
    expect(await userErrors(admin, 'startSubscription', { ...professional, ...values })).toMatchObject([
      { code: 'INVALID', field: [field] },
    ])
    expect(await stored(tenant.id)).toEqual([])
    expect(await admin.data('{ tenant { plan version } }')).toEqual({
      tenant: { plan: 'STARTER', version: 1 },
    })
  })

  test('a stale version', async () => {
    const { tenant, admin } = await freshTenant()
    const { id } = await start(admin, { endDate: inDays(400) })
    const before = await stored(tenant.id)
    const input = { id, expectedVersion: 9 }
    for (const [mutation, values] of [
      ['cancelSubscription', { at: 'NOW' }],
      ['changeSubscriptionPlan', { plan: 'STARTER', price: euros('1') }],
    ] as const)
      expect(await userErrors(admin, mutation, { ...input, ...values })).toMatchObject([
        { code: 'STALE_VERSION', field: ['expectedVersion'] },
      ])
    expect(await stored(tenant.id)).toEqual(before)
  })
})

test('who may only read it changes nothing, and another tenant does not even see it', async () => {
  const { tenant, admin } = await freshTenant()
  const { id } = await start(admin)
  const before = await stored(tenant.id)
  const analyst = await tenant.as('ANALYST')
  const stranger = (await freshTenant()).admin
  const inputs = {
    startSubscription: professional,
    changeSubscriptionPlan: { id, expectedVersion: 1, plan: 'STARTER', price: euros('1') },
    cancelSubscription: { id, expectedVersion: 1, at: 'NOW' },
    renewSubscription: { id },
  }
  for (const [name, input] of Object.entries(inputs)) {
    const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`
    const { errors } = await analyst.query(
      `mutation ($input: ${type}) { ${name}(input: $input) { subscription { id } } }`,
      { input },
    )
    expect([name, errors?.[0]?.extensions.code]).toEqual([name, 'FORBIDDEN'])
    if (name !== 'startSubscription')
      expect(await userErrors(stranger, name, input)).toMatchObject([{ code: 'NOT_FOUND' }])
  }
  expect(await stored(tenant.id)).toEqual(before)
  const query = 'query ($id: ID!) { subscription(id: $id) { id } }'
  expect(await analyst.data(query, { id })).toEqual({ subscription: { id } })
  expect(await stranger.data(query, { id })).toEqual({ subscription: null })
  const manager = await tenant.as('HR_MANAGER')
  expect(await manager.query('{ tenant { slug subscription { id } } }')).toMatchObject({
    data: { tenant: { slug: tenant.slug, subscription: null } },
    errors: [{ path: ['tenant', 'subscription'], extensions: { code: 'FORBIDDEN' } }],
  })
})

test('nothing streams yet: the graph has no root for subscriptions', async () => {
  const { admin } = await freshTenant()
  await start(admin)
  for (const document of ['subscription { id }', 'subscription { invoices { nodes { id } } }'])
    expect(await admin.query(document)).toMatchObject({
      errors: [{ message: 'The schema has no subscription type', extensions: { code: 'BAD_USER_INPUT' } }],
    })
})
