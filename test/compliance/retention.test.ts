import { createHash } from 'node:crypto'
import type { Database } from '../../kernel/connection/database'
import { declareJobs } from '../../kernel/jobs/job'
import { uuidv7 } from '../../kernel/id'
import type { Job } from '../../kernel/jobs'
import { retentionJob } from '../../kernel/retention'
import { prepared } from '../../kernel/statement'
import { retained } from '../../subgraphs/compliance/retained'
import { isShorter, reachesYears } from '../../subgraphs/compliance/rules/retention'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, prepareRows, readAll, userErrors } from '../support/lists'

/** C3, issue 17: hold beats retention, both by two persons, decided where rows are removed; the preview is the run. */
let graph: TestGraph
let database: Database
let tenant: TestTenant
let officer: TestClient
let other: TestClient
let tenants = 0

beforeAll(async () => {
  const databases: Database[] = []
  graph = await startGraph({
    around: (name, one) => {
      if (name === 'compliance') databases.push(one)
      return one
    },
  })
  database = databases[0]!
})
afterAll(() => graph?.close())
beforeEach(async () => {
  tenant = await graph.tenant(`retention-${++tenants}`)
  officer = await tenant.user('COMPLIANCE_OFFICER')
  other = await tenant.user('COMPLIANCE_OFFICER')
})

/** Adds rejected records whose work ended at these instants, each with a decision. */
async function addRecords(ends: readonly string[], values: object = {}): Promise<string[]> {
  const records = ends.map((updated_at) => ({
    ...{ id: uuidv7(), type: 'KYC', status: 'REJECTED', data: {}, metadata: {}, updated_at },
    ...{ created_at: '2015-01-01T00:00:00Z', created_by_id: officer.userId, prepared_by_id: officer.userId },
    ...values,
  }))
  await prepareRows(graph, tenant.id, 'compliance.compliance_records', records)
  const decisions = records.map(({ id, updated_at }) => ({
    ...{ id: uuidv7(), record_id: id, action: 'REJECT', from_status: 'PENDING', to_status: 'REJECTED' },
    ...{ rationale: 'No', record_version: 1, content_digest: 'x', decided_by_id: other.userId },
    created_at: updated_at,
  }))
  await prepareRows(graph, tenant.id, 'compliance.compliance_decisions', decisions)
  return records.map(({ id }) => id)
}

const remaining = async () =>
  (
    await graph.owner.query<{ id: string; decisions: number }>(
      `SELECT r.id, (SELECT count(*)::int FROM compliance.compliance_decisions d WHERE d.record_id = r.id) AS decisions
         FROM compliance.compliance_records r WHERE r.tenant_id = $1 ORDER BY r.id`,
      [tenant.id],
    )
  ).rows

const waiting = async () =>
  (
    await graph.owner.query<{ id: string; payload: object }>(
      "DELETE FROM shared.jobs WHERE tenant_id = $1 AND name = 'retention' RETURNING id, payload",
      [tenant.id],
    )
  ).rows

/** A run at an instant, with all its parts. */
async function run(at: string, most = 2_000, between = async () => {}): Promise<void> {
  const job = retention(most)
  const services = { ...graph.server.services, clock: { now: () => new Date(at) } }
  let payloads: object[] = [{}]
  while (payloads.length > 0) {
    for (const payload of payloads) await runJob(job, database, services, { tenantId: tenant.id, payload })
    await between()
    payloads = (await waiting()).map(({ payload }) => payload)
  }
}
/** A job that asks for its next part, as one that the subgraph declared. */
const retention = (most: number) => declareJobs('compliance', [retentionJob(retained, most) as Job])[0]!

const preview = (at: string) =>
  officer
    .data<{ counts: { resourceType: string; due: number; held: number }[] }>(
      'query ($at: DateTime!) { counts: retentionPreview(at: $at) { resourceType due held } }',
      { at },
    )
    .then(({ counts }) => counts.find(({ resourceType }) => resourceType === 'ComplianceRecord'))
