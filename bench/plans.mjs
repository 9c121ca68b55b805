import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { distinct } from './federation/operations.mjs'
import { large, largeGraph, largeUsage } from './large-graph.mjs'
import { answerOf, closedLoop, openLoop } from './measure/load.mjs'
import { startServer } from './measure/processes.mjs'
import { argumentsFrom } from './measure/arguments.mjs'

const require = createRequire(new URL('../package.json', import.meta.url))
const { composeServices } = require('@apollo/composition')
const { parse } = require('graphql')
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const text = (path) => readFileSync(here(path), 'utf8')

const usage = `node bench/plans.mjs [seconds] [graph,…]      (after npm run build)

Holds what planning costs those who wait beside it: clients that send a new operation text with each request, and one
that sends the same small operation over and over.

Graphs: federation (4 subgraphs, bench/federation), product (the product's own six) and large (10 subgraphs,
566 types). The subgraphs answer nothing, at once. Printed for each: how late the gateway's event loop comes, what
the small operation waits, and CPU of the gateway's process per new text. idle is the small operation alone: what
the machine does by itself. here plans in the gateway's own thread, thread in one beside it, as the product does.`
const [seconds = '10', names = 'federation,product,large'] = argumentsFrom(usage)
const wanted = names.split(',')
const folder = mkdtempSync(join(tmpdir(), 'bench-plans-'))

/** Holds what is asked of each graph: `small` always the same, `texts(index)` a new one each time. */
const graphs = {
  federation: () => ({
    supergraph: composed(
      ['catalogue', 'ratings', 'readers', 'shelves'].map((name) => [
        name,
        text(`federation/${name}.graphql`),
      ]),
    ),
    small: '{ reader(id: "3") { id name } }',
    distinct,
  }),
  product: () => ({
    supergraph: text('../schema/supergraph.graphql'),
    small: '{ tenant { name } }',
    distinct: (index) => productOperations[index % productOperations.length](index),
  }),
  large: () => {
    const files = largeGraph(large)
    const documents = [...largeUsage({ ...large, operations: 10_000 }, '2026-01-01')].map(
      (line) => JSON.parse(line).document,
    )
    return {
      supergraph: composed(
        [...files]
          .filter(([name]) => name !== 'shared.graphql')
          .map(([name, sdl]) => [name.replace('.graphql', ''), files.get('shared.graphql') + sdl]),
      ),
      small: '{ thing0x0(id: "1") { id } }',
      distinct: (index) => documents[index % documents.length],
    }
  },
}

const productOperations = [
  (index) => text('../test/operations/overview.graphql').replace('plan', `plan${index}: plan`),
  (index) => `query Nested${index} {
  employees(first: 20) { nodes {
    id employeeNumber name${index}: fullName user { id email fullName }
    department { id name budgets(first: 3) { nodes { id year month periodStart } } }
  } }
}`,
  (index) =>
    text('../test/operations/billing.graphql').replace(
      'currentPeriodStart',
      `start${index}: currentPeriodStart`,
    ),
  (index) =>
    `query List${index} { transactions(first: ${(index % 90) + 1}) { nodes { id number${index}: transactionNumber } } }`,
]

function composed(subgraphs) {
  const { supergraphSdl, errors } = composeServices(
    subgraphs.map(([name, sdl]) => ({ name, typeDefs: parse(sdl), url: `http://${name}` })),
    { runSatisfiability: false },
  )
  if (errors) throw new Error(errors.map(({ message }) => message).join('\n'))
  return supergraphSdl
}

const target = (url, query) => ({
  candidate: 'ours',
  url,
  request: (index) => ({
    body: JSON.stringify({ query: query(index), variables: { id: '1', first: 2 } }),
    headers: {},
  }),
  accepts: () => true,
})

const rows = []
for (const name of wanted) {
  const graph = graphs[name]()
  const supergraph = join(folder, `${name}.graphql`)
  writeFileSync(supergraph, graph.supergraph)
  for (const makePlans of ['here', 'thread']) await measure(name, graph, supergraph, makePlans)
}
rmSync(folder, { recursive: true })
console.table(rows)

async function measure(name, graph, supergraph, makePlans) {
  const server = await startServer(name, here('./servers/planning.mjs'), {
    args: { supergraph, options: { makePlans } },
  })
  const small = target(server.at, () => graph.small)
  let next = 0
  const fresh = target(server.at, () => graph.distinct(next++))
  const first = performance.now()
  const answer = await answerOf(fresh)
  const firstMs = performance.now() - first
  if (/GRAPHQL_|BAD_USER|COSTLY/.test(answer)) throw new Error(answer)
  await closedLoop(small, { concurrency: 4, seconds: 2 })
  await closedLoop(fresh, { concurrency: 4, seconds: 2 })
  const runs = { idle: 0, '20/s': 20, '4 clients': null }
  for (const [what, rate] of Object.entries(runs)) {
    await server.ask('begin')
    const [cpu, sent] = [server.cpuMs(), next]
    const [probe, load] = await Promise.all([
      openLoop(small, { rate: 50, seconds }),
      rate === null
        ? closedLoop(fresh, { concurrency: 4, seconds })
        : rate > 0
          ? openLoop(fresh, { rate, seconds })
          : null,
    ])
    const { startMs, rssMiB, p50, p99, max } = await server.ask('end')
    rows.push({
      graph: name,
      plans: makePlans,
      'new texts': what,
      sent: next - sent,
      'start ms': Math.round(startMs),
      'first ms': Math.round(firstMs),
      'loop p50': round(p50),
      'loop p99': round(p99),
      'loop max': round(max),
      'small p50': round(probe.p50),
      'small p99': round(probe.p99),
      'new p50': load && round(load.p50),
      'new p99': load && round(load.p99),
      'CPU/new': next > sent ? round((server.cpuMs() - cpu) / (next - sent)) : null,
      RSS: Math.round(rssMiB),
    })
  }
  await server.stop()
}

function round(value) {
  return Number(value.toFixed(1))
}
