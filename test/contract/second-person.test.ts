import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/project-root'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { inHandOf } from '../support/hands'
import { change, userErrors } from '../support/lists'
import { mailsOf } from '../support/mails'

/**
 * K8: what takes another person takes one whose account is in nobody's hand that is concerned. What somebody gains by is in
 * test/contract/own-record.test.ts; here is what one prepares and another decides.
 */
let graph: TestGraph
let acme: TestTenant
let admin: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
})
afterAll(() => graph?.close())

/** Files of rules say who is the same person; their callers ask in whose hand the accounts are. */
const callerOf: Readonly<Record<string, string>> = {
  'compliance/rules/review.ts': 'compliance/decide.ts',
  'compliance/rules/alert.ts': 'compliance/resolvers/SecurityAlert.ts',
  'finance/rules/period.ts': 'finance/resolvers/FiscalPeriod.ts',
  // Of operators, who are made by a command alone.
  'identity/rules/administrator-reset.ts': '',
  'identity/lone-administrator.ts': '',
  // Whom a record is handed to, who is asked again when they decide.
  'compliance/resolvers/ComplianceRecord.ts': 'compliance/decide.ts',
}

it('whatever refuses with OWN_RECORD or SECOND_PERSON_NEEDED asks in whose hand the account is (K8)', () => {
  const folder = join(projectRoot, 'subgraphs')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('generated.ts'),
  )
  const textOf = (file: string) => readFileSync(join(folder, file), 'utf8')
  const refusing = files.filter((file) => /'(OWN_RECORD|SECOND_PERSON_NEEDED)'/.test(textOf(file)))
  expect(refusing.length).toBeGreaterThan(8)
  const open = refusing.filter((file) => {
    const asking = file in callerOf ? callerOf[file]! : file
    return asking !== '' && !/await require(OwnHand|NotOwn)\(/.test(textOf(asking))
  })
  expect(open).toEqual([])
})

interface Prepared {
  code: 'OWN_RECORD' | 'SECOND_PERSON_NEEDED'
  /** Takes the first step as `first`; returns the input of the second. */
  prepare(first: TestClient): Promise<Record<string, unknown>>
}

const record = async (first: TestClient) => {
  const made = { type: 'KYC', data: {} }
  return change<{ id: string }>(first, 'createComplianceRecord', made, 'complianceRecord { id }')
}
const period = async (first: TestClient) => {
  const year = 2000 + ++count
  await change(admin, 'openFiscalYear', { year }, '__typename')
  const { fiscalPeriods } = await admin.data<{ fiscalPeriods: { nodes: { id: string }[] } }>(
    `{ fiscalPeriods(first: 1, filter: { year: { eq: ${year} } }, orderBy: [{ field: STARTS_ON, direction: ASC }]) { nodes { id } } }`,
  )
  const { id } = fiscalPeriods.nodes[0]!
  await change(first, 'softCloseFiscalPeriod', { id, expectedVersion: 1 }, '__typename')
  return { id, expectedVersion: 2 }
}

const commissionRule = async (first: TestClient) => {
  const startDate = graph.clock.now().toISOString().slice(0, 10)
  const rule = { name: 'Base', type: 'PERCENTAGE', rate: '1', isStackable: true, startDate }
  const { id } = await change<{ id: string }>(first, 'createCommissionRule', rule, 'commissionRule { id }')
  return { id, expectedVersion: 1 }
}
const performance = async (first: TestClient) => {
  const of = { userId: (await acme.user('USER')).userId, periodStart: '2020-01-01', currency: 'EUR' }
  const fields = 'salesPerformance { id version }'
  const { id, version } = await change<{ id: string; version: number }>(
    admin,
    'computeSalesPerformance',
    of,
    fields,
  )
  await change(first, 'submitSalesPerformance', { id, expectedVersion: version }, fields)
  return { id, expectedVersion: version + 1 }
}

