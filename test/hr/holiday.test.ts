import { publicHolidays } from '../../subgraphs/hr/public-holidays'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'

let graph: TestGraph
let hr: TestClient
const germany = 'DE'

beforeAll(async () => {
  graph = await startGraph()
  hr = await (await graph.tenant('acme')).as('HR_MANAGER')
})
afterAll(() => graph.close())

const calendar = async (name: string): Promise<string> =>
  (
    await change<{ id: string }>(
      hr,
      'createWorkCalendar',
      { name, timeZone: 'Europe/Berlin' },
      'workCalendar { id }',
    )
  ).id

const imported = async (input: Record<string, unknown>) => {
  const query = `mutation ($input: ImportHolidaysInput!) { importHolidays(input: $input) {
    present holidays { day name half region calendar { name } countryCode } userErrors { code } } }`
  const { importHolidays } = await hr.data<{ importHolidays: { present: number; holidays: object[] } }>(
    query,
    {
      input,
    },
  )
  return importHolidays
}

test('a calendar has one holiday a day, in one statement a page', async () => {
  const acme = await (await graph.tenant('acme')).as('HR_MANAGER')
  const input = { name: 'Leap day', day: '2028-02-29' }
  expect(await change(acme, 'createHoliday', input, 'holiday { name day half }')).toEqual({
    ...input,
    half: 'FULL',
  })
  const [error, ...others] = await userErrors(acme, 'createHoliday', input)
  expect(error).toEqual({
    code: 'DUPLICATE',
    message: 'day, calendarId are a holiday already',
    field: ['day'],
  })
  expect(others).toEqual([])
  // The same day of one calendar alone is another holiday.
  const calendarId = await calendar('Leap days')
  await change(acme, 'createHoliday', { ...input, calendarId }, 'holiday { id }')
  const list = () => acme.data('{ holidays { nodes { name day calendar { name } } } }')
  const shown = [
    { ...input, calendar: null },
    { ...input, calendar: { name: 'Leap days' } },
  ]
  expect(await list()).toEqual({ holidays: { nodes: shown } })
  expect((await graph.statementsDuring(list)).map(({ role }) => role)).toEqual(['hr'])
  const nested = () => acme.data('{ workCalendars { nodes { holidays { nodes { day } } } } }')
  expect((await graph.statementsDuring(nested)).map(({ role }) => role)).toEqual(['hr', 'hr'])
  const globex = await (await graph.tenant('globex')).as('ADMIN')
  expect(await globex.data('{ holidays { nodes { name } } }')).toEqual({ holidays: { nodes: [] } })
})

test('a holiday is changed and removed', async () => {
  const input = { name: 'Christmas Eve', day: '2030-12-24', half: 'AFTERNOON' }
  const { id } = await change<{ id: string }>(hr, 'createHoliday', input, 'holiday { id }')
  const changes = { id, expectedVersion: 1, half: 'FULL', region: 'BY' }
  expect(await change(hr, 'updateHoliday', changes, 'holiday { name half region version }')).toEqual({
    name: 'Christmas Eve',
    half: 'FULL',
    region: 'BY',
    version: 2,
  })
  expect(await userErrors(hr, 'deleteHoliday', { id, expectedVersion: 1 })).toMatchObject([
    { code: 'STALE_VERSION' },
  ])
  await change(hr, 'deleteHoliday', { id, expectedVersion: 2 }, 'holiday { id }')
  const query = 'query ($id: ID!) { holiday(id: $id) { id } }'
  expect(await hr.data(query, { id })).toEqual({ holiday: null })
})

