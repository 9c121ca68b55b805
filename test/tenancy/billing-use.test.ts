import { dayAfter, periodStart } from '../../subgraphs/tenancy/rules/period'
import { billingOf, startBilling } from './billed'

let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => (started = await startBilling()))
afterAll(() => started?.graph.close())

const {
  subscriber,
  bill,
  travel,
  invoices,
  preview,
  lastLines,
  act,
  record,
  correct,
  setTax,
  subscriptionOf,
} = billingOf(() => started)

const month = (one: { startDate: string }, number: number) => periodStart(one.startDate, 'MONTHLY', number)
const fees = ['STARTER, fee: 49.00', 'STARTER, seats: 18.00']

test('use is priced as agreed when it happened, not by the last moment of its period', async () => {
  const one = await subscriber()
  await bill(one)
  await travel(one, dayAfter(one.startDate, 3))
  await record(one, '30000')
  await act(one, 'changeSubscriptionPlan', { plan: 'ENTERPRISE' })
  await travel(one, dayAfter(one.startDate, 6))
  await record(one, '500000')
  await travel(one, month(one, 1))
  const shown = await preview(one)
  await bill(one)
  const { lines, total } = (await invoices(one)).at(-1)!
  expect({ lines: lines.nodes, total }).toEqual({ lines: shown.lines, total: shown.total })
  // Each plan includes its part of the period: 20,000 until the change, 500,000 from then on.
  const { rows } = await started.graph.owner.query<{ included: number }>(
    `SELECT ceil((20000 * extract(epoch FROM since - $2::timestamptz) + 500000 * extract(epoch FROM $3::timestamptz - since))
              / extract(epoch FROM $3::timestamptz - $2::timestamptz))::int AS included
       FROM tenancy.agreed_items WHERE subscription_id = $1 ORDER BY since DESC LIMIT 1`,
    [one.id, `${one.startDate}T00:00:00Z`, `${month(one, 1)}T00:00:00Z`],
  )
  const { included } = rows[0]!
  const used = lines.nodes.filter(({ description }) => description === 'Use: API_CALLS')
  expect(used.map(({ quantity, unitPrice, amount }) => [quantity, unitPrice.amount, amount.amount])).toEqual([
    ['30000', '0.00', '0.00'],
    [String(included - 30_000), '0.00', '0.00'],
    [String(530_000 - included), '0.0004', (Math.round((530_000 - included) * 0.04) / 100).toFixed(2)],
  ])
})

test('what is read or corrected after its period was billed is on the next invoice, once, with the tax of its period', async () => {
  const one = await subscriber({}, { rate: '19' })
  await bill(one)
  await travel(one, dayAfter(month(one, 1), -1))
  const reading = await record(one, '120000')
  await setTax(one, { rate: '21', validFrom: month(one, 1) })
  await travel(one, month(one, 1))
  await bill(one)
  expect(await lastLines(one)).toEqual([...fees, 'Use: API_CALLS: 0.00', 'Use: API_CALLS: 40.00'])
  // 50,000 more of the first month arrive a day late, and 20,000 of what was read were wrong.
  await travel(one, dayAfter(month(one, 1), 1))
  await record(one, '50000', `${dayAfter(month(one, 1), -2)}T12:00:00.000Z`)
  await bill(one)
  expect(await invoices(one)).toHaveLength(2)
  await travel(one, month(one, 2))
  const shown = await preview(one)
  await bill(one)
  expect(await lastLines(one)).toEqual([...fees, 'Use: API_CALLS, read later: 20.00'])
  const [, , third] = await invoices(one)
  expect(third!.lines.nodes).toEqual(shown.lines)
  expect(third!.lines.nodes.map(({ taxRate }) => taxRate)).toEqual(['21', '21', '19'])
  expect(third!.lines.nodes[2]).toMatchObject({ serviceStart: one.startDate, serviceEnd: month(one, 1) })
  await correct(one, reading, '20000')
  await travel(one, month(one, 3))
  await bill(one)
  expect(await lastLines(one)).toEqual([...fees, 'Use: API_CALLS, corrected: -40.00'])
  await travel(one, month(one, 4))
  await bill(one)
  expect(await lastLines(one)).toEqual(fees)
})

test('who cancels at once pays for what was used until then, and what is corrected after the end is given back', async () => {
  const one = await subscriber()
  const reading = await record(one, '120000', new Date(started.graph.clock.now().getTime()).toISOString())
  await act(one, 'cancelSubscription', { at: 'NOW' })
  await bill(one)
  expect((await invoices(one)).map(({ total }) => total.amount)).toEqual(['67.00', '40.00'])
  await bill(one)
  expect(await invoices(one)).toHaveLength(2)
  await correct(one, reading, '70000')
  await bill(one)
  await bill(one)
  const { creditNotes } = await one.admin.data<{ creditNotes: { nodes: object[] } }>(
    '{ creditNotes { nodes { status reason total { amount } memo } } }',
  )
  expect(creditNotes.nodes).toEqual([
    {
      ...{ status: 'ISSUED', reason: 'PRORATION', total: { amount: '20.00' } },
      memo: 'Given back at the end: Use: API_CALLS, corrected',
    },
  ])
  expect(await subscriptionOf(one)).toMatchObject({ status: 'CANCELLED' })
})
