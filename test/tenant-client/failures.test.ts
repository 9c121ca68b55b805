import pg from 'pg'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { uuidv7 } from '../../kernel/id'
import { tenantScope, type Database, type Statement } from '../../kernel/connection/database'
import { statementNames } from '../../kernel/connection/statement-names'
import { tenantClient } from '../../kernel/connection/tenant'
import { leftovers, modes, notesDatabase, openNotes } from './notes'

let database: Awaited<ReturnType<typeof notesDatabase>>
beforeAll(async () => {
  database = await notesDatabase()
})
afterAll(() => database.drop())

const tenant: Statement = { name: 'tenant', text: "SELECT current_setting('app.tenant_id')" }
const select: Statement = { name: 'select', text: 'SELECT body FROM probe.notes' }
const add = (body: string): Statement => ({
  name: 'add',
  text: 'INSERT INTO probe.notes (id, body) VALUES ($1, $2)',
  values: [uuidv7(), body],
})
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )
/** Ends the sessions that run the notes' statements. */
const killBackends = () =>
  database.owner.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app_hr' AND datname = current_database()",
  )

describe.each(modes)('failures, %s', (mode) => {
  let db: Database
  let warned: (message: string) => void = () => undefined
  beforeAll(async () => {
    db = await openNotes(database, mode, {
      statementTimeoutMs: 600,
      connectionTimeoutMs: 60_000,
      warn: (message) => warned(message),
    })
  })
  afterEach(async () => {
    expect(await leftovers(db)).toEqual(['I', 'I'])
  })
  afterAll(() => db.close())

  it('ends slow statements, alone and in a transaction, and goes on with the same connections', async () => {
    const binding = { tenantId: uuidv7() }
    const backends = { text: 'SELECT pg_backend_pid() FROM pg_sleep(0.05)' }
    const pids = async () => (await Promise.all([1, 2].map(() => db.rows(binding, backends)))).flat(2).sort()
    const before = await pids()
    expect(await codeOf(db.rows(binding, { text: 'SELECT pg_sleep(10)' }))).toBe('57014')
    expect(
      await codeOf(
        db.transaction(binding, async (tx) => {
          await tx.run(add('slow'))
          await tx.rows({ text: 'SELECT pg_sleep(10)' })
        }),
      ),
    ).toBe('57014')
    expect(await db.rows(binding, select)).toEqual([])
    expect(await pids()).toEqual(before)
  })

  it('has no time limit when told so', async () => {
    const patient = await openNotes(database, mode, { statementTimeoutMs: 0, connections: 1 })
    expect(await patient.rows({ tenantId: null }, { text: 'SHOW statement_timeout' })).toEqual([['0']])
    await patient.close()
  })

  it('survives killed backends: busy, in a transaction, idle', async () => {
    const [one, two] = [{ tenantId: uuidv7() }, { tenantId: uuidv7() }]
    const patient = await openNotes(database, mode, { statementTimeoutMs: 60_000 })
    const busy = codeOf(patient.rows(one, { text: 'SELECT pg_sleep(50)' }))
    let killed = () => undefined as void
    const wasKilled = new Promise<void>((resolve) => (killed = resolve))
    const inside = codeOf(
      patient.transaction(two, async (tx) => {
        await tx.run(add('lost'))
        await wasKilled
        await tx.run(add('never committed'))
      }),
    )
    const states =
      "SELECT 1 FROM pg_stat_activity WHERE usename = 'app_hr' AND datname = current_database() AND (state = 'idle in transaction' OR query LIKE '%pg_sleep%') AND state <> 'idle'"
    while ((await database.owner.query(states)).rowCount !== 2) await delay(5)
    await killBackends()
    expect(await busy).toBe('57P01')
    killed()
    expect(await inside).toMatch(/57P01|not queryable|terminated|released/)
    expect(await patient.rows(two, select)).toEqual([])
    expect(await patient.rows(one, tenant)).toEqual([[one.tenantId]])
    await patient.close()

    await db.rows(one, tenant)
    const warning = new Promise<string>((resolve) => (warned = resolve))
    await killBackends()
    expect(await warning).toContain('A database connection was lost')
    expect(await db.rows(two, tenant)).toEqual([[two.tenantId]])
  })

  it('gives queued statements their own tenant, whoever releases the connection', async () => {
    const single = await openNotes(database, mode, { connections: 1, connectionTimeoutMs: 60_000 })
    const tenants = Array.from({ length: 500 }, () => uuidv7())
    const seen = await Promise.all(
      tenants.map((tenantId, index) =>
        tenantScope.run(tenantId, async () => {
          if (index % 10 === 0)
            expect(await codeOf(single.rows({ tenantId }, { text: 'SELECT 1/0' }))).toBe('22012')
          if (index % 3 === 0) return single.transaction({ tenantId }, (tx) => tx.rows(tenant))
          return single.rows({ tenantId }, tenant)
        }),
      ),
    )
    expect(seen.flat(2)).toEqual(tenants)
    await single.close()
  })

  it('L3: when no connection becomes free the caller may try again, and the operator reads what to do', async () => {
    const told: string[] = []
    const small = await openNotes(database, mode, {
      connections: 1,
      connectionTimeoutMs: 1500,
      warn: (message) => told.push(message),
    })
    const binding = { tenantId: uuidv7() }
    await small.transaction(binding, async (tx) => {
      const waiting = [small.rows(binding, select), small.transaction(binding, async () => undefined)]
      for (const one of await Promise.allSettled(waiting))
        expect(one).toMatchObject({
          reason: {
            message: 'Too much is going on at once. Try again in a moment.',
            extensions: { code: 'OVERLOADED', retryAfterSeconds: 1 },
          },
        })
      expect(told).toEqual([expect.stringContaining('raise DATABASE_CONNECTIONS')])
      expect(await tx.rows(select)).toEqual([])
    })
    expect(await small.rows(binding, tenant)).toEqual([[binding.tenantId]])
    await small.close()
  })

  it('goes on after a prepared statement was lost or no longer fits', async () => {
    const single = await openNotes(database, mode, { connections: 1 })
    const binding = { tenantId: uuidv7() }
    await single.rows(binding, tenant)
    await codeOf(single.rows(binding, { text: 'DEALLOCATE ALL' }))
    await codeOf(single.rows(binding, tenant))
    expect(await single.rows(binding, tenant)).toEqual([[binding.tenantId]])

    const all: Statement = { name: 'all', text: 'SELECT * FROM probe.wide' }
    await database.owner.query(
      'CREATE TABLE probe.wide AS SELECT 1 AS one; GRANT SELECT ON probe.wide TO app_hr',
    )
    expect(await single.rows(binding, all)).toEqual([[1]])
    await database.owner.query('ALTER TABLE probe.wide ADD COLUMN two int DEFAULT 2')
    expect(await codeOf(single.rows(binding, all))).toBe(mode === 'unnamed' ? null : '0A000')
    expect(await single.rows(binding, all)).toEqual([[1, 2]])
    await database.owner.query('DROP TABLE probe.wide')
    await single.close()
  })

  it('reads a column whose type has changed as what it is now', async () => {
    const single = await openNotes(database, mode, { connections: 1 })
    const binding = { tenantId: uuidv7() }
    await database.owner.query('CREATE TABLE probe.typed AS SELECT 1 AS one')
    await database.owner.query('GRANT SELECT ON probe.typed TO app_hr')
    const one: Statement = { name: 'one', text: 'SELECT one FROM probe.typed' }
    for (let use = 1; use <= 2; use += 1) expect(await single.rows(binding, one)).toEqual([[1]])
    await database.owner.query('ALTER TABLE probe.typed ALTER COLUMN one TYPE bigint')
    expect(await codeOf(single.rows(binding, one))).toBe(mode === 'unnamed' ? null : '0A000')
    for (let use = 1; use <= 2; use += 1) expect(await single.rows(binding, one)).toEqual([['1']])
    await database.owner.query('DROP TABLE probe.typed')
    await single.close()
  })

  it('goes on after a value that cannot be sent', async () => {
    const single = await openNotes(database, mode, { connections: 1 })
    const binding = { tenantId: uuidv7() }
    const circular: { self?: unknown } = {}
    circular.self = circular
    const json = (value: unknown): Statement => ({ name: 'json', text: 'SELECT $1::jsonb', values: [value] })
    expect(await single.rows(binding, json({ a: 1 }))).toEqual([[{ a: 1 }]])
    await expect(single.rows(binding, json(circular))).rejects.toThrow('circular')
    expect(await single.rows(binding, json({ a: 2 }))).toEqual([[{ a: 2 }]])
    await single.close()
  })

  it('keeps a bounded number of prepared statements', async () => {
    const single = await openNotes(database, mode, { connections: 1, statementNames: 5 })
    const binding = { tenantId: uuidv7() }
    const held = { text: "SELECT count(*)::int FROM pg_prepared_statements WHERE name <> 'tenant_binding'" }
    const often = { name: 'often', text: 'SELECT -1' }
    for (let number = 0; number < 40; number += 1) {
      expect(await single.rows(binding, { name: 'same', text: `SELECT ${number}` })).toEqual([[number]])
      expect(await single.rows(binding, often)).toEqual([[-1]])
      if (number % 4 === 0)
        await codeOf(single.rows(binding, { name: 'fails', text: `SELECT 1/0 + ${number}` }))
    }
    const [[count]] = (await single.rows(binding, held)) as [[number]]
    expect(count).toBe({ prepared: 5, unnamed: 0, pipeline: 5 }[mode])
    const [client] = (single.dataSource.driver as unknown as { master: { _clients: pg.Client[] } }).master
      ._clients
    const { parsedStatements } = client!.connection as unknown as { parsedStatements: object }
    expect(Object.keys(parsedStatements).length).toBeLessThanOrEqual(8)
    await single.close()
  })
})

