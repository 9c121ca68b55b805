import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { encryptRows } from '../../database/encrypt-rows'
import type { Database } from '../../kernel/connection/database'
import { uuidv7 } from '../../kernel/id'
import { retentionDefaults } from '../../kernel/retention'
import { entityModels, type ColumnModel } from '../../kernel/schema/entity-model'
import { keptAs, sensitiveClasses } from '../../kernel/sensitive/classes'
import { collectorsOf, type Collector } from '../../kernel/subjects/collectors'
import { subgraphs } from '../../subgraphs'
import { startWithJobs } from '../support/asked-jobs'
import type { TestClient, TestGraph, TestTenant } from '../support/graph'
import { change, prepareRows } from '../support/lists'

/**
 * C3, issue 17: whatever personal field a type has, it is found for its person, and gone after erasure. A value stands in
 * every personal column of every type; then every table and file is searched.
 */
let graph: TestGraph
let databases: ReadonlyMap<string, Database>
let work: (tenant: TestTenant, ...names: string[]) => Promise<void>
let once: (tenant: TestTenant, subgraph: string, name: string) => Promise<void>
const collectors = new Map<string, Collector>()
let acme: TestTenant
let officers: (TestClient & { email: string; password: string })[]

beforeAll(async () => {
  ;({ graph, databases, work, once } = await startWithJobs())
  for (const { name, subjects, retained } of subgraphs)
    for (const collector of collectorsOf(entityModels(databases.get(name)!.dataSource), subjects, retained))
      collectors.set(collector.model.name, collector)
  acme = await graph.tenant('acme')
  officers = [await acme.user('COMPLIANCE_OFFICER'), await acme.user('COMPLIANCE_OFFICER')]
})
afterAll(() => graph?.close())

const personal = subgraphs.flatMap(({ entities, sensitive }) =>
  [...sensitive]
    .filter(([type]) => entities.some(({ name }) => name === type))
    .map(([type, fields]) => ({ type, classes: [...fields.values()] })),
)

test('C3 every type with a personal field has a collector, and every subgraph the job that asks it', () => {
  expect(personal.map(({ type }) => type).filter((type) => !collectors.has(type))).toEqual([])
  for (const { name, jobs } of subgraphs)
    expect([name, jobs.filter((job) => job.name === 'subject-data').length]).toEqual([name, 1])
})

test('C3 what a class keeps for a time is kept for that time, whatever type has a field of it', () => {
  const short = personal.flatMap(({ type, classes }) => {
    const demanded = classes.map((name) => keptAs[sensitiveClasses[name].retention])
    const years = Math.max(...demanded.map((kept) => (kept ? retentionDefaults[kept].keepFor : 0)))
    const kept = collectors.get(type)?.kept?.dataClass
    return years > (kept ? retentionDefaults[kept].keepFor : 0) ? [`${type} is kept as ${kept}`] : []
  })
  expect(short).toEqual([])
})

const ids = new Map<string, string>()
const idOf = (type: string) => ids.get(type) ?? ids.set(type, uuidv7()).get(type)!
const long = '2016-03-01T09:00:00.000Z'

