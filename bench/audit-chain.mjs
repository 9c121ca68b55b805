import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'

const usage = `node bench/audit-chain.mjs [options]      (after npm run build)

Writes entries of the audit trail for one tenant, seals them, verifies them, exports them and verifies the export; prints
seconds, entries a second, and the most memory that this process had.

--entries N    default 1000000
--help`

const { values } = parseArgs({
  options: { entries: { type: 'string', default: '1000000' }, help: { type: 'boolean', short: 'h' } },
})
if (values.help) {
  console.log(usage)
  process.exit()
}
const entries = Number(values.entries)

const load = async (path) => (await import(`../dist/${path}.js`)).default
const { startEmbedded } = await load('database/embedded')
const { databaseStatements, migratorRole, rolePassword, roleStatements, underRolesLock } =
  await load('database/roles')
const { asOwner, migrateUp } = await load('database/migrate')
const { createTenant } = await load('database/tenants')
const { verifyTenants } = await load('database/audit/verify')
const { exportTenant } = await load('database/audit/export')
const { openBlobs } = await load('kernel/blobs/open-blobs')
const { openDatabase } = await load('kernel/connection/database')
const { createLogger } = await load('kernel/process/log')
const { sealDue } = await load('kernel/sealing/seal-due')
const { tokenKeys } = await load('kernel/sign-in/token-keys')
const { default: pg } = await import('pg')
const { execFileSync } = await import('node:child_process')
const { chmodSync } = await import('node:fs')

const folder = mkdtempSync(join(tmpdir(), 'audit-bench-'))
chmodSync(folder, 0o755)
const quiet = { info: () => undefined, error: console.error }
const server = await startEmbedded({ dataDir: folder, durable: false, log: quiet })
let mostMemory = 0
const watch = setInterval(() => (mostMemory = Math.max(mostMemory, process.memoryUsage().rss)), 100)

async function timed(name, work) {
  const before = performance.now()
  const note = await work()
  const seconds = (performance.now() - before) / 1000
  const rate = Math.round(entries / seconds).toLocaleString('en')
  console.log(
    `${name.padEnd(28)} ${seconds.toFixed(1).padStart(7)} s   ${rate.padStart(9)} entries/s   ${note ?? ''}`,
  )
}

try {
  const secret = 'a-secret-of-the-benchmark-of-the-audit-trail'
  const superuser = new pg.Client({ connectionString: server.superuserUrl() })
  await superuser.connect()
  const migratorPassword = rolePassword(secret, migratorRole)
  await underRolesLock(superuser, roleStatements({ secret, migrator: migratorRole, migratorPassword }))
  await superuser.query('CREATE DATABASE bench OWNER app_owner')
  await underRolesLock(superuser, databaseStatements('bench'))
  await superuser.end()
  const urlOf = (role, password) => {
    const url = new URL(server.superuserUrl('bench'))
    url.username = role
    url.password = password
    return url.href
  }
  const migratorUrl = asOwner(urlOf(migratorRole, migratorPassword))
  await migrateUp(migratorUrl)
  const owner = new pg.Client({ connectionString: migratorUrl })
  await owner.connect()
  await owner.query('SELECT shared.ensure_partitions(0, 2)')
  const tenantId = await createTenant(owner, { slug: 'acme', name: 'Acme' })
  await timed('write (one statement)', () =>
    owner
      .query(
        `INSERT INTO shared.audit_logs (tenant_id, occurred_at, id, actor_id, action, resource_type, resource_id, changes,
           ip_address, user_agent, request_id)
         SELECT $1, now() - make_interval(secs => n * 3), gen_random_uuid(), gen_random_uuid(), 'UPDATE', 'Customer',
           gen_random_uuid()::text, jsonb_build_object('before', jsonb_build_object('lifetimeValue', n, 'segment', 'SMB'),
             'after', jsonb_build_object('lifetimeValue', n + 1, 'segment', 'ENTERPRISE')),
           '10.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', gen_random_uuid()::text
           FROM generate_series(1, $2::int) n`,
        [tenantId, entries],
      )
      .then(() => undefined),
  )
  await owner.query('ANALYZE shared.audit_logs')
  const keys = tokenKeys(generateKeyPairSync('ed25519').privateKey)
  const blobs = openBlobs({ s3: null, dataDir: folder })
  const log = createLogger({ logLevel: 'silent' })
  const database = await openDatabase({
    url: urlOf('app_compliance', rolePassword(secret, 'app_compliance')),
    ...{ entities: [], connections: 3, applicationName: 'bench' },
  })
  await timed('seal', async () => {
    const sealing = { database, blobs, keys, clock: { now: () => new Date() }, log }
    for (let done; !done || done.entries > 0;) done = await sealDue(sealing, [tenantId], { sign: true })
  })
  await database.close()
  await timed('verify', async () => {
    const [{ faults, end }] = await verifyTenants({ migratorUrl, blobs, keys })
    if (faults.length > 0 || end !== entries) throw new Error(JSON.stringify({ faults, end }))
    return `most memory ${Math.round(mostMemory / 2 ** 20)} MB`
  })
  const to = join(folder, 'export')
  await timed('export', async () => {
    await exportTenant({ migratorUrl, blobs, keys, slug: 'acme', now: new Date() }, to)
  })
  await timed('verify the export', async () => {
    return execFileSync(process.execPath, [join(to, 'verify-export.mjs')], { encoding: 'utf8' }).trim()
  })
  await owner.query('UPDATE shared.audit_logs SET resource_id = $2 WHERE tenant_id = $1 AND position = $3', [
    ...[tenantId, 'x', Math.ceil(entries / 2)],
  ])
  await timed('verify, one byte changed', async () => {
    const [{ faults }] = await verifyTenants({ migratorUrl, blobs, keys })
    return faults.map(({ message }) => message).join('; ')
  })
  await owner.end()
} finally {
  clearInterval(watch)
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}
