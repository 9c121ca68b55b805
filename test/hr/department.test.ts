import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, prepareRows, readAll, userErrors } from '../support/lists'

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

const founded = (values: Record<string, unknown> = {}): Promise<Row> =>
  change<Row>(
    hr,
    'createDepartment',
    { name: `Department ${++count}`, ...values },
    'department { id version }',
  )

const hired = (values: Record<string, unknown>): Promise<Row> =>
  change<Row>(hr, 'hireEmployee', { employeeNumber: `N${++count}`, ...values }, 'employee { id version }')

async function stored(id: string): Promise<Record<string, unknown>> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    'SELECT * FROM hr.departments WHERE id = $1',
    [id],
  )
  return rows[0]!
}

test('a department is created, read and changed', async () => {
  const head = await acme.user('USER')
  const { id } = await founded({ name: '研究開発', description: 'Research', headId: head.userId })
  const query = `query ($id: ID!) {
    department(id: $id) { id name description head { id email } isActive version employees { nodes { id } } }
  }`
  const expected = {
    id,
    name: '研究開発',
    description: 'Research',
    head: { id: head.userId, email: head.email },
    isActive: true,
    version: 1,
    employees: { nodes: [] },
  }
  expect(await hr.data(query, { id })).toEqual({ department: expected })
  const changes = { id, expectedVersion: 1, description: null, headId: null }
  await change(hr, 'updateDepartment', changes, 'department { id }')
  expect(await hr.data(query, { id })).toEqual({
    department: { ...expected, description: null, head: null, version: 2 },
  })
})

test('who heads a department cannot be removed from the database before the department has another head', async () => {
  const head = await acme.user('USER')
  const { id } = await founded({ headId: head.userId })
  const remove = () => graph.owner.query('DELETE FROM identity.users WHERE id = $1', [head.userId])
  await expect(remove()).rejects.toMatchObject({ code: '23503', constraint: 'departments_head_id_fkey' })
  const query = 'query ($id: ID!) { department(id: $id) { head { id } } }'
  expect(await hr.data(query, { id })).toEqual({ department: { head: { id: head.userId } } })
  await change(hr, 'updateDepartment', { id, expectedVersion: 1, headId: null }, 'department { id }')
  await remove()
  expect(await hr.data(query, { id })).toEqual({ department: { head: null } })
})

describe('what is refused names its field', () => {
  test.each([
    ['an empty name', { name: '' }, 'INVALID', 'name'],
    ['a long name', { name: 'x'.repeat(101) }, 'INVALID', 'name'],
    ['a long description', { description: 'x'.repeat(2_001) }, 'INVALID', 'description'],
    ['a head that is no id', { headId: '42' }, 'REFERENCE_NOT_FOUND', 'headId'],
    ['an unknown head', { headId: '019b76da-a800-7000-8000-00000000dead' }, 'REFERENCE_NOT_FOUND', 'headId'],
  ])('%s', async (_, values, code, field) => {
    const input = { name: `Refused ${++count}`, ...values }
    expect(await userErrors(hr, 'createDepartment', input)).toMatchObject([{ code, field: [field] }])
    const { rows } = await graph.owner.query('SELECT FROM hr.departments WHERE name = $1', [input.name])
    expect(rows).toEqual([])
  })

  test('a name that is in use; another tenant may use it', async () => {
    await founded({ name: 'Twice' })
    expect(await userErrors(hr, 'createDepartment', { name: 'Twice' })).toMatchObject([
      { code: 'DUPLICATE', field: ['name'] },
    ])
    const elsewhere = await (await graph.tenant('globex')).as('HR_MANAGER')
    await change(elsewhere, 'createDepartment', { name: 'Twice' }, 'department { id }')
  })

  test('a stale version', async () => {
    const { id } = await founded()
    await change(hr, 'updateDepartment', { id, expectedVersion: 1, description: 'New' }, 'department { id }')
    for (const mutation of ['updateDepartment', 'closeDepartment', 'reopenDepartment'])
      expect(await userErrors(hr, mutation, { id, expectedVersion: 1 })).toMatchObject([
        { code: 'STALE_VERSION', field: ['expectedVersion'] },
      ])
    expect(await stored(id)).toMatchObject({ is_active: true, version: 2 })
  })
})

