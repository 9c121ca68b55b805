import { openDatabase, type Database } from '../../kernel/connection/database'
import { uuidv7 } from '../../kernel/id'
import type { Job } from '../../kernel/jobs'
import { idempotencyKeys } from '../../subgraphs/compliance/jobs/idempotency-keys'
import { oldUsage } from '../../subgraphs/compliance/jobs/old-usage'
import { endedMails } from '../../subgraphs/identity/jobs/ended-mails'
import { oldKeys } from '../../subgraphs/identity/jobs/old-keys'
import { oldSessions } from '../../subgraphs/identity/jobs/old-sessions'
import { oldJobs, oldPlatformJobs } from '../../subgraphs/tenancy/jobs/old-jobs'
import { subgraphs } from '../../subgraphs'
import { startGraph, TestClock, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'

/** Issue 13: what is over is removed by jobs, in each tenant under its own wall, and nothing else is. */
let graph: TestGraph
let acme: TestTenant
let globex: TestTenant
const databases = new Map<string, Database>()
const clock = new TestClock()

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  globex = await graph.tenant('globex')
  for (const role of ['identity', 'tenancy', 'compliance'] as const) {
    const url = graph.database.urlFor(role)
    databases.set(
      role,
      await openDatabase({ url, entities: [], connections: 2, applicationName: 'retention' }),
    )
  }
})
afterAll(async () => {
  for (const database of databases.values()) await database.close()
  await graph?.close()
})

const run = (role: string, job: Job, tenant: TestTenant | null = null) =>
  runJob(job, databases.get(role)!, { ...graph.server.services, clock }, { tenantId: tenant?.id ?? null })

const column = async (text: string, values: unknown[] = []) =>
  (await graph.owner.query<{ value: unknown }>(text, values)).rows.map(({ value }) => value)

type Tokens = { accessToken: string; refreshToken: string }
const signIn = async (email: string, password: string) =>
  (
    await graph.anonymous.data<{ signIn: Tokens }>(
      'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken } }',
      { input: { tenant: 'acme', email, password } },
    )
  ).signIn
const refresh = async (refreshToken: string) =>
  (
    await graph.anonymous.data<{
      refreshSession: { refreshToken: string | null; userErrors: { code: string }[] }
    }>(
      'mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { refreshToken userErrors { code } } }',
      { input: { refreshToken } },
    )
  ).refreshSession
/** The session that a token is of: its id is in the token. */
const sessions = () =>
  column(
    `SELECT s.id || ' ' || count(t.id) AS value FROM identity.sessions s
       LEFT JOIN identity.refresh_tokens t ON t.tenant_id = s.tenant_id AND t.session_id = s.id
      WHERE s.tenant_id = $1 GROUP BY s.id ORDER BY s.id`,
    [acme.id],
  )

test('mails that ended 30 days ago are removed, of all tenants; those that wait are not, however old', async () => {
  const add = (tenant: TestTenant, kind: string, days: number, status: 'SENT' | 'FAILED' | 'WAITING') =>
    graph.owner.query(
      `INSERT INTO shared.mails (tenant_id, id, kind, status, created_at, due_at, sealed, ended_at)
       SELECT $1, $2, $3, $4, at, CASE WHEN $4 = 'WAITING' THEN at END, CASE WHEN $4 = 'WAITING' THEN 'sealed' END,
              CASE WHEN $4 <> 'WAITING' THEN at END
         FROM (SELECT now() - make_interval(days => $5) AS at) AS made`,
      [tenant.id, uuidv7(), kind, status, days],
    )
  for (const tenant of [acme, globex]) {
    await add(tenant, 'old sent', 31, 'SENT')
    await add(tenant, 'old failed', 31, 'FAILED')
    await add(tenant, 'young sent', 29, 'SENT')
    await add(tenant, 'old waiting', 31, 'WAITING')
  }
  await run('identity', endedMails)
  const left = 'SELECT kind AS value FROM shared.mails ORDER BY kind, tenant_id'
  expect(await column(left)).toEqual(['old waiting', 'old waiting', 'young sent', 'young sent'])
  // Whatever clock asks: what ended today stays.
  await expect(column('SELECT shared.remove_mails(now()) AS value')).rejects.toThrow(
    'a mail is kept for a day at least',
  )
  expect(await column(left)).toHaveLength(4)
  await graph.owner.query('DELETE FROM shared.mails')
})

