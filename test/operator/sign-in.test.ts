import { randomUUID } from 'node:crypto'
import {
  createOperator,
  disableOperator,
  resetOperatorPassword,
  rewrapOperatorFactors,
} from '../../database/operators'
import type { KeyProvider } from '../../kernel/encryption/key-provider'
import { keyRing } from '../../kernel/encryption/key-ring'
import { unwrapFactor } from '../../kernel/sign-in/operator-factor'
import { hashPassword } from '../../kernel/sign-in/password'
import { startGraph, type TestGraph } from '../support/graph'
import {
  addOperator,
  codeOf,
  operatorClient,
  operatorPassword,
  secretOf,
  signInOperator,
  signInText,
  withToken,
  type SignedIn,
} from '../support/operator'

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

const stored = async (id: string) =>
  (
    await graph.owner.query<Record<string, unknown>>(
      'SELECT to_jsonb(o) AS row, (SELECT count(*)::int FROM identity.operator_sessions WHERE operator_id = o.id) AS sessions FROM identity.operators o WHERE id = $1',
      [id],
    )
  ).rows[0]

/** Makes an operator as the command does, who has a password of somebody else and no authenticator. */
async function makeOperator(name: string): Promise<{ id: string; email: string; password: string }> {
  const password = 'made by the command'
  const email = `${name}@platform.example`
  const passwordHash = await hashPassword(password, 4)
  return { id: await createOperator(graph.owner, { email, name, scopes: [], passwordHash }), email, password }
}
const codeNeeded = { code: 'CODE_NEEDED', field: ['code'] }
const invalidCode = { code: 'INVALID_CODE', field: ['code'] }

it('the first sign-in sets up password and authenticator, and begins with the first right code (A5)', async () => {
  const { id, email, password } = await makeOperator('grace')
  const before = await stored(id)
  const needed = { code: 'NEW_PASSWORD_NEEDED', field: ['newPassword'] }
  expect(await signInOperator(graph, { email, password })).toMatchObject({
    ...{ accessToken: null, secret: null },
    userErrors: [needed],
  })
  for (const newPassword of ['short', password])
    expect(await signInOperator(graph, { email, password, newPassword })).toMatchObject({
      ...{ accessToken: null, secret: null },
      userErrors: [{ code: 'INVALID', field: ['newPassword'] }],
    })
  expect(await stored(id)).toEqual(before)
  const whole = { email, password, newPassword: operatorPassword }
  const offered = await signInOperator(graph, whole)
  expect(offered).toMatchObject({ accessToken: null, userErrors: [codeNeeded] })
  expect(offered.secret).toMatch(/^[A-Z2-7]{32}$/)
  expect(offered.otpauthUri).toBe(
    `otpauth://totp/Platform:grace%40platform.example?issuer=Platform&secret=${offered.secret}&algorithm=SHA1&digits=6&period=30`,
  )
  // Asked once more, another one is told, and the former is worth nothing.
  const again = await signInOperator(graph, whole)
  expect(again.secret).not.toBe(offered.secret)
  const { row } = (await stored(id)) as { row: Record<string, unknown> }
  expect(row).toMatchObject({ password_change_required: true, factor_confirmed_at: null })
  expect(JSON.stringify(row)).not.toContain(again.secret)
  expect(await signInOperator(graph, { ...whole, code: codeOf(graph, offered.secret!) })).toMatchObject({
    accessToken: null,
    userErrors: [invalidCode],
  })
  expect(await stored(id)).toEqual({ row, sessions: 0 })
  graph.clock.advance({ minutes: 16 })
  const first = await signInOperator(graph, { ...whole, code: codeOf(graph, again.secret!) })
  expect(first).toMatchObject({ userErrors: [], secret: null, otpauthUri: null })
  expect((await stored(id))!['row']).toMatchObject({
    password_change_required: false,
    factor_confirmed_at: expect.any(String) as string,
  })
  const code = () => codeOf(graph, again.secret!)
  expect(await signInOperator(graph, { email, password, code: code() })).toMatchObject({
    userErrors: [wrong],
  })
  const newPassword = 'another one of my own'
  const second = await signInOperator(graph, { email, newPassword, code: code() })
  expect(await withToken(graph, id, first.accessToken!).query(signOut)).toMatchObject(sessionEnded)
  expect(await withToken(graph, id, second.accessToken!).data(signOut)).toBeDefined()
  expect(await actions(id)).toEqual([
    { action: 'SIGN_IN_FAILED', details: { reason: 'WRONG_CODE' } },
    { action: 'SIGN_IN', details: { sessionId: expect.any(String) as string, passwordChanged: true } },
    { action: 'SIGN_IN_FAILED', details: { reason: 'WRONG_PASSWORD' } },
    { action: 'SIGN_IN', details: { sessionId: expect.any(String) as string, passwordChanged: true } },
    { action: 'SIGN_OUT', details: { sessionId: expect.any(String) as string, everywhere: false } },
  ])
})

