import bcrypt from 'bcrypt'
import { createUser } from '../../database/tenants'
import { hashesAtOnce, hashPassword, verifyPassword } from '../../kernel/sign-in/password'
import { cheapBcrypt } from '../support/bcrypt'
import { password, startGraph, testClient, type TestGraph, type TestTenant } from '../support/graph'

interface Payload {
  signIn: {
    accessToken: string | null
    refreshToken: string | null
    expiresAt: string | null
    passwordChangeRequired: boolean | null
    retryAfterSeconds: number | null
    userErrors: { code: string; message: string; field: string[] | null }[]
  }
}

const mutation = `mutation ($input: SignInInput!) {
  signIn(input: $input) {
    accessToken refreshToken expiresAt passwordChangeRequired retryAfterSeconds userErrors { code message field }
  }
}`

const refused = {
  accessToken: null,
  refreshToken: null,
  expiresAt: null,
  passwordChangeRequired: null,
  retryAfterSeconds: null,
  userErrors: [
    { code: 'INVALID_CREDENTIALS', message: 'Tenant, e-mail address or password is wrong', field: null },
  ],
}

let graph: TestGraph
let acme: TestTenant
let networks = 0
let nextNetwork = ''
let compare: ReturnType<typeof cheapBcrypt>

beforeAll(async () => {
  graph = await startGraph({ env: { TRUST_PROXY: 'true' } })
  acme = await graph.tenant('acme')
  const globex = await graph.tenant('globex')
  const passwordHash = await hashPassword(password, 4)
  const add = (tenant: TestTenant, email: string, roles: 'USER'[] = ['USER']) =>
    createUser(graph.owner, tenant.id, { email, passwordHash, roles })
  await add(acme, 'only@acme.example')
  await add(acme, 'both@example.org')
  await add(globex, 'both@example.org')
  const suspended = await add(acme, 'suspended@acme.example')
  await graph.owner.query("UPDATE identity.users SET status = 'SUSPENDED' WHERE id = $1", [suspended])
  await createUser(graph.owner, acme.id, { email: 'invited@acme.example', roles: [] })
  const closed = await graph.tenant('closed')
  await add(closed, 'member@closed.example')
  await graph.owner.query("UPDATE tenancy.tenants SET status = 'SUSPENDED' WHERE id = $1", [closed.id])
})

afterAll(() => graph?.close())

beforeEach(() => {
  compare = cheapBcrypt()
  nextNetwork = `192.0.2.${++networks}`
})

afterEach(() => jest.restoreAllMocks())

async function signIn(input: { tenant: string; email: string; password?: string }, from = nextNetwork) {
  const client = testClient(graph.server.url, '', { 'x-forwarded-for': from })
  const { signIn: payload } = await client.data<Payload>(mutation, { input: { password, ...input } })
  return payload
}

const auditOf = async (tenant: TestTenant, action: string) =>
  (
    await graph.owner.query<unknown[]>({
      text: `SELECT actor_id, resource_type, resource_id, changes, ip_address FROM shared.audit_logs
              WHERE tenant_id = $1 AND action = $2 ORDER BY occurred_at, id`,
      values: [tenant.id, action],
      rowMode: 'array',
    })
  ).rows

