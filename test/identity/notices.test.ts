import { openDatabase } from '../../kernel/connection/database'
import { User } from '../../subgraphs/identity/entities/User'
import { limitedNotices } from '../../subgraphs/identity/mails/notices'
import { oldSessions } from '../../subgraphs/identity/jobs/old-sessions'
import { failureNoticesJob } from '../../subgraphs/identity/jobs/failure-notices'
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
import { runJob } from '../support/jobs'
import { change, userErrors } from '../support/lists'
import { mailsOf } from '../support/mails'

/** A14: people are told by mail what happens to their accounts. */
type Person = TestClient & { email: string }
let graph: TestGraph
let acme: TestTenant

beforeAll(async () => {
  cheapBcrypt()
  graph = await startGraph({ env: { TRUST_PROXY: 'true' } })
  acme = await graph.tenant('acme')
})
beforeEach(() => graph.clock.advance({ seconds: 35 - ((graph.clock.now().getTime() / 1000) % 30) }))
afterAll(() => graph?.close())

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const from = (address: string, userAgent = firefox) =>
  testClient(graph.server.url, '', { 'x-forwarded-for': address, 'user-agent': userAgent })

interface SignedIn {
  accessToken: string | null
  mfaToken: string | null
  deviceMark: string | null
}

const signIn = async (
  client: TestClient,
  { email }: { email: string },
  deviceMark: string | null = null,
  secret = password,
) =>
  (
    await client.data<{ signIn: SignedIn }>(
      'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken mfaToken deviceMark } }',
      { input: { tenant: 'acme', email, password: secret, deviceMark } },
    )
  ).signIn

const complete = (client: TestClient, mfaToken: string, code: string) =>
  userErrors(client, 'completeSignIn', { mfaToken, code })

const kinds = async ({ email }: Person) =>
  (await mailsOf(graph, acme.id, email)).map(({ kind }) => kind.replace('identity.notice-', ''))

async function withAuthenticator() {
  const user = await acme.user('USER')
  const { enrollTotp } = await user.data<{ enrollTotp: { mfaDevice: { id: string }; secret: string } }>(
    'mutation { enrollTotp(input: { label: "Telephone" }) { mfaDevice { id } secret } }',
  )
  const code = (stepsLater = 0) => codeAt(enrollTotp.secret, graph.clock.now(), stepsLater)
  expect(await userErrors(user, 'confirmMfaDevice', { id: enrollTotp.mfaDevice.id, code: code() })).toEqual(
    [],
  )
  graph.clock.advance({ seconds: 30 })
  return { user, id: enrollTotp.mfaDevice.id, code }
}

test('A14 of a changed password, with when, device and address, and not of one that was refused', async () => {
  const user = await acme.user('USER')
  const client = { ...from('192.0.2.7'), headers: {} }
  const signed = await signIn(client, user)
  const bearing = testClient(graph.server.url, '', {
    ...{
      authorization: `Bearer ${signed.accessToken}`,
      'x-forwarded-for': '192.0.2.7',
      'user-agent': firefox,
    },
  })
  const before = await kinds(user)
  const input = { currentPassword: 'wrong horse battery', newPassword: 'plentiful wombat marmalade' }
  expect(await userErrors(bearing, 'changePassword', input)).toMatchObject([{ code: 'INVALID_CREDENTIALS' }])
  expect(await kinds(user)).toEqual(before)
  await change(bearing, 'changePassword', { ...input, currentPassword: password }, 'user { id }')
  const mail = (await mailsOf(graph, acme.id, user.email)).at(-1)!
  expect(mail).toMatchObject({
    kind: 'identity.notice-password-changed',
    to: user.email,
    subject: 'Your password was changed (acme Ltd)',
  })
  const at = graph.clock.now().toISOString().slice(0, 10)
  expect(mail.text).toContain(`When: ${at}`)
  expect(mail.text).toContain('From: Firefox on Linux, address 192.0.2.7.')
})

test('A14 of second factors that are added and removed, and of new recovery codes', async () => {
  const { user, id } = await withAuthenticator()
  await change(user, 'regenerateRecoveryCodes', {}, 'recoveryCodes')
  await user.data('mutation { enrollTotp(input: { label: "Never confirmed" }) { secret } }')
  await change(user, 'removeMfaDevice', { id }, 'mfaDevice { id }')
  expect(await kinds(user)).toEqual([
    'second-factor-added',
    'recovery-codes-renewed',
    'second-factor-removed',
  ])
})

