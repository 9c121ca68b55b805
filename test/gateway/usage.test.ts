import { Client } from 'pg'
import { recordedUsage } from '../../registry/versions/database-store'
import { usageIndex } from '../../registry/usage/usage'
import { readSchema } from '../../registry/schema-model'
import { parse } from 'graphql'
import {
  usageRecorder,
  type SeenOperation,
  type UsageRecorder,
  type UsageStore,
} from '../../gateway/operations/usage'
import { databaseUsageStore } from '../../gateway/operations/usage-store'
import type { Clock } from '../../kernel/clock'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { memoryLog, startTestGateway, viewer, type TestGateway } from './fixtures/start'
import { fixtureSupergraph } from './fixtures/subgraphs'

let now: Date
const clock: Clock = { now: () => now }
const { log, lines } = memoryLog()
const hour = 3_600_000
const web = { 'apollographql-client-name': 'web', 'apollographql-client-version': '1.2' }

let gateway: TestGateway
let recorder: UsageRecorder
let seen: SeenOperation[]
let forgotten: string[]
let store: UsageStore
let tenantId: string | null

async function start(options: { most?: number; mostAnonymous?: number } = {}): Promise<void> {
  recorder = usageRecorder({ store, clock, log, intervalMs: hour, ...options })
  gateway = await startTestGateway({
    usage: recorder,
    callersSignIn: options.mostAnonymous !== undefined,
    resolveViewer: async () => (tenantId === null ? null : { ...viewer, tenantId }),
  })
}

beforeEach(async () => {
  now = new Date('2026-11-20T23:59:00Z')
  tenantId = viewer.tenantId
  seen = []
  forgotten = []
  lines.length = 0
  store = {
    write: async (batch) => void seen.push(...batch),
    forget: async (before) => void forgotten.push(before),
  }
  await start()
})
afterEach(async () => {
  await gateway.close()
  await recorder.close()
})

