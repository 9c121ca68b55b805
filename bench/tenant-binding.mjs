import { mkdtempSync, chmodSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import embedded from '../dist/database/embedded.js'
import databases from '../dist/kernel/connection/database.js'
import ids from '../dist/kernel/id.js'
import values from '../dist/kernel/connection/row-values.js'
import { numbersFrom } from './measure/arguments.mjs'

const usage = `node bench/tenant-binding.mjs [rounds] [seconds]      (after npm run build)

Holds what the tenant binding costs, against a prepared query that knows no tenant.

Starts its own PostgreSQL in a temporary folder. Every form reads one row by its whole key; the forms take turns
in every round, and the medians are printed as ratios to the first.`
const [rounds, seconds] = numbersFrom(usage, 60, 0.2)
const connections = 4
const workers = 8

const dataDir = mkdtempSync(join(tmpdir(), 'tenant-binding-'))
chmodSync(dataDir, 0o755)
const server = await embedded.startEmbedded({
  dataDir,
  durable: false,
  log: { info: () => undefined, error: console.error },
})

const tenants = Array.from({ length: 50 }, () => ids.uuidv7())
const keys = []
const owner = new pg.Client(server.superuserUrl())
await owner.connect()
await owner.query(`
  CREATE ROLE app LOGIN PASSWORD 'app';
  CREATE TABLE open (tenant_id uuid, id uuid, body text, at timestamptz(3), amount bigint, PRIMARY KEY (tenant_id, id));
  CREATE TABLE walled (LIKE open INCLUDING ALL);
  ALTER TABLE walled ENABLE ROW LEVEL SECURITY;
  CREATE POLICY tenant ON walled USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
  GRANT SELECT ON open, walled TO app;
`)
for (const tenantId of tenants) {
  const own = Array.from({ length: 200 }, () => ids.uuidv7())
  for (const id of own) keys.push({ tenantId, id })
  for (const table of ['open', 'walled'])
    await owner.query(`INSERT INTO ${table} SELECT $1, unnest($2::uuid[]), 'a note', now(), 42`, [
      tenantId,
      own,
    ])
}
await owner.query('VACUUM ANALYZE')
await owner.end()

const url = new URL(server.superuserUrl())
url.username = 'app'
url.password = 'app'
const select = (table) => `SELECT id, body, at, amount FROM ${table} WHERE tenant_id = $1 AND id = $2`
const pool = new pg.Pool({ connectionString: url.href, max: connections, types: values.rowTypes })
pool.on('error', () => undefined) // the server ends before the last connection has

async function withClient(work) {
  const client = await pool.connect()
  try {
    return await work(client)
  } finally {
    client.release()
  }
}

const open = (mode) =>
  databases.openDatabase({ url: url.href, entities: [], connections, mode, applicationName: 'bench' })
const bound = {
  prepared: await open('prepared'),
  unnamed: await open('unnamed'),
  pipeline: await open('pipeline'),
}
const read =
  (mode) =>
  ({ tenantId, id }) =>
    bound[mode].rows({ tenantId }, { name: 'walled', text: select('walled'), values: [tenantId, id] })

const forms = {
  'named query, no tenant, no row level security': ({ tenantId, id }) =>
    withClient(async (client) => {
      const query = { name: 'open', text: select('open'), values: [tenantId, id], rowMode: 'array' }
      return (await client.query(query)).rows
    }),
  'bound, prepared': read('prepared'),
  'bound, pipeline': read('pipeline'),
  'bound, unnamed': read('unnamed'),
  'BEGIN / set_config / named query / COMMIT': ({ tenantId, id }) =>
    withClient(async (client) => {
      await client.query('BEGIN')
      await client.query({
        name: 'set',
        text: "SELECT set_config('app.tenant_id', $1, true)",
        values: [tenantId],
      })
      const query = { name: 'walled', text: select('walled'), values: [tenantId, id], rowMode: 'array' }
      const { rows } = await client.query(query)
      await client.query('COMMIT')
      return rows
    }),
}

/** Queries per second. */
async function measure(form, forSeconds) {
  let done = 0
  const until = performance.now() + forSeconds * 1000
  const began = performance.now()
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (performance.now() < until) {
        const key = keys[Math.floor(Math.random() * keys.length)]
        const rows = await form(key)
        if (rows.length !== 1 || rows[0][0] !== key.id) throw new Error('wrong row')
        done += 1
      }
    }),
  )
  return (done / (performance.now() - began)) * 1000
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

const names = Object.keys(forms)
const results = new Map(names.map((name) => [name, []]))
for (const name of names) await measure(forms[name], 0.5)
for (let round = 0; round < rounds; round += 1) {
  const turn = names.slice(round % names.length).concat(names.slice(0, round % names.length))
  const speeds = {}
  for (const name of turn) speeds[name] = await measure(forms[name], seconds)
  for (const name of names) results.get(name).push(speeds[name] / speeds[names[0]])
}
console.log(`Node ${process.version}, PostgreSQL ${server.version}, ${rounds} rounds of ${seconds} s`)
for (const [name, ratios] of results)
  console.log(
    `${median(ratios).toFixed(2)}  (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})  ${name}`,
  )

for (const db of Object.values(bound)) await db.close()
await pool.end()
await server.stop()
rmSync(dataDir, { recursive: true, force: true })
