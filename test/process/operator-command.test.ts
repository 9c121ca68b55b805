import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { operatorScopes } from '../../database/operators'
import { digestOf, hashWithSalt } from '../../kernel/sign-in/password'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { runScript } from '../support/run-script'

/** A5: operators are made by the command and by nothing in the graph. */
let database: TestDatabase
let owner: Client
const dataDir = mkdtempSync(join(tmpdir(), 'operator-command-'))

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

const run = (...args: string[]) => runScript('operator', args, { database, dataDir })
const rows = async () =>
  (
    await owner.query<Record<string, unknown>>(
      `SELECT email, name, status, scopes, password_salt AS salt, password_digest AS digest, password_change_required AS change
         FROM identity.operators ORDER BY email`,
    )
  ).rows
const isPasswordOf = async (password: string, { salt, digest }: Record<string, unknown>) =>
  digestOf(await hashWithSalt(password, String(salt))) === digest
const passwordIn = (stdout: string) => /^password +(\S{20})$/m.exec(stdout)![1]!

test('makes an operator, lists it, gives another password and takes the way in (A5)', async () => {
  const scopes = 'tenancy:platform:tenants,tenancy:platform:enter'
  const made = await run('create', '--email', 'Ada@platform.example', '--name', 'Ada', '--scopes', scopes)
  expect({ code: made.code, stderr: made.stderr }).toEqual({ code: 0, stderr: '' })
  const [row] = await rows()
  expect(row).toEqual({
    ...{ email: 'ada@platform.example', name: 'Ada', status: 'ACTIVE', change: true },
    scopes: ['tenancy:platform:read', 'tenancy:platform:tenants', 'tenancy:platform:enter'],
    salt: expect.stringMatching(/^\$2b\$12\$/) as string,
    digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  })
  expect(await isPasswordOf(passwordIn(made.stdout), row!)).toBe(true)
  expect(await isPasswordOf('wrong', row!)).toBe(false)
  const listed = await run('list')
  expect(listed.stdout).toBe(
    'ada@platform.example  ACTIVE  Ada  last sign-in never  tenancy:platform:read tenancy:platform:tenants tenancy:platform:enter\n',
  )
  expect(await run('disable', '--email', 'ADA@platform.example')).toEqual({
    ...{ code: 0, stderr: '' },
    stdout: 'ada@platform.example is disabled, and all sessions have ended.\n',
  })
  expect((await rows())[0]).toMatchObject({ status: 'DISABLED' })
  const reset = await run('reset-password', '--email', 'ada@platform.example')
  expect(reset.code).toBe(0)
  const [again] = await rows()
  expect(again).toMatchObject({ status: 'ACTIVE', change: true })
  expect(await isPasswordOf(passwordIn(reset.stdout), again!)).toBe(true)
  // The platform's trail names what was done, and by whom: nobody of the graph was signed in.
  const { rows: actions } = await owner.query(
    `SELECT action, operator_id AS operator, about_tenant AS tenant, details FROM shared.platform_actions ORDER BY id`,
  )
  const details = {
    ...{ email: 'ada@platform.example', operatorId: expect.any(String) as string },
    ...{ systemUser: userInfo().username, databaseUser: owner.user },
  }
  const nobody = { operator: null, tenant: null }
  expect(actions).toEqual([
    {
      ...{ action: 'CREATE_OPERATOR', ...nobody },
      details: {
        ...details,
        scopes: ['tenancy:platform:read', 'tenancy:platform:tenants', 'tenancy:platform:enter'],
      },
    },
    { action: 'DISABLE_OPERATOR', ...nobody, details },
    { action: 'RESET_OPERATOR_PASSWORD', ...nobody, details },
  ])
})

test('says what is wrong, and leaves nothing behind (A5)', async () => {
  const before = await rows()
  const ada = ['--email', 'ada@platform.example', '--name', 'Ada']
  expect(await run('create', ...ada)).toEqual({
    ...{ code: 2, stdout: '' },
    stderr: 'There is an operator ada@platform.example already\n',
  })
  const scope = await run(
    'create',
    '--email',
    'x@platform.example',
    '--name',
    'X',
    '--scopes',
    'hr:salary:read',
  )
  expect({ code: scope.code, stderr: scope.stderr }).toEqual({
    code: 2,
    stderr: `There is no scope hr:salary:read: take some of ${Object.keys(operatorScopes).join(', ')}\n`,
  })
  expect(await run('disable', '--email', 'nobody@platform.example')).toEqual({
    ...{ code: 2, stdout: '' },
    stderr: 'There is no operator nobody@platform.example: see npm run operator -- list\n',
  })
  expect((await run('create', '--email', 'nobody')).stderr).toMatch(/^Missing: --name\n/)
  expect((await run('promote')).stderr).toMatch(/^Say what to do: create, list, reset-password, disable/)
  expect(await rows()).toEqual(before)
})

test('explains itself (A5)', async () => {
  const help = await run('--help')
  expect(help.code).toBe(0)
  for (const scope of Object.keys(operatorScopes)) expect(help.stdout).toContain(scope)
})

test('tells who issues documents, and refuses what they cannot say (B10)', async () => {
  const place = ['--street', 'Am Kai 1', '--city', 'Kiel', '--country', 'DE']
  const sellers = async () =>
    (
      await owner.query(
        `SELECT valid_from::text AS from, legal_name AS name, street, postal_code AS code, city, country, tax_id AS tax, email
           FROM tenancy.sellers ORDER BY valid_from`,
      )
    ).rows
  for (const [args, said] of [
    [['--name', 'Cloud GmbH', ...place], 'Missing: --tax-id'],
    [['--name', 'Cloud GmbH', ...place, '--country', 'XX', '--tax-id', 'DE1'], '"XX" is no country'],
    [['--name', 'Cloud GmbH', ...place, '--tax-id', 'DE1', '--from', '2027-02-30'], '"2027-02-30" is no day'],
    [['--name', 'Cloud GmbH', ...place, '--tax-id', 'D'.repeat(31)], 'taxId must have 1 to 30 characters'],
  ] as const) {
    const { code, stderr } = await run('seller', ...args)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(said) as string })
  }
  expect(await sellers()).toEqual([])
  const told = await run(
    'seller',
    '--name',
    'Cloud GmbH',
    ...place,
    '--tax-id',
    'DE1',
    '--from',
    '2027-01-31',
  )
  expect(told).toEqual({
    ...{ code: 0, stderr: '' },
    stdout: 'From 2027-01-31 on, Cloud GmbH issues invoices and credit notes.\n',
  })
  expect(await sellers()).toEqual([
    {
      ...{ from: '2027-01-31', name: 'Cloud GmbH', street: 'Am Kai 1', code: null, city: 'Kiel' },
      ...{ country: 'DE', tax: 'DE1', email: null },
    },
  ])
  const { rows } = await owner.query(
    "SELECT details ->> 'legalName' AS name FROM shared.platform_actions WHERE action = 'ADD_SELLER'",
  )
  expect(rows).toEqual([{ name: 'Cloud GmbH' }])
})

it('documents of deleted tenants are written to a file that there is not yet', async () => {
  const file = join(dataDir, 'documents.jsonl')
  expect(await run('documents')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Missing: --out') as string,
  })
  const told = { code: 0, stderr: '', stdout: `0 documents of deleted tenants are in ${file}\n` }
  expect(await run('documents', '--out', file)).toEqual(told)
  expect(readFileSync(file, 'utf8')).toBe('')
  expect(await run('documents', '--out', file)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('cannot be made') as string,
  })
})
