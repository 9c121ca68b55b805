import pg from 'pg'
import { uuidv7 } from '../../kernel/id'
import { tenantScope, type Database, type Statement } from '../../kernel/connection/database'
import { tenantClient, type Binding } from '../../kernel/connection/tenant'
import { leftovers, modes, notesDatabase, openNotes } from './notes'

let database: Awaited<ReturnType<typeof notesDatabase>>
beforeAll(async () => {
  database = await notesDatabase()
})
afterAll(() => database.drop())

const select: Statement = { name: 'select', text: 'SELECT body FROM probe.notes' }
const bound: Statement = {
  name: 'bound',
  text: "SELECT current_setting('app.tenant_id'), current_setting('app.actor_id'), current_setting('app.request_id'), current_setting('statement_timeout')",
}
const add = (body: string): Statement => ({
  text: 'INSERT INTO probe.notes (id, body) VALUES ($1, $2)',
  values: [uuidv7(), body],
})

describe.each(modes)('the binding, %s', (mode) => {
  let db: Database
  const sent: { text: string; tenantId: string | null }[] = []
  beforeAll(async () => {
    db = await openNotes(database, mode, {
      statementTimeoutMs: 7000,
      onStatement: ({ text }, { tenantId }) => sent.push({ text, tenantId }),
    })
  })
  beforeEach(() => void (sent.length = 0))
  afterEach(async () => {
    expect(await leftovers(db)).toEqual(['I', 'I'])
  })
  afterAll(() => db.close())

  it('carries tenant, actor, request id and time limit, alone and in a transaction', async () => {
    const binding = { tenantId: uuidv7(), actorId: uuidv7(), requestId: 'it\'s; "a" \\ request — 7' }
    const expected = [[binding.tenantId, binding.actorId, binding.requestId, '7s']]
    expect(await db.rows(binding, bound)).toEqual(expected)
    expect(await db.transaction(binding, (tx) => tx.rows(bound))).toEqual(expected)
    expect(await db.rows({ tenantId: null }, bound)).toEqual([['', '', '', '7s']])
  })

  it('fails closed without a tenant', async () => {
    const before = (await database.owner.query('SELECT count(*) FROM probe.notes')).rows
    await expect(db.rows({ tenantId: null }, select)).rejects.toMatchObject({ code: '22P02' })
    await expect(db.rows({ tenantId: null }, add('nobody'))).rejects.toMatchObject({ code: '22P02' })
    await expect(db.transaction({ tenantId: null }, (tx) => tx.run(add('nobody')))).rejects.toMatchObject({
      code: '22P02',
    })
    await expect(db.dataSource.query(select.text)).rejects.toMatchObject({ driverError: { code: '22P02' } })
    await expect(db.dataSource.transaction(async () => undefined)).rejects.toThrow('use transaction()')
    expect((await database.owner.query('SELECT count(*) FROM probe.notes')).rows).toEqual(before)
  })

  it.each([
    ['a tenant in quotes', { tenantId: "x'; DROP TABLE probe.notes; --" }],
    ['an empty tenant', { tenantId: '' }],
    ['a tenant with a line break', { tenantId: `${uuidv7()}\n` }],
    ['no actor id', { tenantId: uuidv7(), actorId: "' OR true" }],
    ['a NUL in the request id', { tenantId: uuidv7(), requestId: 'a\0b' }],
    ['a line break in the request id', { tenantId: uuidv7(), requestId: 'a\nb' }],
    ['an endless request id', { tenantId: uuidv7(), requestId: 'a'.repeat(201) }],
  ] as [string, Binding][])('refuses %s before anything is sent', async (_, binding) => {
    await expect(db.rows(binding, bound)).rejects.toThrow(/to bind is not/)
    await expect(db.transaction(binding, async () => undefined)).rejects.toThrow(/to bind is not/)
    expect(sent).toEqual([])
  })

  it('refuses a statement for another tenant than the running code', async () => {
    const mine = { tenantId: uuidv7() }
    const other = { tenantId: uuidv7() }
    await tenantScope.run(mine.tenantId, async () => {
      await expect(db.rows(other, select)).rejects.toThrow('another tenant')
      await expect(db.rows({ tenantId: null }, select)).rejects.toThrow('another tenant')
      await expect(db.transaction(other, async () => undefined)).rejects.toThrow('another tenant')
      await expect(db.dataSource.query('SELECT 1')).rejects.toThrow('another tenant')
      expect(sent).toEqual([])
      expect(await db.rows({ tenantId: mine.tenantId.toUpperCase() }, select)).toEqual([])
      expect(await db.rows(mine, select)).toEqual([])
    })
    await tenantScope.run(null, async () => {
      await expect(db.rows(mine, select)).rejects.toThrow('another tenant')
      expect(await db.rows({ tenantId: null }, { text: 'SELECT 1' })).toEqual([[1]])
    })
    const failing = db.transaction(mine, async (tx) => {
      await tx.run(add('mine'))
      await tenantScope.run(other.tenantId, () => tx.run(add('other')))
    })
    await expect(failing).rejects.toThrow('another tenant')
    expect(await db.rows(mine, select)).toEqual([])
  })

  it('overwrites what a statement set for its session', async () => {
    const [mine, other] = [{ tenantId: uuidv7() }, uuidv7()]
    const single = await openNotes(database, mode, { connections: 1 })
    await single.rows(mine, { text: "SELECT set_config('app.tenant_id', $1, false)", values: [other] })
    expect((await single.rows(mine, bound))[0]![0]).toBe(mine.tenantId)
    expect((await single.rows({ tenantId: null }, bound))[0]![0]).toBe('')
    expect((await single.transaction(mine, (tx) => tx.rows(bound)))[0]![0]).toBe(mine.tenantId)
    await single.close()
  })

  it('never uses pg-native, which knows no binding', () => {
    expect(db.dataSource.driver).toHaveProperty('postgres.Pool', pg.Pool)
    expect(db.dataSource.driver).not.toHaveProperty('postgres.native')
  })

  it('opens its sessions in UTC', async () => {
    const [[zone, style]] = (await db.rows(
      { tenantId: null },
      { text: "SELECT current_setting('TimeZone'), current_setting('DateStyle')" },
    )) as [[string, string]]
    expect([zone, style]).toEqual(['UTC', 'ISO, YMD'])
  })

  describe('on one client', () => {
    let client: InstanceType<ReturnType<typeof tenantClient>>
    const tenantOf = async () =>
      (await client.query<{ tenant: string }>("SELECT current_setting('app.tenant_id') AS tenant")).rows[0]!
        .tenant
    beforeEach(async () => {
      client = new (tenantClient(mode))(database.urlFor('hr'))
      await client.connect()
    })
    afterEach(() => client.end())

    it('binds once, and not at all when the binding is malformed', async () => {
      const tenantId = uuidv7()
      expect(() => client.bind({ tenantId: 'nobody' })).toThrow('not a UUID')
      expect(await tenantOf()).toBe('')
      client.bind({ tenantId })
      expect(() => client.bind({ tenantId: uuidv7() })).toThrow('bound already')
      expect(await tenantOf()).toBe(tenantId)
      client.unbind()
      expect(await tenantOf()).toBe('')
    })

    it('does not let the tenant change inside a transaction', async () => {
      const tenantId = uuidv7()
      client.bind({ tenantId })
      await client.query('BEGIN')
      client.unbind()
      await expect(tenantOf()).rejects.toThrow('changed inside a transaction')
      client.bind({ tenantId: uuidv7() })
      await expect(tenantOf()).rejects.toThrow('changed inside a transaction')
      await expect(client.query('COMMIT')).rejects.toThrow('changed inside a transaction')
      expect(client.getTransactionStatus()).toBe('T')
    })

    it('takes the binding that held when a statement was given, not the one when it is sent', async () => {
      const [one, two] = [uuidv7(), uuidv7()]
      client.bind({ tenantId: one })
      const slow = client.query('SELECT pg_sleep(0.02)')
      const first = tenantOf()
      client.unbind()
      client.bind({ tenantId: two })
      const second = tenantOf()
      await slow
      expect([await first, await second]).toEqual([one, two])
    })

    it('refuses transactions without a binding, and a second one under the same', async () => {
      await expect(client.query('BEGIN')).rejects.toThrow('needs a tenant binding')
      client.bind({ tenantId: uuidv7() })
      await client.query('BEGIN')
      await client.query('COMMIT')
      await expect(client.query('SELECT 1')).rejects.toThrow('has ended')
      await expect(client.query('BEGIN')).rejects.toThrow('has ended')
      expect(client.getTransactionStatus()).toBe('I')
    })

    it('refuses cursors and streams', async () => {
      client.bind({ tenantId: uuidv7() })
      const cursor = new pg.Query({ text: 'SELECT 1' })
      await expect(client.query(cursor) as unknown as Promise<unknown>).rejects.toThrow('Cursors and streams')
    })

    it('answers by callback as well', async () => {
      client.bind({ tenantId: uuidv7() })
      const answer = await new Promise<pg.QueryResult>((resolve, reject) =>
        client.query('SELECT $1::int AS one', [1], (error, result) =>
          error ? reject(error) : resolve(result),
        ),
      )
      expect(answer.rows).toEqual([{ one: 1 }])
      const failure = await new Promise((resolve) =>
        client.query('SELECT 1/0', (error: Error) => resolve(error)),
      )
      expect(failure).toMatchObject({ code: '22012' })
    })
  })
})

