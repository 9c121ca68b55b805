import { uuidv7 } from '../../kernel/id'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { userWith } from '../support/scopes'

let graph: TestGraph
let tenant: TestTenant
let viewer: TestClient
const departments = { Board: uuidv7(), HR: uuidv7(), Sales: uuidv7(), Lab: uuidv7() }
type Department = keyof typeof departments

async function addEmployees(
  tenantId: string,
  department: Department | null,
  salaries: readonly (number | null)[],
  { isActive = true, currency = 'EUR' } = {},
): Promise<void> {
  for (const salary of salaries)
    await graph.owner.query(
      `INSERT INTO hr.employees (tenant_id, id, employee_number, department_id, salary, salary_currency, is_active, hire_date, performance_score)
       VALUES ($1, $2, $3, $4, $5, $6, $7, '2026-01-05', 50)`,
      [
        tenantId,
        uuidv7(),
        uuidv7(),
        department && departments[department],
        salary,
        salary === null ? null : currency,
        isActive,
      ],
    )
}

beforeAll(async () => {
  graph = await startGraph()
  tenant = await graph.tenant('acme')
  // Who may not read a single salary.
  viewer = await userWith(graph, tenant, [
    'hr:employee:read',
    'hr:department:read',
    'hr:salary:summary',
    'hr:performance:summary',
  ])
  for (const [name, id] of Object.entries(departments))
    await graph.owner.query('INSERT INTO hr.departments (tenant_id, id, name) VALUES ($1, $2, $3)', [
      tenant.id,
      id,
      name,
    ])
  await addEmployees(tenant.id, 'Board', [900_000])
  await addEmployees(tenant.id, 'HR', [10, 20, 30, 40, 50, 60])
  await addEmployees(tenant.id, 'Sales', [100, 200, 300, 400, 500, 600, 700])
  await addEmployees(tenant.id, 'Lab', [1, 2, 3, 4, 5, 6, 7, 8, null])
})
afterAll(() => graph?.close())

interface Told {
  groups: { key: { department: { name: string } | null }; count: number; salary: object[] | null }[]
  total: { count: number; salary: object[] | null }
}

const salary =
  'salary { currency count sum { amount } average { amount } smallest { amount } largest { amount } }'
const selection = `groups { key { department { name } } count ${salary} } total { count ${salary} }`
const ask = async (args: string, selected = selection): Promise<Told> =>
  (await viewer.data<{ employeeSummary: Told }>(`{ employeeSummary(fresh: true, ${args}) { ${selected} } }`))
    .employeeSummary
const byName = ({ groups }: Told) =>
  Object.fromEntries(
    groups.map(({ key, count, salary: told }) => [key.department?.name ?? '', [count, told]]),
  )

const told = (count: number, sum: string, average: string) => [
  {
    currency: 'EUR',
    count,
    sum: { amount: sum },
    average: { amount: average },
    smallest: null,
    largest: null,
  },
]

