import { restOf } from '../../subgraphs/compliance/receipt'
import { uuidv7 } from '../../kernel/id'
import { startWithJobs } from '../support/asked-jobs'
import type { TestClient, TestGraph, TestTenant } from '../support/graph'
import { change, prepareRows } from '../support/lists'

/** Issue 17: what an erasure had to leave goes once its time or its hold is over, and nothing goes without a line of the receipt. */
let graph: TestGraph
let work: (tenant: TestTenant, ...names: string[]) => Promise<void>
let run: (tenant: TestTenant, subgraph: string, name: string, payload?: object) => Promise<void>
let tenant: TestTenant
let officer: TestClient
let other: TestClient
let count = 0
const long = '2026-01-01T00:00:00.000Z'

beforeAll(async () => {
  ;({ graph, work, once: run } = await startWithJobs())
})
afterAll(() => graph?.close())
beforeEach(async () => {
  tenant = await graph.tenant(`passes-${++count}`)
  await signIn()
})

/** Sessions end where the clock is moved. */
async function signIn() {
  ;[officer, other] = [await tenant.user('COMPLIANCE_OFFICER'), await tenant.user('COMPLIANCE_OFFICER')]
}

interface Request {
  id: string
  version: number
  status: string
}
const selection = 'dataSubjectRequest { id version status }'
const step = (client: TestClient, verb: string, { id, version }: Request, input = {}) =>
  change<Request>(client, `${verb}DataSubjectRequest`, { id, expectedVersion: version, ...input }, selection)
const read = async <T>(id: string, fields: string) =>
  (await officer.data<{ one: T }>(`{ one: dataSubjectRequest(id: "${id}") { ${fields} } }`)).one
const fresh = (id: string) => read<Request>(id, 'id version status')

/** An erasure that was approved, and of which the subgraphs are asked. */
async function begun(subject: object): Promise<string> {
  const input = {
    requestNumber: `P-${++count}`,
    type: 'ERASURE',
    requesterEmail: 'anna@x.example',
    ...subject,
  }
  const got = await change<Request>(officer, 'receiveDataSubjectRequest', input, selection)
  const seen = await step(officer, 'verify', got, { verification: 'Passport seen' })
  await step(officer, 'collect', seen)
  await work(tenant, 'subject-data', 'subject-answers')
  await step(other, 'fulfil', await step(other, 'approve', await fresh(got.id)))
  return got.id
}
async function erased(subject: object): Promise<string> {
  const id = await begun(subject)
  await work(tenant, 'subject-data', 'subject-answers')
  return id
}
/** The night's look at what is left. */
async function night() {
  await run(tenant, 'compliance', 'later-passes')
  await work(tenant, 'subject-data', 'subject-answers')
}
interface Receipt {
  types: { type: string; erased: number; kept: object[] }[]
  passes: { at: string; erased: Record<string, number> }[]
}
const stateOf = async (id: string) => {
  const { receipt, ...rest } = await read<{ receipt: Receipt; isHeld: boolean; nextPassAt: string | null }>(
    id,
    'receipt isHeld nextPassAt status',
  )
  return { ...rest, passes: receipt.passes.map((pass) => pass.erased), types: receipt.types }
}

async function customer(name = 'anna'): Promise<string> {
  const id = uuidv7()
  await prepareRows(graph, tenant.id, 'insights.customers', [
    {
      ...{ id, external_id: name, email: `${name}@x.example`, first_name: name },
      ...{ first_seen_at: long, last_seen_at: long },
    },
  ])
  return id
}
async function interaction(customerId: string, content: string): Promise<string> {
  const id = uuidv7()
  await prepareRows(graph, tenant.id, 'insights.customer_interactions', [
    {
      ...{ id, customer_id: customerId, source: 's', external_id: content, channel: 'CHAT', event_type: 'x' },
      ...{ content, occurred_at: long, created_at: graph.clock.now().toISOString() },
    },
  ])
  return id
}
const contents = async () =>
  (
    await graph.owner.query<{ text: string | null }>(
      'SELECT content AS text FROM insights.customer_interactions WHERE tenant_id = $1 ORDER BY id',
      [tenant.id],
    )
  ).rows.map(({ text }) => text)
const tasks = async () =>
  (
    await graph.owner.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM shared.subject_tasks WHERE tenant_id = $1',
      [tenant.id],
    )
  ).rows[0]!.count

