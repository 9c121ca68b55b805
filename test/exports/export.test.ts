import { buildSchema, getNamedType, isLeafType, isObjectType, type GraphQLObjectType } from 'graphql'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'

let graph: TestGraph
let admin: TestClient
beforeAll(async () => {
  graph = await startGraph({ demo: true })
  admin = await graph.demo('acme', 'admin')
})
afterAll(() => graph.close())

interface Exported {
  status: number
  type: string | null
  text: string
  file: string | null
  codes: string[]
}

async function exported(
  who: TestClient,
  accept: string,
  query: string,
  variables?: object,
): Promise<Exported> {
  const response = await fetch(graph.server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...who.headers },
    body: JSON.stringify({ query, variables }),
  })
  const text = await response.text()
  const isError = response.status !== 200
  const { errors = [] } = (isError ? JSON.parse(text) : {}) as { errors?: { extensions: { code: string } }[] }
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    text,
    file: response.headers.get('content-disposition'),
    codes: errors.map(({ extensions }) => extensions.code),
  }
}

/** All rows of a list, page by page as any client reads them. */
async function paged(who: TestClient, list: string, args: string, selection: string): Promise<unknown[]> {
  const rows: unknown[] = []
  let after: string | null = null
  for (;;) {
    type Page = { nodes: unknown[]; pageInfo: { hasNextPage: boolean; endCursor: string } } | null
    const data: Record<string, Page> = await who.data(
      `query ($after: String) { ${list}(first: 100, after: $after${args}) { nodes { ${selection} } pageInfo { hasNextPage endCursor } } }`,
      { after },
    )
    rows.push(...(data[list]?.nodes ?? []))
    if (!data[list]?.pageInfo.hasNextPage) return rows
    after = data[list]!.pageInfo.endCursor
  }
}

async function trail(): Promise<unknown[]> {
  const { rows } = await graph.owner.query<{ entry: unknown }>(
    `SELECT jsonb_build_object('type', resource_type, 'changes', changes, 'actor', actor_id) AS entry FROM shared.audit_logs
      WHERE action = 'EXPORT' ORDER BY id`,
  )
  return rows.map(({ entry }) => entry)
}

const transactions = `query Export($filter: TransactionFilter) {
  transactions(filter: $filter, orderBy: [{ field: AMOUNT, direction: DESC }]) {
    nodes { number: transactionNumber amount { amount currency } occurredAt fraudScore isFraudulent department { name } }
  }
}`

test('Q5: a list as CSV has the rows, order and values of its pages, typed, and is told in the trail', async () => {
  const before = await trail()
  const filter = { amount: { currency: 'USD', gte: '100.00' } }
  const { status, type, text, file } = await exported(admin, 'text/csv', transactions, { filter })
  expect([status, type]).toEqual([200, 'text/csv; charset=utf-8; header=present'])
  expect(file).toBe(`attachment; filename="transactions-${graph.clock.now().toISOString().slice(0, 10)}.csv"`)
  type Row = {
    transactionNumber: string
    amount: { amount: string; currency: string }
    occurredAt: string
    fraudScore: number | null
    isFraudulent: boolean
    department: { name: string } | null
  }
  const selection =
    'transactionNumber amount { amount currency } occurredAt fraudScore isFraudulent department { name }'
  const args =
    ', filter: { amount: { currency: "USD", gte: "100.00" } }, orderBy: [{ field: AMOUNT, direction: DESC }]'
  const rows = (await paged(admin, 'transactions', args, selection)) as Row[]
  expect(rows.length).toBeGreaterThan(200)
  const lines = rows.map((row) =>
    [
      row.transactionNumber,
      row.amount.amount,
      row.amount.currency,
      row.occurredAt,
      row.fraudScore ?? '',
      row.isFraudulent,
      row.department?.name ?? '',
    ].join(','),
  )
  const names = 'number,amount.amount,amount.currency,occurredAt,fraudScore,isFraudulent,department.name'
  expect(text.split('\r\n')).toEqual([names, ...lines, ''])

  const told = {
    list: 'transactions',
    format: 'csv',
    columns: names.split(','),
    asked: ['filter', 'orderBy'],
    rows: rows.length,
  }
  const entry = { type: 'Transaction', actor: admin.userId, changes: { export: told } }
  expect(await trail()).toEqual([...before, entry])
  const { auditLogs } = await admin.data<{ auditLogs: { nodes: unknown[] } }>(
    '{ auditLogs(first: 1, filter: { action: { eq: EXPORT } }) { nodes { action resourceType } } }',
  )
  expect(auditLogs.nodes).toEqual([{ action: 'EXPORT', resourceType: 'Transaction' }])
})

test('Q5: another tenant exports its own rows alone', async () => {
  const list = '{ transactions { nodes { id } } }'
  const idsOf = async (who: TestClient) =>
    (await exported(who, 'application/jsonl', list)).text.trimEnd().split('\n')
  const [ours, theirs] = [await idsOf(admin), await idsOf(await graph.demo('globex', 'admin'))]
  expect(Math.min(ours.length, theirs.length)).toBeGreaterThan(100)
  expect(ours.filter((line) => theirs.includes(line))).toEqual([])
  const { rows } = await graph.owner.query<{ id: string }>(
    `SELECT t.id FROM finance.transactions t JOIN tenancy.tenants n ON n.id = t.tenant_id WHERE n.slug = 'globex'`,
  )
  expect(theirs.sort()).toEqual(rows.map((row) => JSON.stringify(row)).sort())
})

