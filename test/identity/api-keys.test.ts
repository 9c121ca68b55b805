import { parse } from 'graphql'
import { apiKeyPattern, formatApiKey, parseApiKey } from '../../kernel/sign-in/api-key'
import { isNetwork, networksOf } from '../../kernel/sign-in/networks'
import { inputValue } from '../contract/operations'
import { cheapBcrypt } from '../support/bcrypt'
import { startGraph, testClient, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { freshDatabase } from '../support/postgres'
import { isOfTenants } from '../support/platform-fields'
import { userWith } from '../support/scopes'
import { startSpread } from '../support/spread'

let graph: TestGraph
let acme: TestTenant
let admin: TestClient
let count = 0

beforeAll(async () => {
  cheapBcrypt()
  graph = await startGraph()
  acme = await graph.tenant('acme')
})
// The clock moves on: wrong keys of one test count for no other, and an access token lives 15 minutes.
beforeEach(async () => {
  graph.clock.advance({ minutes: 1 })
  admin = await acme.user('ADMIN')
})
afterAll(() => graph?.close())

const inDays = (days: number) => new Date(graph.clock.now().getTime() + days * 86_400_000).toISOString()
const withKey = (key: string, url = graph.server.url) => testClient(url, '', { 'x-api-key': key })
const notValid = [
  401,
  'UNAUTHENTICATED',
  'The API key is not valid: it is mistyped, revoked or over, or its owner is suspended',
]

async function access(client: TestClient): Promise<unknown> {
  const { status, data, errors } = await client.query<{ viewer: { id: string } }>('{ viewer { id } }')
  return data?.viewer?.id ?? [status, errors?.[0]?.extensions.code, errors?.[0]?.message]
}

interface Made {
  secret: string
  apiKey: { id: string; version: number }
}

async function makeKey(maker: TestClient, input: Record<string, unknown> = {}): Promise<Made> {
  const { createApiKey } = await maker.data<{ createApiKey: Made & { userErrors: unknown[] } }>(
    `mutation ($input: CreateApiKeyInput!) {
      createApiKey(input: $input) { secret apiKey { id version } userErrors { code message field } }
    }`,
    { input: { name: `Key ${++count}`, scopes: ['hr:employee:read'], expiresAt: inDays(30), ...input } },
  )
  expect(createApiKey.userErrors).toEqual([])
  return createApiKey
}

const keysInTable = async () =>
  Number(
    (await graph.owner.query<{ count: string }>('SELECT count(*) FROM identity.api_keys')).rows[0]!.count,
  )

async function serviceAccount(scopes: readonly string[] = ['hr:employee:read']): Promise<string> {
  const { id } = await change<{ id: string }>(
    admin,
    'createServiceAccount',
    { fullName: `Program ${++count}` },
    'user { id }',
  )
  for (const permission of scopes)
    await change(admin, 'grantPermission', { userId: id, permission }, 'user { id }')
  return id
}

describe('the text of a key', () => {
  const ids = {
    tenantId: '01900000-0000-7000-8000-00000000000a',
    keyId: 'ffffffff-ffff-7fff-bfff-ffffffffffff',
  }
  const secret = Buffer.alloc(32, 255)

  test('A6 comes back in parts, has one form, and any changed letter makes it none', () => {
    for (const one of [secret, Buffer.alloc(32), Buffer.from('5a'.repeat(32), 'hex')]) {
      const text = formatApiKey('live', { ...ids, secret: one })
      expect(text).toMatch(apiKeyPattern)
      expect(parseApiKey(text)).toEqual({ ...ids, secret: one })
    }
    const text = formatApiKey('test', { ...ids, secret })
    for (let place = 0; place < text.length; place++) {
      const changed = `${text.slice(0, place)}${text[place] === 'a' ? 'b' : 'a'}${text.slice(place + 1)}`
      expect(parseApiKey(changed)).toBeNull()
    }
    for (const other of ['', 'tg', text.slice(1), `${text} `, text.replace('test', 'live'), 'x'.repeat(1e5)])
      expect(parseApiKey(other)).toBeNull()
  })

  test.each([
    [['192.0.2.0/24'], '192.0.2.255', true],
    [['192.0.2.0/24'], '192.0.3.0', false],
    [['192.0.2.7'], '192.0.2.7', true],
    [['2001:db8::/32'], '2001:db8:1::1', true],
    [['2001:db8::/32', '198.51.100.0/31'], '198.51.100.2', false],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['192.0.2.0/24'], null, false],
    [[], null, true],
  ])('A6 networks %j hold %s: %s', (networks, address, holds) => {
    expect(networksOf(networks)(address)).toBe(holds)
  })

  test('A6 what is no network is told from one', () => {
    for (const text of ['', '1.2.3', '1.2.3.4/33', '::/129', '1.2.3.4/', 'a.b', '1.2.3.4/-1', '::1%eth0'])
      expect([text, isNetwork(text)]).toEqual([text, false])
    for (const text of ['1.2.3.4', '1.2.3.4/0', '::/0', '2001:DB8::1'])
      expect([text, isNetwork(text)]).toEqual([text, true])
  })
})

