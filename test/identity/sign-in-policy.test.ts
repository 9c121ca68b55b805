import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import { projectRoot } from '../../kernel/process/project-root'
import { uuidv7 } from '../../kernel/id'
import { loadable } from '../../registry/composition/compose'
import { askedOf, isWider } from '../../subgraphs/identity/rules/sign-in-policy'
import { inputValue, rowsOf, selectionOf, validDocument } from '../contract/operations'
import { codeAt } from '../support/authenticator'
import { cheapBcrypt } from '../support/bcrypt'
import {
  password,
  startGraph,
  testClient,
  type TestClient,
  type TestGraph,
  type TestTenant,
} from '../support/graph'
import { change, userErrors } from '../support/lists'
import { freshDatabase } from '../support/postgres'
import { userWith } from '../support/scopes'
import { startSpread } from '../support/spread'

/** Issue 14.4: a tenant asks its members for a second factor, with days of grace to add one. */
const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
const api = Supergraph.build(loadable(supergraph)).apiSchema().toGraphQLJSSchema()
const required = 'SECOND_FACTOR_REQUIRED'
const message = 'Add a second factor first: call enrollTotp, then confirmMfaDevice'

let graph: TestGraph
let tenants = 0

beforeAll(async () => {
  cheapBcrypt()
  graph = await startGraph()
})
beforeEach(() => graph.clock.advance({ seconds: 35 - ((graph.clock.now().getTime() / 1000) % 30) }))
afterAll(() => graph?.close())

const nextTenant = () => graph.tenant(`tenant${++tenants}`)

interface Policy {
  mfaRequired: boolean
  mfaScopes: string[]
  graceDays: number
  requiredSince: string | null
  viewerDueAt: string | null
  version: number
}
const selection = 'mfaRequired mfaScopes graceDays requiredSince viewerDueAt version'

const policyOf = async (client: TestClient) =>
  (await client.data<{ signInPolicy: Policy }>(`{ signInPolicy { ${selection} } }`)).signInPolicy

/** Sets the policy as an administrator who signs in for it. */
async function set(
  tenant: TestTenant,
  input: Partial<Policy> & { expectedVersion: number },
): Promise<Policy> {
  const admin = await tenant.user('ADMIN')
  const whole = { mfaRequired: true, mfaScopes: [], graceDays: 7, ...input }
  return change<Policy>(admin, 'setSignInPolicy', whole, `signInPolicy { ${selection} }`)
}

async function signedIn(tenant: TestTenant, { email }: { email: string }): Promise<TestClient> {
  const { signIn } = await graph.anonymous.data<{ signIn: { accessToken: string } }>(
    'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }',
    { input: { tenant: tenant.slug, email, password } },
  )
  return testClient(graph.server.url, '', { authorization: `Bearer ${signIn.accessToken}` })
}

/** What a client may do: everything, or nothing but to add a second factor. */
async function may(client: TestClient): Promise<'all' | 'enrol'> {
  const { errors } = await client.query('{ tenant { id } }')
  if (!errors) return 'all'
  expect(errors.map(({ message: told, extensions }) => [extensions.code, told])).toEqual([
    [required, message],
  ])
  return 'enrol'
}

async function enrol(client: TestClient, clock = graph.clock): Promise<string> {
  const { enrollTotp } = await client.data<{ enrollTotp: { mfaDevice: { id: string }; secret: string } }>(
    'mutation { enrollTotp(input: { label: "Telephone" }) { mfaDevice { id } secret userErrors { code } } }',
  )
  const { id } = enrollTotp.mfaDevice
  const code = codeAt(enrollTotp.secret, clock.now())
  const { confirmMfaDevice } = await client.data<{
    confirmMfaDevice: { recoveryCodes: string[]; userErrors: [] }
  }>(
    `mutation ($input: ConfirmMfaDeviceInput!) { confirmMfaDevice(input: $input) { mfaDevice { id } recoveryCodes userErrors { code } } }`,
    { input: { id, code } },
  )
  expect(confirmMfaDevice).toMatchObject({ mfaDevice: { id }, userErrors: [] })
  expect(confirmMfaDevice.recoveryCodes).toHaveLength(10)
  return id
}

test('nothing is asked for before a policy is set, and everybody may look', async () => {
  const tenant = await nextTenant()
  expect(await policyOf(await tenant.as('VIEWER'))).toEqual({
    ...{ mfaRequired: false, mfaScopes: [], graceDays: 0 },
    ...{ requiredSince: null, viewerDueAt: null, version: 0 },
  })
})

