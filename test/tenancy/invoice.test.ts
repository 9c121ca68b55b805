import { Client } from 'pg'
import { uuidv7 } from '../../kernel/id'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, prepareRows, userErrors } from '../support/lists'
import { operatorIn } from '../support/operator'
import { amounts, discount, euros, invoicingOf, lines, seats, type Row } from './invoicing'

let graph: TestGraph
let acme: TestTenant
let admin: TestClient
/** An operator who is in acme, and bills there. */
let biller: TestClient

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
  biller = await operatorIn(graph, acme)
})
afterAll(() => graph?.close())

const { draft, issue, pay, stored } = invoicingOf(() => ({ graph, biller }))

describe('a draft', () => {
  test('takes as many statements with a hundred lines as with one', async () => {
    const many = Array<object>(100).fill(seats)
    for (const given of [[seats], many]) {
      let drafted: Row | undefined
      const drafting = await graph.statementsDuring(async () => (drafted = await draft({ lines: given })))
      // The invoice, its lines, their audit entries, their events, and the entry that the operator came by.
      expect(drafting.filter(({ text }) => /^\s*INSERT/.test(text))).toHaveLength(5)
      const { id, version } = drafted!
      const input = { id, expectedVersion: version, lines: given.map((line) => ({ ...line, quantity: '4' })) }
      const changing = await graph.statementsDuring(() =>
        change(biller, 'updateInvoice', input, `invoice { version lines(first: 50) { totalCount } }`),
      )
      const written = changing.map(({ text }) => /^\s*(?:WITH .* )?(INSERT|UPDATE|DELETE)\b/s.exec(text)?.[1])
      expect(written.filter(Boolean).sort()).toEqual(['DELETE', ...Array<string>(4).fill('INSERT'), 'UPDATE'])
      // Besides: the draft, its lines, the count, and of the operator the state and what the platform's trail says.
      expect(changing).toHaveLength(11)
    }
  })

  test('has amounts that follow from its lines, and no number', async () => {
    const selection = `{ invoiceNumber status ${amounts} issuedAt dueDate memo ${lines} version }`
    const values = { lines: [seats, discount], dueDate: '2027-01-31', memo: 'Order 7' }
    expect(await draft(values, selection)).toEqual({
      invoiceNumber: null,
      status: 'DRAFT',
      subtotal: { amount: '49.97' },
      tax: { amount: '9.49' },
      total: euros('59.46'),
      amountPaid: { amount: '0.00' },
      balance: { amount: '59.46' },
      issuedAt: null,
      dueDate: '2027-01-31',
      memo: 'Order 7',
      lines: {
        nodes: [
          { ...seats, position: 1, unitPrice: { amount: '19.99' }, amount: { amount: '59.97' } },
          {
            ...discount,
            position: 2,
            quantity: '1',
            unitPrice: { amount: '-10.00' },
            amount: { amount: '-10.00' },
          },
        ],
      },
      version: 1,
    })
  })

  test('is changed: new lines replace the old, the rest stays', async () => {
    const { id } = await draft({ memo: 'Order 7', dueDate: '2027-01-31' })
    const input = {
      id,
      expectedVersion: 1,
      lines: [{ description: 'Support', unitPrice: '5' }],
      dueDate: null,
    }
    const selection = `invoice { dueDate memo total { amount } lines { nodes { description } } version }`
    expect(await change(biller, 'updateInvoice', input, selection)).toEqual({
      dueDate: null,
      memo: 'Order 7',
      total: { amount: '5.00' },
      lines: { nodes: [{ description: 'Support' }] },
      version: 2,
    })
    const memo = { id, expectedVersion: 2, memo: null }
    expect(await change(biller, 'updateInvoice', memo, 'invoice { memo lines { totalCount } }')).toEqual({
      memo: null,
      lines: { totalCount: 1 },
    })
  })

  test('is deleted with its lines, and the audit trail keeps what they were', async () => {
    const { id } = await draft()
    const input = { id, expectedVersion: 1 }
    expect(await change(biller, 'discardInvoice', input, 'invoice { id status }')).toEqual({
      id,
      status: 'DRAFT',
    })
    expect(await stored(id)).toBeUndefined()
    const { rows } = await graph.owner.query<{ resource_type: string }>(
      `SELECT resource_type FROM shared.audit_logs WHERE action = 'DELETE'
          AND (resource_id = $1 OR changes->'before'->>'invoiceId' = $1) ORDER BY 1`,
      [id],
    )
    expect(rows).toEqual([{ resource_type: 'Invoice' }, { resource_type: 'InvoiceLine' }])
  })

  test('B7: has unit prices of parts of a cent, and only amounts are rounded', async () => {
    const lines = [
      { description: 'Calls', quantity: '1000000', unitPrice: '0.0004' },
      { description: 'Bytes', quantity: '3', unitPrice: '0.001666666667' },
      { description: 'Support', quantity: '1', unitPrice: '5' },
    ]
    const { id } = await draft({ lines })
    const query = `query ($id: ID!) { invoice(id: $id) { subtotal { amount }
      lines { nodes { unitPrice { amount currency } amount { amount } } } } }`
    expect(await admin.data(query, { id })).toEqual({
      invoice: {
        subtotal: { amount: '405.01' },
        lines: {
          nodes: [
            { unitPrice: { amount: '0.0004', currency: 'EUR' }, amount: { amount: '400.00' } },
            { unitPrice: { amount: '0.001666666667', currency: 'EUR' }, amount: { amount: '0.01' } },
            { unitPrice: { amount: '5.00', currency: 'EUR' }, amount: { amount: '5.00' } },
          ],
        },
      },
    })
  })

  test('is made once for one key', async () => {
    const key = { idempotencyKey: 'draft-1' }
    const [first, second] = [await draft(key), await draft(key)]
    expect(second).toEqual(first)
    const input = { currency: 'USD', lines: [seats], ...key }
    expect(await userErrors(biller, 'draftInvoice', input)).toMatchObject([
      { code: 'IDEMPOTENCY_KEY_REUSED' },
    ])
  })

  test.each([
    ['no lines', { lines: [] }, ['lines']],
    ['too many lines', { lines: Array(101).fill(seats) }, ['lines']],
    ['less than nothing', { lines: [discount] }, ['lines']],
    ['too large a sum', { lines: Array(3).fill({ ...seats, unitPrice: '30000000000000000' }) }, ['lines']],
    [
      'a line without words',
      { lines: [seats, { ...seats, description: '' }] },
      ['lines', '1', 'description'],
    ],
    ['none of it', { lines: [{ ...seats, quantity: '0' }] }, ['lines', '0', 'quantity']],
    [
      'too fine a price',
      { lines: [{ ...seats, unitPrice: '0.0000000000001' }] },
      ['lines', '0', 'unitPrice'],
    ],
    ['B11: a currency that ended', { currency: 'HRK' }, ['currency']],
    ['too large a price', { lines: [{ ...seats, unitPrice: '9'.repeat(20) }] }, ['lines', '0', 'unitPrice']],
    [
      'too large an amount',
      { lines: [{ ...seats, quantity: '1000000000', unitPrice: '9223372036854' }] },
      ['lines', '0', 'unitPrice'],
    ],
    ['too high a tax', { lines: [{ ...seats, taxRate: '100.1' }] }, ['lines', '0', 'taxRate']],
    ['too long a memo', { memo: 'x'.repeat(2001) }, ['memo']],
  ])('with %s is refused', async (_, values, field) => {
    const count = 'SELECT count(*)::int FROM tenancy.invoices'
    const { rows: before } = await graph.owner.query(count)
    const input = { currency: 'EUR', lines: [seats], ...values }
    expect(await userErrors(biller, 'draftInvoice', input)).toMatchObject([{ code: 'INVALID', field }])
    expect((await graph.owner.query(count)).rows).toEqual(before)
  })

  test('for what is no id of a subscription is refused as that', async () => {
    const count = 'SELECT count(*)::int FROM tenancy.invoices'
    const { rows: before } = await graph.owner.query(count)
    const input = { currency: 'EUR', lines: [seats], subscriptionId: '42' }
    expect(await userErrors(biller, 'draftInvoice', input)).toEqual([
      {
        code: 'REFERENCE_NOT_FOUND',
        field: ['subscriptionId'],
        message: 'subscriptionId is not an id',
      },
    ])
    expect((await graph.owner.query(count)).rows).toEqual(before)
  })

  test("for another tenant's subscription is refused as for none", async () => {
    const globex = await (await graph.tenant('globex')).as('ADMIN')
    const subscription = { plan: 'STARTER', billingInterval: 'MONTHLY', currency: 'EUR' }
    const { id } = await change<Row>(globex, 'startSubscription', subscription, 'subscription { id }')
    const [foreign, none] = await Promise.all(
      [id, uuidv7()].map((subscriptionId) =>
        userErrors(biller, 'draftInvoice', { currency: 'EUR', lines: [seats], subscriptionId }),
      ),
    )
    expect(foreign).toEqual(none)
    expect(foreign).toMatchObject([{ code: 'REFERENCE_NOT_FOUND', field: ['subscriptionId'] }])
  })
})

