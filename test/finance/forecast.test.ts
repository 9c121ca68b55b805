import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'
import { refusedAs } from './as-finance'

/** Forecasts: drafted or generated, published as they are, and compared with what came. */
let graph: TestGraph
let acme: TestTenant
let planner: TestClient
let viewer: TestClient
let count = 0

interface Forecast {
  id: string
  version: number
}
const fields = 'forecast { id version }'
const euros = (amount: string) => ({ amount, currency: 'EUR' })
const at = ({ id, version }: Forecast) => ({ id, expectedVersion: version })
const month = (from: number) => {
  const now = graph.clock.now()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + from, 1)).toISOString().slice(0, 10)
}
const book = (type: string, amount: string, from: number, more: object = {}, client = planner) =>
  change(
    client,
    'recordTransaction',
    {
      ...{ transactionNumber: `F-${++count}`, type, amount: euros(amount), ...more },
      occurredAt: `${month(from).slice(0, 8)}05T12:00:00.000Z`,
    },
    'transaction { id }',
  )
const manual = (values: object = {}) =>
  change<Forecast>(
    planner,
    'createForecast',
    {
      ...{ name: 'Plan', type: 'REVENUE', periodStart: month(-3), periodEnd: month(0), value: euros('100') },
      ...values,
    },
    fields,
  )
const asked = {
  name: 'Outlook',
  type: 'REVENUE',
  currency: 'EUR',
  method: 'DRIFT',
  historyMonths: 3,
  horizonMonths: 2,
}
const generate = (values: object = {}, selection = fields) =>
  change<Forecast>(planner, 'generateForecast', { ...asked, ...values }, selection)
const setFactors = (one: Forecast, mode: string, ...factors: [string, string, string][]) => ({
  ...{ ...at(one), mode },
  factors: factors.map(([name, amount, weight]) => ({ name, value: euros(amount), weight })),
})
const shown = async (id: string, selection: string, client = viewer) =>
  (await client.data<{ forecast: object }>(`{ forecast(id: "${id}") { ${selection} } }`)).forecast
const stored = async () =>
  (
    await graph.owner.query(
      `SELECT (SELECT md5(string_agg(f::text, '' ORDER BY f.id)) FROM finance.forecasts f WHERE f.tenant_id = $1) AS forecasts,
              (SELECT md5(string_agg(f::text, '' ORDER BY f.id)) FROM finance.forecast_factors f WHERE f.tenant_id = $1) AS factors`,
      [acme.id],
    )
  ).rows[0]

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  ;[planner, viewer] = [await acme.user('ADMIN'), await acme.user('VIEWER')]
  for (const [from, income, expense] of [
    [-3, '100', '40'],
    [-2, '250', '10'],
    [-1, '130', '70'],
  ] as const) {
    await book('INCOME', income, from)
    await book('EXPENSE', expense, from)
  }
  await book('INCOME', '-30', -2)
  await book('INCOME', '9999', 0)
  await book('INCOME', '5000', -4)
  await book('TRANSFER', '777', -1)
  await book('INCOME', '888', -1, { amount: { amount: '888', currency: 'USD' } })
})
afterAll(() => graph?.close())

