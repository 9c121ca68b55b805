import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema, GraphQLError, parse, type OperationDefinitionNode } from 'graphql'
import type { GatewayOptions } from '../../gateway/gateway'
import { anonymousRefusal, protectedRoots } from '../../gateway/operations/anonymous-refusal'
import type { AnonymousTurns } from '../../gateway/operations/anonymous-turns'
import { refusedForNow } from '../../gateway/errors'
import { networkOf } from '../../kernel/process/network-address'
import { localDataSource } from '../../gateway/subgraphs/local'
import { installationPages } from '../../gateway/http/pages'
import { projectRoot } from '../../kernel/process/config'
import { parsedDocuments } from '../../kernel/execution/parsed-documents'
import { apiSchema } from '../../registry/api-schema'
import { loadable } from '../../registry/composition/compose'
import { readSchema } from '../../registry/schema-model'
import { startTestGateway, viewer, type TestGateway } from './fixtures/start'
import { fixtureNames, fixtureState, runFixtures, type FixtureName } from './fixtures/subgraphs'

const signedIn = { authorization: 'Bearer good' }
const resolveViewer: GatewayOptions['resolveViewer'] = async (headers) => {
  const authorization = headers.get('authorization')
  if (authorization === undefined) return null
  if (authorization === signedIn.authorization) return viewer
  throw new GraphQLError('The session has ended', {
    extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } },
  })
}
resolveViewer.isSigned = (headers) => headers.get('authorization') === signedIn.authorization

let gateway: TestGateway | undefined
afterEach(() => gateway?.close())

const start = async (options: Partial<GatewayOptions> = {}) =>
  (gateway = await startTestGateway({ callersSignIn: true, resolveViewer, ...options }))
const times = (count: number, text: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => text(n)).join(' ')
const told = ({ status, body }: Awaited<ReturnType<TestGateway['ask']>>) => [
  status,
  ...(body.errors ?? []).map(({ message, extensions }) => `${extensions.code} ${message}`),
]

describe('L2 what only anonymous callers sent', () => {
  const documents = Object.fromEntries(
    fixtureNames.map((name) => [name, parsedDocuments({ noLocation: true })]),
  ) as Record<FixtureName, ReturnType<typeof parsedDocuments>>
  const subgraphs = runFixtures(fixtureState())
  const kept = () => ({
    ...gateway!.kept(),
    documents: fixtureNames.reduce((sum, name) => sum + documents[name].size, 0),
  })

  test('leaves nothing in any cache; the same of somebody signed in is kept', async () => {
    await start({
      dataSource: ({ name }) =>
        localDataSource(subgraphs[name as FixtureName], documents[name as FixtureName]),
    })
    const nothing = { entries: 0, bytes: 0 }
    for (let n = 0; n < 50; n++) {
      const query = `{ a${n}: asked { b${n}: clientIp c${n}: userAgent } }`
      expect((await gateway!.ask(query)).status).toBe(200)
      const extensions = { persistedQuery: { version: 1, sha256Hash: 'x' } }
      await gateway!.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, extensions }),
      })
    }
    expect(kept()).toEqual({ operations: nothing, prepared: nothing, plans: nothing, documents: 0 })
    const query = '{ asked { userId } }'
    await gateway!.ask(query)
    await gateway!.ask(query, { headers: signedIn })
    const after = kept()
    expect([after.operations, after.prepared, after.plans].map(({ entries }) => entries)).toEqual([1, 1, 1])
    expect(after.documents).toBe(1)
    for (const { bytes } of [after.operations, after.prepared, after.plans])
      expect(bytes).toBeGreaterThan(query.length)
  })

  test('parsed documents stay within their bytes, whatever is asked', () => {
    const bounded = parsedDocuments({ noLocation: true }, 100_000)
    for (let n = 0; n < 500; n++) {
      bounded.get(`{ ${times(1 + (n % 30), (at) => `a${n}x${at}`)} }`, true)
      expect(bounded.bytes).toBeLessThanOrEqual(100_000)
    }
    expect(bounded.size).toBeGreaterThan(2)
    expect(bounded.get('{ a }', true)).toBe(bounded.get('{ a }', false))
    expect(bounded.get('{ b }', false)).not.toBe(bounded.get('{ b }', false))
  })
})

