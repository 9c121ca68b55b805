import { cheapBcrypt } from '../support/bcrypt'
import { password, startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { mailsOf } from '../support/mails'

/** A13: an account moves to another address when both mailboxes have confirmed it. */
let graph: TestGraph
let acme: TestTenant
let moves = 0

beforeAll(async () => {
  cheapBcrypt()
  graph = await startGraph()
  acme = await graph.tenant('acme')
})
afterAll(() => graph?.close())

const confirm = async (token: string, client: TestClient = graph.anonymous) =>
  (
    await client.data<{ confirmEmailChange: { isComplete: boolean | null; userErrors: object[] } }>(
      `mutation ($input: ConfirmEmailChangeInput!) { confirmEmailChange(input: $input) { isComplete userErrors { code field } } }`,
      { input: { token } },
    )
  ).confirmEmailChange

const tokenTo = async (email: string) =>
  (await mailsOf(graph, acme.id, email))
    .flatMap(({ text }) => /confirm-email#(\S+)/.exec(text)?.[1] ?? [])
    .at(-1)!

/** A user who asked for another address, with the tokens that both were mailed. */
async function moving() {
  const user = await acme.user('USER')
  const newEmail = `Moved${++moves}@Acme.example`
  await change(user, 'requestEmailChange', { newEmail }, 'expiresAt')
  const next = newEmail.toLowerCase()
  return { user, next, present: await tokenTo(user.email), fresh: await tokenTo(next) }
}

const addressOf = async ({ userId }: TestClient) =>
  (await graph.owner.query<{ email: string }>('SELECT email FROM identity.users WHERE id = $1', [userId]))
    .rows[0]!.email

const signsIn = async (email: string) =>
  (await userErrors(graph.anonymous, 'signIn', { tenant: 'acme', email, password })).length === 0

const half = { isComplete: false, userErrors: [] }
const whole = { isComplete: true, userErrors: [] }
const ended = { isComplete: null, userErrors: [{ code: 'EMAIL_CHANGE_ENDED', field: ['token'] }] }

test.each([
  ['the present address first', (of: { present: string; fresh: string }) => [of.present, of.fresh]],
  ['the new address first', (of: { present: string; fresh: string }) => [of.fresh, of.present]],
])('A13 moves when both have confirmed, %s, and the former address is told', async (_, order) => {
  const asked = await moving()
  const [first, second] = order(asked) as [string, string]
  expect(await confirm(first)).toEqual(half)
  expect(await confirm(first)).toEqual(half)
  expect(await addressOf(asked.user)).toBe(asked.user.email)
  expect(await confirm(second)).toEqual(whole)
  expect(await addressOf(asked.user)).toBe(asked.next)
  expect([await signsIn(asked.user.email), await signsIn(asked.next)]).toEqual([false, true])
  const told = (await mailsOf(graph, acme.id, asked.user.email)).at(-1)!
  expect([told.kind, told.subject]).toEqual([
    'identity.notice-email-changed',
    'Your e-mail address was changed (acme Ltd)',
  ])
  expect(await confirm(second)).toEqual(ended)
  expect(await asked.user.data('{ viewer { email } }')).toEqual({ viewer: { email: asked.next } })
})

test('A13 of 20 confirmations at once the address moves once', async () => {
  const asked = await moving()
  const tokens = [asked.present, asked.fresh]
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => confirm(tokens[n % 2]!)))
  expect(answers.filter(({ isComplete }) => isComplete === true)).toEqual([whole])
  expect(await addressOf(asked.user)).toBe(asked.next)
  const { rows } = await graph.owner.query<{ version: number }>(
    'SELECT version FROM identity.users WHERE id = $1',
    [asked.user.userId],
  )
  expect(rows).toEqual([{ version: 2 }])
})

const ends: Record<string, (user: TestClient) => Promise<unknown>> = {
  'after a day': async () => graph.clock.advance({ days: 1, seconds: 1 }),
  'with another question': (user) =>
    change(user, 'requestEmailChange', { newEmail: 'other@x.example' }, 'expiresAt'),
  'with whatever changes what the user may do': ({ userId }) =>
    graph.owner.query('UPDATE identity.users SET permission_version = 9 WHERE id = $1', [userId]),
  'while the user is suspended': ({ userId }) =>
    graph.owner.query(`UPDATE identity.users SET status = 'SUSPENDED' WHERE id = $1`, [userId]),
}
test.each(Object.keys(ends))('A13 a link ends %s', async (how) => {
  const { user, present, fresh } = await moving()
  expect(await confirm(present)).toEqual(half)
  await ends[how]!(user)
  expect(await confirm(fresh)).toEqual(ended)
  expect(await addressOf(user)).toBe(user.email)
})

test('A13 an address that somebody has, the own one, and one that was taken meanwhile', async () => {
  const user = await acme.user('USER')
  const other = await acme.user('USER')
  const ask = (newEmail: string) => userErrors(user, 'requestEmailChange', { newEmail })
  expect(await ask(other.email)).toEqual([])
  expect(await ask(user.email.toUpperCase())).toMatchObject([{ code: 'INVALID', field: ['newEmail'] }])
  const asked = await moving()
  await confirm(asked.present)
  await graph.owner.query('UPDATE identity.users SET email = $2 WHERE id = $1', [other.userId, asked.next])
  expect(await confirm(asked.fresh)).toEqual(ended)
  expect(await addressOf(asked.user)).toBe(asked.user.email)
})

