import { Client } from 'pg'
import { createTenant } from '../../database/tenants'
import { bookPresentTransactions } from '../../migrations/book-present-transactions'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** F4: transactions from before the books were kept in double entry have their entries by the migration. */
let database: TestDatabase
let client: Client

beforeAll(async () => {
  database = await freshDatabase()
  client = new Client({ connectionString: database.migratorUrl })
  await client.connect()
})
afterAll(async () => {
  await client?.end()
  await database?.drop()
})

test('each gets two postings on the accounts of its type, numbers by year, and reversals what they reverse', async () => {
  await client.query('BEGIN')
  const acme = await createTenant(client, { slug: 'acme', name: 'Acme' })
  const globex = await createTenant(client, { slug: 'globex', name: 'Globex' })
  const id = (place: number) => `019b76da-a800-7000-8000-00000000000${place}`
  const write = (
    place: number,
    tenant: string,
    type: string,
    amount: number,
    at: string,
    reversed?: number,
  ) =>
    client.query(
      `INSERT INTO finance.transactions (tenant_id, id, transaction_number, type, amount, currency, occurred_at, reversal_of_id)
       VALUES ($1, $2, $3, $4, $5, 'EUR', $6, $7)`,
      [tenant, id(place), `T-${place}`, type, amount, at, reversed ? id(reversed) : null],
    )
  await write(1, acme, 'EXPENSE', 500, '2025-12-31T23:59:59.999Z')
  await write(2, acme, 'EXPENSE', -500, '2026-01-02T10:00:00Z', 1)
  await write(3, acme, 'INCOME', 9000, '2026-01-01T00:00:00Z')
  await write(4, acme, 'TRANSFER', 70, '2026-03-01T00:00:00Z')
  await write(5, acme, 'ADJUSTMENT', 3, '2026-04-01T00:00:00Z')
  await write(6, globex, 'INCOME', 1, '2026-01-01T00:00:00Z')
  for (const text of bookPresentTransactions.up) await client.query(text)
  await client.query('COMMIT')
  const { rows } = await client.query({
    text: `SELECT e.entry_number, e.booked_on::text, t.transaction_number, r.entry_number,
             (SELECT string_agg(a.purpose || ' ' || p.amount, ', ' ORDER BY p.position) FROM finance.postings p
               JOIN finance.ledger_accounts a ON (a.tenant_id, a.id) = (p.tenant_id, p.account_id)
              WHERE (p.tenant_id, p.entry_id) = (e.tenant_id, e.id) AND p.currency = 'EUR' AND p.booked_on = e.booked_on)
             FROM finance.journal_entries e JOIN finance.transactions t ON (t.tenant_id, t.id) = (e.tenant_id, e.transaction_id)
             LEFT JOIN finance.journal_entries r ON (r.tenant_id, r.id) = (e.tenant_id, e.reversal_of_id)
            ORDER BY t.transaction_number`,
    rowMode: 'array',
  })
  expect(rows).toEqual([
    ['2025-000001', '2025-12-31', 'T-1', null, 'EXPENSES 500, BANK -500'],
    ['2026-000002', '2026-01-02', 'T-2', '2025-000001', 'EXPENSES -500, BANK 500'],
    ['2026-000001', '2026-01-01', 'T-3', null, 'BANK 9000, REVENUE -9000'],
    ['2026-000003', '2026-03-01', 'T-4', null, 'TRANSIT 70, BANK -70'],
    ['2026-000004', '2026-04-01', 'T-5', null, 'SUSPENSE 3, ADJUSTMENTS -3'],
    ['2026-000001', '2026-01-01', 'T-6', null, 'BANK 1, REVENUE -1'],
  ])
  const { rows: series } = await client.query(
    'SELECT tenant_id = $1 AS own, year, last_number::int FROM finance.entry_series ORDER BY 1, 2',
    [acme],
  )
  expect(series).toEqual([
    { own: false, year: 2026, last_number: 1 },
    { own: true, year: 2025, last_number: 1 },
    { own: true, year: 2026, last_number: 4 },
  ])
})