describe('signing in', () => {
  test.each([
    ['with the tenant', { tenant: 'acme', email: 'only@acme.example' }],
    ['in any case and with spaces around', { tenant: ' Acme ', email: ' Only@ACME.example ' }],
    ['with an address that another tenant knows too', { tenant: 'acme', email: 'both@example.org' }],
  ])('%s', async (_, input) => {
    const before = graph.clock.now().getTime()
    const payload = await signIn(input)
    expect(payload).toMatchObject({ passwordChangeRequired: false, retryAfterSeconds: null, userErrors: [] })
    const life = Date.parse(payload.expiresAt!) - before
    expect(life).toBeGreaterThan(15 * 60_000 - 2_000)
    expect(life).toBeLessThan(15 * 60_000 + 5_000)
    const viewer = testClient(graph.server.url, '', { authorization: `Bearer ${payload.accessToken}` })
    expect(await viewer.data('{ viewer { email roles { name } } }')).toEqual({
      viewer: { email: input.email.trim().toLowerCase(), roles: [{ name: 'USER' }] },
    })
  })

  test('while signed in, to the same and to another tenant', async () => {
    for (const slug of ['acme', 'globex']) {
      const present = await (await graph.tenant(slug)).as('USER')
      const input = { tenant: 'acme', email: 'only@acme.example', password }
      const { signIn: payload } = await present.data<Payload>(mutation, { input })
      const viewer = testClient(graph.server.url, '', { authorization: `Bearer ${payload.accessToken}` })
      expect(await viewer.data('{ viewer { email } }')).toEqual({ viewer: { email: 'only@acme.example' } })
    }
  })

  test('notes when, and who from where', async () => {
    const before = graph.clock.now()
    const client = await acme.user('VIEWER')
    const { rows } = await graph.owner.query<{ last: Date; version: number }>(
      'SELECT last_login_at AS last, version FROM identity.users WHERE id = $1',
      [client.userId],
    )
    expect(rows[0]!.last.getTime()).toBeGreaterThanOrEqual(before.getTime())
    expect(rows[0]!.last.getTime()).toBeLessThanOrEqual(graph.clock.now().getTime())
    expect(rows[0]!.version).toBe(1)
    const [entry] = (await auditOf(acme, 'SIGN_IN')).slice(-1)
    expect(entry).toEqual([client.userId, 'Session', expect.any(String), {}, '127.0.0.1'])
  })

  test('stores no password and no token, only their hashes', async () => {
    const { refreshToken } = await signIn({ tenant: 'acme', email: 'only@acme.example' })
    const secret = refreshToken!.split('.')[2]!
    const { rows } = await graph.owner.query<{ text: string }>(
      `SELECT to_jsonb(t)::text AS text FROM identity.refresh_tokens t
       UNION ALL SELECT to_jsonb(s)::text FROM identity.sessions s
       UNION ALL SELECT to_jsonb(u)::text FROM identity.users u
       UNION ALL SELECT to_jsonb(a)::text FROM shared.audit_logs a`,
    )
    const stored = rows.map((row) => row.text).join()
    expect(stored).not.toContain(secret)
    expect(stored).not.toContain(Buffer.from(secret, 'base64url').toString('hex'))
    expect(stored).not.toContain(password)
  })
})

