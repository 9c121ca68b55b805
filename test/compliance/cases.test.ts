import type { Database } from '../../kernel/connection/database'
import type { Job } from '../../kernel/jobs'
import { screening, screeningJob } from '../../subgraphs/compliance/jobs/screening'
import { newLists, reviewDates } from '../../subgraphs/compliance/jobs/review-dates'
import type { ScreeningHit, ScreeningProvider } from '../../subgraphs/compliance/screening/provider'
import { startGraph, TestClock, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, readAll, userErrors } from '../support/lists'

/** Issue 17, C5, C7: a case with a person, lists, matches and decisions with reasons. */
let graph: TestGraph
let acme: TestTenant
let maker: TestClient
let checker: TestClient
let third: TestClient
let database: Database
/** Of the jobs alone: sessions end by the graph's. */
const clock = new TestClock()

beforeAll(async () => {
  const databases: Database[] = []
  graph = await startGraph({
    around: (name, one) => {
      if (name === 'compliance') databases.push(one)
      return one
    },
  })
  database = databases[0]!
  acme = await graph.tenant('acme')
  maker = await acme.user('COMPLIANCE_OFFICER')
  checker = await acme.user('COMPLIANCE_OFFICER')
  third = await acme.user('COMPLIANCE_OFFICER')
})
afterAll(() => graph?.close())

interface Case {
  id: string
  version: number
  status: string
}
const shown = 'complianceRecord { id version status }'
const rationale = 'Seen the papers'
let count = 0

const open = (values: object = {}): Promise<Case> =>
  change<Case>(
    maker,
    'createComplianceRecord',
    { type: 'KYC', data: { reference: ++count }, subjectName: 'Viktor Drosdov', ...values },
    shown,
  )

async function read(id: string): Promise<Record<string, unknown>> {
  const fields = `id version status listVersion screenedAt expiresAt contentVersion escalatedAt escalatedTo { id }
    matches { nodes { id version decision isCurrent entryId listedName score comment decidedBy { id } } }
    decisions { nodes { action fromStatus toStatus rationale recordVersion contentDigest decidedBy { id } } }`
  const { record } = await checker.data<{ record: Record<string, unknown> }>(
    `query ($id: ID!) { record: complianceRecord(id: $id) { ${fields} } }`,
    { id },
  )
  return record
}
const nodes = (record: Record<string, unknown>, list: 'matches' | 'decisions') =>
  (record[list] as { nodes: Record<string, unknown>[] }).nodes

const run = (job: Job<never> | Job, payload: object = {}) =>
  runJob(job as Job, database, { ...graph.server.services, clock }, { tenantId: acme.id, payload })

/** Asks for a screening, and does the job that was asked for. */
async function screen({ id, version }: Case, job: Job<never> = screening as Job<never>): Promise<Case> {
  await change(maker, 'screenComplianceRecord', { id, expectedVersion: version }, shown)
  const { rows } = await graph.owner.query<{ payload: object }>(
    `SELECT payload FROM shared.jobs WHERE name = 'screening' AND payload ->> 'recordId' = $1 ORDER BY id DESC LIMIT 1`,
    [id],
  )
  await run(job, rows[0]!.payload)
  return (await read(id)) as unknown as Case
}

const hit = (entryId: string, entryDigest = '1'): ScreeningHit => ({
  listName: 'Test',
  entryId,
  listedName: `Listed ${entryId}`,
  score: 90,
  entryDigest,
})
const finding = (...hits: ScreeningHit[]): ScreeningProvider => ({
  listVersion: () => Promise.resolve('Test 1'),
  screen: () => Promise.resolve({ listVersion: 'Test 1', hits }),
})
const jobOf = (provider: ScreeningProvider, ms?: number) => screeningJob(() => provider, ms) as Job<never>

