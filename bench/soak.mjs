import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const usage = `node bench/soak.mjs [options]      (after npm run build)

Asks the product for minutes, at a fixed rate, what the benchmark asks: lists, nested lists, deep pages, mutations, and
one new operation text in ten. Prints its memory after a full garbage collection at each interval, and how much it
grows in a minute once the first minute is over.

--minutes N      default 5
--rate N         requests per second, default 40
--interval S     seconds between two looks, default 20
--no-new-texts   the same operations only: without them caches by text are full from the start
--help`

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '40' },
    interval: { type: 'string', default: '20' },
    'no-new-texts': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (options.help) {
  console.log(usage)
  process.exit()
}

const { prepareData } = await import('./data.mjs')
const { openLoop } = await import('./measure/load.mjs')
const { killServers, startServer } = await import('./measure/processes.mjs')
const { workloads } = await import('./workloads.mjs')

const [minutes, rate, interval] = [options.minutes, options.rate, options.interval].map(Number)
const body = (name, index, query) => {
  const workload = workloads.find((one) => one.name === name)
  const variables = workload.variables(`soak-${index}`, {})
  return JSON.stringify({ query: query ?? workload.query, operationName: workload.operationName, variables })
}
const mix = [
  (index) => body('mutation', index),
  (index) =>
    body(
      'nested-20',
      index,
      options['no-new-texts'] ? undefined : newText('nested-20', 'id employeeNumber', index),
    ),
  ...Array(2).fill((index) => body('deep-page', index)),
  ...Array(3).fill((index) => body('nested-20', index)),
  ...Array(3).fill((index) => body('list-20', index)),
]

const data = await prepareData((line) => console.error(line), [])
const looks = []
try {
  const file = fileURLToPath(new URL('./servers/ours.mjs', import.meta.url))
  const server = await startServer('ours', file, {
    args: { env: data.env, urls: data.urls('main') },
    nodeArgs: ['--expose-gc'],
  })
  let sent = 0
  const target = {
    candidate: 'ours',
    url: server.at,
    request: () => {
      const index = sent++
      return { body: mix[index % mix.length](index), headers: { authorization: data.authorization(index) } }
    },
    accepts: (text) => !text.includes('"errors":'),
  }
  const started = performance.now()
  for (let look = 0; look * interval < minutes * 60 + interval; look++) {
    const load = look === 0 ? null : await openLoop(target, { rate, seconds: interval })
    const { rss, heapUsed, external } = await server.ask('memory')
    looks.push({
      seconds: Math.round((performance.now() - started) / 1000),
      requests: sent,
      failed: load?.failed ?? 0,
      'p99 ms': load && Math.round(load.p99),
      'heap MiB': mib(heapUsed),
      'external MiB': mib(external),
      'RSS MiB': mib(rss),
    })
    console.error(JSON.stringify(looks.at(-1)), load?.failure ?? '')
    await data.renewTokens()
  }
  await server.stop()
} finally {
  killServers()
  await data.close()
}
console.table(looks)
for (const what of ['heap MiB', 'RSS MiB']) {
  const after = looks.filter(({ seconds }) => seconds >= 60)
  console.log(
    `${what}: ${slope(
      after.map(({ seconds }) => seconds / 60),
      after.map((look) => look[what]),
    ).toFixed(2)} a minute`,
  )
}

/** The operation with a field under a name that no other text has. */
function newText(name, field, index) {
  return workloads.find((one) => one.name === name).query.replace(field, `${field} n${index}: position`)
}

/** Of the line that comes closest to the points. */
function slope(xs, ys) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(xs), mean(ys)]
  return mean(xs.map((one, at) => (one - x) * (ys[at] - y))) / mean(xs.map((one) => (one - x) ** 2))
}

function mib(bytes) {
  return Number((bytes / 2 ** 20).toFixed(1))
}
