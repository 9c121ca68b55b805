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
import { untilWaiting } from '../support/locks'

/** Invitations, roles of a tenant's own and direct grants. */
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

const rows = async (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await graph.owner.query<Record<string, unknown>>(text, values)).rows

/** Everything that a denied change must leave as it is. */
const authority = () =>
  rows(
    `SELECT jsonb_agg(to_jsonb(t) - 'updated_at' ORDER BY t.id) AS all FROM (
       SELECT id, to_jsonb(r) AS row, NULL AS updated_at FROM identity.roles r
       UNION ALL SELECT id, to_jsonb(a), NULL FROM identity.role_assignments a
       UNION ALL SELECT id, to_jsonb(u) - 'last_login_at' - 'updated_at', NULL FROM identity.users u
       UNION ALL SELECT id, to_jsonb(e), NULL FROM shared.outbox_events e) t`,
  )

/** Runs what must be refused, and shows that it changed nothing. */
async function refused<T>(work: () => Promise<T>): Promise<T> {
  const before = await authority()
  const answer = await work()
  expect(await authority()).toEqual(before)
  return answer
}

async function codes(client: TestClient, mutation: string, input: Record<string, unknown>) {
  const found = await refused(() => userErrors(client, mutation, input))
  return found.map(({ code, field }) => `${code} ${field?.join() ?? '-'}`).join()
}

/** A user of acme with these permissions and no role. */
async function clerk(...permissions: string[]): Promise<TestClient> {
  const client = await acme.user()
  await graph.owner.query('UPDATE identity.users SET granted_permissions = $2 WHERE id = $1', [
    client.userId,
    permissions,
  ])
  return client
}

async function roleId(name: string, tenant = acme): Promise<string> {
  const found = await rows('SELECT id FROM identity.roles WHERE tenant_id = $1 AND name = $2', [
    tenant.id,
    name,
  ])
  return String(found[0]!['id'])
}

let count = 0
const email = () => `invited${++count}@acme.example`

interface Invited {
  user: { id: string; email: string; status: string; version: number; invitationExpiresAt: string | null }
  invitationToken: string
}

async function invite(client = admin, input: Record<string, unknown> = {}): Promise<Invited> {
  const text = `mutation ($input: InviteUserInput!) { inviteUser(input: $input) {
    user { id email status version invitationExpiresAt } invitationToken userErrors { code } } }`
  const { inviteUser } = await client.data<{ inviteUser: Invited & { userErrors: object[] } }>(text, {
    input: { email: email(), ...input },
  })
  expect(inviteUser.userErrors).toEqual([])
  return inviteUser
}

async function renew(id: string, expectedVersion: number): Promise<Invited> {
  const text = `mutation ($input: RenewInvitationInput!) { renewInvitation(input: $input) {
    user { id email status version invitationExpiresAt } invitationToken userErrors { code } } }`
  const { renewInvitation } = await admin.data<{ renewInvitation: Invited & { userErrors: object[] } }>(
    text,
    {
      input: { id, expectedVersion },
    },
  )
  expect(renewInvitation.userErrors).toEqual([])
  return renewInvitation
}

interface Accepted {
  accessToken: string | null
  refreshToken: string | null
  expiresAt: string | null
  userErrors: { code: string; field: string[] | null; message: string }[]
}

async function accept(token: string, chosen = password, client = graph.anonymous): Promise<Accepted> {
  const text = `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) {
    accessToken refreshToken expiresAt userErrors { code field message } } }`
  const input = { token, password: chosen }
  return (await client.data<{ acceptInvitation: Accepted }>(text, { input })).acceptInvitation
}

const nothing = { accessToken: null, refreshToken: null, expiresAt: null }
const ended = {
  ...nothing,
  userErrors: [
    {
      code: 'INVITATION_ENDED',
      field: ['token'],
      message: 'The invitation was used, renewed or ended: ask for a new one',
    },
  ],
}

async function signIn(address: string, tenant = 'acme') {
  const text = `mutation ($input: SignInInput!) { signIn(input: $input) { accessToken passwordChangeRequired userErrors { code } } }`
  const { signIn: payload } = await graph.anonymous.data<{
    signIn: {
      accessToken: string | null
      passwordChangeRequired: boolean | null
      userErrors: { code: string }[]
    }
  }>(text, { input: { tenant, email: address, password } })
  return payload
}

const bearer = (token: string | null) =>
  testClient(graph.server.url, '', { authorization: `Bearer ${token}` })

