import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { parse } from 'graphql'
import type { Viewer } from '../../kernel/context'
import { uuidv7 } from '../../kernel/id'
import { formatToken, hashSecret } from '../../subgraphs/identity/sessions/opaque-token'
import { startGraph, testClient, type TestGraph, type TestTenant } from '../support/graph'

/**
 * Issue 14: whatever comes in whichever order and at once (refresh with the present token or a former one, sign-out,
 * suspension, reactivation), the invariants of a session hold. Each script is of one account, 20 scripts run at a time.
 */
let graph: TestGraph
let acme: TestTenant
let admin: Viewer

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  const { userId } = await acme.as('ADMIN')
  const { rows } = await graph.owner.query<{ name: string }>('SELECT name FROM identity.permissions')
  const scopes = new Set(rows.map(({ name }) => name))
  admin = { tenantId: acme.id, userId, sessionId: null, permissionVersion: 1, scopes }
})
afterAll(() => graph?.close())

/** `back`: how many tokens before the latest one. */
type Act = { act: 'refresh'; back: number } | { act: 'signOut' | 'suspend' | 'reactivate' }
/** What is done at once, step after step. */
type Script = readonly (readonly Act[])[]

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Act>({ act: 'refresh', back: 0 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }).map((back): Act => ({ act: 'refresh', back })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Act>({ act: 'signOut' }, { act: 'suspend' }, { act: 'reactivate' }),
  },
)
const script: fc.Arbitrary<Script> = fc.array(fc.array(act, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 4,
})

interface Account {
  userId: string
  sessionId: string
  /** The refresh tokens that were given, each the successor of the one before. */
  tokens: string[]
  accessToken: string | null
  isEnded: boolean
  isSuspended: boolean
}

async function accounts(count: number): Promise<Account[]> {
  const now = graph.clock.now()
  const end = new Date(now.getTime() + 7 * 86_400_000).toISOString()
  const made = Array.from({ length: count }, () => {
    const token = { tenantId: acme.id, tokenId: uuidv7(), secret: randomBytes(32) }
    return { userId: uuidv7(), sessionId: uuidv7(), token }
  })
  const column = (of: (one: (typeof made)[number]) => string) => made.map(of)
  const ids = [column(({ userId }) => userId), column(({ sessionId }) => sessionId)]
  await graph.owner.query(
    `INSERT INTO identity.users (tenant_id, id, email, password_hash)
     SELECT $1, id, id || '@acme.example', 'none' FROM unnest($2::uuid[]) AS id`,
    [acme.id, ids[0]],
  )
  await graph.owner.query(
    `INSERT INTO identity.sessions (tenant_id, user_id, id, created_at, last_seen_at, expires_at)
     SELECT $1, u, s, $4, $4, $5 FROM unnest($2::uuid[], $3::uuid[]) AS made (u, s)`,
    [acme.id, ...ids, now.toISOString(), end],
  )
  await graph.owner.query(
    `INSERT INTO identity.refresh_tokens (tenant_id, session_id, id, secret_hash)
     SELECT $1, s, t, h FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS made (s, t, h)`,
    [
      ...[acme.id, ids[1], column(({ token }) => token.tokenId)],
      column(({ token }) => hashSecret(token.secret)),
    ],
  )
  return made.map(({ token, ...one }) => {
    const tokens = [formatToken(token)]
    return { ...one, tokens, accessToken: null, isEnded: false, isSuspended: false }
  })
}

const documents = {
  refresh: parse(
    'mutation ($token: String!) { done: refreshSession(input: { refreshToken: $token }) { refreshToken accessToken userErrors { code } } }',
  ),
  signOut: parse('mutation { done: signOut(input: {}) { userErrors { code } } }'),
  suspend: parse(
    'mutation ($id: ID!, $version: Int!) { done: suspendUser(input: { id: $id, expectedVersion: $version }) { userErrors { code } } }',
  ),
  reactivate: parse(
    'mutation ($id: ID!, $version: Int!) { done: reactivateUser(input: { id: $id, expectedVersion: $version }) { userErrors { code } } }',
  ),
}

interface Outcome {
  refreshToken?: string | null
  accessToken?: string | null
  userErrors: { code: string }[]
}

async function ask(
  name: keyof typeof documents,
  viewer: Viewer | null,
  variables: Record<string, unknown> = {},
): Promise<Outcome> {
  const { data, errors } = await graph.server.subgraphs.get('identity')!.execute({
    ...{ document: documents[name], variables },
    context: {
      ...{ requestId: 'model', viewer, clientIp: null, userAgent: null },
      ...{ clock: graph.clock, log: graph.server.services.log },
    },
  })
  if (errors) throw new Error(JSON.stringify(errors))
  return (data as { done: Outcome }).done
}

interface Stored {
  revoked: boolean
  suspended: boolean
  version: number
  /** Refresh tokens that nobody used. */
  open: number
  tokens: number
}

