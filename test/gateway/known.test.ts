import { createHash } from 'node:crypto'
import { ApolloServer } from '@apollo/server'
import { GraphQLError } from 'graphql'
import { localDataSource } from '../../gateway/subgraphs/local'
import type { SubgraphAnswer } from '../../gateway/context'
import { startTestGateway, viewer, type TestGateway } from './fixtures/start'
import { fixtureState, runFixtures, type FixtureName } from './fixtures/subgraphs'

interface Sent {
  query: string
  operationName?: unknown
  variables?: unknown
  extensions?: unknown
  headers?: Record<string, string>
  path?: string
  /** The hash in the extensions is that of the text. */
  hashed?: true
}

/** What a subgraph answers in place of its own, by a word in the operation. */
const odd: Record<string, SubgraphAnswer> = {
  // A list where the schema has none: no error of a subgraph, the execution itself fails.
  Misshapen: { data: { user: [{ __typename: 'User', id: '1' }] } },
  Teapot: {
    data: { boom: null },
    errors: [
      {
        message: 'I am a teapot',
        path: ['boom'],
        extensions: { code: 'FORBIDDEN', http: { status: 418 }, serviceName: 'identity' },
      },
    ],
  },
  Challenge: {
    data: { boom: 'x' },
    errors: [
      {
        message: 'Who are you?',
        extensions: {
          code: 'UNAUTHENTICATED',
          http: { status: 401, headers: new Map([['WWW-Authenticate', 'Bearer']]) },
        },
      },
    ],
  },
  Everything: { errors: [{ message: 'Not today', extensions: { code: 'FORBIDDEN' } }] },
}

let gateway: TestGateway
let apollo: jest.SpyInstance
let seen: string[]
let texts = 0

beforeAll(async () => {
  const subgraphs = runFixtures(fixtureState())
  seen = []
  gateway = await startTestGateway({
    dataSource: ({ name }) => {
      const own = localDataSource(subgraphs[name as FixtureName])
      return {
        ...own,
        process: async (call) => {
          const word = Object.keys(odd).find((each) => call.request.operationName?.startsWith(each))
          return name === 'identity' && word ? structuredClone(odd[word]!) : own.process(call)
        },
      }
    },
    resolveViewer: async (headers) => {
      const authorization = headers.get('authorization')
      if (authorization === undefined) return viewer
      if (authorization === 'nobody') return null
      if (authorization === 'down') throw new Error('connect ECONNREFUSED 10.0.0.7:5432')
      throw new GraphQLError('The session has ended: sign in again', {
        extensions: {
          code: 'UNAUTHENTICATED',
          http: { status: 401, headers: new Map([['www-authenticate', 'Bearer']]) },
        },
      })
    },
    usage: {
      supergraphLoaded: () => undefined,
      executing: ({ document, operation, variables, tenantId, header }) => {
        const count = document.definitions.length
        seen.push(
          JSON.stringify([
            operation.name?.value,
            count,
            variables,
            tenantId,
            header('user-agent'),
            header('x'),
          ]),
        )
      },
    },
  })
  apollo = jest.spyOn(ApolloServer.prototype, 'executeHTTPGraphQLRequest')
})
afterAll(async () => {
  apollo.mockRestore()
  await gateway.close()
})

/** Everything that can be observed of a request but its time. */
async function observed({ headers, path = '/graphql', hashed: isHashed, ...body }: Sent) {
  if (isHashed && body.extensions) body.extensions = hashed(body.query)
  const before = { apollo: apollo.mock.calls.length, lines: gateway.lines.length, seen: seen.length }
  const metrics = async () => {
    const lines = (await gateway.fetch('/metrics')).text.split('\n')
    const counted = /^(graphql_errors_total|graphql_request\w+_count|subgraph_request\w+_count)/
    return new Map(
      lines.filter((line) => counted.test(line)).map((line) => line.split(' ') as [string, string]),
    )
  }
  const countedBefore = await metrics()
  const answer = await gateway.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': 'same', ...headers },
    body: JSON.stringify(body),
  })
  const counted = [...(await metrics())].map(([name, value]) => [
    name,
    Number(value) - Number(countedBefore.get(name) ?? 0),
  ])
  return {
    byApollo: apollo.mock.calls.length > before.apollo,
    what: {
      status: answer.status,
      headers: [...answer.headers].filter(([name]) => name !== 'date'),
      text: answer.text,
      // The fault that the execution itself stumbles on carries its own stack.
      lines: gateway.lines.slice(before.lines).map((line) => ({ ...line, time: 0, ms: 0, err: 0 })),
      seen: seen.slice(before.seen),
      counted: counted.filter(([, by]) => by !== 0),
    },
  }
}

