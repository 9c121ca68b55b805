import {
  acceptedStep,
  newRecoveryCodes,
  newTotpSecret,
  otpauthUri,
  recoveryHash,
} from '../../subgraphs/identity/sessions/codes'
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
import { userWith } from '../support/scopes'

type User = TestClient & { email: string }

let graph: TestGraph
let acme: TestTenant

beforeAll(async () => {
  cheapBcrypt()
  graph = await startGraph()
  acme = await graph.tenant('acme')
})
// Half way into a time step, so that a code stays what it is while a test uses it.
beforeEach(() => {
  const intoStep = (graph.clock.now().getTime() / 1000) % 30
  graph.clock.advance({ seconds: 30 - intoStep + 5 })
})
afterAll(() => graph?.close())

interface Answers {
  accessToken: string | null
  mfaToken?: string | null
  deviceMark?: string | null
  retryAfterSeconds: number | null
  userErrors: { code: string; field: string[] | null }[]
}

const signIn = async ({ email }: User, deviceMark: string | null = null): Promise<Answers> =>
  (
    await graph.anonymous.data<{ signIn: Answers }>(
      `mutation ($input: SignInInput!) { signIn(input: $input) {
        accessToken mfaToken deviceMark retryAfterSeconds userErrors { code field } } }`,
      { input: { tenant: acme.slug, email, password, deviceMark } },
    )
  ).signIn

const complete = async (mfaToken: string | null | undefined, code: string): Promise<Answers> =>
  (
    await graph.anonymous.data<{ completeSignIn: Answers }>(
      `mutation ($input: CompleteSignInInput!) { completeSignIn(input: $input) {
        accessToken refreshToken expiresAt passwordChangeRequired deviceMark retryAfterSeconds userErrors { code field } } }`,
      { input: { mfaToken, code } },
    )
  ).completeSignIn

const bearing = (token: string | null, userId = '') =>
  testClient(graph.server.url, userId, { authorization: `Bearer ${token}` })

const stepUp = async (client: TestClient, input: object) =>
  (
    await client.data<{ stepUp: { provedUntil: string | null; userErrors: { code: string }[] } }>(
      'mutation ($input: StepUpInput!) { stepUp(input: $input) { provedUntil userErrors { code } } }',
      { input },
    )
  ).stepUp

interface Enrolled {
  mfaDevice: { id: string }
  secret: string
  otpauthUri: string
}

const enrol = async (client: TestClient, label = 'Telephone') =>
  (
    await client.data<{ enrollTotp: Enrolled }>(
      'mutation ($label: String!) { enrollTotp(input: { label: $label }) { mfaDevice { id } secret otpauthUri } }',
      { label },
    )
  ).enrollTotp

const confirm = async (client: TestClient, id: string, code: string) =>
  (
    await client.data<{
      confirmMfaDevice: { recoveryCodes: string[] | null; userErrors: { code: string; field: string[] }[] }
    }>(
      `mutation ($input: ConfirmMfaDeviceInput!) { confirmMfaDevice(input: $input) {
        recoveryCodes userErrors { code field } } }`,
      { input: { id, code } },
    )
  ).confirmMfaDevice

const code = (secret: string, stepsLater = 0) => codeAt(secret, graph.clock.now(), stepsLater)
const nextStep = () => graph.clock.advance({ seconds: 30 })

/** A user with an authenticator that counts, and the time a step further: its last code is used up. */
async function withAuthenticator(...roles: Parameters<TestTenant['user']>) {
  const user = await acme.user(...roles)
  const { mfaDevice, secret } = await enrol(user)
  const { recoveryCodes } = await confirm(user, mfaDevice.id, code(secret))
  nextStep()
  return { user, secret, deviceId: mfaDevice.id, recoveryCodes: recoveryCodes! }
}

