import bcrypt from 'bcrypt'
import { openDatabase } from '../../kernel/connection/database'
import { User } from '../../subgraphs/identity/entities/User'
import { oldSessions } from '../../subgraphs/identity/jobs/old-sessions'
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
import { runJob } from '../support/jobs'
import { mailsOf } from '../support/mails'

/** A4: a way back in for who forgot the password, which tells nobody who has an account. */
const chosen = 'plentiful wombat marmalade'
let graph: TestGraph
let acme: TestTenant
let networks = 0
let network = ''

beforeAll(async () => {
  cheapBcrypt()
  graph = await startGraph({ env: { TRUST_PROXY: 'true' } })
  acme = await graph.tenant('acme')
})
beforeEach(() => (network = `192.0.2.${++networks}`))
afterAll(() => graph?.close())

const nobody = () => testClient(graph.server.url, '', { 'x-forwarded-for': network })

interface Answer {
  retryAfterSeconds: number | null
  userErrors: { code: string; message: string; field: string[] | null }[]
}

const request = async (email: string, tenant = acme.slug, client: TestClient = nobody()) =>
  (
    await client.data<{ requestPasswordReset: Answer }>(
      `mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) {
        retryAfterSeconds userErrors { code message field } } }`,
      { input: { tenant, email } },
    )
  ).requestPasswordReset

const reset = async (token: string, next = chosen, client: TestClient = nobody()) =>
  (
    await client.data<{ resetPassword: Answer }>(
      `mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) {
        retryAfterSeconds userErrors { code message field } } }`,
      { input: { token, password: next } },
    )
  ).resetPassword

const signsIn = async (email: string, attempt: string) =>
  (await userErrors(nobody(), 'signIn', { tenant: acme.slug, email, password: attempt })).length === 0

const tokensFor = async (email: string, tenant = acme) =>
  (await mailsOf(graph, tenant.id, email))
    .filter(({ kind }) => kind === 'identity.password-reset')
    .map(({ text }) => /reset-password#(\S+)/.exec(text)![1]!)

/** A user with a link that was mailed. */
async function forgetful() {
  const user = await acme.user('USER')
  expect(await request(user.email)).toEqual(done)
  return { ...user, token: (await tokensFor(user.email)).at(-1)! }
}

const stored = async ({ userId }: TestClient) =>
  (
    await graph.owner.query<{ hash: string; version: number; demanded: boolean }>(
      'SELECT password_hash AS hash, version, password_change_required AS demanded FROM identity.users WHERE id = $1',
      [userId],
    )
  ).rows[0]!

const count = async (table: string) =>
  Number((await graph.owner.query<{ count: string }>(`SELECT count(*) FROM ${table}`)).rows[0]!.count)

const trail = async ({ userId }: TestClient) =>
  (
    await graph.owner.query<unknown[]>({
      text: `SELECT actor_id, changes -> 'after' ->> 'passwordReset' FROM shared.audit_logs
              WHERE resource_id = $1 AND changes -> 'after' ? 'passwordReset' ORDER BY occurred_at, id`,
      values: [userId],
      rowMode: 'array',
    })
  ).rows

const done: Answer = { retryAfterSeconds: null, userErrors: [] }
const ended: Answer = {
  retryAfterSeconds: null,
  userErrors: [
    {
      code: 'PASSWORD_RESET_ENDED',
      message:
        'The link was used, took too long, or never was one: ask for another with requestPasswordReset',
      field: ['token'],
    },
  ],
}

test('A4 sets another password, ends all sessions, and is in the trail and the mail', async () => {
  const { email, userId, token, query } = await forgetful()
  const [mail] = (await mailsOf(graph, acme.id, email)).filter(
    ({ kind }) => kind === 'identity.password-reset',
  )
  expect(mail).toMatchObject({ to: email, subject: 'Choose a new password for acme Ltd' })
  expect(mail!.text).toContain(`The link works once, until `)
  expect(await signsIn(email, chosen)).toBe(false)
  expect(await reset(token)).toEqual(done)
  expect((await query('{ viewer { id } }')).errors![0]!.extensions.code).toBe('UNAUTHENTICATED')
  const { rows } = await graph.owner.query(
    'SELECT DISTINCT revoke_reason, revoked_by_id FROM identity.sessions WHERE user_id = $1',
    [userId],
  )
  expect(rows).toEqual([{ revoke_reason: 'PASSWORD_CHANGED', revoked_by_id: userId }])
  expect(await signsIn(email, password)).toBe(false)
  expect(await signsIn(email, chosen)).toBe(true)
  expect(await trail({ userId } as TestClient)).toEqual([
    [null, 'REQUESTED'],
    [userId, 'DONE'],
  ])
})

test('A4 a token is good once: of 20 at once one succeeds, and no other link of the account lives on', async () => {
  const user = await forgetful()
  await request(user.email)
  const [first, second] = await tokensFor(user.email)
  const before = await stored(user)
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => reset(first!, `${chosen} ${n}`)))
  expect(answers.filter(({ userErrors: faults }) => faults.length === 0)).toHaveLength(1)
  expect(answers.filter(({ userErrors: faults }) => faults.length > 0)).toEqual(Array(19).fill(ended))
  const after = await stored(user)
  expect(after.version).toBe(before.version + 1)
  const winner = answers.findIndex(({ userErrors: faults }) => faults.length === 0)
  expect(await signsIn(user.email, `${chosen} ${winner}`)).toBe(true)
  for (const token of [first!, second!]) expect(await reset(token)).toEqual(ended)
  expect(await stored(user)).toEqual(after)
})

