import { Client } from 'pg'
import { instantOf, uuidv7 } from '../../kernel/id'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, prepareRows, readAll } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let globex: TestTenant
let officer: TestClient
let actor: string

const day = 86_400_000

/** An entry so many days ago; several share an instant. */
function entry(place: number, daysAgo: number, actorId: string | null) {
  const occurred = Math.floor(Date.now() / day) * day - daysAgo * day
  return {
    occurred_at: new Date(occurred).toISOString(),
    id: uuidv7(occurred),
    actor_id: actorId,
    action: place % 2 === 0 ? 'UPDATE' : 'VIEW',
    resource_type: 'Prepared',
    resource_id: `R${place}`,
    changes: { after: { place } },
    ip_address: '192.0.2.1',
    user_agent: 'test',
  }
}

let rows: ReturnType<typeof entry>[]

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  globex = await graph.tenant('globex')
  officer = await acme.as('COMPLIANCE_OFFICER')
  actor = (await acme.user('USER')).userId
  // Entries of more than a quarter ago need months that a new database does not have.
  await graph.owner.query('SELECT shared.ensure_partitions(1, 8)')
  rows = [0, 1, 1, 1, 2, 40, 80, 120, 200].map((daysAgo, place) => entry(place, daysAgo, actor))
  await prepareRows(graph, acme.id, 'shared.audit_logs', rows)
  await prepareRows(graph, globex.id, 'shared.audit_logs', [entry(0, 1, null)])
})

afterAll(async () => {
  await graph?.close()
})

const ofPrepared = 'filter: { resourceType: { eq: "Prepared" }'

test('is of the last 90 days, the latest first, nothing lost or repeated in pages', async () => {
  const read = await readAll(officer, 'auditLogs', 'resourceId occurredAt', `${ofPrepared} }`, 2)
  expect(read).toHaveLength(7)
  expect(read.map((row) => row['occurredAt'])).toEqual(rows.slice(0, 7).map((row) => row.occurred_at))
  expect(new Set(read.map((row) => row['resourceId']))).toEqual(
    new Set(['R0', 'R1', 'R2', 'R3', 'R4', 'R5', 'R6']),
  )
})

test('goes further back when asked', async () => {
  const gte = rows.at(-1)!.occurred_at
  const read = await readAll(
    officer,
    'auditLogs',
    'resourceId',
    `${ofPrepared}, occurredAt: { gte: "${gte}" } }`,
    4,
  )
  expect(read).toHaveLength(rows.length)
  const lt = rows[7]!.occurred_at
  const old = await readAll(
    officer,
    'auditLogs',
    'resourceId',
    `${ofPrepared}, occurredAt: { lt: "${lt}" } }`,
    4,
  )
  expect(old.map((row) => row['resourceId'])).toEqual(['R8'])
})

test('who did it is null for the system and for users who are gone, and others are shown beside them', async () => {
  const gone = uuidv7()
  const stranger = (await globex.as('USER')).userId
  const actors = [actor, null, gone, stranger, actor]
  const entries = actors.map((by, place) => ({ ...entry(place, 1, by), resource_type: 'Actors' }))
  await prepareRows(graph, acme.id, 'shared.audit_logs', entries)
  const email = (await officer.data<{ user: { email: string } }>(`{ user(id: "${actor}") { email } }`)).user
    .email
  const list = (fields: string) =>
    `{ auditLogs(filter: { resourceType: { eq: "Actors" } }) { nodes { resourceId user { ${fields} } } } }`
  const shown = (user: object) => ({
    auditLogs: {
      nodes: expect.arrayContaining(
        actors.map((by, place) => ({ resourceId: `R${place}`, user: by === actor ? user : null })),
      ) as unknown,
    },
  })
  expect(await officer.query(list('id'))).toEqual({ status: 200, data: shown({ id: actor }) })
  let answer: unknown
  const statements = await graph.statementsDuring(async () => {
    answer = await officer.query(list('id email'))
  })
  expect(answer).toEqual({ status: 200, data: shown({ id: actor, email }) })
  expect(statements.filter(({ text }) => text.includes('known_users'))).toHaveLength(1)
  const one = 'query ($id: ID!) { auditLog(id: $id) { resourceId user { id email } } }'
  expect(await officer.query(one, { id: entries[2]!.id })).toEqual({
    status: 200,
    data: { auditLog: { resourceId: 'R2', user: null } },
  })
  const byGone = `{ auditLogs(filter: { actorId: { eq: "${gone}" } }) { nodes { id user { email } } } }`
  expect(await officer.query(byGone)).toEqual({
    status: 200,
    data: { auditLogs: { nodes: [{ id: entries[2]!.id, user: null }] } },
  })
})

