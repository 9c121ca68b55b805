import { startGraph, type TestGraph } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { creditingOf, euros, keyOf, seats, type Row } from './crediting'

let graph: TestGraph

beforeAll(async () => {
  graph = await startGraph()
})
afterAll(() => graph?.close())

const { payer, invoiced, draft, issue, credited, invoiceOf, stored } = creditingOf(() => graph)

const amounts = 'subtotal { amount } tax { amount } total { amount } applied { amount } remaining { amount }'

describe('a draft', () => {
  test('takes back all that is left, at prices and rates of the invoice, and is worth nothing yet', async () => {
    const { biller } = await payer()
    const { id } = await invoiced(biller)
    const shown = await draft(
      biller,
      { invoiceId: id, memo: 'Billed twice' },
      `creditNoteNumber status reason memo issuedAt ${amounts} taxBreakdown { rate net { amount } tax { amount } }
       lines { nodes { position description quantity amount { amount } taxRate } } invoice { id }`,
    )
    expect(shown).toEqual({
      ...{ creditNoteNumber: null, status: 'DRAFT', reason: 'ERROR', memo: 'Billed twice', issuedAt: null },
      ...{ subtotal: { amount: '70.47' }, tax: { amount: '12.13' }, total: { amount: '82.60' } },
      ...{ applied: { amount: '0.00' }, remaining: { amount: '0.00' }, invoice: { id } },
      taxBreakdown: [
        { rate: '7', net: { amount: '10.50' }, tax: { amount: '0.74' } },
        { rate: '19', net: { amount: '59.97' }, tax: { amount: '11.39' } },
      ],
      lines: {
        nodes: [
          { position: 1, description: 'Seats', quantity: null, amount: { amount: '59.97' }, taxRate: '19' },
          { position: 2, description: 'Support', quantity: null, amount: { amount: '10.50' }, taxRate: '7' },
        ],
      },
    })
    expect(await invoiceOf(biller, id)).toMatchObject({ status: 'ISSUED', balance: { amount: '82.60' } })
  })

  test('takes back a quantity at the price that was billed', async () => {
    const { biller } = await payer()
    const { id, lines } = await invoiced(biller)
    const asked = [{ invoiceLineId: lines.nodes[0]!.id, quantity: '2' }]
    expect(await draft(biller, { invoiceId: id, lines: asked }, 'total { amount }')).toEqual({
      total: { amount: '47.58' },
    })
  })

  test('is deleted with its lines', async () => {
    const one = await payer()
    const { id } = await invoiced(one.biller)
    const before = await stored(one)
    const note = await draft(one.biller, { invoiceId: id })
    await change(one.biller, 'discardCreditNote', keyOf(note), 'creditNote { id }')
    expect(await stored(one)).toEqual(before)
  })

  test.each<[string, object[], string[], string]>([
    ['no line', [], ['lines'], 'lines must be 1 to 100'],
    [
      'more decimals than the currency has',
      [{ amount: '1.001' }],
      ['lines', '0', 'amount'],
      'amount must have at most 2 decimals in EUR',
    ],
    [
      'more than the line',
      [{ amount: '59.98' }],
      ['lines', '0', 'amount'],
      'amount is nothing, or more than is left to be credited of this line',
    ],
    [
      'more of it than was billed',
      [{ quantity: '3.0001' }],
      ['lines', '0', 'quantity'],
      'quantity must be more than 0 and at most 3, with at most 4 decimals',
    ],
  ])('of %s is refused and leaves nothing', async (_, wanted, field, message) => {
    const one = await payer()
    const { id, lines } = await invoiced(one.biller)
    const asked = wanted.map((line) => ({ invoiceLineId: lines.nodes[0]!.id, ...line }))
    const before = await stored(one)
    const input = { invoiceId: id, reason: 'ERROR', lines: asked }
    expect(await userErrors(one.biller, 'draftCreditNote', input)).toEqual([
      { code: 'INVALID', field, message },
    ])
    expect(await stored(one)).toEqual(before)
  })

  test('is of an invoice that is issued: neither of a draft nor of one that is void', async () => {
    const { biller } = await payer()
    const lines = [seats]
    const drafted = await change<Row>(biller, 'draftInvoice', { currency: 'EUR', lines }, 'invoice { id }')
    const issued = await invoiced(biller)
    await change(biller, 'voidInvoice', { ...keyOf(issued), reason: 'Mistaken' }, 'invoice { id }')
    for (const [{ id }, status] of [
      [drafted, 'DRAFT'],
      [issued, 'VOID'],
    ] as const)
      expect(await userErrors(biller, 'draftCreditNote', { invoiceId: id, reason: 'ERROR' })).toEqual([
        {
          ...{ code: 'INVALID_STATUS', field: ['invoiceId'] },
          message: `The invoice is ${status}: only what was issued can be credited`,
        },
      ])
  })
})

