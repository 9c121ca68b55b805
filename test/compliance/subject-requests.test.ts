import { monthsLater, workingDay } from '../../subgraphs/compliance/rules/deadline'
import { uuidv7 } from '../../kernel/id'
import { startWithJobs } from '../support/asked-jobs'
import type { TestClient, TestGraph, TestTenant } from '../support/graph'
import { change, prepareRows, userErrors } from '../support/lists'

/** Issue 17: a request of a person, from its receipt to its end: identity first, a second person, holds, a receipt. */
let graph: TestGraph
let work: (tenant: TestTenant, ...names: string[]) => Promise<void>
let once: (tenant: TestTenant, subgraph: string, name: string) => Promise<void>
let tenant: TestTenant
let officer: TestClient & { email: string; password: string }
let other: TestClient & { email: string; password: string }
let count = 0
const long = '2026-01-01T00:00:00.000Z'

beforeAll(async () => {
  ;({ graph, work, once } = await startWithJobs())
})
afterAll(() => graph?.close())
beforeEach(async () => {
  tenant = await graph.tenant(`subjects-${++count}`)
  ;[officer, other] = [await tenant.user('COMPLIANCE_OFFICER'), await tenant.user('COMPLIANCE_OFFICER')]
})

type Request = { id: string; version: number; status: string }
const selection = 'dataSubjectRequest { id version status }'
const step = async (client: TestClient, verb: string, seen: { id: string; version: number }, input = {}) =>
  change<Request>(
    client,
    `${verb}DataSubjectRequest`,
    { id: seen.id, expectedVersion: seen.version, ...input },
    selection,
  )
const refused = async (client: TestClient, verb: string, seen: Request, input = {}) =>
  userErrors(client, `${verb}DataSubjectRequest`, { id: seen.id, expectedVersion: seen.version, ...input })
const receive = async (type: string, subjectId: string | null, input = {}, subjectType = 'CUSTOMER') =>
  change<Request>(
    officer,
    'receiveDataSubjectRequest',
    {
      requestNumber: `D-${++count}`,
      type,
      subjectType,
      requesterEmail: 'p@x.example',
      ...input,
      [subjectType === 'USER' ? 'userId' : 'customerId']: subjectId,
    },
    selection,
  )
const read = async <T = Record<string, unknown>>(id: string, fields: string) =>
  (await officer.data<{ one: T }>(`{ one: dataSubjectRequest(id: "${id}") { ${fields} } }`)).one
const fresh = (id: string) => read<Request>(id, 'id version status')
const collected = async (seen: Request) => {
  const verified = await step(officer, 'verify', seen, { verification: 'Passport seen' })
  await step(officer, 'collect', verified)
  await work(tenant, 'subject-data', 'subject-answers')
  return fresh(seen.id)
}
const fulfil = async (client: TestClient, seen: Request) => {
  const query = `mutation ($input: FulfilDataSubjectRequestInput!) { done: fulfilDataSubjectRequest(input: $input) { ${selection} exportToken userErrors { code } } }`
  const input = { id: seen.id, expectedVersion: seen.version }
  return (
    await client.data<{
      done: { dataSubjectRequest: Request; exportToken: string | null; userErrors: unknown[] }
    }>(query, { input })
  ).done
}
const download = async (client: TestClient, seen: Request, token: string) => {
  const query = `mutation ($input: DownloadDataSubjectRequestInput!) { file: downloadDataSubjectRequest(input: $input) { content userErrors { code } } }`
  const input = { id: seen.id, expectedVersion: seen.version, token }
  return (
    await client.data<{ file: { content: string | null; userErrors: { code: string }[] } }>(query, { input })
  ).file
}
/** A customer who wrote something, past the graph. */
async function customer(name: string): Promise<{ id: string; interaction: string }> {
  const [id, interaction] = [uuidv7(), uuidv7()]
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
  await prepareRows(graph, tenant.id, 'insights.customer_interactions', [
    {
      ...{ id: interaction, customer_id: id, source: 's', external_id: name, channel: 'CHAT' },
      ...{ event_type: 'x', content: `${name} wrote`, occurred_at: '2026-01-01T00:00:00Z' },
    },
  ])
  return { id, interaction }
}
const contents = async () =>
  (
    await graph.owner.query<{ text: string | null }>(
      'SELECT content AS text FROM insights.customer_interactions WHERE tenant_id = $1 ORDER BY external_id',
      [tenant.id],
    )
  ).rows.map(({ text }) => text)

test.each([
  ['2026-01-31', 1, '2026-02-28'],
  ['2028-01-31', 1, '2028-02-29'],
  ['2026-01-31', 3, '2026-04-30'],
  ['2026-11-30', 3, '2027-02-28'],
  ['2026-12-15', 1, '2027-01-15'],
])('%s and %i months are %s', (day, months, then) => {
  expect(monthsLater(day, months)).toBe(then)
})

