import { Client } from 'pg'
import { Column, Entity, PrimaryColumn } from 'typeorm'
import { makeTenantKeys } from '../../database/encrypt-rows'
import { createTenant } from '../../database/tenants'
import { tenantTable } from '../../migrations/sql'
import { subgraphContext } from '../../kernel/execution/subgraph-view'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { entityModels } from '../../kernel/schema/entity-model'
import { insertStatements } from '../../kernel/statement'
import { mutate, type MutationTransaction } from '../../kernel/mutate'
import { noServices, request } from '../authorize/three-subgraphs'
import { freshDatabase, type TestDatabase } from '../support/postgres'

@Entity({ schema: 'hr', name: 'shifts' })
class Shift {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid' })
  tenantId: string
  @PrimaryColumn({ type: 'uuid' })
  id: string
  @Column({ type: 'varchar', length: 10 })
  place: string
  @Column({ type: 'bigint', nullable: true })
  wage: string | null
  @Column({ type: 'jsonb', nullable: true })
  details: unknown
  @Column({ name: 'begins_at', type: 'timestamptz', nullable: true })
  beginsAt: string | null
}

@Entity({ schema: 'hr', name: 'teams' })
class Team {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid' })
  tenantId: string
  @PrimaryColumn({ type: 'uuid' })
  id: string
  @Column({ type: 'text', array: true })
  names: string[]
  @Column({ name: 'deleted_at', type: 'timestamptz', nullable: true })
  deletedAt: string | null
}