describe('an invitation', () => {
  test('A10 every way to choose a password knows the names that are tried first, and changes nothing', async () => {
    const names = { username: 'marigold', firstName: 'Katherine', lastName: 'Johnson' }
    const { invitationToken } = await invite(admin, { email: 'orbital@nasa.example', ...names })
    const fault = 'A password does not hold your name or address, nor the name of your organization'
    const common = 'This password is one that many people use, perhaps with digits around it'
    const ways = {
      initialPassword: (chosen: string) =>
        userErrors(admin, 'createUser', { email: 'orbital@else.example', ...names, initialPassword: chosen }),
      password: (chosen: string) =>
        userErrors(graph.anonymous, 'acceptInvitation', { token: invitationToken, password: chosen }),
      newPassword: async (chosen: string) => {
        const own = await acme.user('USER')
        await graph.owner.query(
          `UPDATE identity.users SET email = 'orbital@own.example', username = 'marigold2', first_name = 'Katherine', last_name = 'Johnson' WHERE id = $1`,
          [own.userId],
        )
        const input = { currentPassword: password, newPassword: chosen }
        const errors = await userErrors(own, 'changePassword', input)
        await graph.owner.query(
          `UPDATE identity.users SET email = id || '@x.example', username = NULL WHERE id = $1`,
          [own.userId],
        )
        return errors
      },
    }
    for (const [field, choose] of Object.entries(ways)) {
      for (const chosen of [
        'my orbital seat 7',
        'marigold2 in June',
        'ask Katherine 1st',
        'Johnson & his cat',
        'acme for a while',
      ])
        expect([field, chosen, await choose(chosen)]).toEqual([
          field,
          chosen,
          [{ code: 'INVALID', field: [field], message: fault }],
        ])
      expect(await choose('password1234')).toMatchObject([
        { code: 'INVALID', field: [field], message: common },
      ])
    }
    expect(await ways.password('nine lamps by sea')).toEqual([])
    expect(await ways.initialPassword('nine lamps by sea')).toEqual([
      { code: 'DUPLICATE', field: ['username'], message: expect.any(String) as string },
    ])
    expect(await ways.newPassword('nine lamps by sea')).toEqual([])
  })

  test('lets the user choose the password, signs them in, and works once', async () => {
    const before = graph.clock.now().getTime()
    const { user, invitationToken } = await invite(admin, {
      email: 'Grace@Acme.example',
      firstName: 'Grace',
      roleIds: [await roleId('VIEWER')],
    })
    expect(user).toMatchObject({ email: 'grace@acme.example', status: 'INVITED', version: 1 })
    const days = (Date.parse(user.invitationExpiresAt!) - before) / 86_400_000
    expect(Math.round(days * 1000) / 1000).toBeCloseTo(7, 2)
    expect((await signIn(user.email)).userErrors).toEqual([{ code: 'INVALID_CREDENTIALS' }])

    const accepted = await accept(invitationToken)
    expect(accepted.userErrors).toEqual([])
    expect(accepted.refreshToken).toMatch(new RegExp(`^${acme.id}\\.`))
    const { viewer } = await bearer(accepted.accessToken).data<{ viewer: object }>(
      '{ viewer { id status isActive lastLoginAt invitationExpiresAt version roles { name } } }',
    )
    expect(viewer).toEqual({
      id: user.id,
      status: 'ACTIVE',
      isActive: true,
      lastLoginAt: expect.stringMatching(/Z$/) as string,
      invitationExpiresAt: null,
      version: 2,
      roles: [{ name: 'VIEWER' }],
    })
    expect(await signIn(user.email)).toMatchObject({ passwordChangeRequired: false, userErrors: [] })
    expect(await refused(() => accept(invitationToken, 'another password'))).toEqual(ended)
    expect((await signIn(user.email)).userErrors).toEqual([])
  })

  test('is audited and told, without the secret', async () => {
    const { user, invitationToken } = await invite()
    await accept(invitationToken)
    const entries = await rows(
      `SELECT action, actor_id, changes FROM shared.audit_logs
        WHERE tenant_id = $1 AND (resource_id = $2 OR actor_id = $2::uuid) ORDER BY array_position('{CREATE,UPDATE,SIGN_IN}', action)`,
      [acme.id, user.id],
    )
    expect(entries.map(({ action, actor_id }) => [action, actor_id])).toEqual([
      ['CREATE', admin.userId],
      ['UPDATE', user.id],
      ['SIGN_IN', user.id],
    ])
    expect(entries[1]!['changes']).toMatchObject({
      before: {
        status: 'INVITED',
        passwordHash: null,
        invitationHash: expect.stringMatching(/^\[masked [\w-]{12}\]$/),
      },
      after: {
        status: 'ACTIVE',
        passwordHash: expect.stringMatching(/^\[masked [\w-]{12}\]$/),
        invitationHash: null,
      },
    })
    const events = await rows(
      `SELECT event_type AS type, payload FROM shared.outbox_events
        WHERE aggregate_type = 'User' AND aggregate_id = $1 AND event_type LIKE 'identity.%'`,
      [user.id],
    )
    expect(events).toEqual([
      { type: 'identity.user-invited', payload: { expiresAt: user.invitationExpiresAt } },
    ])
    const secret = invitationToken.split('.')[2]!
    const kept = await rows(
      `SELECT count(*)::int AS found FROM (SELECT to_jsonb(u)::text AS t FROM identity.users u
         UNION ALL SELECT changes::text FROM shared.audit_logs UNION ALL SELECT payload::text FROM shared.outbox_events) a
        WHERE position($1 in t) > 0`,
      [secret],
    )
    expect(kept).toEqual([{ found: 0 }])
  })

  test('of twenty who come with one token at once one is let in', async () => {
    const { user, invitationToken } = await invite()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, place) => accept(invitationToken, `${password} ${place}`)),
    )
    expect(answers.filter(({ accessToken }) => accessToken !== null)).toHaveLength(1)
    expect(answers.filter(({ accessToken }) => accessToken === null)).toEqual(Array(19).fill(ended))
    expect(
      await rows('SELECT count(*)::int AS n FROM identity.sessions WHERE user_id = $1', [user.id]),
    ).toEqual([{ n: 1 }])
  })

  test('cannot be guessed, mixed or forged, and a weak password keeps it', async () => {
    const [one, two] = [await invite(), await invite()]
    const [tenant, id, secret] = one.invitationToken.split('.') as [string, string, string]
    const globex = await graph.tenant('globex')
    const tokens = [
      '',
      'x',
      `${tenant}.${id}.${'A'.repeat(43)}`,
      `${tenant}.${two.user.id}.${secret}`,
      `${globex.id}.${id}.${secret}`,
      `${tenant}.${admin.userId}.${secret}`,
    ]
    for (const token of tokens) expect(await refused(() => accept(token))).toEqual(ended)
    expect(await refused(() => accept(one.invitationToken, 'short'))).toEqual({
      ...nothing,
      userErrors: [
        { code: 'INVALID', field: ['password'], message: 'A password has at least 12 characters' },
      ],
    })
    expect((await accept(one.invitationToken)).userErrors).toEqual([])
  })

  test('can be accepted by a browser that is signed in as somebody else', async () => {
    const stranger = await (await graph.tenant('globex')).as('USER')
    const { user, invitationToken } = await invite()
    const accepted = await accept(invitationToken, password, stranger)
    expect(await bearer(accepted.accessToken).data('{ viewer { id } }')).toEqual({ viewer: { id: user.id } })
  })

  test('is over when renewed, suspended or sent to another address', async () => {
    const first = await invite()
    const second = await renew(first.user.id, 1)
    expect(second.user).toMatchObject({ id: first.user.id, status: 'INVITED', version: 2 })
    expect(await refused(() => accept(first.invitationToken))).toEqual(ended)

    await change(
      admin,
      'updateUser',
      { id: first.user.id, expectedVersion: 2, firstName: 'Same' },
      'user { id }',
    )
    const other = { id: first.user.id, expectedVersion: 3, email: email() }
    await change(admin, 'updateUser', other, 'user { id }')
    expect(await refused(() => accept(second.invitationToken))).toEqual(ended)

    const third = await renew(first.user.id, 4)
    const target = (expectedVersion: number) => ({ id: first.user.id, expectedVersion })
    await change(admin, 'suspendUser', target(5), 'user { id }')
    expect(await refused(() => accept(third.invitationToken))).toEqual(ended)
    expect(await codes(admin, 'renewInvitation', target(6))).toBe('NOT_INVITED id')
    const back = await change<{ status: string }>(admin, 'reactivateUser', target(6), 'user { status }')
    expect(back).toEqual({ status: 'INVITED' })
    expect(await refused(() => accept(third.invitationToken))).toEqual(ended)
    const fourth = await renew(first.user.id, 7)
    expect((await accept(fourth.invitationToken)).userErrors).toEqual([])
    expect(await codes(admin, 'renewInvitation', target(9))).toBe('NOT_INVITED id')
  })

  test('is over when its time has come', async () => {
    const { user, invitationToken } = await invite()
    const end = (instant: string) =>
      graph.owner.query(`UPDATE identity.users SET invitation_expires_at = ${instant} WHERE id = $1`, [
        user.id,
      ])
    await end("now() - interval '1 second'")
    expect(await refused(() => accept(invitationToken))).toEqual(ended)
    await end("now() + interval '1 minute'")
    expect((await accept(invitationToken)).userErrors).toEqual([])
  })

  test('is of no use while the tenant is suspended, and good again afterwards', async () => {
    const initech = await graph.tenant('initech')
    const { invitationToken } = await invite(await initech.as('ADMIN'), { email: 'a@initech.example' })
    const become = (status: string) =>
      graph.owner.query('UPDATE tenancy.tenants SET status = $2 WHERE id = $1', [initech.id, status])
    await become('SUSPENDED')
    expect(await refused(() => accept(invitationToken))).toEqual(ended)
    await become('ACTIVE')
    expect((await accept(invitationToken)).userErrors).toEqual([])
  })

  test('counts neither as an administrator nor as somebody to sign in', async () => {
    const hooli = await graph.tenant('hooli')
    const boss = await hooli.as('ADMIN')
    const adminRole = await roleId('ADMIN', hooli)
    await invite(boss, { email: 'second@hooli.example', roleIds: [adminRole] })
    expect(await codes(boss, 'revokeRole', { userId: boss.userId, roleId: adminRole })).toBe(
      'LAST_ADMINISTRATOR userId',
    )
  })

  test('gives nobody more than the inviter holds', async () => {
    const client = await clerk('identity:user:write', 'identity:user:read')
    const powerful = await invite(admin, { roleIds: [await roleId('ANALYST')] })
    expect(await codes(client, 'inviteUser', { email: email(), roleIds: [await roleId('ANALYST')] })).toBe(
      'PERMISSION_NOT_HELD roleIds',
    )
    const target = { id: powerful.user.id, expectedVersion: 1 }
    expect(await codes(client, 'renewInvitation', target)).toBe('PERMISSION_NOT_HELD id')
    expect(await codes(client, 'inviteUser', { email: powerful.user.email })).toBe('DUPLICATE email')
    expect(await codes(client, 'inviteUser', { email: email(), firstName: 'x'.repeat(101) })).toBe(
      'INVALID firstName',
    )
    const within = await invite(client)
    expect(await codes(client, 'renewInvitation', { id: within.user.id, expectedVersion: 9 })).toBe(
      'STALE_VERSION expectedVersion',
    )
    expect(await codes(client, 'renewInvitation', { id: 'x', expectedVersion: 1 })).toBe('NOT_FOUND id')
  })
})

