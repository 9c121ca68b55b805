import { openBlobs } from '../../kernel/blobs/open-blobs'
import type { Database } from '../../kernel/connection/database'
import { uuidv7 } from '../../kernel/id'
import { sealDue } from '../../kernel/sealing/seal-due'
import { tokenKeys } from '../../kernel/sign-in/token-keys'
import { generateKeyPairSync } from 'node:crypto'
import { maskedNetwork, networkFault } from '../../subgraphs/compliance/alerts/network'
import { trailWatch } from '../../subgraphs/compliance/jobs/trail-watch'
import {
  actOnAlert,
  alertTransitions,
  type AlertAction,
  type AlertStatus,
} from '../../subgraphs/compliance/rules/alert'
import { gapOf } from '../../subgraphs/compliance/rules/suspicion'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, readAll, userErrors } from '../support/lists'

/** Issue 17: the product watches itself; alerts are grouped, worked on by somebody else, and silenced for a while. */
let graph: TestGraph
let acme: TestTenant
let service: TestClient
let officer: TestClient
let database: Database

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
  service = await acme.as('ADMIN')
  officer = await acme.as('COMPLIANCE_OFFICER')
})
afterAll(() => graph?.close())

interface Alert {
  id: string
  version: number
  occurrences: number
}
const shown = 'securityAlert { id version occurrences }'
let count = 0
const seen = (values: object = {}) => ({
  alertType: 'PORT_SCAN',
  severity: 'MEDIUM',
  description: 'Many ports from one address',
  fingerprint: `scan ${++count}`,
  ...values,
})
const raise = (values: object = {}) => change<Alert>(service, 'raiseSecurityAlert', seen(values), shown)
/** Says that so many minutes have passed since it was seen last. */
const ago = (fingerprint: string, minutes: number) =>
  graph.owner.query('UPDATE compliance.alert_groups SET last_seen_at = $2 WHERE fingerprint = $1', [
    fingerprint,
    new Date(graph.clock.now().getTime() - minutes * 60_000).toISOString(),
  ])
const statusOf = async (id: string) =>
  (
    await officer.data<{ alert: Record<string, unknown> }>(
      `query ($id: ID!) { alert: securityAlert(id: $id) { status version occurrences severity isThreat verdict note sourceIp
      sourceNetwork lastSeenAt reopenedAt assignee { id } resolvedBy { id } } }`,
      { id },
    )
  ).alert

test('what each action makes of each status, and nothing else', () => {
  const allowed = (['OPEN', 'ACKNOWLEDGED', 'INVESTIGATING', 'RESOLVED'] as AlertStatus[]).flatMap((status) =>
    (Object.keys(alertTransitions) as AlertAction[]).flatMap((action) => {
      const outcome = actOnAlert({ status, userId: 'a', reopenedAt: null }, 'b', action)
      expect(actOnAlert({ status, userId: 'b', reopenedAt: null }, 'b', action)).toHaveProperty('fault')
      return 'status' in outcome ? `${status} ${action} → ${outcome.status}` : []
    }),
  )
  expect(allowed).toEqual([
    'OPEN ACKNOWLEDGE → ACKNOWLEDGED',
    'OPEN ASSIGN → OPEN',
    'OPEN INVESTIGATE → INVESTIGATING',
    'ACKNOWLEDGED ASSIGN → ACKNOWLEDGED',
    'ACKNOWLEDGED INVESTIGATE → INVESTIGATING',
    'ACKNOWLEDGED RESOLVE → RESOLVED',
    'INVESTIGATING ASSIGN → INVESTIGATING',
    'INVESTIGATING RESOLVE → RESOLVED',
    'RESOLVED REOPEN → OPEN',
  ])
})

