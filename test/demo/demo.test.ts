import { Client } from 'pg'
import { insertDemoData } from '../../database/demo'
import { demoSlugs, demoTenantIds } from '../../database/demo/ids'
import { demoProfiles } from '../../database/demo/profiles'
import { seededRandom } from '../../database/demo/random'
import { demoTables } from '../../database/demo/tables'
import { freshDatabase, type TestDatabase } from '../support/postgres'

let database: TestDatabase
let client: Client
const lines: string[] = []

beforeAll(async () => {
  database = await freshDatabase()
  client = new Client({ connectionString: database.migratorUrl })
  await client.connect()
  await client.query('BEGIN')
  await insertDemoData(client, { password: 'demo-password', rounds: 4, print: (line) => lines.push(line) })
  await client.query('COMMIT')
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

async function value(text: string, values: unknown[] = []): Promise<unknown> {
  const { rows } = await client.query({ text, values, rowMode: 'array' })
  return rows[0]?.[0]
}

const source = (slug: (typeof demoSlugs)[number], table: string, today: number) => ({
  slug,
  profile: demoProfiles[slug],
  random: seededRandom(`${slug} ${table}`),
  today,
})

/** Long enough to be read in pages. */
const longLists = [
  'insights.customers',
  'insights.customer_interactions',
  'compliance.compliance_records',
  'hr.employees',
  'finance.transactions',
  'finance.journal_entries',
  'finance.postings',
  'finance.budgets',
  'tenancy.invoices',
  'shared.audit_logs',
]

test('both tenants have rows in every table, and some hundreds in the long lists', async () => {
  for (const [index, slug] of demoSlugs.entries()) {
    const counted: string[] = []
    for (const { name, noun } of demoTables) {
      const count = Number(
        await value(`SELECT count(*)::int FROM ${name} WHERE tenant_id = $1`, [demoTenantIds[slug]]),
      )
      const least = longLists.includes(name) ? 180 : 1
      expect([name, slug, count >= least]).toEqual([name, slug, true])
      counted.push(`${count} ${noun}`)
    }
    expect(lines[index]).toBe(`demo data of ${slug}: ${counted.join(', ')}`)
  }
  expect(lines).toHaveLength(demoSlugs.length)
})

test('is the same every time for the same day, and no id is used twice', () => {
  const today = Date.UTC(2026, 10, 20)
  const ids = new Set<unknown>()
  let rows = 0
  for (const { name, rows: make } of demoTables) {
    for (const slug of demoSlugs) {
      const made = make(source(slug, name, today))
      expect(make(source(slug, name, today))).toEqual(made)
      const withId = made.filter((row) => 'id' in row)
      for (const row of withId) ids.add(row['id'])
      rows += withId.length
    }
  }
  expect(ids.size).toBe(rows)
})

const has = async (table: string, condition: string) =>
  expect([condition, await value(`SELECT EXISTS (SELECT FROM ${table} WHERE ${condition})`)]).toEqual([
    condition,
    true,
  ])

test('has the cases that break careless code', async () => {
  await has('hr.employees', "hire_date = '2024-02-29'")
  await has('hr.employees', 'hire_date IS NULL')
  await has('hr.employees', 'length(last_name) > 60')
  await has('hr.employees', "last_name = '山田'")
  await has('hr.employees', 'user_id IS NOT NULL')
  await has('finance.transactions', 'amount < 0 AND reversal_of_id IS NULL')
  await has('finance.transactions', 'reversal_of_id IS NOT NULL')
  await has('finance.transactions', 'is_fraudulent')
  await has('finance.transactions', "currency = 'KWD'")
  for (const status of ['DRAFT', 'ISSUED', 'PARTLY_PAID', 'PAID', 'VOID'])
    await has('tenancy.invoices', `status = '${status}'`)
  await has('tenancy.invoices', "currency = 'JPY'")
  await has('tenancy.invoice_lines', 'amount < 0')
  await has('tenancy.subscriptions', "start_date = '2024-02-29' AND status = 'ACTIVE'")
  await has(
    'insights.support_tickets',
    'first_response_breached_at IS NOT NULL AND resolution_breached_at IS NOT NULL',
  )
  await has('insights.ticket_messages', "visibility = 'INTERNAL'")
  await has('insights.behavior_patterns', 'lapses_at < now()')
  await has('insights.customers', 'churn_risk IS NULL')
  await has('insights.customers', 'full_name_override IS NOT NULL')
})

test('a reversal and what it reverses add up to nothing', async () => {
  const sums = await value(
    `SELECT array_agg(DISTINCT r.amount + o.amount)::text FROM finance.transactions r
       JOIN finance.transactions o ON o.tenant_id = r.tenant_id AND o.id = r.reversal_of_id AND o.currency = r.currency`,
  )
  expect(sums).toBe('{0}')
})

test('the books add up, number without gaps, and no account at the bank is overdrawn', async () => {
  const faults = await value(
    `SELECT count(*)::int FROM (
       SELECT FROM finance.postings GROUP BY tenant_id, entry_id, currency HAVING sum(amount) <> 0
       UNION ALL SELECT FROM finance.postings GROUP BY tenant_id, entry_id HAVING sum(base_amount) <> 0
       UNION ALL SELECT FROM finance.journal_entries e WHERE posting_count <>
         (SELECT count(*) FROM finance.postings p WHERE (p.tenant_id, p.entry_id) = (e.tenant_id, e.id))
       UNION ALL SELECT FROM finance.transactions t WHERE NOT EXISTS
         (SELECT FROM finance.journal_entries e WHERE (e.tenant_id, e.transaction_id) = (t.tenant_id, t.id))
       UNION ALL SELECT FROM finance.entry_series s WHERE last_number <>
         (SELECT count(*) FROM finance.journal_entries e WHERE e.tenant_id = s.tenant_id AND e.entry_number LIKE s.year || '-%')
       UNION ALL SELECT FROM (SELECT sum(p.amount) OVER (PARTITION BY p.tenant_id, p.currency ORDER BY p.booked_on) AS sum
         FROM finance.postings p JOIN finance.ledger_accounts a ON (a.tenant_id, a.id) = (p.tenant_id, p.account_id)
        WHERE a.purpose = 'BANK') b WHERE sum < 0) faults`,
  )
  expect(faults).toBe(0)
  expect(await value(`SELECT count(*) > 0 FROM finance.postings WHERE amount = 0 AND base_amount <> 0`)).toBe(
    true,
  )
  expect(
    await value(
      `SELECT count(*) > 20 FROM finance.journal_entries WHERE source_type = 'tenancy.invoice-paid'`,
    ),
  ).toBe(true)
})

test('invoices add up to their lines, and their numbers have no gaps', async () => {
  const wrong = await value(
    `SELECT count(*)::int FROM tenancy.invoices i WHERE subtotal <>
       (SELECT sum(amount) FROM tenancy.invoice_lines l WHERE l.tenant_id = i.tenant_id AND l.invoice_id = i.id)`,
  )
  expect(wrong).toBe(0)
  const given = (series: string, table: string, number: string) =>
    value(
      `SELECT array_agg(DISTINCT row(s.last_number, i.count, i.last)::text) FROM tenancy.invoice_series s JOIN (
         SELECT tenant_id, count(${number}), max(${number}) AS last FROM ${table} GROUP BY 1) i
         USING (tenant_id) WHERE series = '${series}'`,
    )
  expect(await given('INVOICE', 'tenancy.invoices', 'invoice_number')).toEqual(['(214,214,INV-000214)'])
  expect(await given('CREDIT_NOTE', 'tenancy.credit_notes', 'credit_note_number')).toEqual([
    '(3,3,CN-000003)',
  ])
  const wrongPayments = await value(
    `SELECT count(*)::int FROM tenancy.payments p WHERE
       allocated <> (SELECT COALESCE(sum(amount), 0) FROM tenancy.allocations a
                      WHERE a.tenant_id = p.tenant_id AND a.payment_id = p.id)
       OR refunded <> (SELECT COALESCE(sum(amount), 0) FROM tenancy.refunds r
                        WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.id)`,
  )
  expect(wrongPayments).toBe(0)
  for (const status of ['SUCCEEDED', 'PARTLY_REFUNDED', 'REVERSED'])
    await has('tenancy.payments', `status = '${status}'`)
})

test('credit notes add up to their lines, and what they settled is on the invoices', async () => {
  const wrong = await value(
    `SELECT count(*)::int FROM tenancy.credit_notes n WHERE subtotal <>
       (SELECT sum(amount) FROM tenancy.credit_note_lines l WHERE l.tenant_id = n.tenant_id AND l.credit_note_id = n.id)
         OR applied <> (SELECT COALESCE(sum(amount), 0) FROM tenancy.allocations a
                         WHERE a.tenant_id = n.tenant_id AND a.credit_note_id = n.id)`,
  )
  expect(wrong).toBe(0)
  const unsettled = await value(
    `SELECT count(*)::int FROM tenancy.invoices i WHERE (amount_paid, amount_credited) <> (
       SELECT COALESCE(sum(amount) FILTER (WHERE payment_id IS NOT NULL), 0),
              COALESCE(sum(amount) FILTER (WHERE credit_note_id IS NOT NULL), 0)
         FROM tenancy.allocations a WHERE a.tenant_id = i.tenant_id AND a.invoice_id = i.id)`,
  )
  expect(unsettled).toBe(0)
  for (const status of ['DRAFT', 'ISSUED', 'APPLIED', 'VOID'])
    await has('tenancy.credit_notes', `status = '${status}'`)
})

test("customers' statistics are those of their interactions", async () => {
  const wrong = await value(
    `SELECT count(*)::int FROM insights.customers c LEFT JOIN LATERAL (
       SELECT count(*) AS interactions, count(sentiment) AS sentiments, avg(sentiment) AS mean, max(occurred_at) AS latest
         FROM insights.customer_interactions i WHERE i.tenant_id = c.tenant_id AND i.customer_id = c.id) i ON true
      WHERE (c.interaction_count, c.sentiment_count) <> (i.interactions, i.sentiments)
         OR abs(c.average_sentiment - i.mean) > 1e-9 OR c.last_seen_at < i.latest`,
  )
  expect(wrong).toBe(0)
  expect(Number(await value('SELECT count(*)::int FROM insights.customer_interactions'))).toBeGreaterThan(
    3_000,
  )
})

test('nothing happens in the future', async () => {
  expect(await value('SELECT count(*)::int FROM finance.transactions WHERE occurred_at > now()')).toBe(0)
  expect(await value('SELECT count(*)::int FROM insights.customers WHERE last_seen_at > now()')).toBe(0)
  expect(
    await value(
      'SELECT count(*)::int FROM tenancy.invoices WHERE greatest(issued_at, paid_at, voided_at, created_at) > now()',
    ),
  ).toBe(0)
  expect(
    await value(
      'SELECT count(*)::int FROM tenancy.credit_notes WHERE greatest(issued_at, voided_at, created_at) > now()',
    ),
  ).toBe(0)
  expect(await value('SELECT count(*)::int FROM shared.audit_logs WHERE occurred_at > now()')).toBe(0)
})

test('an operator entered for a reason: the entry, and what was asked for, stand in the trail of the tenant alone', async () => {
  for (const slug of demoSlugs) {
    const { rows } = await client.query<{
      reason: string
      sensitive: boolean
      ended: boolean
      trail: string
    }>(
      `SELECT e.reason, e.reads_sensitive AS sensitive, e.ended_at IS NOT NULL AS ended,
              string_agg(concat_ws(' ', a.action, a.changes #>> '{read,fields,0}'), ', ' ORDER BY a.occurred_at) AS trail
         FROM tenancy.operator_entries e JOIN shared.audit_logs a ON (a.tenant_id, a.resource_id) = (e.tenant_id, e.id::text)
          AND a.resource_type = 'OperatorEntry' AND a.actor_id = e.operator_id
        WHERE e.tenant_id = $1 GROUP BY e.id, e.reason, e.reads_sensitive, e.ended_at ORDER BY e.id`,
      [demoTenantIds[slug]],
    )
    expect(rows).toEqual([
      {
        reason: 'Ticket 4711: the administrator finds a bill twice in the list of what is open',
        ...{ sensitive: false, ended: true, trail: 'CREATE, VIEW invoices, VIEW invoiceSummary, UPDATE' },
      },
      {
        reason:
          'Ticket 4802, with the administrator on the telephone: salaries of one department are not shown',
        ...{ sensitive: true, ended: false, trail: 'CREATE, VIEW employees' },
      },
    ])
  }
})