it('nobody signs in without a code of this moment (A5)', async () => {
  const { id, email } = await addOperator(graph, 'factor')
  const { secret, before } = { secret: secretOf(email), before: await stored(id) }
  expect(await signInOperator(graph, { email, code: null })).toMatchObject({
    ...{ accessToken: null, secret: null, otpauthUri: null },
    userErrors: [codeNeeded],
  })
  // Whoever does not know the password is not told of the factor.
  expect(await signInOperator(graph, { email, password: 'wrong', code: null })).toMatchObject({
    userErrors: [wrong],
  })
  for (const code of [codeOf(graph, secret, -2), codeOf(graph, secret, 2), '12345'])
    expect(await signInOperator(graph, { email, code })).toMatchObject({ userErrors: [invalidCode] })
  expect(await stored(id)).toEqual(before)
})

it('a code is good once, of several who come at once with it too (A5)', async () => {
  const { id, email } = await addOperator(graph, 'once')
  graph.clock.stop()
  const code = codeOf(graph, secretOf(email))
  const input = { input: { email, password: operatorPassword, code } }
  const sent = Array.from({ length: 4 }, () =>
    graph.anonymous.data<{ operatorSignIn: SignedIn }>(signInText, input),
  )
  const answers = (await Promise.all(sent)).map(({ operatorSignIn }) => operatorSignIn)
  expect(answers.filter(({ accessToken }) => accessToken !== null)).toHaveLength(1)
  expect(answers.filter(({ accessToken }) => accessToken === null)).toMatchObject(
    Array.from({ length: 3 }, () => ({ userErrors: [invalidCode] })),
  )
  expect((await stored(id))!['sessions']).toBe(1)
  expect(await graph.anonymous.data(signInText, input)).toMatchObject({
    operatorSignIn: { accessToken: null, userErrors: [invalidCode] },
  })
})

it('codes are tried five times in a quarter of an hour, whoever knows the password (A5)', async () => {
  const { email } = await addOperator(graph, 'guessed')
  const secret = secretOf(email)
  graph.clock.stop()
  for (let attempt = 0; attempt < 5; attempt++) {
    expect(await signInOperator(graph, { email, code: codeOf(graph, secret, 10) })).toMatchObject({
      userErrors: [invalidCode],
    })
    // Longer than the account has somebody wait.
    graph.clock.advance({ seconds: 70 })
  }
  const { retryAfterSeconds, ...refused } = await signInOperator(graph, { email })
  expect(refused).toMatchObject({ accessToken: null, userErrors: [{ code: 'RATE_LIMITED' }] })
  expect(retryAfterSeconds).toBeGreaterThan(0)
  const other = await addOperator(graph, 'not-guessed')
  expect((await signInOperator(graph, { email: other.email })).userErrors).toEqual([])
})

it('a reset password ends the authenticator, and a rotated master key keeps it (A5)', async () => {
  const { id, email } = await addOperator(graph, 'reset')
  const { provider } = graph.server.services.dataKeys
  const newer = keyRing(new Map([['newer', Buffer.alloc(32, 7)]]))
  const both: KeyProvider = {
    currentKeyId: () => newer.currentKeyId(),
    wrap: (key, place) => newer.wrap(key, place),
    unwrap: (wrapped, place) => (wrapped.masterKeyId === 'newer' ? newer : provider).unwrap(wrapped, place),
  }
  const wrappedBy = async () => {
    const text = 'SELECT factor_key_id AS id, factor_secret AS secret FROM identity.operators WHERE id = $1'
    return (await graph.owner.query<{ id: string | null; secret: string | null }>(text, [id])).rows[0]!
  }
  const former = await wrappedBy()
  await graph.owner.query('BEGIN')
  expect(await rewrapOperatorFactors(graph.owner, both)).toBeGreaterThan(0)
  expect(await rewrapOperatorFactors(graph.owner, both)).toBe(0)
  const { id: masterKeyId, secret: wrapped } = await wrappedBy()
  expect([masterKeyId, wrapped === former.secret]).toEqual(['newer', false])
  expect(await unwrapFactor(both, id, { masterKeyId: masterKeyId!, wrapped: wrapped! })).toBe(secretOf(email))
  await expect(
    unwrapFactor(both, randomUUID(), { masterKeyId: masterKeyId!, wrapped: wrapped! }),
  ).rejects.toThrow()
  await graph.owner.query('ROLLBACK')
  await resetOperatorPassword(graph.owner, email, await hashPassword('made again', 4))
  expect(await wrappedBy()).toEqual({ id: null, secret: null })
  const input = { email, password: 'made again', newPassword: operatorPassword }
  const offered = await signInOperator(graph, { ...input, code: codeOf(graph, secretOf(email)) })
  expect(offered).toMatchObject({ accessToken: null, userErrors: [codeNeeded] })
  const done = await signInOperator(graph, { ...input, code: codeOf(graph, offered.secret!) })
  expect(done.userErrors).toEqual([])
})

it('an unknown address, a wrong password and a disabled operator get one answer (A5)', async () => {
  const { id, email } = await addOperator(graph, 'bob')
  const unknown = await signInOperator(graph, { email: 'nobody@platform.example' })
  expect(unknown).toEqual({
    accessToken: null,
    deviceMark: null,
    expiresAt: null,
    retryAfterSeconds: null,
    secret: null,
    otpauthUri: null,
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
