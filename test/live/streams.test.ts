import { uuidv7 } from '../../kernel/id'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change } from '../support/lists'
import { openStream, type TestStream } from './streams'

/** G7: what changes is told while it changes, to those who may see it, and to nobody else. */
let graph: TestGraph
let acme: TestTenant
let globex: TestTenant
let admin: TestClient
let stranger: TestClient
const open: TestStream[] = []

beforeAll(async () => {
  const live = { timing: { beatMs: 100 }, limits: { perSession: 4 }, mostWaiting: 20 }
  graph = await startGraph({ live })
  acme = await graph.tenant('acme')
  globex = await graph.tenant('globex')
  admin = await acme.as('ADMIN')
  stranger = await globex.as('ADMIN')
})
afterEach(async () => {
  for (const stream of open.splice(0)) await stream.cut()
})
afterAll(() => graph?.close())

const departments = `subscription ($ids: [ID!], $after: String) {
  departmentChanged(ids: $ids, after: $after) { kind cursor department { id name } }
}`
const employees = 'subscription { employeeChanged { employee { id salary { amount } lastName } } }'

async function stream(client: TestClient, query = departments, variables = {}, lastEventId?: string) {
  const opened = await openStream(graph.server.url, client.headers, query, variables, lastEventId)
  open.push(opened)
  return opened
}

/** Changes a tenant's data, and hands on what that tells. */
async function told<T>(work: Promise<T>): Promise<T> {
  const result = await work
  await graph.server.dispatchEvents()
  return result
}

interface Row {
  id: string
  version: number
}
let count = 0
const addDepartment = (client: TestClient, name = `Department ${++count}`) =>
  told(change<Row>(client, 'createDepartment', { name }, 'department { id version }'))

/** The next message's one root field, which must be without errors. */
async function nextOf(one: TestStream): Promise<Record<string, unknown>> {
  const { event, data } = (await one.next())!
  expect({ event, errors: data?.errors }).toEqual({ event: 'next', errors: undefined })
  return Object.values(data!.data!)[0]!
}
const nextId = async (one: TestStream) => ((await nextOf(one))['department'] as Row).id

test('a change is told with what a query shows of it (G7)', async () => {
  const one = await stream(admin)
  expect({ status: one.status, refusal: one.refusal }).toEqual({ status: 200, refusal: null })
  const { id } = await addDepartment(admin, 'Research')
  const message = await one.next()
  const cursor = message!.id
  const department = { id, name: 'Research' }
  expect(message).toEqual({
    event: 'next',
    id: expect.stringMatching(/^[\w-]{48}$/),
    data: { data: { departmentChanged: { kind: 'CHANGED', cursor, department } } },
  })
})

test('aliases, fragments, conditions and variables are those of a query (G7)', async () => {
  const one = await stream(
    admin,
    `subscription Follow($first: Int!, $no: Boolean!) {
      it: departmentChanged {
        __typename a: department { ...Name } kind @skip(if: true)
        ... on DepartmentChange @include(if: $no) { cursor }
        b: department { employees(first: $first) { totalCount nodes { id } } version @include(if: $no) }
      }
    }
    fragment Name on Department { called: name }`,
    { first: 1, no: false },
  )
  await addDepartment(admin, 'Aliased')
  expect((await one.next())!.data).toEqual({
    data: {
      it: {
        __typename: 'DepartmentChange',
        a: { called: 'Aliased' },
        b: { employees: { totalCount: 0, nodes: [] } },
      },
    },
  })
})