describe('a role of the tenant', () => {
  const permissions = ['identity:user:read', 'hr:employee:read']
  let number = 0
  const make = (input: Record<string, unknown> = {}) =>
    change<{ id: string; permissions: string[]; version: number }>(
      admin,
      'createRole',
      { name: `Role ${++number}`, permissions, ...input },
      'role { id name description permissions isSystemRole version }',
    )

  test('holds what was put in, once and sorted', async () => {
    const made = await make({
      name: 'Reception',
      description: 'Answers the telephone',
      permissions: [...permissions, ...permissions],
    })
    expect(made).toEqual({
      id: expect.any(String) as string,
      name: 'Reception',
      description: 'Answers the telephone',
      permissions: [...permissions].sort(),
      isSystemRole: false,
      version: 1,
    })
    const found = await admin.data('query ($id: ID!) { role(id: $id) { name } }', { id: made.id })
    expect(found).toEqual({ role: { name: 'Reception' } })
    const list = await admin.data(
      '{ search: roles(filter: { search: "TELEPHONE" }) { nodes { name } } own: roles(filter: { isSystemRole: { eq: true } }) { totalCount } }',
    )
    expect(list).toEqual({ search: { nodes: [{ name: 'Reception' }] }, own: { totalCount: 6 } })
  })

  test('changes on the next request for those who have it', async () => {
    const made = await make({ permissions: ['hr:employee:read'] })
    const [one, two] = [await acme.user(), await acme.user()]
    for (const { userId } of [one, two])
      await change(admin, 'assignRole', { userId, roleId: made.id }, 'user { id }')
    // Sessions from after the assignment, which no gateway has been told to read anew.
    const sessions = [
      bearer((await signIn(one.email)).accessToken),
      bearer((await signIn(two.email)).accessToken),
    ]
    const may = () =>
      Promise.all(
        sessions.map(
          async (client) =>
            (await client.query('{ users { totalCount } }')).errors?.[0]?.extensions.code ?? 'OK',
        ),
      )
    const versions = () =>
      rows('SELECT permission_version AS v FROM identity.users WHERE id = ANY ($1) ORDER BY id', [
        [one.userId, two.userId],
      ])
    expect(await may()).toEqual(['FORBIDDEN', 'FORBIDDEN'])
    expect(await versions()).toEqual([{ v: 2 }, { v: 2 }])
    const update = (expectedVersion: number, changes: object) =>
      change(
        admin,
        'updateRole',
        { id: made.id, expectedVersion, ...changes },
        'role { permissions version }',
      )
    expect(await update(1, { permissions })).toEqual({ permissions: [...permissions].sort(), version: 2 })
    expect(await may()).toEqual(['OK', 'OK'])
    expect(await versions()).toEqual([{ v: 3 }, { v: 3 }])
    // What changes no permission leaves sessions and caches alone.
    await update(2, { name: 'Renamed', description: null, permissions })
    expect(await versions()).toEqual([{ v: 3 }, { v: 3 }])
    await update(3, { permissions: [] })
    expect(await may()).toEqual(['FORBIDDEN', 'FORBIDDEN'])
  })

  test('goes only when nobody has it', async () => {
    const made = await make()
    const target = { id: made.id, expectedVersion: 1 }
    const assignment = { userId: (await acme.user()).userId, roleId: made.id }
    await change(admin, 'assignRole', assignment, 'user { id }')
    expect(await refused(() => userErrors(admin, 'deleteRole', target))).toEqual([
      { code: 'IN_USE', field: ['id'], message: 'Users with this role: 1. Take it from them first' },
    ])
    await change(admin, 'revokeRole', assignment, 'user { id }')
    expect(await codes(admin, 'deleteRole', { ...target, expectedVersion: 2 })).toBe(
      'STALE_VERSION expectedVersion',
    )
    const gone = await change(admin, 'deleteRole', target, 'role { id permissions }')
    expect(gone).toEqual({ id: made.id, permissions: [...permissions].sort() })
    expect(await codes(admin, 'deleteRole', target)).toBe('NOT_FOUND id')
    expect(await admin.data('query ($id: ID!) { role(id: $id) { id } }', { id: made.id })).toEqual({
      role: null,
    })
  })

  test.each(['ADMIN', 'USER', 'VIEWER'])('is not %s, which every tenant has', async (name) => {
    const target = { id: await roleId(name), expectedVersion: 1 }
    expect(await codes(admin, 'updateRole', { ...target, description: 'mine' })).toBe('SYSTEM_ROLE id')
    expect(await codes(admin, 'updateRole', { ...target, permissions: [] })).toBe('SYSTEM_ROLE id')
    expect(await codes(admin, 'deleteRole', target)).toBe('SYSTEM_ROLE id')
  })

  test('is refused by field when it cannot be', async () => {
    const made = await make({ name: 'Taken' })
    const input = { name: 'Another', permissions }
    expect(await codes(admin, 'createRole', { ...input, name: 'Taken' })).toBe('DUPLICATE name')
    expect(await codes(admin, 'createRole', { ...input, name: 'ADMIN' })).toBe('DUPLICATE name')
    expect(await codes(admin, 'createRole', { ...input, name: '' })).toBe('INVALID name')
    expect(await codes(admin, 'createRole', { ...input, name: 'x'.repeat(101) })).toBe('INVALID name')
    expect(await codes(admin, 'createRole', { ...input, permissions: ['hr:gold:read'] })).toBe(
      'REFERENCE_NOT_FOUND permissions',
    )
    const target = { id: made.id, expectedVersion: 1 }
    expect(await codes(admin, 'updateRole', { ...target, name: null })).toBe('INVALID name')
    expect(await codes(admin, 'updateRole', { ...target, permissions: null })).toBe('INVALID permissions')
    const globex = await graph.tenant('globex')
    expect(await codes(await globex.as('ADMIN'), 'deleteRole', target)).toBe('NOT_FOUND id')
    expect(await codes(await globex.as('ADMIN'), 'updateRole', { ...target, name: 'x' })).toBe('NOT_FOUND id')
  })

  test('never holds what its maker lacks, before or after', async () => {
    const client = await clerk('identity:role:read', 'identity:role:write', 'hr:employee:read')
    const name = 'By a clerk'
    expect(await codes(client, 'createRole', { name, permissions: ['hr:salary:read'] })).toBe(
      'PERMISSION_NOT_HELD permissions',
    )
    const input = { name, permissions: ['hr:employee:read'] }
    const own = await change<{ id: string }>(client, 'createRole', input, 'role { id }')
    const target = { id: own.id, expectedVersion: 1 }
    expect(await codes(client, 'updateRole', { ...target, permissions: ['hr:salary:read'] })).toBe(
      'PERMISSION_NOT_HELD permissions',
    )
    const more = { ...target, permissions: ['hr:employee:read', 'hr:salary:read'] }
    await change(admin, 'updateRole', more, 'role { id }')
    const later = { id: own.id, expectedVersion: 2 }
    expect(await codes(client, 'updateRole', { ...later, permissions: [] })).toBe('PERMISSION_NOT_HELD id')
    expect(await codes(client, 'updateRole', { ...later, name: 'Mine' })).toBe('PERMISSION_NOT_HELD id')
    expect(await codes(client, 'deleteRole', later)).toBe('PERMISSION_NOT_HELD id')
    expect(await codes(client, 'assignRole', { userId: client.userId, roleId: own.id })).toBe(
      'PERMISSION_NOT_HELD roleId',
    )
  })

  test('cannot grow between the judgement and the giving of it', async () => {
    const client = await clerk('identity:role:write')
    const made = await make({ permissions: [] })
    const user = await acme.user()
    // The change of the role waits for this lock, the assignment for the change.
    await graph.owner.query('BEGIN')
    await graph.owner.query('SELECT FROM identity.roles WHERE id = $1 FOR UPDATE', [made.id])
    const update = { id: made.id, expectedVersion: 1, permissions: ['hr:salary:read'] }
    const grown = change(admin, 'updateRole', update, 'role { id }')
    let given: Promise<{ code: string }[]>
    try {
      await untilWaiting(graph.owner, 1)
      given = userErrors(client, 'assignRole', { userId: user.userId, roleId: made.id })
      await untilWaiting(graph.owner, 2)
    } finally {
      await graph.owner.query('COMMIT')
    }
    await grown
    expect((await given).map(({ code }) => code)).toEqual(['PERMISSION_NOT_HELD'])
  })
})