const user = 'query User($id: ID!) { user(id: $id) { id name } }'
const users =
  'query Users($n: Int = 2) { users(first: $n) { edges { node { friends { friends { friends { id } } } } } } }'
const two = 'query One { user(id: "1") { name } } query Two { user(id: "2") { id } }'
const when = 'query When($when: DateTime) { joinedAfter(when: $when) }'
const one = { id: '1' }
const known = { query: user, variables: one }

/**
 * Name, the request, another one that makes the operation known, and whether the known one needs Apollo Server; or is
 * refused before anybody reads it.
 */
const requests: [name: string, request: Sent, before?: Partial<Sent>, byApollo?: true | 'refused'][] = [
  ['data', known],
  ['null in place of data', { query: user, variables: { id: '9' } }],
  ['no variables', { query: '{ users(first: 1) { edges { node { name } } } }' }],
  ['null for everything', { ...known, operationName: null, extensions: null }],
  ['variables that are null', { query: '{ asked { userId } }', variables: null }],
  ['introspection', { query: '{ __schema { queryType { name } } __typename }' }],
  ['its name', { ...known, operationName: 'User' }],
  ['the second of two', { query: two, operationName: 'Two' }],
  [
    'the second of two, the first being known',
    { query: two, operationName: 'Two' },
    { operationName: 'One' },
  ],
  ['another name', { ...known, operationName: 'Other' }, { operationName: 'User' }, true],
  ['an empty name', { ...known, operationName: '' }, { operationName: undefined }, true],
  ['no name for one of two', { query: two }, { operationName: 'Two' }, true],
  ['a name that is no text', { ...known, operationName: 5 }, { operationName: 'User' }, true],
  ['a variable of another type', { query: user, variables: { id: {} } }, { variables: one }],
  ['a variable deep inside', { query: users, variables: { n: [1] } }, { variables: { n: 1 } }],
  ['a missing variable', { query: user }, { variables: one }],
  ['a null variable', { query: user, variables: { id: null } }, { variables: one }],
  ['variables in a list', { query: user, variables: [1] }, { variables: one }, true],
  ['variables as text', { query: user, variables: '{"id":"1"}' }, { variables: one }, true],
  ['more variables than declared', { query: user, variables: { id: '1', other: { a: [1] } } }],
  ['a size in a variable', { query: users, variables: { n: 3 } }, { variables: { n: 1 } }],
  ['sizes left to defaults', { query: users }, { variables: { n: 1 } }],
  ['a size that costs too much', { query: users, variables: { n: 500 } }, { variables: { n: 1 } }, true],
  ['variables too deep', { query: when, variables: { when: deep(40) } }, { variables: { when: '1' } }, true],
  ['an error that is masked', { query: '{ boom }' }],
  ['several errors', { query: '{ forbidden boom asked { userId } }' }],
  ['errors of entities', { query: '{ users { edges { node { employee { salary } } } } }' }],
  ['an error with a status', { query: 'query Teapot { boom }' }],
  ['an error with headers', { query: 'query Challenge { boom }' }],
  ['errors without data', { query: 'query Everything { boom }' }],
  ['a failure of the execution', { query: 'query Misshapen { user(id: "1") { employee { title } } }' }],
  ['a null that nobody explained', { query: '{ user(id: "3") { name employee { grade } } }' }],
  ['a mutation', { query: 'mutation { rename(id: "3", name: "Ada") { name } }' }],
  ['nobody signed in', { ...known, headers: { authorization: 'nobody' } }],
  ['an ended session', { ...known, headers: { authorization: 'x' } }, { headers: {} }, true],
  ['a viewer that cannot be found', { ...known, headers: { authorization: 'down' } }, { headers: {} }, true],
  ['an ended session and a cost', expensive({ authorization: 'x' }), { variables: { n: 1 } }, true],
  ['extensions', { ...known, extensions: { clientLibrary: { name: 'x' } } }],
  ['extensions in a list', { ...known, extensions: [] }, { extensions: {} }, true],
  ['its hash too', { ...known, extensions: hashed(user), hashed: true }, { extensions: {} }, true],
  ['a wrong hash', { ...known, extensions: hashed('{ boom }') }, { extensions: {} }, true],
  ['a charset', { ...known, headers: { 'content-type': 'application/json; charset=utf-8' } }],
  ['a form', { ...known, headers: { 'content-type': 'text/plain' } }, { headers: {} }, 'refused'],
  [
    'a form that was preflighted',
    { ...known, headers: { 'content-type': 'text/plain', 'apollo-require-preflight': '1' } },
    { headers: {} },
    'refused',
  ],
  ['another JSON', { ...known, headers: { 'content-type': 'application/graphql+json' } }, {}, 'refused'],
  ['a query in the URL', { ...known, path: '/graphql?x=1' }, { path: '/graphql' }, true],
  ['headers that sources may want', { ...known, headers: { x: 'y', 'user-agent': 'tests' } }],
  ...[
    '*/*',
    'application/json',
    'application/graphql-response+json',
    'application/graphql-response+json,application/json;q=0.9',
    'application/json;q=0.1, application/graphql-response+json',
    'text/html, */*;q=0.8',
  ].map((accept): [string, Sent] => [`accept ${accept}`, { ...known, headers: { accept } }]),
  ...['text/html', 'application/xml', 'application/json;q=0'].map((accept): [string, Sent, object, true] => [
    `accept ${accept}`,
    { ...known, headers: { accept } },
    { headers: {} },
    true,
  ]),
  [
    'an error for a client that wants the other JSON',
    { query: user, variables: { id: [] }, headers: { accept: 'application/graphql-response+json' } },
    { variables: one },
  ],
  [
    'a status of an error for a client that wants the other JSON',
    { query: 'query Teapot { boom }', headers: { accept: 'application/graphql-response+json' } },
  ],
]

