import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGraph, testClient, type TestClient, type TestGraph } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { operatorClient } from '../support/operator'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { startRedis, type RedisServer } from './server'

/** A5: two processes of the product over one Redis: what an operator ends in one is over in the other with the next request. */
let redis: RedisServer
let database: TestDatabase
let graphs: TestGraph[]
const folder = mkdtempSync(join(tmpdir(), 'two-processes-'))

beforeAll(async () => {
  redis = await startRedis('redis-pass-of-the-test')
  database = await freshDatabase()
  graphs = []
  for (let count = 0; count < 2; count++)
    graphs.push(await startGraph({ database, env: { REDIS_URL: `${redis.url}/0`, DATA_DIR: folder } }))
})
afterAll(async () => {
  for (const graph of graphs ?? []) await graph.close()
  await database?.drop()
  await redis?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const asks = '{ tenant { slug } }'
/** The same caller at the door of each process. */
const everywhere = (client: Pick<TestClient, 'userId' | 'headers'>) =>
  graphs.map(({ server }) => testClient(server.url, client.userId, client.headers))
const statuses = (clients: readonly TestClient[]) =>
  Promise.all(clients.map(async (client) => (await client.query(asks)).status))

test('A5 the suspension of a tenant ends its sessions and keys in both', async () => {
  const tenant = await graphs[0]!.tenant('acme')
  const admin = await tenant.as('ADMIN')
  const expiresAt = new Date(Date.now() + 30 * 86_400_000).toISOString()
  const { made } = await admin.data<{ made: { secret: string } }>(
    'mutation ($input: CreateApiKeyInput!) { made: createApiKey(input: $input) { secret } }',
    { input: { name: 'Program', scopes: ['tenancy:tenant:read'], expiresAt } },
  )
  const clients = [
    ...everywhere(admin),
    ...everywhere({ userId: admin.userId, headers: { 'x-api-key': made.secret } }),
  ]
  // Twice, so that both have a kept state.
  for (let turn = 0; turn < 2; turn++) expect(await statuses(clients)).toEqual([200, 200, 200, 200])
  const [here, there] = everywhere(await operatorClient(graphs[0]!, 'olga'))
  const { platformTenant } = await here!.data<{ platformTenant: { version: number } }>(
    `{ platformTenant(id: "${tenant.id}") { version } }`,
  )
  const suspension = { id: tenant.id, expectedVersion: platformTenant.version, reason: 'Unpaid' }
  const suspended = await change<{ version: number }>(
    here!,
    'suspendTenant',
    suspension,
    'tenant { version }',
  )
  expect(await statuses(clients)).toEqual([401, 401, 401, 401])
  const again = { id: tenant.id, expectedVersion: suspended.version }
  expect(await userErrors(there!, 'reactivateTenant', again)).toEqual([])
  expect(await statuses(clients)).toEqual([200, 200, 200, 200])
})

test('A5 an entry that the tenant ends in one is over in the other', async () => {
  const tenant = await graphs[0]!.tenant('entered')
  const operator = await operatorClient(graphs[0]!, 'ivan')
  const { entry } = await operator.data<{ entry: { accessToken: string; entryId: string } }>(
    'mutation ($input: EnterTenantInput!) { entry: enterTenant(input: $input) { accessToken entryId } }',
    { input: { tenantId: tenant.id, reason: 'Ticket 1' } },
  )
  const headers = { authorization: `Bearer ${entry.accessToken}` }
  const inside = everywhere({ userId: operator.userId, headers })
  for (let turn = 0; turn < 2; turn++) expect(await statuses(inside)).toEqual([200, 200])
  const [, admin] = everywhere(await tenant.as('ADMIN'))
  expect(await userErrors(admin!, 'endOperatorEntry', { id: entry.entryId })).toEqual([])
  expect(await statuses(inside)).toEqual([401, 401])
})
