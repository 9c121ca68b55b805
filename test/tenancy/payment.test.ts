import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'
import { operatorIn } from '../support/operator'

let graph: TestGraph
let count = 0

beforeAll(async () => {
  graph = await startGraph()
})
afterAll(() => graph?.close())

interface Row {
  id: string
  version: number
}
interface Payer {
  tenant: TestTenant
  biller: TestClient
}

async function payer(): Promise<Payer> {
  const tenant = await graph.tenant(`payer-${++count}`)
  return { tenant, biller: await operatorIn(graph, tenant) }
}

const euros = (amount: string) => ({ amount, currency: 'EUR' })
async function invoiced(biller: TestClient, unitPrice: string, currency = 'EUR'): Promise<Row> {
  const input = { currency, lines: [{ description: 'Fee', unitPrice }] }
  const { id } = await change<Row>(biller, 'draftInvoice', input, 'invoice { id }')
  return change(biller, 'issueInvoice', { id, expectedVersion: 1 }, 'invoice { id version }')
}
const keyOf = ({ id, version }: Row) => ({ id, expectedVersion: version })
const record = <T = Row>(biller: TestClient, amount: string, values = {}, selection = 'id version') =>
  change<T>(biller, 'recordPayment', { amount: euros(amount), ...values }, `payment { ${selection} }`)
const money = `status amount { amount } allocated { amount } refunded { amount } unallocated { amount }`
const allocate = (biller: TestClient, payment: Row, input: object) =>
  change<Row>(biller, 'allocatePayment', { ...keyOf(payment), ...input }, `payment { id version ${money} }`)
const balance = async (biller: TestClient, id: string) =>
  (
    await biller.data<{ invoice: object }>(
      `{ invoice(id: "${id}") { status amountPaid { amount } balance { amount } paidAt } }`,
    )
  ).invoice
const parts = (...amounts: string[]) => {
  const [amount, allocated, refunded, unallocated] = amounts.map((one) => ({ amount: one }))
  return { amount, allocated, refunded, unallocated }
}

/** All that is kept of the tenant's money. */
async function stored({ tenant }: Payer): Promise<unknown[]> {
  const { rows } = await graph.owner.query(
    `SELECT to_jsonb(p) AS row FROM tenancy.payments p WHERE tenant_id = $1
     UNION ALL SELECT to_jsonb(r) FROM tenancy.refunds r WHERE tenant_id = $1
     UNION ALL SELECT to_jsonb(a) FROM tenancy.allocations a WHERE tenant_id = $1
     UNION ALL SELECT to_jsonb(i) FROM tenancy.invoices i WHERE tenant_id = $1 ORDER BY 1`,
    [tenant.id],
  )
  return rows
}

/** What payments, allocations, refunds and invoices say of the same money, added up. */
async function recount({ tenant }: Payer): Promise<unknown> {
  const { rows } = await graph.owner.query(
    `SELECT (SELECT COALESCE(sum(allocated), 0)::text FROM tenancy.payments WHERE tenant_id = $1) AS allocated,
            (SELECT COALESCE(sum(amount), 0)::text FROM tenancy.allocations WHERE tenant_id = $1) AS allocations,
            (SELECT COALESCE(sum(amount_paid), 0)::text FROM tenancy.invoices WHERE tenant_id = $1) AS paid,
            (SELECT COALESCE(sum(refunded), 0)::text FROM tenancy.payments WHERE tenant_id = $1) AS refunded,
            (SELECT COALESCE(sum(amount), 0)::text FROM tenancy.refunds WHERE tenant_id = $1) AS refunds`,
    [tenant.id],
  )
  return rows[0]
}

