import { issueAccessToken } from '../../kernel/sign-in/access-token'
import { uuidv7 } from '../../kernel/id'
import { cheapBcrypt } from '../support/bcrypt'
import { untilWaiting } from '../support/locks'
import {
  password,
  startGraph,
  testClient,
  type TestClient,
  type TestGraph,
  type TestTenant,
} from '../support/graph'

interface Tokens {
  accessToken: string | null
  refreshToken: string | null
  expiresAt: string | null
  userErrors: { code: string; message: string; field: string[] | null }[]
}

let graph: TestGraph
let acme: TestTenant
let compare: ReturnType<typeof cheapBcrypt>

beforeAll(async () => {
  compare = cheapBcrypt()
  graph = await startGraph()
  acme = await graph.tenant('acme')
})

afterAll(() => graph?.close())

const selection = 'accessToken refreshToken expiresAt userErrors { code message field }'
const ended = {
  accessToken: null,
  refreshToken: null,
  expiresAt: null,
  userErrors: [
    { code: 'SESSION_ENDED', message: 'The session has ended: sign in again', field: ['refreshToken'] },
  ],
}

async function refresh(refreshToken: string, client = graph.anonymous): Promise<Tokens> {
  const { refreshSession } = await client.data<{ refreshSession: Tokens }>(
    `mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { ${selection} } }`,
    { input: { refreshToken } },
  )
  return refreshSession
}

async function signIn(email: string, tenant = acme.slug, secret = password): Promise<Tokens> {
  const { signIn: payload } = await graph.anonymous.data<{ signIn: Tokens }>(
    `mutation ($input: SignInInput!) { signIn(input: $input) { ${selection} } }`,
    { input: { tenant, email, password: secret } },
  )
  return payload
}

const bearer = (tokens: Tokens): TestClient =>
  testClient(graph.server.url, '', { authorization: `Bearer ${tokens.accessToken}` })

/** OK, or the code and message of the refusal of the whole request. */
async function access(tokens: Tokens): Promise<string> {
  const { status, data, errors } = await bearer(tokens).query<{ viewer: { id: string } }>('{ viewer { id } }')
  if (data?.viewer?.id) return 'OK'
  return `${status} ${errors?.[0]?.extensions.code}: ${errors?.[0]?.message}`
}

const refusedAccess = '401 UNAUTHENTICATED: The session has ended: sign in again'

async function column<T>(text: string, values: unknown[] = []): Promise<T[]> {
  const { rows } = await graph.owner.query<unknown[]>({ text, values, rowMode: 'array' })
  return rows.map((row) => row[0] as T)
}

async function signedIn() {
  const user = await acme.user('USER')
  return { user, tokens: await signIn(user.email) }
}

