import { demoTenantIds, demoUserIds } from '../../database/demo/ids'
import type { Database, Statement } from '../../kernel/connection/database'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'

/** C2: what is read of data that is to be protected leaves one entry for each request and type, before the answer does. */
let graph: TestGraph
let admin: TestClient
let hr: TestClient
/** Set to let the trail refuse what is appended by reads. */
let isBroken = false

const isEntry = ({ text }: Statement) => text.startsWith('INSERT INTO shared.audit_logs')
const breakable = (database: Database): Database => ({
  ...database,
  rows: (binding, statement) =>
    isBroken && isEntry(statement) ? Promise.reject(new Error('no room')) : database.rows(binding, statement),
})

beforeAll(async () => {
  graph = await startGraph({ demo: true, around: (_, database) => breakable(database) })
  admin = await graph.demo('acme', 'admin')
  hr = await graph.demo('acme', 'hr')
  await admin.data('{ viewer { id } }')
})
afterAll(() => graph?.close())

interface Entry {
  resource_type: string
  resource_id: string | null
  actor_id: string
  tenant_id: string
  changes: { read: { fields: string[]; ids?: string[]; rows?: number; own?: string[] } }
}

/** The entries that the work adds to the trail, as it is in the database when the answer is there. */
async function entriesOf(work: () => Promise<unknown>): Promise<Entry[]> {
  const select = `SELECT tenant_id, resource_type, resource_id, actor_id, changes FROM shared.audit_logs
    WHERE action = 'VIEW' ORDER BY occurred_at, id`
  const { rows: before } = await graph.owner.query(select)
  await work()
  const { rows: after } = await graph.owner.query<Entry>(select)
  return after.slice(before.length)
}

interface Page {
  list: { nodes: { id: string; salary?: { amount: string } | null; email?: string | null }[] }
}

test('C2 fifty salaries and fifty customers: one entry for each type, with fields and the ids that were shown', async () => {
  let salaries: Page | undefined
  let customers: Page | undefined
  const entries = await entriesOf(async () => {
    salaries = await admin.data<Page>(
      '{ list: employees(first: 50) { nodes { id position performanceScore salary { amount } } } }',
    )
    customers = await admin.data<Page>(
      '{ list: customers(first: 50) { nodes { id company firstName email } } }',
    )
  })
  const shown = salaries!.list.nodes.map(({ id }) => id)
  expect(shown).toHaveLength(50)
  expect(
    entries.map(({ resource_type, resource_id, actor_id, tenant_id }) => [
      resource_type,
      resource_id,
      actor_id,
      tenant_id,
    ]),
  ).toEqual([
    ['Employee', null, admin.userId, demoTenantIds.acme],
    ['Customer', null, admin.userId, demoTenantIds.acme],
  ])
  const [ofEmployees, ofCustomers] = entries.map(({ changes }) => changes.read)
  expect(ofEmployees!.fields).toEqual(['performanceScore', 'salary'])
  expect(shown).toEqual(expect.arrayContaining(ofEmployees!.ids!))
  const paid = salaries!.list.nodes.filter(({ salary }) => salary).map(({ id }) => id)
  expect(paid.length).toBeGreaterThan(30)
  expect(ofEmployees!.ids).toEqual(expect.arrayContaining(paid))
  expect(ofCustomers!.fields).toEqual(['email', 'firstName'])
  expect(customers!.list.nodes.map(({ id }) => id)).toEqual(expect.arrayContaining(ofCustomers!.ids!))
  // Never a value.
  expect(JSON.stringify(entries)).not.toContain('@')
})

test('C2 several types in one request are one entry each, in one statement for each subgraph', async () => {
  const query =
    '{ employees(first: 3) { nodes { salary { amount } user { phone preferences } } } viewer { preferences } }'
  const sent = await graph.statementsDuring(() => admin.data(query))
  const appended = sent.filter(isEntry).map(({ role }) => role)
  expect(appended.filter((role) => role === 'hr')).toEqual(['hr'])
  const entries = await entriesOf(() => admin.data(query))
  expect(new Set(entries.map(({ resource_type }) => resource_type))).toEqual(new Set(['Employee', 'User']))
})