describe('a department is closed', () => {
  test('and opened again', async () => {
    const { id } = await founded()
    const selection = 'department { isActive version }'
    expect(await change(hr, 'closeDepartment', { id, expectedVersion: 1 }, selection)).toEqual({
      isActive: false,
      version: 2,
    })
    expect(await change(hr, 'reopenDepartment', { id, expectedVersion: 2 }, selection)).toEqual({
      isActive: true,
      version: 3,
    })
  })

  test('only when nobody works in it', async () => {
    const { id } = await founded()
    const employee = await hired({ departmentId: id })
    expect(await userErrors(hr, 'closeDepartment', { id, expectedVersion: 1 })).toEqual([
      { code: 'IN_USE', field: ['id'], message: 'Employees in this department: 1. Transfer them first' },
    ])
    expect(await stored(id)).toMatchObject({ is_active: true, version: 1 })
    const end = { id: employee.id, expectedVersion: 1, terminationDate: '2026-01-31' }
    await change(hr, 'terminateEmployee', end, 'employee { id }')
    await change(hr, 'closeDepartment', { id, expectedVersion: 1 }, 'department { id }')
  })

  test('and then takes nobody in', async () => {
    const { id } = await founded()
    const employee = await hired({})
    await change(hr, 'closeDepartment', { id, expectedVersion: 1 }, 'department { id }')
    const closed = [{ code: 'DEPARTMENT_CLOSED', field: ['departmentId'] }]
    const hire = { employeeNumber: `N${++count}`, departmentId: id }
    expect(await userErrors(hr, 'hireEmployee', hire)).toMatchObject(closed)
    const transfer = { id: employee.id, expectedVersion: 1, departmentId: id }
    expect(await userErrors(hr, 'transferEmployee', transfer)).toMatchObject(closed)
    const { rows } = await graph.owner.query('SELECT FROM hr.employees WHERE department_id = $1', [id])
    expect(rows).toEqual([])
  })

  test('either before or after somebody comes in, never meanwhile', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id } = await founded()
      const [closing, hiring] = await Promise.all([
        userErrors(hr, 'closeDepartment', { id, expectedVersion: 1 }),
        userErrors(hr, 'hireEmployee', { employeeNumber: `N${++count}`, departmentId: id }),
      ])
      expect([...closing, ...hiring].map(({ code }) => code)).toEqual([
        closing.length > 0 ? 'IN_USE' : 'DEPARTMENT_CLOSED',
      ])
    }
  })
})

test("another tenant's department is no department", async () => {
  const { id } = await founded({ description: 'Secret' })
  const stranger = await (await graph.tenant('globex')).as('HR_MANAGER')
  expect(await stranger.data('query ($id: ID!) { department(id: $id) { id } }', { id })).toEqual({
    department: null,
  })
  for (const mutation of ['updateDepartment', 'closeDepartment', 'reopenDepartment'])
    expect(await userErrors(stranger, mutation, { id, expectedVersion: 1 })).toMatchObject([
      { code: 'NOT_FOUND', field: ['id'] },
    ])
  const unknown = '019b76da-a800-7000-8000-00000000dead'
  const [foreign, missing] = await Promise.all(
    [id, unknown].map((departmentId) =>
      userErrors(stranger, 'hireEmployee', { employeeNumber: `N${++count}`, departmentId }),
    ),
  )
  expect(foreign).toEqual([
    { code: 'REFERENCE_NOT_FOUND', field: ['departmentId'], message: 'departmentId does not exist' },
  ])
  expect(foreign).toEqual(missing)
  expect(await stored(id)).toMatchObject({ description: 'Secret', version: 1 })
})

test('who may only read departments cannot change them', async () => {
  const analyst = await acme.as('ANALYST')
  const { errors } = await analyst.query(
    'mutation { createDepartment(input: { name: "Spies" }) { department { id } } }',
  )
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  const { rows } = await graph.owner.query("SELECT FROM hr.departments WHERE name = 'Spies'")
  expect(rows).toEqual([])
})

test('a department shows its employees to those who may read employees', async () => {
  const { id } = await founded()
  await hired({ departmentId: id })
  const officer = await acme.as('COMPLIANCE_OFFICER')
  const { data, errors } = await officer.query(
    'query ($id: ID!) { department(id: $id) { isActive employees { nodes { id } } } }',
    { id },
  )
  expect(data).toEqual({ department: { isActive: true, employees: null } })
  expect(errors).toMatchObject([{ path: ['department', 'employees'], extensions: { code: 'FORBIDDEN' } }])
})

