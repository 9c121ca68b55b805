import { Client } from 'pg'
import { globalTables } from '../../migrations/sql'
import { lists } from '../support/list-catalog'
import { freshDatabase, type TestDatabase } from '../support/postgres'

let database: TestDatabase
let owner: Client

beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await database.drop()
})

/** Every whole btree index, its columns with their collations where these are not the column's own. */
async function indexes(): Promise<Map<string, string[]>> {
  const { rows } = await owner.query<{ table: string; columns: string }>(`
    SELECT i.indrelid::regclass::text AS table,
           string_agg(a.attname || CASE WHEN k.option & 3 <> 0 THEN ' backwards' ELSE '' END
             || CASE WHEN k.coll NOT IN (0, a.attcollation) THEN ' ' || c.collname ELSE '' END, ', ' ORDER BY k.place) AS columns
      FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid JOIN pg_am m ON m.oid = n.relam AND m.amname = 'btree'
           CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indcollation::oid[], i.indoption::int2[]) WITH ORDINALITY AS k(attnum, coll, option, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
      LEFT JOIN pg_collation c ON c.oid = k.coll
     WHERE i.indpred IS NULL AND i.indisvalid
     GROUP BY i.indexrelid, i.indrelid`)
  const found = new Map<string, string[]>()
  for (const { table, columns } of rows) found.set(table, [...(found.get(table) ?? []), columns])
  return found
}

it('Q2 Q6 has an index for every order of every list: tenant, value in its collation, id', async () => {
  const known = await indexes()
  const missing = lists.flatMap(({ name, table, orders }) =>
    orders.flatMap(({ value, column, kind }) => {
      const tenant = globalTables.includes(table) ? '' : 'tenant_id, '
      const wanted = `${tenant}${column}${kind === 'language' ? ' und-x-icu' : ''}, id`
      const is = known.get(table)?.some((columns) => `${columns}, `.startsWith(`${wanted}, `))
      return is ? [] : [`${name} by ${value}: ${table} (${wanted})`]
    }),
  )
  expect(missing).toEqual([])
  expect(lists.flatMap(({ orders }) => orders).length).toBeGreaterThan(40)
})
