import { uuidv7 } from '../../kernel/id'
import { tenantScope, type Database } from '../../kernel/connection/database'
import { leftovers, modes, Note, notesDatabase, openNotes } from './notes'

let database: Awaited<ReturnType<typeof notesDatabase>>
beforeAll(async () => {
  database = await notesDatabase()
})
afterAll(() => database.drop())

const insert = 'INSERT INTO probe.notes (id, body) VALUES ($1, $2)'
const select = 'SELECT tenant_id, body FROM probe.notes'

/** The same course in every run: a linear congruential generator (Numerical Recipes, 3rd ed., 7.1). */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

describe.each(modes)('many tenants over two connections, %s', (mode) => {
  let db: Database
  beforeAll(async () => {
    await database.owner.query('TRUNCATE probe.notes')
    db = await openNotes(database, mode, {
      connections: 2,
      statementTimeoutMs: 400,
      connectionTimeoutMs: 60_000,
    })
  })
  afterAll(() => db.close())

  it('never shows or writes a row of another tenant', async () => {
    const tenants = Array.from({ length: 20 }, () => uuidv7())
    const kept = new Map(tenants.map((tenantId) => [tenantId, 0]))
    let done = 0
    let failed = 0
    let wrong = 0
    const keep = (tenantId: string) => kept.set(tenantId, kept.get(tenantId)! + 1)
    const check = (tenantId: string, rows: unknown[][]) => {
      wrong += rows.filter(([owner, body]) => owner !== tenantId || !String(body).startsWith(tenantId)).length
    }
    const fails = async (work: Promise<unknown>, code: string) => {
      const error: unknown = await work.then(
        () => null,
        (reason) => reason,
      )
      expect((error as { code?: string } | null)?.code ?? (error as Error | null)?.message).toBe(code)
      failed += 1
    }

    async function operation(tenantId: string, choice: number): Promise<void> {
      const binding = { tenantId, actorId: uuidv7(), requestId: `request-${done}` }
      const body = () => `${tenantId} ${uuidv7()}`
      if (choice < 30)
        return check(tenantId, await db.rows(binding, { name: 'all', text: `${select} LIMIT 20` }))
      if (choice < 45) {
        await db.rows(binding, { name: 'insert', text: insert, values: [uuidv7(), body()] })
        return void keep(tenantId)
      }
      if (choice < 55)
        return check(
          tenantId,
          await db.rows(binding, {
            text: `${select} WHERE body LIKE $1 LIMIT 5`,
            values: [`%${choice % 10}%`],
          }),
        )
      if (choice < 70)
        return db.transaction(binding, async (tx) => {
          await tx.run({ name: 'insert', text: insert, values: [uuidv7(), body()] })
          const taken = body()
          await tx.manager.insert(Note, { id: uuidv7(), body: taken })
          await fails(
            tx.savepoint(() => tx.run({ name: 'insert', text: insert, values: [uuidv7(), taken] })),
            '23505',
          )
          check(tenantId, await tx.rows({ name: 'all', text: `${select} LIMIT 20` }))
          keep(tenantId)
          keep(tenantId)
        })
      if (choice < 78) return fails(db.rows(binding, { text: 'SELECT 1/0' }), '22012')
      if (choice < 84)
        return fails(db.rows(binding, { name: 'broken', text: 'SELECT nothing FROM nowhere' }), '42P01')
      if (choice < 90)
        return fails(
          db.transaction(binding, async (tx) => {
            await tx.run({ name: 'insert', text: insert, values: [uuidv7(), body()] })
            throw new Error('changed my mind')
          }),
          'changed my mind',
        )
      if (choice < 95)
        return fails(
          db.rows(binding, {
            text: 'INSERT INTO probe.notes (tenant_id, id, body) VALUES ($1, $2, $3)',
            values: [tenants.find((other) => other !== tenantId), uuidv7(), 'stolen'],
          }),
          '42501',
        )
      return fails(
        db.transaction(binding, (tx) => tx.rows({ name: 'insert', text: insert, values: ['no uuid', 'x'] })),
        '22P02',
      )
    }

    const roll = dice(7)
    const plan = Array.from({ length: 2000 }, () => ({ tenantId: tenants[roll(20)]!, choice: roll(100) }))
    await Promise.all(
      Array.from({ length: 24 }, async () => {
        for (let next = plan.pop(); next; next = plan.pop()) {
          const { tenantId, choice } = next
          await tenantScope.run(tenantId, () => operation(tenantId, choice))
          done += 1
        }
      }),
    )

    expect(wrong).toBe(0)
    expect(done).toBe(2000)
    expect(failed).toBeGreaterThan(200)
    const { rows } = await database.owner.query(
      'SELECT tenant_id, count(*)::int AS count FROM probe.notes WHERE starts_with(body, tenant_id::text) GROUP BY 1',
    )
    expect(new Map(rows.map((row) => [row.tenant_id, row.count]))).toEqual(
      new Map([...kept].filter(([, count]) => count > 0)),
    )
    expect((await database.owner.query('SELECT count(*)::int AS count FROM probe.notes')).rows[0].count).toBe(
      [...kept.values()].reduce((sum, count) => sum + count, 0),
    )
    expect(await leftovers(db)).toEqual(['I', 'I'])
  })

  it('keeps tenants apart when statements run out of time', async () => {
    const hasty = await openNotes(database, mode, { statementTimeoutMs: 600, connectionTimeoutMs: 60_000 })
    const slow = { tenantId: uuidv7() }
    const quick = Array.from({ length: 30 }, () => ({ tenantId: uuidv7() }))
    for (const binding of quick)
      await hasty.rows(binding, {
        name: 'insert',
        text: insert,
        values: [uuidv7(), `${binding.tenantId} once`],
      })
    const [timeouts, seen] = await Promise.all([
      Promise.all(
        Array.from({ length: 3 }, () =>
          hasty.rows(slow, { text: 'SELECT pg_sleep(5)' }).catch((error: { code: string }) => error.code),
        ),
      ),
      Promise.all(quick.map((binding) => hasty.rows(binding, { name: 'all', text: `${select} LIMIT 20` }))),
    ])
    expect(timeouts).toEqual(['57014', '57014', '57014'])
    expect(seen).toEqual(quick.map(({ tenantId }) => [[tenantId, `${tenantId} once`]]))
    expect(await leftovers(hasty)).toEqual(['I', 'I'])
    await hasty.close()
  })
})