test('C2 what is refused, null or not asked for is no read', async () => {
  const entries = await entriesOf(async () => {
    await admin.data('{ employees(first: 20) { nodes { id position firstName fullName } } }')
    const viewer = await graph.demo('acme', 'viewer')
    const answer = await viewer.query('{ employees(first: 20) { nodes { id performanceScore } } }')
    expect(answer.errors?.length).toBeGreaterThan(0)
    await admin.data(`{ user(id: "${demoUserIds.acme.hr}") { phone } }`)
  })
  expect(entries).toEqual([])
  const { rows } = await graph.owner.query<{ id: string }>(
    'UPDATE insights.customers SET email = NULL WHERE id = (SELECT min(id::text)::uuid FROM insights.customers WHERE tenant_id = $1) RETURNING id',
    [demoTenantIds.acme],
  )
  const nothing = () => admin.data(`{ customer(id: "${rows[0]!.id}") { email } }`)
  expect(await entriesOf(nothing)).toEqual([])
})

test('C2 one row is named by the entry itself, and the viewer reading themselves is told apart', async () => {
  const { rows } = await graph.owner.query<{ id: string }>(
    'SELECT id FROM hr.employees WHERE tenant_id = $1 AND user_id = $2',
    [demoTenantIds.acme, hr.userId],
  )
  const own = rows[0]!.id
  const query = `{ employee(id: "${own}") { salary { amount } } }`
  const read = { fields: ['salary'], ids: [own] }
  const [byOneself] = await entriesOf(() => hr.data(query))
  expect(byOneself).toMatchObject({
    resource_id: own,
    actor_id: hr.userId,
    changes: { read: { ...read, own: [own] } },
  })
  const [byAnother] = await entriesOf(() => admin.data(query))
  expect(byAnother).toMatchObject({ resource_id: own, actor_id: admin.userId, changes: { read } })
  expect(byAnother!.changes.read.own).toBeUndefined()
  const [account] = await entriesOf(() => hr.data('{ viewer { preferences } }'))
  expect(account).toMatchObject({ resource_type: 'User', changes: { read: { own: [hr.userId] } } })
})

test('C2 reading the trail leaves an entry without the ids of entries, and no more than one', async () => {
  const query = '{ auditLogs(first: 50) { nodes { id changes ipAddress } } }'
  const [entry, ...others] = await entriesOf(() => admin.data(query))
  expect(others).toEqual([])
  expect(entry).toMatchObject({
    resource_type: 'AuditLog',
    resource_id: null,
    changes: { read: { fields: ['changes', 'ipAddress'], rows: 50 } },
  })
  expect(entry!.changes.read.ids).toBeUndefined()
  expect(await entriesOf(() => admin.data('{ auditLogs(first: 50) { nodes { id action } } }'))).toEqual([])
})

test('C2 what a mutation answers is read as well', async () => {
  const { employees } = await admin.data<{ employees: { nodes: { id: string; version: number }[] } }>(
    '{ employees(first: 1, filter: { isActive: { eq: true } }) { nodes { id version } } }',
  )
  const [{ id, version }] = employees.nodes as [{ id: string; version: number }]
  const entries = await entriesOf(() =>
    admin.data(
      `mutation { updateEmployee(input: { id: "${id}", expectedVersion: ${version}, position: "Gardener" }) {
        employee { salary { amount } } userErrors { message } } }`,
    ),
  )
  expect(entries.length).toBeLessThanOrEqual(1)
  for (const entry of entries)
    expect(entry).toMatchObject({ resource_id: id, changes: { read: { fields: ['salary'] } } })
})

