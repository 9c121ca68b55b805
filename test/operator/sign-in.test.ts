import { createOperator, disableOperator, resetOperatorPassword } from '../../database/operators'
import { hashPassword } from '../../kernel/sign-in/password'
import { startGraph, type TestGraph } from '../support/graph'
import { addOperator, operatorClient, operatorPassword, signInOperator, withToken } from '../support/operator'

/** A5: the door of the platform's operators. */
let graph: TestGraph

beforeAll(async () => {
  graph = await startGraph()
})
afterAll(() => graph?.close())

const actions = async (operatorId: string) =>
  (
    await graph.owner.query<{ action: string; details: object }>(
      'SELECT action, details FROM shared.platform_actions WHERE operator_id = $1 ORDER BY id',
      [operatorId],
    )
  ).rows

const wrong = { code: 'INVALID_CREDENTIALS', message: 'E-mail address or password is wrong', field: null }
const signOut = 'mutation { operatorSignOut(input: {}) { userErrors { code } } }'
const ended = (status: number, message: string) => ({
  status,
  errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }],
})
const sessionEnded = ended(401, 'The session or the entry has ended: sign in with operatorSignIn again')

it('an operator signs in for an hour, signs out, and the token is of no use from then on (A5)', async () => {
  const { id, email } = await addOperator(graph, 'ada')
  const before = graph.clock.now().getTime()
  const { accessToken, expiresAt, userErrors } = await signInOperator(graph, { email: email.toUpperCase() })
  expect(userErrors).toEqual([])
  expect(accessToken).toMatch(/^op_[\w-]+\.[\w-]+\.[\w-]+$/)
  expect(Math.round((Date.parse(expiresAt!) - before) / 60_000)).toBe(60)
  const operator = withToken(graph, id, accessToken!)
  expect(await operator.data(signOut)).toEqual({ operatorSignOut: { userErrors: [] } })
  expect(await operator.query(signOut)).toMatchObject(sessionEnded)
  expect((await actions(id)).map(({ action }) => action)).toEqual(['SIGN_IN', 'SIGN_OUT'])
})

it('the first password must be replaced, and the new one ends other sessions (A5)', async () => {
  const password = 'made by the command'
  const email = 'grace@platform.example'
  const id = await createOperator(graph.owner, {
    ...{ email, name: 'Grace', scopes: [] },
    passwordHash: await hashPassword(password, 4),
  })
  const needed = { code: 'NEW_PASSWORD_NEEDED', field: ['newPassword'] }
  expect(await signInOperator(graph, { email, password })).toMatchObject({
    accessToken: null,
    userErrors: [needed],
  })
  for (const newPassword of ['short', password])
    expect(await signInOperator(graph, { email, password, newPassword })).toMatchObject({
      accessToken: null,
      userErrors: [{ code: 'INVALID', field: ['newPassword'] }],
    })
  const first = await signInOperator(graph, { email, password, newPassword: operatorPassword })
  expect(first.userErrors).toEqual([])
  expect(await signInOperator(graph, { email, password })).toMatchObject({ userErrors: [wrong] })
  const newPassword = 'another one of my own'
  const second = await signInOperator(graph, { email, newPassword })
  expect(await withToken(graph, id, first.accessToken!).query(signOut)).toMatchObject(sessionEnded)
  expect(await withToken(graph, id, second.accessToken!).data(signOut)).toBeDefined()
})

it('an unknown address, a wrong password and a disabled operator get one answer (A5)', async () => {
  const { id, email } = await addOperator(graph, 'bob')
  const unknown = await signInOperator(graph, { email: 'nobody@platform.example' })
  expect(unknown).toEqual({
    accessToken: null,
    expiresAt: null,
    retryAfterSeconds: null,
    userErrors: [wrong],
  })
  expect(await signInOperator(graph, { email, password: 'wrong' })).toEqual(unknown)
  await disableOperator(graph.owner, email)
  expect(await signInOperator(graph, { email })).toEqual(unknown)
  const { rows } = await graph.owner.query('SELECT FROM identity.operator_sessions WHERE operator_id = $1', [
    id,
  ])
  expect(rows).toEqual([])
  expect((await actions(id)).map(({ action }) => action)).toEqual(['SIGN_IN_FAILED', 'SIGN_IN_FAILED'])
})

