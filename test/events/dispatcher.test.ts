import { Client } from 'pg'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { eventDispatcher } from '../../kernel/events/dispatcher'
import type { EventLog } from '../../kernel/events/event-log'
import { memoryEventLog } from '../../kernel/events/event-log-memory'
import { readEvents } from '../../kernel/events/read-events'
import { uuidv7 } from '../../kernel/id'
import { oldEvents } from '../../subgraphs/compliance/jobs/old-events'
import { change } from '../support/lists'
import { startGraph, TestClock, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'

/** Issue 13, events: everything that changed leaves, in order, at least once, and without a value. */
let graph: TestGraph
let gateway: Database
let writer: Database
let acme: TestTenant
let globex: TestTenant
let admin: TestClient
let eventLog: EventLog

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  globex = await graph.tenant('globex')
  admin = await acme.as('ADMIN')
  const open = (role: 'gateway' | 'hr') =>
    openDatabase({
      url: graph.database.urlFor(role),
      entities: [],
      connections: 6,
      applicationName: 'events',
    })
  ;[gateway, writer] = await Promise.all([open('gateway'), open('hr')])
})
beforeEach(async () => {
  eventLog = memoryEventLog(graph.clock)
  await graph.owner.query('DELETE FROM shared.outbox_events')
  await graph.owner.query('DELETE FROM shared.event_positions')
})
afterAll(async () => {
  await gateway?.close()
  await writer?.close()
  await graph?.close()
})

const dispatcher = (log: EventLog = eventLog) =>
  eventDispatcher({
    database: gateway,
    eventLog: log,
    pubSub: graph.server.services.pubSub,
    log: graph.server.services.log,
  })

const text = `INSERT INTO shared.outbox_events (id, aggregate_type, aggregate_id, event_type) VALUES ($1, 'Test', $2, 'updated')`
const insert = (name: string) => ({ text, values: [uuidv7(), name] })
const write = (tenant: TestTenant, ...names: string[]) =>
  writer.transaction({ tenantId: tenant.id }, async (tx) => {
    for (const name of names) await tx.run(insert(name))
  })

const logged = async (tenant: TestTenant, log: EventLog = eventLog) =>
  (await log.read(tenant.id, 0, 10_000)).events.map(
    ({ position, aggregateId }) => `${position} ${aggregateId}`,
  )

test('a mutation’s events name what changed, and no value of it', async () => {
  const input = { employeeNumber: 'E-secret', lastName: 'Lovelace', hireDate: '2026-01-01' }
  const selection = 'employee { id version }'
  const { id } = await change<{ id: string }>(admin, 'hireEmployee', input, selection)
  await change(admin, 'updateEmployee', { id, expectedVersion: 1, lastName: 'Byron' }, selection)
  await dispatcher().dispatch()
  const { events } = await eventLog.read(acme.id, 0, 10)
  expect(events).toEqual([
    {
      position: 1,
      id: expect.any(String),
      aggregateType: 'Employee',
      aggregateId: id,
      eventType: 'created',
      payload: { version: 1, fields: expect.arrayContaining(['employeeNumber', 'hireDate', 'lastName']) },
      occurredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    },
    {
      position: 2,
      id: expect.any(String),
      aggregateType: 'Employee',
      aggregateId: id,
      eventType: 'updated',
      payload: { version: 2, fields: ['lastName'] },
      occurredAt: expect.any(String),
    },
  ])
  const { rows } = await graph.owner.query(
    "SELECT count(*)::int AS found FROM shared.outbox_events e WHERE e::text ~ 'Lovelace|Byron|secret'",
  )
  expect(rows).toEqual([{ found: 0 }])
})

test('each tenant’s events have positions of their own, without a gap', async () => {
  await write(acme, 'a1', 'a2')
  await write(globex, 'g1')
  await write(acme, 'a3')
  expect(await dispatcher().dispatch()).toBe(4)
  expect(await logged(acme)).toEqual(['1 a1', '2 a2', '3 a3'])
  expect(await logged(globex)).toEqual(['1 g1'])
  expect(await dispatcher().dispatch()).toBe(0)
})

test('what is committed late comes later, and is not lost', async () => {
  await writer.transaction({ tenantId: acme.id }, async (tx) => {
    await tx.run(insert('slow'))
    await write(acme, 'quick')
    await dispatcher().dispatch()
    expect(await logged(acme)).toEqual(['1 quick'])
  })
  await dispatcher().dispatch()
  expect(await logged(acme)).toEqual(['1 quick', '2 slow'])
})

test('what is undone leaves nothing', async () => {
  await writer
    .transaction({ tenantId: acme.id }, async (tx) => {
      await tx.run(insert('undone'))
      throw new Error('undone')
    })
    .catch(() => undefined)
  await write(acme, 'kept')
  await dispatcher().dispatch()
  expect(await logged(acme)).toEqual(['1 kept'])
})

test('a log that fails gets the same events at the same positions, whatever was committed meanwhile', async () => {
  const before: string[] = []
  let fails = true
  const failing: EventLog = {
    ...eventLog,
    async append(tenantId, events) {
      before.push(...events.map(({ position, aggregateId }) => `${position} ${aggregateId}`))
      if (fails) throw new Error('gone')
      await eventLog.append(tenantId, events)
    },
  }
  await write(acme, 'one', 'two')
  await expect(dispatcher(failing).dispatch()).rejects.toThrow('gone')
  await write(acme, 'three')
  fails = false
  await dispatcher(failing).dispatch()
  await dispatcher(failing).dispatch()
  expect(before).toEqual(['1 one', '2 two', '1 one', '2 two', '3 three'])
  expect(await logged(acme)).toEqual(['1 one', '2 two', '3 three'])
})

