import { createTenant } from '../../database/tenants'
import { enqueue, type Job } from '../../kernel/jobs'
import { jobWorker } from '../../kernel/jobs/worker'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { declareJobs } from '../../kernel/jobs/job'
import { change, userErrors } from '../support/lists'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'

/** Issue 13.7: a sandbox is moved forward in time through the graph, and what waits for time in it follows. */
let graph: TestGraph
let database: Database
let acme: TestTenant
let sandbox: TestTenant
let admin: TestClient

const move = `mutation ($to: DateTime!) {
  moveClock(input: { to: $to }) { tenant { clock isSandbox version } userErrors { code field message } }
}`
const clockOf = async (client: TestClient) =>
  Date.parse((await client.data<{ tenant: { clock: string } }>('{ tenant { clock } }')).tenant.clock)
const moveTo = (client: TestClient, to: Date) =>
  client.data<{ moveClock: { tenant: { clock: string } | null; userErrors: object[] } }>(move, {
    to: to.toISOString(),
  })
const inDays = (days: number) => new Date(graph.clock.now().getTime() + days * 86_400_000)

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  sandbox = await graph.tenant('sandbox')
  await graph.owner.query('UPDATE tenancy.tenants SET is_sandbox = true WHERE id = $1', [sandbox.id])
  admin = await sandbox.as('ADMIN')
  database = await openDatabase({
    url: graph.database.urlFor('hr'),
    entities: [],
    connections: 4,
    applicationName: 'sandbox',
  })
})
afterAll(async () => {
  await database?.close()
  await graph?.close()
})

test('a tenant is a sandbox from the start, or never', async () => {
  await graph.owner.query('BEGIN')
  const id = await createTenant(graph.owner, { slug: 'to-try', name: 'To try', isSandbox: true })
  const { rows } = await graph.owner.query(
    'SELECT is_sandbox, ahead_seconds FROM tenancy.tenants WHERE id = $1',
    [id],
  )
  await graph.owner.query('ROLLBACK')
  expect(rows).toEqual([{ is_sandbox: true, ahead_seconds: 0 }])
})

test('no other tenant is moved, by its administrator or past the product', async () => {
  const other = await acme.as('ADMIN')
  const answer = await moveTo(other, inDays(1))
  expect(answer.moveClock.tenant).toBeNull()
  expect(answer.moveClock.userErrors).toEqual([
    { code: 'NO_SANDBOX', field: null, message: 'This tenant is no sandbox: its time is the true one' },
  ])
  const change = 'UPDATE tenancy.tenants SET ahead_seconds = 1 WHERE id = $1'
  await expect(graph.owner.query(change, [acme.id])).rejects.toThrow('tenants_ahead_check')
  const { rows } = await graph.owner.query('SELECT ahead_seconds FROM tenancy.tenants WHERE id = $1', [
    acme.id,
  ])
  expect(rows).toEqual([{ ahead_seconds: 0 }])
  expect(Math.abs((await clockOf(other)) - graph.clock.now().getTime())).toBeLessThan(60_000)
})

test('without the scope a sandbox is not moved', async () => {
  const analyst = await sandbox.as('ANALYST')
  const { data, errors } = await analyst.query(move, { to: inDays(1).toISOString() })
  expect(data).toBeNull()
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN'])
  const { rows } = await graph.owner.query('SELECT ahead_seconds FROM tenancy.tenants WHERE id = $1', [
    sandbox.id,
  ])
  expect(rows).toEqual([{ ahead_seconds: 0 }])
})

test('a sandbox goes forward alone, for everybody in it, and never back', async () => {
  const colleague = await sandbox.user('ADMIN')
  const before = await colleague.data('{ viewer { id } }')
  expect(before).toEqual({ viewer: { id: colleague.userId } })
  const to = inDays(30)
  const { moveClock } = await moveTo(admin, to)
  expect(moveClock.userErrors).toEqual([])
  expect(Date.parse(moveClock.tenant!.clock)).toBeGreaterThanOrEqual(to.getTime())
  for (const wrong of [inDays(29), to, inDays(3700)]) {
    expect(await userErrors(admin, 'moveClock', { to: wrong.toISOString() })).toEqual([
      {
        code: 'INVALID',
        field: ['to'],
        message: 'Name a later instant than it is, at most ten years ahead of the true time',
      },
    ])
  }
  // Rules see the tenant's time with the next request of everybody who is signed in, and sessions live on.
  const started = await change<{ startDate: string }>(
    colleague,
    'startSubscription',
    { plan: 'STARTER', billingInterval: 'MONTHLY', currency: 'EUR' },
    'subscription { startDate }',
  )
  expect(started.startDate).toBe(new Date(await clockOf(admin)).toISOString().slice(0, 10))
  expect(await colleague.data('{ viewer { id } }')).toEqual(before)
  expect(Math.abs((await clockOf(admin)) - to.getTime())).toBeLessThan(60_000)
  const other = await clockOf(await acme.as('ADMIN'))
  expect(Math.abs(other - graph.clock.now().getTime())).toBeLessThan(60_000)
})

test('the audit trail tells the true time', async () => {
  await moveTo(admin, inDays(60))
  const { rows } = await graph.owner.query<{ at: Date; changes: { after: object } }>(
    `SELECT occurred_at AS at, changes FROM shared.audit_logs
      WHERE tenant_id = $1 AND resource_type = 'Tenant' ORDER BY occurred_at DESC LIMIT 1`,
    [sandbox.id],
  )
  expect(Object.keys(rows[0]!.changes.after)).toEqual(['aheadSeconds'])
  expect(Math.abs(rows[0]!.at.getTime() - graph.clock.now().getTime())).toBeLessThan(60_000)
})

test('jobs follow: what is due by its clock is done, and what schedules would have asked for, once', async () => {
  const done: [string, string, number][] = []
  const note =
    (name: string): Job['run'] =>
    async ({ binding, clock }) =>
      void done.push([name, binding.tenantId === sandbox.id ? 'sandbox' : 'acme', clock.now().getTime()])
  const later: Job = { name: 'later', run: note('later') }
  const nightly: Job = {
    name: 'nightly',
    schedule: { cron: '30 3 * * *', timeZone: 'UTC' },
    run: note('nightly'),
  }
  declareJobs('hr', [later, nightly])
  const { services } = graph.server
  const worker = jobWorker('hr', [later, nightly], database, services, { random: () => 0 })
  await worker.runDue()
  done.length = 0
  for (const tenant of [sandbox, acme]) {
    const binding = { tenantId: tenant.id, actorId: null }
    await database.transaction(binding, (tx) =>
      enqueue({ binding, clock: services.clock }, tx, later, {}, { at: inDays(100) }),
    )
  }
  await worker.runDue()
  expect(done).toEqual([])
  await moveTo(admin, inDays(101))
  await worker.runDue()
  expect(done.map(([name, tenant]) => `${name} of ${tenant}`).sort()).toEqual([
    'later of sandbox',
    'nightly of sandbox',
  ])
  for (const [, , at] of done) expect(Math.abs(at - inDays(101).getTime())).toBeLessThan(60_000)
  await worker.runDue()
  expect(done).toHaveLength(2)
  await worker.stop()
})