describe('L4 an operation for signed-in callers only', () => {
  test('is refused to others without a plan and without a subgraph, as its execution would', async () => {
    const planned: string[] = []
    await start({
      makePlans: () => ({
        ready: Promise.resolve(),
        plan: async (text) => (planned.push(text), '{"kind":"QueryPlan"}'),
        close: async () => undefined,
      }),
    })
    const query =
      'query($no: Boolean = false) { __typename a: user(id: "1") { name } ...F left: user(id: "2") @include(if: $no) { id } } fragment F on Query { b: user(id: "1") { id } }'
    const denied = (key: string) => ({
      message: 'Sign in first',
      path: [key],
      extensions: { code: 'UNAUTHENTICATED', traceId: expect.any(String) },
    })
    for (let n = 0; n < 2; n++) {
      const answer = await gateway!.ask(query)
      expect([answer.status, answer.body]).toEqual([
        200,
        { data: { __typename: 'Query', a: null, b: null }, errors: [denied('a'), denied('b')] },
      ])
      // What is non-null takes everything with it.
      expect((await gateway!.ask('{ claims { id } }')).body).toEqual({
        data: null,
        errors: [denied('claims')],
      })
      // Known from somebody else, it is refused the same way.
      await gateway!.ask(query, { headers: signedIn })
    }
    expect([planned.length, gateway!.state.calls]).toEqual([1, []])
    await gateway!.ask('{ boom user(id: "1") { id } }')
    expect(planned.length).toBe(2)
  })

  test('is each root field of our own supergraph that is not declared public', () => {
    const sdl = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
    const schema = apiSchema(readSchema(parse(sdl)))
    const all = [schema.getQueryType()!, schema.getMutationType()!].flatMap((type) =>
      Object.keys(type.getFields()).map((field) => `${type.name}.${field}`),
    )
    const roots = protectedRoots(loadable(sdl), schema)
    expect(all.filter((field) => !roots.has(field)).sort()).toEqual([
      'Mutation.acceptInvitation',
      'Mutation.completeSignIn',
      'Mutation.confirmEmailChange',
      'Mutation.operatorSignIn',
      'Mutation.refreshSession',
      'Mutation.requestPasswordReset',
      'Mutation.resetPassword',
      'Mutation.signIn',
      'Mutation.signInPasskeyBegin',
      'Mutation.signInPasskeyFinish',
      'Mutation.stopLoneAdministratorReset',
    ])
    expect(all.length).toBeGreaterThan(80)
  })

  test('is executed when a condition cannot be decided, so that its error is execution’s', () => {
    const schema = buildSchema('type Query { a: Int }')
    const document = parse('query($c: Boolean!) { a @skip(if: $c) }')
    const operation = document.definitions[0] as OperationDefinitionNode
    const roots = new Set(['Query.a'])
    expect(anonymousRefusal(schema, roots, { document, operation }, {})).toBeNull()
    expect(anonymousRefusal(schema, roots, { document, operation }, { c: true })).toBeNull()
    expect(anonymousRefusal(schema, roots, { document, operation }, { c: false })?.data).toEqual({ a: null })
  })
})

