import { Client } from 'pg'
import { migrateDown, migrateUp } from '../../database/migrate'
import { createTenant } from '../../database/tenants'
import { uuidv7 } from '../../kernel/id'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** What the migration of billing terms makes of tenants that were there, and that it is not taken back where that would lose something. */
let database: TestDatabase
let owner: Client
beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner?.end()
  await database?.drop()
})

const terms = 'billing-terms-0202611290430'
const nextAbove = 'billing-faults-0202611290431'
async function takeBackTo(last: string): Promise<void> {
  for (let name: string | null = ''; name !== last;) {
    name = await migrateDown(database.migratorUrl)
    if (name === null) throw new Error(`${last} was not taken back`)
  }
}

const rows = async (text: string, values: unknown[] = []) =>
  (await owner.query<Record<string, unknown>>(text, values)).rows

/** A row as it was before, with the columns that it needs. */
async function add(table: string, values: Record<string, unknown>): Promise<string> {
  const row: Record<string, unknown> = { id: uuidv7(), ...values }
  const columns = Object.keys(row)
  await owner.query(
    `INSERT INTO tenancy.${table} (${columns.join(', ')}) VALUES (${columns.map((_, place) => `$${place + 1}`).join(', ')})`,
    Object.values(row),
  )
  return String(row['id'])
}

const plan = {
  ...{ plan: 'STARTER', start_date: '2026-01-31', billing_interval: 'MONTHLY', currency: 'EUR', price: 6700 },
  ...{ current_period_start: '2026-03-31', current_period_end: '2026-04-30', billed_until: '2026-04-30' },
}
const invoice = {
  ...{ status: 'ISSUED', subtotal: 7100, total: 7100, currency: 'EUR' },
  ...{ issued_at: '2026-03-31T00:05:00Z', due_date: '2026-04-30', billed_from: '2026-03-31' },
}
const line = { currency: 'EUR', quantity: 1, tax_rate: 0 }

it('terms, trials and use that were there are what they were, in the new columns (0430)', async () => {
  await takeBackTo(terms)
  const tenant = (slug: string) => createTenant(owner, { slug, name: slug })
  const [payer, foreign, trial, former] = [
    await tenant('payer'),
    await tenant('foreign'),
    await tenant('trial'),
    await tenant('former'),
  ]
  const billed = await add('subscriptions', { tenant_id: payer, ...plan })
  const unlisted = await add('subscriptions', { tenant_id: foreign, ...plan, currency: 'CHF' })
  const free = await add('subscriptions', {
    ...{ tenant_id: trial, ...plan, plan: 'TRIAL', price: 0, end_date: '2026-04-30' },
  })
  const over = await add('subscriptions', {
    ...{
      tenant_id: former,
      ...plan,
      price: 0,
      status: 'CANCELLED',
      end_date: '2026-04-15',
      is_settled: true,
    },
  })
  const issued = { tenant_id: payer, subscription_id: billed, invoice_number: 'INV-000003', ...invoice }
  const invoice_id = await add('invoices', issued)
  const revoked = await add('invoices', {
    ...{ ...issued, invoice_number: 'INV-000002', status: 'VOID', billed_from: '2026-02-28' },
    ...{ void_reason: 'Wrong', voided_at: '2026-03-01T00:00:00Z' },
  })
  const of = { tenant_id: payer, ...line, invoice_id }
  const period = { service_start: '2026-02-28', service_end: '2026-03-31' }
  const next = { service_start: '2026-03-31', service_end: '2026-04-30' }
  await add('invoice_lines', {
    ...of,
    position: 1,
    description: 'STARTER, fee',
    unit_price: 6700,
    amount: 6700,
    ...next,
  })
  for (const [place, [meter, amount]] of [
    ['API_CALLS', 300],
    ['API_CALLS', 50],
    ['STORAGE_GB', 50],
  ].entries())
    await add('invoice_lines', {
      ...{ ...of, position: place + 2, description: `Use: ${meter}`, unit_price: amount, amount, ...period },
    })
  await add('invoice_lines', {
    ...{ ...of, invoice_id: revoked, position: 1, description: 'Use: API_CALLS', unit_price: 9, amount: 9 },
    ...{ service_start: '2026-01-31', service_end: '2026-02-28' },
  })
  await migrateUp(database.migratorUrl)

  const [price] = await rows(
    `SELECT p.id FROM tenancy.plan_prices p JOIN tenancy.plans l ON l.id = p.plan_id
      WHERE l.code = 'STARTER' AND p.currency = 'EUR' AND p.billing_interval = 'MONTHLY' AND p.meter IS NULL`,
  )
  const fee = (priceId: unknown) => [
    {
      ...{ priceId, version: 1, meter: null, quantity: 1, unitAmount: '6700', tierMode: null, tiers: null },
    },
  ]
  const found = await rows(
    `SELECT id, items, trial_ends_on::text AS trial, billed_until::text AS billed, use_seen_at IS NOT NULL AS seen
       FROM tenancy.subscriptions`,
  )
  const kept = { trial: null, billed: '2026-04-30', seen: true }
  const expected = [
    { id: billed, items: fee(price!['id']), ...kept },
    // The list has no such currency: a fee of its own.
    { id: unlisted, items: fee(unlisted), ...kept },
    // Free days were looked at and not billed: who leaves the trial pays from that day on.
    { id: free, items: [], trial: '2026-04-30', billed: null, seen: false },
    { id: over, items: [], ...kept },
  ]
  const byId = (list: Record<string, unknown>[]) =>
    [...list].sort((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1))
  expect(byId(found)).toEqual(byId(expected))
  const agreed = await rows('SELECT subscription_id AS id, since, items FROM tenancy.agreed_items')
  expect(byId(agreed)).toEqual(
    byId(expected.map(({ id, items }) => ({ id, items, since: new Date('2026-01-31T00:00:00Z') }))),
  )
  // Of the periods that documents which hold are about: what was used, and that nothing was.
  const periods = await rows(
    `SELECT subscription_id AS id, starts_on::text AS from, ends_on::text AS until, amounts FROM tenancy.billed_periods ORDER BY starts_on`,
  )
  expect(periods).toEqual([
    { id: billed, from: '2026-02-28', until: '2026-03-31', amounts: { API_CALLS: '350', STORAGE_GB: '50' } },
  ])
  const taxes = await rows(
    'SELECT DISTINCT tax_treatment AS treatment, tax_reason AS reason, tax_on AS day FROM tenancy.invoice_lines',
  )
  expect(taxes).toEqual([{ treatment: 'STANDARD', reason: null, day: null }])
  expect(await rows('SELECT FROM tenancy.tax_profiles')).toEqual([])
})

