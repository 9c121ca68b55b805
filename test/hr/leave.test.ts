import { leaveAccrual } from '../../subgraphs/hr/jobs/leave-accrual'
import { leaveCarryOver } from '../../subgraphs/hr/jobs/leave-carry-over'
import type { Database } from '../../kernel/connection/database'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, readAll, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let hr: TestClient
let database: Database
let count = 0

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
  // From here on it is the year after next: nothing depends on the day on which the test runs.
  year = graph.clock.now().getUTCFullYear() + 2
  await forward(`${year}-01-10T12:00:00Z`)
})
afterAll(() => graph.close())

let year: number
/** Moves the clock, and signs HR in anew: sessions end with the time. */
async function forward(to: string): Promise<void> {
  graph.clock.advance({ seconds: Math.ceil((Date.parse(to) - graph.clock.now().getTime()) / 1000) })
  hr = await acme.user('HR_MANAGER')
}

interface Row {
  id: string
  version: number
}
interface Staff extends Row {
  login: TestClient
}
/** The employment of each login. */
const employeeIds = new Map<TestClient, string>()

async function staff(values: Record<string, unknown> = {}): Promise<Staff> {
  const login = await acme.user('USER')
  const input = { employeeNumber: `N${++count}`, userId: login.userId, hireDate: '2020-01-01', ...values }
  const employee = await change<Row>(hr, 'hireEmployee', input, 'employee { id version }')
  employeeIds.set(login, employee.id)
  return { ...employee, login }
}
const kind = (values: Record<string, unknown> = {}): Promise<Row> =>
  change<Row>(
    hr,
    'createLeaveType',
    { code: `K${++count}`, name: `Kind ${count}`, ...values },
    'leaveType { id version }',
  )
const credit = (employeeId: string, leaveTypeId: string, days: string, effectiveOn = `${year}-01-01`) =>
  change(
    hr,
    'createLeaveLedgerEntry',
    { employeeId, leaveTypeId, days, effectiveOn, note: 'Agreed' },
    'leaveLedgerEntry { id }',
  )
const asked = (
  client: TestClient,
  values: Record<string, unknown>,
  selection = 'leaveRequest { id version days }',
) =>
  change<Row & { days: string }>(
    client,
    'createLeaveRequest',
    { employeeId: employeeIds.get(client), ...values },
    selection,
  )
const refusals = (client: TestClient, values: Record<string, unknown>) =>
  userErrors(client, 'createLeaveRequest', { employeeId: employeeIds.get(client), ...values })
const verb = (client: TestClient, mutation: string, { id, version }: Row, values: object = {}) =>
  change<Row & { status: string }>(
    client,
    mutation,
    { id, expectedVersion: version, ...values },
    'leaveRequest { id version status }',
  )

async function balance(employeeId: string, leaveTypeId: string, on: string) {
  const { employee } = await hr.data<{ employee: { leaveBalances: { leaveType: { id: string } }[] } }>(
    `query ($id: ID!, $on: Date!) { employee(id: $id) {
       leaveBalances(on: $on) { leaveType { id } days pending available } } }`,
    { id: employeeId, on },
  )
  const { leaveType: _, ...sums } = employee.leaveBalances.find((one) => one.leaveType.id === leaveTypeId)!
  return sums
}

const ledger = (employeeId: string, leaveTypeId: string) =>
  readAll(
    hr,
    'leaveLedgerEntries',
    'kind days effectiveOn validUntil note',
    `, filter: { employeeId: { eq: "${employeeId}" }, leaveTypeId: { eq: "${leaveTypeId}" } },
       orderBy: { field: EFFECTIVE_ON }`,
    50,
  )

async function stored(id: string): Promise<Record<string, unknown>> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    'SELECT * FROM hr.leave_requests WHERE id = $1',
    [id],
  )
  return rows[0]!
}

/** The first Monday of a month of the year. */
function monday(month: number): string {
  const first = new Date(Date.UTC(year, month - 1, 1))
  const toMonday = (8 - first.getUTCDay()) % 7
  return new Date(Date.UTC(year, month - 1, 1 + toMonday)).toISOString().slice(0, 10)
}
const after = (day: string, days: number) =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)

