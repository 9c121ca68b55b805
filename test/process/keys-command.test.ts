import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { insertDemoData } from '../../database/demo'
import { demoTenantIds, demoUserIds } from '../../database/demo/ids'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { runScript } from '../support/run-script'

let database: TestDatabase
let owner: Client
const dataDir = mkdtempSync(join(tmpdir(), 'keys-command-'))
const henrik = demoUserIds.acme.hr

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  await owner.query('BEGIN')
  await insertDemoData(owner, { password: 'correct horse battery', rounds: 4 })
  await owner.query("UPDATE identity.users SET phone = '+49 30 1' WHERE id = $1", [henrik])
  await owner.query('COMMIT')
})

afterAll(async () => {
  await owner?.end()
  await database?.drop()
  rmSync(dataDir, { recursive: true, force: true })
})

const run = (...args: string[]) => runScript('keys', args, { database, dataDir })

const phone = async () =>
  (await owner.query<{ phone: string }>('SELECT phone FROM identity.users WHERE id = $1', [henrik])).rows[0]!
    .phone

test('C6 encrypts what is in clear with progress, tells of the keys, and destroys those of a person', async () => {
  const first = await run('encrypt')
  expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' })
  expect(first.stdout).toMatch(/^made a key for encrypted columns in .*encryption\.keys: keep a copy of it/)
  expect(first.stdout).toMatch(/^\d+ rows, now in compliance\.compliance_records of tenant /m)
  const count = Number(/^encrypted (\d+) rows$/m.exec(first.stdout)![1])
  expect(count).toBeGreaterThan(100)
  expect(await phone()).toMatch(/^enc1:/)
  expect((await run('encrypt')).stdout).toBe('encrypted 0 rows\n')
  const status = await run('status')
  expect(status.stdout).toMatch(
    /^acme: 1 keys of its own and 0 of people under \d{4}-\d\d-\d\d, 0 destroyed$/m,
  )
  // One person has a telephone number, three have asked for their data.
  expect(status.stdout).toMatch(/^acme: 0 keys of its own and 4 of people under [0-9a-f-]{36}, 0 destroyed$/m)
  expect((await run('destroy', '--tenant', 'acme', '--user', henrik)).stdout).toBe('destroyed 1 keys\n')
  const { rows } = await owner.query(
    'SELECT wrapped FROM shared.data_keys WHERE tenant_id = $1 AND subject_id = $2',
    [demoTenantIds.acme, henrik],
  )
  expect(rows).toEqual([{ wrapped: null }])
})

test('a wrong command says what there is', async () => {
  const { code, stderr } = await run('turn')
  expect(code).toBe(2)
  expect(stderr).toContain('Say what to do: turn')
  expect((await run('destroy', '--tenant', 'acme')).stderr).toContain(
    'destroy needs --tenant SLUG and --user ID',
  )
  expect((await run('--help')).stdout).toContain('npm run keys -- COMMAND')
})
