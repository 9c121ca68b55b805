import { uuidv7 } from '../../kernel/id'
import { startWithJobs } from '../support/asked-jobs'
import type { TestClient, TestGraph, TestTenant } from '../support/graph'
import { change, prepareRows, userErrors } from '../support/lists'

/** Issue 17: what an erasure may not touch, whom a request is about, and what becomes of one that is only half done. */
let graph: TestGraph
let work: (tenant: TestTenant, ...names: string[]) => Promise<void>
let run: (tenant: TestTenant, subgraph: string, name: string, payload?: object) => Promise<void>
let tenant: TestTenant
let officer: TestClient & { email: string; password: string }
let other: TestClient & { email: string; password: string }
let count = 0
const long = '2026-01-01T00:00:00.000Z'

beforeAll(async () => {
  ;({ graph, work, once: run } = await startWithJobs())
})
afterAll(() => graph?.close())
beforeEach(async () => {
  tenant = await graph.tenant(`erasure-${++count}`)
  ;[officer, other] = [await tenant.user('COMPLIANCE_OFFICER'), await tenant.user('COMPLIANCE_OFFICER')]
})

interface Request {
  id: string
  version: number
  status: string
}
const selection = 'dataSubjectRequest { id version status }'
const step = (client: TestClient, verb: string, { id, version }: Request, input = {}) =>
  change<Request>(client, `${verb}DataSubjectRequest`, { id, expectedVersion: version, ...input }, selection)
const refused = async (client: TestClient, verb: string, { id, version }: Request, input = {}) =>
  (await userErrors(client, `${verb}DataSubjectRequest`, { id, expectedVersion: version, ...input })).map(
    ({ code, field }) => [code, field?.join('.')],
  )
const receive = (type: string, input: object, client: TestClient = officer) =>
  change<Request>(
    client,
    'receiveDataSubjectRequest',
    {
      requestNumber: `E-${++count}`,
      type,
      subjectType: 'CUSTOMER',
      requesterEmail: 'anna@x.example',
      ...input,
    },
    selection,
  )
const read = async <T = Record<string, unknown>>(id: string, fields: string) =>
  (await officer.data<{ one: T }>(`{ one: dataSubjectRequest(id: "${id}") { ${fields} } }`)).one
const fresh = (id: string) => read<Request>(id, 'id version status')
const verified = async (type: string, input: object) =>
  step(officer, 'verify', await receive(type, input), { verification: 'Passport seen' })
const collected = async (type: string, input: object) => {
  const { id } = await step(officer, 'collect', await verified(type, input))
  await work(tenant, 'subject-data', 'subject-answers')
  return fresh(id)
}
interface Receipt {
  types: { type: string; erased: number; kept: { rows: number; reason: string }[] }[]
}
const erase = async (customerId: string) => {
  const review = await collected('ERASURE', { customerId })
  await step(other, 'fulfil', await step(other, 'approve', review))
  await work(tenant, 'subject-data', 'subject-answers')
  const { receipt } = await read<{ receipt: Receipt }>(review.id, 'receipt')
  return Object.fromEntries(
    receipt.types.map(({ type, erased, kept }) => [
      type,
      [erased, kept.map(({ rows, reason }) => `${rows} ${reason}`)],
    ]),
  )
}
const hold = (...subjects: object[]) =>
  change(
    officer,
    'placeLegalHold',
    { holdNumber: `H-${++count}`, name: 'N', reason: 'R', subjects },
    '__typename',
  )