test('is filtered by actor, action and record', async () => {
  const read = async (filter: string) =>
    (await readAll(officer, 'auditLogs', 'resourceId', `filter: { ${filter} }`, 50)).map(
      (row) => row['resourceId'],
    )
  expect(await read(`actorId: { eq: "${actor}" }, action: { in: [VIEW] }`)).toEqual(
    expect.arrayContaining(['R1', 'R3', 'R5']),
  )
  expect(await read('resourceType: { eq: "Prepared" }, resourceId: { in: ["R2", "R4"] }')).toEqual([
    'R2',
    'R4',
  ])
})

test('reads the months in question only', async () => {
  const statements = await graph.statementsDuring(() => officer.data('{ auditLogs { nodes { id } } }'))
  const [list] = statements.filter(({ role }) => role === 'compliance')
  await graph.owner.query('BEGIN')
  await graph.owner.query("SELECT set_config('app.tenant_id', $1, true)", [acme.id])
  const explain = `EXPLAIN ${list!.text}`
  const { rows: plan } = await graph.owner.query<{ 'QUERY PLAN': string }>(explain, [...list!.values])
  await graph.owner.query('COMMIT')
  const months = new Set(plan.flatMap((line) => /audit_logs_\d{6}/.exec(line['QUERY PLAN']) ?? []))
  const { rows: partitions } = await graph.owner.query(
    "SELECT FROM pg_inherits WHERE inhparent = 'shared.audit_logs'::regclass",
  )
  expect(months.size).toBeLessThanOrEqual(5)
  expect(partitions.length).toBeGreaterThan(8)
})

describe('an entry by its id', () => {
  const query = 'query ($id: ID!) { auditLog(id: $id) { id resourceId action occurredAt user { id } } }'

  test('is found, however old', async () => {
    for (const row of [rows[0]!, rows.at(-1)!]) {
      expect(await officer.data(query, { id: row.id })).toEqual({
        auditLog: {
          id: row.id,
          resourceId: row.resource_id,
          action: row.action,
          occurredAt: row.occurred_at,
          user: { id: actor },
        },
      })
    }
  })

  test("is null for another tenant's, for one there is not, and for ids of other kinds", async () => {
    const stranger = await globex.as('COMPLIANCE_OFFICER')
    expect(await stranger.data(query, { id: rows[0]!.id })).toEqual({ auditLog: null })
    for (const id of [
      uuidv7(),
      '7d3f1f0e-5a4b-4c6d-8e9f-000000000000',
      'ffffffff-ffff-7fff-bfff-ffffffffffff',
    ])
      expect(await officer.data(query, { id })).toEqual({ auditLog: null })
  })

  test('reads one month', async () => {
    const { id } = rows[0]!
    const statements = await graph.statementsDuring(() => officer.data(query, { id }))
    const [found] = statements.filter(({ role }) => role === 'compliance')
    expect(found!.values).toContain(instantOf(id))
  })
})

test('what the graph writes can be looked up by its id', async () => {
  await change(officer, 'createComplianceRecord', { type: 'KYC', data: {} }, 'complianceRecord { id }')
  const { auditLogs } = await officer.data<{ auditLogs: { nodes: { id: string }[] } }>(
    '{ auditLogs(first: 1, filter: { resourceType: { eq: "ComplianceRecord" }, action: { in: [CREATE] } }) { nodes { id } } }',
  )
  const [{ id }] = auditLogs.nodes as [{ id: string }]
  expect(await officer.data('query ($id: ID!) { auditLog(id: $id) { action } }', { id })).toEqual({
    auditLog: { action: 'CREATE' },
  })
})

test('details need a right of their own', async () => {
  const query = `{ auditLogs(first: 1, ${ofPrepared} }) { nodes { resourceId changes ipAddress userAgent } } }`
  expect(await officer.data(query)).toEqual({
    auditLogs: {
      nodes: [
        { resourceId: 'R0', changes: { after: { place: 0 } }, ipAddress: '192.0.2.1', userAgent: 'test' },
      ],
    },
  })
  const user = await acme.user('VIEWER')
  await graph.owner.query(
    "UPDATE identity.users SET granted_permissions = '{compliance:audit:read}' WHERE id = $1",
    [user.userId],
  )
  graph.clock.advance({ minutes: 2 })
  const { data, errors } = await user.query(query)
  expect(data).toEqual({
    auditLogs: { nodes: [{ resourceId: 'R0', changes: null, ipAddress: null, userAgent: null }] },
  })
  expect(errors!.map(({ path, extensions }) => [path?.at(-1), extensions.code]).sort()).toEqual([
    ['changes', 'FORBIDDEN'],
    ['ipAddress', 'FORBIDDEN'],
    ['userAgent', 'FORBIDDEN'],
  ])
})