test('C2 however a document is executed, its reads are recorded', async () => {
  const hrSubgraph = graph.server.subgraphs.get('hr')!
  const { parse } = await import('graphql')
  const context = {
    requestId: 'executed by graphql-js',
    viewer: {
      tenantId: demoTenantIds.acme,
      userId: admin.userId,
      sessionId: null,
      permissionVersion: 1,
      scopes: new Set(['hr:employee:read', 'hr:salary:read', 'hr:performance:read']),
    },
    clientIp: null,
    userAgent: null,
    clock: graph.clock,
    log: graph.server.services.log,
  }
  // Introspection beside it is left to graphql-js.
  const document = parse(
    '{ __type(name: "Employee") { name } employees(first: 5) { nodes { salary { amount } performanceScore } } }',
  )
  const [entry] = await entriesOf(() => hrSubgraph.execute({ document, context }))
  expect(entry).toMatchObject({
    resource_type: 'Employee',
    changes: { read: { fields: ['performanceScore', 'salary'] } },
  })
})

/** What is added up of pay is read too: the entry names fields, groups and how many rows, and no row. */
const payByDepartment = `{ summary: employeeSummary(groupBy: [DEPARTMENT]) {
  total { count salary { currency sum { amount } } } groups { count key { department { id } } salary { sum { amount } } performanceScore { average } }
} }`

test('13.2 a summary of pay leaves an entry with fields, groups and rows, and without ids; counts alone leave none', async () => {
  interface Answer {
    summary: {
      total: { count: number }
      groups: { salary: unknown[] | null; performanceScore: object | null }[]
    }
  }
  let answer: Answer | undefined
  const entries = await entriesOf(async () => (answer = await admin.data<Answer>(payByDepartment)))
  const { total, groups } = answer!.summary
  const shown = groups.filter(({ salary, performanceScore }) => salary || performanceScore).length
  expect(shown).toBeGreaterThan(0)
  expect(entries).toMatchObject([
    {
      resource_type: 'Employee',
      resource_id: null,
      changes: {
        read: {
          fields: ['performanceScore', 'salary'],
          by: ['department'],
          groups: shown + 1,
          rows: total.count,
        },
      },
    },
  ])
  expect(Object.keys(entries[0]!.changes.read).sort()).toEqual(['by', 'fields', 'groups', 'rows'])
  // From the cache it is read as well.
  expect(await entriesOf(() => admin.data(payByDepartment))).toHaveLength(1)
  const counted = '{ employeeSummary(groupBy: [DEPARTMENT]) { total { count } groups { count } } }'
  expect(await entriesOf(() => admin.data(counted))).toEqual([])
})

test('13.2 what a request reads of a type in two steps: the later entry tells all of it', async () => {
  const hrSubgraph = graph.server.subgraphs.get('hr')!
  const { parse } = await import('graphql')
  const context = {
    requestId: 'in two steps',
    viewer: {
      tenantId: demoTenantIds.acme,
      userId: admin.userId,
      sessionId: null,
      permissionVersion: 1,
      scopes: new Set(['hr:employee:read', 'hr:salary:read', 'hr:performance:read']),
    },
    clientIp: null,
    userAgent: null,
    clock: graph.clock,
    log: graph.server.services.log,
  }
  const { list } = await admin.data<Page>('{ list: employees(first: 4) { nodes { id } } }')
  const ids = list.nodes.map(({ id }) => id)
  const step = (some: string[]) =>
    hrSubgraph.execute({
      document: parse(
        'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Employee { salary { amount } } } }',
      ),
      variables: { r: some.map((id) => ({ __typename: 'Employee', id })) },
      context,
    })
  const entries = await entriesOf(async () => {
    await step(ids.slice(0, 2))
    await step(ids.slice(2))
    await step(ids.slice(1, 3))
  })
  expect(entries.map(({ changes }) => changes.read.ids)).toEqual([ids.slice(0, 2), ids])
})

