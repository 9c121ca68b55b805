import type { CheckReport } from '../check'
import type { CompositionProblem } from '../composition/composed'
import type { JudgedChange } from '../verdict'
import type { Location } from '../composition/locations'
import { nameOf, type OperationUsage } from '../usage/usage'

/** For people in a terminal. */
export function humanReport(report: CheckReport, { verbose = false } = {}): string {
  const lines: string[] = []
  const section = (title: string, items: readonly string[]) => {
    if (items.length > 0) lines.push(title, ...items, '')
  }
  if (report.problems.length > 0) lines.push(humanProblems(report.problems), '')
  const told = (change: JudgedChange) => changeText(change, report)
  section('Blocked:', report.changes.filter(({ blocked }) => blocked).flatMap(told))
  section('Approved:', report.changes.filter(({ approval }) => approval).flatMap(told))
  const others = report.changes.filter(({ blocked, approval }) => !blocked && !approval)
  section('Breaking, but unused:', others.filter(({ unused }) => unused).flatMap(told))
  section('Dangerous:', others.filter(({ severity, unused }) => severity !== 'safe' && !unused).flatMap(told))
  const safe = others.filter(({ severity }) => severity === 'safe')
  section('Safe:', verbose ? safe.flatMap(told) : summary(safe))
  section(
    'Files that are out of date:',
    report.stale.map((file) => `  ${file}: run "npm run schema -- compose" and commit the result`),
  )
  section(
    'Operations of this repository that would fail:',
    report.operations.map(
      ({ operation, message, location }) =>
        `  ${place(location)}${operation ? `${operation}: ` : ''}${message}`,
    ),
  )
  section(
    'House rules:',
    report.findings.map(({ code, message, location }) => `  ${place(location)}${code}: ${message}`),
  )
  section(
    'Approvals that cover nothing here (void, run out, or done with: remove them):',
    report.idleApprovals.map(
      ({ change, code, coordinate, until }) => `  ${change} ${code} ${coordinate}, until ${until}`,
    ),
  )
  lines.push(verdict(report))
  return lines.join('\n')
}

/** Why the subgraphs do not compose. */
export function humanProblems(problems: readonly CompositionProblem[]): string {
  return [
    'The subgraphs do not compose:',
    ...problems
      .slice(0, 20)
      .map(
        ({ code, message, location, fix }) =>
          `  ${place(location)}${code}: ${indented(message)}${fix ? `\n    → ${fix}` : ''}`,
      ),
    ...(problems.length > 20 ? [`  … and ${problems.length - 20} more`] : []),
  ].join('\n')
}

/** One line that says it all. */
export function verdict(report: CheckReport): string {
  const { changes, problems, findings, operations } = report
  const blocked = changes.filter((change) => change.blocked).length
  const parts = [
    ...(problems.length > 0 ? [counted(problems.length, 'composition problem')] : []),
    ...(blocked > 0 ? [`${counted(blocked, 'change')} blocked`] : []),
    ...(operations.length > 0 ? [`${counted(operations.length, 'operation')} broken`] : []),
    ...(report.stale.length > 0 ? [`${counted(report.stale.length, 'file')} out of date`] : []),
    ...(findings.length > 0 ? [`${counted(findings.length, 'house rule')} broken`] : []),
  ]
  const of = report.base
    ? `${counted(changes.length, 'change')} against ${report.base}`
    : 'nothing to compare with'
  const usage = report.usage
    ? `, ${counted(report.usage.operations, 'operation')} seen in ${report.usage.days} days`
    : ''
  return report.passed ? `Passed: ${of}${usage}.` : `Failed: ${parts.join(', ')} (${of}${usage}).`
}

/** The line that approves a change, to be copied; null when nothing can. */
export function approveLine({ hash }: JudgedChange, { approve }: CheckReport): string | null {
  return (
    approve && `npm run schema -- approve ${hash}${approve.options} --reason "WHY" --until ${approve.until}`
  )
}

function changeText(change: JudgedChange, report: CheckReport): string[] {
  const line = approveLine(change, report)
  const { code, message, location, blocked, approval, hash, usedBy, replacement } = change
  return [
    `  ${place(location)}${code}: ${message}`,
    ...(blocked ? [`    blocked: ${blocked} (change ${hash})`] : []),
    ...(blocked && line ? [`    to approve: ${line}`] : []),
    ...(approval ? [`    approved by ${approval.by} until ${approval.until}: ${approval.reason}`] : []),
    ...(replacement ? [`    replacement: ${replacement}`] : []),
    ...(usedBy ?? []).slice(0, 10).map((operation) => `    used by ${usedText(operation)}`),
    ...(usedBy && usedBy.length > 10 ? [`    … and ${usedBy.length - 10} more operations`] : []),
  ]
}

/** `GetUser (web 1.2, mobile 3.0): 1,204 requests, 12 tenants, last 2026-11-20` */
export function usedText({ name, hash, document, clients }: OperationUsage): string {
  const known = nameOf({ name, document })
  const requests = clients.reduce((sum, client) => sum + client.requests, 0)
  const tenants = Math.max(0, ...clients.map((client) => client.tenants))
  const last = clients
    .map(({ lastSeen }) => lastSeen.slice(0, 10))
    .sort()
    .at(-1)
  const who = clients.slice(0, 3).map(({ client, version }) => `${client}${version ? ` ${version}` : ''}`)
  const more = clients.length > 3 ? [`${clients.length - 3} more`] : []
  const title = known || hash || (document ?? '').replaceAll(/\s+/g, ' ').slice(0, 60)
  return `${title} (${[...who, ...more].join(', ')}): ${counted(requests, 'request')}, ${tenants > 1 ? 'up to ' : ''}${counted(tenants, 'tenant')}${last ? `, last ${last}` : ''}`
}

function summary(changes: readonly JudgedChange[]): string[] {
  const codes = new Map<string, string[]>()
  for (const { code, coordinate } of changes) codes.set(code, [...(codes.get(code) ?? []), coordinate])
  return [...codes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, names]) => {
      const more = names.length > 10 ? ` and ${names.length - 10} more (--verbose)` : ''
      return `  ${code} × ${names.length}: ${names.slice(0, 10).join(', ')}${more}`
    })
}

function place(location: Location | null): string {
  return location ? `${location.file}:${location.line}:${location.column} ` : ''
}

function indented(text: string): string {
  return text.trim().replaceAll('\n', '\n    ')
}

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** `1,204`: loading what the language knows about numbers takes longer than the rest of a report. */
function grouped(count: number): string {
  return Number.isSafeInteger(count)
    ? String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
    : count.toLocaleString('en')
}
