import type { Database } from '../../kernel/connection/database'
import { missingClockOuts } from '../../subgraphs/hr/jobs/missing-clock-outs'
import { instantIn } from '../../subgraphs/hr/rules/zone-time'
import { startGraph, testClient, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, readAll, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let hr: TestClient
let database: Database
let count = 0
let year: number
const zone = 'Europe/Berlin'

beforeAll(async () => {
  graph = await startGraph({
    around: (name, opened) => {
      if (name === 'hr') database = opened
      return opened
    },
  })
  acme = await graph.tenant('acme')
  // Whoever signs in then leaves a trail.
  await graph.owner.query('SELECT shared.ensure_partitions(40)')
  // Nothing depends on the day on which the test runs.
  year = graph.clock.now().getUTCFullYear() + 2
  hr = await signedIn('HR_MANAGER')
  const calendar = { name: 'Berlin', timeZone: zone }
  const made = await change<Row>(hr, 'createWorkCalendar', calendar, 'workCalendar { id version }')
  await change(hr, 'chooseWorkCalendar', { id: made.id, expectedVersion: 1 }, 'workCalendar { id }')
  graph.clock.stop()
  forward(at('01-10', '08:00'))
})
afterAll(() => graph.close())

interface Row {
  id: string
  version: number
}
interface Staff extends Row {
  login: TestClient
}

/** An instant of the year by the clocks of Berlin. */
const at = (date: string, time: string): string => instantIn(zone, `${year}-${date}`, time).toISOString()

/** Moves the clock to an instant. */
const forward = (to: string): void => pass(Math.ceil((Date.parse(to) - graph.clock.now().getTime()) / 1000))
const pass = (seconds: number): void => graph.clock.advance({ seconds })

/** Somebody who signs in again whenever the token has ended with the time. */
async function signedIn(role: 'USER' | 'HR_MANAGER'): Promise<TestClient> {
  const { userId, email, password } = await acme.user(role)
  let client: Promise<TestClient> | undefined
  let since = 0
  const signIn = async () => {
    const text = 'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }'
    const input = { tenant: 'acme', email, password }
    const { signIn: payload } = await graph.anonymous.data<{ signIn: { accessToken: string } }>(text, {
      input,
    })
    return testClient(graph.server.url, userId, { authorization: `Bearer ${payload.accessToken}` })
  }
  const awake = () => {
    const now = graph.clock.now().getTime()
    if (!client || now - since > 300_000) [client, since] = [signIn(), now]
    return client
  }
  return {
    userId,
    headers: {},
    query: async (text, variables) => (await awake()).query(text, variables),
    data: async (text, variables) => (await awake()).data(text, variables),
  }
}

async function staff(values: Record<string, unknown> = {}): Promise<Staff> {
  const login = await signedIn('USER')
  const input = { employeeNumber: `N${++count}`, userId: login.userId, hireDate: '2020-01-01', ...values }
  return { ...(await change<Row>(hr, 'hireEmployee', input, 'employee { id version }')), login }
}

const all = `attendanceRecord { id version workDate clockInAt clockOutAt timeZone breakMinutes breaks { startedAt endedAt }
  workedMinutes source status isDespiteLeave }`
interface Attendance extends Row {
  status: string
  clockInAt: string
  workedMinutes: number | null
}
const punch = (client: TestClient, verb: string, employeeId: string, values: object = {}) =>
  change<Attendance>(client, verb, { employeeId, ...values }, all)
const refused = (client: TestClient, verb: string, employeeId: string, values: object = {}) =>
  userErrors(client, verb, { employeeId, ...values })
const added = (employeeId: string, clockInAt: string, clockOutAt: string, values: object = {}) => ({
  employeeId,
  clockInAt,
  clockOutAt,
  correctionReason: 'No clock there',
  ...values,
})

async function stored(employeeId: string): Promise<Record<string, unknown>[]> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    'SELECT status, worked_minutes, clock_out_at FROM hr.attendance_records WHERE employee_id = $1 ORDER BY clock_in_at',
    [employeeId],
  )
  return rows
}

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

const seen = `attendanceRecord { id version status clockInAt clockOutAt breakMinutes workedMinutes workDate correctionReason
  correction { clockInAt clockOutAt breakMinutes } original { clockInAt clockOutAt breakMinutes }
  correctedBy { id } approver { id } approvedBy { id } decisionNote }`