const receipts = () =>
  readAll(officer, 'retentionReceipts', 'subgraph dataClass resourceType removed held digest runId', '', 100)

test.each([
  ['2019-02-28T12:00:00.000Z', '2026-02-28T12:00:00.000Z', '2026-02-28T11:00:00.000Z'],
  // 29 February ends on 28 February where there is no other.
  ['2016-02-29T00:00:00.000Z', '2023-02-28T00:00:00.000Z', '2023-02-27T23:59:59.999Z'],
  // A night of 23 hours is no matter: days are those of UTC.
  ['2018-03-25T00:30:00.000Z', '2025-03-25T00:30:00.000Z', '2025-03-24T23:30:00.000Z'],
])(
  'what ended %s goes at %s and not before, with a receipt that the preview foretold',
  async (end, at, before) => {
    const [id] = await addRecords([end])
    const [open] = await addRecords(['2010-01-01T00:00:00Z'], { status: 'PENDING' })
    expect(await preview(before)).toEqual({ resourceType: 'ComplianceRecord', due: 0, held: 0 })
    await run(before)
    expect((await remaining()).map((row) => row.id).sort()).toEqual([id, open].sort())
    expect(await receipts()).toEqual([])
    expect(await preview(at)).toEqual({ resourceType: 'ComplianceRecord', due: 1, held: 0 })
    await run(at)
    expect(await remaining()).toEqual([{ id: open, decisions: 1 }])
    const receipt = {
      ...{
        subgraph: 'compliance',
        dataClass: 'COMPLIANCE',
        resourceType: 'ComplianceRecord',
        removed: 1,
        held: 0,
      },
      digest: createHash('sha256').update(id!).digest('base64url'),
    }
    expect(await receipts()).toMatchObject([receipt])
    // Again and again nothing more happens.
    await run(at)
    expect(await receipts()).toHaveLength(1)
  },
)

test('what is held by itself, by its type or by whom it is about stays until two persons release it', async () => {
  const ended = '2010-01-01T00:00:00.000Z'
  const at = '2026-01-01T00:00:00.000Z'
  const admin = await tenant.as('ADMIN')
  const customer = await change<{ id: string }>(
    admin,
    'createCustomer',
    { externalId: 'C1' },
    'customer { id }',
  )
  const [own, free] = await addRecords([ended, ended])
  const [about] = await addRecords([ended], { customer_id: customer.id })
  const placed = await change<{ id: string }>(
    officer,
    'placeLegalHold',
    {
      ...{ holdNumber: 'H-1', name: 'Claim of a customer', reason: 'A letter of 3 March' },
      subjects: [
        { resourceType: 'ComplianceRecord', resourceId: own },
        { resourceType: 'Customer', resourceId: customer.id },
      ],
    },
    'legalHold { id }',
  )
  expect(await preview(at)).toMatchObject({ due: 1, held: 2 })
  await run(at)
  expect((await remaining()).map(({ id }) => id).sort()).toEqual([own, about].sort())
  expect(await receipts()).toMatchObject([
    { removed: 1, held: 2, digest: createHash('sha256').update(free!).digest('base64url') },
  ])
  const all = { id: placed.id, expectedVersion: 1, subjects: [{ resourceType: 'ComplianceRecord' }] }
  expect(await userErrors(officer, 'extendLegalHold', all)).toEqual([])
  const [later] = await addRecords([ended])
  await run(at)
  expect((await remaining()).map(({ id }) => id)).toContain(later)

  const version = async () =>
    (await officer.data<{ hold: { version: number } }>(`{ hold: legalHold(id: "${placed.id}") { version } }`))
      .hold.version
  const propose = { id: placed.id, expectedVersion: await version(), releaseReason: 'Settled' }
  await change(officer, 'proposeHoldRelease', propose, 'legalHold { id }')
  const release = { id: placed.id, expectedVersion: await version() }
  expect(await userErrors(officer, 'releaseLegalHold', release)).toMatchObject([
    { code: 'OWN_RECORD', field: ['id'] },
  ])
  await run(at)
  expect(await remaining()).toHaveLength(3)
  await change(other, 'releaseLegalHold', release, 'legalHold { status }')
  // Releasing removes nothing.
  expect(await remaining()).toHaveLength(3)
  await run(at)
  expect(await remaining()).toEqual([])
  const subjects = await readAll(officer, 'heldSubjects', 'resourceType releasedAt hold { status }', '', 100)
  expect(subjects.map(({ releasedAt }) => releasedAt !== null)).toEqual([true, true, true])
})