describe('what is recorded', () => {
  test('R3: whether a variable with a default was ever null', async () => {
    const query = 'query ($id: ID = "1") { user(id: $id) { id } }'
    const forms = () => {
      const marks = seen.flatMap(({ coordinates }) => coordinates)
      seen = []
      return marks.filter((mark) => mark.startsWith('Query.user(id:)='))
    }
    await gateway.ask(query)
    await gateway.ask(query, { variables: { id: '2' } })
    await recorder.flush()
    expect(forms()).toEqual(['Query.user(id:)=$ID=='])
    await gateway.ask(query, { variables: { id: null } })
    await recorder.flush()
    expect(forms()).toEqual(['Query.user(id:)=$ID=', 'Query.user(id:)=$ID=='])
  })

  test('names of the schema, the client and counts, and no value anybody sent', async () => {
    const query =
      'query Named($id: ID!) { secretAlias: user(id: $id) { name } other: user(id: "literal-secret") { id } }'
    await gateway.ask(query, { variables: { id: 'variable-secret' }, headers: web })
    await gateway.ask(query, { variables: { id: '2' }, headers: web })
    await recorder.flush()
    expect(seen).toEqual([
      {
        hash: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        name: 'Named',
        document:
          'query Named($id: ID!) {\n  user(id: $id) {\n    name\n  }\n  user(id: "") {\n    id\n  }\n}',
        coordinates: [
          'ID',
          'Query',
          'Query.user',
          'Query.user(id:)',
          'Query.user(id:)=$ID!',
          'Query.user(id:)=string',
          'String',
          'User',
          'User.id',
          'User.name',
          '{}',
        ],
        day: '2026-11-20',
        client: 'web',
        clientVersion: '1.2',
        requests: 2,
        lastSeen: '2026-11-20T23:59:00.000Z',
        tenants: [viewer.tenantId],
      },
    ])
    expect(JSON.stringify(seen)).not.toMatch(/secret/i)
  })

  test('the same operation in another layout and with other literals is the same', async () => {
    await gateway.ask('{ user(id: "1") { name } }')
    await gateway.ask('{\n  user(id: "2") {\n    # a comment\n    name\n  }\n}')
    await recorder.flush()
    expect(seen.map(({ requests, client, clientVersion }) => [requests, client, clientVersion])).toEqual([
      [2, 'unknown', ''],
    ])
  })

  test('days, clients and versions are apart, and a client that calls itself nonsense is unknown', async () => {
    await gateway.ask('{ user(id: "1") { name } }', { headers: web })
    await gateway.ask('{ user(id: "1") { name } }', {
      headers: { ...web, 'apollographql-client-version': '1.3' },
    })
    await gateway.ask('{ user(id: "1") { name } }', { headers: { 'apollographql-client-name': '<script>' } })
    now = new Date('2026-11-21T00:00:00Z')
    await gateway.ask('{ user(id: "1") { name } }', { headers: web })
    await recorder.flush()
    expect(seen.map(({ day, client, clientVersion }) => `${day} ${client} ${clientVersion}`)).toEqual([
      '2026-11-20 web 1.2',
      '2026-11-20 web 1.3',
      '2026-11-20 unknown ',
      '2026-11-21 web 1.2',
    ])
  })

  test('a tenant is written once a day for each operation and client', async () => {
    const tenants = async () => {
      await gateway.ask('{ user(id: "1") { name } }')
      await recorder.flush()
      return seen.splice(0).map((one) => one.tenants)
    }
    expect(await tenants()).toEqual([[viewer.tenantId]])
    expect(await tenants()).toEqual([[]])
    tenantId = null
    expect(await tenants()).toEqual([[]])
    now = new Date('2026-11-21T00:00:00Z')
    tenantId = viewer.tenantId
    expect(await tenants()).toEqual([[viewer.tenantId]])
  })

  test('K7 anonymous callers add so many operations and clients a day, and no more', async () => {
    await gateway.close()
    await recorder.close()
    await start({ mostAnonymous: 3 })
    const ask = async (query: string, client = 'web') => {
      await gateway.ask(query, { headers: { 'apollographql-client-name': client } })
      await recorder.flush()
      return seen.splice(0).map((one) => `${one.document.replace(/\s+/g, '')} ${one.client}`)
    }
    tenantId = null
    expect(await ask('{ user(id: "1") { name } }')).toEqual([])
    expect(await ask('{ boom }')).toEqual(['{boom} web'])
    expect(await ask('{ boom }', 'app')).toEqual(['{boom} app'])
    expect(await ask('{ forbidden }')).toEqual(['{forbidden} web'])
    expect(await ask('{ boom }', 'another')).toEqual([])
    expect(await ask('{ boom forbidden }')).toEqual([])
    expect(await ask('{ boom }')).toEqual(['{boom} web'])
    tenantId = viewer.tenantId
    expect(await ask('{ boom forbidden }')).toEqual(['{boomforbidden} web'])
    tenantId = null
    now = new Date('2026-11-21T00:00:00Z')
    expect(await ask('{ forbidden boom }')).toEqual(['{forbiddenboom} web'])
  })

  test('refused operations do not count', async () => {
    await gateway.ask('{ nothing }')
    await gateway.ask(
      '{ users(first: 20) { edges { node { friends { friends { friends { friends { name } } } } } } } }',
    )
    await recorder.flush()
    expect(seen).toEqual([])
  })

  test('a store that fails stands in nobody’s way', async () => {
    const write = jest.spyOn(store, 'write').mockRejectedValueOnce(new Error('down'))
    expect((await gateway.ask('{ user(id: "1") { name } }')).body.errors).toBeUndefined()
    await recorder.flush()
    expect(lines.filter(({ msg }) => msg === 'usage not recorded')).toHaveLength(1)
    await gateway.ask('{ user(id: "1") { name } }')
    await recorder.flush()
    expect(write).toHaveBeenCalledTimes(2)
    expect(seen).toHaveLength(1)
  })

  test('operations without end take no memory without end', async () => {
    await gateway.close()
    await recorder.close()
    seen = []
    await start({ most: 3 })
    for (const id of [1, 2, 3, 4, 5]) await gateway.ask(`query Q${id} { user(id: "1") { name } }`)
    await recorder.flush()
    expect(seen.map(({ name }) => name)).toEqual(['Q1', 'Q2', 'Q3'])
  })

  test('old usage is forgotten once a day', async () => {
    for (const day of ['2026-11-20', '2026-11-20', '2026-11-21']) {
      now = new Date(`${day}T12:00:00Z`)
      await gateway.ask('{ user(id: "1") { name } }')
      await recorder.flush()
    }
    expect(forgotten).toEqual(['2025-10-16', '2025-10-17'])
  })
})

