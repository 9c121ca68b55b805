import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change } from '../support/lists'

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

test('months are compared with what came, and the error is told when all of them are over', async () => {
  await book('50', -3)
  await book('40', -1)
  const past = await draft({ periodStart: month(-3), periodEnd: month(0) })
  const going = await draft({ periodStart: month(-1), periodEnd: month(1), value: euros('100') })
  const pipeline = await draft({ type: 'PIPELINE', periodStart: month(-3), periodEnd: month(0) })
  const outcome =
    'months { value { amount } actual { amount } } actual { amount } meanAbsolutePercentageError'
  const month40 = (actual: object | null) => ({ value: { amount: '40.00' }, actual })
  expect(await shown(past.id, outcome)).toEqual({
    months: [month40({ amount: '50.00' }), month40({ amount: '0.00' }), month40({ amount: '40.00' })],
    // 10 of 50 and none; the month in which nothing came is skipped.
    ...{ actual: { amount: '90.00' }, meanAbsolutePercentageError: '10.00' },
  })
  expect(await shown(pipeline.id, outcome)).toEqual({
    ...{ months: Array(3).fill(month40(null)), actual: null, meanAbsolutePercentageError: null },
  })
  const month50 = (actual: object | null) => ({ value: { amount: '50.00' }, actual })
  expect(await shown(going.id, outcome)).toEqual({
    months: [month50({ amount: '40.00' }), month50(null)],
    ...{ actual: { amount: '40.00' }, meanAbsolutePercentageError: null },
  })
  const list = () =>
    first.data(
      `{ forecasts(first: 20) { nodes { name revises { name } ${outcome} isReplayable factors(first: 3) { nodes { name } } } } }`,
    )
  // The forecasts, what was booked, their factors twice: to be shown, and to be replayed.
  expect((await graph.statementsDuring(list)).map(({ role }) => role)).toEqual(Array(4).fill('finance'))
  const { forecastSummary } = await first.data<{ forecastSummary: object }>(
    '{ forecastSummary(groupBy: [TYPE]) { groups { key { type } count value { currency sum { amount } } } } }',
  )
  expect(forecastSummary).toEqual({
    groups: [
      { key: { type: 'PIPELINE' }, count: 1, value: [{ currency: 'EUR', sum: { amount: '120.00' } }] },
      { key: { type: 'REVENUE' }, count: 2, value: [{ currency: 'EUR', sum: { amount: '220.00' } }] },
    ],
  })
  await change<Forecast>(first, 'publishForecast', { id: going.id, expectedVersion: going.version }, fields)
  graph.clock.advance({ seconds: Math.ceil((Date.parse(month(1)) - graph.clock.now().getTime()) / 1000) })
  const later = await acme.user('ADMIN')
  await book('200', -1, later)
  // 10 of 40 and 150 of 200: 25 % and 75 %.
  expect(await shown(going.id, outcome, later)).toEqual({
    months: [month50({ amount: '40.00' }), month50({ amount: '200.00' })],
    ...{ actual: { amount: '240.00' }, meanAbsolutePercentageError: '50.00' },
  })
})
