import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'

/** Follows docs/add-an-entity.md to the letter, in a copy of the project without the entity that the guide adds. */
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

  const path = (...parts: string[]) => join(copy, ...parts)
  const index = path('subgraphs', 'hr', 'index.ts')
  const [entityImport, resolverImport] = block(4)
    .match(/^\+import .*$/gm)!
    .map((line) => `${line.slice(1)}\n`) as [string, string]

  const made = readdirSync(path('migrations')).find((name) => name.endsWith('-holidays.ts'))!
  const written = [
    [path('schema', 'hr', 'holiday.graphql'), block(1)],
    [path('subgraphs', 'hr', 'entities', 'Holiday.ts'), block(2)],
    [path('subgraphs', 'hr', 'resolvers', 'Holiday.ts'), block(3)],
    [path('migrations', made), block(5).replace('NUMBER', String(Number(made.slice(0, 4))))],
    [path('test', 'hr', 'holiday.test.ts'), block(6)],
  ] as const
  const edited = [index, path('migrations', 'index.ts')]
  const product = new Map(edited.map((file) => [file, readFileSync(file, 'utf8')]))
  for (const [file, text] of written) {
    expect(readFileSync(file, 'utf8')).toBe(text)
    rmSync(file)
  }
  takeOut(index, entityImport, resolverImport, ', Holiday', ', holiday')
  takeOut(edited[1]!, `import { holidays } from './${made.slice(0, -3)}'\n`, '  holidays,\n')

  for (const [file, text] of written) if (file !== path('migrations', made)) writeFileSync(file, text)
  writeFileSync(
    index,
    `${entityImport}${resolverImport}` +
      readFileSync(index, 'utf8')
        .replace(/entities: \[(.*)\]/, 'entities: [$1, Holiday]')
        .replace(/resolvers: \[(.*)\]/, 'resolvers: [$1, holiday]'),
  )
  run('npm', 'run', '--silent', 'migrate:make', 'holidays')
  const remade = readdirSync(path('migrations')).find((name) => name.endsWith('-holidays.ts'))!
  const number = Number(remade.slice(0, 4))
  expect(readFileSync(path('migrations', remade), 'utf8')).toContain(`migration(${number}, 'holidays'`)
  writeFileSync(path('migrations', remade), block(5).replace('NUMBER', String(number)))
  // It comes last now, behind whatever the product has added since.
  const linesOf = (text: string) =>
    text.replace(remade.slice(0, -3), made.slice(0, -3)).split('\n').toSorted()
  expect(linesOf(readFileSync(edited[1]!, 'utf8'))).toEqual(linesOf(product.get(edited[1]!)!))

  run('npm', 'run', '--silent', 'codegen')
  run('npm', 'run', '--silent', 'schema', '--', 'compose')
  run('npx', 'tsc', '--noEmit')
  run('npx', 'jest', 'test/hr/holiday', 'test/contract', '--silent')
}, 300_000)

/** Removes texts that a file has once each. */
function takeOut(file: string, ...texts: string[]): void {
  let content = readFileSync(file, 'utf8')
  for (const text of texts) {
    expect(content.split(text)).toHaveLength(2)
    content = content.replace(text, '')
  }
  writeFileSync(file, content)
}
