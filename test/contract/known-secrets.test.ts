import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import { projectRoot } from '../../kernel/process/config'
import { loadable } from '../../registry/composition/compose'
import { startGraph, testClient, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { userWith } from '../support/scopes'

/**
 * A2: a secret that somebody but the account's owner has known ends before the account can do more. Each way in which
 * others know one, times each mutation by which rights grow.
 */
const own = 'correct horse own battery'
let graph: TestGraph
let acme: TestTenant
let admin: TestClient
/** May make accounts and nothing else. */
let maker: TestClient
let count = 0

interface Account {
  id: string
  email: string
  /** Lets in whoever knows the secret; false when it does not any more. */
  comesIn(): Promise<boolean>
}

const tokenOf = async (mutation: string, input: object): Promise<string | null> => {
  const type = mutation[0]!.toUpperCase() + mutation.slice(1)
  const query = `mutation ($input: ${type}Input!) { ${mutation}(input: $input) { accessToken } }`
  const data = await graph.anonymous.data<Record<string, { accessToken: string | null }>>(query, { input })
  return data[mutation]!.accessToken
}
const accepted = (token: string) => tokenOf('acceptInvitation', { token, password: own })

/** The secrets that somebody but their owner knows, and how an account with one is made. */
const secrets: Readonly<Record<string, () => Promise<Account>>> = {
  'an invitation': async () => {
    const email = `invited${++count}@acme.example`
    const query = `mutation ($input: InviteUserInput!) { inviteUser(input: $input) { user { id } invitationToken } }`
    const { inviteUser } = await maker.data<{
      inviteUser: { user: { id: string }; invitationToken: string }
    }>(query, { input: { email } })
    const comesIn = async () => (await accepted(inviteUser.invitationToken)) !== null
    return { id: inviteUser.user.id, email, comesIn }
  },
  'a first password': async () => {
    const email = `created${++count}@acme.example`
    const input = { email, initialPassword: 'correct horse first battery' }
    const { id } = await change<{ id: string }>(maker, 'createUser', input, 'user { id }')
    const attempt = { tenant: 'acme', email, password: input.initialPassword }
    return { id, email, comesIn: async () => (await tokenOf('signIn', attempt)) !== null }
  },
}

const fresh = async (permissions: string[]) =>
  (await change<{ id: string }>(admin, 'createRole', { name: `Role ${++count}`, permissions }, 'role { id }'))
    .id
const versionOf = async (table: string, id: string) =>
  (await graph.owner.query<{ version: number }>(`SELECT version FROM ${table} WHERE id = $1`, [id])).rows[0]!
    .version

/** How a mutation makes an account able to do more; returns the token of a new invitation, if it gives one. */
const growing: Readonly<Record<string, (account: Account) => Promise<string | null>>> = {
  assignRole: async ({ id: userId }) => {
    const roleId = await fresh(['compliance:audit:read'])
    return change<string | null>(admin, 'assignRole', { userId, roleId }, 'invitationToken')
  },
  grantPermission: ({ id: userId }) =>
    change<string | null>(
      admin,
      'grantPermission',
      { userId, permission: 'compliance:audit:read' },
      'invitationToken',
    ),
  updateRole: async ({ id: userId, email }) => {
    const id = await fresh([])
    // Given before, past the graph: it allows nothing yet.
    await graph.owner.query(
      `INSERT INTO identity.role_assignments (tenant_id, id, user_id, role_id) VALUES ($1, gen_random_uuid(), $2, $3)`,
      [acme.id, userId, id],
    )
    const input = {
      id,
      expectedVersion: await versionOf('identity.roles', id),
      permissions: ['compliance:audit:read'],
    }
    expect(await change(admin, 'updateRole', input, 'invitationsEnded')).toBe(1)
    const { users } = await admin.data<{
      users: { nodes: { id: string; version: number; status: string }[] }
    }>('query ($search: String) { users(filter: { search: $search }) { nodes { id version status } } }', {
      search: email,
    })
    expect(users.nodes).toMatchObject([{ id: userId, status: 'INVITED' }])
    const { version } = users.nodes[0]!
    return change(admin, 'renewInvitation', { id: userId, expectedVersion: version }, 'invitationToken')
  },
  reactivateUser: async ({ id }) => {
    const version = await versionOf('identity.users', id)
    await change(admin, 'suspendUser', { id, expectedVersion: version }, 'user { id }')
    return change(admin, 'reactivateUser', { id, expectedVersion: version + 1 }, 'invitationToken')
  },
}

/** Mutations of this subgraph by which no present account can do more, and why. */
const notGrowing: Readonly<Record<string, string>> = {
  'createUser inviteUser': 'the account is new: its maker holds what it may do',
  createRole: 'nobody has it yet',
  'createServiceAccount createApiKey rotateApiKey revokeApiKey':
    'a key does what its owner may, and ends with it',
  'deleteRole revokeRole revokePermission suspendUser': 'takes away',
  'revokeSession revokeOtherSessions revokeUserSessions': 'takes away',
  'enrollTotp confirmMfaDevice removeMfaDevice regenerateRecoveryCodes':
    'is the own account’s, and gives no right',
  'registerPasskeyBegin registerPasskeyFinish stepUpPasskeyBegin renameCredential removeCredential':
    'is the own account’s, and gives no right',
  'signInPasskeyBegin signInPasskeyFinish': 'is the owner’s, with what they have',
  resetUserMfa: 'takes away, and needs authority over the user',
  'renewInvitation updateUser requirePasswordChange': 'changes no right, and needs authority over the user',
  setSignInPolicy:
    'gives no right, and needs authority over whom it asks (test/identity/sign-in-policy.test.ts)',
  'requestPasswordReset resetPassword requestEmailChange confirmEmailChange':
    'is the owner’s, with what was mailed to them',
  'signIn refreshSession signOut changePassword acceptInvitation stepUp completeSignIn':
    'is the owner’s, with the secret',
  'operatorSignIn operatorSignOut': 'is about nobody of a tenant',
  createTenant: 'gives the first rights of all, to whom the mail goes',
  'resetLoneAdministrator requestLoneAdministratorReset approveLoneAdministratorReset stopLoneAdministratorReset':
    'ends every secret or none, and gives no right',
}

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
  maker = await userWith(graph, acme, ['identity:user:read', 'identity:user:write'])
})
afterAll(() => graph?.close())

