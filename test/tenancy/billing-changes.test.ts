import { dayAfter, periodOn, periodStart } from '../../subgraphs/tenancy/rules/period'
import { spanOf, unusedPart } from '../../subgraphs/tenancy/rules/proration'
import { userErrors } from '../support/lists'
import { billingOf, dayMs, startBilling, type Subscriber } from './billed'

let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => {
  started = await startBilling()
  started.graph.clock.stop()
})
afterAll(() => started?.graph.close())

const { subscriber, bill, travel, invoices, preview, lastLines, act, subscriptionOf, nowOf, todayOf } =
  billingOf(() => started)

const month = ({ startDate }: Subscriber, number: number) => periodStart(startDate, 'MONTHLY', number)
const totals = async (one: Subscriber) => (await invoices(one)).map(({ total }) => total.amount)
const money = (minor: bigint) => (Number(minor) / 100).toFixed(2)
const pending = async ({ id }: Subscriber) =>
  (
    await started.graph.owner.query<{ text: string }>(
      `SELECT description || ': ' || amount AS text FROM tenancy.pending_lines
        WHERE subscription_id = $1 AND invoice_id IS NULL AND credit_note_id IS NULL ORDER BY created_at, amount`,
      [id],
    )
  ).rows.map(({ text }) => text)

describe('a trial', () => {
  test('is free, and the days behind it are billed when they begin, not before', async () => {
    const one = await subscriber({ plan: 'PROFESSIONAL', seats: 1 })
    const [end, trialEnd] = [month(one, 1), dayAfter(one.startDate, 14)]
    const days = (Date.parse(end) - Date.parse(one.startDate)) / dayMs
    const left = (whole: number) => (Math.round((whole * (days - 14)) / days) / 100).toFixed(2)
    const shown = await preview(one)
    expect(shown).toMatchObject({ periodStart: trialEnd, periodEnd: end })
    await bill(one)
    await travel(one, dayAfter(trialEnd, -1))
    await bill(one)
    expect(await invoices(one)).toEqual([])
    await travel(one, trialEnd)
    await bill(one)
    const [first] = await invoices(one)
    expect(first!.lines.nodes).toEqual(shown.lines)
    expect(await lastLines(one)).toEqual([
      `PROFESSIONAL, fee, part of a period: ${left(19000)}`,
      `PROFESSIONAL, seats, part of a period: ${left(1500)}`,
    ])
    await travel(one, end)
    await bill(one)
    expect((await totals(one)).at(-1)).toBe('205.00')
  })

  test('alone ends by itself and is never billed; so is one that is cancelled before it ends', async () => {
    const free = await subscriber({ plan: 'TRIAL', seats: 1 })
    await bill(free)
    await travel(free, dayAfter(free.startDate, 30))
    await bill(free)
    expect(await subscriptionOf(free)).toMatchObject({ status: 'CANCELLED', plan: 'TRIAL' })
    const other = await subscriber({ plan: 'PROFESSIONAL' })
    await act(other, 'cancelSubscription', { at: 'NOW' })
    await bill(other)
    expect([...(await invoices(free)), ...(await invoices(other))]).toEqual([])
  })

  test('that is left for a plan is paid from that day on, in periods from it, and nothing ends it', async () => {
    const one = await subscriber({ plan: 'TRIAL', seats: 2 })
    const day = dayAfter(one.startDate, 10)
    await travel(one, day)
    const query = `{ previewPlanChange(subscriptionId: "${one.id}", plan: STARTER) { total { amount } } }`
    expect(await one.admin.data(query)).toEqual({ previewPlanChange: { total: { amount: '67.00' } } })
    await act(one, 'changeSubscriptionPlan', { plan: 'STARTER' })
    expect(await subscriptionOf(one)).toMatchObject({ endDate: null, trialEndsOn: day, plan: 'STARTER' })
    await bill(one)
    expect((await invoices(one))[0]!.lines.nodes[0]).toMatchObject({
      serviceStart: day,
      serviceEnd: periodStart(day, 'MONTHLY', 1),
    })
    await travel(one, periodStart(day, 'MONTHLY', 1))
    await bill(one)
    expect(await totals(one)).toEqual(['67.00', '67.00'])
    expect(await one.admin.data('{ tenant { plan subscription { status } } }')).toEqual({
      tenant: { plan: 'STARTER', subscription: { status: 'ACTIVE' } },
    })
  })

  test('goes over into the plan that was chosen for its end; without one the tenant stays on none', async () => {
    const one = await subscriber({ plan: 'TRIAL', seats: 2 })
    const end = dayAfter(one.startDate, 30)
    await act(one, 'changeSubscriptionPlan', { plan: 'STARTER', at: 'PERIOD_END' })
    expect(await one.admin.data('{ tenant { subscription { plan nextPlan nextPlanOn endDate } } }')).toEqual({
      tenant: { subscription: { plan: 'TRIAL', nextPlan: 'STARTER', nextPlanOn: end, endDate: null } },
    })
    await travel(one, end)
    await bill(one)
    expect(await totals(one)).toEqual(['67.00'])
    expect(await subscriptionOf(one)).toMatchObject({
      plan: 'STARTER',
      status: 'ACTIVE',
      billedUntil: periodStart(end, 'MONTHLY', 1),
    })
    const late = {
      plan: 'TRIAL',
      billingInterval: 'MONTHLY',
      currency: 'EUR',
      endDate: dayAfter(one.startDate, 60),
    }
    const fresh = await (await started.graph.tenant('long-trial')).as('ADMIN')
    expect(await userErrors(fresh, 'startSubscription', late)).toMatchObject([
      { code: 'INVALID', field: ['endDate'] },
    ])
  })
})

