import type { Database } from '../../kernel/connection/database'
import { salesPerformances } from '../../subgraphs/finance/jobs/sales-performances'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'
import { runJob } from '../support/jobs'
import { userWith } from '../support/scopes'
import { refusedAs } from './as-finance'

/** What somebody sold in a month, from a draft to its payment, and what comes later. */
let graph: TestGraph
let finance: Database
let acme: TestTenant
let first: TestClient
let second: TestClient
let seller: TestClient
let partner: TestClient
let leader: TestClient
let stranger: TestClient
let count = 0

interface Performance {
  id: string
  version: number
  status: string
  revenue: { amount: string }
  commission: { amount: string } | null
}
interface Line {
  kind: string
  revenue: { amount: string }
  base: { amount: string }
  rate: string | null
  commission: { amount: string }
  adjusts: { id: string } | null
}
const shown = 'id version status revenue { amount } commission { amount }'
const fields = `salesPerformance { ${shown} }`
const at = ({ id, version }: Pick<Performance, 'id' | 'version'>) => ({ id, expectedVersion: version })
/** The first day of a month, counted from the present one. */
const month = (from: number) => {
  const now = graph.clock.now()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + from, 1)).toISOString().slice(0, 10)
}
const sell = async (amount: string, from: number, day: string, category = 'Licences') =>
  (
    await change<{ id: string }>(
      first,
      'recordTransaction',
      {
        ...{
          transactionNumber: `S-${++count}`,
          type: 'INCOME',
          category,
          amount: { amount, currency: 'EUR' },
        },
        occurredAt: `${month(from).slice(0, 8)}${day}T12:00:00.000Z`,
      },
      'transaction { id }',
    )
  ).id
const attribute = (transactionId: string, shares: Record<string, string>, client = first) =>
  userErrors(client, 'setSalesAttributions', {
    transactionId,
    attributions: Object.entries(shares).map(([userId, share]) => ({ userId, share })),
  })
const compute = (from: number, more: object = {}) =>
  change<Performance>(
    first,
    'computeSalesPerformance',
    { userId: seller.userId, periodStart: month(from), currency: 'EUR', ...more },
    fields,
  )
const linesOf = async (id: string): Promise<Line[]> => {
  const selection = 'kind revenue { amount } base { amount } rate commission { amount } adjusts { id }'
  const { salesPerformance } = await first.data<{ salesPerformance: { lines: { nodes: Line[] } } }>(
    `{ salesPerformance(id: "${id}") { lines(first: 20) { nodes { ${selection} } } } }`,
  )
  return salesPerformance.lines.nodes
}
const digest = async (id: string) =>
  (
    await graph.owner.query(
      `SELECT (SELECT md5(p::text) FROM finance.sales_performances p WHERE p.id = $1) AS performance,
              (SELECT md5(string_agg(l::text, '' ORDER BY l.position)) FROM finance.sales_performance_lines l
                WHERE l.performance_id = $1) AS lines`,
      [id],
    )
  ).rows[0]

beforeAll(async () => {
  graph = await startGraph({
    around: (name, database) => {
      if (name === 'finance') finance = database
      return database
    },
  })
  acme = await graph.tenant('acme')
  ;[first, second] = [await acme.user('ADMIN'), await acme.user('ADMIN')]
  ;[seller, partner] = [await acme.user('USER'), await acme.user('USER')]
  ;[leader, stranger] = [await acme.user('USER'), await acme.user('USER')]
  const rule = await change<Performance>(
    first,
    'createCommissionRule',
    {
      ...{ name: 'Licences', type: 'PERCENTAGE', rate: '10', startDate: month(-6) },
      criteria: 'category == "Licences"',
    },
    'commissionRule { id version }',
  )
  await change(second, 'approveCommissionRule', at(rule), 'commissionRule { id }')
})
afterAll(() => graph?.close())