describe('C2 when the trail cannot be written', () => {
  beforeEach(() => {
    isBroken = true
  })
  afterEach(() => {
    isBroken = false
  })

  test('pay and assessments are not told, what is less is', async () => {
    const entries = await entriesOf(async () => {
      const refused = await admin.query<Page>(
        '{ list: employees(first: 5) { nodes { id salary { amount } } } }',
      )
      expect(refused.data).toEqual({ list: null })
      expect(refused.errors?.map(({ message, extensions }) => [extensions.code, message])).toEqual([
        [
          'SUBGRAPH_UNAVAILABLE',
          'Reads of this data cannot be recorded at present, so it is not told. Try again.',
        ],
      ])
      const summary = await admin.query(payByDepartment)
      expect(summary.data).toEqual({ summary: null })
      const told = await admin.data<Page>('{ list: customers(first: 5) { nodes { id email } } }')
      expect(told.list.nodes).toHaveLength(5)
      const plain = await admin.data<Page>('{ list: employees(first: 5) { nodes { id position } } }')
      expect(plain.list.nodes).toHaveLength(5)
    })
    expect(entries).toEqual([])
  })
})

test('C2 requests at once share statements, and each answer waits for its own entry', async () => {
  let count = 0
  const sent = await graph.statementsDuring(async () => {
    const entries = await entriesOf(() =>
      Promise.all(
        Array.from({ length: 40 }, () =>
          admin.data('{ employees(first: 2) { nodes { salary { amount } } } }'),
        ),
      ),
    )
    count = entries.length
  })
  expect(count).toBe(40)
  expect(sent.filter(isEntry).length).toBeLessThan(40)
})

test('C2 of two steps at once that read the same, neither tells what is not written down', async () => {
  const { parse } = await import('graphql')
  const { list } = await admin.data<Page>('{ list: employees(first: 1) { nodes { id } } }')
  const context = {
    requestId: 'two at once',
    viewer: {
      ...{ tenantId: demoTenantIds.acme, userId: admin.userId, sessionId: null, permissionVersion: 1 },
      scopes: new Set(['hr:employee:read', 'hr:salary:read']),
    },
    ...{ clientIp: null, userAgent: null, clock: graph.clock, log: graph.server.services.log },
  }
  const step = () =>
    graph.server.subgraphs.get('hr')!.execute({
      document: parse(
        'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Employee { salary { amount } } } }',
      ),
      variables: { r: [{ __typename: 'Employee', id: list.nodes[0]!.id }] },
      context,
    })
  isBroken = true
  const answers = await Promise.all([step(), step(), step()]).finally(() => (isBroken = false))
  expect(answers.map(({ data }) => data ?? null)).toEqual([null, null, null])
  // Written once, it stands for all of them.
  const entries = await entriesOf(() => Promise.all([step(), step(), step()]))
  expect(entries.map(({ changes }) => changes.read.ids)).toEqual([[list.nodes[0]!.id]])
})

