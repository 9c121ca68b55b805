import { buildSchema, getNamedType, isInputObjectType, isObjectType, type GraphQLInputType } from 'graphql'
import { openDatabase } from '../../kernel/connection/database'
import { canonicalInput, keyLifeMs } from '../../kernel/writing/idempotency'
import { idempotencyKeys } from '../../subgraphs/compliance/jobs/idempotency-keys'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, userErrors } from '../support/lists'
import { operatorIn } from '../support/operator'
import { byEntry } from '../support/platform-fields'
import { allScopes, userWith } from '../support/scopes'

/**
 * B4: whatever moves money or posts is done once per tenant, mutation and key, whoever asks, and however the same thing is
 * spelled.
 */
let graph: TestGraph
let acme: TestTenant
let admin: TestClient
let second: TestClient
/** Two who are in the tenant, and write its bills. */
let operators: readonly TestClient[]
let count = 0
const euros = (amount: string) => ({ amount, currency: 'EUR' })
const unique = () => `N-${++count}`

interface Case {
  /** The payload's part that tells what was done. */
  thing: string
  entity: string
  /** What is shown of it besides its id; its version when not said. What is never changed has none. */
  shown?: string
  /** The scope that reads the answer, where the type's name does not tell it. */
  reading?: string
  input(): Promise<Record<string, unknown>>
  /** The same in other words. */
  respelled(input: Record<string, unknown>): Record<string, unknown>
  /** Something else. */
  other(input: Record<string, unknown>): Record<string, unknown>
}

const reversedKeys = (input: Record<string, unknown>) => Object.fromEntries(Object.entries(input).reverse())
/** Both sides of an entry on new accounts. */
async function sides(amount: string) {
  const account = () =>
    change<{ id: string }>(
      admin,
      'createLedgerAccount',
      { code: unique(), name: 'Either side', type: 'ASSET' },
      'ledgerAccount { id }',
    )
  const [debited, credited] = [await account(), await account()]
  return [
    { ledgerAccountId: debited.id, debit: euros(amount) },
    { ledgerAccountId: credited.id, credit: euros(amount) },
  ]
}
const lines = [{ description: 'Support', unitPrice: '10' }]
const drafted = () =>
  change<{ id: string }>(operators[0]!, 'draftInvoice', { currency: 'EUR', lines }, 'invoice { id }')

const opened = () =>
  change<{ id: string }>(
    admin,
    'openSupportTicket',
    { customerEmail: 'someone@buyers.example', subject: 'Help' },
    'supportTicket { id }',
  )

