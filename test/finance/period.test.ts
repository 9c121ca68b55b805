import fc from 'fast-check'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'
import { allScopes, userWith } from '../support/scopes'
import { refusedAs } from './as-finance'

/** F1: what was reported does not change by a later write. */
let graph: TestGraph
let acme: TestTenant
let first: TestClient
let second: TestClient
/** Posts, but closes nothing. */
let clerk: TestClient
let bank: string
let revenue: string
let count = 0

interface Period {
  id: string
  year: number
  month: number
  status: string
  version: number
}

const euros = (amount: string) => ({ amount, currency: 'EUR' })
const both = (amount: string) => [
  { ledgerAccountId: bank, debit: euros(amount) },
  { ledgerAccountId: revenue, credit: euros(amount) },
]

/** Users, accounts and the months of 2026, for a tenant. */
async function prepare(tenant: TestTenant) {
  acme = tenant
  ;[first, second] = [await acme.user('ADMIN'), await acme.user('ADMIN')]
  const scopes = (await allScopes(graph)).filter((scope) => scope !== 'finance:period:write')
  clerk = await userWith(graph, acme, scopes)
  await change(first, 'importChartOfAccounts', {}, 'ledgerAccounts { id }')
  const accounts = await readAll(first, 'ledgerAccounts', 'id code', '', 50)
  const idOf = (code: string) => String(accounts.find((one) => one['code'] === code)!['id'])
  ;[bank, revenue] = [idOf('1200'), idOf('4000')]
  expect(await change(first, 'openFiscalYear', { year: 2026 }, 'fiscalPeriods { id }')).toHaveLength(12)
  expect(await change(second, 'openFiscalYear', { year: 2026 }, 'fiscalPeriods { id }')).toEqual([])
}

async function period(month: number): Promise<Period> {
  const periods = await readAll(first, 'fiscalPeriods', 'id year month status version', '', 50)
  return periods.find((one) => one['month'] === month) as unknown as Period
}
const act = async (client: TestClient, verb: string, month: number, more: object = {}) => {
  const { id, version } = await period(month)
  return userErrors(client, `${verb}${verb === 'request' ? 'FiscalPeriodReopening' : 'FiscalPeriod'}`, {
    id,
    expectedVersion: version,
    ...more,
  })
}
/** Closes the months up to one, by two persons. */
async function closeUntil(month: number) {
  for (let one = 1; one <= month; one++) {
    if ((await period(one)).status === 'CLOSED') continue
    expect(await act(first, 'softClose', one)).toEqual([])
    expect(await act(second, 'close', one)).toEqual([])
  }
}

/** Everything that was reported of the days before one. */
async function reported(before: string): Promise<unknown> {
  const { rows } = await graph.owner.query(
    `SELECT (SELECT md5(string_agg(p::text, '' ORDER BY p.id)) FROM finance.postings p WHERE p.tenant_id = $1 AND p.booked_on < $2) AS postings,
            (SELECT md5(string_agg(e::text, '' ORDER BY e.id)) FROM finance.journal_entries e WHERE e.tenant_id = $1 AND e.booked_on < $2) AS entries,
            (SELECT md5(string_agg((t.id, t.category, t.department_id, t.amount, t.type)::text, '' ORDER BY t.id))
               FROM finance.transactions t WHERE t.tenant_id = $1 AND t.occurred_at < $2::timestamptz) AS transactions,
            (SELECT md5(string_agg(b::text, '' ORDER BY b.id)) FROM finance.budgets b
              WHERE b.tenant_id = $1 AND b.period_start < $2 AND b.month IS NOT NULL) AS budgets`,
    [acme.id, before],
  )
  return rows[0]
}

const post = (client: TestClient, bookedOn: string, more: object = {}) =>
  userErrors(client, 'postJournalEntry', { bookedOn, postings: both('5'), ...more })
const record = (client: TestClient, day: string) =>
  userErrors(client, 'recordTransaction', {
    transactionNumber: `P-${++count}`,
    type: 'EXPENSE',
    amount: euros('7'),
    occurredAt: `${day}T12:00:00.000Z`,
  })
