import { startGraph, type TestGraph } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'
import { creditingOf, euros, keyOf, seats, support, type Row } from './crediting'

let graph: TestGraph

beforeAll(async () => {
  graph = await startGraph()
})
afterAll(() => graph?.close())

const { payer, invoiced, draft, issue, credited, invoiceOf, stored } = creditingOf(() => graph)

describe('use', () => {
  test('settles an invoice with what is left, and is a row of its own', async () => {
    const { biller } = await payer()
    const paid = await invoiced(biller)
    await change(biller, 'payInvoice', { id: paid.id, amount: euros('82.60') }, 'invoice { id }')
    const note = await credited(biller, { invoiceId: paid.id })
    const open = await invoiced(biller, { lines: [{ ...support, unitPrice: '60', taxRate: '0' }] })
    const first = { ...keyOf(note), invoiceId: open.id, amount: euros('20') }
    const shown = `creditNote { version status applied { amount } remaining { amount } }`
    expect(await change(biller, 'applyCreditNote', first, shown)).toEqual({
      ...{ version: 3, status: 'ISSUED', applied: { amount: '20.00' }, remaining: { amount: '62.60' } },
    })
    expect(await invoiceOf(biller, open.id)).toEqual({
      ...{ status: 'PARTLY_PAID', amountPaid: { amount: '0.00' }, amountCredited: { amount: '20.00' } },
      balance: { amount: '40.00' },
    })
    const rest = { id: note.id, expectedVersion: 3, invoiceId: open.id }
    expect(await change(biller, 'applyCreditNote', rest, shown)).toMatchObject({
      ...{ status: 'ISSUED', applied: { amount: '60.00' }, remaining: { amount: '22.60' } },
    })
    expect(await invoiceOf(biller, open.id)).toMatchObject({ status: 'PAID', balance: { amount: '0.00' } })
    const kept = 'invoice { id } creditNote { id } amount { amount currency }'
    const rows = await readAll(biller, 'allocations', kept)
    expect(rows.filter(({ creditNote }) => creditNote !== null)).toEqual(
      ['40.00', '20.00'].map((amount) => ({
        ...{ invoice: { id: open.id }, creditNote: { id: note.id }, amount: euros(amount) },
      })),
    )
  })

  test('is of the same currency, of what is issued, and no more than is left', async () => {
    const one = await payer()
    const { biller } = one
    const note = await credited(biller, { invoiceId: (await invoiced(biller)).id })
    const inDollars = await invoiced(biller, { currency: 'USD' })
    const drafted = await change<Row>(
      biller,
      'draftInvoice',
      { currency: 'EUR', lines: [seats] },
      'invoice { id }',
    )
    const open = await invoiced(biller)
    const before = await stored(one)
    const refused = (input: object) => userErrors(biller, 'applyCreditNote', { ...keyOf(note), ...input })
    expect(await refused({ invoiceId: inDollars.id })).toEqual([
      {
        ...{ code: 'INVALID', field: ['invoiceId'] },
        message: 'The invoice is in USD, the credit note in EUR',
      },
    ])
    expect(await refused({ invoiceId: drafted.id })).toEqual([
      {
        ...{ code: 'INVALID_STATUS', field: ['invoiceId'] },
        message: 'The invoice is DRAFT: nothing is to be paid',
      },
    ])
    for (const amount of ['0', '-1', '82.61'])
      expect(await refused({ invoiceId: open.id, amount: euros(amount) })).toEqual([
        {
          ...{ code: 'INVALID', field: ['amount'] },
          message: 'amount must be more than nothing and at most what is left: 82.60',
        },
      ])
    expect(await stored(one)).toEqual(before)
  })

  test('of many notes at once settles no more than is to be paid', async () => {
    const one = await payer()
    const { biller } = one
    const flat = (unitPrice: string) => ({ lines: [{ description: 'Fee', unitPrice }] })
    const notes: Row[] = []
    for (let place = 0; place < 10; place++)
      notes.push(await credited(biller, { invoiceId: (await invoiced(biller, flat('3'))).id }))
    const open = await invoiced(biller, flat('10'))
    const text = `mutation ($input: ApplyCreditNoteInput!) { applyCreditNote(input: $input) {
      creditNote { id } userErrors { code } } }`
    await Promise.all(
      notes.map((note) => biller.data(text, { input: { ...keyOf(note), invoiceId: open.id } })),
    )
    expect(await invoiceOf(biller, open.id)).toMatchObject({
      ...{ status: 'PAID', amountCredited: { amount: '10.00' }, balance: { amount: '0.00' } },
    })
    const { rows } = await graph.owner.query(
      `SELECT (SELECT sum(applied)::text FROM tenancy.credit_notes WHERE tenant_id = $1) AS applied,
              (SELECT sum(remaining)::text FROM tenancy.credit_notes WHERE tenant_id = $1) AS remaining,
              (SELECT sum(amount)::text FROM tenancy.allocations WHERE tenant_id = $1) AS allocated`,
      [one.tenant.id],
    )
    expect(rows).toEqual([{ applied: '1000', remaining: '2000', allocated: '1000' }])
  })
})

describe('void', () => {
  test('is what was issued and not used, for a reason; then the invoice can be credited again', async () => {
    const one = await payer()
    const { biller } = one
    const { id } = await invoiced(biller)
    const note = await credited(biller, { invoiceId: id })
    const before = await stored(one)
    expect(await userErrors(biller, 'voidCreditNote', { ...keyOf(note), reason: ' ' })).toMatchObject([
      { code: 'INVALID', field: ['reason'] },
    ])
    expect(await stored(one)).toEqual(before)
    const voided = { ...keyOf(note), reason: 'The invoice was right' }
    const shown = 'creditNote { creditNoteNumber status voidReason remaining { amount } }'
    expect(await change(biller, 'voidCreditNote', voided, shown)).toEqual({
      ...{ creditNoteNumber: 'CN-000001', status: 'VOID', voidReason: 'The invoice was right' },
      remaining: { amount: '0.00' },
    })
    const again = await draft(biller, { invoiceId: id })
    expect(await issue(biller, again, 'creditNoteNumber')).toEqual({ creditNoteNumber: 'CN-000002' })
  })

  test('is nothing that is a draft or was used', async () => {
    const { biller } = await payer()
    const { id } = await invoiced(biller)
    const drafted = await draft(biller, { invoiceId: id })
    const used = await credited(biller, { invoiceId: id })
    const key = { ...keyOf(used), invoiceId: id, amount: euros('1') }
    await change(biller, 'applyCreditNote', key, 'creditNote { id }')
    for (const note of [drafted, { ...used, version: used.version + 1 }])
      expect(await userErrors(biller, 'voidCreditNote', { ...keyOf(note), reason: 'Mistaken' })).toEqual([
        {
          ...{ code: 'INVALID_STATUS', field: ['id'] },
          message: 'Only issued credit notes of which nothing was used become void',
        },
      ])
  })

  test('is no invoice of which something was credited', async () => {
    const { biller } = await payer()
    const invoice = await invoiced(biller)
    await credited(biller, { invoiceId: invoice.id })
    expect(await userErrors(biller, 'voidInvoice', { ...keyOf(invoice), reason: 'Mistaken' })).toEqual([
      {
        ...{ code: 'INVALID_STATUS', field: ['id'] },
        message: 'A credit note takes back something of this invoice: credit the rest',
      },
    ])
  })
})