/** What a row needs besides its personal columns: rows of long ago, whose times are over. */
const rows: Readonly<Record<string, () => Record<string, unknown>>> = {
  User: () => ({
    ...{ external_id: 'canary external', full_name_override: 'canary name', password_hash: 'canary hash' },
    mfa_secret: 'canary secret',
    status: 'SUSPENDED',
    kind: 'PERSON',
    avatar_url: 'https://canary.example/me.png',
  }),
  Session: () => ({ user_id: idOf('User'), last_seen_at: long, expires_at: long }),
  Employee: () => ({
    ...{ employee_number: 'E-1', user_id: idOf('User'), hire_date: '2010-01-01' },
    ...{ termination_date: '2016-03-01', is_active: false, salary_currency: 'EUR' },
    ...{ performance_score: 98.7654, retention_risk: 0.987654 },
  }),
  LeaveRequest: () => ({
    ...{ request_number: 'L-1', employee_id: idOf('Employee'), leave_type_id: idOf('LeaveType') },
    ...{ start_date: '2015-01-05', end_date: '2015-01-05', days: '1' },
  }),
  AttendanceRecord: () => ({
    ...{ employee_id: idOf('Employee'), work_date: '2015-01-06', clock_in_at: long },
    ...{ time_zone: 'UTC', source: 'WEB' },
  }),
  OvertimeRecord: () => ({
    ...{ employee_id: idOf('Employee'), attendance_id: idOf('AttendanceRecord'), work_date: '2015-01-06' },
    ...{ kind: 'DAILY', minutes: 60, exact_minutes: 60, factor: '1' },
  }),
  RemoteWorkSession: () => ({
    ...{ employee_id: idOf('Employee'), work_date: '2015-01-07', last_date: '2015-01-07' },
    ...{ time_zone: 'UTC', country_code: 'DE', kind: 'HOME', status: 'CANCELLED' },
  }),
  Customer: () => ({
    ...{ company: 'canary company', full_name_override: 'canary name' },
    external_id: 'C-1',
    first_seen_at: long,
    last_seen_at: long,
  }),
  CustomerInteraction: () => ({
    ...{ customer_id: idOf('Customer'), source: 's', external_id: 'x', occurred_at: long },
    ...{ channel: 'CHAT', event_type: 'x' },
  }),
  BehaviorPattern: () => ({
    ...{ customer_id: idOf('Customer'), pattern_type: 'x', confidence: 1, detected_at: long },
  }),
  SupportTicket: () => ({
    ...{ ticket_number: 'T-1', customer_id: idOf('Customer'), priority: 'HIGH', channel: 'EMAIL' },
    ...{ language: 'en' },
  }),
  TicketMessage: () => ({
    ...{ ticket_id: idOf('SupportTicket'), conversation_id: idOf('SupportTicket') },
    ...{ is_from_customer: true, visibility: 'PUBLIC', sent_at: long, language: 'en' },
  }),
  ComplianceRecord: () => ({
    ...{ type: 'KYC', status: 'REJECTED', customer_id: idOf('Customer'), updated_at: long },
    ...{ created_by_id: officers[0]!.userId, prepared_by_id: officers[0]!.userId },
  }),
  ScreeningMatch: () => ({
    ...{ record_id: idOf('ComplianceRecord'), list_name: 'L', list_version: '1', entry_id: 'E' },
    ...{ compared_digest: 'D', score: 90, decision: 'FALSE_POSITIVE', decided_at: long },
    decided_by_id: officers[1]!.userId,
  }),
  ComplianceDecision: () => ({
    ...{ record_id: idOf('ComplianceRecord'), action: 'REJECT', from_status: 'PENDING' },
    ...{ to_status: 'REJECTED', record_version: 1, content_digest: 'D', decided_by_id: officers[1]!.userId },
  }),
  SecurityAlert: () => ({
    ...{ alert_type: 'X', severity: 'LOW', description: 'x', fingerprint: 'f', last_seen_at: long },
    ...{ user_id: idOf('User'), status: 'RESOLVED', verdict: 'BENIGN', resolved_at: long },
    ...{ resolved_by_id: officers[1]!.userId, source_ip: '203.0.113.77', destination_ip: '203.0.113.77' },
  }),
  AuditLog: () => ({ actor_id: idOf('User'), action: 'VIEW', resource_type: 'X', occurred_at: undefined }),
}
/** Requests are made by the mutations of this test: the address of who asked is a value too. */
const byMutations = ['DataSubjectRequest']

