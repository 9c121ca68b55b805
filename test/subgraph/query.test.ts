import { parse, type ExecutionResult } from 'graphql'
import { Client } from 'pg'
import { Column, Entity } from 'typeorm'
import { createTenant } from '../../database/tenants'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { rowByKey, rowsByKey, valueByKey } from '../../kernel/query'
import { one } from '../../kernel/relation'
import { startSubgraph } from '../../kernel/execution/start-subgraph'
import { subgraph, type RunningSubgraph } from '../../kernel/subgraph'
import { TenantRow } from '../../kernel/tenant-row'
import { tenantTable } from '../../migrations/sql'
import { noServices, request } from '../authorize/three-subgraphs'
import { freshDatabase, type TestDatabase } from '../support/postgres'

@Entity({ schema: 'hr', name: 'shifts' })
class Shift extends TenantRow {
  @Column({ type: 'varchar', length: 10 })
  place: string
  @Column({ type: 'uuid', nullable: true })
  nextId: string | null
  @Column({ type: 'timestamptz', nullable: true })
  deletedAt: string | null
}

const id = (last: number) => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`
const mine = request([])!.viewer!.tenantId
const keys = ['a', 'b', 'c']
const places =
  "FROM unnest($2::text[]) AS key JOIN (VALUES ('a', 1), ('a', 2), ('b', 3), ('b', 4)) AS n (k, last) ON k = key"
const ids = `SELECT key, ('01890000-0000-7000-8000-' || lpad(last::text, 12, '0'))::uuid ${places} WHERE $1::uuid IS NOT NULL`
const shiftsOf = rowsByKey(Shift, ids, 'place')
const shiftOf = rowByKey(
  Shift,
  `SELECT DISTINCT ON (key) * FROM (${ids}) AS all_of (key, id) ORDER BY key, id`,
)
const countOf = valueByKey<number>(
  `SELECT key, count(*)::int ${places} WHERE $1::uuid IS NOT NULL GROUP BY key`,
  0,
)

let database: TestDatabase
let owner: Client
let db: Database
let running: RunningSubgraph
let sent: string[] = []

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  await owner.query('BEGIN')
  await createTenant(owner, { id: mine, slug: 'acme', name: 'Acme' })
  const other = await createTenant(owner, { slug: 'globex', name: 'Globex' })
  const columns = { place: 'varchar(10) NOT NULL', next_id: 'uuid', deleted_at: 'timestamptz(3)' }
  for (const statement of tenantTable({ schema: 'hr', table: 'shifts', columns }).up)
    await owner.query(statement)
  const rows: [string, number, string, string | null][] = [
    [mine, 1, 'Rome', id(2)],
    [mine, 2, 'Oslo', null],
    [other, 3, 'Foreign', null],
    [mine, 4, 'Paris', id(3)],
    [mine, 5, 'Deleted', null],
  ]
  for (const [tenant, last, place, next] of rows)
    await owner.query('INSERT INTO hr.shifts (tenant_id, id, place, next_id) VALUES ($1, $2, $3, $4)', [
      tenant,
      id(last),
      place,
      next,
    ])
  await owner.query('COMMIT')
  db = await openDatabase({
    url: database.urlFor('hr'),
    entities: [Shift],
    connections: 2,
    applicationName: 'test',
    onStatement: ({ text }) => sent.push(text),
  })
  const typeDefs = parse(`
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated"])
    type Query { keys: [Key!] @authenticated }
    type Key @authenticated { count: Int @authenticated first: Shift @authenticated shifts: [Shift!] @authenticated }
    type Shift @key(fields: "id") @authenticated { id: ID! place: String! next: Shift }
  `)
  const resolvers = {
    Query: { keys: () => keys.map((key) => ({ key })) },
    Key: {
      count: ({ key }: { key: string }, _args: object, context: Parameters<typeof countOf>[0]) =>
        countOf(context, key),
      first: (
        { key }: { key: string },
        _args: object,
        ...rest: [Parameters<typeof shiftOf>[0], Parameters<typeof shiftOf>[2]]
      ) => shiftOf(rest[0], key, rest[1]),
      shifts: (
        { key }: { key: string },
        _args: object,
        ...rest: [Parameters<typeof shiftOf>[0], Parameters<typeof shiftOf>[2]]
      ) => shiftsOf(rest[0], key, rest[1]),
    },
    Shift: { next: one(Shift, 'nextId', Shift) },
  }
  running = await startSubgraph(
    subgraph('hr', { entities: [Shift], resolvers: [resolvers], typeDefs }),
    db,
    noServices,
  )
})
afterAll(async () => {
  await running?.close()
  await db?.close()
  await owner.end()
  await database.drop()
})

async function ask(text: string): Promise<ExecutionResult> {
  sent = []
  return running.execute({ document: parse(text), context: request([], id(11))! })
}

it('finds rows for the keys of a level in one statement, with their relations and the columns asked for', async () => {
  const { data, errors = [] } = await ask('{ keys { shifts { place next { place } } } }')
  expect(errors.map((error) => error.message)).toEqual([])
  expect(data).toEqual({
    keys: [
      {
        shifts: [
          { place: 'Oslo', next: null },
          { place: 'Rome', next: { place: 'Oslo' } },
        ],
      },
      // Another tenant's row is none, in the list as behind it.
      { shifts: [{ place: 'Paris', next: null }] },
      { shifts: [] },
    ],
  })
  expect(sent).toHaveLength(1)
  expect(sent[0]).not.toContain('updated_at')
})

it('finds one row for a key, and a value', async () => {
  const { data } = await ask('{ keys { count first { place } } }')
  expect(data).toEqual({
    keys: [
      { count: 2, first: { place: 'Rome' } },
      { count: 2, first: null },
      { count: 0, first: null },
    ],
  })
  expect(sent).toHaveLength(2)
})

it('leaves out what was deleted', async () => {
  await owner.query('UPDATE hr.shifts SET deleted_at = now() WHERE id = $1', [id(1)])
  const { data } = await ask('{ keys { shifts { place } } }')
  await owner.query('UPDATE hr.shifts SET deleted_at = NULL WHERE id = $1', [id(1)])
  expect(data).toEqual({
    keys: [{ shifts: [{ place: 'Oslo' }] }, { shifts: [{ place: 'Paris' }] }, { shifts: [] }],
  })
})
