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

const hired = (values: Record<string, unknown> = {}): Promise<Row> =>
  change<Row>(hr, 'hireEmployee', { employeeNumber: `N${++count}`, ...values }, 'employee { id version }')
const manage = (client: TestClient, employee: Row, managerId: string | null) =>
  userErrors(client, 'setEmployeeManager', {
    id: employee.id,
    expectedVersion: employee.version,
    managerId,
  })

async function managers(ids: readonly string[]): Promise<(string | null)[]> {
  const { rows } = await graph.owner.query<{ id: string; manager_id: string | null }>(
    'SELECT id, manager_id FROM hr.employees WHERE id = ANY ($1)',
    [ids],
  )
  return ids.map((id) => rows.find((row) => row.id === id)!.manager_id)
}

test('the line of managers has no circle', async () => {
  const [boss, lead, clerk] = [await hired(), await hired(), await hired()]
  expect(await manage(hr, lead, boss.id)).toEqual([])
  expect(await manage(hr, clerk, lead.id)).toEqual([])
  for (const [managerId, code] of [
    [clerk.id, 'INVALID'],
    [lead.id, 'INVALID'],
    [boss.id, 'INVALID'],
    ['019b76da-a800-7000-8001-000000000000', 'REFERENCE_NOT_FOUND'],
  ] as const)
    expect(await manage(hr, boss, managerId)).toMatchObject([{ code, field: ['managerId'] }])
  expect(await managers([boss.id, lead.id, clerk.id])).toEqual([null, boss.id, lead.id])
  const query = `query ($id: ID!) { employee(id: $id) { manager { id } reports { nodes { id } } } }`
  expect(await hr.data(query, { id: lead.id })).toEqual({
    employee: { manager: { id: boss.id }, reports: { nodes: [{ id: clerk.id }] } },
  })
})

test('20 parallel changes make no circle', async () => {
  const ring = await Promise.all(Array.from({ length: 20 }, () => hired()))
  await Promise.all(
    ring.map((employee, place) =>
      manage(hr, employee, ring[(place + 1) % ring.length]!.id).catch(() => undefined),
    ),
  )
  const found = await managers(ring.map(({ id }) => id))
  expect(found.filter((manager) => manager === null).length).toBeGreaterThan(0)
  expect(found.filter((manager) => manager !== null).length).toBeGreaterThan(0)
})

test('nobody chooses the own manager (H3), and who has left is none', async () => {
  const me = await acme.user('HR_MANAGER')
  const mine = await hired({ userId: me.userId })
  const former = await hired()
  const end = { id: former.id, expectedVersion: 1, terminationDate: '2026-01-31' }
  await change(hr, 'terminateEmployee', end, 'employee { id }')
  expect(await manage(hr, mine, former.id)).toMatchObject([{ code: 'NOT_EMPLOYED', field: ['managerId'] }])
  const other = await hired()
  expect(await manage(me, mine, other.id)).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
  expect(await managers([mine.id])).toEqual([null])
})

test('who leaves hands reports and decisions about leave to the own manager (H1)', async () => {
  const [bossLogin, leadLogin, clerkLogin] = [
    await acme.user('USER'),
    await acme.user('USER'),
    await acme.user('USER'),
  ]
  const boss = await hired({ userId: bossLogin.userId })
  const lead = await hired({ userId: leadLogin.userId })
  const clerk = await hired({ userId: clerkLogin.userId })
  await manage(hr, lead, boss.id)
  await manage(hr, clerk, lead.id)
  const type = await change<Row>(
    hr,
    'createLeaveType',
    { code: 'L', name: 'Leave', allowsNegative: true },
    'leaveType { id }',
  )
  const input = { employeeId: clerk.id, leaveTypeId: type.id, startDate: '2027-03-01', endDate: '2027-03-05' }
  const request = await change<Row>(
    clerkLogin,
    'createLeaveRequest',
    input,
    'leaveRequest { id version approver { id } }',
  )
  expect(request).toMatchObject({ approver: { id: leadLogin.userId } })
  const end = { id: lead.id, expectedVersion: 2, terminationDate: '2026-10-31' }
  await change(hr, 'terminateEmployee', end, 'employee { id }')
  expect(await managers([clerk.id])).toEqual([boss.id])
  expect(await readAll(leadLogin, 'leaveRequests', 'id')).toEqual([])
  const approval = { id: request.id, expectedVersion: request.version }
  expect(await userErrors(leadLogin, 'approveLeaveRequest', approval)).toMatchObject([{ code: 'NOT_FOUND' }])
  expect(await userErrors(bossLogin, 'approveLeaveRequest', approval)).toEqual([])
})
