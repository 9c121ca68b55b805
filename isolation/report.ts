import type { RaceReport } from './attacks/races'
import type { CoverageLine } from './coverage'
import type { WallReport } from './walls'
import type { Finding } from './witness'

export interface IsolationReport {
  /** Tells whether isolation held everywhere, everything was attacked, and every missing wall was noticed. */
  holds: boolean
  startedAt: string
  seconds: number
  node: string
  postgres: string
  operations: number
  /** Ids of their own that the askers were shown: an attack that sees nothing proves nothing. */
  ownRowsSeen: number
  phases: { name: string; seconds: number; operations: number }[]
  coverage: CoverageLine[]
  refusedTokens: number
  races: RaceReport
  walls: WallReport[]
  findings: Finding[]
}

/** Returns what is wrong, a line each; empty when isolation is proved. */
export function faultsOf(report: Omit<IsolationReport, 'holds'>): string[] {
  const { races, coverage, walls, findings } = report
  return [
    ...findings.map(({ attack, where, what }) => `${attack}: ${where}: ${what}`),
    ...coverage.flatMap(({ kind, missing, bare }) => [
      ...missing.map((name) => `not attacked: ${kind} ${name}`),
      ...bare.map((name) => `nothing to steal: no victim is shown anything by ${kind} ${name}`),
    ]),
    ...(races.wrong > 0 ? [`races: ${races.wrong} wrong answers`] : []),
    ...(races.failed * 10 < races.operations
      ? [`races: only ${races.failed} of ${races.operations} failed, which is less than 10 %`]
      : []),
    ...(report.ownRowsSeen < 500 ? [`the attack saw only ${report.ownRowsSeen} rows at all`] : []),
    ...walls.flatMap(({ wall, mustHold, stillHolds, noticedBy }) => [
      ...(noticedBy.length === 0 ? [`nobody noticed that ${wall}`] : []),
      ...(mustHold && !stillHolds ? [`nothing else held when ${wall}`] : []),
      ...(!mustHold && stillHolds ? [`the attack is blind: it saw nothing when ${wall}`] : []),
    ]),
  ]
}

const escaped = (text: string): string =>
  text.replace(/[&<>]/g, (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[letter]!)
const table = (head: readonly string[], rows: readonly (readonly unknown[])[]): string =>
  `<table><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${escaped(String(cell))}</td>`).join('')}</tr>`)
    .join('\n')}</table>`

/** The report as one page without anything from outside. */
export function reportPage(report: IsolationReport): string {
  const { races } = report
  const faults = faultsOf(report)
  return `<!doctype html><meta charset="utf-8"><title>Isolation report</title>
<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;margin:1rem 0}
td,th{border:1px solid #ccc;padding:.3rem .7rem;text-align:left;overflow-wrap:anywhere}.ok{color:#060}.bad{color:#a00}</style>
<h1>Isolation: <span class="${report.holds ? 'ok">it holds' : 'bad">it does not hold'}</span></h1>
<p>${report.operations} operations in ${report.seconds} s on ${report.startedAt}, PostgreSQL ${escaped(report.postgres)}, Node ${escaped(report.node)}.
${report.ownRowsSeen} rows were seen by those they belong to, ${report.findings.length} findings. docs/isolation.md explains the threats and the walls.</p>
${faults.length > 0 ? `<h2>What is wrong</h2><ul>${faults.map((fault) => `<li>${escaped(fault)}</li>`).join('\n')}</ul>` : ''}
<h2>What was attacked</h2>${table(
    ['kind', 'in the schema', 'attacked', 'with nothing to steal'],
    report.coverage.map(({ kind, total, attacked, bare }) => [kind, total, attacked, bare.length]),
  )}
<h2>Races and faults</h2>${table(Object.keys(races), [Object.values(races)])}
<h2>Viewer tokens</h2><p>${report.refusedTokens} requests with a wrong token, each refused.</p>
<h2>Walls taken away one by one</h2>${table(
    ['missing wall', 'the others hold', 'noticed by'],
    report.walls.map(({ wall, stillHolds, noticedBy }) => [
      wall,
      stillHolds ? 'yes' : 'no',
      noticedBy.join(', '),
    ]),
  )}
<h2>Time</h2>${table(
    ['phase', 'seconds', 'operations'],
    report.phases.map(({ name, seconds, operations }) => [name, seconds, operations]),
  )}
`
}
