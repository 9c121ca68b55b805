import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { createTenant } from '../../database/tenants'
import { projectRoot } from '../../kernel/process/config'
import { freshDatabase, type TestDatabase } from '../support/postgres'

let database: TestDatabase
let owner: Client
let dataDir: string

beforeAll(async () => {
  database = await freshDatabase()
  dataDir = mkdtempSync(join(tmpdir(), 'audit-command-'))
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
})

afterAll(async () => {
  await owner?.end()
  await database?.drop()
  rmSync(dataDir, { recursive: true, force: true })
})

function run(program: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(program, args, { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

function audit(...args: string[]) {
  const hook = join(projectRoot, 'test', 'support', 'typescript.js')
  const script = join(projectRoot, 'scripts', 'audit.ts')
  return run(process.execPath, ['--require', hook, script, ...args], {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    DATA_DIR: dataDir,
    DATABASE_URL: database.migratorUrl,
    DATABASE_APP_SECRET: database.roleSecret,
  })
}

test('C4: seals, verifies and exports without the product, and ends with 1 for one changed byte', async () => {
  for (const slug of ['acme', 'globex']) {
    const tenantId = await createTenant(owner, { slug, name: slug })
    await owner.query(
      `INSERT INTO shared.audit_logs (tenant_id, id, action, resource_type, resource_id)
       SELECT $1, gen_random_uuid(), 'VIEW', 'Thing', n::text FROM generate_series(1, 2500) n`,
      [tenantId],
    )
  }
  expect(await audit('verify')).toMatchObject({
    code: 0,
    stdout:
      'acme: holds: 0 entries up to position 0, 0 checkpoints up to 0, 2500 not sealed yet\n' +
      'globex: holds: 0 entries up to position 0, 0 checkpoints up to 0, 2500 not sealed yet\n',
  })
  expect(await audit('seal')).toMatchObject({
    code: 0,
    stdout: 'sealed 5000 entries, signed 2 checkpoints\n',
  })
  expect(await audit('verify', '--tenant', 'acme')).toEqual({
    code: 0,
    stdout: 'acme: holds: 2500 entries up to position 2500, 1 checkpoints up to 2500\n',
    stderr: '',
  })
  const to = join(dataDir, 'export')
  expect(await audit('export', '--tenant', 'acme', '--to', to)).toMatchObject({ code: 0, stderr: '' })
  expect(await run(process.execPath, [join(to, 'verify-export.mjs')])).toMatchObject({
    code: 0,
    stdout: '2500 entries up to position 2500, 2 checkpoints: everything holds\n',
  })
  const keys = await audit('keys')
  expect(keys.stdout).toMatch(/^[\w-]{43}\n$/)

  await owner.query("UPDATE shared.audit_logs SET action = 'DENY' WHERE position = 1200")
  const { code, stdout } = await audit('verify', '--json')
  expect(code).toBe(1)
  const reports = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { slug: string; faults: { kind: string; position: number }[] })
  expect(
    reports.map(({ slug, faults }) => [slug, faults.map(({ kind, position }) => `${kind} ${position}`)]),
  ).toEqual([
    ['acme', ['CHANGED 1200']],
    ['globex', ['CHANGED 1200']],
  ])
})

test.each([
  [[], 2, /Say what to do: verify, seal, export, drop-month, keys\. Got: nothing/],
  [['rewrite'], 2, /Got: rewrite/],
  [['toString'], 2, /Got: toString/],
  [['verify', '--loud'], 2, /--loud/],
  [['export', '--tenant', 'acme'], 2, /Missing: --to/],
  [['verify', '--tenant', 'nobody'], 1, /There is no tenant nobody/],
  [['drop-month', '--month', '2026-01'], 1, /is kept until/],
])('%j ends with %d', async (args, code, message) => {
  const ended = await audit(...args)
  expect(ended.code).toBe(code)
  expect(ended.stderr).toMatch(message)
})

test('says how it is used', async () => {
  expect(await audit('--help')).toMatchObject({ code: 0, stderr: '' })
})