describe('L4 turns of anonymous callers', () => {
  /** Counts turns; `full` refuses them. */
  function counted() {
    const seen = { taken: [] as string[], took: 0, planned: 0, full: false }
    const turns: AnonymousTurns = {
      async take(address) {
        if (seen.full) throw refusedForNow('OVERLOADED', 1)
        seen.taken.push(String(address))
      },
      took: () => void seen.took++,
      planned: () => void seen.planned++,
    }
    return { seen, turns }
  }
  const open = '{ asked { userId } }'
  const overloaded = [503, 'OVERLOADED Too much is going on at once. Try again in a moment.']

  test('a new document takes one, with a pause for its plan when it is executed', async () => {
    const { seen, turns } = counted()
    await start({ turns })
    const network = '127.0.0.1'
    const count = () => [seen.taken.length, seen.took, seen.planned]
    // The check and the plan.
    await gateway!.ask(open)
    expect(count()).toEqual([1, 2, 1])
    await gateway!.ask(open)
    expect(count()).toEqual([2, 4, 2])
    await gateway!.ask('{ nope }')
    expect(count()).toEqual([3, 5, 2])
    await gateway!.ask('{ user(id: "1") { name } }')
    expect(count()).toEqual([4, 6, 2])
    expect(new Set(seen.taken)).toEqual(new Set([network]))
    await gateway!.ask('{ b: asked { userId } }', { headers: signedIn })
    expect(count()).toEqual([4, 6, 2])
  })

  test('a known document takes one when it is executed, and is told to come again when too many wait', async () => {
    const { seen, turns } = counted()
    await start({ turns })
    const refused = '{ user(id: "1") { name } }'
    for (const query of [open, refused])
      expect(told(await gateway!.ask(query, { headers: signedIn }))).toEqual([200])
    expect(seen.taken).toEqual([])
    expect(told(await gateway!.ask(open))).toEqual([200])
    expect(told(await gateway!.ask(refused))).toEqual([200, 'UNAUTHENTICATED Sign in first'])
    expect([seen.taken.length, seen.took, seen.planned]).toEqual([1, 0, 0])
    seen.full = true
    const calls = gateway!.state.calls.length
    const answer = await gateway!.ask(open)
    expect([told(answer), answer.headers.get('retry-after')]).toEqual([overloaded, '1'])
    expect(told(await gateway!.ask('{ c: asked { userId } }'))).toEqual(overloaded)
    expect(gateway!.state.calls.length).toBe(calls)
    expect(told(await gateway!.ask(open, { headers: signedIn }))).toEqual([200])
  })

  test('one mutation a request: of two none is executed; whoever is signed in may send both', async () => {
    await start()
    const query = 'mutation { a: rename(id: "1", name: "A") { id } b: rename(id: "1", name: "B") { id } }'
    const beyond = [400, 'QUERY_TOO_COSTLY The operation has 2 mutations, at most 1: split it']
    expect(told(await gateway!.ask(query))).toEqual(beyond)
    expect(gateway!.state.calls).toEqual([])
    expect(told(await gateway!.ask(query, { headers: signedIn }))).toEqual([200])
    const calls = gateway!.state.calls.length
    expect(calls).toBe(1)
    // Known by now, it is still not for others.
    expect(told(await gateway!.ask(query))).toEqual(beyond)
    expect(gateway!.state.calls.length).toBe(calls)
  })
})

