import { periodOn } from '../../subgraphs/tenancy/rules/period'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { subscribingOf } from './subscribing'

let graph: TestGraph

beforeAll(async () => (graph = await startGraph()))
afterAll(() => graph?.close())

const { today, freshTenant, start, stored } = subscribingOf(() => graph)

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
    const undone = { id, expectedVersion: 2 }
    expect(await change(admin, 'uncancelSubscription', undone, selection)).toEqual({
      ...{ status: 'ACTIVE', endDate: null, cancelledAt: null, version: 3 },
    })
    expect(await userErrors(admin, 'uncancelSubscription', { id, expectedVersion: 3 })).toMatchObject([
      { code: 'INVALID_STATUS', field: ['id'] },
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
    expect(await admin.data('{ tenant { plan status subscription { id } } }')).toEqual({
      tenant: { plan: 'TRIAL', status: 'ACTIVE', subscription: null },
    })
    const before = await stored(tenant.id)
    for (const [mutation, values] of [
      ['cancelSubscription', { at: 'NOW' }],
      ['changeSubscriptionPlan', { plan: 'STARTER' }],
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
    await start(admin, { startDate: today() })
    expect((await stored(tenant.id)).map(({ status }) => status)).toEqual([
      'CANCELLED',
      'CANCELLED',
      'ACTIVE',
    ])
  })
})