test('a right that is taken away between two changes shows at the next (G7)', async () => {
  const boss = await acme.user('USER', 'HR_MANAGER')
  const one = await stream(boss, employees)
  const input = { employeeNumber: 'E-1', lastName: 'First' }
  const { id } = await told(change<Row>(admin, 'hireEmployee', input, 'employee { id }'))
  const pay = { id, expectedVersion: 1, salary: { amount: '5000', currency: 'EUR' } }
  expect(await nextOf(one)).toMatchObject({ employee: { id, salary: null } })
  await told(change(admin, 'setEmployeeSalary', pay, 'employee { id }'))
  expect(await nextOf(one)).toMatchObject({ employee: { salary: { amount: '5000.00' } } })

  const roleOf = async (name: string) => {
    const { rows } = await graph.owner.query<Row>(
      'SELECT id FROM identity.roles WHERE tenant_id = $1 AND name = $2',
      [acme.id, name],
    )
    return { userId: boss.userId, roleId: rows[0]!.id }
  }
  await told(change(admin, 'revokeRole', await roleOf('HR_MANAGER'), 'user { id }'))
  const rename = (expectedVersion: number, lastName: string) =>
    told(change(admin, 'updateEmployee', { id, expectedVersion, lastName }, 'employee { id }'))
  await rename(2, 'Second')
  expect((await one.next())!.data).toEqual({
    data: { employeeChanged: { employee: { id, salary: null, lastName: 'Second' } } },
    errors: [
      {
        message: 'You may not do this',
        path: ['employeeChanged', 'employee', 'salary'],
        extensions: expect.objectContaining({ code: 'FORBIDDEN' }),
      },
    ],
  })
  await rename(3, 'Third')
  expect((await one.next())!.data).toMatchObject({
    data: { employeeChanged: { employee: { salary: null, lastName: 'Third' } } },
  })
  // Without the right to what the stream names it is over, as it would be refused when it is opened.
  await told(change(admin, 'revokeRole', await roleOf('USER'), 'user { id }'))
  expect((await one.next())!.data).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] })
  expect(await one.next()).toEqual({ event: 'complete', id: null, data: null })
  expect(await one.next()).toBeNull()
  const { rows } = await graph.owner.query<{ denied: string[] }>(
    "SELECT changes -> 'denied' AS denied FROM shared.audit_logs WHERE tenant_id = $1 AND actor_id = $2 AND action = 'DENY'",
    [acme.id, boss.userId],
  )
  // Once, as somebody who asks for it once, and not for each change (live 2).
  expect(rows.map(({ denied }) => denied)).toEqual([['salary']])
})

test('of what a viewer may not see nothing is told, not even its id (G7)', async () => {
  const user = await acme.user('USER')
  const all = 'subscription { changes { kind type id version } }'
  const [mine, everything] = [await stream(user, all), await stream(admin, all)]
  const key = await told(
    change<Row>(admin, 'createRole', { name: 'Secret', permissions: [] }, 'role { id version }'),
  )
  const { id } = await addDepartment(admin)
  const department = { kind: 'CHANGED', type: 'Department', id, version: 1 }
  expect(await nextOf(everything)).toEqual({ kind: 'CHANGED', type: 'Role', id: key.id, version: 1 })
  expect(await nextOf(everything)).toEqual(department)
  expect(await nextOf(mine)).toEqual(department)
  const { rows } = await graph.owner.query(
    "SELECT id FROM shared.audit_logs WHERE tenant_id = $1 AND actor_id = $2 AND action = 'DENY'",
    [acme.id, user.userId],
  )
  // Nobody asked for what others changed, so nobody was denied it (live 2).
  expect(rows).toEqual([])
})

test('two tenants never see each other’s changes, nor a change that names the other’s row (G7)', async () => {
  const [ours, theirs] = [await stream(admin), await stream(stranger)]
  const all = await stream(admin, 'subscription { changes(types: ["Department"]) { id } }')
  const foreign = await addDepartment(stranger)
  // As if a fault had put it into the wrong outbox.
  await graph.owner.query(
    `INSERT INTO shared.outbox_events (tenant_id, id, aggregate_type, aggregate_id, event_type, payload)
     VALUES ($1, $2, 'Department', $3, 'updated', '{"version": 2}')`,
    [acme.id, uuidv7(), foreign.id],
  )
  await graph.server.dispatchEvents()
  const own = await addDepartment(admin)
  expect(await nextId(ours)).toBe(own.id)
  expect(await nextOf(all)).toEqual({ id: own.id })
  expect(await nextId(theirs)).toBe(foreign.id)
})

test('a user who is suspended, and a session that ends, end the stream (G7)', async () => {
  const input = { id: '', expectedVersion: 1 }
  const [suspended, left] = [await acme.user('USER'), await acme.user('USER')]
  const [one, other] = [await stream(suspended), await stream(left)]
  await change(admin, 'suspendUser', { ...input, id: suspended.userId }, 'user { id }')
  await left.data('mutation { signOut(input: {}) { userErrors { code } } }')
  await addDepartment(admin)
  for (const ended of [one, other]) {
    const message = { event: 'next', data: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] } }
    expect(await ended.next()).toMatchObject(message)
    expect(await ended.next()).toEqual({ event: 'complete', id: null, data: null })
    expect(await ended.next()).toBeNull()
  }
})

