import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'

const operation = (name: string): string =>
  readFileSync(join(projectRoot, 'test', 'operations', `${name}.graphql`), 'utf8')

/**
 * How many SQL statements an operation costs, by login role: the price list of the graph. Look-ups of one level are one
 * statement however many rows it has, counts are taken only when selected, and the session costs nothing but once a
 * minute. What is read of data that is to be protected costs one more for all types together, for the entry of the audit trail.
 * Transactions' BEGIN and COMMIT are not counted.
 */
const operations: readonly { name: string; query: string; statements: Readonly<Record<string, number>> }[] = [
  { name: 'who am I', query: '{ viewer { email } }', statements: { identity: 1 } },
  { name: 'a type name', query: '{ __typename }', statements: {} },
  { name: 'a page', query: '{ employees(first: 20) { nodes { employeeNumber } } }', statements: { hr: 1 } },
  { name: 'only the count', query: '{ employees { totalCount } }', statements: { hr: 1 } },
  {
    name: 'a page and its count',
    query:
      '{ employees(first: 20) { totalCount edges { cursor node { position } } pageInfo { hasNextPage } } }',
    statements: { hr: 2 },
  },
  {
    name: 'twenty rows and their users in another subgraph',
    query:
      '{ employees(first: 20, orderBy: { field: EMPLOYEE_NUMBER }) { nodes { employeeNumber user { email } } } }',
    statements: { hr: 1, identity: 1 },
  },
  {
    name: 'three levels over three subgraphs',
    query:
      '{ complianceRecords(first: 20) { nodes { status createdBy { fullName employee { position } } reviewedBy { email } } } }',
    statements: { compliance: 1, identity: 2, hr: 1 },
  },
  {
    name: 'a page under each of many parents',
    query: '{ users(first: 10) { nodes { email auditTrail(first: 3) { nodes { action } } } } }',
    statements: { identity: 1, compliance: 1 },
  },
  {
    name: 'reference data, their count, and what is below each',
    query: operation('reference-data'),
    statements: { tenancy: 4 },
  },
  {
    name: 'the subscription, open invoices, their count and their lines',
    query: operation('billing'),
    statements: { tenancy: 5 },
  },
  {
    name: 'the same list twice under two names',
    query: '{ a: customers(first: 3) { nodes { id } } b: customers(first: 4) { nodes { id } } }',
    statements: { insights: 2 },
  },
  {
    name: 'six subgraphs together',
    query: operation('overview'),
    // The third of insights notes whose names were read.
    statements: { identity: 3, hr: 1, tenancy: 1, insights: 3, compliance: 1, finance: 1 },
  },
  {
    name: 'salaries, and the entry that they were read',
    query: '{ employees(first: 20) { nodes { salary { amount } performanceScore } } }',
    statements: { hr: 2 },
  },
  {
    name: 'a change with its audit row and its event',
    query:
      'mutation { hireEmployee(input: { employeeNumber: "N-1" }) { employee { id } userErrors { message } } }',
    statements: { hr: 3 },
  },
]

let graph: TestGraph
let admin: TestClient

beforeAll(async () => {
  graph = await startGraph({ demo: true })
  admin = await graph.demo('acme', 'admin')
  // Once per minute and session the gateway asks whether the session still holds.
  await admin.data('{ viewer { id } }')
})
afterAll(() => graph?.close())

it.each(operations)('$name', async ({ query, statements }) => {
  const sent = await graph.statementsDuring(() => admin.data(query))
  const counted: Record<string, number> = {}
  for (const { role } of sent) counted[role] = (counted[role] ?? 0) + 1
  expect({ counted, sent: sent.map(({ role, text }) => `${role}: ${text}`) }).toMatchObject({
    counted: statements,
  })
  expect(counted).toEqual(statements)
})

it('reads only the columns that were asked for', async () => {
  const [read] = await graph.statementsDuring(() =>
    admin.data('{ employees(first: 1) { nodes { position } } }'),
  )
  expect(read!.text).toMatch(/^SELECT t\."id", t\."created_at", t\."position" FROM "hr"\."employees" t /)
})

it('lets PostgreSQL keep the plan of a page: how many rows it takes is part of the text', async () => {
  const [read] = await graph.statementsDuring(() =>
    admin.data('query ($first: Int) { employees(first: $first) { nodes { position } } }', { first: 7 }),
  )
  expect(read!.text).toMatch(/ LIMIT 8$/)
  expect(read!.values).toHaveLength(1)
})
