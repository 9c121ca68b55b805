import { missingClockOuts } from '../../subgraphs/hr/jobs/missing-clock-outs'
import { instantIn } from '../../subgraphs/hr/rules/zone-time'
import { runJob } from '../support/jobs'
import { change, userErrors } from '../support/lists'
import {
  acme,
  added,
  all,
  at,
  database,
  graph,
  hr,
  pass,
  punch,
  refused,
  staff,
  stored,
  type Row,
  year,
  zone,
  openStage,
} from './work-time-stage'

beforeAll(openStage)
afterAll(() => graph.close())

test('a day is recorded with its breaks, and the same punch twice is one', async () => {
  const { id, login } = await staff()
  const begun = graph.clock.now().toISOString()
  const first = await punch(login, 'clockIn', id, { source: 'MOBILE' })
  expect(first).toEqual({
    id: first.id,
    version: 1,
    workDate: `${year}-01-10`,
    clockInAt: begun,
    clockOutAt: null,
    timeZone: zone,
    breakMinutes: 0,
    breaks: [],
    workedMinutes: null,
    source: 'MOBILE',
    status: 'OPEN',
    isDespiteLeave: false,
  })
  pass(60)
  expect(await punch(login, 'clockIn', id)).toEqual(first)
  pass(1)
  expect(await refused(login, 'clockIn', id)).toEqual([
    {
      code: 'WRONG_STATUS',
      field: ['employeeId'],
      message: `The work that began at ${begun} goes on: clock out first`,
    },
  ])
  expect(await refused(login, 'endBreak', id)).toMatchObject([{ code: 'WRONG_STATUS' }])
  pass(3_539)
  const startedAt = graph.clock.now().toISOString()
  await punch(login, 'startBreak', id)
  pass(30)
  expect(await punch(login, 'startBreak', id)).toMatchObject({ version: 2 })
  pass(600)
  expect(await refused(login, 'startBreak', id)).toMatchObject([{ code: 'WRONG_STATUS' }])
  pass(1_170)
  const endedAt = graph.clock.now().toISOString()
  expect(await punch(login, 'endBreak', id)).toMatchObject({ breakMinutes: 30, version: 3 })
  expect(await punch(login, 'endBreak', id)).toMatchObject({ version: 3 })
  pass(3_600)
  await punch(login, 'startBreak', id)
  pass(900)
  // The break that goes on ends with the work.
  const ended = graph.clock.now().toISOString()
  const last = await punch(login, 'clockOut', id)
  expect(last).toMatchObject({
    version: 5,
    clockOutAt: ended,
    breakMinutes: 45,
    breaks: [
      { startedAt, endedAt },
      { startedAt: expect.any(String) as string, endedAt: ended },
    ],
    workedMinutes: 60 + 60,
    status: 'COMPLETE',
  })
  pass(59)
  expect(await punch(login, 'clockOut', id)).toEqual(last)
  pass(2)
  for (const verb of ['clockOut', 'startBreak', 'endBreak'])
    expect(await refused(login, verb, id)).toEqual([
      {
        code: 'WRONG_STATUS',
        field: ['employeeId'],
        message: 'The employee is not at work: clock in first',
      },
    ])
  expect(await stored(id)).toHaveLength(1)
})

test('a night is of the day on which it began, and has the hours that went by', async () => {
  const { id } = await staff()
  // The last Sundays of March and October.
  const sunday = (month: number) => {
    const last = new Date(Date.UTC(year - 1, month, 31))
    last.setUTCDate(31 - last.getUTCDay())
    return last.toISOString().slice(0, 10)
  }
  const before = (day: string) => new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10)
  for (const [day, minutes] of [
    [sunday(2), 6 * 60 + 30],
    [sunday(9), 8 * 60 + 30],
  ] as const) {
    const [from, to] = [instantIn(zone, before(day), '22:00'), instantIn(zone, day, '06:00')]
    const input = added(id, from.toISOString(), to.toISOString(), { breakMinutes: 30 })
    expect(await change(hr, 'createAttendanceRecord', input, all)).toMatchObject({
      workDate: before(day),
      workedMinutes: minutes,
      source: 'MANUAL',
      status: 'COMPLETE',
    })
  }
  // At the same instant it is another day elsewhere.
  const evening = added(id, at('01-05', '23:30'), at('01-06', '07:30'), { timeZone: 'Asia/Tokyo' })
  expect(await change(hr, 'createAttendanceRecord', evening, all)).toMatchObject({
    workDate: `${year}-01-06`,
    timeZone: 'Asia/Tokyo',
  })
})

