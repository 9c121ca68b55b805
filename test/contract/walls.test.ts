import { Client } from 'pg'
import { assertIsolated } from '../../database/isolation-check'
import { demoTenantIds } from '../../database/demo/ids'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { startGraph, type TestGraph } from '../support/graph'

/**
 * The walls between tenants and between viewers, taken away one at a time: which of the others holds then, and that
 * the tests would notice if it did not.
 */
let graph: TestGraph
let hr: Database

beforeAll(async () => {
  graph = await startGraph({ demo: true })
  hr = await openDatabase({
    url: graph.database.urlFor('hr'),
    entities: [],
    connections: 2,
    applicationName: 'walls',
  })
})
afterAll(async () => {
  await hr?.close()
  await graph?.close()
})

/** Employees of each tenant that a statement without a tenant of its own finds. */
async function found(): Promise<Record<string, number>> {
  const rows = await hr.rows(
    { tenantId: demoTenantIds.acme },
    { text: 'SELECT tenant_id::text, count(*)::int FROM hr.employees GROUP BY 1 ORDER BY 1' },
  )
  return Object.fromEntries(rows as [string, number][])
}

async function throughTheGraph(): Promise<number> {
  const admin = await graph.demo('acme', 'admin')
  return (await admin.data<{ employees: { totalCount: number } }>('{ employees { totalCount } }')).employees
    .totalCount
}

async function withOwner(statements: string[], work: () => Promise<void>, undo: string[]): Promise<void> {
  for (const statement of statements) await graph.owner.query(statement)
  try {
    await work()
  } finally {
    for (const statement of undo) await graph.owner.query(statement)
  }
}

async function gate(): Promise<void> {
  const client = new Client({ connectionString: graph.database.migratorUrl })
  await client.connect()
  try {
    await assertIsolated(client)
  } finally {
    await client.end()
  }
}

it('without the explicit predicate, row level security holds', async () => {
  expect(await found()).toEqual({ [demoTenantIds.acme]: 240 })
})

it('without row level security, the explicit predicate holds, and the product does not start', async () => {
  await withOwner(
    ['ALTER TABLE hr.employees DISABLE ROW LEVEL SECURITY'],
    async () => {
      expect(await throughTheGraph()).toBe(240)
      expect(await found()).toEqual({ [demoTenantIds.acme]: 240, [demoTenantIds.globex]: 180 })
      await expect(gate()).rejects.toThrow('hr.employees: row level security is not enabled and forced')
    },
    ['ALTER TABLE hr.employees ENABLE ROW LEVEL SECURITY'],
  )
  await expect(gate()).resolves.toBeUndefined()
})

it('without its policy, a table shows nothing at all, and the product does not start', async () => {
  await withOwner(
    ['ALTER POLICY tenant ON hr.employees RENAME TO gone', 'ALTER POLICY gone ON hr.employees USING (false)'],
    async () => {
      expect(await found()).toEqual({})
      await expect(gate()).rejects.toThrow('hr.employees lacks the policy tenant')
    },
    [
      "ALTER POLICY gone ON hr.employees USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
      'ALTER POLICY gone ON hr.employees RENAME TO tenant',
    ],
  )
  expect(await found()).toEqual({ [demoTenantIds.acme]: 240 })
})

it('without a tenant, nothing can be read', async () => {
  await expect(hr.rows({ tenantId: null }, { text: 'SELECT 1 FROM hr.employees' })).rejects.toMatchObject({
    code: '22P02',
  })
})

it('without the shield, salaries show: the rule is what hides them', async () => {
  const query = '{ employees(first: 1) { nodes { salary { amount } } } }'
  const guarded = await (await graph.demo('acme', 'viewer')).query(query)
  expect(guarded.errors!.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN'])
  const open = await startGraph({ demo: true, variants: { hr: { guard: (schema) => schema } } })
  try {
    const { employees } = await (
      await open.demo('acme', 'viewer')
    ).data<{ employees: { nodes: { salary: object }[] } }>(query)
    expect(employees.nodes[0]!.salary).toEqual({ amount: expect.any(String) as string })
  } finally {
    await open.close()
  }
})
