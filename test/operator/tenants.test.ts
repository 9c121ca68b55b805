import { uuidv7 } from '../../kernel/id'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { dueDeletions } from '../../subgraphs/tenancy/jobs/due-deletions'
import { deletionTime, entryEnd, statusAfter } from '../../subgraphs/tenancy/rules/tenant-status'
import { startGraph, testClient, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { readAll, userErrors } from '../support/lists'
import { mailsOf } from '../support/mails'
import { addOperator, operatorClient } from '../support/operator'

/** A5, T1: the life of a tenant in the hands of the platform's operators. */
let graph: TestGraph
let operator: TestClient
let tenancy: Database

beforeAll(async () => {
  graph = await startGraph()
  operator = await operatorClient(graph, 'olga')
  tenancy = await openDatabase({
    url: graph.database.urlFor('tenancy'),
    entities: [],
    connections: 2,
    applicationName: 'deletions',
  })
})
afterAll(async () => {
  await tenancy?.close()
  await graph?.close()
})

interface Shown {
  id: string
  status: string
  statusReason: string | null
  deletionDueAt: string | null
  version: number
}

const shown = 'id status statusReason deletionDueAt version'
const statusOf = async (id: string) =>
  (
    await operator.data<{ platformTenant: Shown | null }>(
      `query ($id: ID!) { platformTenant(id: $id) { ${shown} } }`,
      { id },
    )
  ).platformTenant

async function verb(name: string, input: Record<string, unknown>, client = operator): Promise<Shown | null> {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`
  const { payload } = await client.data<{ payload: { tenant: Shown | null; userErrors: unknown[] } }>(
    `mutation ($input: ${type}) { payload: ${name}(input: $input) { tenant { ${shown} } userErrors { code message } } }`,
    { input },
  )
  expect(payload.userErrors).toEqual([])
  return payload.tenant
}

const trail = async (tenantId: string, resourceType: string) =>
  (
    await graph.owner.query<{ actor: string; action: string; changes: unknown }>(
      `SELECT actor_id AS actor, action, changes FROM shared.audit_logs
        WHERE tenant_id = $1 AND resource_type = $2 ORDER BY id`,
      [tenantId, resourceType],
    )
  ).rows

const actionsAbout = async (tenantId: string) =>
  (
    await graph.owner.query<{ action: string }>(
      'SELECT action FROM shared.platform_actions WHERE about_tenant = $1 ORDER BY id',
      [tenantId],
    )
  ).rows.map(({ action }) => action)

const stored = async (tenantId: string) =>
  (await graph.owner.query('SELECT to_jsonb(t) AS row FROM tenancy.tenants t WHERE id = $1', [tenantId])).rows

const asks = '{ tenant { status } }'

/** A key of the administrator's own, which reads what everybody may. */
async function makeKey(admin: TestClient): Promise<{ secret: string; id: string }> {
  const expiresAt = new Date(graph.clock.now().getTime() + 30 * 86_400_000).toISOString()
  const { made } = await admin.data<{ made: { secret: string; apiKey: { id: string } } }>(
    'mutation ($input: CreateApiKeyInput!) { made: createApiKey(input: $input) { secret apiKey { id } } }',
    { input: { name: `Key of ${admin.userId}`, scopes: ['tenancy:tenant:read'], expiresAt } },
  )
  return { secret: made.secret, id: made.apiKey.id }
}

it('suspends a tenant on its very next request, and opens it again (A5, T1)', async () => {
  const tenant = await graph.tenant('suspended')
  const [admin, user] = [await tenant.as('ADMIN'), await tenant.as('USER')]
  const clients = [admin, user]
  const other = await (await graph.tenant('untouched')).as('ADMIN')
  const { secret } = await makeKey(admin)
  const program = testClient(graph.server.url, admin.userId, { 'x-api-key': secret })
  for (const client of [...clients, program]) expect((await client.query(asks)).status).toBe(200)
  const before = (await statusOf(tenant.id))!
  const suspended = await verb('suspendTenant', {
    ...{ id: tenant.id, expectedVersion: before.version, reason: ' Unpaid since March ' },
  })
  expect(suspended).toEqual({
    ...{ id: tenant.id, status: 'SUSPENDED', statusReason: 'Unpaid since March', deletionDueAt: null },
    version: before.version + 1,
  })
  for (const client of clients)
    expect(await client.query(asks)).toMatchObject({
      status: 401,
      errors: [{ message: 'The session has ended: sign in again' }],
    })
  expect(await program.query(asks)).toMatchObject({
    status: 401,
    errors: [{ message: expect.stringMatching(/^The API key is not valid/) as string }],
  })
  expect((await other.query(asks)).data).toEqual({ tenant: { status: 'ACTIVE' } })
  const again = await verb('reactivateTenant', { id: tenant.id, expectedVersion: suspended!.version })
  expect(again).toMatchObject({ status: 'ACTIVE', statusReason: null, version: before.version + 2 })
  for (const client of [...clients, program]) expect((await client.query(asks)).status).toBe(200)
  expect(await trail(tenant.id, 'Tenant')).toEqual([
    {
      ...{ actor: operator.userId, action: 'UPDATE' },
      changes: {
        before: { status: 'ACTIVE' },
        after: { status: 'SUSPENDED', statusReason: 'Unpaid since March', deletionDueAt: null },
      },
    },
    {
      ...{ actor: operator.userId, action: 'UPDATE' },
      changes: {
        before: { status: 'SUSPENDED' },
        after: { status: 'ACTIVE', statusReason: null, deletionDueAt: null },
      },
    },
  ])
  expect(await actionsAbout(tenant.id)).toEqual(['SUSPEND_TENANT', 'REACTIVATE_TENANT'])
})

it('refuses what a status does not allow, a stale version, a missing reason and an unknown tenant, and changes nothing (A5)', async () => {
  const tenant = await graph.tenant('refused')
  const { version: expectedVersion } = (await statusOf(tenant.id))!
  const id = tenant.id
  const reason = 'x'
  const before = await stored(id)
  const deletion = { id, expectedVersion, reason, slug: 'refused' }
  for (const [name, input, error] of [
    ['reactivateTenant', { id, expectedVersion }, { code: 'INVALID_STATUS', field: ['id'] }],
    ['undoTenantDeletion', { id, expectedVersion }, { code: 'INVALID_STATUS', field: ['id'] }],
    ['suspendTenant', { id, expectedVersion: 99, reason }, { code: 'STALE_VERSION' }],
    ['suspendTenant', { id, expectedVersion, reason: '  ' }, { code: 'INVALID', field: ['reason'] }],
    [
      'suspendTenant',
      { id, expectedVersion, reason: 'x'.repeat(501) },
      { code: 'INVALID', field: ['reason'] },
    ],
    ['suspendTenant', { id: uuidv7(), expectedVersion, reason }, { code: 'NOT_FOUND', field: ['id'] }],
    ['suspendTenant', { id: 'none', expectedVersion, reason }, { code: 'NOT_FOUND', field: ['id'] }],
    ['scheduleTenantDeletion', { ...deletion, slug: 'other' }, { code: 'INVALID', field: ['slug'] }],
    ['scheduleTenantDeletion', { ...deletion, graceDays: 6 }, { code: 'INVALID', field: ['graceDays'] }],
    ['scheduleTenantDeletion', { ...deletion, graceDays: 366 }, { code: 'INVALID', field: ['graceDays'] }],
  ] as const)
    expect([name, await userErrors(operator, name, input)]).toMatchObject([name, [error]])
  expect(await stored(id)).toEqual(before)
  expect(await trail(id, 'Tenant')).toEqual([])
  expect(await actionsAbout(id)).toEqual([])
})

it('no role of a tenant may, nor an operator without the scope, and nothing changes (A5)', async () => {
  const tenant = await graph.tenant('denied')
  const id = tenant.id
  const reader = await operatorClient(graph, 'rita', [])
  const clients = [await tenant.as('ADMIN'), reader, graph.anonymous]
  const before = await stored(id)
  const input = { id, expectedVersion: 1, reason: 'x' }
  for (const client of clients) {
    const answer = await client.query(
      'mutation ($input: SuspendTenantInput!) { suspendTenant(input: $input) { userErrors { code } } }',
      { input },
    )
    const code = client === graph.anonymous ? 'UNAUTHENTICATED' : 'FORBIDDEN'
    expect(answer).toMatchObject({ data: null, errors: [{ extensions: { code } }] })
  }
  for (const client of [await tenant.as('ADMIN'), graph.anonymous])
    expect(
      (await client.query(`{ platformTenant(id: "${id}") { id } platformTenants { totalCount } }`)).data,
    ).toEqual({ platformTenant: null, platformTenants: null })
  expect((await reader.query(`{ platformTenant(id: "${id}") { slug } }`)).data).toEqual({
    platformTenant: { slug: 'denied' },
  })
  expect(await stored(id)).toEqual(before)
})

it('the database itself refuses the status, and every tenant, to whoever is no operator (A5)', async () => {
  const tenant = await graph.tenant('walls')
  const { userId } = await tenant.as('ADMIN')
  const before = await stored(tenant.id)
  const reader = await operatorClient(graph, 'ben', [])
  // With all scopes, but not signed in; and one who has signed out.
  const away = await addOperator(graph, 'away')
  const gone = await operatorClient(graph, 'gone')
  const ask = (tenantId: string | null, actorId: string | null, text: string) =>
    tenancy.rows({ tenantId, actorId }, { text })
  expect((await ask(null, gone.userId, 'SELECT FROM tenancy.platform_tenants')).length).toBeGreaterThan(0)
  expect(await userErrors(gone, 'operatorSignOut', {})).toEqual([])
  const set = "SELECT tenancy.set_tenant_status('SUSPENDED', 'x', now(), null)"
  const enter =
    "SELECT tenancy.enter_tenant(gen_random_uuid(), gen_random_uuid(), 'x', false, now(), now() + interval '1 hour')"
  for (const actorId of [userId, null, uuidv7(), reader.userId, away.id, gone.userId]) {
    for (const text of [set, enter])
      await expect(ask(tenant.id, actorId, text)).rejects.toMatchObject({ code: '42501' })
    if (actorId !== reader.userId)
      await expect(ask(null, actorId, 'SELECT id FROM tenancy.platform_tenants')).rejects.toMatchObject({
        code: '42501',
      })
  }
  for (const text of [
    "UPDATE tenancy.tenants SET status = 'SUSPENDED'",
    'UPDATE tenancy.tenants SET deletion_due_at = now()',
    "INSERT INTO tenancy.tenants (id, slug, name) VALUES (gen_random_uuid(), 'x', 'x')",
    'DELETE FROM tenancy.tenants',
    'SELECT password_salt FROM identity.operators',
    'SELECT password_digest FROM identity.operators',
    'SELECT id FROM shared.platform_actions',
    "UPDATE tenancy.operator_entries SET reason = 'x'",
  ])
    await expect(ask(tenant.id, userId, text)).rejects.toMatchObject({ code: '42501' })
  expect(await stored(tenant.id)).toEqual(before)
  expect(
    await ask(null, reader.userId, `SELECT slug FROM tenancy.platform_tenants WHERE slug = 'walls'`),
  ).toEqual([['walls']])
})

it('deletes a tenant when its days of grace are over, with all its rows, and not before; undone, never (A5, T1)', async () => {
  const tenants: TestTenant[] = [await graph.tenant('leaving'), await graph.tenant('staying')]
  const admins = [await tenants[0]!.as('ADMIN'), await tenants[1]!.as('ADMIN')]
  await admins[0]!.data('mutation { createDepartment(input: { name: "Sales" }) { userErrors { code } } }')
  const due: Shown[] = []
  for (const { id, slug } of tenants) {
    const { version: expectedVersion } = (await statusOf(id))!
    due.push(
      (await verb('scheduleTenantDeletion', {
        id,
        expectedVersion,
        slug,
        reason: 'Contract over',
        graceDays: 7,
      }))!,
    )
  }
  const now = graph.clock.now().getTime()
  expect(due[0]).toMatchObject({ status: 'CANCELLED', statusReason: 'Contract over' })
  expect(Math.round((Date.parse(due[0]!.deletionDueAt!) - now) / 60_000)).toBe(7 * 24 * 60)
  for (const admin of admins) expect((await admin.query(asks)).status).toBe(401)
  await runJob(dueDeletions, tenancy, graph.server.services)
  expect((await stored(tenants[0]!.id)).length).toBe(1)
  const undone = await verb('undoTenantDeletion', { id: tenants[1]!.id, expectedVersion: due[1]!.version })
  expect(undone).toMatchObject({ status: 'SUSPENDED', deletionDueAt: null })
  // The clock of the process, and whoever acts as tenancy, hurry nothing: the database goes by its own.
  graph.clock.advance({ days: 7, minutes: 1 })
  await runJob(dueDeletions, tenancy, graph.server.services)
  expect((await stored(tenants[0]!.id)).length).toBe(1)
  // A clock that is days off lets no operator in: test/operator/door.test.ts.
  graph.clock.advance({ days: -7, minutes: -1 })
  operator = await operatorClient(graph, 'olga-later')
  const asTenancy = (text: string) =>
    tenancy.rows({ tenantId: tenants[0]!.id, actorId: operator.userId }, { text })
  for (const soon of ["'1 day'", "'6 days 23 hours'", "'-1 day'"])
    await expect(
      asTenancy(
        `SELECT tenancy.set_tenant_status('CANCELLED', 'x', now() - interval '30 days', now() + interval ${soon})`,
      ),
    ).rejects.toMatchObject({ code: '23514' })
  expect(await asTenancy(`SELECT tenancy.delete_due_tenant('${tenants[0]!.id}')`)).toEqual([[false]])
  await graph.owner.query(
    `UPDATE tenancy.tenants SET status_changed_at = now() - interval '8 days', deletion_due_at = now() - interval '1 minute'
      WHERE id = $1`,
    [tenants[0]!.id],
  )
  await runJob(dueDeletions, tenancy, graph.server.services)
  expect(await stored(tenants[0]!.id)).toEqual([])
  expect((await stored(tenants[1]!.id)).length).toBe(1)
  const { rows: tables } = await graph.owner.query<{ name: string }>(
    `SELECT attrelid::regclass::text AS name FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
      WHERE attname = 'tenant_id' AND NOT attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
  )
  expect(tables.length).toBeGreaterThan(20)
  for (const { name } of tables)
    expect([
      name,
      (await graph.owner.query(`SELECT FROM ${name} WHERE tenant_id = $1`, [tenants[0]!.id])).rowCount,
    ]).toEqual([name, 0])
  expect(await actionsAbout(tenants[0]!.id)).toEqual(['SCHEDULE_TENANT_DELETION', 'DELETE_TENANT'])
  expect(await statusOf(tenants[0]!.id)).toBeNull()
})