test('after the days of grace a session may only add a second factor, and everything from the next request on', async () => {
  const tenant = await nextTenant()
  const member = await tenant.user('VIEWER')
  const { requiredSince, version } = await set(tenant, { expectedVersion: 0 })
  expect(version).toBe(1)
  expect(await may(member)).toBe('all')
  const due = new Date(Date.parse(requiredSince!) + 7 * 86_400_000).toISOString()
  expect(await policyOf(member)).toMatchObject({ mfaRequired: true, graceDays: 7, viewerDueAt: due })
  graph.clock.advance({ days: 6, hours: 23, minutes: 58 })
  const early = await signedIn(tenant, member)
  expect(await may(early)).toBe('all')
  // The days end in the middle of a session, whose state every gateway has kept.
  graph.clock.advance({ minutes: 2 })
  expect(await may(early)).toBe('enrol')
  expect(await early.data('{ viewer { email } signInPolicy { viewerDueAt } }')).toEqual({
    viewer: { email: member.email },
    signInPolicy: { viewerDueAt: due },
  })
  const id = await enrol(early)
  expect(await may(early)).toBe('all')
  expect((await policyOf(early)).viewerDueAt).toBeNull()
  // The last one stays while it is asked for; who lost it has it reset.
  expect(await userErrors(early, 'removeMfaDevice', { id })).toMatchObject([
    { code: 'LAST_FACTOR', field: ['id'] },
  ])
  expect(await may(early)).toBe('all')
  const reset = { userId: member.userId, reason: 'Telephone lost' }
  const admin = await tenant.user('ADMIN')
  await enrol(admin)
  await change(admin, 'resetUserMfa', reset, 'user { id }')
  expect(await may(await signedIn(tenant, member))).toBe('enrol')
})

test('without days of grace it counts on the next request of sessions that are open, and no longer when it is lifted', async () => {
  const tenant = await nextTenant()
  const [member, admin] = [await tenant.user('VIEWER'), await tenant.user('ADMIN')]
  await enrol(admin)
  expect([await may(member), await may(admin)]).toEqual(['all', 'all'])
  const input = { mfaRequired: true, graceDays: 0, expectedVersion: 0 }
  await change(admin, 'setSignInPolicy', input, 'signInPolicy { version }')
  expect([await may(member), await may(admin)]).toEqual(['enrol', 'all'])
  // The same again is no change: no version, and nothing in the trail.
  const trail = async () =>
    (await graph.owner.query('SELECT FROM shared.audit_logs WHERE tenant_id = $1', [tenant.id])).rowCount
  const before = await trail()
  const again = { ...input, expectedVersion: 1 }
  expect(await change(admin, 'setSignInPolicy', again, 'signInPolicy { version }')).toEqual({ version: 1 })
  expect(await trail()).toBe(before)
  await change(
    admin,
    'setSignInPolicy',
    { ...input, mfaRequired: false, expectedVersion: 1 },
    'signInPolicy { version }',
  )
  expect([await may(member), (await policyOf(member)).requiredSince]).toEqual(['all', null])
})

test('it can be asked of those who hold sensitive scopes, from the request on in which they get one', async () => {
  const tenant = await nextTenant()
  const holder = await userWith(graph, tenant, ['identity:user:read', 'identity:user:write'])
  const member = await tenant.user('VIEWER')
  const mfaScopes = ['identity:user:write', 'identity:role:write']
  expect((await set(tenant, { expectedVersion: 0, graceDays: 0, mfaScopes })).mfaScopes).toEqual(
    [...mfaScopes].sort(),
  )
  expect([await may(await signedIn(tenant, holder)), await may(member)]).toEqual(['enrol', 'all'])
  const admin = await tenant.user('ADMIN')
  await enrol(admin)
  const given = { userId: member.userId, permission: 'identity:role:write' }
  await change(admin, 'grantPermission', given, 'user { id }')
  expect(await may(member)).toBe('enrol')
})

