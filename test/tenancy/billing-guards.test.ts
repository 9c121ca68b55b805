import { startGraph, type TestGraph } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { creditingOf, euros, keyOf, type Payer, type Row } from './crediting'

let graph: TestGraph

beforeAll(async () => (graph = await startGraph()))
afterAll(() => graph?.close())

const { payer, invoiced, credited, stored } = creditingOf(() => graph)

/** Runs statements as the owner of the tables, in one transaction. */
async function asOwner(...texts: string[]): Promise<void> {
  await graph.owner.query('BEGIN')
  try {
    for (const text of texts) await graph.owner.query(text)
    await graph.owner.query('COMMIT')
  } catch (error) {
    await graph.owner.query('ROLLBACK')
    throw error
  }
}

const payments = async ({ tenant }: Payer) =>
  (
    await graph.owner.query<object>(
      'SELECT allocated::text, refunded::text, unallocated::text FROM tenancy.payments WHERE tenant_id = $1 ORDER BY payment_number',
      [tenant.id],
    )
  ).rows

const lineOf = (table: string, key: string, amount: number) =>
  `INSERT INTO tenancy.${table} SELECT (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(), 'position', 90,
     'amount', ${amount}))).* FROM tenancy.${table} l WHERE ${key} LIMIT 1`

describe('the owner of the tables', () => {
  test('adds no line to an issued document, also when it touches it in one transaction', async () => {
    const one = await payer()
    const { id } = await invoiced(one.biller)
    const note = await credited(one.biller, { invoiceId: id })
    const before = await stored(one)
    const invoiceLine = lineOf('invoice_lines', `invoice_id = '${id}'`, 100)
    const noteLine = lineOf('credit_note_lines', `credit_note_id = '${note.id}'`, 100)
    await expect(asOwner(invoiceLine)).rejects.toThrow('is no draft: its lines stay as they are')
    await expect(asOwner(noteLine)).rejects.toThrow('is no draft: its lines stay as they are')
    const touch = (table: string, which: string) =>
      `UPDATE tenancy.${table} SET updated_at = now() WHERE id = '${which}'`
    // 21: a row that is touched is new; what it says is not, also where it would add up to the same.
    for (const amount of [100, 0]) {
      const added = lineOf('invoice_lines', `invoice_id = '${id}'`, amount)
      await expect(asOwner(touch('invoices', id), added)).rejects.toThrow('is no draft')
      const noted = lineOf('credit_note_lines', `credit_note_id = '${note.id}'`, amount)
      await expect(asOwner(touch('credit_notes', note.id), noted)).rejects.toThrow('is no draft')
    }
    // A whole document is what its lines add up to, its tax as well.
    const other = id.replace(/^.{8}/, 'ffffffff')
    const whole = `INSERT INTO tenancy.invoices (tenant_id, id, invoice_number, status, subtotal, tax, total, currency, issued_at, due_date, buyer)
      SELECT tenant_id, '${other}', 'OLD-1', 'ISSUED', subtotal, tax + 1, total + 1, currency, issued_at, due_date, buyer
        FROM tenancy.invoices WHERE id = '${id}'`
    const lines = `INSERT INTO tenancy.invoice_lines SELECT (jsonb_populate_record(l,
      jsonb_build_object('id', gen_random_uuid(), 'invoice_id', '${other}'))).* FROM tenancy.invoice_lines l WHERE invoice_id = '${id}'`
    await expect(asOwner(whole, lines)).rejects.toThrow('is not what its lines add up to')
    expect(await stored(one)).toEqual(before)
    await asOwner(whole.replaceAll(' + 1', ''), lines)
  })

  test('moves no money that no row tells of', async () => {
    const one = await payer()
    const { id } = await invoiced(one.biller)
    await change(one.biller, 'recordPayment', { amount: euros('50.00') }, 'payment { id }')
    const note = await credited(one.biller, { invoiceId: id })
    const before = [await payments(one), await stored(one)]
    const sets = ['allocated = 100', "refunded = 100, status = 'PARTLY_REFUNDED'"]
    for (const set of sets)
      await expect(
        asOwner(`UPDATE tenancy.payments SET ${set} WHERE tenant_id = '${one.tenant.id}'`),
      ).rejects.toThrow('is what its rows say')
    for (const set of ['applied = 100', 'refunded = 100'])
      await expect(asOwner(`UPDATE tenancy.credit_notes SET ${set} WHERE id = '${note.id}'`)).rejects.toThrow(
        'is what its rows say',
      )
    await expect(
      asOwner(`INSERT INTO tenancy.refunds (tenant_id, id, payment_id, currency, amount, refunded_on)
        SELECT tenant_id, gen_random_uuid(), id, currency, 100, current_date FROM tenancy.payments
         WHERE tenant_id = '${one.tenant.id}'`),
    ).rejects.toThrow('is what its rows say')
    expect([await payments(one), await stored(one)]).toEqual(before)
  })

  test('changes of a line that waits neither what it says nor which invoice has it', async () => {
    const one = await payer()
    const { id } = await invoiced(one.biller)
    const admin = await one.tenant.as('ADMIN')
    const plan = { plan: 'STARTER', billingInterval: 'MONTHLY', currency: 'EUR' }
    const { id: subscription } = await change<Row>(admin, 'startSubscription', plan, 'subscription { id }')
    await asOwner(`INSERT INTO tenancy.pending_lines (tenant_id, id, subscription_id, description, amount, service_start, service_end, invoice_id)
      VALUES ('${one.tenant.id}', gen_random_uuid(), '${subscription}', 'Change', 5, current_date, current_date + 1, '${id}')`)
    for (const text of [
      'UPDATE tenancy.pending_lines SET amount = 6',
      'UPDATE tenancy.pending_lines SET invoice_id = NULL',
      'DELETE FROM tenancy.pending_lines',
    ])
      await expect(asOwner(`${text} WHERE tenant_id = '${one.tenant.id}'`)).rejects.toThrow('is billed once')
    const { rows } = await graph.owner.query<object>(
      `SELECT has_table_privilege('app_tenancy', 'tenancy.pending_lines', 'UPDATE') AS whole,
              has_column_privilege('app_tenancy', 'tenancy.pending_lines', 'amount', 'UPDATE') AS amount,
              has_column_privilege('app_tenancy', 'tenancy.pending_lines', 'invoice_id', 'UPDATE') AS invoice`,
    )
    expect(rows).toEqual([{ whole: false, amount: false, invoice: true }])
  })
})

