import { dayAfter, freeUntil, periodOn, periodStart } from '../../subgraphs/tenancy/rules/period'
import { spanOf, unusedPart } from '../../subgraphs/tenancy/rules/proration'
import { userErrors } from '../support/lists'
import { billingOf, dayMs, startBilling, type Subscriber } from './billed'

let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => {
  started = await startBilling()
  started.graph.clock.stop()
})
afterAll(() => started?.graph.close())

const { subscriber, bill, travel, invoices, preview, lastLines, act, subscriptionOf, nowOf } = billingOf(
  () => started,
)

const month = ({ startDate }: Subscriber, number: number) => periodStart(startDate, 'MONTHLY', number)
const totals = async (one: Subscriber) => (await invoices(one)).map(({ total }) => total.amount)
const owner = () => started.graph.owner

async function refused(one: Subscriber, mutation: string, values: object): Promise<unknown[]> {
  const { subscription } = await one.admin.data<{ subscription: { version: number } }>(
    `{ subscription(id: "${one.id}") { version } }`,
  )
  const input = { id: one.id, expectedVersion: subscription.version, ...values }
  return userErrors(one.admin, mutation, input)
}

test('1: a trial that chose a plan for its end does not become an endless one by choosing the trial again', async () => {
  const one = await subscriber({ plan: 'TRIAL', seats: 1 })
  await act(one, 'changeSubscriptionPlan', { plan: 'STARTER', at: 'PERIOD_END' })
  const chosen = await subscriptionOf(one)
  expect(await refused(one, 'changeSubscriptionPlan', { plan: 'TRIAL', at: 'PERIOD_END' })).toMatchObject([
    { code: 'INVALID', field: ['plan'] },
  ])
  expect(await subscriptionOf(one)).toEqual(chosen)
  // At once it is taken back: the trial ends as it would have.
  await act(one, 'changeSubscriptionPlan', { plan: 'TRIAL', seats: 3 })
  const end = dayAfter(one.startDate, 30)
  expect(await subscriptionOf(one)).toMatchObject({ plan: 'TRIAL', nextPlan: null, endDate: end })
  await travel(one, end)
  await bill(one)
  expect(await subscriptionOf(one)).toMatchObject({ status: 'CANCELLED', plan: 'TRIAL' })
})

test('2: a trial that was looked at before is left for a plan by its seats, and no day of it is billed twice', async () => {
  const one = await subscriber({ plan: 'TRIAL', seats: 2 })
  await owner().query('UPDATE tenancy.subscriptions SET billed_until = $2 WHERE id = $1', [
    one.id,
    month(one, 1),
  ])
  await travel(one, dayAfter(one.startDate, 10))
  await act(one, 'changeSubscriptionPlan', { plan: 'STARTER' })
  await bill(one)
  await travel(one, month(one, 1))
  await bill(one)
  expect(await totals(one)).toEqual(['67.00'])
})

describe('8: free days', () => {
  test.each([
    ['of the new plan, where they are fewer', '2026-03-15', null, 7, '2026-03-05', '2026-03-08'],
    ['end today where the new plan has none left', '2026-03-15', null, 0, '2026-03-05', '2026-03-05'],
    ['are not more than there were', '2026-03-15', null, 30, '2026-03-05', '2026-03-15'],
    ['that are over stay so', '2026-03-15', null, 0, '2026-03-20', '2026-03-15'],
    ['that are billed stay so', '2026-03-15', '2026-04-01', 0, '2026-03-05', '2026-03-15'],
    ['before the start', '2026-03-15', null, 0, '2026-02-05', '2026-03-01'],
  ] as const)('%s', (_, trialEndsOn, billedUntil, days, today, expected) => {
    expect(freeUntil({ startDate: '2026-03-01', trialEndsOn, billedUntil }, days, today)).toBe(expected)
  })

  test('do not move to another plan: it is paid from that day on, as its preview said', async () => {
    const one = await subscriber({ plan: 'PROFESSIONAL', seats: 1 })
    const day = dayAfter(one.startDate, 4)
    await travel(one, day)
    const query = `{ previewPlanChange(subscriptionId: "${one.id}", plan: ENTERPRISE) { total { amount } } }`
    const { previewPlanChange } = await one.admin.data<{ previewPlanChange: object }>(query)
    await act(one, 'changeSubscriptionPlan', { plan: 'ENTERPRISE' })
    expect(await subscriptionOf(one)).toMatchObject({ trialEndsOn: day, plan: 'ENTERPRISE' })
    await bill(one)
    const days = (Date.parse(month(one, 1)) - Date.parse(one.startDate)) / dayMs
    const left = (whole: number) => (Math.round((whole * (days - 4)) / days) / 100).toFixed(2)
    expect(await lastLines(one)).toEqual([
      `ENTERPRISE, fee, part of a period: ${left(190000)}`,
      `ENTERPRISE, seats, part of a period: ${left(1200)}`,
    ])
    expect(previewPlanChange).toEqual({ total: (await invoices(one))[0]!.total })
    await act(one, 'changeSubscriptionPlan', { plan: 'PROFESSIONAL' })
    expect(await subscriptionOf(one)).toMatchObject({ trialEndsOn: day })
  })
})