test('20 parallel punches begin one record, and 20 end it once (∥20)', async () => {
  const { id, login } = await staff()
  const begun = await Promise.all(Array.from({ length: 20 }, () => punch(login, 'clockIn', id)))
  expect(new Set(begun.map((one) => one.id)).size).toBe(1)
  expect(await stored(id)).toHaveLength(1)
  pass(3_600)
  const ended = await Promise.all(Array.from({ length: 20 }, () => punch(login, 'clockOut', id)))
  expect(ended.map(({ version, workedMinutes }) => [version, workedMinutes])).toEqual(
    Array.from({ length: 20 }, () => [2, 60]),
  )
})

test('20 parallel writers never record overlapping work', async () => {
  const { id } = await staff()
  // Each half an hour later than the one before, an hour long: every other one fits at most.
  const span = (place: number): [string, string] => {
    const from = Date.parse(at('01-03', '06:00')) + place * 1_800_000
    return [new Date(from).toISOString(), new Date(from + 3_600_000).toISOString()]
  }
  const errors = await Promise.all(
    Array.from({ length: 20 }, (_, place) =>
      userErrors(hr, 'createAttendanceRecord', added(id, ...span(place))),
    ),
  )
  const codes = errors.flat().map(({ code }) => code)
  expect(new Set(codes)).toEqual(new Set(['ATTENDANCE_OVERLAP']))
  const { rows } = await graph.owner.query<{ from: Date; to: Date }>(
    'SELECT clock_in_at AS from, clock_out_at AS to FROM hr.attendance_records WHERE employee_id = $1 ORDER BY 1',
    [id],
  )
  expect(rows).toHaveLength(20 - codes.length)
  for (const [place, { from }] of rows.slice(1).entries())
    expect(from.getTime()).toBeGreaterThanOrEqual(rows[place]!.to.getTime())
  // What only touches does not overlap.
  const [from, to] = [rows.at(-1)!.to, new Date(rows.at(-1)!.to.getTime() + 60_000)]
  const next = added(id, from.toISOString(), to.toISOString())
  expect(await userErrors(hr, 'createAttendanceRecord', next)).toEqual([])
  const around = added(id, at('01-03', '00:00'), at('01-03', '23:00'))
  expect(await userErrors(hr, 'createAttendanceRecord', around)).toMatchObject([
    { code: 'ATTENDANCE_OVERLAP', field: ['clockInAt'] },
  ])
})

