import { instantIn } from '../../subgraphs/hr/rules/zone-time'
import type { TestClient } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'
import {
  acme,
  added,
  at,
  graph,
  hr,
  pass,
  punch,
  signedIn,
  staff,
  stored,
  type Row,
  year,
  zone,
  openStage,
} from './work-time-stage'

beforeAll(openStage)
afterAll(() => graph.close())

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