describe('what began is owed', () => {
  test('by who cancels before the billing job came, and nothing twice', async () => {
    const one = await subscriber()
    await act(one, 'cancelSubscription', { at: 'NOW' })
    for (let run = 0; run < 2; run++) await bill(one)
    expect(await totals(one)).toEqual(['67.00'])
  })

  test('by who changes away before it came: as if it had come first', async () => {
    const one = await subscriber({ plan: 'ENTERPRISE' })
    const at = nowOf(one).getTime()
    const span = spanOf(periodOn(one.startDate, 'MONTHLY', one.startDate))
    const query = `{ previewPlanChange(subscriptionId: "${one.id}", plan: STARTER) { total { amount } } }`
    const back = unusedPart(6700n, span, at) - unusedPart(192400n, span, at)
    expect(await one.admin.data(query)).toEqual({ previewPlanChange: { total: { amount: money(back) } } })
    await act(one, 'changeSubscriptionPlan', { plan: 'STARTER' })
    expect(await totals(one)).toEqual(['1924.00'])
    expect(await pending(one)).toEqual([
      `ENTERPRISE, unused part: -${unusedPart(192400n, span, at)}`,
      `STARTER, rest of the period: ${unusedPart(6700n, span, at)}`,
    ])
  })
})

test('a plan chosen for the period’s end costs what it cost on the day of the choice', async () => {
  const { owner } = started.graph
  const one = await subscriber({ currency: 'GBP' })
  await bill(one)
  const raised = await owner.query<{ id: string }>(
    `INSERT INTO tenancy.plan_prices (id, plan_id, version, currency, billing_interval, meter, amount, valid_from)
     SELECT gen_random_uuid(), plan_id, 2, currency, billing_interval, meter, amount * 2, $1 FROM tenancy.plan_prices r
      WHERE version = 1 AND currency = 'GBP' AND meter IS NULL
        AND plan_id = (SELECT id FROM tenancy.plans WHERE code = 'ENTERPRISE') RETURNING id`,
    [dayAfter(one.startDate, 2)],
  )
  expect(raised.rowCount).toBe(2)
  await act(one, 'changeSubscriptionPlan', { plan: 'ENTERPRISE', at: 'PERIOD_END' })
  await travel(one, month(one, 1))
  await bill(one)
  // Of today 2 × 1,710.00; of the choice 1,710.00, and 2 seats.
  expect((await lastLines(one))[0]).toBe('ENTERPRISE, fee: 1710.00')
})

test('what a change of a yearly subscription costs is billed with the month, and nothing with the year again', async () => {
  const one = await subscriber({ billingInterval: 'ANNUAL' })
  await bill(one)
  await travel(one, dayAfter(one.startDate, 5))
  await act(one, 'changeSubscriptionPlan', { plan: 'PROFESSIONAL' })
  const shown = await preview(one)
  expect(shown.periodStart).toBe(month(one, 1))
  await bill(one)
  expect(await totals(one)).toEqual(['670.00'])
  await travel(one, month(one, 1))
  await bill(one)
  expect(await totals(one)).toEqual(['670.00', shown.total.amount])
  expect((await invoices(one))[1]!.lines.nodes).toEqual(shown.lines)
  await bill(one)
  expect(await invoices(one)).toHaveLength(2)
  // Less than nothing is no invoice: it waits, and goes off what is billed next.
  await act(one, 'changeSubscriptionPlan', { plan: 'STARTER' })
  await travel(one, month(one, 2))
  await bill(one)
  expect(await invoices(one)).toHaveLength(2)
  expect(await pending(one)).toHaveLength(2)
})

