import { dayAfter, periodStart } from '../../subgraphs/tenancy/rules/period'
import { change, userErrors } from '../support/lists'
import { operatorIn } from '../support/operator'
import { billingOf, startBilling, type Subscriber } from './billed'

let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => (started = await startBilling()))
afterAll(() => started?.graph.close())

const { subscriber, bill, travel, invoices, act, setTax, record, correct, todayOf } = billingOf(() => started)
const month = ({ startDate }: Subscriber, number: number) => periodStart(startDate, 'MONTHLY', number)
const inside = (one: Subscriber) => operatorIn(started.graph, one.tenant)
const rates = async (one: Subscriber) =>
  (await invoices(one)).at(-1)!.lines.nodes.map(({ description, taxRate }) => `${description} ${taxRate}`)
const notes = async ({ admin }: Subscriber) =>
  (
    await admin.data<{ creditNotes: { nodes: { id: string; version: number; status: string }[] } }>(
      `{ creditNotes(orderBy: { field: CREATED_AT, direction: ASC }) { nodes { id version status total { amount }
           taxBreakdown { rate treatment reason net { amount } } } } }`,
    )
  ).creditNotes.nodes

test('4, 15: a change has the tax of its day, what it gives back that of what was billed, use that of its last day', async () => {
  const one = await subscriber({}, { rate: '19' })
  await bill(one)
  const day = dayAfter(one.startDate, 5)
  await setTax(one, { rate: '21', validFrom: day })
  await setTax(one, { rate: '23', validFrom: month(one, 1) })
  await travel(one, dayAfter(day, 1))
  await record(one, '600000')
  await act(one, 'changeSubscriptionPlan', { plan: 'ENTERPRISE' })
  await act(one, 'changeSubscriptionPlan', { plan: 'PROFESSIONAL' })
  await travel(one, month(one, 1))
  await bill(one)
  expect((await rates(one)).filter((line) => !line.startsWith('Use'))).toEqual([
    ...['PROFESSIONAL, fee 23', 'PROFESSIONAL, seats 23'],
    ...['STARTER, unused part 19', 'ENTERPRISE, rest of the period 21'],
    ...['ENTERPRISE, unused part 21', 'PROFESSIONAL, rest of the period 21'],
  ])
  expect((await rates(one)).filter((line) => line.startsWith('Use')).at(-1)).toBe('Use: API_CALLS 21')
})

test('16: a decision begins after all days whose tax was billed', async () => {
  const one = await subscriber({}, { rate: '19' })
  await travel(one, dayAfter(one.startDate, 1))
  await setTax(one, { rate: '20', validFrom: month(one, 1) })
  await travel(one, month(one, 2))
  await bill(one)
  const [today, errors] = [todayOf(one), await userErrors(await inside(one), 'setTenantTax', tax('7'))]
  expect(errors).toMatchObject([
    {
      ...{ code: 'INVALID', field: ['validFrom'] },
      message: `validFrom must be after ${today}, whose tax was billed: to mend what was decided, set isCorrection`,
    },
  ])
  await setTax(one, { rate: '7', validFrom: dayAfter(today, 1) })
})

const tax = (rate: string) => ({ treatment: 'STANDARD', rate })

test('14, 18: a wrong tax is mended for documents that become void, and what was given back keeps its own', async () => {
  const one = await subscriber({}, { rate: '7' })
  const reading = await record(one, '120000')
  await travel(one, month(one, 1))
  await bill(one)
  await correct(one, reading, '20000')
  await setTax(one, { rate: '19', validFrom: one.startDate, isCorrection: true })
  const taxes = '{ tenant { taxes { validFrom rate } } }'
  expect(await one.admin.data(taxes)).toEqual({
    tenant: { taxes: [{ validFrom: one.startDate, rate: '19' }] },
  })
  await travel(one, month(one, 2))
  await bill(one)
  expect((await rates(one)).at(-1)).toBe('Use: API_CALLS, corrected 7')
  const all = await invoices(one)
  for (const { id, version } of [all[0]!, all[2]!])
    await change(
      await inside(one),
      'voidInvoice',
      { id, expectedVersion: version, reason: 'Wrong tax' },
      'invoice { id }',
    )
  await travel(one, dayAfter(month(one, 2), 1))
  await bill(one)
  expect(await rates(one)).toEqual([
    ...['STARTER, fee 19', 'STARTER, seats 19'],
    ...['STARTER, fee 19', 'STARTER, seats 19', 'Use: API_CALLS, corrected 7'],
  ])
})

