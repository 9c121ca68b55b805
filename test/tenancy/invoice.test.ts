import fc from 'fast-check'
import { Client } from 'pg'
import { operatorScopes } from '../../database/operators'
import { uuidv7 } from '../../kernel/id'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, prepareRows, readAll, userErrors } from '../support/lists'
import { operatorClient, operatorIn, withToken } from '../support/operator'

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
afterAll(() => graph.close())

interface Row {
  id: string
  version: number
}

const euros = (amount: string) => ({ amount, currency: 'EUR' })
const seats = { description: 'Seats', quantity: '3', unitPrice: '19.99', taxRate: '19' }
const discount = { description: 'Discount', unitPrice: '-10', taxRate: '19' }

const draft = <T = Row>(values = {}, selection = '{ id version }', client = biller): Promise<T> =>
  change<T>(client, 'draftInvoice', { currency: 'EUR', lines: [seats], ...values }, `invoice ${selection}`)

const issue = <T = Row>({ id, version }: Row, selection = '{ id version }', client = biller): Promise<T> =>
  change<T>(client, 'issueInvoice', { id, expectedVersion: version }, `invoice ${selection}`)

const pay = <T = Row>(id: string, amount: string, selection = '{ id version }'): Promise<T> =>
  change<T>(biller, 'payInvoice', { id, amount: euros(amount) }, `invoice ${selection}`)

/** An invoice and its lines as they are stored. */
async function stored(id: string): Promise<unknown> {
  const { rows } = await graph.owner.query<object>(
    `SELECT to_jsonb(i) AS invoice, (SELECT jsonb_agg(l ORDER BY position) FROM tenancy.invoice_lines l
       WHERE l.invoice_id = i.id) AS lines FROM tenancy.invoices i WHERE id = $1`,
    [id],
  )
  return rows[0]
}

const amounts =
  'subtotal { amount } tax { amount } total { amount currency } amountPaid { amount } balance { amount }'
const lines =
  'lines { nodes { position description quantity unitPrice { amount } amount { amount } taxRate } }'

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
    expect(await issue(await draft(free), '{ status balance { amount } }')).toEqual({
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

describe('payments', () => {
  const selection = '{ status amountPaid { amount } balance { amount } paidAt }'

  test('in part leave a balance; the last one settles it', async () => {
    const { id } = await issue(await draft())
    expect(await pay(id, '71.35', selection)).toEqual({
      status: 'PARTLY_PAID',
      amountPaid: { amount: '71.35' },
      balance: { amount: '0.01' },
      paidAt: null,
    })
    expect(await pay(id, '0.01', selection)).toEqual({
      status: 'PAID',
      amountPaid: { amount: '71.36' },
      balance: { amount: '0.00' },
      paidAt: expect.any(String) as string,
    })
  })

  test('count once for one key', async () => {
    const { id } = await issue(await draft())
    const input = { id, amount: euros('10'), idempotencyKey: 'pay-1' }
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => change(biller, 'payInvoice', input, `invoice ${selection}`)),
    )
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]).toMatchObject({ amountPaid: { amount: '10.00' } })
  })

  test.each([
    ['nothing', euros('0')],
    ['less than nothing', euros('-1')],
    ['more than is left', euros('71.37')],
    ['another currency', { amount: '1', currency: 'USD' }],
  ])('of %s are refused', async (_, amount) => {
    const { id } = await issue(await draft())
    const before = await stored(id)
    expect(await userErrors(biller, 'payInvoice', { id, amount })).toMatchObject([
      { code: 'INVALID', field: ['amount'] },
    ])
    expect(await stored(id)).toEqual(before)
  })

  test('are for issued invoices only', async () => {
    const taken = await issue(await draft())
    const reason = { id: taken.id, expectedVersion: taken.version, reason: 'Sent twice' }
    await change(biller, 'voidInvoice', reason, 'invoice { id }')
    for (const { id } of [await draft(), taken])
      expect(await userErrors(biller, 'payInvoice', { id, amount: euros('1') })).toMatchObject([
        { code: 'INVALID_STATUS', field: ['id'] },
      ])
  })

  test('at once add up to no more than the total', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4_000 }), { minLength: 1, maxLength: 8 }),
        async (cents) => {
          const { id } = await issue(await draft())
          const results = await Promise.all(
            cents.map((one) =>
              userErrors(biller, 'payInvoice', { id, amount: euros((one / 100).toFixed(2)) }),
            ),
          )
          const taken = cents.filter((_, place) => results[place]!.length === 0)
          const paid = taken.reduce((sum, one) => sum + one, 0)
          const query = `query ($id: ID!) { invoice(id: $id) ${selection} }`
          const { invoice } = await admin.data<{ invoice: object }>(query, { id })
          expect(invoice).toMatchObject({
            status: paid === 7136 ? 'PAID' : 'PARTLY_PAID',
            amountPaid: { amount: (paid / 100).toFixed(2) },
            balance: { amount: ((7136 - paid) / 100).toFixed(2) },
          })
          // Whatever was refused would have been too much, and nothing is refused while all fits.
          const refused = cents.filter((_, place) => results[place]!.length > 0)
          expect(refused.filter((one) => paid + one <= 7136)).toEqual([])
          expect(refused.length > 0).toBe(cents.reduce((sum, one) => sum + one, 0) > 7136)
        },
      ),
      { numRuns: 5, endOnFailure: true },
    )
  })
})

