import { startGraph, testClient, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { inHandOf } from '../support/hands'
import { change, userErrors } from '../support/lists'

/** K8: what programs may record, that they approve nothing, and whose hand they are. */
let graph: TestGraph
let acme: TestTenant
let admin: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.user('ADMIN')
})
afterAll(() => graph?.close())

const forPrograms = [
  ...['compliance:record:read', 'compliance:record:write', 'compliance:record:decide'],
  ...['compliance:alert:read', 'compliance:alert:write', 'compliance:alert:raise'],
  ...['hr:employee:read', 'hr:employee:write', 'hr:employee:link', 'hr:salary:read', 'hr:salary:write'],
  ...['hr:attendance:read', 'hr:attendance:write', 'hr:attendance:approve'],
  ...['hr:leave:read', 'hr:leave:write', 'hr:leave:approve', 'hr:calendar:write', 'hr:remote:read'],
]

/** A client with a key of this owner's, which the maker made. */
async function keyOf(maker: TestClient, ownerId: string): Promise<TestClient & { keyId: string }> {
  const expiresAt = new Date(graph.clock.now().getTime() + 90 * 86_400_000).toISOString()
  const { rows } = await graph.owner.query<{ name: string }>(
    'SELECT name FROM identity.permissions WHERE name = ANY ($1)',
    [forPrograms],
  )
  const input = { name: `Key ${++count}`, ownerId, scopes: rows.map(({ name }) => name), expiresAt }
  const { createApiKey } = await maker.data<{ createApiKey: { secret: string; apiKey: { id: string } } }>(
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } userErrors { message } } }',
    { input },
  )
  const client = testClient(graph.server.url, ownerId, { 'x-api-key': createApiKey.secret })
  return { ...client, keyId: createApiKey.apiKey.id }
}

async function program(maker: TestClient): Promise<TestClient & { keyId: string }> {
  const account = { fullName: `Program ${++count}` }
  const { id } = await change<{ id: string }>(maker, 'createServiceAccount', account, 'user { id }')
  await graph.owner.query(
    `UPDATE identity.users SET granted_permissions = ARRAY(SELECT name FROM identity.permissions WHERE name = ANY ($2)) WHERE id = $1`,
    [id, forPrograms],
  )
  return keyOf(maker, id)
}

const record = async (client: TestClient) => {
  const made = { type: 'KYC', data: {} }
  const { id } = await change<{ id: string }>(
    client,
    'createComplianceRecord',
    made,
    'complianceRecord { id }',
  )
  return { id, expectedVersion: 1, rationale: 'Seen' }
}
const own = (field = 'id') => [{ code: 'OWN_RECORD', field: [field] }]

it('what a program prepared is approved by nobody who made it or a key of it, however long ago (K8)', async () => {
  const [maker, keyMaker, other] = [
    await acme.user('ADMIN'),
    await acme.user('ADMIN'),
    await acme.user('ADMIN'),
  ]
  const first = await program(maker)
  const second = await keyOf(keyMaker, first.userId)
  const input = await record(second)
  const approve = (client: TestClient) => userErrors(client, 'approveComplianceRecord', input)
  expect(await approve(maker)).toMatchObject(own())
  expect(await approve(keyMaker)).toMatchObject(own())
  const rotated = await acme.user('ADMIN')
  await change(rotated, 'rotateApiKey', { id: first.keyId, expectedVersion: 1 }, '__typename')
  await graph.owner.query(
    "UPDATE identity.entrustments SET entrusted_at = entrusted_at - interval '300 days' WHERE user_id = $1",
    [first.userId],
  )
  for (const client of [maker, keyMaker, rotated]) expect(await approve(client)).toMatchObject(own())
  expect(await approve(other)).toEqual([])
})

it('nobody approves by an API key what takes a second person, not with one of their own either (K8)', async () => {
  const [first, second] = [await acme.user('ADMIN'), await acme.user('ADMIN')]
  const input = await record(first)
  expect(
    await userErrors(await keyOf(second, second.userId), 'approveComplianceRecord', input),
  ).toMatchObject(own())
  expect(await userErrors(second, 'approveComplianceRecord', input)).toEqual([])
})

