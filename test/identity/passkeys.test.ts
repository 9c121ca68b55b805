import { relyingParty } from '../../subgraphs/identity/rules/relying-party'
import { isCountedOn } from '../../subgraphs/identity/rules/sign-count'
import { codeAt } from '../support/authenticator'
import { cheapBcrypt } from '../support/bcrypt'
import { password, startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { mailsOf } from '../support/mails'
import { SoftPasskey } from '../support/passkey'
import { origin, PasskeyClient } from '../support/passkey-client'
import { userWith } from '../support/scopes'

/** Issue 14.1: passkeys sign in, are second factors and prove who somebody is; test/identity/passkey-attacks.test.ts forges them. */
let graph: TestGraph
let acme: TestTenant
let door: PasskeyClient

beforeAll(async () => {
  cheapBcrypt()
  graph = await startGraph({ env: { PUBLIC_URL: origin } })
  acme = await graph.tenant('acme')
  door = new PasskeyClient(graph, acme)
})
afterAll(() => graph?.close())

const refused = { accessToken: null, userErrors: [{ code: 'INVALID_PASSKEY', field: null }] }

const credentials = async (client: TestClient, selection: string) =>
  (
    await client.data<{ viewer: { credentials: { nodes: Record<string, unknown>[] } } }>(
      `{ viewer { credentials { nodes { ${selection} } } } }`,
    )
  ).viewer.credentials.nodes

const currentMethods = async (client: TestClient) =>
  (
    await client.data<{ viewer: { sessions: { nodes: { isCurrent: boolean; authMethods: string[] }[] } } }>(
      '{ viewer { sessions { nodes { isCurrent authMethods } } } }',
    )
  ).viewer.sessions.nodes.find(({ isCurrent }) => isCurrent)?.authMethods

const mfaEnabled = async (client: TestClient) =>
  (await client.data<{ viewer: { mfaEnabled: boolean } }>('{ viewer { mfaEnabled } }')).viewer.mfaEnabled

test('a passkey is made for our domain and this user, and signs in without the password', async () => {
  const user = await acme.user('VIEWER')
  const options = await door.registerOptions(user)
  expect(options).toMatchObject({
    rp: { id: 'app.example' },
    user: { name: user.email, id: expect.stringMatching(/^[\w-]{43}$/) as string },
    attestation: 'none',
    excludeCredentials: [],
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    pubKeyCredParams: [-8, -7, -257].map((alg) => ({ alg, type: 'public-key' })),
  })
  const { passkey, id, recoveryCodes } = await door.register(user)
  expect(recoveryCodes).toHaveLength(10)
  expect(await door.registerOptions(user)).toMatchObject({
    excludeCredentials: [{ id: passkey.id.toString('base64url'), transports: ['hybrid', 'internal'] }],
  })
  const shown = 'id label type issuer subject backedUp signsInAlone isActive lastUsedAt blockedAt version'
  const row = {
    ...{ id, label: 'Laptop', type: 'PASSKEY', issuer: 'app.example', backedUp: false, signsInAlone: true },
    ...{ subject: passkey.id.toString('base64url'), isActive: true, blockedAt: null, version: 1 },
  }
  expect(await credentials(user, shown)).toEqual([{ ...row, lastUsedAt: null }])

  // The same answer for every tenant, which names no passkey.
  expect({ ...(await door.options()), challenge: '' }).toEqual({
    ...(await door.options(null, 'nobody')),
    challenge: '',
  })
  const { accessToken, userErrors: faults } = await door.signIn(passkey)
  expect(faults).toEqual([])
  const client = door.bearing(accessToken)
  expect(await client.data('{ viewer { id } }')).toEqual({ viewer: { id: user.userId } })
  expect(await currentMethods(client)).toEqual(['PASSKEY'])
  expect(await credentials(client, shown)).toEqual([{ ...row, lastUsedAt: expect.any(String) as string }])
  const { rows } = await graph.owner.query('SELECT sign_count FROM identity.credentials WHERE id = $1', [id])
  expect(rows).toEqual([{ sign_count: '2' }])
  expect((await mailsOf(graph, acme.id)).map(({ kind }) => kind)).toContain('identity.notice-passkey-added')
})

test('a synchronised passkey does not count, and is taken again and again', async () => {
  const user = await acme.user('VIEWER')
  const { passkey } = await door.register(user, false)
  for (let attempt = 0; attempt < 3; attempt++)
    expect((await door.signIn(passkey)).accessToken).toEqual(expect.any(String))
  expect(await credentials(user, 'backedUp')).toEqual([{ backedUp: true }])
  // Some attest to themselves though nobody asks.
  const attesting = new SoftPasskey(origin)
  const made = attesting.create(await door.registerOptions(user), { format: 'packed' })
  expect((await door.registerFinish(user, made)).userErrors).toEqual([])
  expect((await door.signIn(attesting)).accessToken).toEqual(expect.any(String))
  expect(relyingParty('http://127.0.0.1:4000')).toEqual({ id: 'localhost', origin: 'http://localhost:4000' })
  expect(relyingParty('http://0.0.0.0:1/app')).toEqual({ id: 'localhost', origin: 'http://localhost:1' })
  expect(relyingParty('https://app.example/office')).toEqual({ id: 'app.example', origin })
  expect([isCountedOn(0, 0), isCountedOn(0, 1), isCountedOn(1, 1), isCountedOn(2, 1)]).toEqual([
    ...[true, true, false, false],
  ])
})

test('it is a second factor: the password alone opens nothing any more', async () => {
  const user = await acme.user('VIEWER')
  const { passkey, recoveryCodes } = await door.register(user)
  expect(await mfaEnabled(user)).toBe(true)
  const { accessToken, mfaToken } = await door.byPassword(user)
  expect([accessToken, mfaToken]).toEqual([null, expect.any(String)])
  for (const input of [{}, { code: '123456', passkey: {} }])
    expect((await door.complete({ mfaToken, ...input })).userErrors).toEqual([
      { code: 'INVALID', field: null },
    ])
  const signed = passkey.get(await door.options(mfaToken))
  const whole = await door.complete({ mfaToken, passkey: signed })
  expect(whole.userErrors).toEqual([])
  expect(await currentMethods(door.bearing(whole.accessToken))).toEqual(['PASSWORD', 'PASSKEY'])
  const again = await door.byPassword(user)
  expect((await door.complete({ mfaToken: again.mfaToken, code: recoveryCodes![0] })).userErrors).toEqual([])
})

test('it satisfies a tenant that asks for a second factor, and the last one stays while it asks', async () => {
  const strict = await graph.tenant('strict')
  const strictDoor = new PasskeyClient(graph, strict)
  const [admin, user] = [await strict.user('ADMIN'), await strict.user('VIEWER')]
  const policy = { expectedVersion: 0, mfaRequired: true, mfaScopes: [], graceDays: 0 }
  await change(admin, 'setSignInPolicy', policy, 'signInPolicy { version }')
  const codes = async () =>
    (await user.query('{ tenant { id } }')).errors?.map(({ extensions }) => extensions.code)
  expect(await codes()).toEqual(['SECOND_FACTOR_REQUIRED'])
  const first = await strictDoor.register(user)
  expect(await codes()).toBeUndefined()
  const second = await strictDoor.register(user, false, 'Telephone')
  expect(second.recoveryCodes).toBeNull()
  await change(user, 'removeCredential', { id: first.id }, 'credential { id }')
  expect(await userErrors(user, 'removeCredential', { id: second.id })).toEqual([
    {
      ...{ code: 'LAST_FACTOR', field: ['id'] },
      message: 'Your organization asks for a second factor: add another one first',
    },
  ])
  expect(await credentials(user, 'id')).toEqual([{ id: second.id }])
  expect(await mfaEnabled(user)).toBe(true)
  // The same of authenticators: of one beside a passkey either goes, and not both.
  graph.clock.advance({ seconds: 35 - ((graph.clock.now().getTime() / 1000) % 30) })
  const { mfaDevice, secret } = (
    await user.data<{ enrollTotp: { mfaDevice: { id: string }; secret: string } }>(
      'mutation { enrollTotp(input: { label: "Telephone" }) { mfaDevice { id } secret } }',
    )
  ).enrollTotp
  await change(
    user,
    'confirmMfaDevice',
    { id: mfaDevice.id, code: codeAt(secret, graph.clock.now()) },
    'mfaDevice { id }',
  )
  await change(user, 'removeCredential', { id: second.id }, 'credential { id }')
  expect(await userErrors(user, 'removeMfaDevice', { id: mfaDevice.id })).toMatchObject([
    { code: 'LAST_FACTOR' },
  ])
  expect(await codes()).toBeUndefined()
  expect(await strictDoor.signIn(second.passkey)).toEqual(refused)
})

test('where no tenant asks, the last one goes with its recovery codes, and the password opens again', async () => {
  const user = await acme.user('VIEWER')
  const { id, passkey } = await door.register(user)
  const renamed = await change(
    user,
    'renameCredential',
    { id, expectedVersion: 1, label: 'Old laptop' },
    'credential { label version }',
  )
  expect(renamed).toEqual({ label: 'Old laptop', version: 2 })
  expect(
    await userErrors(user, 'renameCredential', { id, expectedVersion: 1, label: 'Older' }),
  ).toMatchObject([{ code: 'STALE_VERSION' }])
  graph.clock.advance({ minutes: 11 })
  const remove = `mutation { removeCredential(input: { id: "${id}" }) { credential { id } } }`
  expect((await user.query(remove)).errors).toMatchObject([{ extensions: { code: 'STEP_UP_REQUIRED' } }])
  expect((await door.signIn(passkey)).accessToken).toEqual(expect.any(String))
  const options = await change<Parameters<typeof passkey.get>[0]>(user, 'stepUpPasskeyBegin', {}, 'options')
  expect(await userErrors(user, 'stepUp', { passkey: passkey.get(options) })).toEqual([])
  await user.data(remove)
  const { rows } = await graph.owner.query('SELECT FROM identity.mfa_devices WHERE user_id = $1', [
    user.userId,
  ])
  expect([await mfaEnabled(user), rows, await credentials(user, 'id')]).toEqual([false, [], []])
  expect(await door.signIn(passkey)).toEqual(refused)
  expect((await door.byPassword(user)).accessToken).toEqual(expect.any(String))
})

test('it proves in a session that its user is there', async () => {
  const user = await acme.user('ADMIN')
  const { passkey } = await door.register(user)
  graph.clock.advance({ minutes: 11 })
  const make = 'mutation { createRole(input: { name: "Proved", permissions: [] }) { role { id } } }'
  expect((await user.query(make)).errors).toMatchObject([{ extensions: { code: 'STEP_UP_REQUIRED' } }])
  const options = await change<Parameters<typeof passkey.get>[0]>(
    user,
    'stepUpPasskeyBegin',
    { keptOn: 'SECURITY_KEY' },
    'options',
  )
  expect(options).toMatchObject({
    ...{ rpId: 'app.example', hints: ['security-key'] },
    userVerification: 'required',
    allowCredentials: [{ id: passkey.id.toString('base64url'), type: 'public-key' }],
  })
  const stepUp = (input: Record<string, unknown>) => userErrors(user, 'stepUp', input)
  expect(await stepUp({ password: 'x', passkey: {} })).toMatchObject([{ code: 'INVALID' }])
  const signed = passkey.get(options)
  expect(await stepUp({ passkey: signed })).toEqual([])
  expect((await user.query(make)).errors).toBeUndefined()
  expect(await stepUp({ passkey: signed })).toMatchObject([{ code: 'INVALID_PASSKEY' }])
  const other = await acme.user('VIEWER')
  expect(await userErrors(other, 'stepUpPasskeyBegin', {})).toMatchObject([
    { code: 'NOT_FOUND', field: null },
  ])
})

test('who watches over sign-ins sees those of all, acts on none, and lists cost no statement for each user', async () => {
  const user = await acme.user('VIEWER')
  const { id } = await door.register(user)
  const other = await acme.user('VIEWER')
  const watcher = await userWith(graph, acme, ['identity:session:read', 'identity:user:read'])
  const one = 'query ($id: ID!) { credential(id: $id) { label } credentials { totalCount } }'
  expect(await user.data(one, { id })).toEqual({
    credential: { label: 'Laptop' },
    credentials: { totalCount: 1 },
  })
  expect(await other.data(one, { id })).toEqual({ credential: null, credentials: { totalCount: 0 } })
  expect(await watcher.data<Record<string, unknown>>(one, { id })).toMatchObject({
    credential: { label: 'Laptop' },
  })
  for (const client of [other, watcher]) {
    expect(await userErrors(client, 'removeCredential', { id })).toMatchObject([{ code: 'NOT_FOUND' }])
    const rename = { id, expectedVersion: 1, label: 'Mine' }
    expect(await userErrors(client, 'renameCredential', rename)).toMatchObject([{ code: 'NOT_FOUND' }])
  }
  expect(await credentials(user, 'label version')).toEqual([{ label: 'Laptop', version: 1 }])
  const nested = (first: number) =>
    graph.statementsDuring(() =>
      watcher.data(
        `{ users(first: ${first}) { nodes { id credentials(first: 5) { nodes { label user { id } } } } } }`,
      ),
    )
  await nested(1)
  expect((await nested(6)).length).toBe((await nested(2)).length)
})

test('a reset of second factors takes passkeys too; another password leaves them second factors alone', async () => {
  const admin = await acme.user('ADMIN')
  const [lost, forgot] = [await acme.user('VIEWER'), await acme.user('VIEWER')]
  const { passkey } = await door.register(lost)
  expect(await userErrors(admin, 'resetUserMfa', { userId: lost.userId, reason: 'Laptop lost' })).toEqual([])
  expect(await door.signIn(passkey)).toEqual(refused)
  expect((await door.byPassword(lost)).accessToken).toEqual(expect.any(String))

  const kept = await door.register(forgot)
  await graph.anonymous.data(
    'mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { userErrors { code } } }',
    {
      input: { tenant: acme.slug, email: forgot.email },
    },
  )
  const mails = (await mailsOf(graph, acme.id)).filter(
    ({ to, kind }) => to === forgot.email && kind === 'identity.password-reset',
  )
  const token = /#([\w.-]+)/.exec(mails.at(-1)!.text)![1]!
  const password = 'correct horse other battery'
  expect(await userErrors(graph.anonymous, 'resetPassword', { token, password })).toEqual([])
  expect(await door.signIn(kept.passkey)).toEqual(refused)
  const { mfaToken } = await door.byPassword(forgot, password)
  const signed = kept.passkey.get(await door.options(mfaToken))
  const { accessToken } = await door.complete({ mfaToken, passkey: signed })
  const client = door.bearing(accessToken)
  expect(await credentials(client, 'signsInAlone isActive')).toEqual([
    { signsInAlone: false, isActive: true },
  ])
})

test('whoever is invited again, because others may know the password, needs it beside the passkey', async () => {
  const [admin, user] = [await acme.user('ADMIN'), await acme.user('VIEWER')]
  const { passkey } = await door.register(user)
  const { user: seen } = await admin.data<{ user: { version: number } }>(
    'query ($id: ID!) { user(id: $id) { version } }',
    { id: user.userId },
  )
  const demand = { id: user.userId, expectedVersion: seen.version }
  await change(admin, 'requirePasswordChange', demand, 'user { id }')
  // Whoever knew the password that leaked may have added it.
  expect(await door.signIn(passkey)).toEqual(refused)
  const grant = { userId: user.userId, permission: 'hr:employee:read' }
  const token = await change<string>(admin, 'grantPermission', grant, 'invitationToken')
  expect(await door.signIn(passkey)).toEqual(refused)
  const accept = `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { accessToken mfaToken } }`
  const { acceptInvitation } = await graph.anonymous.data<{
    acceptInvitation: { accessToken: null; mfaToken: string }
  }>(accept, { input: { token, password: 'correct horse other battery' } })
  expect(acceptInvitation.accessToken).toBeNull()
  expect(await door.signIn(passkey)).toEqual(refused)
  const { mfaToken } = acceptInvitation
  const whole = await door.complete({ mfaToken, passkey: passkey.get(await door.options(mfaToken)) })
  expect(whole.userErrors).toEqual([])
})

test('a passkey outlives no password that bought it: changed by its owner, or taken by an administrator', async () => {
  const [admin, user] = [await acme.user('ADMIN'), await acme.user('VIEWER')]
  const changed = await door.register(user)
  expect((await door.signIn(changed.passkey)).accessToken).toEqual(expect.any(String))
  const input = { currentPassword: password, newPassword: 'correct horse other battery' }
  expect(await userErrors(user, 'changePassword', input)).toEqual([])
  expect(await door.signIn(changed.passkey)).toEqual(refused)

  const other = await acme.user('VIEWER')
  const { passkey } = await door.register(other)
  for (const verb of ['requirePasswordChange', 'suspendUser', 'reactivateUser']) {
    // Each for itself: the first would hide what the last leaves out.
    await graph.owner.query('UPDATE identity.credentials SET signs_in_alone = true WHERE user_id = $1', [
      other.userId,
    ])
    const { user: seen } = await admin.data<{ user: { version: number } }>(
      'query ($id: ID!) { user(id: $id) { version } }',
      { id: other.userId },
    )
    await change(admin, verb, { id: other.userId, expectedVersion: seen.version }, 'user { status }')
    if (verb !== 'suspendUser') {
      const { rows } = await graph.owner.query(
        'SELECT signs_in_alone FROM identity.credentials WHERE user_id = $1',
        [other.userId],
      )
      expect([verb, rows]).toEqual([verb, [{ signs_in_alone: false }]])
    }
  }
  expect(await door.signIn(passkey)).toEqual(refused)
})
