import { Client } from 'pg'
import { Column, Entity, PrimaryColumn } from 'typeorm'
import { makeTenantKeys } from '../../database/encrypt-rows'
import { createTenant } from '../../database/tenants'
import { tenantTable } from '../../migrations/sql'
import { subgraphContext } from '../../kernel/execution/subgraph-view'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { entityModels } from '../../kernel/schema/entity-model'
import { violationOf } from '../../kernel/writing/constraints'
import { violates } from '../../kernel/writing/violation-names'
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
  @Column({ name: 'swap_id', type: 'uuid', nullable: true })
  swapId: string | null
  @Column({ type: 'int', nullable: true })
  hours: number | null
}

const id = (last: number) => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`
const actor = id(11)
const tenantId = request([])!.viewer!.tenantId

let database: TestDatabase
let db: Database

beforeAll(async () => {
  database = await freshDatabase()
  const owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  await owner.query('BEGIN')
  await createTenant(owner, { id: tenantId, slug: 'acme', name: 'Acme' })
  const { up } = tenantTable({
    schema: 'hr',
    table: 'shifts',
    columns: { place: 'varchar(10) NOT NULL', swap_id: 'uuid', hours: 'int' },
    unique: [['place']],
    checks: { hours: 'hours > 0' },
    references: { swap_id: { table: 'hr.shifts', onDelete: 'RESTRICT' } },
    partition: { by: 'hash', parts: 2 },
  })
  for (const statement of up) await owner.query(statement)
  await makeTenantKeys(owner, noServices.dataKeys)
  await owner.query('COMMIT')
  await owner.end()
  db = await openDatabase({
    url: database.urlFor('hr'),
    entities: [Shift],
    connections: 1,
    applicationName: 'test',
  })
  entityModels(db.dataSource)
  const text = `INSERT INTO hr.shifts (id, place, swap_id) VALUES ('${id(1)}', 'Rome', NULL), ('${id(2)}', 'Oslo', '${id(1)}')`
  await db.rows({ tenantId }, { text })
})
afterAll(async () => {
  await db.close()
  await database.drop()
})

const insert = (values: string) =>
  `INSERT INTO hr.shifts (id, place, swap_id, hours) VALUES ('${id(3)}', ${values})`
const restricted = {
  code: 'IN_USE',
  field: null,
  message: 'This record is still referred to by other records',
}

/** What is done, what the client is told, and which numbers a shard's names have in the error's text. */
const cases: [what: string, text: string, expected: object, numbered: RegExp][] = [
  [
    'a unique rule',
    insert(`'Rome', NULL, NULL`),
    { code: 'DUPLICATE', field: ['place'], message: 'place is already in use' },
    /constraint "([^"]+)/g,
  ],
  [
    'a missing parent',
    insert(`'Bonn', '${id(404)}', NULL`),
    { code: 'REFERENCE_NOT_FOUND', field: ['swapId'], message: 'swapId does not exist' },
    /(?:table|constraint) "([^"]+)/g,
  ],
  [
    'a parent that is needed',
    `DELETE FROM hr.shifts WHERE id = '${id(1)}'`,
    restricted,
    /(?:table|constraint) "([^"]+)/g,
  ],
  [
    'a check',
    insert(`'Bonn', NULL, 0`),
    { code: 'INVALID', field: ['hours'], message: 'hours is not allowed' },
    /relation "([^"]+)/g,
  ],
  [
    'a value that must be there',
    insert('NULL, NULL, NULL'),
    { code: 'INVALID', field: ['place'], message: 'place is required' },
    /relation "([^"]+)/g,
  ],
]

test.each(cases)(
  '%s is answered alike when a node of a distributed PostgreSQL refuses',
  async (_, text, expected, numbered) => {
    const context = subgraphContext(request([], actor)!, db, noServices)
    const error: unknown = await db.rows({ tenantId }, { text }).catch((failure: unknown) => failure)
    expect((await violationOf(context, error))!.errors).toEqual([expected])
    const { code, message } = error as Error & { code: string }
    const shard = message.replaceAll(numbered, (whole) => `${whole}_102816`)
    expect(shard).not.toBe(message)
    const passedOn = Object.assign(new Error(shard), { code })
    expect((await violationOf(context, passedOn))!.errors).toEqual([expected])
  },
)

test('a text that names nothing we know is answered in general', async () => {
  const context = subgraphContext(request([], actor)!, db, noServices)
  const error = Object.assign(new Error('duplicate key value violates unique constraint "other_key_7"'), {
    code: '23505',
  })
  expect((await violationOf(context, error))!.errors).toEqual([
    { code: 'DUPLICATE', field: null, message: 'This record is already in use' },
  ])
})

test.each([
  ['its name', { constraint: 'schema_versions_pkey', schema: 'gateway' }, 'x', true],
  [
    'another name',
    { constraint: 'other_pkey', schema: 'gateway' },
    'violates unique constraint "schema_versions_pkey"',
    false,
  ],
  ['the text alone', {}, 'duplicate key value violates unique constraint "schema_versions_pkey"', true],
  [
    "a shard's name in the text",
    {},
    'duplicate key value violates unique constraint "schema_versions_pkey_102008"',
    true,
  ],
  ['nothing', {}, 'connection lost', false],
])('a violation is known by %s', (_, fields, message, known) => {
  expect(violates(Object.assign(new Error(message), { code: '23505' }, fields), 'schema_versions_pkey')).toBe(
    known,
  )
})
