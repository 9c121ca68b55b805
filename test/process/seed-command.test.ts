import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { Client } from 'pg'
import { projectRoot } from '../../kernel/process/config'
import { verifyPassword } from '../../kernel/sign-in/password'
import { freshDatabase, type TestDatabase } from '../support/postgres'

let database: TestDatabase
let owner: Client

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
})

afterAll(async () => {
  await owner?.end()
  await database?.drop()
})

function seed(): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    DATABASE_URL: database.migratorUrl,
    DATABASE_APP_SECRET: database.roleSecret,
  }
  const hook = join(projectRoot, 'test', 'support', 'typescript.js')
  const script = join(projectRoot, 'scripts', 'seed.ts')
  return new Promise((resolve) => {
    execFile(process.execPath, ['--require', hook, script], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

const counts = async (): Promise<unknown> =>
  (
    await owner.query(
      `SELECT (SELECT count(*)::int FROM tenancy.tenants) AS tenants, (SELECT count(*)::int FROM identity.users) AS users,
              (SELECT count(*)::int FROM hr.employees) AS employees`,
    )
  ).rows[0]

test('fills an empty database once; a server of one’s own gets no password that is known', async () => {
  const { code, stdout, stderr } = await seed()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const password = /^password (\S+)$/m.exec(stdout)![1]!
  expect(password).not.toBe('demo-password')
  const { rows } = await owner.query<{ password_hash: string }>(
    'SELECT password_hash FROM identity.users LIMIT 1',
  )
  expect(await verifyPassword(password, rows[0]!.password_hash)).toBe(true)

  const before = await counts()
  expect(before).toEqual({ tenants: 2, users: 8, employees: 420 })
  const again = await seed()
  expect(again.code).toBe(1)
  expect(again.stderr).toMatch(/has tenants already.*Choose another DATABASE_URL or DATA_DIR/)
  expect(await counts()).toEqual(before)
})
