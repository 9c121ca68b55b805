import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'

/** Follows docs/add-an-entity.md to the letter, in a copy of the project. */
const guide = readFileSync(join(projectRoot, 'docs', 'add-an-entity.md'), 'utf8')
const copy = mkdtempSync(join(tmpdir(), 'six-files-'))
afterAll(() => rmSync(copy, { recursive: true, force: true }))

/** The code blocks of the part whose heading begins so. */
function blocks(heading: string): string[] {
  const section = guide.split(/^## /m).find((part) => part.startsWith(heading))
  const found = [...(section ?? '').matchAll(/```\w+\n([^]*?)```/g)].map(([, code]) => code!)
  if (found.length === 0) throw new Error(`docs/add-an-entity.md has no code under "${heading}"`)
  return found
}
const block = (heading: string) => blocks(heading)[0]!
/** Lines that a block adds, without the +. */
const added = (text: string) => [...text.matchAll(/^\+(.*)$/gm)].map(([, line]) => line!)

function run(command: string, ...args: string[]): string {
  // The copy's tests start their own PostgreSQL, as a newcomer's do.
  const { TEST_POSTGRES: _, JEST_WORKER_ID: __, ...env } = process.env
  try {
    return execFileSync(command, args, { cwd: copy, env, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error })
  }
}

it('adds an entity that composes, type-checks, is clean, and passes its own and the contract tests', () => {
  const left = new Set(['node_modules', '.git', 'dist', '.data'])
  cpSync(projectRoot, copy, { recursive: true, filter: (path) => !left.has(basename(path)) })
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'))
  const read = (path: string) => readFileSync(join(copy, path), 'utf8')
  const write = (path: string, text: string) => writeFileSync(join(copy, path), text)

  const command = block('# Add an entity').trim()
  expect(command).toMatch(/^npm run entity -- make hr Course /)
  run('sh', '-c', command)

  const migration = `migrations/${readdirSync(join(copy, 'migrations')).find((name) => name.endsWith('-courses.ts'))!}`
  const files = {
    'schema/hr/course.graphql': block('1. '),
    'subgraphs/hr/entities/Course.ts': block('2. '),
    'subgraphs/hr/resolvers/Course.ts': block('3. '),
    [migration]: block('5. ').replace('NUMBER', basename(migration).slice(0, 12)),
    'test/hr/course.test.ts': block('6. '),
  }
  for (const [path, text] of Object.entries(files)) {
    expect(read(path)).not.toBe('')
    write(path, text)
  }
  const index = read('subgraphs/hr/index.ts')
  for (const line of added(block('4. '))) expect(index.split('\n')).toContain(line)
  expect(index).toMatch(/entities: \[[^\]]*,\s+Course,?\s*\],\n *resolvers: \[[^\]]*,\s+course,?\s*\],/)

  const [roles, ownRecord] = blocks('Who may') as [string, string]
  const said = JSON.parse(`{${added(roles).join('').replace(/,$/, '')}}`) as Record<string, string>
  const table = JSON.parse(read('test/fixtures/fields-by-role.json')) as Record<string, string>
  for (const field of Object.keys(said)) expect([field, table[field]]).toEqual([field, 'ADMIN'])
  write('test/fixtures/fields-by-role.json', `${JSON.stringify({ ...table, ...said }, null, 2)}\n`)
  expect(read('test/contract/own-record.test.ts')).toContain(added(ownRecord).join('\n'))

  const tables = read('database/demo/tables.ts')
  const list = 'export const demoTables: readonly DemoTable[] = [\n'
  expect(tables.split(list)).toHaveLength(2)
  // Behind the departments that they name.
  const listed = tables.replace('  departments,\n', '  departments,\n  courses,\n')
  write('database/demo/tables.ts', listed.replace(list, `${block('Demo rows')}\n${list}`))

  run('npm', 'run', '--silent', 'codegen')
  run('npm', 'run', '--silent', 'schema', '--', 'compose')
  run('npx', 'tsc', '--noEmit')
  const changed = ['schema/hr', 'subgraphs/hr', 'migrations', 'test/hr', 'test/contract', 'database/demo']
  run('npx', 'eslint', ...changed.slice(1))
  run('npx', 'prettier', '--check', ...changed, 'test/fixtures')
  run('npx', 'jest', 'test/hr/course', 'test/contract', 'test/demo', '--silent')
}, 1_200_000)
