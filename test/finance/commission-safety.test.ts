import type { Database } from '../../kernel/connection/database'
import { salesPerformances } from '../../subgraphs/finance/jobs/sales-performances'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { inHandOf } from '../support/hands'
import { untilWaiting } from '../support/locks'
import { runJob } from '../support/jobs'
import { change, readAll, userErrors } from '../support/lists'

/** Commission that nobody gets twice, gives to themselves or learns of by the way. */
let graph: TestGraph
let finance: Database
let acme: TestTenant
let first: TestClient
let second: TestClient
let count = 0

interface Performance {
  id: string
  version: number
  status: string
  revenue: { amount: string }
  commission: { amount: string }
  transaction: { id: string; transactionNumber: string; description: string | null } | null
}
const fields =
  'salesPerformance { id version status revenue { amount } commission { amount } transaction { id transactionNumber description } }'
const at = ({ id, version }: { id: string; version: number }) => ({ id, expectedVersion: version })
const month = (from: number) => {
  const now = graph.clock.now()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + from, 1)).toISOString().slice(0, 10)
}
const attribute = (transactionId: string, userIds: readonly string[], client = first) =>
  userErrors(client, 'setSalesAttributions', {
    transactionId,
    attributions: userIds.map((userId) => ({ userId, share: String(100 / userIds.length) })),
  })
/** A sale of somebody, at version 1. */
const sell = async (userId: string, amount: string, from: number) => {
  const sale = await change<{ id: string; version: number }>(
    first,
    'recordTransaction',
    {
      ...{ transactionNumber: `Z-${++count}`, type: 'INCOME', amount: { amount, currency: 'EUR' } },
      occurredAt: `${month(from).slice(0, 8)}05T12:00:00.000Z`,
    },
    'transaction { id version }',
  )
  expect(await attribute(sale.id, [userId])).toEqual([])
  return sale
}
const compute = (userId: string, from: number, more: object = {}) =>
  change<Performance>(
    first,
    'computeSalesPerformance',
    { userId, periodStart: month(from), currency: 'EUR', ...more },
    fields,
  )
const step = (client: TestClient, name: string, of: Performance) =>
  change<Performance>(client, `${name}SalesPerformance`, at(of), fields)
const refused = (client: TestClient, name: string, of: Performance) =>
  userErrors(client, `${name}SalesPerformance`, at(of))
const approved = async (userId: string, from: number) =>
  step(second, 'approve', await step(first, 'submit', await compute(userId, from)))
const flag = (sale: { id: string; version: number }, isFraudulent: boolean) =>
  change<{ id: string; version: number }>(
    first,
    'flagTransaction',
    { ...at(sale), isFraudulent },
    'transaction { id version }',
  )
const run = () => runJob(salesPerformances, finance, graph.server.services, { tenantId: acme.id })
const monthsOf = (userId: string) =>
  readAll(
    first,
    'salesPerformances',
    'periodStart status commission { amount }',
    `filter: { userId: { eq: "${userId}" } }`,
  )

beforeAll(async () => {
  graph = await startGraph({
    around: (name, database) => {
      if (name === 'finance') finance = database
      return database
    },
  })
  acme = await graph.tenant('acme')
  ;[first, second] = [await acme.user('ADMIN'), await acme.user('ADMIN')]
  const rule = await change<Performance>(
    first,
    'createCommissionRule',
    { name: 'All', type: 'PERCENTAGE', rate: '10', startDate: month(-14), criteria: 'amount > 0.0' },
    'commissionRule { id version }',
  )
  await change(second, 'approveCommissionRule', at(rule), 'commissionRule { id }')
})
afterAll(() => graph?.close())

test('what reverses a sale meets the rules of the sale, and of a fraudulent one it is nothing (1, 2)', async () => {
  const { userId } = await acme.user('USER')
  const sale = await sell(userId, '1000', -1)
  const reversal = { id: sale.id, transactionNumber: `Z-${++count}` }
  await change(first, 'reverseTransaction', reversal, 'reversal { id }')
  expect((await compute(userId, -1)).commission).toEqual({ amount: '100.00' })
  expect((await compute(userId, 0)).commission).toEqual({ amount: '-100.00' })
  await flag(sale, true)
  for (const from of [-1, 0])
    expect(await compute(userId, from)).toMatchObject({
      revenue: { amount: '0.00' },
      commission: { amount: '0.00' },
    })
})

