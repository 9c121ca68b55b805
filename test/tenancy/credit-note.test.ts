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
interface Billed extends Row {
  lines: { nodes: { id: string }[] }
}
interface Payer {
  tenant: TestTenant
  biller: TestClient
}

/** A tenant of its own, since numbers and sums are. */
async function payer(): Promise<Payer> {
  const tenant = await graph.tenant(`credited-${++count}`)
  return { tenant, biller: await operatorIn(graph, tenant) }
}

const seats = { description: 'Seats', quantity: '3', unitPrice: '19.99', taxRate: '19' }
const support = { description: 'Support', unitPrice: '10.50', taxRate: '7' }
/** An invoice of 83.59 EUR: 59.97 at 19 % and 10.50 at 7 %. */
async function invoiced(biller: TestClient, values: object = {}): Promise<Billed> {
  const input = { currency: 'EUR', lines: [seats, support], ...values }
  const drafted = await change<Row>(biller, 'draftInvoice', input, 'invoice { id version }')
  const key = { id: drafted.id, expectedVersion: drafted.version }
  return change<Billed>(biller, 'issueInvoice', key, 'invoice { id version lines { nodes { id } } }')
}
const keyOf = ({ id, version }: Row) => ({ id, expectedVersion: version })
const draft = <T = Row>(biller: TestClient, input: object, selection = 'id version') =>
  change<T>(biller, 'draftCreditNote', { reason: 'ERROR', ...input }, `creditNote { ${selection} }`)
const issue = <T = Row>(biller: TestClient, note: Row, selection = 'id version') =>
  change<T>(biller, 'issueCreditNote', keyOf(note), `creditNote { ${selection} }`)
async function credited(biller: TestClient, input: object): Promise<Row> {
  return issue(biller, await draft(biller, input))
}
const invoiceOf = async (biller: TestClient, id: string) =>
  (
    await biller.data<{ invoice: Record<string, unknown> }>(
      `{ invoice(id: "${id}") { status amountPaid { amount } amountCredited { amount } balance { amount } } }`,
    )
  ).invoice
const euros = (amount: string) => ({ amount, currency: 'EUR' })

/** All that is kept of credits, and what the sums of it are. */
async function stored({ tenant }: Payer): Promise<unknown[]> {
  const { rows } = await graph.owner.query(
    `SELECT to_jsonb(n) AS row FROM tenancy.credit_notes n WHERE tenant_id = $1
     UNION ALL SELECT to_jsonb(l) FROM tenancy.credit_note_lines l WHERE tenant_id = $1
     UNION ALL SELECT to_jsonb(a) FROM tenancy.allocations a WHERE tenant_id = $1
     UNION ALL SELECT to_jsonb(i) FROM tenancy.invoices i WHERE tenant_id = $1 ORDER BY 1`,
    [tenant.id],
  )
  return rows
}

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

describe('use', () => {
  test('settles an invoice with what is left, and is a row of its own', async () => {
    const { tenant, biller } = await payer()
    const paid = await invoiced(biller)
    await change(
      await tenant.as('ADMIN'),
      'payInvoice',
      { id: paid.id, amount: euros('82.60') },
      'invoice { id }',
    )
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
    expect(await readAll(biller, 'allocations', kept)).toEqual(
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