it('leaves no connection behind that could not be prepared', async () => {
  const client = new (tenantClient('prepared', { statementTimeoutMs: -1 }))(database.urlFor('hr'))
  await expect(client.connect()).rejects.toMatchObject({ code: '22023' })
  expect(client.getTransactionStatus()).toBe('I')
  await expect(client.query('SELECT 1')).rejects.toThrow(/closed|not queryable/)
})

it('names a prepared statement after its text, so that sessions mixed up by a pooler cannot swap two', () => {
  const [one, other] = [statementNames(5, true), statementNames(5, true)]
  expect(one.of('SELECT 1')).toBe(other.of('SELECT 1'))
  expect(one.of('SELECT 2')).not.toBe(other.of('SELECT 3'))
  one.forget('SELECT 1')
  expect(one.of('SELECT 1')).not.toBe(other.of('SELECT 1'))
  expect(one.of('SELECT 1')!.length).toBeLessThan(64)
})

/** Passes everything on, but the server's ReadyForQuery a little later than what came before it. */
async function slowlyReady(url: string): Promise<{ url: string; close(): void }> {
  const target = new URL(url)
  const port = Number(target.port)
  const proxy = createServer((socket) => {
    const server = connect(port, target.hostname)
    socket.pipe(server)
    let last = Promise.resolve()
    server.on('data', (chunk) => {
      const end = chunk.at(-6) === 0x5a ? chunk.length - 6 : chunk.length
      last = last.then(async () => {
        socket.write(chunk.subarray(0, end))
        await delay(10)
        socket.write(chunk.subarray(end))
      })
    })
    for (const side of [socket, server]) side.on('error', () => undefined)
    socket.on('close', () => server.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  target.port = String((proxy.address() as AddressInfo).port)
  return { url: target.href, close: () => proxy.close() }
}

it.each(['prepared', 'unnamed'] as const)(
  'tells of an error when its transaction state is known, %s',
  async (mode) => {
    const proxy = await slowlyReady(database.urlFor('hr'))
    const client = new (tenantClient(mode))(proxy.url)
    await client.connect()
    client.bind({ tenantId: uuidv7() })
    await client.query('BEGIN')
    expect(await codeOf(client.query('SELECT 1/0'))).toBe('22012')
    expect(client.getTransactionStatus()).toBe('E')
    await client.query('ROLLBACK')
    expect(client.getTransactionStatus()).toBe('I')
    await client.end()
    proxy.close()
  },
)

it('takes an orderly end for no loss', async () => {
  const warnings: string[] = []
  const db = await openNotes(database, 'prepared', { warn: (message) => warnings.push(message) })
  await Promise.all([1, 2].map(() => db.rows({ tenantId: null }, { text: 'SELECT pg_sleep(0.05)' })))
  const closed = db.close()
  await killBackends()
  await closed
  await delay(50)
  expect(warnings).toEqual([])
})
