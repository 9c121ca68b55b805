/**
 * Streams of changes: 500 of them in two tenants while 10,000 changes are told. Says how late a single change is, how many
 * messages a process sends, what that takes of memory, and that no stream ever shows a row of the other tenant.
 */
import http from 'node:http'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import databaseServers from '../dist/database/index.js'
import demo from '../dist/database/demo/index.js'
import ids from '../dist/kernel/id.js'
import configs from '../dist/kernel/process/config.js'
import logs from '../dist/kernel/process/log.js'
import servers from '../dist/product/server.js'

const usage = `node bench/live.mjs [options]      (after npm run build)

Starts the product with its own PostgreSQL in a temporary folder; the clients are in this process too.

--streams N   of both tenants together, default 500
--events N    of both tenants together, default 10000
--rows N      that change, in each tenant, default 200
--seconds N   in which the events come, default 60
--help`
const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '500' },
    events: { type: 'string', default: '10000' },
    rows: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const [streamCount, eventCount, rowCount, seconds] = ['streams', 'events', 'rows', 'seconds'].map((name) =>
  Number(values[name]),
)
const slugs = ['acme', 'globex']
const password = 'correct horse battery'

const dataDir = mkdtempSync(join(tmpdir(), 'bench-live-'))
chmodSync(dataDir, 0o755)
const config = configs.loadConfig({
  NODE_ENV: 'test',
  PORT: '0',
  DATA_DIR: dataDir,
  LOG_LEVEL: 'error',
  JOBS: 'off',
  TENANT_COST_PER_MINUTE: '999999999',
})
const database = await databaseServers.prepareDatabase(config, logs.createLogger(config))
const owner = new pg.Client(database.migratorUrl)
await owner.connect()
await owner.query('BEGIN')
await demo.insertDemoData(owner, { password, rounds: 4 })
await owner.query('COMMIT')
const limits = { perSession: streamCount, perUser: streamCount, perTenant: streamCount }
const server = await servers.startServer({
  config,
  log: logs.createLogger(config),
  database,
  live: { limits },
})

async function ask(token, query, variables) {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

async function prepareTenant(slug) {
  const input = { tenant: slug, email: `admin@${slug}.example`, password }
  const signIn = 'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }'
  const { accessToken: token } = (await ask(null, signIn, { input })).signIn
  const { tenant } = await ask(token, '{ tenant { id } }')
  const add =
    'mutation ($input: CreateDepartmentInput!) { createDepartment(input: $input) { department { id } } }'
  const rows = []
  for (let row = 0; row <= rowCount; row++)
    rows.push((await ask(token, add, { input: { name: `Bench ${row}` } })).createDepartment.department.id)
  return { slug, token, id: tenant.id, last: rows.pop(), rows: new Set(rows), streams: [] }
}

let foreign = 0
let messages = 0

/** A stream; `seen` are the rows that it showed, `onShown` is called with each. */
async function openStream(tenant) {
  const query = 'subscription { departmentChanged { kind cursor department { id name version } } }'
  const request = http.request(server.url, {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${tenant.token}`,
    },
  })
  request.end(JSON.stringify({ query }))
  const response = await new Promise((resolve, reject) => request.on('response', resolve).on('error', reject))
  if (response.statusCode !== 200) throw new Error(`A stream is refused: ${response.statusCode}`)
  const stream = { seen: new Set(), resets: 0, onShown: () => undefined, close: () => response.destroy() }
  let text = ''
  response.setEncoding('utf8').on('error', () => undefined)
  response.on('data', (chunk) => {
    const lines = (text + chunk).split('\n')
    text = lines.pop()
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue
      const { department } = JSON.parse(line.slice(6)).data.departmentChanged
      messages += 1
      if (!department) stream.resets += 1
      else {
        if (!tenant.rows.has(department.id) && department.id !== tenant.last) foreign += 1
        stream.seen.add(department.id)
        stream.onShown(department.id)
      }
    }
  })
  return stream
}

const insert = `INSERT INTO shared.outbox_events (tenant_id, id, aggregate_type, aggregate_id, event_type, payload)
  SELECT $1, unnest($2::uuid[]), 'Department', unnest($3::uuid[]), 'updated', '{"version": 2, "fields": ["name"]}'`
const writer = new pg.Client(database.migratorUrl)
await writer.connect()
const tell = (tenant, rows) => writer.query(insert, [tenant.id, rows.map(() => ids.uuidv7()), rows])
const megabytes = () => {
  globalThis.gc?.()
  return Math.round(process.memoryUsage().rss / 1e6)
}
const shownTo = (tenant, id) =>
  Promise.all(
    tenant.streams.map(
      (stream) =>
        new Promise((resolve) => {
          stream.onShown = (shown) => shown === id && resolve(performance.now())
        }),
    ),
  )

try {
  const tenants = []
  for (const slug of slugs) tenants.push(await prepareTenant(slug))
  await server.dispatchEvents()
  const memory = { before: megabytes() }
  for (const tenant of tenants)
    for (let count = 0; count < streamCount / tenants.length; count++)
      tenant.streams.push(await openStream(tenant))
  memory.opened = megabytes()

  const late = []
  for (let round = 0; round < 20; round++) {
    const tenant = tenants[round % tenants.length]
    const [row] = tenant.rows
    const shown = shownTo(tenant, row)
    const started = performance.now()
    await tell(tenant, [row])
    await server.dispatchEvents()
    late.push(...(await shown).map((at) => at - started))
  }
  late.sort((a, b) => a - b)
  const share = (part) => late[Math.floor((late.length - 1) * part)].toFixed(0)
  console.log(
    `one change, shown to ${streamCount / tenants.length} streams: median ${share(0.5)} ms, 95 % ${share(0.95)} ms, last ${share(1)} ms`,
  )

  const started = performance.now()
  const sentBefore = messages
  let peak = 0
  const turns = seconds * 4
  for (let turn = 0; turn < turns; turn++) {
    const due = Math.ceil(eventCount / tenants.length / turns)
    for (const tenant of tenants) {
      const rows = [...tenant.rows]
      await tell(
        tenant,
        Array.from({ length: due }, (_, place) => rows[(turn * due + place) % rows.length]),
      )
    }
    await server.dispatchEvents()
    peak = Math.max(peak, megabytes())
    const wait = started + (turn + 1) * 250 - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
  }
  const ends = tenants.map((tenant) => shownTo(tenant, tenant.last))
  for (const tenant of tenants) await tell(tenant, [tenant.last])
  await server.dispatchEvents()
  await Promise.all(ends)
  const took = (performance.now() - started) / 1000
  const streams = tenants.flatMap((tenant) => tenant.streams.map((stream) => ({ tenant, stream })))
  const missing = streams.filter(
    ({ tenant, stream }) => stream.resets === 0 && [...tenant.rows].some((row) => !stream.seen.has(row)),
  )
  const resets = streams.reduce((sum, { stream }) => sum + stream.resets, 0)
  const sent = messages - sentBefore
  console.log(
    `${eventCount} changes of ${rowCount * tenants.length} rows, ${streamCount} streams: ${sent} messages in ${took.toFixed(1)} s, ${Math.round(sent / took)} a second`,
  )
  console.log(
    `memory, clients included: ${memory.before} MB before, ${memory.opened} MB open, ${peak} MB at most`,
  )
  console.log(`foreign ids: ${foreign}; streams that miss a row: ${missing.length}; resets: ${resets}`)
  for (const { stream } of streams) stream.close()
  if (foreign + missing.length > 0) process.exitCode = 1
} finally {
  await server.close()
  await Promise.all([owner.end(), writer.end()])
  await database.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