test('work is of the employment, and of a day of leave only when that is said', async () => {
  const now = graph.clock.now().toISOString()
  const today = now.slice(0, 10)
  const { id, login } = await staff({ hireDate: today })
  const early = added(id, at('01-02', '08:00'), at('01-02', '16:00'))
  expect(await userErrors(hr, 'createAttendanceRecord', early)).toEqual([
    { code: 'INVALID', field: ['clockInAt'], message: 'clockInAt must not be before the first day of work' },
  ])
  const later = new Date(Date.parse(now) + 1_000).toISOString()
  expect(await userErrors(hr, 'createAttendanceRecord', added(id, now, later))).toEqual([
    { code: 'INVALID', field: ['clockOutAt'], message: 'clockOutAt must not be in the future' },
  ])
  const kind = { code: 'AWAY', name: 'Away', allowsNegative: true, needsApproval: false }
  const { id: leaveTypeId } = await change<Row>(hr, 'createLeaveType', kind, 'leaveType { id version }')
  const everyDay = {
    name: 'Every day',
    timeZone: zone,
    saturdayMinutes: 480,
    sundayMinutes: 480,
  }
  const calendar = await change<Row>(hr, 'createWorkCalendar', everyDay, 'workCalendar { id version }')
  const assigned = { employeeId: id, calendarId: calendar.id, validFrom: today }
  await change(hr, 'createCalendarAssignment', assigned, 'calendarAssignment { id }')
  const leave = { employeeId: id, leaveTypeId, startDate: today, endDate: today }
  const half = { ...leave, startHalf: 'MORNING', endHalf: 'MORNING' }
  const asked = await change<Row>(login, 'createLeaveRequest', half, 'leaveRequest { id version }')
  // Half a day leaves the other half.
  expect(await punch(login, 'clockIn', id)).toMatchObject({ isDespiteLeave: false })
  pass(120)
  await punch(login, 'clockOut', id)
  await change(
    hr,
    'revokeLeaveRequest',
    { id: asked.id, expectedVersion: asked.version, decisionNote: 'The whole day' },
    'leaveRequest { id }',
  )
  await change(login, 'createLeaveRequest', leave, 'leaveRequest { id }')
  pass(120)
  expect(await refused(login, 'clockIn', id)).toEqual([
    {
      code: 'INVALID',
      field: ['despiteLeave'],
      message: `${today} is a day of leave: say despiteLeave: true to work all the same`,
    },
  ])
  expect(await punch(login, 'clockIn', id, { despiteLeave: true })).toMatchObject({ isDespiteLeave: true })
  pass(120)
  const { version } = (
    await hr.data<{ employee: Row }>('query ($id: ID!) { employee(id: $id) { version } }', { id })
  ).employee
  await change(
    hr,
    'terminateEmployee',
    { id, expectedVersion: version, terminationDate: today },
    'employee { id }',
  )
  // Whoever has left can end what goes on, and begins nothing.
  expect(await punch(hr, 'clockOut', id)).toMatchObject({ workedMinutes: 2 })
  pass(120)
  expect(await refused(hr, 'clockIn', id)).toMatchObject([{ code: 'NOT_EMPLOYED', field: ['employeeId'] }])
})

test('nobody records for others without the right, nor comes with a source that is none of theirs', async () => {
  const { id } = await staff()
  const { login } = await staff()
  for (const verb of ['clockIn', 'clockOut', 'startBreak', 'endBreak'])
    expect(await refused(login, verb, id)).toEqual([
      { code: 'PERMISSION_NOT_HELD', field: ['employeeId'], message: 'You lack hr:attendance:write' },
    ])
  const me = await staff()
  expect(await refused(me.login, 'clockIn', me.id, { source: 'DEVICE' })).toMatchObject([
    { code: 'PERMISSION_NOT_HELD', field: ['source'] },
  ])
  expect(await stored(id)).toEqual([])
  expect(await stored(me.id)).toEqual([])
  expect(await punch(hr, 'clockIn', id, { source: 'DEVICE' })).toMatchObject({ source: 'DEVICE' })
})

test('an end that nobody recorded is INCOMPLETE after 16 hours, and never guessed', async () => {
  const [one, other] = [await staff(), await staff()]
  await punch(one.login, 'clockIn', one.id)
  await punch(other.login, 'clockIn', other.id)
  const close = () => runJob(missingClockOuts, database, graph.server.services, { tenantId: acme.id })
  pass(16 * 3_600 - 1)
  await close()
  expect(await stored(one.id)).toMatchObject([{ status: 'OPEN' }])
  pass(2)
  expect(await refused(hr, 'clockOut', one.id)).toMatchObject([
    { code: 'WRONG_STATUS', message: expect.stringContaining('more than 16 hours ago') as string },
  ])
  // Without the job: the next day begins all the same.
  await punch(hr, 'clockIn', other.id)
  expect(await stored(other.id)).toEqual([
    { status: 'INCOMPLETE', worked_minutes: null, clock_out_at: null },
    { status: 'OPEN', worked_minutes: null, clock_out_at: null },
  ])
  await close()
  await close()
  expect(await stored(one.id)).toEqual([{ status: 'INCOMPLETE', worked_minutes: null, clock_out_at: null }])
  expect(await stored(other.id)).toMatchObject([{ status: 'INCOMPLETE' }, { status: 'OPEN' }])
})