test('a hundred at once are one alert that was seen a hundred times, and later ones another', async () => {
  const same = seen({ fingerprint: 'storm' })
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => change<Alert>(service, 'raiseSecurityAlert', same, shown)),
  )
  const [id] = [...new Set(answers.map((alert) => alert.id))]
  expect(new Set(answers.map((alert) => alert.id)).size).toBe(1)
  expect(answers.map(({ occurrences }) => occurrences).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 100 }, (_, place) => place + 1),
  )
  expect(await statusOf(id!)).toMatchObject({ occurrences: 100, version: 1 })
  await ago(same.fingerprint, 59)
  expect(await change<Alert>(service, 'raiseSecurityAlert', same, shown)).toEqual({
    id,
    version: 1,
    occurrences: 101,
  })
  // Worse than before: as bad as the worst.
  await change(service, 'raiseSecurityAlert', { ...same, severity: 'HIGH', isThreat: true }, shown)
  await change(service, 'raiseSecurityAlert', { ...same, severity: 'LOW' }, shown)
  expect(await statusOf(id!)).toMatchObject({ severity: 'HIGH', isThreat: true, occurrences: 103 })
  await ago(same.fingerprint, 60)
  const later = await change<Alert>(service, 'raiseSecurityAlert', same, shown)
  expect(later).toMatchObject({ occurrences: 1 })
  expect(later.id).not.toBe(id)
})

test('a key makes a repetition count once', async () => {
  const input = seen({ idempotencyKey: 'once' })
  const [one, other] = [
    await change<Alert>(service, 'raiseSecurityAlert', input, shown),
    await change<Alert>(service, 'raiseSecurityAlert', input, shown),
  ]
  expect(other).toEqual(one)
  expect(await statusOf(one.id)).toMatchObject({ occurrences: 1 })
})

test('an alert is acknowledged, assigned, investigated, resolved, and opened again once', async () => {
  const { id } = await raise()
  const at = (expectedVersion: number, values: object = {}) => ({ id, expectedVersion, ...values })
  const verdict = { verdict: 'FALSE_POSITIVE', note: 'Our own scanner' }
  expect(await userErrors(officer, 'resolveSecurityAlert', at(1, verdict))).toMatchObject([
    { code: 'WRONG_STATUS', field: ['id'] },
  ])
  await change(officer, 'acknowledgeSecurityAlert', at(1), shown)
  await change(officer, 'assignSecurityAlert', at(2, { assigneeId: officer.userId }), shown)
  await change(officer, 'investigateSecurityAlert', at(3), shown)
  await change(officer, 'resolveSecurityAlert', at(4, verdict), shown)
  expect(await statusOf(id)).toMatchObject({
    ...{ status: 'RESOLVED', version: 5, ...verdict, assignee: { id: officer.userId } },
    resolvedBy: { id: officer.userId },
  })
  await change(officer, 'reopenSecurityAlert', at(5), shown)
  expect(await statusOf(id)).toMatchObject({ status: 'OPEN', verdict: null, resolvedBy: null })
  await change(officer, 'investigateSecurityAlert', at(6), shown)
  await change(officer, 'resolveSecurityAlert', at(7, { ...verdict, verdict: 'TRUE_POSITIVE' }), shown)
  expect(await userErrors(officer, 'reopenSecurityAlert', at(8))).toMatchObject([{ code: 'WRONG_STATUS' }])
  expect(await statusOf(id)).toMatchObject({ status: 'RESOLVED', isThreat: true, version: 8 })
})

test('what is seen again after it was resolved is a new alert', async () => {
  const input = seen()
  const { id } = await change<Alert>(service, 'raiseSecurityAlert', input, shown)
  await change(officer, 'acknowledgeSecurityAlert', { id, expectedVersion: 1 }, shown)
  await change(
    officer,
    'resolveSecurityAlert',
    { id, expectedVersion: 2, verdict: 'BENIGN', note: 'Known' },
    shown,
  )
  const next = await change<Alert>(service, 'raiseSecurityAlert', input, shown)
  expect(next.id).not.toBe(id)
  expect((await change<Alert>(service, 'raiseSecurityAlert', input, shown)).id).toBe(next.id)
})