test.each([
  ['2026-11-27', '2026-11-27'],
  ['2026-11-28', '2026-11-30'],
  ['2026-11-29', '2026-11-30'],
  // Christmas and the day after, then a weekend; the day before is a working day whatever follows.
  ['2026-12-24', '2026-12-24'],
  ['2026-12-25', '2026-12-28'],
  ['2027-01-01', '2027-01-04'],
])('a period that would end on %s ends on %s', (day, then) => {
  expect(workingDay(day, new Set(['2026-12-25', '2026-12-26', '2027-01-01']))).toBe(then)
})

test('nothing is done before the identity is known but to extend it, once and before its end, or to reject it', async () => {
  const { id: subjectId } = await customer('anna')
  const got = await receive('ACCESS', null, { receivedAt: '2026-10-31T09:00:00Z' })
  expect(await read(got.id, 'dueDate extendedTo')).toEqual({ dueDate: '2026-11-30', extendedTo: null })
  for (const verb of ['collect', 'approve', 'fulfil'])
    expect([verb, (await refused(other, verb, got)).map(({ code }) => code)]).toEqual([
      verb,
      ['WRONG_STATUS'],
    ])
  expect(await refused(officer, 'verify', got, { verification: 'Seen' })).toEqual([
    {
      code: 'INVALID',
      field: ['customerId'],
      message: 'customerId must say who it is',
    },
  ])
  expect(await fresh(got.id)).toEqual(got)
  const late = await receive('ACCESS', subjectId, { receivedAt: '2026-09-01T09:00:00Z' })
  expect(
    (await refused(officer, 'extend', late, { extensionReason: 'Many' })).map(({ code }) => code),
  ).toEqual(['WRONG_STATUS'])
  const early = await receive('ACCESS', subjectId)
  const extended = await step(officer, 'extend', early, { extensionReason: 'Many systems' })
  const { receivedAt } = await read<{ receivedAt: string }>(early.id, 'receivedAt')
  expect(await read(early.id, 'extendedTo')).toEqual({
    extendedTo: workingDay(monthsLater(receivedAt.slice(0, 10), 3)),
  })
  expect(
    (await refused(officer, 'extend', extended, { extensionReason: 'More' })).map(({ code }) => code),
  ).toEqual(['WRONG_STATUS'])
  const rejected = await step(other, 'reject', got, { legalGround: 'Article 12(2): who asks is not known' })
  expect(rejected.status).toBe('REJECTED')
  expect((await refused(other, 'verify', rejected, { verification: 'x' })).map(({ code }) => code)).toEqual([
    'WRONG_STATUS',
  ])
})

test('what is about a person is given once, without what is about others, and is gone after a week', async () => {
  const [anna] = [await customer('anna'), await customer('bert')]
  const number = `D-${count + 1}`
  const review = await collected(await receive('ACCESS', anna.id))
  expect(review.status).toBe('REVIEW')
  expect(await read(review.id, 'answered collected')).toEqual({
    answered: 6,
    collected: {
      types: [
        { type: 'Customer', given: 1, erased: 1, kept: [] },
        { type: 'CustomerInteraction', given: 1, erased: 1, kept: [] },
        expect.objectContaining({ type: 'DataSubjectRequest', given: 1, erased: 0 }),
      ],
    },
  })
  expect((await refused(officer, 'approve', review)).map(({ code }) => code)).toEqual(['OWN_RECORD'])
  const approved = await step(other, 'approve', review)
  const { dataSubjectRequest: done, exportToken } = await fulfil(other, approved)
  expect(done.status).toBe('FULFILLED')
  expect(await download(other, done, 'another')).toEqual({ content: null, userErrors: [{ code: 'INVALID' }] })
  const tries = await Promise.all(Array.from({ length: 10 }, () => download(other, done, exportToken!)))
  const [file, ...more] = tries.filter(({ content }) => content !== null)
  expect(more).toEqual([])
  const { rows: lines, ...head } = JSON.parse(file!.content!) as { rows: Record<string, unknown>[] }
  expect(head).toEqual({ format: 'tenantgraph personal data 1', request: number, part: 1, parts: 1 })
  expect(lines.map(({ type }) => type)).toEqual(['Customer', 'CustomerInteraction', 'DataSubjectRequest'])
  expect(lines[1]).toMatchObject({ id: anna.interaction, fields: { content: 'anna wrote' } })
  expect(file!.content).not.toContain('bert')

  // The next: its week is over before anybody takes it.
  const again = await collected(await receive('ACCESS', anna.id))
  const { dataSubjectRequest: second, exportToken: token } = await fulfil(
    other,
    await step(other, 'approve', again),
  )
  graph.clock.advance({ days: 7, seconds: 1 })
  const [later] = [await tenant.user('COMPLIANCE_OFFICER')]
  expect(await download(later, second, token!)).toEqual({
    content: null,
    userErrors: [{ code: 'WRONG_STATUS' }],
  })
  await once(tenant, 'compliance', 'ended-subject-requests')
  const details = await later.data(
    `{ one: dataSubjectRequest(id: "${second.id}") { requesterEmail status } }`,
  )
  expect(details).toEqual({ one: { requesterEmail: null, status: 'FULFILLED' } })
})