describe('refreshing', () => {
  test('gives new tokens, and the old refresh token gives the same successor for ten seconds', async () => {
    const { tokens } = await signedIn()
    const first = await refresh(tokens.refreshToken!)
    expect(first.userErrors).toEqual([])
    expect(first.refreshToken).not.toBe(tokens.refreshToken)
    expect(await access(first)).toBe('OK')
    graph.clock.advance({ seconds: 8 })
    const repeated = await refresh(tokens.refreshToken!)
    expect(repeated.refreshToken).toBe(first.refreshToken)
    expect(await access(repeated)).toBe('OK')
    expect((await refresh(repeated.refreshToken!)).userErrors).toEqual([])
  })

  test('goes by the refresh token, whoever the access token is of', async () => {
    const { tokens } = await signedIn()
    const stranger = await (await graph.tenant('globex')).as('USER')
    const next = await refresh(tokens.refreshToken!, stranger)
    expect(next.userErrors).toEqual([])
    expect(await access(next)).toBe('OK')
  })

  test('with a used token after ten seconds ends the session: it was copied', async () => {
    const { user, tokens } = await signedIn()
    const other = await signIn(user.email)
    const first = await refresh(tokens.refreshToken!)
    const second = await refresh(first.refreshToken!)
    expect(await access(second)).toBe('OK')
    graph.clock.advance({ seconds: 11 })
    expect(await refresh(tokens.refreshToken!)).toEqual(ended)
    expect(await refresh(second.refreshToken!)).toEqual(ended)
    expect(await access(tokens)).toBe(refusedAccess)
    expect(await access(second)).toBe(refusedAccess)
    expect(await access(other)).toBe('OK')
    expect((await refresh(other.refreshToken!)).userErrors).toEqual([])
    const reasons = await column(
      `SELECT changes->'after'->>'reason' FROM shared.audit_logs WHERE tenant_id = $1 AND action = 'SIGN_OUT'
        AND resource_id IN (SELECT id::text FROM identity.sessions WHERE user_id = $2)`,
      [acme.id, user.userId],
    )
    expect(reasons).toEqual(['REFRESH_TOKEN_REUSED'])
  })

  test('A12 with a used token whose successor was used ends the session, however soon', async () => {
    const { user, tokens } = await signedIn()
    const other = await signIn(user.email)
    const first = await refresh(tokens.refreshToken!)
    expect((await refresh(tokens.refreshToken!)).refreshToken).toBe(first.refreshToken)
    const second = await refresh(first.refreshToken!)
    expect(await access(second)).toBe('OK')
    expect(await refresh(tokens.refreshToken!)).toEqual(ended)
    for (const one of [tokens, first, second]) {
      expect(await refresh(one.refreshToken!)).toEqual(ended)
      expect(await access(one)).toBe(refusedAccess)
    }
    expect(await access(other)).toBe('OK')
  })

  test('fifty times at once makes one successor and signs nobody out', async () => {
    const { user, tokens } = await signedIn()
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(tokens.refreshToken!)))
    expect(answers.flatMap((answer) => answer.userErrors)).toEqual([])
    const successors = new Set(answers.map((answer) => answer.refreshToken))
    expect(successors.size).toBe(1)
    const chain = await column<string | null>(
      `SELECT successor_id FROM identity.refresh_tokens t JOIN identity.sessions s USING (tenant_id)
        WHERE s.id = t.session_id AND s.user_id = $1 AND s.id IN (
          SELECT session_id FROM identity.refresh_tokens WHERE id = $2) ORDER BY t.id`,
      [user.userId, tokens.refreshToken!.split('.')[1]],
    )
    expect(chain).toEqual([[...successors][0]!.split('.')[1], null])
    for (const answer of answers.slice(0, 5)) expect(await access(answer)).toBe('OK')
    expect((await refresh([...successors][0]!)).userErrors).toEqual([])
  })

  test('twice, both before either has rotated the token, makes one successor', async () => {
    const { tokens } = await signedIn()
    await graph.owner.query('BEGIN')
    await graph.owner.query('SELECT FROM identity.refresh_tokens WHERE id = $1 FOR UPDATE', [
      tokens.refreshToken!.split('.')[1],
    ])
    const both = Promise.all([refresh(tokens.refreshToken!), refresh(tokens.refreshToken!)])
    try {
      await untilWaiting(graph.owner, 2)
    } finally {
      await graph.owner.query('COMMIT')
    }
    const [one, two] = await both
    expect([one.userErrors, two.userErrors]).toEqual([[], []])
    expect(one.refreshToken).toBe(two.refreshToken)
    expect((await refresh(one.refreshToken!)).userErrors).toEqual([])
  })

  test('with anything but a token that was given is refused and changes nothing', async () => {
    const { tokens } = await signedIn()
    const globex = await graph.tenant('globex')
    const [tenantId, tokenId, secret] = tokens.refreshToken!.split('.') as [string, string, string]
    const forged = [
      'nonsense',
      `${tenantId}.${tokenId}.${'A'.repeat(43)}`,
      `${tenantId}.${uuidv7()}.${secret}`,
      `${globex.id}.${tokenId}.${secret}`,
      `${uuidv7()}.${tokenId}.${secret}`,
      tokens.accessToken!,
    ]
    const state = () => column("SELECT count(*) || ' ' || count(rotated_at) FROM identity.refresh_tokens")
    const before = await state()
    for (const token of forged) expect(await refresh(token)).toEqual(ended)
    expect(await state()).toEqual(before)
    expect((await refresh(tokens.refreshToken!)).userErrors).toEqual([])
  })

  test('the database itself refuses a second usable token for a session', async () => {
    const { tokens } = await signedIn()
    const tokenId = tokens.refreshToken!.split('.')[1]
    const second = graph.owner.query(
      `INSERT INTO identity.refresh_tokens (tenant_id, id, session_id, secret_hash)
       SELECT tenant_id, $2, session_id, secret_hash FROM identity.refresh_tokens WHERE id = $1`,
      [tokenId, uuidv7()],
    )
    await expect(second).rejects.toMatchObject({ code: '23505' })
  })
})

