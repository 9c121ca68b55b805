import { mostOfPart } from '../../kernel/subjects'
import { uuidv7 } from '../../kernel/id'
import { startWithJobs } from '../support/asked-jobs'
import type { TestClient, TestGraph, TestTenant } from '../support/graph'
import { change, prepareRows, userErrors } from '../support/lists'
import { mailsOf } from '../support/mails'

/** Issue 17: what the person is told and given: mails, the day of the answer, parts, and what is taken along. */
let graph: TestGraph
let work: (tenant: TestTenant, ...names: string[]) => Promise<void>
let tenant: TestTenant
let officer: TestClient
let other: TestClient
let count = 0
const long = '2026-01-01T00:00:00.000Z'
const anna = 'anna@x.example'

beforeAll(async () => {
  ;({ graph, work } = await startWithJobs())
})
afterAll(() => graph?.close())
beforeEach(async () => {
  tenant = await graph.tenant(`answers-${++count}`)
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
const refused = (client: TestClient, verb: string, { id, version }: Request, input = {}) =>
  userErrors(client, `${verb}DataSubjectRequest`, { id, expectedVersion: version, ...input })
const receive = (type: string, input: object) =>
  change<Request>(
    officer,
    'receiveDataSubjectRequest',
    { requestNumber: `A-${++count}`, type, subjectType: 'CUSTOMER', requesterEmail: anna, ...input },
    selection,
  )
const read = async <T = Record<string, unknown>>(id: string, fields: string) =>
  (await officer.data<{ one: T }>(`{ one: dataSubjectRequest(id: "${id}") { ${fields} } }`)).one
const fresh = (id: string) => read<Request>(id, 'id version status')
const verification = { verification: 'Passport seen' }
const collected = async (type: string, input: object) => {
  const { id } = await step(
    officer,
    'collect',
    await step(officer, 'verify', await receive(type, input), verification),
  )
  await work(tenant, 'subject-data', 'subject-answers')
  return fresh(id)
}
async function fulfilled(type: string, input: object): Promise<{ seen: Request; token: string }> {
  const { id, version } = await step(other, 'approve', await collected(type, input))
  const query = `mutation ($input: FulfilDataSubjectRequestInput!) { done: fulfilDataSubjectRequest(input: $input) { ${selection} exportToken } }`
  const { done } = await other.data<{ done: { dataSubjectRequest: Request; exportToken: string } }>(query, {
    input: { id, expectedVersion: version },
  })
  return { seen: done.dataSubjectRequest, token: done.exportToken }
}
interface File {
  content: string | null
  parts: number | null
  dataSubjectRequest: Request | null
  userErrors: { code: string; field: string[] }[]
}
const download = async ({ id, version }: Request, token: string, part?: number): Promise<File> => {
  const query = `mutation ($input: DownloadDataSubjectRequestInput!) { file: downloadDataSubjectRequest(input: $input) { ${selection} content parts userErrors { code field } } }`
  const input = { id, expectedVersion: version, token, ...(part ? { part } : {}) }
  return (await other.data<{ file: File }>(query, { input })).file
}
interface Given {
  part: number
  parts: number
  rows: { type: string; id: string; fields: Record<string, unknown> }[]
}
const given = (file: File) => JSON.parse(file.content!) as Given

async function customer(email = anna): Promise<string> {
  const id = uuidv7()
  await prepareRows(graph, tenant.id, 'insights.customers', [
    { id, external_id: email, email, first_name: 'Anna', first_seen_at: long, last_seen_at: long },
  ])
  return id
}
const told = async (to = anna) =>
  (await mailsOf(graph, tenant.id, to)).map(({ kind, text }) => [kind, text] as const)

test('the person is told that it came, that it takes longer and why, and what was done and what stays', async () => {
  const customerId = await customer()
  const got = await receive('ERASURE', { customerId })
  const { dueDate, requestNumber } = await read<Record<string, string>>(got.id, 'dueDate requestNumber')
  const [first] = await told()
  expect(first![0]).toBe('compliance.request-received')
  expect(first![1]).toContain(
    `that your data is erased (article 17 GDPR). It has the number ${requestNumber}`,
  )
  expect(first![1]).toContain(`answered by ${dueDate}`)
  expect(first![1]).toContain(`This mail is from ${tenant.slug} Ltd.`)
  const extended = await step(officer, 'extend', got, { extensionReason: 'Many systems' })
  const { extendedTo } = await read<{ extendedTo: string }>(got.id, 'extendedTo')
  const second = (await told())[1]!
  expect(second[0]).toBe('compliance.request-extended')
  expect(second[1]).toContain(`answered by ${extendedTo}. The reason: Many systems`)
  expect(second[1]).toContain('supervisory authority')
  const message = uuidv7()
  await prepareRows(graph, tenant.id, 'insights.customer_interactions', [
    {
      ...{ id: message, customer_id: customerId, source: 's', external_id: 'x', channel: 'CHAT' },
      ...{ event_type: 'x', content: 'held', occurred_at: long },
    },
  ])
  await change(
    officer,
    'placeLegalHold',
    {
      ...{ holdNumber: 'H', name: 'N', reason: 'R' },
      subjects: [{ resourceType: 'CustomerInteraction', resourceId: message }],
    },
    '__typename',
  )
  await step(officer, 'collect', await step(officer, 'verify', extended, verification))
  await work(tenant, 'subject-data', 'subject-answers')
  await step(other, 'fulfil', await step(other, 'approve', await fresh(got.id)))
  expect((await told()).length).toBe(2)
  await work(tenant, 'subject-data', 'subject-answers')
  const third = (await told())[2]!
  expect(third[0]).toBe('compliance.request-answered')
  expect(third[1]).toContain('Your data was erased.')
  // Whoever is investigated is not told what holds.
  expect(third[1]).toContain('A legal obligation, or legal claims (article 17(3)(b) and (e) GDPR).')
  expect(third[1]).not.toContain('hold')
})

test('a refusal names its ground and the remedies; an address that is not on record gets no particulars', async () => {
  const customerId = await customer()
  await step(other, 'reject', await receive('ACCESS', { customerId }), { legalGround: 'Article 12(5)' })
  const refusal = (await told()).at(-1)!
  expect(refusal[0]).toBe('compliance.request-rejected')
  expect(refusal[1]).toContain('The ground: Article 12(5)')
  expect(refusal[1]).toContain('judicial remedy (articles 77 and 79 GDPR)')
  const strange = await step(
    officer,
    'verify',
    await receive('ACCESS', { customerId, requesterEmail: 'who@x.example' }),
    verification,
  )
  await step(other, 'reject', strange, { legalGround: 'Article 12(5)' })
  const [, last] = await told('who@x.example')
  expect(last![1]).toContain('was refused. The particulars reach you by the way that was agreed with you')
  expect(last![1]).not.toContain('Article 12(5)')
})

test('the address is looked at with each step: what was approved with another on record is not done', async () => {
  const customerId = await customer()
  const approved = await step(other, 'approve', await collected('ACCESS', { customerId }))
  expect(await read(approved.id, 'isAddressKnown')).toEqual({ isAddressKnown: true })
  await graph.owner.query("UPDATE insights.customers SET email = 'new@x.example' WHERE id = $1", [customerId])
  expect(await refused(other, 'fulfil', approved)).toEqual([
    {
      code: 'WRONG_STATUS',
      field: ['id'],
      message:
        'The addresses on record have changed since: look at isAddressKnown, and have it collected and approved anew',
    },
  ])
  expect(await fresh(approved.id)).toEqual(approved)
  await step(officer, 'collect', approved)
  await work(tenant, 'subject-data', 'subject-answers')
  expect(await read(approved.id, 'isAddressKnown')).toEqual({ isAddressKnown: false })
  await graph.owner.query('UPDATE insights.customers SET email = $2 WHERE id = $1', [customerId, anna])
  expect((await refused(other, 'approve', await fresh(approved.id))).map(({ code }) => code)).toEqual([
    'WRONG_STATUS',
  ])
})

test('who asks as an employee asks as a login, and the other way round', async () => {
  const [employeeId, user] = [uuidv7(), await tenant.user('USER')]
  await prepareRows(graph, tenant.id, 'hr.employees', [
    { id: employeeId, employee_number: 'E', user_id: user.userId, first_name: 'O', hire_date: '2020-01-01' },
  ])
  const people = async (subject: object) => {
    const { id } = await step(officer, 'verify', await receive('ACCESS', subject), verification)
    const { rows } = await graph.owner.query(
      'SELECT employee_id AS employee, user_id AS login FROM compliance.data_subject_requests WHERE id = $1',
      [id],
    )
    return rows[0]
  }
  const both = { employee: employeeId, login: user.userId }
  expect(await people({ subjectType: 'EMPLOYEE', employeeId })).toEqual(both)
  expect(await people({ subjectType: 'USER', userId: user.userId })).toEqual(both)
  const review = await collected('ACCESS', { subjectType: 'EMPLOYEE', employeeId })
  const { collected: found } = await read<{ collected: { types: { type: string; given: number }[] } }>(
    review.id,
    'collected',
  )
  expect(found.types.map(({ type, given: rows }) => [type, rows])).toEqual(
    expect.arrayContaining([
      ['Employee', 1],
      ['User', 1],
    ]),
  )
})

test('a period ends on no public holiday; days off of the tenant and of other calendars count as others', async () => {
  const [own, far] = [uuidv7(), uuidv7()]
  await prepareRows(
    graph,
    tenant.id,
    'hr.work_calendars',
    [own, far].map((id, place) => ({ id, name: `C${place}`, time_zone: 'UTC', is_default: place === 0 })),
  )
  const holiday = (day: string, values: object) => ({ id: uuidv7(), name: day, day, half: 'FULL', ...values })
  await prepareRows(graph, tenant.id, 'hr.holidays', [
    holiday('2026-11-02', { country_code: 'DE', calendar_id: own }),
    holiday('2026-11-03', { country_code: 'DE' }),
    holiday('2026-11-04', { country_code: null }),
    holiday('2026-11-05', { country_code: 'FR', calendar_id: far }),
    holiday('2026-11-06', { country_code: 'DE', half: 'MORNING' }),
  ])
  const dueDate = async (received: string) =>
    (
      await read<{ dueDate: string }>(
        (await receive('ACCESS', { receivedAt: `${received}T09:00:00Z` })).id,
        'dueDate',
      )
    ).dueDate
  // 1 November is a Sunday, and two holidays follow it.
  expect(await dueDate('2026-10-01')).toBe('2026-11-04')
  expect(await dueDate('2026-10-05')).toBe('2026-11-05')
  expect(await dueDate('2026-10-06')).toBe('2026-11-06')
})

test('what is large comes in parts, each once and in their order, and all of it', async () => {
  const customerId = await customer()
  const text = 'x'.repeat(20_000)
  const ids = Array.from({ length: 450 }, () => uuidv7())
  await prepareRows(
    graph,
    tenant.id,
    'insights.customer_interactions',
    ids.map((id, place) => ({
      ...{ id, customer_id: customerId, source: 's', external_id: `${place}`, channel: 'CHAT' },
      ...{ event_type: 'x', content: text, occurred_at: long },
    })),
  )
  const { seen, token } = await fulfilled('ACCESS', { customerId })
  expect((await download(seen, token, 2)).userErrors).toEqual([{ code: 'INVALID', field: ['part'] }])
  const first = await download(seen, token)
  const second = await download(first.dataSubjectRequest!, token, 2)
  expect([first.parts, second.parts]).toEqual([2, 2])
  for (const [place, file] of [first, second].entries()) {
    expect(given(file)).toMatchObject({ part: place + 1, parts: 2 })
    expect(file.content!.length).toBeLessThan(mostOfPart)
  }
  const rows = [first, second].flatMap((file) => given(file).rows)
  expect(rows.filter(({ type }) => type === 'CustomerInteraction').map(({ id }) => id)).toEqual(
    [...ids].sort(),
  )
  for (const part of [1, 2, 3])
    expect((await download(second.dataSubjectRequest!, token, part)).userErrors).toEqual([
      { code: 'WRONG_STATUS', field: ['id'] },
    ])
  // A file of them that is gone is noticed, whichever it is.
  const again = await fulfilled('ACCESS', { customerId })
  const blobs = graph.server.services.blobs.of(tenant.id)
  await blobs.delete(`subject-requests/${again.seen.id}/insights/000003`)
  const query = `mutation ($input: DownloadDataSubjectRequestInput!) { downloadDataSubjectRequest(input: $input) { content } }`
  const { id, version } = again.seen
  const rest = await other.query(query, { input: { id, expectedVersion: version, token: again.token } })
  expect(rest.errors?.map(({ extensions }) => extensions.code)).toEqual(['INTERNAL_SERVER_ERROR'])
})

test('what the business concludes, and what it must keep, is told and not taken along', async () => {
  const customerId = await customer()
  await prepareRows(graph, tenant.id, 'insights.behavior_patterns', [
    { id: uuidv7(), customer_id: customerId, pattern_type: 'x', confidence: 1, detected_at: long },
  ])
  const [employeeId, user] = [uuidv7(), await tenant.user('USER')]
  await prepareRows(graph, tenant.id, 'hr.employees', [
    {
      ...{
        id: employeeId,
        employee_number: 'E',
        user_id: user.userId,
        first_name: 'O',
        hire_date: '2020-01-01',
      },
      performance_score: 3,
    },
  ])
  const types = async (type: string, subject: object) => {
    const { seen, token } = await fulfilled(type, subject)
    const { rows } = given(await download(seen, token))
    return { types: [...new Set(rows.map((row) => row.type))], rows }
  }
  const asCustomer = { customerId }
  expect((await types('ACCESS', asCustomer)).types).toContain('BehaviorPattern')
  expect((await types('PORTABILITY', asCustomer)).types).not.toContain('BehaviorPattern')
  const employee = async (type: string) =>
    (await types(type, { subjectType: 'EMPLOYEE', employeeId })).rows.find((row) => row.type === 'Employee')!
      .fields
  expect(await employee('ACCESS')).toMatchObject({ firstName: 'O', performanceScore: 3 })
  const ported = await employee('PORTABILITY')
  expect([ported['firstName'], 'performanceScore' in ported]).toEqual(['O', false])
})