const closed = (field: string) => [
  {
    code: 'PERIOD_CLOSED',
    field: [field],
    message: expect.stringMatching(/^The books are closed before 2026-/),
  },
]

beforeAll(async () => {
  graph = await startGraph()
})
afterAll(() => graph?.close())

test('a month with documents of billing is closed by two persons and reopened by two (F1)', async () => {
  await prepare(await graph.tenant('acme'))
  const document = { sourceType: 'tenancy.invoice-issued', sourceId: 'R-77', bookedOn: '2026-02-27' }
  expect(await userErrors(clerk, 'postJournalEntry', { ...document, postings: both('119') })).toEqual([])
  expect(await record(clerk, '2026-02-28')).toEqual([])

  // In their order, from softly closed to closed, by another person.
  expect(await act(first, 'close', 2)).toMatchObject([{ code: 'INVALID_STATUS', field: ['id'] }])
  expect(await act(first, 'softClose', 2)).toEqual([])
  expect(await post(clerk, '2026-02-20')).toMatchObject([{ code: 'PERIOD_CLOSED', field: ['bookedOn'] }])
  expect(await post(clerk, '2026-03-01')).toEqual([])
  expect(await post(first, '2026-02-20')).toEqual([])
  expect(await act(first, 'close', 2)).toMatchObject([{ code: 'SECOND_PERSON_NEEDED', field: ['id'] }])
  expect(await act(second, 'close', 2)).toEqual([
    { code: 'INVALID_STATUS', field: ['id'], message: '2026-01 is closed before 2026-02' },
  ])
  await closeUntil(1)
  expect(await act(second, 'close', 2)).toEqual([])
  const before = await reported('2026-03-01')
  expect(await post(first, '2026-02-28')).toEqual(closed('bookedOn'))
  expect(await post(first, '2026-03-01')).toEqual([])
  // The same document again is no posting: its entry comes back.
  expect(await userErrors(clerk, 'postJournalEntry', { ...document, postings: both('119') })).toEqual([])
  expect(await reported('2026-03-01')).toEqual(before)

  expect(await act(first, 'reopen', 2)).toMatchObject([{ code: 'SECOND_PERSON_NEEDED' }])
  expect(await act(first, 'request', 2, { reopenReason: ' ' })).toMatchObject([
    { code: 'INVALID', field: ['reopenReason'] },
  ])
  expect(await act(first, 'request', 2, { reopenReason: 'An invoice came late' })).toEqual([])
  expect(await act(first, 'reopen', 2)).toMatchObject([{ code: 'SECOND_PERSON_NEEDED' }])
  expect(await act(second, 'reopen', 1)).toMatchObject([{ code: 'SECOND_PERSON_NEEDED' }])
  const { id, version } = await period(2)
  const reopened = await change(
    second,
    'reopenFiscalPeriod',
    { id, expectedVersion: version },
    `fiscalPeriod { status reopenReason reopenRequestedBy { id } reopenedBy { id } closedBy { id } softClosedBy { id } }`,
  )
  expect(reopened).toEqual({
    status: 'OPEN',
    reopenReason: 'An invoice came late',
    reopenRequestedBy: { id: first.userId },
    reopenedBy: { id: second.userId },
    closedBy: null,
    softClosedBy: null,
  })
  expect(await post(clerk, '2026-02-28')).toEqual([])
  expect(await post(clerk, '2026-01-31')).toEqual(closed('bookedOn'))
  await closeUntil(2)
  expect(await post(clerk, '2026-02-28')).toEqual(closed('bookedOn'))
})