describe('8 what tells a value without showing its field is a read', () => {
  const idsOf = (entries: readonly Entry[]) =>
    entries.map(({ resource_type, changes }) => [resource_type, changes.read.fields, changes.read.ids])

  test('a cursor, which holds what the list is ordered by', async () => {
    const list = (selected: string) =>
      `{ customers(first: 3, orderBy: { field: LAST_NAME }) { ${selected} } }`
    const found = await admin.data<{ customers: { nodes: { id: string }[] } }>(list('nodes { id }'))
    const ids = found.customers.nodes.map(({ id }) => id)
    expect(idsOf(await entriesOf(() => admin.data(list('edges { cursor }'))))).toEqual([
      ['Customer', expect.arrayContaining(['lastName']), ids],
    ])
    const [[, , ends]] = idsOf(
      await entriesOf(() => admin.data(list('pageInfo { startCursor endCursor }'))),
    ) as [unknown[]]
    expect(ends).toEqual([ids[0], ids[2]])
    // The rows alone, and cursors of another order, tell nothing.
    const others = await entriesOf(async () => {
      await admin.data(list('nodes { id } pageInfo { hasNextPage }'))
      await admin.data('{ customers(first: 3) { edges { cursor } } }')
    })
    expect(others).toEqual([])
  })

  test('a cursor that somebody wrote, behind which rows lie or do not', async () => {
    const cursor = (name: string, keys: string[]) =>
      Buffer.from(JSON.stringify([2, name, keys, 'ffffffff-ffff-7fff-bfff-ffffffffffff'])).toString(
        'base64url',
      )
    const asked = (after: string, orderBy: string) =>
      `{ customers(first: 1, after: "${after}"${orderBy}) { nodes { id } } }`
    for (const [letter, rows] of [
      ['a', 1],
      ['鿿', 0],
    ] as const) {
      const behind = asked(cursor('lastName ASC', [letter]), ', orderBy: { field: LAST_NAME }')
      const [[type, fields, ids], ...others] = idsOf(await entriesOf(() => admin.data(behind))) as [unknown[]]
      expect([type, fields, (ids as string[]).length, others]).toEqual(['Customer', ['lastName'], rows, []])
    }
    const list = '{ customers(first: 1) { pageInfo { endCursor } } }'
    const { customers } = await admin.data<{ customers: { pageInfo: { endCursor: string } } }>(list)
    expect(await entriesOf(() => admin.data(asked(customers.pageInfo.endCursor, '')))).toEqual([])
  })

  test('a condition, whether it finds rows or none, whatever is shown of them', async () => {
    const filters = [
      '{ phone: { eq: "+49 30 4711" } }',
      '{ or: [{ status: { eq: ACTIVE } }, { phone: { in: ["1"] } }] }',
      '{ not: { phone: { isNull: true } } }',
    ]
    for (const filter of filters)
      for (const selected of ['nodes { id }', 'totalCount', 'pageInfo { hasNextPage }']) {
        const query = `{ users(first: 2, filter: ${filter}) { ${selected} } }`
        const [entry, ...others] = await entriesOf(() => admin.data(query))
        expect([query, entry?.changes.read.fields, others]).toEqual([query, ['phone'], []])
        if (selected === 'totalCount') expect(entry!.changes.read.ids).toEqual([])
      }
    expect(
      await entriesOf(() => admin.data('{ users(filter: { status: { eq: ACTIVE } }) { totalCount } }')),
    ).toEqual([])
  })

  test('a condition of a summary, and of a list under another row', async () => {
    const summed = '{ customerSummary(filter: { email: { startsWith: "a" } }) { total { count } } }'
    expect(idsOf(await entriesOf(() => admin.data(summed)))).toEqual([['Customer', ['email'], []]])
    const nested = '{ tenant { customers(first: 2, filter: { email: { contains: "@" } }) { nodes { id } } } }'
    const [entry, ...others] = await entriesOf(() => admin.data(nested))
    expect(others).toEqual([])
    expect(entry).toMatchObject({
      resource_type: 'Customer',
      changes: { read: { fields: ['email'], ids: { length: 2 } } },
    })
  })

  test('the words that a list is searched for', async () => {
    const found = '{ customers(first: 2, filter: { search: "a" }) { nodes { id } } }'
    const [entry] = await entriesOf(() => admin.data(found))
    expect(entry).toMatchObject({ resource_type: 'Customer', changes: { read: { ids: { length: 2 } } } })
  })

  test('a passage that a search shows, and that it finds nothing', async () => {
    const search = (words: string, selected: string) =>
      `{ search: searchCustomerInteractions(first: 2, query: "${words}") { ${selected} } }`
    const { rows } = await graph.owner.query<{ word: string }>(
      `SELECT substring(content from '[[:alpha:]]{6,}') AS word FROM insights.customer_interactions
        WHERE tenant_id = $1 AND content ~ '[[:alpha:]]{6,}' LIMIT 1`,
      [demoTenantIds.acme],
    )
    const { word } = rows[0]!
    let found: { search: { nodes: { id: string }[] } } | undefined
    const shown = await entriesOf(async () => {
      found = await admin.data(search(word, 'nodes { id }'))
    })
    const ids = found!.search.nodes.map(({ id }) => id)
    expect(ids.length).toBeGreaterThan(0)
    expect(idsOf(shown)).toEqual([['CustomerInteraction', ['content'], ids]])
    expect(idsOf(await entriesOf(() => admin.data(search(word, 'edges { highlight }'))))).toEqual([
      ['CustomerInteraction', ['content'], ids],
    ])
    expect(idsOf(await entriesOf(() => admin.data(search('zzqqxx', 'totalCount'))))).toEqual([
      ['CustomerInteraction', ['content'], []],
    ])
  })
})
