import type { SubgraphContext } from '../../kernel/context'
import { newChallenge } from '../../subgraphs/identity/passkeys/challenge'
import { assertionOf, registrationOf } from '../../subgraphs/identity/passkeys/responses'
import { attemptLimits } from '../../subgraphs/identity/rules/session-limits'
import { cheapBcrypt } from '../support/bcrypt'
import { password, startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { SoftPasskey } from '../support/passkey'
import { origin, PasskeyClient } from '../support/passkey-client'
import { userWith } from '../support/scopes'

/** Issue 14.1: what a passkey is worth once a secret beside it is another one, and what strangers can do with its door. */
let graph: TestGraph
let acme: TestTenant
let door: PasskeyClient
let admin: TestClient

beforeAll(async () => {
  cheapBcrypt()
  graph = await startGraph({ env: { PUBLIC_URL: origin } })
  acme = await graph.tenant('acme')
  door = new PasskeyClient(graph, acme)
  admin = await acme.user('ADMIN')
})
afterAll(() => graph?.close())

const alone = async (...ids: string[]) => {
  const text =
    'SELECT signs_in_alone AS a FROM identity.credentials WHERE id = ANY ($1) ORDER BY array_position($1, id)'
  return (await graph.owner.query<{ a: boolean }>(text, [ids])).rows.map(({ a }) => a)
}
const versionOf = async (id: string) =>
  (await graph.owner.query<{ version: number }>('SELECT version FROM identity.users WHERE id = $1', [id]))
    .rows[0]!.version
const by = async (mutation: string, id: string) =>
  change(admin, mutation, { id, expectedVersion: await versionOf(id) }, 'user { id }')

test('5: changePassword binds all passkeys, those of its own session too', async () => {
  const user = await acme.user('VIEWER')
  const thief = door.bearing((await door.byPassword(user)).accessToken)
  const stolen = await door.register(thief)
  const own = await door.register(door.bearing((await door.signIn(stolen.passkey)).accessToken))
  expect(await alone(stolen.id, own.id)).toEqual([true, true])
  const input = { currentPassword: password, newPassword: 'correct horse other battery' }
  expect(await userErrors(user, 'changePassword', input)).toEqual([])
  expect(await alone(stolen.id, own.id)).toEqual([false, false])
  expect(await door.signIn(stolen.passkey)).toMatchObject({ accessToken: null })
})

test.each([
  ['requirePasswordChange', ['requirePasswordChange'], false],
  ['reactivateUser', ['suspendUser', 'reactivateUser'], true],
] as const)(
  '5: %s leaves no passkey of before that signs in alone, unless the password stays',
  async (_, steps, stays) => {
    const user = await acme.user('VIEWER')
    const { id } = await door.register(user)
    for (const step of steps) await by(step, user.userId)
    expect(await alone(id)).toEqual([stays])
    if (!stays) return
    const text = 'UPDATE identity.users SET password_change_required = true WHERE id = $1'
    await graph.owner.query(text, [user.userId])
    for (const step of steps) await by(step, user.userId)
    expect(await alone(id)).toEqual([false])
  },
)

test('5: a role that allows more binds those of whom others may know', async () => {
  const user = await acme.user('VIEWER')
  const { id } = await door.register(user)
  const role = await change<{ id: string }>(
    admin,
    'createRole',
    { name: 'Grows', permissions: [] },
    'role { id }',
  )
  await change(admin, 'assignRole', { userId: user.userId, roleId: role.id }, 'invitationToken')
  await graph.owner.query('UPDATE identity.users SET password_change_required = true WHERE id = $1', [
    user.userId,
  ])
  const input = { id: role.id, expectedVersion: 1, permissions: ['hr:employee:read'] }
  expect(await change(admin, 'updateRole', input, 'invitationsEnded')).toBe(1)
  expect(await alone(id)).toEqual([false])
})

test('7: only what all decoders read alike is an answer', async () => {
  const passkey = new SoftPasskey(origin)
  const options = { challenge: 'AAAA', rp: { id: 'app.example' }, user: { id: 'AAAA' }, rpId: 'app.example' }
  const [made, signed] = [passkey.create(options), passkey.get(options)]
  expect([registrationOf(made)?.challenge, assertionOf(signed)?.challenge]).toEqual(['AAAA', 'AAAA'])
  const spoilt = (text: string) => `${text.slice(0, 8)}!!!!${text.slice(8)}`
  expect(registrationOf({ ...made, id: spoilt(made.id) })).toBeNull()
  for (const name of ['attestationObject', 'clientDataJSON'] as const)
    expect(
      registrationOf({ ...made, response: { ...made.response, [name]: spoilt(made.response[name]) } }),
    ).toBeNull()
  for (const name of ['authenticatorData', 'clientDataJSON', 'signature'] as const)
    expect(
      assertionOf({ ...signed, response: { ...signed.response, [name]: spoilt(signed.response[name]) } }),
    ).toBeNull()
})

test('16: with a second factor the password alone adds none, removes none and gives no codes', async () => {
  const user = await acme.user('VIEWER')
  const { id, passkey } = await door.register(user)
  expect(await userErrors(user, 'stepUp', { password })).toEqual([])
  const asked = [
    'registerPasskeyBegin(input: {}) { options }',
    'enrollTotp(input: { label: "Mine" }) { secret }',
    'regenerateRecoveryCodes(input: {}) { recoveryCodes }',
    `removeCredential(input: { id: "${id}" }) { credential { id } }`,
  ]
  for (const text of asked)
    expect((await user.query(`mutation { ${text} }`)).errors).toMatchObject([
      { extensions: { code: 'STEP_UP_REQUIRED' } },
    ])
  expect(await alone(id)).toEqual([true])
  const options = await change<Parameters<typeof passkey.get>[0]>(user, 'stepUpPasskeyBegin', {}, 'options')
  expect(await userErrors(user, 'stepUp', { passkey: passkey.get(options) })).toEqual([])
  for (const text of asked) expect((await user.query(`mutation { ${text} }`)).errors).toBeUndefined()
})

test('17, 30: passkeys that are not taken keep the password from opening, and are nobody’s last factor', async () => {
  const strict = await graph.tenant('strict')
  const strictDoor = new PasskeyClient(graph, strict)
  const user = await strict.user('VIEWER')
  const [dead, other] = [await strictDoor.register(user), await strictDoor.register(user)]
  await graph.owner.query(`UPDATE identity.credentials SET issuer = 'former.example' WHERE id = $1`, [
    dead.id,
  ])
  const policy = { expectedVersion: 0, mfaRequired: true, mfaScopes: [], graceDays: 0 }
  await change(await strict.user('ADMIN'), 'setSignInPolicy', policy, 'signInPolicy { version }')
  expect(await userErrors(user, 'removeCredential', { id: other.id })).toMatchObject([
    { code: 'LAST_FACTOR' },
  ])
  await graph.owner.query('DELETE FROM identity.sign_in_policies WHERE tenant_id = $1', [strict.id])
  expect(await userErrors(user, 'removeCredential', { id: other.id })).toEqual([])
  expect(await strictDoor.byPassword(user)).toMatchObject({
    accessToken: null,
    mfaToken: expect.any(String) as string,
  })
})

test('20, 21: who asks for challenges shuts no door, and wrong signatures fill no trail', async () => {
  const user = await acme.user('VIEWER')
  const { passkey } = await door.register(user)
  const { mfaToken } = await door.byPassword(user)
  const mutable = attemptLimits as unknown as Record<string, { limit: number; windowMs: number }>
  const before = { ...mutable }
  try {
    mutable['passkeyFailure'] = { ...before['passkeyFailure']!, limit: 2 }
    for (let n = 0; n < 4; n++) await door.signIn(passkey, { origin: 'https://evil.example' })
    const signed = passkey.get(await door.options())
    mutable['challenge'] = { ...before['challenge']!, limit: 1 }
    expect(await door.options()).toBeNull()
    expect(await door.options(mfaToken)).not.toBeNull()
    expect((await door.finish(signed)).accessToken).toEqual(expect.any(String))
  } finally {
    Object.assign(mutable, before)
  }
  const count = `SELECT count(*)::int AS n FROM shared.audit_logs WHERE resource_id = $1 AND action = 'SIGN_IN_FAILED'`
  expect((await graph.owner.query(count, [user.userId])).rows).toEqual([{ n: 2 }])
  const watcher = await userWith(graph, acme, ['identity:session:read', 'identity:user:read'])
  const shown = 'query ($id: ID!) { user(id: $id) { credentials { nodes { subject } } } }'
  expect(await watcher.data<object>(shown, { id: user.userId })).toEqual({
    user: { credentials: { nodes: [{ subject: null }] } },
  })
})

test('22: without the signing key no challenge is made', () => {
  const services = {
    keys: { privateKey: null },
    config: { publicUrl: origin },
    clock: { now: () => new Date(0) },
  }
  const use = { purpose: 'sign-in', whose: ['acme'] } as const
  expect(() => newChallenge({ services } as unknown as SubgraphContext, use)).toThrow('set TOKEN_PRIVATE_KEY')
})

test('of 21 passkeys the last is refused', async () => {
  const user = await acme.user('VIEWER')
  const { id } = await door.register(user)
  await graph.owner.query(
    `INSERT INTO identity.credentials (tenant_id, id, user_id, label, issuer, subject, public_key)
     SELECT tenant_id, gen_random_uuid(), user_id, label, issuer, 'more' || n, public_key
       FROM identity.credentials, generate_series(1, 19) n WHERE id = $1`,
    [id],
  )
  const made = new SoftPasskey(origin).create(await door.registerOptions(user))
  expect((await door.registerFinish(user, made)).userErrors).toMatchObject([{ code: 'INVALID' }])
})
