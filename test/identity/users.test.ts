import { cheapBcrypt } from '../support/bcrypt'
import { untilWaiting } from '../support/locks'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'

interface Result {
  user: Record<string, unknown> | null
  userErrors: { code: string; field: string[] | null }[]
}

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

async function mutate(
  client: TestClient,
  verb: string,
  input: object,
  selection = 'user { id }',
): Promise<Result> {
  const type = `${verb[0]!.toUpperCase()}${verb.slice(1)}Input`
  const answer = await client.data<Record<string, Result>>(
    `mutation ($input: ${type}!) { ${verb}(input: $input) { ${selection} userErrors { code field } } }`,
    { input },
  )
  return answer[verb]!
}

const failure = (code: string, field: string | null) => ({
  user: null,
  userErrors: [{ code, field: field === null ? null : [field] }],
})

async function roleId(name: string, tenant = acme): Promise<string> {
  const { rows } = await graph.owner.query<{ id: string }>(
    'SELECT id FROM identity.roles WHERE tenant_id = $1 AND name = $2',
    [tenant.id, name],
  )
  return rows[0]!.id
}

let count = 0
const newUser = (values: object = {}) => ({
  email: `New${++count}@acme.example`,
  initialPassword: 'a first password',
  ...values,
})

async function create(values: object = {}): Promise<string> {
  const { user, userErrors } = await mutate(admin, 'createUser', newUser(values))
  expect(userErrors).toEqual([])
  return user!['id'] as string
}

/** What the catalogue gives a system role, in the order of the graph. */
async function scopesOf(role: string): Promise<string[]> {
  const { rows } = await graph.owner.query<{ name: string }>(
    'SELECT name FROM identity.permissions WHERE $1 = ANY (system_roles) ORDER BY name',
    [role],
  )
  return rows.map(({ name }) => name)
}

