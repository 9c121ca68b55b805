import { parse } from 'graphql'
import { terminationFault } from '../../subgraphs/hr/rules/employment'
import type { Viewer } from '../../kernel/context'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'

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

const department = (name = `Department ${++count}`): Promise<Row> =>
  change<Row>(hr, 'createDepartment', { name }, 'department { id version }')

const hired = (values: Record<string, unknown> = {}): Promise<Row> =>
  change<Row>(hr, 'hireEmployee', { employeeNumber: `N${++count}`, ...values }, 'employee { id version }')

async function stored(id: string): Promise<Record<string, unknown>> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    'SELECT *, hire_date::text, termination_date::text FROM hr.employees WHERE id = $1',
    [id],
  )
  return rows[0]!
}

const salary = { amount: '70000.00', currency: 'EUR' }

test('an employee is hired, transferred, promoted, leaves and comes back', async () => {
  const [first, second] = [await department('Sales'), await department('Service')]
  const selection =
    'employee { position department { name } salary { amount } isActive hireDate terminationDate version }'
  const { id } = await hired({ position: 'Clerk', departmentId: first.id, hireDate: '2024-02-29' })
  const transfer = { id, expectedVersion: 1, departmentId: second.id }
  const working = {
    position: 'Clerk',
    department: { name: 'Service' },
    salary: null,
    isActive: true,
    hireDate: '2024-02-29',
    terminationDate: null,
    version: 2,
  }
  expect(await change(hr, 'transferEmployee', transfer, selection)).toEqual(working)
  const promotion = { id, expectedVersion: 2, position: 'Team lead', salary }
  const promoted = { ...working, position: 'Team lead', salary: { amount: '70000.00' }, version: 3 }
  expect(await change(hr, 'promoteEmployee', promotion, selection)).toEqual(promoted)
  const end = { id, expectedVersion: 3, terminationDate: '2025-12-31' }
  const former = { ...promoted, isActive: false, terminationDate: '2025-12-31', version: 4 }
  expect(await change(hr, 'terminateEmployee', end, selection)).toEqual(former)
  const start = { id, expectedVersion: 4, hireDate: '2026-03-01' }
  const back = { ...promoted, hireDate: '2026-03-01', version: 5 }
  expect(await change(hr, 'rehireEmployee', start, selection)).toEqual(back)
})

test('a promotion without a salary leaves it as it is', async () => {
  const { id } = await hired()
  await change(hr, 'setEmployeeSalary', { id, expectedVersion: 1, salary }, 'employee { id }')
  const promotion = { id, expectedVersion: 2, position: 'Foreman' }
  expect(await change(hr, 'promoteEmployee', promotion, 'employee { position salary { amount } }')).toEqual({
    position: 'Foreman',
    salary: { amount: '70000.00' },
  })
})

test('who has left is neither transferred nor promoted nor leaves again', async () => {
  const { id: departmentId } = await department()
  const { id } = await hired()
  await change(
    hr,
    'terminateEmployee',
    { id, expectedVersion: 1, terminationDate: '2026-01-31' },
    'employee { id }',
  )
  for (const [mutation, values] of [
    ['transferEmployee', { departmentId }],
    ['promoteEmployee', { position: 'Ghost' }],
    ['terminateEmployee', { terminationDate: '2026-02-28' }],
  ] as const)
    expect(await userErrors(hr, mutation, { id, expectedVersion: 2, ...values })).toMatchObject([
      { code: 'NOT_EMPLOYED', field: ['id'] },
    ])
  expect(await stored(id)).toMatchObject({ termination_date: '2026-01-31', department_id: null, version: 2 })
})

describe('coming back is refused', () => {
  test('to who never left', async () => {
    const { id } = await hired()
    const input = { id, expectedVersion: 1, hireDate: '2026-03-01' }
    expect(await userErrors(hr, 'rehireEmployee', input)).toMatchObject([{ code: 'EMPLOYED', field: ['id'] }])
    expect(await stored(id)).toMatchObject({ version: 1 })
  })

  test('before the former work ended, or into a closed department', async () => {
    const { id: departmentId } = await department()
    const { id } = await hired({ departmentId })
    const end = { id, expectedVersion: 1, terminationDate: '2026-01-31' }
    await change(hr, 'terminateEmployee', end, 'employee { id }')
    await change(hr, 'closeDepartment', { id: departmentId, expectedVersion: 1 }, 'department { id }')
    const early = { id, expectedVersion: 2, hireDate: '2026-01-31' }
    expect(await userErrors(hr, 'rehireEmployee', early)).toMatchObject([
      { code: 'INVALID', field: ['hireDate'] },
    ])
    const input = { ...early, hireDate: '2026-02-01' }
    expect(await userErrors(hr, 'rehireEmployee', input)).toMatchObject([
      { code: 'DEPARTMENT_CLOSED', field: ['departmentId'] },
    ])
    expect(await stored(id)).toMatchObject({ is_active: false, version: 2 })
    const other = await department('Open again')
    const into = { ...input, departmentId: other.id }
    expect(await change(hr, 'rehireEmployee', into, 'employee { department { name } }')).toEqual({
      department: { name: 'Open again' },
    })
  })
})