test('a hold that is placed during a run leaves no half: parts before it are gone whole, nothing goes after', async () => {
  const count = 3_000
  await addRecords(Array.from({ length: count }, () => '2010-01-01T00:00:00.000Z'))
  let parts = 0
  let atHold = -1
  await run('2026-01-01T00:00:00.000Z', 500, async () => {
    parts += 1
    if (parts !== 2) return
    const next = retention(500)
    const [job] = await waiting()
    const services = { ...graph.server.services, clock: { now: () => new Date('2026-01-01T00:00:00.000Z') } }
    // At once: one of them waits for the other.
    const hold = {
      holdNumber: 'H-2',
      name: 'All',
      reason: 'A letter',
      subjects: [{ resourceType: 'ComplianceRecord' }],
    }
    await Promise.all([
      runJob(next, database, services, { tenantId: tenant.id, payload: job!.payload }),
      change(officer, 'placeLegalHold', hold, 'legalHold { id }').then(async () => {
        atHold = (await remaining()).length
      }),
    ])
  })
  const rest = await remaining()
  expect([count - 1_000, count - 1_500]).toContain(rest.length)
  expect(rest.length).toBe(atHold)
  expect(rest.filter(({ decisions }) => decisions !== 1)).toEqual([])
  const removed = (await receipts()).reduce((sum, receipt) => sum + Number(receipt['removed']), 0)
  expect(removed).toBe(count - rest.length)
  const { rows } = await graph.owner.query<{ orphans: number }>(
    `SELECT count(*)::int AS orphans FROM compliance.compliance_decisions d WHERE tenant_id = $1
       AND NOT EXISTS (SELECT FROM compliance.compliance_records r WHERE r.id = d.record_id)`,
    [tenant.id],
  )
  expect(rows).toEqual([{ orphans: 0 }])
})

test('the database itself removes neither what is young nor what is held', async () => {
  const [young, held] = await addRecords(['2020-01-01T00:00:00.000Z', '2010-01-01T00:00:00.000Z'])
  const subjects = [{ resourceType: 'ComplianceRecord', resourceId: held }]
  await change(
    officer,
    'placeLegalHold',
    { holdNumber: 'H', name: 'N', reason: 'R', subjects },
    'legalHold { id }',
  )
  const remove = (id: string) =>
    database.rows(
      { tenantId: tenant.id },
      prepared('SELECT compliance.remove_old_records($1, $2)', [[id], '2026-01-01T00:00:00Z']),
    )
  await expect(remove(young!)).rejects.toThrow('a record is kept for seven years after it was decided')
  await expect(remove(held!)).rejects.toThrow('a record is held')
  expect(await remaining()).toHaveLength(2)
})

