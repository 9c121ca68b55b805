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
}, 60_000)
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
    return asking !== '' && !textOf(asking).includes('await requireOwnHand(')
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

it('a password that the mailbox chose takes an account out of all hands (K8)', async () => {
  const user = await acme.user('USER')
  await inHandOf(graph, user.userId, admin.userId)
  const asked = { tenant: 'acme', email: user.email }
  expect(await userErrors(graph.anonymous, 'requestPasswordReset', asked)).toEqual([])
  const [mail] = await mailsOf(graph, acme.id, user.email)
  const token = /reset-password#(\S+)/.exec(mail!.text)![1]!
  expect(await handsOf(user.userId)).toHaveLength(1)
  const chosen = { token, password: 'plentiful wombat marmalade' }
  expect(await userErrors(graph.anonymous, 'resetPassword', chosen)).toEqual([])
  expect(await handsOf(user.userId)).toEqual([])
})
