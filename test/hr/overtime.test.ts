import { overtimeProposals } from '../../subgraphs/hr/jobs/overtime-proposals'
import { dayNumber, dayOfNumber } from '../../subgraphs/hr/rules/half-days'
import { mondayOf } from '../../subgraphs/hr/rules/overtime'
import { instantIn } from '../../subgraphs/hr/rules/zone-time'
import type { TestClient } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, readAll, userErrors } from '../support/lists'
import {
  acme,
  added,
  database,
  graph,
  hr,
  openStage,
  signedIn,
  staff,
  year,
  zone,
  type Row,
  type Staff,
} from './work-time-stage'

let second: TestClient
const rule = {
  weeklyMinutes: 2400,
  dailyFactor: '1.25',
  weeklyFactor: '1.2',
  nightFactor: '1.5',
  sundayFactor: '1.75',
  holidayFactor: '2.5',
}

beforeAll(async () => {
  await openStage()
  second = await signedIn('HR_MANAGER')
  const first = { ...rule, validFrom: `${year - 1}-01-01` }
  await change(hr, 'createOvertimeRule', first, 'overtimeRule { id }')
})
afterAll(() => graph.close())

/** A day of a week of September, 0 for Monday. */
const day = (number = 0, week = 0): string =>
  dayOfNumber(dayNumber(mondayOf(`${year - 1}-09-10`)) + 7 * week + number)
const at = (date: string, time: string): string => instantIn(zone, date, time).toISOString()
/** Work from 8 o'clock on, with half an hour of breaks. */
const works = (employeeId: string, date: string, until: string, client = hr) =>
  change<Row>(
    client,
    'createAttendanceRecord',
    added(employeeId, at(date, '08:00'), at(date, until), { breakMinutes: 30 }),
    'attendanceRecord { id version }',
  )
const shown =
  'id version workDate kind minutes exactMinutes factor isOverCap status compensation approvedBy { id }'
interface Overtime extends Row {
  kind: string
  minutes: number
  status: string
}
/** What is not refused of the day's week, after a look. */
async function propose(employeeId: string, date = day()): Promise<Overtime[]> {
  const text = `mutation ($input: ProposeOvertimeInput!) { proposeOvertime(input: $input) { employee {
    overtimeRecords(filter: { not: { status: { eq: REJECTED } } }, orderBy: { field: WORK_DATE }) { nodes { ${shown} } } } } }`
  const { proposeOvertime } = await hr.data<{
    proposeOvertime: { employee: { overtimeRecords: { nodes: Overtime[] } } }
  }>(text, { input: { employeeId, day: date } })
  const nodes = proposeOvertime.employee.overtimeRecords.nodes
  return nodes.sort((one, other) =>
    one.kind < other.kind ? -1 : one.kind > other.kind ? 1 : one.status < other.status ? -1 : 1,
  )
}
const decide = (client: TestClient, verb: string, { id, version }: Row, values: object = {}) =>
  change<Overtime>(
    client,
    `${verb}OvertimeRecord`,
    { id, expectedVersion: version, ...values },
    `overtimeRecord { ${shown} }`,
  )
const denied = (client: TestClient, verb: string, { id, version }: Row, values: object = {}) =>
  userErrors(client, `${verb}OvertimeRecord`, { id, expectedVersion: version, ...values })
/** Has the work end at another time, by one person and a second one. */
async function correct(recordId: string, version: number, date: string, until: string): Promise<void> {
  const times = { clockInAt: at(date, '08:00'), clockOutAt: at(date, until), breakMinutes: 30 }
  const ask = { id: recordId, expectedVersion: version, ...times, correctionReason: 'The list says so' }
  await change(hr, 'correctAttendanceRecord', ask, 'attendanceRecord { id }')
  await change(
    second,
    'approveAttendanceRecord',
    { id: recordId, expectedVersion: version + 1 },
    'attendanceRecord { id }',
  )
}
/** Somebody whom a manager decides about. */
async function reportTo({ id: managerId }: Row): Promise<Staff> {
  const made = await staff()
  const change1 = { id: made.id, expectedVersion: made.version, managerId }
  return { ...made, ...(await change<Row>(hr, 'setEmployeeManager', change1, 'employee { id version }')) }
}
async function stored(employeeId: string): Promise<string[]> {
  const { rows } = await graph.owner.query<{ text: string }>(
    `SELECT concat_ws(' ', kind, minutes, status) AS text FROM hr.overtime_records
      WHERE employee_id = $1 ORDER BY work_date, kind, created_at, id`,
    [employeeId],
  )
  return rows.map(({ text }) => text)
}

