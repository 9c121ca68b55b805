import { deviceLabel } from '../../subgraphs/identity/rules/device'
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

let graph: TestGraph
let acme: TestTenant
let admin: TestClient

beforeAll(async () => {
  cheapBcrypt()
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
})
afterAll(() => graph?.close())

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'
const refused = [401, 'The session has ended: sign in again']

async function signIn(email: string, userAgent = firefox): Promise<TestClient> {
  const client = testClient(graph.server.url, '', { 'user-agent': userAgent })
  const { signIn: payload } = await client.data<{ signIn: { accessToken: string } }>(
    'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }',
    { input: { tenant: acme.slug, email, password } },
  )
  return testClient(graph.server.url, '', { authorization: `Bearer ${payload.accessToken}` })
}

async function access(client: TestClient): Promise<unknown> {
  const { status, data, errors } = await client.query<{ viewer: { id: string } }>('{ viewer { id } }')
  return data?.viewer.id ? 'OK' : [status, errors?.[0]?.message]
}

interface Session {
  id: string
  isCurrent: boolean
  isAlive: boolean
  revokeReason: string | null
}

async function sessionsOf(
  client: TestClient,
  selection = 'id isCurrent isAlive revokeReason',
): Promise<Session[]> {
  const { viewer } = await client.data<{ viewer: { sessions: { nodes: Session[] } } }>(
    `{ viewer { sessions(first: 50) { nodes { ${selection} } } } }`,
  )
  return viewer.sessions.nodes
}

const current = async (client: TestClient) =>
  (await sessionsOf(client)).find(({ isCurrent }) => isCurrent)!.id

/** A user without any right, signed in on three devices. */
async function onThreeDevices() {
  const user = await acme.user()
  return {
    user,
    devices: [await signIn(user.email), await signIn(user.email), await signIn(user.email)] as const,
  }
}

test('A4 everybody sees where they are signed in, with device, network and last use', async () => {
  const user = await acme.user()
  const client = await signIn(user.email)
  const [session, ...others] = await sessionsOf(
    client,
    `id user { id } isCurrent isAlive deviceLabel userAgent ipAddress authMethods createdAt lastSeenAt idleExpiresAt expiresAt
     revokedAt revokedBy { id } revokeReason version`,
  )
  const {
    rows: [row],
  } = await graph.owner.query<{ id: string; created_at: Date }>(
    'SELECT id, created_at FROM identity.sessions WHERE user_id = $1 ORDER BY id DESC LIMIT 1',
    [user.userId],
  )
  const began = row!.created_at.getTime()
  const after = (ms: number) => new Date(began + ms).toISOString()
  expect(session).toEqual({
    id: row!.id,
    user: { id: user.userId },
    isCurrent: true,
    isAlive: true,
    deviceLabel: 'Firefox on Linux',
    userAgent: firefox,
    ipAddress: '127.0.0.1',
    authMethods: ['PASSWORD'],
    createdAt: after(0),
    lastSeenAt: after(0),
    idleExpiresAt: after(30 * 60_000),
    expiresAt: after(7 * 86_400_000),
    revokedAt: null,
    revokedBy: null,
    revokeReason: null,
    version: 1,
  })
  // The one with which the test's user signed in first.
  expect(others.map(({ isCurrent }) => isCurrent)).toEqual([false])
  const answer = JSON.stringify(await client.query('{ sessions { nodes { id } totalCount } }'))
  expect(answer).toContain('"totalCount":2')
})

test('A4 nobody sees the sessions of others without identity:session:read, by whatever way', async () => {
  const { user, devices } = await onThreeDevices()
  const id = await current(devices[0])
  const other = await acme.user('VIEWER')
  const ask = (client: TestClient) =>
    client.query(
      `query ($id: ID!, $user: ID!) { session(id: $id) { id }
         sessions(filter: { userId: { eq: $user } }) { nodes { id } totalCount } }`,
      { id, user: user.userId },
    )
  expect((await ask(other)).data).toEqual({ session: null, sessions: { nodes: [], totalCount: 0 } })
  const reader = await userWith(graph, acme, ['identity:session:read'])
  const { data } = await ask(reader)
  expect(data).toMatchObject({ session: { id }, sessions: { totalCount: 4 } })
  const foreign = await (await graph.tenant('globex')).as('ADMIN')
  expect((await ask(foreign)).data).toEqual({ session: null, sessions: { nodes: [], totalCount: 0 } })
})