test('hold beats erasure, in the receipt too; repeated it is harmless, and once released nothing is left', async () => {
  const [anna] = [await customer('anna'), await customer('bert')]
  const hold = await change<{ id: string }>(
    officer,
    'placeLegalHold',
    {
      ...{ holdNumber: 'H-1', name: 'N', reason: 'R' },
      subjects: [{ resourceType: 'CustomerInteraction', resourceId: anna.interaction }],
    },
    'legalHold { id }',
  )
  const erase = async () => {
    const review = await collected(await receive('ERASURE', anna.id))
    const preview = await read<{ collected: { types: { given: number }[] } }>(review.id, 'collected')
    await fulfil(other, await step(other, 'approve', review))
    expect((await fresh(review.id)).status).toBe('FULFILLING')
    await work(tenant, 'subject-data', 'subject-answers')
    const { status, receipt } = await read<{
      status: string
      receipt: { types: { type: string; given: number }[]; passes: object[] }
    }>(review.id, 'status receipt')
    expect(status).toBe('FULFILLED')
    const asDone = ({ types }: { types: { given: number }[] }) => types.map((one) => ({ ...one, given: 0 }))
    expect(asDone(preview.collected)).toEqual(receipt.types)
    expect(receipt.passes.length).toBe(1)
    return receipt.types.filter(({ type }) => type.startsWith('Customer'))
  }
  const kept = { rows: 1, reason: 'Legal hold', until: null, then: 'EMPTIED' }
  const first = [
    { type: 'Customer', given: 0, erased: 1, kept: [] },
    { type: 'CustomerInteraction', given: 0, erased: 0, kept: [kept] },
  ]
  expect(await erase()).toEqual(first)
  expect(await contents()).toEqual(['anna wrote', 'bert wrote'])
  // What is empty is not emptied again.
  expect(await erase()).toEqual([{ ...first[0], erased: 0 }, first[1]])
  await change(
    officer,
    'proposeHoldRelease',
    { id: hold.id, expectedVersion: 1, releaseReason: 'Over' },
    '__typename',
  )
  await change(other, 'releaseLegalHold', { id: hold.id, expectedVersion: 2 }, '__typename')
  expect((await erase())[1]).toEqual({ type: 'CustomerInteraction', given: 0, erased: 1, kept: [] })
  expect(await contents()).toEqual([null, 'bert wrote'])
  const events = await graph.owner.query(
    "SELECT count(*)::int AS count FROM shared.outbox_events WHERE tenant_id = $1 AND event_type = 'erased' AND aggregate_id = $2",
    [tenant.id, anna.interaction],
  )
  expect(events.rows).toEqual([{ count: 1 }])
})

test('whoever works for the tenant stays until three years after the end; nobody decides about themselves', async () => {
  const employee = uuidv7()
  await prepareRows(graph, tenant.id, 'hr.employees', [
    {
      id: employee,
      employee_number: 'E-1',
      user_id: other.userId,
      first_name: 'Otto',
      hire_date: '2020-01-01',
    },
  ])
  const review = await collected(await receive('ERASURE', other.userId, {}, 'USER'))
  const { collected: found } = await read<{ collected: { types: { type: string }[] } }>(
    review.id,
    'collected',
  )
  const of = (type: string) => found.types.find((one) => one.type === type)
  const use = {
    rows: 1,
    reason: 'The account is in use: suspend it first (article 6(1)(b) GDPR)',
    ...{ until: null, then: 'EMPTIED' },
  }
  expect(of('User')).toEqual({ type: 'User', given: 1, erased: 0, kept: [use] })
  expect(of('Employee')).toMatchObject({ erased: 0, kept: [{ rows: 1, until: null }] })
  expect((await refused(other, 'approve', review)).map(({ code }) => code)).toEqual(['OWN_RECORD'])
  expect((await refused(other, 'reject', review, { legalGround: 'x' })).map(({ code }) => code)).toEqual([
    'OWN_RECORD',
  ])
  await graph.owner.query(
    "UPDATE hr.employees SET is_active = false, termination_date = '2026-02-28' WHERE tenant_id = $1",
    [tenant.id],
  )
  const again = await step(officer, 'collect', review)
  await work(tenant, 'subject-data', 'subject-answers')
  const second = await read<{ collected: { types: { type: string }[] } }>(again.id, 'collected')
  expect(second.collected.types.find(({ type }) => type === 'Employee')).toMatchObject({
    kept: [{ rows: 1, until: '2029-02-28', then: 'EMPTIED' }],
  })
})
