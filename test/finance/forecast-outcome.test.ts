import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'
import { refusedAs } from './as-finance'

/** How forecasts came true. */
let graph: TestGraph
let acme: TestTenant
let first: TestClient
let count = 0

interface Forecast {
  id: string
  version: number
}
const fields = 'forecast { id version }'
const euros = (amount: string) => ({ amount, currency: 'EUR' })
const month = (from: number) => {
  const now = graph.clock.now()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + from, 1)).toISOString().slice(0, 10)
}
const book = (amount: string, from: number, client = first) =>
  change(
    client,
    'recordTransaction',
    {
      ...{ transactionNumber: `F-${++count}`, type: 'INCOME', amount: euros(amount) },
      occurredAt: `${month(from).slice(0, 8)}05T12:00:00.000Z`,
    },
    'transaction { id }',
  )
const draft = (values: object) =>
  change<Forecast>(
    first,
    'createForecast',
    { name: 'Past', type: 'REVENUE', value: euros('120'), ...values },
    fields,
  )
const shown = async (id: string, selection: string, client = first) =>
  (await client.data<{ forecast: object }>(`{ forecast(id: "${id}") { ${selection} } }`)).forecast

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  first = await acme.user('ADMIN')
})
afterAll(() => graph?.close())

const outcome = 'months { value { amount } actual { amount } } actual { amount } meanAbsolutePercentageError'
const publish = (one: Forecast, client = first) =>
  change<Forecast>(client, 'publishForecast', { id: one.id, expectedVersion: one.version }, fields)
const revised = 'forecast { id version periodEnd base { amount } factorMode months { month } }'
const revise = (one: Forecast, client: TestClient) =>
  change<Forecast & { months: object[] }>(
    client,
    'reviseForecast',
    { id: one.id, expectedVersion: one.version },
    revised,
  )
/** Moves the clock to the first day of the month that is so many after the present one, and signs somebody in. */
const moveTo = async (from: number) => {
  graph.clock.advance({ seconds: Math.ceil((Date.parse(month(from)) - graph.clock.now().getTime()) / 1000) })
  return acme.user('ADMIN')
}

test('months are compared with what came, and the error is told of those that were not known (10)', async () => {
  await book('50', -3)
  await book('40', -1)
  const past = await draft({ periodStart: month(-3), periodEnd: month(0) })
  const going = await draft({ periodStart: month(-1), periodEnd: month(2), value: euros('150') })
  const pipeline = await draft({ type: 'PIPELINE', periodStart: month(-3), periodEnd: month(0) })
  const month40 = (actual: object | null) => ({ value: { amount: '40.00' }, actual })
  const known = {
    months: [month40({ amount: '50.00' }), month40({ amount: '0.00' }), month40({ amount: '40.00' })],
    // Whoever says afterwards what came was not off, and is not praised for it.
    ...{ actual: { amount: '90.00' }, meanAbsolutePercentageError: null },
  }
  expect(await shown(past.id, outcome)).toEqual(known)
  await publish(past)
  expect(await shown(past.id, outcome)).toEqual(known)
  expect(await shown(pipeline.id, outcome)).toEqual({
    ...{ months: Array(3).fill(month40(null)), actual: null, meanAbsolutePercentageError: null },
  })
  const month50 = (actual: object | null) => ({ value: { amount: '50.00' }, actual })
  expect(await shown(going.id, outcome)).toEqual({
    months: [month50({ amount: '40.00' }), month50(null), month50(null)],
    ...{ actual: { amount: '40.00' }, meanAbsolutePercentageError: null },
  })
  const list = () =>
    first.data(
      `{ forecasts(first: 20) { nodes { name revises { name } ${outcome} isReplayable factors(first: 3) { nodes { name } } } } }`,
    )
  // The forecasts, what was booked, their factors twice: to be shown, and to be replayed.
  expect((await graph.statementsDuring(list)).map(({ role }) => role)).toEqual(Array(4).fill('finance'))
  const { forecastSummary } = await first.data<{ forecastSummary: object }>(
    '{ forecastSummary(groupBy: [TYPE]) { groups { key { type } count } } }',
  )
  expect(forecastSummary).toEqual({
    groups: [
      { key: { type: 'PIPELINE' }, count: 1 },
      { key: { type: 'REVENUE' }, count: 2 },
    ],
  })
  await publish(going)
  const reckoned = { name: 'Mean', type: 'REVENUE', currency: 'EUR', method: 'MEAN' }
  let mean = await change<Forecast>(
    first,
    'generateForecast',
    { ...reckoned, historyMonths: 12, horizonMonths: 4 },
    fields,
  )
  mean = await change<Forecast>(
    first,
    'setForecastFactors',
    {
      ...{ id: mean.id, expectedVersion: mean.version },
      factors: [{ name: 'Fair', value: euros('9'), weight: '1' }],
    },
    fields,
  )
  mean = await publish(mean)
  // 15: what is published stays, also for the owner of the tables, and nothing begins as published.
  const [ofIt, ofFactors] = [`id = '${mean.id}'`, `forecast_id = '${mean.id}'`]
  for (const text of [
    `UPDATE finance.forecasts SET value = 1 WHERE ${ofIt}`,
    `DELETE FROM finance.forecasts WHERE ${ofIt}`,
    `UPDATE finance.forecast_factors SET value = 1 WHERE ${ofFactors}`,
    `DELETE FROM finance.forecast_factors WHERE ${ofFactors}`,
  ])
    await expect(graph.owner.query(text)).rejects.toThrow(
      /of a published forecast stay$|^a published forecast stays$/,
    )
  const begins = (status: string) =>
    refusedAs(graph, acme.id, [
      `INSERT INTO finance.forecasts (id, name, type, period_start, period_end, currency, base, value, months, status, published_at)
       VALUES (gen_random_uuid(), 'X', 'REVENUE', '2026-01-01', '2026-02-01', 'EUR', 1, 1, '["1"]', '${status}', now())`,
    ])
  expect([await begins('PUBLISHED'), await begins('DRAFT')]).toEqual(['a forecast begins as a draft', null])
  const ends = month(4)
  const later = await moveTo(2)
  await book('200', -1, later)
  // 150 of 200. Of the month before nothing was known either, but nothing came; the first one was over.
  expect(await shown(going.id, outcome, later)).toEqual({
    months: [month50({ amount: '40.00' }), month50({ amount: '0.00' }), month50({ amount: '200.00' })],
    ...{ actual: { amount: '240.00' }, meanAbsolutePercentageError: '75.00' },
  })
  // 23: what is left of its months, by 50, 0, 40, 0 and 200, without what was said of all of them.
  const next = await revise(mean, later)
  expect(next).toMatchObject({
    ...{ periodEnd: ends, base: { amount: '116.00' }, factorMode: null },
    months: [{ month: month(0) }, { month: month(1) }],
  })
  mean = await publish(next, later)
  const last = await moveTo(2)
  const input = { id: mean.id, expectedVersion: mean.version }
  expect(await userErrors(last, 'reviseForecast', input)).toEqual([
    { code: 'INVALID_STATUS', field: ['id'], message: 'Its months are over: generate another forecast' },
  ])
  expect(await readAll(last, 'forecasts', 'id', 'filter: { search: "Mean" }')).toHaveLength(2)
})
