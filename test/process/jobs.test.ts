import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { uuidv7 } from '../../kernel/id'
import { runChild } from '../gateway/fixtures/child'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** Issue 13, jobs: a ledger that processes write who are killed at random moments has each entry once. */
const tenants = [uuidv7(), uuidv7()]
const rounds = 5
const entriesPerRound = 40
const entriesPerTenant = rounds * entriesPerRound
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
  }
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await owner?.end()
  await database?.drop()
})

async function begin(): Promise<ChildProcess> {
  const child = runChild('test/process/do-jobs.ts', [database.urlFor('hr')])
  children.add(child.process)
  await child.printed(/./)
  return child.process
}

async function addEntries(round: number): Promise<void> {
  for (const id of tenants)
    for (let entry = 0; entry < entriesPerRound; entry++)
      await owner.query(
        `INSERT INTO shared.jobs (tenant_id, id, subgraph, name, payload, most_attempts)
         VALUES ($1, $2, 'hr', 'entry', $3, 100)`,
        [id, uuidv7(), { place: round * entriesPerRound + entry }],
      )
}

const count = async (condition: string) =>
  (await owner.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM shared.jobs WHERE ${condition}`))
    .rows[0]!.rows

/** Ends leases at once, or the test would last for as many minutes as there are kills. */
const endLeases = () => owner.query("UPDATE shared.jobs SET lease_until = now() WHERE state = 'RUNNING'")

test('each entry stands there once, and so does its event', async () => {
  for (let round = 0; round < rounds; round++) {
    await addEntries(round)
    const pair = await Promise.all([begin(), begin()])
    while ((await count("state = 'RUNNING'")) === 0 && (await count("state <> 'DONE'")) > 0) await sleep(5)
    await sleep(round * Math.random() * 100)
    for (const child of pair) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      children.delete(child)
    }
    await endLeases()
  }
  await begin()
  while ((await count("state <> 'DONE'")) > 0) await sleep(50)
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
