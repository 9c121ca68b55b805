import fc from 'fast-check'
import { operatorScopes } from '../../database/operators'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { operatorClient, operatorIn, withToken } from '../support/operator'
import { euros, invoicingOf, seats, type Row } from './invoicing'

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