describe('a session ends', () => {
  test('after 30 minutes without a request, for access and refresh', async () => {
    const { user, tokens } = await signedIn()
    graph.clock.advance({ minutes: 31 })
    expect(await refresh(tokens.refreshToken!)).toEqual(ended)
    // An access token that is still good helps no more: the session is what counts.
    const [sessionId] = await column<string>('SELECT session_id FROM identity.refresh_tokens WHERE id = $1', [
      tokens.refreshToken!.split('.')[1],
    ])
    const { keys } = graph.server.services
    const claims = { tenantId: acme.id, userId: user.userId, sessionId: sessionId!, permissionVersion: 1 }
    const { token } = issueAccessToken(keys, graph.config.tokenIssuer, claims, graph.clock)
    expect(await access({ ...tokens, accessToken: token })).toBe(refusedAccess)
  })

  test('not while it is used', async () => {
    const { tokens } = await signedIn()
    let current = tokens
    for (let use = 1; use <= 4; use++) {
      graph.clock.advance({ minutes: 14 })
      expect(await access(current)).toBe('OK')
      graph.clock.advance({ minutes: 14 })
      current = await refresh(current.refreshToken!)
      expect(current.userErrors).toEqual([])
    }
    expect(await access(current)).toBe('OK')
  })

  test('seven days after sign-in, however much it is used', async () => {
    const { tokens } = await signedIn()
    const sessionId = (
      await column<string>('SELECT session_id FROM identity.refresh_tokens WHERE id = $1', [
        tokens.refreshToken!.split('.')[1],
      ])
    )[0]
    graph.clock.advance({ days: 6, hours: 23, minutes: 59 })
    await graph.owner.query('UPDATE identity.sessions SET last_seen_at = $2 WHERE id = $1', [
      sessionId,
      graph.clock.now(),
    ])
    const late = await refresh(tokens.refreshToken!)
    expect(late.userErrors).toEqual([])
    graph.clock.advance({ minutes: 2 })
    expect(await refresh(late.refreshToken!)).toEqual(ended)
  })

  test('notes its use at most once a minute', async () => {
    const { user, tokens } = await signedIn()
    const seen = async () =>
      (
        await column<Date>(
          'SELECT last_seen_at FROM identity.sessions WHERE user_id = $1 ORDER BY id DESC LIMIT 1',
          [user.userId],
        )
      )[0]!.getTime()
    const start = await seen()
    graph.clock.advance({ seconds: 50 })
    const first = await refresh(tokens.refreshToken!)
    expect(await seen()).toBe(start)
    graph.clock.advance({ seconds: 11 })
    await refresh(first.refreshToken!)
    expect(await seen()).toBeGreaterThan(start + 60_000)
  })

  test('by signing out, on the next request; other sessions go on', async () => {
    const { user, tokens } = await signedIn()
    const other = await signIn(user.email)
    const colleague = (await signedIn()).tokens
    expect(await access(tokens)).toBe('OK')
    const out = await bearer(tokens).data('mutation { signOut(input: {}) { userErrors { code } } }')
    expect(out).toEqual({ signOut: { userErrors: [] } })
    expect(await access(tokens)).toBe(refusedAccess)
    expect(await refresh(tokens.refreshToken!)).toEqual(ended)
    expect(await access(other)).toBe('OK')
    await bearer(other).data('mutation { signOut(input: { everywhere: true }) { userErrors { code } } }')
    expect(await access(other)).toBe(refusedAccess)
    expect(await access(colleague)).toBe('OK')
  })

  test('when its user is suspended, and a new one can begin after reactivation', async () => {
    const { user, tokens } = await signedIn()
    expect(await access(tokens)).toBe('OK')
    const admin = await acme.user('ADMIN')
    const change = async (verb: 'suspendUser' | 'reactivateUser', expectedVersion: number) => {
      const name = `${verb[0]!.toUpperCase()}${verb.slice(1)}Input`
      return admin.data<Record<string, { user: unknown; userErrors: unknown[] }>>(
        `mutation ($input: ${name}!) { ${verb}(input: $input) { user { status isActive version } userErrors { code } } }`,
        { input: { id: user.userId, expectedVersion } },
      )
    }
    expect(await change('suspendUser', 1)).toEqual({
      suspendUser: { user: { status: 'SUSPENDED', isActive: false, version: 2 }, userErrors: [] },
    })
    expect(await access(tokens)).toBe(refusedAccess)
    expect(await refresh(tokens.refreshToken!)).toEqual(ended)
    expect((await signIn(user.email)).userErrors[0]!.code).toBe('INVALID_CREDENTIALS')
    expect(await change('reactivateUser', 2)).toEqual({
      reactivateUser: { user: { status: 'ACTIVE', isActive: true, version: 3 }, userErrors: [] },
    })
    expect(await access(tokens)).toBe(refusedAccess)
    expect(await access(await signIn(user.email))).toBe('OK')
  })

  test('when its tenant is suspended', async () => {
    const hooli = await graph.tenant('hooli')
    const user = await hooli.user('USER')
    const tokens = await signIn(user.email, 'hooli')
    await graph.owner.query("UPDATE tenancy.tenants SET status = 'SUSPENDED' WHERE id = $1", [hooli.id])
    expect(await access(tokens)).toBe(refusedAccess)
    expect(await refresh(tokens.refreshToken!)).toEqual(ended)
  })
})

