import { uuidv7 } from '../../kernel/id'
import { agreementFault } from '../../subgraphs/identity/rules/administrator-reset'
import { startGraph, testClient, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { userErrors } from '../support/lists'
import { mailsOf } from '../support/mails'
import { operatorClient } from '../support/operator'

/** A5: a tenant whose only administrator is locked out. One operator lets in again; to another address two do, and the owner can stop it. */
let graph: TestGraph
let operator: TestClient

beforeAll(async () => {
  graph = await startGraph()
  operator = await operatorClient(graph, 'olga')
})
afterAll(() => graph?.close())

const asks = '{ __typename viewer { id } }'

const users = async (tenant: TestTenant) =>
  (
    await graph.owner.query(
      `SELECT to_jsonb(u) - 'last_login_at' - 'updated_at' AS row FROM identity.users u WHERE tenant_id = $1 ORDER BY id`,
      [tenant.id],
    )
  ).rows

const trail = async (tenantId: string) =>
  (
    await graph.owner.query<{ actor: string | null; action: string; changes: { after: object } }>(
      `SELECT actor_id AS actor, action, changes FROM shared.audit_logs
        WHERE tenant_id = $1 AND resource_type = 'User' AND action <> 'SIGN_IN_FAILED' ORDER BY id`,
      [tenantId],
    )
  ).rows

const actionsAbout = async (tenantId: string) =>
  (
    await graph.owner.query<{ action: string; operator: string | null; details: object }>(
      `SELECT action, operator_id AS operator, details FROM shared.platform_actions WHERE about_tenant = $1 ORDER BY id`,
      [tenantId],
    )
  ).rows

const requests = async (tenantId: string) =>
  (await graph.owner.query('SELECT id FROM identity.administrator_resets WHERE tenant_id = $1', [tenantId]))
    .rowCount

it('lets one in again at the same address, and nobody whom another one could help (A5)', async () => {
  const tenant = await graph.tenant('locked')
  const [admin, user] = [await tenant.user('ADMIN'), await tenant.user('USER')]
  const second = await tenant.user('ADMIN')
  const input = { tenantId: tenant.id, userId: admin.userId, reason: 'Lost the phone' }
  const before = await users(tenant)
  for (const mutation of [
    'resetLoneAdministrator',
    'requestLoneAdministratorReset',
    'approveLoneAdministratorReset',
  ])
    for (const [wrong, error] of [
      [{}, { code: 'OTHER_ADMINISTRATOR', field: ['userId'] }],
      [{ userId: user.userId }, { code: 'REFERENCE_NOT_FOUND', field: ['userId'] }],
      [{ userId: uuidv7() }, { code: 'REFERENCE_NOT_FOUND', field: ['userId'] }],
      [{ tenantId: uuidv7() }, { code: 'NOT_FOUND', field: ['tenantId'] }],
      [{ reason: ' ' }, { code: 'INVALID', field: ['reason'] }],
    ] as const) {
      const email = mutation === 'resetLoneAdministrator' ? {} : { email: 'new@locked.example' }
      expect(await userErrors(operator, mutation, { ...input, ...email, ...wrong })).toMatchObject([error])
    }
  expect(await users(tenant)).toEqual(before)
  await graph.owner.query("UPDATE identity.users SET status = 'SUSPENDED' WHERE id = $1", [second.userId])
  const expiresAt = new Date(graph.clock.now().getTime() + 86_400_000).toISOString()
  const { secret, apiKey } = (
    await admin.data<{ createApiKey: { secret: string; apiKey: { id: string } } }>(
      `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }`,
      { input: { name: 'Nightly', scopes: ['tenancy:tenant:read'], expiresAt } },
    )
  ).createApiKey
  const program = testClient(graph.server.url, admin.userId, { 'x-api-key': secret })
  expect((await program.query('{ tenant { slug } }')).status).toBe(200)
  await admin.data('mutation { enrollTotp(input: { label: "Phone" }) { mfaDevice { id } } }')
  await graph.owner.query('UPDATE identity.users SET mfa_enabled = true WHERE id = $1', [admin.userId])
  await graph.owner.query(
    `INSERT INTO identity.credentials (tenant_id, id, user_id, label, issuer, subject, public_key)
     VALUES ($1, $2, $2, 'Laptop', 'app.example', 'AAAA', 'AAAA')`,
    [tenant.id, admin.userId],
  )
  const address = (await admin.data<{ viewer: { email: string } }>('{ viewer { email } }')).viewer.email
  expect(await userErrors(operator, 'resetLoneAdministrator', input)).toEqual([])
  expect((await admin.query(asks)).status).toBe(401)
  expect((await program.query('{ tenant { slug } }')).status).toBe(401)
  expect((await user.query(asks)).status).toBe(200)
  const { rows: left } = await graph.owner.query(
    `SELECT u.status, u.email, u.mfa_enabled AS mfa, u.password_hash AS password, k.revoked_at IS NULL AS key,
            (SELECT count(*)::int FROM identity.mfa_devices d WHERE d.user_id = u.id)
              + (SELECT count(*)::int FROM identity.credentials c WHERE c.user_id = u.id) AS devices,
            (SELECT count(*)::int FROM identity.sessions s WHERE s.user_id = u.id AND s.revoked_at IS NULL) AS sessions
       FROM identity.users u JOIN identity.api_keys k ON k.id = $2 WHERE u.id = $1`,
    [admin.userId, apiKey.id],
  )
  const nothing = { mfa: false, password: null, key: false, devices: 0, sessions: 0 }
  expect(left).toEqual([{ status: 'INVITED', email: address, ...nothing }])
  expect((await mailsOf(graph, tenant.id)).map(({ to, kind }) => [to, kind])).toEqual([
    [address, 'identity.invitation'],
  ])
  const entries = (await trail(tenant.id)).filter(({ actor }) => actor === operator.userId)
  expect(entries.map(({ action }) => action)).toEqual(['UPDATE', 'UPDATE'])
  expect(entries.map(({ changes }) => changes)).toContainEqual({
    after: { reason: 'Lost the phone', secondFactors: 0, count: 2 },
  })
  expect((await actionsAbout(tenant.id)).map(({ action }) => action)).toEqual(['RESET_LONE_ADMINISTRATOR'])
})

let count = 0
/** A tenant whose only administrator is locked out, and the request to move the account. */
async function asked() {
  const tenant = await graph.tenant(`moved-${++count}`)
  const admin = await tenant.user('ADMIN')
  await graph.owner.query('UPDATE identity.sessions SET revoked_at = now() WHERE user_id = $1', [
    admin.userId,
  ])
  const input = {
    ...{ tenantId: tenant.id, userId: admin.userId },
    ...{ email: `New@moved-${count}.example`, reason: 'The mailbox is gone' },
  }
  const asking = await operatorClient(graph, `asks-${count}`)
  const before = await users(tenant)
  const { times } = await asking.data<{ times: { opensAt: string; expiresAt: string } }>(
    `mutation ($input: RequestLoneAdministratorResetInput!) { times: requestLoneAdministratorReset(input: $input) {
       opensAt expiresAt } }`,
    { input },
  )
  const mails = await mailsOf(graph, tenant.id, admin.email)
  const token = /stop-administrator-reset#(\S+)/.exec(mails[0]!.text)![1]!
  return { tenant, admin, input, asking, times, mails, token, before }
}

const approve = async (input: object, client?: TestClient) =>
  userErrors(client ?? (await operatorClient(graph, `agrees-${++count}`)), 'approveLoneAdministratorReset', {
    ...input,
  })

it('to another address: asked by one, told to the mailbox, a day of waiting, agreed by another (A5)', async () => {
  const { tenant, admin, input, asking, times, mails, before } = await asked()
  const hours = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 3_600_000
  expect(hours(graph.clock.now().toISOString(), times.opensAt)).toBeCloseTo(24, 1)
  expect(hours(times.opensAt, times.expiresAt)).toBe(72)
  expect(mails.map(({ kind }) => kind)).toEqual(['identity.administrator-reset'])
  expect(mails[0]!.text).toContain('new@moved-1.example')
  expect(mails[0]!.text).toContain('The mailbox is gone')
  expect(await approve(input)).toMatchObject([{ code: 'WAITING', field: null }])
  graph.clock.advance({ hours: 24, minutes: 1 })
  const again = await operatorClient(graph, 'later')
  expect(await approve({ ...input, email: 'other@moved.example' }, again)).toMatchObject([
    { code: 'ADMINISTRATOR_RESET_ENDED' },
  ])
  // Whoever asked signs in anew, and is the same operator.
  await graph.owner.query(
    'UPDATE identity.administrator_resets SET requested_by_id = $2 WHERE tenant_id = $1',
    [...[tenant.id, again.userId]],
  )
  expect(await approve(input, again)).toMatchObject([{ code: 'SECOND_PERSON_NEEDED', field: null }])
  await graph.owner.query(
    'UPDATE identity.administrator_resets SET requested_by_id = $2 WHERE tenant_id = $1',
    [...[tenant.id, asking.userId]],
  )
  expect(await users(tenant)).toEqual(before)
  expect(await approve(input, again)).toEqual([])
  expect(await approve(input, again)).toMatchObject([{ code: 'ADMINISTRATOR_RESET_ENDED' }])
  const { rows } = await graph.owner.query('SELECT email, status FROM identity.users WHERE id = $1', [
    admin.userId,
  ])
  expect(rows).toEqual([{ email: 'new@moved-1.example', status: 'INVITED' }])
  expect((await mailsOf(graph, tenant.id)).map(({ to, kind }) => `${kind} ${to}`).sort()).toEqual([
    `identity.administrator-reset ${admin.email}`,
    'identity.invitation new@moved-1.example',
    `identity.notice-email-changed ${admin.email}`,
  ])
  const reason = input.reason
  expect(
    (await trail(tenant.id)).flatMap(({ actor, changes }) =>
      'administratorReset' in changes.after ? [[actor, changes.after]] : [],
    ),
  ).toEqual([
    [asking.userId, { administratorReset: 'REQUESTED', reason, opensAt: times.opensAt }],
    [again.userId, { administratorReset: 'APPROVED', reason, requestedById: asking.userId }],
  ])
  const userId = admin.userId
  expect(await actionsAbout(tenant.id)).toEqual([
    {
      ...{ action: 'REQUEST_LONE_ADMINISTRATOR_RESET', operator: asking.userId },
      details: { userId, reason, opensAt: times.opensAt },
    },
    {
      ...{ action: 'APPROVE_LONE_ADMINISTRATOR_RESET', operator: again.userId },
      details: { userId, reason, requestedById: asking.userId },
    },
  ])
})

it('the owner stops it, by the mail alone, and a stopped one is agreed to by nobody (A5)', async () => {
  const { tenant, admin, input, token, before } = await asked()
  const stop = (given: string) => userErrors(graph.anonymous, 'stopLoneAdministratorReset', { token: given })
  const ended = [{ code: 'ADMINISTRATOR_RESET_ENDED', field: ['token'] }]
  const other = `${token.slice(0, -3)}${token.endsWith('AAA') ? 'BBB' : 'AAA'}`
  for (const wrong of ['nonsense', other]) expect(await stop(wrong)).toMatchObject(ended)
  expect(await requests(tenant.id)).toBe(1)
  expect(await stop(token)).toEqual([])
  expect(await stop(token)).toMatchObject(ended)
  expect(await requests(tenant.id)).toBe(0)
  expect((await actionsAbout(tenant.id)).at(-1)).toEqual({
    ...{ action: 'STOP_LONE_ADMINISTRATOR_RESET', operator: null, details: { userId: admin.userId } },
  })
  expect((await trail(tenant.id)).at(-1)).toMatchObject({
    ...{ actor: admin.userId, changes: { after: { administratorReset: 'STOPPED' } } },
  })
  expect(await approve(input)).toMatchObject([{ code: 'ADMINISTRATOR_RESET_ENDED' }])
  expect(await users(tenant)).toEqual(before)
})

it('whoever uses a session meanwhile is not locked out (A5)', async () => {
  const { tenant, admin, input } = await asked()
  const opened =
    'UPDATE identity.administrator_resets SET created_at = created_at - $2::interval, opens_at = opens_at - $2::interval WHERE tenant_id = $1'
  await graph.owner.query(opened, [tenant.id, '25 hours'])
  await graph.owner.query('UPDATE identity.sessions SET last_seen_at = $2 WHERE user_id = $1', [
    ...[admin.userId, graph.clock.now()],
  ])
  const before = await users(tenant)
  expect(await approve(input)).toMatchObject([{ code: 'NOT_LOCKED_OUT' }])
  expect(await users(tenant)).toEqual(before)
})

it('who shuts the tenant for the day of waiting gains nothing: it begins again; and a taken address is told at once (A5)', async () => {
  const { tenant, admin, input } = await asked()
  await graph.owner.query(
    `UPDATE identity.administrator_resets SET created_at = created_at - interval '25 hours', opens_at = opens_at - interval '25 hours'
      WHERE tenant_id = $1`,
    [tenant.id],
  )
  const shut = (status: string, at: Date) =>
    graph.owner.query('UPDATE tenancy.tenants SET status = $2, status_changed_at = $3 WHERE id = $1', [
      ...[tenant.id, status, at],
    ])
  const now = graph.clock.now()
  const before = await users(tenant)
  await shut('SUSPENDED', new Date(now.getTime() - 24 * 3_600_000))
  expect(await approve(input)).toMatchObject([{ code: 'WAITING' }])
  await shut('ACTIVE', new Date(now.getTime() - 3_600_000))
  expect(await approve(input)).toMatchObject([{ code: 'WAITING' }])
  expect(await users(tenant)).toEqual(before)
  const other = await tenant.user('USER')
  const taken = { ...input, email: other.email.toUpperCase() }
  expect(
    await userErrors(await operatorClient(graph, 'takes'), 'requestLoneAdministratorReset', taken),
  ).toMatchObject([{ code: 'DUPLICATE', field: ['email'] }])
  expect(await requests(tenant.id)).toBe(1)
  await graph.owner.query(
    "UPDATE identity.sessions SET last_seen_at = last_seen_at - interval '2 days' WHERE user_id = $1",
    [admin.userId],
  )
  await shut('ACTIVE', new Date(now.getTime() - 24 * 3_600_000))
  expect(await approve(input)).toEqual([])
})

it('the rule of agreeing, at its edges (A5)', () => {
  const reset = {
    ...{ newEmail: 'new@x.example', requestedById: 'one', createdAt: '2026-03-01T00:00:00.000Z' },
    ...{ opensAt: '2026-03-02T00:00:00.000Z', expiresAt: '2026-03-05T00:00:00.000Z' },
  }
  const fault = (change: object = {}) =>
    agreementFault(reset, {
      ...{ operatorId: 'two', email: 'new@x.example', lastSeenAt: null },
      activeSince: '2026-01-01T00:00:00.000Z',
      ...{ now: new Date('2026-03-02T00:00:00.000Z'), ...change },
    })?.code ?? null
  expect(fault()).toBeNull()
  expect(fault({ now: new Date('2026-03-01T23:59:59.999Z') })).toBe('WAITING')
  expect(fault({ now: new Date('2026-03-05T00:00:00.000Z') })).toBe('ADMINISTRATOR_RESET_ENDED')
  expect(fault({ now: new Date('2026-03-04T23:59:59.999Z') })).toBeNull()
  expect(fault({ operatorId: 'one' })).toBe('SECOND_PERSON_NEEDED')
  expect(fault({ lastSeenAt: '2026-03-01T00:00:00.000Z' })).toBe('NOT_LOCKED_OUT')
  expect(fault({ lastSeenAt: '2026-02-28T23:59:59.999Z' })).toBeNull()
  expect(fault({ activeSince: null })).toBe('WAITING')
  const activeSince = '2026-03-02T12:00:00.000Z'
  expect(fault({ activeSince, now: new Date('2026-03-03T11:59:59.999Z') })).toBe('WAITING')
  expect(fault({ activeSince, now: new Date('2026-03-03T12:00:00.000Z') })).toBeNull()
  expect(
    agreementFault(null, {
      ...{ operatorId: 'two', email: '', lastSeenAt: null, activeSince: null, now: new Date() },
    })?.code,
  ).toBe('ADMINISTRATOR_RESET_ENDED')
})
