import { Client } from 'pg'
import { freshDatabase, type TestDatabase } from '../support/postgres'

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

test('a fresh database has the migrated tables and no tenant', async () => {
  const client = new Client({ connectionString: database.migratorUrl })
  await client.connect()
  const { rows } = await client.query(
    'SELECT count(*)::int AS tenants, current_user AS as_role FROM tenancy.tenants',
  )
  await client.end()
  expect(rows).toEqual([{ tenants: 0, as_role: 'app_owner' }])
})