describe('lists', () => {
  let reader: TestClient
  const id = (place: number): string => `019b76da-a800-7000-8000-${String(place).padStart(12, '0')}`
  const rows = Array.from({ length: 9 }, (_, place) => ({
    id: id(place),
    name: `D${(place * 5) % 9}`,
    description: place === 4 ? 'Makes 100% of it' : null,
    is_active: place !== 2,
    created_at: `2026-01-0${1 + (place % 3)}T00:00:00Z`,
  }))
  const employees = Array.from({ length: 20 }, (_, place) => ({
    id: `019b76da-a800-7000-8000-00000001${String(place).padStart(4, '0')}`,
    employee_number: `E${String(place).padStart(2, '0')}`,
    department_id: place < 18 ? id(place % 3) : null,
    is_active: place !== 0,
  }))

  beforeAll(async () => {
    const tenant = await graph.tenant('lists')
    reader = await tenant.as('VIEWER')
    await prepareRows(graph, tenant.id, 'hr.departments', rows)
    await prepareRows(graph, tenant.id, 'hr.employees', employees)
  })

  test.each(['NAME', 'CREATED_AT'].flatMap((field) => [`${field} ASC`, `${field} DESC`]))(
    'departments by %s come whole, each once, in the same order in pages and at once',
    async (order) => {
      const [field, direction] = order.split(' ')
      const args = `orderBy: { field: ${field}, direction: ${direction} }`
      const inPages = await readAll(reader, 'departments', 'id', args, 2)
      expect(inPages).toEqual(await readAll(reader, 'departments', 'id', args, 100))
      expect(inPages.map((row) => row['id']).sort()).toEqual(rows.map((row) => row.id))
    },
  )

  test('come by name when nothing else is asked', async () => {
    const names = (await readAll(reader, 'departments', 'name')).map((row) => row['name'])
    expect(names).toEqual(['D0', 'D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8'])
  })

  test.each([
    ['name: { in: ["D1", "D3"] }', ['D1', 'D3']],
    ['isActive: { eq: false }', ['D1']],
    ['search: "100%"', ['D2']],
    [`headId: { eq: "${id(0)}" }`, []],
  ])('filter { %s }', async (filter, expected) => {
    const read = await readAll(reader, 'departments', 'name', `filter: { ${filter} }`)
    expect(read.map((row) => row['name'])).toEqual(expected)
  })

  test('the employees of many departments are one statement, and so are their counts', async () => {
    const query = `{ departments(first: 3, orderBy: { field: CREATED_AT }) {
      nodes { id employees(first: 2, orderBy: { field: EMPLOYEE_NUMBER }) { totalCount nodes { employeeNumber } } }
    } }`
    let answer: unknown
    const sent = await graph.statementsDuring(async () => (answer = await reader.data(query)))
    expect(sent.filter(({ role }) => role === 'hr')).toHaveLength(3)
    const page = (first: string, second: string) => ({
      totalCount: 6,
      nodes: [{ employeeNumber: first }, { employeeNumber: second }],
    })
    const none = { totalCount: 0, nodes: [] }
    expect(answer).toEqual({
      departments: {
        nodes: [
          { id: id(0), employees: page('E00', 'E03') },
          { id: id(3), employees: none },
          { id: id(6), employees: none },
        ],
      },
    })
  })

  test('the departments of many employees come with them, in one statement', async () => {
    const query =
      '{ employees(first: 20, orderBy: { field: EMPLOYEE_NUMBER }) { nodes { department { name head { email } } } } }'
    let nodes: unknown[] = []
    const sent = await graph.statementsDuring(async () => {
      const data = await reader.data<{ employees: { nodes: unknown[] } }>(query)
      nodes = data.employees.nodes
    })
    expect(sent.filter(({ role }) => role === 'hr')).toHaveLength(1)
    expect(nodes[1]).toEqual({ department: { name: rows[1]!.name, head: null } })
    expect(nodes.slice(18)).toEqual([{ department: null }, { department: null }])
  })

  test('employees are found by department', async () => {
    const args = `filter: { departmentId: { eq: "${id(2)}" } }, orderBy: { field: EMPLOYEE_NUMBER }`
    const read = await readAll(reader, 'employees', 'employeeNumber', args)
    expect(read.map((row) => row['employeeNumber'])).toEqual(['E02', 'E05', 'E08', 'E11', 'E14', 'E17'])
  })

  test('the tenant has its departments, in one statement', async () => {
    const query =
      '{ tenant { departments(first: 2, filter: { isActive: { eq: true } }) { nodes { name } pageInfo { hasNextPage } } } }'
    let answer: unknown
    const sent = await graph.statementsDuring(async () => (answer = await reader.data(query)))
    expect(sent.filter(({ role }) => role === 'hr')).toHaveLength(1)
    expect(answer).toEqual({
      tenant: {
        departments: { nodes: [{ name: 'D0' }, { name: 'D2' }], pageInfo: { hasNextPage: true } },
      },
    })
  })
})

test('users have the department they work in, in one statement for all', async () => {
  const { id } = await founded({ name: 'Users of it' })
  const { userId } = await acme.user('USER')
  await hired({ userId, departmentId: id })
  const admin = await acme.as('ADMIN')
  const query = '{ users(first: 50) { nodes { id department { name } } } }'
  let nodes: { id: string; department: { name: string } | null }[] = []
  const sent = await graph.statementsDuring(async () => {
    nodes = (await admin.data<{ users: { nodes: typeof nodes } }>(query)).users.nodes
  })
  expect(sent.filter(({ role }) => role === 'hr')).toHaveLength(1)
  expect(nodes.length).toBeGreaterThan(3)
  expect(nodes.filter(({ department }) => department)).toEqual([
    { id: userId, department: { name: 'Users of it' } },
  ])
})
