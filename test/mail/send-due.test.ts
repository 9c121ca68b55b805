import { openDatabase, type Database } from '../../kernel/connection/database'
import type { SubgraphContext } from '../../kernel/context'
import type { UserErrors } from '../../kernel/errors'
import { writeMails } from '../../kernel/mail/outbox'
import { openMailTransport } from '../../kernel/mail/open-transport'
import { mailSeal } from '../../kernel/mail/seal'
import { sendDue, type MailSending } from '../../kernel/mail/send-due'
import { MailRefused, type MailTransport } from '../../kernel/mail/transport'
import { createLogger } from '../../kernel/process/log'
import { cheapBcrypt } from '../support/bcrypt'
import {
  password,
  startGraph,
  TestClock,
  testClient,
  type TestClient,
  type TestGraph,
} from '../support/graph'
import { openMailbox, type Mailbox } from './mailbox'

let graph: TestGraph
let mailbox: Mailbox
let database: Database
let transport: MailTransport
let admin: TestClient
/** Of the senders alone: sessions go on. */
let clock: TestClock

beforeAll(async () => {
  cheapBcrypt()
  mailbox = await openMailbox()
  graph = await startGraph({
    env: {
      SMTP_URL: mailbox.url,
      MAIL_FROM: 'Acme <no-reply@mail.acme.example>',
      PUBLIC_URL: 'https://app.acme.example/office/',
    },
  })
  const url = graph.database.urlFor('identity')
  database = await openDatabase({ url, entities: [], connections: 4, applicationName: 'mail test' })
  transport = openMailTransport(graph.config, createLogger(graph.config))
  admin = await (await graph.tenant('acme')).as('ADMIN')
})

afterAll(async () => {
  await transport?.close()
  await database?.close()
  await graph?.close()
  await mailbox?.close()
})

beforeEach(() => {
  clock = new TestClock()
})

afterEach(async () => {
  await graph.owner.query('DELETE FROM shared.mails')
  mailbox.received.length = 0
})

const sending = (by: Partial<MailTransport> = {}): MailSending => ({
  database,
  transport: { ...transport, ...by },
  seal: mailSeal(graph.server.services.keys),
  clock,
  log: createLogger(graph.config),
})

const outbox = async (): Promise<Record<string, unknown>[]> =>
  (await graph.owner.query<Record<string, unknown>>('SELECT * FROM shared.mails ORDER BY id')).rows

let count = 0
async function invite(client = admin): Promise<{ email: string; id: string; token: string }> {
  const email = `mailed${++count}@acme.example`
  const { inviteUser } = await client.data<{
    inviteUser: { user: { id: string }; invitationToken: string }
  }>('mutation ($input: InviteUserInput!) { inviteUser(input: $input) { user { id } invitationToken } }', {
    input: { email },
  })
  return { email, id: inviteUser.user.id, token: inviteUser.invitationToken }
}

const linkIn = (text: string | undefined) => /https:\/\/\S+/.exec(text ?? '')?.[0]

test('an invitation arrives with a link that accepts it, and nothing of it stays readable', async () => {
  const { email, id, token } = await invite()
  const [waiting] = await outbox()
  expect(waiting).toMatchObject({
    kind: 'identity.invitation',
    status: 'WAITING',
    attempts: 0,
    ended_at: null,
  })
  const readable =
    JSON.stringify(waiting) + Buffer.from(String(waiting!['sealed']), 'base64').toString('latin1')
  for (const secret of [token, token.split('.')[2]!, email]) expect(readable).not.toContain(secret)

  expect(await sendDue(sending())).toEqual({ sent: 1, waiting: 0, failed: 0 })
  expect(mailbox.received.map(({ recipients }) => recipients)).toEqual([[email]])
  const { mail } = mailbox.received[0]!
  expect(mail.subject).toBe('Your invitation to acme Ltd')
  const link = linkIn(mail.text)
  expect(link).toBe(`https://app.acme.example/office/accept-invitation#${token}`)
  expect(String(mail.html)).toContain(`href="${link}"`)
  expect(mail.text).toContain('To sign in later, name the tenant acme and this address.')
  expect(mail.messageId).toBe(`<${String(waiting!['id'])}@mail.acme.example>`)

  const sent = (await outbox())[0]!
  expect(sent).toMatchObject({ status: 'SENT', sealed: null, due_at: null, attempts: 1, failure: null })
  expect(sent['ended_at']).toBeInstanceOf(Date)
  expect(await sendDue(sending())).toEqual({ sent: 0, waiting: 0, failed: 0 })
  expect(mailbox.received).toHaveLength(1)

  const accept =
    'mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { accessToken userErrors { code } } }'
  const { acceptInvitation } = await graph.anonymous.data<{
    acceptInvitation: { accessToken: string; userErrors: object[] }
  }>(accept, { input: { token: new URL(link!).hash.slice(1), password } })
  expect(acceptInvitation.userErrors).toEqual([])
  const authorization = `Bearer ${acceptInvitation.accessToken}`
  const invited = testClient(graph.server.url, id, { authorization })
  expect(await invited.data('{ viewer { id email } }')).toEqual({ viewer: { id, email } })
})