test('the holidays of Bavaria in 2027 are imported once into one calendar', async () => {
  const calendarId = await calendar('München')
  const own = { name: 'Company day', day: '2027-05-27', calendarId }
  await change(hr, 'createHoliday', own, 'holiday { id }')
  const input = { countryCode: germany, region: 'BY', year: 2027, calendarId }
  const { holidays, present } = await imported(input)
  expect(present).toBe(1)
  const of = (day: string, name: string) => ({
    day,
    name,
    half: 'FULL',
    region: 'BY',
    calendar: { name: 'München' },
    countryCode: 'DE',
  })
  // Corpus Christi, 27 May, is the company's own day already and stays what it was.
  expect(holidays).toEqual([
    of('2027-01-01', "New Year's Day"),
    of('2027-01-06', 'Epiphany'),
    of('2027-03-26', 'Good Friday'),
    of('2027-03-29', 'Easter Monday'),
    of('2027-05-01', 'Labour Day'),
    of('2027-05-06', 'Ascension Day'),
    of('2027-05-17', 'Whit Monday'),
    of('2027-10-03', 'National Holiday'),
    of('2027-11-01', "All Saints' Day"),
    of('2027-12-25', 'Christmas Day'),
    of('2027-12-26', 'Boxing Day'),
  ])
  expect(await imported(input)).toMatchObject({ holidays: [], present: 12 })
  const filter = `, filter: { calendarId: { eq: "${calendarId}" }, day: { eq: "2027-05-27" } }`
  expect(await readAll(hr, 'holidays', 'name', filter)).toEqual([{ name: 'Company day' }])
})

test.each([
  [{ region: 'ZZ' }, 'INVALID', 'region'],
  [{ year: 1969 }, 'INVALID', 'year'],
  [{ year: 2101 }, 'INVALID', 'year'],
  [{ countryCode: 'XX' }, 'INVALID', 'countryCode'],
  [{ calendarId: '019b76da-a800-7000-8001-000000000000' }, 'REFERENCE_NOT_FOUND', 'calendarId'],
])('nothing is imported with %j', async (values, code, field) => {
  const count = async () => (await graph.owner.query('SELECT FROM hr.holidays')).rowCount
  const before = await count()
  const input = { countryCode: germany, year: 2031, ...values }
  expect(await userErrors(hr, 'importHolidays', input)).toMatchObject([{ code, field: [field] }])
  expect(await count()).toBe(before)
})

test('who only works there imports nothing', async () => {
  const user = await (await graph.tenant('acme')).as('USER')
  const { errors } = await user.query(
    'mutation ($input: ImportHolidaysInput!) { importHolidays(input: $input) { present } }',
    { input: { countryCode: germany, year: 2031 } },
  )
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
})

describe('public holidays as rows', () => {
  const days = async (country: string, year: number) =>
    (await publicHolidays(country, null, year))!.map(({ day, half }) => `${day} ${half}`)

  test('of several days, of an afternoon, and on the day of a change of clocks', async () => {
    expect(await days('CX', 2027)).toEqual(expect.arrayContaining(['2027-02-06 FULL', '2027-02-07 FULL']))
    expect(await days('IS', 2027)).toEqual(
      expect.arrayContaining(['2027-12-24 AFTERNOON', '2027-12-31 AFTERNOON']),
    )
    expect((await days('DK', 2027)).filter((day) => day.startsWith('2027-03-2'))).toEqual(
      expect.arrayContaining(['2027-03-28 FULL', '2027-03-29 FULL']),
    )
  })

  test('one a day, in order, of the year that was asked', async () => {
    for (const country of ['DE', 'JP', 'US', 'EG', 'BR', 'IN', 'SE', 'CN']) {
      const found = (await publicHolidays(country, null, 2028))!.map(({ day }) => day)
      expect(found).toEqual([...new Set(found)].sort())
      expect(found.every((day) => day.startsWith('2028-'))).toBe(true)
    }
    // Ascension Day of 2008 was Labour Day as well.
    expect((await publicHolidays('DE', null, 2008))!.find(({ day }) => day === '2008-05-01')!.name).toContain(
      ' / ',
    )
  })

  test('none are known of a place that does not exist', async () => {
    expect(await publicHolidays('XX', null, 2027)).toBeNull()
    expect(await publicHolidays('DE', 'ZZ', 2027)).toBeNull()
  })
})