test('months that correct others come in their order, and nobody submits a sum that they have not seen (3, 22, 23, 25)', async () => {
  const fraud = async () => {
    const seller = await acme.user('USER')
    const sale = await sell(seller.userId, '500', -3)
    await approved(seller.userId, -3)
    const flagged = await flag(sale, true)
    await sell(seller.userId, '200', -1)
    return { seller, flagged }
  }
  // Two months at once tell of it once.
  const one = await fraud()
  const told = await Promise.all([-2, -1].map((from) => compute(one.seller.userId, from)))
  expect(told.reduce((sum, { commission }) => sum + Number(commission.amount), 0)).toBe(-30)
  const { seller, flagged } = await fraud()
  const earlier = await compute(seller.userId, -2)
  const later = await compute(seller.userId, -1)
  expect([earlier, later].map(({ commission }) => commission.amount)).toEqual(['-50.00', '20.00'])
  const turn = { code: 'INVALID_STATUS', field: ['id'] }
  const message = `${month(-2).slice(0, 7)} corrects earlier months and is not submitted: submit it first`
  expect(await refused(seller, 'submit', later)).toEqual([{ ...turn, message }])
  await flag(flagged, false)
  expect(await refused(seller, 'submit', earlier)).toMatchObject([
    { code: 'STALE_VERSION', field: ['expectedVersion'] },
  ])
  const anew = await step(first, 'recalculate', earlier)
  expect(anew).toMatchObject({ version: earlier.version + 1, commission: { amount: '0.00' } })
  expect(await refused(seller, 'submit', anew)).toEqual([])
  expect(await refused(seller, 'submit', later)).toEqual([])
})

test('who leads a team is told, changes while nothing is approved, and ends (14)', async () => {
  const { userId } = await acme.user('USER')
  const [leader, next] = [await acme.user('USER'), await acme.user('USER')]
  await sell(userId, '100', -1)
  const found = await compute(userId, -1, { managerId: leader.userId })
  const read = `{ salesPerformance(id: "${found.id}") { commission { amount } lines { nodes { commission { amount } } } } }`
  const amount = { commission: { amount: '10.00' } }
  const sees = async () => {
    const answers = []
    for (const client of [leader, next])
      answers.push((await client.data<{ salesPerformance: object | null }>(read)).salesPerformance)
    return answers
  }
  const shown = { ...amount, lines: { nodes: [amount] } }
  expect(await sees()).toEqual([shown, null])
  await compute(userId, -1, { managerId: next.userId })
  expect(await sees()).toEqual([null, shown])
  await compute(userId, -1, { managerId: null })
  expect(await sees()).toEqual([null, null])
  // The month after has nobody either, and whoever reckons does not name themselves.
  await compute(userId, 0)
  for (const client of [leader, next]) expect(await readAll(client, 'salesPerformances', 'id')).toEqual([])
  const own = { userId, periodStart: month(-1), currency: 'EUR', managerId: first.userId }
  expect(await userErrors(first, 'computeSalesPerformance', own)).toMatchObject([{ code: 'OWN_RECORD' }])
  const { rows } = await graph.owner.query<{ manager: string | null }>(
    `SELECT changes->'after'->>'managerId' AS manager FROM shared.audit_logs
      WHERE resource_id = $1 AND action = 'UPDATE' AND changes->'after' ? 'managerId' ORDER BY id`,
    [found.id],
  )
  expect(rows.map(({ manager }) => manager)).toEqual([next.userId, null])
})

test('nobody takes part in saying whose a sale is that they hold, or in whose hand they are holds (21, 24)', async () => {
  const holder = await acme.user('ADMIN')
  const inHand = await acme.user('ADMIN')
  await inHandOf(graph, inHand.userId, holder.userId)
  const { userId } = await acme.user('USER')
  const sale = await sell(holder.userId, '100', -1)
  const refusal = [{ code: 'OWN_RECORD', field: ['attributions'] }]
  for (const client of [holder, inHand]) {
    expect(await attribute(sale.id, [userId], client)).toMatchObject(refusal)
    expect(await attribute(sale.id, [], client)).toMatchObject(refusal)
  }
  const due = await approved(holder.userId, -1)
  expect(await refused(inHand, 'pay', due)).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
  expect(await attribute(sale.id, [userId])).toEqual([])
})

test('a payment tells nobody whose it is, and is not reversed behind the performance (13, 16)', async () => {
  const { userId } = await acme.user('USER')
  await sell(userId, '300', -1)
  const paid = await step(first, 'pay', await approved(userId, -1))
  const { id, transactionNumber, description } = paid.transaction!
  expect([transactionNumber, description]).toEqual([expect.stringMatching(/^PAYOUT-[0-9a-f-]{36}$/), null])
  expect(transactionNumber).not.toContain(paid.id)
  const { rows } = await graph.owner.query(
    `SELECT resource_type, action FROM shared.audit_logs
      WHERE resource_type IN ('Transaction', 'JournalEntry', 'Posting') AND changes::text LIKE '%' || $1 || '%'
         OR resource_type LIKE 'SalesPerformance%' AND changes::text LIKE '%' || $2 || '%'`,
    [paid.id, id],
  )
  expect(rows).toEqual([])
  const reversal = { id, transactionNumber: `Z-${++count}` }
  expect(await userErrors(first, 'reverseTransaction', reversal)).toMatchObject([
    { code: 'NOT_REVERSIBLE', field: ['id'] },
  ])
})