test('what is generated goes by the months before the present one, and stays when these change', async () => {
  const selection = `forecast { id version method methodVersion periodStart periodEnd base { amount currency } value { amount }
    history { amount } months { month value { amount } actual { amount } } confidenceScore status isReplayable revision }`
  const first = await generate({}, selection)
  // 100, 220, 130: the line from the first through the last one. A refund takes back; other currencies and types are apart.
  expect(first).toMatchObject({
    ...{ method: 'DRIFT', methodVersion: 1, periodStart: month(0), periodEnd: month(2), status: 'DRAFT' },
    ...{ base: { amount: '305.00', currency: 'EUR' }, value: { amount: '305.00' }, revision: 1 },
    history: [{ amount: '100.00' }, { amount: '220.00' }, { amount: '130.00' }],
    months: [
      { month: month(0), value: { amount: '145.00' }, actual: null },
      { month: month(1), value: { amount: '160.00' }, actual: null },
    ],
    // 340 was to come of the last month, and 130 came.
    ...{ confidenceScore: '0.00', isReplayable: true },
  })
  const again = await generate({}, selection)
  expect({ ...again, id: first.id }).toEqual(first)
  expect(
    await generate({ type: 'CASH_FLOW', method: 'MEAN' }, 'forecast { id version base { amount } }'),
  ).toMatchObject(
    // 60, 210 and 60
    { base: { amount: '220.00' } },
  )
  expect(
    await generate({ type: 'EXPENSE', method: 'LINEAR_TREND' }, 'forecast { id version base { amount } }'),
  ).toMatchObject(
    // 40, 10, 70: 70 and 85
    { base: { amount: '155.00' } },
  )
  const department = await change<{ id: string }>(
    planner,
    'createDepartment',
    { name: 'Plant' },
    'department { id }',
  )
  const francs = { amount: { amount: '10', currency: 'CHF' } }
  await book('INCOME', '', -1, { ...francs, departmentId: department.id })
  const inPlant = { currency: 'CHF', departmentId: department.id, historyMonths: 2 }
  const ofPlant = () => generate({ ...inPlant, method: 'MEAN' }, 'forecast { id version history { amount } }')
  const plant = await ofPlant()
  // Before its first month there was no plant.
  expect(plant).toMatchObject({ history: [{ amount: '10.00' }] })
  const before = await stored()
  expect(await userErrors(planner, 'generateForecast', { ...asked, ...inPlant })).toEqual([
    {
      ...{ code: 'INVALID', field: null },
      message: 'DRIFT looks back on 2 to 60 months: what is booked begins 1 months ago',
    },
  ])
  expect(await stored()).toEqual(before)
  await book('INCOME', '', -1, { ...francs, departmentId: department.id })
  await book('INCOME', '', -1, francs)
  expect(await ofPlant()).toMatchObject({ history: [{ amount: '20.00' }] })
  expect(await shown(plant.id, 'value { amount } isReplayable')).toEqual({
    ...{ value: { amount: '20.00' }, isReplayable: true },
  })
})

test.each<[string, object, string, string]>([
  ['type', { type: 'PIPELINE' }, 'INVALID', 'type is REVENUE, EXPENSE or CASH_FLOW: PIPELINE is not booked'],
  ['method', { method: 'MANUAL' }, 'INVALID', 'MANUAL reckons nothing: use createForecast'],
  ['historyMonths', { method: 'SEASONAL_NAIVE' }, 'INVALID', 'SEASONAL_NAIVE looks back on 12 to 60 months'],
  ['historyMonths', { historyMonths: 61 }, 'INVALID', 'DRIFT looks back on 2 to 60 months'],
  ['horizonMonths', { horizonMonths: 25 }, 'INVALID', 'horizonMonths is 1 to 24'],
  ['horizonMonths', { horizonMonths: 0 }, 'INVALID', 'horizonMonths is 1 to 24'],
  ['departmentId', { departmentId: 'seven' }, 'REFERENCE_NOT_FOUND', 'departmentId is not an id'],
])('nothing is generated by a wrong %s', async (field, values, code, message) => {
  const before = await stored()
  expect(await userErrors(planner, 'generateForecast', { ...asked, ...values })).toEqual([
    { code, field: [field], message },
  ])
  expect(await stored()).toEqual(before)
})

test('a manual forecast is of whole months, and its confidence between 0 and 100', async () => {
  const one = await manual({ confidenceScore: '62.5', value: euros('100.01') })
  expect(
    await shown(one.id, 'months { value { amount } } confidenceScore method isReplayable history { amount }'),
  ).toEqual({
    months: [{ value: { amount: '33.34' } }, { value: { amount: '33.34' } }, { value: { amount: '33.33' } }],
    ...{ confidenceScore: '62.5', method: 'MANUAL', isReplayable: true, history: [] },
  })
  const before = await stored()
  const refused = async (values: object, field: string, message: string) =>
    expect(
      await userErrors(planner, 'createForecast', {
        ...{ name: 'X', type: 'REVENUE', periodStart: month(0), periodEnd: month(1), value: euros('1') },
        ...values,
      }),
    ).toEqual([{ code: 'INVALID', field: [field], message }])
  const span = 'periodEnd must be 1 to 24 months after periodStart'
  await refused({ periodEnd: month(0) }, 'periodEnd', span)
  await refused({ periodEnd: month(-1) }, 'periodEnd', span)
  await refused({ periodEnd: month(25) }, 'periodEnd', span)
  await refused(
    { type: 'HEADCOUNT', departmentId: '01a2256d-8832-7f23-9f37-a6dfcb3903c8' },
    'departmentId',
    'departmentId is not for HEADCOUNT: it would tell what few people earn',
  )
  await refused(
    { periodStart: `${month(0).slice(0, 8)}02` },
    'periodStart',
    'periodStart must be the first day of a month',
  )
  for (const confidenceScore of ['100.01', '-0.01', '1.001'])
    await refused(
      { confidenceScore },
      'confidenceScore',
      'confidenceScore must be between 0 and 100, with two decimals at most',
    )
  expect(await stored()).toEqual(before)
})

