import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { uuidv7 } from '../../kernel/id'
import { createLogger } from '../../kernel/process/log'
import { openStore } from '../../kernel/store/store'
import { runChild } from '../gateway/fixtures/child'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { startRedis, type RedisServer } from './server'

/** Issue 13, events: dispatchers that are killed at random moments lose nothing, bring nothing twice, and keep the order. */
const tenants = [uuidv7(), uuidv7()]
const writersPerTenant = 3
const rounds = 6
const eventsPerRound = 25
const eventsPerWriter = rounds * eventsPerRound
let database: TestDatabase
let owner: Client
let writer: Database
let redis: RedisServer
const children = new Set<ChildProcess>()

beforeAll(async () => {
  redis = await startRedis('redis-pass-of-the-test')
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  for (const [place, id] of tenants.entries())
    await owner.query('INSERT INTO tenancy.tenants (id, name, slug) VALUES ($1, $2, $2)', [
      id,
      `tenant-${place}`,
    ])
  writer = await openDatabase({
    url: database.urlFor('hr'),
    entities: [],
    connections: 8,
    applicationName: 'events',
  })
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await writer?.close()
  await owner?.end()
  await database?.drop()
  await redis?.stop()
})

async function begin(): Promise<ChildProcess> {
  const child = runChild('test/redis/dispatch-events.ts', [database.urlFor('gateway'), `${redis.url}/0`])
  children.add(child.process)
  await child.printed(/./)
  return child.process
}

const text = `INSERT INTO shared.outbox_events (id, aggregate_type, aggregate_id, event_type) VALUES ($1, 'Thing', $2, 'updated')`

/** Writes some events of one thing, one after the other, in transactions that last differently. */
async function writeSome(tenantId: string, thing: number, first: number): Promise<void> {
  for (let count = first; count < first + eventsPerRound; count++) {
    await writer.transaction({ tenantId }, async (tx) => {
      await tx.run({ text, values: [uuidv7(), `${thing}-${count}`] })
      await sleep(Math.random() * 10)
    })
  }
}

const left = async () =>
  (
    await owner.query<{ left: number }>(
      `SELECT count(*)::int AS left FROM shared.outbox_events e LEFT JOIN shared.event_positions p USING (tenant_id)
        WHERE e.position IS NULL OR e.position > p.dispatched`,
    )
  ).rows[0]!.left

test('the log has each event once, in order', async () => {
  for (let round = 0; round < rounds; round++) {
    const pair = await Promise.all([begin(), begin()])
    const written = Promise.all(
      tenants.flatMap((tenantId) =>
        Array.from({ length: writersPerTenant }, (_, thing) =>
          writeSome(tenantId, thing, round * eventsPerRound),
        ),
      ),
    )
    await sleep(Math.random() * 400)
    for (const child of pair) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      children.delete(child)
    }
    await written
  }
  await begin()
  while ((await left()) > 0) await sleep(50)
  const store = await openStore({ redisUrl: `${redis.url}/0` }, createLogger({ logLevel: 'silent' }))
  try {
    for (const tenantId of tenants) {
      const { events, isGap } = await store.eventLog.read(tenantId, 0, 10_000)
      expect(isGap).toBe(false)
      const count = writersPerTenant * eventsPerWriter
      expect(events.map(({ position }) => position)).toEqual(
        Array.from({ length: count }, (_, place) => place + 1),
      )
      for (let thing = 0; thing < writersPerTenant; thing++)
        expect(
          events
            .filter(({ aggregateId }) => aggregateId.startsWith(`${thing}-`))
            .map(({ aggregateId }) => aggregateId),
        ).toEqual(Array.from({ length: eventsPerWriter }, (_, place) => `${thing}-${place}`))
      const { rows } = await owner.query<{ id: string }>(
        'SELECT id FROM shared.outbox_events WHERE tenant_id = $1 ORDER BY position',
        [tenantId],
      )
      expect(events.map(({ id }) => id)).toEqual(rows.map(({ id }) => id))
    }
  } finally {
    await store.close()
  }
}, 300_000)
