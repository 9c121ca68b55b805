import { Client } from 'pg'
import { insertDemoData } from '../../database/demo'
import { demoTenantIds } from '../../database/demo/ids'
import {
  addMissingRows,
  besidesSums,
  makeRow,
  readTables,
  type Table,
  type TableRow,
} from '../../database/rows'
import { createTenant } from '../../database/tenants'
import { freshDatabase, type TestDatabase } from '../support/postgres'

let database: TestDatabase
let client: Client
let tables: Table[]
let tenantId: string
const now = new Date()

beforeAll(async () => {
  database = await freshDatabase()
  client = new Client({ connectionString: database.migratorUrl })
  await client.connect()
  await client.query('BEGIN')
  tables = await readTables(client)
  tenantId = await createTenant(client, { slug: 'new', name: 'New Ltd' })
})
beforeEach(() => client.query('SAVEPOINT test'))
afterEach(() => client.query('ROLLBACK TO test'))
afterAll(async () => {
  await client?.end()
  await database?.drop()
})

async function countOf(table: string, tenant = tenantId): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM ${table} WHERE tenant_id = $1`,
    [tenant],
  )
  return rows[0]!.count
}

test('P1: every table of a tenant without any gets rows, and no column stays empty', async () => {
  const { empty } = await addMissingRows(client, { tenantId, seed: 'new', now })
  expect(empty).toEqual([])
  const counts: [string, number][] = []
  for (const { name } of tables) counts.push([name, await countOf(name)])
  expect(counts.filter(([, count]) => count < 1)).toEqual([])
  // Where an id tells them apart there are some, so that lists have an order.
  const few = counts.filter(([, count]) => count < 3).map(([name]) => name)
  expect(
    few.filter((name) => tables.find((one) => one.name === name)!.columns.some((one) => one.name === 'id')),
  ).toEqual([])
})

test('P1: demo tenants get what their stories leave out, and keep what they have', async () => {
  await insertDemoData(client, { password: 'demo-password', rounds: 4 })
  const before = await countOf('hr.employees', demoTenantIds.globex)
  const request = { tenantId: demoTenantIds.globex, seed: 'globex', now }
  const { made, empty } = await addMissingRows(client, request)
  expect(empty).toEqual([])
  expect(made.get('hr.calendar_assignments')).toHaveLength(3)
  expect(await countOf('hr.employees', demoTenantIds.globex)).toBe(before)
  expect(await countOf('hr.calendar_assignments', demoTenantIds.acme)).toBe(0)
  expect((await addMissingRows(client, request)).made).toEqual(new Map())
})

test('the same request makes the same rows', async () => {
  const make = async (seed: string) => {
    await client.query('SAVEPOINT again')
    const { made } = await addMissingRows(client, { tenantId, seed, now })
    await client.query('ROLLBACK TO again')
    return made
  }
  const first = await make('new')
  expect(await make('new')).toEqual(first)
  expect(await make('other')).not.toEqual(first)
})

test('columns that may be empty are, when asked', async () => {
  await addMissingRows(client, { tenantId, seed: 'new', now })
  for (const table of tables) {
    if (!table.columns.some(({ name }) => name === 'id')) continue
    let row: TableRow = {}
    await besidesSums(client, table, async () => {
      row = await makeRow(client, table, { tenantId, seed: 'empty', place: 50, now, optional: 'empty' })
    })
    const optional = table.columns.filter(({ nullable, generated }) => nullable && !generated)
    const filled = optional.filter(({ name }) => row[name] !== null).map(({ name }) => name)
    // Of some columns exactly one is filled, says a check.
    const either = table.checks.filter(({ condition }) => /^\(*num_nonnulls\(.*\) = 1\)*$/.test(condition))
    for (const { columns } of either)
      expect([table.name, filled.filter((name) => columns.includes(name)).length]).toEqual([table.name, 1])
    const others = filled.filter((name) => !either.some(({ columns }) => columns.includes(name)))
    expect(others.map((name) => `${table.name}.${name}`)).toEqual([])
  }
})

test('a value given by hand stands, and its table is named when no other fits it', async () => {
  const holidays = tables.find(({ name }) => name === 'hr.holidays')!
  const make = (given: TableRow) => makeRow(client, holidays, { tenantId, seed: 'new', place: 0, now, given })
  expect(await make({ name: 'Midsummer' })).toMatchObject({ name: 'Midsummer', tenant_id: tenantId })
  await expect(make({ name: '' })).rejects.toThrow(
    /^hr\.holidays: no values found for name \(holidays_name_check\)/,
  )
})

test.each<[string, string, RegExp]>([
  ['a closed list', "kind text NOT NULL CHECK (kind IN ('A', 'B'))", /^[AB]$/],
  ['a pattern', "code text NOT NULL CHECK (code ~ '^[A-Z]{2}$')", /^DE$/],
  ['bounds', 'share numeric NOT NULL CHECK (share > 40 AND share <= 41)', /^41$/],
  ['a length', 'name varchar(7) NOT NULL', /^.{7}$/],
  [
    'a sum of others',
    'a int NOT NULL, b int NOT NULL, c int NOT NULL CHECK (c = a + b AND a > 0 AND b > 0)',
    /./,
  ],
  [
    'many that are tied, of which their own checks admit few',
    `${[...'abcdefg'].map((name) => `${name} text NOT NULL CHECK (${name} ~ '^[A-Z]{3}$')`).join(', ')},
      CHECK (num_nonnulls(a, b, c, d, e, f, g) = 7)`,
    /^(DEU|EUR)$/,
  ],
  ['a range of days', 'during daterange NOT NULL CHECK (NOT isempty(during))', /^\[\d/],
])('finds values for %s', async (_, columns, expected) => {
  await client.query(
    `CREATE TABLE hr.tried (tenant_id uuid NOT NULL DEFAULT current_setting('app.tenant_id')::uuid, ${columns})`,
  )
  const table = (await readTables(client)).find(({ name }) => name === 'hr.tried')!
  const { tenant_id, ...row } = await makeRow(client, table, { tenantId, seed: 'new', place: 0, now })
  expect(tenant_id).toBe(tenantId)
  expect(String(Object.values(row)[0])).toMatch(expected)
})

test('names the constraint that it finds no values for', async () => {
  await client.query(
    `CREATE TABLE hr.tried (tenant_id uuid NOT NULL, code text NOT NULL CONSTRAINT odd_check CHECK (code ~ '^odd [0-9]$'))`,
  )
  const table = (await readTables(client)).find(({ name }) => name === 'hr.tried')!
  const request = { tenantId, seed: 'new', place: 0, now }
  await expect(makeRow(client, table, request)).rejects.toThrow(
    'hr.tried: no values found for code (odd_check): give them by hand',
  )
  expect(await makeRow(client, table, { ...request, given: { code: 'odd 1' } })).toMatchObject({
    code: 'odd 1',
  })
})