test('20 parallel looks count each minute once (∥20), and another person grants it', async () => {
  const boss = await staff()
  const { id, login } = await reportTo(boss)
  await works(id, day(), '18:44')
  const looks = await Promise.all(Array.from({ length: 20 }, () => propose(id)))
  const [record] = looks[0]!
  expect(record).toEqual({
    id: record!.id,
    version: 1,
    workDate: day(),
    kind: 'DAILY',
    minutes: 120,
    exactMinutes: 134,
    factor: '1.25',
    isOverCap: false,
    status: 'PROPOSED',
    compensation: null,
    approvedBy: null,
  })
  expect(new Set(looks.map((list) => JSON.stringify(list))).size).toBe(1)
  expect(await stored(id)).toEqual(['DAILY 120 PROPOSED'])
  expect(await denied(login, 'approve', record!)).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
  expect(await denied((await staff()).login, 'approve', record!)).toMatchObject([
    { code: 'NOT_FOUND', field: ['id'] },
  ])
  expect(await denied(boss.login, 'reject', record!, { decisionNote: '' })).toMatchObject([
    { code: 'INVALID', field: ['decisionNote'] },
  ])
  expect(await denied(hr, 'compensate', record!, { compensation: 'PAY' })).toMatchObject([
    { code: 'WRONG_STATUS' },
  ])
  const errors = await Promise.all(Array.from({ length: 20 }, () => denied(boss.login, 'approve', record!)))
  expect(errors.filter((one) => one.length === 0)).toHaveLength(1)
  const seen = await readAll(
    login,
    'overtimeRecords',
    'status approvedBy { id } attendance { workedMinutes } employee { id }',
  )
  expect(seen).toEqual([
    {
      status: 'APPROVED',
      approvedBy: { id: boss.login.userId },
      attendance: { workedMinutes: 614 },
      employee: { id },
    },
  ])
  expect(await propose(id)).toMatchObject([{ id: record!.id, version: 2, status: 'APPROVED' }])
})

test('a correction of attendance opens it again while it is unpaid, and proposes what is new when it is', async () => {
  const { id, userId } = { ...(await staff()), userId: hr.userId }
  const work = await works(id, day(), '18:30')
  const [proposed] = await propose(id)
  const granted = await decide(hr, 'approve', proposed!)
  expect(granted).toMatchObject({ minutes: 120, status: 'APPROVED', approvedBy: { id: userId } })
  // Other times of which the same overtime follows change nothing.
  await correct(work.id, 1, day(), '18:40')
  expect(await propose(id)).toEqual([granted])
  await correct(work.id, 3, day(), '17:30')
  const [opened] = await propose(id)
  expect(opened).toMatchObject({
    id: proposed!.id,
    minutes: 60,
    exactMinutes: 60,
    status: 'PROPOSED',
    approvedBy: null,
  })
  await correct(work.id, 5, day(), '16:30')
  expect(await stored(id)).toEqual(['DAILY 60 REJECTED'])
  // It was no person who refused it: it comes back.
  await correct(work.id, 7, day(), '17:30')
  expect(await stored(id)).toEqual(['DAILY 60 REJECTED', 'DAILY 60 PROPOSED'])
  const [again] = await propose(id)
  const paid = await decide(hr, 'compensate', await decide(hr, 'approve', again!), { compensation: 'PAY' })
  expect(paid).toMatchObject({ status: 'COMPENSATED', compensation: 'PAY', minutes: 60 })
  await correct(work.id, 9, day(), '18:30')
  expect(await stored(id)).toEqual(['DAILY 60 REJECTED', 'DAILY 60 COMPENSATED', 'DAILY 60 PROPOSED'])
  // What a person refused is not proposed again.
  const [, rest] = await propose(id)
  await decide(second, 'reject', rest!, { decisionNote: 'Nobody asked for it' })
  expect(await propose(id)).toMatchObject([{ status: 'COMPENSATED' }])
  expect(await denied(second, 'compensate', paid, { compensation: 'PAY' })).toMatchObject([
    { code: 'WRONG_STATUS' },
  ])
})