async function stored({ sessionId, userId }: Account): Promise<Stored> {
  const { rows } = await graph.owner.query<Stored>(
    `SELECT s.revoked_at IS NOT NULL AS revoked, u.status <> 'ACTIVE' AS suspended, u.version,
            (SELECT count(*)::int FROM identity.refresh_tokens t WHERE t.session_id = s.id AND rotated_at IS NULL) AS open,
            (SELECT count(*)::int FROM identity.refresh_tokens t WHERE t.session_id = s.id) AS tokens
       FROM identity.sessions s JOIN identity.users u ON u.id = s.user_id WHERE s.id = $1 AND u.id = $2`,
    [sessionId, userId],
  )
  return rows[0]!
}

/** Does one step and holds what it left to the invariants. */
async function take(account: Account, step: readonly Act[]): Promise<void> {
  const before = await stored(account)
  const { userId, sessionId, tokens } = account
  const latest = tokens.length - 1
  const own: Viewer = { ...admin, userId, sessionId, scopes: new Set() }
  const used = step.flatMap((one) => (one.act === 'refresh' ? [Math.max(0, latest - one.back)] : []))
  const answers = await Promise.all(
    step.map(async (one) => {
      const told =
        one.act === 'refresh'
          ? await ask('refresh', null, { token: tokens[Math.max(0, latest - one.back)] })
          : await ask(one.act, one.act === 'signOut' ? own : admin, { id: userId, version: before.version })
      return { one, told, isDone: told.userErrors.length === 0 }
    }),
  )
  const after = await stored(account)
  const done = (name: Act['act']) => answers.some(({ one, isDone }) => one.act === name && isDone)
  const given = answers.filter(({ one, isDone }) => one.act === 'refresh' && isDone)
  const fresh = [...new Set(given.map(({ told }) => told.refreshToken!))].filter(
    (token) => token !== tokens[latest],
  )

  // What is over stays over, and nobody gets in by it, with whatever came at the same moment.
  if (account.isEnded)
    expect({ revoked: after.revoked, given: given.length }).toEqual({ revoked: true, given: 0 })
  if (account.isSuspended && !done('reactivate')) expect(given).toEqual([])
  if (done('signOut') || done('suspend')) expect(after.revoked).toBe(true)
  // One token is open, whatever came at once, and each token has one successor.
  expect(after.open).toBeLessThanOrEqual(1)
  expect(fresh.length).toBeLessThanOrEqual(1)
  expect(after.tokens - before.tokens).toBeLessThanOrEqual(1)
  if (fresh.length === 1) expect(used).toContain(latest)
  // A token whose successor was used is a copy: it ends the session of whoever may still use it.
  const wasAlive = !account.isEnded && !account.isSuspended
  if (wasAlive && used.some((place) => place < latest - 1)) {
    const isOver = after.revoked || done('suspend')
    expect(isOver).toBe(true)
  }
  // Nothing but an end ends it: a repeat of the last request and the present token never do.
  const isHarmless = step.every(
    (one) => one.act === 'reactivate' || (one.act === 'refresh' && one.back === 0),
  )
  if (wasAlive && isHarmless)
    expect({ revoked: after.revoked, fresh: fresh.length }).toEqual({
      revoked: false,
      fresh: used.length > 0 ? 1 : 0,
    })

  account.tokens.push(...fresh)
  account.accessToken = given[0]?.told.accessToken ?? account.accessToken
  account.isEnded = after.revoked
  account.isSuspended = after.suspended
}

/** What each session's owner is told at the next request, over HTTP: in, or refused. */
async function isIn({ accessToken }: Account): Promise<boolean> {
  const client = testClient(graph.server.url, '', { authorization: `Bearer ${accessToken}` })
  return (
    (await client.query<{ viewer: { id: string } | null }>('{ viewer { id } }')).data?.viewer?.id !==
    undefined
  )
}

test('1,000 random interleavings keep the invariants of a session', async () => {
  let ended = 0
  let alive = 0
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 20, maxLength: 20 }), async (scripts) => {
      const made = await accounts(scripts.length)
      await Promise.all(
        scripts.map(async (steps, place) => {
          const account = made[place]!
          for (const step of steps) await take(account, step)
        }),
      )
      ended += made.filter(({ isEnded }) => isEnded).length
      alive += made.filter(({ isEnded }) => !isEnded).length
      const asked = made.find(({ accessToken }) => accessToken !== null)
      if (asked) expect(await isIn(asked)).toBe(!asked.isEnded && !asked.isSuspended)
    }),
    { numRuns: 50, interruptAfterTimeLimit: 10_000, markInterruptAsFailure: false },
  )
  // Both ends were reached, so that neither half of the invariants was held by nothing.
  expect(Math.min(ended, alive)).toBeGreaterThan(0)
})
