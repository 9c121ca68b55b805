import pg from 'pg'
import servers from '../dist/product/server.js'
import configs from '../dist/kernel/process/config.js'
import logs from '../dist/kernel/process/log.js'
import { layout, prepareScale } from './scale-data.mjs'
import { numbersFrom } from './measure/arguments.mjs'

const usage = `node bench/postings.mjs [rounds] [rows]      (after npm run build)

The list of 20 postings beside the list of 20 transactions, over HTTP, of one tenant that has 100,000 of each; and a trial
balance over all of them.`
const [rounds, rows] = numbersFrom(usage, 60, 100_000)
const scale = await prepareScale(console.log, [layout({ tenants: 1, rows })], 1)
const [place] = scale.places
await place.renew()
const config = configs.loadConfig({ ...place.env, LOG_LEVEL: 'silent' })
const log = logs.createLogger(config)
const authorization = place.authorization(0)
const { tid: tenantId } = JSON.parse(Buffer.from(authorization.split('.')[1], 'base64url').toString('utf8'))

/** An entry of two postings for each two transactions, between two of eight accounts. */
const client = new pg.Client({ connectionString: place.urls.finance })
await client.connect()
await client.query('BEGIN')
await client.query("SELECT set_config('app.tenant_id', $1, true)", [tenantId])
await client.query(`INSERT INTO finance.ledger_accounts (id, code, name, type, normal_side)
  SELECT ('00000000-0000-7000-8000-00000000000' || n)::uuid, 'B' || n, 'Account ' || n, 'ASSET', 'DEBIT' FROM generate_series(1, 8) n`)
await client.query(
  `INSERT INTO finance.journal_entries (id, entry_number, booked_on, posting_count)
   SELECT ('00000000-0001-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'B-' || n, date '2024-01-01' + n % 700, 2
     FROM generate_series(1, $1::int) n`,
  [rows / 2],
)
await client.query(
  `INSERT INTO finance.postings (id, entry_id, booked_on, position, account_id, amount, currency)
   SELECT ('00000000-000' || (1 + side) || '-7000-8000-' || lpad(n::text, 12, '0'))::uuid,
          ('00000000-0001-7000-8000-' || lpad(n::text, 12, '0'))::uuid, date '2024-01-01' + n % 700, side,
          ('00000000-0000-7000-8000-00000000000' || (1 + (n + side) % 8))::uuid, (3 - 2 * side) * (1 + n % 997), 'EUR'
     FROM generate_series(1, $1::int) n, generate_series(1, 2) side`,
  [rows / 2],
)
await client.query('COMMIT')
await client.end()

const server = await servers.startServer({ config, log, database: { urlFor: (role) => place.urls[role] } })

async function ask(query) {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query }),
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

const forms = {
  '20 transactions': () =>
    ask('{ transactions(first: 20) { nodes { id amount { amount currency } occurredAt createdAt } } }'),
  '20 postings': () =>
    ask('{ postings(first: 20) { nodes { id amount { amount currency } bookedOn createdAt } } }'),
  '20 postings with accounts': () =>
    ask('{ postings(first: 20) { nodes { id amount { amount currency } bookedOn account { code name } } } }'),
  'trial balance': () =>
    ask(
      '{ trialBalance(asOf: "2026-01-01", currency: "EUR") { lines { account { code } balance { amount } } } }',
    ),
}
const times = Object.fromEntries(Object.keys(forms).map((name) => [name, []]))
for (let round = -10; round < rounds; round++)
  for (const [name, form] of Object.entries(forms)) {
    const start = performance.now()
    await form()
    if (round >= 0) times[name].push(performance.now() - start)
  }
const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)]
const first = median(times['20 transactions'])
for (const [name, values] of Object.entries(times)) {
  const ms = median(values)
  console.log(`${name.padEnd(26)} ${ms.toFixed(2).padStart(7)} ms  ${(ms / first).toFixed(2).padStart(5)}`)
}
await server.close()
await scale.close()