const actor = '01890000-0000-7000-8000-000000000011'
const id = (last: number) => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`
const others = id(900)

let database: TestDatabase
let owner: Client
let db: Database
let sent: string[]

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  await owner.query('BEGIN')
  const mine = request([])!.viewer!.tenantId
  await createTenant(owner, { id: mine, slug: 'acme', name: 'Acme' })
  const other = await createTenant(owner, { slug: 'globex', name: 'Globex' })
  const columns = {
    place: 'varchar(10) NOT NULL',
    wage: 'bigint',
    details: 'jsonb',
    begins_at: 'timestamptz',
  }
  const unique = [['place']]
  const teams = { names: 'text[] NOT NULL', deleted_at: 'timestamptz' }
  for (const statement of [
    ...tenantTable({ schema: 'hr', table: 'shifts', columns, unique }).up,
    ...tenantTable({ schema: 'hr', table: 'teams', columns: teams }).up,
  ])
    await owner.query(statement)
  await makeTenantKeys(owner, noServices.dataKeys)
  await owner.query('COMMIT')
  await owner.query("INSERT INTO hr.shifts (tenant_id, id, place) VALUES ($1, $2, 'Elsewhere')", [
    other,
    others,
  ])
  db = await openDatabase({
    url: database.urlFor('hr'),
    entities: [Shift, Team],
    connections: 2,
    applicationName: 'test',
    // Keys are looked up before the first mutation.
    onStatement: ({ text }) => text.includes('shared.data_keys') || sent.push(text),
  })
  entityModels(db.dataSource)
})
afterAll(async () => {
  await db.close()
  await owner.end()
  await database.drop()
})

async function change<T extends object>(work: (tx: MutationTransaction) => Promise<T>) {
  sent = []
  const context = subgraphContext(request(['hr:employee:write'], actor)!, db, noServices)
  return mutate(context, work)
}

async function stored() {
  const { rows } = await owner.query<{
    place: string
    wage: string | null
    details: unknown
    actions: string[]
  }>(
    `SELECT s.place, s.wage, s.details, (SELECT array_agg(action ORDER BY occurred_at, id) FROM shared.audit_logs a
       WHERE a.resource_id = s.id::text) AS actions FROM hr.shifts s WHERE place <> 'Elsewhere' ORDER BY place`,
  )
  return rows
}
const writes = () => sent.filter((text) => /^(INSERT|DELETE)/.test(text.trim()))

beforeEach(() => owner.query("DELETE FROM hr.shifts WHERE place <> 'Elsewhere'"))

test('rows are added in one statement, each with its audit entry, and come back whole in their order', async () => {
  const rows = [
    { id: id(1), place: 'Rome', wage: '9007199254740993', details: { a: ['"', '{}', null] } },
    { id: id(2), place: 'O"sl{o},', wage: null, details: null },
  ]
  const { shifts, userErrors } = await change(async (tx) => ({ shifts: await tx.insertAll(Shift, rows) }))
  expect(userErrors).toEqual([])
  expect(shifts).toMatchObject(rows.map((row) => ({ ...row, beginsAt: null })))
  expect(writes()).toHaveLength(3) // the rows; their audit entries; their events
  expect(await stored()).toEqual([
    { place: 'O"sl{o},', wage: null, details: null, actions: ['CREATE'] },
    { place: 'Rome', wage: '9007199254740993', details: { a: ['"', '{}', null] }, actions: ['CREATE'] },
  ])
})

test('a thousand rows get ids of their own', async () => {
  const rows = Array.from({ length: 1_000 }, (_, number) => ({ place: `P${number}` }))
  const { shifts } = await change(async (tx) => ({ shifts: await tx.insertAll(Shift, rows) }))
  expect(shifts!.map(({ place }) => place)).toEqual(rows.map(({ place }) => place))
  expect(new Set(shifts!.map((row) => row.id)).size).toBe(1_000)
  expect(writes()).toHaveLength(3)
})

test('one row that is refused leaves none behind', async () => {
  const twice = await change(async (tx) => ({
    shifts: await tx.insertAll(Shift, [{ place: 'Rome' }, { place: 'Rome' }]),
  }))
  expect(twice.userErrors).toMatchObject([{ code: 'DUPLICATE', field: ['place'] }])
  const long = await change(async (tx) => ({
    shifts: await tx.insertAll(Shift, [{ place: 'Rome' }, { place: 'a place too long' }]),
  }))
  expect(long.userErrors).toEqual([
    { code: 'INVALID', message: 'place must have at most 10 characters', field: ['place'] },
  ])
  expect(await stored()).toEqual([])
})

test('no rows are no statement, and rows of different columns are a mistake of ours', async () => {
  expect(await change(async (tx) => ({ shifts: await tx.insertAll(Shift, []) }))).toEqual({
    shifts: [],
    userErrors: [],
  })
  expect(sent).toEqual([])
  const differing = [{ place: 'Rome' }, { place: 'Oslo', wage: '1' }]
  await expect(change(async (tx) => ({ shifts: await tx.insertAll(Shift, differing) }))).rejects.toThrow(
    'Rows of Shift that are added together must give values to the same columns',
  )
})

test('rows that hold lists are added together as well', async () => {
  const rows = [{ names: ['a', '"b", {c}'] }, { names: [] }]
  const { teams } = await change(async (tx) => ({ teams: await tx.insertAll(Team, rows) }))
  expect(teams!.map(({ names }) => names)).toEqual([['a', '"b", {c}'], []])
  expect(writes()).toHaveLength(3)
})

test('rows with more values than one statement takes are added by as few as hold them', async () => {
  const rows = Array.from({ length: 15_000 }, (_, number) => ({
    place: `P${number}`,
    wage: null,
    details: null,
    beginsAt: null,
  }))
  const { shifts } = await change(async (tx) => ({ shifts: await tx.insertAll(Shift, rows) }))
  expect(shifts!.map(({ place }) => place)).toEqual(rows.map(({ place }) => place))
  // 13,107 rows of five values, then the rest; 10,921 audit entries of six values and four that all share, then the rest;
  // 13,106 events of five values and one that all share, then the rest.
  expect(writes()).toHaveLength(6)
})

test('few rows are a prepared statement, many are parsed each time', () => {
  const rows = Array.from({ length: 21 }, (_, number) => [number])
  const into = 'INSERT INTO t (shared, number)'
  expect(insertStatements(into, rows.slice(0, 2), { shared: ['s'], after: 'RETURNING 1' })).toEqual([
    { name: 'prepared', text: `${into} VALUES ($1, $2), ($1, $3) RETURNING 1`, values: ['s', 0, 1] },
  ])
  expect(insertStatements(into, rows.slice(0, 20))[0]!.name).toBe('prepared')
  expect(insertStatements(into, rows)[0]!.name).toBeUndefined()
  expect(insertStatements(into, [])).toEqual([])
})

test('rows are removed in one statement, each with its audit entry', async () => {
  await change(async (tx) => ({
    shifts: await tx.insertAll(
      Shift,
      [11, 12, 13].map((number) => ({ id: id(number), place: `P${number}` })),
    ),
  }))
  const { shifts } = await change(async (tx) => ({
    shifts: await tx.removeAll(Shift, [id(11), id(13), id(11)]),
  }))
  expect(shifts!.map(({ place }) => place).sort()).toEqual(['P11', 'P13'])
  expect(writes()).toHaveLength(3)
  expect((await stored()).map(({ place }) => place)).toEqual(['P12'])
  const { rows } = await owner.query(
    `SELECT changes -> 'before' ->> 'place' AS place FROM shared.audit_logs WHERE action = 'DELETE' ORDER BY 1`,
  )
  expect(rows).toEqual([{ place: 'P11' }, { place: 'P13' }])
  expect(await change(async (tx) => ({ shifts: await tx.removeAll(Shift, []) }))).toEqual({
    shifts: [],
    userErrors: [],
  })
})

test("another tenant's id, an unknown one and one that is none remove nothing", async () => {
  await change(async (tx) => ({ shift: await tx.insert(Shift, { id: id(21), place: 'Rome' }) }))
  for (const wrong of [others, id(404), 'x']) {
    const { userErrors } = await change(async (tx) => ({
      shifts: await tx.removeAll(Shift, [id(21), wrong]),
    }))
    expect(userErrors).toMatchObject([{ code: 'NOT_FOUND', field: ['id'] }])
  }
  const { rows } = await owner.query('SELECT place FROM hr.shifts ORDER BY place')
  expect(rows).toEqual([{ place: 'Elsewhere' }, { place: 'Rome' }])
  await expect(change(async (tx) => ({ teams: await tx.removeAll(Team, [id(21)]) }))).rejects.toThrow(
    'Team is deleted softly: remove its rows one by one',
  )
})
