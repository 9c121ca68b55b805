import { periodOn } from '../../subgraphs/tenancy/rules/period'
import { startGraph, type TestGraph } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { professional, subscribingOf, type Row } from './subscribing'

let graph: TestGraph

beforeAll(async () => (graph = await startGraph()))
afterAll(() => graph?.close())

const { today, inDays, freshTenant, start, stored } = subscribingOf(() => graph)
const euros = (amount: string) => ({ amount, currency: 'EUR' })

test('B1: a subscription is started at the prices of the list, and its tenant and users have it', async () => {
  const { tenant, admin } = await freshTenant()
  const selection = `{
    id plan status startDate endDate billingInterval currentPeriodStart currentPeriodEnd seats trialEndsOn
    price { amount currency } features limits items { meter priceVersion quantity unitPrice { amount } tierMode }
    cancelledAt nextPlan billedUntil version
  }`
  const started = await start<Row>(admin, {}, selection)
  const { end } = periodOn(today(), 'MONTHLY', today())
  expect(started).toEqual({
    ...{ id: started.id, plan: 'PROFESSIONAL', billingInterval: 'MONTHLY', seats: 2 },
    // The fee and two seats.
    price: euros('220.00'),
    status: 'ACTIVE',
    startDate: today(),
    endDate: null,
    currentPeriodStart: today(),
    currentPeriodEnd: end,
    trialEndsOn: inDays(14),
    features: { singleSignOn: true, support: 'EMAIL' },
    limits: {
      API_CALLS: { limit: '50000', beyond: 'OVERAGE' },
      STORAGE_GB: { limit: '500', beyond: 'OVERAGE' },
    },
    items: [
      { meter: null, priceVersion: 1, quantity: 1, unitPrice: { amount: '190.00' }, tierMode: null },
      {
        meter: 'API_CALLS',
        priceVersion: 1,
        quantity: 1,
        unitPrice: { amount: '0.00' },
        tierMode: 'GRADUATED',
      },
      { meter: 'SEATS', priceVersion: 1, quantity: 2, unitPrice: { amount: '15.00' }, tierMode: null },
    ],
    cancelledAt: null,
    nextPlan: null,
    billedUntil: null,
    version: 1,
  })
  const viewer = await tenant.as('VIEWER')
  const query = `{ tenant { plan limits subscription ${selection} } viewer { subscription { id } } subscriptions { nodes { id } } }`
  expect(await viewer.data(query)).toEqual({
    tenant: {
      plan: 'PROFESSIONAL',
      limits: (started as unknown as { limits: object }).limits,
      subscription: started,
    },
    viewer: { subscription: { id: started.id } },
    subscriptions: { nodes: [{ id: started.id }] },
  })
})

test('B6: one that starts later is scheduled, and its tenant goes on its plan when it begins', async () => {
  const { tenant, admin } = await freshTenant()
  await graph.owner.query('UPDATE tenancy.tenants SET is_sandbox = true WHERE id = $1', [tenant.id])
  const { id } = await start(admin, { startDate: inDays(10) })
  const read = () => admin.data('{ tenant { plan subscription { status } } }')
  expect(await read()).toEqual({ tenant: { plan: 'STARTER', subscription: { status: 'SCHEDULED' } } })
  await change(admin, 'moveClock', { to: `${inDays(11)}T00:00:00.000Z` }, 'tenant { id }')
  await change(admin, 'renewSubscription', { id }, 'subscription { id }')
  expect(await read()).toEqual({ tenant: { plan: 'PROFESSIONAL', subscription: { status: 'ACTIVE' } } })
})

