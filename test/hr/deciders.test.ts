import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'

/** Who decides about somebody's attendance and leave: who does today, and never who recorded it. */
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

async function staff(values: Record<string, unknown> = {}): Promise<Row & { login: TestClient }> {
  const login = await acme.user('USER')
  const input = { employeeNumber: `N${++count}`, userId: login.userId, hireDate: '2020-01-01', ...values }
  return { ...(await change<Row>(hr, 'hireEmployee', input, 'employee { id version }')), login }
}

const ago = (hours: number) => new Date(graph.clock.now().getTime() - hours * 3_600_000).toISOString()

const recorded = (client: TestClient, employeeId: string, daysBack: number) =>
  change<Row>(
    client,
    'createAttendanceRecord',
    {
      ...{ employeeId, timeZone: 'Europe/Berlin', correctionReason: 'No clock there' },
      ...{ clockInAt: ago(daysBack * 24 + 8), clockOutAt: ago(daysBack * 24) },
    },
    'attendanceRecord { id version }',
  )

const approverOf = async (table: string, id: string) =>
  (
    await graph.owner.query<{ approver: string | null }>(
      `SELECT approver_id AS approver FROM hr.${table} WHERE id = $1`,
      [id],
    )
  ).rows[0]!.approver

/** Adds leave of the employee that waits for somebody, past the graph. */
async function leave(employee: Row & { login: TestClient }, approverId: string | null, status = 'PENDING') {
  const { id: typeId } = await change<Row>(
    hr,
    'createLeaveType',
    { code: `L${++count}`, name: `Leave ${count}` },
    'leaveType { id version }',
  )
  const { rows } = await graph.owner.query<{ id: string }>(
    `INSERT INTO hr.leave_requests (tenant_id, id, request_number, employee_id, leave_type_id, start_date, end_date, days,
       status, approver_id, user_id)
     VALUES ($1, gen_random_uuid(), $2, $3, $4, '2030-01-07', '2030-01-07', 1, $5, $6, $7) RETURNING id`,
    [acme.id, `LR-X${count}`, employee.id, typeId, status, approverId, employee.login.userId],
  )
  return rows[0]!.id
}

const versionOf = async (id: string) =>
  (await hr.data<{ employee: Row }>('query ($id: ID!) { employee(id: $id) { version } }', { id })).employee
    .version

const setManager = async (id: string, managerId: string | null) =>
  change(hr, 'setEmployeeManager', { id, expectedVersion: await versionOf(id), managerId }, 'employee { id }')

test('H3 what waits follows a new manager, no manager, another department and its next head; what was handed on or decided stays', async () => {
  const [first, second, head, next, named] = await Promise.all([staff(), staff(), staff(), staff(), staff()])
  const department = (name: string, headId: string) =>
    change<Row>(hr, 'createDepartment', { name, headId }, 'department { id version }')
  const sales = await department('Sales', head.login.userId)
  const worker = await staff({ departmentId: sales.id })
  const record = await recorded(hr, worker.id, 1)
  const [waiting, handed, decided] = [
    await leave(worker, head.login.userId),
    await leave(worker, named.login.userId),
    await leave(worker, head.login.userId, 'APPROVED'),
  ]
  const deciders = async () =>
    Promise.all([
      approverOf('attendance_records', record.id),
      ...[waiting, handed, decided].map((id) => approverOf('leave_requests', id)),
    ])
  const expected = (now: string | null) => [now, now, named.login.userId, head.login.userId]
  expect(await deciders()).toEqual(expected(head.login.userId))
  await setManager(worker.id, first.id)
  expect(await deciders()).toEqual(expected(first.login.userId))
  await setManager(worker.id, second.id)
  expect(await deciders()).toEqual(expected(second.login.userId))
  // The next head of the department decides about those whom no manager has.
  const lead = (id: string, expectedVersion: number, headId: string | null) =>
    change(hr, 'updateDepartment', { id, expectedVersion, headId }, 'department { id }')
  await lead(sales.id, 1, next.login.userId)
  expect(await deciders()).toEqual(expected(second.login.userId))
  await setManager(worker.id, null)
  expect(await deciders()).toEqual(expected(next.login.userId))
  await lead(sales.id, 2, head.login.userId)
  expect(await deciders()).toEqual(expected(head.login.userId))
  // Nobody decides about the own work.
  await lead(sales.id, 3, worker.login.userId)
  expect(await deciders()).toEqual(expected(null))
  await lead(sales.id, 4, null)
  const support = await department('Support', next.login.userId)
  const move = { id: worker.id, expectedVersion: await versionOf(worker.id), departmentId: support.id }
  await change(hr, 'transferEmployee', move, 'employee { id }')
  expect(await deciders()).toEqual(expected(next.login.userId))
})

test('K8 who recorded any of it for somebody, by hand or by the clock, does not confirm it, and is shown', async () => {
  const [worker, boss] = [await staff(), await staff()]
  await setManager(worker.id, boss.id)
  const [clerk, other] = [await acme.user('HR_MANAGER'), await acme.user('HR_MANAGER')]
  const byHand = await recorded(clerk, worker.id, 2)
  const punch = async (client: TestClient, verb: string) =>
    change<Row>(client, verb, { employeeId: worker.id }, 'attendanceRecord { id version }')
  const punches: [TestClient, string][] = [
    ...([[clerk, 'clockIn']] as [TestClient, string][]),
    [worker.login, 'startBreak'],
    [worker.login, 'endBreak'],
    [other, 'clockOut'],
  ]
  let byClock: Row = byHand
  for (const [client, verb] of punches) {
    byClock = await punch(client, verb)
    graph.clock.advance({ seconds: 90 })
  }
  const shown = `query ($id: ID!) { attendanceRecord(id: $id) { recordedBy { id } status } }`
  for (const { id } of [byHand, byClock])
    expect(await hr.data(shown, { id })).toEqual({
      attendanceRecord: { recordedBy: { id: clerk.userId }, status: 'COMPLETE' },
    })
  const own = [{ code: 'OWN_RECORD', field: ['id'] }]
  const confirm = (client: TestClient, { id, version }: Row) =>
    userErrors(client, 'approveAttendanceRecord', { id, expectedVersion: version })
  expect(await confirm(clerk, byHand)).toMatchObject(own)
  for (const author of [clerk, other]) expect(await confirm(author, byClock)).toMatchObject(own)
  const { rows } = await graph.owner.query(
    'SELECT status FROM hr.attendance_records WHERE employee_id = $1',
    [worker.id],
  )
  expect(rows).toEqual([{ status: 'COMPLETE' }, { status: 'COMPLETE' }])
  expect(await confirm(boss.login, byHand)).toEqual([])
  expect(await confirm(boss.login, byClock)).toEqual([])
  // The clock of the employee's own names nobody.
  const alone = await staff()
  const mine = await change<Row>(
    alone.login,
    'clockIn',
    { employeeId: alone.id },
    'attendanceRecord { id version recordedBy { id } }',
  )
  expect(mine).toMatchObject({ recordedBy: null })
})