/** A customer, past the graph. */
async function customer(name = 'anna'): Promise<string> {
  const id = uuidv7()
  await prepareRows(graph, tenant.id, 'insights.customers', [
    {
      id,
      external_id: name,
      email: `${name}@x.example`,
      first_name: name,
      first_seen_at: long,
      last_seen_at: long,
    },
  ])
  return id
}
/** A ticket with a message. */
async function ticket(values: Record<string, string | null>): Promise<{ id: string; message: string }> {
  const [id, message] = [uuidv7(), uuidv7()]
  await prepareRows(graph, tenant.id, 'insights.support_tickets', [
    {
      id,
      ticket_number: `T-${++count}`,
      priority: 'HIGH',
      channel: 'EMAIL',
      language: 'en',
      subject: 'S',
      ...values,
    },
  ])
  await prepareRows(graph, tenant.id, 'insights.ticket_messages', [
    {
      ...{ id: message, ticket_id: id, conversation_id: id, is_from_customer: true, visibility: 'PUBLIC' },
      ...{ sent_at: long, language: 'en', body: 'B' },
    },
  ])
  return { id, message }
}
const texts = async () =>
  (
    await graph.owner.query<{ subject: string | null; body: string | null }>(
      `SELECT t.subject, m.body FROM insights.support_tickets t JOIN insights.ticket_messages m ON m.ticket_id = t.id
        WHERE t.tenant_id = $1 ORDER BY t.id`,
      [tenant.id],
    )
  ).rows.map(({ subject, body }) => [subject, body])
const held = [0, ['1 Legal hold']]

test('a hold on the customer keeps the tickets that are found by the address alone; without it they go', async () => {
  const anna = await customer()
  await ticket({ customer_email: 'anna@x.example' })
  await hold({ resourceType: 'Customer', resourceId: anna })
  expect(await erase(anna)).toMatchObject({ Customer: held, SupportTicket: held, TicketMessage: held })
  expect(await texts()).toEqual([['S', 'B']])

  const bert = await customer('bert')
  await ticket({ customer_email: 'bert@x.example' })
  expect(await erase(bert)).toMatchObject({
    Customer: [1, []],
    SupportTicket: [1, []],
    TicketMessage: [1, []],
  })
  expect(await texts()).toEqual([
    ['S', 'B'],
    [null, null],
  ])
})

test('a hold on the ticket that a merge left, or on one message, keeps what retention would keep', async () => {
  const anna = await customer()
  const [left, own, free] = [
    await ticket({}),
    await ticket({ customer_id: anna }),
    await ticket({ customer_id: anna }),
  ]
  await ticket({
    customer_id: anna,
    merged_into_id: left.id,
    status: 'CLOSED',
    resolved_at: long,
    closed_at: long,
  })
  await hold({ resourceType: 'SupportTicket', resourceId: left.id })
  await hold({ resourceType: 'TicketMessage', resourceId: own.message })
  expect(free.id > own.id).toBe(true)
  expect(await erase(anna)).toMatchObject({
    SupportTicket: [1, ['2 Legal hold']],
    TicketMessage: [1, ['2 Legal hold']],
  })
  expect(await texts()).toEqual([
    ['S', 'B'],
    ['S', 'B'],
    [null, null],
    ['S', 'B'],
  ])
  await hold({ resourceType: 'TicketMessage' })
  const bert = await customer('bert')
  await ticket({ customer_id: bert })
  expect(await erase(bert)).toMatchObject({ Customer: [1, []], SupportTicket: held, TicketMessage: held })
})

/** Has one subgraph answer, and the others not; then their time is over. */
async function half(subgraph: string | null, id: string): Promise<{ taskId: string }> {
  const { rows } = await graph.owner.query<{ subgraph: string; payload: { taskId: string } }>(
    "DELETE FROM shared.jobs WHERE tenant_id = $1 AND name = 'subject-data' RETURNING subgraph, payload",
    [tenant.id],
  )
  await graph.owner.query("DELETE FROM shared.jobs WHERE tenant_id = $1 AND name = 'subject-answers'", [
    tenant.id,
  ])
  const { taskId } = rows[0]!.payload
  if (subgraph) await run(tenant, subgraph, 'subject-data', { taskId })
  await run(tenant, 'compliance', 'subject-answers', { requestId: id, taskId, tries: 12 })
  return { taskId }
}