interface Row {
  id: string
  version: number
}

const hired = async (client: TestClient, userId: string | null) =>
  change<Row>(
    client,
    'hireEmployee',
    { employeeNumber: `P${++count}`, userId, hireDate: '2020-01-01' },
    'employee { id version }',
  )
const ago = (hours: number) => new Date(graph.clock.now().getTime() - hours * 3_600_000).toISOString()
const work = (employeeId: string) => ({
  ...{ employeeId, timeZone: 'UTC', correctionReason: 'Imported' },
  ...{ clockInAt: ago(9), clockOutAt: ago(1) },
})
const kinds = () =>
  Promise.all([
    change<Row>(
      admin,
      'createLeaveType',
      { code: `Q${++count}`, name: `Kind ${count}` },
      'leaveType { id version }',
    ),
    change<Row>(
      admin,
      'createWorkCalendar',
      { name: `Cal ${++count}`, timeZone: 'UTC' },
      'workCalendar { id version }',
    ),
  ])

it('a program records employees, time, days and alerts of others than its maker, and decides nothing (K8)', async () => {
  const [maker, worker] = [await acme.user('ADMIN'), await acme.user('USER')]
  const client = await program(maker)
  const [type, calendar] = await kinds()
  const employee = await hired(client, worker.userId)
  const change2 = { id: employee.id, expectedVersion: 1, userId: null }
  expect(await userErrors(client, 'updateEmployee', change2)).toEqual([])
  expect(
    await userErrors(client, 'updateEmployee', { ...change2, expectedVersion: 2, userId: worker.userId }),
  ).toEqual([])
  const entryOf = (employeeId: string) => ({
    ...{ employeeId, leaveTypeId: type.id, days: '2', effectiveOn: '2027-01-01', note: 'Import' },
  })
  expect(await userErrors(client, 'createLeaveLedgerEntry', entryOf(employee.id))).toEqual([])
  const assigned = { employeeId: employee.id, calendarId: calendar.id, validFrom: '2026-01-01' }
  expect(await userErrors(client, 'createCalendarAssignment', assigned)).toEqual([])
  const selection = 'attendanceRecord { id version }'
  const imported = await change<Row>(client, 'createAttendanceRecord', work(employee.id), selection)
  const seen = { alertType: 'BRUTE_FORCE', severity: 'HIGH', description: 'Many', userId: worker.userId }
  const alert = await change<Row>(client, 'raiseSecurityAlert', seen, 'securityAlert { id version }')
  const at = (expectedVersion: number) => ({ id: alert.id, expectedVersion })
  expect(await userErrors(client, 'acknowledgeSecurityAlert', at(1))).toEqual([])
  expect(await userErrors(client, 'assignSecurityAlert', { ...at(2), assigneeId: admin.userId })).toEqual([])
  const resolved = { ...at(3), verdict: 'FALSE_POSITIVE', note: 'Tests' }
  expect(await userErrors(client, 'resolveSecurityAlert', resolved)).toMatchObject(own())
  expect(await userErrors(admin, 'resolveSecurityAlert', resolved)).toEqual([])
  const confirm = { id: imported.id, expectedVersion: imported.version }
  const salary = { id: employee.id, expectedVersion: 3, salary: { amount: '5', currency: 'EUR' } }
  const by = await program(await acme.user('ADMIN'))
  expect(await userErrors(by, 'setEmployeeSalary', salary)).toMatchObject(own())
  expect(await userErrors(by, 'approveAttendanceRecord', confirm)).toMatchObject(own())
  // Who made the program is its author; whoever could let themselves into both is none either.
  expect(await userErrors(maker, 'approveAttendanceRecord', confirm)).toMatchObject(own())
  expect(await userErrors(admin, 'approveAttendanceRecord', confirm)).toEqual([])
  // What its maker gains by a program does not write.
  const { id: makers } = await hired(admin, maker.userId)
  expect(await userErrors(client, 'createLeaveLedgerEntry', entryOf(makers))).toMatchObject(own('employeeId'))
  expect(await userErrors(client, 'createAttendanceRecord', work(makers))).toMatchObject(own('employeeId'))
})