test('leave is asked for, granted by the head of the department, and stands in the ledger', async () => {
  const head = await acme.user('USER')
  const department = await change<Row>(
    hr,
    'createDepartment',
    { name: 'Leave', headId: head.userId },
    'department { id version }',
  )
  const { id: employeeId, login } = await staff({ departmentId: department.id })
  const type = await kind({ name: 'Annual leave' })
  await credit(employeeId, type.id, '30')
  const [startDate, endDate] = [monday(6), after(monday(6), 4)]
  const selection = `leaveRequest { id version requestNumber days status reason startHalf endHalf approver { id }
    employee { id } leaveType { name } }`
  const input = { employeeId, leaveTypeId: type.id, startDate, endDate, reason: 'Wedding' }
  const request = await change<Row & { requestNumber: string }>(login, 'createLeaveRequest', input, selection)
  expect(request).toEqual({
    id: request.id,
    version: 1,
    requestNumber: expect.stringMatching(/^L-\d{6}$/) as string,
    days: '5',
    status: 'PENDING',
    reason: 'Wedding',
    startHalf: 'FULL',
    endHalf: 'FULL',
    approver: { id: head.userId },
    employee: { id: employeeId },
    leaveType: { name: 'Annual leave' },
  })
  expect(await balance(employeeId, type.id, endDate)).toEqual({ days: '30', pending: '5', available: '25' })
  const seen = `query ($id: ID!) { leaveRequest(id: $id) { status reason } }`
  expect(await head.data(seen, { id: request.id })).toEqual({
    leaveRequest: { status: 'PENDING', reason: 'Wedding' },
  })
  expect(await verb(head, 'approveLeaveRequest', request)).toMatchObject({ status: 'APPROVED', version: 2 })
  expect(await balance(employeeId, type.id, endDate)).toEqual({ days: '25', pending: '0', available: '25' })
  expect(await ledger(employeeId, type.id)).toEqual([
    { kind: 'ADJUSTMENT', days: '30', effectiveOn: `${year}-01-01`, validUntil: null, note: 'Agreed' },
    { kind: 'USE', days: '-5', effectiveOn: startDate, validUntil: null, note: null },
  ])
  // Whoever is neither employee, approver nor reads all leave sees nothing of it.
  const other = await acme.user('USER')
  expect(await other.data(seen, { id: request.id })).toEqual({ leaveRequest: null })
  expect(await other.data('{ leaveRequests { nodes { id } } leaveLedgerEntries { nodes { id } } }')).toEqual({
    leaveRequests: { nodes: [] },
    leaveLedgerEntries: { nodes: [] },
  })
  for (const mutation of ['approveLeaveRequest', 'cancelLeaveRequest'])
    expect(await userErrors(other, mutation, { id: request.id, expectedVersion: 2 })).toMatchObject([
      { code: 'NOT_FOUND' },
    ])
  // Before it begins it is taken back: the opposite entry.
  expect(await verb(login, 'cancelLeaveRequest', { ...request, version: 2 })).toMatchObject({
    status: 'CANCELLED',
  })
  expect((await ledger(employeeId, type.id)).slice(1)).toEqual([
    { kind: 'USE', days: '-5', effectiveOn: startDate, validUntil: null, note: null },
    { kind: 'REVERSAL', days: '5', effectiveOn: startDate, validUntil: null, note: null },
  ])
  expect(await balance(employeeId, type.id, endDate)).toEqual({ days: '30', pending: '0', available: '30' })
})

