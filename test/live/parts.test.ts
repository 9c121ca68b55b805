import { GraphQLError } from 'graphql'
import { askForRow, type RowAsker } from '../../gateway/live/changed-rows'
import type { LiveOperation } from '../../gateway/live/live-operation'
import { StreamOutdated, StreamRefused } from '../../gateway/live/live-stream'
import { OpenStreams } from '../../gateway/live/open-streams'
import { rootScopes } from '../../gateway/live/root-scopes'
import { RowGate } from '../../gateway/live/row-gate'
import { sealedCursors } from '../../gateway/live/sealed-cursors'
import { isSubscription } from '../../gateway/live/sent-operation'
import { prefersEvents, streamFormOf } from '../../gateway/live/stream-writers'
import { createRates } from '../../gateway/operations/rates'
import { TestClock } from '../support/graph'

/** The parts of streams by themselves: what they decide, and what they bound. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

test.each([
  ['text/event-stream', 'sse', true],
  ['multipart/mixed;boundary="graphql";subscriptionSpec="1.0",application/json', 'multipart', false],
  ['application/json, text/event-stream', 'sse', false],
  ['application/json;q=0.5, text/event-stream;q=0.9', 'sse', true],
  ['text/event-stream;q=0, application/json', null, false],
  ['Text/Event-Stream', 'sse', true],
  ['multipart/mixed, application/json', null, false],
  ['application/json', null, false],
])('%s takes streams as %s (live 4)', (accept, form, first) => {
  expect([streamFormOf(accept), prefersEvents(accept)]).toEqual([form, first])
})

test.each([
  ['subscription { a }', undefined, true],
  ['{ subscription { id } }', undefined, false],
  ['# subscription\n{ a }', undefined, false],
  ['query A { subscription } subscription B { a }', 'B', true],
  ['query A { subscription } subscription B { a }', 'A', false],
  ['query A { subscription } subscription B { a }', undefined, false],
  ['subscription S($a: I = {b: [1]}) @d(x: {y: 1}) { a } fragment subscription on T { b }', undefined, true],
  ['fragment subscription on T { b } query Q { a }', undefined, false],
  ['subscription { "', undefined, false],
])('%s with %s: a subscription? %s (live 16)', (query, operationName, is) => {
  expect(isSubscription({ query, operationName, variables: {} }, 1000)).toBe(is)
  expect(isSubscription({ query, operationName, variables: {} }, 1)).toBe(false)
})

test('rows of one tenant are asked for a few at a time, and tenants take turns (live 5)', async () => {
  const gate = new RowGate({ perTenant: 2, perProcess: 3 })
  const done: string[] = []
  const running = { a: 0, b: 0 }
  let most = 0
  const work = (tenant: 'a' | 'b', name: string) =>
    gate.run(tenant, async () => {
      running[tenant]++
      most = Math.max(most, running.a + running.b)
      expect(running[tenant]).toBeLessThanOrEqual(2)
      await turn()
      running[tenant]--
      done.push(name)
      if (name === 'a1') throw new Error('one fails')
    })
  const all = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'].map((name) => work('a', name))
  all.push(work('b', 'b1'), work('b', 'b2'))
  const outcomes = await Promise.allSettled(all)
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1)
  expect([done.length, most]).toEqual([8, 3])
  expect(Math.max(done.indexOf('b1'), done.indexOf('b2'))).toBeLessThan(6)
})

test('streams are bounded by session, user, tenant and process (live 5)', () => {
  const open = new OpenStreams({ perSession: 1, perUser: 2, perTenant: 3, perProcess: 4 })
  const enter = (tenantId: string, userId: string, sessionId: string) =>
    open.enter({ tenantId, userId, sessionId, permissionVersion: 1, scopes: new Set() })
  const refused = expect.objectContaining({ extensions: expect.objectContaining({ code: 'RATE_LIMITED' }) })
  const leave = enter('t', 'u', 's1')
  expect(() => enter('t', 'u', 's1')).toThrow(refused)
  enter('t', 'u', 's2')
  expect(() => enter('t', 'u', 's3')).toThrow(refused)
  enter('t', 'v', 's4')
  expect(() => enter('t', 'w', 's5')).toThrow(refused)
  enter('other', 'x', 's6')
  expect(() => enter('other', 'x', 's7')).toThrow(refused)
  leave()
  leave()
  enter('other', 'x', 's7')
  expect(() => enter('other', 'y', 's8')).toThrow(refused)
})

test('streams have half of what a tenant may ask for, and its requests the rest (live 5)', () => {
  const add = async (_key: string, amount: number) => ({ count: amount, endsInMs: 60_000 })
  const log = { warn: () => undefined } as never
  const rates = createRates(
    { anonymousPerMinute: 10, tenantCostPerMinute: 100 },
    { store: { add }, clock: new TestClock(), log },
  )
  for (let count = 0; count < 5; count++) rates.streams('t', 10)
  expect(() => rates.streams('t', 10)).toThrow('Too many requests')
  for (let count = 0; count < 5; count++) rates.tenant('t', 10)
  expect(() => rates.tenant('t', 10)).toThrow('Too many requests')
  rates.streams('other', 10)
})

test('cursors of one tenant have a key of their own (live 33)', () => {
  const [ours, again] = [sealedCursors('secret'), sealedCursors('secret')]
  const cursor = ours.seal('a', 7)
  expect([again.open('a', cursor), again.open('b', cursor), sealedCursors('x').open('a', cursor)]).toEqual([
    7,
    null,
    null,
  ])
})

test('scopes that a field of Query needs are known without a question (live 2)', () => {
  const mayAsk = rootScopes(`
    type Query {
      open: Row
      one: Row @requiresScopes(scopes: [["a", "b"], ["c"]])
      typed: Guarded! @requiresScopes(scopes: [["a"]])
    }
    type Row { id: ID }
    type Guarded @requiresScopes(scopes: [["d"]]) { id: ID }`)
  const may = (field: string, ...scopes: string[]) => mayAsk(field, new Set(scopes))
  expect([may('open'), may('one', 'a'), may('one', 'a', 'b'), may('one', 'c')]).toEqual([
    true,
    false,
    true,
    true,
  ])
  expect([may('typed', 'a'), may('typed', 'd'), may('typed', 'a', 'd')]).toEqual([false, false, true])
})

const failing = (code: string, path: string[] | null = ['row', 'lines'], extensions = {}) =>
  new GraphQLError(code, { path: path ?? undefined, extensions: { code, ...extensions } })

/** What comes of an answer to a stream that names the type, or does not. */
function asked(errors: GraphQLError[], named = ['Row'], row: unknown = null) {
  const marks: boolean[] = []
  const query = { field: 'row', keys: ['row'], operation: {}, source: '', idVariable: 'id' }
  const operation = { rootKey: 'changed', named, queryFor: () => query, changed: () => 'shown' }
  const asker = {
    operation: operation as unknown as LiveOperation,
    tenantId: 't',
    cost: 1,
    variables: {},
    answered: new Set<string>(),
    mayAsk: () => true,
    isOver: () => false,
    gate: new RowGate(),
    rates: { anonymous: () => undefined, tenant: () => undefined, streams: () => undefined },
    resolveViewer: async () => ({ tenantId: 't', permissionVersion: 1, scopes: new Set() }),
    contextOf: (_asking: unknown, isFollowUp: boolean) => void marks.push(isFollowUp),
    formatError: (error: unknown) => error as object,
    execute: async () => ({ data: { row }, errors }),
  } as unknown as RowAsker
  const event = { aggregateType: 'Row', aggregateId: 'x' } as Parameters<typeof askForRow>[1]
  return { marks, ask: () => askForRow(asker, event, 'cursor') }
}