test('factors are set all at once, in one currency, and make the value to the cent', async () => {
  let one = await manual()
  const factors =
    'factorMode value { amount } factors(first: 5) { nodes { position name weight value { amount } contribution { amount } } }'
  one = await change<Forecast>(
    planner,
    'setForecastFactors',
    setFactors(one, 'MARGINAL', ['Fair', '50', '0.5'], ['Rain', '-10.01', '0.5']),
    fields,
  )
  expect(await shown(one.id, `${factors} months { value { amount } } isReplayable`)).toEqual({
    ...{ factorMode: 'MARGINAL', value: { amount: '119.99' } },
    factors: {
      nodes: [
        {
          position: 1,
          name: 'Fair',
          weight: '0.5',
          value: { amount: '50.00' },
          contribution: { amount: '25.00' },
        },
        // 5.005 is rounded away from nothing.
        {
          position: 2,
          name: 'Rain',
          weight: '0.5',
          value: { amount: '-10.01' },
          contribution: { amount: '-5.01' },
        },
      ],
    },
    // 33.34, 33.33 and 33.33, and of 19.99 more 6.67, 6.66 and 6.66.
    months: [{ value: { amount: '40.01' } }, { value: { amount: '39.99' } }, { value: { amount: '39.99' } }],
    isReplayable: true,
  })
  const before = await stored()
  const refused = async (input: Record<string, unknown>, field: string, message: string) =>
    expect(await userErrors(planner, 'setForecastFactors', input)).toEqual([
      { code: 'INVALID', field: [field], message },
    ])
  await refused(
    setFactors(one, 'WEIGHTED', ['A', '1', '0.5'], ['B', '1', '0.4']),
    'factors',
    'factors have weights that add up to 1, give or take 0.01',
  )
  await refused(
    setFactors(one, 'MARGINAL', ['A', '1', '1'], ['a', '1', '1']),
    'factors',
    'factors have a name each',
  )
  await refused(
    setFactors(one, 'MARGINAL', ['A', '92233720368547758', '10']),
    'factors',
    'factors would be more than can be stored',
  )
  const dollars = { name: 'A', value: { amount: '1', currency: 'USD' }, weight: '1' }
  await refused(
    { ...setFactors(one, 'MARGINAL'), factors: [dollars] },
    'factors',
    'factors have values in EUR, as the forecast is',
  )
  expect(
    await userErrors(planner, 'setForecastFactors', { ...setFactors(one, 'MARGINAL'), expectedVersion: 1 }),
  ).toMatchObject([{ code: 'STALE_VERSION', field: ['expectedVersion'] }])
  expect(await stored()).toEqual(before)
  one = await change<Forecast>(
    planner,
    'setForecastFactors',
    setFactors(one, 'WEIGHTED', ['Rain', '90', '0.33'], ['Sun', '120', '0.67']),
    fields,
  )
  expect(await shown(one.id, factors)).toMatchObject({
    ...{ factorMode: 'WEIGHTED', value: { amount: '110.10' } },
    factors: {
      nodes: [
        { name: 'Rain', contribution: { amount: '29.70' } },
        { name: 'Sun', contribution: { amount: '80.40' } },
      ],
    },
  })
  expect(await userErrors(planner, 'updateForecast', { ...at(one), value: null })).toEqual([
    { code: 'INVALID', field: ['value'], message: 'value is required: omit it to keep it' },
  ])
  one = await change<Forecast>(
    planner,
    'updateForecast',
    { ...at(one), value: euros('7'), name: 'Weighed' },
    fields,
  )
  expect(await shown(one.id, 'name base { amount } value { amount } isReplayable')).toEqual({
    ...{ name: 'Weighed', base: { amount: '7.00' }, value: { amount: '110.10' }, isReplayable: true },
  })
  one = await change<Forecast>(planner, 'setForecastFactors', setFactors(one, 'WEIGHTED'), fields)
  expect(await shown(one.id, factors)).toEqual({
    factorMode: null,
    value: { amount: '7.00' },
    factors: { nodes: [] },
  })
})

