import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { migrations } from '../../migrations'
import { freshDatabase, type TestDatabase } from '../support/postgres'

const root = resolve(__dirname, '../..')
const run = promisify(execFile)

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase({ empty: true })
})
afterAll(() => database.drop())

/** `npm run migrate` and its relatives, without the build. */
async function migrate(...words: string[]): Promise<string[]> {
  const { stdout } = await run(
    process.execPath,
    ['--require', './test/support/typescript.js', 'scripts/migrate.ts', ...words],
    {
      cwd: root,
      env: {
        PATH: process.env.PATH,
        NODE_ENV: 'test',
        DATABASE_URL: database.migratorUrl,
        DATABASE_APP_SECRET: database.roleSecret,
      },
    },
  )
  return stdout.trimEnd().split('\n')
}

test('applies, tells and takes back', async () => {
  const pending = await migrate('up', 'status')
  expect(pending).toHaveLength(migrations.length)
  expect(pending[0]).toBe('pending foundation-0000000000001')
  expect((await migrate('up'))[0]).toBe('applied foundation-0000000000001')
  expect(await migrate('up')).toEqual(['nothing to apply'])
  const [last] = (await migrate('up', 'status')).slice(-1)
  expect(last).toMatch(/^applied /)
  expect(await migrate('rollback')).toEqual([last!.replace('applied', 'took back')])
})

test('explains itself, and refuses what it does not know', async () => {
  expect((await migrate('up', '--help'))[0]).toBe('Database migrations.')
  await expect(migrate('up', 'sideways')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Unknown: up sideways'),
  })
})

test('prints the roles for a database administrator', async () => {
  const script = await migrate('up', 'roles', '--print')
  expect(script[0]).toBe('BEGIN;')
  expect(script.slice(-1)).toEqual(['COMMIT;'])
})