/** Mutations that take a second person, by what the first one does. */
const taking: Readonly<Record<string, Prepared>> = {
  approveComplianceRecord: {
    code: 'OWN_RECORD',
    prepare: async (first) => ({ id: (await record(first)).id, expectedVersion: 1, rationale: 'Seen' }),
  },
  approveRetentionPolicy: {
    code: 'OWN_RECORD',
    async prepare(first) {
      const policy = { dataClass: 'AUDIT', keepFor: 11 + ++count, unit: 'YEAR' }
      const { id } = await change<{ id: string }>(
        first,
        'proposeRetentionPolicy',
        policy,
        'retentionPolicy { id }',
      )
      return { id, expectedVersion: 1 }
    },
  },
  approveCommissionRule: { code: 'SECOND_PERSON_NEEDED', prepare: commissionRule },
  approveSalesPerformance: { code: 'SECOND_PERSON_NEEDED', prepare: performance },
  approveOvertimeRule: {
    code: 'OWN_RECORD',
    async prepare(first) {
      const rule = { validFrom: `${2400 + ++count}-01-01` }
      const { id } = await change<{ id: string }>(first, 'createOvertimeRule', rule, 'overtimeRule { id }')
      return { id, expectedVersion: 1 }
    },
  },
  closeFiscalPeriod: { code: 'SECOND_PERSON_NEEDED', prepare: period },
}

describe.each(Object.keys(taking))('%s (K8)', (mutation) => {
  it('is refused to whoever is in the hand of the first, has them in the own, or in a third one’s; 30 days later not', async () => {
    const { code, prepare } = taking[mutation]!
    const [first, owner] = [await acme.user('ADMIN'), await acme.user('ADMIN')]
    const input = await prepare(first)
    const refused = [{ code, field: ['id'] }]
    expect(await userErrors(first, mutation, input)).toMatchObject(refused)
    const made = await acme.user('ADMIN')
    await inHandOf(graph, made.userId, first.userId, 29)
    const maker = await acme.user('ADMIN')
    await inHandOf(graph, first.userId, maker.userId)
    const sibling = await acme.user('ADMIN')
    await inHandOf(graph, sibling.userId, owner.userId)
    await inHandOf(graph, maker.userId, owner.userId)
    const service = await acme.user('ADMIN')
    await graph.owner.query(
      `UPDATE identity.users SET kind = 'SERVICE', password_hash = NULL, email = id || '@service.invalid' WHERE id = $1`,
      [service.userId],
    )
    for (const second of [made, maker, sibling, service])
      expect(await userErrors(second, mutation, input)).toMatchObject(refused)
    const later = await acme.user('ADMIN')
    await inHandOf(graph, later.userId, first.userId, 31)
    expect(await userErrors(later, mutation, input)).toEqual([])
  })
})

/** Mutations after which somebody could let themselves into an account of another. */
const entrusting: Readonly<Record<string, (userId: string, version: number) => Promise<string> | string>> = {
  async createUser() {
    const input = { email: `made${++count}@x.example`, initialPassword: 'plentiful wombat marmalade' }
    return (await change<{ id: string }>(admin, 'createUser', input, 'user { id }')).id
  },
  inviteUser: async () => (await invite()).id,
  async renewInvitation() {
    const { id } = await invite()
    await graph.owner.query('DELETE FROM identity.entrustments WHERE user_id = $1', [id])
    await change(admin, 'renewInvitation', { id, expectedVersion: 1 }, '__typename')
    return id
  },
  async updateUser(id, expectedVersion) {
    await change(
      admin,
      'updateUser',
      { id, expectedVersion, email: `moved${++count}@x.example` },
      '__typename',
    )
    return id
  },
  async createServiceAccount() {
    return (
      await change<{ id: string }>(admin, 'createServiceAccount', { fullName: 'Program' }, 'user { id }')
    ).id
  },
  async createApiKey() {
    const id = await ownerOfKey()
    await change(admin, 'createApiKey', { ...key(), ownerId: id }, '__typename')
    return id
  },
  async rotateApiKey() {
    const ownerId = await ownerOfKey()
    const { id } = await change<{ id: string }>(admin, 'createApiKey', { ...key(), ownerId }, 'apiKey { id }')
    await graph.owner.query('DELETE FROM identity.entrustments WHERE user_id = $1', [ownerId])
    await change(admin, 'rotateApiKey', { id, expectedVersion: 1 }, '__typename')
    return ownerId
  },
  async reactivateUser(id) {
    await graph.owner.query(
      "UPDATE identity.users SET status = 'SUSPENDED', password_change_required = true WHERE id = $1",
      [id],
    )
    await change(admin, 'reactivateUser', { id, expectedVersion: 1 }, '__typename')
    return id
  },
}
const invite = () =>
  change<{ id: string }>(admin, 'inviteUser', { email: `guest${++count}@x.example` }, 'user { id }')