describe('a key', () => {
  test('A6 asks as its owner with the rights that it was given, and is shown once', async () => {
    const key = await makeKey(admin)
    expect(key.secret).toMatch(/^tg_test_/)
    const client = withKey(key.secret)
    expect(await access(client)).toBe(admin.userId)
    expect(await client.query('{ employees { totalCount } departments { totalCount } }')).toMatchObject({
      data: { employees: { totalCount: 0 }, departments: null },
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    })
    const { rows } = await graph.owner.query<{ row: string; audit: string }>(
      `SELECT (SELECT row_to_json(k)::text FROM identity.api_keys k WHERE id = $1) AS row,
              (SELECT string_agg(changes::text, ' ') FROM shared.audit_logs WHERE resource_id = $1::text) AS audit`,
      [key.apiKey.id],
    )
    const [, , , secret] = key.secret.split('_')
    for (const text of [rows[0]!.row, rows[0]!.audit]) expect(text).not.toContain(secret)
    expect(rows[0]!.audit).toContain('[masked ')
  })

  test('A6 has never more than maker and owner hold, when it is made', async () => {
    const before = await keysInTable()
    const maker = await userWith(graph, acme, ['identity:key:write', 'hr:employee:read'])
    const refused = (input: object) =>
      userErrors(maker, 'createApiKey', {
        name: 'x',
        scopes: ['hr:employee:read'],
        expiresAt: inDays(1),
        ...input,
      })
    expect(await refused({ scopes: ['hr:employee:read', 'hr:salary:read'] })).toEqual([
      { code: 'PERMISSION_NOT_HELD', field: ['scopes'], message: 'You lack hr:salary:read' },
    ])
    expect(await refused({ scopes: ['identity:key:write'] })).toEqual([
      { code: 'INVALID', field: ['scopes'], message: 'No key may have identity:key:write' },
    ])
    expect(await refused({ scopes: ['hr:nothing:read'] })).toMatchObject([{ code: 'REFERENCE_NOT_FOUND' }])
    expect(await refused({ scopes: [] })).toEqual([
      { code: 'INVALID', field: ['scopes'], message: 'scopes must name a permission' },
    ])
    expect(await refused({ ownerId: admin.userId })).toEqual([
      { code: 'NOT_SERVICE', field: ['ownerId'], message: 'People make their own keys' },
    ])
    const poor = await serviceAccount([])
    expect(await refused({ ownerId: poor })).toEqual([
      {
        code: 'PERMISSION_NOT_HELD',
        field: ['scopes'],
        message: 'The owner of the key lacks hr:employee:read',
      },
    ])
    const rich = await serviceAccount(['hr:employee:read', 'hr:salary:read'])
    expect(await refused({ ownerId: rich })).toEqual([
      {
        code: 'PERMISSION_NOT_HELD',
        field: ['ownerId'],
        message:
          'The user has permissions that you lack: ask somebody who holds them, such as an administrator',
      },
    ])
    for (const [input, field] of [
      [{ expiresAt: inDays(-1) }, 'expiresAt'],
      [{ expiresAt: inDays(367) }, 'expiresAt'],
      [{ rateLimit: 0 }, 'rateLimit'],
      [{ allowedNetworks: ['192.0.2.0/24', '192.0.2.0/33'] }, 'allowedNetworks'],
    ] as const)
      expect(await refused(input)).toMatchObject([
        { code: 'INVALID', field: field === 'allowedNetworks' ? [field, '1'] : [field] },
      ])
    const nobody = await acme.as('USER')
    expect(
      (
        await nobody.query(
          `mutation { createApiKey(input: { name: "x", scopes: [], expiresAt: "${inDays(1)}" }) { secret } }`,
        )
      ).errors,
    ).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
    expect(await keysInTable()).toBe(before)
  })

  test('A6 has never more than its owner holds, when it is used: the next request knows', async () => {
    const owner = await serviceAccount(['hr:employee:read', 'hr:department:read'])
    const { secret } = await makeKey(admin, {
      ownerId: owner,
      scopes: ['hr:employee:read', 'hr:department:read'],
    })
    const client = withKey(secret)
    const codes = async () => {
      const { errors = [] } = await client.query('{ employees { totalCount } departments { totalCount } }')
      return errors.map(({ path, extensions }) => `${String(path)} ${extensions.code}`)
    }
    expect(await codes()).toEqual([])
    const permission = 'hr:department:read'
    await change(admin, 'revokePermission', { userId: owner, permission }, 'user { id }')
    expect(await codes()).toEqual(['departments FORBIDDEN'])
    // Rights that the owner gains are none of the key's.
    await change(
      admin,
      'grantPermission',
      { userId: owner, permission: 'finance:transaction:read' },
      'user { id }',
    )
    expect((await client.query('{ transactions { totalCount } }')).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ])
    // Nor those that no key has, if somebody wrote them into its row.
    await graph.owner.query(
      `UPDATE identity.users SET granted_permissions = '{identity:user:write,hr:employee:read}' WHERE id = $1`,
      [owner],
    )
    await graph.owner.query(
      `UPDATE identity.api_keys SET scopes = '{identity:user:write,hr:employee:read}' WHERE owner_id = $1`,
      [owner],
    )
    const { rows } = await graph.owner.query<{ scopes: string[] }>(
      `SELECT (shared.api_key_viewer(k.id, $2)).scopes FROM (SELECT set_config('app.tenant_id', $3, false)) c,
         identity.api_keys k WHERE k.owner_id = $1`,
      [owner, graph.clock.now(), acme.id],
    )
    expect(rows).toEqual([{ scopes: ['hr:employee:read'] }])
  })

  test('A6 ends on the next request when it is revoked, over, or its owner is suspended', async () => {
    const owner = await serviceAccount()
    const keys = [
      await makeKey(admin, { ownerId: owner }),
      await makeKey(admin, { ownerId: owner, expiresAt: inDays(5 / 1440) }),
    ]
    const [first, second] = keys.map(({ secret }) => withKey(secret)) as [TestClient, TestClient]
    expect([await access(first), await access(second)]).toEqual([owner, owner])
    await change(admin, 'revokeApiKey', { id: keys[0]!.apiKey.id }, 'apiKey { isActive revokedBy { id } }')
    expect([await access(first), await access(second)]).toEqual([notValid, owner])
    const { user } = await admin.data<{ user: { version: number } }>(
      'query ($id: ID!) { user(id: $id) { version } }',
      {
        id: owner,
      },
    )
    await change(admin, 'suspendUser', { id: owner, expectedVersion: user.version }, 'user { id }')
    expect(await access(second)).toEqual(notValid)
    await change(admin, 'reactivateUser', { id: owner, expectedVersion: user.version + 1 }, 'user { status }')
    expect(await access(second)).toBe(owner)
    graph.clock.advance({ minutes: 5 })
    expect(await access(second)).toEqual(notValid)
  })

  test('A6 in a suspended tenant is refused like none', async () => {
    const other = await graph.tenant('suspended')
    const { secret } = await makeKey(await other.as('ADMIN'))
    await graph.owner.query(`UPDATE tenancy.tenants SET status = 'SUSPENDED' WHERE id = $1`, [other.id])
    expect(await access(withKey(secret))).toEqual(notValid)
  })

  test('A6 is told nothing by a wrong secret, tenant or id, and trying many is refused without a statement', async () => {
    const { secret } = await makeKey(admin)
    const parts = parseApiKey(secret)!
    const globex = await graph.tenant('globex')
    const wrong = [
      { ...parts, secret: Buffer.alloc(32, 7) },
      { ...parts, tenantId: globex.id },
      { ...parts, keyId: globex.id },
    ].map((one) => formatApiKey('test', one))
    for (const text of [...wrong, `${secret}x`, '', 'x'])
      expect(await access(withKey(text))).toEqual(notValid)
    expect(await access(withKey(secret))).toBe(admin.userId)
    const answers = await Promise.all(Array.from({ length: 60 }, () => access(withKey(wrong[2]!))))
    expect(
      answers.filter((answer) => JSON.stringify(answer) === JSON.stringify(notValid)).length,
    ).toBeGreaterThan(50)
    const statements = await graph.statementsDuring(async () => {
      // The id of a key in use, which many may see, opens nothing by itself.
      for (const text of [wrong[2]!, wrong[0]!])
        expect(await access(withKey(text))).toEqual([
          429,
          'RATE_LIMITED',
          // The minute began with the first of them, seconds ago.
          expect.stringMatching(/^Too many requests\. Try again in (60|[1-5]?\d) seconds?\.$/),
        ])
    })
    expect(statements).toEqual([])
    // Whoever tries keys spends nothing of those in use.
    expect(await access(withKey(secret))).toBe(admin.userId)
    graph.clock.advance({ minutes: 1 })
    expect(await access(withKey(secret))).toBe(admin.userId)
  })

  test('A6 beside a session is refused: which is meant is not guessed', async () => {
    const { secret } = await makeKey(admin)
    const both = testClient(graph.server.url, '', { ...admin.headers, 'x-api-key': secret })
    expect(await access(both)).toEqual([
      401,
      'UNAUTHENTICATED',
      'Send either authorization or x-api-key, not both',
    ])
  })

  test('A6 is held to its networks and its rate', async () => {
    const inside = await makeKey(admin, { allowedNetworks: ['127.0.0.0/8'] })
    const outside = await makeKey(admin, { allowedNetworks: ['192.0.2.0/24', '2001:db8::/32'] })
    expect(await access(withKey(inside.secret))).toBe(admin.userId)
    expect(await access(withKey(outside.secret))).toEqual([
      401,
      'UNAUTHENTICATED',
      'The API key may not be used from this network: see its allowedNetworks',
    ])
    const slow = withKey((await makeKey(admin, { rateLimit: 5 })).secret)
    const answers = await Promise.all(Array.from({ length: 12 }, () => access(slow)))
    expect(answers.filter((answer) => answer === admin.userId)).toHaveLength(5)
    expect(answers.filter((answer) => Array.isArray(answer) && answer[0] === 429)).toHaveLength(7)
    graph.clock.advance({ minutes: 1 })
    expect(await access(slow)).toBe(admin.userId)
  })

  test('A6 costs one statement a minute to look up, and its uses are noted once a minute', async () => {
    const { secret, apiKey } = await makeKey(admin)
    const client = withKey(secret)
    const ask = () => client.data('{ __typename }')
    const functions = async (work: () => Promise<unknown>) =>
      (await graph.statementsDuring(work))
        .map(({ text }) => /shared\.(?!seconds_ahead)(\w+)/.exec(text)?.[1])
        .sort()
    expect(await functions(ask)).toEqual(['api_key_viewer', 'note_api_key_use'])
    expect(await functions(async () => Promise.all(Array.from({ length: 30 }, ask)))).toEqual([])
    graph.clock.advance({ minutes: 1 })
    expect(await functions(ask)).toContain('note_api_key_use')
    const usage = 'query ($id: ID!) { apiKey(id: $id) { lastUsedAt usageStats version } }'
    let noted: { lastUsedAt: string; usageStats: unknown; version: number } | undefined
    for (let tries = 0; tries < 50 && JSON.stringify(noted?.usageStats) !== '{"requests":32}'; tries++)
      noted = (await admin.data<{ apiKey: typeof noted }>(usage, { id: apiKey.id })).apiKey
    expect(noted).toMatchObject({ usageStats: { requests: 32 }, version: 1 })
  })

  test('A6 is rotated without a gap: both secrets count for the overlap, then the new one alone', async () => {
    const { secret, apiKey } = await makeKey(admin)
    const old = withKey(secret)
    expect(await access(old)).toBe(admin.userId)
    const rotate = async (input: object) =>
      (
        await admin.data<{ rotateApiKey: Made }>(
          `mutation ($input: RotateApiKeyInput!) {
          rotateApiKey(input: $input) { secret apiKey { id version } userErrors { message } }
        }`,
          { input: { id: apiKey.id, ...input } },
        )
      ).rotateApiKey
    const next = await rotate({ expectedVersion: 1, overlapMinutes: 5 })
    expect(next.apiKey).toEqual({ id: apiKey.id, version: 2 })
    expect([await access(old), await access(withKey(next.secret))]).toEqual([admin.userId, admin.userId])
    graph.clock.advance({ minutes: 5 })
    expect([await access(old), await access(withKey(next.secret))]).toEqual([notValid, admin.userId])
    const last = await rotate({ expectedVersion: 2, overlapMinutes: 0 })
    expect([await access(withKey(next.secret)), await access(withKey(last.secret))]).toEqual([
      notValid,
      admin.userId,
    ])
    expect(
      await userErrors(admin, 'rotateApiKey', { id: apiKey.id, expectedVersion: 3, overlapMinutes: 10_081 }),
    ).toEqual([
      {
        code: 'INVALID',
        field: ['overlapMinutes'],
        message: 'The former secret counts for 0 to 10080 minutes',
      },
    ])
    // Of 20 at once one gives a secret, and that one counts.
    const many = await Promise.all(
      Array.from({ length: 20 }, () => rotate({ expectedVersion: 3, overlapMinutes: 0 })),
    )
    const given = many.filter((one) => one.secret !== null)
    expect(given).toHaveLength(1)
    expect(await access(withKey(given[0]!.secret))).toBe(admin.userId)
  })

  test('A6 of another person is not rotated, and is revoked only by who holds what the person may do', async () => {
    const person = await userWith(graph, acme, ['identity:key:write', 'hr:employee:read', 'hr:salary:read'])
    const { secret, apiKey } = await makeKey(person)
    const change1 = { id: apiKey.id, expectedVersion: 1 }
    expect(await userErrors(admin, 'rotateApiKey', change1)).toEqual([
      { code: 'NOT_SERVICE', field: ['id'], message: 'People make their own keys' },
    ])
    const watcher = await userWith(graph, acme, ['identity:key:read', 'identity:key:write'])
    expect(await userErrors(watcher, 'revokeApiKey', { id: apiKey.id })).toMatchObject([
      { code: 'PERMISSION_NOT_HELD', field: ['id'] },
    ])
    const reader = await userWith(graph, acme, ['identity:key:read'])
    expect(await userErrors(reader, 'revokeApiKey', { id: apiKey.id })).toEqual([
      { code: 'PERMISSION_NOT_HELD', field: ['id'], message: 'You lack identity:key:write' },
    ])
    const nobody = await acme.user('VIEWER')
    expect(await userErrors(nobody, 'revokeApiKey', { id: apiKey.id })).toMatchObject([{ code: 'NOT_FOUND' }])
    expect(
      (
        await nobody.query('query ($id: ID!) { apiKey(id: $id) { id } apiKeys { totalCount } }', {
          id: apiKey.id,
        })
      ).data,
    ).toEqual({
      apiKey: null,
      apiKeys: { totalCount: 0 },
    })
    expect(await access(withKey(secret))).toBe(person.userId)
    await change(person, 'revokeApiKey', { id: apiKey.id }, 'apiKey { isActive }')
    expect(await access(withKey(secret))).toEqual(notValid)
  })

  test('A6 stands in the audit trail with what was done by it', async () => {
    const scopes = ['hr:calendar:write']
    const { secret, apiKey } = await makeKey(admin, { scopes })
    const holiday = { day: '2027-05-01', name: 'Labour Day' }
    const { id } = await change<{ id: string }>(withKey(secret), 'createHoliday', holiday, 'holiday { id }')
    const { rows } = await graph.owner.query(
      `SELECT actor_id, changes ->> 'apiKeyId' AS key FROM shared.audit_logs WHERE resource_id = $1`,
      [id],
    )
    expect(rows).toEqual([{ actor_id: admin.userId, key: apiKey.id }])
  })
})