test('17, 19: lines without tax are summed up by treatment and reason, and the tax id is that of their decision', async () => {
  const reason = 'Reverse charge'
  const one = await subscriber({}, { treatment: 'REVERSE_CHARGE', taxId: 'ATU12345678', reason })
  await setTax(one, { treatment: 'REVERSE_CHARGE', taxId: 'DE999', reason, validFrom: month(one, 1) })
  await bill(one)
  const breakdown = 'taxBreakdown { rate treatment reason net { amount } }'
  const line = { description: 'Help', unitPrice: '10' }
  const lines = [
    { ...line, taxTreatment: 'EXEMPT', taxReason: 'Training' },
    { ...line, taxTreatment: 'REVERSE_CHARGE', taxReason: reason },
    { ...line, taxRate: '19' },
    line,
  ]
  const operator = await inside(one)
  const drafted = await change<{ id: string; version: number }>(
    operator,
    'draftInvoice',
    { currency: 'EUR', lines },
    'invoice { id version }',
  )
  const key = { id: drafted.id, expectedVersion: drafted.version }
  const parts = [
    { rate: '0', treatment: 'EXEMPT', reason: 'Training', net: { amount: '10.00' } },
    { rate: '0', treatment: 'REVERSE_CHARGE', reason, net: { amount: '10.00' } },
    { rate: '0', treatment: 'STANDARD', reason: null, net: { amount: '10.00' } },
    { rate: '19', treatment: 'STANDARD', reason: null, net: { amount: '10.00' } },
  ]
  expect(await change(operator, 'issueInvoice', key, `invoice { ${breakdown} }`)).toEqual({
    taxBreakdown: parts,
  })
  const credit = { invoiceId: drafted.id, reason: 'ERROR' }
  expect(await change(operator, 'draftCreditNote', credit, `creditNote { ${breakdown} }`)).toEqual({
    taxBreakdown: parts,
  })
  for (const [values, field] of [
    [{ taxTreatment: 'EXEMPT' }, 'taxReason'],
    [{ taxTreatment: 'REVERSE_CHARGE', taxRate: '19', taxReason: reason }, 'taxRate'],
    [{ taxRate: '19', taxReason: reason }, 'taxReason'],
    [{ taxTreatment: 'EXEMPT', taxReason: ' ' }, 'taxReason'],
  ] as const)
    expect(
      await userErrors(operator, 'draftInvoice', { currency: 'EUR', lines: [{ ...line, ...values }] }),
    ).toMatchObject([{ code: 'INVALID', field: ['lines', '0', field] }])
  await travel(one, month(one, 1))
  await bill(one)
  const { invoices: list } = await one.admin.data<{ invoices: { nodes: object[] } }>(
    '{ invoices(orderBy: { field: INVOICE_NUMBER, direction: ASC }) { nodes { buyer { vatNumber } } } }',
  )
  expect(list.nodes).toEqual(
    ['ATU12345678', 'ATU12345678', 'DE999'].map((vatNumber) => ({ buyer: { vatNumber } })),
  )
})

test('12: what a note of the job gave back waits again when the note becomes void, and is given back anew', async () => {
  const one = await subscriber({ plan: 'ENTERPRISE' }, { rate: '19' })
  await act(one, 'changeSubscriptionPlan', { plan: 'STARTER' })
  await act(one, 'cancelSubscription', { at: 'PERIOD_END' })
  await travel(one, month(one, 1))
  expect(await bill(one)).toBeNull()
  const [first] = await notes(one)
  const key = { id: first!.id, expectedVersion: first!.version, reason: 'Wrong memo' }
  await change(await inside(one), 'voidCreditNote', key, 'creditNote { id }')
  for (let run = 0; run < 2; run++) expect(await bill(one)).toBeNull()
  const [voided, again, ...others] = await notes(one)
  expect(others).toEqual([])
  expect([voided!.status, again]).toEqual(['VOID', { ...first, id: again!.id, version: again!.version }])
})

test('3, 25: what no invoice covers stays a fault until one does, and the subscription is not changed by it', async () => {
  const one = await subscriber()
  await act(one, 'cancelSubscription', { at: 'NOW' })
  await bill(one)
  await started.graph.owner.query(
    `INSERT INTO tenancy.pending_lines (tenant_id, id, subscription_id, description, amount, service_start, service_end)
     VALUES ($1, gen_random_uuid(), $2, 'Given back', -10000, current_date, current_date + 1)`,
    [one.tenant.id, one.id],
  )
  const version = async () =>
    (
      await one.admin.data<{ subscription: object }>(
        `{ subscription(id: "${one.id}") { version updatedAt } }`,
      )
    ).subscription
  const before = await version()
  const fault = '33.00 EUR is to be given back, and no invoice is left to credit'
  for (let run = 0; run < 3; run++) expect(await bill(one)).toBe(fault)
  expect(await version()).toEqual(before)
  expect(await notes(one)).toMatchObject([{ total: { amount: '67.00' } }])
})
