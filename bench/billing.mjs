import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const usage = `node bench/billing.mjs [options]      (after npm run build)

Bills tenants, each with a subscription of which four monthly periods are due, by workers as the product has them: prints
invoices a second. First the run is killed (kill -9) in the middle and begun again, and the documents are compared: what there
was stays, exactly the missing invoices come, and the numbers have no gap. Then, over new tenants, it runs without being killed.

--tenants N    default 1000
--slots N      jobs at a time, default 4
--help`

const { values } = parseArgs({
  options: {
    tenants: { type: 'string', default: '1000' },
    slots: { type: 'string', default: '4' },
    worker: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  console.log(usage)
  process.exit()
}
const tenants = Number(values.tenants)
const slots = Number(values.slots)
const load = async (path) => (await import(`../dist/${path}.js`)).default
const periods = 4

async function benchKeys() {
  const { DataKeys } = await load('kernel/encryption/data-keys')
  const { keyRing } = await load('kernel/encryption/key-ring')
  return new DataKeys(keyRing(new Map([['bench', Buffer.alloc(32, 1)]])))
}

/** A process that does billing jobs until it is killed. */
async function work(url) {
  const { openDatabase } = await load('kernel/connection/database')
  const { jobWorker } = await load('kernel/jobs/worker')
  const { loadConfig } = await load('kernel/process/config')
  const { createLogger } = await load('kernel/process/log')
  const { systemClock } = await load('kernel/clock')
  const { buildSchema } = await load('kernel/schema/subgraph-schema')
  const { default: tenancy } = await load('subgraphs/tenancy/index')
  const { billing } = await load('subgraphs/tenancy/jobs/billing')
  const config = loadConfig({ NODE_ENV: 'test', LOG_LEVEL: 'error' })
  const database = await openDatabase({
    ...{ url, entities: [...tenancy.entities], connections: slots * 2, applicationName: 'billing' },
  })
  await buildSchema(tenancy, database, {})
  const dataKeys = await benchKeys()
  const services = { clock: systemClock, log: createLogger(config), config, dataKeys }
  jobWorker('tenancy', [billing], database, services, { slots }).start()
  console.log('working')
}

/** A server of PostgreSQL for the databases of the bench, and processes that bill in them. */
async function openServer() {
  const { startEmbedded } = await load('database/embedded')
  const { databaseStatements, migratorRole, rolePassword, roleStatements, underRolesLock } =
    await load('database/roles')
  const { asOwner, migrateUp } = await load('database/migrate')
  const { makeTenantKeys } = await load('database/encrypt-rows')
  const { default: pg } = await import('pg')

  const folder = mkdtempSync(join(tmpdir(), 'billing-bench-'))
  chmodSync(folder, 0o755)
  const log = { info: () => undefined, error: console.error }
  const server = await startEmbedded({ dataDir: folder, durable: true, log })
  const secret = 'a-secret-of-the-benchmark-of-billing-runs'
  const migratorPassword = rolePassword(secret, migratorRole)
  const children = new Set()

  const urlOf = (database, role, password) => {
    const url = new URL(server.superuserUrl(database))
    url.username = role
    url.password = password
    return url.href
  }

  async function database(name) {
    const superuser = new pg.Client({ connectionString: server.superuserUrl() })
    await superuser.connect()
    await underRolesLock(superuser, roleStatements({ secret, migrator: migratorRole, migratorPassword }))
    await superuser.query(`CREATE DATABASE ${name} OWNER app_owner`)
    await underRolesLock(superuser, databaseStatements(name))
    await superuser.end()
    const migratorUrl = asOwner(urlOf(name, migratorRole, migratorPassword))
    await migrateUp(migratorUrl)
    const owner = new pg.Client({ connectionString: migratorUrl })
    await owner.connect()
    await owner.query('SELECT shared.ensure_partitions(0, 2)')
    await owner.query(readFileSync(new URL('billed-tenants.sql', import.meta.url), 'utf8'), [tenants])
    await makeTenantKeys(owner, await benchKeys())
    await owner.query('ANALYZE')
    await owner.query(
      `INSERT INTO shared.jobs (tenant_id, id, subgraph, name, payload, most_attempts)
       SELECT id, gen_random_uuid(), 'tenancy', 'billing', '{}', 100 FROM tenancy.tenants`,
    )
    return owner
  }

  async function begin(name) {
    const url = urlOf(name, 'app_tenancy', rolePassword(secret, 'app_tenancy'))
    const child = spawn(
      process.execPath,
      [fileURLToPath(import.meta.url), '--worker', url, '--slots', `${slots}`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    children.add(child)
    const said = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => null)])
    if (!said) throw new Error('a worker ended before it worked')
    return child
  }

  async function kill(child) {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    children.delete(child)
  }

  async function close() {
    for (const child of children) child.kill('SIGKILL')
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return { database, begin, kill, close }
}

const count = async (owner, table, condition = 'true') =>
  (await owner.query(`SELECT count(*)::int AS rows FROM ${table} WHERE ${condition}`)).rows[0].rows

async function documents(owner) {
  const { rows } = await owner.query(
    `SELECT i.id, md5(to_jsonb(i)::text || (SELECT jsonb_agg(l ORDER BY l.position)::text FROM tenancy.invoice_lines l
        WHERE l.tenant_id = i.tenant_id AND l.invoice_id = i.id)) AS whole FROM tenancy.invoices i`,
  )
  return new Map(rows.map(({ id, whole }) => [id, whole]))
}

/** Waits, unless a job has failed, which it does not do here. */
async function next(owner, milliseconds) {
  const failed = await count(owner, 'shared.jobs', "state IN ('FAILED', 'WAITING') AND attempts > 1")
  if (failed > slots) throw new Error(`${failed} jobs failed: see the log`)
  await sleep(milliseconds)
}

const whole = tenants * periods

/** Kills the worker at half and compares what it left with what stands in the end. */
async function killed({ database, begin, kill }) {
  const owner = await database('killed')
  const first = await begin('killed')
  while ((await count(owner, 'tenancy.invoices')) < whole / 2) await next(owner, 5)
  await kill(first)
  const before = await documents(owner)
  await owner.query("UPDATE shared.jobs SET lease_until = now() WHERE state = 'RUNNING'")
  const second = await begin('killed')
  while ((await count(owner, 'shared.jobs', "state <> 'DONE'")) > 0) await next(owner, 100)
  await kill(second)
  const after = await documents(owner)
  const changed = [...before].filter(([id, text]) => after.get(id) !== text).length
  const { rows } = await owner.query(
    `SELECT count(*)::int AS tenants FROM (SELECT tenant_id FROM tenancy.invoices GROUP BY tenant_id
      HAVING array_agg(invoice_number ORDER BY invoice_number) <> '{INV-000001,INV-000002,INV-000003,INV-000004}'
          OR array_agg(id ORDER BY billed_from) <> array_agg(id ORDER BY invoice_number)) g`,
  )
  const faults = { changed, tenantsWithGaps: rows[0].tenants, missing: whole - after.size }
  if (Object.values(faults).some((each) => each !== 0)) throw new Error(JSON.stringify(faults))
  console.log(
    `killed after ${before.size} of ${whole} invoices; begun again: ${after.size - before.size} more, none changed, no gap`,
  )
  await owner.end()
}

/** Bills everybody in one go. */
async function timed({ database, begin, kill }) {
  const owner = await database('timed')
  const child = await begin('timed')
  const before = performance.now()
  while ((await count(owner, 'shared.jobs', "state <> 'DONE'")) > 0) await next(owner, 100)
  const seconds = (performance.now() - before) / 1000
  await kill(child)
  if ((await count(owner, 'tenancy.invoices')) !== whole) throw new Error('invoices are missing')
  console.log(
    `${tenants} tenants, ${whole} invoices: ${seconds.toFixed(1)} s, ${Math.round(whole / seconds)} invoices/s`,
  )
  await owner.end()
}

/** Bills everybody and prints how long it took. */
async function measure() {
  const server = await openServer()
  try {
    const cores = execFileSync('nproc', { encoding: 'utf8' }).trim()
    console.log(`node ${process.version}, ${cores} cores, PostgreSQL durable, ${slots} slots`)
    await killed(server)
    await timed(server)
  } finally {
    await server.close()
  }
}

await (values.worker ? work(values.worker) : measure())
