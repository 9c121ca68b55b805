import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { large, largeGraph, largeUsage, ordinary, sweeping, withEdits } from './large-graph.mjs'
import { numbersFrom } from './measure/arguments.mjs'

const help = `node bench/registry.mjs [rounds] [--verbose]      (after npm run build)

Says how long schema check takes on a large graph, in a new process, and what memory it needs.

Writes 10 subgraphs and 10,000 recorded operations to a temporary folder, and checks against the graph before the
change. As root on Linux it also empties the file cache first, for the cold figures.`
const [rounds] = numbersFrom(help, 5)
const cli = resolve(import.meta.dirname, '../dist/scripts/schema.js')
const folder = mkdtempSync(join(tmpdir(), 'registry-bench-'))

/** Preloaded into each process: leaves behind what it used. */
const probe = join(folder, 'probe.cjs')
const used = join(folder, 'used.json')
writeFileSync(
  probe,
  `process.on('exit', () => require('fs').writeFileSync(${JSON.stringify(used)}, JSON.stringify(process.resourceUsage())))`,
)

function write(name, files) {
  mkdirSync(join(folder, name))
  for (const [file, text] of files) writeFileSync(join(folder, name, file), text)
  return join(folder, name)
}

/** Runs the command line once. @returns seconds of wall clock and of CPU, and the largest memory in MiB */
function run(...args) {
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--require', probe, cli, ...args], {
    encoding: 'utf8',
    maxBuffer: 1e9,
  })
  const wall = (performance.now() - began) / 1000
  if (stderr || status > 1) throw new Error(`${status} ${stdout} ${stderr}`)
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(used, 'utf8'))
  return { status, stdout, wall, cpu: (userCPUTime + systemCPUTime) / 1e6, memory: maxRSS / 1024 }
}

function emptyFileCache() {
  try {
    execFileSync('sync')
    writeFileSync('/proc/sys/vm/drop_caches', '3')
    return true
  } catch {
    return false
  }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

const before = largeGraph(large)
const base = join(folder, 'base.graphql')
const composed = run('compose', '--schema', write('before', before), '--out', base)
if (composed.status !== 0) throw new Error(composed.stdout)
const types = readFileSync(base, 'utf8').match(
  /^(type|interface|union|enum|input|scalar) (?!join__|link__)/gm,
).length

const usage = join(folder, 'usage.jsonl')
writeFileSync(usage, `${[...largeUsage(large, new Date().toISOString())].join('\n')}\n`)

console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0].model.trim()}; ` +
    `${large.subgraphs} subgraphs, ${types} types, ${large.operations} operations; medians of ${rounds}`,
)
for (const [name, edits] of Object.entries({ none: [], ordinary, sweeping })) {
  const schema = write(name, withEdits(before, edits))
  const check = () =>
    run(
      'check',
      '--schema',
      schema,
      '--base',
      base,
      '--usage',
      usage,
      '--operations',
      join(folder, 'no operations'),
    )
  const show = (kind, runs) =>
    console.log(
      `${name.padEnd(9)} ${kind}  ${median(runs.map(({ wall }) => wall)).toFixed(2)} s  ` +
        `CPU ${median(runs.map(({ cpu }) => cpu)).toFixed(2)} s  ` +
        `${Math.max(...runs.map(({ memory }) => memory)).toFixed(0)} MiB`,
    )
  const first = check()
  show('warm', Array.from({ length: rounds }, check))
  if (emptyFileCache())
    show(
      'cold',
      Array.from({ length: rounds }, () => (emptyFileCache(), check())),
    )
  console.log(`  ${first.stdout.trim().split('\n').at(-1)}`)
  if (process.argv.includes('--verbose')) console.log(first.stdout)
}
rmSync(folder, { recursive: true, force: true })
