import { faultsOf, reportPage, type IsolationReport } from '../../isolation/report'

const races = {
  operations: 10_240,
  tenants: 22,
  failed: 1_500,
  disconnected: 300,
  cancelled: 90,
  killed: 5,
  locked: 2,
  wrong: 0,
}
const report: IsolationReport = {
  holds: true,
  startedAt: '2026-01-01T00:00:00.000Z',
  seconds: 90,
  node: 'v20.19.0',
  postgres: '18.4',
  operations: 12_000,
  ownRowsSeen: 4_000,
  phases: [],
  coverage: [{ kind: 'field', total: 2, attacked: 2, missing: [], bare: [] }],
  refusedTokens: 400,
  races,
  walls: [
    { wall: 'a wall is gone', mustHold: true, stillHolds: true, noticedBy: ['catalogue gate at start'] },
  ],
  findings: [],
}
const wall = report.walls[0]!

it('finds nothing wrong when everything was attacked and held', () => {
  expect(faultsOf(report)).toEqual([])
})

it.each<[string, Partial<IsolationReport>, RegExp]>([
  [
    'a finding',
    { findings: [{ attack: 'foreign row', where: 'Query.users', what: 'seen' }] },
    /foreign row: Query\.users/,
  ],
  [
    'what was not attacked',
    { coverage: [{ kind: 'field', total: 2, attacked: 1, missing: ['User.email'], bare: [] }] },
    /not attacked: field User\.email/,
  ],
  [
    'P1: what was attacked with nothing to steal',
    { coverage: [{ kind: 'field', total: 2, attacked: 2, missing: [], bare: ['User.phone'] }] },
    /nothing to steal: no victim is shown anything by field User\.phone/,
  ],
  ['a wrong answer in a race', { races: { ...races, wrong: 1 } }, /1 wrong answers/],
  ['too few failures', { races: { ...races, failed: 1_000 } }, /less than 10 %/],
  ['an attack that saw nothing', { ownRowsSeen: 3 }, /saw only 3 rows/],
  [
    'a missing wall that nobody noticed',
    { walls: [{ ...wall, noticedBy: [] }] },
    /nobody noticed that a wall is gone/,
  ],
  ['a wall that nothing stands behind', { walls: [{ ...wall, stillHolds: false }] }, /nothing else held/],
  ['an attack that is blind', { walls: [{ ...wall, mustHold: false }] }, /the attack is blind/],
])('%s is wrong', (_, change, expected) => {
  expect(faultsOf({ ...report, ...change }).join('\n')).toMatch(expected)
})

it('writes a page in which nothing is markup that was data', () => {
  const page = reportPage({
    ...report,
    holds: false,
    findings: [{ attack: 'x', where: '<script>', what: '&' }],
  })
  expect(page).toContain('it does not hold')
  expect(page).toContain('&lt;script&gt;: &amp;')
  expect(page).not.toContain('<script>')
})
