import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { exportTenant } from '../../database/audit/export'
import { verifyTenants, type TenantReport } from '../../database/audit/verify'
import { openBlobs } from '../../kernel/blobs/open-blobs'
import type { BlobStore } from '../../kernel/blobs/blob-store'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { createLogger } from '../../kernel/process/log'
import { uuidv7 } from '../../kernel/id'
import { entryOf, genesis, linkText, sha256 } from '../../kernel/sealing/chain'
import { sealDue } from '../../kernel/sealing/seal-due'
import { tokenKeys } from '../../kernel/sign-in/token-keys'
import { cheapBcrypt } from '../support/bcrypt'
import { startGraph, TestClock, type TestGraph, type TestTenant } from '../support/graph'

const run = promisify(execFile)

/** The keys that sign in these tests. */
export const keys = tokenKeys(generateKeyPairSync('ed25519').privateKey)

export let graph: TestGraph
export let database: Database
export let folder: string
export let blobs: BlobStore
export let clock: TestClock
export let tenant: TestTenant
let tenants = 0

/** Gives the file a graph, and each test a tenant, a clock and a folder of its own. */
export function keepTrails(): void {
  beforeAll(async () => {
    cheapBcrypt()
    graph = await startGraph()
    const url = graph.database.urlFor('compliance')
    database = await openDatabase({ url, entities: [], connections: 6, applicationName: 'audit test' })
  })

  afterAll(async () => {
    await database?.close()
    await graph?.close()
  })

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'audit-'))
    blobs = openBlobs({ s3: null, dataDir: folder })
    clock = new TestClock()
    await nextTenant()
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))
}

/** Goes on with another tenant: a new one when none is given. */
export async function nextTenant(given?: TestTenant): Promise<void> {
  tenant = given ?? (await graph.tenant(`chained-${++tenants}`))
}

export const query = async (text: string, values: unknown[] = []) =>
  (await graph.owner.query<Record<string, unknown>>(text, values)).rows

/** Writes entries of the tenant as they come from anywhere. */
export async function write(
  count: number,
  at: Date | string = new Date(),
  changes = '{"after": {"name": "x"}}',
) {
  // Later entries have later ids, also within a millisecond: entries of one instant are sealed in that order.
  const ids = Array.from({ length: count }, (_, place) => uuidv7(Date.now() + place))
  for (const [place, id] of ids.entries())
    await query(
      `INSERT INTO shared.audit_logs (tenant_id, occurred_at, id, actor_id, action, resource_type, resource_id, changes,
         ip_address, user_agent, request_id) VALUES ($1, $2, $3, $4, 'UPDATE', 'Thing', $5, $6, '10.0.0.1', 'agent "ü"', 'r')`,
      [tenant.id, at, id, uuidv7(), `thing-${place}`, changes],
    )
}

export const sealing = () => ({ database, blobs, keys, clock, log: createLogger(graph.config) })
export const seal = (sign = true) => sealDue(sealing(), [tenant.id], { sign })

export async function verify(): Promise<TenantReport> {
  const [report] = await verifyTenants({
    migratorUrl: graph.database.migratorUrl,
    blobs,
    keys,
    slug: tenant.slug,
  })
  return report!
}

export const faults = async () => (await verify()).faults.map(({ kind, position }) => `${kind} ${position}`)
export const change = (set: string, position: number) =>
  query(`UPDATE shared.audit_logs SET ${set} WHERE tenant_id = $1 AND position = $2`, [tenant.id, position])
export const positions = async () =>
  (
    await query('SELECT position FROM shared.audit_logs WHERE tenant_id = $1 ORDER BY position', [tenant.id])
  ).map((row) => Number(row['position']))

/** Gives every entry the hash that it has now, as somebody does who owns the database and knows how. */
export async function hashAnew(): Promise<void> {
  const { rows } = await graph.owner.query<unknown[]>({
    text: `SELECT id, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), actor_id, action, resource_type,
        resource_id, changes::text, ip_address, user_agent, request_id FROM shared.audit_logs
      WHERE tenant_id = $1 AND position IS NOT NULL ORDER BY position`,
    values: [tenant.id],
    rowMode: 'array',
  })
  let hash = genesis
  for (const [place, row] of rows.entries()) {
    hash = sha256(linkText(hash, place + 1, entryOf(tenant.id, row)))
    await query('UPDATE shared.audit_logs SET position = $3, hash = $4 WHERE tenant_id = $1 AND id = $2', [
      tenant.id,
      row[0],
      place + 1,
      hash,
    ])
  }
  await query(
    'UPDATE shared.audit_chains SET position = $2, hash = $3, signed_position = least(signed_position, $2) WHERE tenant_id = $1',
    [tenant.id, rows.length, hash],
  )
}

let exportCount = 0

/** Exports the tenant's trail, tampers with it, and verifies it elsewhere. */
export async function exported(tamper: (at: string) => void = () => undefined) {
  const to = join(folder, `export-${++exportCount}`)
  const { migratorUrl } = graph.database
  await exportTenant({ migratorUrl, blobs, keys, slug: tenant.slug, now: clock.now() }, to)
  tamper(to)
  // Elsewhere, with nothing of ours: only its own folder.
  return run(process.execPath, [join(to, 'verify-export.mjs')], { cwd: tmpdir(), env: {} }).then(
    ({ stdout }) => ({ code: 0, output: stdout, to }),
    (error: { code: number; stdout: string }) => ({ code: error.code, output: error.stdout, to }),
  )
}
