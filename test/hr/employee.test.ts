import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let globex: TestTenant
let hr: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  globex = await graph.tenant('globex')
  hr = await acme.as('HR_MANAGER')
})

afterAll(() => graph.close())

interface Employee {
  id: string
  version: number
}

const everything = `{
  id employeeNumber firstName lastName fullName position hireDate isActive version
  salary { amount currency } performanceScore retentionRisk user { id email }
}`

/** A new employee with a number of its own. */
const added = (values: Record<string, unknown> = {}): Promise<Employee> =>
  change<Employee>(
    hr,
    'hireEmployee',
    { employeeNumber: `N${++count}`, ...values },
    'employee { id version }',
  )

async function read(id: string, client = hr): Promise<Record<string, unknown> | null> {
  const query = `query ($id: ID!) { employee(id: $id) ${everything} }`
  return (await client.data<{ employee: Record<string, unknown> | null }>(query, { id })).employee
}

/** What the database has, past everything. */
async function stored(id: string): Promise<Record<string, unknown>> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    'SELECT * FROM hr.employees WHERE id = $1',
    [id],
  )
  return rows[0]!
}

test('an employee is created, read and changed', async () => {
  const user = await acme.user('USER')
  const { id } = await change<Employee>(
    hr,
    'hireEmployee',
    {
      employeeNumber: 'E-1',
      userId: user.userId,
      firstName: '美咲',
      lastName: '高橋',
      position: 'Chemist',
      hireDate: '2024-02-29',
    },
    'employee { id }',
  )
  expect(await read(id)).toEqual({
    id,
    employeeNumber: 'E-1',
    firstName: '美咲',
    lastName: '高橋',
    fullName: '美咲 高橋',
    position: 'Chemist',
    hireDate: '2024-02-29',
    isActive: true,
    version: 1,
    salary: null,
    performanceScore: null,
    retentionRisk: null,
    user: { id: user.userId, email: user.email },
  })

  const changes = { id, expectedVersion: 1, position: 'Head of Research', firstName: null }
  expect(
    await change(hr, 'updateEmployee', changes, `employee { position firstName fullName hireDate version }`),
  ).toEqual({
    position: 'Head of Research',
    firstName: null,
    fullName: '高橋',
    hireDate: '2024-02-29',
    version: 2,
  })
})

test('an employee needs no more than a number', async () => {
  const { id } = await added()
  expect(await read(id)).toMatchObject({
    firstName: null,
    fullName: null,
    hireDate: null,
    user: null,
    isActive: true,
  })
})

test('a stale version changes nothing', async () => {
  const { id } = await added({ position: 'Buyer' })
  await change(hr, 'updateEmployee', { id, expectedVersion: 1, position: 'Controller' }, 'employee { id }')
  const errors = await userErrors(hr, 'updateEmployee', { id, expectedVersion: 1, position: 'Welder' })
  expect(errors).toMatchObject([{ code: 'STALE_VERSION', field: ['expectedVersion'] }])
  expect(await stored(id)).toMatchObject({ position: 'Controller', version: 2 })
})

test('of twenty changes based on the same version one is made', async () => {
  const { id } = await added()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, place) =>
      userErrors(hr, 'updateEmployee', { id, expectedVersion: 1, position: `Position ${place}` }),
    ),
  )
  expect(answers.filter((errors) => errors.length === 0)).toHaveLength(1)
  expect(answers.flat().map(({ code }) => code)).toEqual(Array(19).fill('STALE_VERSION'))
  expect(await stored(id)).toMatchObject({ version: 2 })
})