describe('A4 a link ends', () => {
  const ends: Record<string, (user: { userId: string; email: string }) => Promise<unknown>> = {
    'after 30 minutes': async () => graph.clock.advance({ minutes: 30, seconds: 1 }),
    'with whatever changes what the user may do, another password among it': ({ userId }) =>
      graph.owner.query(
        'UPDATE identity.users SET permission_version = permission_version + 1 WHERE id = $1',
        [userId],
      ),
    'with another address': ({ userId }) =>
      graph.owner.query(`UPDATE identity.users SET email = 'moved.' || email WHERE id = $1`, [userId]),
    'while the user is suspended': ({ userId }) =>
      graph.owner.query(`UPDATE identity.users SET status = 'SUSPENDED' WHERE id = $1`, [userId]),
  }
  test.each(Object.keys(ends))('%s', async (how) => {
    const user = await forgetful()
    const before = await stored(user)
    await ends[how]!(user)
    expect(await reset(user.token)).toEqual(ended)
    expect((await stored(user)).hash).toBe(before.hash)
  })

  test('and nothing else is one: other secrets, tenants and kinds of token', async () => {
    const { token } = await forgetful()
    const globex = await graph.tenant('globex')
    const [tenantId, id, secret] = token.split('.') as [string, string, string]
    const { invitationToken } = await invitation()
    for (const wrong of [
      `${tenantId}.${id}.${'A'.repeat(43)}`,
      `${globex.id}.${id}.${secret}`,
      `${tenantId}.${tenantId}.${secret}`,
      invitationToken,
      `${token}.x`,
      '',
    ])
      expect(await reset(wrong)).toEqual(ended)
    expect(await reset(token)).toEqual(done)
  })

  test('with its tenant', async () => {
    const initech = await graph.tenant('initech')
    const user = await initech.user('USER')
    await request(user.email, initech.slug)
    const [token] = await tokensFor(user.email, initech)
    const status = (value: string) =>
      graph.owner.query('UPDATE tenancy.tenants SET status = $2 WHERE id = $1', [initech.id, value])
    await status('SUSPENDED')
    expect(await reset(token!)).toEqual(ended)
    expect(await request(user.email, initech.slug)).toEqual(done)
    expect(await tokensFor(user.email, initech)).toHaveLength(1)
    await status('ACTIVE')
    expect(await reset(token!)).toEqual(done)
  })
})

const invitation = async () => {
  const admin = await acme.as('ADMIN')
  const email = `invited${++networks}@acme.example`
  const query = `mutation ($input: InviteUserInput!) { inviteUser(input: $input) { invitationToken } }`
  const { inviteUser } = await admin.data<{ inviteUser: { invitationToken: string } }>(query, {
    input: { email },
  })
  return { email, ...inviteUser }
}

