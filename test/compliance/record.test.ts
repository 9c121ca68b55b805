import { Client } from 'pg'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, prepareRows, readAll, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let globex: TestTenant
let maker: TestClient
let checker: TestClient

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  globex = await graph.tenant('globex')
  maker = await acme.user('COMPLIANCE_OFFICER')
  checker = await acme.user('COMPLIANCE_OFFICER')
})

afterAll(() => graph.close())

interface ComplianceRecord {
  id: string
  version: number
}

const data = { subject: 'Vega Foods', hits: 0 }
const rationale = 'The papers are in order'

const added = (values: object = {}): Promise<ComplianceRecord> =>
  change<ComplianceRecord>(
    maker,
    'createComplianceRecord',
    { type: 'KYC', data, ...values },
    'complianceRecord { id version }',
  )

async function stored(id: string): Promise<Record<string, unknown>> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    'SELECT * FROM compliance.compliance_records WHERE id = $1',
    [id],
  )
  return rows[0]!
}

const everything = `{
  id type status riskScore data metadata version
  createdBy { id email } preparedBy { id } reviewedBy { id }
}`

test('a record is created, read and changed', async () => {
  const values = {
    type: 'AML',
    riskScore: 42,
    data: { list: [1, 'zwei', null] },
    metadata: { source: 'batch' },
  }
  const { id } = await added(values)
  const query = `query ($id: ID!) { complianceRecord(id: $id) ${everything} }`
  const expected = {
    ...values,
    id,
    status: 'PENDING',
    version: 1,
    createdBy: { id: maker.userId, email: (maker as TestClient & { email: string }).email },
    preparedBy: { id: maker.userId },
    reviewedBy: null,
  }
  expect(await maker.data(query, { id })).toEqual({ complianceRecord: expected })
  const changes = { id, expectedVersion: 1, riskScore: null, data: { list: [] } }
  await change(maker, 'updateComplianceRecord', changes, 'complianceRecord { id }')
  expect(await maker.data(query, { id })).toEqual({
    complianceRecord: { ...expected, riskScore: null, data: { list: [] }, version: 2 },
  })
})

test.each([
  ['a score of 0', { riskScore: 0 }, 'riskScore', 'riskScore must be between 1 and 100'],
  ['a score of 101', { riskScore: 101 }, 'riskScore', 'riskScore must be between 1 and 100'],
  ['data that are a list', { data: [] }, 'data', 'data must be a JSON object'],
  ['metadata that are a text', { metadata: 'x' }, 'metadata', 'metadata must be a JSON object'],
  ['no metadata', { metadata: null }, 'metadata', 'metadata is required'],
])('%s is refused by the name of its field', async (_, values, field, message) => {
  const count = async () =>
    (await graph.owner.query<{ n: number }>('SELECT count(*)::int AS n FROM compliance.compliance_records'))
      .rows
  const before = await count()
  const input = { type: 'KYC', data, ...values }
  expect(await userErrors(maker, 'createComplianceRecord', input)).toEqual([
    { code: 'INVALID', field: [field], message },
  ])
  expect(await count()).toEqual(before)
})

test.each([
  ['approveComplianceRecord', 'APPROVED'],
  ['rejectComplianceRecord', 'REJECTED'],
  ['flagComplianceRecord', 'FLAGGED'],
])('%s: somebody else decides, about the version that was seen', async (mutation, status) => {
  const { id } = await added()
  const own = await userErrors(maker, mutation, { id, expectedVersion: 1, rationale })
  expect(own).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
  await change(
    maker,
    'updateComplianceRecord',
    { id, expectedVersion: 1, riskScore: 99 },
    'complianceRecord { id }',
  )
  const stale = await userErrors(checker, mutation, { id, expectedVersion: 1, rationale })
  expect(stale).toMatchObject([{ code: 'STALE_VERSION', field: ['expectedVersion'] }])
  expect(await stored(id)).toMatchObject({ status: 'PENDING', reviewed_by_id: null, version: 2 })
  const selection = 'complianceRecord { status reviewedBy { id } version }'
  expect(await change(checker, mutation, { id, expectedVersion: 2, rationale }, selection)).toEqual({
    status,
    reviewedBy: { id: checker.userId },
    version: 3,
  })
})

