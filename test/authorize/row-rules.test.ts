import { parse } from 'graphql'
import { Client } from 'pg'
import { Column, Entity, PrimaryColumn } from 'typeorm'
import { createTenant } from '../../database/tenants'
import { tenantTable } from '../../migrations/sql'
import type { RequestContext, SubgraphContext } from '../../kernel/context'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { load, loadBy } from '../../kernel/load'
import { page } from '../../kernel/page'
import { fieldPolicy, rowPolicy, type Policies } from '../../kernel/policy'
import { one } from '../../kernel/relation'
import { startSubgraph } from '../../kernel/execution/start-subgraph'
import type { RunningSubgraph } from '../../kernel/subgraph'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { define, noServices, request, summary } from './three-subgraphs'

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
  @Column({ type: 'text' })
  place: string
  @Column({ type: 'text' })
  note: string
  @Column({ name: 'swap_id', type: 'uuid', nullable: true })
  swapId: string | null
}

const id = (last: number) => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`
const [ada, ben] = [id(11), id(12)]
const all = 'hr:shift:read-all'

const policies: Policies = {
  /** Own shifts and those of the night team, or all with the scope. */
  visible: rowPolicy(Shift, ['userId', 'team'], (viewer) =>
    viewer.scopes.has(all) ? null : [{ userId: viewer.userId }, { team: ['night', 'late night'] }],
  ),
  author: fieldPolicy(Shift, ['userId'], (viewer, shift) => shift.userId === viewer.userId),
}

const sdl = `
  type Shift @key(fields: "id") @policy(policies: [["visible"]]) {
    id: ID!
    place: String
    note: String @policy(policies: [["author"]])
    swap: Shift
  }
  type ShiftConnection { nodes: [Shift!]! edges: [ShiftEdge!]! totalCount: Int }
  type ShiftEdge { cursor: String! node: Shift! }
  type Query {
    shift(id: ID!): Shift @authenticated
    shifts(first: Int = 20, after: String): ShiftConnection @authenticated
    place(place: String!): Shift @authenticated
    raw: [Shift] @authenticated
    firstRaw: Shift @authenticated
  }`

let database: TestDatabase
let db: Database
let running: RunningSubgraph
const sent: string[] = []

/** Rows by a statement of the resolver's own, which forgets the rule. */
async function allRows(context: SubgraphContext): Promise<object[]> {
  const rows = await context.db.rows(context.binding, {
    text: 'SELECT id, user_id, team, place, swap_id FROM hr.shifts ORDER BY id',
  })
  return rows.map(([shift, userId, team, place, swapId]) => ({ id: shift, userId, team, place, swapId }))
}

beforeAll(async () => {
  database = await freshDatabase()
  const owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  const tenantId = request([])!.viewer!.tenantId
  await owner.query('BEGIN')
  await createTenant(owner, { id: tenantId, slug: 'acme', name: 'Acme' })
  const columns = {
    user_id: 'uuid NOT NULL',
    team: 'text NOT NULL',
    place: 'text NOT NULL',
    note: 'text NOT NULL',
    swap_id: 'uuid',
  }
  for (const statement of tenantTable({ schema: 'hr', table: 'shifts', columns }).up)
    await owner.query(statement)
  await owner.query('COMMIT')
  const shifts = [
    [id(1), ada, 'day', 'Berlin', 'a', id(2)],
    [id(2), ben, 'day', 'Oslo', 'b', id(3)],
    [id(3), ben, 'night', 'Rome', 'c', id(1)],
  ]
  for (const shift of shifts)
    await owner.query(
      'INSERT INTO hr.shifts (tenant_id, id, user_id, team, place, note, swap_id) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [tenantId, ...shift],
    )
  await owner.end()
  db = await openDatabase({
    url: database.urlFor('hr'),
    entities: [Shift],
    connections: 2,
    applicationName: 'test',
    onStatement: ({ text }) => sent.push(text),
  })
  const definition = define(
    'hr',
    sdl,
    {
      Query: {
        shift: (_: unknown, args: { id: string }, context: SubgraphContext, info: never) =>
          load(context, Shift, args.id, info),
        shifts: (_: unknown, args: object, context: SubgraphContext, info: never) =>
          page(context, Shift, args, info, { defaultOrder: { property: 'id', direction: 'ASC' } }),
        place: (_: unknown, { place }: { place: string }, context: SubgraphContext, info: never) =>
          loadBy(context, Shift, 'place', place, info),
        raw: (_: unknown, _args: unknown, context: SubgraphContext) => allRows(context),
        firstRaw: async (_: unknown, _args: unknown, context: SubgraphContext) => (await allRows(context))[1],
      },
      Shift: { swap: one(Shift, 'swapId', Shift) },
    },
    policies,
  )
  running = await startSubgraph({ ...definition, entities: [Shift] }, db, {
    ...noServices,
    config: { pageLimit: 100, nestedPageLimit: 50 } as never,
  })
})

afterAll(async () => {
  await running.close()
  await db.close()
  await database.drop()
})

async function ask(query: string, asking: RequestContext | null, variables?: object) {
  sent.length = 0
  const context = asking ?? request(null)
  return summary(await running.execute({ document: parse(query), variables, context }))
}
const asAda = (scopes: string[] = []) => request(scopes, ada)
const shifts = (places: string[]) => ({
  data: { shifts: { nodes: places.map((place) => ({ place })) } },
  errors: [],
})

test('a list holds the rows that any alternative of the rule admits', async () => {
  expect(await ask('{ shifts { nodes { place } } }', asAda())).toEqual(shifts(['Berlin', 'Rome']))
  expect(await ask('{ shifts { nodes { place } } }', request([], ben))).toEqual(shifts(['Oslo', 'Rome']))
  expect(await ask('{ shifts { nodes { place } } }', request([], id(99)))).toEqual(shifts(['Rome']))
})

test('the rule is part of the statement, so counts and pages agree with it', async () => {
  expect(await ask('{ shifts(first: 1) { totalCount edges { node { place } } } }', asAda())).toEqual({
    data: { shifts: { totalCount: 2, edges: [{ node: { place: 'Berlin' } }] } },
    errors: [],
  })
  expect(sent.map((text) => /user_id.*team/.test(text))).toEqual([true, true])
})

test('who may see all rows gets all rows', async () => {
  expect(await ask('{ shifts { nodes { place } } }', asAda([all]))).toEqual(
    shifts(['Berlin', 'Oslo', 'Rome']),
  )
})

test('a row that the rule hides is not there, by its id and as a reference', async () => {
  expect(await ask(`{ shift(id: "${id(2)}") { place } }`, asAda())).toEqual({
    data: { shift: null },
    errors: [],
  })
  const query = 'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Shift { place } } }'
  const refs = [1, 2, 3].map((last) => ({ __typename: 'Shift', id: id(last), userId: ada, team: 'night' }))
  expect(await ask(query, asAda(), { refs })).toEqual({
    data: { _entities: [{ place: 'Berlin' }, null, { place: 'Rome' }] },
    errors: [],
  })
})

test('nobody sees nothing, and no statement is sent', async () => {
  expect(await ask(`{ shift(id: "${id(1)}") { place } }`, null)).toEqual({
    data: { shift: null },
    errors: ['shift UNAUTHENTICATED'],
  })
  const query = `{ _entities(representations: [{ __typename: "Shift", id: "${id(1)}" }]) { ... on Shift { place } } }`
  expect(await ask(query, null)).toEqual({
    data: { _entities: [null] },
    errors: ['_entities.0 UNAUTHENTICATED'],
  })
  expect(sent).toEqual([])
})

test('a rule on a field has its columns read when the field is selected, and only then', async () => {
  expect(await ask('{ shifts { nodes { note } } }', asAda())).toEqual({
    data: { shifts: { nodes: [{ note: 'a' }, { note: null }] } },
    errors: ['shifts.nodes.1.note FORBIDDEN'],
  })
  await ask('{ shifts { nodes { id } } }', asAda())
  expect(sent.join()).not.toMatch(/t\."note"/)
})

test('rows that a resolver found past the rule are refused where they enter the answer', async () => {
  expect(await ask('{ raw { place } firstRaw { place } }', asAda())).toEqual({
    data: { raw: [{ place: 'Berlin' }, null, { place: 'Rome' }], firstRaw: null },
    errors: ['firstRaw FORBIDDEN', 'raw.1 FORBIDDEN'],
  })
  expect(await ask('{ raw { place } }', asAda([all]))).toEqual({
    data: { raw: [{ place: 'Berlin' }, { place: 'Oslo' }, { place: 'Rome' }] },
    errors: [],
  })
})

describe('a related row', () => {
  const berlin = { place: 'Berlin', note: 'a' }

  test('comes with the statement that reads its parents, if the rule of its type admits it', async () => {
    const query = '{ shifts { nodes { place swap { place note } } } }'
    expect(await ask(query, asAda())).toEqual({
      data: {
        shifts: {
          nodes: [
            { place: 'Berlin', swap: null },
            { place: 'Rome', swap: berlin },
          ],
        },
      },
      errors: [],
    })
    expect(sent).toHaveLength(1)
    const oslo = { place: 'Oslo', note: null }
    const rome = { place: 'Rome', note: null }
    expect(await ask(query, asAda([all]))).toEqual({
      data: {
        shifts: {
          nodes: [
            { place: 'Berlin', swap: oslo },
            { place: 'Oslo', swap: rome },
            { place: 'Rome', swap: berlin },
          ],
        },
      },
      errors: ['shifts.nodes.0.swap.note FORBIDDEN', 'shifts.nodes.1.swap.note FORBIDDEN'],
    })
    expect(sent).toHaveLength(1)
  })

  test('comes with a row that is looked up, and with a reference', async () => {
    expect(await ask(`{ shift(id: "${id(3)}") { swap { place } } }`, asAda())).toEqual({
      data: { shift: { swap: { place: 'Berlin' } } },
      errors: [],
    })
    expect(sent).toHaveLength(1)
    const query =
      'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Shift { swap { place } } } }'
    const refs = [3, 1].map((last) => ({ __typename: 'Shift', id: id(last) }))
    expect(await ask(query, asAda(), { refs })).toEqual({
      data: { _entities: [{ swap: { place: 'Berlin' } }, { swap: null }] },
      errors: [],
    })
    expect(sent).toHaveLength(1)
  })

  test('has what is selected of it anywhere: under aliases, in fragments, under nodes and edges', async () => {
    const query = `{ shifts(first: 1, after: null) {
      nodes { a: swap { place } ... on Shift { b: swap { ...Noted } } }
      edges { node { swap { id } } } } } fragment Noted on Shift { note }`
    expect(await ask(query, request([all], ben))).toEqual({
      data: {
        shifts: {
          nodes: [{ a: { place: 'Oslo' }, b: { note: 'b' } }],
          edges: [{ node: { swap: { id: id(2) } } }],
        },
      },
      errors: [],
    })
    expect(sent).toHaveLength(1)
  })

  test('is looked up where a resolver read the parents, and below another related row', async () => {
    expect(await ask('{ raw { place swap { place } } }', asAda([all]))).toEqual({
      data: {
        raw: [
          { place: 'Berlin', swap: { place: 'Oslo' } },
          { place: 'Oslo', swap: { place: 'Rome' } },
          { place: 'Rome', swap: { place: 'Berlin' } },
        ],
      },
      errors: [],
    })
    expect(sent).toHaveLength(2)
    expect(await ask('{ shifts { nodes { swap { swap { place } } } } }', asAda([all]))).toEqual({
      data: {
        shifts: {
          nodes: ['Rome', 'Berlin', 'Oslo'].map((place) => ({ swap: { swap: { place } } })),
        },
      },
      errors: [],
    })
    expect(sent).toHaveLength(2)
  })
})

test('a relation to what is no entity of the subgraph stops the start', async () => {
  class Elsewhere {}
  const definition = define(
    'hr',
    `type Shift @key(fields: "id") @authenticated { id: ID! swap: Shift }
     type Query { shift: Shift @authenticated }`,
    { Query: { shift: () => null }, Shift: { swap: one(Shift, 'swapId', Elsewhere) } },
    {},
  )
  await expect(startSubgraph({ ...definition, entities: [Shift] }, db, noServices)).rejects.toThrow(
    'subgraph hr cannot start:\n- Shift.swap relates to Elsewhere, which is not an entity of this subgraph',
  )
})

test('a text with the NUL character is bad input, not a failure', async () => {
  const query = '{ place(place: "\\u0000") { id } }'
  expect(await ask(query, asAda())).toEqual({ data: { place: null }, errors: ['place BAD_USER_INPUT'] })
})

test('a rule that names a column the entity lacks, and a field nothing answers, stop the start', async () => {
  const lacking: Policies = { visible: { columns: ['owner'], allow: () => true, where: () => null } }
  const definition = define(
    'hr',
    `type Shift @key(fields: "id") @policy(policies: [["visible"]]) { id: ID! colour: String }
     type Query { shift: Shift @authenticated }`,
    { Query: { shift: () => null } },
    lacking,
  )
  await expect(startSubgraph({ ...definition, entities: [Shift] }, db, noServices)).rejects.toThrow(
    'subgraph hr cannot start:\n- Shift.colour has neither a column nor a resolver\n' +
      '- Shift has no column for owner, which a rule, @search or needs() reads',
  )
})
