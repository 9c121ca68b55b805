import { Client } from 'pg'
import { auditMonths } from '../../subgraphs/compliance/jobs/audit-months'
import { loadConfig } from '../../kernel/process/config'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { uuidv7 } from '../../kernel/id'
import { createLogger } from '../../kernel/process/log'
import { TestClock } from '../support/graph'
import { runJob } from '../support/jobs'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** What a process that runs for years needs: the months of the audit trail before they come. */
let testDatabase: TestDatabase
let owner: Client
let database: Database
let tenantId: string
const clock = new TestClock()
const lines: { level: string; fields: Record<string, unknown>; message: string }[] = []

beforeAll(async () => {
  testDatabase = await freshDatabase()
  owner = new Client({ connectionString: testDatabase.migratorUrl })
  await owner.connect()
  tenantId = uuidv7()
  await owner.query("INSERT INTO tenancy.tenants (id, name, slug) VALUES ($1, 'Acme', 'acme')", [tenantId])
  const url = testDatabase.urlFor('compliance')
  database = await openDatabase({ url, entities: [], connections: 2, applicationName: 'audit months' })
})
afterAll(async () => {
  await database?.close()
  await owner?.end()
  await testDatabase?.drop()
})
beforeEach(() => void lines.splice(0))

/** Services as far as a job needs them, with a log that is kept. */
function services() {
  const log = createLogger(loadConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent' }))
  for (const level of ['info', 'error'] as const)
    log[level] = ((fields: Record<string, unknown>, message: string) =>
      void lines.push({ level, fields, message })) as (typeof log)['info']
  return { clock, log }
}

const record = () =>
  database.rows(
    { tenantId },
    {
      text: `INSERT INTO shared.audit_logs (occurred_at, id, action, resource_type) VALUES ($1, $2, 'VIEW', 'Test') RETURNING tableoid::regclass::text`,
      values: [clock.now().toISOString(), uuidv7()],
    },
  )

const month = (ahead: number) => {
  const now = clock.now()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead)).toISOString().slice(0, 7)
}

test('after three years without a start the trail goes on', async () => {
  clock.advance({ days: 3 * 365 })
  await expect(record()).rejects.toThrow('no partition of relation "audit_logs" found for row')
  await runJob(auditMonths, database, services())
  expect(await record()).toEqual([[`shared.audit_logs_${month(0).replace('-', '')}`]])
  const { rows } = await owner.query<{ table: string; walls: boolean }>(
    `SELECT c.relname AS table, relrowsecurity AND relforcerowsecurity
            AND (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) = 2 AS walls
       FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
      WHERE inhparent = 'shared.audit_logs'::regclass AND c.relname >= $1 ORDER BY 1`,
    [`audit_logs_${month(0).replace('-', '')}`],
  )
  expect(rows).toEqual(
    Array.from({ length: 13 }, (_, ahead) => ({
      table: `audit_logs_${month(ahead).replace('-', '')}`,
      walls: true,
    })),
  )
  expect(lines).toEqual([
    {
      level: 'info',
      fields: { made: 39, until: month(12) },
      message: 'months of the trail and the outbox made',
    },
  ])
  lines.splice(0)
  await runJob(auditMonths, database, services())
  expect(lines).toEqual([])
})

test('waits no longer than five seconds for the lock on the trail', async () => {
  const sent: string[] = []
  const watched: Database = {
    ...database,
    transaction: (binding, work) =>
      database.transaction(binding, (tx) =>
        work({
          ...tx,
          run: (statement) => (sent.push(statement.text), tx.run(statement)),
          rows: (statement) => (sent.push(statement.text), tx.rows(statement)),
        }),
      ),
  }
  await runJob(auditMonths, watched, services())
  expect(sent[0]).toBe("SET LOCAL lock_timeout = '5s'")
})

test('no instant is too far to be meant', async () => {
  const call = (instant: string) =>
    database.rows(
      { tenantId: null },
      { text: 'SELECT shared.ensure_partitions(0, 0, $1)', values: [instant] },
    )
  await expect(call('2099-01-01T00:00:00Z')).rejects.toThrow('instant is at most 10 years away')
})