test('whom an alert is about does nothing with it, and is not given it', async () => {
  const suspect = await acme.user('COMPLIANCE_OFFICER')
  const { id } = await raise({ userId: suspect.userId })
  for (const mutation of ['acknowledgeSecurityAlert', 'investigateSecurityAlert'])
    expect(await userErrors(suspect, mutation, { id, expectedVersion: 1 })).toMatchObject([
      { code: 'OWN_RECORD' },
    ])
  const assign = { id, expectedVersion: 1, assigneeId: suspect.userId }
  expect(await userErrors(officer, 'assignSecurityAlert', assign)).toMatchObject([
    { code: 'OWN_RECORD', field: ['assigneeId'] },
  ])
  expect(await statusOf(id)).toMatchObject({ status: 'OPEN', version: 1, assignee: null })
  expect(await userErrors(officer, 'acknowledgeSecurityAlert', { id, expectedVersion: 1 })).toEqual([])
})

test.each([
  ['192.0.2.17', '192.0.2.0/24'],
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['2001:db8:7:8::1', '2001:db8:7::/48'],
  ['::1', '0:0:0::/48'],
  ['2001:db8::/32', '2001:db8::/32'],
])(
  'the address %s is stored as it is, and %s is shown to those without details',
  async (sourceIp, network) => {
    const { id } = await raise({ sourceIp })
    expect(await statusOf(id)).toMatchObject({ sourceIp, sourceNetwork: network })
    const { rows } = await graph.owner.query<{ type: string }>(
      'SELECT pg_typeof(source_ip)::text AS type FROM compliance.security_alerts WHERE id = $1',
      [id],
    )
    expect(rows).toEqual([{ type: 'inet' }])
  },
)

test.each([
  '192.0.2.256',
  '192.0.2.1/33',
  '2001:db8::/129',
  'fe80::1%eth0',
  '1.2.3',
  'x',
  '1.1.1.1/2/3',
  '::1/',
])('the address %s is refused by its field, and nothing is raised', async (sourceIp) => {
  const input = seen({ sourceIp })
  expect(await userErrors(service, 'raiseSecurityAlert', input)).toEqual([
    {
      code: 'INVALID',
      field: ['sourceIp'],
      message: 'sourceIp must be an IPv4 or IPv6 address, or a network such as 192.0.2.0/24',
    },
  ])
  const args = `filter: { fingerprint: { eq: "${input.fingerprint}" } }`
  expect(await readAll(officer, 'securityAlerts', 'id', args)).toEqual([])
})

test('networks are told apart from what is none, as PostgreSQL does', async () => {
  for (const text of ['0.0.0.0/0', '255.255.255.255/32', '::ffff:192.0.2.1', '::/0', '2001:DB8::1/128']) {
    expect(networkFault(text)).toBeNull()
    await graph.owner.query('SELECT $1::inet', [text])
  }
  expect(maskedNetwork('::ffff:192.0.2.1')).toBe('0:0:0::/48')
})