test('nothing is posted, filed elsewhere or budgeted in what is closed, whatever way is taken (F1)', async () => {
  await prepare(await graph.tenant('paths'))
  const department = await change<{ id: string }>(
    first,
    'createDepartment',
    { name: 'Sales' },
    'department { id }',
  )
  const values = {
    transactionNumber: 'OLD',
    type: 'EXPENSE',
    amount: euros('80'),
    occurredAt: '2026-03-31T23:59:59.999Z',
  }
  const old = await change<{ id: string }>(clerk, 'recordTransaction', values, 'transaction { id }')
  const entry = await change<{ id: string }>(
    clerk,
    'postJournalEntry',
    { bookedOn: '2026-03-15', postings: both('4') },
    'journalEntry { id }',
  )
  const budget = { departmentId: department.id, year: 2026, allocated: euros('100') }
  await change(clerk, 'setBudget', { ...budget, month: 3 }, 'budget { id }')
  await closeUntil(3)
  const before = await reported('2026-04-01')
  const id = old.id

  expect(await post(first, '2026-03-31')).toEqual(closed('bookedOn'))
  expect(await post(first, '2019-05-05')).toEqual(closed('bookedOn'))
  expect(await record(first, '2026-03-31')).toEqual(closed('occurredAt'))
  expect(await record(first, '2019-05-05')).toEqual(closed('occurredAt'))
  expect(await userErrors(first, 'reverseJournalEntry', { id: entry.id, bookedOn: '2026-03-31' })).toEqual(
    closed('bookedOn'),
  )
  for (const filed of [{ departmentId: department.id }, { category: 'Travel' }])
    expect(await userErrors(first, 'updateTransaction', { id, expectedVersion: 1, ...filed })).toEqual(
      closed('id'),
    )
  expect(await userErrors(first, 'setBudget', { ...budget, month: 3, expectedVersion: 1 })).toEqual(
    closed('year'),
  )
  expect(await userErrors(first, 'setBudget', { ...budget, month: 2 })).toEqual(closed('year'))
  expect(await userErrors(first, 'setBudget', { ...budget, year: 2019 })).toEqual(closed('year'))
  expect(await userErrors(first, 'openFiscalYear', { year: 2025 })).toEqual(closed('year'))

  const asFinance = (...texts: string[]) => refusedAs(graph, acme.id, texts)
  const isClosed = /the books are closed before 2026-04-01/
  const entryOf = (
    day: string,
  ) => `INSERT INTO finance.journal_entries (id, entry_number, booked_on, posting_count)
    VALUES (gen_random_uuid(), 'X', '${day}', 2)`
  expect(await asFinance(entryOf('2026-03-31'))).toMatch(isClosed)
  expect(await asFinance(entryOf('2026-04-01'))).toMatch(/has 0 postings/)
  const ofTransaction = `(id, transaction_number, type, amount, currency, occurred_at)
    VALUES (gen_random_uuid(), 'X', 'EXPENSE', 1, 'EUR', '2026-03-31T23:59:59Z')`
  expect(await asFinance(`INSERT INTO finance.transactions ${ofTransaction}`)).toMatch(isClosed)
  expect(await asFinance(`UPDATE finance.transactions SET category = 'x' WHERE id = '${id}'`)).toMatch(
    isClosed,
  )
  expect(await asFinance('UPDATE finance.budgets SET allocated = 1')).toMatch(isClosed)
  expect(await asFinance('UPDATE finance.books SET closed_before = NULL')).toMatch(/by their periods alone/)
  const periods = (set: string, month: number) =>
    `UPDATE finance.fiscal_periods SET ${set} WHERE month = ${month}`
  const isOpen = "status = 'OPEN', closed_by_id = NULL, soft_closed_by_id = NULL"
  expect(await asFinance(periods(isOpen, 3))).toMatch(/by another person than asked/)
  expect(
    await asFinance(
      periods(
        `${isOpen}, reopen_requested_by_id = '${first.userId}', reopened_by_id = '${second.userId}'`,
        3,
      ),
    ),
  ).toMatch(/by another person than asked/)
  expect(await asFinance(periods('month = 12', 3))).toMatch(/stays the month/)
  expect(
    await asFinance(
      periods(`status = 'SOFT_CLOSED', soft_closed_by_id = '${first.userId}'`, 4),
      periods(`status = 'CLOSED', closed_by_id = '${first.userId}'`, 4),
    ),
  ).toMatch(/closed_by_id_check/)
  expect(await reported('2026-04-01')).toEqual(before)

  // Neither words nor a judgement are part of what was reported; what is corrected, is corrected in an open month.
  const described = { id, expectedVersion: 1, description: 'Trains' }
  expect(await userErrors(first, 'updateTransaction', described)).toEqual([])
  expect(await userErrors(first, 'flagTransaction', { id, expectedVersion: 2 })).toEqual([])
  expect(await userErrors(first, 'reverseTransaction', { id, transactionNumber: 'OLD-R' })).toEqual([])
  expect(await userErrors(first, 'reverseJournalEntry', { id: entry.id })).toEqual([])
  expect(await reported('2026-04-01')).toEqual(before)
})

