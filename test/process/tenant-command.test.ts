import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { verifyPassword } from '../../kernel/sign-in/password'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { runScript } from '../support/run-script'

let database: TestDatabase
let owner: Client
const dataDir = mkdtempSync(join(tmpdir(), 'tenant-command-'))

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
})

afterAll(async () => {
  await owner?.end()
  await database?.drop()
  rmSync(dataDir, { recursive: true, force: true })
})

const run = (...args: string[]) => runScript('tenant', args, { database, dataDir })

test('makes a tenant and its administrator, whose password is printed once and must be changed', async () => {
  const { code, stdout, stderr } = await run(
    'create',
    '--slug',
    'initech',
    '--name',
    'Initech Inc.',
    '--admin',
    'Bill@initech.example',
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const password = /^password +(\S{20})$/m.exec(stdout)![1]!
  const { rows } = await owner.query<Record<string, unknown>>(
    `SELECT t.slug, t.name, u.email, u.password_hash, u.password_change_required, r.name AS role
       FROM tenancy.tenants t JOIN identity.users u ON u.tenant_id = t.id
       JOIN identity.role_assignments a ON a.user_id = u.id JOIN identity.roles r ON r.id = a.role_id`,
  )
  expect(rows).toEqual([
    {
      slug: 'initech',
      name: 'Initech Inc.',
      email: 'bill@initech.example',
      password_hash: expect.stringMatching(/^\$2b\$12\$/),
      password_change_required: true,
      role: 'ADMIN',
    },
  ])
  expect(await verifyPassword(password, String(rows[0]!['password_hash']))).toBe(true)

  const again = await run('create', '--slug', 'initech', '--name', 'Other', '--admin', 'x@initech.example')
  expect(again).toEqual({ code: 2, stdout: '', stderr: 'The slug "initech" is taken: choose another one\n' })
})

test('a fault leaves nothing behind', async () => {
  const { code, stderr } = await run('create', '--slug', 'hooli', '--name', 'Hooli', '--admin', 'nobody')
  expect({ code, stderr }).toEqual({ code: 2, stderr: '"nobody" is not an e-mail address\n' })
  expect((await owner.query("SELECT FROM tenancy.tenants WHERE slug = 'hooli'")).rowCount).toBe(0)
})

test('explains itself', async () => {
  const help = await run('--help')
  expect(help.code).toBe(0)
  expect(help.stdout).toContain('npm run tenant -- create --slug SLUG --name NAME --admin EMAIL')
  const nothing = await run('create', '--slug', 'x')
  expect(nothing.code).toBe(2)
  expect(nothing.stderr).toMatch(/^Missing: --name, --admin\n/)
})
