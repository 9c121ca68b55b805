import { uuidv7 } from '../../kernel/id'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, prepareRows, readAll, userErrors } from '../support/lists'
import { operatorIn } from '../support/operator'
import { invoicingOf, seats, type Row } from './invoicing'

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

const { draft, issue, stored } = invoicingOf(() => ({ graph, biller }))

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
  })

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