it('an author whom the same founder invited does not make the other a second person; the employee may be one (K8)', async () => {
  const [founder, clerk, boss, worker] = await Promise.all(
    (['ADMIN', 'HR_MANAGER', 'HR_MANAGER', 'USER'] as const).map((role) => acme.user(role)),
  )
  for (const { userId } of [clerk!, boss!, worker!]) await inHandOf(graph, userId, founder!.userId)
  const employee = await hired(founder!, worker!.userId)
  const selection = 'attendanceRecord { id version }'
  const { id, version } = await change<Row>(clerk!, 'createAttendanceRecord', work(employee.id), selection)
  const input = { id, expectedVersion: version }
  expect(await userErrors(boss!, 'approveAttendanceRecord', input)).toMatchObject(own())
  expect(await userErrors(founder!, 'approveAttendanceRecord', input)).toMatchObject(own())
  await graph.owner.query('DELETE FROM identity.entrustments WHERE user_id = $1', [clerk!.userId])
  const corrected = { ...input, clockInAt: ago(8), clockOutAt: ago(1), correctionReason: 'Late' }
  await change(worker!, 'correctAttendanceRecord', corrected, '__typename')
  const again = { id, expectedVersion: version + 1 }
  expect(await userErrors(boss!, 'approveAttendanceRecord', again)).toEqual([])
})

it('who links an employee or assigns a calendar decides nothing: no hand counts, but nobody does it to themselves (K8)', async () => {
  const founder = await acme.user('ADMIN')
  const [colleague, third] = [await acme.user('ADMIN'), await acme.user('USER')]
  for (const { userId } of [colleague, third]) await inHandOf(graph, userId, founder.userId)
  const [, calendar] = await kinds()
  const employee = await hired(colleague, founder.userId)
  expect(await hired(founder, third.userId)).toMatchObject({ version: 1 })
  const assigned = { employeeId: employee.id, calendarId: calendar.id, validFrom: '2026-01-01' }
  expect(await userErrors(founder, 'createCalendarAssignment', assigned)).toMatchObject(own('employeeId'))
  expect(await userErrors(colleague, 'createCalendarAssignment', assigned)).toEqual([])
})

it('who loses the login of an employee decides no more about the employee, and takes it from nobody in whose hand they are (K8)', async () => {
  const [owner, puppet, other] = [
    await acme.user('ADMIN'),
    await acme.user('ADMIN'),
    await acme.user('ADMIN'),
  ]
  await inHandOf(graph, puppet.userId, owner.userId)
  const { id } = await hired(admin, owner.userId)
  const unlink = { id, expectedVersion: 1, userId: null }
  for (const client of [owner, puppet])
    expect(await userErrors(client, 'updateEmployee', unlink)).toMatchObject(own('userId'))
  const stored = async () =>
    (
      await graph.owner.query('SELECT user_id, former_user_ids, version FROM hr.employees WHERE id = $1', [
        id,
      ])
    ).rows
  expect(await stored()).toEqual([{ user_id: owner.userId, former_user_ids: [], version: 1 }])
  const selection = 'attendanceRecord { id version }'
  const { id: timeId, version } = await change<Row>(other, 'createAttendanceRecord', work(id), selection)
  expect(await userErrors(other, 'updateEmployee', unlink)).toEqual([])
  expect(await stored()).toEqual([{ user_id: null, former_user_ids: [owner.userId], version: 2 }])
  const salary = { id, expectedVersion: 2, salary: { amount: '9', currency: 'EUR' } }
  for (const client of [owner, puppet]) {
    expect(await userErrors(client, 'setEmployeeSalary', salary)).toMatchObject(own())
    const confirm = { id: timeId, expectedVersion: version }
    expect(await userErrors(client, 'approveAttendanceRecord', confirm)).toMatchObject(own())
  }
  expect(await userErrors(other, 'setEmployeeSalary', salary)).toEqual([])
})