test('a correction keeps what was, says why, and is granted by a second person', async () => {
  const boss = await staff()
  const { id, version, login } = await staff()
  await change(
    hr,
    'setEmployeeManager',
    { id, expectedVersion: version, managerId: boss.id },
    'employee { id }',
  )
  const [from, to] = [at('01-04', '08:00'), at('01-04', '16:00')]
  const work = await change<Row>(
    hr,
    'createAttendanceRecord',
    added(id, from, to, { breakMinutes: 30 }),
    'attendanceRecord { id version }',
  )
  const wanted = { clockInAt: at('01-03', '23:30'), clockOutAt: to, breakMinutes: 45 }
  const reason = 'Called in at night'
  const ask = { id: work.id, expectedVersion: 1, ...wanted, correctionReason: reason }
  const waiting = await change(login, 'correctAttendanceRecord', ask, seen)
  expect(waiting).toEqual({
    id: work.id,
    version: 2,
    status: 'COMPLETE',
    clockInAt: from,
    clockOutAt: to,
    breakMinutes: 30,
    workedMinutes: 450,
    workDate: `${year}-01-04`,
    correctionReason: reason,
    correction: wanted,
    original: null,
    correctedBy: { id: login.userId },
    approver: { id: boss.login.userId },
    approvedBy: null,
    decisionNote: null,
  })
  const change2 = { id: work.id, expectedVersion: 2 }
  expect(await userErrors(login, 'correctAttendanceRecord', { ...ask, expectedVersion: 2 })).toMatchObject([
    { code: 'WRONG_STATUS' },
  ])
  expect(await userErrors(login, 'approveAttendanceRecord', change2)).toMatchObject([
    { code: 'OWN_RECORD', field: ['id'] },
  ])
  const stranger = (await staff()).login
  for (const [mutation, values] of [
    ['approveAttendanceRecord', {}],
    ['rejectAttendanceRecord', { decisionNote: 'No' }],
    ['correctAttendanceRecord', { ...wanted, correctionReason: 'No' }],
  ] as const)
    expect(await userErrors(stranger, mutation, { ...change2, ...values })).toMatchObject([
      { code: 'NOT_FOUND', field: ['id'] },
    ])
  expect(await change(boss.login, 'approveAttendanceRecord', change2, seen)).toEqual({
    ...waiting,
    version: 3,
    status: 'CORRECTED',
    ...wanted,
    workDate: `${year}-01-03`,
    workedMinutes: 16 * 60 + 30 - 45,
    correction: null,
    original: { clockInAt: from, clockOutAt: to, breakMinutes: 30 },
    approvedBy: { id: boss.login.userId },
  })
  // The first times stay, however often it is corrected; who asks does not decide, the manager neither.
  const again = { ...ask, expectedVersion: 3, breakMinutes: 60 }
  await change(boss.login, 'correctAttendanceRecord', again, seen)
  expect(
    await userErrors(boss.login, 'approveAttendanceRecord', { id: work.id, expectedVersion: 4 }),
  ).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
  const refusal = { id: work.id, expectedVersion: 4, decisionNote: 'The first break was not one' }
  expect(await change(hr, 'rejectAttendanceRecord', refusal, seen)).toMatchObject({
    version: 5,
    status: 'CORRECTED',
    breakMinutes: 45,
    correction: null,
    correctionReason: null,
    original: { clockInAt: from, clockOutAt: to, breakMinutes: 30 },
    approvedBy: { id: hr.userId },
    decisionNote: 'The first break was not one',
  })
  // Neither the table nor the trail has the reason in clear.
  const { rows } = await graph.owner.query(
    `SELECT FROM hr.attendance_records WHERE correction_reason = $2 AND id = $1::uuid
     UNION ALL SELECT FROM shared.audit_logs WHERE changes::text LIKE '%' || $2 || '%' AND resource_id = $1::text`,
    [work.id, reason],
  )
  expect(rows).toEqual([])
})

test('a correction does not overlap when it is granted, and what goes on is ended first', async () => {
  const { id, login } = await staff()
  const open = await punch(login, 'clockIn', id)
  const values = {
    clockInAt: at('01-06', '08:00'),
    clockOutAt: at('01-06', '12:00'),
    correctionReason: 'Wrong day',
  }
  expect(
    await userErrors(login, 'correctAttendanceRecord', { id: open.id, expectedVersion: 1, ...values }),
  ).toEqual([{ code: 'WRONG_STATUS', field: ['id'], message: 'The work goes on: clock out first' }])
  pass(3_600)
  await punch(login, 'clockOut', id)
  await change(login, 'correctAttendanceRecord', { id: open.id, expectedVersion: 2, ...values }, seen)
  // Meanwhile somebody adds work at that time.
  const other = added(id, at('01-06', '11:00'), at('01-06', '13:00'))
  await change(hr, 'createAttendanceRecord', other, seen)
  expect(await userErrors(hr, 'approveAttendanceRecord', { id: open.id, expectedVersion: 3 })).toMatchObject([
    { code: 'ATTENDANCE_OVERLAP' },
  ])
  expect(await stored(id)).toMatchObject([
    { worked_minutes: 120 },
    { status: 'COMPLETE', worked_minutes: 60 },
  ])
})

