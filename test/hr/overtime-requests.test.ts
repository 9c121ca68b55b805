import { dayNumber, dayOfNumber } from '../../subgraphs/hr/rules/half-days'
import type { TestClient } from '../support/graph'
import { inHandOf } from '../support/hands'
import { change, readAll, userErrors } from '../support/lists'
import {
  at,
  correct,
  day,
  decide,
  denied,
  openOvertime,
  propose,
  second,
  stored,
  works,
  type Overtime,
} from './overtime-stage'
import { added, graph, hr, signedIn, staff, year, type Row } from './work-time-stage'

beforeAll(openOvertime)
afterAll(() => graph.close())

const input = (employeeId: string, values: object = {}) => ({
  employeeId,
  workDate: day(),
  minutes: 60,
  reason: 'On call',
  ...values,
})
const ask = (client: TestClient, employeeId: string, values: object = {}) =>
  change<Overtime>(
    client,
    'createOvertimeRecord',
    input(employeeId, values),
    'overtimeRecord { id version kind minutes exactMinutes factor status }',
  )
const refused = (client: TestClient, employeeId: string, values: object = {}) =>
  userErrors(client, 'createOvertimeRecord', input(employeeId, values))
const none = (worked = 600) => [
  {
    code: 'INVALID',
    field: ['minutes'],
    message: `${worked} minutes were worked on ${day()}: what is beyond those owed is proposed, asked for, granted or compensated already`,
  },
]
const invalid = (field: string, message: string) => [{ code: 'INVALID', field: [field], message }]

test('no minute is counted twice, whoever comes first: the look or the request (3)', async () => {
  const { id, login } = await staff()
  expect(await refused(login, id)).toEqual(
    invalid('minutes', `No attendance of ${day()} has ended: record the work first`),
  )
  await works(id, day(), '18:30')
  const [proposed] = await propose(id)
  expect(await refused(login, id)).toEqual(none())
  await decide(second, 'approve', proposed!)
  expect(await refused(login, id)).toEqual(none())
  expect(await stored(id)).toEqual(['DAILY 120 APPROVED'])
  const other = await staff()
  await works(other.id, day(), '18:30')
  for (const [values, field] of [
    [{ minutes: 14 }, 'minutes'],
    [{ reason: ' ' }, 'reason'],
    [{ workDate: `${year - 2}-01-01` }, 'workDate'],
  ] as const)
    expect(await refused(other.login, other.id, values)).toMatchObject([{ code: 'INVALID', field: [field] }])
  expect(await refused(other.login, other.id, { minutes: 135 })).toEqual(
    invalid('minutes', `It is more than is left on ${day()}: 120 minutes DAILY`),
  )
  expect(await refused((await staff()).login, other.id)).toMatchObject([
    { code: 'PERMISSION_NOT_HELD', field: ['employeeId'] },
  ])
  const asked = await ask(other.login, other.id, { minutes: 50 })
  expect(asked).toMatchObject({
    kind: 'DAILY',
    minutes: 45,
    exactMinutes: 50,
    factor: '1.25',
    status: 'REQUESTED',
  })
  expect(await propose(other.id)).toMatchObject([
    { minutes: 75, status: 'PROPOSED' },
    { minutes: 45, status: 'REQUESTED' },
  ])
  const twenty = await staff()
  await works(twenty.id, day(), '18:30')
  const errors = await Promise.all(Array.from({ length: 20 }, () => refused(twenty.login, twenty.id)))
  expect(errors.filter((one) => one.length === 0)).toHaveLength(2)
  expect(await stored(twenty.id)).toEqual(['DAILY 60 REQUESTED', 'DAILY 60 REQUESTED'])
})

test('day and clock say the kind, and who asks names one that they tell of (8)', async () => {
  const { id, login } = await staff()
  await works(id, day(), '18:30')
  expect(await refused(login, id, { kind: 'HOLIDAY' })).toEqual(
    invalid('kind', `${day()} has no overtime of kind HOLIDAY: left are 120 minutes DAILY`),
  )
  const late = await staff()
  const times = added(late.id, at(day(), '13:00'), at(day(), '22:40'), { breakMinutes: 30 })
  await change(hr, 'createAttendanceRecord', times, 'attendanceRecord { id }')
  const told = '40 minutes NIGHT, 30 minutes DAILY'
  expect(await refused(late.login, late.id, { minutes: 30 })).toEqual(
    invalid('kind', `kind must say which: left on ${day()} are ${told}`),
  )
  expect(await refused(late.login, late.id, { minutes: 60, kind: 'NIGHT' })).toEqual(
    invalid('minutes', `It is more than is left on ${day()}: ${told}`),
  )
  expect(await stored(late.id)).toEqual([])
  expect(await ask(late.login, late.id, { minutes: 40, kind: 'NIGHT' })).toMatchObject({
    kind: 'NIGHT',
    minutes: 30,
    factor: '1.5',
  })
})

