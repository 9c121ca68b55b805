import type { TestClient } from '../support/graph'
import { inHandOf } from '../support/hands'
import { change, readAll } from '../support/lists'
import {
  correct,
  day,
  decide,
  denied,
  openOvertime,
  propose,
  reportTo,
  second,
  stored,
  works,
} from './overtime-stage'
import { graph, hr, signedIn, staff, type Row } from './work-time-stage'

beforeAll(openOvertime)
afterAll(() => graph.close())

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
  expect(await stored(id)).toEqual(['DAILY 60 PROPOSED', 'DAILY 60 REJECTED'])
  const [again] = await propose(id)
  const paid = await decide(second, 'compensate', await decide(hr, 'approve', again!), {
    compensation: 'PAY',
  })
  expect(paid).toMatchObject({ status: 'COMPENSATED', compensation: 'PAY', minutes: 60 })
  await correct(work.id, 9, day(), '18:30')
  expect(await stored(id)).toEqual(['DAILY 60 COMPENSATED', 'DAILY 60 PROPOSED', 'DAILY 60 REJECTED'])
  // What a person refused is not proposed again.
  const [, rest] = await propose(id)
  await decide(second, 'reject', rest!, { decisionNote: 'Nobody asked for it' })
  expect(await propose(id)).toMatchObject([{ status: 'COMPENSATED' }])
  // Of what is added since, that alone (10).
  await correct(work.id, 11, day(), '18:45')
  expect(await propose(id)).toMatchObject([{ status: 'COMPENSATED' }, { status: 'PROPOSED', minutes: 15 }])
  expect(await denied(second, 'compensate', paid, { compensation: 'PAY' })).toMatchObject([
    { code: 'WRONG_STATUS' },
  ])
})

test('time off stands in the leave ledger, once (∥20)', async () => {
  const { id, login } = await staff()
  await works(id, day(), '18:30')
  const granted = await decide(second, 'approve', (await propose(id))[0]!)
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
  // Who granted it does not pay it, nor does an account in the granter's hand (24).
  const other = await staff()
  await works(other.id, day(), '18:30')
  const unpaid = await decide(hr, 'approve', (await propose(other.id))[0]!)
  const pay = (client: TestClient) => denied(client, 'compensate', unpaid, { compensation: 'PAY' })
  expect(await pay(hr)).toEqual([
    { code: 'OWN_RECORD', field: ['id'], message: 'Somebody else must do this: you granted it' },
  ])
  const puppet = await signedIn('HR_MANAGER')
  await inHandOf(graph, puppet.userId, hr.userId)
  expect(await pay(puppet)).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
  expect(await stored(other.id)).toEqual(['DAILY 120 APPROVED'])
  expect(await pay(second)).toEqual([])
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

test('overtime that waits, or waits again, follows a new manager (18)', async () => {
  const [former, next] = [await staff(), await staff()]
  const worker = await reportTo(former)
  const first = await works(worker.id, day(), '18:30')
  await works(worker.id, day(1), '18:30')
  const [granted] = await propose(worker.id)
  await decide(former.login, 'approve', granted!)
  const moved = { id: worker.id, expectedVersion: worker.version, managerId: next.id }
  await change(hr, 'setEmployeeManager', moved, 'employee { id }')
  const waits = async (client: TestClient) =>
    (await readAll(client, 'overtimeRecords', 'status')).map(({ status }) => status)
  expect([await waits(former.login), await waits(next.login)]).toEqual([['APPROVED'], ['PROPOSED']])
  await correct(first.id, 1, day(), '17:30')
  expect([await waits(former.login), await waits(next.login)]).toEqual([[], ['PROPOSED', 'PROPOSED']])
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