test('a fault below the row is no "may not see", whatever its place (live 3)', async () => {
  const of = (...errors: GraphQLError[]) => asked(errors).ask()
  expect(await of(failing('INTERNAL_SERVER_ERROR'))).toEqual({ waitMs: 500, isFault: true })
  expect(await of(failing('FORBIDDEN'), failing('SUBGRAPH_UNAVAILABLE'))).toEqual({
    waitMs: 500,
    isFault: false,
  })
  expect(await of(failing('RATE_LIMITED', null, { retryAfterSeconds: 7 }))).toEqual({
    waitMs: 7000,
    isFault: false,
  })
  expect(await of(failing('FORBIDDEN'))).toBe('nothing')
  expect(await of(failing('FORBIDDEN', ['row']))).toBe('nothing')
  expect(await of()).toBe('nothing')
})

test('what the viewer must do first ends a stream that names the type, in place of silence (live 10, 17)', async () => {
  for (const code of ['STEP_UP_REQUIRED', 'SECOND_FACTOR_REQUIRED', 'PASSWORD_CHANGE_REQUIRED']) {
    await expect(asked([failing(code, ['row'])]).ask()).rejects.toThrow(StreamRefused)
    expect(await asked([failing(code, ['row'])], []).ask()).toBe('nothing')
    expect(await asked([failing(code)]).ask()).toBe('nothing')
  }
  await expect(asked([failing('BAD_USER_INPUT', null)]).ask()).rejects.toThrow(StreamOutdated)
  await expect(asked([failing('BAD_USER_INPUT')]).ask()).rejects.toThrow(StreamRefused)
})

test('only the first answer to what was named counts as an attempt of the viewer’s (live 2)', async () => {
  const named = asked([failing('FORBIDDEN', ['row', 'salary'])], ['Row'], { id: 'x' })
  for (let count = 0; count < 3; count++) await named.ask()
  expect(named.marks).toEqual([false, true, true])
  const all = asked([failing('FORBIDDEN', ['row'])], [])
  for (let count = 0; count < 2; count++) await all.ask()
  expect(all.marks).toEqual([true, true])
})
