import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let hr: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  hr = await acme.as('HR_MANAGER')
})
afterAll(() => graph.close())

interface Row {
  id: string
  version: number
}

const calendar = (values: Record<string, unknown> = {}): Promise<Row> =>
  change<Row>(
    hr,
    'createWorkCalendar',
    { name: `Calendar ${++count}`, timeZone: 'Europe/Berlin', ...values },
    'workCalendar { id version }',
  )
const chosen = ({ id, version }: Row): Promise<Row> =>
  change<Row>(hr, 'chooseWorkCalendar', { id, expectedVersion: version }, 'workCalendar { id version }')
const hired = (values: Record<string, unknown> = {}): Promise<Row> =>
  change<Row>(hr, 'hireEmployee', { employeeNumber: `N${++count}`, ...values }, 'employee { id version }')
const assigned = (employeeId: string, calendarId: string, validFrom: string): Promise<Row> =>
  change<Row>(
    hr,
    'createCalendarAssignment',
    { employeeId, calendarId, validFrom },
    'calendarAssignment { id version }',
  )

const minutes =
  'mondayMinutes tuesdayMinutes wednesdayMinutes thursdayMinutes fridayMinutes saturdayMinutes sundayMinutes'

test('a calendar has the usual week unless it says otherwise', async () => {
  const usual = await change(
    hr,
    'createWorkCalendar',
    { name: 'Usual', timeZone: 'Europe/Berlin', wednesdayMinutes: null },
    `workCalendar { ${minutes} isDefault isActive }`,
  )
  const five = { mondayMinutes: 480, tuesdayMinutes: 480, wednesdayMinutes: 480, thursdayMinutes: 480 }
  const week = { ...five, fridayMinutes: 480, saturdayMinutes: 0, sundayMinutes: 0 }
  expect(usual).toEqual({ ...week, isDefault: false, isActive: true })
  const input = { name: 'Sunday to Thursday', timeZone: 'Africa/Cairo', fridayMinutes: 0, sundayMinutes: 420 }
  expect(await change(hr, 'createWorkCalendar', input, `workCalendar { ${minutes} }`)).toEqual({
    ...week,
    fridayMinutes: 0,
    sundayMinutes: 420,
  })
  const wrong = { name: 'Long', timeZone: 'UTC', mondayMinutes: 1441 }
  expect(await userErrors(hr, 'createWorkCalendar', wrong)).toEqual([
    { code: 'INVALID', field: ['mondayMinutes'], message: 'mondayMinutes must be between 0 and 1440' },
  ])
})

test('one calendar is the default, and the default is not closed', async () => {
  const [first, second] = [await chosen(await calendar()), await calendar()]
  const defaults = () => readAll(hr, 'workCalendars', 'id', ', filter: { isDefault: { eq: true } }')
  expect(await defaults()).toEqual([{ id: first.id }])
  const { id, version } = second
  await chosen(second)
  expect(await defaults()).toEqual([{ id }])
  expect(await userErrors(hr, 'archiveWorkCalendar', { id, expectedVersion: version + 1 })).toEqual([
    {
      code: 'INVALID',
      field: ['isActive'],
      message: 'isActive, isDefault do not go together: make another calendar the default first',
    },
  ])
  const archive = { id: first.id, expectedVersion: first.version + 1 }
  expect(await change(hr, 'archiveWorkCalendar', archive, 'workCalendar { isActive }')).toEqual({
    isActive: false,
  })
  const late = { employeeId: (await hired()).id, calendarId: first.id, validFrom: '2027-01-01' }
  expect(await userErrors(hr, 'createCalendarAssignment', late)).toMatchObject([
    { code: 'INVALID', field: ['calendarId'] },
  ])
})

test('20 parallel changes leave one default', async () => {
  const calendars = await Promise.all(Array.from({ length: 20 }, () => calendar()))
  const made = await Promise.all(calendars.map((one) => chosen(one).catch(() => null)))
  expect(made.some((one) => one !== null)).toBe(true)
  const { rowCount } = await graph.owner.query('SELECT FROM hr.work_calendars WHERE is_default')
  expect(rowCount).toBe(1)
})

test('an employee has one calendar on each day', async () => {
  await chosen(await calendar({ name: 'Head office' }))
  const [early, late] = [await calendar({ name: 'Berlin' }), await calendar({ name: 'Wien' })]
  const { id } = await hired()
  await assigned(id, early.id, '2027-01-01')
  const second = await assigned(id, late.id, '2027-07-01')
  const query = `query ($id: ID!) { employee(id: $id) {
    before: workCalendar(on: "2026-12-31") { name } first: workCalendar(on: "2027-01-01") { name }
    last: workCalendar(on: "2027-06-30") { name } next: workCalendar(on: "2027-07-01") { name }
    calendarAssignments { nodes { validFrom calendar { name } } }
  } }`
  const shown = (next: string) => ({
    employee: {
      before: { name: 'Head office' },
      first: { name: 'Berlin' },
      last: { name: 'Berlin' },
      next: { name: next },
      calendarAssignments: {
        nodes: [
          ...(next === 'Wien' ? [{ validFrom: '2027-07-01', calendar: { name: 'Wien' } }] : []),
          { validFrom: '2027-01-01', calendar: { name: 'Berlin' } },
        ],
      },
    },
  })
  expect(await hr.data(query, { id })).toEqual(shown('Wien'))
  const again = { employeeId: id, calendarId: early.id, validFrom: '2027-07-01' }
  expect(await userErrors(hr, 'createCalendarAssignment', again)).toMatchObject([{ code: 'DUPLICATE' }])
  const { id: secondId, version } = second
  await change(
    hr,
    'deleteCalendarAssignment',
    { id: secondId, expectedVersion: version },
    'calendarAssignment { id }',
  )
  expect(await hr.data(query, { id })).toEqual(shown('Berlin'))
})

test('the calendars of all employees come with one statement, assignments with one more', async () => {
  const list = () =>
    hr.data(
      '{ employees { nodes { workCalendar(on: "2027-03-01") { name } calendarAssignments { nodes { id } } } } }',
    )
  expect((await graph.statementsDuring(list)).map(({ role }) => role)).toEqual(['hr', 'hr', 'hr'])
})

test('nobody gives or takes the own calendar (H3)', async () => {
  const { id: calendarId } = await calendar()
  const me = await acme.user('HR_MANAGER')
  const { id: employeeId } = await hired({ userId: me.userId })
  const input = { employeeId, calendarId, validFrom: '2027-01-01' }
  expect(await userErrors(me, 'createCalendarAssignment', input)).toMatchObject([
    { code: 'OWN_RECORD', field: ['employeeId'] },
  ])
  const { id, version } = await assigned(employeeId, calendarId, '2027-01-01')
  expect(await userErrors(me, 'deleteCalendarAssignment', { id, expectedVersion: version })).toMatchObject([
    { code: 'OWN_RECORD', field: ['id'] },
  ])
  const { rowCount } = await graph.owner.query('SELECT FROM hr.calendar_assignments WHERE employee_id = $1', [
    employeeId,
  ])
  expect(rowCount).toBe(1)
})