describe('L1 L5 documents of anonymous callers', () => {
  test.each<[string, string, string]>([
    [
      'conflicts in pairs',
      `{ ${times(400, (n) => `user(id: "1") { x${n}: id x: ${n % 2 ? 'name' : 'id'} }`)} }`,
      'QUERY_TOO_COSTLY The document has 13493 characters, at most 10000: split it',
    ],
    [
      '101 aliases',
      `{ asked { ${times(101, (n) => `a${n}: userId`)} } }`,
      'QUERY_TOO_COSTLY "userId" is selected under 6 names in one place, at most 5: split it',
    ],
    [
      'one field 300 times',
      `{ asked { ${'userId '.repeat(300)} } }`,
      'QUERY_TOO_COSTLY "userId" is selected 300 times in one place, at most 5: split it',
    ],
    [
      '10 unknown directives',
      `{ asked @a @b @c @d @e @f @g @h @i @j { userId } }`,
      'QUERY_TOO_COSTLY The document has 10 directives in one place, at most 3: split it',
    ],
  ])('%s: one error', async (_name, query, error) => {
    await start()
    const answer = await gateway!.ask(query)
    expect(told(answer)).toEqual([400, error])
    expect(answer.text.length).toBeLessThan(300)
  })

  test('have few errors, and no message repeats what was sent at full length', async () => {
    await start()
    const wrong = await gateway!.ask(`{ ${times(5, (n) => `nope${n}`)} }`)
    expect(wrong.body.errors).toHaveLength(4)
    const long = await gateway!.ask(
      'query($a: ID!, $n: Int) { boom joinedAfter(when: $a) users(first: $n) { edges { node { id } } } }',
      {
        variables: { a: '1', n: 'x'.repeat(50_000) },
        headers: signedIn,
      },
    )
    expect(long.text.length).toBeLessThan(3000)
  })

  test('have smaller bounds than the same text of others, known or not', async () => {
    await start()
    const query = `{ asked { ${times(20, (n) => `a${n}: userId`)} } }`
    const refused = [
      400,
      'QUERY_TOO_COSTLY "userId" is selected under 6 names in one place, at most 5: split it',
    ]
    expect(told(await gateway!.ask(query))).toEqual(refused)
    expect(told(await gateway!.ask(query, { headers: signedIn }))).toEqual([200])
    expect(told(await gateway!.ask(query, { headers: signedIn }))).toEqual([200])
    expect(told(await gateway!.ask(query))).toEqual(refused)
  })

  test('come in smaller bodies', async () => {
    await start()
    const body = JSON.stringify({ query: '{ boom }', variables: { a: 'x'.repeat(70_000) } })
    const headers = { 'content-type': 'application/json' }
    expect((await gateway!.fetch('/graphql', { method: 'POST', headers, body })).status).toBe(413)
    const init = { method: 'POST', headers: { ...headers, ...signedIn }, body }
    expect((await gateway!.fetch('/graphql', init)).status).toBe(200)
  })
})