test('what is left over at the end becomes credit notes, at the rate at which it was billed', async () => {
  const one = await subscriber({ plan: 'ENTERPRISE' }, { rate: '19' })
  const span = spanOf(periodOn(one.startDate, 'MONTHLY', one.startDate))
  const at = nowOf(one).getTime()
  await act(one, 'changeSubscriptionPlan', { plan: 'STARTER' })
  await act(one, 'cancelSubscription', { at: 'PERIOD_END' })
  await travel(one, month(one, 1))
  expect(await bill(one)).toBeNull()
  expect(await totals(one)).toEqual([money((192400n * 119n) / 100n)])
  const net = unusedPart(192400n, span, at) - unusedPart(6700n, span, at)
  const { creditNotes } = await one.admin.data<{ creditNotes: { nodes: object[] } }>(
    '{ creditNotes { nodes { status subtotal { amount } taxBreakdown { rate } } } }',
  )
  expect(creditNotes.nodes).toEqual([
    { status: 'ISSUED', subtotal: { amount: money(net) }, taxBreakdown: [{ rate: '19' }] },
  ])
  expect(await pending(one)).toEqual([])
  await bill(one)
  expect(
    (await one.admin.data<{ creditNotes: { nodes: object[] } }>('{ creditNotes { nodes { id } } }'))
      .creditNotes.nodes,
  ).toHaveLength(1)
})

test('a term that ends within a period is billed until then, and a change gives back no more', async () => {
  const one = await subscriber({ endDate: dayAfter(todayOf({ ahead: 0 } as Subscriber), 10) })
  await bill(one)
  const span = spanOf(periodOn(one.startDate, 'MONTHLY', one.startDate))
  const until = Date.parse(`${dayAfter(one.startDate, 10)}T00:00:00Z`)
  const rest = (whole: bigint, at: number) => unusedPart(whole, span, at) - unusedPart(whole, span, until)
  expect(await lastLines(one)).toEqual([
    `STARTER, fee, part of a period: ${money(rest(4900n, span.start))}`,
    `STARTER, seats, part of a period: ${money(rest(1800n, span.start))}`,
  ])
  await act(one, 'changeSubscriptionPlan', { plan: 'ENTERPRISE' })
  const at = nowOf(one).getTime()
  expect(await pending(one)).toEqual([
    `STARTER, unused part: -${rest(6700n, at)}`,
    `ENTERPRISE, rest of the period: ${rest(192400n, at)}`,
  ])
  const input = { id: one.id, expectedVersion: 3, plan: 'STARTER', at: 'PERIOD_END' }
  expect(await userErrors(one.admin, 'changeSubscriptionPlan', input)).toMatchObject([
    { code: 'INVALID_STATUS', field: ['at'] },
  ])
  // On the day on which it ends, not on that of the next period, it is settled.
  await travel(one, dayAfter(one.startDate, 10))
  await bill(one)
  expect(await subscriptionOf(one)).toMatchObject({ status: 'CANCELLED', plan: 'ENTERPRISE' })
  expect((await totals(one)).at(-1)).toBe(money(rest(192400n, at) - rest(6700n, at)))
})

test('one that was cancelled before it began leaves room for an earlier one, and its trial', async () => {
  const one = await subscriber({ plan: 'PROFESSIONAL', startDate: '2999-01-31' })
  await act(one, 'cancelSubscription', { at: 'NOW' })
  const input = { plan: 'PROFESSIONAL', billingInterval: 'MONTHLY', currency: 'EUR' }
  expect(await userErrors(one.admin, 'startSubscription', input)).toEqual([])
  expect(await one.admin.data('{ tenant { subscription { trialEndsOn } } }')).toEqual({
    tenant: { subscription: { trialEndsOn: dayAfter(todayOf(one), 14) } },
  })
})

test('one that rests is neither billed nor changed, and its previews say so', async () => {
  const one = await subscriber()
  await started.graph.owner.query(`UPDATE tenancy.subscriptions SET status = 'SUSPENDED' WHERE id = $1`, [
    one.id,
  ])
  expect(await preview(one)).toMatchObject({ lines: [], total: { amount: '0.00' } })
  await bill(one)
  expect(await invoices(one)).toEqual([])
  const input = { id: one.id, expectedVersion: 1, plan: 'ENTERPRISE' }
  expect(await userErrors(one.admin, 'changeSubscriptionPlan', input)).toMatchObject([
    { code: 'INVALID_STATUS' },
  ])
  for (const seats of [0, 100_001])
    expect(
      await one.admin.query(
        `{ previewPlanChange(subscriptionId: "${one.id}", plan: STARTER, seats: ${seats}) { total { amount } } }`,
      ),
    ).toMatchObject({
      errors: [{ message: 'seats must be 1 to 100000', extensions: { code: 'BAD_USER_INPUT' } }],
    })
})