const enabled = async ({ userId }: TestClient) =>
  (
    await graph.owner.query<{ mfa_enabled: boolean }>(
      'SELECT mfa_enabled FROM identity.users WHERE id = $1',
      [userId],
    )
  ).rows[0]!.mfa_enabled

const devices = async (client: TestClient, selection = 'type isActive remainingCodes') =>
  (
    await client.data<{ viewer: { mfaDevices: { nodes: Record<string, unknown>[] } } }>(
      `{ viewer { mfaDevices { nodes { ${selection} } } } }`,
    )
  ).viewer.mfaDevices.nodes

const codesOf = (answers: readonly { userErrors: { code: string }[] }[]) =>
  answers.map(({ userErrors: [first] }) => first?.code ?? 'OK').sort()
const times = <T>(count: number, work: () => Promise<T>) => Promise.all(Array.from({ length: count }, work))

describe('codes', () => {
  // "12345678901234567890" in base 32.
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

  test.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('A6 of RFC 6238, appendix B: at %d s it is %s', (seconds, expected) => {
    const now = new Date(seconds * 1000)
    const step = Math.floor(seconds / 30)
    expect(codeAt(secret, now)).toBe(expected)
    expect(acceptedStep(secret, expected, { now, lastStep: null })).toBe(step)
    expect(
      acceptedStep(secret, ` ${expected.slice(0, 3)} ${expected.slice(3)}`, { now, lastStep: null }),
    ).toBe(step)
  })

  test('A6 are taken of the step, the one before and the one behind, and later than the last one alone', () => {
    const now = new Date('2026-11-28T12:00:10.000Z')
    const step = Math.floor(now.getTime() / 30_000)
    const taken = (stepsLater: number, lastStep: number | null = null) =>
      acceptedStep(secret, codeAt(secret, now, stepsLater), { now, lastStep })
    expect([-2, -1, 0, 1, 2].map((later) => taken(later))).toEqual([null, step - 1, step, step + 1, null])
    expect([-1, 0, 1].map((later) => taken(later, step))).toEqual([null, null, step + 1])
    for (const text of ['', '12345', '1234567', 'abcdef', '-12345', '１２３４５６'])
      expect(acceptedStep(secret, text, { now, lastStep: null })).toBeNull()
  })

  test('A6 of recovery are ten, different, found however they are typed, and told from others', () => {
    const codes = newRecoveryCodes()
    expect(new Set(codes).size).toBe(10)
    for (const one of codes) {
      expect(one).toMatch(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/)
      expect(recoveryHash(one)).toMatch(/^[0-9a-f]{64}$/)
      expect(recoveryHash(` ${one.replaceAll('-', ' ').toUpperCase()}`)).toBe(recoveryHash(one))
    }
    for (const other of ['', '123456', codes[0]!.slice(1), `${codes[0]}a`, codes[0]!.replace(/^./, '1')])
      expect(recoveryHash(other)).toBeNull()
    expect(newTotpSecret()).toMatch(/^[A-Z2-7]{32}$/)
    expect(otpauthUri(secret, { tenant: 'Acme: Ü', email: 'a@b.example' })).toMatch(
      /^otpauth:\/\/totp\/Acme%20%20%C3%9C:a%40b\.example\?issuer=Acme%20%20%C3%9C&secret=/,
    )
  })
})