test('B3: what came is a record with day, method, reference and payer, and settles nothing by itself', async () => {
  const one = await payer()
  const values = { receivedOn: '2026-01-31', method: 'CASH', reference: 'R 7', payerName: 'Ada Lovelace' }
  const shown = `paymentNumber method receivedOn reference payerName reversedAt ${money}`
  expect(await record(one.biller, '100', values, shown)).toEqual({
    ...{ paymentNumber: 'PAY-000001', status: 'SUCCEEDED', reversedAt: null, ...values },
    ...parts('100.00', '0.00', '0.00', '100.00'),
  })
  const today = graph.clock.now().toISOString().slice(0, 10)
  expect(await record(one.biller, '1', {}, 'paymentNumber method receivedOn')).toEqual({
    ...{ paymentNumber: 'PAY-000002', method: 'BANK_TRANSFER', receivedOn: today },
  })
})

test.each<[string, Record<string, unknown>, string[], string]>([
  ['nothing', { amount: euros('0') }, ['amount'], 'amount must be more than nothing'],
  [
    'money of a day to come',
    { amount: euros('1'), receivedOn: '2999-01-01' },
    ['receivedOn'],
    'receivedOn must not be in the future',
  ],
])('%s is not recorded', async (_, input, field, message) => {
  const one = await payer()
  expect(await userErrors(one.biller, 'recordPayment', input)).toEqual([{ code: 'INVALID', field, message }])
  expect(await stored(one)).toEqual([])
})

test('one payment settles several invoices, and what is too much stays with it', async () => {
  const one = await payer()
  const [first, second] = [await invoiced(one.biller, '60'), await invoiced(one.biller, '30')]
  let payment = await record(one.biller, '100')
  payment = await allocate(one.biller, payment, { invoiceId: first.id, amount: euros('20') })
  expect(await balance(one.biller, first.id)).toEqual({
    ...{ status: 'PARTLY_PAID', amountPaid: { amount: '20.00' }, balance: { amount: '40.00' }, paidAt: null },
  })
  payment = await allocate(one.biller, payment, { invoiceId: first.id })
  payment = await allocate(one.biller, payment, { invoiceId: second.id })
  expect(payment).toMatchObject({ status: 'SUCCEEDED', ...parts('100.00', '90.00', '0.00', '10.00') })
  expect(await balance(one.biller, second.id)).toMatchObject({ status: 'PAID', balance: { amount: '0.00' } })
  const rows = await readAll(
    one.biller,
    'allocations',
    'invoice { id } payment { id } creditNote { id } amount { amount }',
  )
  expect(rows).toEqual(
    [
      [second.id, '30.00'],
      [first.id, '40.00'],
      [first.id, '20.00'],
    ].map(([id, amount]) => ({
      ...{ invoice: { id }, payment: { id: payment.id }, creditNote: null, amount: { amount } },
    })),
  )
  const sums = { allocated: '9000', allocations: '9000', paid: '9000', refunded: '0', refunds: '0' }
  expect(await recount(one)).toEqual(sums)
})

test('no more is allocated than is left of the payment and of the invoice, in one currency', async () => {
  const one = await payer()
  const { biller } = one
  const [invoice, inDollars] = [await invoiced(biller, '60'), await invoiced(biller, '60', 'USD')]
  const payment = await record(biller, '50')
  const before = await stored(one)
  const refused = (input: Record<string, unknown>) =>
    userErrors(biller, 'allocatePayment', { ...keyOf(payment), ...input })
  for (const amount of ['0', '-1', '50.01'])
    expect(await refused({ invoiceId: invoice.id, amount: euros(amount) })).toEqual([
      {
        ...{ code: 'INVALID', field: ['amount'] },
        message: 'amount must be more than nothing and at most what is left: 50.00',
      },
    ])
  expect(await refused({ invoiceId: inDollars.id })).toEqual([
    { code: 'INVALID', field: ['invoiceId'], message: 'The invoice is in USD, the payment in EUR' },
  ])
  expect(await stored(one)).toEqual(before)
})