test.each([
  ['cancelled', 'cancelSubscription', { at: 'PERIOD_END' }],
  ['changed again', 'changeSubscriptionPlan', { plan: 'PROFESSIONAL', at: 'PERIOD_END' }],
])(
  '9: a change that is due is made before the subscription is %s for the end of its period',
  async (_, mutation, values) => {
    const one = await subscriber()
    await bill(one)
    await act(one, 'changeSubscriptionPlan', { plan: 'ENTERPRISE', at: 'PERIOD_END' })
    await travel(one, month(one, 1))
    await act(one, mutation, values)
    expect(await subscriptionOf(one)).toMatchObject({ plan: 'ENTERPRISE', billedUntil: month(one, 2) })
    expect(await totals(one)).toEqual(['67.00', '1924.00'])
  },
  60_000,
)

describe('7: who cancels at once loses the rest of the period', () => {
  test('also what a change within it gave back, whether it was billed or not', async () => {
    const one = await subscriber()
    await bill(one)
    const span = spanOf(periodOn(one.startDate, 'MONTHLY', one.startDate))
    const rest = (whole: bigint) => unusedPart(whole, span, nowOf(one).getTime())
    await act(one, 'changeSubscriptionPlan', { plan: 'ENTERPRISE' })
    await act(one, 'changeSubscriptionPlan', { plan: 'STARTER' })
    await act(one, 'cancelSubscription', { at: 'NOW' })
    const shown = await preview(one)
    expect(await bill(one)).toBeNull()
    expect(await totals(one)).toEqual(['67.00', (Number(rest(192400n) - rest(6700n)) / 100).toFixed(2)])
    expect((await invoices(one))[1]!.lines.nodes).toEqual(shown.lines)
    expect(await one.admin.data('{ creditNotes { nodes { id } } }')).toEqual({ creditNotes: { nodes: [] } })
    const { rows } = await owner().query<{ text: string }>(
      `SELECT description || ' ' || (lapsed_on IS NOT NULL) AS text FROM tenancy.pending_lines
        WHERE subscription_id = $1 ORDER BY created_at, place`,
      [one.id],
    )
    expect(rows.map(({ text }) => text)).toEqual([
      'STARTER, unused part false',
      'ENTERPRISE, rest of the period false',
      'ENTERPRISE, unused part true',
      'STARTER, rest of the period true',
    ])
  })
})

describe('24: one that rests', () => {
  test('ends at once with what was billed: no period in which it rested is', async () => {
    const one = await subscriber()
    await bill(one)
    await owner().query(`UPDATE tenancy.subscriptions SET status = 'SUSPENDED' WHERE id = $1`, [one.id])
    await travel(one, dayAfter(month(one, 2), 3))
    expect(await refused(one, 'cancelSubscription', { at: 'PERIOD_END' })).toMatchObject([
      { code: 'INVALID_STATUS', field: ['at'] },
    ])
    await act(one, 'cancelSubscription', { at: 'NOW' })
    expect(await subscriptionOf(one)).toMatchObject({ status: 'CANCELLED', endDate: month(one, 1) })
    for (let run = 0; run < 2; run++) expect(await bill(one)).toBeNull()
    expect(await totals(one)).toEqual(['67.00'])
  })
})