test('days are those of the calendar of each date, less holidays and halves', async () => {
  const calendar = await change<Row>(
    hr,
    'createWorkCalendar',
    { name: 'Four days', timeZone: 'Europe/Berlin', fridayMinutes: 0 },
    'workCalendar { id version }',
  )
  const { id: employeeId, login } = await staff()
  const type = await kind({ allowsNegative: true })
  const start = monday(8)
  // From the second week on there is no work on Fridays, and Tuesday afternoon of the first is free.
  await change(
    hr,
    'createCalendarAssignment',
    { employeeId, calendarId: calendar.id, validFrom: after(start, 7) },
    'calendarAssignment { id }',
  )
  await change(
    hr,
    'createHoliday',
    { name: 'Town festival', day: after(start, 1), half: 'AFTERNOON' },
    'holiday { id }',
  )
  const days = async (values: Record<string, unknown>) => {
    const request = await asked(login, { leaveTypeId: type.id, ...values })
    await verb(login, 'cancelLeaveRequest', request)
    return request.days
  }
  expect(await days({ startDate: start, endDate: after(start, 13) })).toBe('8.5')
  const tuesday = { startDate: after(start, 1), endDate: after(start, 1) }
  expect(await days(tuesday)).toBe('0.5')
  expect(await days({ ...tuesday, startHalf: 'MORNING', endHalf: 'MORNING' })).toBe('0.5')
  const halves = { startHalf: 'AFTERNOON', endHalf: 'MORNING' }
  expect(await days({ startDate: after(start, 2), endDate: after(start, 4), ...halves })).toBe('2')
  for (const [values, message] of [
    [{ ...tuesday, startHalf: 'AFTERNOON', endHalf: 'AFTERNOON' }, 'no leave is needed'],
    [{ startDate: after(start, 5), endDate: after(start, 6) }, 'no leave is needed'],
    [{ startDate: after(start, 1), endDate: start }, 'endDate must not be before startDate'],
    [
      { startDate: start, endDate: after(start, 1), startHalf: 'MORNING' },
      'startHalf must be FULL or AFTERNOON',
    ],
    [{ ...tuesday, startHalf: 'MORNING' }, 'startHalf and endHalf must be the same'],
    [{ startDate: '2019-12-31', endDate: '2020-01-02' }, 'before the first day of work'],
    [{ startDate: start, endDate: after(start, 366) }, '365 days'],
  ] as const) {
    const [error] = await refusals(login, { leaveTypeId: type.id, ...values })
    expect(error).toMatchObject({ code: 'INVALID', message: expect.stringContaining(message) as string })
  }
})

test('leave over the end of a year counts in each year', async () => {
  const { id: employeeId, login } = await staff()
  const type = await kind()
  await credit(employeeId, type.id, '3', `${year}-01-01`)
  await credit(employeeId, type.id, '30', `${year + 1}-01-01`)
  const input = { leaveTypeId: type.id, startDate: `${year}-12-24`, endDate: `${year + 1}-01-07` }
  const [error] = await refusals(login, { ...input, startDate: `${year}-12-20` })
  expect(error).toMatchObject({ code: 'LEAVE_BALANCE', field: ['startDate'] })
  const working = (from: string, to: string) => {
    let days = 0
    for (let day = from; day <= to; day = after(day, 1))
      if (![0, 6].includes(new Date(`${day}T00:00:00Z`).getUTCDay())) days++
    return days
  }
  const [old, next] = [
    working(`${year}-12-29`, `${year}-12-31`),
    working(`${year + 1}-01-01`, `${year + 1}-01-07`),
  ]
  const request = await asked(login, { ...input, startDate: `${year}-12-29` })
  expect(request.days).toBe(String(old + next))
  await verb(hr, 'approveLeaveRequest', request)
  expect((await ledger(employeeId, type.id)).filter(({ kind: one }) => one === 'USE')).toEqual([
    { kind: 'USE', days: `-${old}`, effectiveOn: `${year}-12-29`, validUntil: null, note: null },
    { kind: 'USE', days: `-${next}`, effectiveOn: `${year + 1}-01-01`, validUntil: null, note: null },
  ])
  expect(await balance(employeeId, type.id, `${year}-12-31`)).toMatchObject({ days: String(3 - old) })
})

test('20 parallel requests never overspend', async () => {
  const { id: employeeId, login } = await staff()
  const type = await kind()
  await credit(employeeId, type.id, '5')
  const errors = await Promise.all(
    Array.from({ length: 20 }, (_, place) => {
      const day = after(monday(3), place + 2 * Math.floor(place / 5))
      return refusals(login, { leaveTypeId: type.id, startDate: day, endDate: day })
    }),
  )
  expect(errors.filter((one) => one.length === 0)).toHaveLength(5)
  expect(errors.flat().map(({ code }) => code)).toEqual(Array.from({ length: 15 }, () => 'LEAVE_BALANCE'))
  expect(await balance(employeeId, type.id, `${year}-12-31`)).toEqual({
    days: '5',
    pending: '5',
    available: '0',
  })
})

