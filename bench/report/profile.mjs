/**
 * Says where a CPU profile's time went, by part of the program: our folders, packages, Node itself.
 *
 *   node bench/report/profile.mjs bench/results/ours/CPU.….cpuprofile [--functions]
 *
 * Shares are of the time in which something ran; the last samples of a run are its shutdown.
 */
import { readFileSync } from 'node:fs'

const [file, detail] = process.argv.slice(2)
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'))
const byId = new Map(nodes.map((node) => [node.id, node]))
const times = new Map()
let total = 0
for (const [place, id] of samples.entries()) {
  const { callFrame } = byId.get(id)
  if (callFrame.functionName === '(idle)' || callFrame.functionName === '(program)') continue
  const name = detail ? `${partOf(callFrame)} ${callFrame.functionName || '(anonymous)'}` : partOf(callFrame)
  times.set(name, (times.get(name) ?? 0) + timeDeltas[place])
  total += timeDeltas[place]
}
for (const [name, time] of [...times].toSorted(([, a], [, b]) => b - a).slice(0, 30))
  console.log(`${((time / total) * 100).toFixed(1).padStart(5)} %  ${name}`)

function partOf({ url, functionName }) {
  if (functionName === '(garbage collector)') return 'garbage collection'
  const inPackages = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (inPackages) return inPackages
  const ours = /\/dist\/(gateway\/execution|gateway|subgraphs\/shared|subgraphs|scripts|\w+)\//.exec(url)?.[1]
  return ours ? `ours: ${ours}` : url.startsWith('node:') || url === '' ? 'Node' : url
}