test('two dispatchers and writers at once: each event once, in the order of what was done about one thing', async () => {
  const [one, two] = [dispatcher(), dispatcher()]
  let writing = true
  const writers = Promise.all(
    Array.from({ length: 4 }, async (_, who) => {
      for (let count = 0; count < 60; count++) await write(acme, `${who}-${count}`)
    }),
  ).then(() => (writing = false))
  const dispatch = async (which: typeof one) => {
    while (writing) await which.dispatch()
  }
  await Promise.all([writers, dispatch(one), dispatch(two)])
  await one.dispatch()
  const found = await logged(acme)
  expect(found.map((line) => Number(line.split(' ')[0]))).toEqual(
    Array.from({ length: 240 }, (_, place) => place + 1),
  )
  const names = found.map((line) => line.split(' ')[1]!)
  expect(new Set(names).size).toBe(240)
  for (const who of ['0', '1', '2', '3'])
    expect(names.filter((name) => name.startsWith(`${who}-`))).toEqual(
      Array.from({ length: 60 }, (_, count) => `${who}-${count}`),
    )
})

describe('a reader', () => {
  const read = (after: number | null, log: EventLog = eventLog) =>
    readEvents({ database: gateway, eventLog: log }, acme.id, after, 2)

  test('goes on from where it was, and begins with now', async () => {
    expect(await read(null)).toEqual({ events: [], position: 0, isReset: false })
    await write(acme, 'a', 'b', 'c')
    await dispatcher().dispatch()
    expect(await read(null)).toEqual({ events: [], position: 3, isReset: false })
    expect(await read(0)).toMatchObject({
      position: 2,
      isReset: false,
      events: [{ aggregateId: 'a' }, { aggregateId: 'b' }],
    })
    expect(await read(2)).toMatchObject({ position: 3, isReset: false, events: [{ aggregateId: 'c' }] })
    expect(await read(3)).toEqual({ events: [], position: 3, isReset: false })
  })

  test('is reset once when it missed something, and not when there was nothing to miss', async () => {
    await write(acme, 'a', 'b')
    await dispatcher().dispatch()
    const restarted = memoryEventLog(graph.clock)
    expect(await read(2, restarted)).toEqual({ events: [], position: 2, isReset: false })
    expect(await read(1, restarted)).toEqual({ events: [], position: 2, isReset: true })
    await write(acme, 'c')
    await dispatcher(restarted).dispatch()
    expect(await read(2, restarted)).toMatchObject({
      position: 3,
      isReset: false,
      events: [{ aggregateId: 'c' }],
    })
    expect(await read(1, restarted)).toEqual({ events: [], position: 3, isReset: true })
  })
})

describe('months', () => {
  let compliance: Database
  let owner: Client

  beforeAll(async () => {
    const url = graph.database.urlFor('compliance')
    compliance = await openDatabase({ url, entities: [], connections: 1, applicationName: 'months' })
    owner = graph.owner
  })
  afterAll(() => compliance?.close())

  const months = async () =>
    (
      await owner.query<{ name: string }>(
        "SELECT relname AS name FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'shared.outbox_events'::regclass ORDER BY 1",
      )
    ).rows.map(({ name }) => name)

  test('are dropped when they are over and all of them has left', async () => {
    const clock = new TestClock()
    await owner.query('SELECT shared.ensure_partitions(12, 3)')
    const before = await months()
    const monthAgo = "date_trunc('month', now()) - interval '20 days'"
    await write(acme, 'now')
    await owner.query(
      `INSERT INTO shared.outbox_events (tenant_id, id, created_at, aggregate_type, aggregate_id, event_type)
       VALUES ($1, $2, ${monthAgo}, 'Test', 'old', 'updated')`,
      [acme.id, uuidv7()],
    )
    const drop = () => runJob(oldEvents, compliance, { ...graph.server.services, clock })
    await drop()
    const open = await months()
    // The one with an event that has not left, this one and those to come.
    expect(open).toEqual(before.slice(before.length - 14))
    await dispatcher().dispatch()
    await drop()
    const days = new Date().getUTCDate()
    expect(await months()).toEqual(before.slice(before.length - (days > 7 ? 13 : 14)))
    expect((await owner.query("SELECT FROM shared.outbox_events WHERE aggregate_id = 'now'")).rowCount).toBe(
      1,
    )
  })

  test('of today nobody drops', async () => {
    const statement = { text: 'SELECT shared.drop_dispatched_events(now())' }
    await expect(compliance.rows({ tenantId: null }, statement)).rejects.toThrow('kept for a day at least')
  })
})

test('nobody but the dispatcher reads the outbox, and no subgraph gives positions', async () => {
  const denied = { code: '42501' }
  const binding = { tenantId: acme.id }
  await expect(writer.rows(binding, { text: 'SELECT FROM shared.outbox_events' })).rejects.toMatchObject(
    denied,
  )
  await expect(writer.rows(binding, { text: 'SELECT FROM shared.event_positions' })).rejects.toMatchObject(
    denied,
  )
  const forged = text.replace('(id', '(position, id').replace('($1', '(9, $1')
  await expect(writer.rows(binding, { text: forged, values: [uuidv7(), 'x'] })).rejects.toMatchObject(denied)
  await write(globex, 'theirs')
  await expect(
    gateway.rows({ tenantId: null }, { text: 'SELECT FROM shared.outbox_events' }),
  ).rejects.toMatchObject({
    code: '22P02',
  })
  expect(await gateway.rows(binding, { text: 'SELECT 1 FROM shared.outbox_events' })).toEqual([])
})