/** By what would be lost: the row that tells of it, in a tenant with a subscription, an invoice and a note. */
const lost: Readonly<Record<string, (of: Record<string, string>) => Promise<unknown>>> = {
  'a tax that was decided': ({ tenant_id }) =>
    add('tax_profiles', { tenant_id, valid_from: '2026-01-01', treatment: 'STANDARD', rate: 19 }),
  'a line that lapsed': (of) => pending(of, { lapsed_on: '2026-05-01' }),
  'a line that was given back': (of) => pending(of, { credit_note_id: of['note'] }),
  'the hundred and first line': ({ tenant_id, draft }) => drafted(tenant_id!, draft!, { position: 101 }),
  'more than a thousand million': ({ tenant_id, draft }) =>
    drafted(tenant_id!, draft!, { position: 1, quantity: 1_000_000_001 }),
  'a line of reverse charge': ({ tenant_id, draft }) =>
    drafted(tenant_id!, draft!, {
      position: 1,
      tax_treatment: 'REVERSE_CHARGE',
      tax_reason: 'Reverse charge',
    }),
  'an invoice between periods': ({ tenant_id }) =>
    add('invoices', { tenant_id, subtotal: 1, total: 1, currency: 'EUR', is_interim: true }),
}

const pending = ({ tenant_id, subscription_id }: Record<string, string>, values: object) =>
  add('pending_lines', {
    ...{ tenant_id, subscription_id, description: 'Unused part', amount: -5 },
    ...{ service_start: '2026-04-01', service_end: '2026-04-30', ...values },
  })
const drafted = (tenant_id: string, invoice_id: string, values: object) =>
  add('invoice_lines', {
    tenant_id,
    invoice_id,
    ...line,
    description: 'Help',
    unit_price: 1,
    amount: 1,
    ...values,
  })

it('it is taken back unless something would be lost that nothing else tells of (0430)', async () => {
  await takeBackTo(nextAbove)
  for (const [what, write] of Object.entries(lost)) {
    const tenant_id = await createTenant(owner, { slug: `lost-${what.replaceAll(' ', '-')}`, name: what })
    const subscription_id = await add('subscriptions', { tenant_id, ...plan })
    const draft = await add('invoices', { tenant_id, subtotal: 1, total: 1, currency: 'EUR' })
    const note = await add('credit_notes', {
      ...{ tenant_id, invoice_id: draft, reason: 'ERROR', currency: 'EUR', subtotal: 1, tax: 0, total: 1 },
    })
    await write({ tenant_id, subscription_id, draft, note })
    await expect(migrateDown(database.migratorUrl)).rejects.toThrow(
      'This migration is not taken back: taxes that were decided, or lines with them would be lost. Restore a backup instead',
    )
    await owner.query('DELETE FROM tenancy.tenants WHERE id = $1', [tenant_id])
  }
  expect(await migrateDown(database.migratorUrl)).toBe(terms)
  await migrateUp(database.migratorUrl)
})
