import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'

const folder = mkdtempSync(join(tmpdir(), 'schema-command-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function schemaOf(name: string, ...types: string[]): string {
  const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9")'
  mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, name, 'a.graphql'), [link, ...types].join('\n'))
  return join(folder, name)
}

/** `npm run schema` as people run it. */
function schema(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'schema', '--', ...args], {
    cwd: projectRoot,
    encoding: 'utf8',
    maxBuffer: 1e8,
  })
  return { code: status, out: stdout, err: stderr }
}

const check = (now: string, before: string, ...args: string[]) =>
  schema(
    'check',
    '--schema',
    now,
    '--base',
    before,
    '--no-lint',
    '--operations',
    join(folder, 'none'),
    ...args,
  )

const query = 'type Query { a: Int b: Int }'

test('a check passes and fails by its exit code', () => {
  const [before, after] = [schemaOf('before', query), schemaOf('after', 'type Query { a: Int }')]
  expect(check(before, before)).toMatchObject({ code: 0, out: `Passed: 0 changes against ${before}.\n` })
  expect(check(after, before)).toMatchObject({
    code: 1,
    out: expect.stringContaining('FIELD_REMOVED: Query.b was removed') as string,
  })
})

test('what is no GraphQL and what does not compose is told with its place', () => {
  const before = schemaOf('before', query)
  expect(check(schemaOf('broken', 'type type A {'), before)).toMatchObject({
    code: 2,
    out: expect.stringMatching(/broken\/a\.graphql:2:11 Syntax Error: Unexpected Name "A"\.\n$/) as string,
  })
  expect(check(schemaOf('torn', query, 'type A { b: B }'), before)).toMatchObject({
    code: 1,
    out: expect.stringMatching(/torn\/a\.graphql:3:\d+ .*Unknown type "?B"?/) as string,
  })
})

test('a long answer arrives whole', () => {
  const before = schemaOf('before', query)
  const many = Array.from({ length: 3000 }, (_, n) => `"""Number ${n}""" field${n}: Int`).join('\n')
  const { code, out } = check(
    schemaOf('many', query, `extend type Query { ${many} }`),
    before,
    '--format',
    'json',
  )
  expect(code).toBe(0)
  expect((JSON.parse(out) as { changes: unknown[] }).changes).toHaveLength(3000)
})

test('commands that compose nothing end as well', () => {
  expect(schema('explain', 'FIELD_REMOVED')).toMatchObject({ code: 0, err: '' })
  expect(schema('nothing')).toMatchObject({ code: 2 })
})
