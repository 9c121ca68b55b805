import type { ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { verifyTenants } from '../../database/audit/verify'
import { makeTenantKeys } from '../../database/encrypt-rows'
import { openBlobs } from '../../kernel/blobs/open-blobs'
import { uuidv7 } from '../../kernel/id'
import { tokenKeys } from '../../kernel/sign-in/token-keys'
import { runChild, type Child } from '../gateway/fixtures/child'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { ledgerKeys } from './ledger-keys'

/**
 * Issue 13: a ledger that processes write who are killed at random moments. Each entry is there once, and so are its events and
 * its place in the sealed trail.
 */
const tenants = [uuidv7(), uuidv7()].sort()
const rounds = 5
const entriesPerRound = 40
const entriesPerTenant = rounds * entriesPerRound
const dataDir = mkdtempSync(join(tmpdir(), 'ledger-'))
const { privateKey } = generateKeyPairSync('ed25519')
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
  await makeTenantKeys(owner, ledgerKeys())
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await owner?.end()
  await database?.drop()
  rmSync(dataDir, { recursive: true, force: true })
})

async function begin(): Promise<Child> {
  const urls = [database.urlFor('hr'), database.urlFor('gateway'), database.urlFor('compliance')]
  const child = runChild('test/process/do-jobs.ts', [...urls, dataDir, ...tenants], {
    AUDIT_PRIVATE_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })),
  })
  children.add(child.process)
  await child.printed(/./)
  return child
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

const numbers = async (text: string) =>
  (await owner.query<{ tenant: string; places: number[] }>(text)).rows.map(({ places }) => places)
const count = async (from: string) =>
  (await owner.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${from}`)).rows[0]!.rows
const jobs = (condition: string) => count(`shared.jobs WHERE ${condition}`)

/** Ends leases at once, or the test would last for as many minutes as there are kills. */
const endLeases = () => owner.query("UPDATE shared.jobs SET lease_until = now() WHERE state = 'RUNNING'")

test('each entry stands there once, so do its events, in order, and its place in the sealed trail', async () => {
  for (let round = 0; round < rounds - 1; round++) {
    await addEntries(round)
    const pair = await Promise.all([begin(), begin()])
    while ((await jobs("state = 'RUNNING'")) === 0 && (await jobs("state <> 'DONE'")) > 0) await sleep(5)
    await sleep(round * Math.random() * 100)
    for (const { process: child } of pair) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      children.delete(child)
    }
    await endLeases()
  }
  // Before the last one begins, some events have left and some have not.
  const before = await owner.query<{ dispatched: number }>(
    `SELECT coalesce(p.dispatched, 0)::int AS dispatched FROM tenancy.tenants t
      LEFT JOIN shared.event_positions p ON p.tenant_id = t.id ORDER BY t.id`,
  )
  await addEntries(rounds - 1)
  const last = await begin()
  while ((await jobs("state <> 'DONE'")) > 0) await sleep(50)
  const left = `shared.outbox_events e LEFT JOIN shared.event_positions p USING (tenant_id)
    WHERE e.position IS NULL OR e.position > p.dispatched`
  const unsealed = 'shared.audit_logs WHERE position IS NULL'
  const unsigned = 'shared.audit_chains WHERE signed_position < position'
  while ((await count(left)) + (await count(unsealed)) + (await count(unsigned)) > 0) await sleep(50)
  const upTo = (most: number, from = 0) => Array.from({ length: most - from }, (_, place) => from + place)
  const ledger = (value: string, from: string, order = value) =>
    numbers(
      `SELECT tenant_id AS tenant, array_agg(${value} ORDER BY ${order}) AS places FROM ${from} GROUP BY 1 ORDER BY 1`,
    )
  const whole = tenants.map(() => upTo(entriesPerTenant))
  expect(await ledger('resource_id::int', "shared.audit_logs WHERE resource_type = 'Ledger'")).toEqual(whole)
  for (const event of ['made', 'kept'])
    expect(
      await ledger("(payload->>'place')::int", `shared.outbox_events WHERE event_type = 'hr.entry-${event}'`),
    ).toEqual(whole)
  expect(await jobs('attempts > 1')).toBeGreaterThan(0)

  // Events: positions without a gap, those of one entry in the order in which they were written.
  const positions = await ledger('position::int', 'shared.outbox_events')
  expect(positions).toEqual(tenants.map(() => upTo(2 * entriesPerTenant + 1, 1)))
  const wrong = `shared.outbox_events a JOIN shared.outbox_events b USING (tenant_id, aggregate_id)
    WHERE a.seq < b.seq AND a.position > b.position`
  expect(await count(wrong)).toBe(0)
  // The log of the last process has those that had not left before it, each once.
  last.process.kill('SIGUSR2')
  const [, printed] = await last.printed(/^log (.*)$/m)
  const logs = JSON.parse(printed!) as [number, string][][]
  const ids = await ledger('id::text', 'shared.outbox_events', 'position')
  expect(logs.map((log) => log.length > 0)).toEqual([true, true])
  for (const [place, log] of logs.entries()) {
    const from = log[0]![0]
    expect(from).toBe(before.rows[place]!.dispatched + 1)
    expect(log).toEqual(upTo(2 * entriesPerTenant + 1, from).map((at) => [at, ids[place]![at - 1]]))
  }

  // The trail: every entry has its place, and the chain and its checkpoints hold.
  const reports = await verifyTenants({
    migratorUrl: database.migratorUrl,
    blobs: openBlobs({ s3: null, dataDir }),
    keys: tokenKeys(privateKey),
  })
  expect(
    reports.map(({ entries, end, signedTo, unsealed, faults }) => ({
      entries,
      end,
      signedTo,
      unsealed,
      faults,
    })),
  ).toEqual(
    tenants.map(() => ({
      ...{ entries: entriesPerTenant, end: entriesPerTenant, signedTo: entriesPerTenant },
      ...{ unsealed: 0, faults: [] },
    })),
  )
}, 300_000)