test('A6 what asks for a person is refused to keys: every mutation of identity but those of nobody', async () => {
  const { rows } = await graph.owner.query<{ name: string }>(
    `SELECT name FROM identity.permissions
      WHERE name NOT IN ('identity:user:write', 'identity:role:write', 'identity:key:write', 'tenancy:usage:write')`,
  )
  const { secret } = await makeKey(admin, { scopes: rows.map(({ name }) => name) })
  const client = withKey(secret)
  const fields = Object.values(graph.server.subgraphs.get('identity')!.schema.getMutationType()!.getFields())
  const open = new Set([
    ...['signIn', 'completeSignIn', 'refreshSession', 'acceptInvitation', 'operatorSignIn'],
    ...['requestPasswordReset', 'resetPassword', 'confirmEmailChange', 'stopLoneAdministratorReset'],
    ...['signInPasskeyBegin', 'signInPasskeyFinish'],
  ])
  // No key holds what verbs of the platform ask for: test/contract/operator-scopes.test.ts.
  const asked = fields.filter(isOfTenants('Mutation')).filter(({ name }) => !open.has(name))
  expect(asked.length).toBeGreaterThan(15)
  const context = {
    requestId: 'in person',
    viewer: {
      ...{
        tenantId: acme.id,
        userId: admin.userId,
        sessionId: null,
        permissionVersion: 1,
        apiKeyId: admin.userId,
      },
      // Past the look-up, which takes them out.
      scopes: new Set([
        ...rows.map(({ name }) => name),
        'identity:user:write',
        'identity:role:write',
        'identity:key:write',
      ]),
    },
    ...{ clientIp: null, userAgent: null, clock: graph.clock, log: graph.server.services.log },
  }
  const messages = new Map<string, unknown>()
  for (const field of asked) {
    const text = inputValue(field.args[0]!.type, 'input', () => `"${admin.userId}"`)
    const document = parse(`mutation { ${field.name}(input: ${text}) { __typename } }`)
    const { errors } = await graph.server.subgraphs.get('identity')!.execute({ document, context })
    messages.set(field.name, errors?.[0]?.message)
  }
  expect(
    [...messages].filter(([, message]) => message !== 'A key may not do this: sign in as a person'),
  ).toEqual([])
  expect((await client.query('mutation { signOut(input: {}) { __typename } }')).errors).toMatchObject([
    { message: 'A key may not do this: sign in as a person', extensions: { code: 'FORBIDDEN' } },
  ])
  expect(await access(client)).toBe(admin.userId)
})