test('a stream that is resumed misses nothing and tells nothing twice (G7)', async () => {
  const one = await stream(admin)
  await one.beat()
  const begun = one.lastId()!
  const first = await addDepartment(admin)
  expect(await nextId(one)).toBe(first.id)
  const seen = one.lastId()!
  await one.cut()
  const missed = [await addDepartment(admin), await addDepartment(admin)].map(({ id }) => id)
  const byHeader = await stream(admin, departments, {}, seen)
  const byArgument = await stream(admin, departments, { after: seen })
  // A browser comes again with its document as it was, and a newer header: told once all the same (live 8).
  const byBoth = await stream(admin, departments, { after: begun }, seen)
  const { id } = await addDepartment(admin)
  for (const again of [byHeader, byArgument, byBoth]) {
    expect([await nextId(again), await nextId(again), await nextId(again)]).toEqual([...missed, id])
  }
  await byBoth.cut()
  // A sign of life moves the place on although nothing of it is shown.
  const idle = await stream(admin, departments, { ids: [uuidv7()] })
  await addDepartment(admin)
  const place = idle.lastId()
  await idle.beat()
  await idle.beat()
  expect(idle.lastId()).not.toBe(place)
  const afterIdle = await stream(admin, departments, {}, idle.lastId()!)
  const last = await addDepartment(admin)
  expect(await nextId(afterIdle)).toBe(last.id)
})

test('who comes too late, with a cursor of others, or is told too much at once gets one RESET (G7)', async () => {
  const theirs = await stream(stranger)
  await theirs.beat()
  for (const after of ['nonsense', theirs.lastId()!]) {
    const one = await stream(admin, departments, { after })
    expect(await nextOf(one)).toEqual({ kind: 'RESET', cursor: one.lastId(), department: null })
    const { id } = await addDepartment(admin)
    expect(await nextId(one)).toBe(id)
    await one.cut()
  }
  const one = await stream(admin)
  for (let added = 0; added < 21; added++)
    await change(admin, 'createDepartment', { name: `Many ${added}` }, 'department { id }')
  await graph.server.dispatchEvents()
  expect(await nextOf(one)).toMatchObject({ kind: 'RESET', department: null })
  const { id } = await addDepartment(admin)
  expect(await nextId(one)).toBe(id)
})

test('streams are refused like any operation (G7)', async () => {
  const viewer = await acme.user('USER')
  const refused = async (client: TestClient, query: string) => {
    const { status, refusal } = await stream(client, query)
    const [error] = refusal?.errors ?? []
    return [status, error?.extensions.code, error?.message]
  }
  expect(await refused(graph.anonymous, departments)).toEqual([401, 'UNAUTHENTICATED', 'Sign in first'])
  expect(await refused(viewer, 'subscription { roleChanged { cursor } }')).toEqual([
    403,
    'FORBIDDEN',
    'You may not do this',
  ])
  const unknown = 'Cannot query field "nothing" on type "Subscription".'
  expect(await refused(admin, 'subscription { nothing }')).toEqual([
    400,
    'GRAPHQL_VALIDATION_FAILED',
    unknown,
  ])
  const two = 'subscription { a: departmentChanged { kind } b: departmentChanged { kind } }'
  const one = 'Anonymous Subscription must select only one top level field.'
  expect(await refused(admin, two)).toEqual([400, 'GRAPHQL_VALIDATION_FAILED', one])
  expect(await refused(admin, 'subscription { changes(types: ["Nothing"]) { id } }')).toMatchObject([
    400,
    'BAD_USER_INPUT',
    expect.stringMatching(/^types: nothing tells of "Nothing". There are .*Department, Employee/),
  ])
  const posted = await graph.anonymous.query(departments)
  expect([posted.status, posted.errors?.[0]?.message]).toEqual([
    400,
    'A subscription is answered as a stream: send it with accept: text/event-stream',
  ])
  const open = await acme.user('USER')
  for (let streams = 0; streams < 4; streams++) expect((await stream(open)).status).toBe(200)
  const later = expect.stringMatching(/^Too many requests. Try again in (5|6|7|8|9|1[0-5]) seconds.$/)
  expect(await refused(open, departments)).toEqual([429, 'RATE_LIMITED', later])
})

test('a query is answered over SSE as well, in one message (G7)', async () => {
  const one = await stream(admin, '{ viewer { id } }')
  expect((await one.next())!.data).toEqual({ data: { viewer: { id: admin.userId } } })
  expect(await one.next()).toMatchObject({ event: 'complete' })
  expect(await one.next()).toBeNull()
})
