import pg from 'pg'
import type { EntityManager } from 'typeorm'
import { uuidv7 } from '../../kernel/id'
import type { Database, Statement } from '../../kernel/connection/database'
import { leftovers, modes, Note, notesDatabase, openNotes } from './notes'

let database: Awaited<ReturnType<typeof notesDatabase>>
beforeAll(async () => {
  database = await notesDatabase()
})
afterAll(() => database.drop())

describe.each(modes)('transactions, %s', (mode) => {
  let db: Database
  let binding: { tenantId: string }
  const sent: string[] = []
  beforeAll(async () => {
    db = await openNotes(database, mode, { onStatement: (statement) => sent.push(statement.text) })
  })
  beforeEach(() => {
    binding = { tenantId: uuidv7() }
    sent.length = 0
  })
  afterEach(async () => {
    expect(await leftovers(db)).toEqual(['I', 'I'])
  })
  afterAll(() => db.close())

  const add = (body: string): Statement => ({
    name: 'add',
    text: 'INSERT INTO probe.notes (id, body) VALUES ($1, $2)',
    values: [uuidv7(), body],
  })
  const bodies = async () =>
    (await db.rows(binding, { text: 'SELECT body FROM probe.notes ORDER BY body' })).flat()
  const tenant: Statement = { text: "SELECT current_setting('app.tenant_id')" }

  it('commits what work did, and answers what work answered', async () => {
    const answer = await db.transaction(binding, async (tx) => {
      expect(await tx.run(add('one'))).toBe(1)
      await tx.manager.insert(Note, { id: uuidv7(), body: 'two' })
      expect(await tx.run({ text: "UPDATE probe.notes SET body = body || '!'" })).toBe(2)
      return tx.rows({ text: 'SELECT body FROM probe.notes ORDER BY body' })
    })
    expect(answer).toEqual([['one!'], ['two!']])
    expect(await bodies()).toEqual(['one!', 'two!'])
  })

  it('tells of every statement, but not of the binding', async () => {
    await db.transaction(binding, (tx) => tx.savepoint(() => tx.rows(tenant)))
    expect(sent).toEqual([
      'START TRANSACTION',
      'SAVEPOINT savepoint_1',
      tenant.text,
      'RELEASE SAVEPOINT savepoint_1',
      'COMMIT',
    ])
  })

  it('needs two round trips for a change and what is sent with its end', async () => {
    let roundTrips = 0
    const count = () => void (roundTrips += 1)
    const pool = (db.dataSource.driver as unknown as { master: pg.Pool }).master
    pool.once('acquire', (client) => {
      const { connection } = client as unknown as { connection: NodeJS.EventEmitter }
      connection.on('readyForQuery', count)
      pool.once('release', () => connection.removeListener('readyForQuery', count))
    })
    const [change, trail] = [add('change'), add('trail')]
    await db.transaction(binding, async (tx) => {
      await tx.run(change)
      tx.atEnd(trail)
    })
    expect(sent).toEqual(['START TRANSACTION', change.text, trail.text, 'COMMIT'])
    // Pipelined, each statement is answered by a ReadyForQuery of its own.
    expect(roundTrips).toBe(mode === 'pipeline' ? 5 : 2)
    expect(await bodies()).toEqual(['change', 'trail'])
  })

  it('sends nothing at all for work that asks for nothing', async () => {
    expect(await db.transaction(binding, async () => 'done')).toBe('done')
    expect(sent).toEqual([])
  })

  it('sends what belongs to the end also where nothing went before', async () => {
    await db.transaction(binding, async (tx) => tx.atEnd(add('alone')))
    expect(sent).toEqual(['START TRANSACTION', add('alone').text, 'COMMIT'])
    expect(await bodies()).toEqual(['alone'])
  })

  it.each([
    ['fails', () => add('change'), { code: '23505' }],
    [
      'cannot be sent',
      () => {
        const circle: { self?: object } = {}
        circle.self = circle
        return { ...add('x'), values: [uuidv7(), circle] }
      },
      { message: expect.stringContaining('circular') },
    ],
  ])('commits nothing when what is sent with the end %s', async (_, trail, failure) => {
    const failing = db.transaction(binding, async (tx) => {
      await tx.run(add('change'))
      tx.atEnd(trail())
    })
    await expect(failing).rejects.toMatchObject(failure)
    expect(await bodies()).toEqual([])
  })

  it('commits nothing when the first statement fails, and goes on with the same prepared statements', async () => {
    await db.rows(binding, add('taken'))
    for (let round = 1; round <= 2; round += 1) {
      const failing = db.transaction(binding, (tx) => tx.run(add('taken')))
      await expect(failing).rejects.toMatchObject({ code: '23505' })
    }
    await db.transaction(binding, (tx) => tx.run(add('free')))
    expect(await bodies()).toEqual(['free', 'taken'])
  })

  it('rolls back when work throws', async () => {
    const failing = db.transaction(binding, async (tx) => {
      await tx.run(add('one'))
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await bodies()).toEqual([])
  })

  it('refuses to call a transaction committed whose failure was swallowed', async () => {
    const failing = db.transaction(binding, async (tx) => {
      await tx.run(add('one'))
      await tx.rows({ text: 'SELECT 1/0' }).catch(() => undefined)
    })
    await expect(failing).rejects.toThrow('Nothing was committed')
    expect(await bodies()).toEqual([])
  })

  it('reports what only COMMIT finds out', async () => {
    const failing = db.transaction(binding, async (tx) => {
      await tx.run({ text: 'SET CONSTRAINTS ALL DEFERRED' })
      await tx.run(add('same'))
      await tx.run(add('same'))
    })
    await expect(failing).rejects.toMatchObject({
      name: 'error',
      code: '23505',
      constraint: 'notes_body_key',
    })
    expect(await bodies()).toEqual([])
  })

  it('passes on errors of the manager without its parameters', async () => {
    const failure = await db
      .transaction(binding, (tx) => tx.manager.insert(Note, { id: 'no uuid', body: 'a secret' }))
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(pg.DatabaseError)
    expect(failure).not.toHaveProperty('parameters')
  })

  it('undoes a savepoint alone, as often as need be, and nested', async () => {
    await db.transaction(binding, async (tx) => {
      await tx.run(add('kept'))
      for (let round = 0; round < 3; round += 1) {
        const refused = tx.savepoint(async () => {
          await tx.run(add(`lost ${round}`))
          await tx.run(add('kept'))
        })
        await expect(refused).rejects.toMatchObject({ code: '23505' })
      }
      await tx.savepoint(async () => {
        await tx.run(add('outer'))
        await expect(
          tx.savepoint(async () => {
            await tx.run(add('inner'))
            throw new Error('inner')
          }),
        ).rejects.toThrow('inner')
      })
      expect(await tx.rows(tenant)).toEqual([[binding.tenantId]])
    })
    expect(await bodies()).toEqual(['kept', 'outer'])
  })

  it('refuses savepoints that overlap, because the failure of one would undo the other', async () => {
    const failing = db.transaction(binding, (tx) =>
      Promise.all([
        tx.savepoint(() => tx.run(add('one'))),
        tx.savepoint(async () => {
          await tx.run(add('two'))
          throw new Error('two')
        }),
      ]),
    )
    await expect(failing).rejects.toThrow('Savepoints overlap')
    expect(await bodies()).toEqual([])
  })

  it('allows a transaction of its own, with savepoints, inside a savepoint', async () => {
    const other = { tenantId: uuidv7() }
    await db.transaction(binding, (tx) =>
      tx.savepoint(() =>
        db.transaction(other, (inner) =>
          inner.savepoint(async () => expect(await inner.rows(tenant)).toEqual([[other.tenantId]])),
        ),
      ),
    )
  })

  it.each(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const)('runs at %s', async (isolation) => {
    // A tenant has half of a pool: two of its connections at once take one of three.
    const three = await openNotes(database, mode, { connections: 3 })
    const seen = await three.transaction(
      binding,
      async (tx) => {
        const before = await tx.rows({ text: 'SELECT count(*)::int FROM probe.notes' })
        await three.rows(binding, add('meanwhile'))
        const after = await tx.rows({
          text: "SELECT count(*)::int, current_setting('transaction_isolation'), current_setting('app.tenant_id') FROM probe.notes",
        })
        return [before, after]
      },
      { isolation },
    )
    await three.close()
    const snapshot = isolation !== 'READ COMMITTED'
    expect(seen).toEqual([[[0]], [[snapshot ? 0 : 1, isolation.toLowerCase(), binding.tenantId]]])
  })

  it('sends nothing of a transaction after its end: not while it rolls back', async () => {
    let late: Promise<unknown> | undefined
    const failing = db.transaction(binding, async (tx) => {
      const wait = tx.rows({ text: 'SELECT pg_sleep(0.05)' })
      // By way of TypeORM, which does not know that the rollback is on its way.
      late = wait.then(() => tx.manager.insert(Note, { id: uuidv7(), body: 'late' }))
      late.catch(() => undefined)
      throw new Error('early')
    })
    await expect(failing).rejects.toThrow('early')
    await expect(late).rejects.toThrow('has ended')
    expect(await bodies()).toEqual([])
  })

  it('sends nothing of a transaction once its connection serves others', async () => {
    const escaped = await db.transaction(binding, async (tx) => tx)
    await expect(escaped.run(add('late'))).rejects.toThrow('has ended')
    await expect(escaped.manager.insert(Note, { id: uuidv7(), body: 'late' })).rejects.toThrow('released')
    const others = Array.from({ length: 4 }, () =>
      db.rows({ tenantId: uuidv7() }, { text: 'SELECT pg_sleep(0.02)' }),
    )
    await expect(escaped.rows(tenant)).rejects.toThrow('has ended')
    await Promise.all(others)
    expect(await bodies()).toEqual([])
  })

  it.each([1, 2])(
    'does not commit while transactions of the manager are still open inside: %i',
    async (levels) => {
      let finish = () => undefined as void
      const isFinished = new Promise<void>((resolve) => (finish = resolve))
      let inner: Promise<unknown> | undefined
      const failing = db.transaction(binding, async (tx) => {
        await tx.run(add('one'))
        await new Promise<void>((begun) => {
          const open = (manager: EntityManager, level: number): Promise<unknown> =>
            manager.transaction((nested) => {
              if (level > 1) return open(nested, level - 1)
              begun()
              return isFinished
            })
          inner = open(tx.manager, levels).catch(() => undefined)
        })
      })
      await expect(failing).rejects.toThrow('Nothing was committed')
      finish()
      await inner
      expect(await bodies()).toEqual([])
    },
  )

  it('does not let rows() begin or end transactions', async () => {
    for (const text of ['BEGIN', '/* a comment */ start transaction', '/* one /* inside */ another */ BEGIN'])
      await expect(db.rows(binding, { text })).rejects.toThrow('use transaction()')
    await expect(db.rows(binding, { text: 'SELECT 1; COMMIT; SELECT 2' })).rejects.toMatchObject({
      code: '42601',
    })
    await db.rows(binding, { text: 'COMMIT' })
    await db.rows(binding, { text: 'ROLLBACK' })
  })

  it('runs statements sent together one after the other', async () => {
    const seen = await db.transaction(binding, (tx) =>
      Promise.all([
        tx.run(add('a')),
        tx.run(add('b')),
        tx.rows({ text: 'SELECT body FROM probe.notes ORDER BY 1' }),
      ]),
    )
    expect(seen).toEqual([1, 1, [['a'], ['b']]])
  })

  it('runs other tenants meanwhile', async () => {
    const other = { tenantId: uuidv7() }
    await db.transaction(binding, async (tx) => {
      await tx.run(add('mine'))
      expect(await db.rows(other, { text: 'SELECT body FROM probe.notes' })).toEqual([])
      await db.rows(other, add('theirs'))
      expect(await tx.rows({ text: 'SELECT body FROM probe.notes' })).toEqual([['mine']])
    })
    expect(await db.rows(other, { text: 'SELECT body FROM probe.notes' })).toEqual([['theirs']])
  })
})
