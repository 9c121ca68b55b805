import { addSeller } from '../../database/seller'
import { dayAfter } from '../../subgraphs/tenancy/rules/period'
import { change, userErrors } from '../support/lists'
import { operatorIn } from '../support/operator'
import { billingOf, startBilling, type Subscriber } from './billed'

/** B10: documents say who issued them and for whom, as both were then. */
let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => (started = await startBilling()))
afterAll(() => started?.graph.close())

const { subscriber, bill, travel, todayOf, act } = billingOf(() => started)
const owner = () => started.graph.owner
const inside = (one: Subscriber) => operatorIn(started.graph, one.tenant)
const party = 'name street postalCode city country vatNumber'
const parties = `seller { ${party} } buyer { ${party} }`
const hamburg = {
  ...{ name: 'Test Cloud GmbH', street: 'Hafenstraße 1', postalCode: '20457', city: 'Hamburg' },
  ...{ country: 'DE', vatNumber: 'DE123456789' },
}
interface Document {
  id: string
  version: number
}

const documents = async ({ admin }: Subscriber) =>
  admin.data<{ invoices: { nodes: Document[] }; creditNotes: { nodes: Document[] } }>(
    `{ invoices(orderBy: { field: INVOICE_NUMBER, direction: ASC }) { nodes { id version status ${parties} } }
       creditNotes(orderBy: { field: CREATED_AT, direction: ASC }) { nodes { id version status ${parties} } } }`,
  )

async function moveTo(one: Subscriber, values: object): Promise<void> {
  const { tenant } = await one.admin.data<{ tenant: { version: number } }>('{ tenant { version } }')
  await change(one.admin, 'updateTenant', { expectedVersion: tenant.version, ...values }, 'tenant { id }')
}

const line = { description: 'Help', unitPrice: '10' }
const draft = async (one: Subscriber, lines: object[] = [line]) =>
  change<Document>(
    await inside(one),
    'draftInvoice',
    { currency: 'EUR', lines },
    `invoice { id version ${parties} }`,
  )
const keyOf = ({ id, version }: Document) => ({ id, expectedVersion: version })

test('invoices and notes name seller and buyer as they were at the issue, and neither moves with them', async () => {
  const one = await subscriber()
  await moveTo(one, {
    legalName: 'One SE',
    billingStreet: 'Ring 1',
    billingPostalCode: '1010',
    billingCity: 'Wien',
  })
  await moveTo(one, { billingCountry: 'AT', vatNumber: 'ATU11111111' })
  const vienna = {
    ...{ name: 'One SE', street: 'Ring 1', postalCode: '1010', city: 'Wien' },
    ...{ country: 'AT', vatNumber: 'ATU11111111' },
  }
  await bill(one)
  const operator = await inside(one)
  const { id: invoiceId } = (await documents(one)).invoices.nodes[0]!
  const noted = async () => {
    const credit = {
      invoiceId,
      reason: 'ERROR',
      lines: [{ invoiceLineId: await firstLine(one, invoiceId), amount: '1' }],
    }
    const drafted = await change<Document>(
      operator,
      'draftCreditNote',
      credit,
      `creditNote { id version ${parties} }`,
    )
    expect(drafted).toMatchObject({ seller: null, buyer: null })
    await change(operator, 'issueCreditNote', keyOf(drafted), 'creditNote { id }')
  }
  await noted()
  const before = await documents(one)
  expect(before).toMatchObject({
    invoices: { nodes: [{ seller: hamburg, buyer: vienna }] },
    creditNotes: { nodes: [{ seller: hamburg, buyer: vienna }] },
  })
  // The platform moves tomorrow, the tenant today: invoices of tomorrow say so; a note is between those of its invoice.
  const bremen = {
    ...{ legalName: 'Test Cloud SE', street: 'Markt 2', postalCode: null, city: 'Bremen' },
    ...{ country: 'DE', taxId: 'DE999999999', email: null },
  }
  await addSeller(owner(), { ...bremen, validFrom: dayAfter(todayOf(one), 1) })
  await moveTo(one, { legalName: 'One AG', vatNumber: 'DE222222222' })
  expect(await documents(one)).toEqual(before)
  const today = await draft(one)
  expect(today).toMatchObject({ seller: null, buyer: null })
  expect(await change(operator, 'issueInvoice', keyOf(today), `invoice { ${parties} }`)).toEqual({
    seller: hamburg,
    buyer: { ...vienna, name: 'One AG', vatNumber: 'DE222222222' },
  })
  await travel(one, dayAfter(todayOf(one), 1))
  await noted()
  const { legalName, taxId, email: _, ...place } = bremen
  const all = await documents(one)
  expect(all.creditNotes.nodes.at(-1)).toMatchObject({
    seller: hamburg,
    buyer: vienna,
  })
  const later = await draft(one)
  expect(await change(operator, 'issueInvoice', keyOf(later), `invoice { ${parties} }`)).toMatchObject({
    seller: { ...place, name: legalName, vatNumber: taxId },
    buyer: { name: 'One AG' },
  })
  expect(all.creditNotes.nodes[0]).toEqual(before.creditNotes.nodes[0])
})

const firstLine = async ({ admin }: Subscriber, id: string) =>
  (
    await admin.data<{ invoice: { lines: { nodes: { id: string }[] } } }>(
      `{ invoice(id: "${id}") { lines { nodes { id } } } }`,
    )
  ).invoice.lines.nodes[0]!.id