describe('L4 rates', () => {
  const refused = (seconds: number) => [
    429,
    `RATE_LIMITED Too many requests. Try again in ${seconds} seconds.`,
  ]
  let now = Date.parse('2026-01-01T00:00:00Z')
  const clock = { now: () => new Date(now) }

  test('anonymous requests of an address, bad credentials among them; others are not stopped', async () => {
    await start({ rates: { anonymousPerMinute: 3 }, clock, trustProxy: true })
    const from = (address: string, headers = {}) =>
      gateway!.ask('{ asked { userId } }', { headers: { 'x-forwarded-for': address, ...headers } })
    expect(told(await from('203.0.113.9'))).toEqual([200])
    expect(told(await from('203.0.113.9', { authorization: 'Bearer bad' }))[0]).toBe(401)
    expect(told(await from('203.0.113.9'))).toEqual([200])
    now += 15_500
    const answer = await from('203.0.113.9')
    expect(told(answer)).toEqual(refused(45))
    expect(answer.headers.get('retry-after')).toBe('45')
    expect(answer.body.errors?.[0]?.extensions).toEqual({
      code: 'RATE_LIMITED',
      retryAfterSeconds: 45,
      traceId: answer.headers.get('x-request-id'),
    })
    expect(told(await from('203.0.113.9', { authorization: 'Bearer bad' }))).toEqual(refused(45))
    expect(told(await from('203.0.113.9', signedIn))).toEqual([200])
    expect(told(await from('203.0.113.10'))).toEqual([200])
    now += 45_000
    expect(told(await from('203.0.113.9'))).toEqual([200])
  })

  test('what a tenant’s operations cost, known or not', async () => {
    await start({ rates: { tenantCostPerMinute: 8 }, clock })
    const ask = () => gateway!.ask('{ asked { userId } }', { headers: signedIn })
    const answers = [await ask(), await ask(), await ask(), await ask(), await ask()]
    // An object costs 1, and so does any operation.
    expect(answers.map(told)).toEqual([[200], [200], [200], [200], refused(60)])
    expect(answers[4]!.headers.get('retry-after')).toBe('60')
    expect(told(await gateway!.ask('{ x: asked { userId } }', { headers: signedIn }))).toEqual(refused(60))
    expect(told(await gateway!.ask('{ asked { userId } }'))).toEqual([200])
  })

  test.each([
    [null, 'unknown'],
    ['203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('count %s as %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

test('L4 a full queue of plans is 503 with the time to wait, and nothing of it is kept', async () => {
  let full = true
  await start({
    makePlans: () => ({
      ready: Promise.resolve(),
      plan: async () => {
        if (full) throw refusedForNow('OVERLOADED', 1)
        const node = { kind: 'Fetch', serviceName: 'identity', operation: '{asked{userId}}' }
        return JSON.stringify({ kind: 'QueryPlan', node })
      },
      close: async () => undefined,
    }),
  })
  // As seen first, and again: what is known goes another way.
  for (let n = 0; n < 2; n++) {
    const answer = await gateway!.ask('{ boom }', { headers: signedIn })
    expect([...told(answer), answer.headers.get('retry-after')]).toEqual([
      503,
      'OVERLOADED Too much is going on at once. Try again in a moment.',
      '1',
    ])
    expect(answer.body.errors?.[0]?.extensions).toMatchObject({ retryAfterSeconds: 1 })
  }
  full = false
  expect(told(await gateway!.ask('{ asked { userId } }', { headers: signedIn }))).toEqual([200])
})

describe('O9 what the schema says of itself', () => {
  const introspection = '{ __type(name: "User") { name } }'
  const misspelt = '{ asked { userIdd } }'
  const suggests =
    'GRAPHQL_VALIDATION_FAILED Cannot query field "userIdd" on type "Asked". Did you mean "userId"?'
  const plain = 'GRAPHQL_VALIDATION_FAILED Cannot query field "userIdd" on type "Asked".'
  const nothing = 'GRAPHQL_VALIDATION_FAILED The document does not fit the schema. Sign in to be told where.'

  test.each<[GatewayOptions['schemaVisibility'], string, unknown[], unknown[]]>([
    ['public', 'anonymous', [200], [400, suggests]],
    ['public', 'signed in', [200], [400, suggests]],
    [
      'signed-in',
      'anonymous',
      [400, 'UNAUTHENTICATED Sign in first: introspection is for signed-in callers'],
      [400, nothing],
    ],
    ['signed-in', 'signed in', [200], [400, suggests]],
    ['off', 'anonymous', [400, 'FORBIDDEN Introspection is switched off here'], [400, nothing]],
    ['off', 'signed in', [400, 'FORBIDDEN Introspection is switched off here'], [400, plain]],
  ])('%s, %s', async (schemaVisibility, who, schema, field) => {
    await start({ schemaVisibility })
    const headers: Record<string, string> = who === 'anonymous' ? {} : signedIn
    // Known from somebody who may, it is still not for others.
    await gateway!.ask(introspection, { headers: signedIn })
    expect(told(await gateway!.ask(introspection, { headers }))).toEqual(schema)
    expect(
      told(
        await gateway!.ask(`{ ...F } fragment F on Query { x: __schema { types { name } } }`, { headers }),
      ),
    ).toEqual(schema)
    expect(told(await gateway!.ask(misspelt, { headers }))).toEqual(field)
    expect(told(await gateway!.ask('{ __typename }', { headers }))).toEqual([200])
  })

  test('is the explorer’s too, which is a page of the product or none', async () => {
    await start({ pages: installationPages({ explorer: [], dashboard: false, demo: null }) })
    const headers = { accept: 'text/html' }
    expect((await gateway!.fetch('/graphql', { headers })).status).toBe(200)
    await gateway!.close()
    await start()
    expect((await gateway!.fetch('/graphql', { headers })).status).toBe(404)
  })
})