function deep(levels: number): unknown {
  return levels === 0 ? 1 : [deep(levels - 1)]
}

function expensive(headers: Record<string, string>): Sent {
  return { query: users, variables: { n: 500 }, headers }
}

function posted(body: unknown) {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}

function hashed(query: string) {
  return { persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') } }
}

describe('a known operation is answered as it was at first sight', () => {
  test.each(requests)('%s', async (_name, request, before = {}, byApollo) => {
    // The same answer is due to a text that differs in a comment, and no comment of these was ever seen.
    const first = await observed({ ...request, query: `${request.query} # ${texts++}` })
    await observed({ ...request, hashed: undefined, ...before })
    const again = await observed(request)
    expect(again.what).toEqual({ ...first.what, headers: again.what.headers })
    expect(new Map(again.what.headers)).toEqual(new Map(first.what.headers))
    const ways = byApollo === 'refused' ? [false, false] : [true, byApollo ?? false]
    expect([first.byApollo, again.byApollo]).toEqual(ways)
  })
})

describe('an operation that was registered with its hash', () => {
  const text = 'query Registered($id: ID!) { user(id: $id) { name id } }'
  const byHash = { extensions: hashed(text), variables: one, query: undefined as unknown as string }
  beforeAll(() => observed({ query: text, variables: one, extensions: hashed(text) }))

  test('is answered by the hash as by its text', async () => {
    const first = await observed({ query: `${text} # by text`, variables: one })
    const again = await observed(byHash)
    expect(again.what).toEqual({ ...first.what, headers: again.what.headers })
    expect([first.byApollo, again.byApollo]).toEqual([true, false])
  })

  test('is left to Apollo Server under another hash, in another version and with a text', async () => {
    const { persistedQuery } = hashed(text)
    const answers = await Promise.all(
      [
        { ...byHash, extensions: { persistedQuery: { ...persistedQuery, version: 2 } } },
        { ...byHash, extensions: { persistedQuery: { ...persistedQuery, sha256Hash: 5 } } },
        { ...byHash, extensions: { persistedQuery: [persistedQuery] } },
        { ...byHash, query: '{ boom }' },
        { ...byHash, extensions: hashed(`${text} `) },
      ].map(async (body) => (await gateway.fetch('/graphql', posted(body))).body.errors?.[0]?.message),
    )
    expect(answers).toEqual([
      'Unsupported persisted query version',
      'PersistedQueryNotFound',
      'Unsupported persisted query version',
      'provided sha does not match query',
      'PersistedQueryNotFound',
    ])
  })
})

test('a batch is refused, and so are hashes nobody registered', async () => {
  await observed(known)
  const post = (body: unknown) => gateway.fetch('/graphql', posted(body))
  const batch = await post([known])
  expect([batch.status, batch.body.errors?.[0]?.message]).toEqual([
    400,
    'Send one operation per request, not an array: an operation can ask for several root fields, and requests share a connection',
  ])
  const hash = await post({ extensions: hashed('{ nobody }') })
  expect(hash.body.errors?.[0]?.extensions.code).toBe('PERSISTED_QUERY_NOT_FOUND')
})