test('A6 an authenticator counts from its first right code on, and then the password alone opens nothing', async () => {
  const user = await acme.user()
  const { mfaDevice, secret, otpauthUri: uri } = await enrol(user, 'My telephone')
  expect(uri).toContain(`secret=${secret}`)
  expect(await devices(user, 'label type isActive confirmedAt remainingCodes')).toEqual([
    { label: 'My telephone', type: 'TOTP', isActive: false, confirmedAt: null, remainingCodes: null },
  ])
  expect((await signIn(user)).accessToken).not.toBeNull()
  expect(await confirm(user, mfaDevice.id, code(secret, 5))).toMatchObject({
    userErrors: [{ code: 'INVALID_CODE', field: ['code'] }],
  })
  expect(await enabled(user)).toBe(false)

  const { recoveryCodes, userErrors: faults } = await confirm(user, mfaDevice.id, code(secret))
  expect([faults, recoveryCodes?.length]).toEqual([[], 10])
  expect(await user.data('{ viewer { mfaEnabled } }')).toEqual({ viewer: { mfaEnabled: true } })
  expect(await confirm(user, mfaDevice.id, code(secret, 1))).toMatchObject({
    userErrors: [{ code: 'INVALID' }],
  })
  expect(await devices(user)).toEqual([
    { type: 'RECOVERY_CODES', isActive: true, remainingCodes: 10 },
    { type: 'TOTP', isActive: true, remainingCodes: null },
  ])

  nextStep()
  const { rows: sessions } = await graph.owner.query('SELECT count(*) FROM identity.sessions')
  const half = await signIn(user)
  expect(half).toEqual({
    accessToken: null,
    mfaToken: expect.any(String) as string,
    deviceMark: null,
    retryAfterSeconds: null,
    userErrors: [],
  })
  expect((await graph.owner.query('SELECT count(*) FROM identity.sessions')).rows).toEqual(sessions)
  const whole = await complete(half.mfaToken, code(secret))
  expect(whole).toMatchObject({ userErrors: [], passwordChangeRequired: false, retryAfterSeconds: null })
  const { viewer } = await bearing(whole.accessToken).data<{
    viewer: { id: string; sessions: { nodes: { isCurrent: boolean; authMethods: string[] }[] } }
  }>('{ viewer { id sessions { nodes { isCurrent authMethods } } } }')
  expect(viewer.id).toBe(user.userId)
  expect(viewer.sessions.nodes.find(({ isCurrent }) => isCurrent)!.authMethods).toEqual(['PASSWORD', 'TOTP'])
})

test('A6 the token of a half sign-in is good once, for 5 minutes, and for nothing else', async () => {
  const { user, secret } = await withAuthenticator()
  const { mfaToken } = await signIn(user)
  for (const [mutation, input] of [
    ['refreshSession', { refreshToken: mfaToken }],
    ['acceptInvitation', { token: mfaToken, password: 'correct horse other battery' }],
  ] as const)
    expect((await userErrors(graph.anonymous, mutation, input))[0]!.code).toMatch(/_ENDED$/)
  expect((await bearing(mfaToken!).query('{ viewer { id } }')).status).toBe(401)
  const ended = [{ code: 'MFA_TOKEN_ENDED', field: ['mfaToken'] }]
  const [tenant, id, rest] = mfaToken!.split('.') as [string, string, string]
  const globex = await graph.tenant('globex')
  for (const wrong of [
    '',
    'x',
    `${tenant}.${id}.${rest.replace(/^./, (one) => (one === 'A' ? 'B' : 'A'))}`,
    `${globex.id}.${id}.${rest}`,
  ])
    expect((await complete(wrong, code(secret))).userErrors).toEqual(ended)
  expect((await complete(mfaToken, code(secret))).accessToken).not.toBeNull()
  nextStep()
  expect((await complete(mfaToken, code(secret))).userErrors).toEqual(ended)
  const late = await signIn(user)
  graph.clock.advance({ minutes: 5 })
  expect((await complete(late.mfaToken, code(secret))).userErrors).toEqual(ended)
})

test('A6 what changed since the password was right ends the half sign-in', async () => {
  const admin = await acme.user('ADMIN')
  const ended = [{ code: 'MFA_TOKEN_ENDED', field: ['mfaToken'] }]
  for (const mutation of ['suspendUser', 'requirePasswordChange']) {
    const { user, secret } = await withAuthenticator()
    const { mfaToken } = await signIn(user)
    const { user: seen } = await admin.data<{ user: { version: number } }>(
      'query ($id: ID!) { user(id: $id) { version } }',
      { id: user.userId },
    )
    await change(admin, mutation, { id: user.userId, expectedVersion: seen.version }, 'user { id }')
    expect((await complete(mfaToken, code(secret))).userErrors).toEqual(ended)
    const again = await signIn(user)
    if (mutation === 'suspendUser') expect(again.userErrors[0]!.code).toBe('INVALID_CREDENTIALS')
    else expect(await complete(again.mfaToken, code(secret))).toMatchObject({ passwordChangeRequired: true })
  }
})