test('a policy is proposed by one and approved by another, never below the law, and shorter ones with notice', async () => {
  const propose = (values: object) => ({ dataClass: 'LOG', unit: 'DAY', keepFor: 60, ...values })
  for (const [values, years] of [
    [{ dataClass: 'COMPLIANCE', unit: 'YEAR', keepFor: 6 }, 7],
    [{ dataClass: 'FINANCIAL', unit: 'MONTH', keepFor: 83 }, 7],
    [{ dataClass: 'AUDIT', unit: 'DAY', keepFor: 3_652 }, 10],
  ] as const)
    expect(await userErrors(officer, 'proposeRetentionPolicy', propose(values))).toEqual([
      {
        code: 'INVALID',
        field: ['keepFor'],
        message: `keepFor must be at least ${years} years: the law demands it`,
      },
    ])
  const shown = 'retentionPolicy { id version status effectiveAt legalFloorYears }'
  const decided = async (values: object) => {
    const made = await change<{ id: string }>(officer, 'proposeRetentionPolicy', propose(values), shown)
    const approve = { id: made.id, expectedVersion: 1 }
    expect(await userErrors(officer, 'approveRetentionPolicy', approve)).toMatchObject([
      { code: 'OWN_RECORD', field: ['id'] },
    ])
    const approved = await change<{ effectiveAt: string }>(other, 'approveRetentionPolicy', approve, shown)
    return (Date.parse(approved.effectiveAt) - graph.clock.now().getTime()) / 86_400_000
  }
  expect(Math.round(await decided({ keepFor: 60 }))).toBe(30)
  expect(Math.abs(Math.round(await decided({ dataClass: 'COMPLIANCE', unit: 'YEAR', keepFor: 10 })))).toBe(0)
  const [id] = await addRecords(['2016-06-01T00:00:00.000Z'])
  expect(await preview('2026-05-31T23:00:00.000Z')).toMatchObject({ due: 1 })
  const now = graph.clock.now().toISOString()
  await graph.owner.query(
    "UPDATE shared.retention_rules SET effective_at = '2026-01-01' WHERE tenant_id = $1 AND effective_at <= $2",
    [...[tenant.id, now]],
  )
  expect(await preview('2026-05-31T23:00:00.000Z')).toMatchObject({ due: 0 })
  expect(await preview('2026-06-01T00:00:00.000Z')).toMatchObject({ due: 1 })
  expect((await remaining()).map((row) => row.id)).toEqual([id])
  const withdrawn = await change<{ id: string }>(officer, 'proposeRetentionPolicy', propose({}), shown)
  const seen = { id: withdrawn.id, expectedVersion: 1 }
  await change(officer, 'withdrawRetentionPolicy', seen, shown)
  expect(await userErrors(other, 'approveRetentionPolicy', { ...seen, expectedVersion: 2 })).toMatchObject([
    { code: 'WRONG_STATUS' },
  ])
})

test.each([
  [7, 'YEAR', 7, true],
  [6, 'YEAR', 7, false],
  [84, 'MONTH', 7, true],
  [2_556, 'DAY', 7, false],
  [2_557, 'DAY', 7, true],
] as const)('%i %s reach %i years: %s', (keepFor, unit, years, isEnough) => {
  expect(reachesYears(keepFor, unit, years)).toBe(isEnough)
})

test('a time that may be shorter needs notice', () => {
  expect(isShorter({ keepFor: 365, unit: 'DAY' }, { keepFor: 1, unit: 'YEAR' })).toBe(true)
  expect(isShorter({ keepFor: 366, unit: 'DAY' }, { keepFor: 1, unit: 'YEAR' })).toBe(false)
  expect(isShorter({ keepFor: 1, unit: 'YEAR' }, { keepFor: 90, unit: 'DAY' })).toBe(false)
})

test('holds with what they hold, and policies, take one statement for each list', async () => {
  const subjects = [{ resourceType: 'Customer' }]
  for (const holdNumber of ['A', 'B'])
    await change(
      officer,
      'placeLegalHold',
      { holdNumber, name: 'N', reason: 'R', subjects },
      'legalHold { id }',
    )
  const statements = await graph.statementsDuring(() =>
    officer.data('{ legalHolds { nodes { id subjects { nodes { resourceType } } placedBy { email } } } }'),
  )
  expect(statements.map(({ role }) => role).sort()).toEqual(['compliance', 'compliance', 'identity'])
  const policies = await graph.statementsDuring(() =>
    officer.data('{ retentionPolicies { nodes { id } } retentionReceipts { nodes { id } } }'),
  )
  expect(policies.map(({ role }) => role)).toEqual(['compliance', 'compliance'])
})