it('creates a tenant whose first administrator comes by mail, and tells no secret (A5, T1)', async () => {
  const { payload } = await operator.data<{
    payload: { tenant: { id: string; slug: string }; userErrors: [] }
  }>(
    `mutation ($input: CreateTenantInput!) { payload: createTenant(input: $input) {
       tenant { id slug name status plan isSandbox } userErrors { code message field } } }`,
    {
      input: {
        slug: 'initech',
        name: 'Initech',
        administratorEmail: 'Bill@initech.example',
        isSandbox: true,
      },
    },
  )
  expect(payload).toEqual({
    tenant: {
      ...{ id: payload.tenant.id, slug: 'initech', name: 'Initech', status: 'ACTIVE', plan: 'STARTER' },
      isSandbox: true,
    },
    userErrors: [],
  })
  const { id } = payload.tenant
  // Its key comes with it: no subgraph may make one, and without it nobody there could write.
  const keys = 'SELECT generation FROM shared.data_keys WHERE tenant_id = $1'
  expect((await graph.owner.query(keys, [id])).rows).toEqual([{ generation: 1 }])
  const mail = await mailOf(id)
  expect(mail.to).toBe('bill@initech.example')
  const token = /[\w-]{36}\.[\w-]{36}\.[\w-]{43}/.exec(mail.text)![0]
  const accepted = await graph.anonymous.data<{ acceptInvitation: { accessToken: string } }>(
    'mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { accessToken userErrors { code } } }',
    { input: { token, password: 'correct horse battery' } },
  )
  const response = await fetch(graph.server.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${accepted.acceptInvitation.accessToken}`,
    },
    body: JSON.stringify({
      query: '{ viewer { email roles { name } } tenant { slug } roles { nodes { name } } }',
    }),
  })
  expect(await response.json()).toEqual({
    data: {
      viewer: { email: 'bill@initech.example', roles: [{ name: 'ADMIN' }] },
      tenant: { slug: 'initech' },
      roles: {
        nodes: ['ADMIN', 'ANALYST', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'USER', 'VIEWER'].map((name) => ({
          name,
        })),
      },
    },
  })
  const { rows } = await graph.owner.query(
    `SELECT r.name FROM identity.roles r JOIN identity.roles o ON o.name = r.name AND o.permissions = r.permissions
      WHERE r.tenant_id = $1 AND o.tenant_id = $2 ORDER BY 1`,
    [id, (await graph.tenant('walls')).id],
  )
  expect(rows.length).toBe(6)
  expect(await trail(id, 'Tenant')).toEqual([
    {
      ...{ actor: operator.userId, action: 'CREATE' },
      changes: { after: { slug: 'initech', name: 'Initech', isSandbox: true } },
    },
  ])
  expect(await actionsAbout(id)).toEqual(['CREATE_TENANT'])
  const count = async () => (await graph.owner.query('SELECT id FROM tenancy.tenants')).rowCount
  const before = await count()
  const valid = { slug: 'other', name: 'x', administratorEmail: 'a@b.example' }
  for (const [change, error] of [
    [{ slug: 'initech' }, { code: 'DUPLICATE', field: ['slug'] }],
    [{ slug: 'No Slug' }, { code: 'INVALID', field: ['slug'] }],
    [{ name: 'x'.repeat(256) }, { code: 'INVALID', field: ['name'] }],
  ] as const)
    expect(await userErrors(operator, 'createTenant', { ...valid, ...change })).toMatchObject([error])
  expect(await count()).toBe(before)
})

const mailOf = async (tenantId: string) => (await mailsOf(graph, tenantId)).at(-1)!

it('lists tenants by pages, filters and orders (A5)', async () => {
  const { rows } = await graph.owner.query<{ slug: string; id: string; status: string }>(
    'SELECT slug, id, status FROM tenancy.tenants ORDER BY created_at DESC, id DESC',
  )
  const slugs = async (args = '') =>
    (await readAll(operator, 'platformTenants', 'slug', args)).map(({ slug }) => slug)
  expect(await slugs()).toEqual(rows.map(({ slug }) => slug))
  expect(await slugs(', orderBy: [{ field: SLUG, direction: ASC }]')).toEqual(
    rows.map(({ slug }) => slug).sort(),
  )
  expect(await slugs(', filter: { status: { eq: SUSPENDED } }')).toEqual(
    rows.filter(({ status }) => status === 'SUSPENDED').map(({ slug }) => slug),
  )
  expect(await slugs(', filter: { search: "initech" }')).toEqual(['initech'])
  const statements = await graph.statementsDuring(() =>
    operator.data('{ platformTenants(first: 2) { nodes { slug } } }'),
  )
  expect(statements.map(({ role }) => role)).toEqual(['gateway', 'tenancy'])
})

it('the rules of statuses and times (A5)', () => {
  expect(statusAfter('suspend', 'ACTIVE')).toBe('SUSPENDED')
  expect(statusAfter('suspend', 'CANCELLED')).toBeNull()
  expect(statusAfter('undoDeletion', 'CANCELLED')).toBe('SUSPENDED')
  const now = new Date('2026-02-28T12:00:00Z')
  expect([6, 7, 365, 366].map((days) => deletionTime(now, days)?.toISOString() ?? null)).toEqual([
    ...[null, '2026-03-07T12:00:00.000Z', '2027-02-28T12:00:00.000Z', null],
  ])
  expect([4, 5, 240, 241].map((minutes) => entryEnd(now, minutes)?.toISOString() ?? null)).toEqual([
    ...[null, '2026-02-28T12:05:00.000Z', '2026-02-28T16:00:00.000Z', null],
  ])
})