test('A6 an invitation of who has a second factor stands for the password alone', async () => {
  const { user, secret } = await withAuthenticator()
  const admin = await acme.user('ADMIN')
  const { user: seen } = await admin.data<{ user: { version: number } }>(
    'query ($id: ID!) { user(id: $id) { version } }',
    { id: user.userId },
  )
  const demand = { id: user.userId, expectedVersion: seen.version }
  await change(admin, 'requirePasswordChange', demand, 'user { id }')
  const grant = { userId: user.userId, permission: 'hr:employee:read' }
  const token = await change<string>(admin, 'grantPermission', grant, 'invitationToken')
  const before = await graph.owner.query('SELECT count(*) FROM identity.sessions')
  const { acceptInvitation } = await graph.anonymous.data<{ acceptInvitation: Answers }>(
    `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
      accessToken mfaToken retryAfterSeconds userErrors { code field } } }`,
    { input: { token, password } },
  )
  expect(acceptInvitation).toMatchObject({ accessToken: null, userErrors: [] })
  expect((await graph.owner.query('SELECT count(*) FROM identity.sessions')).rows).toEqual(before.rows)
  expect(await complete(acceptInvitation.mfaToken, code(secret))).toMatchObject({ userErrors: [] })
})

test('A6 of ten who come with one code one is let in, and the code is used up everywhere', async () => {
  const { user, secret } = await withAuthenticator()
  const tokens = [
    await signIn(user),
    await signIn(user),
    await signIn(user),
    await signIn(user),
    await signIn(user),
  ]
  const now = code(secret)
  const answers = await Promise.all([...tokens, ...tokens].map(({ mfaToken }) => complete(mfaToken, now)))
  expect(answers.filter(({ accessToken }) => accessToken !== null)).toHaveLength(1)
  const other = await withAuthenticator()
  const once = code(other.secret)
  expect((await complete((await signIn(other.user)).mfaToken, once)).accessToken).not.toBeNull()
  expect((await complete((await signIn(other.user)).mfaToken, once)).userErrors).toEqual([
    { code: 'INVALID_CODE', field: ['code'] },
  ])
  expect((await stepUp(other.user, { code: once })).userErrors).toMatchObject([{ code: 'INVALID_CODE' }])
  nextStep()
  const proofs = await times(10, () => stepUp(other.user, { code: code(other.secret) }))
  expect(proofs.filter(({ provedUntil }) => provedUntil !== null)).toHaveLength(1)
})

test('A6 a recovery code is good once, of ten at once one is let in, and new ones end the former', async () => {
  const { user, recoveryCodes } = await withAuthenticator()
  const { mfaToken } = await signIn(user)
  const answers = await times(10, () => complete(mfaToken, recoveryCodes[0]!))
  const inside = answers.filter(({ accessToken }) => accessToken !== null)
  expect(inside).toHaveLength(1)
  const client = bearing(inside[0]!.accessToken, user.userId)
  expect(await devices(client)).toContainEqual({ type: 'RECOVERY_CODES', isActive: true, remainingCodes: 9 })
  const { viewer } = await client.data<{ viewer: { sessions: { nodes: { authMethods: string[] }[] } } }>(
    '{ viewer { sessions(first: 1) { nodes { authMethods } } } }',
  )
  expect(viewer.sessions.nodes).toEqual([{ authMethods: ['PASSWORD', 'RECOVERY_CODE'] }])
  const proofs = await times(10, () => stepUp(client, { code: recoveryCodes[1]!.toUpperCase() }))
  expect(proofs.filter(({ provedUntil }) => provedUntil !== null)).toHaveLength(1)
  expect(await devices(client)).toContainEqual({ type: 'RECOVERY_CODES', isActive: true, remainingCodes: 8 })

  graph.clock.advance({ minutes: 15 })
  const later = bearing((await complete((await signIn(user)).mfaToken, recoveryCodes[2]!)).accessToken)
  const fresh = await change<string[]>(later, 'regenerateRecoveryCodes', {}, 'recoveryCodes')
  expect(fresh).toHaveLength(10)
  expect((await complete((await signIn(user)).mfaToken, recoveryCodes[3]!)).userErrors).toMatchObject([
    { code: 'INVALID_CODE' },
  ])
  expect((await complete((await signIn(user)).mfaToken, fresh[0]!)).accessToken).not.toBeNull()
})