test('A4 a session that is ended is refused on its next request, and tells by whom and why', async () => {
  const { user, devices } = await onThreeDevices()
  const [here, there, third] = devices
  // The gateway has their states in its cache.
  for (const device of devices) expect(await access(device)).toBe('OK')
  const id = await current(there)
  const selection = 'session { id revokeReason revokedBy { id } isAlive }'
  expect(await change(here, 'revokeSession', { id }, selection)).toEqual({
    id,
    revokeReason: 'REVOKED',
    revokedBy: { id: user.userId },
    isAlive: false,
  })
  expect(await access(there)).toEqual(refused)
  expect([await access(here), await access(third)]).toEqual(['OK', 'OK'])
  // Again it stays as it is.
  expect(await change(here, 'revokeSession', { id }, 'session { version }')).toEqual({ version: 2 })
  const { rows } = await graph.owner.query(
    `SELECT actor_id, action FROM shared.audit_logs WHERE resource_type = 'Session' AND resource_id = $1 ORDER BY id`,
    [id],
  )
  expect(rows).toEqual([
    { actor_id: user.userId, action: 'SIGN_IN' },
    { actor_id: user.userId, action: 'UPDATE' },
  ])
})

test('A4 ending the present session signs out, its refresh token as well', async () => {
  const user = await acme.user()
  const {
    signIn: { accessToken, refreshToken },
  } = await graph.anonymous.data<{ signIn: { accessToken: string; refreshToken: string } }>(
    'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken } }',
    { input: { tenant: acme.slug, email: user.email, password } },
  )
  const client = testClient(graph.server.url, '', { authorization: `Bearer ${accessToken}` })
  await change(client, 'revokeSession', { id: await current(client) }, 'session { isCurrent }')
  expect(await access(client)).toEqual(refused)
  expect(await userErrors(graph.anonymous, 'refreshSession', { refreshToken })).toMatchObject([
    { code: 'SESSION_ENDED' },
  ])
})

test('A4 all others end at once, or those that began before an instant, and the present one stays', async () => {
  const { devices } = await onThreeDevices()
  const [here, ...others] = devices
  graph.clock.advance({ minutes: 1 })
  const instant = graph.clock.now().toISOString()
  const { devices: unrelated } = await onThreeDevices()
  expect(await change(others[1]!, 'revokeOtherSessions', { begunBefore: instant }, 'endedCount')).toBe(3)
  expect([await access(here), await access(others[0]!), await access(others[1]!)]).toEqual([
    refused,
    refused,
    'OK',
  ])
  for (const device of unrelated) expect(await access(device)).toBe('OK')
  expect(
    await change(unrelated[0], 'revokeOtherSessions', { begunBefore: '2026-01-01T00:00:00Z' }, 'endedCount'),
  ).toBe(0)
  expect(await change(unrelated[0], 'revokeOtherSessions', {}, 'endedCount')).toBe(3)
  expect(await Promise.all(unrelated.map(access))).toEqual(['OK', refused, refused])
})