test('who may not read the audit trail gets none of it', async () => {
  const viewer = await acme.as('VIEWER')
  expect((await viewer.query('{ auditLogs { nodes { id } } }')).errors).toMatchObject([
    { path: ['auditLogs'], extensions: { code: 'FORBIDDEN' } },
  ])
  const { data, errors } = await viewer.query('{ viewer { id auditTrail { nodes { id } } } }')
  expect(data).toEqual({ viewer: { id: viewer.userId, auditTrail: null } })
  expect(errors).toMatchObject([{ path: ['viewer', 'auditTrail'], extensions: { code: 'FORBIDDEN' } }])
})

test('each user has a trail, and all trails of a page are read by one statement', async () => {
  interface Users {
    users: {
      nodes: { id: string; auditTrail: { totalCount: number; nodes: { resourceId: string | null }[] } }[]
    }
  }
  const query = `{ users(first: 50) { nodes { id auditTrail(first: 3, ${ofPrepared} }) { totalCount nodes { resourceId } } } } }`
  let answer: Users | undefined
  const statements = await graph.statementsDuring(async () => {
    answer = await officer.data<Users>(query)
  })
  const trails = new Map(answer!.users.nodes.map(({ id, auditTrail }) => [id, auditTrail]))
  expect(trails.size).toBeGreaterThan(2)
  expect(trails.get(actor)).toMatchObject({ totalCount: 7 })
  expect(trails.get(actor)!.nodes).toHaveLength(3)
  expect(trails.get(actor)!.nodes[0]).toEqual({ resourceId: 'R0' })
  expect(trails.get(officer.userId)).toEqual({ totalCount: 0, nodes: [] })
  // Rows and counts: two statements, for all users.
  expect(statements.filter(({ role }) => role === 'compliance')).toHaveLength(2)
})

describe('a denial', () => {
  const denied = async (tenantId: string, actorId: string) => {
    const { rows: found } = await graph.owner.query<{ resource_type: string; changes: object }>(
      `SELECT resource_type, changes FROM shared.audit_logs
        WHERE tenant_id = $1 AND actor_id = $2 AND action = 'DENY' ORDER BY occurred_at, id`,
      [tenantId, actorId],
    )
    return found
  }

  test('of a field is one entry for all rows, and the answer is as before', async () => {
    const viewer = await acme.user('VIEWER')
    await prepareRows(graph, acme.id, 'hr.employees', [
      { id: uuidv7(), employee_number: 'D-1' },
      { id: uuidv7(), employee_number: 'D-2' },
    ])
    const { errors } = await viewer.query(
      '{ employees(first: 2) { nodes { pay: salary { amount } performanceScore } } }',
    )
    // Once for a field of the operation (G14).
    expect(errors?.map(({ path }) => path)).toEqual([
      ['employees', 'nodes', 0, 'pay'],
      ['employees', 'nodes', 0, 'performanceScore'],
    ])
    expect(await denied(acme.id, viewer.userId)).toEqual([
      { resource_type: 'Employee', changes: { denied: ['performanceScore', 'salary'] } },
    ])
    const list = `{ auditLogs(filter: { action: { in: [DENY] }, actorId: { eq: "${viewer.userId}" } }) { nodes { changes user { id } } } }`
    expect(await officer.data(list)).toEqual({
      auditLogs: {
        nodes: [{ changes: { denied: ['performanceScore', 'salary'] }, user: { id: viewer.userId } }],
      },
    })
  })

  test('of a mutation and of a root field is an entry', async () => {
    const viewer = await acme.user('VIEWER')
    await viewer.query(
      'mutation { approveComplianceRecord(input: { id: "x", expectedVersion: 1, rationale: "y" }) { userErrors { code } } }',
    )
    await viewer.query('{ auditLogs { nodes { id } } }')
    expect(await denied(acme.id, viewer.userId)).toEqual([
      { resource_type: 'Mutation', changes: { denied: ['approveComplianceRecord'] } },
      { resource_type: 'Query', changes: { denied: ['auditLogs'] } },
    ])
  })

  test('again and again fills the trail only so far', async () => {
    const viewer = await acme.user('VIEWER')
    const fields = Array.from({ length: 70 }, () => viewer.query('{ auditLogs { nodes { id } } }'))
    for (const { errors } of await Promise.all(fields)) expect(errors).toHaveLength(1)
    expect(await denied(acme.id, viewer.userId)).toHaveLength(60)
  })
})

test('nobody changes or deletes an entry', async () => {
  for (const role of ['compliance', 'hr', 'identity'] as const) {
    const client = new Client({ connectionString: graph.database.urlFor(role) })
    await client.connect()
    await client.query("SELECT set_config('app.tenant_id', $1, false)", [acme.id])
    await expect(client.query('DELETE FROM shared.audit_logs')).rejects.toMatchObject({ code: '42501' })
    await expect(client.query("UPDATE shared.audit_logs SET action = 'VIEW'")).rejects.toMatchObject({
      code: '42501',
    })
    await client.end()
  }
})