test('at once, ten payments settle no more than an invoice, and ten refunds give back no more than a payment', async () => {
  const one = await payer()
  const { biller } = one
  const invoice = await invoiced(biller, '10')
  const payments: Row[] = []
  for (let place = 0; place < 10; place++) payments.push(await record(biller, '3'))
  const text = (name: string) =>
    `mutation ($input: ${name[0]!.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { userErrors { code } } }`
  await Promise.all(
    payments.map((payment) =>
      biller.data(text('allocatePayment'), { input: { ...keyOf(payment), invoiceId: invoice.id } }),
    ),
  )
  expect(await balance(biller, invoice.id)).toMatchObject({ status: 'PAID', amountPaid: { amount: '10.00' } })
  const big = await record(biller, '10')
  const input = { ...keyOf(big), amount: euros('3') }
  await Promise.all(Array.from({ length: 10 }, () => biller.data(text('refundPayment'), { input })))
  const sums = { allocated: '1000', allocations: '1000', paid: '1000', refunded: '300', refunds: '300' }
  expect(await recount(one)).toEqual(sums)
})

test('what is left is given back, and never what settles an invoice', async () => {
  const one = await payer()
  const { biller } = one
  const invoice = await invoiced(biller, '60')
  const payment = await allocate(biller, await record(biller, '100'), { invoiceId: invoice.id })
  const before = await stored(one)
  expect(
    await userErrors(biller, 'refundPayment', { ...keyOf(payment), amount: euros('40.01') }),
  ).toMatchObject([{ code: 'INVALID', field: ['amount'] }])
  expect(
    await userErrors(biller, 'refundPayment', { ...keyOf(payment), refundedOn: '2999-01-01' }),
  ).toMatchObject([{ code: 'INVALID', field: ['refundedOn'] }])
  expect(await stored(one)).toEqual(before)
  const input = { ...keyOf(payment), amount: euros('15'), reference: 'Back 1' }
  const shown = `payment { id version ${money} refunds { nodes { amount { amount } reference } } }`
  const partly = await change<Row>(biller, 'refundPayment', input, shown)
  expect(partly).toMatchObject({
    ...{ status: 'PARTLY_REFUNDED', ...parts('100.00', '60.00', '15.00', '25.00') },
    refunds: { nodes: [{ amount: { amount: '15.00' }, reference: 'Back 1' }] },
  })
  const rest = await change<Row>(biller, 'refundPayment', keyOf(partly), shown)
  expect(rest).toMatchObject(parts('100.00', '60.00', '40.00', '0.00'))
  expect(await userErrors(biller, 'refundPayment', keyOf(rest))).toEqual([
    {
      ...{ code: 'INVALID_STATUS', field: ['id'] },
      message: 'Nothing is left of this payment, which is PARTLY_REFUNDED',
    },
  ])
  const whole = await record(biller, '5')
  expect(await change(biller, 'refundPayment', keyOf(whole), shown)).toMatchObject({ status: 'REFUNDED' })
})

test('B3: a payment that was mistyped or returned is reversed: its invoices are to be paid again, and both stay', async () => {
  const one = await payer()
  const { biller } = one
  const [first, second] = [await invoiced(biller, '60'), await invoiced(biller, '30')]
  let payment = await record(biller, '80')
  payment = await allocate(biller, payment, { invoiceId: first.id })
  payment = await allocate(biller, payment, { invoiceId: second.id })
  expect(await userErrors(biller, 'reversePayment', { ...keyOf(payment), reason: '' })).toMatchObject([
    { code: 'INVALID', field: ['reason'] },
  ])
  const input = { ...keyOf(payment), reason: 'Returned by the bank' }
  const shown = `payment { id version ${money} reverseReason }`
  const back = await change<Row>(biller, 'reversePayment', input, shown)
  expect(back).toMatchObject({
    ...{ status: 'REVERSED', reverseReason: 'Returned by the bank' },
    ...parts('80.00', '0.00', '0.00', '0.00'),
  })
  expect(await balance(biller, first.id)).toEqual({
    ...{ status: 'ISSUED', amountPaid: { amount: '0.00' }, balance: { amount: '60.00' }, paidAt: null },
  })
  const amounts = (await readAll(biller, 'allocations', 'amount { amount }')) as {
    amount: { amount: string }
  }[]
  expect(amounts.map(({ amount }) => amount.amount).sort()).toEqual(['-20.00', '-60.00', '20.00', '60.00'])
  const sums = { allocated: '0', allocations: '0', paid: '0', refunded: '0', refunds: '0' }
  expect(await recount(one)).toEqual(sums)
  expect(await userErrors(biller, 'reversePayment', { ...keyOf(back), reason: 'Again' })).toMatchObject([
    { code: 'INVALID_STATUS', field: ['id'] },
  ])
})

