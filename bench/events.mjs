import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import databaseServers from '../dist/database/index.js'
import clocks from '../dist/kernel/clock.js'
import databases from '../dist/kernel/connection/database.js'
import openKeys from '../dist/kernel/encryption/open-keys.js'
import dispatchers from '../dist/kernel/events/dispatcher.js'
import ids from '../dist/kernel/id.js'
import workers from '../dist/kernel/jobs/worker.js'
import configs from '../dist/kernel/process/config.js'
import logs from '../dist/kernel/process/log.js'
import memoryStores from '../dist/kernel/store/key-value-memory.js'
import redisStores from '../dist/kernel/store/key-value-redis.js'
import statements from '../dist/kernel/statement.js'
import { numbersFrom } from './measure/arguments.mjs'

const usage = `node bench/events.mjs [events] [jobs]      (after npm run build)

What brings events from the outbox to the log, and how many jobs a process does.

Starts its own PostgreSQL, durable as the product's, in a temporary folder. With REDIS_URL events go to Redis as well.`
const [eventCount, jobCount] = numbersFrom(usage, 10_000, 4_000)
const tenantCount = 20

const dataDir = mkdtempSync(join(tmpdir(), 'bench-events-'))
chmodSync(dataDir, 0o755)
const config = configs.loadConfig({ NODE_ENV: 'test', DATA_DIR: dataDir, LOG_LEVEL: 'error' })
const log = logs.createLogger(config)
const server = await databaseServers.prepareDatabase(config, log)
const owner = new pg.Client(server.migratorUrl)
await owner.connect()
const dataKeys = openKeys.openDataKeys(config, () => undefined)
const tenants = Array.from({ length: tenantCount }, () => ids.uuidv7())
for (const [place, id] of tenants.entries())
  await owner.query('INSERT INTO tenancy.tenants (id, name, slug) VALUES ($1, $2, $2)', [
    id,
    `tenant-${place}`,
  ])

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
