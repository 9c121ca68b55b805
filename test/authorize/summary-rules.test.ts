import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, Source } from 'graphql'
import { Client } from 'pg'
import { Column, Entity, PrimaryColumn } from 'typeorm'
import { createTenant } from '../../database/tenants'
import { tenantTable } from '../../migrations/sql'
import type { RequestContext, SubgraphContext } from '../../kernel/context'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { load } from '../../kernel/load'
import { page } from '../../kernel/page'
import { rowPolicy, type Policies } from '../../kernel/policy'
import { projectRoot } from '../../kernel/process/config'
import { openMemoryStore } from '../../kernel/store/key-value-memory'
import type { Store } from '../../kernel/store/key-value'
import { startSubgraph } from '../../kernel/execution/start-subgraph'
import { subgraph, type RunningSubgraph } from '../../kernel/subgraph'
import { summary } from '../../kernel/summary'
import { TestClock } from '../support/graph'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { log, noServices, request } from './three-subgraphs'

@Entity({ schema: 'hr', name: 'shifts' })
class Shift {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid' })
  tenantId: string
  @PrimaryColumn({ type: 'uuid' })
  id: string
  @Column({ name: 'user_id', type: 'uuid' })
  userId: string
  @Column({ type: 'text' })
  team: string
  @Column({ type: 'int' })
  hours: number
}

const id = (last: number) => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`
const [ada, ben] = [id(11), id(12)]
const [read, all] = ['hr:shift:read', 'hr:shift:read-all']

const policies: Policies = {
  /** Own shifts, or all with the scope. */
  own: rowPolicy(Shift, ['userId'], (viewer) =>
    viewer.scopes.has(all) ? null : [{ userId: viewer.userId }],
  ),
}

const sdl = `
  type Shift @key(fields: "id") @requiresScopes(scopes: [["${read}"]]) @policy(policies: [["own"]]) {
    id: ID!
    team: String! @group @filter
    hours: Int! @measure
  }
  type Query {
    shift(id: ID!): Shift @authenticated
    shifts: ShiftConnection @authenticated
    shiftSummary: ShiftSummary @authenticated
  }`

let database: TestDatabase
let db: Database
let running: RunningSubgraph
let store: Store
const sent: string[] = []
const clock = new TestClock()

beforeAll(async () => {
  database = await freshDatabase()
  const owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  const tenantId = request([])!.viewer!.tenantId
  await owner.query('BEGIN')
  await createTenant(owner, { id: tenantId, slug: 'acme', name: 'Acme' })
  const columns = { user_id: 'uuid NOT NULL', team: 'text NOT NULL', hours: 'int NOT NULL' }
  for (const statement of tenantTable({ schema: 'hr', table: 'shifts', columns }).up)
    await owner.query(statement)
  await owner.query('COMMIT')
  for (const [last, userId, team, hours] of [
    [1, ada, 'day', 8],
    [2, ben, 'day', 7],
    [3, ben, 'night', 6],
  ])
    await owner.query(
      'INSERT INTO hr.shifts (tenant_id, id, user_id, team, hours) VALUES ($1, $2, $3, $4, $5)',
      [...[tenantId, id(Number(last)), userId, team, hours]],
    )
  await owner.end()
  db = await openDatabase({
    url: database.urlFor('hr'),
    entities: [Shift],
    connections: 2,
    applicationName: 'test',
    onStatement: ({ text }) => sent.push(text),
  })
  store = openMemoryStore(clock, log)
  const shared = parse(
    new Source(readFileSync(join(projectRoot, 'schema', 'shared.graphql'), 'utf8'), 'shared'),
  )
  const typeDefs = { ...shared, definitions: [...shared.definitions, ...parse(sdl).definitions] }
  const resolvers = {
    Query: {
      shift: (_: unknown, args: { id: string }, context: SubgraphContext, info: never) =>
        load(context, Shift, args.id, info),
      shifts: (_: unknown, args: object, context: SubgraphContext, info: never) =>
        page(context, Shift, args, info, { defaultOrder: { property: 'id', direction: 'ASC' } }),
      shiftSummary: (_: unknown, args: object, context: SubgraphContext, info: never) =>
        summary(context, Shift, args, info),
    },
  }
  running = await startSubgraph(
    subgraph('hr', { entities: [Shift], resolvers: [resolvers], policies, typeDefs }),
    db,
    { ...noServices, keyValue: store.keyValue, config: { pageLimit: 100, nestedPageLimit: 50 } as never },
  )
})

afterAll(async () => {
  await running?.close()
  await db?.close()
  await store?.close()
  await database?.drop()
})

const document = parse(`{
  list: shifts { totalCount }
  summary: shiftSummary(groupBy: [TEAM]) { groups { key { team } count hours { sum } } total { count hours { sum } } }
}`)
const ask = async (context: RequestContext) => {
  const { data, errors } = await running.execute({ document, context })
  return {
    data: JSON.parse(JSON.stringify(data)) as unknown,
    codes: errors?.map(({ extensions }) => extensions['code']),
  }
}
const told = (totalCount: number, groups: [team: string, count: number, sum: string][], sum: string) => ({
  data: {
    list: { totalCount },
    summary: {
      groups: groups.map(([team, count, hours]) => ({ key: { team }, count, hours: { sum: hours } })),
      total: { count: totalCount, hours: { sum } },
    },
  },
  codes: undefined,
})

test('Q1 a summary counts the rows that the row rule of the type admits, whoever asked before', async () => {
  const everything = told(
    3,
    [
      ['day', 2, '15'],
      ['night', 1, '6'],
    ],
    '21',
  )
  expect(await ask(request([read, all], ada))).toEqual(everything)
  expect(await ask(request([read], ada))).toEqual(told(1, [['day', 1, '8']], '8'))
  expect(await ask(request([read], ben))).toEqual(
    told(
      2,
      [
        ['day', 1, '7'],
        ['night', 1, '6'],
      ],
      '13',
    ),
  )
  // Again, from what is kept.
  expect(await ask(request([read], ada))).toEqual(told(1, [['day', 1, '8']], '8'))
})

test('Q1 a summary asks for what its rows ask for, although its field asks for less', async () => {
  sent.length = 0
  expect(await ask(request([all], ada))).toEqual({
    data: { list: null, summary: null },
    codes: ['FORBIDDEN', 'FORBIDDEN'],
  })
  expect(await ask(request(null))).toEqual({
    data: { list: null, summary: null },
    codes: ['UNAUTHENTICATED', 'UNAUTHENTICATED'],
  })
  expect(sent.filter((text) => text.includes('shifts')).length).toBe(0)
})

test('Q1 an answer is kept for five minutes', async () => {
  const counted = async () => {
    sent.length = 0
    await ask(request([read, all, 'hr:other:read'], ada))
    return sent.filter((text) => text.includes('sum(')).length
  }
  expect([await counted(), await counted()]).toEqual([1, 0])
  clock.advance({ minutes: 4, seconds: 59 })
  expect(await counted()).toBe(0)
  clock.advance({ seconds: 1 })
  expect(await counted()).toBe(1)
})

test('Q1 a store that does not answer is done without', async () => {
  const failing = {
    get: () => Promise.reject(new Error('gone')),
    set: () => Promise.reject(new Error('gone')),
  }
  const kept = { ...store.keyValue }
  Object.assign(store.keyValue, failing)
  try {
    expect(await ask(request([read], ada))).toEqual(told(1, [['day', 1, '8']], '8'))
  } finally {
    Object.assign(store.keyValue, kept)
  }
})
