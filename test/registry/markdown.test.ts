import type { CheckReport } from '../../registry/check'
import { markdownReport } from '../../registry/report/markdown'

const none: CheckReport = {
  passed: true,
  base: 'HEAD',
  problems: [],
  changes: [],
  findings: [],
  operations: [],
  approve: { options: '', until: '2026-12-29' },
  stale: [],
  idleApprovals: [],
  usage: null,
  supergraph: '',
}
const change = (more: object): CheckReport['changes'][number] =>
  ({
    code: 'FIELD_REMOVED',
    coordinate: 'User.phone',
    message: 'User.phone was removed',
    severity: 'breaking',
    affects: [],
    hash: 'a1b2',
    contracts: [],
    location: { file: 'schema/a.graphql', line: 3, column: 1 },
    usedBy: null,
    unused: false,
    replacement: null,
    blocked: null,
    approval: null,
    ...more,
  }) as CheckReport['changes'][number]

test('R11: a check that passed says so in a line, and folds what is safe', () => {
  expect(markdownReport(none)).toBe('## ✅ Schema\n\n**Passed: 0 changes against HEAD.**')
  const safe = change({ code: 'FIELD_ADDED', severity: 'safe', message: 'User.name was added' })
  expect(markdownReport({ ...none, changes: [safe] })).toBe(
    '## ✅ Schema\n\n**Passed: 1 change against HEAD.**\n\n<details>\n<summary>1 safe</summary>\n\n- FIELD_ADDED: User.name was added\n\n</details>',
  )
})

test('R11: a blocked change comes with why, who uses it and the line that approves it', () => {
  const client = {
    client: 'web',
    version: '1.2',
    requests: 1204,
    tenants: 12,
    lastSeen: '2026-11-20T00:00:00Z',
  }
  const usedBy = [{ name: 'GetUser', hash: 'h', document: '', coordinates: [], clients: [client] }]
  const blocked = change({ blocked: 'used in the last 30 days', usedBy, replacement: 'User.mobile' })
  expect(
    markdownReport({ ...none, passed: false, changes: [blocked], stale: ['schema/supergraph.graphql'] }),
  ).toBe(
    [
      '## ❌ Schema',
      '**Failed: 1 change blocked, 1 file out of date (1 change against HEAD).**',
      '### Blocked',
      [
        '| Code | Change | |',
        '| --- | --- | --- |',
        '| <code>schema/a.graphql:3</code> FIELD_REMOVED | User.phone was removed | used in the last 30 days (change <code>a1b2</code>)<br>replacement: <code>User.mobile</code><br>used by GetUser (web 1.2): 1,204 requests, up to 12 tenants, last 2026-11-20 |',
      ].join('\n'),
      '```sh\nnpm run schema -- approve a1b2 --reason "WHY" --until 2026-12-29\n```',
      '### Files that are out of date',
      '- <code>schema/supergraph.graphql</code>: run <code>npm run schema -- compose</code> and commit the result',
    ].join('\n\n'),
  )
})

test('R11: nothing that stands in a schema becomes a link, HTML, a mention or another column', () => {
  const message = 'a | b <script> [x](http://y) *z* @all\n# h'
  const report = markdownReport({ ...none, changes: [change({ message, severity: 'dangerous' })] })
  const row = report.split('\n').find((line) => line.includes('FIELD_REMOVED'))!
  expect(row).toBe(
    '| <code>schema/a.graphql:3</code> FIELD_REMOVED | a &#124; b &#60;script&#62; &#91;x&#93;(http://y) &#42;z&#42; &#64;all &#35; h |  |',
  )
  const many = Array.from({ length: 25 }, () => change({ unused: true }))
  expect(markdownReport({ ...none, changes: many })).toContain('<details>\n<summary>5 more</summary>')
})