test('A6 after 5 wrong codes further ones are not compared for 15 minutes, of 20 at once neither', async () => {
  const { user, secret } = await withAuthenticator()
  const { mfaToken } = await signIn(user)
  const wrong = String((Number(code(secret)) + 1) % 1_000_000).padStart(6, '0')
  expect(codesOf(await times(20, () => complete(mfaToken, wrong)))).toEqual([
    ...Array.from({ length: 5 }, () => 'INVALID_CODE'),
    ...Array.from({ length: 15 }, () => 'RATE_LIMITED'),
  ])
  const limited = await complete((await signIn(user)).mfaToken, code(secret))
  expect(limited).toMatchObject({ accessToken: null, userErrors: [{ code: 'RATE_LIMITED' }] })
  expect(limited.retryAfterSeconds).toBeGreaterThan(14 * 60)
  expect(limited.retryAfterSeconds).toBeLessThanOrEqual(15 * 60)
  expect((await stepUp(user, { code: code(secret) })).userErrors).toMatchObject([{ code: 'RATE_LIMITED' }])
  const { rows } = await graph.owner.query(
    `SELECT changes -> 'after' ->> 'reason' AS reason, count(*)::int FROM shared.audit_logs
      WHERE resource_id = $1 AND action = 'SIGN_IN_FAILED' GROUP BY 1`,
    [user.userId],
  )
  expect(rows).toEqual([{ reason: 'WRONG_CODE', count: 5 }])
  expect(await enabled(user)).toBe(true)
})

test('A6 a device to be confirmed is tried 5 times; one that was left is forgotten with the next', async () => {
  const user = await acme.user()
  const first = await enrol(user, 'First')
  const wrong = String((Number(code(first.secret)) + 1) % 1_000_000).padStart(6, '0')
  const answers = await times(8, () => confirm(user, first.mfaDevice.id, wrong))
  expect(codesOf(answers)).toEqual([
    ...Array.from({ length: 5 }, () => 'INVALID_CODE'),
    ...Array.from({ length: 3 }, () => 'RATE_LIMITED'),
  ])
  const second = await enrol(user, 'Second')
  expect(await devices(user, 'label')).toEqual([{ label: 'Second' }])
  expect((await confirm(user, second.mfaDevice.id, code(second.secret))).userErrors).toEqual([])
})

