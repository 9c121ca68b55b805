import type { Database } from '../../kernel/connection/database'
import { uuidv7 } from '../../kernel/id'
import { Note, notesDatabase, openNotes } from '../tenant-client/notes'
import { startBouncer, type Bouncer } from './bouncer'

let database: Awaited<ReturnType<typeof notesDatabase>>
let bouncer: Bouncer
let db: Database

beforeAll(async () => {
  database = await notesDatabase()
  bouncer = await startBouncer([database.urlFor('hr')])
  const url = bouncer.through(database.urlFor('hr'))
  db = await openNotes(database, 'unnamed', {
    url,
    connections: 12,
    statementTimeoutMs: 500,
    connectionTimeoutMs: 60_000,
  })
})
afterAll(async () => {
  await db?.close()
  await bouncer?.stop()
  await database.drop()
})

const insert = 'INSERT INTO probe.notes (id, body) VALUES ($1, $2)'
const select = 'SELECT tenant_id, body FROM probe.notes ORDER BY id LIMIT 20'

it('keeps 20 tenants apart while their transactions change server connections and one in five fails', async () => {
  const tenants = Array.from({ length: 20 }, () => uuidv7())
  const written = new Map(tenants.map((tenantId) => [tenantId, 0]))
  const codes = new Map<string, number>()
  let wrong = 0
  let done = 0
  const check = (tenantId: string, rows: unknown[][]) => {
    wrong += rows.filter(([owner, body]) => owner !== tenantId || !String(body).startsWith(tenantId)).length
  }
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => expect('an error').toBe('nothing'),
      (error: { code?: string; message: string }) => {
        const code = error.code ?? error.message
        codes.set(code, (codes.get(code) ?? 0) + 1)
      },
    )
  async function operation(number: number): Promise<void> {
    const tenantId = tenants[number % 20]!
    const binding = { tenantId, actorId: uuidv7(), requestId: `request-${number}` }
    const write = (text = `${tenantId} ${number}`) => ({ text: insert, values: [uuidv7(), text] })
    switch (Math.floor(number / 20) % 10) {
      case 0:
      case 1:
        await db.rows(binding, write())
        written.set(tenantId, written.get(tenantId)! + 1)
        break
      case 2:
        await db.transaction(binding, async (tx) => {
          await tx.run(write())
          await tx.manager.insert(Note, { id: uuidv7(), body: `${tenantId} ${number} again` })
          check(tenantId, await tx.rows({ text: select }))
        })
        written.set(tenantId, written.get(tenantId)! + 2)
        break
      case 3:
        await failure(db.rows(binding, { text: 'SELECT 1/0' }))
        break
      case 4:
        await failure(
          db.transaction(binding, async (tx) => {
            await tx.run(write())
            throw new Error('changed my mind')
          }),
        )
        break
      default:
        check(tenantId, await db.rows(binding, { text: select }))
    }
    done += 1
  }
  const queue = Array.from({ length: 4_000 }, (_, number) => number)
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) await operation(next)
    }),
  )

  expect({ wrong, done }).toEqual({ wrong: 0, done: 4_000 })
  expect(Object.fromEntries(codes)).toEqual({ '22012': 400, 'changed my mind': 400 })
  const { rows } = await database.owner.query<{ tenant_id: string; count: number }>(
    'SELECT tenant_id, count(*)::int AS count FROM probe.notes WHERE starts_with(body, tenant_id::text) GROUP BY 1',
  )
  expect(new Map(rows.map((row) => [row.tenant_id, row.count]))).toEqual(written)
})

it('leaves no tenant behind on a server connection', async () => {
  const first = uuidv7()
  await db.rows({ tenantId: first }, { text: insert, values: [uuidv7(), `${first} once`] })
  for (let turn = 0; turn < 8; turn++) {
    await expect(db.rows({ tenantId: null }, { text: select })).rejects.toMatchObject({ code: '22P02' })
    expect(await db.rows({ tenantId: uuidv7() }, { text: select })).toEqual([])
  }
})

it('a statement that runs out of time ends there, and its connection serves the next tenant', async () => {
  await expect(db.rows({ tenantId: uuidv7() }, { text: 'SELECT pg_sleep(5)' })).rejects.toMatchObject({
    code: '57014',
  })
  expect(await db.rows({ tenantId: uuidv7() }, { text: select })).toEqual([])
})