test('used tokens of a session that lives stay, so that a copy still ends it', async () => {
  const { email, password } = await acme.user('USER')
  const first = (await signIn(email, password)).refreshToken
  const second = (await refresh(first)).refreshToken!
  const before = await sessions()
  await run('identity', oldSessions, acme)
  expect(await sessions()).toEqual(before)
  // Later than the time for repeats.
  await graph.owner.query(
    `UPDATE identity.refresh_tokens SET rotated_at = rotated_at - interval '1 minute' WHERE rotated_at IS NOT NULL`,
  )
  expect((await refresh(first)).userErrors).toMatchObject([{ code: 'SESSION_ENDED' }])
  expect((await refresh(second)).userErrors).toMatchObject([{ code: 'SESSION_ENDED' }])
})

test('tokens go when their session ends, the session a month after it is over, and other tenants keep theirs', async () => {
  const { email, password, userId } = await acme.user('USER')
  const other = await globex.user('USER')
  await graph.owner.query('DELETE FROM identity.sessions WHERE tenant_id = $1', [acme.id])
  const revoked = (await signIn(email, password)).refreshToken
  await graph.owner.query('UPDATE identity.sessions SET revoked_at = now() WHERE user_id = $1', [userId])
  await signIn(email, password)
  const [one, two] = (await sessions()).map((session) => String(session).split(' ')[0])
  const others = () =>
    column('SELECT count(*)::int AS value FROM identity.refresh_tokens WHERE tenant_id = $1', [globex.id])
  const before = await others()
  expect(before).not.toEqual([0])

  await run('identity', oldSessions, acme)
  expect(await sessions()).toEqual([`${one} 0`, `${two} 1`])
  expect((await refresh(revoked)).userErrors).toMatchObject([{ code: 'SESSION_ENDED' }])

  const over = 'UPDATE identity.sessions SET expires_at = now() - $2::interval WHERE id = $1'
  await graph.owner.query(over, [one, '31 days'])
  await graph.owner.query(over, [two, '29 days'])
  await graph.owner.query(
    "UPDATE identity.sessions SET expires_at = now() - interval '1 year' WHERE user_id = $1",
    [other.userId],
  )
  await run('identity', oldSessions, acme)
  expect(await sessions()).toEqual([`${two} 0`])
  expect(await others()).toEqual(before)
})

test('A4 sessions go a month after their end, whether they were revoked, left idle or over', async () => {
  const { userId } = await acme.user('USER')
  await graph.owner.query('DELETE FROM identity.sessions WHERE tenant_id = $1', [acme.id])
  const add = (name: string, seen: string, expires: string, revoked: string | null) =>
    graph.owner.query(
      `INSERT INTO identity.sessions (tenant_id, id, user_id, user_agent, last_seen_at, expires_at, revoked_at, version,
         created_at, updated_at)
       VALUES ($1, $2, $3, $4, now() - $5::interval, now() - $6::interval, now() - $7::interval, 1, now(), now())`,
      [acme.id, uuidv7(), userId, name, seen, expires, revoked],
    )
  await add('over long ago', '31 days', '30 days 1 minute', null)
  await add('over lately', '29 days', '29 days', null)
  await add('revoked long ago', '30 days', '25 days', '30 days 1 minute')
  await add('revoked lately', '30 days 1 hour', '25 days', '29 days')
  await add('idle for long', '30 days 31 minutes', '24 days', null)
  await add('idle lately', '30 days 29 minutes', '24 days', null)
  await add('alive', '1 minute', '-6 days', null)
  await run('identity', oldSessions, acme)
  // One that ended in two ways ended with the first.
  expect(
    await column('SELECT user_agent AS value FROM identity.sessions WHERE tenant_id = $1 ORDER BY 1', [
      acme.id,
    ]),
  ).toEqual(['alive', 'idle lately', 'over lately'])
})

test('challenges that passkeys signed go when they would have ended, of the own tenant alone', async () => {
  for (const tenant of [acme, globex])
    await graph.owner.query(
      `INSERT INTO identity.used_challenges (tenant_id, challenge_hash, expires_at)
       SELECT $1, repeat(c, 64), now() + e::interval FROM (VALUES ('a', '-1 second'), ('b', '1 minute')) AS v (c, e)`,
      [tenant.id],
    )
  await run('identity', oldSessions, acme)
  const text =
    'SELECT left(challenge_hash, 1) AS value FROM identity.used_challenges WHERE tenant_id = $1 ORDER BY 1'
  expect([await column(text, [acme.id]), await column(text, [globex.id])]).toEqual([['b'], ['a', 'b']])
})

