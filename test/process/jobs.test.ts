import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { uuidv7 } from '../../kernel/id'
import { projectRoot } from '../../kernel/process/config'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** Issue 13, jobs: a ledger that processes write who are killed at random moments has each entry once. */
const tenants = [uuidv7(), uuidv7()]
const entriesPerTenant = 150
let database: TestDatabase
let owner: Client
const children = new Set<ChildProcess>()

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  for (const [place, id] of tenants.entries()) {
    await owner.query('INSERT INTO tenancy.tenants (id, name, slug) VALUES ($1, $2, $2)', [
      id,
      `tenant-${place}`,
    ])
    for (let entry = 0; entry < entriesPerTenant; entry++)
      await owner.query(
        `INSERT INTO shared.jobs (tenant_id, id, subgraph, name, payload, most_attempts)
         VALUES ($1, $2, 'hr', 'entry', $3, 100)`,
        [id, uuidv7(), { place: entry }],
      )
  }
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await owner?.end()
  await database?.drop()
})

async function begin(): Promise<ChildProcess> {
  const args = ['--require', join(projectRoot, 'test/support/typescript.js')]
  const file = join(projectRoot, 'test/process/do-jobs.ts')
  const child = spawn(process.execPath, [...args, file, database.urlFor('hr')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  await once(child.stdout!, 'data')
  return child
}

const waiting = async () =>
  (await owner.query<{ left: number }>("SELECT count(*)::int AS left FROM shared.jobs WHERE state <> 'DONE'"))
    .rows[0]!.left

test('each entry stands there once, and so does its event', async () => {
  let kills = 0
  while ((await waiting()) > 0) {
    const pair = await Promise.all([begin(), begin()])
    await sleep(Math.random() * 700)
    for (const child of pair) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      children.delete(child)
      kills++
    }
    // Leases end at once here, or the test would last for as many minutes as there are kills.
    await owner.query("UPDATE shared.jobs SET lease_until = now() WHERE state = 'RUNNING'")
  }
  expect(kills).toBeGreaterThan(2)
  const ledger = (table: string, place: string) =>
    owner.query<{ tenant: string; places: number[] }>(
      `SELECT tenant_id AS tenant, array_agg(${place}::int ORDER BY ${place}::int) AS places FROM ${table} GROUP BY 1 ORDER BY 1`,
    )
  const whole = [...tenants].sort().map((tenant) => ({
    tenant,
    places: Array.from({ length: entriesPerTenant }, (_, place) => place),
  }))
  expect(
    (await ledger("(SELECT * FROM shared.audit_logs WHERE resource_type = 'Ledger') l", 'resource_id')).rows,
  ).toEqual(whole)
  expect((await ledger('shared.outbox_events', "(payload->>'place')")).rows).toEqual(whole)
  const { rows } = await owner.query('SELECT max(attempts) > 1 AS interrupted FROM shared.jobs')
  expect(rows).toEqual([{ interrupted: true }])
}, 300_000)