/** How the value is found in what a column holds. */
const signs = ['canary', '98765432', '98.7654', '0.987654', '203.0.113.77', '1901-02-03']
function valueOf({ property, type }: ColumnModel, name: string): unknown {
  if (type === 'jsonb') return { note: `canary ${name} ${property}` }
  if (/^(int|bigint)$/.test(type)) return '98765432'
  if (property === 'subjectBirthDate') return '1901-02-03'
  return property.toLowerCase().includes('email')
    ? `canary-${name.toLowerCase()}@mail.example`
    : `canary ${name} ${property}`
}

/** The tables and files in which a value stands, but for those of one tenant's keys. */
async function whereFound(): Promise<string[]> {
  const tables = await graph.owner.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1`,
  )
  const found: string[] = []
  for (const { name } of tables.rows) {
    const { rows: hits } = await graph.owner.query(`SELECT 1 FROM ${name} t WHERE t::text ~ $1 LIMIT 1`, [
      signs.map((sign) => sign.replaceAll('.', '\\.')).join('|'),
    ])
    if (hits.length > 0) found.push(name)
  }
  const walk = (folder: string): string[] =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name)
      if (statSync(path).isDirectory()) return walk(path)
      return signs.some((sign) => readFileSync(path).includes(sign)) ? [path] : []
    })
  return [...found, ...walk(graph.config.dataDir)]
}

let numbers = 0
/** A request from the beginning to its review, by the first officer. */
async function collected(type: string, subjectType: string, subjectId: string) {
  const selection = 'dataSubjectRequest { id version }'
  const { id } = await change<{ id: string }>(
    officers[0]!,
    'receiveDataSubjectRequest',
    {
      ...{ requestNumber: `D-${++numbers}`, type, subjectType },
      [subjectType === 'USER' ? 'userId' : 'customerId']: subjectId,
      requesterEmail: `canary${numbers}@asks.example`,
    },
    selection,
  )
  const seen = { id, expectedVersion: 1, verification: 'Known' }
  await change(officers[0]!, 'verifyDataSubjectRequest', seen, selection)
  await change(officers[0]!, 'collectDataSubjectRequest', { id, expectedVersion: 2 }, selection)
  await work(acme, 'subject-data', 'subject-answers')
  return id
}
const versionOf = async (id: string) =>
  (
    await officers[0]!.data<{ one: { version: number; status: string } }>(
      `{ one: dataSubjectRequest(id: "${id}") { version status } }`,
    )
  ).one
const decide = async (mutation: string, id: string, selection: string) =>
  change<Record<string, unknown>>(
    officers[1]!,
    mutation,
    { id, expectedVersion: (await versionOf(id)).version },
    selection,
  )

test('C3 a value in every personal column of every type is found for its person, and nowhere once it is erased', async () => {
  const types = [...collectors.values()].filter(({ emptied }) => emptied.length > 0)
  const known = [...Object.keys(rows), ...byMutations].sort()
  expect(types.map(({ model }) => model.name).sort()).toEqual(known)
  await prepareRows(graph, acme.id, 'hr.leave_types', [{ id: idOf('LeaveType'), code: 'A', name: 'A' }])
  const expected: string[] = []
  for (const [name, make] of Object.entries(rows)) {
    const { model, emptied } = collectors.get(name)!
    const row: Record<string, unknown> = { id: idOf(name), ...make() }
    for (const column of emptied) {
      const sql = column.sql.replaceAll('"', '')
      if (sql.endsWith('_index') || /_(hash|currency)$/.test(sql)) continue
      row[sql] ??= valueOf(column, name)
    }
    if (row['occurred_at'] === undefined && model.instantKey) row['occurred_at'] = new Date().toISOString()
    await prepareRows(graph, acme.id, model.table.replaceAll('"', ''), [row as never])
    expected.push(name)
  }
  // What no type shows, and is the person's all the same.
  await prepareRows(graph, acme.id, 'identity.email_changes', [
    {
      ...{ id: uuidv7(), user_id: idOf('User'), new_email: 'canary-new@mail.example', expires_at: long },
      ...{ present_hash: '0'.repeat(64), new_hash: '1'.repeat(64), permission_version: 1 },
    },
  ])
  await encryptRows(graph.owner, graph.server.services.dataKeys, graph.server.encryptedModels, {
    isClearOnly: true,
  })
  // Values stand in many tables, encrypted ones among them.
  expect((await whereFound()).length).toBeGreaterThan(8)

  const given = new Map<string, Set<string>>()
  for (const [type, subject] of [
    ['CUSTOMER', 'Customer'],
    ['USER', 'User'],
  ] as const) {
    const id = await collected('ACCESS', type, idOf(subject))
    expect(await versionOf(id)).toEqual({ version: 4, status: 'REVIEW' })
    await decide('approveDataSubjectRequest', id, 'dataSubjectRequest { id }')
    const { version } = await versionOf(id)
    const query = `mutation ($input: FulfilDataSubjectRequestInput!) { done: fulfilDataSubjectRequest(input: $input) { exportToken } }`
    const { done } = await officers[1]!.data<{ done: { exportToken: string } }>(query, {
      input: { id, expectedVersion: version },
    })
    const input = { id, expectedVersion: version + 1, token: done.exportToken }
    const text = `mutation ($input: DownloadDataSubjectRequestInput!) { file: downloadDataSubjectRequest(input: $input) { content userErrors { message } } }`
    const { file } = await officers[1]!.data<{ file: { content: string } }>(text, { input })
    const { rows: told } = JSON.parse(file.content) as { rows: { type: string; fields: object }[] }
    for (const row of told) {
      const fields = given.get(row.type) ?? new Set()
      for (const [field, value] of Object.entries(row.fields))
        if (signs.some((sign) => JSON.stringify(value).includes(sign))) fields.add(field)
      given.set(row.type, fields)
    }
  }
  for (const { model, given: told, emptied } of types) {
    if (byMutations.includes(model.name)) continue
    const wanted = emptied
      .map(({ property }) => property)
      .filter((property) => told?.properties.includes(property) && !/Currency$/.test(property))
    expect([
      model.name,
      ...[...(given.get(model.name) ?? [])].filter((one) => wanted.includes(one)).sort(),
    ]).toEqual([model.name, ...wanted.sort()])
  }

  const receipts: unknown[] = []
  for (const [type, subject] of [
    ['CUSTOMER', 'Customer'],
    ['USER', 'User'],
  ] as const) {
    const id = await collected('ERASURE', type, idOf(subject))
    await decide('approveDataSubjectRequest', id, 'dataSubjectRequest { id }')
    await decide('fulfilDataSubjectRequest', id, 'dataSubjectRequest { id }')
    await work(acme, 'subject-data', 'subject-answers')
    const { one } = await officers[0]!.data<{ one: { status: string; receipt: { types: unknown[] } } }>(
      `{ one: dataSubjectRequest(id: "${id}") { status receipt } }`,
    )
    expect(one.status).toBe('FULFILLED')
    receipts.push(...one.receipt.types)
  }
  // What the law keeps goes with its time, which is over here but for the trail; requests lose their key after a week.
  await once(acme, 'compliance', 'retention')
  graph.clock.advance({ days: 8 })
  await once(acme, 'compliance', 'ended-subject-requests')
  expect(await whereFound()).toEqual(['shared.audit_logs'])
  expect(receipts).toContainEqual(
    expect.objectContaining({
      type: 'AuditLog',
      erased: 0,
      kept: [
        expect.objectContaining({
          rows: 1,
          reason: expect.stringMatching(/^Proof of who did what/) as string,
        }),
      ],
    }),
  )
  const { rows: keys } = await graph.owner.query(
    `SELECT count(*) FILTER (WHERE wrapped IS NULL)::int AS destroyed FROM shared.data_keys WHERE tenant_id = $1 AND subject_id <> '00000000-0000-0000-0000-000000000000'`,
    [acme.id],
  )
  // The user's, and those of four requests.
  expect(keys).toEqual([{ destroyed: 5 }])
})
