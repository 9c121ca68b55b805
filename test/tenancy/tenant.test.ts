import { parse } from 'graphql'
import type { RequestContext } from '../../kernel/context'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { countryRows } from '../../migrations/reference/countries'
import { industryRows } from '../../migrations/reference/industries'
import { change, readAll, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let globex: TestTenant
let admin: TestClient

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  globex = await graph.tenant('globex')
  admin = await acme.as('ADMIN')
})

afterAll(() => graph.close())

interface Tenant {
  id: string
  version: number
}

async function version(): Promise<number> {
  const { tenant } = await admin.data<{ tenant: Tenant }>('{ tenant { version } }')
  return tenant.version
}

async function stored(id: string): Promise<Record<string, unknown>> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    'SELECT * FROM tenancy.tenants WHERE id = $1',
    [id],
  )
  return rows[0]!
}

/** A request as the gateway makes it, to ask one subgraph. */
function requestOf(scopes: readonly string[]): RequestContext {
  return {
    requestId: 'test',
    viewer: {
      tenantId: acme.id,
      userId: admin.userId,
      sessionId: null,
      permissionVersion: 1,
      scopes: new Set(scopes),
    },
    clientIp: null,
    userAgent: null,
    clock: graph.clock,
    log: graph.server.services.log,
  }
}

test('the tenant is the one of the token', async () => {
  const query = `{ tenant {
    id name slug plan status industry size region complianceLevel isActive trialEndsAt
    settings limits usage metadata enabledModules version
  } }`
  const defaults = {
    plan: 'STARTER',
    status: 'ACTIVE',
    industry: null,
    size: null,
    region: null,
    complianceLevel: null,
    isActive: true,
    trialEndsAt: null,
    settings: {},
    limits: {},
    usage: {},
    metadata: {},
    enabledModules: ['crm', 'erp'],
    version: 1,
  }
  const other = await globex.as('VIEWER')
  expect(await other.data(query)).toEqual({
    tenant: { id: globex.id, name: 'globex Ltd', slug: 'globex', ...defaults },
  })
  const viewer = await acme.as('VIEWER')
  expect(await viewer.data(query)).toEqual({
    tenant: { id: acme.id, name: 'acme Ltd', slug: 'acme', ...defaults },
  })
})

test('its profile is changed, the rest and the other tenants stay', async () => {
  const expectedVersion = await version()
  const changes = {
    expectedVersion,
    industry: 'Manufacturing',
    size: 'MID_MARKET',
    region: 'Europe',
    complianceLevel: 'ADVANCED',
    settings: { locale: 'de-DE', nested: { list: [1, null, 'ä'] } },
    enabledModules: ['crm'],
  }
  const { expectedVersion: _, ...expected } = changes
  const selection = 'tenant { name industry size region complianceLevel settings enabledModules version }'
  expect(await change(admin, 'updateTenant', changes, selection)).toEqual({
    ...expected,
    name: 'acme Ltd',
    version: expectedVersion + 1,
  })
  const cleared = { expectedVersion: expectedVersion + 1, industry: null }
  expect(await change(admin, 'updateTenant', cleared, 'tenant { industry region }')).toEqual({
    industry: null,
    region: 'Europe',
  })
  expect(await stored(globex.id)).toMatchObject({ industry: null, version: 1 })
})

test('a change stands in the audit trail with before and after', async () => {
  await change(admin, 'updateTenant', { expectedVersion: await version(), region: 'Asia' }, 'tenant { id }')
  const { rows } = await graph.owner.query<{ changes: object }>(
    "SELECT changes FROM shared.audit_logs WHERE resource_type = 'Tenant' AND changes->'after'->>'region' = 'Asia'",
  )
  expect(rows).toMatchObject([{ changes: { after: { region: 'Asia' } } }])
})

test('a stale version changes nothing', async () => {
  const before = await stored(acme.id)
  const errors = await userErrors(admin, 'updateTenant', { expectedVersion: 0, name: 'Stale' })
  expect(errors).toMatchObject([{ code: 'STALE_VERSION', field: ['expectedVersion'] }])
  expect(await stored(acme.id)).toEqual(before)
})

test.each([
  ['an empty name', 'name', ''],
  ['a long name', 'name', 'x'.repeat(256)],
  ['no name', 'name', null],
  ['a long industry', 'industry', 'x'.repeat(101)],
  ['a long region', 'region', 'x'.repeat(101)],
  ['settings that are a list', 'settings', ['no object']],
  ['no settings', 'settings', null],
  ['metadata that are a text', 'metadata', 'no object'],
  ['too many modules', 'enabledModules', Array.from({ length: 101 }, () => 'crm')],
])('%s is refused by the name of its field', async (_, field, value) => {
  const before = await stored(acme.id)
  const input = { expectedVersion: before['version'], [field]: value }
  const errors = await userErrors(admin, 'updateTenant', input)
  expect(errors).toMatchObject([{ code: 'INVALID', field: [field] }])
  expect(await stored(acme.id)).toEqual(before)
})