test('B3: payInvoice leaves a payment of its own', async () => {
  const one = await payer()
  const invoice = await invoiced(one.biller, '60')
  const input = { id: invoice.id, amount: euros('60') }
  const shown = 'invoice { status allocations { nodes { amount { amount } payment { paymentNumber } } } }'
  expect(await change(one.biller, 'payInvoice', input, shown)).toEqual({
    ...{ status: 'PAID' },
    allocations: { nodes: [{ amount: { amount: '60.00' }, payment: { paymentNumber: 'PAY-000001' } }] },
  })
  const sums = { allocated: '6000', allocations: '6000', paid: '6000', refunded: '0', refunds: '0' }
  expect(await recount(one)).toEqual(sums)
})

test('what a payment was stays, and an invoice shows as paid what payments say, also for the owner of the tables', async () => {
  const one = await payer()
  const { biller } = one
  const invoice = await invoiced(biller, '60')
  const payment = await allocate(biller, await record(biller, '50'), { invoiceId: invoice.id })
  const other = await record(biller, '5')
  await change(biller, 'refundPayment', keyOf(other), 'payment { id }')
  expect(payment.version).toBe(2)
  const before = await stored(one)
  for (const text of [
    'UPDATE tenancy.payments SET amount = amount + 1 WHERE tenant_id = $1',
    "UPDATE tenancy.payments SET received_on = '2020-01-01' WHERE tenant_id = $1",
    'DELETE FROM tenancy.payments WHERE tenant_id = $1',
    'UPDATE tenancy.refunds SET amount = amount + 1 WHERE tenant_id = $1',
    'DELETE FROM tenancy.refunds WHERE tenant_id = $1',
    'UPDATE tenancy.invoices SET amount_paid = amount_paid + 1 WHERE tenant_id = $1',
    "UPDATE tenancy.invoices SET amount_paid = 0, status = 'ISSUED' WHERE tenant_id = $1",
  ])
    await expect(graph.owner.query(text, [one.tenant.id])).rejects.toMatchObject({ code: '23000' })
  expect(await stored(one)).toEqual(before)
})

test('lists of payments with what they settled and what went back take a statement for each list', async () => {
  const { tenant, biller } = await payer()
  const admin = await tenant.as('ADMIN')
  const invoice = await invoiced(biller, '60')
  for (const amount of ['1', '2', '3']) {
    const payment = await allocate(biller, await record(biller, amount), {
      invoiceId: invoice.id,
      amount: euros('1'),
    })
    expect(payment.version).toBe(2)
  }
  const text = `{ payments(first: 3) { nodes { allocations(first: 3) { nodes { invoice { id } } } refunds(first: 3) { nodes { id } } } } }`
  const statements = await graph.statementsDuring(() => admin.data(text))
  expect(statements.map(({ role }) => role)).toEqual(Array(3).fill('tenancy'))
})

test('B1: no role of a tenant records payments, its administrator neither, who reads them', async () => {
  const admin = await (await graph.tenant('acme')).as('ADMIN')
  const mutations = { allocate: ', invoiceId: "x"', refund: '', reverse: ', reason: "x"' }
  const inputs = Object.entries(mutations).map(
    ([verb, rest]) => `${verb}Payment(input: { id: "x", expectedVersion: 1${rest} })`,
  )
  inputs.push('recordPayment(input: { amount: { amount: "1", currency: "EUR" } })')
  for (const input of inputs) {
    const { errors } = await admin.query(`mutation { ${input} { userErrors { code } } }`)
    expect([input, errors?.map(({ extensions }) => extensions.code)]).toEqual([input, ['FORBIDDEN']])
  }
  expect(await admin.query('{ payments { totalCount } }')).toMatchObject({
    data: { payments: { totalCount: 0 } },
  })
})