test('a suppression counts and does not tell, ends by itself, and never holds back what is CRITICAL', async () => {
  const alertType = 'NOISE'
  const until = (days: number) => new Date(graph.clock.now().getTime() + days * 86_400_000).toISOString()
  const make = { alertType, until: until(1), reason: 'A test of the network' }
  for (const [mistaken, field] of [
    [{ ...make, until: until(31) }, 'until'],
    [{ ...make, until: until(-1) }, 'until'],
    [{ ...make, alertType: 'noise' }, 'alertType'],
  ] as const)
    expect(await userErrors(officer, 'createAlertSuppression', mistaken)).toMatchObject([
      { code: 'INVALID', field: [field] },
    ])
  const made = await change<{ id: string }>(
    officer,
    'createAlertSuppression',
    make,
    'alertSuppression { id }',
  )
  const told = async (severity: string) =>
    (
      await service.data<{ payload: { securityAlert: object | null; isSuppressed: boolean } }>(
        `mutation ($input: RaiseSecurityAlertInput!) { payload: raiseSecurityAlert(input: $input) { securityAlert { severity } isSuppressed } }`,
        { input: seen({ alertType, severity }) },
      )
    ).payload
  expect(await told('HIGH')).toEqual({ securityAlert: null, isSuppressed: true })
  expect(await told('CRITICAL')).toEqual({ securityAlert: { severity: 'CRITICAL' }, isSuppressed: false })
  const found = await readAll(officer, 'alertSuppressions', 'id suppressed version createdBy { id }')
  expect(found).toEqual([{ id: made.id, suppressed: 1, version: 1, createdBy: { id: officer.userId } }])
  const hoursPass = (hours: number) =>
    graph.owner.query('UPDATE compliance.alert_suppressions SET until = until - make_interval(hours => $1)', [
      hours,
    ])
  await hoursPass(23)
  expect(await told('LOW')).toMatchObject({ isSuppressed: true })
  await hoursPass(1)
  expect(await told('LOW')).toEqual({ securityAlert: { severity: 'LOW' }, isSuppressed: false })
  await hoursPass(-1)
  await change(
    officer,
    'endAlertSuppression',
    { id: made.id, expectedVersion: 1 },
    'alertSuppression { until }',
  )
  expect(await told('LOW')).toMatchObject({ isSuppressed: false })
})

test('alerts and those they are about take one statement in each subgraph', async () => {
  await raise({ userId: officer.userId })
  const statements = await graph.statementsDuring(() =>
    officer.data('{ securityAlerts { nodes { id severity user { email } assignee { email } } } }'),
  )
  expect(statements.map(({ role }) => role)).toEqual(['compliance', 'identity'])
  const nested = await graph.statementsDuring(() =>
    officer.data('{ users { nodes { id securityAlerts { nodes { id } } } } }'),
  )
  expect(nested.map(({ role }) => role)).toEqual(['identity', 'compliance'])
})