const refusals: [string, string, number, string][] = [
  ['what the viewer may not read', '{ employees { nodes { id salary { amount } } } }', 403, 'FORBIDDEN'],
  ['a list the viewer may not read', '{ auditLogs { nodes { id } } }', 403, 'FORBIDDEN'],
  ['two lists', '{ customers { nodes { id } } departments { nodes { id } } }', 400, 'BAD_USER_INPUT'],
  ['no list', '{ viewer { id } }', 400, 'BAD_USER_INPUT'],
  ['edges', '{ customers { edges { node { id } } } }', 400, 'BAD_USER_INPUT'],
  ['backwards', '{ customers(last: 3) { nodes { id } } }', 400, 'BAD_USER_INPUT'],
  ['a mutation', 'mutation { signOut(input: {}) { userErrors { message } } }', 400, 'BAD_USER_INPUT'],
  ['too many rows', '{ customers(first: 100001) { nodes { id } } }', 400, 'QUERY_TOO_COSTLY'],
  [
    'many values in a cell',
    '{ departments { nodes { employees { nodes { id } } } } }',
    400,
    'BAD_USER_INPUT',
  ],
  ['what the schema does not have', '{ customers { nodes { nope } } }', 400, 'GRAPHQL_VALIDATION_FAILED'],
]
test.each(refusals)('Q5: %s is refused as a whole, and no export is told', async (_, query, status, code) => {
  const before = await trail()
  const answer = await exported(await graph.demo('acme', 'viewer'), 'text/csv', query)
  expect([answer.status, answer.codes[0]]).toEqual([status, code])
  expect(answer.text).not.toContain('"data"')
  expect(await trail()).toEqual(before)
})

test('Q5: nobody exports without signing in', async () => {
  const answer = await exported(graph.anonymous, 'text/csv', '{ customers { nodes { id } } }')
  expect([answer.status, answer.codes]).toEqual([401, ['UNAUTHENTICATED']])
})

test('Q5: what a spreadsheet would calculate is text, whoever wrote it; below one object, and the first rows alone', async () => {
  const input = {
    externalId: 'csv-1',
    firstName: '=HYPERLINK("https://x.example","a")',
    lastName: '-2+3, "x"',
  }
  const { createCustomer } = await admin.data<{
    createCustomer: { customer: { id: string }; userErrors: object[] }
  }>(
    'mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { message } } }',
    { input },
  )
  expect(createCustomer.userErrors).toEqual([])
  const query = `query ($search: String!, $n: Int = 7) { customers(first: $n, filter: { search: $search }) { nodes { firstName lastName email lifetimeValue { amount } } } }`
  const answer = await exported(admin, 'text/csv', query, { search: 'HYPERLINK' })
  expect(answer.text).toBe(
    'firstName,lastName,email,lifetimeValue.amount\r\n"\'=HYPERLINK(""https://x.example"",""a"")","\'-2+3, ""x""",,\r\n',
  )
  const { departments } = await admin.data<{
    departments: { nodes: { id: string; employees: { totalCount: number } }[] }
  }>('{ departments(first: 50) { nodes { id employees { totalCount } } } }')
  const largest = departments.nodes.sort((a, b) => b.employees.totalCount - a.employees.totalCount)[0]!
  const below =
    'query ($id: ID!, $first: Int) { department(id: $id) { employees(first: $first) { nodes { employeeNumber } } } }'
  const countOf = async (first: number | null) =>
    (await exported(admin, 'application/x-ndjson', below, { id: largest.id, first })).text
      .trimEnd()
      .split('\n').length
  expect([await countOf(null), await countOf(3)]).toEqual([largest.employees.totalCount, 3])
})

/** Every list of the schema with its plain columns. */
function lists(): { list: string; selection: string }[] {
  const schema = buildSchema(readFileSync(join(projectRoot, 'schema/api.graphql'), 'utf8'))
  return Object.values(schema.getQueryType()!.getFields()).flatMap(({ name, type, args }) => {
    const page = getNamedType(type)
    if (
      !isObjectType(page) ||
      !page.getFields()['nodes'] ||
      args.some((one) => String(one.type).endsWith('!'))
    )
      return []
    const row = getNamedType(page.getFields()['nodes']!.type) as GraphQLObjectType
    const columns = Object.values(row.getFields()).filter(
      (one) => isLeafType(getNamedType(one.type)) && one.args.length === 0,
    )
    return [{ list: name, selection: columns.map((one) => one.name).join(' ') }]
  })
}

test('Q5: every list is exported as its pages are, or refused as they are', async () => {
  const all = lists()
  expect(all.length).toBeGreaterThan(40)
  const counts = new Map<string, number>()
  for (const { list, selection } of all) {
    const page = await admin.query<Record<string, object>>(`{ ${list}(first: 1) { nodes { ${selection} } } }`)
    const query = `{ ${list} { nodes { ${selection} } } }`
    const [csv, lines] = [
      await exported(admin, 'text/csv', query),
      await exported(admin, 'application/jsonl', query),
    ]
    if (page.errors) {
      expect([list, csv.codes[0], lines.codes[0]]).toEqual([
        list,
        page.errors[0]!.extensions.code,
        page.errors[0]!.extensions.code,
      ])
      continue
    }
    expect([list, csv.status, lines.status]).toEqual([list, 200, 200])
    const rows = lines.text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown)
    // Exports are told in the trail themselves.
    if (list !== 'auditLogs') expect([list, rows]).toEqual([list, await paged(admin, list, '', selection)])
    expect([list, csv.text.split('\r\n')[0]]).toEqual([list, selection.split(' ').join(',')])
    counts.set(list, rows.length)
  }
  expect([...counts.values()].filter((count) => count > 100).length).toBeGreaterThan(5)
})