describe('what does not sign in', () => {
  const cases = [
    ['a wrong password', { tenant: 'acme', email: 'only@acme.example', password: 'wrong' }],
    ['an empty password', { tenant: 'acme', email: 'only@acme.example', password: '' }],
    ['a password too long', { tenant: 'acme', email: 'only@acme.example', password: 'x'.repeat(73) }],
    ['an unknown user', { tenant: 'acme', email: 'nobody@acme.example' }],
    ['an unknown tenant', { tenant: 'nowhere', email: 'only@acme.example' }],
    ['no tenant', { tenant: '', email: 'only@acme.example' }],
    ['an address that another tenant knows', { tenant: 'globex', email: 'only@acme.example' }],
    ['a suspended user', { tenant: 'acme', email: 'suspended@acme.example' }],
    ['a user of a suspended tenant', { tenant: 'closed', email: 'member@closed.example' }],
    ['a user without a password', { tenant: 'acme', email: 'invited@acme.example' }],
    ['a character that PostgreSQL cannot store', { tenant: 'ac\0me\0s', email: 'only\0@acme.example' }],
  ] as const

  test.each(cases)(
    '%s: the same answer after one bcrypt comparison and the same look-ups',
    async (_, input) => {
      const compare = jest.spyOn(bcrypt, 'compare')
      let payload: Payload['signIn'] | undefined
      const statements = await graph.statementsDuring(async () => {
        payload = await signIn(input)
      })
      expect(payload).toEqual(refused)
      expect(compare).toHaveBeenCalledTimes(1)
      expect(statements.slice(0, 2).map(({ text }) => text)).toEqual([
        'SELECT identity.tenant_by_slug($1)',
        'SELECT id, password_hash FROM identity.users WHERE tenant_id = $1 AND email = $2',
      ])
    },
  )

  test('a hash of nobody costs what a real one does', async () => {
    await signIn({ tenant: 'acme', email: 'nobody@acme.example' })
    const [, compared] = compare.mock.calls[0]!
    expect(bcrypt.getRounds(compared)).toBe(12)
    jest.restoreAllMocks()
    const hash = await hashPassword('some password')
    expect(bcrypt.getRounds(hash)).toBe(12)
    expect(hash).toHaveLength(compared.length)
  })

  test('opens no session and changes no user', async () => {
    const state = async () =>
      (
        await graph.owner.query(
          `SELECT (SELECT count(*) FROM identity.sessions) AS sessions,
                  (SELECT count(*) FROM identity.refresh_tokens) AS tokens,
                  (SELECT max(last_login_at) FROM identity.users) AS last`,
        )
      ).rows
    const before = await state()
    for (const [, input] of cases) await signIn(input)
    expect(await state()).toEqual(before)
  })

  test('is audited with its reason where the tenant is known', async () => {
    const hooli = await graph.tenant('hooli')
    const user = await hooli.user('USER')
    await signIn({ tenant: 'hooli', email: user.email, password: 'wrong' })
    await signIn({ tenant: 'hooli', email: 'nobody@hooli.example' })
    await signIn({ tenant: 'nowhere', email: 'nobody@hooli.example' })
    await graph.owner.query("UPDATE identity.users SET status = 'SUSPENDED' WHERE id = $1", [user.userId])
    await signIn({ tenant: 'hooli', email: user.email })
    expect(await auditOf(hooli, 'SIGN_IN_FAILED')).toEqual([
      [null, 'User', user.userId, { after: { reason: 'WRONG_PASSWORD' } }, nextNetwork],
      [null, 'User', null, { after: { reason: 'UNKNOWN_USER' } }, nextNetwork],
      [null, 'User', user.userId, { after: { reason: 'SUSPENDED' } }, nextNetwork],
    ])
  })

  test('a password that changes while it is compared', async () => {
    const { email, userId } = await acme.user('USER')
    compare.mockImplementationOnce(async () => {
      await graph.owner.query("UPDATE identity.users SET password_hash = 'another' WHERE id = $1", [userId])
      return true
    })
    expect(await signIn({ tenant: 'acme', email })).toEqual(refused)
  })

  test.each([
    ['without a tenant', {}, 'an invalid value; Field "tenant" of required type "String!" was not provided.'],
    [
      'with null',
      { tenant: null },
      'invalid value null at "input.tenant"; Expected non-nullable type "String!" not to be null.',
    ],
  ])(
    '%s: the same error whoever knows the address, and the password is not repeated',
    async (_, tenant, reason) => {
      for (const email of ['only@acme.example', 'both@example.org', 'nobody@acme.example']) {
        const statements = await graph.statementsDuring(async () => {
          const answer = await graph.anonymous.query(mutation, { input: { ...tenant, email, password } })
          expect(answer.errors).toEqual([
            {
              message: `Variable "$input" got ${reason}`,
              locations: expect.any(Array),
              extensions: { code: 'BAD_USER_INPUT', traceId: expect.any(String) },
            },
          ])
        })
        expect(statements).toEqual([])
      }
    },
  )

  test.each([
    ['a list in the place of the input', (input: object) => [input]],
    ['an object in the place of a text', (input: object) => ({ ...input, tenant: { input } })],
    ['a list in the place of a text', (input: object) => ({ ...input, tenant: [password] })],
  ])('%s: the password is not repeated', async (_, wrong) => {
    const input = wrong({ tenant: 'acme', email: 'only@acme.example', password })
    const { errors } = await graph.anonymous.query(mutation, { input })
    expect(errors!.map(({ extensions }) => extensions.code)).toContain('BAD_USER_INPUT')
    expect(JSON.stringify(errors)).not.toContain(password)
  })

  test('an account elsewhere with the same address changes nothing for its first owner', async () => {
    const { email } = await acme.user('USER')
    expect((await signIn({ tenant: 'acme', email })).userErrors).toEqual([])
    const globex = await graph.tenant('globex')
    const passwordHash = await hashPassword('another password', 4)
    await createUser(graph.owner, globex.id, { email, passwordHash, roles: ['USER'] })
    expect((await signIn({ tenant: 'acme', email })).userErrors).toEqual([])
    expect(await signIn({ tenant: 'globex', email })).toEqual(refused)
    expect((await signIn({ tenant: 'globex', email, password: 'another password' })).userErrors).toEqual([])
  })
})