describe('the last day', () => {
  const now = new Date('2026-03-09T09:59:59Z')
  test.each([
    [{ hireDate: '2026-03-09' }, '2026-03-09', null],
    [{ hireDate: '2026-03-09' }, '2026-03-08', /before the first/],
    [{ hireDate: null }, '1970-01-01', null],
    // In the Line Islands (UTC+14) it is the 9th until 10:00 UTC.
    [{ hireDate: null }, '2026-03-10', /future/],
  ])('of %j on %s', (employee, day, fault) => {
    const found = terminationFault(employee, day, now)
    if (fault) expect(found).toMatch(fault)
    else expect(found).toBeNull()
  })

  test('is where it comes first', () => {
    expect(terminationFault({ hireDate: null }, '2026-03-10', new Date('2026-03-09T10:00:00Z'))).toBeNull()
  })

  test.each(['2024-02-28', '2999-12-31'])('%s is refused, and the employee works on', async (day) => {
    const { id } = await hired({ hireDate: '2024-02-29' })
    const input = { id, expectedVersion: 1, terminationDate: day }
    expect(await userErrors(hr, 'terminateEmployee', input)).toMatchObject([
      { code: 'INVALID', field: ['terminationDate'] },
    ])
    expect(await stored(id)).toMatchObject({ is_active: true, termination_date: null, version: 1 })
  })

  test.each([
    ["termination_date = '2026-01-31'", 'employees_termination_date_check'],
    ["is_active = false, termination_date = '2024-02-28'", 'employees_hire_date_check'],
  ])('the database itself refuses %s', async (assignment, constraint) => {
    const { id } = await hired({ hireDate: '2024-02-29' })
    const setting = graph.owner.query(`UPDATE hr.employees SET ${assignment} WHERE id = $1`, [id])
    await expect(setting).rejects.toMatchObject({ code: '23514', constraint })
  })
})

test('a promotion takes the right to set salaries', async () => {
  const { id } = await hired()
  const clerk = await acme.user('USER')
  await graph.owner.query(
    `UPDATE identity.users SET granted_permissions = '{hr:employee:write}',
            permission_version = permission_version + 1 WHERE id = $1`,
    [clerk.userId],
  )
  const { errors } = await clerk.query(
    `mutation ($input: PromoteEmployeeInput!) { promoteEmployee(input: $input) { employee { id } } }`,
    { input: { id, expectedVersion: 1, position: 'Director' } },
  )
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect(await stored(id)).toMatchObject({ position: null, version: 1 })
})

describe('an employee sees the own salary and nobody else’s', () => {
  let me: TestClient
  let mine: string
  let other: string

  beforeAll(async () => {
    me = await acme.user('USER')
    const { id: departmentId } = await department('Own salaries')
    mine = (await hired({ userId: me.userId, departmentId })).id
    other = (await hired({ departmentId })).id
    for (const id of [mine, other])
      await change(hr, 'setEmployeeSalary', { id, expectedVersion: 1, salary }, 'employee { id }')
  })

  const row = (id: string) => ({ id, salary: id === mine ? salary : null })

  test('in a look-up', async () => {
    const query = 'query ($id: ID!) { employee(id: $id) { id salary { amount currency } } }'
    expect(await me.data(query, { id: mine })).toEqual({ employee: row(mine) })
    const { data, errors } = await me.query(query, { id: other })
    expect(data).toEqual({ employee: row(other) })
    expect(errors).toMatchObject([{ path: ['employee', 'salary'], extensions: { code: 'FORBIDDEN' } }])
  })

  test.each([
    ['a list', '{ list: employees(filter: { departmentId: { eq: $department } }) { nodes { ... } } }'],
    ['a list below a department', '{ department(id: $department) { list: employees { nodes { ... } } } }'],
  ])('in %s', async (_, text) => {
    const { rows } = await graph.owner.query<{ id: string }>(
      "SELECT id FROM hr.departments WHERE name = 'Own salaries'",
    )
    const query = text
      .replace('$department', JSON.stringify(rows[0]!.id))
      .replace('{ ... }', '{ id salary { amount currency } }')
    const { data, errors } = await me.query<{
      list?: { nodes: unknown[] }
      department?: { list: { nodes: unknown[] } }
    }>(query)
    const { nodes } = data!.list ?? data!.department!.list
    expect(nodes).toEqual([row(other), row(mine)])
    expect(errors).toHaveLength(1)
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
    expect(errors![0]!.path!.slice(-3)).toEqual(['nodes', 0, 'salary'])
  })

  test('through other subgraphs, where references are resolved', async () => {
    const query = '{ viewer { employee { id salary { amount currency } } } }'
    expect(await me.data(query)).toEqual({ viewer: { employee: row(mine) } })
  })

  test('whoever asks for it by a forged reference', async () => {
    const viewer: Viewer = {
      tenantId: acme.id,
      userId: me.userId,
      sessionId: null,
      permissionVersion: 1,
      scopes: new Set(['hr:employee:read']),
    }
    const { log } = graph.server.services
    const request = { requestId: 'test', viewer, clientIp: null, userAgent: null, clock: graph.clock, log }
    const document = parse(`query ($r: [_Any!]!) {
      _entities(representations: $r) { ... on Employee { id salary { amount currency } } }
    }`)
    const representations = [mine, other].map((id) => ({ __typename: 'Employee', id, userId: me.userId }))
    const { data, errors } = await graph.server.subgraphs
      .get('hr')!
      .execute({ document, variables: { r: representations }, context: request })
    expect(data).toEqual({ _entities: [row(mine), row(other)] })
    expect(errors).toMatchObject([{ path: ['_entities', 1, 'salary'], extensions: { code: 'FORBIDDEN' } }])
  })
})