describe('the product watches itself', () => {
  let tenant: TestTenant
  let watcher: TestClient
  let tenants = 0
  const keys = tokenKeys(generateKeyPairSync('ed25519').privateKey)
  beforeEach(async () => {
    tenant = await graph.tenant(`watched-${++tenants}`)
    watcher = await tenant.as('COMPLIANCE_OFFICER')
  })

  const add = (
    count_: number,
    action: string,
    values: { user?: string; actor?: string; changes?: object; at?: Date } = {},
  ) =>
    graph.owner.query(
      `INSERT INTO shared.audit_logs (tenant_id, id, occurred_at, actor_id, action, resource_type, resource_id, changes, ip_address)
       SELECT $1, id, $3, $4, $5, 'User', $6, $7, '192.0.2.9' FROM unnest($2::uuid[]) AS id`,
      [
        ...[
          tenant.id,
          Array.from({ length: count_ }, () => uuidv7()),
          (values.at ?? new Date()).toISOString(),
        ],
        ...[values.actor ?? null, action, values.user ?? null, JSON.stringify(values.changes ?? {})],
      ],
    )
  const watch = async () => {
    const { clock, log } = graph.server.services
    const blobs = openBlobs({ s3: null, dataDir: graph.config.dataDir })
    await sealDue({ database, blobs, keys, clock, log }, [tenant.id])
    await runJob(trailWatch, database, graph.server.services, { tenantId: tenant.id })
    return readAll(
      watcher,
      'securityAlerts',
      'alertType severity occurrences isThreat user { id } sourceIp',
      '',
      100,
    )
  }

  test('a refresh token that comes again', async () => {
    expect(await watch()).toEqual([])
    await add(1, 'SIGN_OUT', { user: uuidv7(), changes: { after: { reason: 'REFRESH_TOKEN_REUSED' } } })
    const alert = {
      ...{ alertType: 'REFRESH_TOKEN_REUSED', severity: 'HIGH', occurrences: 1, isThreat: true, user: null },
      sourceIp: '192.0.2.9',
    }
    expect(await watch()).toEqual([alert])
    // Each entry is looked at once.
    expect(await watch()).toEqual([alert])
  })

  test('a passkey whose counter goes back', async () => {
    const changes = { after: { reason: 'PASSKEY_COPIED', credentialId: uuidv7() } }
    await add(1, 'SIGN_IN_FAILED', { user: watcher.userId, changes })
    expect(await watch()).toEqual([
      {
        ...{ alertType: 'PASSKEY_COPIED', severity: 'HIGH', occurrences: 1, isThreat: true },
        ...{ user: { id: watcher.userId }, sourceIp: '192.0.2.9' },
      },
    ])
  })

  test.each([
    ['SIGN_IN_FAILED', 'LOCK_OUT', 20],
    ['DENY', 'DENIAL_BURST', 20],
  ])('%s as often as %s says, and not once less', async (action, alertType, most) => {
    const about = action === 'DENY' ? { actor: watcher.userId } : { user: watcher.userId }
    await add(most - 1, action, about)
    expect(await watch()).toEqual([])
    await add(1, action, about)
    expect(await watch()).toMatchObject([{ alertType, severity: 'MEDIUM', user: { id: watcher.userId } }])
    await add(most - 1, action, { ...about, at: new Date(Date.now() + 3_600_000) })
    expect(await watch()).toHaveLength(1)
  })

  test('many protected records read by one user within an hour', async () => {
    const read = (rows: number) => ({ read: { fields: ['x'], ids: Array.from({ length: rows }, () => 'x') } })
    await add(19, 'VIEW', { actor: watcher.userId, changes: read(100) })
    await add(1, 'VIEW', { actor: watcher.userId, changes: read(99) })
    // What a stream shows again when others change it is nobody's reading of many (live 2).
    await add(1, 'VIEW', { actor: watcher.userId, changes: { read: { ...read(500).read, followUp: true } } })
    expect(await watch()).toEqual([])
    await add(1, 'VIEW', { actor: watcher.userId, changes: read(1) })
    expect(await watch()).toMatchObject([{ alertType: 'MASS_READ', severity: 'HIGH' }])
  })

  test('entries that were removed, in the middle and at the end, and what nobody of the tenant did', async () => {
    await add(20, 'DENY', { actor: uuidv7() })
    expect(await watch()).toMatchObject([{ alertType: 'DENIAL_BURST', user: null }])
    await add(5, 'CREATE')
    const { clock, log } = graph.server.services
    const blobs = openBlobs({ s3: null, dataDir: graph.config.dataDir })
    await sealDue({ database, blobs, keys, clock, log }, [tenant.id])
    await graph.owner.query(
      `DELETE FROM shared.audit_logs WHERE tenant_id = $1 AND position = (SELECT max(position) FROM shared.audit_logs WHERE tenant_id = $1)`,
      [tenant.id],
    )
    expect((await watch())[0]).toMatchObject({ alertType: 'AUDIT_GAP', severity: 'CRITICAL', isThreat: true })
    expect(await watch()).toHaveLength(2)
  })

  test.each([
    [[1, 2, 3], 0, 3, null],
    [[], 3, 3, null],
    [[1, 3], 0, 3, '2 to 2'],
    [[1, 2], 0, 4, '3 to 4'],
    [[1, 2], 0, null, null],
    [[6], 3, 6, '4 to 5'],
  ])('positions %j behind %i with the end %j lack %j', (positions, after, end, missing) => {
    expect(gapOf(positions, after, end)?.description.match(/\d+ to \d+/)?.[0] ?? null).toBe(missing)
  })
})