test('what is published never changes, by any path, and the next version is another one', async () => {
  let one = await generate({ name: 'Published', type: 'EXPENSE' })
  for (const [input, field] of [
    [{ value: euros('1') }, 'value'],
    [{ confidenceScore: '1' }, 'confidenceScore'],
  ] as const)
    expect(await userErrors(planner, 'updateForecast', { ...at(one), ...input })).toMatchObject([
      { code: 'INVALID', field: [field] },
    ])
  one = await change<Forecast>(
    planner,
    'setForecastFactors',
    setFactors(one, 'MARGINAL', ['Fair', '50', '1']),
    fields,
  )
  expect(await userErrors(planner, 'reviseForecast', at(one))).toMatchObject([
    { code: 'INVALID_STATUS', field: ['id'] },
  ])
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => userErrors(planner, 'publishForecast', at(one))),
  )
  expect(answers.flat().map(({ code }) => code)).toEqual(Array(9).fill('STALE_VERSION'))
  one = { ...one, version: one.version + 1 }
  expect(await shown(one.id, 'status publishedBy { id } publishedAt', planner)).toEqual({
    ...{ status: 'PUBLISHED', publishedBy: { id: planner.userId }, publishedAt: expect.any(String) },
  })
  const before = await stored()
  const refusals = [
    await userErrors(planner, 'updateForecast', { ...at(one), name: 'Other' }),
    await userErrors(planner, 'setForecastFactors', setFactors(one, 'MARGINAL')),
    await userErrors(planner, 'publishForecast', at(one)),
    await userErrors(planner, 'deleteForecast', at(one)),
  ]
  expect(refusals.flat().map(({ code }) => code)).toEqual(Array(4).fill('INVALID_STATUS'))
  for (const set of [
    "name = 'Other'",
    'value = value + 1',
    "months = '[]'",
    "status = 'DRAFT'",
    'version = version + 1',
  ])
    expect(
      await refusedAs(graph, acme.id, [`UPDATE finance.forecasts SET ${set} WHERE id = '${one.id}'`]),
    ).toBe('a published forecast stays')
  expect(await refusedAs(graph, acme.id, [`DELETE FROM finance.forecasts WHERE id = '${one.id}'`])).toBe(
    'a published forecast stays',
  )
  const ofIt = `forecast_id = '${one.id}'`
  for (const text of [
    `DELETE FROM finance.forecast_factors WHERE ${ofIt}`,
    `INSERT INTO finance.forecast_factors (id, forecast_id, position, name, currency, value, weight, contribution)
     VALUES (gen_random_uuid(), '${one.id}', 9, 'X', 'EUR', 1, 1, 1)`,
  ])
    expect(await refusedAs(graph, acme.id, [text])).toBe('the factors of a published forecast stay')
  expect(
    await refusedAs(graph, acme.id, [`UPDATE finance.forecast_factors SET value = 1 WHERE ${ofIt}`]),
  ).toBe('permission denied for table forecast_factors')
  expect(await stored()).toEqual(before)
  await book('EXPENSE', '60', -1)
  const revise = () => userErrors(planner, 'reviseForecast', at(one))
  const revised = await Promise.all([revise(), revise(), revise()])
  expect(revised.flat().map(({ code }) => code)).toEqual(Array(2).fill('DUPLICATE'))
  const versions = await readAll(
    planner,
    'forecasts',
    'id version revision status revises { id } base { amount } value { amount } isReplayable',
    'filter: { search: "Published" }, orderBy: { field: CREATED_AT, direction: ASC }',
  )
  expect(versions).toMatchObject([
    {
      revision: 1,
      status: 'PUBLISHED',
      revises: null,
      base: { amount: '185.00' },
      value: { amount: '235.00' },
      isReplayable: true,
    },
    // 40, 10 and 130: 175 and 220.
    {
      revision: 2,
      status: 'DRAFT',
      revises: { id: one.id },
      base: { amount: '395.00' },
      value: { amount: '445.00' },
      isReplayable: true,
    },
  ])
  const next = versions[1] as unknown as Forecast
  expect(await change(planner, 'deleteForecast', at(next), 'forecast { id }')).toEqual({ id: next.id })
  expect(await shown(next.id, 'id')).toBeNull()
  await book('EXPENSE', '-60', -1)
})
