import { Client } from 'pg'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { sensitiveClasses } from '../../kernel/sensitive/classes'
import { subgraphs } from '../../subgraphs'
import { entityModels } from '../../kernel/schema/entity-model'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** Entities are written by hand and tables by migrations: what one says and the other does not is found here. */
let testDatabase: TestDatabase
let owner: Client
const opened: Database[] = []

beforeAll(async () => {
  testDatabase = await freshDatabase()
  owner = new Client({ connectionString: testDatabase.migratorUrl })
  await owner.connect()
  for (const { name, entities } of subgraphs) {
    const entityList = [...entities] as Parameters<typeof openDatabase>[0]['entities']
    const url = testDatabase.urlFor(name)
    opened.push(
      await openDatabase({ url, entities: entityList, connections: 2, applicationName: `drift ${name}` }),
    )
  }
})
afterAll(async () => {
  await Promise.all(opened.map((database) => database.close()))
  await owner?.end()
  await testDatabase?.drop()
})

const aliases: Readonly<Record<string, string>> = {
  int: 'integer',
  varchar: 'character varying',
  timestamptz: 'timestamp with time zone',
  bool: 'boolean',
}

/** Columns that are encrypted, because of their field's class or as a secret. */
const encrypted = new Set(
  subgraphs.flatMap(({ sensitive, secrets }) => [
    ...[...sensitive].flatMap(([type, fields]) =>
      [...fields].filter(([, name]) => sensitiveClasses[name].encrypted).map(([field]) => `${type}.${field}`),
    ),
    ...Object.entries(secrets).flatMap(([type, properties]) => properties.map((one) => `${type}.${one}`)),
  ]),
)

async function query(text: string, values: unknown[] = []): Promise<unknown[][]> {
  const { rows } = await owner.query<unknown[]>({ text, values, rowMode: 'array' })
  return rows
}

it('maps every column of every entity as the table has it', async () => {
  const differences: string[] = []
  for (const database of opened) {
    for (const model of entityModels(database.dataSource).values()) {
      const [schema, table] = model.table.replaceAll('"', '').split('.')
      const rows = (await query(
        `SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
           FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped`,
        [`${schema}.${table}`],
      )) as [string, string, boolean][]
      const actual = new Map(rows.map(([name, type, notNull]) => [name, { type, notNull }]))
      for (const column of model.columns.values()) {
        const name = column.sql.replaceAll('"', '')
        const found = actual.get(name)
        const type = column.type.replace('[]', '')
        // Of an encrypted column the entity tells of the values, and the table holds a text.
        const isEncryptedText = encrypted.has(`${model.name}.${column.property}`) && type !== 'jsonb'
        const expected = isEncryptedText
          ? 'text'
          : (aliases[type] ?? type) +
            (column.length ? `(${column.length})` : '') +
            (column.type.endsWith('[]') ? '[]' : '')
        if (!found) differences.push(`${model.name}.${column.property}: no column ${name}`)
        else if (found.type.replace('timestamp(3)', 'timestamp') !== expected)
          differences.push(
            `${model.name}.${column.property}: ${expected} in the entity, ${found.type} in the table`,
          )
        else if (found.notNull === column.nullable)
          differences.push(`${model.name}.${column.property}: nullable ${column.nullable} in the entity only`)
      }
      if (!actual.has('tenant_id') && model.tenantOwned)
        differences.push(`${model.name}: tenant_id is missing in the table`)
    }
  }
  expect(differences).toEqual([])
})

it('keeps instants to the millisecond, the precision of a cursor', async () => {
  const rows = await query(
    `SELECT a.attrelid::regclass || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
        AND c.relnamespace = ANY (SELECT oid FROM pg_namespace WHERE nspname = ANY ($1))
        AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype)
        AND format_type(a.atttypid, a.atttypmod) <> 'timestamp(3) with time zone'`,
    [[...subgraphs.map(({ name }) => name), 'shared']],
  )
  expect(rows.flat()).toEqual([])
})

it('ties every foreign key of a tenant table to the tenant, and indexes it', async () => {
  const rows = (await query(
    `SELECT k.conrelid::regclass::text, k.conname::text, k.confrelid::regclass::text,
            array(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS c(number, place)
                    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.number ORDER BY c.place),
            EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid
                      AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] = k.conkey)
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
      WHERE k.contype = 'f' AND NOT c.relispartition
        AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
        AND k.connamespace = ANY (SELECT oid FROM pg_namespace WHERE nspname = ANY ($1))`,
    [[...subgraphs.map(({ name }) => name), 'shared']],
  )) as [string, string, string, string[], boolean][]
  const faults = rows.flatMap(([table, name, target, columns, indexed]) => {
    const toTenant = target === 'tenancy.tenants'
    const composite = columns[0] === 'tenant_id' && (toTenant || columns.length > 1)
    return [
      ...(composite ? [] : [`${table}.${name} does not carry tenant_id`]),
      ...(indexed ? [] : [`${table}.${name} has no index`]),
    ]
  })
  expect(faults).toEqual([])
  expect(rows.length).toBeGreaterThan(10)
})

/** What finds the tenants with jobs that are due; only the look-up functions can use it. */
const acrossTenants = ['shared.jobs_due_lookup', 'shared.jobs_lease_lookup']

it('leads every unique key and index of a tenant table with the tenant', async () => {
  const rows = await query(
    `SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
       JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id' AND NOT t.attisdropped
       LEFT JOIN pg_attribute first ON first.attrelid = c.oid AND first.attnum = i.indkey[0]
      WHERE c.relnamespace = ANY (SELECT oid FROM pg_namespace WHERE nspname = ANY ($1))
        AND coalesce(first.attname, '') <> 'tenant_id'`,
    [[...subgraphs.map(({ name }) => name), 'shared']],
  )
  expect(rows.flat()).toEqual(acrossTenants)
})