test('who asked does not grant, nor an account in that hand (24)', async () => {
  const { id } = await staff()
  await works(id, day(), '18:30')
  const made = await ask(hr, id)
  expect(await denied(hr, 'approve', made)).toMatchObject([
    { code: 'OWN_RECORD', message: 'Somebody else must do this: you asked for it' },
  ])
  const [puppet, master] = [await signedIn('HR_MANAGER'), await signedIn('HR_MANAGER')]
  await inHandOf(graph, puppet.userId, hr.userId)
  await inHandOf(graph, hr.userId, master.userId)
  for (const client of [puppet, master])
    expect(await denied(client, 'approve', made)).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
  expect(await stored(id)).toEqual(['DAILY 60 REQUESTED'])
  expect(await decide(second, 'approve', made)).toMatchObject({ factor: '1.25', status: 'APPROVED' })
  await graph.owner.query('DELETE FROM identity.entrustments')
})

test('what a refused request leaves is proposed, and nobody’s asking takes away what is granted (4)', async () => {
  const { id, login } = await staff()
  const work = await works(id, day(), '18:30')
  const asked = await ask(login, id, { minutes: 120 })
  expect(await propose(id)).toMatchObject([{ status: 'REQUESTED', minutes: 120 }])
  await decide(second, 'reject', asked, { decisionNote: 'Let the list tell' })
  expect(await stored(id)).toEqual(['DAILY 120 PROPOSED', 'DAILY 120 REJECTED'])
  // Refused in attendance's name too: it stays so, until it is asked for by hand, which counts once.
  const [proposed] = await propose(id)
  await decide(second, 'reject', proposed!, { decisionNote: 'Nobody asked for it' })
  expect(await propose(id)).toEqual([])
  const again = await ask(login, id, { minutes: 120 })
  await decide(second, 'approve', again)
  expect(await propose(id)).toMatchObject([{ status: 'APPROVED', minutes: 120 }])
  await correct(work.id, 1, day(), '19:30')
  expect(await propose(id)).toMatchObject([
    { status: 'APPROVED', minutes: 120 },
    { status: 'PROPOSED', minutes: 60 },
  ])
  const other = await staff()
  const long = await works(other.id, day(), '18:30')
  const request = await ask(other.login, other.id)
  const [rest] = await propose(other.id)
  await decide(second, 'approve', rest!)
  // 60 of 120 minutes are left: they are those that are granted, and not those that are asked for.
  await correct(long.id, 1, day(), '17:30')
  expect(await stored(other.id)).toEqual(['DAILY 60 APPROVED', 'DAILY 60 REQUESTED'])
  expect(await denied(second, 'approve', request)).toEqual([{ ...none(540)[0], field: ['id'] }])
  await decide(second, 'reject', request, { decisionNote: 'It is granted already' })
  expect(await stored(other.id)).toEqual(['DAILY 60 APPROVED', 'DAILY 60 REJECTED'])
})

test('what was asked for and granted waits again when less was worked', async () => {
  const { id, login } = await staff()
  const work = await works(id, day(), '18:30')
  const asked = await ask(login, id, { minutes: 120 })
  // Who invited a colleague decides about what the colleague asks for.
  await inHandOf(graph, login.userId, second.userId)
  const granted = await decide(second, 'approve', asked)
  await correct(work.id, 1, day(), '17:30')
  expect(await stored(id)).toEqual(['DAILY 120 REQUESTED'])
  const waits = { id: asked.id, version: granted.version + 1 }
  expect(await denied(hr, 'approve', waits)).toEqual(
    invalid('id', `It is more than is left on ${day()}: 60 minutes DAILY`),
  )
  await decide(hr, 'reject', waits, { decisionNote: 'Less was worked' })
  expect(await stored(id)).toEqual(['DAILY 120 REJECTED', 'DAILY 60 PROPOSED'])
})

