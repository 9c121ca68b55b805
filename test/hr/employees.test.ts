import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { prepareRows, readAll } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let hr: TestClient

const id = (place: number): string => `019b76da-a800-7000-8000-${String(place).padStart(12, '0')}`
const number = (place: number): string => `E${String(place).padStart(2, '0')}`

/** Few distinct values and many NULLs, so that pages end between equal keys and between NULLs. */
const rows = Array.from({ length: 17 }, (_, place) => ({
  id: id(place),
  employee_number: number(place),
  first_name: place === 3 ? 'Zoë' : 'Ada',
  last_name: place % 4 === 0 ? null : `Name ${place % 3}`,
  position: place % 2 === 0 ? 'Welder' : '100%_Buyer',
  hire_date: place % 5 === 0 ? null : `2024-02-${28 + (place % 2)}`,
  salary: place * 100,
  salary_currency: 'EUR',
  is_active: place !== 6,
}))

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  hr = await acme.as('HR_MANAGER')
  await prepareRows(graph, acme.id, 'hr.employees', rows)
  const globex = await graph.tenant('globex')
  const foreign = rows.map((row) => ({ ...row, id: row.id.replace('8000', '8001') }))
  await prepareRows(graph, globex.id, 'hr.employees', foreign)
})

afterAll(() => graph.close())

const numbers = async (args: string): Promise<unknown[]> =>
  (await readAll(hr, 'employees', 'employeeNumber', args, 20)).map((row) => row['employeeNumber'])

/** The ids in the order of the list: those without a value last, ties by id. */
function expectedOrder(key: (row: (typeof rows)[number]) => string | null, descending: boolean): string[] {
  const sign = descending ? -1 : 1
  const compare = (a: string, b: string) => (a < b ? -sign : a > b ? sign : 0)
  return [...rows]
    .sort((a, b) => {
      const [left, right] = [key(a), key(b)]
      if (left === right) return compare(a.id, b.id)
      // Rows without a value come last either way.
      if (left === null) return 1
      if (right === null) return -1
      return compare(left, right)
    })
    .map((row) => row.id)
}

describe.each([
  ['HIRE_DATE', (row: (typeof rows)[number]) => row.hire_date],
  ['LAST_NAME', (row: (typeof rows)[number]) => row.last_name],
  ['EMPLOYEE_NUMBER', (row: (typeof rows)[number]) => row.employee_number],
])('ordered by %s', (field, key) => {
  test.each([
    ['ASC', 1],
    ['ASC', 2],
    ['ASC', 5],
    ['DESC', 1],
    ['DESC', 2],
    ['DESC', 5],
  ])('%s in pages of %i nothing is lost or repeated', async (direction, first) => {
    const read = await readAll(
      hr,
      'employees',
      'id',
      `orderBy: { field: ${field}, direction: ${direction} }`,
      first,
    )
    expect(read.map((row) => row['id'])).toEqual(expectedOrder(key, direction === 'DESC'))
  })
})

test.each([
  ['employeeNumber: { eq: "E03" }', ['E03']],
  ['employeeNumber: { in: ["E03", "E01", "none"] }', ['E01', 'E03']],
  ['employeeNumber: { in: [] }', []],
  ['employeeNumber: { startsWith: "e1" }', ['E10', 'E11', 'E12', 'E13', 'E14', 'E15', 'E16']],
  [
    'position: { contains: "%_B" }, hireDate: { gte: "2024-02-29" }',
    ['E01', 'E03', 'E07', 'E09', 'E11', 'E13'],
  ],
  [
    'hireDate: { lt: "2024-02-29" }, position: { eq: "Welder" }',
    ['E02', 'E04', 'E06', 'E08', 'E12', 'E14', 'E16'],
  ],
  ['isActive: { eq: false }', ['E06']],
  ['search: "zoë"', ['E03']],
  ['search: "E1", isActive: { eq: true }, position: { eq: "Welder" }', ['E10', 'E12', 'E14', 'E16']],
  ['search: "nobody"', []],
  [`userId: { in: ["${id(1)}"] }`, []],
])('filter { %s }', async (filter, expected) => {
  expect(await numbers(`filter: { ${filter} }, orderBy: { field: EMPLOYEE_NUMBER }`)).toEqual(expected)
})

test('the count is of the filter, not of the page', async () => {
  const query = '{ employees(first: 2, filter: { position: { eq: "Welder" } }) { totalCount nodes { id } } }'
  const { employees } = await hr.data<{ employees: { totalCount: number; nodes: unknown[] } }>(query)
  expect(employees.totalCount).toBe(9)
  expect(employees.nodes).toHaveLength(2)
})

test('a page tells where it stands', async () => {
  const query = `query ($after: String) {
    employees(first: 10, after: $after, orderBy: { field: EMPLOYEE_NUMBER }) {
      edges { cursor node { employeeNumber } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }`
  interface Page {
    employees: { edges: { cursor: string }[]; pageInfo: Record<string, unknown> }
  }
  const { employees: first } = await hr.data<Page>(query)
  expect(first.edges).toHaveLength(10)
  expect(first.pageInfo).toEqual({
    hasNextPage: true,
    hasPreviousPage: false,
    startCursor: first.edges[0]!.cursor,
    endCursor: first.edges[9]!.cursor,
  })
  const { employees: second } = await hr.data<Page>(query, { after: first.pageInfo['endCursor'] })
  expect(second.edges.map((edge) => edge)).toHaveLength(7)
  expect(second.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
})

test.each([
  ['first: 0', /first/],
  ['first: 1000000', /first|list/i],
  ['after: "nonsense"', /after/],
  ['filter: { userId: { eq: "42" } }', /userId/],
])('employees(%s) is refused', async (args, message) => {
  const operation = `{ employees(${args}) { nodes { id } } }`
  const { data, errors } = await hr.query(operation)
  expect(data).toEqual({ employees: null })
  expect(errors).toHaveLength(1)
  expect(['BAD_USER_INPUT', 'QUERY_TOO_COSTLY']).toContain(errors![0]!.extensions.code)
  expect(errors![0]!.message).toMatch(message)
})

test('a cursor of another order is refused', async () => {
  const { employees } = await hr.data<{ employees: { pageInfo: { endCursor: string } } }>(
    '{ employees(first: 1, orderBy: { field: HIRE_DATE }) { pageInfo { endCursor } } }',
  )
  const operation = `{ employees(first: 1, after: "${employees.pageInfo.endCursor}", orderBy: { field: LAST_NAME }) { nodes { id } } }`
  const { errors } = await hr.query(operation)
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
})

test.each(['salary', 'performanceScore', 'retentionRisk'])('%s is no filter', async (field) => {
  const operation = `{ employees(filter: { ${field}: { gte: 1 } }) { nodes { id } } }`
  const { errors } = await hr.query(operation)
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
})

test.each(['SALARY', 'PERFORMANCE_SCORE', 'RETENTION_RISK'])('%s is no order', async (field) => {
  const operation = `{ employees(orderBy: { field: ${field} }) { nodes { id } } }`
  const { errors } = await hr.query(operation)
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
})

test('a list reads only the columns that were selected', async () => {
  const statements = await graph.statementsDuring(() => hr.data('{ employees { nodes { position } } }'))
  const [list, ...others] = statements.filter(({ role }) => role === 'hr')
  expect(others).toEqual([])
  expect(list!.text).not.toMatch(/salary|hire_date|last_name/)
})