describe('Q1 salaries', () => {
  it('are told of groups of five and more; one that is smaller takes the next and the total with it', async () => {
    const found = await ask('groupBy: [DEPARTMENT]')
    expect(byName(found)).toEqual({
      Board: [1, null],
      HR: [6, null],
      Sales: [7, told(7, '28.00', '4.00')],
      Lab: [9, told(8, '0.36', '0.04')],
    })
    expect(found.total).toEqual({ count: 23, salary: null })
  })

  it('are told of all together, of whom one is the Board', async () => {
    expect((await ask('groupBy: []')).total).toEqual({ count: 23, salary: told(22, '9030.46', '410.48') })
  })

  it('say neither the smallest nor the largest, which are somebody’s own', async () => {
    const { groups } = await ask(
      'groupBy: [DEPARTMENT], filter: { departmentId: { in: ["' + departments.Sales + '"] } }',
    )
    expect(groups.map(({ salary: one }) => one)).toEqual([told(7, '28.00', '4.00')])
  })

  it('are not told by a filter that leaves out all but one', async () => {
    const others = [departments.HR, departments.Sales, departments.Lab].map((id) => `"${id}"`)
    for (const filter of [
      `{ departmentId: { notIn: [${others}] } }`,
      `{ not: { departmentId: { in: [${others}] } } }`,
      `{ departmentId: { eq: "${departments.Board}" } }`,
    ])
      expect((await ask(`filter: ${filter}`)).total).toEqual({ count: 1, salary: null })
  })

  it('are not told by the difference of two questions: all but the Board is hidden as the Board is', async () => {
    const all = await ask('groupBy: []')
    const others = await ask(`filter: { departmentId: { notIn: ["${departments.Board}"] } }`)
    expect(all.total.salary).not.toBeNull()
    expect(others.total).toEqual({ count: 22, salary: null })
  })

  it.each([
    [
      'groupBy: [HIRE_DATE], per: YEAR',
      'groupBy: salary is told of groups by DEPARTMENT, IS_ACTIVE only: leave out HIRE_DATE, or salary',
    ],
    [
      'filter: { employeeNumber: { eq: "1" } }',
      'filter.employeeNumber: salary is told of rows by departmentId, isActive only: leave out this condition, or salary',
    ],
    ['filter: { search: "Ada" }', 'filter.search: salary is told of rows by departmentId, isActive only'],
    ['filter: { or: [{ hireDate: { isNull: true } }] }', 'filter.or[0].hireDate: salary is told of rows by'],
    [
      'filter: { not: { and: [{ position: { eq: "CEO" } }] } }',
      'filter.not.and[0].position: salary is told of rows by',
    ],
  ])('are not told by days, ids or names: %s', async (args, message) => {
    const sent = await graph.statementsDuring(async () => {
      const { data, errors } = await viewer.query(
        `{ employeeSummary(${args}) { total { count ${salary} } } }`,
      )
      expect(data).toEqual({ employeeSummary: null })
      expect(errors?.map((error) => [error.extensions.code, error.message])).toEqual([
        ['BAD_USER_INPUT', expect.stringContaining(message)],
      ])
    })
    expect(sent.filter(({ role }) => role === 'hr')).toEqual([])
  })

  it('leave people countable by whatever dimension and filter when nobody asks for them', async () => {
    const counted = await ask(
      'groupBy: [HIRE_DATE], per: YEAR, filter: { hireDate: { gte: "2026-01-01" }, isActive: { eq: true } }',
      'groups { key { hireDate { firstDay } } count }',
    )
    expect(counted).toEqual({ groups: [{ key: { hireDate: { firstDay: '2026-01-01' } }, count: 23 }] })
  })

  it('are told to nobody without the scope of their own, and no order follows them', async () => {
    const other = await tenant.as('VIEWER')
    const { data, errors } = await other.query(
      '{ employeeSummary { total { count salary { sum { amount } } performanceScore { average } } } }',
    )
    expect(data).toEqual({ employeeSummary: { total: { count: 23, salary: null, performanceScore: null } } })
    expect(errors?.map(({ extensions, path }) => [extensions.code, path?.at(-1)])).toEqual([
      ['FORBIDDEN', 'salary'],
      ['FORBIDDEN', 'performanceScore'],
    ])
    const ordered = await viewer.query('{ employeeSummary(orderBy: { field: SALARY }) { total { count } } }')
    expect(ordered.errors?.map(({ message }) => message)).toEqual([
      'Invalid value at "orderBy.field"; Value "SALARY" does not exist in "EmployeeSummaryOrderField" enum.',
    ])
  })

  it('cost one statement, and the entry that they were read', async () => {
    const sent = await graph.statementsDuring(() => ask('groupBy: [IS_ACTIVE]', `groups { count ${salary} }`))
    expect(sent.map(({ role, text }) => [role, /^INSERT INTO shared\.audit_logs/.test(text)])).toEqual([
      ['hr', false],
      ['hr', true],
    ])
  })

  it('are judged in each currency by itself', async () => {
    await addEmployees(tenant.id, 'Lab', [1000, 1000], { currency: 'USD' })
    const found = await ask('groupBy: [DEPARTMENT]')
    expect(byName(found)['Lab']).toEqual([11, told(8, '0.36', '0.04')])
    await graph.owner.query("DELETE FROM hr.employees WHERE salary_currency = 'USD'")
  })
})

test('Q1 assessments are told in the same way, as numbers', async () => {
  const score = 'performanceScore { count average smallest }'
  const found = (await ask(
    'groupBy: [DEPARTMENT]',
    `groups { key { department { name } } count ${score} }`,
  )) as unknown as {
    groups: { key: { department: { name: string } }; performanceScore: object | null }[]
  }
  const shown = found.groups.map(
    ({ key, performanceScore }) => [key.department.name, performanceScore] as const,
  )
  expect(Object.fromEntries(shown)).toEqual({
    Board: null,
    HR: null,
    Sales: { count: 7, average: '50', smallest: null },
    Lab: { count: 9, average: '50', smallest: null },
  })
})