it('knows every mutation of identity (A2)', () => {
  const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
  const api = Supergraph.build(loadable(supergraph)).apiSchema().toGraphQLJSSchema()
  const identity = graph.server.subgraphs.get('identity')!.schema.getMutationType()!
  const known = [...Object.keys(growing), ...Object.keys(notGrowing).flatMap((names) => names.split(' '))]
  expect(known.sort()).toEqual(Object.keys(identity.getFields()).sort())
  // Scopes stand in this subgraph's tables alone. What a row rule gives to an account, the link of employees, is below.
  expect(Object.keys(api.getMutationType()!.getFields())).toEqual(expect.arrayContaining(known))
})

describe.each(Object.keys(secrets))('%s (A2)', (secret) => {
  it('lets in who knows it while nothing was gained', async () => {
    const account = await secrets[secret]!()
    expect(await account.comesIn()).toBe(true)
  })

  it.each(Object.keys(growing))('ends with %s, and a new one is there to hand over', async (mutation) => {
    const account = await secrets[secret]!()
    const token = await growing[mutation]!(account)
    expect(await account.comesIn()).toBe(false)
    expect(token).not.toBeNull()
    const session = testClient(graph.server.url, account.id, {
      authorization: `Bearer ${await accepted(token!)}`,
    })
    // The owner chose the password: it is nobody else's, and nothing has to be changed first.
    expect(await session.data('{ viewer { id status } }')).toEqual({
      viewer: { id: account.id, status: 'ACTIVE' },
    })
  })

  it('ends also while the account is suspended', async () => {
    const account = await secrets[secret]!()
    await change(
      admin,
      'suspendUser',
      { id: account.id, expectedVersion: await versionOf('identity.users', account.id) },
      'user { id }',
    )
    const grant = { userId: account.id, permission: 'compliance:audit:read' }
    expect(await change(admin, 'grantPermission', grant, 'invitationToken')).toBeNull()
    const again = { id: account.id, expectedVersion: await versionOf('identity.users', account.id) }
    const token = await change<string>(admin, 'reactivateUser', again, 'invitationToken')
    expect(await account.comesIn()).toBe(false)
    expect(await accepted(token)).not.toBeNull()
  })
})

