import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { demoTenantIds, demoUserIds } from '../../database/demo/ids'
import { projectRoot } from '../../kernel/process/config'
import { protocolCodes, errorCodes } from '../../kernel/errors'
import { uuidv7 } from '../../kernel/id'
import { startGraph, testClient, type TestClient, type TestGraph } from '../support/graph'

/** What docs/errors.md promises for bad input: a code, a message that says what to do, nothing leaked, nothing lost. */
let graph: TestGraph
let admin: TestClient
let foreignEmployee: string

beforeAll(async () => {
  graph = await startGraph({ demo: true })
  admin = await graph.demo('acme', 'admin')
  const { rows } = await graph.owner.query<{ id: string }>(
    'SELECT id FROM hr.employees WHERE tenant_id = $1 LIMIT 1',
    [demoTenantIds.globex],
  )
  foreignEmployee = rows[0]!.id
})
afterAll(() => graph?.close())

async function count(table: string): Promise<number> {
  const { rows } = await graph.owner.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`)
  return rows[0]!.count
}

const queries: readonly { name: string; query: string; status: number; code: string; message: RegExp }[] = [
  {
    name: 'a document that does not parse',
    query: '{ viewer { ',
    status: 400,
    code: 'GRAPHQL_PARSE_FAILED',
    message: /^Syntax Error/,
  },
  {
    name: 'an unknown field',
    query: '{ viewer { shoeSize } }',
    status: 400,
    code: 'GRAPHQL_VALIDATION_FAILED',
    message: /^Cannot query field "shoeSize" on type "User"/,
  },
  {
    name: 'an id that is none',
    query: '{ employee(id: "seven") { id } }',
    status: 200,
    code: 'BAD_USER_INPUT',
    message: /^"seven" is not an id$/,
  },
  {
    name: 'a cursor that is none',
    query: '{ employees(after: "abc") { nodes { id } } }',
    status: 200,
    code: 'BAD_USER_INPUT',
    message: /^after: not a cursor of this list/,
  },
  {
    name: 'a million rows',
    query: '{ employees(first: 1000000) { nodes { id } } }',
    status: 200,
    code: 'BAD_USER_INPUT',
    message: /^first: ask for 1 to 100 rows at a time, not 1000000$/,
  },
  {
    name: 'a wrong type',
    query: '{ employees(first: "many") { nodes { id } } }',
    status: 400,
    code: 'BAD_USER_INPUT',
    message: /^Invalid value at "first"; Int cannot represent non-integer value: "many"$/,
  },
]

it.each(queries)('$name is answered with $code', async ({ query, status, code, message }) => {
  const answer = await admin.query(query)
  expect(answer.status).toBe(status)
  expect(answer.errors).toHaveLength(1)
  expect(answer.errors![0]!.message).toMatch(message)
  expect(answer.errors![0]!.extensions).toEqual({ code, traceId: expect.any(String) as string })
})

it('answers malformed JSON with BAD_USER_INPUT', async () => {
  const response = await fetch(graph.server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...admin.headers },
    body: '{"query": "{ viewer',
  })
  expect(response.status).toBe(400)
  const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] }
  expect(errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT'])
})

it('answers a foreign id as an unknown one', async () => {
  for (const id of [foreignEmployee, uuidv7()])
    expect(await admin.query('query ($id: ID!) { employee(id: $id) { id } }', { id })).toEqual({
      status: 200,
      data: { employee: null },
    })
})

const update = `mutation ($input: UpdateEmployeeInput!) {
  updateEmployee(input: $input) { employee { id } userErrors { code field message } }
}`

it('tells a stale version, a foreign id and a duplicate key as user errors, and changes nothing', async () => {
  const list = await admin.data<{
    employees: { nodes: { id: string; version: number; employeeNumber: string }[] }
  }>('{ employees(first: 2) { nodes { id version employeeNumber } } }')
  const [one, two] = list.employees.nodes as [
    { id: string; version: number; employeeNumber: string },
    { employeeNumber: string },
  ]
  const before = [await count('hr.employees'), await count('shared.audit_logs')]
  const attempt = async (input: object) =>
    (await admin.data<{ updateEmployee: { employee: unknown; userErrors: object[] } }>(update, { input }))
      .updateEmployee
  expect(await attempt({ id: one.id, expectedVersion: one.version + 1, position: 'X' })).toEqual({
    employee: null,
    userErrors: [
      {
        code: 'STALE_VERSION',
        field: ['expectedVersion'],
        message: `This record is at version ${one.version} now, not ${one.version + 1}: read it again and repeat the change`,
      },
    ],
  })
  expect(await attempt({ id: foreignEmployee, expectedVersion: 1, position: 'X' })).toEqual({
    employee: null,
    userErrors: [{ code: 'NOT_FOUND', field: ['id'], message: 'There is no record with this id' }],
  })
  expect(
    await attempt({ id: one.id, expectedVersion: one.version, employeeNumber: two.employeeNumber }),
  ).toEqual({
    employee: null,
    userErrors: [
      { code: 'DUPLICATE', field: ['employeeNumber'], message: 'employeeNumber is already in use' },
    ],
  })
  expect([await count('hr.employees'), await count('shared.audit_logs')]).toEqual(before)
})

it('refuses nobody, a forged token and an expired token, the whole request at once', async () => {
  const unsigned = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url')
  const body = `${unsigned({ alg: 'HS256', typ: 'at+jwt' })}.${unsigned({ tid: demoTenantIds.acme, sub: demoUserIds.acme.admin })}`
  const forged = `${body}.${createHmac('sha256', 'guess').update(body).digest('base64url')}`
  const anonymous = await graph.anonymous.query('{ viewer { id } }')
  expect(anonymous.data).toEqual({ viewer: null })
  expect(anonymous.errors!.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED'])
  const ask = async (authorization: string) =>
    testClient(graph.server.url, '', { authorization }).query('{ viewer { id } }')
  for (const answer of [await ask(`Bearer ${forged}`), await ask('Bearer x'), await ask('Basic YTpi')]) {
    expect(answer.status).toBe(401)
    expect(answer.data ?? null).toBeNull()
    expect(answer.errors!.map(({ extensions, message }) => [extensions.code, message])).toEqual([
      ['UNAUTHENTICATED', 'The access token is not valid: sign in again'],
    ])
  }
  const analyst = await graph.demo('acme', 'analyst')
  graph.clock.advance({ minutes: 16 })
  const expired = await analyst.query('{ viewer { id } }')
  expect(expired.status).toBe(401)
  expect(expired.errors!.map(({ message }) => message)).toEqual([
    'accessToken expired: refresh it with refreshSession',
  ])
})

it('documents every code', () => {
  const documented = readFileSync(join(projectRoot, 'docs', 'errors.md'), 'utf8')
  const missing = [...errorCodes, ...protocolCodes].filter((code) => !documented.includes(`\`${code}\``))
  expect(missing).toEqual(['PERSISTED_QUERY_NOT_SUPPORTED'])
})