test('20 parallel requests for the same days give one, and halves do not overlap', async () => {
  const { login } = await staff()
  const type = await kind({ allowsNegative: true })
  const day = monday(4)
  const ask = (startHalf: string, startDate = day, endDate = day, endHalf = startHalf) =>
    refusals(login, { leaveTypeId: type.id, startDate, startHalf, endDate, endHalf })
  const errors = await Promise.all(Array.from({ length: 20 }, () => ask('MORNING')))
  expect(errors.flat().map(({ code }) => code)).toEqual(Array.from({ length: 19 }, () => 'LEAVE_OVERLAP'))
  expect(await ask('FULL')).toMatchObject([{ code: 'LEAVE_OVERLAP' }])
  // The afternoon of the day is free, and leave of several days may begin with it.
  expect(await ask('AFTERNOON', day, after(day, 2), 'MORNING')).toEqual([])
  expect(await ask('MORNING', after(day, 2), after(day, 2))).toMatchObject([{ code: 'LEAVE_OVERLAP' }])
  expect(await ask('AFTERNOON', after(day, 2), after(day, 2))).toEqual([])
})

test('nobody decides about the own leave, and no decision goes in a circle (H3)', async () => {
  const me = await acme.user('HR_MANAGER')
  const { id: departmentId } = await change<Row>(
    hr,
    'createDepartment',
    { name: 'Own leave', headId: me.userId },
    'department { id }',
  )
  const input = { employeeNumber: `N${++count}`, userId: me.userId, departmentId, hireDate: '2020-01-01' }
  const { id: employeeId } = await change<Row>(hr, 'hireEmployee', input, 'employee { id }')
  const type = await kind({ allowsNegative: true })
  const request = await change<Row & { approver: null }>(
    me,
    'createLeaveRequest',
    { employeeId, leaveTypeId: type.id, startDate: monday(5), endDate: monday(5) },
    'leaveRequest { id version approver { id } }',
  )
  // The head of the department is the employee: it is for those who decide about all.
  expect(request.approver).toBeNull()
  const own = { id: request.id, expectedVersion: 1 }
  for (const [mutation, values] of [
    ['approveLeaveRequest', {}],
    ['rejectLeaveRequest', { decisionNote: 'No' }],
    ['delegateLeaveRequest', { approverId: hr.userId }],
  ] as const)
    expect(await userErrors(me, mutation, { ...own, ...values })).toMatchObject([
      { code: 'OWN_RECORD', field: ['id'] },
    ])
  const entry = { employeeId, leaveTypeId: type.id, days: '100', effectiveOn: `${year}-01-01`, note: 'Bonus' }
  expect(await userErrors(me, 'createLeaveLedgerEntry', entry)).toMatchObject([{ code: 'OWN_RECORD' }])
  expect(await stored(request.id)).toMatchObject({ status: 'PENDING', version: 1 })

  const [first, second] = [await acme.user('USER'), await acme.user('USER')]
  const delegate = (client: TestClient, version: number, approverId: string) =>
    userErrors(client, 'delegateLeaveRequest', { id: request.id, expectedVersion: version, approverId })
  expect(await delegate(hr, 1, me.userId)).toMatchObject([{ code: 'INVALID', field: ['approverId'] }])
  expect(await delegate(hr, 1, hr.userId)).toMatchObject([{ code: 'OWN_RECORD', field: ['approverId'] }])
  expect(await delegate(hr, 1, first.userId)).toEqual([])
  expect(await delegate(first, 2, second.userId)).toEqual([])
  expect(await delegate(second, 3, first.userId)).toMatchObject([{ code: 'INVALID', field: ['approverId'] }])
  // Who handed it on decides no longer.
  expect(
    await userErrors(first, 'approveLeaveRequest', { id: request.id, expectedVersion: 3 }),
  ).toMatchObject([{ code: 'NOT_FOUND' }])
  expect(await verb(second, 'approveLeaveRequest', { id: request.id, version: 3 })).toMatchObject({
    status: 'APPROVED',
  })
})