test('time off stands in the leave ledger, once (∥20)', async () => {
  const { id, login } = await staff()
  await works(id, day(), '18:30')
  const granted = await decide(hr, 'approve', (await propose(id))[0]!)
  const type = await change<Row>(
    hr,
    'createLeaveType',
    { code: 'TOIL', name: 'Time off in lieu' },
    'leaveType { id version }',
  )
  expect(await denied(hr, 'compensate', granted, { compensation: 'TIME' })).toMatchObject([
    { code: 'INVALID', field: ['leaveTypeId'] },
  ])
  expect(
    await denied(hr, 'compensate', granted, { compensation: 'PAY', leaveTypeId: type.id }),
  ).toMatchObject([{ code: 'INVALID' }])
  const values = { compensation: 'TIME', leaveTypeId: type.id }
  const errors = await Promise.all(
    Array.from({ length: 20 }, () => denied(hr, 'compensate', granted, values)),
  )
  expect(errors.filter((one) => one.length === 0)).toHaveLength(1)
  const today = graph.clock.now().toISOString().slice(0, 10)
  // 120 minutes by 1.25 are 0.3125 of a day of 480.
  const entry = {
    days: '0.31',
    kind: 'ADJUSTMENT',
    effectiveOn: today,
    note: `Overtime of ${day()}: 120 minutes DAILY by 1.25`,
  }
  expect(await readAll(login, 'leaveLedgerEntries', 'days kind effectiveOn note')).toEqual([entry])
  expect(
    await readAll(login, 'overtimeRecords', 'compensation leaveEntry { days kind effectiveOn note }'),
  ).toEqual([{ compensation: 'TIME', leaveEntry: entry }])
  const own = await staff()
  await works(own.id, day(), '18:30')
  const mine = await decide(hr, 'approve', (await propose(own.id))[0]!)
  await change(
    hr,
    'updateEmployee',
    { id: own.id, expectedVersion: own.version, userId: null },
    'employee { id }',
  )
  await change(
    hr,
    'updateEmployee',
    { id: own.id, expectedVersion: own.version + 1, userId: second.userId },
    'employee { id }',
  )
  expect(await denied(second, 'compensate', mine, { compensation: 'PAY' })).toMatchObject([
    { code: 'OWN_RECORD' },
  ])
  expect(await readAll(own.login, 'overtimeRecords', 'id')).toEqual([])
  expect(await stored(own.id)).toEqual(['DAILY 120 APPROVED'])
})

test('what is asked for fits into the work with all other overtime, and somebody else grants it', async () => {
  const { id, login } = await staff()
  const ask = (values: object = {}, client: TestClient = login) => ({
    client,
    input: { employeeId: id, workDate: day(), minutes: 50, reason: 'On call', ...values },
  })
  const refused = async ({ client, input }: ReturnType<typeof ask>) =>
    userErrors(client, 'createOvertimeRecord', input)
  expect(await refused(ask())).toEqual([
    {
      code: 'INVALID',
      field: ['minutes'],
      message: `No attendance of ${day()} has ended: record the work first`,
    },
  ])
  const work = await works(id, day(), '18:30')
  await propose(id)
  expect(await refused(ask({ minutes: 14 }))).toMatchObject([{ code: 'INVALID', field: ['minutes'] }])
  expect(await refused(ask({ reason: ' ' }))).toMatchObject([{ code: 'INVALID', field: ['reason'] }])
  expect(await refused(ask({ minutes: 481 }))).toEqual([])
  expect(await refused(ask({ minutes: 15 }))).toEqual([
    {
      code: 'INVALID',
      field: ['minutes'],
      message: `600 minutes were worked on ${day()}, of which 600 are overtime already`,
    },
  ])
  expect(await refused(ask({ workDate: `${year - 2}-01-01` }))).toMatchObject([
    { code: 'INVALID', field: ['workDate'] },
  ])
  expect(await refused(ask({}, (await staff()).login))).toMatchObject([
    { code: 'PERMISSION_NOT_HELD', field: ['employeeId'] },
  ])
  const [, asked] = (await readAll(
    hr,
    'overtimeRecords',
    'id version status',
    `, filter: { employeeId: { eq: "${id}" } }, orderBy: { field: CREATED_AT }`,
  )) as unknown as Overtime[]
  expect(asked).toMatchObject({ status: 'REQUESTED' })
  const granted = await decide(hr, 'approve', asked!)
  expect(granted).toMatchObject({ status: 'APPROVED', minutes: 480, exactMinutes: 481 })
  // Less was worked: what waits again is not granted again.
  await correct(work.id, 1, day(), '13:30')
  expect(await stored(id)).toEqual(['DAILY 120 REJECTED', 'DAILY 480 REQUESTED'])
  expect(await denied(hr, 'approve', { id: asked!.id, version: granted.version + 1 })).toMatchObject([
    { code: 'INVALID', field: ['id'] },
  ])
  // HR asks for others, and does not grant what it asked for.
  const other = await staff()
  await works(other.id, day(), '18:30')
  const input = { employeeId: other.id, workDate: day(), minutes: 60, kind: 'HOLIDAY', reason: 'Local feast' }
  const made = await change<Row>(hr, 'createOvertimeRecord', input, 'overtimeRecord { id version }')
  expect(await denied(hr, 'approve', made)).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
  expect(await decide(second, 'approve', made)).toMatchObject({ factor: '2.5', status: 'APPROVED' })
  // It is counted already: the day tells of 60 minutes more.
  expect(await propose(other.id)).toMatchObject([
    { kind: 'DAILY', minutes: 60 },
    { kind: 'HOLIDAY', minutes: 60 },
  ])
})

