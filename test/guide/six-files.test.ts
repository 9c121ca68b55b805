import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { projectRoot } from '../../subgraphs/shared/config'

/** Follows docs/add-an-entity.md to the letter, in a copy of the project. */
const guide = readFileSync(join(projectRoot, 'docs', 'add-an-entity.md'), 'utf8')
const copy = mkdtempSync(join(tmpdir(), 'six-files-'))
afterAll(() => rmSync(copy, { recursive: true, force: true }))

/** The code block that follows the heading with this number. */
function block(step: number): string {
  const section = guide.split(/^## /m).find((part) => part.startsWith(`${step}. `))
  const code = /```\w+\n([^]*?)```/.exec(section ?? '')?.[1]
  if (!code) throw new Error(`docs/add-an-entity.md has no code in step ${step}`)
  return code
}

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

it('adds an entity that composes, type-checks, and passes its own and the contract tests', () => {
  const left = new Set(['node_modules', '.git', 'dist', '.data'])
  cpSync(projectRoot, copy, { recursive: true, filter: (path) => !left.has(basename(path)) })
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'))

  appendFileSync(join(copy, 'schema', 'hr.graphql'), `\n${block(1)}`)
  writeFileSync(join(copy, 'subgraphs', 'hr', 'entities', 'Holiday.ts'), block(2))
  writeFileSync(join(copy, 'subgraphs', 'hr', 'resolvers', 'Holiday.ts'), block(3))
  const index = join(copy, 'subgraphs', 'hr', 'index.ts')
  const [entityImport, resolverImport] = block(4)
    .match(/^\+import .*$/gm)!
    .map((line) => line.slice(1))
  writeFileSync(
    index,
    `${entityImport}\n${resolverImport}\n` +
      readFileSync(index, 'utf8')
        .replace(/entities: \[/, 'entities: [Holiday, ')
        .replace(/resolvers: \[/, 'resolvers: [holiday, '),
  )
  run('npm', 'run', '--silent', 'migrate:make', 'holidays')
  const files = readdirSync(join(copy, 'migrations')).filter((name) => /^\d{4}-/.test(name))
  const made = files.sort().at(-1)!
  expect(made).toMatch(/-holidays\.ts$/)
  const number = Number(made.slice(0, 4))
  const file = join(copy, 'migrations', made)
  expect(readFileSync(file, 'utf8')).toContain(`migration(${number}, 'holidays'`)
  writeFileSync(file, block(5).replace('NUMBER', String(number)))
  writeFileSync(join(copy, 'test', 'hr', 'holiday.test.ts'), block(6))

  run('npm', 'run', '--silent', 'codegen')
  run('npm', 'run', '--silent', 'schema', '--', 'compose')
  run('npx', 'tsc', '--noEmit')
  run('npx', 'jest', 'test/hr/holiday', 'test/contract/schema', 'test/contract/drift', '--silent')
}, 180_000)