test('who has a rule simulated, or reads by what somebody earns, stands in the trail (17)', async () => {
  const { userId } = await acme.user('USER')
  await sell(userId, '100', -2)
  const found = await compute(userId, -2)
  const [rule] = await readAll(first, 'commissionRules', 'id')
  const ruleId = String(rule!['id'])
  const read = `{ simulateCommission(commissionRuleId: "${ruleId}", periodStart: "${month(-2)}", currency: "EUR") { sales commission { amount } }
    salesPerformance(id: "${found.id}") { lines { nodes { base { amount } rate } } } }`
  const answer = await second.data<{ salesPerformance: object }>(read)
  expect(answer.salesPerformance).toEqual({ lines: { nodes: [{ base: { amount: '100.00' }, rate: '10' }] } })
  const { rows } = await graph.owner.query<{ type: string; changes: object }>(
    `SELECT resource_type AS type, changes FROM shared.audit_logs
      WHERE actor_id = $1 AND action = 'VIEW' AND resource_type IN ('CommissionSimulation', 'SalesPerformanceLine')
      ORDER BY resource_type`,
    [second.userId],
  )
  expect(rows.map(({ type }) => type)).toEqual(['CommissionSimulation', 'SalesPerformanceLine'])
  expect(JSON.stringify(rows[0])).toContain(ruleId)
})

test('a sale that is attributed late has its month reckoned, twelve back at most (7)', async () => {
  const { userId } = await acme.user('USER')
  for (const from of [-13, -12, -5]) await sell(userId, '100', from)
  await run()
  const amounts = (await monthsOf(userId)).map((one) => [one['periodStart'], one['commission']])
  expect(amounts).toEqual([
    [month(-5), { amount: '10.00' }],
    [month(-12), { amount: '10.00' }],
  ])
  // Drafts too, whoever reckoned them (20).
  await sell(userId, '100', -5)
  await run()
  expect((await monthsOf(userId))[0]).toMatchObject({
    ...{ periodStart: month(-5), commission: { amount: '20.00' } },
  })
})

test('what is taken back is taken from what is paid, and no month is paid without it (8)', async () => {
  const { userId } = await acme.user('USER')
  const sale = await sell(userId, '1000', -4)
  await step(first, 'pay', await approved(userId, -4))
  await flag(sale, true)
  await sell(userId, '600', -2)
  await sell(userId, '700', -1)
  const [back, some, more] = [
    await approved(userId, -3),
    await approved(userId, -2),
    await approved(userId, -1),
  ]
  expect([back, some, more].map(({ commission }) => commission.amount)).toEqual(['-100.00', '60.00', '70.00'])
  const sums = async () =>
    (
      await graph.owner.query(
        `SELECT p.status, t.amount::text FROM finance.sales_performances p
           LEFT JOIN finance.transactions t ON t.tenant_id = p.tenant_id AND t.id = p.transaction_id
          WHERE p.user_id = $1 ORDER BY p.period_start`,
        [userId],
      )
    ).rows.map(({ status, amount }) => [status, amount])
  for (const [due, amount] of [
    [back, '-100.00'],
    [some, '-40.00'],
  ] as const)
    expect(await refused(first, 'pay', due)).toEqual([
      {
        ...{ code: 'INVALID_STATUS', field: ['id'] },
        message: `What is due comes to ${amount} EUR: a later month that makes up for it is paid with this one`,
      },
    ])
  const open = ['APPROVED', null]
  expect(await sums()).toEqual([['PAID', '10000'], open, open, open])
  expect(await step(first, 'pay', more)).toMatchObject({ status: 'PAID' })
  const paid = ['PAID', '3000']
  expect(await sums()).toEqual([['PAID', '10000'], paid, paid, paid])
  const { rows } = await graph.owner.query<{ count: number }>(
    `SELECT count(DISTINCT transaction_id)::int AS count FROM finance.sales_performances WHERE user_id = $1`,
    [userId],
  )
  expect(rows).toEqual([{ count: 2 }])
})

test('a rule that is approved while somebody submits sees what is submitted (26)', async () => {
  const seller = await acme.user('USER')
  await sell(seller.userId, '100', -1)
  const due = await compute(seller.userId, -1)
  const rule = await change<Performance>(
    first,
    'createCommissionRule',
    { name: 'Mine', type: 'PERCENTAGE', rate: '90', startDate: month(-1), userId: seller.userId },
    'commissionRule { id version }',
  )
  await graph.owner.query('BEGIN')
  await graph.owner.query('SELECT FROM finance.sales_performances WHERE id = $1 FOR UPDATE', [due.id])
  const submitted = refused(seller, 'submit', due)
  await untilWaiting(graph.owner, 1)
  const approval = userErrors(second, 'approveCommissionRule', at(rule))
  await untilWaiting(graph.owner, 2)
  await graph.owner.query('COMMIT')
  expect(await submitted).toEqual([])
  expect(await approval).toMatchObject([{ code: 'INVALID', field: ['startDate'] }])
})

test('somebody whose month is out of range keeps nobody else from theirs (21)', async () => {
  const [large, small] = [await acme.user('USER'), await acme.user('USER')]
  for (let sales = 0; sales < 2; sales++) await sell(large.userId, '50000000000000000', -1)
  await sell(small.userId, '100', -1)
  await run()
  expect(await monthsOf(large.userId)).toEqual([])
  expect(await monthsOf(small.userId)).toEqual([
    { periodStart: month(-1), status: 'DRAFT', commission: { amount: '10.00' } },
  ])
})