describe('what is refused names its field', () => {
  const long = 'x'.repeat(200)
  test.each([
    ['an empty number', { employeeNumber: '' }, 'INVALID', 'employeeNumber'],
    ['a long number', { employeeNumber: long }, 'INVALID', 'employeeNumber'],
    ['a long first name', { firstName: long }, 'INVALID', 'firstName'],
    ['a long last name', { lastName: long }, 'INVALID', 'lastName'],
    ['a long position', { position: long }, 'INVALID', 'position'],
    ['a login that is no id', { userId: '42' }, 'REFERENCE_NOT_FOUND', 'userId'],
    ['an unknown login', { userId: '019b76da-a800-7000-8000-00000000dead' }, 'REFERENCE_NOT_FOUND', 'userId'],
  ])('%s', async (_, values, code, field) => {
    const { rows: before } = await graph.owner.query('SELECT count(*)::int AS count FROM hr.employees')
    const input = { employeeNumber: `N${++count}`, ...values }
    expect(await userErrors(hr, 'hireEmployee', input)).toMatchObject([{ code, field: [field] }])
    const { rows: after } = await graph.owner.query('SELECT count(*)::int AS count FROM hr.employees')
    expect(after).toEqual(before)
  })

  test('a number that is in use', async () => {
    await added({ employeeNumber: 'TWICE' })
    const errors = await userErrors(hr, 'hireEmployee', { employeeNumber: 'TWICE' })
    expect(errors).toMatchObject([{ code: 'DUPLICATE', field: ['employeeNumber'] }])
    const elsewhere = await globex.as('HR_MANAGER')
    await change(elsewhere, 'hireEmployee', { employeeNumber: 'TWICE' }, 'employee { id }')
  })

  test('no number at all', async () => {
    const { id } = await added()
    const errors = await userErrors(hr, 'updateEmployee', { id, expectedVersion: 1, employeeNumber: null })
    expect(errors).toMatchObject([{ code: 'INVALID', field: ['employeeNumber'] }])
    expect(await stored(id)).toMatchObject({ version: 1 })
  })

  test('a login that belongs to another employee', async () => {
    const { userId } = await acme.user('USER')
    await added({ userId })
    const errors = await userErrors(hr, 'hireEmployee', { employeeNumber: `N${++count}`, userId })
    expect(errors).toEqual([
      { code: 'DUPLICATE', field: ['userId'], message: 'userId belongs to another employee already' },
    ])
  })

  test("another tenant's login, in the same words as an unknown one", async () => {
    const { userId } = await globex.user('USER')
    const unknown = '019b76da-a800-7000-8000-00000000dead'
    const [foreign, missing] = await Promise.all(
      [userId, unknown].map((one) =>
        userErrors(hr, 'hireEmployee', { employeeNumber: `N${++count}`, userId: one }),
      ),
    )
    expect(foreign).toEqual(missing)
  })
})

test("another tenant's employee cannot be read or changed", async () => {
  const { id } = await added({ position: 'Buyer' })
  const stranger = await globex.as('HR_MANAGER')
  expect(await read(id, stranger)).toBeNull()
  const input = { id, expectedVersion: 1 }
  for (const [mutation, values] of [
    ['updateEmployee', { position: 'Spy' }],
    ['setEmployeeSalary', { salary: { amount: '1', currency: 'EUR' } }],
    ['assessEmployee', { performanceScore: 1 }],
    ['promoteEmployee', { position: 'Spy' }],
    ['terminateEmployee', { terminationDate: '2026-01-31' }],
    ['rehireEmployee', { hireDate: '2026-01-31' }],
  ] as const) {
    const errors = await userErrors(stranger, mutation, { ...input, ...values })
    expect(errors).toMatchObject([{ code: 'NOT_FOUND', field: ['id'] }])
  }
  expect(await stored(id)).toMatchObject({ position: 'Buyer', salary: null, is_active: true, version: 1 })
})