test('A4 who ends sessions of others holds what the user may do, and otherwise nothing changes', async () => {
  const { user, devices } = await onThreeDevices()
  const id = await current(devices[0])
  const nobody = await acme.user()
  const reader = await userWith(graph, acme, ['identity:session:read'])
  const writer = await userWith(graph, acme, ['identity:session:read', 'identity:user:write'])
  expect(await userErrors(nobody, 'revokeSession', { id })).toEqual([
    { code: 'NOT_FOUND', field: ['id'], message: expect.any(String) as string },
  ])
  expect(await userErrors(reader, 'revokeSession', { id })).toEqual([
    { code: 'PERMISSION_NOT_HELD', field: ['id'], message: 'You lack identity:user:write' },
  ])
  await graph.owner.query(
    `UPDATE identity.users SET granted_permissions = '{hr:salary:read}' WHERE id = $1`,
    [user.userId],
  )
  const lacking = {
    code: 'PERMISSION_NOT_HELD',
    message: 'The user has permissions that you lack: ask somebody who holds them, such as an administrator',
  }
  expect(await userErrors(writer, 'revokeSession', { id })).toEqual([{ ...lacking, field: ['id'] }])
  expect(await userErrors(writer, 'revokeUserSessions', { userId: user.userId })).toEqual([
    { ...lacking, field: ['userId'] },
  ])
  expect(
    (await nobody.query('mutation { revokeUserSessions(input: { userId: "x" }) { endedCount } }')).errors,
  ).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  for (const device of devices) expect(await access(device)).toBe('OK')
  expect(await change(admin, 'revokeUserSessions', { userId: user.userId }, 'endedCount')).toBe(4)
  for (const device of devices) expect(await access(device)).toEqual(refused)
})

test('A4 50 parallel ends of sessions end each once, and nobody else', async () => {
  const { user, devices } = await onThreeDevices()
  const ids = await Promise.all(devices.slice(1).map(current))
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, place) =>
      userErrors(devices[0], 'revokeSession', { id: ids[place % 2]! }).catch(() => null),
    ),
  )
  expect(answers).toHaveLength(50)
  const { rows } = await graph.owner.query(
    `SELECT resource_id AS id, count(*)::int AS count FROM shared.audit_logs
      WHERE resource_type = 'Session' AND action = 'UPDATE' AND actor_id = $1 GROUP BY 1`,
    [user.userId],
  )
  expect(Object.fromEntries(rows.map(({ id, count }: { id: string; count: number }) => [id, count]))).toEqual(
    Object.fromEntries(ids.map((id) => [id, 1])),
  )
  expect(await Promise.all(devices.map(access))).toEqual(['OK', refused, refused])
})

test('A4 each way in which a session ends tells its reason', async () => {
  const reasonOf = async (userId: string) => {
    const { rows } = await graph.owner.query<{ revoke_reason: string; revoked_by_id: string }>(
      'SELECT DISTINCT revoke_reason, revoked_by_id FROM identity.sessions WHERE user_id = $1 AND revoked_at IS NOT NULL',
      [userId],
    )
    return rows.map((row) => [row.revoke_reason, row.revoked_by_id])
  }
  const leaving = await acme.user()
  await change(leaving, 'signOut', {}, '__typename')
  expect(await reasonOf(leaving.userId)).toEqual([['SIGNED_OUT', leaving.userId]])
  const changing = await acme.user()
  await signIn(changing.email)
  const passwords = { currentPassword: password, newPassword: 'another horse battery' }
  await change(changing, 'changePassword', passwords, 'user { id }')
  expect(await reasonOf(changing.userId)).toEqual([['PASSWORD_CHANGED', changing.userId]])
  for (const [mutation, reason] of [
    ['suspendUser', 'SUSPENDED'],
    ['requirePasswordChange', 'PASSWORD_CHANGE_REQUIRED'],
  ] as const) {
    const user = await acme.user()
    const { user: found } = await admin.data<{ user: { version: number } }>(
      'query ($id: ID!) { user(id: $id) { version } }',
      { id: user.userId },
    )
    await change(admin, mutation, { id: user.userId, expectedVersion: found.version }, 'user { id }')
    expect(await reasonOf(user.userId)).toEqual([[reason, admin.userId]])
  }
})

test.each([
  [firefox, 'Firefox on Linux'],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0',
    'Edge on Windows',
  ],
  [
    'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36',
    'Chrome on Android',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148 Safari/604.1',
    'Safari on iOS',
  ],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15', 'Safari on macOS'],
  ['curl/8.5.0', 'curl'],
  ['<script>', null],
  [null, null],
])('what %s is called', (userAgent, label) => {
  expect(deviceLabel(userAgent)).toBe(label)
})