test('an account that is made later has its days from then on; keys and service accounts are not asked', async () => {
  const tenant = await nextTenant()
  const admin = await tenant.user('ADMIN')
  const input = { name: 'Reader', scopes: ['tenancy:tenant:read'], expiresAt: '2027-06-01T00:00:00Z' }
  const secret = await change<string>(admin, 'createApiKey', input, 'secret')
  await set(tenant, { expectedVersion: 0, graceDays: 3 })
  graph.clock.advance({ days: 4 })
  const late = await tenant.user('VIEWER')
  await graph.owner.query('UPDATE identity.users SET created_at = $2 WHERE id = $1', [
    late.userId,
    graph.clock.now().toISOString(),
  ])
  expect(await may(await signedIn(tenant, late))).toBe('all')
  expect(await may(await signedIn(tenant, admin))).toBe('enrol')
  expect(await may(testClient(graph.server.url, '', { 'x-api-key': secret }))).toBe('all')
})

test('what is no policy is refused and changes nothing', async () => {
  const tenant = await nextTenant()
  const admin = await tenant.user('ADMIN')
  const whole = { mfaRequired: true, graceDays: 7, expectedVersion: 0 }
  for (const [input, code, field] of [
    [{ graceDays: 91 }, 'INVALID', ['graceDays']],
    [{ graceDays: -1 }, 'INVALID', ['graceDays']],
    [{ mfaScopes: ['no:such:scope'] }, 'REFERENCE_NOT_FOUND', ['mfaScopes']],
    [{ expectedVersion: 1 }, 'STALE_VERSION', null],
  ] as const)
    expect(await userErrors(admin, 'setSignInPolicy', { ...whole, ...input })).toMatchObject([
      { code, field },
    ])
  expect((await policyOf(admin)).version).toBe(0)
  const member = await tenant.as('VIEWER')
  const text =
    'mutation ($input: SetSignInPolicyInput!) { setSignInPolicy(input: $input) { signInPolicy { version } } }'
  expect((await member.query(text, { input: whole })).errors).toMatchObject([
    { extensions: { code: 'FORBIDDEN' } },
  ])
  graph.clock.advance({ minutes: 11 })
  expect((await admin.query(text, { input: whole })).errors).toMatchObject([
    { extensions: { code: 'STEP_UP_REQUIRED' } },
  ])
  expect((await policyOf(admin)).version).toBe(0)
})

test('of 10 who set the first policy at once one does, and it stands in the trail once', async () => {
  const tenant = await nextTenant()
  const admin = await tenant.user('ADMIN')
  const text = `mutation ($input: SetSignInPolicyInput!) { setSignInPolicy(input: $input) { signInPolicy { version } userErrors { code } } }`
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      admin.data<{ setSignInPolicy: { userErrors: { code: string }[] } }>(text, {
        input: { mfaRequired: true, graceDays: 10 + n, expectedVersion: 0 },
      }),
    ),
  )
  const codes = answers.map((one) => one.setSignInPolicy.userErrors[0]?.code ?? 'OK').sort()
  expect(codes).toEqual(['OK', ...Array<string>(9).fill('STALE_VERSION')])
  const { rows } = await graph.owner.query(
    `SELECT count(*)::int FROM shared.audit_logs WHERE tenant_id = $1 AND resource_type = 'SignInPolicy'`,
    [tenant.id],
  )
  expect(rows).toEqual([{ count: 1 }])
})

test('days of grace begin with who is asked anew, and not with less', () => {
  const all = { mfaRequired: true, mfaScopes: [] }
  const some = { mfaRequired: true, mfaScopes: ['a:b:c'] }
  const none = { mfaRequired: false, mfaScopes: [] }
  expect([isWider(all, none), isWider(all, some), isWider({ ...some, mfaScopes: ['d:e:f'] }, some)]).toEqual([
    true,
    true,
    true,
  ])
  expect([isWider(none, all), isWider(some, all), isWider(all, all), isWider(some, some)]).toEqual(
    Array(4).fill(false),
  )
})