const cases: Readonly<Record<string, Case>> = {
  openSupportTicket: {
    thing: 'supportTicket',
    entity: 'insights.support_tickets',
    reading: 'insights:ticket:read',
    input: async () => ({ customerEmail: 'someone@buyers.example', subject: unique() }),
    respelled: (input) => ({ ...input, priority: 'NORMAL', language: 'en', channel: 'EMAIL' }),
    other: (input) => ({ ...input, priority: 'URGENT' }),
  },
  replyToSupportTicket: {
    thing: 'ticketMessage',
    entity: 'insights.ticket_messages',
    shown: '',
    reading: 'insights:ticket:read',
    input: async () => ({ supportTicketId: (await opened()).id, body: unique() }),
    respelled: (input) => ({ ...input, supportTicketId: String(input['supportTicketId']).toUpperCase() }),
    other: (input) => ({ ...input, isFromCustomer: true }),
  },
  recordTransaction: {
    thing: 'transaction',
    entity: 'finance.transactions',
    input: async () => ({ type: 'EXPENSE', amount: euros('1'), transactionNumber: unique() }),
    respelled: (input) => reversedKeys({ ...input, amount: { currency: 'EUR', amount: '1.00' } }),
    other: (input) => ({ ...input, amount: euros('2') }),
  },
  reverseTransaction: {
    thing: 'reversal',
    entity: 'finance.transactions',
    async input() {
      const values = { type: 'EXPENSE', amount: euros('1'), transactionNumber: unique() }
      const { id } = await change<{ id: string }>(admin, 'recordTransaction', values, 'transaction { id }')
      return { id, transactionNumber: unique() }
    },
    respelled: (input) => reversedKeys({ ...input, id: String(input['id']).toUpperCase() }),
    other: (input) => ({ ...input, description: 'Another reason' }),
  },
  postJournalEntry: {
    thing: 'journalEntry',
    entity: 'finance.journal_entries',
    shown: 'entryNumber',
    reading: 'finance:ledger:read',
    input: async () => ({ postings: await sides('1') }),
    respelled: (input) =>
      reversedKeys({
        ...input,
        postings: (input['postings'] as { ledgerAccountId: string }[]).map((posting) => ({
          ...posting,
          ledgerAccountId: posting.ledgerAccountId.toUpperCase(),
        })),
      }),
    other: (input) => ({ ...input, description: 'Something else' }),
  },
  reverseJournalEntry: {
    thing: 'reversal',
    entity: 'finance.journal_entries',
    shown: 'entryNumber',
    reading: 'finance:ledger:read',
    async input() {
      const values = { postings: await sides('1') }
      return change<{ id: string }>(admin, 'postJournalEntry', values, 'journalEntry { id }')
    },
    respelled: (input) => reversedKeys({ ...input, id: String(input['id']).toUpperCase() }),
    other: (input) => ({ ...input, description: 'Another reason' }),
  },
  draftInvoice: {
    thing: 'invoice',
    entity: 'tenancy.invoices',
    input: async () => ({ currency: 'EUR', lines }),
    // What is left out is the default, which may be given as well.
    respelled: (input) => ({
      ...input,
      lines: [{ taxRate: '0.0', unitPrice: '10.00', quantity: '1.000', description: 'Support' }],
    }),
    other: (input) => ({ ...input, lines: [{ ...lines[0], quantity: '2' }] }),
  },
  payInvoice: {
    thing: 'invoice',
    entity: 'tenancy.invoices',
    async input() {
      const { id } = await drafted()
      await change(operators[0]!, 'issueInvoice', { id, expectedVersion: 1 }, 'invoice { id }')
      return { id, amount: euros('4') }
    },
    respelled: (input) => reversedKeys({ ...input, amount: euros('4.0') }),
    other: (input) => ({ ...input, amount: euros('6') }),
  },
  recordPayment: {
    thing: 'payment',
    entity: 'tenancy.payments',
    reading: 'tenancy:invoice:read',
    input: async () => ({ amount: euros('1'), reference: unique() }),
    respelled: (input) => reversedKeys({ ...input, amount: euros('1.0'), method: 'BANK_TRANSFER' }),
    other: (input) => ({ ...input, amount: euros('2') }),
  },
  draftCreditNote: {
    thing: 'creditNote',
    entity: 'tenancy.credit_notes',
    reading: 'tenancy:invoice:read',
    async input() {
      const { id } = await drafted()
      await change(operators[0]!, 'issueInvoice', { id, expectedVersion: 1 }, 'invoice { id }')
      return { invoiceId: id, reason: 'ERROR' }
    },
    respelled: (input) => reversedKeys({ ...input, invoiceId: String(input['invoiceId']).toUpperCase() }),
    other: (input) => ({ ...input, reason: 'GOODWILL' }),
  },
  raiseSecurityAlert: {
    thing: 'securityAlert',
    entity: 'compliance.security_alerts',
    reading: 'compliance:alert:read',
    input: async () => ({
      ...{ alertType: 'PORT_SCAN', severity: 'LOW', description: 'Many ports', fingerprint: unique() },
    }),
    respelled: (input) => reversedKeys({ ...input, isThreat: false }),
    other: (input) => ({ ...input, description: 'Few ports' }),
  },
}

/** Everything that one of these mutations could have done twice. */
async function stored(): Promise<unknown[]> {
  const { rows } = await graph.owner.query(
    `SELECT count(*)::int AS rows, sum(amount)::text AS sum FROM finance.transactions
     UNION ALL SELECT count(*)::int, sum(abs(amount))::text FROM finance.postings
     UNION ALL SELECT count(*)::int, sum(amount_paid)::text FROM tenancy.invoices
     UNION ALL SELECT count(*)::int, sum(total)::text FROM tenancy.credit_notes
     UNION ALL SELECT count(*)::int, sum(amount)::text FROM tenancy.payments
     UNION ALL SELECT count(*)::int, sum(occurrences)::text FROM compliance.security_alerts
     UNION ALL SELECT count(*)::int, NULL FROM insights.support_tickets
     UNION ALL SELECT count(*)::int, NULL FROM insights.ticket_messages`,
  )
  return rows
}

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
  second = await acme.user('ADMIN')
  operators = [await operatorIn(graph, acme), await operatorIn(graph, acme, 'second')]
})
afterAll(() => graph?.close())