test('20 parallel decisions write one entry', async () => {
  const { id: employeeId, login } = await staff()
  const type = await kind()
  await credit(employeeId, type.id, '10')
  const request = await asked(login, { leaveTypeId: type.id, startDate: monday(9), endDate: monday(9) })
  const errors = await Promise.all(
    Array.from({ length: 20 }, () =>
      userErrors(hr, 'approveLeaveRequest', { id: request.id, expectedVersion: 1 }),
    ),
  )
  expect(errors.filter((one) => one.length === 0)).toHaveLength(1)
  expect(await balance(employeeId, type.id, `${year}-12-31`)).toEqual({
    days: '9',
    pending: '0',
    available: '9',
  })
})

test('a medical reason is for the employee and those who may read it alone', async () => {
  const head = await acme.user('USER')
  const { id: departmentId } = await change<Row>(
    hr,
    'createDepartment',
    { name: 'Medical', headId: head.userId },
    'department { id }',
  )
  const { login } = await staff({ departmentId })
  const sick = await kind({ isMedical: true, allowsNegative: true, needsApproval: false })
  const input = { leaveTypeId: sick.id, startDate: monday(7), endDate: monday(7), reason: 'Migraine' }
  const request = await asked(login, input)
  const query = 'query ($id: ID!) { leaveRequest(id: $id) { status reason } }'
  const told = { leaveRequest: { status: 'APPROVED', reason: 'Migraine' } }
  expect(await login.data(query, { id: request.id })).toEqual(told)
  expect(await hr.data(query, { id: request.id })).toEqual(told)
  const { data, errors } = await head.query(query, { id: request.id })
  expect(data).toEqual({ leaveRequest: { status: 'APPROVED', reason: null } })
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  // Neither the table nor the trail has it in clear.
  expect((await stored(request.id))['reason']).toMatch(/^enc1:/)
  const { rows } = await graph.owner.query(
    "SELECT FROM shared.audit_logs WHERE changes::text LIKE '%Migraine%' AND resource_id = $1",
    [request.id],
  )
  expect(rows).toEqual([])
})

test('begun leave is revoked with a reason by somebody else, not cancelled', async () => {
  const { id: employeeId, login } = await staff()
  const type = await kind()
  await credit(employeeId, type.id, '10')
  const input = { leaveTypeId: type.id, startDate: `${year}-01-03`, endDate: `${year}-01-08` }
  const request = await asked(login, input)
  const granted = await verb(hr, 'approveLeaveRequest', request)
  expect(await userErrors(login, 'cancelLeaveRequest', { id: granted.id, expectedVersion: 2 })).toMatchObject(
    [{ code: 'WRONG_STATUS' }],
  )
  expect(await verb(hr, 'revokeLeaveRequest', granted, { decisionNote: 'Was ill' })).toMatchObject({
    status: 'REVOKED',
  })
  expect(await userErrors(hr, 'approveLeaveRequest', { id: granted.id, expectedVersion: 3 })).toMatchObject([
    { code: 'WRONG_STATUS' },
  ])
  expect(await balance(employeeId, type.id, `${year}-12-31`)).toMatchObject({ days: '10' })
})

test('notice is kept, unless HR asks', async () => {
  const { id: employeeId, login } = await staff()
  const type = await kind({ noticeDays: 14, allowsNegative: true })
  const input = { leaveTypeId: type.id, startDate: `${year}-01-12`, endDate: `${year}-01-16` }
  expect(await refusals(login, input)).toMatchObject([{ code: 'INVALID', field: ['startDate'] }])
  expect(await userErrors(hr, 'createLeaveRequest', { ...input, employeeId })).toEqual([])
  const stranger = await acme.user('USER')
  expect(await userErrors(stranger, 'createLeaveRequest', { ...input, employeeId })).toMatchObject([
    { code: 'PERMISSION_NOT_HELD', field: ['employeeId'] },
  ])
})