describe('issued notes', () => {
  test('have numbers of a series of their own, and never take back more than was billed', async () => {
    const one = await payer()
    const { id } = await invoiced(one.biller)
    const [first, second] = [
      await draft(one.biller, { invoiceId: id }),
      await draft(one.biller, { invoiceId: id }),
    ]
    const shown = `creditNoteNumber status ${amounts} issuedAt`
    expect(await issue<object>(one.biller, first, shown)).toEqual({
      ...{ creditNoteNumber: 'CN-000001', status: 'ISSUED', issuedAt: expect.any(String) as string },
      ...{ subtotal: { amount: '70.47' }, tax: { amount: '12.13' }, total: { amount: '82.60' } },
      ...{ applied: { amount: '0.00' }, remaining: { amount: '82.60' } },
    })
    const before = await stored(one)
    expect(await userErrors(one.biller, 'issueCreditNote', keyOf(second))).toEqual([
      {
        code: 'INVALID',
        field: ['lines', '0', 'invoiceLineId'],
        message: 'invoiceLineId is credited already',
      },
    ])
    expect(await userErrors(one.biller, 'draftCreditNote', { invoiceId: id, reason: 'ERROR' })).toEqual([
      { code: 'INVALID', field: ['lines'], message: 'lines must not credit nothing' },
    ])
    expect(await stored(one)).toEqual(before)
  })

  test('at once take back no more than was billed, and leave no gap in the numbers', async () => {
    const one = await payer()
    const { id, lines } = await invoiced(one.biller, {
      lines: [{ ...seats, quantity: '1', unitPrice: '10' }],
    })
    const asked = { invoiceId: id, lines: [{ invoiceLineId: lines.nodes[0]!.id, amount: '3' }] }
    const drafts = await Promise.all(Array.from({ length: 10 }, () => draft(one.biller, asked)))
    const text = `mutation ($input: IssueCreditNoteInput!) { issueCreditNote(input: $input) {
      creditNote { creditNoteNumber } userErrors { code field } } }`
    const answers = await Promise.all(
      drafts.map((note) =>
        one.biller.data<{
          issueCreditNote: { creditNote: { creditNoteNumber: string } | null; userErrors: object[] }
        }>(text, { input: keyOf(note) }),
      ),
    )
    const issued = answers.flatMap(({ issueCreditNote: { creditNote } }) => creditNote ?? [])
    expect(issued.map(({ creditNoteNumber }) => creditNoteNumber).sort()).toEqual([
      ...['CN-000001', 'CN-000002', 'CN-000003'],
    ])
    const refused = answers.filter(({ issueCreditNote: { creditNote } }) => !creditNote)
    expect(refused.map(({ issueCreditNote: { userErrors: told } }) => told)).toEqual(
      Array(7).fill([{ code: 'INVALID', field: ['lines', '0', 'amount'] }]),
    )
    const { rows } = await graph.owner.query(
      `SELECT sum(subtotal)::text AS net, sum(tax)::text AS tax FROM tenancy.credit_notes
        WHERE tenant_id = $1 AND status = 'ISSUED'`,
      [one.tenant.id],
    )
    // 19 % of 9.00 is 1.71: three times 0.57.
    expect(rows).toEqual([{ net: '900', tax: '171' }])
  })

  test('stay as they are, also for the owner of the tables', async () => {
    const one = await payer()
    const invoice = await invoiced(one.biller)
    const { id } = await credited(one.biller, { invoiceId: invoice.id })
    const other = await invoiced(one.biller)
    const key = { id, expectedVersion: 2, invoiceId: other.id, amount: euros('1') }
    await change(one.biller, 'applyCreditNote', key, 'creditNote { id }')
    const before = await stored(one)
    for (const text of [
      'UPDATE tenancy.credit_notes SET total = total - 1, subtotal = subtotal - 1 WHERE tenant_id = $1',
      "UPDATE tenancy.credit_notes SET memo = 'Another' WHERE tenant_id = $1",
      'UPDATE tenancy.credit_notes SET applied = 0 WHERE tenant_id = $1',
      'DELETE FROM tenancy.credit_notes WHERE tenant_id = $1',
      'UPDATE tenancy.credit_note_lines SET amount = amount - 1 WHERE tenant_id = $1',
      'DELETE FROM tenancy.credit_note_lines WHERE tenant_id = $1',
      'UPDATE tenancy.allocations SET amount = amount - 1 WHERE tenant_id = $1',
      'DELETE FROM tenancy.allocations WHERE tenant_id = $1',
      'UPDATE tenancy.invoices SET amount_credited = 0, status = $$ISSUED$$ WHERE tenant_id = $1 AND amount_credited > 0',
    ])
      await expect(graph.owner.query(text, [one.tenant.id])).rejects.toMatchObject({ code: '23000' })
    expect(await stored(one)).toEqual(before)
  })
})

