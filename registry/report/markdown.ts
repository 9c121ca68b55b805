import type { CheckReport } from '../check'
import type { Location } from '../composition/locations'
import type { JudgedChange } from '../verdict'
import { approveLine, usedText, verdict } from './human'

/** For a pull request or the summary of a job: GitHub's and GitLab's Markdown. Long lists are folded. */
export function markdownReport(report: CheckReport): string {
  const { changes, problems, findings, operations, stale, idleApprovals } = report
  const blocked = changes.filter((change) => change.blocked)
  const approved = changes.filter(({ approval }) => approval)
  const others = changes.filter(({ blocked: isBlocked, approval }) => !isBlocked && !approval)
  const unused = others.filter((change) => change.unused)
  const dangerous = others.filter((change) => change.severity !== 'safe' && !change.unused)
  const safe = others.filter(({ severity }) => severity === 'safe')
  return [
    `## ${report.passed ? '✅' : '❌'} Schema`,
    `**${text(verdict(report))}**`,
    section(
      'The subgraphs do not compose',
      problems.map(
        ({ code, message, location, fix }) =>
          `${at(location)}${code}: ${text(message)}${fix ? ` → ${text(fix)}` : ''}`,
      ),
    ),
    changeTable('Blocked', blocked),
    ...blocked.flatMap((change) => approveLine(change, report) ?? []).map((line) => fenced(line)),
    changeTable('Approved', approved),
    changeTable('Breaking, but unused', unused),
    changeTable('Dangerous', dangerous),
    section(
      'Files that are out of date',
      stale.map((file) => `${code(file)}: run ${code('npm run schema -- compose')} and commit the result`),
    ),
    section(
      'Operations of this repository that would fail',
      operations.map(
        ({ operation, message, location }) =>
          `${at(location)}${operation ? `${text(operation)}: ` : ''}${text(message)}`,
      ),
    ),
    section(
      'House rules',
      findings.map(({ code: rule, message, location }) => `${at(location)}${rule}: ${text(message)}`),
    ),
    section(
      'Approvals that cover nothing here',
      idleApprovals.map(
        ({ change, coordinate, until }) => `${code(change)} ${code(coordinate)}, until ${until}`,
      ),
    ),
    folded(
      `${safe.length} safe`,
      safe.map((change) => `- ${change.code}: ${text(change.message)}`),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function section(title: string, items: readonly string[]): string {
  return items.length > 0 ? `### ${title}\n\n${items.map((item) => `- ${item}`).join('\n')}` : ''
}

/** More rows than anybody reads at once are folded. */
const mostOpenRows = 20

function changeTable(title: string, changes: readonly JudgedChange[]): string {
  if (changes.length === 0) return ''
  const rows = changes.map((change) => {
    const { code: of, message, location, blocked, approval, replacement } = change
    const usedBy = change.usedBy ?? []
    const notes = [
      ...(blocked ? [`${text(blocked)} (change ${code(change.hash)})`] : []),
      ...(approval
        ? [`approved by ${text(approval.by)} until ${approval.until}: ${text(approval.reason)}`]
        : []),
      ...(replacement ? [`replacement: ${code(replacement)}`] : []),
      ...usedBy.slice(0, 5).map((operation) => `used by ${text(usedText(operation))}`),
      ...(usedBy.length > 5 ? [`and by ${usedBy.length - 5} more operations`] : []),
    ]
    return `| ${[`${at(location)}${of}`, text(message), notes.join('<br>')].map(cell).join(' | ')} |`
  })
  const head = '| Code | Change | |\n| --- | --- | --- |'
  const open = `### ${title}\n\n${head}\n${rows.slice(0, mostOpenRows).join('\n')}`
  const rest = rows.slice(mostOpenRows)
  return rest.length > 0 ? `${open}\n\n${folded(`${rest.length} more`, [head, ...rest])}` : open
}

function folded(summary: string, lines: readonly string[]): string {
  return lines.length > 0
    ? `<details>\n<summary>${summary}</summary>\n\n${lines.join('\n')}\n\n</details>`
    : ''
}

function at(location: Location | null): string {
  return location ? `${code(`${location.file}:${location.line}`)} ` : ''
}

/** Shows what stands in a schema as it stands there: nothing of it becomes HTML, a link, a mention or emphasis. */
function text(given: string): string {
  return given.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_[\]<>#@~]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** A cell ends at no bar of its text. */
const cell = (given: string): string => given.replaceAll('|', '&#124;')

function code(given: string): string {
  return `<code>${given.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</code>`
}

function fenced(line: string): string {
  return `\`\`\`sh\n${line.replaceAll('```', '')}\n\`\`\``
}