test('20 parallel decisions are one, and what is confirmed is not confirmed again', async () => {
  const { id } = await staff()
  const input = added(id, at('01-07', '08:00'), at('01-07', '16:00'))
  const { id: recordId } = await change<Row>(hr, 'createAttendanceRecord', input, seen)
  // Whoever wrote it by hand is not the second person.
  expect(await userErrors(hr, 'approveAttendanceRecord', { id: recordId, expectedVersion: 1 })).toMatchObject(
    [{ code: 'OWN_RECORD', field: ['id'] }],
  )
  expect(await stored(id)).toMatchObject([{ status: 'COMPLETE' }])
  const second = await signedIn('HR_MANAGER')
  const decide = () => userErrors(second, 'approveAttendanceRecord', { id: recordId, expectedVersion: 1 })
  const errors = await Promise.all(Array.from({ length: 20 }, decide))
  expect(errors.filter((one) => one.length === 0)).toHaveLength(1)
  expect(
    await userErrors(second, 'approveAttendanceRecord', { id: recordId, expectedVersion: 2 }),
  ).toMatchObject([{ code: 'WRONG_STATUS' }])
})

test('everybody sees the own work and what is to decide; logins and managers that go hand it on', async () => {
  const boss = await staff()
  const above = await staff()
  await change(
    hr,
    'setEmployeeManager',
    { id: boss.id, expectedVersion: boss.version, managerId: above.id },
    'employee { id }',
  )
  const { id, version, login } = await staff()
  const managed = { id, expectedVersion: version, managerId: boss.id }
  await change(hr, 'setEmployeeManager', managed, 'employee { id }')
  await change(hr, 'createAttendanceRecord', added(id, at('01-08', '08:00'), at('01-08', '16:00')), seen)
  const seenBy = async (client: TestClient) => (await readAll(client, 'attendanceRecords', 'workDate')).length
  expect([await seenBy(login), await seenBy(boss.login), await seenBy(above.login)]).toEqual([1, 1, 0])
  const own = await login.data<{ attendanceRecordSummary: { total: object } }>(
    '{ attendanceRecordSummary(fresh: true) { total { count workedMinutes { sum } } } }',
  )
  expect(own.attendanceRecordSummary.total).toEqual({ count: 1, workedMinutes: { sum: '480' } })
  const today = graph.clock.now().toISOString().slice(0, 10)
  await change(
    hr,
    'terminateEmployee',
    { id: boss.id, expectedVersion: boss.version + 1, terminationDate: today },
    'employee { id }',
  )
  expect([await seenBy(boss.login), await seenBy(above.login)]).toEqual([0, 1])
  const { version: now } = (
    await hr.data<{ employee: Row }>('query ($id: ID!) { employee(id: $id) { version } }', { id })
  ).employee
  await change(hr, 'updateEmployee', { id, expectedVersion: now, userId: null }, 'employee { id }')
  expect(await seenBy(login)).toBe(0)
})