test('reverse charge is issued with the tax id of who buys alone, and the database asks for it as well', async () => {
  const one = await subscriber()
  const drafted = await draft(one, [
    { ...line, taxTreatment: 'REVERSE_CHARGE', taxReason: 'Reverse charge' },
    line,
  ])
  const before = await documents(one)
  expect(await userErrors(await inside(one), 'issueInvoice', keyOf(drafted))).toEqual([
    {
      code: 'INVALID',
      message:
        'With reverse charge a document names the tax id of who buys: set it with setTenantTax, by which it is taxed',
      field: ['id'],
    },
  ])
  const issue = (id: string, set: string) =>
    owner().query(
      `UPDATE tenancy.invoices SET status = 'ISSUED', invoice_number = 'X', issued_at = now(), due_date = current_date + 9, ${set}
        WHERE id = $1`,
      [id],
    )
  const named = `seller = '{"name":"S"}', buyer = '{"name":"B"}'`
  await expect(issue(drafted.id, named)).rejects.toThrow('has reverse charge and not the tax id of the buyer')
  for (const set of [`seller = '{"name":"S"}'`, `buyer = '{"name":"B"}'`])
    await expect(issue(drafted.id, set)).rejects.toThrow('does not say who sells and who buys')
  expect(await documents(one)).toEqual(before)
  // What a tenant writes about itself is no ground for it.
  await moveTo(one, { vatNumber: 'ATU99999999' })
  expect(await userErrors(await inside(one), 'issueInvoice', keyOf(drafted))).toMatchObject([
    { code: 'INVALID' },
  ])
  const tomorrow = dayAfter(todayOf(one), 1)
  const decided = {
    treatment: 'REVERSE_CHARGE',
    taxId: 'ATU12345678',
    reason: 'Reverse charge',
    validFrom: tomorrow,
  }
  await change(await inside(one), 'setTenantTax', decided, 'tax { taxId }')
  await travel(one, tomorrow)
  expect(
    await change(await inside(one), 'issueInvoice', keyOf(drafted), 'invoice { status buyer { vatNumber } }'),
  ).toEqual({ status: 'ISSUED', buyer: { vatNumber: 'ATU12345678' } })
  for (const set of ['seller = \'{"name":"S"}\'', 'seller = NULL'])
    await expect(
      owner().query(`UPDATE tenancy.invoices SET ${set} WHERE id = $1`, [drafted.id]),
    ).rejects.toMatchObject({ code: '23000' })
})

test('a note states the tax id of its invoice, also when the tenant has none any more', async () => {
  const reason = 'Reverse charge'
  const one = await subscriber({}, { treatment: 'REVERSE_CHARGE', taxId: 'ATU12345678', reason })
  await bill(one)
  const operator = await inside(one)
  const tomorrow = dayAfter(todayOf(one), 1)
  await change(
    operator,
    'setTenantTax',
    { treatment: 'STANDARD', rate: '19', validFrom: tomorrow },
    'tax { rate }',
  )
  await travel(one, tomorrow)
  const [{ id: invoiceId }] = (await documents(one)).invoices.nodes as [Document]
  const note = await change<Document>(
    operator,
    'draftCreditNote',
    { invoiceId, reason: 'ERROR' },
    'creditNote { id version }',
  )
  const issued = (set: string) =>
    owner().query(
      `UPDATE tenancy.credit_notes SET status = 'ISSUED', credit_note_number = 'X', issued_at = now(), ${set} WHERE id = $1`,
      [note.id],
    )
  await expect(issued(`seller = '{"name":"S"}', buyer = '{"name":"B"}'`)).rejects.toThrow(
    'tax id of the buyer',
  )
  await expect(issued(`seller = '{"name":"S"}'`)).rejects.toThrow('does not say who sells')
  expect(
    await change(operator, 'issueCreditNote', keyOf(note), 'creditNote { buyer { vatNumber } }'),
  ).toEqual({
    buyer: { vatNumber: 'ATU12345678' },
  })
})

test('without a legal entity of the platform nothing is issued, and operators see why', async () => {
  const one = await subscriber()
  const drafted = await draft(one)
  await expect(owner().query('DELETE FROM tenancy.sellers')).rejects.toThrow('stays as it is')
  await expect(owner().query("UPDATE tenancy.sellers SET city = 'Kiel'")).rejects.toThrow('stays as it is')
  // Tables of a new installation have no row; here it takes the trigger away.
  await owner().query('ALTER TABLE tenancy.sellers DISABLE TRIGGER keep_seller')
  await owner().query('DELETE FROM tenancy.sellers')
  await owner().query('ALTER TABLE tenancy.sellers ENABLE TRIGGER keep_seller')
  const message =
    'The platform has not told which legal entity issues documents: tell it with npm run operator -- seller'
  expect(await userErrors(await inside(one), 'issueInvoice', keyOf(drafted))).toEqual([
    { code: 'NO_SELLER', message, field: null },
  ])
  expect(await bill(one)).toBe(message)
  // Nobody is kept in a contract by it: what is due waits.
  await act(one, 'cancelSubscription', { at: 'PERIOD_END' })
  expect((await documents(one)).invoices.nodes).toMatchObject([{ status: 'DRAFT' }])
  const kiel = { street: 'Kai 1', postalCode: null, city: 'Kiel', country: 'DE', taxId: 'DE1', email: null }
  await addSeller(owner(), { legalName: 'Test Cloud GmbH', ...kiel, validFrom: '2000-01-01' })
  expect(await bill(one)).toBeNull()
  expect((await documents(one)).invoices.nodes).toMatchObject([
    { status: 'ISSUED', seller: { city: 'Kiel' } },
    { status: 'DRAFT', seller: null },
  ])
})