test('a module with a name of more than 100 characters is refused by its place', async () => {
  const before = await stored(acme.id)
  const expectedVersion = before['version']
  const enabledModules = ['crm', 'x'.repeat(101)]
  expect(await userErrors(admin, 'updateTenant', { expectedVersion, enabledModules })).toEqual([
    {
      code: 'INVALID',
      field: ['enabledModules', '1'],
      message: 'enabledModules must have at most 100 characters',
    },
  ])
  expect(await stored(acme.id)).toEqual(before)
})

test.each(['slug', 'plan', 'status', 'limits', 'usage', 'isActive', 'id'])(
  '%s cannot be changed here',
  async (field) => {
    const operation = `mutation { updateTenant(input: { expectedVersion: 1, ${field}: null }) { tenant { id } } }`
    const { errors } = await admin.query(operation)
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  },
)

test('who may only read it cannot change it, and nobody reads it without signing in', async () => {
  const before = await stored(acme.id)
  const mutation = `mutation { updateTenant(input: { expectedVersion: ${Number(before['version'])}, name: "Mine" }) { tenant { id } } }`
  const viewer = await acme.as('VIEWER')
  expect((await viewer.query(mutation)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect((await graph.anonymous.query(mutation)).errors).toMatchObject([
    { extensions: { code: 'UNAUTHENTICATED' } },
  ])
  expect(await graph.anonymous.query('{ tenant { id } }')).toMatchObject({
    data: { tenant: null },
    errors: [{ path: ['tenant'], extensions: { code: 'UNAUTHENTICATED' } }],
  })
  expect(await stored(acme.id)).toEqual(before)
})

test('asking for a tenant by its id gives the own one only', async () => {
  const tenancy = graph.server.subgraphs.get('tenancy')!
  const { rows } = await graph.owner.query<{ tenants: number }>(
    'SELECT count(*)::int AS tenants FROM tenancy.tenants',
  )
  expect(rows).toEqual([{ tenants: 2 }])
  // Without row level security the row rule alone must hold.
  await graph.owner.query(
    'ALTER TABLE tenancy.tenants NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY',
  )
  try {
    const { data, errors } = await tenancy.execute({
      document: parse(
        'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Tenant { id slug } } }',
      ),
      variables: { r: [acme.id, globex.id].map((id) => ({ __typename: 'Tenant', id })) },
      context: requestOf(['tenancy:tenant:read']),
    })
    expect(errors).toBeUndefined()
    expect(data).toEqual({ _entities: [{ id: acme.id, slug: 'acme' }, null] })
  } finally {
    await graph.owner.query('ALTER TABLE tenancy.tenants FORCE ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY')
  }
})

describe('countries', () => {
  test.each([
    ['AF', 'AFG', '004', 'Afghanistan'],
    ['AX', 'ALA', '248', 'Åland Islands'],
    ['BQ', 'BES', '535', 'Caribbean Netherlands'],
    ['CD', 'COD', '180', 'Congo - Kinshasa'],
    ['CH', 'CHE', '756', 'Switzerland'],
    ['DE', 'DEU', '276', 'Germany'],
    ['GB', 'GBR', '826', 'United Kingdom'],
    ['SS', 'SSD', '728', 'South Sudan'],
    ['TR', 'TUR', '792', 'Türkiye'],
    ['US', 'USA', '840', 'United States'],
    ['ZW', 'ZWE', '716', 'Zimbabwe'],
  ])('%s is %s, %s, %s', async (isoCode2, isoCode3, isoNumeric, name) => {
    const viewer = await acme.as('VIEWER')
    const country = { isoCode2, isoCode3, isoNumeric, name, isActive: true }
    const selection = 'isoCode2 isoCode3 isoNumeric name isActive'
    for (const filter of [`isoCode2: { eq: "${isoCode2}" }`, `isoNumeric: { in: ["${isoNumeric}"] }`])
      expect(await readAll(viewer, 'countries', selection, `filter: { ${filter} }`)).toEqual([country])
  })

  test('are the 249 of ISO 3166-1, each code once', async () => {
    const rows = await readAll(admin, 'countries', 'id isoCode2 isoCode3 isoNumeric name', '', 100)
    expect(rows).toHaveLength(249)
    expect(countryRows).toHaveLength(249)
    for (const key of ['id', 'isoCode2', 'isoCode3', 'isoNumeric', 'name'])
      expect(new Set(rows.map((row) => row[key])).size).toBe(249)
    // The sum of all numeric codes: a wrong digit anywhere changes it.
    expect(countryRows.reduce((sum, { isoNumeric }) => sum + Number(isoNumeric), 0)).toBe(108025)
  })

  test('are found by a part of name or code, and by id', async () => {
    const found = await readAll(admin, 'countries', 'id name', 'filter: { search: "ger" }')
    expect(found.map(({ name }) => name)).toEqual(['Algeria', 'Germany', 'Niger', 'Nigeria'])
    const query = 'query ($id: ID!) { country(id: $id) { name } }'
    expect(await admin.data(query, { id: found[1]!['id'] })).toEqual({ country: { name: 'Germany' } })
    expect(await admin.data(query, { id: acme.id })).toEqual({ country: null })
  })
})

describe('industries', () => {
  test('are the 21 sections and 88 divisions of ISIC, Rev. 4', async () => {
    const rows = await readAll(admin, 'industries', 'code name level parent { code }', '', 100)
    expect(rows).toHaveLength(109)
    expect(rows.filter(({ level }) => level === 'SECTION').map(({ code }) => code)).toEqual([
      ...'ABCDEFGHIJKLMNOPQRSTU',
    ])
    expect(
      rows.map(({ code, name, parent }) => ({
        code,
        name,
        section: (parent as { code: string } | null)?.code ?? null,
      })),
    ).toEqual([...industryRows].sort((a, b) => (a.code < b.code ? -1 : 1)))
  })

  test.each([
    ['05', 'Mining of coal and lignite', 'B'],
    ['21', 'Manufacture of basic pharmaceutical products and pharmaceutical preparations', 'C'],
    ['62', 'Computer programming, consultancy and related activities', 'J'],
    ['99', 'Activities of extraterritorial organizations and bodies', 'U'],
  ])('division %s is %s', async (code, name, section) => {
    const filter = `filter: { code: { eq: "${code}" } }`
    expect(await readAll(admin, 'industries', 'name level parent { code level }', filter)).toEqual([
      { name, level: 'DIVISION', parent: { code: section, level: 'SECTION' } },
    ])
  })

  test('are found by level, section and a part of the name', async () => {
    const sections = await readAll(admin, 'industries', 'id code', 'filter: { level: { eq: SECTION } }', 100)
    const mining = sections.find(({ code }) => code === 'B')!['id']
    expect(
      await readAll(admin, 'industries', 'code', `filter: { parentId: { eq: "${String(mining)}" } }`),
    ).toEqual(['05', '06', '07', '08', '09'].map((code) => ({ code })))
    expect(await readAll(admin, 'industries', 'code', 'filter: { search: "TEXTILE" }')).toEqual([
      { code: '13' },
    ])
  })

  test('all sections, their divisions and the counts of these are three statements', async () => {
    const query = `{ industries(first: 21, filter: { level: { eq: SECTION } }) {
      nodes { code divisions(first: 50) { totalCount nodes { code } } }
    } }`
    let answer: { industries: { nodes: { divisions: { nodes: unknown[]; totalCount: number } }[] } }
    const sent = await graph.statementsDuring(async () => (answer = await admin.data(query)))
    expect(sent.filter(({ role }) => role === 'tenancy')).toHaveLength(3)
    const counts = answer!.industries.nodes.map(({ divisions }) => divisions.nodes.length)
    expect(counts).toEqual([3, 5, 24, 1, 4, 3, 3, 5, 2, 6, 3, 1, 7, 6, 1, 1, 3, 4, 3, 2, 1])
    expect(answer!.industries.nodes.map(({ divisions }) => divisions.totalCount)).toEqual(counts)
  })
})

test('reference data are for everybody who is signed in, and for nobody to change', async () => {
  const user = await acme.user()
  const stranger = await globex.as('ADMIN')
  for (const list of ['countries', 'industries']) {
    const query = `{ ${list} { nodes { id } } }`
    expect(await user.data(query)).toEqual(await stranger.data(query))
    const { data, errors } = await graph.anonymous.query(query)
    expect({ data, errors }).toMatchObject({
      data: { [list]: null },
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    })
  }
  const { rows } = await graph.owner.query(
    `SELECT table_name, privilege_type, grantee FROM information_schema.role_table_grants
      WHERE table_name IN ('countries', 'industries') AND grantee LIKE 'app\\_%' AND grantee <> 'app_owner' ORDER BY 1`,
  )
  expect(rows).toEqual(
    ['countries', 'industries'].map((table_name) => ({
      table_name,
      privilege_type: 'SELECT',
      grantee: 'app_tenancy',
    })),
  )
})