describe('void', () => {
  test('is what was issued and not paid, for a reason', async () => {
    const { id, version } = await issue(await draft())
    const input = { id, expectedVersion: version, reason: 'Sent twice' }
    const selection = 'invoice { status voidReason voidedAt invoiceNumber total { amount } }'
    expect(await change(biller, 'voidInvoice', input, selection)).toEqual({
      status: 'VOID',
      voidReason: 'Sent twice',
      voidedAt: expect.any(String) as string,
      invoiceNumber: expect.stringMatching(/^INV-\d{6}$/) as string,
      total: { amount: '71.36' },
    })
  })

  test('is nothing that is a draft or partly paid, and nothing without a reason', async () => {
    const partly = await issue(await draft())
    const paid = await pay(partly.id, '1')
    for (const { id, version } of [paid, await draft()]) {
      const before = await stored(id)
      const input = { id, expectedVersion: version, reason: 'Sent twice' }
      expect(await userErrors(biller, 'voidInvoice', input)).toMatchObject([
        { code: 'INVALID_STATUS', field: ['id'] },
      ])
      expect(await stored(id)).toEqual(before)
    }
    const { id, version } = await issue(await draft())
    for (const reason of ['', ' ', 'x'.repeat(501)])
      expect(await userErrors(biller, 'voidInvoice', { id, expectedVersion: version, reason })).toMatchObject(
        [{ code: 'INVALID', field: ['reason'] }],
      )
  })
})

/** The mutations that write bills, each with an input that its operator may give. */
const writing = ({ id, version }: Row): Record<string, Record<string, unknown>> => ({
  draftInvoice: { currency: 'EUR', lines: [seats] },
  updateInvoice: { id, expectedVersion: version, memo: 'Theirs' },
  issueInvoice: { id, expectedVersion: version },
  voidInvoice: { id, expectedVersion: version, reason: 'Theirs' },
  discardInvoice: { id, expectedVersion: version },
  payInvoice: { id, amount: euros('1') },
})

