import { Coverage } from '../../isolation/coverage'

const lineOf = (coverage: Coverage, kind: string) => coverage.lines().find((line) => line.kind === kind)

test('P1: what is attacked counts only where a victim is shown something', () => {
  const coverage = new Coverage()
  coverage.expect('connection', ['Query.users', 'Query.holidays', 'Query.roles'])
  coverage.attacked('connection', 'Query.users')
  coverage.attacked('connection', 'Query.holidays')
  coverage.shown('connection', 'Query.users')
  expect(lineOf(coverage, 'connection')).toEqual({
    kind: 'connection',
    total: 3,
    attacked: 2,
    missing: ['Query.roles'],
    bare: ['Query.holidays', 'Query.roles'],
  })
})

test('fields that no query reads need an attack, and no victim', () => {
  const coverage = new Coverage()
  coverage.expectUnread(['SignInPayload.accessToken'])
  expect(lineOf(coverage, 'field')).toMatchObject({ missing: ['SignInPayload.accessToken'], bare: [] })
})