test('closed days take no work, correction or confirmation until they are opened again', async () => {
  const { id, login } = await staff()
  const day = (date: string) => added(id, at(date, '08:00'), at(date, '16:00'))
  // Work of the year before: what other tests left undone is of this one.
  const december = (date: string): [string, string] => [
    instantIn(zone, `${year - 1}-12-${date}`, '08:00').toISOString(),
    instantIn(zone, `${year - 1}-12-${date}`, '16:00').toISOString(),
  ]
  const work = await change<Row>(hr, 'createAttendanceRecord', added(id, ...december('10')), seen)
  const close = (closedThrough: string, reason?: string) =>
    userErrors(hr, 'createAttendanceClosing', { closedThrough, reason })
  const today = graph.clock.now().toISOString().slice(0, 10)
  expect(await close(today)).toEqual([
    {
      code: 'INVALID',
      field: ['closedThrough'],
      message: 'closedThrough must have passed everywhere on earth',
    },
  ])
  const [clockInAt, clockOutAt] = december('10')
  const correction = { id: work.id, clockInAt, clockOutAt, breakMinutes: 30, correctionReason: 'Lunch' }
  await change(login, 'correctAttendanceRecord', { ...correction, expectedVersion: 1 }, seen)
  expect(await close(`${year - 1}-12-31`)).toMatchObject([{ code: 'WRONG_STATUS', field: ['closedThrough'] }])
  const refusal = { id: work.id, expectedVersion: 2, decisionNote: 'There was none' }
  await change(hr, 'rejectAttendanceRecord', refusal, seen)
  expect(await close(`${year - 1}-12-31`)).toEqual([])
  const closed = [
    {
      code: 'WRONG_STATUS',
      message: `Attendance is closed until ${year - 1}-12-31: have it opened again first`,
    },
  ]
  expect(await userErrors(hr, 'createAttendanceRecord', added(id, ...december('11')))).toMatchObject(closed)
  const again = { ...correction, expectedVersion: 3 }
  expect(await userErrors(login, 'correctAttendanceRecord', again)).toMatchObject(closed)
  const moved = { ...again, clockInAt: at('01-02', '08:00'), clockOutAt: at('01-02', '16:00') }
  expect(await userErrors(login, 'correctAttendanceRecord', moved)).toMatchObject(closed)
  expect(await userErrors(hr, 'approveAttendanceRecord', { id: work.id, expectedVersion: 3 })).toMatchObject(
    closed,
  )
  expect(await userErrors(hr, 'createAttendanceRecord', day('01-02'))).toEqual([])
  expect(await close(`${year - 1}-11-30`)).toMatchObject([{ code: 'INVALID', field: ['reason'] }])
  expect(await close(`${year - 1}-11-30`, 'A list was found')).toEqual([])
  const second = await signedIn('HR_MANAGER')
  const confirmed = { id: work.id, expectedVersion: 3 }
  // Who recorded it does not confirm it.
  expect(await userErrors(hr, 'approveAttendanceRecord', confirmed)).toMatchObject([{ code: 'OWN_RECORD' }])
  expect(await userErrors(second, 'approveAttendanceRecord', confirmed)).toEqual([])
  expect(
    await readAll(login, 'attendanceClosings', 'closingNumber closedThrough reason createdBy { id }'),
  ).toEqual([
    {
      closingNumber: 2,
      closedThrough: `${year - 1}-11-30`,
      reason: 'A list was found',
      createdBy: { id: hr.userId },
    },
    { closingNumber: 1, closedThrough: `${year - 1}-12-31`, reason: null, createdBy: { id: hr.userId } },
  ])
})

test('work that is added while days are being closed waits, and is refused', async () => {
  const { id } = await staff()
  const day = `${year - 1}-12-15`
  const [from, to] = ['08:00', '16:00'].map((time) => instantIn(zone, day, time).toISOString()) as [
    string,
    string,
  ]
  await graph.owner.query('BEGIN')
  await graph.owner.query(
    "SELECT FROM hr.number_series WHERE tenant_id = $1 AND series = 'ATTENDANCE_CLOSING' FOR UPDATE",
    [acme.id],
  )
  let isDone = false
  const adding = userErrors(hr, 'createAttendanceRecord', added(id, from, to)).finally(() => (isDone = true))
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(isDone).toBe(false)
  await graph.owner.query(
    `INSERT INTO hr.attendance_closings (tenant_id, id, closing_number, closed_through)
     VALUES ($1, gen_random_uuid(), 100, $2)`,
    [acme.id, day],
  )
  await graph.owner.query('COMMIT')
  expect(await adding).toMatchObject([{ code: 'WRONG_STATUS', field: ['clockInAt'] }])
  expect(await stored(id)).toEqual([])
})

test('lists come with one statement each, nested and grouped', async () => {
  const query =
    '{ attendanceRecords { nodes { workDate employee { employeeNumber } approver { id } breaks { endedAt } } } }'
  expect((await graph.statementsDuring(() => hr.data(query))).map(({ role }) => role)).toEqual(['hr'])
  const closings = '{ attendanceClosings { nodes { closedThrough createdBy { id } } } }'
  expect((await graph.statementsDuring(() => hr.data(closings))).map(({ role }) => role)).toEqual(['hr'])
  const nested =
    '{ employees { nodes { attendanceRecords { nodes { workedMinutes original { clockInAt } } } } } }'
  expect((await graph.statementsDuring(() => hr.data(nested))).map(({ role }) => role)).toEqual(['hr', 'hr'])
  const { attendanceRecordSummary } = await hr.data<{ attendanceRecordSummary: { groups: object[] } }>(
    `{ attendanceRecordSummary(groupBy: [STATUS], fresh: true) {
       groups { key { status } count workedMinutes { sum } breakMinutes { sum } } } }`,
  )
  expect(attendanceRecordSummary.groups.length).toBeGreaterThan(2)
})