describe('too many attempts', () => {
  const limited = (seconds: number) => ({
    ...refused,
    retryAfterSeconds: seconds,
    userErrors: [
      { code: 'RATE_LIMITED', message: `Too many attempts. Try again in ${seconds} seconds.`, field: null },
    ],
  })

  test.each([
    ['an account', { tenant: 'initech', email: 'user1@initech.example' }],
    ['an account that does not exist', { tenant: 'initech', email: 'nobody@initech.example' }],
    ['an account of no tenant', { tenant: 'nowhere', email: 'somebody@nowhere.example' }],
  ])('on %s: refused from the 21st on, from anywhere, without a comparison', async (_, input) => {
    const initech = await graph.tenant('initech')
    await initech.as('USER')
    const other = await initech.user('USER')
    for (let attempt = 1; attempt <= 20; attempt++)
      expect(await signIn({ ...input, password: 'wrong' })).toEqual(refused)
    compare.mockClear()
    const payload = await signIn(input, '198.51.100.1')
    expect(payload).toEqual(limited(payload.retryAfterSeconds!))
    expect(payload.retryAfterSeconds).toBeGreaterThan(14 * 60)
    expect(payload.retryAfterSeconds).toBeLessThanOrEqual(15 * 60)
    expect(compare).not.toHaveBeenCalled()
    expect((await signIn({ tenant: 'initech', email: other.email })).userErrors).toEqual([])
  })

  test('made at the same moment are counted too', async () => {
    const attempts = Array.from({ length: 40 }, () => signIn({ tenant: 'acme', email: 'crowd@acme.example' }))
    const answers = (await Promise.all(attempts)).map((payload) => payload.userErrors[0]!.code)
    expect(answers.filter((code) => code === 'INVALID_CREDENTIALS')).toHaveLength(20)
    expect(answers.filter((code) => code === 'RATE_LIMITED')).toHaveLength(20)
  })

  test('L4 are not made while too many passwords wait: told to come again, and in again when there is room', async () => {
    const { email } = await acme.user('USER')
    let release = () => undefined as void
    const released = new Promise<void>((resolve) => (release = resolve))
    compare.mockClear()
    compare.mockImplementation(async () => (await released, false))
    const full = 51 * hashesAtOnce
    const waiting = Array.from({ length: full }, () => verifyPassword('wrong', 'hash'))
    const client = testClient(graph.server.url, '', { 'x-forwarded-for': nextNetwork })
    // More than an account may have.
    for (let attempt = 1; attempt <= 21; attempt++) {
      const { errors } = await client.query(mutation, { input: { tenant: 'acme', email, password } })
      expect(errors?.map(({ extensions }) => extensions)).toEqual([
        expect.objectContaining({ code: 'OVERLOADED', retryAfterSeconds: 1 }),
      ])
    }
    expect(compare).toHaveBeenCalledTimes(hashesAtOnce)
    release()
    expect(await Promise.all(waiting)).toEqual(Array(full).fill(false))
    compare = (jest.restoreAllMocks(), cheapBcrypt())
    expect((await signIn({ tenant: 'acme', email })).userErrors).toEqual([])
  })

  test('are forgotten after a success', async () => {
    const { email } = await acme.user('USER')
    for (let round = 1; round <= 2; round++) {
      for (let attempt = 1; attempt <= 15; attempt++)
        expect(await signIn({ tenant: 'acme', email, password: 'wrong' })).toEqual(refused)
      expect((await signIn({ tenant: 'acme', email })).userErrors).toEqual([])
    }
  })

  test('from one network: refused from the 301st on, whatever the accounts', async () => {
    const attempt = (number: number) =>
      signIn({ tenant: 'acme', email: `guess${number}@acme.example` }, `2001:db8:7:7::${number}`)
    for (let number = 1; number <= 10; number++) expect(await attempt(number)).toEqual(refused)
    const { rateLimit } = graph.server.services
    for (let number = 11; number <= 300; number++)
      expect(await rateLimit.consume('sign-in:network:2001:db8:7:7::/64', 300, 300_000)).toMatchObject({
        remaining: 300 - number,
      })
    const payload = await attempt(301)
    expect(payload).toEqual(limited(payload.retryAfterSeconds!))
    expect(payload.retryAfterSeconds).toBeLessThanOrEqual(5 * 60)
    const elsewhere = await signIn({ tenant: 'acme', email: 'guess1@acme.example' }, '2001:db8:7:8::1')
    expect(elsewhere).toEqual(refused)
  })
})