test('who changes the content of a flagged record cannot approve it, and it goes back to review', async () => {
  const { id } = await added()
  await change(
    checker,
    'flagComplianceRecord',
    { id, expectedVersion: 1, rationale },
    'complianceRecord { id }',
  )
  const changes = { id, expectedVersion: 2, riskScore: 1 }
  expect(
    await change(
      checker,
      'updateComplianceRecord',
      changes,
      'complianceRecord { status preparedBy { id } reviewedBy { id } }',
    ),
  ).toEqual({ status: 'PENDING', preparedBy: { id: checker.userId }, reviewedBy: null })
  const errors = await userErrors(checker, 'approveComplianceRecord', { id, expectedVersion: 3, rationale })
  expect(errors).toMatchObject([{ code: 'OWN_RECORD' }])
  const third = await acme.user('COMPLIANCE_OFFICER')
  await change(
    third,
    'approveComplianceRecord',
    { id, expectedVersion: 3, rationale },
    'complianceRecord { id }',
  )
})

test('who changed the content once decides no more, even after others changed it', async () => {
  const { id } = await added()
  const second = await acme.user('COMPLIANCE_OFFICER')
  for (const [version, client] of [checker, second].entries())
    await change(
      client,
      'updateComplianceRecord',
      { id, expectedVersion: version + 1, riskScore: 10 + version },
      'complianceRecord { id }',
    )
  const before = await stored(id)
  for (const client of [maker, checker, second]) {
    const errors = await userErrors(client, 'approveComplianceRecord', { id, expectedVersion: 3, rationale })
    expect(errors).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
  }
  expect(await stored(id)).toEqual(before)
  const client = new Client({ connectionString: graph.database.urlFor('compliance') })
  await client.connect()
  await client.query("SELECT set_config('app.tenant_id', $1, false)", [acme.id])
  const review = 'UPDATE compliance.compliance_records SET reviewed_by_id = $2 WHERE id = $1'
  await expect(client.query(review, [id, checker.userId])).rejects.toMatchObject({ code: '23514' })
  await client.end()
})

test('the database itself refuses that creator or preparer review', async () => {
  const { id } = await added()
  const client = new Client({ connectionString: graph.database.urlFor('compliance') })
  await client.connect()
  await client.query("SELECT set_config('app.tenant_id', $1, false)", [acme.id])
  const review = 'UPDATE compliance.compliance_records SET reviewed_by_id = $2 WHERE id = $1'
  await expect(client.query(review, [id, maker.userId])).rejects.toMatchObject({ code: '23514' })
  await expect(client.query('DELETE FROM compliance.compliance_records')).rejects.toMatchObject({
    code: '42501',
  })
  await client.end()
})

test('what is decided stays as it is', async () => {
  const { id } = await added()
  await change(
    checker,
    'rejectComplianceRecord',
    { id, expectedVersion: 1, rationale },
    'complianceRecord { id }',
  )
  const before = await stored(id)
  for (const [client, mutation] of [
    [checker, 'approveComplianceRecord'],
    [checker, 'flagComplianceRecord'],
    [maker, 'updateComplianceRecord'],
  ] as const) {
    const input = { id, expectedVersion: 2, ...(mutation !== 'updateComplianceRecord' && { rationale }) }
    const errors = await userErrors(client, mutation, input)
    expect(errors).toMatchObject([{ code: 'WRONG_STATUS', field: ['id'] }])
  }
  expect(await stored(id)).toEqual(before)
})