test('every way to a new invitation mails it, and a change that fails mails nothing', async () => {
  const { id, email } = await invite()
  const change = async (mutation: string, type: string, input: Record<string, unknown>) => {
    const text = `mutation ($input: ${type}!) { ${mutation}(input: $input) { invitationToken userErrors { code } } }`
    return (
      await admin.data<Record<string, { invitationToken: string | null; userErrors: object[] }>>(text, {
        input,
      })
    )[mutation]!
  }
  const version = async () =>
    (await graph.owner.query<{ version: number }>('SELECT version FROM identity.users WHERE id = $1', [id]))
      .rows[0]!.version
  const renewed = await change('renewInvitation', 'RenewInvitationInput', {
    id,
    expectedVersion: await version(),
  })
  const granted = await change('grantPermission', 'GrantPermissionInput', {
    userId: id,
    permission: 'hr:employee:read',
  })
  const failed = await change('inviteUser', 'InviteUserInput', { email })
  expect(failed.userErrors).toEqual([{ code: 'DUPLICATE' }])
  expect(await sendDue(sending())).toEqual({ sent: 3, waiting: 0, failed: 0 })
  const tokens = mailbox.received.map(({ mail }) => linkIn(mail.text)?.split('#')[1])
  expect(tokens).toEqual(expect.arrayContaining([renewed.invitationToken, granted.invitationToken]))
})