describe('A4 A8 who asks learns nothing', () => {
  test('the same answer and the same look-ups, a mail to owners of accounts alone', async () => {
    const { email: known } = await acme.user('USER')
    const suspended = await acme.user('USER')
    await graph.owner.query(`UPDATE identity.users SET status = 'SUSPENDED' WHERE id = $1`, [
      suspended.userId,
    ])
    const account = { fullName: 'Importer', roleIds: [] }
    const { email: service } = await change<{ email: string }>(
      await acme.user('ADMIN'),
      'createServiceAccount',
      account,
      'user { email }',
    )
    const { email: invited } = await invitation()
    const asked: [string, string, boolean][] = [
      [known, 'acme', true],
      [` ${known.toUpperCase()} `, ' ACME', true],
      ['nobody@acme.example', 'acme', false],
      [known, 'nowhere', false],
      [known, '', false],
      [suspended.email, 'acme', false],
      [service, 'acme', false],
      [invited, 'acme', false],
      ['no\0body', 'ac\0me', false],
    ]
    for (const [email, tenant, isMailed] of asked) {
      const before = [await count('shared.mails'), await count('identity.password_resets')]
      let answer: Answer | undefined
      const statements = await graph.statementsDuring(async () => (answer = await request(email, tenant)))
      expect([email, answer]).toEqual([email, done])
      expect(statements.slice(0, 2).map(({ text }) => text.split('\n')[0])).toEqual([
        'SELECT identity.tenant_by_slug($1)',
        'SELECT id, permission_version FROM identity.users',
      ])
      const more = isMailed ? 1 : 0
      const after = [await count('shared.mails'), await count('identity.password_resets')]
      expect([email, after]).toEqual([email, [before[0]! + more, before[1]! + more]])
    }
  })

  test('is answered at the next quarter of a second, whatever was done', async () => {
    const { email } = await acme.user('USER')
    for (const one of [email, 'nobody@acme.example']) {
      const begun = performance.now()
      await request(one)
      expect(performance.now() - begun).toBeGreaterThanOrEqual(249)
    }
  })

  test('beyond 5 an hour the answer stays and nothing is done, for known and unknown alike, of 20 at once', async () => {
    const { email } = await acme.user('USER')
    const answers = await Promise.all(Array.from({ length: 20 }, () => request(email)))
    expect(answers).toEqual(Array(20).fill(done))
    expect(await tokensFor(email)).toHaveLength(5)
    for (const one of [email, 'nobody2@acme.example']) {
      for (let n = 0; n < 5; n++) await request(one)
      expect(await graph.statementsDuring(() => request(one))).toEqual([])
    }
    expect(await tokensFor(email)).toHaveLength(5)
    // The store goes by its own clock: that the limit is of an hour is said to it.
    const consume = jest.spyOn(graph.server.services.rateLimit, 'consume')
    await request(email)
    const key = expect.stringMatching(/^password-reset:/) as string
    expect(consume.mock.calls.slice(1)).toEqual([[key, 5, 3_600_000]])
    consume.mockRestore()
  })

  test('beyond 300 in 5 minutes from one network: the same wait for known and unknown', async () => {
    const key = `sign-in:network:${network}`
    for (let n = 0; n < 300; n++) await graph.server.services.rateLimit.consume(key, 300, 300_000)
    const { email } = await acme.user('USER')
    for (const one of [email, 'nobody3@acme.example']) {
      const { retryAfterSeconds, userErrors: faults } = await request(one)
      expect(retryAfterSeconds).toBeGreaterThan(0)
      expect(faults.map(({ code }) => code)).toEqual(['RATE_LIMITED'])
    }
    expect((await reset('x')).userErrors.map(({ code }) => code)).toEqual(['RATE_LIMITED'])
    expect(await tokensFor(email)).toEqual([])
  })

  test('requests hold up no invitation: their mails count in no limit of the outbox', async () => {
    const hooli = await graph.tenant('hooli')
    const admin = await hooli.as('ADMIN')
    const { email } = await hooli.user('USER')
    for (let n = 0; n < 5; n++) await request(email, hooli.slug)
    expect(
      (await graph.owner.query('SELECT recipient FROM shared.mails WHERE tenant_id = $1', [hooli.id])).rows,
    ).toEqual(Array(5).fill({ recipient: null }))
    await graph.owner.query(
      `INSERT INTO shared.mails (tenant_id, id, kind, status, created_at, ended_at)
       SELECT $1, gen_random_uuid(), 'identity.password-reset', 'SENT', $2, $2 FROM generate_series(1, 200)`,
      [hooli.id, graph.clock.now().toISOString()],
    )
    await change(admin, 'inviteUser', { email: 'new@hooli.example' }, 'user { id }')
  })
})

test('the password keeps the rules, with names that only a good token tells, and a refused one uses nothing up', async () => {
  const user = await forgetful()
  const faulty = async (next: string) => (await reset(user.token, next)).userErrors
  expect(await faulty('short')).toMatchObject([{ code: 'INVALID', field: ['password'] }])
  expect(await faulty('password1234')).toMatchObject([{ code: 'INVALID', field: ['password'] }])
  expect(await faulty(`${user.email} 99 wombats`)).toMatchObject([{ code: 'INVALID', field: ['password'] }])
  const [tenantId, id] = user.token.split('.')
  expect(await reset(`${tenantId}.${id}.${'A'.repeat(43)}`, `${user.email} 99 wombats`)).toEqual(ended)
  expect(await reset(user.token)).toEqual(done)
})