describe('who sees what of a user', () => {
  const fields = 'fullName email phone externalId preferences mfaEnabled permissions roles { name }'
  const restricted = ['phone', 'externalId', 'preferences', 'mfaEnabled', 'permissions', 'roles']

  test('everybody sees all of themselves', async () => {
    const viewer = await acme.as('USER')
    const text = `{ viewer { id ${fields} } }`
    const { data, errors } = await viewer.query<{ viewer: Record<string, unknown> }>(text)
    expect(errors).toBeUndefined()
    expect(data?.viewer).toEqual({
      id: viewer.userId,
      fullName: expect.stringMatching(/^USER Role \d+$/),
      email: expect.stringMatching(/^user\d+@acme\.example$/),
      phone: null,
      externalId: null,
      preferences: {},
      mfaEnabled: false,
      permissions: await scopesOf('USER'),
      roles: [{ name: 'USER' }],
    })
  })

  test('of a colleague only name and address, without identity:user:read', async () => {
    const colleague = await acme.user('USER')
    await graph.owner.query("UPDATE identity.users SET phone = '+1', created_by_id = $2 WHERE id = $1", [
      colleague.userId,
      admin.userId,
    ])
    const text = `{ viewer { createdBy { ${fields} } } }`
    const { data, errors } = await colleague.query<{ viewer: { createdBy: Record<string, unknown> } }>(text)
    expect(data?.viewer.createdBy['email']).toMatch(/@acme\.example$/)
    for (const field of restricted) expect(data?.viewer.createdBy[field]).toBeNull()
    expect(errors?.map((error) => [error.extensions.code, error.path?.join('.')]).sort()).toEqual(
      restricted.map((field) => ['FORBIDDEN', `viewer.createdBy.${field}`]).sort(),
    )
    const reader = await acme.as('VIEWER')
    const seen = await reader.data<{ user: { phone: string } }>(
      'query ($id: ID!) { user(id: $id) { phone } }',
      {
        id: colleague.userId,
      },
    )
    expect(seen.user.phone).toBe('+1')
  })

  test.each([
    ['user(id: "019b76da-a800-7000-8000-0000000000a1") { id }', 'USER'],
    ['users { nodes { id } }', 'USER'],
    ['roles { nodes { id } }', 'USER'],
    ['permissions { nodes { id } }', 'VIEWER'],
  ] as const)('%s needs a scope that %s lacks', async (field, role) => {
    const text = `{ ${field} }`
    const client = await acme.as(role)
    expect((await client.query(text)).errors?.[0]?.extensions.code).toBe('FORBIDDEN')
    expect((await graph.anonymous.query(text)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
  })

  test("another tenant's user does not exist", async () => {
    const stranger = await (await graph.tenant('globex')).as('USER')
    expect(await admin.data('query ($id: ID!) { user(id: $id) { id } }', { id: stranger.userId })).toEqual({
      user: null,
    })
    const { users } = await admin.data<{ users: { nodes: { email: string }[] } }>(
      '{ users(first: 100) { nodes { email } } }',
    )
    expect(users.nodes.filter(({ email }) => email.endsWith('@globex.example'))).toEqual([])
  })
})

describe('lists', () => {
  test('users are found by status and by part of name or address, and ordered', async () => {
    const initech = await graph.tenant('initech')
    const boss = await initech.as('ADMIN')
    const people = [
      ['Zed', 'Alpha'],
      ['Ann', 'Omega'],
      ['Bob', '100%'],
    ]
    for (const [firstName, lastName] of people)
      await mutate(
        boss,
        'createUser',
        newUser({ email: `${firstName}@initech.example`, firstName, lastName }),
      )
    const find = async (args: string) =>
      (
        await boss.data<{ users: { nodes: { fullName: string }[]; totalCount: number } }>(
          `{ users(${args}) { totalCount nodes { fullName } } }`,
        )
      ).users.nodes.map(({ fullName }) => fullName)
    expect(await find('orderBy: { field: FULL_NAME }')).toEqual([
      'ADMIN Role 1',
      'Ann Omega',
      'Bob 100%',
      'Zed Alpha',
    ])
    expect(await find('orderBy: { field: EMAIL, direction: DESC }')).toEqual([
      'Zed Alpha',
      'ADMIN Role 1',
      'Bob 100%',
      'Ann Omega',
    ])
    expect(await find('filter: { search: "OMEGA" }')).toEqual(['Ann Omega'])
    expect(await find('filter: { search: "zed@" }')).toEqual(['Zed Alpha'])
    expect(await find('filter: { search: "0%" }')).toEqual(['Bob 100%'])
    expect(await find('filter: { status: { eq: SUSPENDED } }')).toEqual([])
    expect((await find('orderBy: { field: LAST_LOGIN_AT, direction: ASC }'))[0]).toBe('ADMIN Role 1')
    expect((await find('orderBy: { field: CREATED_AT }'))[0]).toBe('ADMIN Role 1')
  })

  test('roles and permissions', async () => {
    const { roles, permissions } = await admin.data<{
      roles: { nodes: { name: string; isSystemRole: boolean; permissions: string[] }[] }
      permissions: { totalCount: number; nodes: { name: string; description: string }[] }
    }>(`{ roles { nodes { name isSystemRole permissions } }
          permissions(first: 100) { totalCount nodes { name description } } }`)
    expect(roles.nodes.map(({ name }) => name)).toEqual([
      'ADMIN',
      'ANALYST',
      'COMPLIANCE_OFFICER',
      'HR_MANAGER',
      'USER',
      'VIEWER',
    ])
    expect(roles.nodes.map(({ isSystemRole }) => isSystemRole)).toEqual(Array(6).fill(true))
    const names = permissions.nodes.map(({ name }) => name)
    expect(names).toContain('tenancy:usage:write')
    expect(roles.nodes[0]!.permissions).toEqual(names.filter((name) => name !== 'tenancy:usage:write'))
    expect(permissions.totalCount).toBe(permissions.nodes.length)
    expect(permissions.nodes).toContainEqual({ name: 'hr:salary:read', description: 'Read salaries' })
  })

  test('the roles and permissions of many users are two statements', async () => {
    const statements = await graph.statementsDuring(() =>
      admin.data('{ users { nodes { permissions roles { name description } } } }'),
    )
    expect(statements.filter(({ role }) => role === 'identity')).toHaveLength(3)
  })
})

describe('creating and changing', () => {
  test('a new user has the roles given and must change the password', async () => {
    const input = newUser({
      firstName: 'Grace',
      lastName: 'Hopper',
      phone: '+1 555',
      preferences: { theme: 'dark' },
      roleIds: [await roleId('HR_MANAGER')],
    })
    const selection = `user { email fullName phone preferences status roles { name } createdBy { id } version }`
    expect(await mutate(admin, 'createUser', input, selection)).toEqual({
      user: {
        email: input.email.toLowerCase(),
        fullName: 'Grace Hopper',
        phone: '+1 555',
        preferences: { theme: 'dark' },
        status: 'ACTIVE',
        roles: [{ name: 'HR_MANAGER' }],
        createdBy: { id: admin.userId },
        version: 1,
      },
      userErrors: [],
    })
    const { signIn } = await graph.anonymous.data<{ signIn: { passwordChangeRequired: boolean } }>(
      'mutation ($input: SignInInput!) { signIn(input: $input) { passwordChangeRequired } }',
      { input: { tenant: 'acme', email: input.email, password: input.initialPassword } },
    )
    expect(signIn.passwordChangeRequired).toBe(true)
  })

  test('the full name follows the names until somebody writes another', async () => {
    const id = await create({ firstName: 'Ada', lastName: 'Byron' })
    const change = (expectedVersion: number, changes: object) =>
      mutate(admin, 'updateUser', { id, expectedVersion, ...changes }, 'user { fullName updatedBy { id } }')
    const named = (fullName: string | null) => ({
      user: { fullName, updatedBy: { id: admin.userId } },
      userErrors: [],
    })
    expect(await change(1, { lastName: 'Lovelace' })).toEqual(named('Ada Lovelace'))
    expect(await change(2, { fullName: 'Countess of Lovelace' })).toEqual(named('Countess of Lovelace'))
    expect(await change(3, { firstName: 'Augusta' })).toEqual(named('Countess of Lovelace'))
    expect(await change(4, { fullName: null, lastName: null })).toEqual(named('Augusta'))
    expect(await change(5, { firstName: null })).toEqual(named(null))
  })

  test('what cannot be is told by field, and changes nothing', async () => {
    const id = await create({ username: 'usher', externalId: 'X1' })
    const before = await graph.owner.query('SELECT to_jsonb(u) FROM identity.users u WHERE id = $1', [id])
    const total = () => graph.owner.query('SELECT count(*) FROM identity.users')
    const { rows: countBefore } = await total()
    const created = (values: object) => mutate(admin, 'createUser', newUser(values))
    expect(await created({ email: `NEW${count}@acme.EXAMPLE` })).toEqual(failure('DUPLICATE', 'email'))
    expect(await created({ username: 'usher' })).toEqual(failure('DUPLICATE', 'username'))
    expect(await created({ externalId: 'X1' })).toEqual(failure('DUPLICATE', 'externalId'))
    expect(await created({ initialPassword: 'short' })).toEqual(failure('INVALID', 'initialPassword'))
    expect(await created({ firstName: 'x'.repeat(101) })).toEqual(failure('INVALID', 'firstName'))
    expect(await created({ fullName: 'x'.repeat(201) })).toEqual(failure('INVALID', 'fullName'))
    expect(await created({ avatarUrl: 'javascript:alert(1)' })).toEqual(failure('INVALID', 'avatarUrl'))
    expect(await created({ preferences: [1] })).toEqual(failure('INVALID', 'preferences'))
    expect(await created({ roleIds: [admin.userId] })).toEqual(failure('REFERENCE_NOT_FOUND', 'roleIds'))
    expect(await created({ roleIds: ['x'] })).toEqual(failure('REFERENCE_NOT_FOUND', 'roleIds'))
    const globexRole = await roleId('USER', await graph.tenant('globex'))
    expect(await created({ roleIds: [globexRole] })).toEqual(failure('REFERENCE_NOT_FOUND', 'roleIds'))

    const changed = (input: object) => mutate(admin, 'updateUser', { id, expectedVersion: 1, ...input })
    expect(await changed({ expectedVersion: 7, phone: '1' })).toEqual(
      failure('STALE_VERSION', 'expectedVersion'),
    )
    expect(await changed({ id: await roleId('ADMIN'), phone: '1' })).toEqual(failure('NOT_FOUND', 'id'))
    expect(await changed({ id: 'x', phone: '1' })).toEqual(failure('NOT_FOUND', 'id'))
    expect(await changed({ email: null })).toEqual(failure('INVALID', 'email'))
    expect((await total()).rows).toEqual(countBefore)
    expect(
      (await graph.owner.query('SELECT to_jsonb(u) FROM identity.users u WHERE id = $1', [id])).rows,
    ).toEqual(before.rows)
  })

  test.each([
    ['createUser', newUser()],
    ['updateUser', { id: '019b76da-a800-7000-8000-0000000000a1', expectedVersion: 1 }],
    ['suspendUser', { id: '019b76da-a800-7000-8000-0000000000a1', expectedVersion: 1 }],
    ['reactivateUser', { id: '019b76da-a800-7000-8000-0000000000a1', expectedVersion: 1 }],
    [
      'assignRole',
      { userId: '019b76da-a800-7000-8000-0000000000a1', roleId: '019b76da-a800-7000-8000-0000000000a1' },
    ],
    [
      'revokeRole',
      { userId: '019b76da-a800-7000-8000-0000000000a1', roleId: '019b76da-a800-7000-8000-0000000000a1' },
    ],
  ])('%s needs a scope', async (verb, input) => {
    const type = `${verb[0]!.toUpperCase()}${verb.slice(1)}Input`
    const query = `mutation ($input: ${type}!) { ${verb}(input: $input) { userErrors { code } } }`
    const reader = await acme.as('VIEWER')
    expect((await reader.query(query, { input })).errors?.[0]?.extensions.code).toBe('FORBIDDEN')
    expect((await graph.anonymous.query(query, { input })).errors?.[0]?.extensions.code).toBe(
      'UNAUTHENTICATED',
    )
  })
})

describe('roles', () => {
  const roles = 'user { roles { name } permissions }'

  test('act on the next request, given and taken', async () => {
    const user = await acme.user()
    const input = { userId: user.userId, roleId: await roleId('VIEWER') }
    const mayList = async () =>
      (await user.query('{ users { totalCount } }')).errors?.[0]?.extensions.code ?? 'OK'
    expect(await mayList()).toBe('FORBIDDEN')
    const assigned = await mutate(
      admin,
      'assignRole',
      input,
      `roleAssignment { grantedBy { id } role { name } } ${roles}`,
    )
    expect(assigned).toMatchObject({
      user: { roles: [{ name: 'VIEWER' }] },
      roleAssignment: { grantedBy: { id: admin.userId }, role: { name: 'VIEWER' } },
      userErrors: [],
    })
    expect(await mayList()).toBe('OK')
    expect(await mutate(admin, 'revokeRole', input, roles)).toEqual({
      user: { roles: [], permissions: [] },
      userErrors: [],
    })
    expect(await mayList()).toBe('FORBIDDEN')
    const { rows } = await graph.owner.query<{ permission_version: number }>(
      'SELECT permission_version FROM identity.users WHERE id = $1',
      [user.userId],
    )
    expect(rows[0]!.permission_version).toBe(3)
  })

  test('direct grants count like those of roles', async () => {
    const user = await acme.user('USER')
    await graph.owner.query(
      "UPDATE identity.users SET granted_permissions = '{identity:user:read}' WHERE id = $1",
      [user.userId],
    )
    const { viewer } = await user.data<{ viewer: { permissions: string[] } }>('{ viewer { permissions } }')
    const ofRole = await scopesOf('USER')
    expect(ofRole).not.toContain('identity:user:read')
    expect(viewer.permissions).toEqual([...ofRole, 'identity:user:read'].sort())
  })

  test('what cannot be given or taken', async () => {
    const user = await acme.user('USER')
    const [own, other] = [await roleId('USER'), await roleId('ANALYST')]
    const assign = (userId: string, role: string) => mutate(admin, 'assignRole', { userId, roleId: role })
    expect(await assign(user.userId, own)).toMatchObject({ user: null, userErrors: [{ code: 'DUPLICATE' }] })
    expect(await assign(user.userId, 'x')).toEqual(failure('REFERENCE_NOT_FOUND', 'roleId'))
    expect(await assign('x', other)).toEqual(failure('REFERENCE_NOT_FOUND', 'userId'))
    expect(await assign(own, other)).toEqual(failure('REFERENCE_NOT_FOUND', 'userId'))
    expect(await mutate(admin, 'revokeRole', { userId: user.userId, roleId: other })).toEqual(
      failure('NOT_FOUND', 'roleId'),
    )
    const stranger = await (await graph.tenant('globex')).as('USER')
    expect(await assign(stranger.userId, other)).toEqual(failure('REFERENCE_NOT_FOUND', 'userId'))
  })
})

describe('nobody goes beyond their own permissions', () => {
  /** May change users and roles, but nothing else. */
  async function clerk(): Promise<TestClient> {
    const user = await acme.user('USER')
    await graph.owner.query(
      "UPDATE identity.users SET granted_permissions = '{identity:user:write,identity:role:write}' WHERE id = $1",
      [user.userId],
    )
    return user
  }

  test('in giving and taking roles, creating, changing, suspending and reactivating', async () => {
    const client = await clerk()
    const [adminRole, userRole, analyst] = [
      await roleId('ADMIN'),
      await roleId('USER'),
      await roleId('ANALYST'),
    ]
    const self = client.userId
    const powerful = await acme.user('ANALYST')
    const assignments = () =>
      graph.owner.query('SELECT user_id, role_id FROM identity.role_assignments ORDER BY user_id, role_id')
    const before = (await assignments()).rows
    const users = () => graph.owner.query('SELECT id, status, version FROM identity.users ORDER BY id')
    const usersBefore = (await users()).rows
    const lacking = (field: string) => failure('PERMISSION_NOT_HELD', field)
    expect(await mutate(client, 'assignRole', { userId: self, roleId: adminRole })).toEqual(lacking('roleId'))
    expect(await mutate(client, 'createUser', newUser({ roleIds: [analyst] }))).toEqual(lacking('roleIds'))
    expect(await mutate(client, 'assignRole', { userId: powerful.userId, roleId: userRole })).toEqual(
      lacking('userId'),
    )
    expect(await mutate(client, 'revokeRole', { userId: powerful.userId, roleId: analyst })).toEqual(
      lacking('userId'),
    )
    const target = { id: powerful.userId, expectedVersion: 1 }
    expect(await mutate(client, 'updateUser', { ...target, email: 'mine@acme.example' })).toEqual(
      lacking('id'),
    )
    expect(await mutate(client, 'suspendUser', target)).toEqual(lacking('id'))
    expect(await mutate(client, 'reactivateUser', target)).toEqual(lacking('id'))
    expect((await assignments()).rows).toEqual(before)
    expect((await users()).rows).toEqual(usersBefore)
  })

  test('within them they may', async () => {
    const client = await clerk()
    const { user, userErrors } = await mutate(
      client,
      'createUser',
      newUser({ roleIds: [await roleId('USER')] }),
    )
    expect(userErrors).toEqual([])
    const target = { id: user!['id'], expectedVersion: 1 }
    expect((await mutate(client, 'suspendUser', target)).userErrors).toEqual([])
  })
})

describe('the last administrator', () => {
  test('stays administrator and active', async () => {
    const globex = await graph.tenant('globex')
    const boss = await globex.as('ADMIN')
    const adminRole = await roleId('ADMIN', globex)
    const last = (field: string) => failure('LAST_ADMINISTRATOR', field)
    const assignment = { userId: boss.userId, roleId: adminRole }
    expect(await mutate(boss, 'revokeRole', assignment)).toEqual(last('userId'))
    expect(await mutate(boss, 'suspendUser', { id: boss.userId, expectedVersion: 1 })).toEqual(last('id'))
    const second = await globex.user('ADMIN')
    expect((await mutate(boss, 'suspendUser', { id: second.userId, expectedVersion: 1 })).userErrors).toEqual(
      [],
    )
    // A suspended administrator cannot take over.
    expect(await mutate(boss, 'revokeRole', assignment)).toEqual(last('userId'))
    expect(
      (await mutate(boss, 'reactivateUser', { id: second.userId, expectedVersion: 2 })).userErrors,
    ).toEqual([])
    expect((await mutate(boss, 'revokeRole', assignment)).userErrors).toEqual([])
  })

  test.each(['suspendUser', 'revokeRole'] as const)(
    'stays when the last two %s each other at once',
    async (verb) => {
      const tenant = await graph.tenant(verb === 'suspendUser' ? 'hooli' : 'massive')
      const adminRole = await roleId('ADMIN', tenant)
      const [one, two] = [await tenant.user('ADMIN'), await tenant.user('ADMIN')]
      const against = (client: TestClient, { userId }: TestClient) =>
        mutate(
          client,
          verb,
          verb === 'suspendUser' ? { id: userId, expectedVersion: 1 } : { userId, roleId: adminRole },
        )
      // Both must get as far as waiting for the role before either goes on.
      await graph.owner.query('BEGIN')
      await graph.owner.query('SELECT FROM identity.roles WHERE id = $1 FOR UPDATE', [adminRole])
      const both = Promise.all([against(one, two), against(two, one)])
      try {
        await untilWaiting(graph.owner, 2)
      } finally {
        await graph.owner.query('COMMIT')
      }
      const codes = (await both).map(({ userErrors }) => userErrors.map(({ code }) => code).join())
      expect(codes.sort()).toEqual(['', 'LAST_ADMINISTRATOR'])
    },
  )
})