test('what cannot be sent is tried again, later each time, and given up after three days', async () => {
  await invite()
  const down = sending({ send: () => Promise.reject(new Error('SMTP ECONNECTION')) })
  const pauses: number[] = []
  for (let attempt = 0; attempt < 8; attempt++) {
    const before = clock.now().getTime()
    expect(await sendDue(down)).toEqual({ sent: 0, waiting: 1, failed: 0 })
    expect(await sendDue(down)).toEqual({ sent: 0, waiting: 0, failed: 0 })
    const [mail] = await outbox()
    pauses.push(Math.round(((mail!['due_at'] as Date).getTime() - before) / 60_000))
    expect(mail).toMatchObject({ attempts: attempt + 1, failure: 'SMTP ECONNECTION' })
    clock.advance({ minutes: pauses.at(-1)! + 1 })
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  clock.advance({ days: 3 })
  expect(await sendDue(down)).toEqual({ sent: 0, waiting: 0, failed: 1 })
  expect((await outbox())[0]).toMatchObject({ status: 'FAILED', sealed: null, due_at: null, attempts: 9 })
  clock.advance({ days: 1 })
  expect(await sendDue(sending())).toEqual({ sent: 0, waiting: 0, failed: 0 })
  expect(mailbox.received).toEqual([])
})

test('what the server refuses for good is not tried again', async () => {
  await invite()
  const refusing = sending({ send: () => Promise.reject(new MailRefused('SMTP 550 RCPT TO EENVELOPE')) })
  expect(await sendDue(refusing)).toEqual({ sent: 0, waiting: 0, failed: 1 })
  expect((await outbox())[0]).toMatchObject({
    sealed: null,
    failure: 'SMTP 550 RCPT TO EENVELOPE',
    status: 'FAILED',
  })
})

test('a process that dies before it noted what it sent has it sent again, as the same message', async () => {
  await invite()
  let sentOnce!: () => void
  const taken = new Promise<void>((resolve) => (sentOnce = resolve))
  let wake!: () => void
  const stuck = new Promise<void>((resolve) => (wake = resolve))
  const dying = sendDue(
    sending({
      send: async (mail) => {
        await transport.send(mail)
        sentOnce()
        await stuck
      },
    }),
  )
  await taken
  // Nobody else takes it while its sender may still be at work.
  expect(await sendDue(sending())).toEqual({ sent: 0, waiting: 0, failed: 0 })
  clock.advance({ minutes: 11 })
  expect(await sendDue(sending())).toEqual({ sent: 1, waiting: 0, failed: 0 })
  const ids = mailbox.received.map(({ mail }) => mail.messageId)
  expect(ids).toHaveLength(2)
  expect(new Set(ids).size).toBe(1)
  // Were it only slow, it changes nothing of what the other noted.
  const noted = await outbox()
  clock.advance({ minutes: 1 })
  wake()
  await dying
  expect(await outbox()).toEqual(noted)
})

test('several senders send each mail once, of all tenants', async () => {
  const other = await (await graph.tenant('globex')).as('ADMIN')
  for (let place = 0; place < 25; place++) await invite(place === 0 ? other : admin)
  const ends = await Promise.all([sendDue(sending()), sendDue(sending()), sendDue(sending())])
  expect(ends.reduce((sum, { sent }) => sum + sent, 0)).toBe(25)
  expect(new Set(mailbox.received.map(({ mail }) => mail.messageId)).size).toBe(25)
  expect(mailbox.received).toHaveLength(25)
})

test('a mail put into another row is not sent', async () => {
  const other = await (await graph.tenant('globex')).as('ADMIN')
  await invite()
  await invite(other)
  await graph.owner.query(
    'UPDATE shared.mails m SET sealed = o.sealed FROM shared.mails o WHERE o.id <> m.id',
  )
  expect(await sendDue(sending())).toEqual({ sent: 0, waiting: 2, failed: 0 })
  expect(mailbox.received).toEqual([])
})

describe('mails of an hour (attack 10)', () => {
  const inAnHour = 'An hour has at most 5 mails to one address and 200 in all: try again in'
  const renew = async (id: string, client = admin) => {
    const { user } = await client.data<{ user: { version: number } }>(
      'query ($id: ID!) { user(id: $id) { version } }',
      { id },
    )
    const { renewInvitation } = await client.data<{
      renewInvitation: { userErrors: { code: string; message: string; field: string[] | null }[] }
    }>(
      'mutation ($input: RenewInvitationInput!) { renewInvitation(input: $input) { userErrors { code message field } } }',
      { input: { id, expectedVersion: user.version } },
    )
    return renewInvitation.userErrors
  }
  const versionOf = async (id: string) =>
    (await graph.owner.query<{ version: number }>('SELECT version FROM identity.users WHERE id = $1', [id]))
      .rows[0]!.version

  test('one address gets five; the sixth changes nothing, and may come when the first is an hour old', async () => {
    const { id } = await invite()
    for (let n = 2; n <= 5; n++) expect(await renew(id)).toEqual([])
    const before = await versionOf(id)
    const refusal = [{ code: 'RATE_LIMITED', message: `${inAnHour} 60 minutes`, field: null }]
    expect(await renew(id)).toEqual(refusal)
    expect([await versionOf(id), (await outbox()).length]).toEqual([before, 5])
    // Others are not in the way of one another: another address, another tenant.
    expect(await renew((await invite()).id)).toEqual([])
    await invite(await (await graph.tenant('globex')).as('ADMIN'))
    const age = (text: string) =>
      graph.owner.query(
        `UPDATE shared.mails SET created_at = created_at - interval '${text}'
          WHERE id = (SELECT id FROM shared.mails ORDER BY created_at, id LIMIT 1)`,
      )
    await age('50 minutes')
    expect((await renew(id))[0]!.message).toBe(`${inAnHour} 10 minutes`)
    await age('10 minutes')
    expect(await renew(id)).toEqual([])
    expect((await renew(id))[0]!.code).toBe('RATE_LIMITED')
  })

  test('those that come at once are counted one after the other', async () => {
    const { id } = await invite()
    await graph.owner.query('DELETE FROM shared.mails')
    const tenantId = (await graph.tenant('acme')).id
    const seal = mailSeal(graph.server.services.keys)
    const mail = { kind: 'test', to: `${id}@acme.example`, subject: 's', text: 't', html: 'h' }
    const context = { clock, binding: { tenantId }, services: graph.server.services }
    const write = () =>
      database
        .transaction({ tenantId }, (transaction) =>
          writeMails(context as unknown as SubgraphContext, transaction, [mail]),
        )
        .then(
          () => 'written',
          (error: UserErrors) => error.errors[0]!.code,
        )
    const all = await Promise.all(Array.from({ length: 8 }, write))
    expect(all.sort()).toEqual([
      ...Array<string>(3).fill('RATE_LIMITED'),
      ...Array<string>(5).fill('written'),
    ])
    const digests = (await outbox()).map(({ recipient }) => recipient)
    expect(digests).toEqual(Array.from({ length: 5 }, () => seal.recipient(tenantId, mail.to)))
    // It is no address, and of another tenant another.
    expect(digests[0]).toMatch(/^[\w-]{43}$/)
    expect(seal.recipient((await graph.tenant('globex')).id, mail.to)).not.toBe(digests[0])
  })

  test('a tenant writes 200 to all its addresses', async () => {
    const { id } = await invite()
    const more = `INSERT INTO shared.mails (tenant_id, id, created_at, due_at, kind, sealed, recipient)
      SELECT tenant_id, gen_random_uuid(), created_at, due_at, kind, sealed, 'other ' || n FROM shared.mails, generate_series(1, $1) n`
    await graph.owner.query(more, [198])
    expect(await renew(id)).toEqual([])
    expect(await renew(id)).toEqual([
      { code: 'RATE_LIMITED', message: `${inAnHour} 60 minutes`, field: null },
    ])
    expect(await outbox()).toHaveLength(200)
    await invite(await (await graph.tenant('globex')).as('ADMIN'))
  })
})

test('subgraphs write mails of their tenant, and read none', async () => {
  const acme = await graph.tenant('acme')
  await invite()
  const hr = await openDatabase({
    url: graph.database.urlFor('hr'),
    entities: [],
    connections: 3,
    applicationName: 'mail test hr',
  })
  try {
    const ask = (text: string) => hr.rows({ tenantId: acme.id }, { text })
    for (const text of [
      'SELECT kind FROM shared.mails',
      'UPDATE shared.mails SET attempts = 0',
      'DELETE FROM shared.mails',
      'SELECT shared.tenants_with_due_mail(now(), 1)',
      'SELECT shared.tenant_name()',
      'SELECT shared.tenant_slug()',
    ])
      await expect(ask(text)).rejects.toMatchObject({ code: '42501' })
  } finally {
    await hr.close()
  }
  expect(await outbox()).toHaveLength(1)
})

test('ended mails are removed, waiting ones never', async () => {
  await invite()
  await sendDue(sending())
  await invite()
  await graph.owner.query("UPDATE shared.mails SET created_at = now() - interval '31 days'")
  const remove = (instant: string) =>
    database.rows({ tenantId: null }, { text: `SELECT shared.remove_mails(${instant})` })
  await expect(remove('now()')).rejects.toThrow('kept for a day')
  expect(await remove("now() - interval '30 days'")).toEqual([[1]])
  expect((await outbox()).map(({ status }) => status)).toEqual(['WAITING'])
})

test('the product sends by itself', async () => {
  const own = await startGraph({
    env: {
      SMTP_URL: mailbox.url,
      MAIL_FROM: 'no-reply@acme.example',
      PUBLIC_URL: 'https://app.acme.example',
    },
    backgroundMs: 20,
  })
  try {
    const { token } = await invite(await (await own.tenant('acme')).as('ADMIN'))
    // The suite's time limit tells when nothing comes.
    while (mailbox.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(linkIn(mailbox.received[0]?.mail.text)).toBe(`https://app.acme.example/accept-invitation#${token}`)
  } finally {
    await own.close()
  }
})