test('a login that moves takes its leave along', async () => {
  const { id: employeeId, version, login } = await staff()
  const type = await kind({ allowsNegative: true })
  await asked(login, { leaveTypeId: type.id, startDate: monday(10), endDate: monday(10) })
  const mine = async () => (await readAll(login, 'leaveRequests', 'days')).length
  expect(await mine()).toBe(1)
  await change(
    hr,
    'updateEmployee',
    { id: employeeId, expectedVersion: version, userId: null },
    'employee { id }',
  )
  expect(await mine()).toBe(0)
})

test('who is away is told without kind and reason, in one statement', async () => {
  const { id: departmentId } = await change<Row>(
    hr,
    'createDepartment',
    { name: 'Team' },
    'department { id }',
  )
  const [one, other] = [await staff({ departmentId }), await staff({ departmentId })]
  const type = await kind({ allowsNegative: true })
  const from = monday(11)
  await asked(one.login, { leaveTypeId: type.id, startDate: from, endDate: after(from, 1) })
  const query = `query ($from: Date!, $to: Date!) { teamAbsences(from: $from, to: $to) {
    employee { id } startDate startHalf endDate endHalf isApproved } }`
  const absence = {
    employee: { id: one.id },
    startDate: from,
    startHalf: 'FULL',
    endDate: after(from, 1),
    endHalf: 'FULL',
    isApproved: false,
  }
  const span = { from: after(from, 1), to: after(from, 30) }
  const ask = () => other.login.data(query, span)
  expect(await ask()).toEqual({ teamAbsences: [absence] })
  expect((await graph.statementsDuring(ask)).map(({ role }) => role)).toEqual(['hr', 'hr'])
  const stranger = await staff()
  expect(await stranger.login.data(query, span)).toEqual({ teamAbsences: [] })
  const { errors } = await other.login.query(query, { from, to: after(from, 92) })
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
})

test('lists and balances come with the same number of statements, however many there are', async () => {
  const query = '{ leaveRequests { nodes { days employee { employeeNumber } leaveType { name } } } }'
  expect((await graph.statementsDuring(() => hr.data(query))).map(({ role }) => role)).toEqual(['hr'])
  const nested = `{ employees { nodes { leaveRequests { nodes { days } }
    leaveBalances(on: "${year}-06-30") { days leaveType { name } } } } }`
  expect((await graph.statementsDuring(() => hr.data(nested))).map(({ role }) => role)).toEqual([
    'hr',
    'hr',
    'hr',
    'hr',
  ])
  const { leaveRequestSummary } = await hr.data<{ leaveRequestSummary: { groups: object[] } }>(
    '{ leaveRequestSummary(groupBy: [STATUS], fresh: true) { groups { key { status } count days { sum } } } }',
  )
  expect(leaveRequestSummary.groups.length).toBeGreaterThan(1)
})