describe('salary and assessment', () => {
  test('are set by verbs of their own', async () => {
    const { id } = await added()
    const salary = { amount: '64000.50', currency: 'EUR' }
    await change(hr, 'setEmployeeSalary', { id, expectedVersion: 1, salary }, 'employee { id }')
    await change(hr, 'assessEmployee', { id, expectedVersion: 2, performanceScore: 87.5 }, 'employee { id }')
    await change(hr, 'assessEmployee', { id, expectedVersion: 3, retentionRisk: 0.25 }, 'employee { id }')
    expect(await read(id)).toMatchObject({ salary, performanceScore: 87.5, retentionRisk: 0.25, version: 4 })
    await change(hr, 'setEmployeeSalary', { id, expectedVersion: 4, salary: null }, 'employee { id }')
    expect(await read(id)).toMatchObject({ salary: null, performanceScore: 87.5 })
  })

  test.each([
    ['setEmployeeSalary', { salary: { amount: '-1', currency: 'EUR' } }, 'salary'],
    ['setEmployeeSalary', { salary: { amount: '1.001', currency: 'EUR' } }, 'salary'],
    ['setEmployeeSalary', { salary: { amount: '1.5', currency: 'JPY' } }, 'salary'],
    ['setEmployeeSalary', { salary: { amount: '99999999999999999999', currency: 'EUR' } }, 'salary'],
    ['assessEmployee', { performanceScore: 100.1 }, 'performanceScore'],
    ['assessEmployee', { performanceScore: -1 }, 'performanceScore'],
    ['assessEmployee', { retentionRisk: 1.01 }, 'retentionRisk'],
  ])('%s refuses %j, and does not repeat the value', async (mutation, values, field) => {
    const { id } = await added()
    const [error, ...others] = await userErrors(hr, mutation, { id, expectedVersion: 1, ...values })
    expect(error).toMatchObject({ code: 'INVALID', field: [field] })
    expect(error!.message).not.toMatch(/99999|1\.001|100\.1|1\.01/)
    expect(others).toEqual([])
    expect(await stored(id)).toMatchObject({
      salary: null,
      performance_score: null,
      retention_risk: null,
      version: 1,
    })
  })

  test('are null and FORBIDDEN for who may not see them, and the rest is answered', async () => {
    const { id } = await added({ lastName: 'Nwosu' })
    const salary = { amount: '70000.00', currency: 'USD' }
    await change(hr, 'setEmployeeSalary', { id, expectedVersion: 1, salary }, 'employee { id }')
    const analyst = await acme.as('ANALYST')
    const { data, errors } = await analyst.query(
      'query ($id: ID!) { employee(id: $id) { lastName salary { amount } performanceScore retentionRisk } }',
      { id },
    )
    expect(data).toEqual({
      employee: { lastName: 'Nwosu', salary: null, performanceScore: null, retentionRisk: null },
    })
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual(
      expect.arrayContaining([
        [['employee', 'salary'], 'FORBIDDEN'],
        [['employee', 'performanceScore'], 'FORBIDDEN'],
        [['employee', 'retentionRisk'], 'FORBIDDEN'],
      ]),
    )
    expect(errors).toHaveLength(3)
  })

  test('cannot be changed by who may change the rest', async () => {
    const { id } = await added()
    const query = `mutation ($input: SetEmployeeSalaryInput!) { setEmployeeSalary(input: $input) { employee { id } } }`
    const analyst = await acme.as('ANALYST')
    const input = { id, expectedVersion: 1, salary: { amount: '1', currency: 'EUR' } }
    const { errors } = await analyst.query(query, { input })
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
    expect(await stored(id)).toMatchObject({ salary: null, version: 1 })
  })

  test('do not stand in the audit trail', async () => {
    const { id } = await added()
    const salary = { amount: '123456.78', currency: 'EUR' }
    await change(hr, 'setEmployeeSalary', { id, expectedVersion: 1, salary }, 'employee { id }')
    const { rows } = await graph.owner.query<{ actor_id: string; changes: object }>(
      "SELECT actor_id, changes FROM shared.audit_logs WHERE resource_id = $1 AND action = 'UPDATE'",
      [id],
    )
    expect(rows).toEqual([
      {
        actor_id: hr.userId,
        changes: {
          before: { salary: null, salaryCurrency: null },
          after: {
            salary: expect.stringMatching(/^\[masked [\w-]{12}\]$/),
            salaryCurrency: expect.stringMatching(/^\[masked [\w-]{12}\]$/),
          },
        },
      },
    ])
  })
})

test('a user has an employee, for who may read employees', async () => {
  const user = await acme.user('USER')
  const { id } = await added({ userId: user.userId, position: 'Clerk' })
  const query = 'query ($id: ID!) { user(id: $id) { email employee { id position } } }'
  expect(await hr.data(query, { id: user.userId })).toEqual({
    user: { email: user.email, employee: { id, position: 'Clerk' } },
  })
  const officer = await acme.as('COMPLIANCE_OFFICER')
  const { data, errors } = await officer.query(query, { id: user.userId })
  expect(data).toEqual({ user: { email: user.email, employee: null } })
  expect(errors).toMatchObject([{ path: ['user', 'employee'], extensions: { code: 'FORBIDDEN' } }])
})

test('who may not read employees gets none, and cannot add one', async () => {
  const officer = await acme.as('COMPLIANCE_OFFICER')
  const { data, errors } = await officer.query('{ employees { nodes { id } } }')
  expect(data).toEqual({ employees: null })
  expect(errors).toMatchObject([{ path: ['employees'], extensions: { code: 'FORBIDDEN' } }])
  const analyst = await acme.as('ANALYST')
  const create = 'mutation { hireEmployee(input: { employeeNumber: "SPY" }) { employee { id } } }'
  expect((await analyst.query(create)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect((await graph.anonymous.query(create)).errors).toMatchObject([
    { extensions: { code: 'UNAUTHENTICATED' } },
  ])
  const { rows } = await graph.owner.query("SELECT FROM hr.employees WHERE employee_number = 'SPY'")
  expect(rows).toHaveLength(0)
})