it('knows every mutation that takes a key (B4)', () => {
  const found = [...graph.server.subgraphs.values()].flatMap(({ schema }) =>
    Object.values(schema.getMutationType()?.getFields() ?? {}).filter(({ args }) =>
      args.some(({ type }) => {
        const input = getNamedType(type)
        return isInputObjectType(input) && 'idempotencyKey' in input.getFields()
      }),
    ),
  )
  expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(cases).sort())
})

describe.each(Object.entries(cases))('%s (B4)', (mutation, { thing, entity, reading: scope, ...made }) => {
  const run = (client: TestClient, input: Record<string, unknown>) =>
    change<{ id: string; version: number }>(
      client,
      mutation,
      input,
      `${thing} { id ${made.shown ?? 'version'} }`,
    )

  const isOperators = byEntry.has(mutation)
  const askers = () => (isOperators ? operators : [admin, second])

  it('is done once for two users and several spellings, who all get the first answer', async () => {
    const input = { ...(await made.input()), idempotencyKey: unique() }
    const [one, other] = askers()
    const first = await run(one!, input)
    const after = await stored()
    for (const client of [other!, one!])
      for (const again of [input, made.respelled(input)]) expect(await run(client, again)).toEqual(first)
    expect(await stored()).toEqual(after)
  })

  it('is done once when two users ask at the same moment', async () => {
    const input = { ...(await made.input()), idempotencyKey: unique() }
    const before = await stored()
    const twice = [...askers(), ...askers()]
    const answers = await Promise.all(twice.map((client) => run(client, input)))
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    const after = await stored()
    expect(after).not.toEqual(before)
    expect(await run(askers()[1]!, input)).toEqual(answers[0])
    expect(await stored()).toEqual(after)
  })

  it('is refused with another input, to whomever', async () => {
    const input = { ...(await made.input()), idempotencyKey: unique() }
    await run(askers()[0]!, input)
    const after = await stored()
    for (const client of askers())
      expect(await userErrors(client, mutation, made.other(input))).toMatchObject([
        { code: 'IDEMPOTENCY_KEY_REUSED', field: ['idempotencyKey'] },
      ])
    expect(await stored()).toEqual(after)
  })

  it('refuses a key that is none', async () => {
    const input = await made.input()
    const before = await stored()
    for (const idempotencyKey of ['', 'x'.repeat(256)])
      expect(await userErrors(askers()[0]!, mutation, { ...input, idempotencyKey })).toEqual([
        {
          code: 'INVALID',
          field: ['idempotencyKey'],
          message: 'idempotencyKey must have 1 to 255 characters',
        },
      ])
    expect(await stored()).toEqual(before)
  })

  // An operator who is in a tenant reads all that is written there.
  if (isOperators) return
  it('tells who may not read the answer that it was done, and nothing else', async () => {
    const scopes = await allScopes(graph)
    const schema = [...graph.server.subgraphs.values()].find(
      ({ schema: one }) => one.getMutationType()?.getFields()[mutation],
    )!.schema
    const payload = getNamedType(schema.getMutationType()!.getFields()[mutation]!.type)
    const type = isObjectType(payload) ? getNamedType(payload.getFields()[thing]!.type).name : ''
    const reading = scope ?? `${entity.split('.')[0]}:${type.toLowerCase()}:read`
    expect(scopes).toContain(reading)
    const writer = await userWith(
      graph,
      acme,
      scopes.filter((one) => one !== reading),
    )
    const input = { ...(await made.input()), idempotencyKey: unique() }
    await run(admin, input)
    const after = await stored()
    const name = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}`
    const query = `mutation ($input: ${name}Input!) { ${mutation}(input: $input) { ${thing} { id } userErrors { code } } }`
    const answer = await writer.query(query, { input })
    expect(answer.data).toBeNull()
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['CONFLICT'])
    expect(await stored()).toEqual(after)
  })
})

describe('old keys (B4)', () => {
  const aged = (key: string, days: number) =>
    graph.owner.query(
      'UPDATE shared.idempotency_keys SET created_at = $2 WHERE tenant_id = $3 AND key = $1',
      [key, new Date(graph.clock.now().getTime() - days * 24 * 3_600_000).toISOString(), acme.id],
    )
  const keys = async () =>
    (
      await graph.owner.query<{ key: string }>(
        `SELECT key FROM shared.idempotency_keys WHERE key LIKE 'old %' ORDER BY key`,
      )
    ).rows.map(({ key }) => key)

  it('are new ones after 30 days, and not before', async () => {
    expect(keyLifeMs).toBe(30 * 24 * 3_600_000)
    const key = { idempotencyKey: 'old key', currency: 'EUR', lines }
    const draft = (client: TestClient) =>
      change<{ id: string }>(client, 'draftInvoice', key, 'invoice { id }')
    const first = await draft(operators[0]!)
    await aged('old key', 29)
    expect(await draft(operators[1]!)).toEqual(first)
    await aged('old key', 31)
    const later = await draft(operators[1]!)
    expect(later).not.toEqual(first)
    expect(await draft(operators[0]!)).toEqual(later)
  })

  it('are removed by a nightly job, of each tenant', async () => {
    await graph.owner.query(`DELETE FROM shared.idempotency_keys WHERE key LIKE 'old %'`)
    const globex = await graph.tenant('globex')
    const someone = await operatorIn(graph, globex)
    for (const idempotencyKey of ['old 1', 'old 2'])
      for (const client of [operators[0]!, someone])
        await change(client, 'draftInvoice', { idempotencyKey, currency: 'EUR', lines }, 'invoice { id }')
    await graph.owner.query(
      `UPDATE shared.idempotency_keys SET created_at = now() - interval '31 days' WHERE key = 'old 1'`,
    )
    const url = graph.database.urlFor('compliance')
    const database = await openDatabase({ url, entities: [], connections: 1, applicationName: 'keys' })
    try {
      for (const [{ id: tenantId }, left] of [
        [acme, ['old 1', 'old 2', 'old 2']],
        [globex, ['old 2', 'old 2']],
      ] as const) {
        await runJob(idempotencyKeys, database, graph.server.services, { tenantId })
        expect(await keys()).toEqual(left)
      }
      const young = { text: 'SELECT shared.remove_idempotency_keys(now())' }
      await expect(database.rows({ tenantId: acme.id }, young)).rejects.toThrow(
        'a key is kept for a day at least',
      )
    } finally {
      await database.close()
    }
  })
})

describe('what an input means (B4)', () => {
  const schema = buildSchema(`
    scalar Decimal scalar JSON
    input Item { id: ID, amount: Decimal, note: String, more: JSON, items: [Item!] }
    type Query { f(i: Item): Int }`)
  const meaning = (value: unknown) =>
    JSON.stringify(canonicalInput(schema.getType('Item') as GraphQLInputType, value))
  const id = '019b76da-a800-7000-8000-00000000000a'

  it.each([
    ['decimals', { amount: '1' }, { amount: '1.00' }],
    ['decimals with a fraction', { amount: '-0.50' }, { amount: '-0.5' }],
    ['nothing', { amount: '-0.00' }, { amount: '0' }],
    ['the order of members', { amount: '1', note: 'a' }, { note: 'a', amount: '1' }],
    ['the order of members in JSON', { more: { a: [{ b: 1, c: 2 }] } }, { more: { a: [{ c: 2, b: 1 }] } }],
    ['ids', { id }, { id: id.toUpperCase() }],
    ['undefined and left out', { note: undefined }, {}],
    ['lists of one and one', { items: { amount: '1.0' } }, { items: [{ amount: '1' }] }],
  ])('is the same for %s', (_, one, other) => {
    expect(meaning(one)).toBe(meaning(other))
  })

  it.each([
    ['amounts', { amount: '1' }, { amount: '10' }],
    ['digits beyond a double', { amount: '9007199254740992' }, { amount: '9007199254740993' }],
    ['signs', { amount: '1' }, { amount: '-1' }],
    ['texts that look like numbers', { note: '1' }, { note: '1.00' }],
    ['null and left out', { note: null }, {}],
    ['the order of lists', { more: [1, 2] }, { more: [2, 1] }],
    ['numbers and texts in JSON', { more: 1 }, { more: '1' }],
    ['members of other names', { note: 'a' }, { id: 'a' }],
  ])('differs for %s', (_, one, other) => {
    expect(meaning(one)).not.toBe(meaning(other))
  })
})