test('while one closes and twenty post, each entry is in what was closed or refused (F1)', async () => {
  await prepare(await graph.tenant('race'))
  await closeUntil(4)
  expect(await act(first, 'softClose', 5)).toEqual([])
  const { id, version } = await period(5)
  const close = () => userErrors(second, 'closeFiscalPeriod', { id, expectedVersion: version })
  const [closing, ...posting] = await Promise.all([
    close(),
    ...Array.from({ length: 20 }, () => post(first, '2026-05-31')),
  ])
  expect(closing).toEqual([])
  const refused = posting.filter((errors) => errors.length > 0)
  for (const errors of refused) expect(errors).toEqual(closed('bookedOn'))
  const { rows } = await graph.owner.query(
    'SELECT count(*)::int AS count FROM finance.journal_entries WHERE tenant_id = $1',
    [acme.id],
  )
  expect(rows).toEqual([{ count: posting.length - refused.length }])
  expect(await post(first, '2026-05-31')).toEqual(closed('bookedOn'))
})

test('closed months stay as they are after any history (F1)', async () => {
  await prepare(await graph.tenant('any-history'))
  for (const month of [1, 2, 3, 4, 5]) expect(await post(clerk, `2026-0${month}-10`)).toEqual([])
  await closeUntil(4)
  const kept = await reported('2026-05-01')
  const step = fc.record({
    do: fc.constantFrom('post', 'record', 'softClose', 'close', 'request', 'reopen', 'setBudget', 'reverse'),
    month: fc.integer({ min: 1, max: 8 }),
    by: fc.constantFrom('first', 'clerk'),
  })
  // One person alone, and one who closes nothing: whatever they do, nothing is reopened.
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      for (const { do: what, month, by } of steps) {
        const client = by === 'first' ? first : clerk
        const day = `2026-0${month}-20`
        if (what === 'post') await post(client, day)
        else if (what === 'record') await record(client, day)
        else if (what === 'reverse') {
          const entries = await readAll(first, 'journalEntries', 'id', '', 50)
          await userErrors(client, 'reverseJournalEntry', {
            id: entries[month % entries.length]!['id'],
            bookedOn: day,
          })
        } else if (what === 'setBudget') {
          await userErrors(client, 'setBudget', {
            departmentId: acme.id,
            year: 2026,
            month,
            allocated: euros('1'),
          })
        } else if (by === 'first')
          await act(first, what, month, what === 'request' ? { reopenReason: 'Why not' } : {})
      }
      expect(await reported('2026-05-01')).toEqual(kept)
    }),
    { numRuns: 10 },
  )
})

test('a month is closed when it is over, by the clock that can be moved', async () => {
  const tenant = await graph.tenant('clock')
  await prepare(tenant)
  const now = graph.clock.now()
  const month = now.getUTCMonth() + 1
  const year = now.getUTCFullYear()
  await change(first, 'openFiscalYear', { year }, 'fiscalPeriods { id }')
  const find = async () =>
    (await readAll(first, 'fiscalPeriods', 'id year month version', '', 50)).find(
      (one) => one['month'] === month && one['year'] === year,
    ) as unknown as Period
  const soft = async (client: TestClient) => {
    const { id, version } = await find()
    return userErrors(client, 'softCloseFiscalPeriod', { id, expectedVersion: version })
  }
  expect(await soft(first)).toMatchObject([
    { code: 'INVALID_STATUS', message: expect.stringMatching(/has not ended yet$/) },
  ])
  const next = Date.UTC(year, month, 1)
  graph.clock.advance({ seconds: Math.ceil((next - now.getTime()) / 1000) })
  first = await tenant.user('ADMIN')
  expect(await soft(first)).toEqual([])
})
