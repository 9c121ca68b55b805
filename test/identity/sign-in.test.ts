import bcrypt from 'bcrypt'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createUser } from '../../database/tenants'
import { publicMutations } from '../../gateway/operations/lone-mutations'
import { projectRoot } from '../../kernel/process/project-root'
import { hashesAtOnce, hashPassword, verifyPassword } from '../../kernel/sign-in/password'
import { cheapBcrypt } from '../support/bcrypt'
import { password, startGraph, testClient, type TestGraph, type TestTenant } from '../support/graph'

interface Payload {
  signIn: {
    accessToken: string | null
    refreshToken: string | null
    expiresAt: string | null
    passwordChangeRequired: boolean | null
    deviceMark: string | null
    retryAfterSeconds: number | null
    userErrors: { code: string; message: string; field: string[] | null }[]
  }
}

const mutation = `mutation ($input: SignInInput!) {
  signIn(input: $input) {
    accessToken refreshToken expiresAt passwordChangeRequired deviceMark retryAfterSeconds userErrors { code message field }
  }
}`

const refused = {
  accessToken: null,
  refreshToken: null,
  expiresAt: null,
  passwordChangeRequired: null,
  deviceMark: null,
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

async function signIn(
  input: { tenant: string; email: string; password?: string; deviceMark?: string | null },
  from = nextNetwork,
) {
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

  test('a hash of nobody, and one of fewer rounds, cost what a present one does', async () => {
    const rounds = async (hash: string | null) => {
      compare.mockClear()
      expect(await verifyPassword('wrong', hash)).toBe(false)
      return compare.mock.calls.map(([, compared]) => bcrypt.getRounds(compared))
    }
    compare.mockResolvedValue(false)
    const hash = (cost: string) => `$2b$${cost}$${'a'.repeat(53)}`
    expect(await rounds(null)).toEqual([12])
    expect(await rounds(hash('12'))).toEqual([12])
    expect(await rounds(hash('10'))).toEqual([10, 10, 11])
    expect(await rounds(hash('08'))).toEqual([8, 8, 9, 10, 11])
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

  test('a hash of fewer rounds is made anew by a right password, and by no other', async () => {
    const { email, userId } = await acme.user('USER')
    const kept = async () =>
      (
        await graph.owner.query<{ hash: string; version: number }>(
          'SELECT password_hash AS hash, version FROM identity.users WHERE id = $1',
          [userId],
        )
      ).rows[0]!
    const { config } = graph.server.services
    const before = await kept()
    config.passwordRounds = 5
    jest.restoreAllMocks()
    try {
      expect(await signIn({ tenant: 'acme', email, password: 'wrong' })).toEqual(refused)
      expect(await kept()).toEqual(before)
      expect((await signIn({ tenant: 'acme', email })).userErrors).toEqual([])
      const after = await kept()
      expect(after.hash).toMatch(/^\$2b\$05\$/)
      expect(after.version).toBe(before.version)
      expect((await signIn({ tenant: 'acme', email })).userErrors).toEqual([])
      expect(await kept()).toEqual(after)
    } finally {
      config.passwordRounds = 4
    }
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

describe('A9 one request is one attempt', () => {
  test('of whatever needs nobody signed in', () => {
    const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
    expect([...publicMutations(supergraph)].sort()).toEqual([
      'acceptInvitation',
      'completeSignIn',
      'confirmEmailChange',
      'operatorSignIn',
      'refreshSession',
      'requestPasswordReset',
      'resetPassword',
      'signIn',
      'signInPasskeyBegin',
      'signInPasskeyFinish',
      'stopLoneAdministratorReset',
    ])
  })

  const twenty = Array.from({ length: 20 }, (_, n) => `a${n}: signIn(input: $input) { userErrors { code } }`)
  const documents = [
    `mutation ($input: SignInInput!) { ${twenty.join(' ')} }`,
    `mutation ($input: SignInInput!) { ...F } fragment F on Mutation { ${twenty.slice(0, 2).join(' ')} }`,
    `mutation ($input: SignInInput!) { ${twenty[0]} ... @skip(if: true) { ${twenty[1]} } }`,
    `mutation ($input: SignInInput!) { ${twenty[0]} refreshSession(input: { refreshToken: "x" }) { accessToken } }`,
  ]
  test.each(documents)('whoever sends it: %#', async (document) => {
    const input = { tenant: 'acme', email: 'only@acme.example', password: 'wrong' }
    const before = (await auditOf(acme, 'SIGN_IN_FAILED')).length
    const admin = await acme.as('ADMIN')
    compare.mockClear()
    for (const client of [graph.anonymous, admin]) {
      const answer = await client.query(document, { input })
      expect(answer.data ?? null).toBeNull()
      expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['QUERY_TOO_COSTLY'])
    }
    expect(compare).not.toHaveBeenCalled()
    expect((await auditOf(acme, 'SIGN_IN_FAILED')).length).toBe(before)
  })

  test('under another name, once', async () => {
    const input = { tenant: 'acme', email: 'only@acme.example', password }
    const one = 'mutation ($input: SignInInput!) { mine: signIn(input: $input) { userErrors { code } } }'
    expect(await (await acme.as('ADMIN')).data(one, { input })).toEqual({ mine: { userErrors: [] } })
  })
})

describe('too many attempts', () => {
  // Delays are told in whole seconds.
  beforeAll(() => graph.clock.stop())

  const limited = (seconds: number) => ({
    ...refused,
    retryAfterSeconds: seconds,
    userErrors: [
      { code: 'RATE_LIMITED', message: `Too many attempts. Try again in ${seconds} seconds.`, field: null },
    ],
  })

  /** Seconds to wait, or null for an attempt that was made. */
  async function attempts(input: Parameters<typeof signIn>[0], count: number, from = nextNetwork) {
    const waits: (number | null)[] = []
    for (let attempt = 1; attempt <= count; attempt++) {
      const payload = await signIn({ password: 'wrong', ...input }, from)
      waits.push(payload.retryAfterSeconds)
      expect(payload).toEqual(payload.retryAfterSeconds ? limited(payload.retryAfterSeconds) : refused)
    }
    return waits
  }

  const five = [null, null, null, null, null]

  test.each([
    ['an account', { tenant: 'initech', email: 'user1@initech.example' }],
    ['an account that does not exist', { tenant: 'initech', email: 'nobody@initech.example' }],
    ['a suspended account', { tenant: 'acme', email: 'suspended@acme.example' }],
    ['an account of no tenant', { tenant: 'nowhere', email: 'somebody@nowhere.example' }],
    ['an account that another tenant has', { tenant: 'initech', email: 'both@example.org' }],
  ])('A8 A9 on %s: from the fifth on each waits twice as long, from this network alone', async (_, input) => {
    const initech = await graph.tenant('initech')
    await initech.as('USER')
    const other = await initech.user('USER')
    expect(await attempts(input, 6)).toEqual([...five, 2])
    compare.mockClear()
    expect(await attempts(input, 3)).toEqual([2, 2, 2])
    expect(compare).not.toHaveBeenCalled()
    for (const delay of [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
      graph.clock.advance({ seconds: delay })
      const [made, wait] = await attempts(input, 2)
      expect(made).toBeNull()
      expect(wait).toBe(Math.min(900, 2 * delay))
    }
    expect(await attempts(input, 6, `198.51.100.${networks}`)).toEqual([...five, 2])
    expect((await signIn({ tenant: 'initech', email: other.email })).userErrors).toEqual([])
  })

  test('A8 on a known, an unknown and a suspended account: the same statements, comparisons and entries', async () => {
    const seen: unknown[][] = []
    for (const email of ['only@acme.example', 'nobody2@acme.example', 'suspended@acme.example']) {
      const from = `203.0.113.${seen.length + 1}`
      const before = (await auditOf(acme, 'SIGN_IN_FAILED')).length
      compare.mockClear()
      const waits: unknown[] = []
      const statements = await graph.statementsDuring(async () => {
        waits.push(...(await attempts({ tenant: 'acme', email }, 7, from)))
      })
      const entries = (await auditOf(acme, 'SIGN_IN_FAILED')).length - before
      seen.push([waits, compare.mock.calls.length, entries, statements.map(({ text }) => text)])
    }
    expect(seen[1]).toEqual(seen[0])
    expect(seen[2]).toEqual(seen[0])
    expect(seen[0]!.slice(0, 3)).toEqual([[...five, 2, 2], 5, 5])
  })

  test('A9 from many networks delay every stranger, and nobody with the mark of a device', async () => {
    const { email } = await acme.user('USER')
    const { email: neighbour } = await acme.user('USER')
    const input = { tenant: 'acme', email }
    const { deviceMark } = await signIn(input, '192.0.2.200')
    expect(deviceMark).toMatch(/^[\da-f-]{36}\.[\da-z]+\.[\w-]{43}$/)
    for (let network = 1; network <= 25; network++)
      expect(await attempts(input, 4, `2001:db8:66:${network}::1`)).toEqual(five.slice(1))
    expect(await attempts(input, 2, '2001:db8:67::1')).toEqual([null, 2])
    const stranger = () => signIn(input, '2001:db8:68::1')
    expect((await stranger()).userErrors[0]!.code).toBe('RATE_LIMITED')
    const again = await signIn({ ...input, deviceMark }, '2001:db8:68::1')
    expect(again.userErrors).toEqual([])
    expect(again.deviceMark!.split('.')[0]).toBe(deviceMark!.split('.')[0])
    const { deviceMark: ofNeighbour } = await signIn({ tenant: 'acme', email: neighbour }, '192.0.2.201')
    const [device, end, code] = deviceMark!.split('.') as [string, string, string]
    for (const forged of [
      ...[ofNeighbour!, 'nonsense', ''],
      `${device}.${end}.${'A'.repeat(43)}`,
      `${device}.z${end.slice(1)}.${code}`,
      `${ofNeighbour!.split('.')[0]}.${end}.${code}`,
    ]) {
      const payload = await signIn({ ...input, deviceMark: forged }, '2001:db8:68::1')
      expect(payload.userErrors[0]!.code).toBe('RATE_LIMITED')
    }
    // It has limits too.
    expect(await attempts({ ...input, deviceMark }, 7, '2001:db8:69::1')).toEqual([...five, 2, 2])
  })

  test('A9 in its own network delay no device with a mark, until that ends after 180 days', async () => {
    const { email } = await acme.user('USER')
    const input = { tenant: 'acme', email }
    const { deviceMark } = await signIn(input)
    expect(await attempts(input, 6)).toEqual([...five, 2])
    expect((await signIn({ ...input, deviceMark })).userErrors).toEqual([])
    const elsewhere = '198.51.100.250'
    graph.clock.advance({ days: 179 })
    expect(await attempts(input, 6, elsewhere)).toEqual([...five, 2])
    expect((await signIn({ ...input, deviceMark }, elsewhere)).userErrors).toEqual([])
    graph.clock.advance({ days: 1 })
    expect(await attempts(input, 2, elsewhere)).toEqual([null, 4])
    expect((await signIn({ ...input, deviceMark }, elsewhere)).userErrors[0]!.code).toBe('RATE_LIMITED')
  })

  test('made at the same moment are counted too', async () => {
    const made = Array.from({ length: 40 }, () => signIn({ tenant: 'acme', email: 'crowd@acme.example' }))
    const answers = (await Promise.all(made)).map((payload) => payload.userErrors[0]!.code)
    expect(answers.filter((code) => code === 'INVALID_CREDENTIALS')).toHaveLength(5)
    expect(answers.filter((code) => code === 'RATE_LIMITED')).toHaveLength(35)
  })

  test('L4 are not made while too many passwords wait: told to come again, and in again when there is room', async () => {
    const { email } = await acme.user('USER')
    const signedIn = await acme.user('USER')
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
    // Who is signed in waits in another line, and comes before all of them.
    const proving = signedIn.query<{ stepUp: { userErrors: { code: string }[] } }>(
      'mutation { stepUp(input: { password: "wrong" }) { userErrors { code } } }',
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    release()
    expect((await proving).data!.stepUp.userErrors).toEqual([{ code: 'INVALID_CREDENTIALS' }])
    expect(await Promise.all(waiting)).toEqual(Array(full).fill(false))
    compare = (jest.restoreAllMocks(), cheapBcrypt())
    expect((await signIn({ tenant: 'acme', email })).userErrors).toEqual([])
  })

  test('are forgotten after a success', async () => {
    const { email } = await acme.user('USER')
    for (let round = 1; round <= 2; round++) {
      for (let attempt = 1; attempt <= 4; attempt++)
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