test("another tenant's record cannot be read, changed or decided", async () => {
  const { id } = await added()
  const stranger = await globex.as('COMPLIANCE_OFFICER')
  expect(await stranger.data('query ($id: ID!) { complianceRecord(id: $id) { id } }', { id })).toEqual({
    complianceRecord: null,
  })
  for (const mutation of [
    'updateComplianceRecord',
    'approveComplianceRecord',
    'rejectComplianceRecord',
    'flagComplianceRecord',
  ]) {
    const input = { id, expectedVersion: 1, ...(mutation !== 'updateComplianceRecord' && { rationale }) }
    const errors = await userErrors(stranger, mutation, input)
    expect(errors).toMatchObject([{ code: 'NOT_FOUND', field: ['id'] }])
  }
  expect(await stored(id)).toMatchObject({ status: 'PENDING', version: 1 })
})

test('who may only read records cannot decide', async () => {
  const { id } = await added()
  const viewer = await acme.as('VIEWER')
  const { errors } = await viewer.query(
    'mutation ($id: ID!) { approveComplianceRecord(input: { id: $id, expectedVersion: 1, rationale: "x" }) { complianceRecord { id } } }',
    { id },
  )
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect(await stored(id)).toMatchObject({ status: 'PENDING', version: 1 })
})

describe('a list', () => {
  let reader: TestClient
  let creator: string
  const rows = Array.from({ length: 13 }, (_, place) => ({
    id: `019b76da-a800-7000-8000-${String(place).padStart(12, '0')}`,
    type: ['AML', 'KYC', 'OFAC', 'OTHER'][place % 4],
    status: place % 3 === 0 ? 'PENDING' : 'FLAGGED',
    risk_score: place % 5 === 0 ? null : 1 + (place % 3),
    data: { place },
    created_at: `2026-01-0${1 + (place % 2)}T00:00:00Z`,
  }))

  beforeAll(async () => {
    const tenant = await graph.tenant('lists')
    reader = await tenant.as('COMPLIANCE_OFFICER')
    creator = (await tenant.user('USER')).userId
    const authored = rows.map((row) => ({ ...row, created_by_id: creator, prepared_by_id: creator }))
    await prepareRows(graph, tenant.id, 'compliance.compliance_records', authored)
  })

  test.each(
    ['CREATED_AT', 'UPDATED_AT', 'RISK_SCORE', 'STATUS'].flatMap((field) => [
      [field, 'ASC'],
      [field, 'DESC'],
    ]),
  )(
    'by %s %s comes whole, each row once, in the same order in pages and at once',
    async (field, direction) => {
      const order = `orderBy: { field: ${field}, direction: ${direction} }`
      const inPages = await readAll(reader, 'complianceRecords', 'id', order, 2)
      expect(inPages).toEqual(await readAll(reader, 'complianceRecords', 'id', order, 100))
      expect(new Set(inPages.map((row) => row['id']))).toEqual(new Set(rows.map((row) => row.id)))
      expect(inPages).toHaveLength(rows.length)
    },
  )

  test.each([
    ['type: { in: [AML, OFAC] }, status: { in: [PENDING] }', [0, 6, 12]],
    ['status: { in: [] }', []],
    ['riskScore: { gte: 2, lte: 2 }', [1, 4, 7]],
    ['createdAt: { gte: "2026-01-02T00:00:00Z" }, type: { in: [KYC] }', [1, 5, 9]],
    ['reviewedById: { eq: "019b76da-a800-7000-8000-000000000001" }', []],
  ])('filter { %s }', async (filter, expected) => {
    const read = await readAll(reader, 'complianceRecords', 'data', `filter: { ${filter} }`, 100)
    const places = read.map((row) => (row['data'] as { place: number }).place)
    expect(places.sort((a, b) => a - b)).toEqual(expected)
  })

  test('by creator', async () => {
    const args = `filter: { createdById: { eq: "${creator}" } }`
    expect(await readAll(reader, 'complianceRecords', 'id', args, 100)).toHaveLength(rows.length)
  })

  test('many records with their creators take one statement in each subgraph', async () => {
    const statements = await graph.statementsDuring(() =>
      reader.data('{ complianceRecords { nodes { id createdBy { email } reviewedBy { email } } } }'),
    )
    expect(statements.map(({ role }) => role).filter((role) => role !== 'gateway')).toEqual([
      'compliance',
      'identity',
    ])
  })
})
