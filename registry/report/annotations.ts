import type { CheckReport } from '../check'
import type { Location } from '../composition/locations'
import { contentHash } from '../versions/store'
import { approveLine, usedText } from './human'

/** A remark on a line of a schema file, as continuous integration shows it beside the code. */
export interface Annotation {
  level: 'error' | 'warning' | 'notice'
  code: string
  message: string
  location: Location | null
}

/** Everything a report has to say about lines of files; safe changes stay unsaid. */
export function annotations(report: CheckReport): Annotation[] {
  return [
    ...report.problems.map(({ code, message, location, fix }): Annotation => ({
      level: 'error',
      code,
      message: fix ? `${message}\n→ ${fix}` : message,
      location,
    })),
    ...report.changes
      .filter(({ severity, blocked, approval }) => severity !== 'safe' || blocked || approval)
      .map((change): Annotation => {
        const { code, message, location, blocked, approval, hash, unused, usedBy, replacement } = change
        const line = approveLine(change, report)
        return {
          level: blocked ? 'error' : approval || unused ? 'notice' : 'warning',
          code,
          message: [
            message,
            ...(blocked ? [`blocked: ${blocked} (change ${hash})`] : []),
            ...(blocked && line ? [`to approve: ${line}`] : []),
            ...(approval ? [`approved by ${approval.by} until ${approval.until}: ${approval.reason}`] : []),
            ...(replacement ? [`replacement: ${replacement}`] : []),
            ...(usedBy ?? []).slice(0, 5).map((operation) => `used by ${usedText(operation)}`),
          ].join('\n'),
          location,
        }
      }),
    ...report.stale.map((file): Annotation => ({
      level: 'error',
      code: 'FILE_OUT_OF_DATE',
      message: `${file} is out of date: run "npm run schema -- compose" and commit the result`,
      location: { file, line: 1, column: 1 },
    })),
    ...report.operations.map(({ operation, message, location }): Annotation => ({
      level: 'error',
      code: 'OPERATION_INVALID',
      message: operation ? `${operation}: ${message}` : message,
      location,
    })),
    ...report.findings.map(({ code, message, location, severity }): Annotation => ({
      level: severity,
      code,
      message,
      location,
    })),
  ]
}

/** Workflow commands of GitHub Actions, one a line. */
export function githubReport(report: CheckReport): string {
  const data = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
  return annotations(report)
    .map(({ level, code, message, location }) => {
      const at = location
        ? `file=${property(location.file)},line=${location.line},col=${location.column},`
        : ''
      return `::${level} ${at}title=${property(code)}::${data(message)}`
    })
    .join('\n')
}

/** GitLab's code quality report (the Code Climate format). */
export function gitlabReport(report: CheckReport): string {
  const severities = { error: 'blocker', warning: 'minor', notice: 'info' } as const
  return JSON.stringify(
    annotations(report).map(({ level, code, message, location }) => ({
      type: 'issue',
      check_name: code,
      description: message,
      severity: severities[level],
      fingerprint: contentHash(JSON.stringify([code, message, location?.file ?? ''])),
      location: {
        path: location?.file ?? 'schema/supergraph.graphql',
        lines: { begin: location?.line ?? 1 },
      },
    })),
    null,
    2,
  )
}

/** JUnit XML: one suite for each part of the check, one test case for each thing it looked at and found wanting. */
export function junitReport(report: CheckReport): string {
  const all = annotations(report)
  const cases = all.map(({ level, code, message, location }) => {
    const name = `${code} ${location ? `${location.file}:${location.line}` : ''}`.trim()
    const [title = ''] = message.split('\n')
    const failure =
      level === 'error'
        ? `<failure message="${xml(title)}">${xml(message)}</failure>`
        : `<system-out>${xml(message)}</system-out>`
    return `    <testcase classname="schema.${xml(code)}" name="${xml(`${name} ${title}`)}">${failure}</testcase>`
  })
  const failures = all.filter(({ level }) => level === 'error').length
  const body = cases.length > 0 ? cases : ['    <testcase classname="schema" name="check"/>']
  const counts = `tests="${body.length}" failures="${failures}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="schema check" ${counts}>`,
    ...body,
    '  </testsuite>',
    '</testsuites>',
  ].join('\n')
}

function xml(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // XML 1.0 has no way to write the other control characters.
      .replaceAll(/[^\t\n\r\u0020-\uFFFF]/g, '')
  )
}