describe('a permission given directly', () => {
  const state = 'user { grantedPermissions permissions version }'

  test('acts on the next request, given and taken, and is audited in clear', async () => {
    const user = await acme.user()
    const input = { userId: user.userId, permission: 'identity:user:read' }
    const may = async () =>
      (await user.query('{ users { totalCount } }')).errors?.[0]?.extensions.code ?? 'OK'
    expect(await may()).toBe('FORBIDDEN')
    expect(await change(admin, 'grantPermission', input, state)).toEqual({
      grantedPermissions: ['identity:user:read'],
      permissions: ['identity:user:read'],
      version: 2,
    })
    expect(await may()).toBe('OK')
    expect(await change(admin, 'revokePermission', input, state)).toEqual({
      grantedPermissions: [],
      permissions: [],
      version: 3,
    })
    expect(await may()).toBe('FORBIDDEN')
    const entries = await rows(
      `SELECT changes FROM shared.audit_logs WHERE resource_id = $1 AND action = 'UPDATE' ORDER BY id`,
      [user.userId],
    )
    const [none, one] = [{ grantedPermissions: [] }, { grantedPermissions: ['identity:user:read'] }]
    expect(entries).toEqual([
      { changes: { before: none, after: one } },
      { changes: { before: one, after: none } },
    ])
  })

  test('is refused by field when it cannot be', async () => {
    const user = await acme.user()
    const input = { userId: user.userId, permission: 'hr:employee:read' }
    await change(admin, 'grantPermission', input, state)
    expect(await codes(admin, 'grantPermission', input)).toBe('DUPLICATE permission')
    expect(await codes(admin, 'grantPermission', { ...input, permission: 'all' })).toBe(
      'REFERENCE_NOT_FOUND permission',
    )
    expect(await codes(admin, 'revokePermission', { ...input, permission: 'hr:salary:read' })).toBe(
      'NOT_FOUND permission',
    )
    const stranger = await (await graph.tenant('globex')).as('USER')
    for (const userId of ['x', stranger.userId]) {
      expect(await codes(admin, 'grantPermission', { ...input, userId })).toBe('REFERENCE_NOT_FOUND userId')
      expect(await codes(admin, 'revokePermission', { ...input, userId })).toBe('REFERENCE_NOT_FOUND userId')
    }
  })

  test('nobody gives or takes beyond their own', async () => {
    const client = await clerk('identity:role:write', 'hr:employee:read')
    const powerful = await acme.user('ANALYST')
    const input = { userId: client.userId, permission: 'hr:salary:read' }
    expect(await codes(client, 'grantPermission', input)).toBe('PERMISSION_NOT_HELD permission')
    const over = { userId: powerful.userId, permission: 'hr:employee:read' }
    expect(await codes(client, 'grantPermission', over)).toBe('PERMISSION_NOT_HELD userId')
    await change(admin, 'grantPermission', over, state)
    expect(await codes(client, 'revokePermission', over)).toBe('PERMISSION_NOT_HELD userId')
  })
})