test('A6 API keys go a month after they were revoked or over, of the own tenant alone', async () => {
  for (const tenant of [acme, globex]) {
    const { userId } = await tenant.user('USER')
    const add = (name: string, expires: string, revoked: string | null) =>
      graph.owner.query(
        `INSERT INTO identity.api_keys (tenant_id, id, owner_id, name, key_prefix, secret_hash, scopes, expires_at, revoked_at,
           version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 'tg', repeat('a', 64), '{hr:employee:read}', now() - $5::interval, now() - $6::interval,
           1, now(), now())`,
        [tenant.id, uuidv7(), userId, name, expires, revoked],
      )
    await add('over long ago', '31 days', null)
    await add('over lately', '29 days', null)
    await add('revoked long ago', '-300 days', '31 days')
    await add('revoked lately', '-300 days', '29 days')
    await add('alive', '-300 days', null)
  }
  await run('identity', oldKeys, acme)
  const left = (tenant: TestTenant) =>
    column('SELECT name AS value FROM identity.api_keys WHERE tenant_id = $1 ORDER BY 1', [tenant.id])
  expect(await left(acme)).toEqual(['alive', 'over lately', 'revoked lately'])
  expect(await left(globex)).toHaveLength(5)
})

test('keys that mean nothing any more go, of the own tenant alone', async () => {
  for (const tenant of [acme, globex])
    for (const [key, age] of [
      ['old', '31 days'],
      ['young', '29 days'],
    ])
      await graph.owner.query(
        `INSERT INTO shared.idempotency_keys (tenant_id, actor_id, operation, key, input_hash, created_at)
         VALUES ($1, $1, 'x', $2, '', now() - $3::interval)`,
        [tenant.id, key, age],
      )
  await run('compliance', idempotencyKeys, acme)
  expect(
    await column(
      `SELECT t.slug || ' ' || k.key AS value FROM shared.idempotency_keys k JOIN tenancy.tenants t ON t.id = k.tenant_id
        ORDER BY 1`,
    ),
  ).toEqual(['acme young', 'globex old', 'globex young'])
})

test('usage goes after 400 days, with the operations that nobody sends, and never the last 30', async () => {
  await graph.owner.query(
    `INSERT INTO gateway.operations VALUES ('${'a'.repeat(32)}', 'Old', '{ a }', '{}'), ('${'b'.repeat(32)}', 'New', '{ b }', '{}')`,
  )
  await graph.owner.query(
    `INSERT INTO gateway.operation_days VALUES (current_date - 402, '${'a'.repeat(32)}', 'web', '1', 1, now()), (current_date - 398, '${'b'.repeat(32)}', 'web', '1', 1, now())`,
  )
  await graph.owner.query(
    `INSERT INTO gateway.operation_tenants (tenant_id, day, hash, client, client_version) SELECT id, current_date - 402, '${'a'.repeat(32)}', 'web', '1' FROM tenancy.tenants`,
  )
  await run('compliance', oldUsage)
  expect(await column('SELECT name AS value FROM gateway.operations')).toEqual(['New'])
  expect(await column('SELECT count(*)::int AS value FROM gateway.operation_tenants')).toEqual([0])
  const young = { text: 'SELECT shared.forget_usage(current_date - 20)' }
  await expect(databases.get('compliance')!.rows({ tenantId: null }, young)).rejects.toThrow(
    'the last 30 days are kept',
  )
})