it('attempts on an operator are counted, whether or not there is one (A5)', async () => {
  // Four are free, and the fifth has the next one wait.
  graph.clock.stop()
  for (const email of ['limited@platform.example', 'nobody-else@platform.example']) {
    if (email.startsWith('limited')) await addOperator(graph, 'limited')
    for (let attempt = 0; attempt < 5; attempt++)
      expect(await signInOperator(graph, { email, password: 'wrong' })).toMatchObject({ userErrors: [wrong] })
    const { retryAfterSeconds, ...rest } = await signInOperator(graph, { email })
    expect(rest).toMatchObject({ accessToken: null, userErrors: [{ code: 'RATE_LIMITED' }] })
    expect(retryAfterSeconds).toBeGreaterThan(0)
  }
})

it('a disabled operator and one with a reset password are out with the next request (A5)', async () => {
  for (const [name, end] of [
    ['carol', (email: string) => disableOperator(graph.owner, email)],
    ['dave', async (email: string) => resetOperatorPassword(graph.owner, email, await hashPassword('x', 4))],
  ] as const) {
    const operator = await operatorClient(graph, name)
    expect((await operator.query('{ __typename }')).data).toEqual({ __typename: 'Query' })
    await end(`${name}@platform.example`)
    expect(await operator.query('{ __typename }')).toMatchObject(sessionEnded)
  }
})

it('a session ends after 15 minutes without a request, and after an hour with them (A5)', async () => {
  const idle = await operatorClient(graph, 'idle')
  graph.clock.advance({ minutes: 15 })
  expect(await idle.query('{ __typename }')).toMatchObject(sessionEnded)
  const busy = await operatorClient(graph, 'busy')
  for (let turn = 0; turn < 5; turn++) {
    graph.clock.advance({ minutes: 11 })
    expect((await busy.query('{ __typename }')).status).toBe(200)
  }
  graph.clock.advance({ minutes: 5 })
  expect(await busy.query('{ __typename }')).toMatchObject(
    ended(401, 'accessToken expired: sign in with operatorSignIn again'),
  )
})

it('outside of tenants an operator holds nothing of any, and reaches none of their rows (A5)', async () => {
  const tenant = await graph.tenant('acme')
  await tenant.as('ADMIN')
  const operator = await operatorClient(graph, 'outside')
  const fields = ['viewer', 'tenant', 'users', 'employees', 'roles', 'countries']
  for (const field of fields) {
    const selection = field === 'viewer' || field === 'tenant' ? '{ id }' : '{ totalCount }'
    const answer = await operator.query(`{ ${field} ${selection} }`)
    expect([field, answer.data, answer.errors?.map(({ extensions }) => extensions.code)]).toEqual([
      field,
      { [field]: null },
      ['FORBIDDEN'],
    ])
  }
  const password = await operator.query(
    'mutation { changePassword(input: { currentPassword: "x", newPassword: "correct horse battery" }) { userErrors { code } } }',
  )
  expect(password.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
})

it('a tenant’s token is none of an operator, and the reverse, with or without the prefix (A5)', async () => {
  const tenant = await graph.tenant('globex')
  const admin = await tenant.as('ADMIN')
  const operator = await operatorClient(graph, 'prefix')
  const ofTenant = admin.headers['authorization']!.slice('Bearer '.length)
  const ofOperator = operator.headers['authorization']!.slice('Bearer '.length)
  for (const token of [`op_${ofTenant}`, ofOperator.slice('op_'.length), `op_${ofOperator}`])
    expect(await withToken(graph, '', token).query('{ __typename }')).toMatchObject(
      ended(401, 'The access token is not valid: sign in again'),
    )
  expect((await admin.query(signOut)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect((await graph.anonymous.query(signOut)).errors).toMatchObject([
    { extensions: { code: 'UNAUTHENTICATED' } },
  ])
})