describe('a service account', () => {
  test('A6 cannot sign in, be invited, or be the last administrator, and keeps its address', async () => {
    const id = await serviceAccount([])
    const { user } = await admin.data<{ user: Record<string, unknown> & { version: number; email: string } }>(
      'query ($id: ID!) { user(id: $id) { kind status email fullName version } }',
      { id },
    )
    expect(user).toMatchObject({
      kind: 'SERVICE',
      status: 'ACTIVE',
      email: expect.stringMatching(/^[0-9a-f-]{36}@service\.invalid$/) as string,
    })
    const own = { id, expectedVersion: user.version }
    expect(
      await userErrors(graph.anonymous, 'signIn', { tenant: 'acme', email: user.email, password: 'x' }),
    ).toMatchObject([{ code: 'INVALID_CREDENTIALS' }])
    expect(await userErrors(admin, 'renewInvitation', own)).toMatchObject([{ code: 'NOT_INVITED' }])
    expect(await userErrors(admin, 'requirePasswordChange', own)).toMatchObject([{ code: 'NO_PASSWORD' }])
    expect(await userErrors(admin, 'updateUser', { ...own, email: 'person@acme.example' })).toMatchObject([
      { code: 'INVALID', field: ['email'] },
    ])
    expect(await userErrors(admin, 'inviteUser', { email: 'somebody@service.invalid' })).toMatchObject([
      { code: 'INVALID', field: ['email'] },
    ])
    for (const secret of [
      "password_hash = 'x'",
      "invitation_hash = repeat('a', 64), invitation_expires_at = now()",
    ])
      await expect(
        graph.owner.query(`UPDATE identity.users SET ${secret} WHERE id = $1`, [id]),
      ).rejects.toThrow(/check/)
    const lone = await graph.tenant('lone')
    const last = await lone.as('ADMIN')
    const { roles } = await last.data<{ roles: { nodes: { id: string; name: string }[] } }>(
      '{ roles { nodes { id name } } }',
    )
    const roleIds = roles.nodes.filter(({ name }) => name === 'ADMIN').map((role) => role.id)
    await change(last, 'createServiceAccount', { fullName: 'Root', roleIds }, 'user { id }')
    expect(await userErrors(last, 'suspendUser', { id: last.userId, expectedVersion: 1 })).toMatchObject([
      { code: 'LAST_ADMINISTRATOR' },
    ])
  })

  test('A6 is no employee’s login', async () => {
    const userId = await serviceAccount()
    const hired = { employeeNumber: 'E-1', hireDate: '2025-01-01', userId }
    expect(await userErrors(admin, 'hireEmployee', hired)).toMatchObject([{ field: ['userId'] }])
    expect((await admin.data<{ employees: object }>('{ employees { totalCount } }')).employees).toEqual({
      totalCount: 0,
    })
  })
})

