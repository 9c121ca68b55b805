import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import { isObjectType, type GraphQLObjectType } from 'graphql'
import { signViewer, verifyViewer } from '../../kernel/access/viewer-token'
import type { RequestContext, Viewer } from '../../kernel/context'
import { uuidv7 } from '../../kernel/id'
import { projectRoot } from '../../kernel/process/config'
import { revokeCachedSessions } from '../../kernel/sign-in/session-cache'
import { loadable } from '../../registry/composition/compose'
import { startGraph, testClient, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { allScopes, userWith } from '../support/scopes'
import { inputValue, rowsOf, selectionOf, validDocument } from './operations'

/** A3: who must change the password does that, and nothing else, whichever way is asked. */
const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
const api = Supergraph.build(loadable(supergraph)).apiSchema().toGraphQLJSSchema()
const required = 'PASSWORD_CHANGE_REQUIRED'
/** What answers before; the last three ask for no viewer. */
const open = [
  ...['viewer', 'changePassword', 'signOut', 'signIn', 'refreshSession', 'acceptInvitation'],
  ...['completeSignIn', 'operatorSignIn', 'requestPasswordReset', 'resetPassword', 'confirmEmailChange'],
  ...['stopLoneAdministratorReset', 'signInPasskeyBegin', 'signInPasskeyFinish'],
]
const first = 'correct horse first battery'
const chosen = 'correct horse other battery'

let graph: TestGraph
let acme: TestTenant
let count = 0

interface NewUser extends TestClient {
  refreshToken: string
  email: string
}

/** A user with every right, signed in with a first password that somebody else chose. */
async function newUser(): Promise<NewUser> {
  const admin = await acme.as('ADMIN')
  const { rows } = await graph.owner.query<{ id: string }>(
    `SELECT id FROM identity.roles WHERE tenant_id = $1 AND name = 'ADMIN'`,
    [acme.id],
  )
  const email = `new${++count}@acme.example`
  const create = `mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } userErrors { code } } }`
  const input = { email, initialPassword: first, roleIds: [rows[0]!.id] }
  const { createUser } = await admin.data<{ createUser: { user: { id: string } } }>(create, { input })
  return { ...(await signedIn(email, first, createUser.user.id)), email }
}

async function signedIn(email: string, password: string, userId: string) {
  const { signIn } = await graph.anonymous.data<{
    signIn: { accessToken: string; refreshToken: string; passwordChangeRequired: boolean }
  }>(
    `mutation ($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken passwordChangeRequired } }`,
    { input: { tenant: 'acme', email, password } },
  )
  const client = testClient(graph.server.url, userId, { authorization: `Bearer ${signIn.accessToken}` })
  return { ...client, ...signIn }
}

const change = `mutation ($input: ChangePasswordInput!) {
  changePassword(input: $input) { user { id email } userErrors { code } }
}`

beforeAll(async () => {
  graph = await startGraph({ env: { INTROSPECTION: 'signed-in' } })
  acme = await graph.tenant('acme')
})
afterAll(() => graph?.close())

const roots = [api.getQueryType()!, api.getMutationType()!].flatMap((type) =>
  Object.values(type.getFields()).map((field) => ({ operation: type.name.toLowerCase(), field })),
)

describe('a session that began with a first password (A3)', () => {
  let user: NewUser
  beforeAll(async () => {
    user = await newUser()
  })

  it.each(
    roots.filter(({ field }) => !open.includes(field.name)).map((root) => [root.field.name, root] as const),
  )('is refused %s', async (name, { operation, field }) => {
    const ids = () => `"${uuidv7()}"`
    const args = field.args.some((argument) => argument.name === 'input')
      ? `(input: ${inputValue(field.args[0]!.type, 'input', ids)})`
      : rowsOf(field).replaceAll('""', ids())
    const text = `${operation} { ${name}${args} ${selectionOf(field.type, 1)} }`
    validDocument(api, text)
    const answer = await user.query<Record<string, unknown>>(text)
    expect(answer.errors?.map(({ extensions, message }) => [extensions.code, message])).toEqual([
      [required, 'Change your password first: call changePassword'],
    ])
    expect(answer.data?.[name] ?? null).toBeNull()
  })

  it('sees who it is, and nothing that hangs on that', async () => {
    const names = '{ viewer { id email fullName firstName lastName avatarUrl } }'
    expect(await user.data(names)).toMatchObject({ viewer: { id: user.userId, email: user.email } })
    const type = api.getType('User') as GraphQLObjectType
    const others = Object.values(type.getFields()).filter(({ name }) => !names.includes(` ${name} `))
    const answer = await user.query<{ viewer: Record<string, unknown> }>(
      `{ viewer { ${others.map((field) => `${field.name}${rowsOf(field)} ${selectionOf(field.type, 1)}`).join(' ')} } }`,
    )
    expect(new Set(answer.errors?.map(({ extensions }) => extensions.code))).toEqual(new Set([required]))
    expect(Object.entries(answer.data!.viewer).filter(([, value]) => value !== null)).toEqual([])
    expect(answer.errors!.map(({ path }) => path![1]).sort()).toEqual(others.map(({ name }) => name).sort())
  })

  it('is refused every entity in every subgraph, as the gateway would ask over HTTP', async () => {
    const viewer: Viewer = {
      tenantId: acme.id,
      userId: user.userId,
      sessionId: null,
      permissionVersion: 1,
      scopes: new Set(await allScopes(graph)),
      passwordChangeRequired: true,
    }
    const { clock } = graph
    const { log } = graph.server.services
    const request = { requestId: 'a', clientIp: null, userAgent: null }
    let asked = 0
    for (const { name, schema, execute } of graph.server.subgraphs.values()) {
      const token = signViewer('secret', name, viewer, '{}', request, clock)
      const context: RequestContext = { ...verifyViewer('secret', name, token, '{}', clock), clock, log }
      const union = schema.getType('_Entity')
      for (const { name: type } of union ? schema.getPossibleTypes(union as never) : []) {
        const entity = schema.getType(type)
        if (!isObjectType(entity)) continue
        const fields = Object.values(entity.getFields()).filter((field) => field.name !== 'id')
        const selection = fields.map((field) => `${field.name}${rowsOf(field)} ${selectionOf(field.type, 1)}`)
        if (selection.length === 0) continue
        const document = validDocument(
          schema,
          `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ${type} { ${selection.join(' ')} } } }`,
        )
        const variables = { r: [{ __typename: type, id: user.userId }] }
        const { errors } = await execute({ document, variables, context })
        const codes = new Set(errors?.map(({ extensions }) => extensions['code']))
        expect({ name, type, codes }).toEqual({ name, type, codes: new Set([required]) })
        asked++
      }
    }
    expect(asked).toBeGreaterThan(10)
  })

  it('can be refreshed and ended', async () => {
    const leaving = await newUser()
    const refresh = `mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken userErrors { code } } }`
    const input = { refreshToken: leaving.refreshToken }
    const { refreshSession } = await leaving.data<{ refreshSession: { accessToken: string } }>(refresh, {
      input,
    })
    const next = testClient(graph.server.url, leaving.userId, {
      authorization: `Bearer ${refreshSession.accessToken}`,
    })
    expect((await next.query('{ tenant { id } }')).errors![0]!.extensions.code).toBe(required)
    expect(await next.data('mutation { signOut(input: {}) { userErrors { code } } }')).toEqual({
      signOut: { userErrors: [] },
    })
    expect((await next.query('{ viewer { id } }')).status).toBe(401)
  })
})

it('everything answers from the request after the change of the password on (A3)', async () => {
  const user = await newUser()
  const input = { currentPassword: first, newPassword: chosen }
  expect((await user.query('{ tenant { id } }')).errors![0]!.extensions.code).toBe(required)
  expect(await user.data(change, { input })).toEqual({
    changePassword: { user: { id: user.userId, email: user.email }, userErrors: [] },
  })
  expect(await user.data('{ tenant { id } viewer { status } }')).toEqual({
    tenant: { id: acme.id },
    viewer: { status: 'ACTIVE' },
  })
})

it('a demand counts on the next request of a session that is open (A3)', async () => {
  const user = await acme.user('ADMIN')
  expect(await user.data('{ tenant { id } }')).toEqual({ tenant: { id: acme.id } })
  await graph.owner.query('UPDATE identity.users SET password_change_required = true WHERE id = $1', [
    user.userId,
  ])
  const { rows } = await graph.owner.query<{ id: string }>(
    'SELECT id FROM identity.sessions WHERE user_id = $1',
    [user.userId],
  )
  await revokeCachedSessions(
    graph.server.services.keyValue,
    acme.id,
    rows.map(({ id }) => id),
  )
  expect((await user.query('{ tenant { id } }')).errors![0]!.extensions.code).toBe(required)
})

describe('requirePasswordChange (A2)', () => {
  const demand = `mutation ($input: RequirePasswordChangeInput!) {
    requirePasswordChange(input: $input) { user { id version } userErrors { code field } }
  }`
  const demanded = async (client: TestClient, id: string, expectedVersion = 1) =>
    (
      await client.data<{ requirePasswordChange: { user: object | null; userErrors: object[] } }>(demand, {
        input: { id, expectedVersion },
      })
    ).requirePasswordChange
  const stateOf = async (id: string) => {
    const users = await graph.owner.query<{ state: unknown }>(
      'SELECT to_jsonb(u) AS state FROM identity.users u WHERE id = $1',
      [id],
    )
    const sessions = await graph.owner.query<{ open: boolean }>(
      'SELECT revoked_at IS NULL AS open FROM identity.sessions WHERE user_id = $1 ORDER BY id',
      [id],
    )
    return { user: users.rows[0]!.state, open: sessions.rows.map(({ open: one }) => one) }
  }
  const refused = (code: string, field = 'id') => ({ user: null, userErrors: [{ code, field: [field] }] })

  it('ends the sessions of the user, and the next one may only change the password', async () => {
    const admin = await acme.as('ADMIN')
    const user = await acme.user('HR_MANAGER')
    const { accessToken } = await signedIn(user.email, user.password, user.userId)
    expect(await user.data('{ tenant { id } }')).toEqual({ tenant: { id: acme.id } })
    expect(await demanded(admin, user.userId)).toEqual({
      user: { id: user.userId, version: 2 },
      userErrors: [],
    })
    const other = testClient(graph.server.url, user.userId, { authorization: `Bearer ${accessToken}` })
    for (const session of [user, other]) expect((await session.query('{ viewer { id } }')).status).toBe(401)
    const next = await signedIn(user.email, user.password, user.userId)
    expect(next.passwordChangeRequired).toBe(true)
    expect((await next.query('{ tenant { id } }')).errors![0]!.extensions.code).toBe(required)
    const { rows } = await graph.owner.query(
      `SELECT actor_id, changes FROM shared.audit_logs
        WHERE resource_type = 'User' AND resource_id = $1 AND action = 'UPDATE'`,
      [user.userId],
    )
    expect(rows).toMatchObject([
      {
        actor_id: admin.userId,
        changes: { before: { passwordChangeRequired: false }, after: { passwordChangeRequired: true } },
      },
    ])
    const input = { currentPassword: user.password, newPassword: chosen }
    expect(await next.data(change, { input })).toMatchObject({ changePassword: { userErrors: [] } })
    expect(await next.data('{ tenant { id } }')).toEqual({ tenant: { id: acme.id } })
  })

  it.each([
    ['somebody with more rights', 'PERMISSION_NOT_HELD', 'id'],
    ["another tenant's user", 'NOT_FOUND', 'id'],
    ['a version of before', 'STALE_VERSION', 'expectedVersion'],
    ['a user without a password', 'NO_PASSWORD', 'id'],
    ['oneself', 'INVALID', 'id'],
  ] as const)('of %s is refused, and changes nothing', async (_, code, field) => {
    const maker = await userWith(graph, acme, ['identity:user:read', 'identity:user:write'])
    const target = {
      PERMISSION_NOT_HELD: () => acme.user('ADMIN'),
      NOT_FOUND: async () => (await graph.tenant('globex')).user(),
      STALE_VERSION: () => acme.user(),
      NO_PASSWORD: () => acme.user(),
      INVALID: () => Promise.resolve(maker),
    }
    const { userId } = await target[code]()
    if (code === 'NO_PASSWORD')
      await graph.owner.query(
        "UPDATE identity.users SET status = 'INVITED', password_hash = NULL WHERE id = $1",
        [userId],
      )
    const before = await stateOf(userId)
    expect(before.open).toEqual([true])
    expect(await demanded(maker, userId, code === 'STALE_VERSION' ? 7 : 1)).toEqual(refused(code, field))
    expect(await stateOf(userId)).toEqual(before)
  })

  it('of whoever may not change users is refused, and changes nothing', async () => {
    const user = await acme.user('VIEWER')
    const { userId } = await acme.user()
    const before = await stateOf(userId)
    const { errors } = await user.query(demand, { input: { id: userId, expectedVersion: 1 } })
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN'])
    expect(await stateOf(userId)).toEqual(before)
  })
})

it('costs no statement: the state comes with the session (A3)', async () => {
  const user = await newUser()
  const statements = await graph.statementsDuring(
    () => user.query('{ tenant { id } users { nodes { id } } }'),
    { withSessions: true },
  )
  expect(statements.map(({ role, text }) => [role, /session_viewer/.test(text)])).toEqual([['gateway', true]])
})

it('shows the schema to a session that began with a first password as little as to anybody (A3, O9)', async () => {
  const user = await newUser()
  const admin = await acme.as('ADMIN')
  const introspection = '{ __type(name: "User") { name } }'
  const refused = [{ extensions: { code: required } }]
  expect((await user.query(introspection)).errors).toMatchObject(refused)
  // Known by now, from somebody who may.
  expect(await admin.data(introspection)).toEqual({ __type: { name: 'User' } })
  expect(await admin.data(introspection)).toEqual({ __type: { name: 'User' } })
  expect((await user.query(introspection)).errors).toMatchObject(refused)
  const misspelt = await user.query('{ viewr { id } }')
  expect(misspelt.status).toBe(400)
  expect(JSON.stringify(misspelt.errors)).not.toContain('viewer')
  expect(await user.data('{ viewer { id } }')).toEqual({ viewer: { id: user.userId } })
})