test('lists of notes, with their invoices, lines and allocations, and below invoices, take a statement for each list', async () => {
  const { tenant, biller } = await payer()
  const admin = await tenant.as('ADMIN')
  const invoice = await invoiced(biller)
  for (const amount of ['1', '2', '3']) {
    const lines = [{ invoiceLineId: invoice.lines.nodes[0]!.id, amount }]
    const note = await credited(biller, { invoiceId: invoice.id, lines })
    const key = { ...keyOf(note), invoiceId: invoice.id }
    await change(biller, 'applyCreditNote', key, 'creditNote { id }')
  }
  const whole = 'lines { nodes { amount { amount } } } allocations { nodes { amount { amount } } }'
  const ask = (text: string) => async () => {
    const answer = await admin.query(text)
    expect(answer.errors).toBeUndefined()
  }
  const statements = async (text: string) => (await graph.statementsDuring(ask(text))).map(({ role }) => role)
  expect(await statements(`{ creditNotes(first: 3) { nodes { invoice { id } ${whole} } } }`)).toEqual(
    Array(3).fill('tenancy'),
  )
  expect(
    await statements(
      `{ invoices(first: 3) { nodes { creditNotes(first: 3) { nodes { ${whole} } } allocations(first: 3) { nodes { id } } } } }`,
    ),
  ).toEqual(Array(5).fill('tenancy'))
})

test('B1: no role of a tenant credits, its administrator neither, who reads it', async () => {
  const admin = await (await graph.tenant('acme')).as('ADMIN')
  const mutations = { issue: '', apply: ', invoiceId: "x"', void: ', reason: "x"', discard: '' }
  const inputs = Object.entries(mutations).map(
    ([verb, rest]) => `${verb}CreditNote(input: { id: "x", expectedVersion: 1${rest} })`,
  )
  inputs.push('draftCreditNote(input: { invoiceId: "x", reason: ERROR })')
  for (const input of inputs) {
    const { errors } = await admin.query(`mutation { ${input} { userErrors { code } } }`)
    expect([input, errors?.map(({ extensions }) => extensions.code)]).toEqual([input, ['FORBIDDEN']])
  }
  expect(await admin.query('{ creditNotes { totalCount } }')).toMatchObject({
    data: { creditNotes: { totalCount: 0 } },
  })
})