test('a demanded change of the password is done with it; a second factor is still asked for', async () => {
  const user = await acme.user('USER')
  graph.clock.advance({ seconds: 35 - ((graph.clock.now().getTime() / 1000) % 30) })
  const { enrollTotp } = await user.data<{ enrollTotp: { mfaDevice: { id: string }; secret: string } }>(
    'mutation { enrollTotp(input: { label: "Telephone" }) { mfaDevice { id } secret } }',
  )
  const input = { id: enrollTotp.mfaDevice.id, code: codeAt(enrollTotp.secret, graph.clock.now()) }
  expect(await userErrors(user, 'confirmMfaDevice', input)).toEqual([])
  await graph.owner.query('UPDATE identity.users SET password_change_required = true WHERE id = $1', [
    user.userId,
  ])
  await request(user.email)
  expect(await reset((await tokensFor(user.email))[0]!)).toEqual(done)
  expect((await stored(user)).demanded).toBe(false)
  const { signIn } = await nobody().data<{ signIn: Record<string, unknown> }>(
    `mutation ($input: SignInInput!) { signIn(input: $input) { accessToken mfaToken userErrors { code } } }`,
    { input: { tenant: acme.slug, email: user.email, password: chosen } },
  )
  expect(signIn).toEqual({ accessToken: null, mfaToken: expect.any(String) as string, userErrors: [] })
})

test('with somebody’s access token the token alone decides whose password it is', async () => {
  const other = await (await graph.tenant('globex')).as('ADMIN')
  const user = await acme.user('USER')
  await request(user.email, acme.slug, other)
  const [token] = await tokensFor(user.email)
  expect(await reset(token!, chosen, other)).toEqual(done)
  expect(await signsIn(user.email, chosen)).toBe(true)
})

test('the daily job removes what is over of links and changes of addresses, and nothing else', async () => {
  const user = await acme.user('USER')
  await change(user, 'requestEmailChange', { newEmail: 'moving@acme.example' }, 'expiresAt')
  await request(user.email)
  const [first] = await tokensFor(user.email)
  graph.clock.advance({ minutes: 29 })
  await request(user.email)
  graph.clock.advance({ minutes: 2 })
  const database = await openDatabase({
    url: graph.database.urlFor('identity'),
    entities: [User],
    connections: 1,
    applicationName: 'job test',
  })
  try {
    const left = async () =>
      (
        await graph.owner.query<{ resets: number; changes: number }>(
          `SELECT (SELECT count(*)::int FROM identity.password_resets WHERE user_id = $1) AS resets,
                  (SELECT count(*)::int FROM identity.email_changes WHERE user_id = $1) AS changes`,
          [user.userId],
        )
      ).rows
    const run = () => runJob(oldSessions, database, graph.server.services, { tenantId: acme.id })
    await run()
    expect(await left()).toEqual([{ resets: 1, changes: 1 }])
    graph.clock.advance({ days: 1 })
    await run()
    expect(await left()).toEqual([{ resets: 0, changes: 0 }])
    expect(await reset(first!)).toEqual(ended)
  } finally {
    await database.close()
  }
})

test('no token is stored, and only a good one costs the hashing of a password', async () => {
  const user = await forgetful()
  const [, , secret] = user.token.split('.')
  const { rows } = await graph.owner.query<{ text: string }>(
    `SELECT to_jsonb(r)::text AS text FROM identity.password_resets r
     UNION ALL SELECT to_jsonb(a)::text FROM shared.audit_logs a
     UNION ALL SELECT to_jsonb(e)::text FROM shared.outbox_events e UNION ALL SELECT to_jsonb(m)::text FROM shared.mails m`,
  )
  const texts = rows.map(({ text }) => text).join()
  expect(texts).not.toContain(secret)
  expect(texts).not.toContain(Buffer.from(secret!, 'base64url').toString('hex'))
  const hash = jest.mocked(bcrypt.hash)
  hash.mockClear()
  expect(await reset(user.token.replace(secret!, 'A'.repeat(43)))).toEqual(ended)
  expect(hash).not.toHaveBeenCalled()
  expect(await reset(user.token)).toEqual(done)
  expect(hash).toHaveBeenCalledTimes(1)
})