const asked = (client: TestClient, name: string, input: object) => {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`
  return client.query(`mutation ($input: ${type}) { ${name}(input: $input) { invoice { id } } }`, { input })
}

describe('B1: whoever owes does not decide what is owed', () => {
  const everything = async () => {
    const { rows } = await graph.owner.query<object>(
      `SELECT to_jsonb(i) AS row FROM tenancy.invoices i UNION ALL SELECT to_jsonb(l) FROM tenancy.invoice_lines l
       UNION ALL SELECT to_jsonb(s) FROM tenancy.invoice_series s UNION ALL SELECT to_jsonb(a) FROM shared.platform_actions a
        WHERE a.action LIKE '%_INVOICE' ORDER BY 1`,
    )
    return rows
  }

  test('who reads invoices writes none, and notes none as paid, the administrator neither', async () => {
    const issued = await issue(await draft({ memo: 'Ours' }))
    const open = await draft()
    const analyst = await acme.as('ANALYST')
    const before = await everything()
    for (const invoice of [issued, open])
      for (const [name, input] of Object.entries(writing(invoice)))
        for (const client of [admin, analyst, await acme.as('COMPLIANCE_OFFICER')]) {
          const { data, errors } = await asked(client, name, input)
          const codes = errors?.map(({ extensions }) => extensions.code)
          expect([name, data, codes]).toEqual([name, null, ['FORBIDDEN']])
        }
    expect(await everything()).toEqual(before)
    expect(await pay(issued.id, '1', '{ status }')).toEqual({ status: 'PARTLY_PAID' })
    const query = 'query ($id: ID!) { invoice(id: $id) { memo } }'
    expect(await analyst.data(query, { id: issued.id })).toEqual({ invoice: { memo: 'Ours' } })
    expect(await (await acme.as('USER')).query(query, { id: issued.id })).toMatchObject({
      data: { invoice: null },
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    })
  })

  test('an operator bills in the tenant that they entered, in no other and not from outside', async () => {
    const invoice = await draft()
    const elsewhere = await operatorIn(graph, await graph.tenant('globex'))
    const outside = await operatorClient(graph, 'outside')
    const before = await everything()
    for (const [name, input] of Object.entries(writing(invoice))) {
      if (name !== 'draftInvoice')
        expect([name, await userErrors(elsewhere, name, input)]).toMatchObject([
          name,
          [{ code: 'NOT_FOUND' }],
        ])
      expect([name, await userErrors(outside, name, input)]).toEqual([
        name,
        [
          {
            code: 'NO_ENTRY',
            field: null,
            message: 'Enter the tenant first with enterTenant, and send the token that it gives',
          },
        ],
      ])
    }
    expect(await everything()).toEqual(before)
    const query = 'query ($id: ID!) { invoice(id: $id) { id } }'
    expect(await elsewhere.data(query, { id: invoice.id })).toEqual({ invoice: null })
  })

  test('an operator who entered without the scope of billing reads bills, and writes and pays none', async () => {
    const invoice = await issue(await draft())
    const scopes = Object.keys(operatorScopes).filter((scope) => scope !== 'tenancy:platform:billing')
    const operator = await operatorClient(graph, 'reads-bills', scopes)
    const { entry } = await operator.data<{ entry: { accessToken: string } }>(
      `mutation ($input: EnterTenantInput!) { entry: enterTenant(input: $input) { accessToken } }`,
      { input: { tenantId: acme.id, reason: 'Looks', readsSensitive: true } },
    )
    const inside = withToken(graph, operator.userId, entry.accessToken)
    const before = await everything()
    for (const [name, input] of Object.entries(writing(invoice))) {
      const { data, errors } = await asked(inside, name, input)
      const codes = errors?.map(({ extensions }) => extensions.code)
      expect([name, data, codes]).toEqual([name, null, ['FORBIDDEN']])
    }
    expect(await everything()).toEqual(before)
    const query = 'query ($id: ID!) { invoice(id: $id) { status } }'
    expect(await inside.data(query, { id: invoice.id })).toEqual({ invoice: { status: 'ISSUED' } })
  })

  test('a bill stands in the trail of the tenant and of the platform, with the operator and the entry', async () => {
    const { id, version } = await draft()
    await issue({ id, version })
    const trail = `SELECT action, actor_id AS actor FROM shared.audit_logs
      WHERE resource_type = 'Invoice' AND resource_id = $1 AND action <> 'VIEW' ORDER BY id`
    expect((await graph.owner.query(trail, [id])).rows).toEqual([
      { action: 'CREATE', actor: biller.userId },
      { action: 'UPDATE', actor: biller.userId },
    ])
    const { rows: entries } = await graph.owner.query<{ id: string }>(
      'SELECT id FROM tenancy.operator_entries WHERE operator_id = $1',
      [biller.userId],
    )
    const noted = `SELECT action, about_tenant AS tenant, operator_id AS operator, details FROM shared.platform_actions
      WHERE details ->> 'invoiceId' = $1 ORDER BY id`
    const details = { entryId: entries[0]!.id, invoiceId: id }
    const said = { tenant: acme.id, operator: biller.userId, details }
    expect((await graph.owner.query(noted, [id])).rows).toEqual([
      { action: 'DRAFT_INVOICE', ...said },
      { action: 'ISSUE_INVOICE', ...said },
    ])
  })
})

describe('lists', () => {
  let reader: TestClient
  let subscriptionId: string
  const ids = Array.from({ length: 9 }, (_, place) => `019b76da-a800-7000-8000-00000000020${place}`)

  beforeAll(async () => {
    const tenant = await graph.tenant('lists')
    reader = await tenant.as('VIEWER')
    const owner = await tenant.as('ADMIN')
    const agreed = { plan: 'STARTER', billingInterval: 'ANNUAL', currency: 'EUR', startDate: '2999-01-01' }
    subscriptionId = (await change<Row>(owner, 'startSubscription', agreed, 'subscription { id }')).id
    const invoices = ids.map((id, place) => ({
      id,
      currency: place < 6 ? 'EUR' : 'JPY',
      status: place < 3 ? 'DRAFT' : place < 6 ? 'ISSUED' : 'PAID',
      invoice_number: place < 3 ? null : `INV-00000${place - 2}`,
      subscription_id: place % 2 === 0 ? subscriptionId : null,
      subtotal: place % 4,
      total: place % 4,
      amount_paid: place < 6 ? 0 : place % 4,
      issued_at: place < 3 ? null : `2026-0${place}-01T00:00:00Z`,
      due_date: place === 4 ? null : `2026-0${place + 1}-15`,
      paid_at: place < 6 ? null : '2026-10-01T00:00:00Z',
      memo: place === 5 ? '100% discount' : null,
      created_at: `2026-01-0${place + 1}T00:00:00Z`,
    }))
    await prepareRows(graph, tenant.id, 'tenancy.invoices', invoices)
    await prepareRows(
      graph,
      tenant.id,
      'tenancy.invoice_lines',
      invoices.flatMap(({ id, currency }, place) =>
        [1, 2].map((position) => ({
          id: uuidv7(),
          invoice_id: id,
          currency,
          position,
          description: `Line ${position} of ${place}`,
          quantity: '1',
          unit_price: place,
          amount: place,
          tax_rate: '0',
        })),
      ),
    )
  })

  test.each(
    ['INVOICE_NUMBER', 'ISSUED_AT', 'DUE_DATE', 'TOTAL', 'CREATED_AT'].flatMap((field) => [
      [field, 'ASC'],
      [field, 'DESC'],
    ]),
  )('of invoices by %s %s come whole, each once, in pages as at once', async (field, direction) => {
    const order = `orderBy: { field: ${field}, direction: ${direction} }`
    const inPages = await readAll(reader, 'invoices', 'id', order, 2)
    expect(inPages).toEqual(await readAll(reader, 'invoices', 'id', order, 100))
    expect(inPages.map(({ id }) => id).sort()).toEqual(ids)
  })

  test.each([
    ['status: { in: [DRAFT, PAID] }', [0, 1, 2, 6, 7, 8]],
    ['status: { in: [] }', []],
    ['total: { currency: "JPY" }', [6, 7, 8]],
    ['invoiceNumber: { eq: "INV-000002" }', [4]],
    ['search: "0% DISC"', [5]],
    ['search: "inv-000003"', [5]],
    ['issuedAt: { gte: "2026-04-01T00:00:00Z", lt: "2026-06-01T00:00:00Z" }', [4, 5]],
    ['dueDate: { lt: "2026-02-16" }', [0, 1]],
    ['createdAt: { gte: "2026-01-08T00:00:00Z" }', [7, 8]],
  ])('of invoices by filter { %s }', async (filter, places) => {
    const read = await readAll(reader, 'invoices', 'id', `filter: { ${filter} }`)
    expect(read.map(({ id }) => id).sort()).toEqual(places.map((place) => ids[place]))
  })

  test.each(['POSITION', 'AMOUNT', 'CREATED_AT'])('of lines by %s come whole, each once', async (field) => {
    const order = `orderBy: { field: ${field}, direction: DESC }`
    const read = await readAll(reader, 'invoiceLines', 'id', order, 4)
    expect(new Set(read.map(({ id }) => id)).size).toBe(18)
    expect(read).toHaveLength(18)
  })

  test.each([
    [`invoiceId: { eq: "${ids[3]}" }`, ['Line 1 of 3', 'Line 2 of 3']],
    ['search: "2 OF 8"', ['Line 2 of 8']],
    ['amount: { currency: "JPY" }, search: "line 1"', ['Line 1 of 6', 'Line 1 of 7', 'Line 1 of 8']],
  ])('of lines by filter { %s }', async (filter, descriptions) => {
    const read = await readAll(reader, 'invoiceLines', 'description', `filter: { ${filter} }`)
    expect(read.map(({ description }) => description).sort()).toEqual(descriptions)
  })

  test.each([
    [
      'plan: { eq: STARTER }, billingInterval: { eq: ANNUAL }, price: { currency: "EUR" }, status: { in: [SCHEDULED] }',
      1,
    ],
    ['startDate: { gte: "2999-01-01" }, currentPeriodEnd: { lt: "3000-01-02" }', 1],
    ['plan: { eq: TRIAL }', 0],
    ['billingInterval: { eq: MONTHLY }', 0],
    ['status: { in: [SUSPENDED, CANCELLED] }', 0],
    ['endDate: { lt: "9999-01-01" }', 0],
    ['price: { currency: "USD" }', 0],
  ])('of subscriptions by filter { %s }', async (filter, count) => {
    for (const field of ['START_DATE', 'CURRENT_PERIOD_START', 'CURRENT_PERIOD_END', 'CREATED_AT'])
      expect(
        await readAll(reader, 'subscriptions', 'id', `filter: { ${filter} }, orderBy: { field: ${field} }`),
      ).toHaveLength(count)
  })

  test('of subscriptions, their invoices and the lines of these are one statement each', async () => {
    const query = `{ subscriptions { nodes { plan invoices(first: 2, filter: { status: { in: [ISSUED, PAID] } }) {
      nodes { memo subscription { plan } lines(first: 5) { nodes { description invoice { status } } } } } } } }`
    let answer: unknown
    const sent = await graph.statementsDuring(async () => (answer = await reader.data(query)))
    expect(sent.map(({ role }) => role)).toEqual(Array(3).fill('tenancy'))
    const invoice = (place: number, status: string) => ({
      memo: null,
      subscription: { plan: 'STARTER' },
      lines: {
        nodes: [1, 2].map((one) => ({ description: `Line ${one} of ${place}`, invoice: { status } })),
      },
    })
    expect(answer).toEqual({
      subscriptions: {
        nodes: [{ plan: 'STARTER', invoices: { nodes: [invoice(8, 'PAID'), invoice(6, 'PAID')] } }],
      },
    })
  })

  test('of invoices show no subscription to whom it is closed', async () => {
    const officer = await (await graph.tenant('lists')).as('COMPLIANCE_OFFICER')
    const query = `query ($id: ID!) { invoice(id: $id) { status subscription { plan } } }`
    expect(await officer.query(query, { id: ids[0] })).toMatchObject({
      data: { invoice: { status: 'DRAFT', subscription: null } },
      errors: [{ path: ['invoice', 'subscription'], extensions: { code: 'FORBIDDEN' } }],
    })
  })
})

describe('B2: numbers and times of issue run in one order', () => {
  test('also when two hundred are issued at once', async () => {
    const tenant = await graph.tenant('busy')
    const client = await operatorIn(graph, tenant)
    const drafts: Row[] = []
    for (let place = 0; place < 200; place += 20)
      drafts.push(
        ...(await Promise.all(Array.from({ length: 20 }, () => draft({}, '{ id version }', client)))),
      )
    await Promise.all(drafts.map((one) => issue(one, '{ id }', client)))
    const { rows } = await graph.owner.query<{ number: string; issued_at: Date }>(
      `SELECT invoice_number AS number, issued_at FROM tenancy.invoices WHERE tenant_id = $1 ORDER BY invoice_number`,
      [tenant.id],
    )
    expect(rows.map(({ number }) => number)).toEqual(
      Array.from({ length: 200 }, (_, place) => `INV-${String(place + 1).padStart(6, '0')}`),
    )
    const times = rows.map(({ issued_at }) => issued_at.getTime())
    expect(times).toEqual([...times].sort((a, b) => a - b))
  }, 60_000)

  test('a clock that went back does not issue before the last one', async () => {
    const tenant = await graph.tenant('backwards')
    const client = await operatorIn(graph, tenant)
    const ahead = new Date(graph.clock.now().getTime() + 3_600_000).toISOString()
    await issue(await draft({}, '{ id version }', client), '{ id }', client)
    await graph.owner.query('UPDATE tenancy.invoice_series SET last_issued_at = $2 WHERE tenant_id = $1', [
      tenant.id,
      ahead,
    ])
    const second = await draft({}, '{ id version }', client)
    expect(await issue(second, '{ invoiceNumber issuedAt }', client)).toEqual({
      invoiceNumber: 'INV-000002',
      issuedAt: ahead,
    })
  })
})

describe('B5: fields that belong together agree', () => {
  test('an invoice for a subscription is in its currency', async () => {
    const tenant = await graph.tenant('in-euros')
    const client = await operatorIn(graph, tenant)
    const plan = { plan: 'STARTER', billingInterval: 'MONTHLY', currency: 'EUR' }
    const { id: subscriptionId } = await change<Row>(
      await tenant.as('ADMIN'),
      'startSubscription',
      plan,
      'subscription { id }',
    )
    const refused = [{ code: 'INVALID', field: ['subscriptionId'] }]
    const input = { currency: 'JPY', lines: [{ description: 'Seats', unitPrice: '5' }] }
    expect(await userErrors(client, 'draftInvoice', { ...input, subscriptionId })).toMatchObject(refused)
    const { id, version } = await draft<Row>(input, '{ id version }', client)
    const changes = { id, expectedVersion: version, subscriptionId }
    expect(await userErrors(client, 'updateInvoice', changes)).toMatchObject(refused)
    expect(await draft({ subscriptionId }, '{ subscription { id } }', client)).toEqual({
      subscription: { id: subscriptionId },
    })
  })

  test('it is not due before it is issued, and 30 days later where nothing was said', async () => {
    const early = await draft({ dueDate: '1990-01-01' })
    const before = await stored(early.id)
    const input = { id: early.id, expectedVersion: early.version }
    expect(await userErrors(biller, 'issueInvoice', input)).toMatchObject([
      { code: 'INVALID', field: ['id'] },
    ])
    expect(await stored(early.id)).toEqual(before)
    const today = graph.clock.now().toISOString().slice(0, 10)
    expect(await issue(await draft({ dueDate: today }), '{ dueDate isOverdue }')).toEqual({
      dueDate: today,
      isOverdue: false,
    })
    const later = new Date(Date.parse(today) + 30 * 86_400_000).toISOString().slice(0, 10)
    expect(await issue(await draft(), '{ dueDate }')).toEqual({ dueDate: later })
  })

  test('a line is for a period that ends after it begins', async () => {
    const line = { ...seats, serviceStart: '2026-03-01', serviceEnd: '2026-04-01' }
    expect(await draft({ lines: [line, seats] }, '{ lines { nodes { serviceStart serviceEnd } } }')).toEqual({
      lines: {
        nodes: [
          { serviceStart: '2026-03-01', serviceEnd: '2026-04-01' },
          { serviceStart: null, serviceEnd: null },
        ],
      },
    })
    for (const wrong of [{ serviceEnd: '2026-02-28' }, { serviceEnd: '2026-03-01' }, { serviceEnd: null }])
      expect(
        await userErrors(biller, 'draftInvoice', { currency: 'EUR', lines: [{ ...line, ...wrong }] }),
      ).toMatchObject([{ code: 'INVALID', field: ['lines', '0', 'serviceEnd'] }])
  })
})

test('B10: the taxes are told by rate, as they were added up', async () => {
  const mixed = [
    { description: 'Seats', quantity: '3', unitPrice: '19.99', taxRate: '19' },
    { description: 'Books', unitPrice: '10.05', taxRate: '7' },
    { description: 'More books', unitPrice: '0.05', taxRate: '7.00' },
    { description: 'Stamps', unitPrice: '4', taxRate: '0' },
  ]
  const { id } = await draft({ lines: mixed })
  const parts = 'taxBreakdown { rate net { amount } tax { amount } }'
  const query = `{ invoices(filter: { status: { eq: DRAFT } }) { nodes { id tax { amount } ${parts} } } }`
  const read = () => admin.data<{ invoices: { nodes: { id: string }[] } }>(query)
  expect((await read()).invoices.nodes.find((one) => one.id === id)).toEqual({
    id,
    tax: { amount: '12.10' },
    taxBreakdown: [
      { rate: '0', net: { amount: '4.00' }, tax: { amount: '0.00' } },
      { rate: '7', net: { amount: '10.10' }, tax: { amount: '0.71' } },
      { rate: '19', net: { amount: '59.97' }, tax: { amount: '11.39' } },
    ],
  })
  // One statement for the list and one for the parts of all its rows.
  expect(await graph.statementsDuring(read)).toHaveLength(2)
})

test('B10, T5: who owes it stands on it as the tenant was when it was issued', async () => {
  const tenant = await graph.tenant('moving')
  const client = await tenant.as('ADMIN')
  const operator = await operatorIn(graph, tenant)
  const buyer = 'buyer { name street postalCode city country vatNumber }'
  const update = (values: object, expectedVersion: number) =>
    change(client, 'updateTenant', { expectedVersion, ...values }, 'tenant { version }')
  const address = {
    billingStreet: 'Am Markt 1',
    billingPostalCode: '50667',
    billingCity: 'Köln',
    billingCountry: 'DE',
  }
  await update({ legalName: 'Moving GmbH', vatNumber: 'DE123456789', ...address }, 1)
  const drafted = await draft<Row & { buyer: null }>({}, `{ id version ${buyer} }`, operator)
  expect(drafted.buyer).toBeNull()
  const snapshot = {
    ...{ name: 'Moving GmbH', street: 'Am Markt 1', postalCode: '50667', city: 'Köln', country: 'DE' },
    vatNumber: 'DE123456789',
  }
  expect(await issue(drafted, `{ ${buyer} }`, operator)).toEqual({ buyer: snapshot })
  await update({ legalName: 'Moved SE', billingCity: 'Bonn' }, 2)
  const query = `query ($id: ID!) { invoice(id: $id) { ${buyer} } }`
  expect(await client.data(query, { id: drafted.id })).toEqual({ invoice: { buyer: snapshot } })
  expect(
    await userErrors(client, 'updateTenant', { expectedVersion: 3, billingCountry: 'XX' }),
  ).toMatchObject([{ field: ['billingCountry'] }])
  expect(
    await userErrors(client, 'updateTenant', { expectedVersion: 3, defaultCurrency: 'HRK' }),
  ).toMatchObject([{ code: 'INVALID', field: ['defaultCurrency'] }])
})

test('an issued invoice and its lines stay as they are, also for the owner of the tables', async () => {
  const { id } = await issue(await draft())
  const before = await stored(id)
  for (const text of [
    'UPDATE tenancy.invoices SET total = 1, subtotal = 1, tax = 0 WHERE id = $1',
    "UPDATE tenancy.invoices SET buyer = '{}' WHERE id = $1",
    'DELETE FROM tenancy.invoices WHERE id = $1',
    'UPDATE tenancy.invoice_lines SET amount = 0 WHERE invoice_id = $1',
    'DELETE FROM tenancy.invoice_lines WHERE invoice_id = $1',
  ])
    await expect(graph.owner.query(text, [id])).rejects.toMatchObject({ code: '23000' })
  const early = await draft({ dueDate: '1990-01-01' })
  const issued = `UPDATE tenancy.invoices SET status = 'ISSUED', invoice_number = 'X', issued_at = now() WHERE id = $1`
  await expect(graph.owner.query(issued, [early.id])).rejects.toMatchObject({ code: '23000' })
  expect(await stored(id)).toEqual(before)
  await graph.owner.query('BEGIN')
  await graph.owner.query('DELETE FROM tenancy.tenants WHERE id = $1', [acme.id])
  expect(await stored(id)).toBeUndefined()
  await graph.owner.query('ROLLBACK')
})

test('B8: nothing is left to be paid of an invoice that is void', async () => {
  const { id, version } = await issue(await draft())
  const input = { id, expectedVersion: version, reason: 'Sent twice' }
  const selection = 'invoice { status total { amount } balance { amount } isOverdue }'
  expect(await change(biller, 'voidInvoice', input, selection)).toEqual({
    status: 'VOID',
    total: { amount: '71.36' },
    balance: { amount: '0.00' },
    isOverdue: false,
  })
})