describe('by the clock', () => {
  const jobs = async () => {
    for (const job of [leaveAccrual, leaveCarryOver])
      await runJob(job, database, graph.server.services, { tenantId: acme.id })
  }

  test('days are given once, carried over, and lapse', async () => {
    const { id: employeeId } = await staff()
    const late = await staff({ hireDate: `${year}-07-15` })
    const type = await kind({
      accrual: 'ANNUAL',
      annualDays: '30',
      carryOverDays: '10',
      carryOverExpires: '03-31',
    })
    const monthly = await kind({ accrual: 'MONTHLY', annualDays: '20' })
    await jobs()
    await jobs()
    expect(await balance(employeeId, type.id, `${year}-12-31`)).toMatchObject({ days: '30' })
    // Five full months of twelve: 12.5 days, which count as 13 (BUrlG § 5).
    expect(await balance(late.id, type.id, `${year}-12-31`)).toMatchObject({ days: '13' })
    expect(await balance(employeeId, monthly.id, `${year}-12-31`)).toMatchObject({ days: '1.67' })
    const request = await asked(hr, {
      employeeId,
      leaveTypeId: type.id,
      startDate: monday(11),
      endDate: after(monday(11), 4),
    })
    await verb(hr, 'approveLeaveRequest', request)

    await forward(`${year}-12-31T12:00:00Z`)
    await jobs()
    expect(await balance(employeeId, monthly.id, `${year}-12-31`)).toMatchObject({ days: '20' })
    // The days of the next year stand there already.
    expect(await balance(employeeId, type.id, `${year + 1}-01-01`)).toMatchObject({ days: '55' })
    await forward(`${year + 1}-01-02T12:00:00Z`)
    await jobs()
    await jobs()
    expect((await ledger(employeeId, type.id)).map(({ note: _, ...entry }) => entry)).toEqual(
      expect.arrayContaining([
        { kind: 'CARRY_OVER', days: '-10', effectiveOn: `${year}-12-31`, validUntil: null },
        { kind: 'CARRY_OVER', days: '10', effectiveOn: `${year + 1}-01-01`, validUntil: `${year + 1}-03-31` },
        { kind: 'EXPIRY', days: '-15', effectiveOn: `${year + 1}-01-01`, validUntil: null },
      ]),
    )
    expect(await balance(employeeId, type.id, `${year + 1}-01-01`)).toMatchObject({ days: '40' })
    const week = after(`${year + 1}-02-01`, (8 - new Date(`${year + 1}-02-01T00:00:00Z`).getUTCDay()) % 7)
    const spring = await asked(hr, {
      employeeId,
      leaveTypeId: type.id,
      startDate: week,
      endDate: after(week, 2),
    })
    await verb(hr, 'approveLeaveRequest', spring)
    await forward(`${year + 1}-04-01T12:00:00Z`)
    await jobs()
    await jobs()
    // Three of ten were used in time: seven lapse.
    expect(await balance(employeeId, type.id, `${year + 1}-04-01`)).toMatchObject({ days: '30' })
    expect(await balance(employeeId, type.id, `${year + 1}-03-31`)).toMatchObject({ days: '37' })
  })

  test('the end of the work cancels what comes later, shortens what goes over it, and pays out', async () => {
    const { id: employeeId, version } = await staff()
    const type = await kind({ accrual: 'ANNUAL', annualDays: '24' })
    const now = graph.clock.now()
    const lastDay = `${now.getUTCFullYear()}-04-30`
    await forward(`${lastDay}T12:00:00Z`)
    await jobs()
    const over = await asked(hr, {
      employeeId,
      leaveTypeId: type.id,
      startDate: after(lastDay, -6),
      endDate: after(lastDay, 6),
    })
    const later = await asked(hr, {
      employeeId,
      leaveTypeId: type.id,
      startDate: after(lastDay, 30),
      endDate: after(lastDay, 32),
    })
    await verb(hr, 'approveLeaveRequest', over)
    await verb(hr, 'approveLeaveRequest', later)
    const input = { id: employeeId, expectedVersion: version, terminationDate: lastDay }
    await change(hr, 'terminateEmployee', input, 'employee { id }')
    expect(await stored(later.id)).toMatchObject({ status: 'CANCELLED' })
    expect(await stored(over.id)).toMatchObject({ status: 'APPROVED', days: expect.any(String) as string })
    const { rows } = await graph.owner.query('SELECT end_date::text FROM hr.leave_requests WHERE id = $1', [
      over.id,
    ])
    expect(rows).toEqual([{ end_date: lastDay }])
    // Four of twelve months are 8 days; what was not used of them is paid.
    const entries = await ledger(employeeId, type.id)
    const sum = entries.reduce((total, { days }) => total + Number(days), 0)
    expect(sum).toBe(0)
    const payout = entries.find(({ kind: one }) => one === 'PAYOUT')!
    expect(Number(payout['days'])).toBe(-(8 - Number((await stored(over.id))['days'])))
    expect(
      await userErrors(hr, 'createLeaveRequest', {
        employeeId,
        leaveTypeId: type.id,
        startDate: after(lastDay, 1),
        endDate: after(lastDay, 1),
      }),
    ).toMatchObject([{ code: 'NOT_EMPLOYED' }])
  })
})