test('an erasure that is half done is only ever ended; its receipt tells all of it; late jobs do nothing', async () => {
  const anna = await customer()
  const review = await collected('ERASURE', { customerId: anna })
  await step(other, 'fulfil', await step(other, 'approve', review))
  // Nobody answered: as it was, and whoever is late does nothing.
  const { taskId } = await half(null, review.id)
  expect((await fresh(review.id)).status).toBe('REVIEW')
  await run(tenant, 'insights', 'subject-data', { taskId })
  const firstName = async () =>
    (await graph.owner.query('SELECT first_name AS name FROM insights.customers WHERE id = $1', [anna]))
      .rows[0]
  expect(await firstName()).toEqual({ name: 'anna' })

  await step(other, 'fulfil', await fresh(review.id))
  await half('insights', review.id)
  const begun = await fresh(review.id)
  expect([begun.status, await firstName()]).toEqual(['FULFILLING', { name: null }])
  expect(await refused(other, 'reject', begun, { legalGround: 'x' })).toEqual([['WRONG_STATUS', 'id']])
  await step(other, 'fulfil', begun)
  await work(tenant, 'subject-data', 'subject-answers')
  const { status, receipt } = await read<{ status: string; receipt: Receipt }>(review.id, 'status receipt')
  expect([status, receipt.types.find(({ type }) => type === 'Customer')]).toEqual([
    'FULFILLED',
    expect.objectContaining({ erased: 1, kept: [] }),
  ])
})

test('a collection that nobody ends is begun anew', async () => {
  const collecting = await step(
    officer,
    'collect',
    await verified('ACCESS', { customerId: await customer() }),
  )
  expect(collecting.status).toBe('COLLECTING')
  const again = await step(officer, 'collect', collecting)
  await work(tenant, 'subject-data', 'subject-answers')
  expect((await fresh(again.id)).status).toBe('REVIEW')
})

test('nobody decides about themselves: as a login, as an employee, or by naming another', async () => {
  const employeeId = uuidv7()
  await prepareRows(graph, tenant.id, 'hr.employees', [
    {
      id: employeeId,
      employee_number: 'E-1',
      user_id: other.userId,
      first_name: 'O',
      hire_date: '2020-01-01',
    },
  ])
  const review = await collected('ACCESS', { subjectType: 'EMPLOYEE', employeeId })
  for (const [verb, input] of [
    ['approve', {}],
    ['reject', { legalGround: 'x' }],
    ['collect', {}],
  ] as const)
    expect([verb, await refused(other, verb, review, input)]).toEqual([verb, [['OWN_RECORD', 'id']]])
  const open = await receive('ACCESS', { subjectType: 'USER' })
  const verification = { verification: 'I know' }
  expect(await refused(other, 'verify', open, { userId: other.userId, ...verification })).toEqual([
    ['OWN_RECORD', 'id'],
  ])
  // Whoever noted it does not approve it.
  const noted = await receive('ACCESS', { customerId: await customer() }, other)
  const seen = await step(officer, 'collect', await step(officer, 'verify', noted, verification))
  await work(tenant, 'subject-data', 'subject-answers')
  expect(await refused(other, 'approve', await fresh(seen.id))).toEqual([['OWN_RECORD', 'id']])
  const third = await tenant.user('COMPLIANCE_OFFICER')
  await graph.owner.query(
    'INSERT INTO identity.entrustments (tenant_id, user_id, by_id, entrusted_at) VALUES ($1, $2, $3, $4)',
    [tenant.id, third.userId, officer.userId, graph.clock.now().toISOString()],
  )
  expect(await refused(third, 'approve', await fresh(seen.id))).toEqual([['SECOND_PERSON_NEEDED', 'id']])
  expect((await fresh(seen.id)).status).toBe('REVIEW')
  const fourth = await tenant.user('COMPLIANCE_OFFICER')
  expect(await refused(fourth, 'approve', await fresh(seen.id))).toEqual([])
})