describe('changing the password', () => {
  const change = async (tokens: Tokens, currentPassword: string, newPassword: string) =>
    (
      await bearer(tokens).data<{
        changePassword: {
          user: { id: string } | null
          userErrors: { code: string; field: string[] | null }[]
        }
      }>(
        `mutation ($input: ChangePasswordInput!) {
          changePassword(input: $input) { user { id } userErrors { code field } }
        }`,
        { input: { currentPassword, newPassword } },
      )
    ).changePassword

  test('ends the other sessions and keeps this one', async () => {
    const { user, tokens } = await signedIn()
    const other = await signIn(user.email)
    expect(await access(other)).toBe('OK')
    await graph.owner.query('UPDATE identity.users SET password_change_required = true WHERE id = $1', [
      user.userId,
    ])
    expect(await change(tokens, password, 'a new password')).toEqual({
      user: { id: user.userId },
      userErrors: [],
    })
    expect(await access(other)).toBe(refusedAccess)
    expect(await refresh(other.refreshToken!)).toEqual(ended)
    expect(await access(tokens)).toBe('OK')
    expect((await signIn(user.email)).userErrors[0]!.code).toBe('INVALID_CREDENTIALS')
    expect((await signIn(user.email, 'acme', 'a new password')).userErrors).toEqual([])
    const [required] = await column('SELECT password_change_required FROM identity.users WHERE id = $1', [
      user.userId,
    ])
    expect(required).toBe(false)
    const [changes] = await column<object>(
      "SELECT changes FROM shared.audit_logs WHERE tenant_id = $1 AND action = 'UPDATE' AND resource_id = $2",
      [acme.id, user.userId],
    )
    expect(changes).toMatchObject({
      after: { passwordHash: expect.stringMatching(/^\[masked [\w-]{12}\]$/) },
    })
  })

  test('needs the present one and a usable new one', async () => {
    const { user, tokens } = await signedIn()
    const [hash] = await column('SELECT password_hash FROM identity.users WHERE id = $1', [user.userId])
    const error = (code: string, field: string) => ({ user: null, userErrors: [{ code, field: [field] }] })
    expect(await change(tokens, 'wrong', 'a new password')).toEqual(
      error('INVALID_CREDENTIALS', 'currentPassword'),
    )
    expect(await change(tokens, password, 'too short')).toEqual(error('INVALID', 'newPassword'))
    expect(await change(tokens, password, 'x'.repeat(73))).toEqual(error('INVALID', 'newPassword'))
    expect(await change(tokens, password, password)).toEqual(error('INVALID', 'newPassword'))
    expect(await column('SELECT password_hash FROM identity.users WHERE id = $1', [user.userId])).toEqual([
      hash,
    ])
  })

  test('at the same moment as another change does nothing', async () => {
    const { user, tokens } = await signedIn()
    compare.mockImplementationOnce(async () => {
      await graph.owner.query("UPDATE identity.users SET password_hash = 'another' WHERE id = $1", [
        user.userId,
      ])
      return true
    })
    const { userErrors } = await change(tokens, password, 'a new password')
    expect(userErrors).toEqual([{ code: 'STALE_VERSION', field: null }])
    const [hash] = await column('SELECT password_hash FROM identity.users WHERE id = $1', [user.userId])
    expect(hash).toBe('another')
  })

  test('A9 is limited like signing in, so a stolen session does not find the password', async () => {
    graph.clock.stop()
    const { tokens } = await signedIn()
    for (let attempt = 1; attempt <= 5; attempt++)
      expect((await change(tokens, 'wrong', 'a new password')).userErrors[0]!.code).toBe(
        'INVALID_CREDENTIALS',
      )
    expect((await change(tokens, password, 'a new password')).userErrors[0]!.code).toBe('RATE_LIMITED')
    graph.clock.advance({ seconds: 2 })
    expect((await change(tokens, password, 'a new password')).userErrors).toEqual([])
  })
})