describe('numbers', () => {
  const numberOf = async (client: TestClient) =>
    (await issue<{ invoiceNumber: string }>(await draft({}, undefined, client), '{ invoiceNumber }', client))
      .invoiceNumber

  test('begin with 1 in each tenant and follow each other; what is discarded takes none', async () => {
    const one = await operatorIn(graph, await graph.tenant('numbers-1'))
    const other = await operatorIn(graph, await graph.tenant('numbers-2'))
    expect(await numberOf(one)).toBe('INV-000001')
    const { id } = await draft({}, undefined, one)
    await change(one, 'discardInvoice', { id, expectedVersion: 1 }, 'invoice { id }')
    expect(await numberOf(one)).toBe('INV-000002')
    expect(await numberOf(other)).toBe('INV-000001')
  })

  test('have no gap after 200 that are issued at once, among them some that fail', async () => {
    const tenant = await graph.tenant('numbers-3')
    const client = await operatorIn(graph, tenant)
    const ids = Array.from({ length: 200 }, () => uuidv7())
    const row = { currency: 'EUR', subtotal: 1, total: 1 }
    await prepareRows(
      graph,
      tenant.id,
      'tenancy.invoices',
      ids.map((id) => ({ ...row, id })),
    )
    // Every fourth is tried with a version that it does not have, too.
    const attempts = ids.flatMap((id, place) =>
      place % 4 === 0
        ? [
            [id, 7],
            [id, 1],
          ]
        : [[id, 1]],
    )
    const answers = await Promise.all(
      attempts.map(([id, expectedVersion]) => userErrors(client, 'issueInvoice', { id, expectedVersion })),
    )
    const failures = answers.flat().map(({ code }) => code)
    expect(failures).toHaveLength(50)
    // Found out too late, the number was taken already; or early, because the other attempt came first.
    expect(failures.filter((code) => code !== 'STALE_VERSION' && code !== 'INVALID_STATUS')).toEqual([])
    expect(failures).toContain('STALE_VERSION')
    const { rows } = await graph.owner.query<{ invoice_number: string }>(
      'SELECT invoice_number FROM tenancy.invoices WHERE tenant_id = $1 ORDER BY 1',
      [tenant.id],
    )
    expect(rows.map(({ invoice_number }) => invoice_number)).toEqual(
      ids.map((_, place) => `INV-${String(place + 1).padStart(6, '0')}`),
    )
    expect(await numberOf(client)).toBe('INV-000201')
  })
})

