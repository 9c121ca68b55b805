import { addMissingRows } from '../../database/rows'
import { uuidv7 } from '../../kernel/id'
import { startGraph, TestClock, testClient, type TestClient, type TestGraph } from '../support/graph'
import { disableOperator } from '../../database/operators'
import { demoTenantIds } from '../../database/demo/ids'
import { userErrors } from '../support/lists'
import { operatorClient } from '../support/operator'
import { freshDatabase } from '../support/postgres'
import { startSpread } from '../support/spread'

/** The demo data behind subgraphs of their own, whose stores the gateway does not share. */
async function spreadDemo(): Promise<TestGraph> {
  const database = await freshDatabase()
  const env = { ENCRYPTION_KEYS: `shared:${Buffer.alloc(32, 7).toString('base64')}` }
  const whole = await startGraph({ database, demo: true, env })
  const clock = new TestClock()
  const services = { ...whole.server.services, clock }
  await whole.close()
  const { graph, close } = await startSpread(database, services)
  return { ...graph, clock, close: () => close().finally(() => database.drop()) }
}

/** A5: an operator who is in a tenant: by a reason, for a time, to read, and before the tenant's eyes. */
describe.each(['one process', 'subgraphs behind HTTP'])('%s', (topology) => {
  let graph: TestGraph
  let operator: TestClient
  const acme = demoTenantIds.acme

  beforeAll(async () => {
    graph = await (topology === 'one process' ? startGraph({ demo: true }) : spreadDemo())
    await graph.owner.query('BEGIN')
    await addMissingRows(graph.owner, { tenantId: acme, seed: 'acme', now: new Date() })
    await graph.owner.query('COMMIT')
    await graph.owner.query('DELETE FROM tenancy.operator_entries')
  })
  afterAll(() => graph?.close())
  beforeEach(async () => {
    operator = await operatorClient(graph, `ivan${++count}`)
  })
  let count = 0

  interface Entered {
    accessToken: string
    entryId: string
    expiresAt: string
    userErrors: unknown[]
  }

  async function enter(
    client: TestClient,
    input: object = {},
  ): Promise<{ inside: TestClient; entry: Entered }> {
    const { entry } = await client.data<{ entry: Entered }>(
      `mutation ($input: EnterTenantInput!) { entry: enterTenant(input: $input) {
       accessToken entryId expiresAt userErrors { code message field } } }`,
      { input: { tenantId: acme, reason: 'Ticket 4711', ...input } },
    )
    expect(entry.userErrors).toEqual([])
    const headers = { authorization: `Bearer ${entry.accessToken}` }
    return {
      entry,
      inside: testClient(graph.server.url, client.userId, headers),
    }
  }

  const trail = async (entryId: string, type = 'OperatorEntry') =>
    (
      await graph.owner.query<{ tenant: string; actor: string; action: string; changes: object }>(
        `SELECT tenant_id AS tenant, actor_id AS actor, action, changes FROM shared.audit_logs
        WHERE resource_type = $2 AND resource_id = $1 ORDER BY id`,
        [entryId, type],
      )
    ).rows

  const ended = {
    status: 401,
    errors: [{ message: 'The session or the entry has ended: sign in with operatorSignIn again' }],
  }
  const leave = (id: string) =>
    `mutation { leaveTenant(input: { entryId: "${id}" }) { userErrors { code } } }`
  const asks = '{ tenant { slug } }'

  it('reads in the tenant alone, and the entry and each request stand in its trail with exact values (A5)', async () => {
    const { inside, entry } = await enter(operator)
    const minutes = Math.round((Date.parse(entry.expiresAt) - graph.clock.now().getTime()) / 60_000)
    expect(minutes).toBe(30)
    const query = '{ tenant { slug } employees(first: 1) { totalCount nodes { department { name } } } }'
    for (let turn = 0; turn < 2; turn++) {
      const data = await inside.data<{ tenant: object; employees: { totalCount: number } }>(query)
      expect(data.tenant).toEqual({ slug: 'acme' })
      expect(data.employees.totalCount).toBe(240)
    }
    const { operatorName } = (
      await graph.owner.query<{ operatorName: string }>(
        'SELECT operator_name AS "operatorName" FROM tenancy.operator_entries WHERE id = $1',
        [entry.entryId],
      )
    ).rows[0]!
    expect(operatorName).toBe(`ivan${count}`)
    const actor = operator.userId
    const [first, ...reads] = await trail(entry.entryId)
    const after = {
      ...{ operatorId: actor, operatorName, reason: 'Ticket 4711', readsSensitive: false },
      expiresAt: entry.expiresAt,
    }
    expect(first).toEqual({ tenant: acme, actor, action: 'CREATE', changes: { after } })
    expect(reads.map(({ tenant, actor: by, action }) => [tenant, by, action])).toEqual(
      reads.map(() => [acme, actor, 'VIEW']),
    )
    const fields = reads.map(({ changes }) =>
      (changes as { read: { fields: string[] } }).read.fields.join(' '),
    )
    expect(fields.sort()).toEqual(['employees', 'employees', 'tenant', 'tenant'])
    // The tenant sees who was there, and that the trail's actor is no user of its own.
    const officer = await graph.demo('acme', 'admin')
    const seen = await officer.data<{ operatorEntries: { nodes: object[] } }>(
      '{ operatorEntries(first: 1) { nodes { id operatorId operatorName reason readsSensitive endedAt } } }',
    )
    expect(seen.operatorEntries.nodes).toEqual([
      {
        ...{ id: entry.entryId, operatorId: actor, operatorName },
        ...{ reason: 'Ticket 4711', readsSensitive: false, endedAt: null },
      },
    ])
    const other = await graph.demo('globex', 'admin')
    expect(await other.data('{ operatorEntries { totalCount } }')).toEqual({
      operatorEntries: { totalCount: 0 },
    })
  })

  const sensitiveQuery = `{ employees(first: 5) { nodes { salary { amount } performanceScore retentionRisk } }
  complianceRecords(first: 1) { nodes { data } } auditLogs(first: 1) { nodes { changes ipAddress } } }`

  it('reads nothing sensitive unless the entry says so, and then it is recorded besides (A5)', async () => {
    const plain = await enter(operator)
    const denied = await plain.inside.query<{
      employees: { nodes: object[] }
      complianceRecords: { nodes: object[] }
      auditLogs: { nodes: object[] }
    }>(sensitiveQuery)
    expect(new Set(denied.errors!.map(({ extensions }) => extensions.code))).toEqual(new Set(['FORBIDDEN']))
    const nothing = { salary: null, performanceScore: null, retentionRisk: null }
    expect(denied.data!.employees.nodes).toEqual(Array.from({ length: 5 }, () => nothing))
    expect(denied.data!.complianceRecords.nodes).toEqual([{ data: null }])
    expect(denied.data!.auditLogs.nodes).toEqual([{ changes: null, ipAddress: null }])
    const full = await enter(operator, { readsSensitive: true })
    const { employees } = await full.inside.data<{ employees: { nodes: { salary: object | null }[] } }>(
      sensitiveQuery,
    )
    expect(employees.nodes.filter(({ salary }) => salary !== null).length).toBeGreaterThan(0)
    const { rows } = await graph.owner.query<{ type: string }>(
      `SELECT DISTINCT resource_type AS type FROM shared.audit_logs
      WHERE tenant_id = $1 AND actor_id = $2 AND action = 'VIEW' ORDER BY 1`,
      [acme, operator.userId],
    )
    expect(rows.map(({ type }) => type)).toEqual([
      'AuditLog',
      'ComplianceRecord',
      'Employee',
      'OperatorEntry',
    ])
    const limited = await operatorClient(graph, `limited${count}`, ['tenancy:platform:enter'])
    expect(
      await userErrors(limited, 'enterTenant', { tenantId: acme, reason: 'x', readsSensitive: true }),
    ).toEqual([
      {
        ...{ code: 'PERMISSION_NOT_HELD', field: ['readsSensitive'] },
        message: 'You lack tenancy:platform:sensitive',
      },
    ])
  })

  it('writes nothing: every mutation of the tenant is refused, and nothing changes (A5)', async () => {
    const { inside } = await enter(operator, { readsSensitive: true })
    const rows = async () =>
      (
        await graph.owner.query(
          `SELECT to_jsonb(d) AS row FROM hr.departments d UNION ALL SELECT to_jsonb(t) FROM tenancy.tenants t
         UNION ALL SELECT to_jsonb(s) - 'last_seen_at' - 'updated_at' FROM identity.sessions s`,
        )
      ).rows
    const before = await rows()
    for (const mutation of [
      'createDepartment(input: { name: "Mine" }) { userErrors { code } }',
      'updateTenant(input: { expectedVersion: 1, name: "Mine" }) { userErrors { code } }',
      'signOut(input: { everywhere: true }) { userErrors { code } }',
      'changePassword(input: { currentPassword: "x", newPassword: "correct horse battery" }) { userErrors { code } }',
      'moveClock(input: { to: "2999-01-01T00:00:00Z" }) { userErrors { code } }',
      `endOperatorEntry(input: { id: "${uuidv7()}" }) { userErrors { code } }`,
    ])
      expect(await inside.query(`mutation { ${mutation} }`)).toMatchObject({
        data: null,
        errors: [{ extensions: { code: 'FORBIDDEN' } }],
      })
    expect(await rows()).toEqual(before)
  })

  it('ends at once: left, ended by the tenant, session over, operator disabled (A5)', async () => {
    const admin = await graph.demo('acme', 'admin')
    const ways: [string, (entered: Awaited<ReturnType<typeof enter>>) => Promise<unknown>][] = [
      ['left', ({ inside, entry }) => inside.data(leave(entry.entryId))],
      [
        'ended by the tenant',
        async ({ entry }) =>
          expect(await userErrors(admin, 'endOperatorEntry', { id: entry.entryId })).toEqual([]),
      ],
      [
        'session over',
        () => operator.data('mutation { operatorSignOut(input: {}) { userErrors { code } } }'),
      ],
      ['disabled', () => disableOperator(graph.owner, `ivan${count}-again@platform.example`)],
    ]
    for (const [way, end] of ways) {
      if (way === 'disabled') operator = await operatorClient(graph, `ivan${count}-again`)
      const entered = await enter(operator)
      expect((await entered.inside.query(asks)).data).toEqual({ tenant: { slug: 'acme' } })
      await end(entered)
      expect([way, await entered.inside.query(asks)]).toMatchObject([way, ended])
    }
    const { entry } = await enter(await operatorClient(graph, `ivan${count}-last`))
    expect(await userErrors(admin, 'endOperatorEntry', { id: entry.entryId })).toEqual([])
    expect(await userErrors(admin, 'endOperatorEntry', { id: entry.entryId })).toMatchObject([
      { code: 'INVALID_STATUS' },
    ])
    expect((await trail(entry.entryId)).map(({ action, actor }) => [action, actor])).toEqual([
      ['CREATE', expect.any(String)],
      ['UPDATE', admin.userId],
    ])
  })

  it('ends with its time (A5)', async () => {
    const { inside } = await enter(operator, { minutes: 10 })
    expect((await inside.query(asks)).status).toBe(200)
    graph.clock.advance({ minutes: 9 })
    expect((await inside.query(asks)).status).toBe(200)
    graph.clock.advance({ minutes: 1 })
    expect(await inside.query(asks)).toMatchObject({
      status: 401,
      errors: [{ message: 'accessToken expired: sign in with operatorSignIn again' }],
    })
    expect((await operator.query('{ platformTenants { totalCount } }')).status).toBe(200)
  })

  it('needs a reason, a time in bounds, a tenant and the scope, and leaves no entry without (A5)', async () => {
    const before = (await graph.owner.query('SELECT id FROM tenancy.operator_entries')).rowCount
    const valid = { tenantId: acme, reason: 'x' }
    for (const [change, error] of [
      [{ reason: '  ' }, { code: 'INVALID', field: ['reason'] }],
      [{ reason: 'x'.repeat(501) }, { code: 'INVALID', field: ['reason'] }],
      [{ minutes: 4 }, { code: 'INVALID', field: ['minutes'] }],
      [{ minutes: 241 }, { code: 'INVALID', field: ['minutes'] }],
      [{ tenantId: uuidv7() }, { code: 'NOT_FOUND', field: ['tenantId'] }],
    ] as const)
      expect(await userErrors(operator, 'enterTenant', { ...valid, ...change })).toMatchObject([error])
    const admin = await graph.demo('acme', 'admin')
    for (const client of [admin, await operatorClient(graph, `reader${count}`, ['tenancy:platform:tenants'])])
      expect(
        await client.query(
          'mutation ($input: EnterTenantInput!) { enterTenant(input: $input) { userErrors { code } } }',
          { input: valid },
        ),
      ).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] })
    expect((await graph.owner.query('SELECT id FROM tenancy.operator_entries')).rowCount).toBe(before)
    expect(await operator.data(leave(uuidv7()))).toEqual({
      leaveTenant: { userErrors: [{ code: 'NO_ENTRY' }] },
    })
  })

  it('an answer whose entry cannot be written is refused (A5)', async () => {
    const { inside } = await enter(operator)
    const { rows } = await graph.owner.query<{ columns: string }>(
      `SELECT string_agg(quote_ident(attname), ', ') AS columns FROM pg_attribute
      WHERE attrelid = 'shared.audit_logs'::regclass AND attnum > 0 AND NOT attisdropped
        AND has_column_privilege('app_tenancy', attrelid, attnum, 'INSERT')`,
    )
    const columns = rows[0]!.columns
    await graph.owner.query('REVOKE INSERT ON shared.audit_logs FROM app_tenancy')
    try {
      const answer = await inside.query(asks)
      expect(answer.data).toEqual({ tenant: null })
      expect(answer.errors).toMatchObject([{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }])
    } finally {
      await graph.owner.query(`GRANT INSERT (${columns}) ON shared.audit_logs TO app_tenancy`)
    }
    expect((await inside.query(asks)).data).toEqual({ tenant: { slug: 'acme' } })
  })

  it('a suspended tenant is out with its very next request, and is in again when it is opened (A5, T1)', async () => {
    const [admin, other] = [await graph.demo('globex', 'admin'), await graph.demo('acme', 'admin')]
    expect((await admin.query(asks)).status).toBe(200)
    const id = demoTenantIds.globex
    const change = async (mutation: string, input: object) =>
      operator.data<{ payload: { tenant: { version: number }; userErrors: unknown[] } }>(
        `mutation ($input: ${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!) {
         payload: ${mutation}(input: $input) { tenant { version } userErrors { code } } }`,
        { input: { id, ...input } },
      )
    const { platformTenant } = await operator.data<{ platformTenant: { version: number } }>(
      `{ platformTenant(id: "${id}") { version } }`,
    )
    const { payload } = await change('suspendTenant', {
      expectedVersion: platformTenant.version,
      reason: 'Unpaid',
    })
    expect(payload.userErrors).toEqual([])
    expect(await admin.query(asks)).toMatchObject({
      status: 401,
      errors: [{ message: 'The session has ended: sign in again' }],
    })
    expect((await other.query(asks)).status).toBe(200)
    await change('reactivateTenant', { expectedVersion: payload.tenant.version })
    expect((await admin.query(asks)).data).toEqual({ tenant: { slug: 'globex' } })
  })
})