test('a potential match is cleared by a second person, and a third approves what was seen', async () => {
  const found = await screen(await open())
  expect(found).toMatchObject({ status: 'POTENTIAL_MATCH', listVersion: 'Sample list 2026-11-01' })
  const [match] = nodes(found as never, 'matches')
  expect(match).toMatchObject({
    decision: 'OPEN',
    isCurrent: true,
    entryId: 'S-0001',
    score: 97,
    comment: null,
  })
  const decide = {
    id: match!['id'],
    expectedVersion: 1,
    decision: 'FALSE_POSITIVE',
    comment: 'Another birthplace',
  }
  expect(await userErrors(maker, 'decideScreeningMatch', decide)).toMatchObject([
    { code: 'OWN_RECORD', field: ['id'] },
  ])
  const early = { id: found.id, expectedVersion: found.version, rationale }
  expect(await userErrors(checker, 'approveComplianceRecord', early)).toMatchObject([
    { code: 'WRONG_STATUS' },
  ])
  expect((await read(found.id))['version']).toBe(found.version)
  await change(checker, 'decideScreeningMatch', decide, 'screeningMatch { id }')
  const cleared = await read(found.id)
  expect(cleared).toMatchObject({ status: 'PENDING' })
  const input = { id: found.id, expectedVersion: cleared['version'], rationale }
  await change(third, 'approveComplianceRecord', input, shown)
  const approved = await read(found.id)
  expect(nodes(approved, 'decisions')).toMatchObject([
    {
      action: 'APPROVE',
      fromStatus: 'PENDING',
      toStatus: 'APPROVED',
      rationale,
      decidedBy: { id: third.userId },
    },
    {
      action: 'CLEAR_MATCH',
      fromStatus: 'POTENTIAL_MATCH',
      toStatus: 'PENDING',
      rationale: 'Another birthplace',
      decidedBy: { id: checker.userId },
    },
  ])
  const [one, other] = nodes(approved, 'decisions')
  expect(one!['contentDigest']).toBe(other!['contentDigest'])
})

test('changed content voids an approval, and has another digest', async () => {
  const { id } = await open({ subjectName: null })
  await change(checker, 'approveComplianceRecord', { id, expectedVersion: 1, rationale }, shown)
  await change(maker, 'updateComplianceRecord', { id, expectedVersion: 2, riskScore: 5 }, shown)
  const changed = await read(id)
  expect(changed).toMatchObject({ status: 'PENDING', version: 3, contentVersion: 3, expiresAt: null })
  expect(nodes(changed, 'decisions')).toMatchObject([{ action: 'APPROVE', recordVersion: 1 }])
  await change(checker, 'approveComplianceRecord', { id, expectedVersion: 3, rationale }, shown)
  const [second, first] = nodes(await read(id), 'decisions')
  expect(second).toMatchObject({ recordVersion: 3 })
  expect(second!['contentDigest']).not.toBe(first!['contentDigest'])
})

test('a named person is approved only as screened, and an edit asks for another screening', async () => {
  const named = await open({ subjectName: 'Ada Lovelace' })
  const approve = (version: number) => ({ id: named.id, expectedVersion: version, rationale })
  expect(await userErrors(checker, 'approveComplianceRecord', approve(1))).toMatchObject([
    { code: 'NOT_SCREENED' },
  ])
  const clear = await screen(named)
  expect(clear.status).toBe('PENDING')
  const edit = { id: named.id, expectedVersion: clear.version, subjectName: 'Ada King' }
  await change(maker, 'updateComplianceRecord', edit, shown)
  expect(await userErrors(checker, 'approveComplianceRecord', approve(clear.version + 1))).toMatchObject([
    { code: 'NOT_SCREENED' },
  ])
  const again = await screen({ ...clear, version: clear.version + 1 })
  expect(await userErrors(checker, 'approveComplianceRecord', approve(again.version))).toEqual([])
  const unnamed = await open({ subjectName: null })
  expect(
    await userErrors(maker, 'screenComplianceRecord', { id: unnamed.id, expectedVersion: 1 }),
  ).toMatchObject([{ code: 'NOT_SCREENED' }])
  expect(await read(unnamed.id)).toMatchObject({ status: 'PENDING', version: 1 })
})

test.each([
  ['that never answers', () => new Promise<never>(() => undefined)],
  ['that fails', () => Promise.reject(new Error('503'))],
])('lists %s clear nobody: the record stays SCREENING and cannot be approved', async (_, answer) => {
  const record = await open()
  const provider = { listVersion: answer, screen: answer }
  await expect(screen(record, jobOf(provider, 20))).rejects.toThrow()
  const waiting = await read(record.id)
  expect(waiting).toMatchObject({ status: 'SCREENING', screenedAt: null, listVersion: null })
  const input = { id: record.id, expectedVersion: waiting['version'], rationale }
  expect(await userErrors(checker, 'approveComplianceRecord', input)).toMatchObject([
    { code: 'WRONG_STATUS' },
  ])
  expect(await read(record.id)).toEqual(waiting)
})

