import servers from '../dist/product/server.js'
import databases from '../dist/kernel/connection/database.js'
import configs from '../dist/kernel/process/config.js'
import logs from '../dist/kernel/process/log.js'
import { layout, prepareScale } from './scale-data.mjs'
import { numbersFrom } from './measure/arguments.mjs'

const usage = `node bench/summary.mjs [rounds] [rows]      (after npm run build)

What a summary of 100,000 transactions of one tenant costs, beside statements written by hand for the same answer, under
row level security all of them.`
const [rounds, rows] = numbersFrom(usage, 15, 100_000)
const scale = await prepareScale(console.log, [layout({ tenants: 1, rows })], 1)
const [place] = scale.places
await place.renew()
const config = configs.loadConfig({ ...place.env, LOG_LEVEL: 'silent' })
const log = logs.createLogger(config)
const server = await servers.startServer({ config, log, database: { urlFor: (role) => place.urls[role] } })
const authorization = place.authorization(0)

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

const summary = (fresh) => () =>
  ask(`{ transactionSummary(groupBy: [OCCURRED_AT, CATEGORY], per: WEEK, timeZone: "Europe/Berlin", first: 1000, fresh: ${fresh},
    filter: { occurredAt: { gte: "2024-01-01T00:00:00Z", lt: "2024-06-01T00:00:00Z" } }) {
    groups { key { occurredAt { start end } category } count amount { currency sum { amount } average { amount } } } total { count } } }`)

const database = await databases.openDatabase({
  url: place.urls.finance,
  entities: [],
  connections: 1,
  applicationName: 'bench',
})
const claims = JSON.parse(Buffer.from(authorization.split('.')[1], 'base64url').toString('utf8'))
const tenantId = claims.tid
const range = "occurred_at >= '2024-01-01Z' AND occurred_at < '2024-06-01Z'"
const written = (key) => () =>
  database.rows(
    { tenantId },
    {
      name: 'written',
      text: `SELECT ${key}, category, currency, count(*)::int, sum(amount)::text FROM finance.transactions
              WHERE tenant_id = $1 AND ${range} GROUP BY 1, 2, 3`,
      values: [tenantId],
    },
  )
const weeks = `ARRAY(SELECT timestamptz '2024-01-01 00:00 Europe/Berlin' + n * interval '7 days' FROM generate_series(0, 22) n)`

const forms = {
  'by hand, date_trunc': written("date_trunc('week', occurred_at, 'Europe/Berlin')"),
  'by hand, width_bucket': written(`width_bucket(occurred_at, ${weeks})`),
  'summary over HTTP, fresh': summary(true),
  'summary over HTTP, kept': summary(false),
}
const times = Object.fromEntries(Object.keys(forms).map((name) => [name, []]))
for (let round = -2; round < rounds; round++)
  for (const [name, form] of Object.entries(forms)) {
    const start = performance.now()
    await form()
    if (round >= 0) times[name].push(performance.now() - start)
  }
const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)]
const first = median(times['by hand, date_trunc'])
for (const [name, values] of Object.entries(times)) {
  const ms = median(values)
  console.log(`${name.padEnd(26)} ${ms.toFixed(1).padStart(7)} ms  ${(ms / first).toFixed(2).padStart(5)}`)
}
await database.close()
await server.close()
await scale.close()