test('A14 of a device that was not in before: not the first, none with a mark, none that is the same', async () => {
  const user = await acme.user('USER')
  const home = from('192.0.2.20')
  for (const table of ['sessions', 'sign_in_places'])
    await graph.owner.query(`DELETE FROM identity.${table} WHERE user_id = $1`, [user.userId])
  await graph.owner.query('UPDATE identity.users SET last_login_at = NULL WHERE id = $1', [user.userId])
  const { deviceMark } = await signIn(home, user)
  await signIn(home, user)
  await signIn(from('198.51.100.9'), user, deviceMark)
  expect(await kinds(user)).toEqual([])
  await signIn(from('203.0.113.5', 'curl/8.9.1'), user)
  const mails = await mailsOf(graph, acme.id, user.email)
  expect(mails.map(({ subject }) => subject)).toEqual(['A new device signed in (acme Ltd)'])
  expect(mails[0]!.text).toContain('From: curl, address 203.0.113.5.')
  await signIn(from('203.0.113.5', 'curl/8.9.1'), user)
  expect(await kinds(user)).toEqual(['new-device'])
})

test('A14 with a second factor the notice comes with the session, and the mark of the device counts', async () => {
  const { user, code } = await withAuthenticator()
  const client = from('203.0.113.77')
  const { mfaToken } = await signIn(client, user)
  expect(await kinds(user)).toEqual(['second-factor-added'])
  const { completeSignIn } = await client.data<{ completeSignIn: SignedIn }>(
    'mutation ($input: CompleteSignInInput!) { completeSignIn(input: $input) { accessToken deviceMark } }',
    { input: { mfaToken, code: code() } },
  )
  expect(await kinds(user)).toEqual(['second-factor-added', 'new-device'])
  graph.clock.advance({ seconds: 30 })
  const elsewhere = from('203.0.113.78')
  const again = await signIn(elsewhere, user, completeSignIn.deviceMark)
  expect(await complete(elsewhere, again.mfaToken!, code())).toEqual([])
  expect(await kinds(user)).toEqual(['second-factor-added', 'new-device'])
})

test('A14 of many failed attempts within the hour, once a day; a request that fails tells nobody', async () => {
  const database = await openDatabase({
    url: graph.database.urlFor('identity'),
    entities: [User],
    connections: 1,
    applicationName: 'job test',
  })
  const run = () => runJob(failureNoticesJob, database, graph.server.services, { tenantId: acme.id })
  try {
    const user = await acme.user('USER')
    const other = await acme.user('USER')
    const wrong = (one: { email: string }, address: string) =>
      signIn(from(address), one, null, 'wrong horse battery')
    for (let n = 0; n < 9; n++) await wrong(user, `198.51.100.${n}`)
    await run()
    expect(await kinds(user)).toEqual([])
    await Promise.all(Array.from({ length: 12 }, (_, n) => wrong(user, `198.51.101.${n}`)))
    await Promise.all(
      Array.from({ length: 12 }, (_, n) => wrong({ email: 'nobody@acme.example' }, `198.51.102.${n}`)),
    )
    expect(await kinds(user)).toEqual([])
    await run()
    await run()
    expect([await kinds(user), await kinds(other)]).toEqual([['attempts-failed'], []])
    graph.clock.advance({ hours: 23 })
    for (let n = 0; n < 10; n++) await wrong(user, `198.51.103.${n}`)
    await run()
    expect(await kinds(user)).toEqual(['attempts-failed'])
    graph.clock.advance({ hours: 1, minutes: 1 })
    for (let n = 0; n < 10; n++) await wrong(user, `198.51.104.${n}`)
    await run()
    expect(await kinds(user)).toEqual(['attempts-failed', 'attempts-failed'])
  } finally {
    await database.close()
  }
})