test('a decided match keeps its decision until person or entry change, and others do not let the record go', async () => {
  const record = await open()
  const first = await screen(record, jobOf(finding(hit('A'), hit('B'))))
  const decide = (match: Record<string, unknown>, decision: string) =>
    change(
      checker,
      'decideScreeningMatch',
      { id: match['id'], expectedVersion: match['version'], decision, comment: 'Compared' },
      'screeningMatch { id }',
    )
  const byEntry = (of: Record<string, unknown>) =>
    nodes(of, 'matches')
      .map(
        ({ entryId, decision, isCurrent }) => `${String(entryId)} ${String(decision)} ${String(isCurrent)}`,
      )
      .sort()
  const [a] = nodes(first as never, 'matches').filter(({ entryId }) => entryId === 'A')
  await decide(a!, 'FALSE_POSITIVE')
  expect(await read(record.id)).toMatchObject({ status: 'POTENTIAL_MATCH' })
  const again = await screen((await read(record.id)) as never, jobOf(finding(hit('A'))))
  expect([again.status, byEntry(again as never)]).toEqual([
    'PENDING',
    ['A FALSE_POSITIVE true', 'B OPEN false'],
  ])
  // The entry changed: it is looked at anew.
  const changed = await screen(again, jobOf(finding(hit('A', '2'))))
  expect([changed.status, byEntry(changed as never)]).toEqual([
    'POTENTIAL_MATCH',
    ['A FALSE_POSITIVE false', 'A OPEN true', 'B OPEN false'],
  ])
  const [current] = nodes(changed as never, 'matches').filter(({ isCurrent }) => isCurrent)
  await decide(current!, 'TRUE_MATCH')
  const flagged = await read(record.id)
  expect(flagged['status']).toBe('FLAGGED')
  const approve = { id: record.id, expectedVersion: flagged['version'], rationale }
  expect(await userErrors(third, 'approveComplianceRecord', approve)).toMatchObject([
    { code: 'OPEN_MATCHES' },
  ])
  const [true1] = nodes(flagged, 'matches').filter(({ decision }) => decision === 'TRUE_MATCH')
  const takeBack = {
    id: true1!['id'],
    expectedVersion: true1!['version'],
    decision: 'FALSE_POSITIVE',
    comment: 'x',
  }
  expect(await userErrors(checker, 'decideScreeningMatch', takeBack)).toMatchObject([{ code: 'OWN_RECORD' }])
  expect(await userErrors(third, 'decideScreeningMatch', takeBack)).toEqual([])
})

test('who flagged or escalated does not approve; escalation names somebody else', async () => {
  const { id } = await open({ subjectName: null })
  const to = (escalatedToId: string) => ({ id, expectedVersion: 1, rationale, escalatedToId })
  for (const user of [maker, checker])
    expect(await userErrors(checker, 'escalateComplianceRecord', to(user.userId))).toMatchObject([
      { code: 'OWN_RECORD', field: ['escalatedToId'] },
    ])
  await change(checker, 'escalateComplianceRecord', to(third.userId), shown)
  expect(await read(id)).toMatchObject({ status: 'FLAGGED', escalatedTo: { id: third.userId } })
  const approve = { id, expectedVersion: 2, rationale }
  expect(await userErrors(checker, 'approveComplianceRecord', approve)).toMatchObject([
    { code: 'OWN_RECORD' },
  ])
  expect(await read(id)).toMatchObject({ status: 'FLAGGED', version: 2 })
  expect(await userErrors(third, 'approveComplianceRecord', approve)).toEqual([])
})

test('approvals end on their day and not an hour earlier; what is overdue is escalated once', async () => {
  const { id } = await open({ subjectName: null, riskScore: 70 })
  const late = { id, expectedVersion: 1, rationale, expiresAt: '2099-01-01T00:00:00Z' }
  expect(await userErrors(checker, 'approveComplianceRecord', late)).toMatchObject([
    { code: 'INVALID', field: ['expiresAt'] },
  ])
  await change(checker, 'approveComplianceRecord', { id, expectedVersion: 1, rationale }, shown)
  const overdue = await open({
    subjectName: null,
    dueAt: new Date(clock.now().getTime() + 1_000).toISOString(),
  })
  const end = Date.parse(String((await read(id))['expiresAt']))
  const start = clock.now().getTime()
  const hours = Math.floor((end - start) / 3_600_000)
  expect(Math.round(hours / 24)).toBe(365)
  clock.advance({ hours: hours - 1 })
  await run(reviewDates)
  expect(await read(id)).toMatchObject({ status: 'APPROVED' })
  const escalated = await read(overdue.id)
  expect(escalated['escalatedAt']).not.toBeNull()
  clock.advance({ hours: 2 })
  await run(reviewDates)
  expect(await read(id)).toMatchObject({ status: 'EXPIRED', version: 3 })
  expect(await read(overdue.id)).toEqual(escalated)
  clock.advance({ hours: -hours - 1 })
})