test('a sale is theirs whose shares add up to all of it, whoever says so at the same time', async () => {
  const sale = await sell('100', -3, '05')
  expect(await attribute(sale, { [seller.userId]: '60', [partner.userId]: '39.99' })).toMatchObject([
    { code: 'INVALID', field: ['attributions'], message: 'share must add up to 100 per cent' },
  ])
  expect(await attribute(sale, { [first.userId]: '100' })).toMatchObject([{ code: 'OWN_RECORD' }])
  const nobody = '01a2256d-8832-7f23-9f37-a6dfcb3903c8'
  expect(await attribute(sale, { [nobody]: '100' })).toMatchObject([{ code: 'REFERENCE_NOT_FOUND' }])
  const expense = await change<{ id: string }>(
    first,
    'recordTransaction',
    { transactionNumber: `S-${++count}`, type: 'EXPENSE', amount: { amount: '5', currency: 'EUR' } },
    'transaction { id }',
  )
  expect(await attribute(expense.id, { [seller.userId]: '100' })).toMatchObject([
    { code: 'INVALID', field: ['transactionId'] },
  ])
  const splits = [{ [seller.userId]: '100' }, { [seller.userId]: '50', [partner.userId]: '50' }]
  const answers = await Promise.all(Array.from({ length: 10 }, (_, one) => attribute(sale, splits[one % 2]!)))
  expect(answers.flat()).toEqual([])
  const { rows } = await graph.owner.query(
    'SELECT sum(share)::text AS sum FROM finance.sales_attributions WHERE transaction_id = $1',
    [sale],
  )
  expect(rows).toEqual([{ sum: '100' }])
  expect(await attribute(sale, {})).toEqual([])
  const read = `{ transaction(id: "${sale}") { salesAttributions { nodes { share } } } }`
  expect(await first.data(read)).toEqual({ transaction: { salesAttributions: { nodes: [] } } })
})