test('jobs go a month after their end, but for the last time of a schedule', async () => {
  const add = (tenantId: string, name: string, state: string, age: string) =>
    graph.owner.query(
      `INSERT INTO shared.jobs (tenant_id, id, subgraph, name, state, ended_at) VALUES ($1, $2, 'hr', $3, $4, now() - $5::interval)`,
      [tenantId, uuidv7(), name, state, state === 'WAITING' ? null : age],
    )
  await add(acme.id, 'old', 'DONE', '31 days')
  await add(acme.id, 'young', 'FAILED', '29 days')
  await add(acme.id, 'waiting', 'WAITING', '0')
  await add(globex.id, 'old', 'DONE', '31 days')
  await run('tenancy', oldJobs, acme)
  expect(
    await column(
      `SELECT t.slug || ' ' || j.name AS value FROM shared.jobs j JOIN tenancy.tenants t ON t.id = j.tenant_id ORDER BY 1`,
    ),
  ).toEqual(['acme waiting', 'acme young', 'globex old'])

  for (const month of ['05', '06', '07'])
    await graph.owner.query(
      `INSERT INTO shared.platform_jobs (id, subgraph, name, unique_key, state, ended_at)
       VALUES ($1, 'hr', 'monthly', $2, 'DONE', now() - interval '90 days')`,
      [uuidv7(), `schedule 2026-${month}-01T00:00:00.000Z`],
    )
  for (const [action, days] of [
    ['SIGN_IN_FAILED', 91],
    ['SIGN_IN_FAILED', 89],
    ['SIGN_IN', 400],
  ] as const)
    await graph.owner.query(
      `INSERT INTO shared.platform_actions (id, occurred_at, action, details)
       VALUES (gen_random_uuid(), now() - $2 * interval '1 day', $1, '{"test": true}')`,
      [action, days],
    )
  await run('tenancy', oldPlatformJobs)
  expect(
    await column(
      `SELECT action || (now()::date - occurred_at::date) AS value FROM shared.platform_actions WHERE details ? 'test' ORDER BY 1`,
    ),
  ).toEqual(['SIGN_IN400', 'SIGN_IN_FAILED89'])
  expect(await column('SELECT unique_key AS value FROM shared.platform_jobs')).toEqual([
    'schedule 2026-07-01T00:00:00.000Z',
  ])
})

test('each of them has its night, and what watches and screens its hour', () => {
  const nightly = subgraphs.flatMap(({ name, jobs }) =>
    jobs.map(
      (job) => `${name} ${job.name} ${job.for ?? 'tenant'} ${job.schedule?.cron} ${job.schedule?.timeZone}`,
    ),
  )
  expect(nightly.sort()).toEqual([
    'compliance audit-months platform 10 3 * * * UTC',
    'compliance ended-subject-requests tenant 50 4 * * * UTC',
    'compliance idempotency-keys tenant 20 3 * * * UTC',
    'compliance later-passes tenant 20 5 * * * UTC',
    'compliance new-lists tenant 25 * * * * UTC',
    'compliance old-events platform 15 3 * * * UTC',
    'compliance old-usage platform 40 3 * * * UTC',
    'compliance retention tenant 30 4 * * * UTC',
    'compliance review-dates tenant 5 * * * * UTC',
    // Asked for by a mutation.
    'compliance screening tenant undefined undefined',
    'compliance subject-answers tenant undefined undefined',
    'compliance subject-data tenant undefined undefined',
    'compliance trail-watch tenant */15 * * * * UTC',
    'finance sales-performances tenant 20 3 * * * UTC',
    'finance subject-data tenant undefined undefined',
    'hr leave-accrual tenant 10 2 * * * UTC',
    'hr leave-carry-over tenant 20 2 * * * UTC',
    'hr long-remote-work tenant 45 * * * * UTC',
    'hr missing-clock-outs tenant 40 * * * * UTC',
    'hr overtime-proposals tenant 50 2 * * * UTC',
    'hr subject-data tenant undefined undefined',
    'identity ended-mails platform 25 3 * * * UTC',
    'identity failure-notices tenant */15 * * * * UTC',
    'identity old-keys tenant 35 3 * * * UTC',
    'identity old-sessions tenant 30 3 * * * UTC',
    'identity subject-data tenant undefined undefined',
    'insights late-tickets tenant */5 * * * * UTC',
    'insights old-analytics-events platform 25 3 * * * UTC',
    'insights old-event-keys tenant 35 3 * * * UTC',
    'insights retention tenant 30 4 * * * UTC',
    'insights subject-data tenant undefined undefined',
    'tenancy billing tenant 5 * * * * UTC',
    'tenancy due-deletions platform 20 * * * * UTC',
    'tenancy dunning tenant 20 6 * * * UTC',
    'tenancy old-jobs tenant 50 3 * * * UTC',
    'tenancy old-platform-jobs platform 55 3 * * * UTC',
    'tenancy subject-data tenant undefined undefined',
  ])
})