test('new lists are looked into for people who were approved, who keep their approval without a hit', async () => {
  const clear = await screen(await open({ subjectName: 'Ada Lovelace' }), jobOf(finding()))
  const approve = { id: clear.id, expectedVersion: clear.version, rationale }
  await change(checker, 'approveComplianceRecord', approve, shown)
  await graph.owner.query("DELETE FROM shared.jobs WHERE name = 'screening'")
  await run(newLists)
  await run(newLists)
  const { rows } = await graph.owner.query<{ payload: { recordId: string } }>(
    "SELECT payload FROM shared.jobs WHERE name = 'screening'",
  )
  const asked = rows.filter(({ payload }) => payload.recordId === clear.id)
  expect(asked).toHaveLength(1)
  await run(screening as Job<never>, asked[0]!.payload)
  expect(await read(clear.id)).toMatchObject({ status: 'APPROVED', listVersion: 'Sample list 2026-11-01' })
  await run(jobOf(finding(hit('A'))), asked[0]!.payload)
  expect(await read(clear.id)).toMatchObject({ status: 'POTENTIAL_MATCH' })
})

test('what a case tells is for few, decisions are never changed, and lists take one statement', async () => {
  const analyst = await acme.as('ANALYST')
  const { data, errors } = await analyst.query(
    '{ complianceRecords { nodes { id subjectName matches { nodes { id } } decisions { nodes { action rationale } } } } }',
  )
  const [node] = (data as unknown as { complianceRecords: { nodes: Record<string, unknown>[] } })
    .complianceRecords.nodes
  expect(node).toMatchObject({ subjectName: null, matches: null })
  expect(new Set(errors!.map(({ extensions }) => extensions.code))).toEqual(new Set(['FORBIDDEN']))
  const statements = await graph.statementsDuring(() =>
    checker.data(
      '{ complianceRecords { nodes { id matches { nodes { id score } } decisions { nodes { action } } } } }',
    ),
  )
  expect(statements.map(({ role }) => role)).toEqual(['compliance', 'compliance', 'compliance'])
  const roots = await graph.statementsDuring(async () => {
    await readAll(checker, 'screeningMatches', 'id record { status }', '', 100)
    await readAll(checker, 'complianceDecisions', 'id record { status } match { score }', '', 100)
  })
  expect(roots.map(({ role }) => role)).toEqual(['compliance', 'compliance'])
  const { rows } = await graph.owner.query<{ right: string }>(
    `SELECT privilege_type AS right FROM information_schema.role_table_grants
      WHERE table_schema = 'compliance' AND table_name = 'compliance_decisions' AND grantee = 'app_compliance' ORDER BY 1`,
  )
  expect(rows.map(({ right }) => right)).toEqual(['INSERT', 'SELECT'])
})

test('names and reasons stand nowhere in clear', async () => {
  const record = await open({ subjectName: 'Canary Personne', subjectBirthDate: '1981-02-03' })
  await change(
    checker,
    'flagComplianceRecord',
    { id: record.id, expectedVersion: 1, rationale: 'Canary rationale' },
    shown,
  )
  const { rows } = await graph.owner.query<{ row: string }>(
    `SELECT to_jsonb(t)::text AS row FROM compliance.compliance_records t WHERE id = $1
     UNION ALL SELECT to_jsonb(t)::text FROM compliance.compliance_decisions t WHERE record_id = $1
     UNION ALL SELECT changes::text FROM shared.audit_logs WHERE tenant_id = $2
     UNION ALL SELECT payload::text FROM shared.outbox_events WHERE tenant_id = $2`,
    [record.id, acme.id],
  )
  expect(rows.length).toBeGreaterThan(3)
  expect(rows.filter(({ row }) => /Canary|1981/.test(row))).toEqual([])
  expect(await read(record.id)).toMatchObject({ decisions: { nodes: [{ rationale: 'Canary rationale' }] } })
})
