import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { makeTenantKeys } from '../../database/encrypt-rows'
import { DataKeys } from '../../kernel/encryption/data-keys'
import { keyRing } from '../../kernel/encryption/key-ring'
import { projectRoot } from '../../kernel/process/project-root'
import { runChild, type Child } from '../gateway/fixtures/child'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** Issue 16: a billing run that is killed in the middle; `bench/billing.mjs` does the same with 1,000 tenants. */
const tenants = 40
/** Periods that are due of each. */
const periods = 4
let database: TestDatabase
let owner: Client
const children = new Set<Child>()

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  await owner.query(readFileSync(join(projectRoot, 'bench', 'billed-tenants.sql'), 'utf8'), [tenants])
  await makeTenantKeys(owner, new DataKeys(keyRing(new Map([['test', Buffer.alloc(32, 1)]]))))
})
afterAll(async () => {
  for (const child of children) child.process.kill('SIGKILL')
  await owner?.end()
  await database?.drop()
})

async function begin(): Promise<Child> {
  const child = runChild('test/process/bill-tenants.ts', [database.urlFor('tenancy')])
  children.add(child)
  await child.printed(/working/)
  return child
}

/** Waits for something that a child does, and throws what it says instead: it logs nothing but errors. */
async function until(child: Child, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) {
    const said = child.stdout().replace('working', '').trim() + child.stderr()
    if (said !== '') throw new Error(said)
    await sleep(2)
  }
}

const askAll = () =>
  owner.query(
    `INSERT INTO shared.jobs (tenant_id, id, subgraph, name, payload, most_attempts)
     SELECT id, gen_random_uuid(), 'tenancy', 'billing', '{}', 100 FROM tenancy.tenants`,
  )

const count = async (table: string, condition = 'true') =>
  (await owner.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${table} WHERE ${condition}`))
    .rows[0]!.rows

/** Everything that an issued invoice says, by its id. */
async function documents(): Promise<Map<string, string>> {
  const { rows } = await owner.query<{ id: string; whole: string }>(
    `SELECT i.id, to_jsonb(i)::text || (SELECT jsonb_agg(l ORDER BY l.position)::text FROM tenancy.invoice_lines l
        WHERE l.tenant_id = i.tenant_id AND l.invoice_id = i.id) AS whole FROM tenancy.invoices i`,
  )
  return new Map(rows.map(({ id, whole }) => [id, whole]))
}

const allDone = (child: Child) =>
  until(child, async () => (await count('shared.jobs', "state <> 'DONE'")) === 0)

test('a billing run that is killed twice bills exactly what was missing, in series without gaps', async () => {
  await askAll()
  let before = new Map<string, string>()
  for (const least of [1, 60]) {
    const child = await begin()
    await until(
      child,
      async () =>
        (await count('tenancy.invoices')) >= least && (await count('shared.jobs', "state = 'RUNNING'")) > 0,
    )
    child.process.kill('SIGKILL')
    await child.exit
    children.delete(child)
    const left = await documents()
    // A tenant has all of its invoices, or none, and what there was stayed as it was.
    const { rows: counts } = await owner.query<{ rows: number }>(
      'SELECT DISTINCT count(*)::int AS rows FROM tenancy.invoices GROUP BY tenant_id',
    )
    expect(counts).toEqual([{ rows: periods }])
    expect(left.size).toBeLessThan(tenants * periods)
    expect(await count('shared.jobs', "state = 'RUNNING'")).toBeGreaterThan(0)
    for (const [id, whole] of before) expect(left.get(id)).toBe(whole)
    before = left
    await owner.query("UPDATE shared.jobs SET lease_until = now() WHERE state = 'RUNNING'")
  }
  expect(before.size).toBeGreaterThanOrEqual(60)
  const last = await begin()
  await allDone(last)
  const whole = await documents()
  for (const [id, text] of before) expect(whole.get(id)).toBe(text)
  const { rows } = await owner.query(
    `SELECT numbers, totals, periods, is_ordered, last_number, count(*)::int AS tenants FROM (
       SELECT array_agg(i.invoice_number ORDER BY i.invoice_number) AS numbers, array_agg(DISTINCT i.total::int) AS totals,
              count(DISTINCT i.billed_from)::int AS periods,
              array_agg(i.id ORDER BY i.issued_at, i.invoice_number) = array_agg(i.id ORDER BY i.invoice_number)
                AND array_agg(i.id ORDER BY i.billed_from) = array_agg(i.id ORDER BY i.invoice_number) AS is_ordered,
              (SELECT s.last_number FROM tenancy.invoice_series s WHERE s.tenant_id = i.tenant_id AND s.series = 'INVOICE')
         FROM tenancy.invoices i GROUP BY i.tenant_id) t GROUP BY 1, 2, 3, 4, 5`,
  )
  const numbers = ['INV-000001', 'INV-000002', 'INV-000003', 'INV-000004']
  expect(rows).toEqual([{ numbers, totals: [7973], periods, is_ordered: true, last_number: 4, tenants }])
  expect(await count('tenancy.tenants', 'billing_fault IS NOT NULL')).toBe(0)
  // What was done while it was killed was done again.
  expect(await count('shared.jobs', 'attempts > 1')).toBeGreaterThan(0)
  await askAll()
  await allDone(last)
  expect(await documents()).toEqual(whole)
  last.process.kill('SIGKILL')
}, 300_000)
