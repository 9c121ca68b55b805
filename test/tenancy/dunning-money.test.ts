import { dayAfter } from '../../subgraphs/tenancy/rules/period'
import type { TestClient } from '../support/graph'
import { change } from '../support/lists'
import { startBilling } from './billed'
import { euros, lateOf } from './late-payment'

/** Money that comes, goes back or is given back beside reminders (review A1, A2, A3, B11, B17, C27, C28). */
let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => (started = await startBilling()))
afterAll(() => started?.graph.close())

const { debtor, invoices, steps, remindOn, pastDueSince, travel } = lateOf(() => started)
const withFee = [{ days: 3 }, { days: 10, fee: euros('5.00') }]

interface Row {
  id: string
  version: number
}

async function credit(act: TestClient, invoiceId: string): Promise<void> {
  const input = { invoiceId, reason: 'ERROR' }
  const { id, version } = await change<Row>(act, 'draftCreditNote', input, 'creditNote { id version }')
  await change(act, 'issueCreditNote', { id, expectedVersion: version }, 'creditNote { id }')
}

const record = (act: TestClient, amount: string, receivedOn?: string) =>
  change<Row>(act, 'recordPayment', { amount: euros(amount), receivedOn }, 'payment { id version }')

test('nobody is reminded of what was credited or whose money is on account, and nothing of it is past due (A1)', async () => {
  const credited = await debtor(withFee)
  await credit(credited.act, credited.invoice.id)
  const paid = await debtor(withFee)
  await record(paid.act, '67.00')
  const partly = await debtor([{ days: 3, fee: euros('15.00') }])
  await record(partly.act, '60.00')
  for (const { one, due } of [credited, paid, partly]) await remindOn(one, dayAfter(due, 12))
  expect(await steps(credited.one)).toEqual([])
  expect(await steps(paid.one)).toEqual([])
  // No fee is more than what is owed.
  expect(await steps(partly.one)).toEqual(['INV-000001 1: 7.00, fee 7.00'])
  expect(await pastDueSince(partly.one)).toEqual(expect.any(String))
  await record(partly.act, '7.00')
  expect(await pastDueSince(partly.one)).toBeNull()
})

test('a fee whose ground is gone is credited: the invoice void, credited, or paid before the step (A2)', async () => {
  const stages = [await debtor(withFee), await debtor(withFee), await debtor(withFee), await debtor(withFee)]
  for (const { one, due } of stages) for (const days of [3, 10]) await remindOn(one, dayAfter(due, days))
  const [voided, credited, early, late] = stages as [
    (typeof stages)[0],
    (typeof stages)[0],
    (typeof stages)[0],
    (typeof stages)[0],
  ]
  expect(await invoices(late.one)).toMatchObject([{}, { status: 'ISSUED', balance: { amount: '5.00' } }])
  const { version } = (await invoices(voided.one))[0]!
  const key = { id: voided.invoice.id, expectedVersion: version, reason: 'Not owed' }
  await change(voided.act, 'voidInvoice', key, 'invoice { id }')
  await credit(credited.act, credited.invoice.id)
  for (const [{ one, act, invoice, due }, day] of [
    [early, 10],
    [late, 11],
  ] as const) {
    await travel(one, dayAfter(due, 11))
    const payment = await record(act, '67.00', dayAfter(due, day))
    const allocation = { id: payment.id, expectedVersion: payment.version, invoiceId: invoice.id }
    await change(act, 'allocatePayment', allocation, 'payment { id }')
  }
  const feeOf = async ({ one }: (typeof stages)[0]) => (await invoices(one))[1]
  for (const one of [voided, credited, early])
    expect(await feeOf(one)).toMatchObject({ status: 'PAID', balance: { amount: '0.00' } })
  expect(await feeOf(late)).toMatchObject({ status: 'ISSUED', balance: { amount: '5.00' } })
})

test('days while it was paid count for no step when the money goes back (A3), and a dispute ends with the payment (C28)', async () => {
  const { one, invoice, due, act } = await debtor(withFee)
  await remindOn(one, dayAfter(due, 3))
  await travel(one, dayAfter(due, 4))
  const { version } = (await invoices(one))[0]!
  const pause = { id: invoice.id, expectedVersion: version, reason: 'Disputed' }
  await change(act, 'pauseInvoice', pause, 'invoice { id }')
  await travel(one, dayAfter(due, 5))
  const pay = { id: invoice.id, amount: euros('67.00') }
  expect(await change(act, 'payInvoice', pay, 'invoice { status dunningPausedAt }')).toEqual({
    ...{ status: 'PAID', dunningPausedAt: null },
  })
  await travel(one, dayAfter(due, 40))
  const { payments } = await one.admin.data<{ payments: { nodes: Row[] } }>(
    '{ payments { nodes { id version } } }',
  )
  const [{ id, version: paidVersion }] = payments.nodes as [Row]
  const back = { id, expectedVersion: paidVersion, reason: 'Returned' }
  await change(act, 'reversePayment', back, 'payment { id }')
  // One day of the dispute and 35 while it was paid: the tenth that counts is the 46th.
  for (const days of [41, 45]) await remindOn(one, dayAfter(due, days))
  expect(await steps(one)).toEqual(['INV-000001 1: 67.00, fee none'])
  await remindOn(one, dayAfter(due, 46))
  expect(await steps(one)).toEqual(['INV-000001 1: 67.00, fee none', 'INV-000001 2: 67.00, fee 5.00'])
  // Past due from the last step on; disputed it is not (C27).
  expect((await pastDueSince(one))?.slice(0, 10)).toBe(dayAfter(due, 46))
  const { version: now } = (await invoices(one))[0]!
  await change(act, 'pauseInvoice', { ...pause, expectedVersion: now }, 'invoice { id }')
  expect(await pastDueSince(one)).toBeNull()
})

test('what was decided after an invoice changes neither its fees nor its levels (B11, B17)', async () => {
  const { one, due, act } = await debtor([{ days: 3 }, { days: 10 }, { days: 20 }])
  for (const days of [3, 10]) await remindOn(one, dayAfter(due, days))
  await change(act, 'setDunningLevels', { levels: [{ days: 1, fee: euros('500.00') }] }, 'levels { level }')
  await remindOn(one, dayAfter(due, 19))
  expect(await steps(one)).toHaveLength(2)
  await remindOn(one, dayAfter(due, 20))
  expect((await steps(one)).at(-1)).toBe('INV-000001 3: 67.00, fee none')
  expect((await pastDueSince(one))?.slice(0, 10)).toBe(dayAfter(due, 20))
})
