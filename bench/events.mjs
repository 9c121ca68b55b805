import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const usage = `node bench/events.mjs [options]      (after npm run build)

Prints how fast events go from the outbox to the log, and how many jobs without effect a process does. Starts its own
PostgreSQL, durable as the product's, in a temporary folder. With REDIS_URL events go to Redis as well.

--events N    default 10000; a multiple of 20, which is the number of tenants
--jobs N      default 4000; likewise
--help`

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000' },
    jobs: { type: 'string', default: '4000' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  console.log(usage)
  process.exit()
}
const tenantCount = 20
const [eventCount, jobCount] = [values.events, values.jobs].map((count) => {
  if (Number(count) > 0 && Number(count) % tenantCount === 0) return Number(count)
  console.error(`${count} is no multiple of ${tenantCount}\n\n${usage}`)
  process.exit(2)
})

const load = async (path) => (await import(`../dist/${path}.js`)).default
const { default: pg } = await import('pg')
const databaseServers = await load('database/index')
const { makeTenantKeys } = await load('database/encrypt-rows')
const clocks = await load('kernel/clock')
const databases = await load('kernel/connection/database')
const { openDataKeys } = await load('kernel/encryption/open-keys')
const dispatchers = await load('kernel/events/dispatcher')
const ids = await load('kernel/id')
const workers = await load('kernel/jobs/worker')
const configs = await load('kernel/process/config')
const logs = await load('kernel/process/log')
const memoryStores = await load('kernel/store/key-value-memory')
const redisStores = await load('kernel/store/key-value-redis')
const statements = await load('kernel/statement')

const dataDir = mkdtempSync(join(tmpdir(), 'bench-events-'))
chmodSync(dataDir, 0o755)
const config = configs.loadConfig({ NODE_ENV: 'test', DATA_DIR: dataDir, LOG_LEVEL: 'error' })
const log = logs.createLogger(config)
const server = await databaseServers.prepareDatabase(config, log)
const owner = new pg.Client(server.migratorUrl)
await owner.connect()
const tenants = Array.from({ length: tenantCount }, () => ids.uuidv7())
for (const [place, id] of tenants.entries())
  await owner.query('INSERT INTO tenancy.tenants (id, name, slug) VALUES ($1, $2, $2)', [
    id,
    `tenant-${place}`,
  ])
const dataKeys = openDataKeys(config, () => undefined)
await makeTenantKeys(owner, dataKeys)

const open = (role, connections) =>
  databases.openDatabase({ url: server.urlFor(role), entities: [], connections, applicationName: 'bench' })
const [gateway, hr] = await Promise.all([open('gateway', 6), open('hr', 12)])

/** Milliseconds that the work takes. */
async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}
const line = (what, count, ms) =>
  console.log(
    `${what.padEnd(44)} ${String(count).padStart(7)} in ${(ms / 1000).toFixed(2).padStart(6)} s  ${Math.round((count / ms) * 1000)}/s`,
  )

async function writeEvents() {
  const into = 'INSERT INTO shared.outbox_events (id, aggregate_type, aggregate_id, event_type, payload)'
  const payload = JSON.stringify({ version: 2, fields: ['lastName'] })
  for (const tenantId of tenants) {
    const rows = Array.from({ length: eventCount / tenantCount }, () => [
      ids.uuidv7(),
      'Employee',
      ids.uuidv7(),
      'updated',
      payload,
    ])
    for (const statement of statements.insertStatements(into, rows)) await hr.rows({ tenantId }, statement)
  }
}

async function dispatchTo(name, store) {
  await writeEvents()
  const dispatcher = dispatchers.eventDispatcher({
    database: gateway,
    eventLog: store.eventLog,
    pubSub: store.pubSub,
    log,
  })
  const ms = await timed(async () => {
    if ((await dispatcher.dispatch()) !== eventCount) throw new Error('events are missing')
  })
  line(`events, ${tenantCount} tenants, to ${name}`, eventCount, ms)
  const idle = await timed(async () => {
    for (let look = 0; look < 100; look++) await dispatcher.dispatch()
  })
  console.log(`a look that finds nothing: ${(idle / 100).toFixed(2)} ms`)
  await store.close()
}

async function doJobs(slots) {
  let done = 0
  const job = { name: 'nothing', run: async () => void done++ }
  const services = { clock: clocks.systemClock, log, config, dataKeys }
  const worker = workers.jobWorker('hr', [job], hr, services, { slots })
  for (const tenantId of tenants) {
    const rows = Array.from({ length: jobCount / tenantCount }, () => [ids.uuidv7(), 'nothing'])
    for (const statement of statements.insertStatements('INSERT INTO shared.jobs (id, name)', rows))
      await hr.rows({ tenantId }, statement)
  }
  const ms = await timed(() => worker.runDue())
  if (done !== jobCount) throw new Error(`${done} jobs were done`)
  line(`jobs without effect, ${tenantCount} tenants, ${slots} at a time`, jobCount, ms)
}

try {
  await dispatchTo('this process', memoryStores.openMemoryStore(clocks.systemClock, log))
  if (process.env.REDIS_URL) {
    await dispatchTo('Redis', await redisStores.openRedisStore(process.env.REDIS_URL, log))
  }
  for (const slots of [2, 8]) await doJobs(slots)
} finally {
  await Promise.all([gateway.close(), hr.close(), owner.end()])
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
