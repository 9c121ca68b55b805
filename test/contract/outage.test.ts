import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { demoTenantIds } from '../../database/demo/ids'
import { publicMutations } from '../../gateway/operations/lone-mutations'
import type { Binding } from '../../kernel/connection/binding'
import { projectRoot } from '../../kernel/process/project-root'
import { assertFreeSpace } from '../../product/free-space'
import { password, startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { SoftPasskey } from '../support/passkey'
import { PasskeyClient } from '../support/passkey-client'

let graph: TestGraph
/** Whose connections the statements of identity took since it was last emptied. */
const ofIdentity: Binding[] = []
beforeAll(async () => {
  // Six connections for each role: a tenant alone may hold three of them, two more tenants one each.
  graph = await startGraph({
    demo: true,
    env: { DATABASE_CONNECTIONS: '42' },
    onStatement: (role, _, binding) => role === 'identity' && ofIdentity.push(binding),
  })
})
afterAll(() => graph?.close())

const readiness = async (): Promise<[number, unknown]> => {
  const response = await fetch(graph.server.url.replace('/graphql', '/readyz'))
  return [response.status, await response.json()]
}

/** The readiness once it has this status: an answer counts for a second. */
const readinessOf = async (status: number): Promise<[number, unknown]> => {
  let answer = await readiness()
  while (answer[0] !== status) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    answer = await readiness()
  }
  return answer
}

async function waitingForLock(): Promise<number> {
  const { rows } = await graph.owner.query<{ count: string }>(
    `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE NOT l.granted AND a.datname = current_database()`,
  )
  return Number(rows[0]!.count)
}

/** Resolves when so many statements wait for a lock. */
async function waits(count: number): Promise<void> {
  while ((await waitingForLock()) < count) await new Promise((resolve) => setTimeout(resolve, 10))
}

test("L3: three tenants' waiting writes leave a fourth tenant's reads alone", async () => {
  const tenants = [await graph.tenant('one'), await graph.tenant('two'), await graph.demo('acme', 'hr')]
  const [one, two, acme] = await Promise.all(
    tenants.map((tenant) => ('as' in tenant ? tenant.as('HR_MANAGER') : tenant)),
  )
  const globex = await graph.demo('globex', 'hr')
  const departmentOf = async (client: TestClient) => {
    const { createDepartment } = await client.data<{
      createDepartment: { department: { id: string; version: number } }
    }>('mutation { createDepartment(input: { name: "Locked" }) { department { id version } } }')
    return createDepartment.department
  }
  const locked = await Promise.all(
    [acme!, one!, two!].map(async (client) => ({ client, ...(await departmentOf(client)) })),
  )
  const locking = new Client({ connectionString: graph.database.migratorUrl })
  await locking.connect()
  await locking.query('BEGIN')
  const ids = locked.map(({ id }) => id)
  expect(
    (await locking.query('SELECT FROM hr.departments WHERE id = ANY ($1) FOR UPDATE', [ids])).rowCount,
  ).toBe(3)
  let written = 0
  const writes: Promise<string>[] = []
  // Each tenant with four writes, when the one before has all the connections that it gets.
  for (const [{ client, id, version }, held] of [
    [locked[0]!, 3],
    [locked[1]!, 4],
    [locked[2]!, 5],
  ] as const) {
    for (const description of ['a', 'b', 'c', 'd'])
      writes.push(
        client
          .data<{ updateDepartment: { userErrors: { code: string }[] } }>(
            `mutation ($input: UpdateDepartmentInput!) { updateDepartment(input: $input) { userErrors { code } } }`,
            { input: { id, expectedVersion: version, description } },
          )
          .then(({ updateDepartment }) => updateDepartment.userErrors[0]?.code ?? 'written')
          .finally(() => (written += 1)),
      )
    await waits(held)
  }
  const answers = await Promise.all([1, 2, 3].map(() => globex.data('{ departments { totalCount } }')))
  const { rows } = await graph.owner.query<{ count: number }>(
    "SELECT count(*)::int FROM hr.departments WHERE tenant_id = (SELECT id FROM tenancy.tenants WHERE slug = 'globex')",
  )
  expect(answers).toEqual(Array(3).fill({ departments: { totalCount: rows[0]!.count } }))
  expect(written).toBe(0)
  expect(await waitingForLock()).toBe(5)
  await locking.query('COMMIT')
  await locking.end()
  const stale = Array<string>(9).fill('STALE_VERSION')
  expect((await Promise.all(writes)).sort()).toEqual([...stale, 'written', 'written', 'written'])
})