it('the inviter does not get an administrator’s session (A2)', async () => {
  const account = await secrets['an invitation']!()
  const { rows } = await graph.owner.query<{ id: string }>(
    `SELECT id FROM identity.roles WHERE tenant_id = $1 AND name = 'ADMIN'`,
    [acme.id],
  )
  const token = await change<string>(
    admin,
    'assignRole',
    { userId: account.id, roleId: rows[0]!.id },
    'invitationToken',
  )
  expect(await account.comesIn()).toBe(false)
  const version = await versionOf('identity.users', account.id)
  const renew = { id: account.id, expectedVersion: version }
  expect(await userErrors(maker, 'renewInvitation', renew)).toMatchObject([{ code: 'PERMISSION_NOT_HELD' }])
  expect(await accepted(token)).not.toBeNull()
})

it('a session that began with a first password ends as well, and does not come back (A2)', async () => {
  const account = await secrets['a first password']!()
  const attempt = { tenant: 'acme', email: account.email, password: 'correct horse first battery' }
  const session = testClient(graph.server.url, account.id, {
    authorization: `Bearer ${await tokenOf('signIn', attempt)}`,
  })
  expect(await session.data('{ viewer { id } }')).toEqual({ viewer: { id: account.id } })
  const token = await growing['updateRole']!(account)
  expect((await session.query('{ viewer { id } }')).status).toBe(401)
  expect(await accepted(token!)).not.toBeNull()
  expect((await session.query('{ viewer { id } }')).status).toBe(401)
})

it('a password that its owner chose stays when the account gains rights (A2)', async () => {
  const user = await acme.user('USER')
  for (const mutation of ['assignRole', 'grantPermission'])
    expect(
      await growing[mutation]!({ id: user.userId, email: user.email, comesIn: async () => true }),
    ).toBeNull()
  expect(await user.data('{ viewer { status } }')).toEqual({ viewer: { status: 'ACTIVE' } })
  const narrowed = await fresh(['compliance:audit:read', 'hr:employee:read'])
  const invited = await secrets['an invitation']!()
  await graph.owner.query(
    `INSERT INTO identity.role_assignments (tenant_id, id, user_id, role_id) VALUES ($1, gen_random_uuid(), $2, $3)`,
    [acme.id, invited.id, narrowed],
  )
  const input = { id: narrowed, expectedVersion: 1, permissions: ['hr:employee:read'] }
  expect(await change(admin, 'updateRole', input, 'invitationsEnded')).toBe(0)
  expect(await invited.comesIn()).toBe(true)
})

it.each(Object.keys(secrets))('%s keeps an account from being linked to an employee (A2)', async (secret) => {
  const account = await secrets[secret]!()
  const hr = await acme.user('HR_MANAGER')
  const employeeNumber = `N-${++count}`
  const { id } = await change<{ id: string }>(hr, 'hireEmployee', { employeeNumber }, 'employee { id }')
  const salary = { amount: '77000.00', currency: 'EUR' }
  await change(hr, 'setEmployeeSalary', { id, expectedVersion: 1, salary }, 'employee { id }')
  const refused = [{ code: 'INVALID', field: ['userId'] }]
  const link = { id, expectedVersion: 2, userId: account.id }
  expect(await userErrors(hr, 'updateEmployee', link)).toMatchObject(refused)
  expect(await userErrors(hr, 'updateEmployee', { ...link, userId: account.id.toUpperCase() })).toMatchObject(
    refused,
  )
  const hire = { employeeNumber: `N-${++count}`, userId: account.id }
  expect(await userErrors(hr, 'hireEmployee', hire)).toMatchObject(refused)
  const { rows } = await graph.owner.query('SELECT id FROM hr.employees WHERE user_id = $1', [account.id])
  expect(rows).toEqual([])
  // The owner has the account by now.
  const { rows: renewed } = await graph.owner.query<{ version: number }>(
    `UPDATE identity.users SET status = 'ACTIVE', password_hash = 'own', password_change_required = false,
            invitation_hash = NULL, invitation_expires_at = NULL WHERE id = $1 RETURNING version`,
    [account.id],
  )
  expect(renewed).toHaveLength(1)
  expect(await userErrors(hr, 'updateEmployee', link)).toEqual([])
})