/** 5: an error names permissions to those alone who may look them up, and those that the input named. */
describe('5 what others may do', () => {
  const given = ['identity:user:write', 'identity:role:write', 'identity:user:read']
  const general = (whose: string) =>
    `The ${whose} has permissions that you lack: ask somebody who holds them, such as an administrator`

  /** Every mutation that judges what a user or a role may do, with what its error says to this client. */
  async function messages(client: TestClient) {
    const { userId } = await acme.user('ANALYST')
    const [roleOf, name] = [await roleId('ANALYST'), `Paid ${++count}`]
    const { user: invited } = await invite(admin, { roleIds: [roleOf] })
    const input = { name, permissions: ['hr:salary:read'] }
    const { id: own } = await change<{ id: string }>(admin, 'createRole', input, 'role { id }')
    const empty = { name: `Empty ${count}`, permissions: [] }
    const { id: harmless } = await change<{ id: string }>(admin, 'createRole', empty, 'role { id }')
    const target = { id: userId, expectedVersion: 1 }
    const password = { initialPassword: 'a first password' }
    const tried: [string, Record<string, unknown>][] = [
      ['updateUser', { ...target, firstName: 'x' }],
      ['suspendUser', target],
      ['reactivateUser', target],
      ['renewInvitation', { id: invited.id, expectedVersion: 1 }],
      ['grantPermission', { userId, permission: 'identity:user:read' }],
      ['revokePermission', { userId, permission: 'identity:user:read' }],
      ['revokeRole', { userId, roleId: roleOf }],
      ['assignRole', { userId, roleId: harmless }],
      ['assignRole', { userId: client.userId, roleId: own }],
      ['createUser', { email: email(), roleIds: [own], ...password }],
      ['inviteUser', { email: email(), roleIds: [own] }],
      ['updateRole', { id: own, expectedVersion: 1, name: 'x' }],
      ['deleteRole', { id: own, expectedVersion: 1 }],
    ]
    const found: Record<string, string[]> = { users: [], roles: [] }
    for (const [mutation, values] of tried) {
      const [error, ...others] = await refused(() => userErrors(client, mutation, values))
      expect([mutation, error?.code, others]).toEqual([mutation, 'PERMISSION_NOT_HELD', []])
      const isRole = /^(role|id$)/.test(error!.field![0]!) && JSON.stringify(values).includes(own)
      found[isRole ? 'roles' : 'users']!.push(error!.message)
    }
    return found
  }

  test('is not told by an error', async () => {
    const found = await messages(await clerk(...given))
    expect(found).toEqual({
      users: Array<string>(8).fill(general('user')),
      roles: Array<string>(5).fill(general('role')),
    })
  })

  test('is told to those who may look it up', async () => {
    const found = await messages(await clerk(...given, 'identity:role:read'))
    expect(found['roles']).toEqual(Array<string>(5).fill('You lack hr:salary:read'))
    expect(found['users']).toHaveLength(8)
    for (const message of found['users']!) expect(message).toMatch(/^You lack [a-z]+:[a-z-]+:[a-z-]+, /)
  })

  test('does not hide what the input itself named', async () => {
    const client = await clerk(...given)
    const input = { name: 'Mine', permissions: ['hr:salary:read'] }
    const [error] = await refused(() => userErrors(client, 'createRole', input))
    expect(error?.message).toBe('You lack hr:salary:read')
  })
})