test('L4: sign-ins that wait for locks have their share of the connections, whatever tenants they name; tenants keep theirs', async () => {
  const signIn = `mutation ($input: SignInInput!) { signIn(input: $input) { accessToken userErrors { code } } }`
  const one = await graph.tenant('one')
  const named = [one, await graph.tenant('two'), await graph.tenant('three'), await graph.tenant('four')]
  const users = (await Promise.all(named.map((tenant) => [1, 2, 3].map(() => tenant.user('USER'))))).flat()
  const accounts = await Promise.all(users)
  const viewer = accounts[0]!
  const globex = await graph.demo('globex', 'hr')
  const locking = new Client({ connectionString: graph.database.migratorUrl })
  await locking.connect()
  await locking.query('BEGIN')
  await locking.query('SELECT FROM identity.users WHERE tenant_id = ANY ($1) FOR UPDATE', [
    named.map(({ id }) => id),
  ])
  let signedIn = 0
  const signIns = accounts.map(({ email }) =>
    graph.anonymous
      .data<{ signIn: { accessToken: string | null } }>(signIn, {
        input: {
          tenant: named.find(({ slug }) => email.endsWith(`@${slug}.example`))!.slug,
          email,
          password,
        },
      })
      .finally(() => (signedIn += 1)),
  )
  await waits(2)
  const own = '{ viewer { email } }'
  const answers: unknown[] = []
  for (let time = 0; time < 3; time++) answers.push(await viewer.query(own), await globex.query(own))
  const meanwhile = [await waitingForLock(), signedIn]
  await locking.query('COMMIT')
  await locking.end()
  expect(answers).toEqual(
    [1, 2, 3].flatMap(() =>
      [viewer.email, 'hr@globex.example'].map((email) => ({ status: 200, data: { viewer: { email } } })),
    ),
  )
  expect(meanwhile).toEqual([2, 0])
  const tokens = (await Promise.all(signIns)).map(({ signIn: { accessToken } }) => typeof accessToken)
  expect(tokens).toEqual(Array(12).fill('string'))
})

test('L4: every mutation that needs nobody signed in takes connections of that share alone', async () => {
  const token = `${demoTenantIds.acme}.${demoTenantIds.acme}.${'a'.repeat(43)}`
  const email = 'admin@acme.example'
  const passkeys = new PasskeyClient(graph, { slug: 'acme' } as TestTenant)
  const passkey = new SoftPasskey(graph.server.url.replace('127.0.0.1', 'localhost').replace('/graphql', ''))
  const credential = passkey.get(await passkeys.options())
  const inputs: Record<string, object> = {
    acceptInvitation: { token, password: 'a long enough secret' },
    completeSignIn: { mfaToken: token, code: '123456' },
    confirmEmailChange: { token },
    operatorSignIn: { email, password },
    refreshSession: { refreshToken: token },
    requestPasswordReset: { tenant: 'acme', email },
    resetPassword: { token, password: 'a long enough secret' },
    signIn: { tenant: 'acme', email, password },
    signInPasskeyBegin: { tenant: 'acme' },
    signInPasskeyFinish: { tenant: 'acme', credential },
    stopLoneAdministratorReset: { token },
  }
  const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
  expect(Object.keys(inputs)).toEqual([...publicMutations(supergraph)].sort())
  for (const [mutation, input] of Object.entries(inputs)) {
    ofIdentity.length = 0
    const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`
    await graph.anonymous.query(
      `mutation ($input: ${type}!) { ${mutation}(input: $input) { userErrors { code } } }`,
      { input },
    )
    expect([
      mutation,
      ofIdentity.length > 0,
      ofIdentity.filter(({ share }) => share !== 'anonymous'),
      // A ceremony begins with what is signed, not stored: nobody is looked up.
    ]).toEqual([mutation, mutation !== 'signInPasskeyBegin', []])
  }
  // Whoever is signed in takes those of the own tenant.
  const admin = await graph.demo('acme', 'admin')
  ofIdentity.length = 0
  await admin.data('{ viewer { email } }')
  expect(ofIdentity.map(({ tenantId, share }) => [tenantId, share ?? null])).toEqual([
    [demoTenantIds.acme, null],
  ])
})

test('O17: a full disk is no fault of the product: try again, nothing was changed, and readyz tells', async () => {
  expect(await readiness()).toEqual([
    200,
    expect.objectContaining({ checks: expect.objectContaining({ disk: 'ok' }) as object }),
  ])
  await graph.owner.query(`
    CREATE FUNCTION hr.no_room() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`)
  await graph.owner.query(
    'CREATE TRIGGER no_room BEFORE INSERT ON hr.departments FOR EACH ROW EXECUTE FUNCTION hr.no_room()',
  )
  const acme = await graph.demo('acme', 'hr')
  const count = 'SELECT count(*) FROM hr.departments'
  const before = (await graph.owner.query(count)).rows
  const answer = await acme.query(
    'mutation { createDepartment(input: { name: "Archive" }) { department { id } } }',
  )
  expect(answer.errors).toEqual([
    {
      message: 'Part of the service does not answer. Try again.',
      path: ['createDepartment'],
      extensions: { code: 'SUBGRAPH_UNAVAILABLE', traceId: expect.any(String) as string },
    },
  ])
  expect((await graph.owner.query(count)).rows).toEqual(before)
  expect(await readinessOf(503)).toEqual([
    503,
    expect.objectContaining({ checks: expect.objectContaining({ disk: 'unavailable' }) as object }),
  ])
  await graph.owner.query('DROP TRIGGER no_room ON hr.departments; DROP FUNCTION hr.no_room()')
  expect(await acme.data('{ viewer { id } }')).toEqual({ viewer: { id: acme.userId } })
})

test('O17: a folder with less room than asked for is refused with what to do', async () => {
  await expect(assertFreeSpace(__dirname, 1)).resolves.toBeUndefined()
  await expect(assertFreeSpace(__dirname, Number.MAX_SAFE_INTEGER)).rejects.toThrow(
    / MiB left: make room, or writes will fail$/,
  )
})