test('ten who reckon at once make one performance, which its seller and the leader see, and nobody else', async () => {
  expect(await attribute(await sell('1000', -2, '01'), { [seller.userId]: '100' })).toEqual([])
  expect(
    await attribute(await sell('100.01', -2, '28'), { [seller.userId]: '50', [partner.userId]: '50' }),
  ).toEqual([])
  const atOnce = () =>
    Promise.all(Array.from({ length: 10 }, () => compute(-2, { managerId: leader.userId })))
  const created = await atOnce()
  await attribute(await sell('70', -2, '10', 'Training'), { [seller.userId]: '100' })
  const made = [...created, ...(await atOnce())]
  expect(new Set(made.map(({ id }) => id)).size).toBe(1)
  const [{ id }] = made as [Performance]
  const { rows } = await graph.owner.query(
    'SELECT count(*)::int AS count FROM finance.sales_performances WHERE user_id = $1',
    [seller.userId],
  )
  expect(rows).toEqual([{ count: 1 }])
  const amounts = (await linesOf(id)).map(({ base, revenue, rate, commission }) => [
    base.amount,
    revenue.amount,
    rate,
    commission.amount,
  ])
  // Half of 100.01 is 50.01 for one of them and 50.00 for the other.
  const half = amounts[2]![0]!
  expect(['50.00', '50.01']).toContain(half)
  expect(amounts).toEqual([
    ['1000.00', '1000.00', '10', '100.00'],
    ['70.00', '70.00', null, '0.00'],
    [half, half, '10', '5.00'],
  ])
  const query = `{ salesPerformance(id: "${id}") { revenue { amount } commission { amount } } }`
  const expected = {
    revenue: { amount: (1070 + Number(half)).toFixed(2) },
    commission: { amount: '105.00' },
  }
  for (const client of [seller, leader, first])
    expect(await client.data(query)).toEqual({ salesPerformance: expected })
  // It tells of all lines at once: whoever sees all of them is told.
  const replay = `{ salesPerformance(id: "${id}") { isReplayable } }`
  expect(await first.data(replay)).toEqual({ salesPerformance: { isReplayable: true } })
  expect((await seller.query(replay)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  for (const client of [partner, stranger]) {
    expect(await client.data(query)).toEqual({ salesPerformance: null })
    expect(await readAll(client, 'salesPerformances', 'id')).toEqual([])
    expect(await userErrors(client, 'submitSalesPerformance', { id, expectedVersion: 1 })).toMatchObject([
      { code: 'NOT_FOUND' },
    ])
  }
  expect(await readAll(leader, 'salesPerformances', 'id')).toEqual([{ id }])
  // Nothing changed, so nothing is written.
  const before = await digest(id)
  await compute(-2)
  expect(await digest(id)).toEqual(before)
})

test('it is disputed, reckoned anew, submitted, approved by somebody else, and paid once', async () => {
  let found = await compute(-2)
  const reader = await userWith(graph, acme, ['finance:performance:read'])
  const disputeReason = 'The training was mine alone'
  expect(await userErrors(reader, 'disputeSalesPerformance', { ...at(found), disputeReason })).toMatchObject([
    { code: 'PERMISSION_NOT_HELD' },
  ])
  found = await change(seller, 'disputeSalesPerformance', { ...at(found), disputeReason }, fields)
  expect(found.status).toBe('DISPUTED')
  expect(await userErrors(seller, 'submitSalesPerformance', at(found))).toMatchObject([
    { code: 'INVALID_STATUS' },
  ])
  found = await change(first, 'recalculateSalesPerformance', at(found), fields)
  expect(found).toMatchObject({ status: 'DRAFT', commission: { amount: '105.00' } })
  expect(await userErrors(leader, 'submitSalesPerformance', at(found))).toMatchObject([
    { code: 'PERMISSION_NOT_HELD' },
  ])
  const present = await compute(0)
  expect(await userErrors(seller, 'submitSalesPerformance', at(present))).toMatchObject([
    { code: 'INVALID_STATUS', message: expect.stringMatching(/^The month goes on/) },
  ])
  found = await change(first, 'submitSalesPerformance', at(found), fields)
  expect(await userErrors(first, 'approveSalesPerformance', at(found))).toMatchObject([
    { code: 'SECOND_PERSON_NEEDED' },
  ])
  expect(await userErrors(second, 'paySalesPerformance', at(found))).toMatchObject([
    { code: 'INVALID_STATUS' },
  ])
  found = await change(second, 'approveSalesPerformance', at(found), fields)
  const before = await digest(found.id)
  expect(
    await userErrors(first, 'computeSalesPerformance', {
      ...{ userId: seller.userId, periodStart: month(-2), currency: 'EUR' },
    }),
  ).toMatchObject([{ code: 'INVALID_STATUS' }])
  for (const text of [
    `UPDATE finance.sales_performances SET commission = 1 WHERE id = '${found.id}'`,
    `UPDATE finance.sales_performances SET status = 'DRAFT', approved_by_id = NULL, approved_at = NULL, submitted_by_id = NULL WHERE id = '${found.id}'`,
  ])
    expect(await refusedAs(graph, acme.id, [text])).toBe('an approved performance is only paid')
  expect(
    await refusedAs(graph, acme.id, [
      `DELETE FROM finance.sales_performance_lines WHERE performance_id = '${found.id}'`,
    ]),
  ).toBe('the lines of a submitted performance stay')
  expect(await digest(found.id)).toEqual(before)
  const paid = await Promise.all(
    Array.from({ length: 5 }, () => userErrors(first, 'paySalesPerformance', at(found))),
  )
  expect(paid.filter((errors) => errors.length === 0)).toHaveLength(1)
  const money =
    'transaction { type category amount { amount currency } journalEntry { postings { nodes { account { code } amount { amount } } } } }'
  const answer = await first.data<{ salesPerformance: object }>(
    `{ salesPerformance(id: "${found.id}") { status ${money} } }`,
  )
  const postings = [
    { account: { code: '6000' }, amount: { amount: '105.00' } },
    { account: { code: '1200' }, amount: { amount: '-105.00' } },
  ]
  expect(answer.salesPerformance).toEqual({
    status: 'PAID',
    transaction: {
      type: 'EXPENSE',
      category: 'Commission',
      amount: { amount: '105.00', currency: 'EUR' },
      journalEntry: { postings: { nodes: postings } },
    },
  })
  const { rows } = await graph.owner.query(
    "SELECT count(*)::int AS count FROM finance.transactions WHERE category = 'Commission' AND tenant_id = $1",
    [acme.id],
  )
  expect(rows).toEqual([{ count: 1 }])
})

test('nobody approves or pays the own, whatever they hold', async () => {
  await attribute(await sell('500', -2, '15'), { [second.userId]: '100' })
  let own = await compute(-2, { userId: second.userId })
  own = await change(second, 'submitSalesPerformance', at(own), fields)
  const third = await acme.user('ADMIN')
  expect(await userErrors(second, 'approveSalesPerformance', at(own))).toMatchObject([{ code: 'OWN_RECORD' }])
  own = await change(third, 'approveSalesPerformance', at(own), fields)
  expect(await userErrors(second, 'paySalesPerformance', at(own))).toMatchObject([{ code: 'OWN_RECORD' }])
  expect(own).toMatchObject({ status: 'APPROVED', commission: { amount: '50.00' } })
})

test('what changes of an approved month is taken back in the next one, once', async () => {
  const [paid] = await readAll(
    seller,
    'salesPerformances',
    shown,
    `filter: { periodStart: { eq: "${month(-2)}" } }`,
  )
  const before = await digest(String(paid!['id']))
  const { rows } = await graph.owner.query<{ id: string; version: number }>(
    'SELECT id, version FROM finance.transactions WHERE tenant_id = $1 AND amount = 100000',
    [acme.id],
  )
  const [sale] = rows as [{ id: string; version: number }]
  await change(
    first,
    'flagTransaction',
    { ...at(sale), isFraudulent: true, fraudScore: 1 },
    'transaction { id }',
  )
  const run = () => runJob(salesPerformances, finance, graph.server.services, { tenantId: acme.id })
  await run()
  const [next] = await readAll(
    seller,
    'salesPerformances',
    `${shown} manager { id }`,
    `filter: { periodStart: { eq: "${month(-1)}" } }`,
  )
  expect(next).toMatchObject({
    status: 'DRAFT',
    revenue: { amount: '-1000.00' },
    commission: { amount: '-100.00' },
    manager: { id: leader.userId },
  })
  expect(await linesOf(String(next!['id']))).toEqual([
    {
      ...{ kind: 'ADJUSTMENT', revenue: { amount: '-1000.00' }, base: { amount: '0.00' }, rate: null },
      ...{ commission: { amount: '-100.00' }, adjusts: { id: paid!['id'] } },
    },
  ])
  // The present month tells nothing of it again, and another run changes nothing.
  const [present] = await readAll(
    seller,
    'salesPerformances',
    shown,
    `filter: { periodStart: { eq: "${month(0)}" } }`,
  )
  expect(present).toMatchObject({ revenue: { amount: '0.00' }, commission: { amount: '0.00' } })
  const after = await digest(String(next!['id']))
  await run()
  expect(await digest(String(next!['id']))).toEqual(after)
  expect(await digest(String(paid!['id']))).toEqual(before)
})

test('a reversal is theirs whose the sale was, in the month in which it is reversed', async () => {
  const sale = await sell('300', -1, '03')
  await attribute(sale, { [partner.userId]: '100' })
  const of = { userId: partner.userId }
  expect(await compute(-1, of)).toMatchObject({
    revenue: { amount: '300.00' },
    commission: { amount: '30.00' },
  })
  const reversal = { id: sale, transactionNumber: `S-${++count}` }
  await change(first, 'reverseTransaction', reversal, 'reversal { id }')
  expect(await compute(-1, of)).toMatchObject({ commission: { amount: '30.00' } })
  expect(await compute(0, of)).toMatchObject({
    revenue: { amount: '-300.00' },
    commission: { amount: '-30.00' },
  })
})

test('lists and nested lines cost one statement each, and the summary adds up revenue by user', async () => {
  const read = () => first.data('{ salesPerformances(first: 20) { nodes { revenue { amount } status } } }')
  expect((await graph.statementsDuring(read)).map(({ role }) => role)).toEqual(['finance'])
  const nested = () =>
    first.data(
      '{ salesPerformances(first: 20) { nodes { lines(first: 5) { nodes { position rule { name } adjusts { status } } } isReplayable } } }',
    )
  expect((await graph.statementsDuring(nested)).map(({ role }) => role)).toEqual(Array(3).fill('finance'))
  const { salesPerformanceSummary } = await first.data<{ salesPerformanceSummary: object }>(
    `{ salesPerformanceSummary(filter: { userId: { eq: "${second.userId}" } }) { total { count revenue { currency sum { amount } } } } }`,
  )
  expect(salesPerformanceSummary).toEqual({
    total: { count: 1, revenue: [{ currency: 'EUR', sum: { amount: '500.00' } }] },
  })
  const rule = await readAll(first, 'commissionRules', 'id')
  const simulation = `{ simulateCommission(commissionRuleId: "${String(rule[0]!['id'])}", periodStart: "${month(-2)}", currency: EUR)
    { sales commission { amount } } }`
  const inEuros = simulation.replace('EUR)', '"EUR")')
  for (const day of [month(-2), `${month(-2).slice(0, 7)}-17`])
    expect(await first.data(inEuros.replace(month(-2), day))).toMatchObject({
      simulateCommission: { sales: 3, commission: { amount: '60.00' } },
    })
})