describe('a client without the binding', () => {
  it('sees nothing of a tenant table: the policies are a wall of their own', async () => {
    const client = new pg.Client(database.urlFor('hr'))
    await client.connect()
    await expect(client.query(select.text)).rejects.toMatchObject({ code: '42704' })
    await client.query("SELECT set_config('app.tenant_id', '', false)")
    await expect(client.query(select.text)).rejects.toMatchObject({ code: '22P02' })
    await client.end()
  })
})

describe('the check at start', () => {
  const proto = pg.Query.prototype as unknown as { submit(connection: unknown): Error | null }
  const original = proto.submit
  afterEach(() => {
    proto.submit = original
  })
  type Sent = { text: string; constructor: { name: string }; requiresPreparation(): boolean }

  it.each([
    ['single statements', (text: string) => text !== 'BEGIN'],
    ['transactions', (text: string) => text === 'BEGIN'],
  ])(
    'falls back to pipelined transactions when pg no longer takes the binding of %s',
    async (_, isBroken) => {
      // As if pg had renamed prepare(): the statement goes without its binding.
      proto.submit = function (this: Sent, connection) {
        if (this.constructor.name !== 'BoundQuery' || !isBroken(this.text))
          return original.call(this as never, connection)
        ;(connection as { query(text: string): void }).query(this.text)
        return null
      }
      const warnings: string[] = []
      const db = await openNotes(database, 'prepared', { warn: (message) => warnings.push(message) })
      expect(warnings).toEqual([expect.stringContaining('using "pipeline"')])
      const binding = { tenantId: uuidv7() }
      expect((await db.rows(binding, bound))[0]![0]).toBe(binding.tenantId)
      expect(await db.rows(binding, select)).toEqual([])
      await expect(openNotes(database, 'unnamed')).rejects.toThrow(
        'The tenant binding "unnamed" does not work here',
      )
      await db.close()
    },
  )

  it('refuses to start when the setting outlives its statement', async () => {
    // As if nothing were local to a transaction.
    proto.submit = function (this: Sent, connection) {
      this.text = this.text.replaceAll(', true)', ', false)')
      return original.call(this as never, connection)
    }
    await expect(openNotes(database, 'pipeline')).rejects.toThrow('does not work here')
  })

  it('tells what to do behind a pooler that hands out sessions with the prepared statements of others', async () => {
    proto.submit = function (this: Sent & { name?: string }, connection) {
      if (this.name !== 'tenant_binding') return original.call(this as never, connection)
      return Object.assign(new Error('prepared statement already exists'), { code: '42P05' })
    }
    await expect(openNotes(database, 'prepared')).rejects.toThrow('set DATABASE_BINDING=unnamed')
    await expect(openNotes(database, 'pipeline')).rejects.toThrow('set DATABASE_BINDING=unnamed')
    const db = await openNotes(database, 'unnamed')
    expect(await db.rows({ tenantId: uuidv7() }, select)).toEqual([])
    await db.close()
  })

  it('tells that the server cannot be reached, and does not take it for a fault of the binding', async () => {
    const unreachable = { ...database, urlFor: () => 'postgres://app_hr:x@127.0.0.1:1/none' }
    await expect(openNotes(unreachable, 'prepared')).rejects.toThrow('ECONNREFUSED')
  })
})
