import { generateKeyPairSync } from 'node:crypto'
import { cheapBcrypt } from '../support/bcrypt'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { mailsOf } from '../support/mails'
import { SoftPasskey, type Forgery, type Registration } from '../support/passkey'
import { origin, PasskeyClient } from '../support/passkey-client'

/** Issue 14.1: each forged, copied, replayed or borrowed answer of an authenticator is refused, and changes nothing. */
let graph: TestGraph
let acme: TestTenant
let globex: TestTenant
let door: PasskeyClient

beforeAll(async () => {
  cheapBcrypt()
  graph = await startGraph({ env: { PUBLIC_URL: origin } })
  acme = await graph.tenant('acme')
  globex = await graph.tenant('globex')
  door = new PasskeyClient(graph, acme)
})
afterAll(() => graph?.close())

const refused = { accessToken: null, userErrors: [{ code: 'INVALID_PASSKEY', field: null }] }
const { privateKey: otherKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const forgeries: Readonly<Record<string, Forgery>> = {
  'the origin of another site': { origin: 'https://app.example.evil' },
  'our origin without TLS': { origin: 'http://app.example' },
  'another port': { origin: 'https://app.example:8443' },
  'the domain of another site': { rpId: 'evil.example' },
  'a parent domain': { rpId: 'example' },
  'a challenge of nobody': { challenge: 'A'.repeat(72) },
  'a short challenge': { challenge: 'AAAA' },
  'a page in a frame of another': { crossOrigin: true },
  'a user who was not verified': { isUnverified: true },
  'a user who was not there': { isAbsent: true },
}

const state = async () =>
  (
    await graph.owner.query(
      `SELECT (SELECT jsonb_agg(to_jsonb(c) ORDER BY id) FROM identity.credentials c) AS credentials,
              (SELECT count(*) FROM identity.sessions) AS sessions, (SELECT count(*) FROM identity.used_challenges) AS used`,
    )
  ).rows[0] as object

test.each(Object.entries(forgeries))('of a sign-in with %s nothing comes', async (_, forged) => {
  const user = await acme.user('VIEWER')
  const { passkey } = await door.register(user)
  const before = await state()
  expect(await door.signIn(passkey, forged)).toEqual(refused)
  expect(await state()).toEqual(before)
  expect((await door.signIn(passkey)).accessToken).toEqual(expect.any(String))
})

test.each([
  ...Object.entries(forgeries),
  ['what was signed for a sign-in', { type: 'webauthn.get' }],
  ['an attestation with certificates', { format: 'packed', isCertified: true }],
  ['an attestation of no form', { format: 'no-such' }],
] as [string, Registration][])('of a registration with %s nothing comes', async (_, forged) => {
  const user = await acme.user('VIEWER')
  const passkey = new SoftPasskey(origin)
  const before = await state()
  const made = passkey.create(await door.registerOptions(user), forged)
  expect(await door.registerFinish(user, made)).toEqual({
    ...{ credential: null, recoveryCodes: null },
    userErrors: [{ code: 'INVALID_PASSKEY', field: ['credential'] }],
  })
  expect(await state()).toEqual(before)
})

test('another key, another user’s handle, and what is no answer at all are refused', async () => {
  const [user, other] = [await acme.user('VIEWER'), await acme.user('VIEWER')]
  const { passkey } = await door.register(user)
  const { user: handleOfOther } = await door.registerOptions(other)
  const honest = passkey.get(await door.options())
  const before = await state()
  for (const forged of [{ key: otherKey }, { userHandle: handleOfOther.id }, { type: 'webauthn.create' }])
    expect(await door.signIn(passkey, forged)).toEqual(refused)
  const changed = {
    ...honest.response,
    authenticatorData: honest.response.authenticatorData.replace(/..$/, 'AA'),
  }
  for (const none of [
    ...[{}, [], 'text', 1, { id: honest.id }, { ...honest, response: {} }, { ...honest, response: changed }],
    ...[
      { ...honest, id: 'A'.repeat(2000) },
      { ...honest, type: 'password' },
      { ...honest, rawId: 'other' },
    ],
    { ...honest, response: { ...honest.response, clientDataJSON: 'bm9uZQ' } },
    { ...honest, response: { ...honest.response, userHandle: 1 } },
    // Characters that one decoder skips and the next reads: a text must not be two things.
    { ...honest, response: { ...honest.response, signature: `!!!!${honest.response.signature}` } },
    { ...honest, response: { ...honest.response, clientDataJSON: `${honest.response.clientDataJSON}!` } },
    { ...honest, id: `${honest.id}!`, rawId: `${honest.id}!` },
  ])
    expect(await door.finish(none)).toEqual(refused)
  expect(await state()).toEqual(before)
  const { rows } = await graph.owner.query<{ reason: string; n: number }>(
    `SELECT changes -> 'after' ->> 'reason' AS reason, count(*)::int AS n FROM shared.audit_logs
      WHERE resource_id = $1 AND action = 'SIGN_IN_FAILED' GROUP BY 1`,
    [user.userId],
  )
  expect(rows).toEqual([{ reason: 'WRONG_PASSKEY', n: 6 }])
  expect((await door.finish(honest)).accessToken).toEqual(expect.any(String))
})

test('a challenge is good once, of ten at once for one, for 5 minutes, and for what it was made for', async () => {
  const user = await acme.user('ADMIN')
  const { passkey } = await door.register(user)
  const signed = passkey.get(await door.options())
  const answers = await Promise.all(Array.from({ length: 10 }, () => door.finish(signed)))
  expect(answers.filter(({ accessToken }) => accessToken !== null)).toHaveLength(1)
  expect(answers.filter(({ userErrors: [first] }) => first?.code === 'INVALID_PASSKEY')).toHaveLength(9)
  // A replay is no copy: the passkey is not blocked.
  const late = await door.options()
  graph.clock.advance({ minutes: 5 })
  expect(await door.finish(passkey.get(late))).toEqual(refused)

  const { mfaToken } = await door.byPassword(user)
  const stepUpOptions = await change<Parameters<typeof passkey.get>[0]>(
    user,
    'stepUpPasskeyBegin',
    {},
    'options',
  )
  const [forSignIn, forFactor] = [await door.options(), await door.options(mfaToken)]
  const registering = await door.registerOptions(user)
  for (const { challenge } of [stepUpOptions, forFactor, registering])
    expect(await door.finish(passkey.get({ challenge, rpId: 'app.example' }))).toEqual(refused)
  const { mfaToken: anotherToken } = await door.byPassword(user)
  for (const { challenge } of [stepUpOptions, forSignIn, registering, await door.options(anotherToken)])
    expect(
      await door.complete({ mfaToken, passkey: passkey.get({ challenge, rpId: 'app.example' }) }),
    ).toMatchObject({
      accessToken: null,
      userErrors: [{ code: 'INVALID_PASSKEY' }],
    })
  const elsewhere = door.bearing((await door.signIn(passkey)).accessToken)
  const ofElsewhere = await change<Parameters<typeof passkey.get>[0]>(
    elsewhere,
    'stepUpPasskeyBegin',
    {},
    'options',
  )
  for (const { challenge } of [ofElsewhere, forSignIn, forFactor, registering]) {
    const proof = passkey.get({ challenge, rpId: 'app.example' })
    expect(await userErrors(user, 'stepUp', { passkey: proof })).toMatchObject([{ code: 'INVALID_PASSKEY' }])
  }
  // Found beside refused.
  expect(await userErrors(user, 'stepUp', { passkey: passkey.get(stepUpOptions) })).toEqual([])
  expect((await door.complete({ mfaToken, passkey: passkey.get(forFactor) })).userErrors).toEqual([])
})

test('a registration is of its session, once; a known id is nobody’s second passkey', async () => {
  const [user, other] = [await acme.user('VIEWER'), await acme.user('VIEWER')]
  const victim = await door.register(user)
  const wrong = { credential: null, userErrors: [{ code: 'INVALID_PASSKEY', field: ['credential'] }] }
  const thief = new SoftPasskey(origin)
  const ofUser = await door.registerOptions(user)
  expect(await door.registerFinish(other, thief.create(ofUser))).toMatchObject(wrong)
  const { accessToken } = await door.signIn(victim.passkey)
  expect(await door.registerFinish(door.bearing(accessToken), thief.create(ofUser))).toMatchObject(wrong)
  const made = thief.create(ofUser)
  expect((await door.registerFinish(user, made)).userErrors).toEqual([])
  expect(await door.registerFinish(user, made)).toMatchObject(wrong)
  // The id of another's passkey with a key of one's own.
  const claim = new SoftPasskey(origin).create(await door.registerOptions(other), { id: victim.passkey.id })
  expect(await door.registerFinish(other, claim)).toMatchObject(wrong)
  // Signed for one id, told with another.
  const renamed = {
    ...new SoftPasskey(origin).create(await door.registerOptions(other)),
    id: 'AAAA',
    rawId: 'AAAA',
  }
  expect(await door.registerFinish(other, renamed)).toMatchObject(wrong)
  expect((await door.signIn(victim.passkey)).accessToken).toEqual(expect.any(String))
  const { rows } = await graph.owner.query(
    'SELECT user_id FROM identity.credentials WHERE user_id = ANY ($1)',
    [[user.userId, other.userId]],
  )
  expect(rows).toEqual([{ user_id: user.userId }, { user_id: user.userId }])
})

test('no passkey and no challenge of one tenant opens another, not even of the same person', async () => {
  const user = await acme.user('VIEWER')
  const { passkey, id } = await door.register(user)
  const globexDoor = new PasskeyClient(graph, globex)
  const stranger = await globex.user('ADMIN')
  const before = await state()
  expect(await globexDoor.signIn(passkey)).toEqual(refused)
  const ofAcme = passkey.get(await door.options())
  expect(await globexDoor.finish(ofAcme)).toEqual(refused)
  expect(await door.finish(ofAcme, 'no-such-tenant')).toEqual(refused)
  expect(await door.finish(passkey.get(await globexDoor.options()))).toEqual(refused)
  for (const mutation of ['removeCredential', 'renameCredential']) {
    const input = mutation === 'renameCredential' ? { id, expectedVersion: 1, label: 'Mine' } : { id }
    expect(await userErrors(stranger, mutation, input)).toMatchObject([{ code: 'NOT_FOUND' }])
  }
  expect(await stranger.data(`{ credential(id: "${id}") { id } credentials { totalCount } }`)).toEqual({
    ...{ credential: null, credentials: { totalCount: 0 } },
  })
  expect(await state()).toEqual(before)
  // A passkey of globex with the same id is globex's; each opens its own.
  const twin = new SoftPasskey(origin)
  const made = twin.create(await globexDoor.registerOptions(stranger), { id: passkey.id })
  expect((await globexDoor.registerFinish(stranger, made)).userErrors).toEqual([])
  expect((await door.signIn(passkey)).accessToken).toEqual(expect.any(String))
  expect(await door.finish({ ...twin.get(await door.options()), id: made.id, rawId: made.id })).toEqual(
    refused,
  )
})

test('a counter that goes back blocks the passkey, ends the sessions, and tells the user and the trail', async () => {
  const user = await acme.user('VIEWER')
  const { passkey, recoveryCodes } = await door.register(user)
  const open = door.bearing((await door.signIn(passkey)).accessToken)
  const statusOf = async (client: TestClient) => (await client.query('{ viewer { id } }')).status
  expect([await statusOf(open), await statusOf(user)]).toEqual([200, 200])
  expect(passkey.counter).toBe(2)
  expect(await door.signIn(passkey, { counter: 2 })).toEqual(refused)
  expect([await statusOf(open), await statusOf(user)]).toEqual([401, 401])
  const { rows } = await graph.owner.query(
    `SELECT c.sign_count, c.blocked_at IS NOT NULL AS blocked,
            (SELECT array_agg(DISTINCT s.revoke_reason) FROM identity.sessions s WHERE s.user_id = $1) AS reasons,
            (SELECT count(*)::int FROM shared.audit_logs a WHERE a.resource_id = $1::text AND a.action = 'SIGN_IN_FAILED'
              AND a.changes -> 'after' ->> 'reason' = 'PASSKEY_COPIED') AS told
       FROM identity.credentials c WHERE c.user_id = $1`,
    [user.userId],
  )
  expect(rows).toEqual([{ sign_count: '2', blocked: true, reasons: ['PASSKEY_COPIED'], told: 1 }])
  const mails = (await mailsOf(graph, acme.id)).filter(({ to }) => to === user.email).map(({ kind }) => kind)
  expect(mails).toContain('identity.notice-passkey-copied')
  // The true one is refused as well, and the password still asks for a second factor.
  expect(await door.signIn(passkey)).toEqual(refused)
  const { mfaToken } = await door.byPassword(user)
  const signed = passkey.get(await door.options(mfaToken))
  expect(await door.complete({ mfaToken, passkey: signed })).toMatchObject({ accessToken: null })
  expect((await door.complete({ mfaToken, code: recoveryCodes![0] })).userErrors).toEqual([])
})

test('it is noticed as a second factor and in a step-up too', async () => {
  for (const way of ['complete', 'stepUp'] as const) {
    const user = await acme.user('VIEWER')
    const { passkey } = await door.register(user)
    const { mfaToken } = await door.byPassword(user)
    if (way === 'complete')
      await door.complete({ mfaToken, passkey: passkey.get(await door.options(mfaToken), { counter: 1 }) })
    else {
      const options = await change<Parameters<typeof passkey.get>[0]>(
        user,
        'stepUpPasskeyBegin',
        {},
        'options',
      )
      await userErrors(user, 'stepUp', { passkey: passkey.get(options, { counter: 1 }) })
    }
    const { rows } = await graph.owner.query(
      'SELECT blocked_at IS NOT NULL AS blocked FROM identity.credentials WHERE user_id = $1',
      [user.userId],
    )
    expect([way, rows]).toEqual([way, [{ blocked: true }]])
  }
})

test('who is suspended, or whose tenant is, is not let in, and another user’s passkey ends no half sign-in', async () => {
  const admin = await acme.user('ADMIN')
  const [user, other] = [await acme.user('VIEWER'), await acme.user('VIEWER')]
  const { passkey } = await door.register(user)
  const { passkey: ofOther } = await door.register(other)
  const { mfaToken } = await door.byPassword(user)
  expect(await door.complete({ mfaToken, passkey: ofOther.get(await door.options(mfaToken)) })).toMatchObject(
    {
      ...{ accessToken: null, userErrors: [{ code: 'INVALID_PASSKEY', field: ['passkey'] }] },
    },
  )
  const { user: seen } = await admin.data<{ user: { version: number } }>(
    'query ($id: ID!) { user(id: $id) { version } }',
    { id: user.userId },
  )
  await change(admin, 'suspendUser', { id: user.userId, expectedVersion: seen.version }, 'user { id }')
  expect(await door.signIn(passkey)).toEqual(refused)
  const closed = await graph.tenant('closed')
  const closedDoor = new PasskeyClient(graph, closed)
  const late = await closedDoor.register(await closed.user('VIEWER'))
  await graph.owner.query(`UPDATE tenancy.tenants SET status = 'SUSPENDED' WHERE id = $1`, [closed.id])
  expect(await closedDoor.signIn(late.passkey)).toEqual(refused)
})