test('A13 A8 whether somebody has an address is told to its mailbox alone: answer, statements and what follows are the same', async () => {
  const [user, other] = [await acme.user('USER'), await acme.user('USER')]
  const asked = async (newEmail: string) => {
    let answer: unknown
    const sent = await graph.statementsDuring(async () => {
      answer = await user.data(
        `mutation { requestEmailChange(input: { newEmail: "${newEmail}" }) { userErrors { code } } }`,
      )
    })
    return { answer, texts: sent.map(({ text }) => text) }
  }
  const free = await asked('free@else.example')
  const taken = await asked(other.email)
  expect(taken).toEqual(free)
  expect(free.answer).toEqual({ requestEmailChange: { userErrors: [] } })
  const [mail] = await mailsOf(graph, acme.id, other.email)
  expect(mail!.text).toContain('You have an account with it already, so nothing changes.')
  expect(mail!.text).not.toContain('confirm-email')
  expect(await mailsOf(graph, acme.id, other.email)).toHaveLength(1)
  expect(await confirm(await tokenTo(user.email))).toEqual(half)
  expect([await addressOf(user), await addressOf(other)]).toEqual([user.email, other.email])
})

test('A13 nobody has the product mail strangers without end: the outbox limits both mails', async () => {
  const user = await acme.user('USER')
  const ask = (newEmail: string) => userErrors(user, 'requestEmailChange', { newEmail })
  for (let n = 0; n < 5; n++) expect(await ask(`stranger${n}@else.example`)).toEqual([])
  expect(await ask('stranger5@else.example')).toMatchObject([{ code: 'RATE_LIMITED' }])
  expect(await mailsOf(graph, acme.id, 'stranger5@else.example')).toEqual([])
  // What was asked before is still there to be confirmed.
  expect(await confirm(await tokenTo('stranger4@else.example'))).toEqual(half)
})

test('A13 one token confirms one mailbox, and what is none confirms nothing', async () => {
  const { user, present, fresh } = await moving()
  const [tenantId, id] = present.split('.')
  const globex = await graph.tenant('globex')
  for (const wrong of [
    `${tenantId}.${id}.${'A'.repeat(43)}`,
    present.replace(tenantId!, globex.id),
    fresh.replace(id!, tenantId!),
    '',
  ])
    expect(await confirm(wrong)).toEqual(ended)
  expect(await confirm(present)).toEqual(half)
  expect(await addressOf(user)).toBe(user.email)
})

test('A13 an administrator moves no own address, and another’s user is told at the former one and signed out', async () => {
  const admin = await acme.user('ADMIN')
  const own = { id: admin.userId, expectedVersion: 1, email: 'mine@acme.example' }
  expect(await userErrors(admin, 'updateUser', own)).toMatchObject([{ code: 'INVALID', field: ['email'] }])
  const { user, present } = await moving()
  const moved = { id: user.userId, expectedVersion: 1, email: `new${++moves}@acme.example` }
  await change(admin, 'updateUser', moved, 'user { id }')
  expect(await addressOf(user)).toBe(moved.email)
  expect((await user.query('{ viewer { id } }')).errors![0]!.extensions.code).toBe('UNAUTHENTICATED')
  const told = (await mailsOf(graph, acme.id, user.email)).at(-1)!
  expect(told.kind).toBe('identity.notice-email-changed')
  expect(await confirm(present)).toEqual(ended)
  await change(admin, 'updateUser', { id: user.userId, expectedVersion: 2, firstName: 'Mo' }, 'user { id }')
  expect((await mailsOf(graph, acme.id, user.email)).at(-1)).toEqual(told)
})

test('A8 for a forgotten password: the same answer when no mail can be written, and when the account is suspended', async () => {
  const [user, suspended] = [await acme.user('USER'), await acme.user('USER')]
  await graph.owner.query("UPDATE identity.users SET status = 'SUSPENDED' WHERE id = $1", [suspended.userId])
  const request = (email: string) =>
    graph.anonymous.query(
      `mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) {
        retryAfterSeconds userErrors { code } } }`,
      { input: { tenant: 'acme', email } },
    )
  const told = { retryAfterSeconds: null, userErrors: [] }
  await graph.owner.query('REVOKE INSERT ON identity.password_resets FROM app_identity')
  try {
    for (const email of [user.email, suspended.email, 'nobody@acme.example'])
      expect(await request(email)).toEqual({ status: 200, data: { requestPasswordReset: told } })
  } finally {
    await graph.owner.query('GRANT INSERT ON identity.password_resets TO app_identity')
  }
  expect(await mailsOf(graph, acme.id, user.email)).toEqual([])
  await request(user.email)
  expect((await mailsOf(graph, acme.id, user.email)).map(({ kind }) => kind)).toEqual([
    'identity.password-reset',
  ])
})