test('A6 a key means the same to subgraphs over HTTP, and ends there at once too', async () => {
  const database = await freshDatabase()
  const whole = await startGraph({ database, demo: true })
  await whole.close()
  const { graph: spread, close } = await startSpread(database, whole.server.services)
  try {
    const owner = await spread.demo('acme', 'admin')
    const { secret, apiKey } = await makeKey(owner, { scopes: ['hr:employee:read', 'hr:calendar:write'] })
    const client = withKey(secret, spread.server.url)
    expect(await access(client)).toBe(owner.userId)
    const asked = `{ employees { totalCount } departments { totalCount } viewer { apiKeys(first: 1) { nodes { id } } } }`
    expect(await client.query(asked)).toMatchObject({
      data: {
        employees: { totalCount: expect.any(Number) as number },
        departments: null,
        viewer: { apiKeys: { nodes: [{ id: apiKey.id }] } },
      },
      errors: [{ path: ['departments'], extensions: { code: 'FORBIDDEN' } }],
    })
    expect((await client.query('mutation { signOut(input: {}) { __typename } }')).errors).toMatchObject([
      { message: 'A key may not do this: sign in as a person' },
    ])
    const holiday = { day: '2028-05-01', name: 'May Day' }
    const { id } = await change<{ id: string }>(client, 'createHoliday', holiday, 'holiday { id }')
    const { rows } = await spread.owner.query(
      `SELECT changes ->> 'apiKeyId' AS key FROM shared.audit_logs WHERE resource_id = $1`,
      [id],
    )
    expect(rows).toEqual([{ key: apiKey.id }])
    await change(owner, 'revokeApiKey', { id: apiKey.id }, 'apiKey { id }')
    expect(await access(client)).toEqual(notValid)
    const session = await owner.data<{
      viewer: { sessions: { nodes: { id: string; isCurrent: boolean }[] } }
    }>('{ viewer { sessions(first: 5) { nodes { id isCurrent } } } }')
    const current = session.viewer.sessions.nodes.find(({ isCurrent }) => isCurrent)!
    await change(owner, 'revokeSession', { id: current.id }, 'session { id }')
    expect(await access(owner)).toEqual([401, 'UNAUTHENTICATED', 'The session has ended: sign in again'])
  } finally {
    await close()
    await database.drop()
  }
})