test('A14 of wrong codes behind a right password', async () => {
  const { user } = await withAuthenticator()
  const client = from('203.0.113.90')
  const { mfaToken } = await signIn(client, user)
  for (let n = 0; n < 4; n++) expect(await complete(client, mfaToken!, '000000')).toHaveLength(1)
  expect(await kinds(user)).toEqual(['second-factor-added'])
  await complete(client, mfaToken!, '000000')
  expect(await kinds(user)).toEqual(['second-factor-added', 'codes-failed'])
})

test('A14 beyond 20 an hour no more of a new device; what changes an account is told 20 times a day of each kind, whatever else was', async () => {
  const { user } = await withAuthenticator()
  await graph.owner.query('UPDATE identity.users SET mfa_enabled = false WHERE id = $1', [user.userId])
  const before = await kinds(user)
  for (let n = 0; n < 22; n++) await signIn(from(`203.0.113.${n}`, `curl/8.${n}`), user)
  expect(await kinds(user)).toEqual([...before, ...Array<string>(20).fill('new-device')])
  await graph.owner.query('UPDATE identity.users SET mfa_enabled = true WHERE id = $1', [user.userId])
  for (let n = 0; n < 25; n++) await change(user, 'regenerateRecoveryCodes', {}, 'recoveryCodes')
  const input = { currentPassword: password, newPassword: 'plentiful wombat marmalade' }
  await change(user, 'changePassword', input, 'user { id }')
  expect((await kinds(user)).slice(before.length + 20)).toEqual([
    ...Array<string>(20).fill('recovery-codes-renewed'),
    'password-changed',
  ])
  expect([...limitedNotices].sort()).toEqual(['ATTEMPTS_FAILED', 'CODES_FAILED', 'NEW_DEVICE'])
})

test('A14 places outlive sessions: whoever is back after a month is told of another place, and not of the own', async () => {
  const user = await acme.user('USER')
  const forget = () => graph.owner.query('DELETE FROM identity.sessions WHERE user_id = $1', [user.userId])
  const home = from('192.0.2.40')
  await signIn(home, user)
  const before = await kinds(user)
  await forget()
  await signIn(home, user)
  expect(await kinds(user)).toEqual(before)
  await forget()
  await signIn(from('198.51.100.40', 'curl/8.9.1'), user)
  expect(await kinds(user)).toEqual([...before, 'new-device'])
  const { rows } = await graph.owner.query<{ place: string }>(
    'SELECT place FROM identity.sign_in_places WHERE user_id = $1',
    [user.userId],
  )
  expect(JSON.stringify(rows)).not.toMatch(/192\.0|curl|Firefox/)
  const database = await openDatabase({
    url: graph.database.urlFor('identity'),
    entities: [],
    connections: 1,
    applicationName: 'job test',
  })
  const places = async () =>
    (await graph.owner.query('SELECT FROM identity.sign_in_places WHERE user_id = $1', [user.userId]))
      .rowCount
  try {
    const run = () => runJob(oldSessions, database, graph.server.services, { tenantId: acme.id })
    await run()
    expect(await places()).toBe(rows.length)
    await graph.owner.query(
      "UPDATE identity.sign_in_places SET last_seen_at = last_seen_at - interval '366 days'",
    )
    await run()
    expect(await places()).toBe(0)
    await forget()
    await signIn(home, user)
    expect(await kinds(user)).toEqual([...before, 'new-device', 'new-device'])
  } finally {
    await database.close()
  }
})

test('L4 one address is told of one kind twenty times a day, however often an account is moved there and away', async () => {
  const [admin, user] = [await acme.user('ADMIN'), await acme.user('USER')]
  let expectedVersion = 1
  const moveTo = async (email: string) => {
    const input = { id: user.userId, expectedVersion: expectedVersion++, email }
    expect(await userErrors(admin, 'updateUser', input)).toEqual([])
  }
  for (let round = 0; round < 22; round++) {
    await moveTo('stranger@elsewhere.example')
    await moveTo(`account${round}@elsewhere.example`)
  }
  const told = async () =>
    (await mailsOf(graph, acme.id, 'stranger@elsewhere.example')).map(({ kind }) => kind)
  expect(await told()).toEqual(Array(20).fill('identity.notice-email-changed'))
  // Others are told all the same.
  expect((await mailsOf(graph, acme.id, 'account20@elsewhere.example')).length).toBe(1)
})