describe('a session that may only add a second factor', () => {
  const open = [
    ...['viewer', 'signInPolicy', 'signOut', 'stepUp', 'changePassword', 'enrollTotp', 'confirmMfaDevice'],
    ...[
      'signIn',
      'refreshSession',
      'acceptInvitation',
      'completeSignIn',
      'requestPasswordReset',
      'resetPassword',
    ],
    'confirmEmailChange',
    'operatorSignIn',
    'stopLoneAdministratorReset',
    ...['registerPasskeyBegin', 'registerPasskeyFinish', 'stepUpPasskeyBegin'],
    ...['signInPasskeyBegin', 'signInPasskeyFinish'],
  ]
  const roots = [api.getQueryType()!, api.getMutationType()!].flatMap((type) =>
    Object.values(type.getFields()).map((field) => ({ operation: type.name.toLowerCase(), field })),
  )
  let member: TestClient
  beforeAll(async () => {
    const tenant = await nextTenant()
    const user = await tenant.user('ADMIN')
    await set(tenant, { expectedVersion: 0, graceDays: 0 })
    member = await signedIn(tenant, user)
  })

  test('is refused every root field but those', async () => {
    const asked = roots.filter(({ field }) => !open.includes(field.name))
    expect(roots.length - asked.length).toBe(open.length)
    for (const { operation, field } of asked) {
      const ids = () => `"${uuidv7()}"`
      const args = field.args.some((argument) => argument.name === 'input')
        ? `(input: ${inputValue(field.args[0]!.type, 'input', ids)})`
        : rowsOf(field).replaceAll('""', ids())
      const text = `${operation} { ${field.name}${args} ${selectionOf(field.type, 1)} }`
      validDocument(api, text)
      const answer = await member.query<Record<string, unknown>>(text)
      const codes = answer.errors?.map(({ extensions }) => extensions.code)
      expect([field.name, codes, answer.data?.[field.name] ?? null]).toEqual([field.name, [required], null])
    }
  })
})

test('subgraphs over HTTP know it too', async () => {
  const database = await freshDatabase()
  const whole = await startGraph({ database, demo: true })
  await whole.close()
  const { graph: spread, close } = await startSpread(database, whole.server.services)
  try {
    const admin = await spread.demo('acme', 'admin')
    const viewer = await spread.demo('acme', 'viewer')
    expect(await may(viewer)).toBe('all')
    const input = { mfaRequired: true, graceDays: 0, expectedVersion: 0 }
    await change(admin, 'setSignInPolicy', input, 'signInPolicy { version }')
    expect(await may(viewer)).toBe('enrol')
    await enrol(viewer, spread.clock)
    expect(await may(viewer)).toBe('all')
  } finally {
    await close()
    await database.drop()
  }
})

test('A1 A8 nobody forces or frees people who may do more: those asked before count, and those asked from here on', async () => {
  const tenant = await nextTenant()
  const own = ['hr:department:read', 'identity:role:read', 'identity:role:write']
  const limited = await userWith(graph, tenant, own)
  await userWith(graph, tenant, ['hr:department:read'])
  await userWith(graph, tenant, ['hr:salary:read', 'hr:salary:summary'])
  const input = { expectedVersion: 0, mfaRequired: true, graceDays: 0, mfaScopes: [] as string[] }
  const ask = (change_: object) => userErrors(limited, 'setSignInPolicy', { ...input, ...change_ })
  const lacking = [
    {
      ...{ code: 'PERMISSION_NOT_HELD', field: ['mfaScopes'] },
      message: 'You lack hr:salary:read, hr:salary:summary',
    },
  ]
  for (const mfaScopes of [[], ['hr:salary:summary'], ['hr:department:read', 'hr:salary:read']])
    expect(await ask({ mfaScopes })).toEqual(lacking)
  expect(await policyOf(limited)).toMatchObject({ mfaRequired: false, version: 0 })
  const holders = { mfaScopes: ['hr:department:read'], graceDays: 7 }
  expect(await ask(holders)).toEqual([])
  expect(await ask({ ...holders, expectedVersion: 1, graceDays: 8 })).toEqual([])
  await set(tenant, { expectedVersion: 2, mfaScopes: [], graceDays: 9 })
  const before = await policyOf(limited)
  const last = { ...holders, expectedVersion: 3 }
  for (const freeing of [{ mfaRequired: false, mfaScopes: [] }, {}, { mfaScopes: [] }])
    expect((await ask({ ...last, ...freeing })).map(({ code }) => code)).toEqual(['PERMISSION_NOT_HELD'])
  expect(await policyOf(limited)).toEqual(before)
  const none = { mfaRequired: false, mfaScopes: [] }
  const salaries = { mfaRequired: true, mfaScopes: ['hr:salary:read'] }
  expect(askedOf(none, none)).toBeNull()
  expect(askedOf(none, { mfaRequired: true, mfaScopes: [] })).toEqual([])
  expect(askedOf(salaries, { mfaRequired: true, mfaScopes: ['a:b:c', 'hr:salary:read'] })).toEqual([
    'hr:salary:read',
    'a:b:c',
  ])
})