test('whom a request is about is of its kind, is never replaced, and an unknown address is shown', async () => {
  const [anna, bert] = [await customer(), await customer('bert')]
  const verification = { verification: 'Seen' }
  const userId = other.userId
  expect(
    await userErrors(officer, 'receiveDataSubjectRequest', {
      ...{
        requestNumber: 'X',
        type: 'ACCESS',
        subjectType: 'CUSTOMER',
        requesterEmail: 'a@x.example',
        userId,
      },
    }),
  ).toMatchObject([{ code: 'INVALID', field: ['customerId'] }])
  const got = await receive('ERASURE', { customerId: anna })
  expect(await refused(officer, 'verify', got, { customerId: bert, ...verification })).toEqual([
    ['INVALID', 'customerId'],
  ])
  expect(await fresh(got.id)).toEqual(got)
  const known = await step(officer, 'verify', got, verification)
  expect(await read(known.id, 'isAddressKnown customer { id } receivedBy { id }')).toMatchObject({
    isAddressKnown: true,
  })
  const strange = await verified('ERASURE', { customerId: bert })
  expect(await read(strange.id, 'isAddressKnown')).toEqual({ isAddressKnown: false })
})

test('an account in use is not erased, and says what to do', async () => {
  const review = await collected('ERASURE', {
    subjectType: 'USER',
    userId: (await tenant.user('VIEWER')).userId,
  })
  const approved = await step(other, 'approve', review)
  expect(
    await userErrors(other, 'fulfilDataSubjectRequest', { id: review.id, expectedVersion: approved.version }),
  ).toEqual([
    {
      code: 'WRONG_STATUS',
      field: ['id'],
      message: 'The account is in use: suspend it first, have it collected anew and approved',
    },
  ])
  expect((await fresh(review.id)).status).toBe('REVIEW')
})

test('a download leaves an entry; a lost token is replaced by a new approval; no export outlives the erasure', async () => {
  const anna = await customer()
  const review = await collected('ACCESS', { customerId: anna })
  const take = async (seen: Request) => {
    const query = `mutation ($input: FulfilDataSubjectRequestInput!) { done: fulfilDataSubjectRequest(input: $input) { ${selection} exportToken } }`
    const { done } = await other.data<{ done: { dataSubjectRequest: Request; exportToken: string } }>(query, {
      input: { id: seen.id, expectedVersion: seen.version },
    })
    return { seen: done.dataSubjectRequest, token: done.exportToken }
  }
  const first = await take(await step(other, 'approve', review))
  const anew = await step(officer, 'collect', first.seen)
  await work(tenant, 'subject-data', 'subject-answers')
  expect(await refused(other, 'fulfil', await fresh(anew.id))).toEqual([['WRONG_STATUS', 'id']])
  const second = await take(await step(other, 'approve', await fresh(anew.id)))
  expect(await refused(other, 'download', second.seen, { token: first.token })).toEqual([
    ['INVALID', 'token'],
  ])
  expect(await refused(other, 'download', second.seen, { token: second.token })).toEqual([])
  const { rows } = await graph.owner.query(
    `SELECT changes FROM shared.audit_logs WHERE tenant_id = $1 AND action = 'VIEW' AND resource_id = $2 AND actor_id = $3`,
    [tenant.id, anew.id, other.userId],
  )
  expect(rows).toContainEqual({ changes: { read: { fields: ['content'], ids: [anew.id] } } })

  const waiting = await collected('PORTABILITY', { customerId: anna })
  const files = async () => {
    const found: string[] = []
    for await (const key of graph.server.services.blobs.of(tenant.id).list('subject-requests/'))
      found.push(key)
    return found
  }
  expect((await files()).length).toBe(12)
  await erase(anna)
  expect(await files()).toEqual([])
  expect((await fresh(waiting.id)).status).toBe('VERIFIED')
  expect(await read(anew.id, 'status requesterEmail')).toEqual({ status: 'FULFILLED', requesterEmail: null })
})
