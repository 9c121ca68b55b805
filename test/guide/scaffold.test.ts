import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'

/** What `npm run entity` writes is held against everything that an entity written by hand is, in a copy of the project. */
const copy = mkdtempSync(join(tmpdir(), 'scaffold-'))
afterAll(() => rmSync(copy, { recursive: true, force: true }))

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

const fields =
  'name:String!@search@order day:Date!@filter@order head:User@filter department:Department!@filter ' +
  'cost:Money@filter@order score:Float! isOpen:Boolean!@filter code:CurrencyCode@filter amount:Decimal ' +
  'contactEmail:EmailAddress@order at:DateTime seats:Int!@order'

it('what the scaffold writes composes, type-checks, is clean, and passes its own and the contract tests', () => {
  const left = new Set(['node_modules', '.git', 'dist', '.data'])
  cpSync(projectRoot, copy, { recursive: true, filter: (path) => !left.has(basename(path)) })
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'))

  // One of many kinds of fields with a scope of its own; and the smallest, with a scope that is in use.
  run('npm', 'run', '--silent', 'entity', '--', 'make', 'hr', 'TrainingDay', '--fields', fields)
  const small = ['--fields', 'label:String!', '--scope', 'hr:department', '--verbs', 'create']
  run('npm', 'run', '--silent', 'entity', '--', 'make', 'hr', 'Badge', ...small)
  expect(existsSync(join(copy, 'subgraphs/hr/entities/TrainingDay.ts'))).toBe(true)

  run('npm', 'run', '--silent', 'codegen')
  run('npm', 'run', '--silent', 'schema', '--', 'compose')
  run('npx', 'tsc', '--noEmit')
  run('npx', 'eslint', 'subgraphs/hr', 'migrations', 'test/hr', 'test/contract')
  run(
    'npx',
    'prettier',
    '--check',
    'schema',
    'subgraphs/hr',
    'migrations',
    'test/hr',
    'test/contract',
    'test/fixtures',
  )
  run('npx', 'depcruise', '--config', '.dependency-cruiser.cjs', 'subgraphs', 'migrations')
  const suites = ['test/hr/training-day', 'test/hr/badge', 'test/contract', 'test/database/distribution']
  run('npx', 'jest', ...suites, 'test/isolation', 'test/registry/lint', '--silent')
}, 1_200_000)