describe('an issued invoice', () => {
  test('without anything to pay is paid', async () => {
    const free = { lines: [{ ...seats, unitPrice: '0' }] }
    // There is none of nothing, unless it says why.
    const { id, version } = await draft(free)
    expect(await userErrors(biller, 'issueInvoice', { id, expectedVersion: version })).toMatchObject([
      { code: 'INVALID', field: ['id'] },
    ])
    expect(await stored(id)).toMatchObject({ invoice: { status: 'DRAFT', version } })
    const stated = { ...free, memo: 'A gift' }
    expect(await issue(await draft(stated), '{ status balance { amount } }')).toEqual({
      status: 'PAID',
      balance: { amount: '0.00' },
    })
  })

  test('cannot be changed, discarded or issued again', async () => {
    const issued = await issue<Row>(await draft())
    const before = await stored(issued.id)
    const input = { id: issued.id, expectedVersion: issued.version }
    for (const [mutation, values] of [
      ['updateInvoice', { memo: 'Other' }],
      ['updateInvoice', { lines: [discount] }],
      ['discardInvoice', {}],
      ['issueInvoice', {}],
    ] as const)
      expect(await userErrors(biller, mutation, { ...input, ...values })).toMatchObject([
        { code: 'INVALID_STATUS', field: ['id'] },
      ])
    expect(await stored(issued.id)).toEqual(before)
  })

  test('is kept by the database, its lines too, whatever the application does', async () => {
    const { id } = await issue(await draft())
    const before = await stored(id)
    const line = `SELECT l.tenant_id, gen_random_uuid(), l.invoice_id, l.currency, 2, 'More', 1, 1, 1, 0
                    FROM tenancy.invoice_lines l WHERE invoice_id = '${id}'`
    const statements = [
      `UPDATE tenancy.invoices SET total = 1, subtotal = 1, tax = 0 WHERE id = '${id}'`,
      `UPDATE tenancy.invoices SET memo = 'Other' WHERE id = '${id}'`,
      `UPDATE tenancy.invoices SET invoice_number = 'INV-9' WHERE id = '${id}'`,
      `UPDATE tenancy.invoices SET status = 'DRAFT', invoice_number = NULL, issued_at = NULL WHERE id = '${id}'`,
      `DELETE FROM tenancy.invoices WHERE id = '${id}'`,
      `DELETE FROM tenancy.invoice_lines WHERE invoice_id = '${id}'`,
      `INSERT INTO tenancy.invoice_lines (tenant_id, id, invoice_id, currency, position, description, quantity,
         unit_price, amount, tax_rate) ${line}`,
    ]
    for (const statement of statements)
      expect([statement, await asApplication(statement)]).toEqual([statement, '23000'])
    expect(
      await asApplication(`UPDATE tenancy.invoice_lines SET amount = 0 WHERE invoice_id = '${id}'`),
    ).toBe('42501')
    expect(await stored(id)).toEqual(before)
  })

  test('that is paid or void is kept altogether', async () => {
    const [paid, taken] = [await issue(await draft()), await issue(await draft())]
    await pay(paid.id, '71.36')
    const reason = { id: taken.id, expectedVersion: taken.version, reason: 'Sent twice' }
    await change(biller, 'voidInvoice', reason, 'invoice { id }')
    for (const { id } of [paid, taken]) {
      const before = await stored(id)
      const back = `UPDATE tenancy.invoices SET status = 'ISSUED', amount_paid = 0, paid_at = NULL, voided_at = NULL,
        void_reason = NULL WHERE id = '${id}'`
      expect(await asApplication(back)).toBe('23000')
      expect(await stored(id)).toEqual(before)
    }
  })

  /** Runs a statement as the subgraph would, in the tenant acme; the code of the error, or null. */
  async function asApplication(statement: string): Promise<string | null> {
    const client = new Client({ connectionString: graph.database.urlFor('tenancy') })
    await client.connect()
    try {
      await client.query('BEGIN')
      await client.query("SELECT set_config('app.tenant_id', $1, true)", [acme.id])
      await client.query(statement)
      await client.query('COMMIT')
      return null
    } catch (error) {
      return (error as { code: string }).code
    } finally {
      await client.end()
    }
  }
})
