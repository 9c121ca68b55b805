import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const usage = `node bench/scale.mjs [options]      (after npm run build)

Measures whether a request costs the same with 10 and with 10,000 tenants, and with 10^4 and 10^6 rows in the busiest
table: one database and one server for each, all asked in turn. Prints CPU per request, statements and latency, and
how each compares with the smallest.

--tenants A,B    default 10,10000
--rows A,B       transactions of all tenants together, default 10000,1000000
--only A,B       workloads: list-20, nested-20, deep-page, sessions
--rounds N       default 5
--seconds S      of each database in each round, default 2
--help`

const { values: options } = parseArgs({
  options: {
    tenants: { type: 'string', default: '10,10000' },
    rows: { type: 'string', default: '10000,1000000' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (options.help) {
  console.log(usage)
  process.exit()
}

const { layout, prepareScale } = await import('./scale-data.mjs')
const { answerOf, closedLoop } = await import('./measure/load.mjs')
const { killServers, postgresProcesses, startServer } = await import('./measure/processes.mjs')
const { median } = await import('./measure/statistics.mjs')
const { workloads: known } = await import('./workloads.mjs')

const [rounds, seconds] = [Number(options.rounds), Number(options.seconds)]
const numbers = (text) => text.split(',').map(Number)
const say = (line) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`)
/** Sessions that requests take turns in. A server remembers each for a minute; `sessions` never asks with one twice. */
const sessions = 20_000
const few = 1000

const asked = {
  'list-20': {
    query: '{ transactions(first: 20) { nodes { id transactionNumber type category occurredAt } } }',
  },
  'nested-20': known.find(({ name }) => name === 'nested-20'),
  'deep-page': known.find(({ name }) => name === 'deep-page'),
  sessions: { query: '{ viewer { id fullName } tenant { name } }', sessions },
}
const chosen = Object.entries(asked).filter(
  ([name]) => !options.only || options.only.split(',').includes(name),
)

const layouts = numbers(options.tenants).flatMap((tenants) =>
  numbers(options.rows).map((rows) => layout({ tenants, rows })),
)
const data = await prepareScale(say, layouts, sessions)
const results = []
try {
  const postgres = postgresProcesses(data.postmaster)
  const places = []
  for (const place of data.places) {
    const file = fileURLToPath(new URL('./servers/ours.mjs', import.meta.url))
    const server = await startServer('ours', file, { args: { env: place.env, urls: place.urls } })
    places.push({ ...place, server, after: await deepest(place, server) })
  }
  for (const [name, workload] of chosen) {
    const targets = []
    for (const place of places) {
      await place.renew()
      targets.push({ place, target: targetOf(workload, place), rounds: [] })
    }
    for (const one of targets) {
      const text = await answerOf(one.target)
      if (text.includes('"errors"')) throw new Error(text.slice(0, 500))
      one.bytes = text.length
      for (let s = 0; s < 4; s++) await closedLoop(one.target, { concurrency: 8, seconds: 1 })
      one.statements = await statementsOf(one)
    }
    for (let round = 0; round < rounds; round++) {
      for (const { place, target, rounds } of targets) {
        const before = [place.server.cpuMs(), postgres.cpuMs()]
        const loop = await closedLoop(target, { concurrency: 8, seconds })
        rounds.push({
          server: (place.server.cpuMs() - before[0]) / loop.requests,
          postgres: (postgres.cpuMs() - before[1]) / loop.requests,
          ...loop,
        })
      }
      say(`${name} round ${round + 1} of ${rounds}`)
    }
    const of = (one, read) => median(one.rounds.map(read))
    const all = (one) => of(one, ({ server, postgres }) => server + postgres)
    for (const one of targets) {
      results.push({
        workload: name,
        tenants: one.place.tenants,
        rows: one.place.rows,
        'rows of one': one.place.rowsEach,
        bytes: one.bytes,
        SQL: one.statements,
        'requests/s': Math.round(of(one, ({ requests, seconds }) => requests / seconds)),
        'p50 ms': fixed(
          of(one, ({ p50 }) => p50),
          1,
        ),
        'p99 ms': fixed(
          of(one, ({ p99 }) => p99),
          1,
        ),
        'CPU server': fixed(
          of(one, ({ server }) => server),
          3,
        ),
        'CPU PostgreSQL': fixed(
          of(one, ({ postgres }) => postgres),
          3,
        ),
        'all CPU': fixed(all(one), 3),
        'to first': fixed(all(one) / all(targets[0]), 2),
      })
    }
  }
  for (const { server } of places) await server.stop()
} finally {
  killServers()
  await data.close()
}
console.table(results)

function targetOf(workload, place) {
  const body = JSON.stringify({
    query: workload.query,
    operationName: workload.operationName,
    variables: workload.variables?.(0, { ourCursor: place.after }),
  })
  // Across workloads and rounds, so that a session is not met again before its minute is over.
  let next = 0
  return {
    candidate: `${place.tenants} tenants, ${place.rows} rows`,
    url: place.server.at,
    request: () => ({
      body,
      headers: { authorization: place.authorization(next++ % (workload.sessions ?? few)) },
    }),
    accepts: (text) => !text.includes('"errors":'),
  }
}

/** The least of three: servers also do things of their own. */
async function statementsOf({ place, target }) {
  const counts = []
  for (let request = 0; request < 3; request++) {
    const before = await place.server.ask('counts')
    await answerOf(target)
    counts.push((await place.server.ask('counts')).statements - before.statements)
  }
  return Math.min(...counts)
}

/** The cursor before the last thirty transactions of a tenant, from the form of another one. */
async function deepest(place, server) {
  const query = known
    .find(({ name }) => name === 'deep-page')
    .query.replace('hasNextPage', 'hasNextPage endCursor')
  const request = () => ({
    body: JSON.stringify({ query, variables: { first: 1 } }),
    headers: { authorization: place.authorization(0) },
  })
  await place.renew()
  const { data, errors } = JSON.parse(await answerOf({ url: server.at, request }))
  if (errors) throw new Error(JSON.stringify(errors))
  const { nodes, pageInfo } = data.transactions
  const [version, order, key, id] = JSON.parse(Buffer.from(pageInfo.endCursor, 'base64url').toString())
  if (Date.parse(key) !== Date.parse(nodes[0].occurredAt)) throw new Error(`A cursor of another form: ${key}`)
  const at = new Date(Date.UTC(2024, 0, 1) + 30.5 * 60_000)
  const text = key.includes('T') ? at.toISOString() : at.toISOString().replace('T', ' ').replace('Z', '+00')
  return Buffer.from(JSON.stringify([version, order, text, id])).toString('base64url')
}

function fixed(value, digits) {
  return Number(value.toFixed(digits))
}