test('closed days are looked into once, and stay as they are until they are opened again', async () => {
  const { id, login } = await staff()
  await works(id, day(), '18:30')
  await propose(id)
  await works(id, day(1), '17:30')
  const close = (closedThrough: string) =>
    change<Row>(
      hr,
      'createAttendanceClosing',
      { closedThrough, reason: 'The month is paid' },
      'attendanceClosing { id }',
    )
  await close(day(6))
  const closed = `Attendance is closed until ${day(6)}: have it opened again`
  expect(await refused(login, id, { workDate: day(1) })).toEqual([
    { code: 'WRONG_STATUS', field: ['workDate'], message: `${closed} first` },
  ])
  // Nobody looked into Tuesday yet.
  expect(await propose(id)).toMatchObject([{ minutes: 120 }, { minutes: 60 }])
  // What is owed changes: what stands does not.
  await graph.owner.query(`INSERT INTO hr.holidays (tenant_id, id, day, name, half)
    SELECT tenant_id, gen_random_uuid(), '${day()}', 'Feast', 'FULL' FROM hr.employees WHERE id = '${id}'`)
  const look = { employeeId: id, day: day() }
  expect(await userErrors(hr, 'proposeOvertime', look)).toEqual([
    { code: 'WRONG_STATUS', field: ['day'], message: `${closed} before overtime is looked for anew` },
  ])
  expect(await stored(id)).toEqual(['DAILY 120 PROPOSED', 'DAILY 60 PROPOSED'])
  // It is decided about, and paid.
  const [waits] = (await readAll(
    hr,
    'overtimeRecords',
    'id version',
    `, filter: { employeeId: { eq: "${id}" }, workDate: { eq: "${day(1)}" } }`,
  )) as unknown as Overtime[]
  await decide(second, 'compensate', await decide(hr, 'approve', waits!), { compensation: 'PAY' })
  // What waits of the day whose rule changed is granted as well, and stays (review 10, 11).
  const [still] = (await readAll(
    hr,
    'overtimeRecords',
    'id version',
    `, filter: { employeeId: { eq: "${id}" }, workDate: { eq: "${day()}" } }`,
  )) as unknown as Overtime[]
  await decide(hr, 'approve', still!)
  expect(await stored(id)).toEqual(['DAILY 120 APPROVED', 'DAILY 60 COMPENSATED'])
  await close(dayOfNumber(dayNumber(day()) - 1))
  await propose(id)
  expect(await stored(id)).toEqual(['DAILY 120 REJECTED', 'HOLIDAY 600 PROPOSED', 'DAILY 60 COMPENSATED'])
})

test('who recorded the work does not grant its overtime, nor does who asked for it pay it (review 3, 23, 28)', async () => {
  const on = day(1, 2)
  const { id, version } = await staff()
  await works(id, on, '18:30', hr)
  const [proposed] = await propose(id, on)
  expect(await denied(hr, 'approve', proposed!)).toEqual([
    {
      code: 'OWN_RECORD',
      field: ['id'],
      message: 'Somebody else must do this: you recorded work of the day',
    },
  ])
  const puppet = await signedIn('HR_MANAGER')
  await inHandOf(graph, puppet.userId, hr.userId)
  expect(await denied(puppet, 'approve', proposed!)).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
  expect(await stored(id)).toEqual(['DAILY 120 PROPOSED'])
  const granted = await decide(second, 'approve', proposed!)
  await change(
    hr,
    'terminateEmployee',
    { id, expectedVersion: version, terminationDate: on },
    'employee { id }',
  )
  const type = await change<Row>(
    hr,
    'createLeaveType',
    { code: 'LATE', name: 'Late' },
    'leaveType { id version }',
  )
  const off = { compensation: 'TIME', leaveTypeId: type.id }
  expect(await denied(hr, 'compensate', granted, off)).toMatchObject([
    { code: 'NOT_EMPLOYED', field: ['compensation'] },
  ])
  const other = await staff()
  await works(other.id, on, '18:30')
  const asked = await decide(second, 'approve', await ask(hr, other.id, { workDate: on }))
  expect(await denied(hr, 'compensate', asked, { compensation: 'PAY' })).toEqual([
    { code: 'OWN_RECORD', field: ['id'], message: 'Somebody else must do this: you asked for it' },
  ])
  expect(await denied(puppet, 'compensate', asked, { compensation: 'PAY' })).toMatchObject([
    { code: 'OWN_RECORD', field: ['id'] },
  ])
  expect(await stored(other.id)).toEqual(['DAILY 60 APPROVED'])
})