test('a trial is free, ends by itself, and is for the first time alone', async () => {
  const { tenant, admin } = await freshTenant()
  const selection = '{ id startDate endDate trialEndsOn price { amount } version }'
  const trial = await start<Row>(admin, { plan: 'TRIAL', seats: 1 }, selection)
  expect(trial).toMatchObject({
    ...{ startDate: today(), endDate: inDays(30), trialEndsOn: inDays(30), price: { amount: '0.00' } },
  })
  expect(await admin.data('{ tenant { plan trialEndsAt } }')).toEqual({
    tenant: { plan: 'TRIAL', trialEndsAt: `${inDays(30)}T00:00:00.000Z` },
  })
  await change(
    admin,
    'cancelSubscription',
    { id: trial.id, expectedVersion: 1, at: 'NOW' },
    'subscription { id }',
  )
  expect(await userErrors(admin, 'startSubscription', { ...professional, plan: 'TRIAL' })).toMatchObject([
    { code: 'INVALID', field: ['plan'] },
  ])
  expect(await start(admin, {}, '{ trialEndsOn }')).toEqual({ trialEndsOn: null })
  expect(await stored(tenant.id)).toHaveLength(2)
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

describe('B6: another plan', () => {
  test('before anything was billed simply costs another price', async () => {
    const { admin } = await freshTenant()
    const { id } = await start(admin)
    const input = { id, expectedVersion: 1, plan: 'ENTERPRISE', seats: 3 }
    const selection = '{ plan seats price { amount currency } limits features version }'
    expect(await change(admin, 'changeSubscriptionPlan', input, `subscription ${selection}`)).toEqual({
      plan: 'ENTERPRISE',
      seats: 3,
      price: euros('1936.00'),
      limits: { API_CALLS: { limit: '500000', beyond: 'OVERAGE' } },
      features: { singleSignOn: true, support: 'PHONE' },
      version: 2,
    })
    expect(await admin.data('{ tenant { plan } }')).toEqual({ tenant: { plan: 'ENTERPRISE' } })
    expect(await pending(id)).toEqual([])
  })

  test('in a billed period credits the old price and charges the new one; up and down nets to zero', async () => {
    const { admin } = await freshTenant()
    const { id } = await start(admin, { plan: 'STARTER', seats: 1 })
    await markBilled(id, 15)
    const preview = await admin.data<{ previewPlanChange: { total: { amount: string } } }>(
      `{ previewPlanChange(subscriptionId: "${id}", plan: PROFESSIONAL) { total { amount } } }`,
    )
    const to = (plan: string, expectedVersion: number) =>
      change(admin, 'changeSubscriptionPlan', { id, expectedVersion, plan }, 'subscription { version }')
    expect(await to('PROFESSIONAL', 1)).toEqual({ version: 2 })
    const up = await pending(id)
    expect(up.map(({ description }) => description)).toEqual([
      'STARTER, unused part',
      'PROFESSIONAL, rest of the period',
    ])
    // 58 and 205 for a period, of which a little more or less than a half is left.
    const [credit, charge] = up.map(({ amount }) => Number(amount)) as [number, number]
    expect(credit).toBeLessThan(-5800 * 0.4)
    expect(charge / -credit).toBeCloseTo(205 / 58, 2)
    expect(Math.abs(credit + charge - Number(preview.previewPlanChange.total.amount) * 100)).toBeLessThan(3)
    expect(await to('STARTER', 2)).toEqual({ version: 3 })
    const all = await pending(id)
    expect(all).toHaveLength(4)
    // A second or two between them cost less than two cents.
    expect(Math.abs(all.reduce((sum, { amount }) => sum + Number(amount), 0))).toBeLessThan(3)
    // The same again is no change.
    expect(await to('STARTER', 3)).toEqual({ version: 3 })
    expect(await pending(id)).toHaveLength(4)
  })

  test('and another interval with the period’s end, at the prices of today', async () => {
    const { admin } = await freshTenant()
    const { id } = await start(admin)
    const { end } = periodOn(today(), 'MONTHLY', today())
    const input = { id, expectedVersion: 1, plan: 'ENTERPRISE', billingInterval: 'ANNUAL' }
    expect(await userErrors(admin, 'changeSubscriptionPlan', input)).toMatchObject([
      { code: 'INVALID', field: ['billingInterval'] },
    ])
    const later = { ...input, at: 'PERIOD_END' }
    // What the table would refuse when the period ends is refused at once.
    for (const seats of [0, -1, 100_001])
      expect(await userErrors(admin, 'changeSubscriptionPlan', { ...later, seats })).toMatchObject([
        { code: 'INVALID', field: ['seats'] },
      ])
    const selection = 'subscription { plan billingInterval nextPlan nextPlanOn version }'
    expect(await change(admin, 'changeSubscriptionPlan', later, selection)).toEqual({
      ...{
        plan: 'PROFESSIONAL',
        billingInterval: 'MONTHLY',
        nextPlan: 'ENTERPRISE',
        nextPlanOn: end,
        version: 2,
      },
    })
  })
})

const pending = async (id: string) =>
  (
    await graph.owner.query<{ description: string; amount: string; invoice_id: string | null }>(
      'SELECT description, amount::text, invoice_id FROM tenancy.pending_lines WHERE subscription_id = $1 ORDER BY created_at, amount',
      [id],
    )
  ).rows

/** As if a period that began some days ago had been billed. */
async function markBilled(id: string, days: number): Promise<void> {
  const startDate = inDays(-days)
  const { start: first, end } = periodOn(startDate, 'MONTHLY', today())
  await graph.owner.query(
    `UPDATE tenancy.subscriptions SET start_date = $2, current_period_start = $3, current_period_end = $4,
            billed_until = $4, trial_ends_on = NULL WHERE id = $1`,
    [id, startDate, first, end],
  )
}

describe('what is refused names its field', () => {
  test.each([
    ['no seat', { seats: 0 }, 'seats'],
    ['a start before 1900', { startDate: '1899-12-31' }, 'startDate'],
    ['a start in the past', { startDate: '2026-01-01' }, 'startDate'],
    ['an end before the start', { endDate: '2998-01-01', startDate: '2999-01-01' }, 'endDate'],
    ['a currency that the list has no prices in', { currency: 'CHF' }, 'plan'],
    ['a currency that ended', { currency: 'HRK' }, 'currency'],
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
      ['changeSubscriptionPlan', { plan: 'STARTER' }],
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
    changeSubscriptionPlan: { id, expectedVersion: 1, plan: 'STARTER' },
    uncancelSubscription: { id, expectedVersion: 1 },
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

test('a contract is not the root of streams: a stream of it is asked for by its own field', async () => {
  const { admin } = await freshTenant()
  await start(admin)
  expect(await admin.query('subscription { id }')).toMatchObject({
    errors: [
      {
        message: 'Cannot query field "id" on type "Subscription".',
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      },
    ],
  })
  expect(await admin.query('subscription { subscriptionChanged { kind } }')).toMatchObject({
    errors: [
      {
        message: 'A subscription is answered as a stream: send it with accept: text/event-stream',
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ],
  })
})

test('every price of the list has 12 decimals at most, as a line of an invoice has', async () => {
  const { rows } = await graph.owner.query<{ price: string }>(
    "SELECT DISTINCT t ->> 'unitPrice' AS price FROM tenancy.plan_prices p, jsonb_array_elements(p.tiers) t ORDER BY 1",
  )
  expect(rows.map(({ price }) => price)).toEqual(['0', '0.0002', '0.0004', '0.03', '0.06'])
})
