import { parse } from 'graphql'
import type { RequestContext } from '../../subgraphs/shared/context'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'

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

test.each(['slug', 'plan', 'status', 'limits', 'usage', 'isActive', 'id'])(
  '%s cannot be changed here',
  async (field) => {
    const operation = `mutation { updateTenant(input: { expectedVersion: 1, ${field}: null }) { tenant { id } } }`
    const { errors } = await admin.query(operation)
    expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }])
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