describe('access', () => {
  const id = '019b76da-a800-7000-8000-0000000000a1'

  test.each([
    ['inviteUser', { email: 'x@acme.example' }],
    ['renewInvitation', { id, expectedVersion: 1 }],
    ['createRole', { name: 'x', permissions: [] }],
    ['updateRole', { id, expectedVersion: 1 }],
    ['deleteRole', { id, expectedVersion: 1 }],
    ['grantPermission', { userId: id, permission: 'x' }],
    ['revokePermission', { userId: id, permission: 'x' }],
  ])('%s needs a scope', async (verb, input) => {
    const type = `${verb[0]!.toUpperCase()}${verb.slice(1)}Input`
    const query = `mutation ($input: ${type}!) { ${verb}(input: $input) { userErrors { code } } }`
    const code = async (client: TestClient) =>
      (await refused(() => client.query(query, { input }))).errors?.[0]?.extensions.code
    expect(await code(await acme.as('VIEWER'))).toBe('FORBIDDEN')
    expect(await code(graph.anonymous)).toBe('UNAUTHENTICATED')
  })

  test.each(['role(id: "ID") { id }', 'roleAssignment(id: "ID") { id }', 'roleAssignments { nodes { id } }'])(
    '%s needs a scope',
    async (field) => {
      const query = `{ ${field.replace('ID', id)} }`
      const user = await acme.as('USER')
      expect((await user.query(query)).errors?.[0]?.extensions.code).toBe('FORBIDDEN')
      expect((await graph.anonymous.query(query)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
    },
  )
})

describe('lists', () => {
  test('who has which role is found by user and by role, one statement per level', async () => {
    const role = await roleId('COMPLIANCE_OFFICER')
    const people = [await acme.user('COMPLIANCE_OFFICER'), await acme.user('COMPLIANCE_OFFICER', 'USER')]
    const query = `query ($filter: RoleAssignmentFilter) { roleAssignments(filter: $filter) {
      totalCount nodes { id user { id } role { name } grantedAt grantedBy { id } } } }`
    interface List {
      roleAssignments: {
        totalCount: number
        nodes: { id: string; user: { id: string }; role: { name: string } }[]
      }
    }
    let list: List | undefined
    const statements = await graph.statementsDuring(async () => {
      list = await admin.data<List>(query, { filter: { roleId: { eq: role } } })
    })
    const { totalCount, nodes } = list!.roleAssignments
    expect(totalCount).toBe(2)
    expect(nodes.map(({ user }) => user.id).sort()).toEqual(people.map(({ userId }) => userId).sort())
    // Rows with their users, roles and grantors; count.
    expect(statements.filter(({ role: by }) => by === 'identity')).toHaveLength(2)
    const ofUser = await admin.data<List>(query, { filter: { userId: { in: [people[1]!.userId] } } })
    expect(ofUser.roleAssignments.nodes.map((node) => node.role.name).sort()).toEqual([
      'COMPLIANCE_OFFICER',
      'USER',
    ])
    const one = nodes[0]!
    expect(await admin.data('query ($id: ID!) { roleAssignment(id: $id) { id } }', { id: one.id })).toEqual({
      roleAssignment: { id: one.id },
    })
  })

  test('permissions are searched, users found by INVITED', async () => {
    const { permissions } = await admin.data<{ permissions: { nodes: { name: string }[] } }>(
      '{ permissions(filter: { search: "SALARIES" }) { nodes { name } } }',
    )
    expect(permissions.nodes.map(({ name }) => name)).toEqual(['hr:salary:read', 'hr:salary:write'])
    const { user } = await invite()
    const { users } = await admin.data<{ users: { nodes: { id: string; status: string }[] } }>(
      '{ users(first: 100, filter: { status: { eq: INVITED } }) { nodes { id status } } }',
    )
    expect(users.nodes).toContainEqual({ id: user.id, status: 'INVITED' })
    expect(new Set(users.nodes.map(({ status }) => status))).toEqual(new Set(['INVITED']))
  })
})

test('A9 an invitation makes the device known to whoever accepts it', async () => {
  const { invitationToken } = await invite(admin, { email: 'known@acme.example' })
  const { acceptInvitation } = await graph.anonymous.data<{ acceptInvitation: { deviceMark: string } }>(
    'mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { deviceMark } }',
    { input: { token: invitationToken, password } },
  )
  const attempt = async (input: object) =>
    (
      await userErrors(graph.anonymous, 'signIn', { tenant: 'acme', email: 'known@acme.example', ...input })
    )[0]?.code
  graph.clock.stop()
  for (let count = 1; count <= 5; count++)
    expect(await attempt({ password: 'wrong' })).toBe('INVALID_CREDENTIALS')
  expect(await attempt({ password })).toBe('RATE_LIMITED')
  expect(await attempt({ password, deviceMark: acceptInvitation.deviceMark })).toBeUndefined()
})
