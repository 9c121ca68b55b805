import { openDatabase, type Database } from '../../kernel/connection/database'
import { dueDeletions } from '../../subgraphs/tenancy/jobs/due-deletions'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, userErrors } from '../support/lists'
import { operatorClient } from '../support/operator'

/** Issue 17: a tenant goes with its files and leaves a receipt, and does not go while something of it is held. */
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

const deletion = async ({ id, slug }: TestTenant) => {
  const { one } = await operator.data<{ one: { version: number } }>(
    `{ one: platformTenant(id: "${id}") { version } }`,
  )
  return { id, slug, expectedVersion: one.version, reason: 'Contract over', graceDays: 7 }
}
/** The days of grace are over, as far as the database can tell. */
const makeDue = (id: string) =>
  graph.owner.query(
    `UPDATE tenancy.tenants SET status = 'CANCELLED', status_reason = 'Contract over', status_changed_at = now() - interval '8 days',
       deletion_due_at = now() - interval '1 minute' WHERE id = $1`,
    [id],
  )
const isThere = async (id: string) =>
  (await graph.owner.query('SELECT FROM tenancy.tenants WHERE id = $1', [id])).rowCount === 1
const files = async (id: string) => {
  const keys: string[] = []
  for await (const key of graph.server.services.blobs.of(id).list('')) keys.push(key)
  return keys
}
const receipts = async (id: string) =>
  (
    await graph.owner.query<{ details: { rows: Record<string, number>; files: number } }>(
      "SELECT details FROM shared.platform_actions WHERE about_tenant = $1 AND action = 'DELETE_TENANT'",
      [id],
    )
  ).rows.map(({ details }) => details)

test('files go with the rows, another tenant’s stay; the receipt counts both; a store that fails leaves the tenant', async () => {
  const [leaving, staying] = [await graph.tenant('leaving'), await graph.tenant('staying')]
  const admin = await leaving.as('ADMIN')
  for (const name of ['Sales', 'Support']) await change(admin, 'createDepartment', { name }, '__typename')
  for (const key of ['a/b', 'c']) await graph.server.services.blobs.of(leaving.id).put(key, [])
  await graph.server.services.blobs.of(staying.id).put('c', [])
  await change(operator, 'scheduleTenantDeletion', await deletion(leaving), '__typename')
  await makeDue(leaving.id)

  const { services } = graph.server
  const broken = {
    ...services,
    blobs: {
      ...services.blobs,
      of: (id: string) => ({
        ...services.blobs.of(id),
        delete: () => Promise.reject(new Error('the store is gone')),
      }),
    },
  }
  await expect(runJob(dueDeletions, tenancy, broken)).rejects.toThrow('the store is gone')
  expect([await isThere(leaving.id), await receipts(leaving.id)]).toEqual([true, []])
  await runJob(dueDeletions, tenancy, services)
  expect([await isThere(leaving.id), await files(leaving.id), await files(staying.id)]).toEqual([
    false,
    [],
    ['c'],
  ])
  const [receipt, ...more] = await receipts(leaving.id)
  expect(more).toEqual([])
  expect(receipt).toMatchObject({ files: 2, rows: { 'hr.departments': 2, 'identity.users': 1 } })
  expect(Object.values(receipt!.rows).every((count) => count > 0)).toBe(true)
})

test('under a legal hold a deletion is neither scheduled nor done; once it is released, both', async () => {
  const tenant = await graph.tenant('held')
  const [officer, other] = [await tenant.user('COMPLIANCE_OFFICER'), await tenant.user('COMPLIANCE_OFFICER')]
  const { id } = await change<{ id: string }>(
    officer,
    'placeLegalHold',
    { holdNumber: 'H', name: 'N', reason: 'R', subjects: [{ resourceType: 'Customer' }] },
    'legalHold { id }',
  )
  expect(await userErrors(operator, 'scheduleTenantDeletion', await deletion(tenant))).toEqual([
    {
      code: 'INVALID',
      field: ['id'],
      message: 'Something of this tenant is under a legal hold: its people release that first',
    },
  ])
  await change(officer, 'proposeHoldRelease', { id, expectedVersion: 1, releaseReason: 'Over' }, '__typename')
  await makeDue(tenant.id)
  await runJob(dueDeletions, tenancy, graph.server.services)
  expect([await isThere(tenant.id), await receipts(tenant.id)]).toEqual([true, []])
  await graph.owner.query(
    "UPDATE tenancy.tenants SET status = 'ACTIVE', deletion_due_at = NULL WHERE id = $1",
    [tenant.id],
  )
  await change(other, 'releaseLegalHold', { id, expectedVersion: 2 }, '__typename')
  await change(operator, 'scheduleTenantDeletion', await deletion(tenant), '__typename')
  await makeDue(tenant.id)
  await runJob(dueDeletions, tenancy, graph.server.services)
  expect(await isThere(tenant.id)).toBe(false)
})