const key = () => {
  const expiresAt = new Date(graph.clock.now().getTime() + 30 * 86_400_000).toISOString()
  return { name: `Key ${++count}`, scopes: ['hr:employee:read'], expiresAt }
}
const ownerOfKey = async () => {
  const id = await entrusting['createServiceAccount']!('', 0)
  await graph.owner.query('DELETE FROM identity.entrustments WHERE user_id = $1', [id])
  await graph.owner.query(
    "UPDATE identity.users SET granted_permissions = '{hr:employee:read}' WHERE id = $1",
    [id],
  )
  return id
}

const handsOf = async (userId: string) =>
  (
    await graph.owner.query<{ by: string }>(
      'SELECT by_id AS by FROM identity.entrustments WHERE user_id = $1',
      [userId],
    )
  ).rows

it.each(Object.keys(entrusting))('%s leaves the account in the hand of who did it (K8)', async (mutation) => {
  const user = await acme.user('USER')
  const userId = await entrusting[mutation]!(user.userId, 1)
  expect(await handsOf(userId)).toEqual([{ by: admin.userId }])
})

it('who moves the address of an invited user has the account in their hand, whoever invited it (K8)', async () => {
  const [{ id }, mover] = [await invite(), await acme.user('ADMIN')]
  const moved = { id, expectedVersion: 1, email: `moved${++count}@x.example` }
  expect(await userErrors(mover, 'updateUser', moved)).toEqual([])
  const hands = [admin.userId, mover.userId].sort().map((by) => ({ by }))
  expect((await handsOf(id)).sort((a, b) => (a.by < b.by ? -1 : 1))).toEqual(hands)
})

it('a password that the mailbox chose takes an account out of all hands but of who chose the mailbox, and ends its keys (K8)', async () => {
  const user = await acme.user('USER')
  const mover = await acme.user('ADMIN')
  user.email = `elsewhere${++count}@x.example`
  const moved = { id: user.userId, expectedVersion: 1, email: user.email }
  expect(await userErrors(mover, 'updateUser', moved)).toEqual([])
  await inHandOf(graph, user.userId, admin.userId)
  await graph.owner.query(
    `INSERT INTO identity.api_keys (tenant_id, id, owner_id, name, scopes, expires_at, secret_hash, key_prefix)
     VALUES ($1, gen_random_uuid(), $2, 'Old', '{hr:employee:read}', $3, repeat('0', 64), 'x')`,
    [acme.id, user.userId, new Date(graph.clock.now().getTime() + 86_400_000)],
  )
  const asked = { tenant: 'acme', email: user.email }
  expect(await userErrors(graph.anonymous, 'requestPasswordReset', asked)).toEqual([])
  const [mail] = await mailsOf(graph, acme.id, user.email)
  const token = /reset-password#(\S+)/.exec(mail!.text)![1]!
  expect(await handsOf(user.userId)).toHaveLength(2)
  const chosen = { token, password: 'plentiful wombat marmalade' }
  expect(await userErrors(graph.anonymous, 'resetPassword', chosen)).toEqual([])
  expect(await handsOf(user.userId)).toEqual([{ by: mover.userId }])
  const { rows } = await graph.owner.query(
    'SELECT name FROM identity.api_keys WHERE owner_id = $1 AND revoked_at IS NULL',
    [user.userId],
  )
  expect(rows).toEqual([])
})