test('A6 an own device is removed after a step-up, and nobody else’s', async () => {
  const { user, secret, deviceId } = await withAuthenticator()
  const watcher = await userWith(graph, acme, ['identity:session:read', 'identity:user:write'])
  const other = await acme.user()
  expect(await userErrors(other, 'removeMfaDevice', { id: deviceId })).toMatchObject([{ code: 'NOT_FOUND' }])
  expect(await userErrors(watcher, 'removeMfaDevice', { id: deviceId })).toEqual([
    { code: 'NOT_FOUND', message: 'This is no second factor of yours', field: ['id'] },
  ])
  graph.clock.advance({ minutes: 11 })
  const remove = `mutation { removeMfaDevice(input: { id: "${deviceId}" }) { mfaDevice { id } } }`
  expect((await user.query(remove)).errors).toMatchObject([{ extensions: { code: 'STEP_UP_REQUIRED' } }])
  expect(await enabled(user)).toBe(true)
  expect((await stepUp(user, { code: code(secret) })).userErrors).toEqual([])
  const second = await enrol(user, 'Tablet')
  expect((await confirm(user, second.mfaDevice.id, code(second.secret))).recoveryCodes).toBeNull()
  expect(await user.data<object>(remove)).toEqual({ removeMfaDevice: { mfaDevice: { id: deviceId } } })
  expect([await enabled(user), (await devices(user)).length]).toEqual([true, 2])
  await change(user, 'removeMfaDevice', { id: second.mfaDevice.id }, 'mfaDevice { id }')
  expect([await enabled(user), await devices(user)]).toEqual([false, []])
  expect((await signIn(user)).accessToken).not.toBeNull()
  expect(await userErrors(user, 'regenerateRecoveryCodes', {})).toMatchObject([{ code: 'NO_SECOND_FACTOR' }])
})

test('A6 somebody with authority resets them for a reason, the sessions end, and the user is told', async () => {
  const { user } = await withAuthenticator()
  const admin = await acme.user('ADMIN')
  const weak = await userWith(graph, acme, ['identity:user:write'])
  const strong = await withAuthenticator('ADMIN')
  const reset = (client: TestClient, userId: string, reason = 'Telephone lost') =>
    userErrors(client, 'resetUserMfa', { userId, reason })
  expect(await reset(weak, strong.user.userId)).toMatchObject([
    { code: 'PERMISSION_NOT_HELD', field: ['userId'] },
  ])
  expect(await reset(strong.user, strong.user.userId)).toMatchObject([{ code: 'INVALID', field: ['userId'] }])
  for (const reason of ['', 'x'.repeat(501)])
    expect(await reset(admin, user.userId, reason)).toMatchObject([{ code: 'INVALID', field: ['reason'] }])
  expect(await reset(admin, admin.userId)).toMatchObject([{ code: 'INVALID' }])
  expect(await reset(admin, weak.userId)).toEqual([
    { code: 'NO_SECOND_FACTOR', message: 'This user has no second factor', field: ['userId'] },
  ])
  expect([await enabled(user), await enabled(strong.user)]).toEqual([true, true])

  expect(await reset(admin, user.userId)).toEqual([])
  expect(await enabled(user)).toBe(false)
  expect((await user.query('{ viewer { id } }')).status).toBe(401)
  expect((await signIn(user)).accessToken).not.toBeNull()
  const { rows } = await graph.owner.query(
    `SELECT actor_id, changes -> 'after' ->> 'reason' AS reason FROM shared.audit_logs
      WHERE resource_id = $1 AND changes -> 'after' ? 'secondFactors'`,
    [user.userId],
  )
  expect(rows).toEqual([{ actor_id: admin.userId, reason: 'Telephone lost' }])
  const mails = await graph.owner.query<{ kind: string }>(
    `SELECT kind FROM shared.mails WHERE tenant_id = $1 AND kind = 'identity.second-factor-reset'`,
    [acme.id],
  )
  expect(mails.rows).toHaveLength(1)
})