describe('what is left of a credit note', () => {
  test('is given back, in parts, never more than there is, however many ask', async () => {
    const one = await payer()
    const { id } = await invoiced(one.biller)
    await change(one.biller, 'payInvoice', { id, amount: euros('82.60') }, 'invoice { id }')
    const note = await credited(one.biller, { invoiceId: id })
    const selection = 'creditNote { id version status refunded { amount } remaining { amount } }'
    const part = { ...keyOf(note), amount: euros('30.00'), reference: 'SEPA 1' }
    const first = await change<Row>(one.biller, 'refundCreditNote', part, selection)
    expect(first).toMatchObject({ status: 'ISSUED', refunded: { amount: '30.00' } })
    const left = (first as unknown as { remaining: { amount: string } }).remaining.amount
    const before = await stored(one)
    for (const [values, code] of [
      [{ amount: euros('82.00') }, 'INVALID'],
      [{ amount: { amount: '1.00', currency: 'USD' } }, 'INVALID'],
      [{ refundedOn: '2999-01-01' }, 'INVALID'],
      [{ refundedOn: '2020-01-01' }, 'INVALID'],
      [{ expectedVersion: note.version }, 'STALE_VERSION'],
    ] as const)
      expect(await userErrors(one.biller, 'refundCreditNote', { ...keyOf(first), ...values })).toMatchObject([
        { code },
      ])
    expect(await userErrors(one.biller, 'voidCreditNote', { ...keyOf(first), reason: 'No' })).toMatchObject([
      { code: 'INVALID_STATUS' },
    ])
    expect(await stored(one)).toEqual(before)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => userErrors(one.biller, 'refundCreditNote', keyOf(first))),
    )
    expect(answers.filter((errors) => errors.length === 0)).toHaveLength(1)
    expect(
      await one.biller.data(
        `{ creditNote(id: "${note.id}") { status remaining { amount } refunds { nodes { amount { amount } reference payment { id } creditNote { id } } } } }`,
      ),
    ).toEqual({
      creditNote: {
        ...{ status: 'APPLIED', remaining: { amount: '0.00' } },
        refunds: {
          nodes: [
            { amount: { amount: left }, reference: null, payment: null, creditNote: { id: note.id } },
            { amount: { amount: '30.00' }, reference: 'SEPA 1', payment: null, creditNote: { id: note.id } },
          ],
        },
      },
    })
  })
})

test('B11: what was billed in a currency that has ended since can be paid, and nothing else is taken in it', async () => {
  const one = await payer()
  const before = await userErrors(one.biller, 'recordPayment', {
    amount: { amount: '5.00', currency: 'HRK' },
  })
  expect(before).toMatchObject([{ code: 'INVALID', field: ['amount'] }])
  const old = async () => {
    const { id } = await invoiced(one.biller)
    // As it was billed while the currency was in use; documents do not change, so another is written.
    const { rows } = await graph.owner.query<{ id: string }>(
      `INSERT INTO tenancy.invoices (tenant_id, id, invoice_number, status, subtotal, tax, total, currency, issued_at, due_date, buyer)
       SELECT tenant_id, gen_random_uuid(), 'OLD-' || id, 'ISSUED', 500, 0, 500, 'HRK', '2022-12-01', '2022-12-31', buyer
         FROM tenancy.invoices WHERE id = $1 RETURNING id`,
      [id],
    )
    return rows[0]!.id
  }
  const kuna = { amount: '5.00', currency: 'HRK' }
  const paid = await change(one.biller, 'payInvoice', { id: await old(), amount: kuna }, 'invoice { status }')
  expect(paid).toEqual({ status: 'PAID' })
  const second = await old()
  const { id, version } = await change<Row>(
    one.biller,
    'recordPayment',
    { amount: kuna },
    'payment { id version }',
  )
  const input = { id, expectedVersion: version, invoiceId: second }
  expect(await change(one.biller, 'allocatePayment', input, 'payment { unallocated { amount } }')).toEqual({
    unallocated: { amount: '0.00' },
  })
  expect(await userErrors(one.biller, 'recordPayment', { amount: kuna })).toMatchObject([{ code: 'INVALID' }])
})

test('numbers and times of payments run in one order', async () => {
  const one = await payer()
  await Promise.all(
    Array.from({ length: 50 }, () =>
      change(one.biller, 'recordPayment', { amount: euros('1.00') }, 'payment { id }'),
    ),
  )
  const { rows } = await graph.owner.query<{ inverted: number }>(
    `SELECT count(*)::int AS inverted FROM tenancy.payments a JOIN tenancy.payments b
       ON b.tenant_id = a.tenant_id AND b.payment_number > a.payment_number AND b.created_at < a.created_at
      WHERE a.tenant_id = $1`,
    [one.tenant.id],
  )
  expect(rows).toEqual([{ inverted: 0 }])
})