test('a job looks into what nobody looked into, once, and marks weeks of more than 48 hours', async () => {
  const { id } = await staff()
  for (const number of [0, 1, 2, 3, 4, 5]) await works(id, day(number, 1), '17:00')
  const before = await works(id, `${year - 2}-12-30`, '20:00')
  const run = () => runJob(overtimeProposals, database, graph.server.services, { tenantId: acme.id })
  await run()
  const list = async () =>
    readAll(
      hr,
      'overtimeRecords',
      'workDate kind minutes factor isOverCap version',
      `, filter: { employeeId: { eq: "${id}" } }, orderBy: { field: WORK_DATE }`,
    )
  const record = (number: number, isOverCap: boolean, minutes = 30) => ({
    workDate: day(number, 1),
    kind: 'DAILY',
    minutes,
    factor: '1.25',
    isOverCap,
    version: 1,
  })
  // 6 × 510 are 51 hours; nothing is owed on Saturday.
  const expected = [0, 1, 2, 3, 4].map((number) => record(number, false)).concat(record(5, true, 510))
  expect(await list()).toEqual(expected)
  const { rows } = await graph.owner.query(
    'SELECT is_overtime_checked AS checked FROM hr.attendance_records WHERE id = $1',
    [before.id],
  )
  expect(rows).toEqual([{ checked: false }])
  await run()
  expect(await list()).toEqual(expected)
  // A rule of its own from a day on; what was found keeps its factor.
  const later = { ...rule, dailyFactor: '3', validFrom: day(0, 2) }
  await change(hr, 'createOvertimeRule', later, 'overtimeRule { id }')
  await works(id, day(0, 2), '17:00')
  await run()
  expect((await list()).slice(-1)).toMatchObject([{ workDate: day(0, 2), factor: '3' }])
  expect((await list()).slice(0, 6)).toEqual(expected)
  expect(await userErrors(hr, 'createOvertimeRule', { ...later, nightFrom: '24:00' })).toMatchObject([
    { code: 'INVALID', field: ['nightFrom'] },
  ])
  const unruled = { employeeId: id, day: `${year - 2}-12-30` }
  expect(await userErrors(hr, 'proposeOvertime', unruled)).toMatchObject([
    { code: 'INVALID', field: ['day'] },
  ])
})

test('overtime that waits follows the manager who leaves; lists come with one statement each', async () => {
  const above = await staff()
  const boss = await reportTo(above)
  const { id } = await reportTo(boss)
  await works(id, day(), '18:30')
  await propose(id)
  const seenBy = async (client: TestClient) => (await readAll(client, 'overtimeRecords', 'id')).length
  expect([await seenBy(boss.login), await seenBy(above.login)]).toEqual([1, 0])
  const terminationDate = graph.clock.now().toISOString().slice(0, 10)
  await change(
    hr,
    'terminateEmployee',
    { id: boss.id, expectedVersion: boss.version, terminationDate },
    'employee { id }',
  )
  expect([await seenBy(boss.login), await seenBy(above.login)]).toEqual([0, 1])
  const query =
    '{ overtimeRecords { nodes { minutes employee { employeeNumber } attendance { workedMinutes } leaveEntry { days } approver { id } } } }'
  expect((await graph.statementsDuring(() => hr.data(query))).map(({ role }) => role)).toEqual(['hr'])
  const nested = '{ employees { nodes { overtimeRecords { nodes { minutes requestedBy { id } } } } } }'
  expect((await graph.statementsDuring(() => hr.data(nested))).map(({ role }) => role)).toEqual(['hr', 'hr'])
  const { overtimeRecordSummary } = await above.login.data<{ overtimeRecordSummary: { groups: object[] } }>(
    '{ overtimeRecordSummary(groupBy: [KIND], fresh: true) { groups { key { kind } count minutes { sum } } } }',
  )
  expect(overtimeRecordSummary.groups).toEqual([
    { key: { kind: 'DAILY' }, count: 1, minutes: { sum: '120' } },
  ])
})