test('what a hold kept goes the night after its release, in the receipt too; what came later was never asked to go', async () => {
  const anna = await customer()
  const held = await interaction(anna, 'held')
  await interaction(anna, 'free')
  const hold = await change<{ id: string }>(
    officer,
    'placeLegalHold',
    {
      ...{ holdNumber: 'H-1', name: 'N', reason: 'R' },
      subjects: [{ resourceType: 'CustomerInteraction', resourceId: held }],
    },
    'legalHold { id }',
  )
  const id = await erased({ subjectType: 'CUSTOMER', customerId: anna })
  const kept = { rows: 1, reason: 'Legal hold', until: null, then: 'EMPTIED' }
  const first = { Customer: 1, CustomerInteraction: 1 }
  const left = [
    expect.objectContaining({ type: 'Customer', erased: 1, kept: [] }),
    expect.objectContaining({ type: 'CustomerInteraction', erased: 1, kept: [kept] }),
  ]
  const state = { status: 'FULFILLED', isHeld: true, nextPassAt: null }
  expect(await stateOf(id)).toEqual({
    ...state,
    passes: [first],
    types: expect.arrayContaining(left) as object,
  })
  expect(await contents()).toEqual(['held', null])

  // As long as it is held, nobody is asked anything.
  graph.clock.advance({ minutes: 1 })
  const asked = await tasks()
  await night()
  expect([await tasks(), await contents()]).toEqual([asked, ['held', null]])
  await interaction(anna, 'later')
  const seen = { id: hold.id, expectedVersion: 1 }
  await change(officer, 'proposeHoldRelease', { ...seen, releaseReason: 'Over' }, '__typename')
  await change(other, 'releaseLegalHold', { ...seen, expectedVersion: 2 }, '__typename')
  await night()
  expect(await contents()).toEqual([null, null, 'later'])
  expect(await stateOf(id)).toEqual({
    ...{ status: 'FULFILLED', isHeld: false, nextPassAt: null },
    passes: [first, { CustomerInteraction: 1 }],
    types: expect.arrayContaining([
      left[0],
      expect.objectContaining({ type: 'CustomerInteraction', erased: 2, kept: [] }),
    ]) as object,
  })
  // Once it is over it stays over.
  await night()
  expect(await tasks()).toBe(asked + 1)
})

test('what a time kept goes on its day and not before; until then the request stays, and three years longer', async () => {
  const employeeId = uuidv7()
  const user = await tenant.user('USER')
  const until = new Date(graph.clock.now().getTime() + 5 * 86_400_000)
  const ended = new Date(until)
  ended.setUTCFullYear(ended.getUTCFullYear() - 3)
  await prepareRows(graph, tenant.id, 'hr.employees', [
    {
      ...{ id: employeeId, employee_number: 'E-1', user_id: user.userId, first_name: 'Otto' },
      ...{ hire_date: '2020-01-01', is_active: false, created_at: long },
      // Five days less than three years ago.
      termination_date: ended.toISOString().slice(0, 10),
    },
  ])
  await graph.owner.query("UPDATE identity.users SET status = 'SUSPENDED' WHERE id = $1", [user.userId])
  // By the employee the login is found as well: its rows go at once.
  const id = await erased({ subjectType: 'EMPLOYEE', employeeId })
  const nextPassAt = `${until.toISOString().slice(0, 10)}T00:00:00.000Z`
  const names = async () =>
    (
      await graph.owner.query<{ first: string; login: string }>(
        `SELECT e.first_name AS first, u.email AS login FROM hr.employees e JOIN identity.users u ON u.id = e.user_id WHERE e.id = $1`,
        [employeeId],
      )
    ).rows[0]
  const both = { user: { id: user.userId }, employee: { id: employeeId } }
  expect(await read(id, 'user { id } employee { id }')).toEqual(both)
  const login = `${user.userId}@erased.invalid`
  expect(await names()).toEqual({ first: 'Otto', login })
  expect(await stateOf(id)).toMatchObject({
    ...{ isHeld: false, nextPassAt, status: 'FULFILLED' },
    passes: [expect.objectContaining({ User: 1 })],
  })
  graph.clock.advance({ days: 4 })
  await night()
  expect(await names()).toEqual({ first: 'Otto', login })
  graph.clock.advance({ days: 1, minutes: 1 })
  await night()
  expect(await names()).toEqual({ first: null, login })
  await signIn()
  expect(await stateOf(id)).toMatchObject({
    nextPassAt: null,
    passes: [expect.objectContaining({ User: 1 }), { Employee: 1 }],
  })
  // A request that is needed for something is kept however old it is, and otherwise three years.
  const age = (values: string) =>
    graph.owner.query(
      `UPDATE compliance.data_subject_requests SET ended_at = '2020-01-01', last_pass_at = '2021-01-01', ${values} WHERE id = $1`,
      [id],
    )
  for (const values of ["next_pass_at = now() + interval '1 day'", 'next_pass_at = NULL, is_held = true']) {
    await age(values)
    await run(tenant, 'compliance', 'retention')
    expect([values, (await fresh(id)).status]).toEqual([values, 'FULFILLED'])
  }
  await age('is_held = false')
  await run(tenant, 'compliance', 'retention')
  expect(await fresh(id)).toBeNull()
})