test('A6 no secret and no code stands in clear in a table, the trail or a list', async () => {
  const { user, secret, recoveryCodes, deviceId } = await withAuthenticator()
  const { rows } = await graph.owner.query<{ device: string; audit: string; secret: string | null }>(
    `SELECT row_to_json(d)::text AS device, d.secret,
            (SELECT string_agg(changes::text, ' ') FROM shared.audit_logs WHERE resource_id = d.id::text) AS audit
       FROM identity.mfa_devices d WHERE d.user_id = $1 ORDER BY d.type DESC`,
    [user.userId],
  )
  expect(rows).toHaveLength(2)
  expect(rows[0]!.secret).toMatch(/^enc1:/)
  for (const { device, audit } of rows)
    for (const text of [secret, ...recoveryCodes, ...recoveryCodes.map((one) => one.replaceAll('-', ''))]) {
      expect(device).not.toContain(text)
      expect(audit).not.toContain(text)
    }
  for (const { audit } of rows)
    for (const hash of recoveryCodes.map(recoveryHash)) expect(audit).not.toContain(hash!)
  const { schema } = graph.server.subgraphs.get('identity')!
  const fields = Object.keys((schema.getType('MfaDevice') as unknown as { getFields(): object }).getFields())
  expect(fields.filter((name) => /secret|hash|step$|codes$/i.test(name))).toEqual(['remainingCodes'])
  expect(await devices(user, 'id')).toContainEqual({ id: deviceId })
})

test('A6 everybody lists their own, those who watch over sign-ins all, in as many statements for one as for many', async () => {
  const { user, deviceId } = await withAuthenticator()
  const other = await acme.user()
  const watcher = await userWith(graph, acme, ['identity:session:read', 'identity:user:read'])
  const one = 'query ($id: ID!) { mfaDevice(id: $id) { id } mfaDevices { totalCount } }'
  expect(await user.data(one, { id: deviceId })).toEqual({
    mfaDevice: { id: deviceId },
    mfaDevices: { totalCount: 2 },
  })
  expect(await other.data(one, { id: deviceId })).toEqual({ mfaDevice: null, mfaDevices: { totalCount: 0 } })
  expect(await watcher.data<{ mfaDevice: object }>(one, { id: deviceId })).toMatchObject({
    mfaDevice: { id: deviceId },
  })
  const nested = (first: number) =>
    graph.statementsDuring(() =>
      watcher.data(
        `{ users(first: ${first}) { nodes { id mfaDevices(first: 5) { nodes { label user { id } } } } } }`,
      ),
    )
  await nested(1)
  expect((await nested(8)).length).toBe((await nested(2)).length)
})

test('A9 attempts are forgotten, and a device is known, after the second factor alone', async () => {
  const { user, secret } = await withAuthenticator()
  graph.clock.stop()
  const limited = { accessToken: null, mfaToken: null, deviceMark: null, retryAfterSeconds: 2 }
  const halves: Answers[] = []
  const spend = async () => {
    for (let attempt = 1; attempt <= 5; attempt++) halves.push(await signIn(user))
    expect(await signIn(user)).toMatchObject(limited)
  }
  await spend()
  expect(new Set(halves.map(({ deviceMark }) => deviceMark))).toEqual(new Set([null]))
  const wrong = String((Number(code(secret)) + 1) % 1_000_000).padStart(6, '0')
  expect(await complete(halves[0]!.mfaToken, wrong)).toMatchObject({ accessToken: null, deviceMark: null })
  expect(await signIn(user)).toMatchObject(limited)
  const { deviceMark } = await complete(halves[1]!.mfaToken, code(secret))
  expect(deviceMark).toMatch(/^[\da-f-]{36}\.[\da-z]+\.[\w-]{43}$/)
  await spend()
  expect(await signIn(user, deviceMark)).toMatchObject({
    accessToken: null,
    mfaToken: expect.any(String) as string,
  })
})

test('A9 a network that is spent refuses tokens of no use, and nobody who told the password', async () => {
  const { user, secret } = await withAuthenticator()
  const { mfaToken } = await signIn(user)
  const { rateLimit } = graph.server.services
  for (let attempt = 1; attempt <= 300; attempt++)
    await rateLimit.consume('sign-in:network:127.0.0.1', 300, 5 * 60_000)
  expect((await complete('x', '000000')).userErrors).toMatchObject([{ code: 'RATE_LIMITED' }])
  expect((await complete(mfaToken, code(secret))).accessToken).not.toBeNull()
})
