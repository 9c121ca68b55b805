import { billing } from '../../subgraphs/tenancy/jobs/billing'
import { periodStart } from '../../subgraphs/tenancy/rules/period'
import { billingOf, startBilling } from './billed'

let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => (started = await startBilling()))
afterAll(() => started?.graph.close())

const { subscriber, bill, travel, invoices, preview, act, record } = billingOf(() => started)

test('a period is billed on the day on which it begins, once, and as the preview said', async () => {
  const one = await subscriber()
  const end = periodStart(one.startDate, 'MONTHLY', 1)
  const shown = await preview(one)
  expect(shown).toMatchObject({ periodStart: one.startDate, periodEnd: end, total: { amount: '67.00' } })
  expect(await bill(one)).toBeNull()
  const service = { serviceStart: one.startDate, serviceEnd: end }
  const expected = {
    id: expect.any(String) as string,
    version: 2,
    invoiceNumber: 'INV-000001',
    status: 'ISSUED',
    subtotal: { amount: '67.00' },
    tax: { amount: '0.00' },
    total: { amount: '67.00' },
    lines: {
      nodes: [
        {
          description: 'STARTER, fee',
          quantity: '1',
          unitPrice: { amount: '49.00' },
          amount: { amount: '49.00' },
          taxRate: '0',
          ...service,
        },
        {
          description: 'STARTER, seats',
          quantity: '2',
          unitPrice: { amount: '9.00' },
          amount: { amount: '18.00' },
          taxRate: '0',
          ...service,
        },
      ],
    },
  }
  expect(await invoices(one)).toEqual([expected])
  expect(shown.lines).toEqual(expected.lines.nodes)
  await bill(one)
  expect(await invoices(one)).toHaveLength(1)
  expect(await one.admin.data('{ tenant { subscription { billedUntil } } }')).toEqual({
    tenant: { subscription: { billedUntil: end } },
  })
})

test('ten workers bill one period once', async () => {
  const one = await subscriber()
  await Promise.all(Array.from({ length: 10 }, () => bill(one)))
  expect(await invoices(one)).toHaveLength(1)
  const again = started.graph.owner.query(
    `INSERT INTO tenancy.invoices (tenant_id, id, subscription_id, billed_from, subtotal, total, currency)
     SELECT tenant_id, gen_random_uuid(), subscription_id, billed_from, 0, 0, currency FROM tenancy.invoices WHERE tenant_id = $1`,
    [one.tenant.id],
  )
  await expect(again).rejects.toMatchObject({ constraint: 'invoices_subscription_id_billed_from_key' })
})

test('a run that dies leaves nothing, and the next one bills all of it', async () => {
  const one = await subscriber()
  const dying: typeof billing = {
    ...billing,
    async run(...parts) {
      await billing.run(...parts)
      throw new Error('killed')
    },
  }
  await expect(bill(one, dying)).rejects.toThrow('killed')
  expect(await invoices(one)).toEqual([])
  await bill(one)
  expect(await invoices(one)).toHaveLength(1)
})

test('a change in a billed period is on the next invoice: the old price back, the new one on top', async () => {
  const one = await subscriber()
  await bill(one)
  await act(one, 'changeSubscriptionPlan', { plan: 'ENTERPRISE' })
  const shown = await preview(one)
  expect(shown.lines).toMatchObject([
    { description: 'ENTERPRISE, fee', amount: { amount: '1900.00' } },
    { description: 'ENTERPRISE, seats', amount: { amount: '24.00' } },
    { description: 'STARTER, unused part' },
    { description: 'ENTERPRISE, rest of the period' },
  ])
})

test('a year by the clock is billed without gap, with what was used beyond the plan, each as its preview said', async () => {
  const [one, other] = [await subscriber(), await subscriber({ billingInterval: 'ANNUAL' })]
  for (let month = 0; month < 12; month++) {
    const start = periodStart(one.startDate, 'MONTHLY', month)
    for (const each of [one, other]) await travel(each, start)
    const shown = await preview(one)
    await bill(one)
    await bill(other)
    const all = await invoices(one)
    expect(all).toHaveLength(month + 1)
    expect({ total: all.at(-1)!.total, lines: all.at(-1)!.lines.nodes }).toEqual({
      total: shown.total,
      lines: shown.lines,
    })
    expect(shown).toMatchObject({
      periodStart: start,
      periodEnd: periodStart(one.startDate, 'MONTHLY', month + 1),
    })
    if (month === 3) await record(one, '30000')
  }
  const all = await invoices(one)
  expect(all.map(({ total }) => total.amount)).toEqual(
    Array.from({ length: 12 }, (_, month) => (month === 4 ? '71.00' : '67.00')),
  )
  expect(all[4]!.lines.nodes.slice(2)).toMatchObject([
    {
      description: 'Use: API_CALLS',
      quantity: '20000',
      unitPrice: { amount: '0.00' },
      amount: { amount: '0.00' },
    },
    {
      description: 'Use: API_CALLS',
      quantity: '10000',
      unitPrice: { amount: '0.0004' },
      amount: { amount: '4.00' },
    },
  ])
  // Ten times the month for a year, and what was used is billed by the year.
  expect((await invoices(other)).map(({ total }) => total.amount)).toEqual(['670.00'])
})