describe('in PostgreSQL', () => {
  let test_: TestDatabase
  let database: Database
  let owner: Client
  const tenants = ['01900000-0000-7000-8000-0000000000a1', '01900000-0000-7000-8000-0000000000a2']

  beforeAll(async () => {
    test_ = await freshDatabase()
    database = await openDatabase({
      url: test_.urlFor('gateway'),
      entities: [],
      connections: 2,
      applicationName: 'test',
    })
    owner = new Client({ connectionString: test_.migratorUrl })
    await owner.connect()
    for (const [index, id] of tenants.entries()) {
      await owner.query('INSERT INTO tenancy.tenants (id, name, slug) VALUES ($1, $2, $2)', [id, `t${index}`])
    }
  })
  afterAll(async () => {
    await database.close()
    await owner.end()
    await test_.drop()
  })
  beforeEach(() =>
    owner.query('TRUNCATE gateway.operation_days, gateway.operation_tenants, gateway.operations'),
  )

  async function ask(tenant: string | null, version: string, day: string): Promise<void> {
    tenantId = tenant
    now = new Date(`${day}T12:00:00Z`)
    await gateway.ask('query Friends { user(id: "1") { friends { name } } }', {
      headers: { ...web, 'apollographql-client-version': version },
    })
    await recorder.flush()
    await databaseUsageStore(database).write(seen.splice(0))
  }

  test('counts add up over days, and the check reads them back', async () => {
    expect(await recordedUsage(database, '2026-01-01')).toEqual({ from: '9999-12-31', operations: [] })
    await ask(tenants[0]!, '1.2', '2026-11-01')
    await ask(tenants[0]!, '1.2', '2026-11-02')
    await ask(tenants[1]!, '1.2', '2026-11-02')
    await ask(null, '1.3', '2026-11-03')
    const usage = await recordedUsage(database, '2026-11-02')
    expect(usage.from).toBe('2026-11-02')
    expect(usage.operations).toEqual([
      expect.objectContaining({
        name: 'Friends',
        clients: [
          { client: 'web', version: '1.2', requests: 2, tenants: 2, lastSeen: '2026-11-02T12:00:00.000Z' },
          { client: 'web', version: '1.3', requests: 1, tenants: 0, lastSeen: '2026-11-03T12:00:00.000Z' },
        ],
      }),
    ])
    const find = usageIndex(usage, readSchema(parse(fixtureSupergraph())))
    expect(find(['User.friends'])).toHaveLength(1)
    expect(find(['Employee.salary'])).toHaveLength(0)
  })

  test('which tenants sent what is under row level security; only numbers leave', async () => {
    await ask(tenants[0]!, '1.2', '2026-11-01')
    await ask(tenants[1]!, '1.2', '2026-11-01')
    const text = 'SELECT tenant_id FROM gateway.operation_tenants'
    expect(await database.rows({ tenantId: tenants[0]! }, { text })).toEqual([[tenants[0]]])
    await expect(database.rows({ tenantId: null }, { text })).rejects.toMatchObject({ code: '22P02' })
    const counts = await database.rows(
      { tenantId: null },
      { text: `SELECT client, client_version, tenants FROM gateway.operation_tenant_counts('2026-11-01')` },
    )
    expect(counts).toEqual([['web', '1.2', '2']])
  })

  test('forgetting takes all tenants’ old days and the operations nobody sends, and never the last 30 days', async () => {
    await owner.query(
      `INSERT INTO gateway.operations VALUES ('${'a'.repeat(32)}', 'Old', '{ a }', '{}'), ('${'b'.repeat(32)}', 'New', '{ b }', '{}')`,
    )
    await owner.query(
      `INSERT INTO gateway.operation_days VALUES (current_date - 50, '${'a'.repeat(32)}', 'web', '1', 1, now()), (current_date - 10, '${'b'.repeat(32)}', 'web', '1', 1, now())`,
    )
    await owner.query(
      `INSERT INTO gateway.operation_tenants (tenant_id, day, hash, client, client_version) SELECT id, current_date - 50, '${'a'.repeat(32)}', 'web', '1' FROM tenancy.tenants`,
    )
    const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10)
    await expect(databaseUsageStore(database).forget(day(5))).rejects.toThrow('the last 30 days are kept')
    await databaseUsageStore(database).forget(day(40))
    const { rows } = await owner.query(
      'SELECT (SELECT array_agg(name) FROM gateway.operations) AS names, (SELECT count(*)::int FROM gateway.operation_tenants) AS tenants',
    )
    expect(rows).toEqual([{ names: ['New'], tenants: 0 }])
  })
})