test('nothing goes without its line: not where the line cannot be written, nor a second time for one task', async () => {
  const anna = await customer()
  await interaction(anna, 'one')
  const id = await begun({ subjectType: 'CUSTOMER', customerId: anna })
  const { rows } = await graph.owner.query<{ payload: { taskId: string } }>(
    "SELECT payload FROM shared.jobs WHERE tenant_id = $1 AND name = 'subject-data' AND subgraph = 'insights'",
    [tenant.id],
  )
  const { taskId } = rows[0]!.payload
  await graph.owner.query(`CREATE FUNCTION shared.no_line() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the process is gone'; END $$`)
  await graph.owner.query(`CREATE TRIGGER no_line BEFORE INSERT ON shared.subject_answers
    FOR EACH ROW EXECUTE FUNCTION shared.no_line()`)
  await expect(run(tenant, 'insights', 'subject-data', { taskId })).rejects.toThrow('the process is gone')
  await graph.owner.query('DROP FUNCTION shared.no_line() CASCADE')
  expect(await contents()).toEqual(['one'])

  // It answers, and then nobody is there to add it up: the line stands, and the next night ends what was begun.
  await run(tenant, 'insights', 'subject-data', { taskId })
  await interaction(anna, 'two')
  await run(tenant, 'insights', 'subject-data', { taskId })
  expect(await contents()).toEqual([null, 'two'])
  await graph.owner.query('DELETE FROM shared.jobs WHERE tenant_id = $1', [tenant.id])
  const lines = await graph.owner.query<{ answers: { type: string; erased: number }[] }>(
    'SELECT answers FROM shared.subject_answers WHERE tenant_id = $1 AND task_id = $2',
    [tenant.id, taskId],
  )
  expect(lines.rows[0]!.answers.map(({ type, erased: gone }) => [type, gone])).toContainEqual([
    'CustomerInteraction',
    1,
  ])
  await night()
  expect((await fresh(id)).status).toBe('FULFILLING')
  graph.clock.advance({ days: 1, minutes: 1 })
  await night()
  await signIn()
  expect(await stateOf(id)).toMatchObject({
    status: 'FULFILLED',
    passes: [{ Customer: 1, CustomerInteraction: 1 }, { CustomerInteraction: 1 }],
  })
  expect(await contents()).toEqual([null, null])
})

test('a pass comes on the first day that is known, in a month where none is, and tomorrow at the earliest', () => {
  const now = new Date('2026-11-29T05:20:00.000Z')
  const rest = (...kept: { reason?: string; until?: string | null; then?: string }[]) =>
    restOf(
      [
        {
          type: 'X',
          given: 0,
          erased: 0,
          kept: kept.map((one) => ({ rows: 1, reason: 'R', until: null, then: 'EMPTIED', ...one })),
        } as never,
      ],
      now,
    )
  expect(rest()).toEqual({ isHeld: false, nextPassAt: null })
  expect(rest({ reason: 'Legal hold' })).toEqual({ isHeld: true, nextPassAt: null })
  expect(rest({ until: '2036-01-01', then: 'REMOVED' }, { then: 'STAYS' })).toEqual({
    isHeld: false,
    nextPassAt: null,
  })
  expect(rest({ until: '2029-02-28' }, { until: '2027-01-02' }).nextPassAt).toBe('2027-01-02T00:00:00.000Z')
  expect(rest({ until: '2029-02-28' }, {}).nextPassAt).toBe('2026-12-29T05:20:00.000Z')
  expect(rest({ until: '2026-11-29' }).nextPassAt).toBe('2026-11-30T05:20:00.000Z')
})
